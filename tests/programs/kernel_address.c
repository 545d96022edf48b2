/*
 * The program touches the kernel's half: whatever is or is not mapped there, it learns nothing - MAPERR with P set in
 * the error code. System calls are refused with EFAULT before anything is touched.
 */
#include "tests/programs/library/file.h"

static void log_kernel(const int ends[2], uint64_t address)
{
    static uint8_t byte;
    static uint8_t page[1];

    say("write from %s: %s", address_text(address), result_text(sys_write(ends[1], address, 1)));
    must("write to pipe", sys_write(ends[1], (uint64_t)&byte, 1));
    say("read to %s: %s", address_text(address), result_text(sys_read(ends[0], address, 1)));
    pipe_await(ends);
    say("mmap fixed at %s: %s", address_text(address),
        result_text(sys_mmap(address & ~(PAGE - 1), PAGE, PROT_READ,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
    say("munmap, mprotect, madvise, mincore, mlock of %s: %s %s %s %s %s", address_text(address),
        result_text(sys_munmap(address & ~(PAGE - 1), PAGE)),
        result_text(sys_mprotect(address & ~(PAGE - 1), PAGE, PROT_READ)),
        result_text(sys_madvise(address & ~(PAGE - 1), PAGE, MADV_DONTNEED)),
        result_text(sys_mincore(address & ~(PAGE - 1), PAGE, page)),
        result_text(sys_mlock(address & ~(PAGE - 1), PAGE)));
}

int program(const struct program_start *start)
{
    /* Nothing, the direct map, vmalloc, text, the last page, the IDT's fixed mapping, the end of the user's half. */
    static const uint64_t addresses[] = {
        0xffff800000000000UL, 0xffff888000000000UL, 0xffffc90000000000UL, 0xffffffff81000000UL,
        0xffffffffffffffffUL, 0xfffffe0000000000UL, 0x00007ffffffff000UL, 0x00007fffffffffffUL,
    };
    int ends[2];

    (void)start;
    pipe_make(ends);
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        log_read(addresses[i]);
        log_write(addresses[i], 1);
        log_execute(addresses[i]);
    }
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        log_kernel(ends, addresses[i]);
    return 0;
}
