/*
 * A shared, writable mapping of a memfd: reads map pages writable at once, so 40 pages read take 3 faults and
 * writing them afterwards takes none; written first each page takes its own fault. All of it is the file.
 */
#include "tests/programs/library/file.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL

int program(const struct program_start *start)
{
    int file = file_make("pages", 40, 0x10);
    long before;

    (void)start;
    file_map(AREA, 40, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        load8(AREA + i * PAGE);
    log_faults("40 pages read", before);
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        store8(AREA + i * PAGE, (uint8_t)(0x80 + i));
    log_faults("the same pages written", before);
    log_file("file, page 0", file, 0, 2);
    log_file("file, page 39", file, 39 * PAGE, 2);

    must("madvise", sys_madvise(AREA, 40 * PAGE, MADV_DONTNEED));
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        store8(AREA + i * PAGE + 1, (uint8_t)(0x40 + i));
    log_faults("40 pages written first", before);
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        load8(AREA + i * PAGE);
    log_faults("the same pages read", before);
    log_bytes("page 0", AREA, 3);
    log_file("file, page 0", file, 0, 3);

    /* Mapped readable alone, then made writable. */
    file_map(OTHER, 40, PROT_READ, MAP_SHARED, file, 0);
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        load8(OTHER + i * PAGE);
    log_faults("40 pages read in a read-only mapping", before);
    log_write(OTHER, 1);
    must("mprotect", sys_mprotect(OTHER, 40 * PAGE, PROT_READ | PROT_WRITE));
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        store8(OTHER + i * PAGE + 2, (uint8_t)(0x20 + i));
    log_faults("written after mprotect", before);
    log_bytes("page 0, first mapping", AREA, 4);
    log_bytes("page 39, first mapping", AREA + 39 * PAGE, 4);

    /* Read-only again and back: does a written page fault? */
    must("mprotect", sys_mprotect(OTHER, 40 * PAGE, PROT_READ));
    must("mprotect", sys_mprotect(OTHER, 40 * PAGE, PROT_READ | PROT_WRITE));
    before = minor_faults();
    for (unsigned long i = 0; i < 40; i++)
        store8(OTHER + i * PAGE + 3, (uint8_t)i);
    log_faults("written after mprotect to read-only and back", before);
    log_size("file", file);
    return 0;
}
