/*
 * signal_abi.c: see signal_abi.h. Nothing of ours is included here, and of the C library only what does not know
 * signals.
 */
#include "tests/host/signal_abi.h"

#include <asm/sigcontext.h>
#include <linux/signal.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>
#include <string.h>

#define CONTEXT(field)  offsetof(struct sigcontext, field)
#define UCONTEXT(field) offsetof(struct ucontext, field)

/* clang-format off */
const uint64_t signal_abi[] = {
    CONTEXT(r8), CONTEXT(r9), CONTEXT(r10), CONTEXT(r11), CONTEXT(r12), CONTEXT(r13), CONTEXT(r14),
    CONTEXT(r15), CONTEXT(rdi), CONTEXT(rsi), CONTEXT(rbp), CONTEXT(rbx), CONTEXT(rdx),
    CONTEXT(rax), CONTEXT(rcx), CONTEXT(rsp), CONTEXT(rip), CONTEXT(eflags), CONTEXT(cs),
    CONTEXT(gs), CONTEXT(fs), CONTEXT(ss), CONTEXT(err), CONTEXT(trapno), CONTEXT(oldmask),
    CONTEXT(cr2), CONTEXT(fpstate), CONTEXT(reserved1), sizeof(struct sigcontext),
    UCONTEXT(uc_flags), UCONTEXT(uc_link), UCONTEXT(uc_stack), UCONTEXT(uc_mcontext),
    UCONTEXT(uc_sigmask), sizeof(struct ucontext), offsetof(stack_t, ss_sp), offsetof(stack_t,
    ss_flags), offsetof(stack_t, ss_size), sizeof(stack_t), offsetof(siginfo_t, si_signo),
    offsetof(siginfo_t, si_errno), offsetof(siginfo_t, si_code), offsetof(siginfo_t, si_pid),
    offsetof(siginfo_t, si_uid), offsetof(siginfo_t, si_status), offsetof(siginfo_t, si_addr),
    offsetof(siginfo_t, si_pkey), sizeof(siginfo_t), offsetof(struct sigaction, sa_handler),
    offsetof(struct sigaction, sa_flags), offsetof(struct sigaction, sa_restorer),
    offsetof(struct sigaction, sa_mask), sizeof(struct sigaction), offsetof(struct _fpstate_64,
    mxcsr), offsetof(struct _fpstate_64, sw_reserved), offsetof(struct _xstate, xstate_hdr),
    sizeof(struct _fpx_sw_bytes), offsetof(struct _fpx_sw_bytes, extended_size),
    offsetof(struct _fpx_sw_bytes, xfeatures), offsetof(struct _fpx_sw_bytes, xstate_size),
    FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2, UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS,
    SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER,
    SA_RESETHAND, SS_ONSTACK, SS_DISABLE, SS_AUTODISARM, MINSIGSTKSZ, (uint32_t)SI_USER,
    (uint32_t)SI_KERNEL, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGCHLD, SIGCONT,
    SIGSTOP, SIGTSTP, SIGSYS, SIGRTMIN, ILL_ILLOPN, FPE_INTDIV, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND,
    FPE_FLTRES, FPE_FLTINV, SEGV_MAPERR, SEGV_ACCERR, SEGV_PKUERR, BUS_ADRALN, BUS_ADRERR,
    TRAP_BRKPT, TRAP_TRACE, TRAP_HWBKPT, CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_STOPPED,
    CLD_CONTINUED,
};
/* clang-format on */
const size_t signal_abi_count = sizeof(signal_abi) / sizeof(signal_abi[0]);

static uint8_t *copy_to;
static size_t copy_size, copied;
static uint64_t frame_at;

void signal_abi_handler(int signal, siginfo_t *info,
                        struct ucontext *context); /* for the assembler */
void signal_abi_restorer(void);
__asm__(".text\n"
        ".globl signal_abi_restorer\n"
        "signal_abi_restorer: mov $15, %eax\n"
        "    syscall\n");

/* Leaves the instruction that faulted behind: it is four bytes long. */
__attribute__((no_sanitize("address", "undefined"))) void
signal_abi_handler(int signal, siginfo_t *info, struct ucontext *context)
{
    const uint8_t *frame = (const uint8_t *)context - sizeof(void *);
    const uint8_t *state = (const uint8_t *)context->uc_mcontext.fpstate;
    const struct _fpx_sw_bytes *software = &context->uc_mcontext.fpstate->sw_reserved;
    size_t bytes = (size_t)(state - frame) + software->extended_size;

    (void)signal, (void)info;
    frame_at = (uint64_t)(uintptr_t)frame;
    if (bytes <= copy_size) {
        for (size_t i = 0; i < bytes; i++)
            copy_to[i] = frame[i];
        copied = bytes;
    }
    context->uc_mcontext.rip += 4;
}

static long action(struct sigaction *set, struct sigaction *old)
{
    register long r10 __asm__("r10") = 8;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)__NR_rt_sigaction), "D"((long)SIGSEGV), "S"(set), "d"(old),
                       "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

size_t signal_abi_frame(uint8_t *bytes, size_t size, uint64_t *rsp)
{
    struct sigaction old,
        ours = {.sa_flags = SA_SIGINFO | SA_RESTORER, .sa_restorer = signal_abi_restorer};
    void (*handler)(int, siginfo_t *, struct ucontext *) = signal_abi_handler;

    memcpy(&ours.sa_handler, &handler, sizeof(handler));
    copy_to = bytes;
    copy_size = size;
    copied = 0;
    if (action(&ours, &old) != 0)
        return 0;
    uint64_t nowhere = 0;
    __asm__ volatile("mov 16(%%rax), %%eax\n\tnop"
                     : "+a"(nowhere)
                     :
                     : "memory"); /* 3 bytes and 1 */
    action(&old, NULL);
    *rsp = frame_at;
    return copied;
}
