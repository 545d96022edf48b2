/*
 * Costs of system calls: one that does nothing, one that moves 64 bytes, mprotect there and back, and those that meet
 * a bad pointer (-EFAULT) at random addresses.
 */
#include "tests/programs/library/bench.h"

#define AREA   0x10000000UL
#define EVENTS 10000

static void efault(const char *name, int file, const uint32_t *order)
{
    unsigned long refused = 0;
    uint64_t before = ticks();

    for (unsigned long i = 0; i < EVENTS; i++)
        refused += sys_write(file, AREA + order[i] * PAGE, 64) == -EFAULT;
    uint64_t count = ticks() - before;
    if (refused != EVENTS) {
        say("%s: %lu refused", name, refused);
        program_exit(1);
    }
    bench_line(name, EVENTS, count);
}

static void mprotect(const char *name, uint64_t address, unsigned long pages)
{
    uint64_t before = ticks();

    for (unsigned long i = 0; i < EVENTS / 2; i++) {
        sys_mprotect(address, pages * PAGE, PROT_READ);
        sys_mprotect(address, pages * PAGE, PROT_READ | PROT_WRITE);
    }
    bench_line(name, EVENTS, ticks() - before);
}

int program(const struct program_start *start)
{
    static char buffer[64];
    uint32_t *order = bench_order(EVENTS);
    int file = (int)must("memfd_create", sys_memfd_create("bench", 0));
    int ends[2];
    uint64_t before;

    (void)start;
    pipe_make(ends);
    before = ticks();
    for (unsigned long i = 0; i < EVENTS; i++)
        sys_getpid();
    bench_line("null_system_call", EVENTS, ticks() - before);

    must("write", sys_write(file, (uint64_t)buffer, sizeof(buffer)));
    before = ticks();
    for (unsigned long i = 0; i < EVENTS; i++)
        sys_pread64(file, (uint64_t)buffer, sizeof(buffer), 0);
    bench_line("pread_64_bytes", EVENTS, ticks() - before);

    efault("efault_write_memfd", file, order);
    efault("efault_write_pipe", ends[1], order);

    map_at(AREA, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, 3, 1);
    mprotect("mprotect_whole_vma", AREA, 3);
    mprotect("mprotect_split_and_merge", AREA + PAGE, 1);
    return 0;
}
