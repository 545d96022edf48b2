/*
 * Accesses where nothing is mapped: SIGSEGV SEGV_MAPERR, with the address, error codes 4, 6 and 0x14; the kernel's
 * own accesses there give EFAULT and no signal.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static void log_kernel(const char *what, uint64_t address)
{
    static int ends[2];
    static struct signal_stack stack;
    static uint8_t byte;

    if (!ends[1])
        pipe_make(ends);
    say("%s: write %s", what, result_text(sys_write(ends[1], address, 1)));
    must("write to pipe", sys_write(ends[1], (uint64_t)&byte, 1));
    say("%s: read %s", what, result_text(sys_read(ends[0], address, 1)));
    pipe_await(ends);
    say("%s: fstat %s", what, result_text(sys_fstat(ends[0], (struct file_status *)address)));
    say("%s: sigaltstack %s", what,
        result_text(sys_sigaltstack((const struct signal_stack *)address, &stack)));
    say("%s: uname %s", what, result_text(sys_uname((struct system_name *)address)));
}

static void log_three(const char *what, uint64_t address)
{
    say("%s", what);
    log_read(address);
    log_write(address, 1);
    log_execute(address);
}

int program(const struct program_start *start)
{
    (void)start;
    log_three("nothing there", AREA);
    log_three("in the middle of a page", AREA + 0xabc);
    map_at(AREA, 3, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
    log_three("the byte before", AREA - 1);
    log_three("the byte behind", AREA + 3 * PAGE);
    store8(AREA + PAGE, 1);
    must("munmap", sys_munmap(AREA + PAGE, PAGE));
    log_three("was there and is unmapped", AREA + PAGE);
    log_three("null", 0);
    log_three("the page of null", 0xff8);
    log_three("page 15", 0xffff);
    log_kernel("null", 0);
    log_kernel("nothing there", AREA + PAGE);
    return 0;
}
