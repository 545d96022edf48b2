/*
 * System calls that take or fill structures, at bad addresses: EFAULT. What has been done before the structure was
 * filled stays done: a handler is installed, a mask is set, a child is gone.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL /* one good page, then nothing */
#define BAD  (AREA + PAGE)

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    say("  handler of %s", signal_text(signal));
}

static void log_result(const char *what, long result)
{
    say("%s: %s", what, result_text(result));
}

int program(const struct program_start *start)
{
    const struct signal_action action = {handler, SA_SIGINFO | SA_RESTORER, signal_restorer, 0};
    static struct signal_action old_action;
    static uint8_t alternate[4096];
    const struct signal_stack stack = {(uint64_t)alternate, 0, 0, sizeof(alternate)};
    static struct signal_stack old_stack;
    const struct resource_limit limit = {0x400000, RLIM_INFINITY};
    static struct resource_limit old_limit;
    const uint64_t usr2 = SIGNAL_BIT(SIGUSR2);
    static uint64_t mask;
    long child;
    long file;
    int ends[2];

    (void)start;
    map_at(AREA, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);

    log_result("uname", sys_uname((struct system_name *)BAD));
    log_result("uname, half good", sys_uname((struct system_name *)(BAD - 65)));
    log_result("fstat", sys_fstat(1, (struct file_status *)BAD));
    log_result("fstat, half good", sys_fstat(1, (struct file_status *)(BAD - 72)));
    log_result("fstat of no file", sys_fstat(99, (struct file_status *)BAD));
    log_result("getrusage", sys_getrusage(RUSAGE_SELF, (struct resource_usage *)BAD));
    log_result("getrusage of no one", sys_getrusage(77, (struct resource_usage *)BAD));
    log_result("clock_gettime", sys_clock_gettime(CLOCK_MONOTONIC, (struct time_value *)BAD));
    log_result("clock_gettime of no clock", sys_clock_gettime(77, (struct time_value *)BAD));
    fill(AREA, 1, 'a');
    log_result("memfd_create", sys_memfd_create((const char *)BAD, 0));
    log_result("memfd_create, name without an end", sys_memfd_create((const char *)BAD - 16, 0));
    log_result("memfd_create, name of 4096 bytes", sys_memfd_create((const char *)AREA, 0));
    store8(AREA + 249, 0);
    file = sys_memfd_create((const char *)AREA, 0);
    say("memfd_create, name of 249 bytes: %s", file >= 0 ? "ok" : result_text(file));
    store8(AREA + 250, 0);
    store8(AREA + 249, 'a');
    log_result("memfd_create, name of 250 bytes", sys_memfd_create((const char *)AREA, 0));
    log_result("memfd_create, unknown flag", sys_memfd_create("", 0x8000));
    log_result("arch_prctl, get FS", sys_arch_prctl(ARCH_GET_FS, BAD));
    log_result("arch_prctl, get GS", sys_arch_prctl(ARCH_GET_GS, BAD));
    log_result("arch_prctl, FS to the kernel's half",
               sys_arch_prctl(ARCH_SET_FS, 0xffff800000000000UL));
    log_result("arch_prctl, unknown", sys_arch_prctl(0x1999, 0));

    log_result("rt_sigaction, new",
               sys_rt_sigaction(SIGUSR1, (const struct signal_action *)BAD, NULL));
    log_result("rt_sigaction, old",
               sys_rt_sigaction(SIGUSR1, &action, (struct signal_action *)BAD));
    must("rt_sigaction", sys_rt_sigaction(SIGUSR1, NULL, &old_action));
    say("  the handler is installed: %s", old_action.handler == handler ? "yes" : "no");
    log_result("rt_sigaction, mask of 4 bytes",
               syscall6(SYS_RT_SIGACTION, SIGUSR1, (uint64_t)&action, 0, 4, 0, 0));
    log_result("rt_sigaction of signal 0", sys_rt_sigaction(0, &action, NULL));
    log_result("rt_sigaction of signal 65", sys_rt_sigaction(65, &action, NULL));
    log_result("rt_sigaction of SIGKILL", sys_rt_sigaction(SIGKILL, &action, NULL));
    log_result("rt_sigaction reading SIGKILL's", sys_rt_sigaction(SIGKILL, NULL, &old_action));
    say("  SIGKILL's action: %s", old_action.handler == SIG_DFL ? "default" : "not the default");

    log_result("rt_sigprocmask, new", sys_rt_sigprocmask(SIG_BLOCK, (const uint64_t *)BAD, NULL));
    log_result("rt_sigprocmask, old", sys_rt_sigprocmask(SIG_BLOCK, &usr2, (uint64_t *)BAD));
    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_BLOCK, NULL, &mask));
    say("  mask: 0x%lx", mask);
    log_result("rt_sigprocmask, how 9", sys_rt_sigprocmask(9, &usr2, NULL));
    log_result("rt_sigprocmask, how 9 without a set", sys_rt_sigprocmask(9, NULL, &mask));
    log_result("rt_sigprocmask, set of 4 bytes",
               syscall6(SYS_RT_SIGPROCMASK, SIG_BLOCK, (uint64_t)&usr2, 0, 4, 0, 0));

    log_result("sigaltstack, new", sys_sigaltstack((const struct signal_stack *)BAD, NULL));
    log_result("sigaltstack, old", sys_sigaltstack(&stack, (struct signal_stack *)BAD));
    must("sigaltstack", sys_sigaltstack(NULL, &old_stack));
    say("  the stack is set: %s", old_stack.base == (uint64_t)alternate ? "yes" : "no");

    log_result("prlimit64, new",
               sys_prlimit64(0, RLIMIT_STACK, (const struct resource_limit *)BAD, NULL));
    log_result("prlimit64, old",
               sys_prlimit64(0, RLIMIT_STACK, &limit, (struct resource_limit *)BAD));
    must("prlimit64", sys_prlimit64(0, RLIMIT_STACK, NULL, &old_limit));
    say("  the limit is set: %s", old_limit.current == 0x400000 ? "yes" : "no");
    log_result("prlimit64, resource 99", sys_prlimit64(0, 99, NULL, &old_limit));

    log_result("pipe", sys_pipe((int *)BAD));
    must("pipe", sys_pipe(ends));
    say("  it has left no descriptors: %s",
        ends[0] == file + 1 && ends[1] == file + 2 ? "yes" : "no");

    child = program_fork();
    if (child == 0)
        program_exit(5);
    log_result("wait4, usage", sys_wait4(child, NULL, 0, (struct resource_usage *)BAD));
    log_result("  then", sys_wait4(child, NULL, 0, NULL));
    child = program_fork();
    if (child == 0)
        program_exit(5);
    log_result("wait4, status", sys_wait4(child, (int *)BAD, 0, NULL));
    log_result("  then", sys_wait4(child, NULL, 0, NULL));
    log_result("wait4, unknown option", sys_wait4(-1, NULL, 0x1000, NULL));
    log_result("wait4, no child", sys_wait4(-1, (int *)BAD, WNOHANG, NULL));
    log_result("open", sys_open((const char *)BAD, O_RDONLY));
    return 0;
}
