/*
 * Cost of fork for each page that is mapped and written: the slope between a process with few pages and one with 2,000
 * more; of fork alone as the parent sees it, and of fork, exit and wait together.
 */
#include "tests/programs/library/bench.h"

#define AREA  0x10000000UL
#define FORKS 20

static uint64_t fork_alone;
static uint64_t fork_exit_wait;

static void measure(void)
{
    fork_alone = 0;
    fork_exit_wait = 0;
    for (unsigned i = 0; i < FORKS; i++) {
        uint64_t before = ticks();
        long pid = sys_fork();
        if (pid == 0)
            sys_exit_group(0);
        fork_alone += ticks() - before;
        must("fork", pid);
        must("wait4", sys_wait4(pid, NULL, 0, NULL));
        fork_exit_wait += ticks() - before;
    }
}

int program(const struct program_start *start)
{
    uint64_t alone;
    uint64_t all;

    (void)start;
    map_at(AREA, BENCH_ROUND, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    measure();
    alone = fork_alone;
    all = fork_exit_wait;
    bench_line("fork_small_process", FORKS, fork_alone);
    bench_line("fork_exit_wait_small_process", FORKS, fork_exit_wait);
    fill(AREA, BENCH_ROUND, 1);
    measure();
    bench_line("fork_per_page", FORKS * BENCH_ROUND, fork_alone - alone);
    bench_line("fork_exit_wait_per_page", FORKS * BENCH_ROUND, fork_exit_wait - all);
    return 0;
}
