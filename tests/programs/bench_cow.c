/*
 * Costs of write faults after fork, in random order: the child's, which copy a frame that its parent holds as well, and
 * then the parent's, which is the sole owner by then and keeps the frame.
 */
#include "tests/programs/library/bench.h"

#define AREA   0x10000000UL
#define SHARED 0x20000000UL

int program(const struct program_start *start)
{
    uint32_t *order = bench_order(BENCH_ROUND);
    uint64_t copy = 0;
    uint64_t reuse = 0;
    long before;

    (void)start;
    map_at(SHARED, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
    store64(SHARED, 0);
    map_at(AREA, BENCH_ROUND, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, BENCH_ROUND, 1);
    for (unsigned long round = 0; round < BENCH_ROUNDS; round++) {
        long pid = program_fork();
        if (pid == 0) {
            store64(SHARED, load64(SHARED));
            before = minor_faults();
            copy = bench_write(AREA, order, BENCH_ROUND);
            bench_check("cow_copy", before, BENCH_ROUND);
            store64(SHARED, load64(SHARED) + copy);
            program_exit(0);
        }
        if (wait_for(pid) != 0)
            return 1;
        before = minor_faults();
        reuse += bench_write(AREA, order, BENCH_ROUND);
        bench_check("sole_owner_reuse", before, BENCH_ROUND);
    }
    bench_line("cow_copy", BENCH_EVENTS, load64(SHARED));
    bench_line("sole_owner_reuse", BENCH_EVENTS, reuse);
    return 0;
}
