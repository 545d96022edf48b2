/*
 * os.c: programs, a batch at a time: which task runs, and why it came back. Floor: os.
 *
 *   os_run                 the processor is made ready; an oops of the kernel half comes back here
 *     signal_deliver       before ring 3: handlers, death
 *     ring3_run            until something happens
 *     SYSCALL              system_call()
 *     #PF                  the resolver has said why it does not go on: signal, wait, no memory
 *     another exception    a signal
 *     the timer            the batch, or the program's time, is over
 *
 * Tasks switch where one waits or ends (or asks for it), in the order of their numbers, and nowhere else:
 * runs are reproducible. A task that spins while others could run is bounded by the program's limit alone.
 */
#include "os.h"

#include "elf.h"
#include "fault/cpu.h"
#include "fault/die.h"
#include "fault/ring3.h"
#include "fault/tables.h"
#include "fault/timer.h"
#include "image.h"
#include "mm/fault.h"
#include "processor.h"
#include "system_call.h"
#include "totals.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define INT_BYTES 2 /* of INT n */

struct os_totals os_totals;

static struct {
    struct os_result result;
    struct task *task; /* ran last, and is to go on in the next batch */
    uint32_t last_pid; /* its number; it may be gone */
    bool yield;        /* it wants another one to run */
    uint64_t deadline, now, left;
} os;

/* ---- start and end ------------------------------------------------------------------------- */

enum status os_start(paddr_t base, uint64_t bytes, paddr_t reference_root, unsigned levels)
{
    enum status status = memory_init(base, bytes);

    tasks_forget();
    memset(&os, 0, sizeof(os));
    memset(&os_totals, 0, sizeof(os_totals));
    return status == STATUS_OK ? mm_start(reference_root, levels) : status;
}

int os_program(const char *name, const void *image, uint64_t bytes, const char *const *arguments,
               const char *const *environment, const struct os_console *console, uint64_t limit)
{
    struct cpu *cpu = cpu_current();
    vaddr_t entry, stack;

    if (!TAILQ_EMPTY(&all_tasks)) {
        return -EBUSY;
    }
    memset(&os, 0, sizeof(os));
    memset(&os_totals, 0, sizeof(os_totals));
    memset(&system_call_totals, 0, sizeof(system_call_totals));
    console_set(console);
    os.left = limit;
    if (!processor_begin(cpu)) {
        return -ENODEV;
    }
    struct task *task = task_first(name);
    int error = task ? 0 : -ENOMEM;
    if (task && !(task->image = image_open(name, image, bytes))) {
        error = -ENOMEM;
    }
    if (error == 0) {
        mm_load(task->mm);
        error = elf_load(task->mm, task->image, image, arguments, environment, &entry, &stack);
        mm_load(NULL);
    }
    if (error == 0) {
        task->frame = ring3_frame(entry, stack);
        task->frame.rflags |= RFLAGS_IF;
        os_totals.first_pid = task->pid;
        os.task = task;
    } else if (task) {
        task_discard(task);
    }
    processor_end(cpu);
    return error;
}

void os_result(struct os_result *result)
{
    struct task *task;

    *result = os.result;
    result->status = os_totals.status;
    result->min_flt = os_totals.min_flt;
    TAILQ_FOREACH (task, &all_tasks, node) {
        result->min_flt += task->mm ? task->mm->min_flt : 0;
    }
    result->system_calls = system_call_totals.calls;
    result->unknown_count = system_call_totals.unknown_count;
    memcpy(result->unknown, system_call_totals.unknown, sizeof(result->unknown));
}

static void kill_all(void)
{
    struct task *task;

    do {
        TAILQ_FOREACH (task, &all_tasks, node) {
            if (task->state != TASK_ZOMBIE) {
                task_exit(task, SIGKILL);
                break;
            }
        }
    } while (task);
}

/* Apart from its caller, and guarded: an oops may have left things that cannot be given back. */
static __attribute__((noinline)) void kill_guarded(struct cpu *cpu)
{
    struct context context;

    if (context_save(&context) == 0) {
        cpu->recover = &context;
        kill_all(); /* zombies go with their parents */
    } else {
        cpu->oops.reason = OOPS_NONE;
        tasks_forget();
    }
    cpu->recover = NULL;
}

