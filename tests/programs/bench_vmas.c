/*
 * Cost of a fault where the address space has 10 or 100,000 VMAs: the same pages in the same random order, below page
 * tables that exist, written and read; only the number of VMAs around them differs.
 */
#include "tests/programs/library/bench.h"

#define AREA       0x10000000UL
#define AREA_PAGES 200000UL /* in pieces of two pages: 100,000 */
#define FEW        4        /* mappings beside it, so that with the program's own there are 10 */

/* @order has numbers of even pieces, those that stay writable. */
static void measure(const char *name, uint32_t *order, bool write)
{
    uint64_t count = 0;

    for (unsigned long round = 0; round < BENCH_ROUNDS; round++) {
        long before = minor_faults();
        if (write)
            count += bench_write(AREA, order + round * BENCH_ROUND, BENCH_ROUND);
        else
            count += bench_read(AREA, order + round * BENCH_ROUND, BENCH_ROUND);
        bench_check(name, before, BENCH_ROUND);
        must("madvise", sys_madvise(AREA, AREA_PAGES * PAGE, MADV_DONTNEED));
    }
    bench_line(name, BENCH_EVENTS, count);
}

int program(const struct program_start *start)
{
    uint32_t *order = bench_order(AREA_PAGES / 4);

    (void)start;
    for (unsigned long i = 0; i < AREA_PAGES / 4; i++)
        order[i] = order[i] * 4 + (order[i] & 1); /* one page of a piece, the first or the second */
    map_at(AREA, AREA_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    for (uint64_t i = 0; i < FEW; i++)
        map_at(AREA - (2 * i + 2) * PAGE, 1, PROT_READ, MAP_PRIVATE);
    for (uint64_t page = 0; page < AREA_PAGES; page += 512)
        store8(AREA + page * PAGE, 1);
    must("madvise", sys_madvise(AREA, AREA_PAGES * PAGE, MADV_DONTNEED));
    measure("write_10_vmas", order, true);
    measure("read_10_vmas", order, false);

    for (uint64_t page = 2; page < AREA_PAGES; page += 4) {
        long result = sys_mprotect(AREA + page * PAGE, 2 * PAGE, PROT_READ);
        if (result == -ENOMEM)
            program_lacks("100,000 mappings (vm.max_map_count)");
        must("mprotect", result);
    }
    measure("write_100000_vmas_first", order, true);
    measure("write_100000_vmas", order, true);
    measure("read_100000_vmas", order, false);
    return 0;
}
