/*
 * A shared mapping and pread64/pwrite64 are two ways to the same pages: what one writes the other reads at once,
 * through two mappings, two processes and with buffers that lie in the mapping itself.
 */
#include "tests/programs/library/file.h"

#define FIRST  0x10000000UL
#define SECOND 0x20000000UL

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0x10);
    int to_child[2];
    int to_parent[2];
    long child;

    (void)start;
    file_map(FIRST, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    file_map(SECOND, 3, PROT_READ | PROT_WRITE, MAP_SHARED, file, 1);

    log_write(FIRST + PAGE + 8, 0x61);
    log_file("written through the first mapping", file, PAGE + 7, 3);
    log_read(SECOND + 8);
    file_put(file, PAGE + 9, 2, 0x62);
    log_bytes("written by pwrite64, first mapping", FIRST + PAGE + 7, 5);
    log_bytes("written by pwrite64, second mapping", SECOND + 7, 5);
    log_write(SECOND + 11, 0x63);
    log_bytes("written through the second mapping", FIRST + PAGE + 7, 6);
    log_file("written through the second mapping", file, PAGE + 7, 6);

    /* Over a page boundary. */
    file_put(file, 2 * PAGE - 2, 4, 0x64);
    log_bytes("over a page boundary", FIRST + 2 * PAGE - 3, 6);

    /* From the mapping to the file itself, and back. */
    say("pwrite64 of page 0 to page 3: %s", result_text(sys_pwrite64(file, FIRST, PAGE, 3 * PAGE)));
    log_contents("page 3", FIRST + 3 * PAGE, 1);
    say("pread64 of page 3 to page 0: %s", result_text(sys_pread64(file, FIRST, PAGE, 3 * PAGE)));
    log_contents("page 0", FIRST, 1);
    say("pwrite64 of page 2 to itself: %s",
        result_text(sys_pwrite64(file, FIRST + 2 * PAGE, PAGE, 2 * PAGE)));
    log_bytes("page 2", FIRST + 2 * PAGE, 4);

    /* write and read move the offset, pread64 and pwrite64 do not. */
    say("write: %s", result_text(sys_write(file, FIRST + PAGE + 8, 4)));
    say("offset: %s", result_text(sys_lseek(file, 0, SEEK_CUR)));
    log_bytes("page 0", FIRST, 6);
    say("read: %s", result_text(sys_read(file, SECOND + 100, 3)));
    say("offset: %s", result_text(sys_lseek(file, 0, SEEK_CUR)));
    log_bytes("page 1", FIRST + PAGE + 98, 6);

    /* Growing by a write behind the end: the mapping sees it. */
    file_put(file, 4 * PAGE + 5, 1, 0x65);
    log_size("grown", file);
    say("munmap: %s", result_text(sys_munmap(SECOND, 3 * PAGE)));
    file_map(SECOND, 2, PROT_READ | PROT_WRITE, MAP_SHARED, file, 3);
    log_bytes("page 4", SECOND + PAGE + 4, 3);

    /* Two processes: the mapping is inherited, the offset shared. */
    pipe_make(to_child);
    pipe_make(to_parent);
    child = program_fork();
    if (child == 0) {
        pipe_await(to_child);
        log_bytes("child reads", FIRST + 200, 2);
        store8(FIRST + 201, 0x72);
        say("offset in the child: %s", result_text(sys_lseek(file, 77, SEEK_SET)));
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_bytes("child reads again", FIRST + 200, 3);
        program_exit(0);
    }
    store8(FIRST + 200, 0x71);
    pipe_signal(to_child);
    pipe_await(to_parent);
    log_bytes("parent reads", FIRST + 200, 3);
    log_file("parent preads", file, 200, 3);
    say("offset in the parent: %s", result_text(sys_lseek(file, 0, SEEK_CUR)));
    file_put(file, 202, 1, 0x73);
    pipe_signal(to_child);
    log_wait("child", wait_for(child));
    return 0;
}
