/*
 * signal_frame.c: the way into a handler and back. See signal_frame.h for the picture, fault/fpu.h for extended
 * state.
 *
 * A program may have written any bytes whatever where a frame is looked for. What is taken from there: general registers
 * as they are; of RFLAGS what programs may change; RIP as it is, since ring 3 faults on it; CS and SS are remembered,
 * never loaded; extended state is judged by fault/fpu_frame.c and by the processor. So every frame ends in a state that ring 3 may have.
 */
#include "signal_frame.h"

#include "fault/fpu.h"
#include "fault/uaccess.h"
#include "fault/uaccess_raw.h"
#include "task.h"
#include "x86/registers.h"

/* What a program may change of RFLAGS by a frame (Linux's FIX_EFLAGS); IF, IOPL and the like stay. */
#define RFLAGS_FREE                                                                                \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

/* ---- alternate stack ---------------------------------------------------------------------------------- */

static bool on_stack_anyway(const struct signals *signals, uint64_t rsp)
{
    return rsp > signals->stack.base && rsp - signals->stack.base <= signals->stack.bytes;
}

bool signal_on_stack(const struct signals *signals, uint64_t rsp)
{
    return !(signals->stack.flags & SS_AUTODISARM) && on_stack_anyway(signals, rsp);
}

void signal_stack_reset(struct signals *signals)
{
    signals->stack.base = 0;
    signals->stack.bytes = 0;
    signals->stack.flags = SS_DISABLE;
}

int64_t signal_stack_set(struct signals *signals, const struct signal_stack *stack, uint64_t rsp)
{
    uint32_t mode = stack->flags & ~SS_AUTODISARM;

    if (signal_on_stack(signals, rsp)) {
        return -EPERM;
    }
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0) {
        return -EINVAL;
    }
    if (stack->base == signals->stack.base && stack->bytes == signals->stack.bytes &&
        stack->flags == signals->stack.flags) {
        return 0;
    }
    if (mode != SS_DISABLE && stack->bytes < MINSIGSTKSZ) {
        return -ENOMEM;
    }
    signals->stack.base = mode == SS_DISABLE ? 0 : stack->base;
    signals->stack.bytes = mode == SS_DISABLE ? 0 : stack->bytes;
    signals->stack.flags = stack->flags;
    return 0;
}

/* ---- into the handler ---------------------------------------------------------------------------------- */

/* Where the frame goes, and the extended state. Out: false: the alternate stack is too small. */
static bool frame_place(const struct task *task, bool wants_stack, vaddr_t *frame, vaddr_t *state)
{
    const struct signals *signals = &task->signals;
    bool on_stack = false;
    uint64_t rsp = task->frame.rsp - SIGNAL_RED_ZONE;

    if (signals->stack.bytes) {
        on_stack = signal_on_stack(signals, task->frame.rsp);
        if (wants_stack && !signal_on_stack(signals, rsp)) {
            rsp = signals->stack.base + signals->stack.bytes;
            on_stack = true;
        }
    }
    *state = ALIGN_DOWN(rsp - fpu_frame_bytes(), FPU_ALIGN);
    *frame = ALIGN_DOWN(*state - sizeof(struct signal_frame), 16) - 8;
    return !on_stack || on_stack_anyway(signals, *frame);
}

/*
 * The frame in the making: what is 0 in every frame stays so. Field by field, each stored as soon as it is loaded (which is
 * what volatile is for), since a handler's cost is mostly this. Programs run on one processor.
 */
static struct signal_frame scratch;

static void fill_context(volatile struct signal_context *to, const struct task *task, vaddr_t state)
{
    const struct trap_frame *from = &task->frame;
    const struct signals *signals = &task->signals;
    volatile struct signal_registers *registers = &to->registers;

    to->flags = UC_SIGCONTEXT_SS | (fpu_format.xsave ? UC_FP_XSTATE : 0) |
                (signals->code_selector == LINUX_USER_CS ? UC_STRICT_RESTORE_SS : 0);
    to->stack.base = signals->stack.base;
    to->stack.flags = signals->stack.flags;
    to->stack.bytes = signals->stack.bytes;
    registers->r8 = from->r8;
    registers->r9 = from->r9;
    registers->r10 = from->r10;
    registers->r11 = from->r11;
    registers->r12 = from->r12;
    registers->r13 = from->r13;
    registers->r14 = from->r14;
    registers->r15 = from->r15;
    registers->rdi = from->rdi;
    registers->rsi = from->rsi;
    registers->rbp = from->rbp;
    registers->rbx = from->rbx;
    registers->rdx = from->rdx;
    registers->rax = from->rax;
    registers->rcx = from->rcx;
    registers->rsp = from->rsp;
    registers->rip = from->rip;
    registers->rflags = from->rflags | RFLAGS_IF; /* as under Linux, timer or not */
    registers->cs = signals->code_selector;
    registers->ss = signals->stack_selector;
    registers->error_code = signals->error_code;
    registers->trap_number = signals->trap_number;
    registers->old_mask = signals->blocked;
    registers->cr2 = signals->cr2;
    registers->extended_state = state;
    to->mask = signals->blocked;
}

