/*
 * task.c: tasks from fork to the parent's wait4. Floor: os.
 *
 *   READY <-> WAITS_*, STOPPED      the parent's wait4
 *     | exit, a signal             | (nobody's, or a parent that wants no zombies: at once)
 *     +--------------> ZOMBIE -----+-----> gone
 *
 * A task and its extended state are one allocation; which task runs is struct cpu's to know.
 */
#include "fault/cpu.h"
#include "fault/fpu.h"
#include "mm/vmalloc.h"
#include "system_call.h"
#include "totals.h"
#include "x86/memory.h"

#define TASKS_MAX 1024u
#define PID_FIRST 2u /* Linux's first process would be 1 */
#define PID_MAX   32768u

struct task_list all_tasks = TAILQ_HEAD_INITIALIZER(all_tasks);
static uint32_t task_count, last_pid;

static const struct task_limit limits_start[LIMITS] = {
    {NO_LIMIT,  NO_LIMIT }, /* CPU */
    {NO_LIMIT,  NO_LIMIT }, /* FSIZE */
    {NO_LIMIT,  NO_LIMIT }, /* DATA */
    {8u << 20,  NO_LIMIT }, /* STACK */
    {0,         NO_LIMIT }, /* CORE */
    {NO_LIMIT,  NO_LIMIT }, /* RSS */
    {TASKS_MAX, TASKS_MAX}, /* NPROC */
    {1024,      FILES_MAX}, /* NOFILE */
    {8u << 20,  8u << 20 }, /* MEMLOCK */
    {NO_LIMIT,  NO_LIMIT }, /* AS */
    {NO_LIMIT,  NO_LIMIT }, /* LOCKS */
    {TASKS_MAX, TASKS_MAX}, /* SIGPENDING */
    {819200,    819200   }, /* MSGQUEUE */
    {0,         0        }, /* NICE */
    {0,         0        }, /* RTPRIO */
    {NO_LIMIT,  NO_LIMIT }, /* RTTIME */
};

struct task *task_current(void)
{
    return cpu_current()->task;
}

struct task *task_find(uint64_t pid)
{
    struct task *task;

    TAILQ_FOREACH (task, &all_tasks, node) {
        if (task->pid == pid) {
            return task;
        }
    }
    return NULL;
}

/* A number that no task has, and the task with the next higher one, or NULL. 0: there is none. */
static uint32_t pid_choose(struct task **before)
{
    for (uint32_t tried = 0; tried < PID_MAX; tried++) {
        struct task *task;

        last_pid = last_pid + 1 < PID_FIRST || last_pid + 1 >= PID_MAX ? PID_FIRST : last_pid + 1;
        TAILQ_FOREACH (task, &all_tasks, node) {
            if (task->pid >= last_pid) {
                break;
            }
        }
        if (!task || task->pid != last_pid) {
            *before = task;
            return last_pid;
        }
    }
    return 0;
}

/* A task without memory and files, in the list. Out: NULL: no memory. */
static struct task *task_create(void)
{
    const uint64_t fpu_at = ALIGN_UP(sizeof(struct task), FPU_ALIGN);
    struct task *task, *before = NULL;

    if (!(task = vmalloc(fpu_at + fpu_area_bytes()))) {
        return NULL;
    }
    task->fpu = (char *)task + fpu_at;
    task->pid = pid_choose(&before);
    task->system_call = SYSTEM_CALL_NONE;
    task_count++;
    if (before) {
        TAILQ_INSERT_BEFORE(before, task, node);
    } else {
        TAILQ_INSERT_TAIL(&all_tasks, task, node);
    }
    return task;
}

/* It has neither memory nor files any more. */
static void task_free(struct task *task)
{
    signal_release(&task->signals);
    TAILQ_REMOVE(&all_tasks, task, node);
    task_count--;
    vfree(task);
    if (task_count == 0) {
        last_pid = 0; /* every program's first task has the same number */
    }
}

void tasks_forget(void)
{
    TAILQ_INIT(&all_tasks);
    task_count = last_pid = 0;
}

struct task *task_first(const char *name)
{
    struct task *task = task_create();
    size_t length = 0;

