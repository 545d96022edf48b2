/*
 * mincore: for anonymous memory what is mapped, for files what is in the cache (mapped or not); and its errors.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static void log_mincore(const char *what, uint64_t address, uint64_t length, uint64_t pages)
{
    say("%s: %s", what, result_text(sys_mincore(address, length, (uint8_t *)pages)));
}

int program(const struct program_start *start)
{
    static uint8_t pages[16];
    int file = file_make("pages", 4, 0x10);
    long child;
    long before;

    (void)start;
    must("ftruncate", sys_ftruncate(file, 8 * PAGE));

    /* Private anonymous memory. */
    map_at(AREA, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_residency("private anonymous", AREA, 8);
    store8(AREA + PAGE, 1);
    load8(AREA + 3 * PAGE);
    log_residency("1 written, 3 read", AREA, 8);
    must("mprotect", sys_mprotect(AREA, 8 * PAGE, PROT_NONE));
    log_residency("PROT_NONE", AREA, 8);
    must("mprotect", sys_mprotect(AREA, 8 * PAGE, PROT_READ | PROT_WRITE));
    must("madvise", sys_madvise(AREA, 2 * PAGE, MADV_DONTNEED));
    log_residency("MADV_DONTNEED of 0 and 1", AREA, 8);
    store8(AREA, 1);
    child = program_fork();
    if (child == 0) {
        log_residency("child", AREA, 8);
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    must("munmap", sys_munmap(AREA, 8 * PAGE));

    /* Shared anonymous memory: it is a file without a name. */
    map_at(AREA, 8, PROT_READ | PROT_WRITE, MAP_SHARED);
    log_residency("shared anonymous", AREA, 8);
    store8(AREA + PAGE, 1);
    load8(AREA + 3 * PAGE);
    log_residency("1 written, 3 read", AREA, 8);
    must("madvise", sys_madvise(AREA, 8 * PAGE, MADV_DONTNEED));
    log_residency("MADV_DONTNEED", AREA, 8);
    must("munmap", sys_munmap(AREA, 8 * PAGE));

    /* Files: the cache is what counts. */
    file_map(AREA, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    log_residency("private file, untouched", AREA, 8);
    store8(AREA + 5 * PAGE, 1);
    log_residency("5 written", AREA, 8);
    must("fallocate", sys_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE));
    log_residency("all of the file punched out", AREA, 8);
    must("munmap", sys_munmap(AREA, 8 * PAGE));
    file_map(AREA, 8, PROT_NONE, MAP_SHARED, file, 0);
    file_put(file, 2 * PAGE, 1, 1);
    log_residency("PROT_NONE, shared, 2 written by pwrite64", AREA, 8);
    must("munmap", sys_munmap(AREA, 8 * PAGE));

    /* Errors. Only bit 0 of each byte means something; asking makes no fault and no page. */
    map_at(AREA, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    map_at(AREA + 6 * PAGE, 2, PROT_READ, MAP_PRIVATE);
    before = minor_faults();
    log_mincore("four pages", AREA, 4 * PAGE, (uint64_t)pages);
    log_faults("asking", before);
    log_mincore("three pages and a byte", AREA, 3 * PAGE + 1, (uint64_t)pages);
    log_mincore("length 0", AREA, 0, (uint64_t)pages);
    log_mincore("length 0 where nothing is", AREA + 4 * PAGE, 0, (uint64_t)pages);
    log_mincore("unaligned address", AREA + 8, PAGE, (uint64_t)pages);
    log_mincore("nothing there", AREA + 4 * PAGE, PAGE, (uint64_t)pages);
    for (unsigned i = 0; i < sizeof(pages); i++)
        pages[i] = 0xee;
    log_mincore("a hole in the middle", AREA, 8 * PAGE, (uint64_t)pages);
    log_mincore("kernel address", 0xffff800000000000UL, PAGE, (uint64_t)pages);
    log_mincore("length -1", AREA, ~0UL, (uint64_t)pages);
    log_mincore("length up to the end of user addresses", AREA, 0x7ffffffff000UL - AREA,
                (uint64_t)pages);
    log_mincore("vector at null", AREA, PAGE, 0);
    log_mincore("vector that cannot be written", AREA, PAGE, AREA + 6 * PAGE);
    log_mincore("vector at a kernel address", AREA, PAGE, 0xffff800000000000UL);
    log_mincore("vector whose end is bad", AREA, 4 * PAGE, AREA + 4 * PAGE - 2);
    before = minor_faults();
    log_mincore("vector on an untouched page", AREA, 4 * PAGE, AREA + 2 * PAGE);
    log_faults("asking", before);
    log_bytes("vector", AREA + 2 * PAGE, 4);
    return 0;
}
