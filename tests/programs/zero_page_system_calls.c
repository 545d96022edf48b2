/*
 * Pages that show the zero page, where a system call rather than the program is the next to write: it gets a frame
 * first, as the program would; or to move or populate or lock them.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL
#define PAGES 8

static void count(const char *what, long before, long result)
{
    say("%s: %s", what, result_text(result));
    log_faults("  it took", before);
}

int program(const struct program_start *start)
{
    static const char text[] = "0123456789abcdef";
    int file = (int)must("memfd_create", sys_memfd_create("zero", 0));
    long before;

    (void)start;
    need_zero_page();
    must("write", sys_write(file, (uint64_t)text, 16));
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_contents("all", AREA, PAGES);

    before = minor_faults();
    count("pread into a page", before, sys_pread64(file, AREA + 8, 16, 0));
    log_bytes("read", AREA + 6, 6);
    log_write(AREA, 1);
    before = minor_faults();
    count("pwrite of a page", before, sys_pwrite64(file, AREA + PAGE, PAGE, 0));
    log_write(AREA + PAGE, 1);
    before = minor_faults();
    count("mlock of a page", before, sys_mlock(AREA + 2 * PAGE, PAGE));
    log_write(AREA + 2 * PAGE, 1);
    before = minor_faults();
    count("populating a page for reading", before,
          sys_madvise(AREA + 3 * PAGE, PAGE, MADV_POPULATE_READ));
    log_write(AREA + 3 * PAGE, 1);
    before = minor_faults();
    count("populating a page for writing", before,
          sys_madvise(AREA + 4 * PAGE, PAGE, MADV_POPULATE_WRITE));
    log_write(AREA + 4 * PAGE, 1);
    before = minor_faults();
    count("moving two pages", before,
          sys_mremap(AREA + 5 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, OTHER) ==
              (long)OTHER);
    log_residency("moved", OTHER, 2);
    log_read(OTHER);
    log_write(OTHER, 1);
    log_read(OTHER + PAGE);
    log_write(OTHER + PAGE, 1);

    /* A whole mapping that shows nothing else: read-only memory, made writable. */
    map_at(AREA + PAGES * PAGE, 2, PROT_READ, MAP_PRIVATE | MAP_POPULATE);
    must("mprotect", sys_mprotect(AREA + PAGES * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
    log_write(AREA + PAGES * PAGE, 1);
    log_write(AREA + PAGES * PAGE + PAGE, 1);
    return 0;
}
