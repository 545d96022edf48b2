/*
 * test_os_task.c: programs of a few steps under os_run(): fork, exit, wait4, pipes between tasks, signals that end a wait, which
 * task runs when, what a limit and a lack of memory do; and that nothing is left whatever happens.
 */
#include "tests/host/unit.h"

#include "tests/host/os_fixture.h"

#include "os/signal_frame.h"
#include "tests/host/signal_abi.h"
#include "x86/exception.h"

#define DATA   0x403000 /* .bss of the file */
#define DATA_2 0x404000

enum {
    READ = 0,
    WRITE = 1,
    CLOSE = 3,
    SIGACTION = 13,
    SIGMASK = 14,
    SIGRETURN = 15,
    PIPE = 22,
    YIELD = 24,
    GETPID = 39,
    FORK = 57,
    EXIT = 60,
    WAIT4 = 61,
    KILL = 62,
    GETRUSAGE = 98,
    GETPPID = 110,
    SIGALTSTACK = 131,
};
#define ANY ((uint64_t)-1)

static struct elf_file file;

static int setup(void **state)
{
    (void)state;
    fixture_start(FRAMES, 4);
    file = elf_good();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return (int)machine_stop();
}

static struct os_result result;

/* What was written to the console. */
static uint32_t shown[8];
static size_t shown_bytes;

static void show(void *context, const char *bytes, size_t count)
{
    (void)context;
    assert_true(count <= sizeof(shown) - shown_bytes);
    memcpy((char *)shown + shown_bytes, bytes, count);
    shown_bytes += count;
}

/* Start @script, and run it to its end, or for one batch. */
static int start(const struct step *script)
{
    static const char *const arguments[] = {"test", NULL}, *const nothing[] = {NULL};
    static const struct os_console console = {show, NULL};

    steps = script;
    shown_bytes = 0;
    return os_program("/programs/test", &file, sizeof(file), arguments, nothing, &console,
                      UINT64_MAX);
}

static void stop(void)
{
    os_result(&result);
    os_stop();
    assert_good();
    assert_int_equal(machine_left(), 0);
}

