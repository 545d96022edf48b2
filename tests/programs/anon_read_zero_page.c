/*
 * A first read of private anonymous memory maps the shared zero page: a fault a page, no contents but zeros, and
 * a page that is only read is resident. Read-only memory stays read-only after it.
 */
#include "tests/programs/library/program.h"

#define AREA     0x10000000UL
#define READONLY 0x20000000UL
#define NONE     0x30000000UL

int program(const struct program_start *start)
{
    long before;

    (void)start;
    map_at(AREA, 32, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_read(AREA);
    log_read(AREA);
    log_read(AREA + PAGE - 1);
    log_read(AREA + 5 * PAGE + 0x123);
    log_residency("pages 0 and 5 read", AREA, 8);
    before = minor_faults();
    log_contents("all 32 pages", AREA, 32);
    log_faults("their reading", before);
    log_residency("all read", AREA, 32);

    map_at(READONLY, 4, PROT_READ, MAP_PRIVATE);
    log_read(READONLY);
    log_write(READONLY, 1);
    log_write(READONLY + PAGE, 1);
    log_residency("read-only, page 0 read, writes to 0 and 1 refused", READONLY, 4);
    log_read(READONLY);
    log_read(READONLY + PAGE);

    map_at(NONE, 2, PROT_NONE, MAP_PRIVATE);
    log_read(NONE);
    log_residency("PROT_NONE", NONE, 2);
    say("mprotect: %s", result_text(sys_mprotect(NONE, 2 * PAGE, PROT_READ)));
    log_read(NONE);
    say("mprotect: %s", result_text(sys_mprotect(NONE, 2 * PAGE, PROT_NONE)));
    log_read(NONE);
    log_residency("PROT_NONE again", NONE, 2);
    say("mprotect: %s", result_text(sys_mprotect(NONE, 2 * PAGE, PROT_READ)));
    log_read(NONE);
    return 0;
}
