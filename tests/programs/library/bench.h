/*
 * What the benches share: time, pages in random order, and the one line that tools read:
 *
 *   NAME EVENTS TICKS
 *
 * TICKS are of the time-stamp counter, over all events, with the loop around them (some 6 instructions an event) and
 * with everything that the kernel does, clearing and copying included. Under QEMU's -icount they are instructions:
 * one tick each at shift=0, 64 at shift=6. Unlike the logs of the other programs, this is not compared.
 */
#pragma once

#include "tests/programs/library/program.h"

/* At most that many pages of memory are used at a time, so that a small machine can run every bench. */
#define BENCH_ROUND  2000
#define BENCH_ROUNDS 6
#define BENCH_EVENTS (BENCH_ROUND * BENCH_ROUNDS)

static inline uint64_t ticks(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void bench_line(const char *name, unsigned long events, uint64_t count)
{
    say("%s %lu %lu", name, events, count);
}

/* A number that looks random; the same in every run. */
static inline uint64_t bench_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* The numbers from 0 to @count - 1 in random order, in memory of their own that has been touched. */
static inline uint32_t *bench_order(unsigned long count)
{
    uint32_t *order =
        (uint32_t *)must("mmap", sys_mmap(0, count * sizeof(*order), PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (unsigned long i = count - 1; i > 0; i--) {
        unsigned long j = bench_random() % (i + 1);
        uint32_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    return order;
}

/* Write to or read from @count pages of @area, in @order; ticks. Inlined into no loop: the cost is the same for all. */
static __attribute__((noinline, unused)) uint64_t bench_write(uint64_t area, const uint32_t *order,
                                                              unsigned long count)
{
    uint64_t before = ticks();

    for (unsigned long i = 0; i < count; i++)
        store8(area + order[i] * PAGE, 1);
    return ticks() - before;
}

static __attribute__((noinline, unused)) uint64_t bench_read(uint64_t area, const uint32_t *order,
                                                             unsigned long count)
{
    uint64_t before = ticks();

    for (unsigned long i = 0; i < count; i++)
        load8(area + order[i] * PAGE);
    return ticks() - before;
}

/* The bench is void unless each event was a fault: @faults since @before. */
static inline void bench_check(const char *name, long before, unsigned long events)
{
    long faults = minor_faults() - before;

    if ((unsigned long)faults != events) {
        say("%s: %ld faults in %lu events", name, faults, events);
        program_exit(1);
    }
}
