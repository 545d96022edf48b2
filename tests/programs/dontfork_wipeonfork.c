/*
 * MADV_DONTFORK keeps a mapping from a child, MADV_WIPEONFORK hands it down empty; each can be taken back, and only
 * private anonymous memory can be wiped.
 */
#include "tests/programs/library/program.h"

#define AREA   0x10000000UL
#define SHARED 0x20000000UL
#define FILE   0x30000000UL

static void advise(const char *what, uint64_t address, unsigned long pages, int advice)
{
    say("%s: %s", what, result_text(sys_madvise(address, pages * PAGE, advice)));
}

static void look(const char *who)
{
    say("%s:", who);
    for (uint64_t page = 0; page < 8; page++)
        log_read(AREA + page * PAGE);
}

int program(const struct program_start *start)
{
    int file;
    long pid;

    (void)start;
    map_at(AREA, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < 8; page++)
        fill(AREA + page * PAGE, 1, (uint8_t)(0x10 + page));
    advise("don't fork pages 1 and 2", AREA + PAGE, 2, MADV_DONTFORK);
    advise("wipe pages 4 and 5", AREA + 4 * PAGE, 2, MADV_WIPEONFORK);
    advise("both for page 7", AREA + 7 * PAGE, 1, MADV_DONTFORK);
    advise("both for page 7", AREA + 7 * PAGE, 1, MADV_WIPEONFORK);
    log_maps("parent", AREA, AREA + 8 * PAGE);
    pid = program_fork();
    if (pid == 0) {
        log_residency("child's wiped pages", AREA + 4 * PAGE, 2);
        log_write(AREA + 4 * PAGE + 1, 0xc4);
        look("child");
        log_maps("child", AREA, AREA + 8 * PAGE);
        /* The hole can be filled, and the wiping is inherited. */
        map_at(AREA + PAGE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        log_write(AREA + PAGE, 0xc1);
        pid = program_fork();
        if (pid == 0) {
            look("grandchild");
            program_exit(0);
        }
        log_wait("grandchild", wait_for(pid));
        log_read(AREA + 4 * PAGE + 1);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    look("parent");

    advise("do fork all", AREA, 8, MADV_DOFORK);
    advise("keep all on fork", AREA, 8, MADV_KEEPONFORK);
    log_maps("parent", AREA, AREA + 8 * PAGE);
    pid = program_fork();
    if (pid == 0) {
        look("second child");
        program_exit(0);
    }
    log_wait("second child", wait_for(pid));

    map_at(SHARED, 2, PROT_READ | PROT_WRITE, MAP_SHARED);
    advise("wipe shared memory", SHARED, 2, MADV_WIPEONFORK);
    advise("don't fork shared memory", SHARED, 1, MADV_DONTFORK);
    file = (int)must("memfd_create", sys_memfd_create("wipe", 0));
    must("ftruncate", sys_ftruncate(file, PAGE));
    must("mmap",
         sys_mmap(FILE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0));
    advise("wipe a private file mapping", FILE, 1, MADV_WIPEONFORK);
    advise("keep a private file mapping", FILE, 1, MADV_KEEPONFORK);
    advise("don't fork over a hole", SHARED, 4, MADV_DONTFORK);
    advise("wipe where nothing is", 0x50000000, 1, MADV_WIPEONFORK);
    advise("an advice that there is not", AREA, 1, 4711);
    store8(SHARED + PAGE, 0x22);
    pid = program_fork();
    if (pid == 0) {
        log_read(SHARED);
        log_read(SHARED + PAGE);
        program_exit(0);
    }
    log_wait("third child", wait_for(pid));
    return 0;
}
