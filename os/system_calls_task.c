/*
 * system_calls_task.c: a task's life, limits, clocks and the rest that is neither memory nor files.
 * Floor: os. The order of what is looked at is Linux's exit.c, sys.c and process_64.c.
 */
#include "fault/uaccess.h"
#include "os.h"
#include "system_call.h"
#include "x86/instructions.h"
#include "x86/memory.h"

#define WNOHANG    0x00000001u
#define WUNTRACED  0x00000002u
#define WCONTINUED 0x00000008u
#define WNOTHREAD  0x20000000u /* of no consequence: nobody has threads */
#define WALL       0x40000000u
#define WCLONE     0x80000000u /* without WALL: children of another signal; fork makes none */
#define WAIT_KNOWN (WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)
/* Those of processor time count what the task had; all others up to BOOTTIME count from the same zero. */
#define CLOCK_PROCESS 2
#define CLOCK_THREAD  3
#define CLOCK_COUNT   8

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

#define FILES_HARD_MAX (UINT64_C(1) << 20) /* Linux's nr_open */

uint64_t os_ticks_per_millisecond = 1000000;

/* ---- times --------------------------------------------------------------------------------- */

static uint64_t nanoseconds(uint64_t ticks)
{
    const uint64_t per_ms = os_ticks_per_millisecond;

    return ticks / per_ms * NS_PER_MS + ticks % per_ms * NS_PER_MS / per_ms;
}

struct time_value {
    uint64_t seconds, fraction;
};

int64_t sys_clock_gettime(struct task *task, uint64_t clock, uint64_t time)
{
    const bool own = (uint32_t)clock == CLOCK_PROCESS || (uint32_t)clock == CLOCK_THREAD;
    const uint64_t ns = nanoseconds(own ? task->ticks : read_tsc());
    const struct time_value value = {ns / NS_PER_S, ns % NS_PER_S};

    if ((uint32_t)clock >= CLOCK_COUNT) {
        return -EINVAL;
    }
    if (!user_range(time, sizeof(value)) || copy_to_user(time, &value, sizeof(value))) {
        return copy_failed(task);
    }
    return 0;
}

/* Linux's struct rusage. */
struct usage {
    struct time_value user, system;
    uint64_t resident_max, unused1[3], min_flt, maj_flt, unused2[8];
};
_Static_assert(sizeof(struct usage) == 144, "struct rusage");

static struct usage usage_make(uint64_t ticks, uint64_t min_flt, uint64_t maj_flt)
{
    const uint64_t us = nanoseconds(ticks) / 1000;

    return (struct usage){
        .user = {us / 1000000, us % 1000000},
        .min_flt = min_flt,
        .maj_flt = maj_flt,
    };
}

int64_t sys_getrusage(struct task *task, uint64_t who, uint64_t usage)
{
    struct usage value;

    switch ((int)(uint32_t)who) {
    case RUSAGE_SELF:
    case RUSAGE_THREAD:
        value = usage_make(task->ticks, task->mm->min_flt, task->mm->maj_flt);
        break;
    case RUSAGE_CHILDREN:
        value = usage_make(task->child_ticks, task->child_min_flt, task->child_maj_flt);
        break;
    default:
        return -EINVAL;
    }
    if (!user_range(usage, sizeof(value)) || copy_to_user(usage, &value, sizeof(value))) {
        return copy_failed(task);
    }
    return 0;
}

/* ---- a task's life ------------------------------------------------------------------------- */

int64_t sys_sched_yield(struct task *task)
{
    (void)task;
    task_yield();
    return 0;
}

int64_t sys_getpid(struct task *task)
{
    return task->pid;
}

int64_t sys_gettid(struct task *task)
{
    return task->pid;
}

/* Whose parent is gone is the first process's child on Linux, and so is a program's first task. */
int64_t sys_getppid(struct task *task)
{
    return task->parent ? task->parent->pid : 1;
}

/* The parent goes on; the child runs when it waits or ends. */
int64_t sys_fork(struct task *task)
{
    struct task *child;
    int error = task_fork(task, &child);

    if (error) {
        return error;
    }
    child->frame.rax = 0;
    return child->pid;
}

int64_t sys_exit(struct task *task, uint64_t status)
{
    task_exit(task, (int)(status & 0xff) << 8);
    return 0;
}

int64_t sys_exit_group(struct task *task, uint64_t status)
{
    return sys_exit(task, status);
}

static bool has_news(const struct task *child, uint32_t options)
{
    const uint32_t wanted = child->news == STATUS_CONTINUED ? WCONTINUED : WUNTRACED;

    return child->state == TASK_ZOMBIE || (child->news && options & wanted);
}

/*
 * @child is waited for: whatever cannot be told is -EFAULT and the news, or the zombie, are gone all the same, but while
 * a page is under way nothing has happened yet.
 */
