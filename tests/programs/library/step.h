/*
 * Single steps by RFLAGS.TF: what signals came where.
 */
#pragma once

#include "tests/programs/library/program.h"

#define RFLAGS_TF 0x100UL
#define STEPS     40

static struct {
    uint64_t rip, address, error, trap;
    int signal, code;
    bool stepping;
} seen[STEPS];
static unsigned count;
static bool stop_at_next; /* the handler clears TF in its frame */

static inline void step_handler(int signal, struct signal_info *info,
                                struct signal_context *context)
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
static inline void log_steps(const char *what, uint64_t start)
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

static inline void step_begin(void)
{
    must("rt_sigaction", signal_install(SIGTRAP, step_handler, 0, 0));
    must("rt_sigaction", signal_install(SIGSEGV, step_handler, 0, 0));
}
