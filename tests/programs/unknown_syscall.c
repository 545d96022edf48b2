/*
 * Numbers that no system call has are -ENOSYS, whatever the arguments, and do nothing else; the kernel takes the low 32
 * bits of RAX; and a system call changes RAX, RCX and R11 only.
 */
#include "tests/programs/library/program.h"

static void check_registers(const char *what, uint64_t number)
{
    static const char *const names[] = {"RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "R8",
                                        "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};
    static uint64_t values[15];
    static uint64_t now[15];

    for (unsigned i = 0; i < 15; i++)
        values[i] = 0x1111000000000000 * (i % 3) + 0x1234567 * (uint64_t)(i + 1);
    values[0] = number;
    for (unsigned i = 0; i < 15; i++)
        now[i] = values[i];
    syscall_registers(now);
    say("%s: %s", what, result_text((long)now[0]));
    for (unsigned i = 0; i < 15; i++) {
        if (i != 0 && i != 2 && i != 10 && values[i] != now[i])
            say("  %s has changed", names[i]);
    }
    say("  R11 has bit 1 of the flags: %s", now[10] & 2 ? "yes" : "no");
    say("  RCX is an address in this program: %s", now[2] >> 24 == 0 && now[2] ? "yes" : "no");
}

int program(const struct program_start *start)
{
    static const uint64_t unknown[] = {
        388, 400, 423, 999, 4095, 65536, 0x3fffffff, 0x7fffffff, 0xffffffff, ~0UL, 0x80000000,
    };
    long before = minor_faults();

    (void)start;
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        say("number 0x%lx: %s", unknown[i],
            result_text(syscall6((long)unknown[i], ~0UL, 0xffff888000000000, 8, ~0UL, ~0UL, ~0UL)));
    log_faults("all of them", before);
    say("getpid, the upper half of RAX not zero: %s",
        sys_getpid() == syscall3(0x1234567800000000L | SYS_GETPID, 0, 0, 0) ? "the same"
                                                                            : "not the same");
    check_registers("number 999", 999);
    check_registers("close(0x5b05b0a2)", SYS_CLOSE);
    return 0;
}