static int64_t collect(struct task *task, struct task *child, vaddr_t status, vaddr_t usage)
{
    const bool ended = child->state == TASK_ZOMBIE;
    const int what = ended ? child->exit_status : child->news;
    const uint64_t min_flt = ended ? child->min_flt : child->mm->min_flt;
    const uint64_t maj_flt = ended ? child->maj_flt : child->mm->maj_flt;
    const struct usage value =
        usage_make(child->ticks + child->child_ticks, min_flt + child->child_min_flt,
                   maj_flt + child->child_maj_flt);
    int64_t result = child->pid;

    if (status && (!user_range(status, 4) || !put_user((uint32_t)what, status, 4))) {
        result = copy_failed(task);
    } else if (usage &&
               (!user_range(usage, sizeof(value)) || copy_to_user(usage, &value, sizeof(value)))) {
        result = copy_failed(task);
    }
    if (result == -ERESTART) {
        return result;
    }
    if (ended) {
        task_reap(child);
    } else {
        child->news = 0;
    }
    return result;
}

/*
 * All tasks of a program are of one process group, which is no child's number: a @pid of 0 means any
 * child, one below -1 none.
 */
int64_t sys_wait4(struct task *task, uint64_t pid, uint64_t status, uint64_t options,
                  uint64_t usage)
{
    const int32_t wanted = (int32_t)(uint32_t)pid;
    const bool nobody = wanted < -1 || (options & (WCLONE | WALL)) == WCLONE;
    bool any = false;
    struct task *child;

    if ((uint32_t)options & ~WAIT_KNOWN) {
        return -EINVAL;
    }
    if (wanted == INT32_MIN) {
        return -ESRCH;
    }
    TAILQ_FOREACH (child, &all_tasks, node) {
        if (nobody || child->parent != task || (wanted > 0 && child->pid != (uint32_t)wanted)) {
            continue;
        }
        any = true;
        if (has_news(child, (uint32_t)options)) {
            return collect(task, child, status, usage);
        }
    }
    if (!any) {
        return -ECHILD;
    }
    if (options & WNOHANG) {
        return 0;
    }
    task->state = TASK_WAITS_CHILD;
    return -ERESTART;
}

/* ---- limits, names, bases ------------------------------------------------------------------ */

int64_t sys_prlimit64(struct task *task, uint64_t pid, uint64_t resource, uint64_t new_limit,
                      uint64_t old_limit)
{
    struct task *whose = (uint32_t)pid ? task_find((uint32_t)pid) : task;
    struct task_limit wanted, before;

    if (new_limit && (!user_range(new_limit, sizeof(wanted)) ||
                      copy_from_user(&wanted, new_limit, sizeof(wanted)))) {
        return copy_failed(task);
    }
    if (!whose || !whose->mm) {
        return -ESRCH;
    }
    if ((uint32_t)resource >= LIMITS) {
        return -EINVAL;
    }
    struct task_limit *limit = &whose->limits[(uint32_t)resource];
    before = *limit;
    if (new_limit) {
        if (wanted.soft > wanted.hard) {
            return -EINVAL;
        }
        if ((uint32_t)resource == LIMIT_FILES && wanted.hard > FILES_HARD_MAX) {
            return -EPERM;
        }
        *limit = wanted; /* programs are root's: they may raise hard limits */
        task_limits_changed(whose);
    }
    if (old_limit && (!user_range(old_limit, sizeof(before)) ||
                      copy_to_user(old_limit, &before, sizeof(before)))) {
        int64_t error = copy_failed(task);
        if (error == -ERESTART) {
            *limit = before;
            task_limits_changed(whose);
        }
        return error;
    }
    return 0;
}

int64_t sys_uname(struct task *task, uint64_t name)
{
    /* Linux's struct new_utsname. */
    static const struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } names = {"Linux", "faultline", "6.1.0", "#1 Faultline", "x86_64", "(none)"};

    if (!user_range(name, sizeof(names)) || copy_to_user(name, &names, sizeof(names))) {
        return copy_failed(task);
    }
    return 0;
}

int64_t sys_arch_prctl(struct task *task, uint64_t code, uint64_t address)
{
    const bool fs = (uint32_t)code == ARCH_SET_FS || (uint32_t)code == ARCH_GET_FS;
    uint64_t *base = fs ? &task->segments.fs_base : &task->segments.gs_base;
    uint16_t *selector = fs ? &task->segments.fs : &task->segments.gs;

    switch ((uint32_t)code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (address >= TASK_SIZE) {
            return -EPERM;
        }
        task_save(task);
        *base = address;
        *selector = 0; /* whose descriptor would have another base */
        task_load(task);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        task_save(task);
        if (!user_range(address, 8) || !put_user(*base, address, 8)) {
            return copy_failed(task);
        }
        return 0;
    default:
        return -EINVAL;
    }
}
