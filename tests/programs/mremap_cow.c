/*
 * mremap of pages that a child shares: growing in place, moving to where the kernel likes, to a fixed place, over
 * something else, shrinking, and MREMAP_DONTUNMAP. Contents go along without being copied; write protection, too.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL
#define THIRD 0x30000000UL

static uint64_t remap(const char *what, uint64_t old, unsigned long pages, unsigned long to_pages,
                      int flags, uint64_t to)
{
    long before = minor_faults();
    long result = sys_mremap(old, pages * PAGE, to_pages * PAGE, flags, to);

    say("mremap %s: %s", what, result_hex(result));
    log_faults("  moving", before);
    return (uint64_t)result;
}

/* All that a child does with pages that it shares with its parent. */
static void child(void)
{
    uint64_t at;

    remap("growing in place", AREA, 4, 6, 0, 0);
    log_residency("grown", AREA, 6);
    log_contents("grown", AREA, 4);
    log_write(AREA, 0xc0);
    log_write(AREA + 5 * PAGE, 0xc5);
    log_bytes("grown", AREA + 5 * PAGE, 2);

    must("mmap in the way", (long)map_at(AREA + 6 * PAGE, 1, PROT_READ, MAP_PRIVATE));
    remap("growing against a mapping", AREA, 6, 8, 0, 0);
    at = (uint64_t)sys_mremap(AREA, 6 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
    address_base("moved", at);
    say("mremap that may move: %s", result_hex((long)at));
    log_residency("moved", at, 8);
    log_read(AREA);
    log_write(at, 0xc1);
    log_write(at + PAGE, 0xc2);
    log_write(at + 2 * PAGE, 0xc3);
    log_write(at + 7 * PAGE, 0xc4);
    for (uint64_t page = 0; page < 8; page++)
        log_read(at + page * PAGE);

    remap("to a fixed place", at, 8, 8, MREMAP_MAYMOVE | MREMAP_FIXED, OTHER);
    log_read(at);
    log_bytes("page 3", OTHER + 3 * PAGE, 2);
    log_write(OTHER + 3 * PAGE, 0xc6);
    log_bytes("page 3", OTHER + 3 * PAGE, 2);

    map_at(THIRD, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(THIRD, 8, 0x99);
    remap("over something else, two pages of eight", OTHER + PAGE, 2, 2,
          MREMAP_MAYMOVE | MREMAP_FIXED, THIRD + PAGE);
    log_bytes("before", THIRD, 2);
    log_bytes("the first", THIRD + PAGE, 2);
    log_bytes("the second", THIRD + 2 * PAGE, 2);
    log_bytes("behind", THIRD + 3 * PAGE, 2);
    log_read(OTHER);
    log_read(OTHER + PAGE);
    log_read(OTHER + 3 * PAGE);

    remap("shrinking", THIRD, 8, 2, 0, 0);
    log_read(THIRD + PAGE);
    log_read(THIRD + 2 * PAGE);
    remap("to the same size", THIRD, 2, 2, 0, 0);
    program_exit(0);
}

static void dont_unmap(void)
{
    map_at(OTHER, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(OTHER, 4, 0x77);
    map_at(THIRD, 4, PROT_READ, MAP_PRIVATE); /* the place */
    remap("without unmapping", OTHER, 4, 4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
          THIRD);
    log_residency("the old place", OTHER, 4);
    log_residency("the new place", THIRD, 4);
    log_read(THIRD);
    log_write(THIRD, 0x78);
    log_write(OTHER, 0x79);
    log_read(OTHER + PAGE);
    log_bytes("new", THIRD, 2);
    log_bytes("old", OTHER, 2);
    remap("without unmapping, but growing", OTHER, 4, 5, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    remap("without unmapping, but not moving", OTHER, 4, 4, MREMAP_DONTUNMAP, 0);
}

int program(const struct program_start *start)
{
    long pid;

    (void)start;
    map_at(AREA, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < 4; page++)
        fill(AREA + page * PAGE, 1, (uint8_t)(0x10 + page));
    pid = program_fork();
    if (pid == 0)
        child();
    log_wait("child", wait_for(pid));
    log_contents("parent", AREA, 4);
    log_write(AREA, 0xa0);
    dont_unmap();

    /* What is refused. */
    remap("from within a page", AREA + 1, 1, 1, MREMAP_MAYMOVE, 0);
    remap("of no mapping", 0x50000000, 1, 2, MREMAP_MAYMOVE, 0);
    remap("of more than the mapping", AREA, 5, 6, MREMAP_MAYMOVE, 0);
    remap("to no size", AREA, 4, 0, MREMAP_MAYMOVE, 0);
    remap("onto itself", AREA, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + PAGE);
    remap("fixed, but not moving", AREA, 4, 4, MREMAP_FIXED, THIRD);
    remap("to a place within a page", AREA, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, THIRD + 8);
    remap("to the kernel's half", AREA, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED, 0xffff800000000000);
    remap("with a flag that there is not", AREA, 4, 4, 64, 0);
    remap("of nothing, which duplicates only shared mappings", AREA, 0, 4, MREMAP_MAYMOVE, 0);
    log_contents("after all", AREA + PAGE, 3);

    map_at(0x40000000, 2, PROT_READ | PROT_WRITE, MAP_SHARED);
    fill(0x40000000, 2, 0x55);
    remap("of nothing, a shared mapping", 0x40000000, 0, 2, MREMAP_MAYMOVE | MREMAP_FIXED,
          0x41000000);
    store8(0x41000000, 0x66);
    log_bytes("the first", 0x40000000, 2);
    log_bytes("the second", 0x41000000, 2);
    return 0;
}
