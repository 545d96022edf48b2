/*
 * Holes of a memfd: which accesses make a page of the cache. Reading by pread64 does not, every access through a
 * mapping does - a private write even leaves a page behind that it does not use.
 */
#include "tests/programs/library/file.h"

#define SHARED  0x10000000UL
#define PRIVATE 0x20000000UL

int program(const struct program_start *start)
{
    int file = file_make_hole("hole", 16);
    long before;

    (void)start;
    file_map(SHARED, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    file_map(PRIVATE, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    log_size("hole", file);
    log_residency("shared", SHARED, 16);

    log_file("pread64 of page 0", file, 0, 4);
    log_size("pread64", file);

    log_read(PRIVATE + 1 * PAGE);
    log_size("private read of page 1", file);
    log_write(PRIVATE + 2 * PAGE, 0x22);
    log_size("private write of page 2", file);
    log_read(SHARED + 3 * PAGE);
    log_size("shared read of page 3", file);
    log_write(SHARED + 4 * PAGE, 0x44);
    log_size("shared write of page 4", file);
    file_put(file, 5 * PAGE + 10, 1, 0x55);
    log_size("pwrite64 of one byte of page 5", file);
    before = minor_faults();
    must("pwrite64", sys_pwrite64(file, PRIVATE + 6 * PAGE, 8, 7 * PAGE));
    log_faults("pwrite64 from page 6's private mapping to page 7", before);
    log_size("pwrite64", file);
    log_residency("shared", SHARED, 16);
    log_residency("private", PRIVATE, 16);

    /* The pages that the faults made are the file's, zeroed, and not the private copies. */
    log_contents("shared 0 to 7", SHARED, 8);
    log_size("all 8 read", file);
    log_read(PRIVATE + 2 * PAGE);
    log_write(SHARED + 1 * PAGE, 0x11);
    log_read(PRIVATE + 1 * PAGE);
    log_write(SHARED + 2 * PAGE + 1, 0x99);
    log_bytes("private page 2", PRIVATE + 2 * PAGE, 2);

    say("lseek for a hole from 0: %s", result_text(sys_lseek(file, 0, SEEK_HOLE)));
    say("lseek for data from 9 pages on: %s", result_text(sys_lseek(file, 9 * PAGE, SEEK_DATA)));

    /* Populating. */
    say("MADV_POPULATE_READ of shared 8 to 9: %s",
        result_text(sys_madvise(SHARED + 8 * PAGE, 2 * PAGE, MADV_POPULATE_READ)));
    log_size("MADV_POPULATE_READ", file);
    say("MADV_POPULATE_WRITE of private 10 to 11: %s",
        result_text(sys_madvise(PRIVATE + 10 * PAGE, 2 * PAGE, MADV_POPULATE_WRITE)));
    log_size("MADV_POPULATE_WRITE", file);
    say("fallocate of pages 12 and 13: %s",
        result_text(sys_fallocate(file, 0, 12 * PAGE, 2 * PAGE)));
    log_size("fallocate", file);
    log_residency("shared", SHARED, 16);
    log_read(PRIVATE + 12 * PAGE);
    return 0;
}
