/*
 * signal.h: signals as Linux delivers them on x86-64. Floor: os.
 *
 *   signal_send, signal_force, signal_exception     what happens to a task is noted
 *   signal_deliver                                  before it goes on in ring 3: handler, death, or nothing
 *   sys_rt_sigreturn                                the handler is done
 *
 * docs/signals.md says what is Linux's and what is not.
 */
#ifndef OS_SIGNAL_H
#define OS_SIGNAL_H

#include "mm/mm.h"
#include "mm/signal_number.h"

#include <bsd/sys/queue.h>

#define SIG_DFL UINT64_C(0)
#define SIG_IGN UINT64_C(1)

#define SA_NOCLDSTOP UINT64_C(0x00000001)
#define SA_NOCLDWAIT UINT64_C(0x00000002)
#define SA_SIGINFO   UINT64_C(0x00000004)
#define SA_RESTORER  UINT64_C(0x04000000)
#define SA_ONSTACK   UINT64_C(0x08000000)
#define SA_RESTART   UINT64_C(0x10000000)
#define SA_NODEFER   UINT64_C(0x40000000)
#define SA_RESETHAND UINT64_C(0x80000000)

struct task;

/* Linux's struct sigaction as rt_sigaction takes it. */
struct signal_action {
    uint64_t handler, flags, restorer, mask;
};

/* What of siginfo this system fills in; the rest of it is 0. */
struct signal_info {
    int32_t signal, code;
    uint64_t address;  /* of a fault */
    uint16_t key;      /* SEGV_PKUERR */
    bool own;          /* of what the thread did itself (SIGPIPE): taken before what was sent */
    uint32_t pid, uid; /* SI_USER, SIGCHLD */
    int32_t status;    /* SIGCHLD */
};

struct signal_queued;
TAILQ_HEAD(signal_queue, signal_queued);

struct signals {
    struct signal_action action[SIGNALS]; /* of signal @n at n - 1 */
    uint64_t blocked;                     /* bit n - 1 */
    uint64_t own, shared;      /* pending, the thread's own and what was sent; without @forced */
    struct signal_queue queue; /* of the pending ones, the oldest first */
    uint32_t queued;           /* entries of @queue */
    struct signal_info forced; /* signal_force()'s; signal 0: none */
    uint32_t fatal;            /* the signal that has decided that the task dies, or 0 */
    struct {
        uint64_t base, bytes;
        uint32_t flags; /* as sigaltstack was given them */
    } stack;
    uint16_t code_selector,
        stack_selector; /* what the last frame asked for, if it may: see @refused */
    bool refused;       /* a frame asked for CS or SS that a program cannot have */
    /* For ucontext: the last exception (Linux's thread.trap_nr, error_code, cr2). */
    uint64_t trap_number, error_code, cr2;
};

/* What a first task starts with. */
void signal_init(struct signals *signals);

/* fork: handlers, mask, alternate stack are inherited, what is pending is not. */
void signal_fork(const struct signals *from, struct signals *to);

/* exit: give back what is queued. */
void signal_release(struct signals *signals);

/*
 * Make @info's signal pending for @task, unless it is ignored. A task that waits in wait4 or for a pipe becomes ready
 * when it has a signal to take: signal_deliver() calls task_interrupt() where a handler is entered, and else the
 * call is made again and waits again.
 */
void signal_send(struct task *task, const struct signal_info *info);

/*
 * A fault of @task's own (force_sig_fault): delivered whatever is blocked or ignored; blocked or ignored, it
 * kills. @trap, @error, @cr2 go to the ucontext.
 */
void signal_force(struct task *task, const struct signal_info *info, uint64_t trap, uint64_t error,
                  uint64_t cr2);

/*
 * Any exception in ring 3 but #PF: @vector with its @error code (0 without one), and ring3_run()'s RING3_BAD_FRAME, becomes
 * Linux's signal, forced. @dr6: with #DB. Out: false: @vector is no exception that programs can make.
 */
MUST_CHECK bool signal_exception(struct task *task, uint64_t vector, uint64_t error, uint64_t dr6);

/* All that is pending, but for @forced. */
static inline uint64_t signal_pending_set(const struct signals *signals)
{
    return signals->own | signals->shared;
}

/* Is there anything for signal_deliver() to do? */
static inline bool signal_pending(const struct signals *signals)
{
    return ((signal_pending_set(signals) & ~signals->blocked) | (uint32_t)signals->forced.signal |
            signals->fatal | signals->refused) != 0;
}

/*
 * Before @task, the current one, goes on in ring 3: take what is pending and not blocked; build the frames of
 * handlers, stop, or kill. Out: false: the task is stopped (TASK_STOPPED), waits for the page that a frame goes to, or is
 * gone: task_exit() was called.
 */
MUST_CHECK bool signal_deliver(struct task *task);

/* Does @parent want no zombies (SIGCHLD ignored, or SA_NOCLDWAIT)? For exit; then wait4 waits for all of them, and fails. */
bool signal_reaps_children(const struct signals *parent);

/*
 * Tell the parent of @task, if there is one, what became of it, a CLD_ code with @status: SIGCHLD, unless it does not want to
 * hear of that, and its wait4 looks again.
 */
void signal_parent(const struct task *task, int code, int32_t status);

int64_t sys_rt_sigaction(struct task *task, uint64_t signal, vaddr_t new_action, vaddr_t old_action,
                         uint64_t set_bytes);
int64_t sys_rt_sigprocmask(struct task *task, uint64_t how, vaddr_t new_set, vaddr_t old_set,
                           uint64_t set_bytes);
int64_t sys_sigaltstack(struct task *task, vaddr_t new_stack, vaddr_t old_stack);
/* All registers come from the frame, and the result is its rax. A bad frame is SIGSEGV. */
int64_t sys_rt_sigreturn(struct task *task);
int64_t sys_kill(struct task *task, uint64_t pid, uint64_t signal);

#endif
