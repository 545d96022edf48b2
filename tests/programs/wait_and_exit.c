/*
 * How children end and what wait4 tells of it: exit statuses, signals, options, resource usage, -ECHILD; children of
 * children that have ended; SIGCHLD, and children whose end nobody wants to know of.
 */
#include "tests/programs/library/program.h"

#define AREA 0x10000000UL

static volatile int signals;

static void child_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    signals++;
    say("%s %s status %d", signal_text(signal), code_text(signal, info->code), info->status);
}

static long spawn(void (*function)(void))
{
    long pid = program_fork();

    if (pid == 0) {
        function();
        program_exit(0);
    }
    return pid;
}

static void exit_of_one_task(void)
{
    sys_exit(7);
}

static void exit_large(void)
{
    sys_exit_group(0x1234);
}

static void exit_negative(void)
{
    sys_exit_group(-1);
}

static void die_of_fault(void)
{
    store8(AREA, 1);
}

static void die_of_undefined(void)
{
    __asm__ volatile("ud2");
}

static void die_of_privilege(void)
{
    __asm__ volatile("hlt");
}

static void die_of_division(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\tcltd\n\tidivl %%ecx" ::
                         : "eax", "ecx", "edx", "cc");
}

static void die_of_breakpoint(void)
{
    __asm__ volatile("int3");
}

static void kill_itself(void)
{
    sys_kill(sys_getpid(), SIGTERM);
}

static void kill_itself_surely(void)
{
    sys_kill(sys_getpid(), SIGKILL);
}

static void ignore_and_live(void)
{
    signal_install(SIGTERM, SIG_IGN, 0, 0);
    sys_kill(sys_getpid(), SIGTERM);
    sys_kill(sys_getpid(), SIGCHLD); /* whose default is nothing */
    program_exit(21);
}

static void nothing(void)
{
}

int program(const struct program_start *start)
{
    static const struct {
        const char *what;
        void (*function)(void);
    } ends[] = {
        {"exit of the one task",   exit_of_one_task  },
        {"exit status 0x1234",     exit_large        },
        {"exit status -1",         exit_negative     },
        {"write to no page",       die_of_fault      },
        {"undefined instruction",  die_of_undefined  },
        {"privileged instruction", die_of_privilege  },
        {"division by zero",       die_of_division   },
        {"breakpoint",             die_of_breakpoint },
        {"SIGTERM to itself",      kill_itself       },
        {"SIGKILL to itself",      kill_itself_surely},
        {"SIGTERM ignored",        ignore_and_live   },
    };
    struct resource_usage usage;
    int ends_of_pipe[2];
    int status = 0x7777;
    long pid;
    long other;

    (void)start;
    say("wait4 without children: %s", result_text(sys_wait4(-1, &status, 0, NULL)));
    say("the status is untouched: %x", (unsigned)status);
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        log_wait(ends[i].what, wait_for(spawn(ends[i].function)));

    /* Options and arguments. */
    pipe_make(ends_of_pipe);
    pid = program_fork();
    if (pid == 0) {
        pipe_await(ends_of_pipe);
        program_exit(5);
    }
    say("WNOHANG while it lives: %s", result_text(sys_wait4(pid, &status, WNOHANG, NULL)));
    say("wait4 for a stranger: %s", result_text(sys_wait4(1, &status, WNOHANG, NULL)));
    say("wait4 with an option that there is not: %s",
        result_text(sys_wait4(pid, &status, 0x100, NULL)));
    pipe_signal(ends_of_pipe);
    say("a status that cannot be written: %s", result_text(sys_wait4(pid, (int *)8, 0, NULL)));
    say("and has been waited for: %s", result_text(sys_wait4(pid, &status, 0, NULL)));

    pid = spawn(nothing);
    usage.minor_faults = -1;
    usage.major_faults = -1;
    say("wait4 with usage gives the child: %s",
        sys_wait4(-1, NULL, 0, &usage) == pid ? "yes" : "no");
    say("the usage has faults: %s", usage.minor_faults > 0 ? "yes" : "no");
    say("kill of what has been waited for: %s", result_text(sys_kill(pid, 0)));

    /* Any child, two of them, and their order is the order in which they end. */
    pid = program_fork();
    if (pid == 0) {
        pipe_await(ends_of_pipe);
        program_exit(1);
    }
    other = program_fork();
    if (other == 0)
        program_exit(2);
    say("the first to end: %s",
        sys_wait4(-1, &status, 0, NULL) == other ? "the second child" : "the first child");
    log_wait("it", status);
    say("kill(child, 0): %s", result_text(sys_kill(pid, 0)));
    say("kill with a signal that there is not: %s", result_text(sys_kill(pid, 65)));
    say("kill(child, SIGKILL): %s", result_text(sys_kill(pid, SIGKILL)));
    log_wait("the first child", wait_for(pid));

    /* A child that ends leaves its own child behind, which goes on. */
    int back[2];
    pipe_make(back);
    pid = program_fork();
    if (pid == 0) {
        other = program_fork();
        if (other == 0) {
            pipe_await(ends_of_pipe);
            say("the orphan ends");
            pipe_signal(back);
            program_exit(0);
        }
        program_exit(9);
    }
    log_wait("the one in between", wait_for(pid));
    say("the orphan is no child of ours: %s", result_text(sys_wait4(-1, NULL, WNOHANG, NULL)));
    pipe_signal(ends_of_pipe);
    pipe_await(back);

    /* SIGCHLD. */
    must("rt_sigaction", signal_install(SIGCHLD, child_handler, 0, 0));
    pid = spawn(exit_negative);
    log_wait("child with a handler for SIGCHLD", wait_for(pid));
    pid = spawn(kill_itself_surely);
    log_wait("child that is killed", wait_for(pid));
    say("signals: %d", signals);
    must("rt_sigaction", signal_install(SIGCHLD, SIG_IGN, 0, 0));
    spawn(nothing);
    say("SIGCHLD ignored: wait4: %s", result_text(sys_wait4(-1, NULL, 0, NULL)));
    return 0;
}
