/*
 * rt_sigreturn with frames that are bad: not readable, garbage, or with registers that user mode may not have. The
 * program gets SIGSEGV with SI_KERNEL, or dies; flags it may not set are dropped without a word.
 */
#include "tests/programs/library/program.h"

#define ALTERNATE 0x10000000UL
#define GARBAGE   0x20000000UL

enum change {
    NOTHING,
    RIP_NON_CANONICAL,
    RIP_KERNEL,
    RIP_UNMAPPED,
    CS_KERNEL,
    CS_NULL,
    SS_KERNEL,
    FLAGS_ALL,
    FPU_NOWHERE,
    FPU_KERNEL,
    FPU_NONE,
    MASK_ALL,
    CHANGES
};

static const char *const names[CHANGES] = {
    "nothing changed",
    "RIP not canonical",
    "RIP in the kernel's half",
    "RIP where nothing is",
    "CS the kernel's",
    "CS null",
    "SS the kernel's",
    "all of RFLAGS",
    "FPU state where nothing is",
    "FPU state in the kernel's half",
    "no FPU state",
    "all signals masked",
};

static enum change change;

static void last_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)context;
    say("  then handler of %s, %s si_addr %s", signal_text(signal), code_text(signal, info->code),
        address_text(info->address));
    program_exit(3);
}

static void returning_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    say("  handler of %s", signal_text(signal));
}

static void changing_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    uint64_t *registers = context->registers;
    static bool entered;

    if (entered) {
        say("  then again, %s", code_text(signal, info->code));
        program_exit(3);
    }
    entered = true;
    switch (change) {
    case NOTHING:
    case CHANGES:
        break;
    case RIP_NON_CANONICAL:
        registers[REG_RIP] = 0x8000000000000000UL;
        break;
    case RIP_KERNEL:
        registers[REG_RIP] = 0xffffffff81000000UL;
        break;
    case RIP_UNMAPPED:
        registers[REG_RIP] = 0x30000000;
        break;
    case CS_KERNEL:
        registers[REG_CSGSFS] = (registers[REG_CSGSFS] & ~0xffffUL) | 0x10;
        break;
    case CS_NULL:
        registers[REG_CSGSFS] &= ~0xffffUL;
        break;
    case SS_KERNEL:
        registers[REG_CSGSFS] = (registers[REG_CSGSFS] & 0xffffffffffffUL) | 0x18UL << 48;
        break;
    case FLAGS_ALL:
        registers[REG_EFL] = ~0x100UL; /* but for single-stepping */
        break;
    case FPU_NOWHERE:
        context->fpu_state = 0x30000000;
        break;
    case FPU_KERNEL:
        context->fpu_state = 0xffff800000000000UL;
        break;
    case FPU_NONE:
        context->fpu_state = 0;
        break;
    case MASK_ALL:
        context->mask = ~0UL;
        break;
    }
}

/* A frame of @signal that is changed; @signal's own handler returns with it. */
static void log_change(int signal, enum change what)
{
    long child;

    say("%s of %s", names[what], signal_text(signal));
    child = program_fork();
    if (child == 0) {
        uint64_t flags;
        uint64_t mask = 0;

        change = what;
        if (signal != SIGSEGV)
            must("rt_sigaction", signal_install(SIGSEGV, last_handler, SA_ONSTACK, 0));
        must("rt_sigaction", signal_install(signal, changing_handler, 0, 0));
        __asm__ volatile("pushq $0x202\n popfq\n syscall\n pushfq\n popq %0\n pushq $0x202\n popfq"
                         : "=r"(flags), "+a"((uint64_t){SYS_KILL})
                         : "D"(sys_getpid()), "S"((long)signal)
                         : "rcx", "r11", "memory", "cc");
        must("rt_sigprocmask", sys_rt_sigprocmask(SIG_BLOCK, NULL, &mask));
        say("  goes on, RFLAGS 0x%lx, mask 0x%lx", flags, mask);
        program_exit(0);
    }
    log_wait("  child", wait_for(child));
}

/* rt_sigreturn with the frame at @frame. */
static void log_frame(const char *what, uint64_t frame, bool handled)
{
    long child;

    say("%s%s", what, handled ? "" : ", no handler");
    child = program_fork();
    if (child == 0) {
        if (handled)
            must("rt_sigaction", signal_install(SIGSEGV, last_handler, SA_ONSTACK, 0));
        __asm__ volatile("movq %0, %%rsp\n syscall\n ud2"
                         :
                         : "r"(frame), "a"(SYS_RT_SIGRETURN)
                         : "memory");
        __builtin_unreachable();
    }
    log_wait("  child", wait_for(child));
}

static void log_action(const char *what, signal_handler *handler, uint64_t flags,
                       void (*restorer)(void))
{
    const struct signal_action action = {handler, flags, restorer, 0};
    long child;

    say("%s", what);
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGSEGV, last_handler, SA_ONSTACK, 0));
        must("rt_sigaction", sys_rt_sigaction(SIGUSR1, &action, NULL));
        must("kill", sys_kill(sys_getpid(), SIGUSR1));
        say("  goes on");
        program_exit(0);
    }
    log_wait("  child", wait_for(child));
}

int program(const struct program_start *start)
{
    const struct signal_stack stack = {ALTERNATE, 0, 0, 16 * PAGE};

    (void)start;
    map_at(ALTERNATE, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    must("sigaltstack", sys_sigaltstack(&stack, NULL));

    for (int i = 0; i < CHANGES; i++) {
        log_change(SIGUSR1, (enum change)i);
        /* SIGSEGV is blocked in its own handler until the frame's mask is taken: what is bad before kills. */
        if (i == RIP_NON_CANONICAL || i == FPU_NOWHERE || i == NOTHING)
            log_change(SIGSEGV, (enum change)i);
    }

    map_at(GARBAGE, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(GARBAGE, 1, 0);
    fill(GARBAGE + PAGE, 1, 0xff);
    log_frame("frame where nothing is", 0x30000000, true);
    log_frame("frame where nothing is", 0x30000000, false);
    log_frame("frame in the kernel's half", 0xffff800000000000UL, true);
    log_frame("frame of zeros", GARBAGE + 256, true);
    log_frame("frame of zeros", GARBAGE + 256, false);
    log_frame("frame whose end is not mapped", GARBAGE + 3 * PAGE - 64, true);
    /* Ones mask all signals: nothing can be handled any more. */
    log_frame("frame of ones", GARBAGE + PAGE + 256, true);

    log_action("no SA_RESTORER", last_handler, SA_SIGINFO, signal_restorer);
    log_action("restorer where nothing is", returning_handler, SA_SIGINFO | SA_RESTORER,
               (void (*)(void))0x30000000);
    log_action("handler where nothing is", (signal_handler *)0x30000000, SA_RESTORER,
               signal_restorer);
    log_action("handler in the kernel's half", (signal_handler *)0xffffffff81000000UL, SA_RESTORER,
               signal_restorer);
    log_action("handler not canonical", (signal_handler *)0x8000000000000000UL, SA_RESTORER,
               signal_restorer);
    log_action("handler not executable", (signal_handler *)GARBAGE, SA_RESTORER, signal_restorer);
    return 0;
}
