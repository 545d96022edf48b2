/*
 * Pages that lie wholly behind the end of the file: SIGBUS BUS_ADRERR for the program, EFAULT without a signal for
 * the kernel, and none of it when the file has grown. Private copies cannot be made there either.
 */
#include "tests/programs/library/file.h"

#define SHARED  0x10000000UL
#define PRIVATE 0x20000000UL

static int other;

static void log_kernel(const char *what, const int ends[2], uint64_t address)
{
    static uint8_t byte = 7;

    say("%s: write from it %s, pread64 into it %s", what,
        result_text(sys_write(ends[1], address, 1)),
        result_text(sys_pread64(other, address, 1, 0)));
    must("write to pipe", sys_write(ends[1], (uint64_t)&byte, 1));
    say("%s: read from a pipe %s", what, result_text(sys_read(ends[0], address, 1)));
    pipe_await(ends);
}

int program(const struct program_start *start)
{
    int file = file_make("file", 1, 0x10);
    int ends[2];

    (void)start;
    other = file_make("other", 1, 0x50);
    pipe_make(ends);
    must("ftruncate", sys_ftruncate(file, PAGE + 0x800));
    file_map(SHARED, 6, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, file, 0);
    file_map(PRIVATE, 6, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, file, 0);

    log_read(SHARED + PAGE + 0x7ff);
    log_read(SHARED + PAGE + 0x800);
    log_read(SHARED + 2 * PAGE - 1);
    log_read(SHARED + 2 * PAGE);
    log_read(SHARED + 3 * PAGE + 0x123);
    log_write(SHARED + 2 * PAGE, 1);
    log_execute(SHARED + 2 * PAGE);
    log_read(PRIVATE + 2 * PAGE);
    log_write(PRIVATE + 2 * PAGE + 5, 1);
    log_execute(PRIVATE + 2 * PAGE + 9);
    log_kernel("shared", ends, SHARED + 2 * PAGE);
    log_kernel("private", ends, PRIVATE + 2 * PAGE);
    log_size("file", file);

    log_residency("shared", SHARED, 6);
    say("MADV_POPULATE_READ: %s", result_text(sys_madvise(SHARED, 3 * PAGE, MADV_POPULATE_READ)));
    say("MADV_POPULATE_WRITE: %s",
        result_text(sys_madvise(PRIVATE, 3 * PAGE, MADV_POPULATE_WRITE)));
    say("MADV_WILLNEED: %s", result_text(sys_madvise(SHARED, 3 * PAGE, MADV_WILLNEED)));
    say("mlock: %s", result_text(sys_mlock(SHARED, 3 * PAGE)));
    say("munlock: %s", result_text(sys_munlock(SHARED, 3 * PAGE)));
    say("msync: %s", result_text(sys_msync(SHARED, 3 * PAGE, MS_SYNC)));
    say("mmap with MAP_POPULATE: %s",
        result_hex(sys_mmap(0x30000000, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE | MAP_FIXED,
                            file, 0)));

    must("ftruncate", sys_ftruncate(file, 2 * PAGE + 1));
    log_read(SHARED + 2 * PAGE + 8);
    log_write(PRIVATE + 2 * PAGE, 3);
    log_read(SHARED + 3 * PAGE);
    file_put(file, 5 * PAGE, 1, 0x77);
    log_read(SHARED + 5 * PAGE);
    log_read(PRIVATE + 3 * PAGE);
    log_size("file", file);

    /* A mapping that begins behind the end. */
    file_map(0x40000000, 2, PROT_READ, MAP_PRIVATE, file, 100);
    log_read(0x40000000);
    must("ftruncate", sys_ftruncate(file, 101 * PAGE));
    log_read(0x40000000);
    log_read(0x40000000 + PAGE);
    return 0;
}
