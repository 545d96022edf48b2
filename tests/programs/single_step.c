/*
 * A program that steps through itself by RFLAGS.TF: after which instructions SIGTRAP comes, also around system calls, faults
 * and handlers; and what INT with each kind of vector is.
 */
#include "tests/programs/library/program.h"

#define RFLAGS_TF 0x100UL
#define STEPS     40

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

/* ---- steps --------------------------------------------------------------------------------------------- */

static struct {
    uint64_t rip, address, error, trap;
    int signal, code;
    bool stepping;
} seen[STEPS];
static unsigned count;
static bool stop_at_next; /* the handler clears TF in its frame */

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    if (count < STEPS) {
        seen[count].rip = context->registers[REG_RIP];
        seen[count].address = info->address;
        seen[count].error = context->registers[REG_ERR];
        seen[count].trap = context->registers[REG_TRAPNO];
        seen[count].signal = signal;
        seen[count].code = info->code;
        seen[count].stepping = (context->registers[REG_EFL] & RFLAGS_TF) != 0;
        count++;
    }
    if (signal == SIGSEGV)
        context->registers[REG_RIP] += 3; /* the load's length */
    if (stop_at_next || count == STEPS)
        context->registers[REG_EFL] &= ~RFLAGS_TF;
}

/* Where it was, in bytes from @start, an instruction's address: what lies between is assembly. */
static void log_steps(const char *what, uint64_t start)
{
    say("%s: %u signals", what, count);
    for (unsigned i = 0; i < count; i++)
        say("  at %lu: %s %s err 0x%lx trapno %lu, si_addr %s, TF %s", seen[i].rip - start,
            signal_text(seen[i].signal), code_text(seen[i].signal, seen[i].code), seen[i].error,
            seen[i].trap,
            seen[i].address == seen[i].rip ? "the same"
            : seen[i].address              ? "another"
                                           : "0",
            seen[i].stepping ? "set" : "clear");
    count = 0;
}

/* TF is set by POPFQ, whose own end does not trap; then @code, and TF is cleared likewise. */
#define STEP(code, ...)                                                                            \
    ({                                                                                             \
        uint64_t begin;                                                                            \
        __asm__ volatile("leaq 1f(%%rip), %0\n"                                                    \
                         "subq $128, %%rsp\n"                                                      \
                         "pushfq\n"                                                                \
                         "orq $0x100, (%%rsp)\n"                                                   \
                         "popfq\n"                                                                 \
                         "1:\n" code "pushfq\n"                                                    \
                         "andq $~0x100, (%%rsp)\n"                                                 \
                         "popfq\n"                                                                 \
                         "nop\n"                                                                   \
                         "addq $128, %%rsp\n"                                                      \
                         : "=&r"(begin)                                                            \
                         :                                                                         \
                         : "memory", "cc", __VA_ARGS__);                                           \
        begin;                                                                                     \
    })

int program(const struct program_start *start)
{
    uint64_t from;
    long child;

    (void)start;
    log_interrupts();

    must("rt_sigaction", signal_install(SIGTRAP, handler, 0, 0));
    must("rt_sigaction", signal_install(SIGSEGV, handler, 0, 0));
    from = STEP("nop\n nop\n xorl %%eax, %%eax\n", "rax");
    log_steps("three instructions", from);
    from = STEP("movl $39, %%eax\n syscall\n nop\n nop\n", "rax", "rcx", "r11");
    log_steps("a system call among them", from);
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
