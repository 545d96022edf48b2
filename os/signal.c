/*
 * signal.c: which signal a task takes next, and what becomes of it; the system calls around that. Hop d of a fault in
 * ring 3 ends here (docs/signals.md). What a handler finds on its stack: signal_frame.c.
 */
#include "signal.h"

#include "fault/fpu.h"
#include "fault/ring3.h"
#include "fault/uaccess.h"
#include "signal_frame.h"
#include "system_call.h"
#include "x86/exception.h"

#define SET(signal) BIT((signal)-1)

#define SET_UNBLOCKABLE (SET(SIGKILL) | SET(SIGSTOP))
/* Made by an instruction of the task's own: taken first, so that a handler's frame shows that instruction. */
#define SET_SYNCHRONOUS                                                                            \
    (SET(SIGSEGV) | SET(SIGBUS) | SET(SIGILL) | SET(SIGTRAP) | SET(SIGFPE) | SET(SIGSYS))
/* What SIG_DFL does; everything else kills. */
#define SET_IGNORED (SET(SIGCONT) | SET(SIGCHLD) | SET(SIGWINCH) | SET(SIGURG))
#define SET_STOPS   (SET(SIGSTOP) | SET(SIGTSTP) | SET(SIGTTIN) | SET(SIGTTOU))
#define SET_CORE                                                                                   \
    (SET(SIGQUIT) | SET(SIGILL) | SET(SIGTRAP) | SET(SIGABRT) | SET(SIGFPE) | SET(SIGSEGV) |       \
     SET(SIGBUS) | SET(SIGSYS) | SET(SIGXCPU) | SET(SIGXFSZ))

/* Flags that rt_sigaction keeps (Linux's UAPI_SA_FLAGS of x86); 0x800 is SA_EXPOSE_TAGBITS. */
#define SA_KEPT                                                                                    \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | UINT64_C(0x800) | SA_RESTORER | SA_ONSTACK |       \
     SA_RESTART | SA_NODEFER | SA_RESETHAND)

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define DR6_STEP        0x4000u
#define DR6_BREAKPOINTS 0xfu

/* Entries of one task's queue; beyond them a signal is pending without its cause, as under RLIMIT_SIGPENDING. */
#define QUEUED_MAX 4096u

struct signal_queued {
    TAILQ_ENTRY(signal_queued) node;
    struct signal_info info;
};
static struct object_cache queued_cache = OBJECT_CACHE("signal", struct signal_queued);

/* ---- what is pending ----------------------------------------------------------------------------------- */

void signal_init(struct signals *signals)
{
    *signals = (struct signals){.code_selector = LINUX_USER_CS, .stack_selector = LINUX_USER_DS};
    TAILQ_INIT(&signals->queue);
    signal_stack_reset(signals);
}

void signal_fork(const struct signals *from, struct signals *to)
{
    *to = *from;
    to->own = to->shared = 0;
    TAILQ_INIT(&to->queue);
    to->queued = 0;
    to->forced = (struct signal_info){0};
    to->fatal = 0;
}

/* The set that instances of signals stay in until they are taken. */
static uint64_t *set_of(struct signals *signals, bool own)
{
    return own ? &signals->own : &signals->shared;
}

static void dequeue(struct signals *signals, struct signal_queued *entry)
{
    TAILQ_REMOVE(&signals->queue, entry, node);
    signals->queued--;
    object_free(&queued_cache, entry);
}

/* Pending ones of @set are pending no more. */
static void flush(struct signals *signals, uint64_t set)
{
    struct signal_queued *entry, *next;

    if (!(signal_pending_set(signals) & set)) {
        return;
    }
    signals->own &= ~set;
    signals->shared &= ~set;
    for (entry = TAILQ_FIRST(&signals->queue); entry; entry = next) {
        next = TAILQ_NEXT(entry, node);
        if (SET(entry->info.signal) & set) {
            dequeue(signals, entry);
        }
    }
}

void signal_release(struct signals *signals)
{
    flush(signals, ~UINT64_C(0));
    signals->forced.signal = 0;
    signals->fatal = 0;
}

/* Does @signal come to nothing when it is not blocked? */
static bool is_ignored(const struct signals *signals, unsigned signal)
{
    uint64_t handler = signals->action[signal - 1].handler;

    return handler == SIG_IGN || (handler == SIG_DFL && SET(signal) & SET_IGNORED);
}

