/*
 * msync: its errors, and what it does with memory that is not mapped. Contents never change: a shared mapping is the
 * file already.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static void log_msync(const char *what, uint64_t address, uint64_t length, int flags)
{
    say("%s: %s", what, result_text(sys_msync(address, length, flags)));
}

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0x10);

    (void)start;
    file_map(AREA, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    map_at(AREA + 4 * PAGE, 1, PROT_NONE, MAP_PRIVATE);
    map_at(AREA + 6 * PAGE, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_write(AREA, 0x55);

    log_msync("MS_SYNC", AREA, 4 * PAGE, MS_SYNC);
    log_msync("MS_ASYNC", AREA, 4 * PAGE, MS_ASYNC);
    log_msync("MS_INVALIDATE", AREA, 4 * PAGE, MS_INVALIDATE);
    log_msync("MS_SYNC and MS_INVALIDATE", AREA, 4 * PAGE, MS_SYNC | MS_INVALIDATE);
    log_msync("no flags", AREA, 4 * PAGE, 0);
    log_msync("MS_SYNC and MS_ASYNC", AREA, 4 * PAGE, MS_SYNC | MS_ASYNC);
    log_msync("unknown flag", AREA, 4 * PAGE, 8);
    log_msync("unaligned address", AREA + 1, PAGE, MS_SYNC);
    log_msync("length 1", AREA, 1, MS_SYNC);
    log_msync("length 0", AREA, 0, MS_SYNC);
    log_msync("length 0 where nothing is", AREA + 5 * PAGE, 0, MS_SYNC);
    log_msync("PROT_NONE, anonymous", AREA + 4 * PAGE, PAGE, MS_SYNC);
    log_msync("nothing there", AREA + 5 * PAGE, PAGE, MS_SYNC);
    log_msync("a hole in the middle", AREA, 7 * PAGE, MS_SYNC);
    log_msync("a hole in the middle, MS_ASYNC", AREA, 7 * PAGE, MS_ASYNC);
    log_msync("a hole at the end", AREA + 4 * PAGE, 2 * PAGE, MS_SYNC);
    log_msync("length -1", AREA, ~0UL, MS_SYNC);
    log_msync("length up to the end of addresses", AREA, 0UL - AREA, MS_SYNC);
    log_msync("kernel address", 0xffff800000000000UL, PAGE, MS_SYNC);
    log_msync("non-canonical address", 0x800000000000UL, PAGE, MS_ASYNC);
    log_msync("null", 0, PAGE, MS_SYNC);

    /* Locked memory cannot be invalidated. */
    say("mlock of page 1: %s", result_text(sys_mlock(AREA + PAGE, PAGE)));
    log_msync("MS_INVALIDATE of page 0", AREA, PAGE, MS_INVALIDATE);
    log_msync("MS_INVALIDATE of all", AREA, 4 * PAGE, MS_INVALIDATE);
    log_msync("MS_SYNC of all", AREA, 4 * PAGE, MS_SYNC);
    say("munlock of page 1: %s", result_text(sys_munlock(AREA + PAGE, PAGE)));
    log_msync("MS_INVALIDATE of all", AREA, 4 * PAGE, MS_INVALIDATE);

    log_bytes("page 0", AREA, 2);
    log_file("page 0", file, 0, 2);
    log_write(AREA + 1, 0x66);
    return 0;
}
