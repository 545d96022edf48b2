/*
 * Costs of faults that end in a signal: from the faulting instruction through the handler and rt_sigreturn back to the
 * next instruction, at random addresses where nothing is mapped (SIGSEGV) and beyond a file's end (SIGBUS).
 */
#include "tests/programs/library/bench.h"

#define AREA   0x10000000UL
#define EVENTS 10000

static volatile unsigned long signals;

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)signal;
    (void)info;
    signals++;
    context->registers[REG_RIP] += 3; /* the length of movb $1, (%rdi) */
}

static void store_3_bytes_long(uint64_t address)
{
    __asm__ volatile("movb $1, (%0)" : : "D"(address) : "memory");
}

static void measure(const char *name, const uint32_t *order)
{
    uint64_t before = ticks();

    signals = 0;
    for (unsigned long i = 0; i < EVENTS; i++)
        store_3_bytes_long(AREA + order[i] * PAGE);
    uint64_t count = ticks() - before;
    if (signals != EVENTS) {
        say("%s: %lu signals", name, signals);
        program_exit(1);
    }
    bench_line(name, EVENTS, count);
}

int program(const struct program_start *start)
{
    uint32_t *order = bench_order(EVENTS);
    int file = (int)must("memfd_create", sys_memfd_create("bench", 0));

    (void)start;
    must("rt_sigaction", signal_install(SIGSEGV, handler, 0, 0));
    must("rt_sigaction", signal_install(SIGBUS, handler, 0, 0));
    measure("sigsegv_round_trip", order);
    must("mmap",
         sys_mmap(AREA, EVENTS * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0));
    measure("sigbus_round_trip", order);
    return 0;
}
