/*
 * Signals by kill: order of delivery, pending and coalescing, masks, defaults of all signals, what a child inherits,
 * SIGCHLD and wait4.
 */
#include "tests/programs/library/program.h"

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  handler of %s, %s%s", signal_text(signal), code_text(signal, info->code),
        info->code == SI_USER && info->pid == sys_getpid() ? " by me" : "");
}

static void child_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  handler of %s, %s, status %d", signal_text(signal), code_text(signal, info->code),
        info->status);
}

static void mask(int how, uint64_t set)
{
    must("rt_sigprocmask", sys_rt_sigprocmask(how, &set, NULL));
}

static void set_default(int signal)
{
    const struct signal_action usual = {SIG_DFL, SA_RESTORER, signal_restorer, 0};

    must("rt_sigaction", sys_rt_sigaction(signal, &usual, NULL));
}

static void set_ignored(int signal)
{
    const struct signal_action ignore = {SIG_IGN, SA_RESTORER, signal_restorer, 0};

    must("rt_sigaction", sys_rt_sigaction(signal, &ignore, NULL));
}

static void log_mask(const char *what)
{
    static uint64_t set;

    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_SETMASK, NULL, &set));
    say("%s: mask 0x%lx", what, set);
}

static void log_kill(const char *what, long pid, int signal)
{
    say("%s: %s", what, result_text(sys_kill(pid, signal)));
}

static void log_order(void)
{
    static const int numbers[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGSEGV, SIGCHLD};
    long me = sys_getpid();

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        must("rt_sigaction", signal_install(numbers[i], handler, 0, 0));
    say("at once");
    must("kill", sys_kill(me, SIGUSR1));

    say("blocked: USR2 USR1 USR2 TERM HUP");
    mask(SIG_BLOCK, ~0UL);
    log_mask("all that can be");
    must("kill", sys_kill(me, SIGUSR2));
    must("kill", sys_kill(me, SIGUSR1));
    must("kill", sys_kill(me, SIGUSR2));
    must("kill", sys_kill(me, SIGTERM));
    must("kill", sys_kill(me, SIGHUP));
    say("USR1 unblocked");
    mask(SIG_UNBLOCK, SIGNAL_BIT(SIGUSR1));
    say("all unblocked: the lowest number's frame is made first, so its handler runs last");
    mask(SIG_SETMASK, 0);

    say("the same with handlers that block all");
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        must("rt_sigaction", signal_install(numbers[i], handler, 0, ~0UL));
    mask(SIG_BLOCK, ~0UL);
    must("kill", sys_kill(me, SIGUSR2));
    must("kill", sys_kill(me, SIGUSR1));
    must("kill", sys_kill(me, SIGSEGV));
    must("kill", sys_kill(me, SIGTERM));
    must("kill", sys_kill(me, SIGHUP));
    mask(SIG_SETMASK, 0);

    say("ignored while pending");
    mask(SIG_BLOCK, SIGNAL_BIT(SIGUSR1));
    must("kill", sys_kill(me, SIGUSR1));
    set_ignored(SIGUSR1);
    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
    mask(SIG_SETMASK, 0);
    say("that was all");

    say("default while pending: SIGCHLD is dropped, too");
    mask(SIG_BLOCK, SIGNAL_BIT(SIGCHLD));
    must("kill", sys_kill(me, SIGCHLD));
    set_default(SIGCHLD);
    must("rt_sigaction", signal_install(SIGCHLD, handler, 0, 0));
    mask(SIG_SETMASK, 0);
    say("that was all");
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        set_default(numbers[i]);
}

static void log_masks(void)
{
    log_mask("at first");
    mask(SIG_BLOCK, SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    log_mask("USR1, KILL and STOP blocked");
    mask(SIG_BLOCK, SIGNAL_BIT(SIGUSR2));
    log_mask("USR2 blocked");
    mask(SIG_UNBLOCK, SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGTERM));
    log_mask("USR1 and TERM unblocked");
    mask(SIG_SETMASK, 0xff00ff00ff00ff00UL);
    log_mask("set");
    mask(SIG_SETMASK, 0);
}