static void run(const struct step *script)
{
    assert_int_equal(start(script), 0);
    assert_int_equal(os_run(UINT64_MAX), OS_DONE);
    assert_int_equal(os_run(UINT64_MAX), OS_DONE);
    stop();
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static void exit_status(void **state)
{
    static const struct step script[] = {CALL(GETPID, 0), EXPECT(2), CALL(GETPPID, 0), EXPECT(1),
                                         CALL(EXIT, 0x1234)};
    (void)state;

    run(script);
    assert_int_equal(result.status, 0x34 << 8);
    assert_int_equal(result.system_calls, 3);
    assert_int_equal(result.switches, 0);
    assert_int_equal(result.oopses, 0);
    assert_true(result.min_flt > 0);
    run(script); /* once more, with the same numbers */
    assert_int_equal(result.status, 0x34 << 8);
}

static void one_program_at_a_time(void **state)
{
    static const struct step script[] = {CALL(EXIT, 0)};
    (void)state;

    assert_int_equal(os_run(UINT64_MAX), OS_DONE); /* of the test before */
    assert_int_equal(start(script), 0);
    assert_int_equal(start(script), -EBUSY);
    stop();
    assert_int_equal(result.status, 0);
    run(script);
}

static void bad_file(void **state)
{
    static const struct step script[] = {CALL(EXIT, 0)};
    (void)state;

    file.header.machine = 3;
    assert_int_equal(start(script), -ENOEXEC);
    assert_int_equal(machine_left(), 0);
    file = elf_good();
    run(script);
}

/* The parent goes on after fork; the child runs when the parent waits. */
static void fork_and_wait(void **state)
{
    static const struct step script[] = {CALL(FORK, 0),
                                         IF_ZERO(8),
                                         KEEP,
                                         NOTE('p'),
                                         CALL(WAIT4, RBX, DATA, 0, 0),
                                         EXPECT(3),
                                         NOTE('w'),
                                         CALL(EXIT, 7),
                                         /* 8: */ NOTE('c'),
                                         CALL(GETPID, 0),
                                         EXPECT(3),
                                         CALL(GETPPID, 0),
                                         EXPECT(2),
                                         CALL(EXIT, 42)};
    (void)state;

    run(script);
    assert_string_equal(notes, "pcw");
    assert_int_equal(result.status, 7 << 8);
    assert_int_equal(result.switches, 2);
}

static void wait_refuses(void **state)
{
    static const struct step script[] = {CALL(WAIT4, ANY, 0, 0, 0),
                                         EXPECT(-ECHILD),
                                         CALL(WAIT4, ANY, 0, 4, 0),
                                         EXPECT(-EINVAL),
                                         CALL(WAIT4, 0x80000000, 0, 0, 0),
                                         EXPECT(-ESRCH),
                                         CALL(FORK, 0),
                                         IF_ZERO(21),
                                         CALL(WAIT4, ANY, 0, 1, 0),
                                         EXPECT(0), /* WNOHANG: not yet */
                                         CALL(WAIT4, 99, 0, 0, 0),
                                         EXPECT(-ECHILD), /* not ours */
                                         CALL(WAIT4, (uint64_t)-5, 0, 0, 0),
                                         EXPECT(-ECHILD), /* no such group */
                                         CALL(YIELD, 0),
                                         EXPECT(0),
                                         CALL(WAIT4, 0, 0x500000, 0, 0),
                                         EXPECT(-EFAULT), /* it is gone all the same */
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         EXPECT(-ECHILD),
                                         CALL(EXIT, 0),
                                         /* 21: */ CALL(EXIT, 1)};
    (void)state;

    run(script);
    assert_int_equal(result.status, 0);
}

/* Children end in any order; wait4 takes them in the order of their numbers, or the one it names. */
static void several_children(void **state)
{
    static const struct step script[] = {CALL(FORK, 0),
                                         IF_ZERO(15),
                                         CALL(FORK, 0),
                                         IF_ZERO(17),
                                         CALL(FORK, 0),
                                         IF_ZERO(19),
                                         CALL(WAIT4, 4, 0, 0, 0),
                                         EXPECT(4),
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         EXPECT(3),
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         EXPECT(5),
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         EXPECT(-ECHILD),
                                         CALL(EXIT, 0),
                                         /* 15: */ NOTE('1'),
                                         CALL(EXIT, 1),
                                         /* 17: */ NOTE('2'),
                                         CALL(EXIT, 2),
                                         /* 19: */ NOTE('3'),
                                         CALL(EXIT, 3)};
    (void)state;

    run(script);
    assert_string_equal(notes, "123");
}

/* A child whose parent has gone is the first process's, and nobody waits for it; the program ends with it. */
static void orphans(void **state)
{
    static const struct step script[] = {CALL(FORK, 0),
                                         IF_ZERO(4),
                                         NOTE('p'),
                                         CALL(EXIT, 9),
                                         /* 4: */ CALL(GETPPID, 0),
                                         EXPECT(1),
                                         CALL(FORK, 0),
                                         IF_ZERO(10),
                                         NOTE('c'),
                                         CALL(EXIT, 1),
                                         /* 10: */ CALL(GETPPID, 0),
                                         EXPECT(1),
                                         NOTE('g'),
                                         CALL(EXIT, 2)};
    (void)state;

    run(script);
    assert_string_equal(notes, "pcg");
    assert_int_equal(result.status, 9 << 8);
}

/* A zombie that nobody has waited for goes with its parent. */
static void zombie_goes_with_parent(void **state)
{
    static const struct step script[] = {CALL(FORK, 0),      IF_ZERO(5),    CALL(YIELD, 0),
                                         NOTE('p'),          CALL(EXIT, 0),
                                         /* 5: */ NOTE('c'), CALL(EXIT, 0)};
    (void)state;

    run(script);
    assert_string_equal(notes, "cp");
}

/* What a task has in the processor is its own. */
static void state_is_switched(void **state)
{
    static const struct step script[] = {CALL(FORK, 0),
                                         IF_ZERO(6),
                                         CALL(YIELD, 0),
                                         COMES(VECTOR_NMI),
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         CALL(EXIT, 0),
                                         /* 6: */ COMES(VECTOR_NMI),
                                         CALL(YIELD, 0),
                                         COMES(VECTOR_NMI),
                                         CALL(EXIT, 0)};
    (void)state;

    assert_int_equal(start(script), 0);
    /* Batch after batch, as each ends when something came back: the state stays the task's. */
    for (unsigned i = 0; os_run(0) == OS_RUNNING; i++) {
        struct task *task;
        assert_null(loaded);
        assert_null(cpu_current()->mm);
        assert_true(i < 100);
        TAILQ_FOREACH (task, &all_tasks, node) {
            /* PKRU of each is changed behind its back, and must come back unchanged. */
            if (task->state == TASK_READY && i == 3) {
                task->pkru = 0x1000 + task->pid;
            }
            if (task->state == TASK_READY && i > 3) {
                assert_int_equal(task->pkru, 0x1000 + task->pid);
            }
        }
    }
    stop();
}

/* ---- pipes between tasks --------------------------------------------------------------------------------- */

static void pipe_between(void **state)
{
    static const struct step script[] = {CALL(PIPE, DATA),
                                         CALL(FORK, 0),
                                         IF_ZERO(9),
                                         CALL(CLOSE, 4),
                                         NOTE('r'),
                                         CALL(READ, 3, DATA + 64, 100),
                                         EXPECT(5),
                                         NOTE('g'),
                                         GOTO(14),
                                         /* 9: */ NOTE('w'),
                                         CALL(WRITE, 4, 0x400000, 5),
                                         EXPECT(5),
                                         NOTE('x'),
                                         CALL(EXIT, 0),
                                         /* 14: */ CALL(READ, 3, DATA, 1),
                                         EXPECT(0),
                                         NOTE('e'),
                                         CALL(EXIT, 0)};
    (void)state;

    run(script);
    assert_string_equal(notes, "rwxge");
}

/* A write larger than the pipe, read in pieces by the child: each byte once. */
static void pipe_fills_up(void **state)
{
    static const struct step script[] = {CALL(PIPE, DATA),
                                         CALL(FORK, 0),
                                         IF_ZERO(8),
                                         CALL(WRITE, 4, 0x7ffffffdf000, 80000),
                                         EXPECT(80000),
                                         NOTE('w'),
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         CALL(EXIT, 0),
                                         /* 8: */ CALL(CLOSE, 4),
                                         CALL(READ, 3, 0x7ffffffdf000, 65536),
                                         EXPECT(65536),
                                         NOTE('r'),
                                         CALL(READ, 3, 0x7ffffffdf000, 65536),
                                         EXPECT(80000 - 65536),
                                         NOTE('s'),
                                         CALL(EXIT, 0)};
    (void)state;

    run(script);
    assert_string_equal(notes, "rws"); /* it is empty, and the writer goes on */
}

/* Nobody can ever run again: the program ends, and the report names the first that waits. */
static void deadlock(void **state)
{
    static const struct step script[] = {CALL(PIPE, DATA), CALL(READ, 3, DATA + 64, 1)};
    (void)state;

    run(script);
    assert_int_equal(result.cut, OS_STUCK);
    assert_string_equal(result.culprit, "test");
    assert_int_equal(result.status, SIGKILL);
}

static void spinner(void **state)
{
    static const struct step script[] = {CALL(FORK, 0), IF_ZERO(3), CALL(WAIT4, ANY, 0, 0, 0),
                                         COMES(TIMER_VECTOR), GOTO(3)};
    static const char *const nothing[] = {NULL};
    (void)state;

    steps = script;
    assert_int_equal(os_program("/programs/spins_for_ever_and_more", &file, sizeof(file), nothing,
                                nothing, NULL, 1000),
                     0);
    assert_int_equal(os_run(UINT64_MAX), OS_DONE);
    stop();
    assert_int_equal(result.cut, OS_SPUN);
    assert_string_equal(result.culprit, "spins_for_ever_");
    assert_int_equal(result.status, SIGKILL);
}

/* ---- signals --------------------------------------------------------------------------------------------- */

static void exceptions_kill(void **state)
{
    static const struct {
        unsigned vector;
        int signal;
    } expected[] = {
        {VECTOR_DE, SIGFPE },
        {VECTOR_UD, SIGILL },
        {VECTOR_BP, SIGTRAP},
        {VECTOR_GP, SIGSEGV},
        {VECTOR_SS, SIGBUS },
        {VECTOR_AC, SIGBUS },
        {0x80,      SIGSEGV},
        {257,       SIGSEGV}
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        const struct step script[] = {COMES(expected[i].vector)};
        run(script);
        assert_int_equal(result.status, expected[i].signal);
    }
}

static void kill_child(void **state)
{
    static const struct step script[] = {CALL(PIPE, DATA),
                                         CALL(FORK, 0),
                                         IF_ZERO(8),
                                         KEEP,
                                         CALL(YIELD, 0), /* it waits in read */
                                         CALL(KILL, RBX, SIGTERM),
                                         CALL(WAIT4, RBX, DATA_2, 0, 0),
                                         GOTO(10),
                                         /* 8: */ CALL(READ, 3, DATA_2, 1),
                                         NOTE('!'),
                                         /* 10: */ EXPECT(3),
                                         CALL(EXIT, 0)};
    (void)state;

    run(script);
    assert_string_equal(notes, "");
    assert_int_equal(result.status, 0);
}

/* A child stops itself, is continued and ends: each is told once, to who asks for it. */
static void stopped_child(void **state)
{
    enum {
        HANG = 1,
        STOPPED = 2,
        CONTINUED = 8,
        CLONES = 0x80000000,
        ALL = 0x40000000,
    };
    static const struct step script[] = {
        CALL(FORK, 0),
        IF_ZERO(40),
        KEEP,
        CALL(WAIT4, ANY, 0, CLONES, 0),
        EXPECT(-ECHILD),
        CALL(WAIT4, ANY, 0, CLONES | ALL | HANG, 0),
        EXPECT(0),
        CALL(WAIT4, ANY, DATA, STOPPED, DATA_2), /* waits */
        EXPECT(3),
        CALL(WRITE, 1, DATA, 4),
        CALL(WAIT4, ANY, DATA, STOPPED | CONTINUED | HANG, 0),
        EXPECT(0),
        CALL(KILL, RBX, SIGCONT),
        CALL(WAIT4, ANY, DATA, STOPPED | HANG, 0),
        EXPECT(0),
        CALL(WAIT4, ANY, 0x500000, CONTINUED, 0),
        EXPECT(-EFAULT), /* told all the same */
        CALL(WAIT4, ANY, DATA, CONTINUED | HANG, 0),
        EXPECT(0),
        CALL(KILL, RBX, SIGSTOP),
        CALL(YIELD, 0),
        CALL(KILL, RBX, SIGCONT),
        CALL(WAIT4, RBX, DATA, CONTINUED, 0),
        EXPECT(3),
        CALL(WRITE, 1, DATA, 4),
        CALL(KILL, RBX, SIGSTOP),
        CALL(YIELD, 0),
        CALL(KILL, RBX, SIGKILL), /* nothing is told of the stop any more */
        CALL(WAIT4, RBX, DATA, STOPPED | HANG, 0),
        EXPECT(0),
        CALL(WAIT4, RBX, DATA, STOPPED, 0),
        EXPECT(3),
        CALL(WRITE, 1, DATA, 4),
        CALL(EXIT, 0),
        [40] = CALL(KILL, 3, SIGSTOP),
        CALL(YIELD, 0),
        GOTO(41),
    };
    static const uint32_t statuses[] = {SIGSTOP << 8 | 0x7f, 0xffff, SIGKILL};
    (void)state;

    run(script);
    assert_int_equal(result.status, 0);
    assert_int_equal(shown_bytes, sizeof(statuses));
    assert_memory_equal(shown, statuses, sizeof(statuses));
}

/* ---- pages that come later ------------------------------------------------------------------------------- */

static struct page *late;

static enum vm_fault read_late(struct page_cache *cache, struct page *page)
{
    (void)cache;
    late = page;
    return VM_FAULT_RETRY;
}

#define LATE         UINT64_C(0x20000000)
#define LATE_2       (LATE + PAGE)
#define STEP(number) (STEPS_AT + (number)*SYSCALL_BYTES)

/* Start @script with two pages at LATE that are not there yet. */
static void start_late(const struct step *script)
{
    static const struct page_cache_operations operations = {.read_page = read_late};
    struct page_cache *cache = page_cache_create(&operations, "/late", NULL);

    assert_non_null(cache);
    page_cache_truncate(cache, 2 * PAGE);
    assert_int_equal(start(script), 0);
    assert_int_equal(mm_mmap(TAILQ_FIRST(&all_tasks)->mm, LATE, 2 * PAGE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_FIXED, cache, VM_MAYREAD | VM_MAYWRITE, 0),
                     LATE);
    page_cache_put(cache);
}

/* Bytes of the program's own, before it runs. */
static void put(vaddr_t at, const void *bytes, size_t count)
{
    cpu_current()->resolver = mm_resolve;
    mm_load(TAILQ_FIRST(&all_tasks)->mm);
    assert_int_equal(user_write(at, bytes, count), BAD_NONE);
    mm_load(NULL);
    cpu_current()->resolver = NULL;
}

/* All tasks wait for a page, until it comes, with zeros. */
static void page_comes(void)
{
    late = NULL;
    assert_int_equal(os_run(UINT64_MAX), OS_WAITING);
    assert_int_equal(os_run(UINT64_MAX), OS_WAITING);
    assert_non_null(late);
    memset(page_bytes(late), 0, PAGE);
    page_arrived(late, true);
}

static void page_under_way(void **state)
{
    static const struct step script[] = {CALL(WRITE, 1, LATE, 10), EXPECT(10), NOTE('w'),
                                         CALL(EXIT, 0)};
    (void)state;

    start_late(script);
    page_comes();
    assert_int_equal(os_run(UINT64_MAX), OS_DONE);
    assert_string_equal(notes, "w");
    stop();
    assert_int_equal(result.status, 0);
}

/* What a system call has changed before it waits is as it was: what it tells of the old state is right. */
static void old_state_to_a_page_under_way(void **state)
{
    /* clang-format off */
    static const struct {
        struct step script[4];
        size_t told; /* bytes of the old state, to the console */
    } rows[] = {
        {{CALL(SIGACTION, SIGUSR1, DATA, LATE, 8), EXPECT(0), CALL(WRITE, 1, LATE, 24), CALL(EXIT, 0)}, 24},
        {{CALL(SIGMASK, 2, DATA, LATE, 8), EXPECT(0), CALL(WRITE, 1, LATE, 8), CALL(EXIT, 0)}, 8},
        {{CALL(SIGALTSTACK, DATA, LATE), EXPECT(0), CALL(WRITE, 1, LATE, 8), CALL(EXIT, 0)}, 8},
        {{CALL(SIGACTION, SIGUSR1, LATE, 0, 8), EXPECT(0), CALL(EXIT, 0)}, 0},
        {{CALL(SIGMASK, 2, LATE, 0, 8), EXPECT(0), CALL(EXIT, 0)}, 0},
        {{CALL(SIGALTSTACK, LATE, 0), EXPECT(-ENOMEM), CALL(EXIT, 0)}, 0},
    };
    /* clang-format on */
    static const uint64_t words[] = {0x1000, 0, 65536, 0}, nothing[3];
    (void)state;

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        start_late(rows[i].script);
        put(DATA, words, sizeof(words));
        page_comes();
        assert_int_equal(os_run(UINT64_MAX), OS_DONE);
        assert_int_equal(shown_bytes, rows[i].told);
        assert_memory_equal(shown, nothing, shown_bytes);
        stop();
        assert_int_equal(result.status, 0);
        teardown(NULL);
        setup(NULL);
    }
}

