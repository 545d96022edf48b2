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
    TASK_WAITS_PAGE,  /* for @waits_for; no signal ends it */
    TASK_STOPPED,     /* by a signal, until SIGCONT */
    TASK_ZOMBIE,      /* dead, its parent has not asked yet */
};

#define LIMITS      16u /* RLIMIT_* */
#define LIMIT_DATA  2u
#define LIMIT_STACK 3u
#define LIMIT_CORE  4u
#define LIMIT_FILES 7u
#define LIMIT_LOCK  8u
#define LIMIT_SPACE 9u
#define NO_LIMIT    UINT64_MAX

/* wait4's status of a task that goes on after a stop, and of one that @signal has stopped. */
#define STATUS_CONTINUED       0xffff
#define STATUS_STOPPED(signal) ((int)(signal) << 8 | 0x7f)

struct task_limit { /* struct rlimit */
    uint64_t soft, hard;
};

/* PKRU of a new program, and of a handler: access through key 0 alone (Linux's init_pkru). */
#define PKRU_START 0x55555554u

/* task->system_call of a task that is in none, or whose call is through. */
#define SYSTEM_CALL_NONE UINT64_MAX

struct task {
    struct trap_frame frame; /* ring 3's registers while it does not run */
    uint32_t pid;
    enum task_state state;
    struct task *parent;
    struct mm *mm;
    struct files *files;
    struct page_cache *image; /* the program's file, with a reference */
    struct signals signals;
    void *fpu; /* extended state, fpu_area_bytes(), 64-byte aligned */
    uint32_t pkru;
    struct {
        uint16_t ds, es, fs, gs;
        uint64_t fs_base, gs_base;
    } segments;
    int exit_status; /* as wait4 gives it */
    int news;        /* what wait4 has not told yet of a stop (its status) or of going on, or 0 */
    uint64_t ticks;  /* of the TSC in ring 3 */
    uint64_t min_flt, maj_flt;                          /* of a zombie: its mm is gone */
    uint64_t child_min_flt, child_maj_flt, child_ticks; /* of children that were waited for */
    /*
     * A task that must wait in a system call is parked: @frame is back at the call (rip at SYSCALL, rax
     * the number), which is executed again, from its beginning, when what it waits for may have come.
     * @system_call is the number then, @done the bytes that a write has moved already.
     */
    uint64_t system_call, done;
    struct page *waits_for;
    struct task_limit limits[LIMITS];
    char name[16];
    TAILQ_ENTRY(task) node; /* of all tasks, in the order of their pids */
};

/*
 * What made an access to @task's memory fall short is a page that is under way: then it waits for it. What @mm->bad says may
 * be of an earlier access, but not that its page is still locked. Out: it waits.
 */
static inline bool task_waits_for_page(struct task *task)
{
    struct page *page = task->mm->bad.page;

    if (task->mm->bad.kind != BAD_WAIT || !(page->flags & PAGE_LOCKED)) {
        return false;
    }
    task->waits_for = page;
    task->state = TASK_WAITS_PAGE;
    return true;
}

/* The task that runs, or that a system call is made for. */
struct task *task_current(void);

TAILQ_HEAD(task_list, task);
extern struct task_list all_tasks;

/* The task with this number, zombies included, or NULL. */
struct task *task_find(uint64_t pid);

/*
 * A program's first task: an empty mm, descriptors 0 to 2, Linux's limits, registers of a fresh process; named after the
 * last part of @name. In: fpu_begin() was called. Out: NULL when there is no memory.
 */
MUST_CHECK struct task *task_first(const char *name);

/* @parent once more, the current task: a copy in everything, and its child. Errors: -EAGAIN: too many tasks; -ENOMEM. */
MUST_CHECK int task_fork(struct task *parent, struct task **child);

/* A task that never ran goes, with all it has. It is not the current one. */
void task_discard(struct task *task);

/* @task->limits have changed: tell its mm. */
void task_limits_changed(struct task *task);

/*
 * Extended state, PKRU, segments: in the processor's registers while @task is the current one. Save: into @task,
 * where they can be read and changed. Load: from there.
 */
void task_save(struct task *task);
void task_load(struct task *task);

/*
 * A handler of @task is about to be entered: if the task is parked in a system call, take it out. @restart: the call is
 * executed again when the handler returns, as the frame says already; otherwise its result is -EINTR. A write
 * that has moved some bytes returns their number in either case. Nothing for other tasks.
 */
void task_interrupt(struct task *task, bool restart);

/*
 * End @task with @status (as wait4 gives it). Its children belong to nobody then, and go as soon as they end, as with
 * Linux's init; the parent gets SIGCHLD. @task is a zombie, or gone.
 */
void task_exit(struct task *task, int status);

/* Its parent has waited for @zombie: count what it used, and free it. */
void task_reap(struct task *zombie);

/* Whatever tasks there were are gone with their memory. */
void tasks_forget(void);

/* sched_yield: another one is to run next, if one can. */
void task_yield(void);

#endif
