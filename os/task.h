/*
 * task.h: one program in execution: registers, memory, descriptors, signals. Floor: os.
 */
#ifndef OS_TASK_H
#define OS_TASK_H

#include "fault/trap_frame.h"
#include "file.h"
#include "os.h"
#include "signal.h"

enum task_state {
    TASK_READY,
    TASK_WAITS_CHILD, /* in wait4 */
    TASK_WAITS_PIPE,  /* in read or write of a pipe */
    TASK_WAITS_PAGE,  /* for mm->bad.page */
    TASK_ZOMBIE,      /* dead, its parent has not asked yet */
};

struct task {
    struct trap_frame frame; /* ring 3's registers while it does not run */
    uint32_t pid;
    enum task_state state;
    struct task *parent;
    struct mm *mm;
    struct files *files;
    struct signals signals;
    void *fpu; /* extended state, fpu_area_bytes(), 64-byte aligned */
    uint32_t pkru;
    uint64_t fs_base, gs_base;
    int exit_status; /* as wait4 gives it */
    uint64_t ticks;  /* of the TSC in ring 3 */
    uint64_t child_min_flt, child_maj_flt;
    /* The system call under way: restarted as a whole after a wait. */
    uint64_t system_call;
    char name[16];
    TAILQ_ENTRY(task) node; /* of all tasks, in the order of their pids */
};

/* The task that runs, or that a system call is made for. */
struct task *task_current(void);

/* End @task with @status; its children go to task 1, or are collected when that is gone. */
void task_exit(struct task *task, int status);

#endif