void os_stop(void)
{
    struct cpu *cpu = cpu_current();

    os.task = NULL;
    if (!TAILQ_EMPTY(&all_tasks)) {
        /* A batch that an exception ended has left them as they were. */
        cpu->task = NULL;
        mm_load(NULL);
        kill_guarded(cpu);
    }
    console_set(NULL);
}

static void cut(enum os_cut why, const struct task *culprit)
{
    os.result.cut = why;
    memcpy(os.result.culprit, culprit->name, sizeof(os.result.culprit));
    kill_all();
}

/* ---- which task runs ----------------------------------------------------------------------- */

void task_yield(void)
{
    os.yield = true;
}

static bool is_ready(struct task *task)
{
    if (task->state == TASK_WAITS_PAGE && !(task->waits_for->flags & PAGE_LOCKED)) {
        task->state = TASK_READY;
    }
    return task->state == TASK_READY;
}

/* The next one that is ready behind the one that ran last, in a circle; NULL: none is. */
static struct task *choose(void)
{
    struct task *task, *first = NULL;

    TAILQ_FOREACH (task, &all_tasks, node) {
        if (!is_ready(task)) {
            continue;
        }
        if (task->pid > os.last_pid) {
            return task;
        }
        first = first ? first : task;
    }
    return first;
}

static void switch_to(struct cpu *cpu, struct task *task)
{
    struct task *before = cpu->task;

    if (before == task) {
        return;
    }
    if (before) {
        task_save(before);
    }
    os.result.switches += os.last_pid && os.last_pid != task->pid;
    os.last_pid = task->pid;
    cpu->task = task;
    mm_load(task->mm);
    task_load(task);
}

/* Nobody is ready. */
static enum os_state nobody(void)
{
    struct task *task;

    TAILQ_FOREACH (task, &all_tasks, node) {
        if (task->state == TASK_WAITS_PAGE) {
            return OS_WAITING;
        }
    }
    task = TAILQ_FIRST(&all_tasks);
    if (task) {
        cut(OS_STUCK, task);
    }
    return OS_DONE;
}

/* ---- why it came back ---------------------------------------------------------------------- */

/* Ring 3's fault that the resolver could not answer by going on. */
static void page_fault_came(struct task *task)
{
    const struct bad_fault *bad = &task->mm->bad;
    const struct signal_info info = {.signal = bad->signal,
                                     .code = bad->code,
                                     .address = bad->address,
                                     .key = (uint16_t)bad->key};

    switch (bad->kind) {
    case BAD_SIGNAL:
        signal_force(task, &info, VECTOR_PF, bad->error, bad->address);
        return;
    case BAD_WAIT:
        task->waits_for = bad->page;
        task->state = TASK_WAITS_PAGE;
        return;
    case BAD_OOM:
        task_exit(task, SIGKILL); /* as Linux's OOM killer; it is always the one that asked */
        return;
    case BAD_NONE:
        break;
    }
    ASSERT(false); /* the resolver left without a word */
}

/* What a program cannot raise is the machine's trouble, and ends the task as an oops. */
static void exception_came(struct task *task, uint64_t vector, uint64_t error)
{
    const bool known = signal_exception(task, vector, error, processor_debug_status());

    ASSERT(known);
}

/* Ring 3 never runs without the timer: a deadline that is over by now still leaves room for a step. */
static void arm(void)
{
    const uint64_t batch = os.deadline > os.now ? os.deadline - os.now : os_ticks_per_millisecond;

    timer_arm(batch < os.left ? batch : os.left);
}

static void came_back(struct task *task, uint64_t vector)
{
    switch (vector) {
    case VECTOR_SYSCALL:
        system_call(task);
        break;
    case VECTOR_PF:
        page_fault_came(task);
        break;
    case TIMER_VECTOR:
        arm(); /* it may have come early, or for what is over by now */
        break;
    case VECTOR_USER_EXIT:
        /* INT 0x80 is nothing: as if it had no gate for ring 3. */
        task->frame.rip -= INT_BYTES;
        exception_came(task, VECTOR_GP, VECTOR_USER_EXIT * 8 + 2);
        break;
    case VECTOR_NMI:
        break;
    default:
        exception_came(task, vector, task->frame.error);
    }
}

