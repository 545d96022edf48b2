/*
 * The kernel's writes for a system call break copy-on-write as the program's own do: from a pipe, from a file, and of
 * a result; the other process keeps what it had.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 8

int program(const struct program_start *start)
{
    static const char text[] = "0123456789abcdef";
    int pipe[2];
    int file;
    long pid;
    long before;

    (void)start;
    pipe_make(pipe);
    file = (int)must("memfd_create", sys_memfd_create("cow", 0));
    must("write", sys_write(file, (uint64_t)text, 16));
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, PAGES, 0x11);
    pid = program_fork();
    if (pid == 0) {
        must("write to the pipe", sys_write(pipe[1], (uint64_t)text, 16));
        before = minor_faults();
        say("read from a pipe: %s", result_text(sys_read(pipe[0], AREA + 4, 16)));
        log_faults("  into a shared page", before);
        log_bytes("child's page 0", AREA, 24);
        before = minor_faults();
        say("pread from a file: %s", result_text(sys_pread64(file, AREA + 3 * PAGE - 8, 16, 0)));
        log_faults("  across two shared pages", before);
        log_bytes("child's page 2", AREA + 3 * PAGE - 10, 10);
        log_bytes("child's page 3", AREA + 3 * PAGE, 10);
        before = minor_faults();
        say("uname: %s", result_text(sys_uname((struct system_name *)(AREA + 4 * PAGE))));
        log_faults("  into a shared page", before);
        log_bytes("child's page 4", AREA + 4 * PAGE, 6);
        before = minor_faults();
        say("a signal's old mask: %s",
            result_text(sys_rt_sigprocmask(SIG_BLOCK, NULL, (uint64_t *)(AREA + 5 * PAGE))));
        log_faults("  into a shared page", before);
        log_bytes("child's page 5", AREA + 5 * PAGE, 10);
        log_residency("child", AREA, PAGES);
        log_write(AREA, 0xc0); /* it is the child's own by now */
        log_write(AREA + 5 * PAGE, 0xc0);
        log_write(AREA + 6 * PAGE, 0xc0);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    log_contents("parent", AREA, PAGES);

    /* The status that wait4 writes into a page which a living child shares. */
    int hold[2];
    pipe_make(hold);
    long other = program_fork();
    if (other == 0) {
        pipe_await(hold);
        log_contents("a child that lived through it", AREA, PAGES);
        program_exit(0);
    }
    pid = program_fork();
    if (pid == 0)
        program_exit(0x21);
    before = minor_faults();
    must("wait4", sys_wait4(pid, (int *)(AREA + 7 * PAGE), 0, NULL));
    log_faults("wait4 into a shared page", before);
    log_bytes("parent's page 7", AREA + 7 * PAGE, 6);
    must("write to the pipe", sys_write(pipe[1], (uint64_t)text, 16));
    before = minor_faults();
    say("read from a pipe: %s", result_text(sys_read(pipe[0], AREA + PAGE, 16)));
    log_faults("  into a shared page", before);
    pipe_signal(hold);
    log_wait("child", wait_for(other));
    log_bytes("parent's page 1", AREA + PAGE, 18);
    return 0;
}
