/*
 * Pipes: bytes in order and in any pieces, end of file when the last writer has gone, -EPIPE and SIGPIPE when the last
 * reader has, blocking while full or empty, inheritance by fork.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL
#define LARGE 300000UL

static volatile int broken;

static void pipe_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    broken++;
    say("%s", signal_text(signal));
}

static uint8_t pattern(unsigned long i)
{
    return (uint8_t)(i * 7 + i / 251);
}

int program(const struct program_start *start)
{
    static char buffer[64];
    int ends[2];
    int more[2];
    struct file_status status;
    unsigned long total = 0;
    unsigned long wrong = 0;
    int wait_status;
    long pid;
    long got;

    (void)start;
    say("pipe: %s", result_text(sys_pipe(ends)));
    say("descriptors %d and %d", ends[0], ends[1]);
    say("write 10: %s", result_text(sys_write(ends[1], (uint64_t) "0123456789", 10)));
    say("write 3: %s", result_text(sys_write(ends[1], (uint64_t) "abc", 3)));
    say("write nothing: %s", result_text(sys_write(ends[1], (uint64_t) "abc", 0)));
    say("read 4: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 4)));
    log_bytes("read", (uint64_t)buffer, 4);
    say("read 60: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 60)));
    log_bytes("read", (uint64_t)buffer, 9);
    say("read nothing: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 0)));

    /* The wrong end, and what only files do. */
    say("write to the reading end: %s", result_text(sys_write(ends[0], (uint64_t)buffer, 1)));
    say("read from the writing end: %s", result_text(sys_read(ends[1], (uint64_t)buffer, 1)));
    say("lseek: %s", result_text(sys_lseek(ends[0], 0, SEEK_SET)));
    say("pread: %s", result_text(sys_pread64(ends[0], (uint64_t)buffer, 1, 0)));
    say("pwrite: %s", result_text(sys_pwrite64(ends[1], (uint64_t)buffer, 1, 0)));
    say("ftruncate: %s", result_text(sys_ftruncate(ends[1], 0)));
    say("mmap: %s", result_hex(sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0)));
    say("fstat: %s", result_text(sys_fstat(ends[0], &status)));
    say("it is a pipe: %s", (status.mode & 0170000) == 0010000 ? "yes" : "no");
    say("size %ld", status.size);

    /* End of file. */
    must("write", sys_write(ends[1], (uint64_t) "xy", 2));
    say("close the writing end: %s", result_text(sys_close(ends[1])));
    say("read 60: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 60)));
    say("read at the end: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 60)));
    say("close the reading end: %s", result_text(sys_close(ends[0])));
    say("close it again: %s", result_text(sys_close(ends[0])));
    say("read from it: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 1)));

    /* No reader. */
    must("pipe", sys_pipe(ends));
    say("the same descriptors again: %d and %d", ends[0], ends[1]);
    sys_close(ends[0]);
    must("rt_sigaction", signal_install(SIGPIPE, pipe_handler, 0, 0));
    say("write without a reader: %s", result_text(sys_write(ends[1], (uint64_t)buffer, 1)));
    must("rt_sigaction", signal_install(SIGPIPE, SIG_IGN, 0, 0));
    say("write without a reader, signal ignored: %s",
        result_text(sys_write(ends[1], (uint64_t)buffer, 1)));
    say("signals: %d", broken);
    must("rt_sigaction", signal_install(SIGPIPE, SIG_DFL, 0, 0));
    pid = program_fork();
    if (pid == 0) {
        sys_write(ends[1], (uint64_t)buffer, 1);
        program_exit(0);
    }
    log_wait("child that writes without a reader", wait_for(pid));
    sys_close(ends[1]);

    /* More than a pipe holds, in pieces of different sizes at the two ends; the writer waits for the reader. */
    map_at(AREA, 74, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    map_at(OTHER, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    must("pipe", sys_pipe(ends));
    pid = program_fork();
    if (pid == 0) {
        sys_close(ends[0]);
        for (unsigned long i = 0; i < LARGE; i++)
            store8(AREA + i, pattern(i));
        say("child writes %lu bytes: %s", LARGE, result_text(sys_write(ends[1], AREA, LARGE)));
        program_exit(0);
    }
    sys_close(ends[1]);
    while ((got = must("read", sys_read(ends[0], OTHER + 13, 4999))) > 0) {
        for (long i = 0; i < got; i++)
            wrong += load8(OTHER + 13 + (uint64_t)i) != pattern(total + (unsigned long)i);
        total += (unsigned long)got;
    }
    wait_status = wait_for(pid);
    log_wait("child", wait_status);
    say("parent has read %lu bytes, %lu of them wrong", total, wrong);
    sys_close(ends[0]);

    /* There and back; the reader waits for the writer. */
    must("pipe", sys_pipe(ends));
    must("pipe", sys_pipe(more));
    pid = program_fork();
    if (pid == 0) {
        uint8_t byte = 0;
        sys_close(ends[1]);
        sys_close(more[0]);
        while (sys_read(ends[0], (uint64_t)&byte, 1) == 1) {
            byte++;
            sys_write(more[1], (uint64_t)&byte, 1);
        }
        say("child is at the end of file");
        program_exit(0);
    }
    sys_close(ends[0]);
    sys_close(more[1]);
    buffer[0] = 0;
    for (unsigned i = 0; i < 200; i++) {
        must("write", sys_write(ends[1], (uint64_t)buffer, 1));
        must("read", sys_read(more[0], (uint64_t)buffer, 1));
    }
    say("after 200 rounds: %u", (unsigned)(uint8_t)buffer[0]);
    sys_close(ends[1]);
    log_wait("child", wait_for(pid));
    say("its end is closed: %s", result_text(sys_read(more[0], (uint64_t)buffer, 1)));

    /* Bad memory: nothing is lost that was not taken. */
    must("pipe", sys_pipe(ends));
    say("write from no page: %s", result_text(sys_write(ends[1], 0x50000000, 4)));
    must("write", sys_write(ends[1], (uint64_t) "pqrs", 4));
    say("read into no page: %s", result_text(sys_read(ends[0], 0x50000000, 4)));
    say("read: %s", result_text(sys_read(ends[0], (uint64_t)buffer, 60)));
    log_bytes("read", (uint64_t)buffer, 4);
    return 0;
}
