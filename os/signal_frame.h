/*
 * signal_frame.h: what a handler finds on its stack, byte for byte as Linux lays it out on x86-64. Floor: os.
 *
 *      interrupted rsp, or the alternate stack's end
 *        128 bytes             the red zone, which belongs to the interrupted function
 *        FPU_MAGIC2            (fault/fpu.h)
 *        extended state        multiple of 64: the standard format of XSAVE, PKRU in its place
 *        struct signal_info_frame
 *        struct signal_context
 *   rsp -> restorer            where the handler returns to; rsp + 8 is a multiple of 16
 */
#ifndef OS_SIGNAL_FRAME_H
#define OS_SIGNAL_FRAME_H

#include "signal.h"

#define SIGNAL_RED_ZONE 128u

/* Linux's selectors of 64-bit programs; ours are elsewhere (fault/layout.h). */
#define LINUX_USER_CS 0x33u
#define LINUX_USER_DS 0x2bu

/* uc_flags */
#define UC_FP_XSTATE         1u
#define UC_SIGCONTEXT_SS     2u
#define UC_STRICT_RESTORE_SS 4u

/* Linux's struct stack_t, also of sigaltstack. */
struct signal_stack {
    uint64_t base;
    uint32_t flags, padding;
    uint64_t bytes;
};
#define SS_ONSTACK    1u
#define SS_DISABLE    2u
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ   2048u

/* Linux's struct sigcontext. */
struct signal_registers {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error_code, trap_number, old_mask, cr2;
    uint64_t extended_state; /* address, or 0: what a program starts with */
    uint64_t reserved[8];
};

/* Linux's struct ucontext. */
struct signal_context {
    uint64_t flags, link;
    struct signal_stack stack;
    struct signal_registers registers;
    uint64_t mask;
};

/* Linux's siginfo_t: a cause and what belongs to it. */
struct signal_info_frame {
    int32_t signal, error, code, padding;
    union {
        struct {
            uint32_t pid, uid;
            int32_t status;
        } process; /* kill, SIGCHLD */
        struct {
            uint64_t address, unused;
            uint32_t key;
        } fault;
        uint64_t words[14];
    };
};

/* Linux's struct rt_sigframe. */
struct signal_frame {
    uint64_t restorer;
    struct signal_context context;
    struct signal_info_frame info;
};

_Static_assert(offsetof(struct signal_stack, flags) == 8, "stack_t");
_Static_assert(offsetof(struct signal_stack, bytes) == 16, "stack_t");
_Static_assert(sizeof(struct signal_stack) == 24, "stack_t");

_Static_assert(offsetof(struct signal_registers, r8) == 0, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r9) == 8, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r10) == 16, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r11) == 24, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r12) == 32, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r13) == 40, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r14) == 48, "sigcontext");
_Static_assert(offsetof(struct signal_registers, r15) == 56, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rdi) == 64, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rsi) == 72, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rbp) == 80, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rbx) == 88, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rdx) == 96, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rax) == 104, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rcx) == 112, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rsp) == 120, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rip) == 128, "sigcontext");
_Static_assert(offsetof(struct signal_registers, rflags) == 136, "sigcontext");
_Static_assert(offsetof(struct signal_registers, cs) == 144, "sigcontext");
_Static_assert(offsetof(struct signal_registers, gs) == 146, "sigcontext");
_Static_assert(offsetof(struct signal_registers, fs) == 148, "sigcontext");
_Static_assert(offsetof(struct signal_registers, ss) == 150, "sigcontext");
_Static_assert(offsetof(struct signal_registers, error_code) == 152, "sigcontext");
_Static_assert(offsetof(struct signal_registers, trap_number) == 160, "sigcontext");
_Static_assert(offsetof(struct signal_registers, old_mask) == 168, "sigcontext");
_Static_assert(offsetof(struct signal_registers, cr2) == 176, "sigcontext");
_Static_assert(offsetof(struct signal_registers, extended_state) == 184, "sigcontext");
_Static_assert(offsetof(struct signal_registers, reserved) == 192, "sigcontext");
_Static_assert(sizeof(struct signal_registers) == 256, "sigcontext");

_Static_assert(offsetof(struct signal_context, flags) == 0, "ucontext");
_Static_assert(offsetof(struct signal_context, link) == 8, "ucontext");
_Static_assert(offsetof(struct signal_context, stack) == 16, "ucontext");
_Static_assert(offsetof(struct signal_context, registers) == 40, "ucontext");
_Static_assert(offsetof(struct signal_context, mask) == 296, "ucontext");
_Static_assert(sizeof(struct signal_context) == 304, "ucontext");

_Static_assert(offsetof(struct signal_info_frame, error) == 4, "siginfo");
_Static_assert(offsetof(struct signal_info_frame, code) == 8, "siginfo");
_Static_assert(offsetof(struct signal_info_frame, process.pid) == 16, "siginfo");
_Static_assert(offsetof(struct signal_info_frame, process.uid) == 20, "siginfo");
_Static_assert(offsetof(struct signal_info_frame, process.status) == 24, "siginfo");
_Static_assert(offsetof(struct signal_info_frame, fault.address) == 16, "siginfo");
_Static_assert(offsetof(struct signal_info_frame, fault.key) == 32, "siginfo");
_Static_assert(sizeof(struct signal_info_frame) == 128, "siginfo");

_Static_assert(offsetof(struct signal_frame, context) == 8, "rt_sigframe");
_Static_assert(offsetof(struct signal_frame, info) == 312, "rt_sigframe");
_Static_assert(sizeof(struct signal_frame) == 440, "rt_sigframe");

/* Does @rsp lie on the alternate stack? Never on one that disarms itself. */
bool signal_on_stack(const struct signals *signals, uint64_t rsp);

/*
 * sigaltstack: @stack becomes the alternate one of a program with @rsp. Errors as Linux's: -EPERM while it
 * is in use, -EINVAL, -ENOMEM.
 */
int64_t signal_stack_set(struct signals *signals, const struct signal_stack *stack, uint64_t rsp);

/* No alternate stack, as after the delivery of a signal with SS_AUTODISARM. */
void signal_stack_reset(struct signals *signals);

/*
 * Write the frame for @info and make @task's registers those of its handler's first instruction. In: what task_save()
 * saves is in the registers, as it is then. Out: false: the frame cannot be written; registers are as they were.
 */
MUST_CHECK bool signal_frame_enter(struct task *task, const struct signal_action *action,
                                   const struct signal_info *info);

/*
 * The other way: everything from the frame that @task's rsp says it is. Out: false: it is bad; like Linux, mask and
 * registers may have come from it all the same. Or its page is under way: then the task waits for it, and nothing has
 * happened.
 */
MUST_CHECK bool signal_frame_leave(struct task *task);

#endif