static bool is_fault(const struct signal_info *info)
{
    switch (info->signal) {
    case SIGILL:
    case SIGTRAP:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
        return info->code != SI_USER && info->code != SI_KERNEL;
    default:
        return false;
    }
}

/* Of the words behind the first four numbers all but three are 0, whatever the cause. */
static void fill_info(struct signal_info_frame *to, const struct signal_info *from)
{
    to->signal = from->signal;
    to->code = from->code;
    if (is_fault(from)) {
        to->fault.address = from->address;
        to->fault.unused = 0;
        to->fault.key = from->key;
        return;
    }
    to->fault.key = 0;
    to->fault.unused = 0;
    to->process.pid = from->pid;
    to->process.uid = from->uid;
    to->process.status = from->status;
}

bool signal_frame_enter(struct task *task, const struct signal_action *action,
                        const struct signal_info *info)
{
    struct trap_frame *user = &task->frame;
    uint64_t bytes = offsetof(struct signal_frame, info);
    vaddr_t at, state;

    if (!(action->flags & SA_RESTORER) ||
        !frame_place(task, action->flags & SA_ONSTACK, &at, &state) || !fpu_frame_write(state)) {
        return false;
    }
    scratch.restorer = action->restorer;
    fill_context(&scratch.context, task, state);
    if (action->flags & SA_SIGINFO) {
        fill_info(&scratch.info, info);
        bytes = sizeof(scratch);
    }
    if (copy_to_user(at, &scratch, bytes) != 0) {
        return false;
    }
    user->rdi = (uint64_t)info->signal;
    user->rsi = at + offsetof(struct signal_frame, info);
    user->rdx = at + offsetof(struct signal_frame, context);
    user->rax = 0; /* how many vector registers hold arguments, for handlers without a prototype */
    user->rip = action->handler;
    user->rsp = at;
    user->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
    task->signals.code_selector = LINUX_USER_CS;
    task->signals.stack_selector = LINUX_USER_DS;
    task->signals.refused = false;
    fpu_start(PKRU_START);
    return true;
}

/* ---- and back ------------------------------------------------------------------------------------------ */

static void take_registers(struct task *task, const struct signal_context *context)
{
    const struct signal_registers *from = &context->registers;
    struct trap_frame *to = &task->frame;

    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r10 = from->r10;
    to->r11 = from->r11;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
    to->rdi = from->rdi;
    to->rsi = from->rsi;
    to->rbp = from->rbp;
    to->rbx = from->rbx;
    to->rdx = from->rdx;
    to->rax = from->rax;
    to->rcx = from->rcx;
    to->rsp = from->rsp;
    to->rip = from->rip;
    to->rflags = (to->rflags & ~(uint64_t)RFLAGS_FREE) | (from->rflags & RFLAGS_FREE);
    task->signals.code_selector = from->cs | 3;
    task->signals.stack_selector = from->ss | 3;
    if (!(context->flags & UC_STRICT_RESTORE_SS) && task->signals.code_selector == LINUX_USER_CS) {
        /* Frames of old programs have no SS. */
        task->signals.stack_selector = LINUX_USER_DS;
    }
    task->signals.refused = task->signals.code_selector != LINUX_USER_CS ||
                            task->signals.stack_selector != LINUX_USER_DS;
}

/* Errors do not matter, as in Linux: the stack stays what it was. */
static void stack_take(struct signals *signals, const struct signal_stack *stack, uint64_t rsp)
{
    if (stack->base != signals->stack.base || stack->bytes != signals->stack.bytes ||
        stack->flags != signals->stack.flags) {
        signal_stack_set(signals, stack, rsp);
    }
}

bool signal_frame_leave(struct task *task)
{
    struct signal_context context;
    vaddr_t at = task->frame.rsp - sizeof(uint64_t); /* the handler's RET took the restorer */
    bool good = true;

    if (!uaccess_in_range(at, sizeof(struct signal_frame))) {
        return false;
    }
    const vaddr_t from = at + offsetof(struct signal_frame, context);
    if (raw_copy_from_user(&context, (const void *)from, sizeof(context))) {
        task_waits_for_page(task);
        return false;
    }
    if (!context.registers.extended_state) {
        fpu_start(PKRU_START);
    } else if (!fpu_frame_read(context.registers.extended_state)) {
        if (task_waits_for_page(task)) {
            return false;
        }
        fpu_start(PKRU_START);
        good = false;
    }
    task->signals.blocked = context.mask & ~(BIT(SIGKILL - 1) | BIT(SIGSTOP - 1));
    take_registers(task, &context);
    if (good) {
        stack_take(&task->signals, &context.stack, task->frame.rsp);
    }
    return good;
}