/* Count the time since the last call. Out: false: the program's is over. */
static bool account(struct task *task)
{
    const uint64_t now = read_tsc(), ticks = now - os.now;

    os.now = now;
    task->ticks += ticks;
    if (ticks >= os.left) {
        os.left = 0;
        return false;
    }
    os.left -= ticks;
    return true;
}

/*
 * What a parked task waited for may have come: make its system call again, before any handler is entered, as what
 * has come counts for more than a signal. Out: false: it waits again, or is gone.
 */
static bool go_on(struct cpu *cpu, struct task *task)
{
    task->frame.rip += SYSCALL_BYTES;
    system_call(task);
    if (cpu->task != task) {
        return false;
    }
    if (task->state != TASK_WAITS_PAGE && signal_pending(&task->signals)) {
        task->state = TASK_READY;
    }
    return task->state == TASK_READY;
}

static enum os_state run(struct cpu *cpu)
{
    for (;;) {
        struct task *task = cpu->task;

        if (!task || task->state != TASK_READY || os.yield) {
            os.yield = false;
            task = choose();
            if (!task) {
                return nobody();
            }
            switch_to(cpu, task);
        }
        if (task->system_call != SYSTEM_CALL_NONE && !go_on(cpu, task)) {
            continue;
        }
        if (signal_pending(&task->signals) && !signal_deliver(task)) {
            continue;
        }
        cpu->loop.count = 0;           /* this one may well fault where it did before */
        task->frame.cs = PROGRAM_CODE; /* a system call has noted others, and handlers theirs */
        task->frame.ss = PROGRAM_DATA;
        uint64_t vector = ring3_run(&task->frame);
        if (!account(task)) {
            cut(OS_SPUN, task);
            return OS_DONE;
        }
        came_back(task, vector);
        if (os.now >= os.deadline) {
            return OS_RUNNING;
        }
    }
}

/* ---- a batch ------------------------------------------------------------------------------- */

/*
 * The kernel half has oopsed: the task that it worked for dies as on Linux, of SIGKILL after a page fault,
 * of SIGSEGV after anything else. What it held of mm/ may be lost.
 */
static void oops_take(struct cpu *cpu)
{
    struct task *task = cpu->task;

    if (!task) {
        context_resume(&cpu->batch, 1); /* nobody's: the batch's */
    }
    if (os.result.oopses++ == 0) {
        os.result.oops = cpu->oops;
    }
    const bool fault = cpu->oops.vector == VECTOR_PF && cpu->oops.reason != OOPS_ASSERTION;
    cpu->oops.reason = OOPS_NONE;
    cpu->resolver = mm_resolve;
    task_exit(task, fault ? SIGKILL : SIGSEGV);
}

/* Nothing but the saved context lives across an oops. */
static __attribute__((noinline)) enum os_state run_guarded(struct cpu *cpu)
{
    struct context context;

    if (context_save(&context) != 0) {
        oops_take(cpu);
    }
    cpu->recover = &context;
    enum os_state state = run(cpu);
    cpu->recover = NULL;
    return state;
}

enum os_state os_run(uint64_t deadline)
{
    struct cpu *cpu = cpu_current();

    if (TAILQ_EMPTY(&all_tasks)) {
        return os_totals.first_pid ? OS_DONE : OS_IDLE;
    }
    if (!processor_begin(cpu)) {
        return OS_UNABLE;
    }
    cpu->task = NULL; /* a batch that an exception ended may have left one */
    os.now = read_tsc();
    os.deadline = deadline;
    arm();
    if (os.task) {
        switch_to(cpu, os.task);
    }
    enum os_state state = run_guarded(cpu);
    os.task = cpu->task;
    if (os.task) {
        task_save(os.task);
        cpu->task = NULL;
    }
    mm_load(NULL);
    timer_stop();
    processor_end(cpu);
    return state;
}
