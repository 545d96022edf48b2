/*
 * signal.h: signals as Linux delivers them on x86-64. Floor: os.
 */
#ifndef OS_SIGNAL_H
#define OS_SIGNAL_H

#include "mm/mm.h"
#include "mm/signal_number.h"

struct task;

/* Linux's struct sigaction as rt_sigaction takes it. */
struct signal_action {
    uint64_t handler, flags, restorer, mask;
};

/* What of siginfo this system fills in. */
struct signal_info {
    int32_t signal, code;
    uint64_t address;  /* of a fault */
    uint32_t key;      /* SEGV_PKUERR */
    uint32_t pid, uid; /* SI_USER, SIGCHLD */
    int32_t status;
};

struct signals {
    struct signal_action action[SIGNALS + 1];
    uint64_t blocked, pending;            /* bit @signal - 1 */
    struct signal_info info[SIGNALS + 1]; /* of the pending ones */
    struct {
        uint64_t base, bytes;
        uint32_t flags;
    } stack; /* sigaltstack */
    /* For ucontext: the last exception (Linux's thread.trap_nr, error_code, cr2). */
    uint64_t trap_number, error_code, cr2;
};

/* Make @info's signal pending for @task, unless it is ignored. Wakes a task that waits in a system call. */
void signal_send(struct task *task, const struct signal_info *info);

/*
 * A fault of @task's own (force_sig_fault): delivered whatever is blocked or ignored; blocked or ignored, it
 * kills. @trap, @error, @cr2 go to the ucontext.
 */
void signal_force(struct task *task, const struct signal_info *info, uint64_t trap, uint64_t error,
                  uint64_t cr2);

/*
 * Before @task returns to ring 3: take what is pending and not blocked; build the frame of a handler, or kill.
 * @restart: the system call that was interrupted, to be executed again after the handler where SA_RESTART says so.
 * Out: false: the task is gone.
 */
MUST_CHECK bool signal_deliver(struct task *task);

/* fork: handlers, mask and alternate stack are inherited, what is pending is not. */
void signal_fork(const struct signals *from, struct signals *to);

int64_t sys_rt_sigaction(struct task *task, uint64_t signal, vaddr_t new_action, vaddr_t old_action,
                         uint64_t set_bytes);
int64_t sys_rt_sigprocmask(struct task *task, uint64_t how, vaddr_t new_set, vaddr_t old_set,
                           uint64_t set_bytes);
int64_t sys_sigaltstack(struct task *task, vaddr_t new_stack, vaddr_t old_stack);
/* All registers come from the frame; its rax is the result. A bad frame is SIGSEGV. */
int64_t sys_rt_sigreturn(struct task *task);
int64_t sys_kill(struct task *task, int64_t pid, uint64_t signal);

#endif