/* RET at a handler's end, as its first turn begins. */
static void leave_handler(void)
{
    struct trap_frame *frame = &task_current()->frame;

    if (frame->rip == STEP(4)) {
        frame->rsp += 8;
    }
}

/* The frame of a handler goes to two pages, one after the other: the signal waits with it, and comes once. */
static void handler_on_a_page_under_way(void **state)
{
    static const struct step script[] = {
        CALL(SIGALTSTACK, DATA + 64, 0),
        CALL(SIGACTION, SIGUSR1, DATA, 0, 8),
        CALL(KILL, 2, SIGUSR1),
        GOTO(6),
        /* 4: */ NOTE('h'),
        CALL(SIGRETURN, 0),
        /* 6: */ EXPECT(0),
        NOTE('b'),
        CALL(EXIT, 0),
    };
    static const struct signal_action action = {STEP(4), SA_RESTORER | SA_ONSTACK, STEP(5), 0};
    const uint64_t stack[] = {LATE - 0x3000, 0, 0x3000 + PAGE + 256};
    (void)state;

    start_late(script);
    put(DATA, &action, sizeof(action));
    put(DATA + 64, stack, sizeof(stack));
    watch = leave_handler;
    page_comes();
    page_comes();
    assert_int_equal(os_run(UINT64_MAX), OS_DONE);
    watch = NULL;
    assert_string_equal(notes, "hb");
    stop();
    assert_int_equal(result.status, 0);
}