bool signal_reaps_children(const struct signals *parent)
{
    const struct signal_action *action = &parent->action[SIGCHLD - 1];

    return action->handler == SIG_IGN || action->flags & SA_NOCLDWAIT;
}

void signal_parent(const struct task *task, int code, int32_t status)
{
    const struct signal_info info = {
        .signal = SIGCHLD, .code = code, .pid = task->pid, .status = status};
    const bool ended = code < CLD_STOPPED;
    struct task *parent = task->parent;

    if (!parent) {
        return;
    }
    const struct signal_action *action = &parent->signals.action[SIGCHLD - 1];
    if (action->handler != SIG_IGN && (ended || !(action->flags & SA_NOCLDSTOP))) {
        signal_send(parent, &info);
    }
    if (parent->state == TASK_WAITS_CHILD) {
        parent->state = TASK_READY;
    }
}

static void add(struct signals *signals, const struct signal_info *info)
{
    struct signal_queued *entry = NULL;

    if (signals->queued < QUEUED_MAX) {
        entry = object_alloc(&queued_cache);
    }
    if (entry) {
        entry->info = *info;
        TAILQ_INSERT_TAIL(&signals->queue, entry, node);
        signals->queued++;
    }
    *set_of(signals, info->own) |= SET(info->signal);
}

/* @task has @signal to take, which is not blocked: it does not wait any longer. @decides: it may be what it dies of. */
static void wake(struct task *task, unsigned signal, bool decides)
{
    struct signals *signals = &task->signals;

    if (task->state == TASK_STOPPED && signal != SIGKILL) {
        return;
    }
    /* Where death needs no core dump it is decided now, whatever else is pending. */
    if (decides && !signals->fatal && signals->action[signal - 1].handler == SIG_DFL &&
        !(SET(signal) & (SET_IGNORED | SET_STOPS | SET_CORE))) {
        signals->fatal = signal;
        task->news = 0;
    }
    if (task->state == TASK_WAITS_CHILD || task->state == TASK_WAITS_PIPE ||
        task->state == TASK_STOPPED) {
        task->state = TASK_READY;
    }
}

void signal_send(struct task *task, const struct signal_info *info)
{
    struct signals *signals = &task->signals;
    unsigned signal = (unsigned)info->signal;
    bool blocked = signals->blocked & SET(signal);

    if (task->state == TASK_ZOMBIE) {
        return;
    }
    if (SET(signal) & SET_STOPS) {
        flush(signals, SET(SIGCONT));
    } else if (signal == SIGCONT) {
        flush(signals, SET_STOPS);
        if (task->state == TASK_STOPPED) {
            task->state =
                TASK_READY; /* what it may have waited for, its system call finds out again */
            task->news = STATUS_CONTINUED;
            signal_parent(task, CLD_CONTINUED, SIGCONT);
        }
    }
    /* A blocked one is not ignored: there may be a handler by the time it is unblocked. */
    if (!blocked && is_ignored(signals, signal)) {
        return;
    }
    if (signal < SIGRTMIN && *set_of(signals, info->own) & SET(signal)) {
        return;
    }
    /* Who has some to take and does not run takes all in their order when it does: only SIGKILL is decided before. */
    const bool decides = signal == SIGKILL || task == task_current() ||
                         !(signal_pending_set(signals) & ~signals->blocked);
    add(signals, info);
    if (!blocked) {
        wake(task, signal, decides);
    }
}

/* ---- a task's own faults -------------------------------------------------------------------------------- */

/* Linux's force_sig_info. */
static void force(struct task *task, const struct signal_info *info, bool kills)
{
    struct signals *signals = &task->signals;
    struct signal_action *action = &signals->action[info->signal - 1];
    bool blocked = signals->blocked & SET(info->signal);

    if (blocked || action->handler == SIG_IGN || kills) {
        action->handler = SIG_DFL;
        signals->blocked &= ~SET(info->signal);
    }
    signals->forced = *info;
}

static void force_segv(struct task *task, bool kills)
{
    force(task, &(struct signal_info){.signal = SIGSEGV, .code = SI_KERNEL}, kills);
}

