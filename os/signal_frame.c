/*
 * signal_frame.c: the way into a handler and back. See signal_frame.h for the picture, fault/fpu.h for extended
 * state.
 *
 * A program may have written any bytes whatever where a frame is looked for. What is taken from there: general registers
 * as they are; of RFLAGS what programs may change; RIP as it is, since ring 3 faults on it; CS and SS are remembered,
 * never loaded; extended state is judged here and by the processor. So every frame ends in a state that ring 3 may have.
 */
#include "signal_frame.h"

#include "fault/fpu.h"
#include "fault/uaccess.h"
#include "task.h"
#include "x86/registers.h"

/* What a program may change of RFLAGS by a frame (Linux's FIX_EFLAGS); IF, IOPL and the like stay. */
#define RFLAGS_FREE                                                                                \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

/* The start of an area, SDM vol. 1 13.4: FXSAVE's part and the header. */
struct area {
    uint8_t before[24];
    uint32_t mxcsr;
    uint8_t between[436];
    struct fpu_software software;
    uint64_t xstate_bv, xcomp_bv, zero[6];
};
_Static_assert(offsetof(struct area, mxcsr) == 24, "SDM vol. 1 table 10-2");
_Static_assert(offsetof(struct area, software) == FPU_SOFTWARE_AT, "SDM vol. 1 table 10-2");
_Static_assert(offsetof(struct area, xstate_bv) == FPU_HEADER_AT, "SDM vol. 1 13.4.2");
_Static_assert(sizeof(struct area) == 576, "SDM vol. 1 13.4.2");

#define AVX_BYTES 256u /* behind struct area: its place and size are fixed */
#define FX_PARTS  ((uint64_t)(XCR0_X87 | XCR0_SSE))

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

/* ---- extended state ------------------------------------------------------------------------------------ */

/*
 * How much of an area, from its start on, is worth copying: AVX-512's parts and PKRU lie far behind, and XSAVE does
 * not write the gap before them either.
 */
static uint32_t area_front_bytes(void)
{
    if (!fpu_format.xsave || fpu_format.features & XCR0_AVX512) {
        return fpu_format.bytes;
    }
    return (uint32_t)sizeof(struct area) + (fpu_format.features & XCR0_AVX ? AVX_BYTES : 0);
}

static void header_set(struct area *area, uint64_t parts)
{
    area->xstate_bv = parts;
    area->xcomp_bv = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(area->zero); i++) {
        area->zero[i] = 0;
    }
}

/* Make @task's what a program starts with. */
static void extended_state_reset(struct task *task)
{
    struct area *area = task->fpu;

    if (fpu_format.xsave) {
        /* XRSTOR starts afresh what XSTATE_BV leaves out, but for MXCSR. */
        header_set(area, 0);
        area->mxcsr = FPU_MXCSR_START;
    } else {
        fpu_init(area);
    }
    task->pkru = PKRU_START;
}

/* Write @task's area to @to, as Linux's XSAVE would. In: task_save(). */
static bool extended_state_to_user(struct task *task, vaddr_t to)
{
    struct area *area = task->fpu;

    /* In the area itself: it is about to start afresh, and the processor does not mind. */
    area->software = (struct fpu_software){
        .magic1 = FPU_MAGIC1,
        .extended_bytes = fpu_format.bytes + (uint32_t)sizeof(uint32_t),
        .features = fpu_format.features,
        .xstate_bytes = fpu_format.bytes,
    };
    if (!fpu_format.xsave) {
        return copy_to_user(to, area, fpu_format.bytes) == 0;
    }
    area->xstate_bv |= FX_PARTS; /* who edits these in the frame need not know of the header */
    if (fpu_format.pkru_at) {
        area->xstate_bv &= ~(uint64_t)XCR0_PKRU;
        area->xstate_bv |= task->pkru ? XCR0_PKRU : 0;
        if (!put_user(task->pkru, to + fpu_format.pkru_at, 8)) {
            return false;
        }
    }
    return copy_to_user(to, area, area_front_bytes()) == 0 &&
           put_user(FPU_MAGIC2, to + fpu_format.bytes, 4);
}