static void take_frame(void)
{
    if (rounds == 0) {
        task_current()->frame.rsp = DATA + 8;
    }
}

/* Extended state that rt_sigreturn is to take: nothing has been taken before it is there. */
static void frame_on_a_page_under_way(void **state)
{
    static const struct step script[] = {
        CALL(SIGRETURN, 0), NOTE('!'), CALL(EXIT, 1), /* 3: */ NOTE('r'), CALL(EXIT, 0),
    };
    struct signal_frame frame = {
        .context.flags = UC_STRICT_RESTORE_SS,
        .context.registers = {.rip = STEP(3), .cs = 0x33, .ss = 0x2b, .extended_state = LATE},
    };
    (void)state;

    start_late(script);
    put(DATA, &frame, sizeof(frame));
    watch = take_frame;
    page_comes();
    assert_int_equal(os_run(UINT64_MAX), OS_DONE);
    watch = NULL;
    assert_string_equal(notes, "r");
    stop();
    assert_int_equal(result.status, 0);
}

/* ---- a batch that an exception ends ---------------------------------------------------------------------- */

static jmp_buf boundary;

static void tear(void)
{
    if (rounds == 6) {
        longjmp(boundary, 1);
    }
}

/* The batch boundary is reached from the middle of os_run(): stopping gives all back, or the program goes on. */
static void torn_batch(void **state)
{
    static const struct step script[] = {CALL(FORK, 0),
                                         IF_ZERO(4),
                                         CALL(WAIT4, ANY, 0, 0, 0),
                                         CALL(EXIT, 5),
                                         /* 4: */ CALL(GETPID, 0),
                                         CALL(GETPID, 0),
                                         CALL(GETPID, 0),
                                         CALL(EXIT, 0)};
    (void)state;

    for (volatile bool go_on = false;; go_on = true) {
        rounds = 0;
        watch = tear;
        assert_int_equal(start(script), 0);
        if (setjmp(boundary) == 0) {
            assert_int_equal(os_run(UINT64_MAX), OS_IDLE); /* it does not come back */
        }
        watch = NULL;
        processor_end(cpu_current()); /* as the batch's end does */
        if (go_on) {
            assert_int_equal(os_run(UINT64_MAX), OS_DONE);
        }
        stop();
        assert_int_equal(result.status, go_on ? 5 << 8 : 0);
        if (go_on) {
            break;
        }
    }
}