void signal_force(struct task *task, const struct signal_info *info, uint64_t trap, uint64_t error,
                  uint64_t cr2)
{
    task->signals.trap_number = trap;
    task->signals.error_code = error;
    task->signals.cr2 = cr2;
    force(task, info, false);
}

/* SIGFPE's code for what x87 (#MF) or SSE (#XM) complains about; 0: nothing. SDM vol. 1 8.3.3, 11.6.4. */
static int floating_point_code(struct task *task, uint64_t vector)
{
    static const struct {
        uint32_t flags;
        int code;
    } codes[] = {
        {0x01, FPE_FLTINV},
        {0x04, FPE_FLTDIV},
        {0x08, FPE_FLTOVF},
        {0x12, FPE_FLTUND},
        {0x20, FPE_FLTRES},
    };
    const uint8_t *area = task->fpu;
    uint16_t control, status;
    uint32_t mxcsr, raised;

    task_save(task);
    __builtin_memcpy(&control, area, sizeof(control));
    __builtin_memcpy(&status, area + 2, sizeof(status));
    __builtin_memcpy(&mxcsr, area + 24, sizeof(mxcsr));
    raised = vector == VECTOR_MF ? status & ~(uint32_t)control : mxcsr & ~(mxcsr >> 7);
    for (unsigned i = 0; i < ARRAY_COUNT(codes); i++) {
        if (raised & codes[i].flags) {
            return codes[i].code;
        }
    }
    return 0;
}

static int debug_code(uint64_t dr6)
{
    if (dr6 & DR6_STEP) {
        return TRAP_TRACE;
    }
    return dr6 & DR6_BREAKPOINTS ? TRAP_HWBKPT : TRAP_BRKPT;
}

bool signal_exception(struct task *task, uint64_t vector, uint64_t error, uint64_t dr6)
{
    static const struct {
        uint8_t signal, code;
        bool at_rip; /* si_addr: the instruction */
    } exceptions[] = {
        [VECTOR_DE] = {SIGFPE,  FPE_INTDIV, true },
          [VECTOR_DB] = {SIGTRAP, 0,          true },
        [VECTOR_BP] = {SIGTRAP, SI_KERNEL,  false},
          [VECTOR_OF] = {SIGSEGV, SI_KERNEL,  false},
        [VECTOR_BR] = {SIGSEGV, SI_KERNEL,  false},
          [VECTOR_UD] = {SIGILL,  ILL_ILLOPN, true },
        [VECTOR_TS] = {SIGSEGV, SI_KERNEL,  false},
          [VECTOR_NP] = {SIGBUS,  SI_KERNEL,  false},
        [VECTOR_SS] = {SIGBUS,  SI_KERNEL,  false},
          [VECTOR_GP] = {SIGSEGV, SI_KERNEL,  false},
        [VECTOR_MF] = {SIGFPE,  0,          true },
          [VECTOR_AC] = {SIGBUS,  BUS_ADRALN, false},
        [VECTOR_XM] = {SIGFPE,  0,          true },
    };
    struct signal_info info = {0};

    if (vector == RING3_BAD_FRAME) {
        vector =
            VECTOR_GP; /* IRETQ found RIP not canonical: the program's #GP, like a jump there */
        error = 0;
    }
    if (vector >= ARRAY_COUNT(exceptions) || !exceptions[vector].signal) {
        return false;
    }
    info.signal = exceptions[vector].signal;
    info.code = exceptions[vector].code;
    info.address = exceptions[vector].at_rip ? task->frame.rip : 0;
    if (vector == VECTOR_DB) {
        info.code = debug_code(dr6);
        error = 0;
    } else if (vector == VECTOR_MF || vector == VECTOR_XM) {
        info.code = floating_point_code(task, vector);
        error = 0;
    }
    if (!info.code) {
        task->signals.trap_number = vector;
        task->signals.error_code = error;
        return true; /* nothing is wrong any more: the instruction is executed again */
    }
    signal_force(task, &info, vector, error, task->signals.cr2);
    return true;
}

/* ---- delivery ------------------------------------------------------------------------------------------ */

/* The next of the pending ones, into @info. Out: false: all are blocked. */
static __attribute__((noinline)) bool take_pending(struct signals *signals,
                                                   struct signal_info *info)
{
    const bool own = signals->own & ~signals->blocked;
    uint64_t *set = set_of(signals, own), deliverable = *set & ~signals->blocked;
    struct signal_queued *entry, *found = NULL;
    bool more = false;
    int32_t signal;

