/*
 * SIGSTOP and SIGCONT: what wait4 tells of stopped and continued children and with which options, what SIGCHLD says, and what
 * becomes of signals and system calls meanwhile. A child that is stopped does nothing more: the order is set by pipes.
 */
#include "tests/programs/library/program.h"

#define WUNTRACED   0x00000002
#define WCONTINUED  0x00000008
#define WNOWAIT     0x01000000
#define WNOTHREAD   0x20000000
#define WALL        0x40000000
#define WCLONE      0x80000000U
#define STATUS_NONE 0x7777

static int to_child[2];
static int to_parent[2];
static int status;

static const char *code_of_child(int code)
{
    static const char *const names[] = {"CLD_EXITED",  "CLD_KILLED",  "CLD_DUMPED",
                                        "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};

    return code >= 1 && code <= 6 ? names[code - 1] : "another code";
}

static void child_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  %s %s status %d", signal_text(signal), code_of_child(info->code), info->status);
}

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    say("  child: handler of %s", signal_text(signal));
}

static void let_signals(bool through)
{
    const uint64_t set = SIGNAL_BIT(SIGCHLD);

    must("rt_sigprocmask", sys_rt_sigprocmask(through ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL));
}

/* SIGCHLD comes between two lines of the log, and not earlier. */
static void take_signals(void)
{
    say("  unblocked");
    let_signals(true);
    let_signals(false);
}

static void log_wait4(const char *what, long pid, unsigned options)
{
    long got;

    status = STATUS_NONE;
    got = sys_wait4(pid, &status, (int)options, NULL);
    if (got > 0)
        say("  %s: the child, status 0x%x", what, (unsigned)status);
    else
        say("  %s: %s, status %s", what, result_text(got),
            status == STATUS_NONE ? "untouched" : "written");
}

static void log_kill(const char *what, long pid, int signal)
{
    say("  %s: %s", what, result_text(sys_kill(pid, signal)));
}

static void log_options(void)
{
    long child;

    say("options");
    child = program_fork();
    if (child == 0) {
        pipe_await(to_child);
        program_exit(3);
    }
    log_wait4("WUNTRACED and WCONTINUED of one that runs", child, WNOHANG | WUNTRACED | WCONTINUED);
    log_wait4("__WCLONE", child, WCLONE | WNOHANG);
    log_wait4("__WCLONE with __WALL", child, WCLONE | WALL | WNOHANG);
    log_wait4("__WALL", child, WALL | WNOHANG);
    log_wait4("__WNOTHREAD", child, WNOTHREAD | WNOHANG);
    log_wait4("WNOWAIT", child, WNOWAIT | WNOHANG);
    pipe_signal(to_child);
    log_wait4("__WNOTHREAD", child, WNOTHREAD);
    take_signals();
}

static void log_stops(void)
{
    long child;

    say("stopped and continued");
    child = program_fork();
    if (child == 0) {
        sys_kill(sys_getpid(), SIGSTOP);
        say("  child: goes on");
        pipe_signal(to_parent);
        pipe_await(to_child);
        program_exit(4);
    }
    log_wait4("WUNTRACED", child, WUNTRACED);
    log_wait4("once more", child, WUNTRACED | WNOHANG);
    take_signals();
    log_wait4("without WUNTRACED", child, WNOHANG);
    log_wait4("WCONTINUED", child, WCONTINUED | WNOHANG);
    log_kill("SIGCONT", child, SIGCONT);
    pipe_await(to_parent);
    log_wait4("WUNTRACED", child, WUNTRACED | WNOHANG);
    log_wait4("WCONTINUED", child, WCONTINUED);
    log_wait4("once more", child, WCONTINUED | WNOHANG);
    take_signals();
    log_kill("SIGCONT to one that runs", child, SIGCONT);
    log_wait4("WCONTINUED", child, WCONTINUED | WNOHANG);
    pipe_signal(to_child);
    log_wait4("its end", child, WUNTRACED | WCONTINUED);
    take_signals();
}

/* In a system call that waits: it is made again, unless a handler came. */
static void log_waiting(void)
{
    long child;

    say("stopped in a system call");
    child = program_fork();
    if (child == 0) {
        pipe_signal(to_parent);
        pipe_await(to_child);
        say("  child: has its byte");
        program_exit(5);
    }
    pipe_await(to_parent);
    log_kill("SIGSTOP", child, SIGSTOP);
    log_wait4("WUNTRACED", child, WUNTRACED);
    pipe_signal(to_child);
    log_wait4("there is a byte now", child, WNOHANG);
    log_kill("SIGCONT", child, SIGCONT);
    log_wait4("its end", child, 0);
    take_signals();
}

static void log_signals(void)
{
    long child;

    say("signals to one that is stopped");
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
        must("rt_sigaction", signal_install(SIGCONT, handler, 0, 0));
        sys_kill(sys_getpid(), SIGSTOP);
        say("  child: goes on");
        program_exit(6);
    }
    log_wait4("WUNTRACED", child, WUNTRACED);
    log_kill("SIGUSR1", child, SIGUSR1);
    log_kill("SIGSTOP", child, SIGSTOP);
    log_wait4("nothing happens", child, WUNTRACED | WNOHANG);
    log_kill("SIGCONT", child, SIGCONT);
    log_wait4("its end", child, 0);
    take_signals();

    child = program_fork();
    if (child == 0) {
        sys_kill(sys_getpid(), SIGSTOP);
        program_exit(7);
    }
    log_wait4("WUNTRACED", child, WUNTRACED);
    log_kill("SIGTERM", child, SIGTERM);
    log_wait4("nothing happens", child, WUNTRACED | WNOHANG);
    log_kill("SIGCONT", child, SIGCONT);
    log_wait4("its end", child, 0);
    take_signals();

    child = program_fork();
    if (child == 0) {
        sys_kill(sys_getpid(), SIGSTOP);
        program_exit(8);
    }
    log_wait4("WUNTRACED", child, WUNTRACED);
    log_kill("SIGKILL", child, SIGKILL);
    log_wait4("its end", child, 0);
    take_signals();
}

/* The parent does not want to hear of it, but asks. */
static void log_reports(void)
{
    long child;

    say("SA_NOCLDSTOP");
    must("rt_sigaction", signal_install(SIGCHLD, child_handler, SA_NOCLDSTOP, 0));
    child = program_fork();
    if (child == 0) {
        sys_kill(sys_getpid(), SIGSTOP);
        pipe_signal(to_parent);
        pipe_await(to_child);
        program_exit(9);
    }
    log_wait4("WUNTRACED", child, WUNTRACED);
    take_signals();
    log_kill("SIGCONT", child, SIGCONT);
    pipe_await(to_parent);
    take_signals();
    log_wait4("WCONTINUED", -1, WCONTINUED);
    pipe_signal(to_child);
    log_wait4("its end", -1, WUNTRACED | WCONTINUED);
    take_signals();
}

int program(const struct program_start *start)
{
    (void)start;
    pipe_make(to_child);
    pipe_make(to_parent);
    must("rt_sigaction", signal_install(SIGCHLD, child_handler, 0, 0));
    let_signals(false);
    log_options();
    log_stops();
    log_waiting();
    log_signals();
    log_reports();
    return 0;
}
