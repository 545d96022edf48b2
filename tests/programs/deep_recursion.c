/*
 * Recursion down to the stack's limit: each new page takes one fault and all that is written is there on the way back; the
 * first page beyond kills, or is SIGSEGV for a handler on an alternate stack.
 */
#include "tests/programs/library/program.h"

#define LIMIT 0x800000UL

static uint64_t lowest = ~0UL;

/* About 1 KiB a level. Returns a sum of what the levels below kept on the stack. */
static uint64_t __attribute__((noinline)) descend(uint64_t depth, uint64_t bottom)
{
    volatile uint64_t kept[128];
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    uint64_t sum = 0;

    for (unsigned i = 0; i < 128; i++)
        kept[i] = depth * 1000 + i;
    if (here < lowest)
        lowest = here;
    if (depth < bottom)
        sum = descend(depth + 1, bottom);
    for (unsigned i = 0; i < 128; i++)
        sum += kept[i] ^ i;
    return sum;
}

static uint64_t descend_run(uint64_t bottom, uint64_t unused)
{
    (void)unused;
    return descend(0, bottom);
}

int program(const struct program_start *start)
{
    static uint64_t alternate[2048];
    const struct signal_stack stack = {(uint64_t)alternate, 0, 0, sizeof(alternate)};
    uint64_t top =
        (start->stack_pointer + PAGE - 1) & ~(PAGE - 1); /* all arguments are on the first page */
    uint64_t page = ~(PAGE - 1);
    struct access access;
    uint64_t sum;
    long before;
    long child;

    for (uint64_t bottom = 100; bottom <= 6400; bottom *= 4) {
        uint64_t depth;

        before = minor_faults();
        sum = descend(0, bottom);
        depth = top - (lowest & page);
        say("%lu levels: sum 0x%lx, more than %lu KiB deep: %s", bottom, sum, bottom,
            depth > bottom * 1024 ? "yes" : "no");
        log_faults("  first time", before);
        before = minor_faults();
        say("  again: sum 0x%lx", descend(0, bottom));
        log_faults("  again", before);
    }

    /* What a child has of it is its own. */
    child = program_fork();
    if (child == 0) {
        sum = descend(0, 1600);
        say("child: sum 0x%lx", sum);
        program_exit(0);
    }
    log_wait("child", wait_for(child));

    say("without an end, without a handler");
    child = program_fork();
    if (child == 0) {
        descend(0, ~0UL);
        program_exit(0);
    }
    log_wait("child", wait_for(child));

    say("without an end, with a handler on an alternate stack");
    must("sigaltstack", sys_sigaltstack(&stack, NULL));
    access = access_run(descend_run, ~0UL, 0);
    say("%s %s, err 0x%lx, si_addr is cr2: %s", signal_text(access.signal),
        code_text(access.signal, access.code), access.error,
        access.address == access.cr2 ? "yes" : "no");
    say("the page is the first beyond the limit: %s",
        (access.address & page) == top - LIMIT - PAGE ? "yes" : "no");
    say("afterwards: sum 0x%lx", descend(0, 100));
    return 0;
}