    if (!task) {
        return NULL;
    }
    if (mm_create(&task->mm) != 0 || !(task->files = files_create())) {
        task_discard(task);
        return NULL;
    }
    task->mm->task = task->pid;
    for (; *name; name++) {
        if (*name == '/') {
            length = 0;
        } else if (length < sizeof(task->name) - 1) {
            task->name[length++] = *name;
        }
    }
    task->name[length] = 0;
    fpu_init(task->fpu);
    task->pkru = PKRU_START;
    signal_init(&task->signals);
    memcpy(task->limits, limits_start, sizeof(limits_start));
    task_limits_changed(task);
    return task;
}

void task_limits_changed(struct task *task)
{
    task->mm->stack_limit = task->limits[LIMIT_STACK].soft;
    task->mm->data_limit = task->limits[LIMIT_DATA].soft;
    task->mm->address_limit = task->limits[LIMIT_SPACE].soft;
    task->mm->lock_limit = task->limits[LIMIT_LOCK].soft;
}

int task_fork(struct task *parent, struct task **child)
{
    struct task *task;

    if (task_count >= TASKS_MAX) {
        return -EAGAIN;
    }
    if (!(task = task_create())) {
        return -ENOMEM;
    }
    if (mm_fork(parent->mm, &task->mm) != 0 || !(task->files = files_copy(parent->files))) {
        task_discard(task);
        return -ENOMEM;
    }
    task->mm->task = task->pid;
    task->parent = parent;
    task->image = parent->image;
    page_cache_get(task->image);
    task_save(parent);
    task->frame = parent->frame;
    memcpy(task->fpu, parent->fpu, fpu_area_bytes());
    task->pkru = parent->pkru;
    task->segments = parent->segments;
    signal_fork(&parent->signals, &task->signals);
    memcpy(task->limits, parent->limits, sizeof(task->limits));
    memcpy(task->name, parent->name, sizeof(task->name));
    *child = task;
    return 0;
}

void task_discard(struct task *task)
{
    if (task->image) {
        page_cache_put(task->image);
    }
    if (task->files) {
        files_put(task->files);
    }
    if (task->mm) {
        mm_destroy(task->mm);
    }
    task_free(task);
}

void task_interrupt(struct task *task, bool restart)
{
    if (task->system_call == SYSTEM_CALL_NONE) {
        return;
    }
    task->system_call = SYSTEM_CALL_NONE;
    if (task->done || (!restart && !task->waits_for)) {
        task->frame.rip += SYSCALL_BYTES;
        task->frame.rax = task->done ? task->done : (uint64_t)-EINTR;
    }
}

/* What is left of a task when only its parent still wants to know of it. */
static void give_back(struct task *task)
{
    struct mm *mm = task->mm;
    struct files *files = task->files;

    if (task == task_current()) {
        cpu_current()->task = NULL;
        mm_load(NULL);
    }
    task->min_flt = mm->min_flt;
    task->maj_flt = mm->maj_flt;
    task->mm = NULL;
    task->files = NULL;
    mm_destroy(mm);
    files_put(files);
    page_cache_put(task->image);
}

static void children_disown(struct task *parent)
{
    struct task *task, *next;

    for (task = TAILQ_FIRST(&all_tasks); task; task = next) {
        next = TAILQ_NEXT(task, node);
        if (task->parent == parent) {
            task->parent = NULL;
            if (task->state == TASK_ZOMBIE) {
                task_free(task);
            }
        }
    }
}

void task_exit(struct task *task, int status)
{
    const int signal = status & 0x7f;

    task->state = TASK_ZOMBIE;
    task->exit_status = status;
    give_back(task);
    children_disown(task);
    os_totals.min_flt += task->min_flt;
    if (task->pid == os_totals.first_pid) {
        os_totals.status = status;
    }
    const bool reaped = !task->parent || signal_reaps_children(&task->parent->signals);
    signal_parent(task, signal ? CLD_KILLED : CLD_EXITED, signal ? signal : status >> 8);
    if (reaped) {
        task_free(task);
    }
}

void task_reap(struct task *zombie)
{
    struct task *parent = zombie->parent;

    parent->child_min_flt += zombie->min_flt + zombie->child_min_flt;
    parent->child_maj_flt += zombie->maj_flt + zombie->child_maj_flt;
    parent->child_ticks += zombie->ticks + zombie->child_ticks;
    task_free(zombie);
}
