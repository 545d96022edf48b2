/*
 * arch_prctl sets the bases of FS and GS, which programs' accesses through these registers use; they survive faults,
 * signals and switches to a process with others, and are inherited by fork. Bases outside the user's half are refused.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL

static uint64_t read_fs(uint64_t offset, uint64_t unused)
{
    uint64_t value;

    (void)unused;
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

static uint64_t read_gs(uint64_t offset, uint64_t unused)
{
    uint64_t value;

    (void)unused;
    __asm__ volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

static void show(const char *who)
{
    uint64_t fs = 1;
    uint64_t gs = 1;

    must("ARCH_GET_FS", sys_arch_prctl(ARCH_GET_FS, (uint64_t)&fs));
    must("ARCH_GET_GS", sys_arch_prctl(ARCH_GET_GS, (uint64_t)&gs));
    say("%s: FS %lx GS %lx", who, fs, gs);
}

static void set(const char *what, int code, uint64_t base)
{
    say("%s 0x%lx: %s", what, base, result_text(sys_arch_prctl(code, base)));
}

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    show(signal_text(signal));
    set("in the handler: FS", ARCH_SET_FS, AREA + 3 * PAGE);
}

int program(const struct program_start *start)
{
    struct access access;
    int to_child[2];
    int to_parent[2];
    long pid;

    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    map_at(AREA, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < 4; page++)
        store64(AREA + page * PAGE + 8, 0x1111 * (page + 1));
    show("at the beginning");
    set("FS", ARCH_SET_FS, AREA);
    set("GS", ARCH_SET_GS, AREA + PAGE);
    show("set");
    say("%%fs:8 %lx, %%gs:8 %lx", read_fs(8, 0), read_gs(8, 0));
    say("%%fs:0x1008 %lx, %%gs:-0xff8 %lx", read_fs(0x1008, 0), read_gs(8 - PAGE, 0));

    access = access_run(read_fs, 0x100000, 0);
    log_access("read at FS + 0x100000, which is", AREA + 0x100000, &access);
    access = access_run(read_gs, 0xffff900000000000, 0);
    log_access_uncounted("read at GS + 0xffff900000000000, which is",
                         AREA + PAGE + 0xffff900000000000, &access);
    show("after two faults");

    set("the highest user address: GS", ARCH_SET_GS, 0x7fffffffefff);
    set("the end of the user's half: FS", ARCH_SET_FS, 0x7ffffffff000);
    set("not canonical: FS", ARCH_SET_FS, 0x800000000000);
    set("in the kernel's half: GS", ARCH_SET_GS, 0xffff888000000000);
    show("after those");
    say("to no page: %s", result_text(sys_arch_prctl(ARCH_GET_FS, 8)));
    say("a code that there is not: %s", result_text(sys_arch_prctl(0x1005, 0)));

    set("FS", ARCH_SET_FS, AREA);
    set("GS", ARCH_SET_GS, AREA + PAGE);
    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
    sys_kill(sys_getpid(), SIGUSR1);
    show("what a handler sets stays");

    pid = program_fork();
    if (pid == 0) {
        show("child");
        set("child: FS", ARCH_SET_FS, AREA + 2 * PAGE);
        set("child: GS", ARCH_SET_GS, 0);
        pipe_signal(to_parent);
        pipe_await(to_child);
        show("child, later");
        say("%%fs:8 %lx", read_fs(8, 0));
        program_exit(0);
    }
    pipe_await(to_parent);
    show("parent");
    say("%%fs:8 %lx, %%gs:8 %lx", read_fs(8, 0), read_gs(8, 0));
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));
    show("parent at the end");
    return 0;
}