    if (!deliverable) {
        return false;
    }
    if (deliverable & SET_SYNCHRONOUS) {
        deliverable &= SET_SYNCHRONOUS;
    }
    signal = __builtin_ctzll(deliverable) + 1;
    TAILQ_FOREACH (entry, &signals->queue, node) {
        if (entry->info.signal == signal && entry->info.own == own) {
            if (found) {
                more = true;
                break;
            }
            found = entry;
        }
    }
    if (!more) {
        *set &= ~SET(signal);
    }
    *info = (struct signal_info){.signal = signal, .code = SI_USER};
    if (found) {
        *info = found->info;
        dequeue(signals, found);
    }
    return true;
}

/* In: @info may be the task's forced one, which is taken with that. Out: false: the frame's page is under way. */
static bool enter_handler(struct task *task, const struct signal_info *info)
{
    struct signals *signals = &task->signals;
    const unsigned signal = (unsigned)info->signal;
    struct signal_action *action = &signals->action[signal - 1];
    const uint64_t flags = action->flags;

    if (task->system_call != SYSTEM_CALL_NONE) {
        task_interrupt(task, flags & SA_RESTART);
    }
    const bool entered = signal_frame_enter(task, action, info);
    if (!entered && task_waits_for_page(task)) {
        signals->forced = *info; /* still to be taken, before all others */
        return false;
    }
    if (info == &signals->forced) {
        signals->forced.signal = 0;
    }
    if (flags & SA_RESETHAND) {
        action->handler = SIG_DFL;
    }
    if (!entered) {
        force_segv(task, signal == SIGSEGV);
        return true;
    }
    signals->blocked |= action->mask | (flags & SA_NODEFER ? 0 : SET(signal));
    if (signals->stack.flags & SS_AUTODISARM) {
        signal_stack_reset(signals);
    }
    return true;
}

/*
 * A program whose frame asked for a CS or SS that it cannot have goes on until IRET refuses them, which is the program's
 * own #GP with the selector as its error code. Here the processor is not asked.
 */
static __attribute__((noinline)) bool selectors_refused(struct task *task)
{
    const struct signals *signals = &task->signals;
    const uint16_t selector =
        signals->code_selector != LINUX_USER_CS ? signals->code_selector : signals->stack_selector;

    return signal_exception(task, VECTOR_GP, selector & ~UINT64_C(3), 0);
}

/* The default action of a signal that is not ignored. Out: false: the task does not go on. */
static bool act_by_default(struct task *task, unsigned signal)
{
    if (signal == SIGSTOP) {
        task->state = TASK_STOPPED;
        task->news = STATUS_STOPPED(signal);
        signal_parent(task, CLD_STOPPED, (int32_t)signal);
        return false;
    }
    if (SET(signal) & SET_STOPS) {
        return true; /* the terminal's: nobody with job control is there to continue it */
    }
    task_exit(task, (int)signal);
    return false;
}

bool signal_deliver(struct task *task)
{
    struct signals *signals = &task->signals;

    while (!signals->fatal) {
        struct signal_info taken;
        const struct signal_info *info = &signals->forced;
        if (!info->signal) {
            info = &taken;
            if (!(signal_pending_set(signals) & ~signals->blocked) ||
                !take_pending(signals, &taken)) {
                if (!signals->refused || !selectors_refused(task)) {
                    return true;
                }
                continue;
            }
        }
        unsigned signal = (unsigned)info->signal;
        if (signals->action[signal - 1].handler > SIG_IGN) {
            if (!enter_handler(task, info)) {
                return false;
            }
        } else if (!is_ignored(signals, signal) && !act_by_default(task, signal)) {
            return false;
        }
    }
    task_exit(task, (int)signals->fatal);
    return false;
}

/* ---- system calls --------------------------------------------------------------------------------------- */

