/*
 * mlock faults pages in, for writing where the mapping may be written; MAP_LOCKED does so for a new mapping. Locks
 * are not inherited: what is locked cannot be dropped by MADV_DONTNEED, but in a child it can.
 */
#include "tests/programs/library/program.h"

#define AREA     0x10000000UL
#define READONLY 0x20000000UL
#define LOCKED   0x30000000UL

static void lock(const char *what, uint64_t address, unsigned long length)
{
    long before = minor_faults();

    say("mlock %s: %s", what, result_text(sys_mlock(address, length)));
    log_faults("  locking", before);
}

static void drop(const char *what, uint64_t address)
{
    say("drop %s: %s", what, result_text(sys_madvise(address, PAGE, MADV_DONTNEED)));
}

int program(const struct program_start *start)
{
    long before;
    long pid;

    (void)start;
    map_at(AREA, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_write(AREA + 2 * PAGE, 0x22);
    lock("four pages, one written before", AREA, 4 * PAGE);
    log_residency("locked", AREA, 8);
    for (uint64_t page = 0; page < 5; page++)
        log_write(AREA + page * PAGE + 1, (uint8_t)page);
    lock("them again", AREA, 4 * PAGE);
    lock("a byte of page 6, and one of page 7", AREA + 7 * PAGE - 1, 2);
    log_residency("locked", AREA, 8);

    drop("a locked page", AREA);
    drop("one that is not", AREA + 4 * PAGE);
    say("munlock: %s", result_text(sys_munlock(AREA, 2 * PAGE)));
    drop("page 0 after munlock", AREA);
    drop("page 2, still locked", AREA + 2 * PAGE);
    log_read(AREA);
    log_read(AREA + 2 * PAGE + 1);
    pid = program_fork();
    if (pid == 0) {
        drop("page 2 in the child", AREA + 2 * PAGE);
        log_read(AREA + 2 * PAGE + 1);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    log_read(AREA + 2 * PAGE + 1);

    map_at(READONLY, 4, PROT_READ, MAP_PRIVATE);
    lock("read-only pages", READONLY, 4 * PAGE);
    log_read(READONLY);
    log_write(READONLY, 1);
    must("mprotect", sys_mprotect(READONLY, 4 * PAGE, PROT_READ | PROT_WRITE));
    log_write(READONLY, 1);

    before = minor_faults();
    map_at(LOCKED, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_LOCKED);
    log_faults("MAP_LOCKED", before);
    log_residency("MAP_LOCKED", LOCKED, 4);
    drop("it", LOCKED);
    log_write(LOCKED, 1);

    must("mprotect", sys_mprotect(LOCKED + PAGE, PAGE, PROT_NONE));
    must("munlock", sys_munlock(LOCKED, 4 * PAGE));
    must("madvise", sys_madvise(LOCKED, 4 * PAGE, MADV_DONTNEED));
    lock("over a page without rights", LOCKED, 4 * PAGE);
    log_residency("by then", LOCKED, 4);
    drop("what is locked all the same", LOCKED);
    must("munmap", sys_munmap(LOCKED + 2 * PAGE, PAGE));
    must("munlock", sys_munlock(LOCKED, PAGE));
    must("madvise", sys_madvise(LOCKED, PAGE, MADV_DONTNEED));
    lock("over a hole", LOCKED, 4 * PAGE);
    log_residency("before the hole", LOCKED, 2);
    log_residency("behind the hole", LOCKED + 3 * PAGE, 1);
    lock("nothing", AREA, 0);
    lock("where nothing is", 0x50000000, PAGE);
    lock("more than all addresses", AREA, ~0UL);
    say("munlock where nothing is: %s", result_text(sys_munlock(0x50000000, PAGE)));
    return 0;
}
