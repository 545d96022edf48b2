/*
 * Signals of faults that cannot be delivered: blocked or ignored they kill, whatever handler there is. The same
 * signal sent by kill stays pending or is dropped.
 */
#include "tests/programs/library/program.h"

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  handler of %s, %s", signal_text(signal), code_text(signal, info->code));
    program_exit(3);
}

static void fault(void)
{
    load8(8);
}

static void general_protection(void)
{
    load8(0x8000000000000000UL);
}

static void undefined(void)
{
    __asm__ volatile("ud2");
}

static void divide(void)
{
    unsigned zero = 0;

    __asm__ volatile("divl %0" : "+r"(zero) : : "eax", "edx", "cc");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

enum how { DEFAULT, HANDLED, IGNORED, BLOCKED, HANDLED_AND_BLOCKED, IGNORED_AND_BLOCKED, HOWS };

static void log_case(const char *name, int signal, void (*raise)(void), enum how how)
{
    static const char *const hows[HOWS] = {
        "default", "handled", "ignored", "blocked", "handled and blocked", "ignored and blocked"};
    const struct signal_action ignore = {SIG_IGN, SA_RESTORER, signal_restorer, 0};
    const uint64_t mask = SIGNAL_BIT(signal);
    long child;

    say("%s, %s", name, hows[how]);
    child = program_fork();
    if (child == 0) {
        if (how == HANDLED || how == HANDLED_AND_BLOCKED)
            must("rt_sigaction", signal_install(signal, handler, 0, 0));
        if (how == IGNORED || how == IGNORED_AND_BLOCKED)
            must("rt_sigaction", sys_rt_sigaction(signal, &ignore, NULL));
        if (how == BLOCKED || how == HANDLED_AND_BLOCKED || how == IGNORED_AND_BLOCKED)
            must("rt_sigprocmask", sys_rt_sigprocmask(SIG_BLOCK, &mask, NULL));
        if (raise)
            raise();
        else
            say("  kill: %s", result_text(sys_kill(sys_getpid(), signal)));
        say("  goes on");
        program_exit(0);
    }
    log_wait("  child", wait_for(child));
}

static uint8_t depth;

static void faulting_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    say("  handler of %s, depth %d", signal_text(signal), depth++);
    log_flush();
    fault();
}

int program(const struct program_start *start)
{
    static const struct {
        const char *name;
        int signal;
        void (*raise)(void);
    } kinds[] = {
        {"page fault",            SIGSEGV, fault             },
        {"general protection",    SIGSEGV, general_protection},
        {"undefined instruction", SIGILL,  undefined         },
        {"division",              SIGFPE,  divide            },
        {"breakpoint",            SIGTRAP, breakpoint        },
        {"kill",                  SIGSEGV, NULL              },
    };
    long child;

    (void)start;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (int how = 0; how < HOWS; how++)
            log_case(kinds[i].name, kinds[i].signal, kinds[i].raise, (enum how)how);
    }

    /* A handler's own signal is blocked while it runs, and so is what its mask says. */
    say("fault in its own handler");
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGSEGV, faulting_handler, 0, 0));
        fault();
    }
    log_wait("  child", wait_for(child));
    say("fault in a handler whose mask has SIGSEGV");
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGSEGV, handler, 0, 0));
        must("rt_sigaction", signal_install(SIGUSR1, faulting_handler, 0, SIGNAL_BIT(SIGSEGV)));
        must("kill", sys_kill(sys_getpid(), SIGUSR1));
    }
    log_wait("  child", wait_for(child));
    say("fault in a handler of another signal");
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGSEGV, handler, 0, 0));
        must("rt_sigaction", signal_install(SIGUSR1, faulting_handler, 0, 0));
        must("kill", sys_kill(sys_getpid(), SIGUSR1));
    }
    log_wait("  child", wait_for(child));
    return 0;
}
