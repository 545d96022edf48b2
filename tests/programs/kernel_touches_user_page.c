/*
 * System calls read and write user pages that nobody has touched: the kernel takes the fault as the program would.
 * What the program may not do, the kernel may not do for it: -EFAULT, and no signal.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL
#define TEXT 0x20000000UL

static int file;

static void take(const char *what, uint64_t to, unsigned long count)
{
    long before = minor_faults();

    say("pread %s: %s", what, result_text(sys_pread64(file, to, count, 0)));
    log_faults("  reading", before);
}

static void give(const char *what, uint64_t from, unsigned long count, uint64_t offset)
{
    long before = minor_faults();

    say("pwrite %s: %s", what, result_text(sys_pwrite64(file, from, count, offset)));
    log_faults("  writing", before);
}

int program(const struct program_start *start)
{
    long before;

    (void)start;
    map_at(TEXT, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(TEXT, 4, 0x61);
    file = (int)must("memfd_create", sys_memfd_create("kernel", 0));
    give("of four pages that are there", TEXT, 4 * PAGE, 0);

    map_at(AREA, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    take("into an untouched page", AREA, 16);
    log_bytes("read", AREA, 18);
    take("into it again", AREA, 16);
    take("across two untouched pages", AREA + 3 * PAGE - 8, 16);
    log_bytes("read", AREA + 3 * PAGE - 10, 20);
    take("into four untouched pages", AREA + 4 * PAGE, 4 * PAGE);
    log_contents("read", AREA + 4 * PAGE, 4);
    log_residency("after reading", AREA, 16);

    give("of an untouched page", AREA + 8 * PAGE, PAGE, 0);
    give("of the same page", AREA + 8 * PAGE, PAGE, PAGE);
    log_residency("after writing", AREA, 16);
    log_read(AREA + 8 * PAGE);
    take("of what was written", AREA + 9 * PAGE, 16);
    log_bytes("read", AREA + 9 * PAGE, 4);

    before = minor_faults();
    say("getrusage: %s",
        result_text(sys_getrusage(RUSAGE_SELF, (struct resource_usage *)(AREA + 10 * PAGE))));
    log_faults("getrusage into an untouched page", before);
    before = minor_faults();
    say("uname: %s", result_text(sys_uname((struct system_name *)(AREA + 12 * PAGE - 100))));
    log_faults("uname across two untouched pages", before);
    log_bytes("name of the system", AREA + 12 * PAGE - 100, 6);
    before = minor_faults();
    say("mincore: %s", result_text(sys_mincore(AREA, 16 * PAGE, (uint8_t *)(AREA + 13 * PAGE))));
    log_faults("mincore into an untouched page", before);
    log_bytes("mincore", AREA + 13 * PAGE, 16);
    before = minor_faults();
    say("memfd_create with its name in an untouched page: %s",
        sys_memfd_create((const char *)(AREA + 14 * PAGE), 0) >= 0 ? "done" : "refused");
    log_faults("memfd_create", before);

    /* What may not be. */
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_READ));
    take("into a read-only page", AREA, 16);
    give("of a read-only page", AREA, 16, 0);
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_NONE));
    take("into a page without rights", AREA, 16);
    give("of a page without rights", AREA, 16, 0);
    must("munmap", sys_munmap(AREA, PAGE));
    take("into no page", AREA, 16);
    give("of no page", AREA, 16, 0);
    take("into the kernel's half", 0xffff888000000000, 16);
    give("of the kernel's half", 0xffffffff81000000, 16, 0);
    take("into the lowest page", 8, 16);
    say("getrusage into no page: %s",
        result_text(sys_getrusage(RUSAGE_SELF, (struct resource_usage *)AREA)));
    say("uname into no page: %s", result_text(sys_uname((struct system_name *)AREA)));
    say("memfd_create with its name in no page: %s",
        result_text(sys_memfd_create((const char *)AREA, 0)));
    say("pipe into no page: %s", result_text(sys_pipe((int *)AREA)));
    say("sigaltstack from no page: %s",
        result_text(sys_sigaltstack((const struct signal_stack *)AREA, NULL)));
    say("rt_sigprocmask from no page: %s",
        result_text(sys_rt_sigprocmask(SIG_BLOCK, (const uint64_t *)AREA, NULL)));
    say("fstat into no page: %s", result_text(sys_fstat(file, (struct file_status *)AREA)));
    return 0;
}
