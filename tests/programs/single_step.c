/*
 * A program that steps through itself by RFLAGS.TF: after which instructions SIGTRAP comes, also around faults and
 * handlers; and what INT with each kind of vector is.
 */
#include "tests/programs/library/step.h"

/* ---- INT n --------------------------------------------------------------------------------------------- */

#define INTERRUPT(name, vector)                                                                    \
    static uint64_t name(uint64_t a, uint64_t b)                                                   \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        __asm__ volatile(".byte 0xcd, " #vector ::: "memory");                                     \
        return 0;                                                                                  \
    }

INTERRUPT(int_0, 0)
INTERRUPT(int_1, 1)
INTERRUPT(int_2, 2)
INTERRUPT(int_3, 3)
INTERRUPT(int_4, 4)
INTERRUPT(int_8, 8)
INTERRUPT(int_13, 13)
INTERRUPT(int_14, 14)
INTERRUPT(int_32, 32)
INTERRUPT(int_244, 244)
INTERRUPT(int_255, 255)

static void log_interrupts(void)
{
    static const struct {
        unsigned vector;
        access_function *function;
    } probes[] = {
        {0,   int_0  },
        {1,   int_1  },
        {2,   int_2  },
        {3,   int_3  },
        {4,   int_4  },
        {8,   int_8  },
        {13,  int_13 },
        {14,  int_14 },
        {32,  int_32 },
        {244, int_244},
        {255, int_255},
    };

    for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        struct access access = access_run(probes[i].function, 0, 0);

        /* The error code of #GP names the vector; QEMU 7.2 has it wrong. */
        say("int %u: %s %s err %s trapno %lu, si_addr %s", probes[i].vector,
            signal_text(access.signal), code_text(access.signal, access.code),
            access.error ? "set" : "0", access.trap, access.address ? "set" : "0");
    }
}

int program(const struct program_start *start)
{
    uint64_t from;
    long child;

    (void)start;
    log_interrupts();

    step_begin();
    from = STEP("nop\n nop\n xorl %%eax, %%eax\n", "rax");
    log_steps("three instructions", from);
    from = STEP("int3\n nop\n", "rax");
    log_steps("int3", from);
    from = STEP("xorl %%eax, %%eax\n movq (%%rax), %%rax\n nop\n", "rax");
    log_steps("a fault", from);
    from = STEP("pushfq\n popq %%rax\n nop\n", "rax");
    log_steps("the flag on the stack", from);
    from = STEP("movl $4, %%ecx\n 2: loop 2b\n", "rcx");
    log_steps("a loop", from);
    stop_at_next = true;
    from = STEP("nop\n nop\n nop\n", "rax");
    log_steps("the handler clears the flag", from);
    stop_at_next = false;

    child = program_fork();
    if (child == 0) {
        const uint64_t set = SIGNAL_BIT(SIGTRAP);
        must("rt_sigprocmask", sys_rt_sigprocmask(SIG_BLOCK, &set, NULL));
        STEP("nop\n nop\n", "rax");
        program_exit(0);
    }
    log_wait("SIGTRAP blocked", wait_for(child));
    return 0;
}