int64_t sys_rt_sigaction(struct task *task, uint64_t signal, vaddr_t new_action, vaddr_t old_action,
                         uint64_t set_bytes)
{
    struct signals *signals = &task->signals;
    int32_t number = (int32_t)signal; /* an int to Linux */
    struct signal_action new, old, *action;

    if (set_bytes != sizeof(uint64_t)) {
        return -EINVAL;
    }
    if (new_action && copy_from_user(&new, new_action, sizeof(new)) != 0) {
        return copy_failed(task);
    }
    if (number < 1 || number > SIGNALS || (new_action && SET(number) & SET_UNBLOCKABLE)) {
        return -EINVAL;
    }
    action = &signals->action[number - 1];
    old = *action;
    if (new_action) {
        new.flags &= SA_KEPT;
        new.mask &= ~SET_UNBLOCKABLE;
        *action = new;
        if (is_ignored(signals, (unsigned)number)) {
            flush(signals, SET(number));
        }
    }
    if (!old_action || copy_to_user(old_action, &old, sizeof(old)) == 0) {
        return 0;
    }
    const int64_t error = copy_failed(task);
    if (error == -ERESTART) {
        *action = old;
    }
    return error;
}

int64_t sys_rt_sigprocmask(struct task *task, uint64_t how, vaddr_t new_set, vaddr_t old_set,
                           uint64_t set_bytes)
{
    struct signals *signals = &task->signals;
    uint64_t old = signals->blocked, set;

    if (set_bytes != sizeof(uint64_t)) {
        return -EINVAL;
    }
    if (new_set) {
        if (!get_user(&set, new_set, sizeof(set))) {
            return copy_failed(task);
        }
        set &= ~SET_UNBLOCKABLE;
        switch ((int32_t)how) {
        case SIG_BLOCK:
            signals->blocked |= set;
            break;
        case SIG_UNBLOCK:
            signals->blocked &= ~set;
            break;
        case SIG_SETMASK:
            signals->blocked = set;
            break;
        default:
            return -EINVAL;
        }
    }
    if (!old_set || put_user(old, old_set, sizeof(old))) {
        return 0;
    }
    const int64_t error = copy_failed(task);
    if (error == -ERESTART) {
        signals->blocked = old;
    }
    return error;
}

int64_t sys_sigaltstack(struct task *task, vaddr_t new_stack, vaddr_t old_stack)
{
    struct signals *signals = &task->signals;
    struct signal_stack new, old = {.base = signals->stack.base,
                                    .flags = signals->stack.flags & SS_AUTODISARM,
                                    .bytes = signals->stack.bytes};
    const __typeof__(signals->stack) before = signals->stack;
    int64_t error;

    if (new_stack && copy_from_user(&new, new_stack, sizeof(new)) != 0) {
        return copy_failed(task);
    }
    if (!signals->stack.bytes) {
        old.flags |= SS_DISABLE;
    } else if (signal_on_stack(signals, task->frame.rsp)) {
        old.flags |= SS_ONSTACK;
    }
    if (new_stack) {
        error = signal_stack_set(signals, &new, task->frame.rsp);
        if (error) {
            return error;
        }
    }
    if (!old_stack || copy_to_user(old_stack, &old, sizeof(old)) == 0) {
        return 0;
    }
    error = copy_failed(task);
    if (error == -ERESTART) {
        signals->stack = before;
    }
    return error;
}

int64_t sys_rt_sigreturn(struct task *task)
{
    if (signal_frame_leave(task)) {
        return (int64_t)task->frame.rax;
    }
    if (task->state == TASK_WAITS_PAGE) {
        return -ERESTART;
    }
    force_segv(task, false);
    return 0;
}

int64_t sys_kill(struct task *task, uint64_t pid, uint64_t signal)
{
    int32_t whom = (int32_t)pid, number = (int32_t)signal;
    struct signal_info info = {.signal = number, .code = SI_USER, .pid = task->pid};
    struct task *other = NULL;

    if (whom > 0) {
        other = task_find((uint64_t)whom);
    }
    /* Process groups: there is one, which has no number that programs could know. */
    if ((whom > 0 && !other) || whom < -1) {
        return -ESRCH;
    }
    if (number < 0 || number > SIGNALS) {
        return -EINVAL;
    }
    if (!number) {
        return 0;
    }
    if (other) {
        signal_send(other, &info);
        return 0;
    }
    TAILQ_FOREACH (other, &all_tasks, node) {
        if (whom == 0 || other != task) {
            signal_send(other, &info);
        }
    }
    return 0; /* to -1 as well, even if there is nobody: Linux has threads of its own to send it to */
}
