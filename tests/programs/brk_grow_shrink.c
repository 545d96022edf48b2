/*
 * brk: the heap begins behind the program, grows and shrinks by bytes while pages follow, comes back zeroed, stops at
 * other mappings and at RLIMIT_DATA. A refusal returns the old end.
 */
#include "tests/programs/library/program.h"

extern const char end[]; /* of .bss: by the linker */

static uint64_t base;

static void move(const char *what, uint64_t to)
{
    long before = minor_faults();

    say("brk %s: %s", what, result_hex(sys_brk(to)));
    log_faults("  moving", before);
}

int program(const struct program_start *start)
{
    struct resource_limit limit;
    struct resource_limit small;

    (void)start;
    base = (uint64_t)sys_brk(0);
    address_base("heap", base);
    say("the heap begins %lu pages behind the program",
        (base - (((uint64_t)end + PAGE - 1) & ~(PAGE - 1))) / PAGE);
    log_read(base);
    move("by 3 pages", base + 3 * PAGE);
    log_residency("grown", base, 3);
    log_write(base, 0x11);
    log_read(base + PAGE);
    log_write(base + 3 * PAGE - 1, 0x33);
    log_write(base + 3 * PAGE, 0x44);
    log_residency("touched", base, 3);

    move("back by one byte", base + 3 * PAGE - 1);
    log_read(base + 3 * PAGE - 1);
    move("back to one byte of page 2", base + 2 * PAGE + 1);
    log_read(base + 3 * PAGE - 1);
    move("back to page 2", base + 2 * PAGE);
    log_read(base + 3 * PAGE - 1);
    log_read(base + 2 * PAGE - 1);
    move("forward by one byte", base + 2 * PAGE + 1);
    log_write(base + 2 * PAGE, 0x55);
    log_read(base + 3 * PAGE - 1);

    move("below the beginning", base - 1);
    move("to 0", 0);
    move("to the end of all addresses", ~0UL);
    move("over the whole user half", 0x7fffffffe000);

    /* Another mapping in the way. */
    map_at(base + 16 * PAGE, 1, PROT_READ, MAP_PRIVATE);
    move("up to a mapping", base + 16 * PAGE);
    move("into a mapping", base + 16 * PAGE + 1);
    log_read(base + 3 * PAGE);
    move("to page 4", base + 4 * PAGE);
    must("munmap", sys_munmap(base + 16 * PAGE, PAGE));
    move("through where it was", base + 20 * PAGE);
    log_write(base + 20 * PAGE - 1, 0x66);

    /* A hole in the heap is not the heap's affair. */
    must("munmap", sys_munmap(base + 8 * PAGE, PAGE));
    move("not at all", 0);
    log_read(base + 8 * PAGE);
    move("by a page, behind the hole", base + 21 * PAGE);
    log_read(base + 20 * PAGE);
    move("to below the hole", base + 4 * PAGE);
    move("forward over it", base + 12 * PAGE);
    log_read(base + 8 * PAGE);

    /* Read-only pages stay read-only; new ones are writable. */
    must("mprotect", sys_mprotect(base, PAGE, PROT_READ));
    log_write(base, 1);
    log_read(base);
    must("mprotect", sys_mprotect(base, PAGE, PROT_READ | PROT_WRITE));
    log_write(base, 1);

    must("prlimit64", sys_prlimit64(0, RLIMIT_DATA, NULL, &limit));
    small = limit;
    small.current = 16 * PAGE; /* the program's own data counts, too */
    must("prlimit64", sys_prlimit64(0, RLIMIT_DATA, &small, NULL));
    move("over RLIMIT_DATA", base + 64 * PAGE);
    move("back within it", base + PAGE);
    must("prlimit64", sys_prlimit64(0, RLIMIT_DATA, &limit, NULL));
    move("without a limit", base + 64 * PAGE);
    log_read(base);
    move("to the beginning", base);
    log_read(base);
    return 0;
}