/* ---- want of memory -------------------------------------------------------------------------------------- */

static void each_allocation_fails(void **state)
{
    static const struct step script[] = {CALL(PIPE, DATA),
                                         CALL(FORK, 0),
                                         IF_ZERO(5),
                                         CALL(WAIT4, ANY, DATA, 0, 0),
                                         CALL(EXIT, 3),
                                         /* 5: */ CALL(WRITE, 4, 0x400000, 5000),
                                         CALL(READ, 3, DATA_2, 5000),
                                         CALL(EXIT, 4)};
    uint64_t number = 0;
    (void)state;

    for (bool failed = true; failed;) {
        memory_fail_at(++number);
        const int error = start(script);
        if (error == 0) {
            assert_int_equal(os_run(UINT64_MAX), OS_DONE);
        } else {
            assert_int_equal(error, -ENOMEM);
        }
        failed = memory_failed();
        memory_fail_at(0);
        stop();
        assert_int_equal(result.oopses, 0);
    }
    assert_true(number > 40);
    assert_int_equal(result.status, 3 << 8);
}

/* A program that forks without end: too many tasks, or no memory; all of it goes. */
static void fork_bomb(void **state)
{
    static const struct step script[] = {CALL(FORK, 0), GOTO(0)};
    static const char *const nothing[] = {NULL};
    (void)state;

    steps = script;
    assert_int_equal(os_program("/programs/test", &file, sizeof(file), nothing, nothing, NULL,
                                UINT64_C(300000000)),
                     0);
    rounds = 0;
    for (unsigned batches = 0; batches < 2000; batches++) {
        if (os_run(0) != OS_RUNNING) {
            break;
        }
    }
    assert_good();
    stop();
}

