/*
 * When the other owners of a frame have gone - ended, unmapped it, dropped it or copied it - the first write
 * takes it as it is: a fault to lift the write protection, and the contents stay.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 8

static void write_all(const char *who, uint8_t value)
{
    long before = minor_faults();

    for (uint64_t page = 0; page < PAGES; page++)
        store8(AREA + page * PAGE + 1, value);
    log_faults(who, before);
    before = minor_faults();
    for (uint64_t page = 0; page < PAGES; page++)
        store8(AREA + page * PAGE + 2, value);
    log_faults("  once more", before);
    log_bytes("  page 0", AREA, 4);
    log_bytes("  page 7", AREA + 7 * PAGE, 4);
}

int program(const struct program_start *start)
{
    int to_child[2];
    int to_parent[2];
    long pid;

    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, PAGES, 0x11);

    pid = program_fork();
    if (pid == 0)
        program_exit(0);
    log_wait("a child that touches nothing", wait_for(pid));
    write_all("parent writes when the child has ended", 0x21);

    pid = program_fork();
    if (pid == 0) {
        write_all("child copies", 0x31);
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_contents("child at the end", AREA, 1);
        log_bytes("child's page 0", AREA, 4);
        program_exit(0);
    }
    pipe_await(to_parent);
    write_all("parent writes when the child has copied", 0x22);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));

    pid = program_fork();
    if (pid == 0) {
        must("munmap", sys_munmap(AREA, 4 * PAGE));
        must("madvise", sys_madvise(AREA + 4 * PAGE, 4 * PAGE, MADV_DONTNEED));
        pipe_signal(to_parent);
        pipe_await(to_child);
        log_read(AREA + 4 * PAGE);
        program_exit(0);
    }
    pipe_await(to_parent);
    write_all("parent writes when the child has let go", 0x23);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));

    /* The child is the one that is left over with the frame. */
    pid = program_fork();
    if (pid == 0) {
        pipe_await(to_child);
        write_all("child writes when the parent has copied", 0x41);
        program_exit(0);
    }
    write_all("parent copies", 0x24);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));
    log_contents("parent's contents", AREA, 1);
    log_bytes("parent's page 0", AREA, 4);
    return 0;
}
