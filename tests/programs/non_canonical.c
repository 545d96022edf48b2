/*
 * Addresses that are not canonical are #GP, not page faults: SIGSEGV, SI_KERNEL, si_addr 0, trap 13, error code 0, and
 * CR2 is what the last page fault of the task left there. System calls give EFAULT.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

int program(const struct program_start *start)
{
    static const uint64_t addresses[] = {0x0000800000000000UL, 0x8000000000000000UL,
                                         0xffff7fffffffffffUL, 0x4141414141414141UL};
    int ends[2];
    static uint8_t byte;

    (void)start;
    pipe_make(ends);
    log_read(AREA);
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        log_read(addresses[i]);
        log_write(addresses[i], 1);
        log_execute(addresses[i]);
    }
    /* CR2 follows the last page fault, also the one that was resolved. */
    log_write(AREA + 0x123, 1);
    log_read(addresses[0]);
    map_at(AREA, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_write(AREA + 0x456, 1);
    log_read(addresses[0]);

    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        say("write from %s: %s", address_text(addresses[i]),
            result_text(sys_write(ends[1], addresses[i], 1)));
        must("write to pipe", sys_write(ends[1], (uint64_t)&byte, 1));
        say("read to %s: %s", address_text(addresses[i]),
            result_text(sys_read(ends[0], addresses[i], 1)));
        pipe_await(ends);
    }
    return 0;
}
