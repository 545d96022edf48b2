/* signal_stub.c: what a system without signals would do, until os/signal.c is here. Floor: os. */
#include "task.h"

#define STUB __attribute__((weak))

STUB void signal_init(struct signals *signals)
{
    *signals = (struct signals){.code_selector = 0x33, .stack_selector = 0x2b};
}

STUB void signal_fork(const struct signals *from, struct signals *to)
{
    *to = *from;
}

STUB void signal_release(struct signals *signals)
{
    (void)signals;
}

STUB void signal_send(struct task *task, const struct signal_info *info)
{
    (void)task;
    (void)info;
}

STUB void signal_force(struct task *task, const struct signal_info *info, uint64_t trap,
                       uint64_t error, uint64_t cr2)
{
    (void)trap;
    (void)error;
    (void)cr2;
    task_exit(task, info->signal);
}

STUB bool signal_exception(struct task *task, uint64_t vector, uint64_t error, uint64_t dr6)
{
    (void)vector;
    (void)error;
    (void)dr6;
    task_exit(task, SIGSEGV);
    return true;
}

STUB bool signal_deliver(struct task *task)
{
    (void)task;
    return true;
}

STUB bool signal_reaps_children(const struct signals *parent)
{
    (void)parent;
    return false;
}

STUB int64_t sys_rt_sigaction(struct task *task, uint64_t signal, vaddr_t new_action,
                              vaddr_t old_action, uint64_t set_bytes)
{
    (void)task;
    (void)signal;
    (void)new_action;
    (void)old_action;
    (void)set_bytes;
    return 0;
}

STUB int64_t sys_rt_sigprocmask(struct task *task, uint64_t how, vaddr_t new_set, vaddr_t old_set,
                                uint64_t set_bytes)
{
    (void)task;
    (void)how;
    (void)new_set;
    (void)old_set;
    (void)set_bytes;
    return 0;
}

STUB int64_t sys_sigaltstack(struct task *task, vaddr_t new_stack, vaddr_t old_stack)
{
    (void)task;
    (void)new_stack;
    (void)old_stack;
    return 0;
}

STUB int64_t sys_rt_sigreturn(struct task *task)
{
    (void)task;
    return -ENOSYS;
}

STUB int64_t sys_kill(struct task *task, uint64_t pid, uint64_t signal)
{
    (void)task;
    (void)pid;
    (void)signal;
    return -ESRCH;
}
