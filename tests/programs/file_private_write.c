/*
 * Writes to a private file mapping go to copies: written first (copied from the cache in one fault) or read first
 * (mapped read-only, copied by the write fault). File and other mappings never see them.
 */
#include "tests/programs/library/file.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL

int program(const struct program_start *start)
{
    int file = file_make("pages", 8, 0x10);
    long before;

    (void)start;
    file_map(AREA, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    file_map(OTHER, 8, PROT_READ, MAP_SHARED, file, 0);
    log_size("file", file);

    /* Written first. */
    log_write(AREA + 100, 0xa0);
    log_read(AREA + 100);
    log_read(AREA + 101);
    log_bytes("around the written byte", AREA + 98, 5);
    log_read(OTHER + 100);
    log_file("file", file, 98, 5);

    /* Read first: fault-around maps the rest, then a write copies its page alone. */
    log_read(AREA + PAGE);
    log_read(AREA + 2 * PAGE);
    log_write(AREA + PAGE, 0xa1);
    log_write(AREA + 2 * PAGE + 7, 0xa2);
    log_write(AREA + 2 * PAGE + 8, 0xa3);
    log_read(AREA + 3 * PAGE);
    log_contents("private", AREA, 8);
    log_contents("shared", OTHER, 8);

    /* Dropping the copies brings the file back. */
    must("madvise", sys_madvise(AREA, 4 * PAGE, MADV_DONTNEED));
    log_read(AREA + 100);
    log_read(AREA + 2 * PAGE + 7);
    log_contents("after MADV_DONTNEED", AREA, 8);

    /* A write to one page of a private mapping that no one has read, with its neighbours read by the kernel. */
    before = minor_faults();
    must("pwrite64", sys_pwrite64(file, AREA + 6 * PAGE, PAGE, 5 * PAGE));
    log_faults("pwrite64 from page 6 to page 5", before);
    log_contents("private", AREA, 8);
    log_write(AREA + 5 * PAGE, 0xa5);
    log_read(OTHER + 5 * PAGE);

    /* PROT_WRITE is not asked of the file: one opened for reading alone would do; a private copy can be made
     * read-only and keeps its contents. */
    must("mprotect", sys_mprotect(AREA, 8 * PAGE, PROT_READ));
    log_write(AREA + 5 * PAGE, 0xa6);
    log_read(AREA + 5 * PAGE);
    must("mprotect", sys_mprotect(AREA, 8 * PAGE, PROT_READ | PROT_WRITE));
    log_write(AREA + 5 * PAGE, 0xa7);
    log_size("file", file);
    must("munmap", sys_munmap(AREA, 8 * PAGE));
    log_contents("shared", OTHER, 8);
    return 0;
}
