/*
 * DS, ES, FS and GS hold what the program loaded: through faults, system calls, signals and switches to a process with others;
 * fork inherits them, arch_prctl clears the selector whose base it sets.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL
#define DATA 0x2bUL /* Linux's selector of programs' data */

#define READ(name)                                                                                 \
    static uint64_t read_##name(void)                                                              \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("movq %%" #name ", %0" : "=r"(value));                                    \
        return value;                                                                              \
    }
#define WRITE(name)                                                                                \
    static void write_##name(uint64_t value)                                                       \
    {                                                                                              \
        __asm__ volatile("movq %0, %%" #name : : "r"(value) : "memory");                           \
    }
READ(cs)
READ(ss)
READ(ds)
READ(es)
READ(fs)
READ(gs)
WRITE(ds)
WRITE(es)
WRITE(fs)
WRITE(gs)

static void show(const char *who)
{
    say("%s: CS %lx SS %lx DS %lx ES %lx FS %lx GS %lx", who, read_cs(), read_ss(), read_ds(),
        read_es(), read_fs(), read_gs());
}

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    say("%s: in the frame %lx", signal_text(signal), context->registers[REG_CSGSFS]);
    show("in its handler");
    write_es(0);
}

static void show_bases(const char *who)
{
    uint64_t fs = 1;
    uint64_t gs = 1;

    must("ARCH_GET_FS", sys_arch_prctl(ARCH_GET_FS, (uint64_t)&fs));
    must("ARCH_GET_GS", sys_arch_prctl(ARCH_GET_GS, (uint64_t)&gs));
    say("%s: base of FS %lx, of GS %lx", who, fs, gs);
}

int program(const struct program_start *start)
{
    struct access access;
    int to_child[2];
    int to_parent[2];
    long child;

    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    show("at the beginning");
    must("ARCH_SET_FS", sys_arch_prctl(ARCH_SET_FS, AREA));
    must("ARCH_SET_GS", sys_arch_prctl(ARCH_SET_GS, AREA));
    show_bases("set");
    write_ds(DATA);
    write_es(DATA);
    write_fs(DATA);
    write_gs(DATA);
    show("loaded");
    show_bases("loaded");
    access = access_read(AREA);
    log_access("read", AREA, &access);
    show("after a fault");
    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
    must("kill", sys_kill(sys_getpid(), SIGUSR1));
    show("what a handler loads stays");

    child = program_fork();
    if (child == 0) {
        show("child");
        write_ds(0);
        write_fs(0);
        write_es(DATA);
        pipe_signal(to_parent);
        pipe_await(to_child);
        show("child, later");
        program_exit(0);
    }
    pipe_await(to_parent);
    show("parent");
    pipe_signal(to_child);
    log_wait("child", wait_for(child));
    show("parent at the end");

    must("ARCH_SET_FS", sys_arch_prctl(ARCH_SET_FS, AREA + 8));
    show("the base of FS was set");
    must("ARCH_SET_GS", sys_arch_prctl(ARCH_SET_GS, AREA + 16));
    show("that of GS, too");
    show_bases("both");
    return 0;
}
