/*
 * RLIMIT_STACK bounds growth: an access that would make the mapping larger than the limit is MAPERR, for the kernel
 * EFAULT. The limit counts the whole mapping up to its end, when it grows and at no other time.
 */
#include "tests/programs/library/file.h"

#define TOP  0x20000000UL
#define FROM (TOP - 0x1000000)

static void set_limit(uint64_t current)
{
    const struct resource_limit limit = {current, RLIM_INFINITY};
    static struct resource_limit old;
    long result = sys_prlimit64(0, RLIMIT_STACK, &limit, &old);

    say("limit 0x%lx: %s, was 0x%lx", current, result_text(result), old.current);
}

int program(const struct program_start *start)
{
    static uint64_t alternate[2048];
    const struct signal_stack on = {(uint64_t)alternate, 0, 0, sizeof(alternate)};
    uint64_t stack = start->stack_pointer & ~(PAGE - 1);
    static struct resource_limit limit;
    int ends[2];

    pipe_make(ends);
    must("sigaltstack", sys_sigaltstack(&on, NULL));
    must("prlimit64", sys_prlimit64(0, RLIMIT_STACK, NULL, &limit));
    say("limit: 0x%lx", limit.current);
    map_at(TOP - 2 * PAGE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);

    /* Up to 8 MiB, to the page. */
    log_write(TOP - 0x800000 - 1, 1);
    log_write(TOP - 0x800000 - PAGE, 1);
    log_maps("refused", FROM, TOP);
    log_write(TOP - 0x700000, 1);
    log_write(TOP - 0x800000, 1);
    log_maps("8 MiB", FROM, TOP);
    must("munmap", sys_munmap(TOP - 0x800000, 0x800000 - 2 * PAGE));

    set_limit(16 * PAGE);
    log_write(TOP - 17 * PAGE, 1);
    log_read(TOP - 17 * PAGE);
    log_execute(TOP - 17 * PAGE);
    say("write from page -17: %s", result_text(sys_write(ends[1], TOP - 17 * PAGE, 1)));
    must("write to pipe", sys_write(ends[1], TOP - PAGE, 1));
    say("read to page -17: %s", result_text(sys_read(ends[0], TOP - 17 * PAGE, 1)));
    log_write(TOP - 16 * PAGE, 1);
    log_write(TOP - 17 * PAGE, 1);
    log_maps("16 pages", FROM, TOP);

    /* Larger already than the limit: it stays, usable, and does not grow. */
    set_limit(4 * PAGE);
    log_write(TOP - 10 * PAGE, 2);
    log_write(TOP - 17 * PAGE, 1);
    set_limit(4 * PAGE + 1);
    must("munmap", sys_munmap(TOP - 16 * PAGE, 14 * PAGE));
    log_write(TOP - 5 * PAGE, 1);
    log_write(TOP - 4 * PAGE, 1);
    set_limit(5 * PAGE - 1);
    log_write(TOP - 5 * PAGE, 1);
    set_limit(0);
    log_write(TOP - 5 * PAGE, 1);
    /* Mappings that are made are not asked. */
    say("mmap of 64 pages with MAP_GROWSDOWN: %s",
        result_hex(sys_mmap(TOP - 0x400000, 64 * PAGE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0)));
    log_write(TOP - 0x400000 - PAGE, 1);

    /* The stack itself, whose handlers need the alternate one. */
    address_base("stack-8MiB", stack - 0x800000);
    set_limit(0x100000);
    log_write(stack - 0x100000, 1);
    log_write(stack - 0xe0000, 1);
    log_write(stack - 0x200000, 1);
    set_limit(0x400000);
    log_write(stack - 0x200000, 1);
    set_limit(RLIM_INFINITY);
    log_write(stack - 0x700000, 1);

    return 0;
}