static unsigned refused;

static void see_refusals(void)
{
    const int64_t last = (int64_t)task_current()->frame.rax;

    assert_true(last >= 0 || last == -EAGAIN);
    refused += last == -EAGAIN;
}

/* Children that nobody waits for stay: there is memory for more of them than there may be. */
static void too_many_tasks(void **state)
{
    static const struct step script[] = {CALL(FORK, 0), IF_ZERO(4), CALL(YIELD, 0), GOTO(0),
                                         /* 4: */ CALL(EXIT, 0)};
    (void)state;

    refused = 0;
    watch = see_refusals;
    rounds_max = 7 * 1024;
    run(script);
    watch = NULL;
    assert_int_equal(result.status, 1 << 8);
    assert_true(refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(exit_status),
        TEST(one_program_at_a_time),
        TEST(bad_file),
        TEST(fork_and_wait),
        TEST(wait_refuses),
        TEST(several_children),
        TEST(orphans),
        TEST(zombie_goes_with_parent),
        TEST(state_is_switched),
        TEST(pipe_between),
        TEST(pipe_fills_up),
        TEST(deadlock),
        TEST(spinner),
        TEST(exceptions_kill),
        TEST(torn_batch),
        TEST(kill_child),
        TEST(stopped_child),
        TEST(page_under_way),
        TEST(old_state_to_a_page_under_way),
        TEST(handler_on_a_page_under_way),
        TEST(frame_on_a_page_under_way),
        TEST(each_allocation_fails),
        TEST(fork_bomb),
        TEST(too_many_tasks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
