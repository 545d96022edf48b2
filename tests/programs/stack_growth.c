/*
 * Memory that grows downwards on faults: the stack and MAP_GROWSDOWN mappings. Any access below grows the mapping to
 * its page at once, however far, by program and kernel alike; only the pages that are touched are brought.
 */
#include "tests/programs/library/file.h"

#define TOP  0x20000000UL
#define FROM (TOP - 0x1000000)

int program(const struct program_start *start)
{
    uint64_t stack = start->stack_pointer & ~(PAGE - 1);
    int ends[2];
    long child;

    pipe_make(ends);
    map_at(TOP - 2 * PAGE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
    log_maps("2 pages", FROM, TOP);
    log_write(TOP - 2 * PAGE, 1);
    log_write(TOP - 2 * PAGE - 1, 2);
    log_maps("written just below", FROM, TOP);
    log_write(TOP - 10 * PAGE + 5, 3);
    log_maps("written at page -10", FROM, TOP);
    log_residency("pages -10 to -1", TOP - 10 * PAGE, 10);
    log_read(TOP - 20 * PAGE);
    log_maps("read at page -20", FROM, TOP);
    say("written to a pipe from page -30: %s", result_text(sys_write(ends[1], TOP - 30 * PAGE, 1)));
    log_maps("read by the kernel at page -30", FROM, TOP);
    say("read from the pipe to page -40: %s", result_text(sys_read(ends[0], TOP - 40 * PAGE, 1)));
    log_maps("written by the kernel at page -40", FROM, TOP);
    log_execute(TOP - 50 * PAGE);
    log_maps("executed at page -50", FROM, TOP);
    log_write(TOP - 1024 * PAGE, 4);
    log_maps("written 4 MiB below the top", FROM, TOP);

    /* What looks for mappings does not grow them. */
    say("mlock of page -1026: %s", result_text(sys_mlock(TOP - 1026 * PAGE, PAGE)));
    say("mprotect of page -1026: %s",
        result_text(sys_mprotect(TOP - 1026 * PAGE, PAGE, PROT_READ)));
    say("MADV_POPULATE_WRITE of page -1026: %s",
        result_text(sys_madvise(TOP - 1026 * PAGE, PAGE, MADV_POPULATE_WRITE)));
    log_residency("page -1026", TOP - 1026 * PAGE, 1);
    say("msync of page -1026: %s", result_text(sys_msync(TOP - 1026 * PAGE, PAGE, MS_SYNC)));
    log_maps("none of them", FROM, TOP);

    /* munmap of the lower part; what is left grows again, and there is no memory of what was there. */
    must("munmap", sys_munmap(TOP - 1024 * PAGE, 1020 * PAGE));
    log_maps("4 pages are left", FROM, TOP);
    log_read(TOP - 10 * PAGE + 5);
    log_maps("read at page -10", FROM, TOP);
    /* A hole within: the part above it grows into it, and the part below grows downwards. */
    must("munmap", sys_munmap(TOP - 8 * PAGE, 4 * PAGE));
    log_maps("hole from -8 to -5", FROM, TOP);
    log_write(TOP - 5 * PAGE, 5);
    log_maps("written at page -5", FROM, TOP);
    log_write(TOP - 8 * PAGE, 6);
    log_maps("written at page -8", FROM, TOP);

    /* A child grows its own. */
    child = program_fork();
    if (child == 0) {
        log_write(TOP - 100 * PAGE, 7);
        log_maps("child", FROM, TOP);
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    log_maps("parent", FROM, TOP);

    /* mprotect with PROT_GROWSDOWN goes down to the mapping's beginning. */
    say("mprotect of page -2 with PROT_GROWSDOWN: %s",
        result_text(sys_mprotect(TOP - 2 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN)));
    log_maps("read-only", FROM, TOP);
    map_at(TOP + 16 * PAGE, 1, PROT_READ, MAP_PRIVATE);
    say("the same where nothing grows: %s",
        result_text(sys_mprotect(TOP + 16 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN)));
    say("PROT_GROWSUP: %s", result_text(sys_mprotect(TOP - PAGE, PAGE, PROT_READ | PROT_GROWSUP)));
    say("both: %s",
        result_text(sys_mprotect(TOP - PAGE, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP)));

    /* Mappings that do not grow, and what MAP_GROWSDOWN is not for. */
    log_write(TOP + 16 * PAGE - 1, 1);
    say("shared MAP_GROWSDOWN: %s",
        result_hex(sys_mmap(TOP + 32 * PAGE, PAGE, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0)));
    log_write(TOP + 32 * PAGE - 1, 1);

    /* The stack itself: 1 MiB and 4 MiB below the stack pointer at once, then deep calls. */
    address_base("stack-4MiB", stack - 0x400000);
    log_write(stack - 0x100000, 1);
    log_write(stack - 0x400000, 2);
    log_read(stack - 0x300000);
    return 0;
}
