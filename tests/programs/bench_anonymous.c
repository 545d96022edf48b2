/*
 * Costs of faults on private anonymous memory: the first write, the first read (zero page), the write after it, at
 * fresh random addresses below page tables that exist; and the first write where a page table is missing, too.
 */
#include "tests/programs/library/bench.h"

#define AREA       0x10000000UL
#define AREA_PAGES 16384UL
#define SPARSE     0x100000000UL
#define STRIDE     512UL /* pages below one page table */

int program(const struct program_start *start)
{
    uint32_t *order = bench_order(AREA_PAGES);
    uint64_t count = 0;
    uint64_t other = 0;
    long before;

    (void)start;
    map_at(AREA, AREA_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < AREA_PAGES; page += STRIDE)
        store8(AREA + page * PAGE, 1);
    must("madvise", sys_madvise(AREA, AREA_PAGES * PAGE, MADV_DONTNEED));

    for (unsigned long round = 0; round < BENCH_ROUNDS; round++) {
        before = minor_faults();
        count += bench_write(AREA, order + round * BENCH_ROUND, BENCH_ROUND);
        bench_check("anonymous_write", before, BENCH_ROUND);
        must("madvise", sys_madvise(AREA, AREA_PAGES * PAGE, MADV_DONTNEED));
    }
    bench_line("anonymous_write", BENCH_EVENTS, count);

    count = 0;
    for (unsigned long round = 0; round < BENCH_ROUNDS; round++) {
        before = minor_faults();
        count += bench_read(AREA, order + round * BENCH_ROUND, BENCH_ROUND);
        bench_check("zero_page_read", before, BENCH_ROUND);
        other += bench_write(AREA, order + round * BENCH_ROUND, BENCH_ROUND);
        must("madvise", sys_madvise(AREA, AREA_PAGES * PAGE, MADV_DONTNEED));
    }
    bench_line("zero_page_read", BENCH_EVENTS, count);
    bench_line("zero_page_then_write", BENCH_EVENTS, other);

    count = 0;
    for (unsigned long round = 0; round < 10; round++) {
        map_at(SPARSE, 1000 * STRIDE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
        before = minor_faults();
        uint64_t first = ticks();
        for (uint64_t page = 0; page < 1000; page++)
            store8(SPARSE + page * STRIDE * PAGE, 1);
        count += ticks() - first;
        bench_check("anonymous_write_new_table", before, 1000);
        must("munmap", sys_munmap(SPARSE, 1000 * STRIDE * PAGE));
    }
    bench_line("anonymous_write_new_table", 10000, count);
    return 0;
}
