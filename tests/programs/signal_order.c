/*
 * Which of several signals counts: one for this thread before one for the process, the first of two that kill, and
 * SIGCHLD that nobody wants.
 */
#include "tests/programs/library/program.h"

static int to_child[2];
static int to_parent[2];

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  handler of %s, %s%s", signal_text(signal), code_text(signal, info->code),
        info->code == SI_USER && info->pid == sys_getpid() ? " by me" : "");
}

static void mask(int how, uint64_t set)
{
    must("rt_sigprocmask", sys_rt_sigprocmask(how, &set, NULL));
}

/* A pipe that nobody reads: SIGPIPE is for the thread that writes, kill's signals are for the process. */
static void log_private(void)
{
    int broken[2];

    pipe_make(broken);
    must("close", sys_close(broken[0]));
    must("rt_sigaction", signal_install(SIGPIPE, handler, 0, ~0UL));
    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, ~0UL));
    must("rt_sigaction", signal_install(SIGSEGV, handler, 0, ~0UL));

    say("blocked: USR1 by kill, PIPE by write");
    mask(SIG_BLOCK, ~0UL);
    must("kill", sys_kill(sys_getpid(), SIGUSR1));
    say("  write: %s", result_text(sys_write(broken[1], (uint64_t)broken, 1)));
    mask(SIG_SETMASK, 0);

    say("blocked: PIPE by kill and by write, twice each");
    mask(SIG_BLOCK, ~0UL);
    for (int i = 0; i < 2; i++) {
        must("kill", sys_kill(sys_getpid(), SIGPIPE));
        say("  write: %s", result_text(sys_write(broken[1], (uint64_t)broken, 1)));
    }
    mask(SIG_SETMASK, 0);

    say("blocked: SEGV by kill, PIPE by write");
    mask(SIG_BLOCK, ~0UL);
    must("kill", sys_kill(sys_getpid(), SIGSEGV));
    say("  write: %s", result_text(sys_write(broken[1], (uint64_t)broken, 1)));
    mask(SIG_SETMASK, 0);

    say("PIPE set to be ignored while pending twice");
    mask(SIG_BLOCK, ~0UL);
    must("kill", sys_kill(sys_getpid(), SIGPIPE));
    say("  write: %s", result_text(sys_write(broken[1], (uint64_t)broken, 1)));
    must("rt_sigaction", signal_install(SIGPIPE, SIG_IGN, 0, 0));
    must("rt_sigaction", signal_install(SIGPIPE, handler, 0, ~0UL));
    mask(SIG_SETMASK, 0);
    say("that was all");
}

/*
 * To a child that waits. The first one needs no core dump, so it is decided at once; the other way round it is a matter of
 * whether the child runs in between.
 */
static void log_killing(int first, int second)
{
    long child = program_fork();

    if (child == 0) {
        pipe_signal(to_parent);
        pipe_await(to_child);
        program_exit(0);
    }
    pipe_await(to_parent);
    must("kill", sys_kill(child, first));
    must("kill", sys_kill(child, second));
    say("%s, then %s", signal_text(first), signal_text(second));
    log_wait("  child", wait_for(child));
}

static void log_unwanted(const char *what, signal_handler *action, uint64_t flags)
{
    long child;

    say("%s, blocked", what);
    must("rt_sigaction", signal_install(SIGCHLD, action, flags, 0));
    mask(SIG_BLOCK, SIGNAL_BIT(SIGCHLD));
    child = program_fork();
    if (child == 0)
        program_exit(3);
    say("  wait4: %s", result_text(sys_wait4(child, NULL, 0, NULL)));
    must("rt_sigaction", signal_install(SIGCHLD, handler, 0, 0));
    mask(SIG_SETMASK, 0);
    say("  that was all");
}

int program(const struct program_start *start)
{
    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    log_private();
    log_killing(SIGTERM, SIGABRT);
    log_killing(SIGHUP, SIGQUIT);
    log_unwanted("SIGCHLD ignored", SIG_IGN, 0);
    log_unwanted("SA_NOCLDWAIT with a handler", handler, SA_NOCLDWAIT);
    return 0;
}
