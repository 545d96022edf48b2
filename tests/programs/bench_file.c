/*
 * Costs of faults on mappings of a memfd, in random order: shared writes to pages that the page cache has and to holes,
 * private writes, and reads, each of which maps the 16 pages around it.
 */
#include "tests/programs/library/bench.h"

#define AREA  0x10000000UL
#define BYTES (BENCH_ROUND * PAGE)

static void map_file(int file, int flags)
{
    must("mmap", sys_mmap(AREA, BYTES, PROT_READ | PROT_WRITE, flags | MAP_FIXED, file, 0));
    for (uint64_t page = 0; page < BENCH_ROUND; page += 512)
        load8(AREA + page * PAGE); /* the page tables */
    must("madvise", sys_madvise(AREA, BYTES, MADV_DONTNEED));
}

static void measure(const char *name, const uint32_t *order)
{
    uint64_t count = 0;

    for (unsigned long round = 0; round < BENCH_ROUNDS; round++) {
        long before = minor_faults();
        count += bench_write(AREA, order, BENCH_ROUND);
        bench_check(name, before, BENCH_ROUND);
        must("madvise", sys_madvise(AREA, BYTES, MADV_DONTNEED));
    }
    bench_line(name, BENCH_EVENTS, count);
}

int program(const struct program_start *start)
{
    int file = (int)must("memfd_create", sys_memfd_create("bench", 0));
    uint32_t *order = bench_order(BENCH_ROUND);
    uint32_t windows[BENCH_ROUND / 16];
    uint64_t count = 0;
    unsigned long used = 0;

    (void)start;
    must("ftruncate", sys_ftruncate(file, BYTES));
    map_at(AREA, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, 1, 1);
    for (uint64_t page = 0; page < BENCH_ROUND; page++)
        must("pwrite", sys_pwrite64(file, AREA, PAGE, page * PAGE));

    map_file(file, MAP_SHARED);
    measure("shared_file_write_cached", order);
    map_file(file, MAP_PRIVATE);
    measure("private_file_write", order);

    /* One read in each aligned group of 16. */
    map_file(file, MAP_SHARED);
    for (unsigned long i = 0; i < BENCH_ROUND; i++) {
        if (order[i] % 16 == 0 && order[i] < BENCH_ROUND / 16 * 16)
            windows[used++] = order[i];
    }
    unsigned long events = 0;
    while (events < 10000) {
        long before = minor_faults();
        count += bench_read(AREA, windows, used);
        bench_check("file_read_16_pages", before, used);
        must("madvise", sys_madvise(AREA, BYTES, MADV_DONTNEED));
        events += used;
    }
    bench_line("file_read_16_pages", events, count);

    count = 0;
    for (unsigned long round = 0; round < BENCH_ROUNDS; round++) {
        must("ftruncate", sys_ftruncate(file, 0));
        must("ftruncate", sys_ftruncate(file, BYTES));
        long before = minor_faults();
        count += bench_write(AREA, order, BENCH_ROUND);
        bench_check("shared_file_write_hole", before, BENCH_ROUND);
    }
    bench_line("shared_file_write_hole", BENCH_EVENTS, count);
    return 0;
}
