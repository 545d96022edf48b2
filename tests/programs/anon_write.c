/*
 * A first write to private anonymous memory gets a zeroed frame of its own: one fault a page, whatever the order
 * and size of the accesses; a second write gets none.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL

static uint64_t write_straddling(uint64_t address, uint64_t value)
{
    store64(address, value);
    return value & 0xff;
}

int program(const struct program_start *start)
{
    long before;
    struct access access;

    (void)start;
    map_at(AREA, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_residency("mapped", AREA, 16);

    log_write(AREA, 0x11);
    log_write(AREA, 0x12);
    log_write(AREA + PAGE - 1, 0x13);
    log_read(AREA + 1);
    log_residency("page 0 written", AREA, 16);

    /* From the end to the beginning. */
    for (uint64_t page = 7; page > 3; page--)
        log_write(AREA + page * PAGE + 8 * page, (uint8_t)(0x20 + page));
    log_residency("pages 4 to 7 written", AREA, 16);

    /* One store into two pages. */
    access = access_run(write_straddling, AREA + 10 * PAGE - 4, 0x8877665544332211);
    log_access("straddling write", AREA + 10 * PAGE - 4, &access);
    log_bytes("end of page 9, beginning of page 10", AREA + 10 * PAGE - 8, 16);
    log_residency("pages 9 and 10 written", AREA, 16);

    before = minor_faults();
    fill(AREA + 12 * PAGE, 3, 0x5a);
    log_faults("three pages filled", before);
    before = minor_faults();
    fill(AREA, 16, 0xa5);
    log_faults("all sixteen filled", before);
    log_contents("filled", AREA, 16);
    log_residency("filled", AREA, 16);
    say("munmap: %s", result_text(sys_munmap(AREA, 16 * PAGE)));
    log_write(AREA, 1);
    log_residency("unmapped", AREA, 16);
    return 0;
}
