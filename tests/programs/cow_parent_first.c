/*
 * The parent writes first after fork: it gets the copy, and the child keeps what was there at the fork.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 4

int program(const struct program_start *start)
{
    int to_child[2];
    int to_parent[2];
    long pid;

    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < PAGES; page++)
        fill(AREA + page * PAGE, 1, (uint8_t)(0x10 + page));
    pid = program_fork();
    if (pid == 0) {
        pipe_await(to_child);
        for (uint64_t page = 0; page < PAGES; page++)
            log_read(AREA + page * PAGE + 5);
        log_contents("child, after the parent wrote", AREA, PAGES);
        pipe_signal(to_parent);
        pipe_await(to_child);
        for (uint64_t page = 0; page < PAGES; page++)
            log_write(AREA + page * PAGE + 5, 0xcc);
        log_bytes("child's page 0", AREA + 3, 5);
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_bytes("child's page 0 at the end", AREA + 3, 5);
        program_exit(0);
    }
    for (uint64_t page = 0; page < PAGES - 1; page++)
        log_write(AREA + page * PAGE + 5, 0xaa);
    log_bytes("parent's page 0", AREA + 3, 5);
    pipe_signal(to_child);
    pipe_await(to_parent);
    log_read(AREA + 5);
    pipe_signal(to_child);
    pipe_await(to_parent);
    log_bytes("parent's page 0, after the child wrote", AREA + 3, 5);
    log_write(AREA + 5, 0xab);
    log_write(AREA + 3 * PAGE + 5, 0xad); /* which only the child has copied */
    log_bytes("parent's page 3", AREA + 3 * PAGE + 3, 5);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));
    log_bytes("parent's page 0 at the end", AREA + 3, 5);
    return 0;
}