static void log_errors(void)
{
    long me = sys_getpid();

    log_kill("signal 0 to me", me, 0);
    log_kill("signal 0 to my group", 0, 0);
    log_kill("signal 65", me, 65);
    log_kill("signal -1", me, -1);
    log_kill("no such process", 0x7fffffff, 0);
    log_kill("no such process, signal 65", 0x7fffffff, 65);
    log_kill("no such group", -0x7fffffff, 0);
    log_kill("process -2^31", -0x80000000L, 0);
}

static void log_defaults(void)
{
    for (int signal = 1; signal <= 64; signal++) {
        long child;

        if (signal >= SIGSTOP && signal <= 22) /* these stop, and someone has to continue */
            continue;
        child = program_fork();
        if (child == 0) {
            sys_kill(sys_getpid(), signal);
            program_exit(0);
        }
        log_wait(signal_text(signal), wait_for(child));
    }
}

static void log_children(void)
{
    int ends[2];
    long child;
    long other;

    pipe_make(ends);
    say("a child has the mask and the handlers, not what is pending");
    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
    must("rt_sigaction", signal_install(SIGUSR2, handler, 0, 0));
    mask(SIG_BLOCK, SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2));
    must("kill", sys_kill(sys_getpid(), SIGUSR1));
    child = program_fork();
    if (child == 0) {
        log_mask("  child");
        must("kill", sys_kill(sys_getpid(), SIGUSR2));
        mask(SIG_SETMASK, 0);
        program_exit(0);
    }
    log_wait("  child", wait_for(child));
    say("  parent");
    mask(SIG_SETMASK, 0);

    /* SIGCHLD waits until its place in the log is certain. */
    say("children that wait are killed");
    must("rt_sigaction", signal_install(SIGCHLD, child_handler, 0, 0));
    for (int i = 0; i < 3; i++) {
        static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV};
        mask(SIG_BLOCK, SIGNAL_BIT(SIGCHLD));
        child = program_fork();
        if (child == 0) {
            pipe_await(ends);
            program_exit(0);
        }
        log_kill("  kill", child, signals[i]);
        log_wait("  child", wait_for(child));
        log_kill("  signal 0 to the child that is gone", child, 0);
        mask(SIG_SETMASK, 0);
    }
    child = program_fork();
    if (child == 0)
        program_exit(7);
    log_wait("  child", wait_for(child));

    say("SIGCHLD blocked, two children: it comes once");
    mask(SIG_BLOCK, SIGNAL_BIT(SIGCHLD));
    child = program_fork();
    if (child == 0)
        program_exit(1);
    log_wait("  child", wait_for(child));
    other = program_fork();
    if (other == 0)
        program_exit(2);
    log_wait("  child", wait_for(other));
    mask(SIG_SETMASK, 0);

    say("a child that nobody waited for can be sent signals, dead or alive");
    mask(SIG_BLOCK, SIGNAL_BIT(SIGCHLD));
    child = program_fork();
    if (child == 0)
        program_exit(4);
    say("  signal 0: %s", result_text(sys_kill(child, 0)));
    log_wait("  child", wait_for(child));
    mask(SIG_SETMASK, 0);

    say("SIGCHLD ignored: children leave no status");
    set_ignored(SIGCHLD);
    child = program_fork();
    if (child == 0)
        program_exit(9);
    say("  wait4 for it: %s", result_text(sys_wait4(child, NULL, 0, NULL)));
    must("rt_sigaction", signal_install(SIGCHLD, child_handler, SA_NOCLDWAIT, 0));
    say("SA_NOCLDWAIT");
    child = program_fork();
    if (child == 0)
        program_exit(9);
    say("  wait4 for it: %s", result_text(sys_wait4(child, NULL, 0, NULL)));
}

int program(const struct program_start *start)
{
    (void)start;
    log_masks();
    log_errors();
    log_order();
    log_defaults();
    log_children();
    return 0;
}
