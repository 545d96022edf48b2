/*
 * A non-canonical address through the stack segment is #SS, which Linux makes SIGBUS with trap 12 of. Emulators may
 * raise #GP, and then it is SIGSEGV with trap 13: the log takes both, but signal and trap have to agree. The
 * handler runs on an alternate stack, since RSP is of no use.
 */
#include "tests/programs/library/program.h"

/* mov (%rbp), %al; push; pop with RSP at @address: each a function that ends in the fault. */
static uint64_t through_rbp(uint64_t address, uint64_t unused)
{
    uint64_t value;

    (void)unused;
    __asm__ volatile("xchg %%rbp, %1\n movzbq (%%rbp), %0\n xchg %%rbp, %1"
                     : "=&r"(value), "+r"(address));
    return value;
}

static uint64_t through_rsp(uint64_t address, uint64_t unused)
{
    (void)unused;
    __asm__ volatile("xchg %%rsp, %0\n movb (%%rsp), %%al\n xchg %%rsp, %0"
                     : "+r"(address)
                     :
                     : "rax");
    return 0;
}

static uint64_t push(uint64_t address, uint64_t unused)
{
    (void)unused;
    __asm__ volatile("xchg %%rsp, %0\n pushq %%rax\n xchg %%rsp, %0" : "+r"(address) : : "memory");
    return 0;
}

static uint64_t call(uint64_t address, uint64_t unused)
{
    (void)unused;
    __asm__ volatile("xchg %%rsp, %0\n call 1f\n 1: xchg %%rsp, %0" : "+r"(address) : : "memory");
    return 0;
}

static void log_stack(const char *kind, access_function *function, uint64_t address)
{
    struct access access = access_run(function, address, 0);

    if ((access.signal == SIGBUS && access.trap == 12) ||
        (access.signal == SIGSEGV && access.trap == 13))
        say("%s %s: SIGBUS by #SS or SIGSEGV by #GP, %s si_addr %s err 0x%lx", kind,
            address_text(address), code_text(access.signal, access.code),
            address_text(access.address), access.error);
    else
        log_access_uncounted(kind, address, &access);
}

int program(const struct program_start *start)
{
    static uint64_t alternate[2048];
    const struct signal_stack stack = {(uint64_t)alternate, 0, 0, sizeof(alternate)};

    (void)start;
    must("sigaltstack", sys_sigaltstack(&stack, NULL));
    log_stack("through RBP", through_rbp, 0x0000800000000000UL);
    log_stack("through RSP", through_rsp, 0x0000800000000000UL);
    log_stack("push", push, 0x8000000000000000UL);
    log_stack("call", call, 0x8000000000000000UL);
    return 0;
}
