/*
 * Read faults of file mappings that find nothing to map around them: one page is mapped for each. Mappings of one
 * page, holes, and pages whose neighbours are not in the cache.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static long read_all(uint64_t address, unsigned long pages, unsigned long step)
{
    long before = minor_faults();

    for (unsigned long i = 0; i < pages; i += step)
        load8(address + i * PAGE);
    return minor_faults() - before;
}

int program(const struct program_start *start)
{
    int file = file_make("pages", 32, 0x10);
    int hole = file_make_hole("hole", 32);

    (void)start;
    /* One page each, with a gap between them. */
    for (unsigned long i = 0; i < 8; i++)
        file_map(AREA + 2 * i * PAGE, 1, PROT_READ, MAP_PRIVATE, file, i);
    for (unsigned long i = 0; i < 8; i++)
        log_read(AREA + 2 * i * PAGE);
    for (unsigned long i = 0; i < 8; i++)
        must("munmap", sys_munmap(AREA + 2 * i * PAGE, PAGE));

    /* One page each, side by side in reverse order: nothing merges. */
    for (unsigned long i = 0; i < 8; i++)
        file_map(AREA + i * PAGE, 1, PROT_READ, MAP_PRIVATE, file, 7 - i);
    for (unsigned long i = 0; i < 8; i++)
        log_read(AREA + i * PAGE);
    must("munmap", sys_munmap(AREA, 8 * PAGE));

    /* A hole: each read makes a page of the cache. */
    file_map(AREA, 32, PROT_READ, MAP_SHARED, hole, 0);
    log_size("hole", hole);
    say("32 pages of a hole: %ld faults", read_all(AREA, 32, 1));
    log_size("read", hole);
    must("munmap", sys_munmap(AREA, 32 * PAGE));
    file_map(AREA, 32, PROT_READ, MAP_SHARED, hole, 0);
    say("the same pages in a new mapping: %ld faults", read_all(AREA, 32, 1));
    must("munmap", sys_munmap(AREA, 32 * PAGE));

    /* Every second page is in the cache. */
    hole = file_make_hole("sparse", 32);
    for (unsigned long i = 0; i < 32; i += 2)
        file_put(hole, i * PAGE, 1, (uint8_t)i);
    file_map(AREA, 32, PROT_READ, MAP_PRIVATE, hole, 0);
    log_residency("sparse", AREA, 32);
    say("16 cached pages: %ld faults", read_all(AREA, 32, 2));
    say("16 holes between them: %ld faults", read_all(AREA + PAGE, 31, 2));
    log_residency("sparse", AREA, 32);

    /* Dropping the mapping's pages does not drop the cache's. */
    must("madvise", sys_madvise(AREA, 32 * PAGE, MADV_DONTNEED));
    log_residency("MADV_DONTNEED", AREA, 32);
    say("32 pages again: %ld faults", read_all(AREA, 32, 1));
    return 0;
}
