/*
 * getrusage counts minor faults of the process and of children that were waited for; what counts as one.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL

static struct resource_usage usage;

static long count(int who)
{
    must("getrusage", sys_getrusage(who, &usage));
    return usage.minor_faults;
}

int program(const struct program_start *start)
{
    long before;
    long thread;
    long pid;
    struct access access;

    (void)start;
    say("who there is not: %s", result_text(sys_getrusage(5, &usage)));
    say("into no page: %s", result_text(sys_getrusage(RUSAGE_SELF, (struct resource_usage *)8)));
    say("children: %ld", count(RUSAGE_CHILDREN));
    say("swaps %ld", usage.swaps);

    map_at(AREA, 64, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    before = count(RUSAGE_SELF);
    thread = count(RUSAGE_THREAD);
    fill(AREA, 10, 1);
    say("10 pages written: self %ld", count(RUSAGE_SELF) - before);
    say("10 pages written: thread %ld", count(RUSAGE_THREAD) - thread);
    before = count(RUSAGE_SELF);
    fill(AREA, 10, 2);
    say("and again: %ld", count(RUSAGE_SELF) - before);

    /* A write protection that is gone when the page is written again: nothing was faulted. */
    must("mprotect", sys_mprotect(AREA, 10 * PAGE, PROT_READ));
    must("mprotect", sys_mprotect(AREA, 10 * PAGE, PROT_READ | PROT_WRITE));
    before = count(RUSAGE_SELF);
    fill(AREA, 10, 3);
    say("after mprotect there and back: %ld", count(RUSAGE_SELF) - before);

    /* Faults that end in a signal do not count. */
    must("mprotect", sys_mprotect(AREA, 10 * PAGE, PROT_READ));
    access = access_write(AREA, 1);
    say("a refused write: %s, %ld", signal_text(access.signal), access.faults);
    access = access_read(AREA + 64 * PAGE);
    say("a read of no page: %s, %ld", signal_text(access.signal), access.faults);
    must("mprotect", sys_mprotect(AREA, 10 * PAGE, PROT_READ | PROT_WRITE));

    /* The kernel's faults on the program's behalf do. */
    int file = (int)must("memfd_create", sys_memfd_create("usage", 0));
    must("ftruncate", sys_ftruncate(file, 16 * PAGE));
    before = count(RUSAGE_SELF);
    must("pread", sys_pread64(file, AREA + 20 * PAGE, 5 * PAGE, 0));
    say("read() into 5 pages: %ld", count(RUSAGE_SELF) - before);

    /* Children count when they have been waited for, with their own children. */
    pid = program_fork();
    if (pid == 0) {
        before = count(RUSAGE_SELF);
        fill(AREA, 10, 4);
        say("child copies 10 pages: %ld", count(RUSAGE_SELF) - before);
        say("child's children: %ld", count(RUSAGE_CHILDREN));
        long grandchild = program_fork();
        if (grandchild == 0) {
            before = count(RUSAGE_SELF);
            fill(AREA + 10 * PAGE, 10, 5);
            fill(AREA + 30 * PAGE, 30, 5);
            say("grandchild writes 40 pages: %ld", count(RUSAGE_SELF) - before);
            program_exit(0);
        }
        wait_for(grandchild);
        say("child's children, at least 40: %s", count(RUSAGE_CHILDREN) >= 40 ? "yes" : "no");
        program_exit(0);
    }
    wait_for(pid);
    say("children, at least 50: %s", count(RUSAGE_CHILDREN) >= 50 ? "yes" : "no");
    say("no major faults of children: %s", usage.major_faults == 0 ? "yes" : "no");
    before = count(RUSAGE_CHILDREN);
    pid = program_fork();
    if (pid == 0)
        program_exit(0);
    say("not before they are waited for: %ld", count(RUSAGE_CHILDREN) - before);
    wait_for(pid);
    return 0;
}
