/*
 * Signals from 32 on are queued: each kill is one delivery, in the order of numbers and then of sending.
 */
#include "tests/programs/library/program.h"

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  handler of signal %d, %s", signal, code_text(signal, info->code));
}

int program(const struct program_start *start)
{
    static const int sent[] = {40, 34, 40, SIGUSR1, 34, 64, SIGUSR1, 32, 40};
    const uint64_t all = ~0UL;
    const uint64_t none = 0;

    (void)start;
    for (int signal = 32; signal <= 64; signal++)
        must("rt_sigaction", signal_install(signal, handler, 0, ~0UL));
    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, ~0UL));
    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_SETMASK, &all, NULL));
    for (unsigned i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        say("kill with %d", sent[i]);
        must("kill", sys_kill(sys_getpid(), sent[i]));
    }
    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_SETMASK, &none, NULL));
    say("that was all");

    /* With handlers that block only their own: frames pile up, the last one made runs first. */
    for (int signal = 32; signal <= 64; signal++)
        must("rt_sigaction", signal_install(signal, handler, 0, 0));
    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_SETMASK, &all, NULL));
    for (unsigned i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
        must("kill", sys_kill(sys_getpid(), sent[i]));
    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_SETMASK, &none, NULL));
    say("that was all");
    return 0;
}
