/*
 * MAP_POPULATE and MADV_POPULATE_READ and _WRITE touch pages ahead: what they map, what they count as faults, what
 * faults are left, and what they refuse.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 8

static void map_populated(const char *what, int protection, int flags)
{
    long before = minor_faults();

    map_at(AREA, PAGES, protection, flags | MAP_POPULATE);
    log_faults(what, before);
    log_residency(what, AREA, PAGES);
    log_read(AREA);
    if (protection != PROT_READ || flags == MAP_SHARED)
        log_write(AREA, 0x11);
    log_read(AREA + 7 * PAGE);
    must("munmap", sys_munmap(AREA, PAGES * PAGE));
}

static void advise(const char *what, uint64_t address, unsigned long length, int advice)
{
    long before = minor_faults();

    say("%s: %s", what, result_text(sys_madvise(address, length, advice)));
    log_faults(what, before);
}

int program(const struct program_start *start)
{
    (void)start;
    map_populated("populated read-write", PROT_READ | PROT_WRITE, MAP_PRIVATE);
    map_populated("populated read-only", PROT_READ, MAP_PRIVATE);
    map_populated("populated without rights", PROT_NONE, MAP_PRIVATE);
    map_populated("populated shared", PROT_READ | PROT_WRITE, MAP_SHARED);

    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    advise("populate read", AREA, 4 * PAGE, MADV_POPULATE_READ);
    log_residency("first half", AREA, PAGES);
    advise("populate read again", AREA, PAGES * PAGE, MADV_POPULATE_READ);
    log_residency("all", AREA, PAGES);
    log_read(AREA);
    log_read(AREA + 7 * PAGE);

    must("madvise", sys_madvise(AREA, PAGES * PAGE, MADV_DONTNEED));
    log_write(AREA, 0x11);
    advise("populate write", AREA, 4 * PAGE, MADV_POPULATE_WRITE);
    log_residency("first half", AREA, PAGES);
    advise("populate write again", AREA, PAGES * PAGE, MADV_POPULATE_WRITE);
    log_write(AREA + 1, 0x12);
    log_write(AREA + 3 * PAGE, 0x33);
    log_write(AREA + 7 * PAGE, 0x77);
    log_bytes("contents stay", AREA, 2);

    /* What is refused, and how much was done by then. */
    must("mprotect", sys_mprotect(AREA + 2 * PAGE, PAGE, PROT_READ));
    must("madvise", sys_madvise(AREA, PAGES * PAGE, MADV_DONTNEED));
    advise("populate write over a read-only page", AREA, PAGES * PAGE, MADV_POPULATE_WRITE);
    log_residency("by then", AREA, PAGES);
    must("mprotect", sys_mprotect(AREA + 2 * PAGE, PAGE, PROT_NONE));
    must("madvise", sys_madvise(AREA, PAGES * PAGE, MADV_DONTNEED));
    advise("populate read over a page without rights", AREA, PAGES * PAGE, MADV_POPULATE_READ);
    log_residency("by then", AREA, PAGES);
    must("munmap", sys_munmap(AREA + 5 * PAGE, PAGE));
    /* Kernels differ in whether what is behind a hole is populated. */
    advise("populate read into a hole", AREA + 3 * PAGE, 3 * PAGE, MADV_POPULATE_READ);
    log_residency("before the hole", AREA, 5);
    advise("populate at an address within a page", AREA + 1, PAGE, MADV_POPULATE_READ);
    advise("populate nothing", AREA, 0, MADV_POPULATE_READ);
    advise("populate where nothing is", 0x20000000, PAGE, MADV_POPULATE_WRITE);
    advise("populate a part of a page", AREA + 6 * PAGE, 1, MADV_POPULATE_WRITE);
    log_write(AREA + 7 * PAGE - 1, 1);
    return 0;
}
