/*
 * A page that was read first is the zero page; writing to it faults once more and gets a frame of its own, alone:
 * its neighbours, and every other page that shows the zero page, stay zero.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL

int program(const struct program_start *start)
{
    long before;

    (void)start;
    need_zero_page();
    map_at(AREA, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (uint64_t page = 0; page < 4; page++)
        log_read(AREA + page * PAGE);
    for (uint64_t page = 0; page < 8; page += 2)
        log_write(AREA + page * PAGE + 0x10, (uint8_t)(0x40 + page));
    for (uint64_t page = 0; page < 8; page++)
        log_read(AREA + page * PAGE + 0x10);
    log_bytes("beside the write in page 2", AREA + 2 * PAGE + 0xc, 8);
    log_residency("after all", AREA, 8);

    /* Read while it was read-only, written when it no longer is. */
    say("mprotect read-only: %s", result_text(sys_mprotect(AREA, 8 * PAGE, PROT_READ)));
    log_write(AREA + PAGE, 1);
    log_write(AREA, 1);
    say("mprotect writable: %s", result_text(sys_mprotect(AREA, 8 * PAGE, PROT_READ | PROT_WRITE)));
    log_write(AREA + PAGE, 0x51);
    log_write(AREA, 0x50);
    log_bytes("page 0", AREA, 0x12);
    log_bytes("page 1", AREA + PAGE, 0x12);

    /* The zero page again after MADV_DONTNEED. */
    say("madvise: %s", result_text(sys_madvise(AREA, 8 * PAGE, MADV_DONTNEED)));
    before = minor_faults();
    log_contents("dropped", AREA, 8);
    log_faults("reading them", before);
    before = minor_faults();
    fill(AREA, 8, 0x77);
    log_faults("filling them", before);
    log_contents("filled", AREA, 8);
    return 0;
}
