/*
 * A page that shows the zero page is inherited as such: each process gets a frame of its own on its first write, and
 * nobody's write shows anywhere else. Pages that were never touched are zero in both.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL

int program(const struct program_start *start)
{
    int to_child[2];
    int to_parent[2];
    long pid;

    (void)start;
    need_zero_page();
    pipe_make(to_child);
    pipe_make(to_parent);
    map_at(AREA, 6, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < 4; page++)
        log_read(AREA + page * PAGE);
    pid = program_fork();
    if (pid == 0) {
        log_residency("child", AREA, 6);
        log_read(AREA);
        log_write(AREA, 0xc0);
        log_read(AREA + PAGE);
        log_write(AREA + 4 * PAGE, 0xc4);
        log_read(AREA + 5 * PAGE);
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_read(AREA);
        log_read(AREA + PAGE);
        log_write(AREA + PAGE, 0xc1);
        log_write(AREA + 5 * PAGE, 0xc5);
        program_exit(0);
    }
    pipe_await(to_parent);
    log_residency("parent", AREA, 6);
    log_read(AREA);
    log_read(AREA + 4 * PAGE);
    log_write(AREA, 0xa0);
    log_write(AREA + PAGE, 0xa1);
    log_write(AREA + 4 * PAGE, 0xa4);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));
    for (uint64_t page = 0; page < 6; page++)
        log_read(AREA + page * PAGE);
    log_write(AREA + 2 * PAGE, 0xa2);
    log_write(AREA + 3 * PAGE, 0xa3);
    log_residency("parent at the end", AREA, 6);
    return 0;
}