/* Is there more at @from than FXSAVE's part, of which @area is a copy? *@readable: could that be told? */
static bool is_extended(const struct area *area, vaddr_t from, bool *readable)
{
    uint64_t magic2;

    *readable = true;
    if (!fpu_format.xsave || area->software.magic1 != FPU_MAGIC1 ||
        area->software.xstate_bytes < sizeof(struct area) ||
        area->software.xstate_bytes > fpu_format.bytes ||
        area->software.xstate_bytes > area->software.extended_bytes) {
        return false;
    }
    *readable = get_user(&magic2, from + area->software.xstate_bytes, 4);
    return magic2 == FPU_MAGIC2;
}

/* XRSTOR from @from, of which @bytes are in @area. Out: the parts that come from there. */
static bool take_extended(struct task *task, vaddr_t from, uint64_t bytes, uint64_t *parts)
{
    struct area *area = task->fpu;
    uint64_t wanted = area->software.features & fpu_format.features, pkru = 0;

    if (from % FPU_ALIGN != 0 || bytes < sizeof(struct area) ||
        (area->xstate_bv & ~fpu_format.features) != 0 || area->xcomp_bv != 0 ||
        area->zero[0] != 0) {
        return false;
    }
    *parts = area->xstate_bv & wanted;
    if (*parts & ~(FX_PARTS | XCR0_PKRU) && bytes < area_front_bytes()) {
        return false;
    }
    if (*parts & XCR0_PKRU && !get_user(&pkru, from + fpu_format.pkru_at, 8)) {
        return false;
    }
    if (fpu_format.pkru_at) {
        task->pkru = (uint32_t)pkru;
    }
    if (!(wanted & (XCR0_SSE | XCR0_AVX))) {
        area->mxcsr = FPU_MXCSR_START;
    }
    return true;
}

/* FXRSTOR: everything else starts afresh, PKRU at 0, as XRSTOR does it. */
static bool take_legacy(struct task *task, vaddr_t from, uint64_t *parts)
{
    *parts = FX_PARTS;
    if (fpu_format.pkru_at) {
        task->pkru = 0;
    }
    return from % 16 == 0;
}

/* Fill @task's area and PKRU from @from, and the registers with it. */
static bool extended_state_from_user(struct task *task, vaddr_t from)
{
    struct area *area = task->fpu;
    uint64_t front = area_front_bytes(), bytes, parts;
    bool readable;

    if (!uaccess_in_range(from, fpu_format.bytes + sizeof(uint32_t))) {
        return false;
    }
    bytes = front - copy_from_user(area, from, front);
    if (bytes < FPU_HEADER_AT) {
        return false;
    }
    if (is_extended(area, from, &readable)) {
        if (!take_extended(task, from, bytes, &parts)) {
            return false;
        }
    } else if (!readable || !take_legacy(task, from, &parts)) {
        return false;
    }
    if (fpu_format.xsave) {
        header_set(area, parts & ~(uint64_t)XCR0_PKRU);
    }
    /* MXCSR's reserved bits are the processor's to refuse. */
    return fpu_restore(area);
}

/* ---- into the handler ---------------------------------------------------------------------------------- */

/* Where the frame goes, and below which address the extended state. Out: false: the stack is too small. */
static bool frame_place(const struct task *task, bool wants_stack, vaddr_t *frame, vaddr_t *state)
{
    const struct signals *signals = &task->signals;
    bool nested = signal_on_stack(signals, task->frame.rsp), entering = false;
    uint64_t rsp = task->frame.rsp - SIGNAL_RED_ZONE;
    uint32_t bytes = fpu_format.bytes + (fpu_format.xsave ? (uint32_t)sizeof(uint32_t) : 0);

    if (wants_stack && signals->stack.bytes && !signal_on_stack(signals, rsp)) {
        rsp = signals->stack.base + signals->stack.bytes;
        entering = true;
    }
    *state = ALIGN_DOWN(rsp - bytes, FPU_ALIGN);
    *frame = ALIGN_DOWN(*state - sizeof(struct signal_frame), 16) - 8;
    return !(nested || entering) || on_stack_anyway(signals, *frame);
}

