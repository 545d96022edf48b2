/*
 * Shared anonymous memory is the same frames in parent and child, in both directions, also where the first touch
 * comes after the fork; it survives the end of either, and mprotect and munmap in one are not seen by the other.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 8

int program(const struct program_start *start)
{
    int to_child[2];
    int to_parent[2];
    long pid;

    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
    log_maps("mapped", AREA, AREA + PAGES * PAGE);
    log_residency("mapped", AREA, PAGES);
    log_write(AREA, 0xa0);
    log_write(AREA + PAGE, 0xa1);
    log_residency("two written", AREA, PAGES);
    pid = program_fork();
    if (pid == 0) {
        log_write(AREA + 5 * PAGE, 0xc5);
        log_read(AREA);
        log_read(AREA + PAGE);
        log_write(AREA, 0xc0);
        log_write(AREA + 2 * PAGE, 0xc2);
        log_residency("child", AREA, PAGES);
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_read(AREA + PAGE);
        log_read(AREA + 3 * PAGE);
        must("mprotect", sys_mprotect(AREA, 4 * PAGE, PROT_READ));
        log_write(AREA, 1);
        must("munmap", sys_munmap(AREA + 4 * PAGE, 4 * PAGE));
        log_read(AREA + 5 * PAGE);
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_read(AREA);
        must("madvise", sys_madvise(AREA, PAGE, MADV_DONTNEED));
        log_read(AREA);
        program_exit(0);
    }
    pipe_await(to_parent);
    log_bytes("parent sees the child's page 0", AREA, 2);
    log_bytes("and page 2", AREA + 2 * PAGE, 2);
    log_bytes("and page 5", AREA + 5 * PAGE, 2);
    log_write(AREA + PAGE, 0xb1);
    log_write(AREA + 3 * PAGE, 0xb3);
    pipe_signal(to_child);
    pipe_await(to_parent);
    log_write(AREA, 0xb0);
    log_write(AREA + 5 * PAGE, 0xb5);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));
    log_contents("pages 6 and 7", AREA + 6 * PAGE, 2);
    for (uint64_t page = 0; page < 6; page++)
        log_bytes("parent at the end", AREA + page * PAGE, 1);

    /* A grandchild outlives the child. */
    pid = program_fork();
    if (pid == 0) {
        pid = program_fork();
        if (pid == 0) {
            pipe_await(to_child);
            store8(AREA + 7 * PAGE, 0xd7);
            pipe_signal(to_parent);
            program_exit(0);
        }
        program_exit(0);
    }
    log_wait("second child", wait_for(pid));
    pipe_signal(to_child);
    pipe_await(to_parent);
    log_bytes("from the grandchild", AREA + 7 * PAGE, 1);

    /* MADV_REMOVE is the way to drop shared memory. */
    say("remove: %s", result_text(sys_madvise(AREA, 2 * PAGE, MADV_REMOVE)));
    log_residency("removed", AREA, PAGES);
    log_read(AREA);
    log_read(AREA + 2 * PAGE);
    return 0;
}
