/*
 * After fork both processes see one frame, write-protected. The child's first write to a page copies it: one fault;
 * reads cost none, and the parent's page keeps what it had.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 8

int program(const struct program_start *start)
{
    long pid;
    long before;

    (void)start;
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < 6; page++)
        fill(AREA + page * PAGE, 1, (uint8_t)(0x10 + page));
    pid = program_fork();
    if (pid == 0) {
        log_residency("child", AREA, PAGES);
        before = minor_faults();
        log_contents("child before", AREA, 6);
        log_faults("child reads", before);
        for (uint64_t page = 0; page < 4; page++) {
            log_write(AREA + page * PAGE + 0x800, 0xc0);
            log_write(AREA + page * PAGE + 0x801, 0xc1);
        }
        log_bytes("child around its write", AREA + 0x7fe, 6);
        log_write(AREA + 6 * PAGE, 0xc6); /* never touched before the fork */
        log_contents("child after", AREA, PAGES);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    before = minor_faults();
    log_contents("parent", AREA, 6);
    log_faults("parent reads", before);
    log_residency("parent", AREA, PAGES);
    for (uint64_t page = 0; page < 7; page++)
        log_write(AREA + page * PAGE, (uint8_t)(0xa0 + page));
    log_bytes("parent's page 0", AREA, 2);
    log_bytes("parent's page 5", AREA + 5 * PAGE, 2);

    /* Read-only pages are no other: the child may not write, and copies after mprotect. */
    must("mprotect", sys_mprotect(AREA, PAGES * PAGE, PROT_READ));
    pid = program_fork();
    if (pid == 0) {
        log_write(AREA, 0xd0);
        must("mprotect", sys_mprotect(AREA, PAGES * PAGE, PROT_READ | PROT_WRITE));
        log_write(AREA, 0xd0);
        log_write(AREA + PAGE, 0xd1);
        program_exit(0);
    }
    log_wait("second child", wait_for(pid));
    log_read(AREA);
    log_write(AREA, 1);
    must("mprotect", sys_mprotect(AREA, PAGES * PAGE, PROT_READ | PROT_WRITE));
    log_write(AREA, 0xe0);
    log_bytes("parent's page 0", AREA, 2);
    log_bytes("parent's page 1", AREA + PAGE, 2);
    return 0;
}