/* Field by field: a compound literal would write all of it twice. */
static void fill_context(struct signal_context *to, const struct task *task, vaddr_t state)
{
    const struct trap_frame *from = &task->frame;
    const struct signals *signals = &task->signals;
    struct signal_registers *registers = &to->registers;

    to->flags = UC_SIGCONTEXT_SS;
    to->flags |= fpu_format.xsave ? UC_FP_XSTATE : 0;
    to->flags |= signals->code_selector == LINUX_USER_CS ? UC_STRICT_RESTORE_SS : 0;
    to->link = 0;
    to->stack.base = signals->stack.base;
    to->stack.flags = signals->stack.flags;
    to->stack.padding = 0;
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
    registers->gs = 0;
    registers->fs = 0;
    registers->ss = signals->stack_selector;
    registers->error_code = signals->error_code;
    registers->trap_number = signals->trap_number;
    registers->old_mask = signals->blocked;
    registers->cr2 = signals->cr2;
    registers->extended_state = state;
    for (unsigned i = 0; i < ARRAY_COUNT(registers->reserved); i++) {
        registers->reserved[i] = 0;
    }
    to->mask = signals->blocked;
}

static void fill_info(struct signal_info_frame *to, const struct signal_info *from)
{
    *to = (struct signal_info_frame){.signal = from->signal, .code = from->code};
    if (from->code == SI_KERNEL) {
        return;
    }
    switch (from->signal) {
    case SIGILL:
    case SIGTRAP:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
        if (from->code != SI_USER) {
            to->fault.address = from->address;
            to->fault.key = from->key;
            return;
        }
        break;
    default:
        break;
    }
    to->process.pid = from->pid;
    to->process.uid = from->uid;
    to->process.status = from->status;
}

bool signal_frame_enter(struct task *task, const struct signal_action *action,
                        const struct signal_info *info)
{
    struct trap_frame *user = &task->frame;
    struct signal_frame frame;
    uint64_t bytes = offsetof(struct signal_frame, info);
    vaddr_t at, state;

    if (!(action->flags & SA_RESTORER) ||
        !frame_place(task, action->flags & SA_ONSTACK, &at, &state)) {
        return false;
    }
    task_save(task);
    if (!extended_state_to_user(task, state)) {
        return false;
    }
    frame.restorer = action->restorer;
    fill_context(&frame.context, task, state);
    if (action->flags & SA_SIGINFO) {
        fill_info(&frame.info, info);
        bytes = sizeof(frame);
    }
    if (copy_to_user(at, &frame, bytes) != 0) {
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
    extended_state_reset(task);
    task_load(task);
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
}

bool signal_frame_leave(struct task *task)
{
    struct signal_context context;
    vaddr_t at = task->frame.rsp - sizeof(uint64_t); /* the handler's RET took the restorer */
    bool good = true;

    if (!uaccess_in_range(at, sizeof(struct signal_frame)) ||
        copy_from_user(&context, at + offsetof(struct signal_frame, context), sizeof(context)) !=
            0) {
        return false;
    }
    task->signals.blocked = context.mask & ~(BIT(SIGKILL - 1) | BIT(SIGSTOP - 1));
    take_registers(task, &context);
    task_save(task);
    if (!context.registers.extended_state) {
        extended_state_reset(task);
    } else if (!extended_state_from_user(task, context.registers.extended_state)) {
        extended_state_reset(task);
        good = false;
    }
    task_load(task);
    if (good) {
        /* Errors do not matter, as in Linux: the stack stays what it was. */
        signal_stack_set(&task->signals, &context.stack, task->frame.rsp);
    }
    return good;
}
