/*
 * Handlers whose frame has no place: the stack pointer or the alternate stack is bad. The signal becomes SIGSEGV, and
 * SIGSEGV itself kills. A stack that only has to be brought, or grown, is none of the program's business.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 16UL

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    uint64_t here = (uint64_t)__builtin_frame_address(0);

    (void)context;
    if (info->code == SEGV_MAPERR || info->code == SEGV_ACCERR || info->code == SI_KERNEL)
        say("  handler of %s, %s si_addr %s%s", signal_text(signal), code_text(signal, info->code),
            address_text(info->address),
            here >= AREA && here < AREA + PAGES * PAGE ? ", on the alternate stack" : "");
    else
        say("  handler of %s, %s%s", signal_text(signal), code_text(signal, info->code),
            here >= AREA && here < AREA + PAGES * PAGE ? ", on the alternate stack" : "");
    program_exit(3);
}

static void set_stack(uint64_t base, uint64_t size)
{
    const struct signal_stack stack = {base, 0, 0, size};

    must("sigaltstack", sys_sigaltstack(&stack, NULL));
}

/* A page fault, or SIGUSR1 by kill, with the stack pointer as it is. */
static void fault(void)
{
    load8(8);
}

static void user_signal(void)
{
    sys_kill(sys_getpid(), SIGUSR1);
}

/* The same with RSP = @stack. */
static void fault_on(uint64_t stack)
{
    __asm__ volatile("movq %0, %%rsp\n movb (8), %%al" : : "r"(stack) : "rax", "memory");
    __builtin_unreachable();
}

static void user_signal_on(uint64_t stack)
{
    uint64_t me = (uint64_t)sys_getpid();

    __asm__ volatile("movq %0, %%rsp\n syscall\n mov $231, %%eax\n mov $9, %%edi\n syscall"
                     :
                     : "r"(stack), "a"(SYS_KILL), "D"(me), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

static uint64_t stack_for_child;
static void fault_on_it(void)
{
    fault_on(stack_for_child);
}

static void user_signal_on_it(void)
{
    user_signal_on(stack_for_child);
}

static void log_case(const char *what, uint64_t flags, void (*raise)(void))
{
    long child;

    say("%s", what);
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGSEGV, handler, flags, 0));
        must("rt_sigaction", signal_install(SIGUSR1, handler, flags, 0));
        raise();
        say("  goes on");
        program_exit(0);
    }
    log_wait("  child", wait_for(child));
}

/* SIGUSR1 has no alternate stack, SIGSEGV has: it tells what became of SIGUSR1. */
static void log_mixed(const char *what, uint64_t stack)
{
    long child;

    say("%s, SIGUSR1 there, SIGSEGV on the alternate stack", what);
    child = program_fork();
    if (child == 0) {
        must("rt_sigaction", signal_install(SIGSEGV, handler, SA_ONSTACK, 0));
        must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
        user_signal_on(stack);
    }
    log_wait("  child", wait_for(child));
}

int program(const struct program_start *start)
{
    static const struct {
        const char *what;
        uint64_t stack;
    } bad[] = {
        {"RSP 0",                    0                   },
        {"RSP where nothing is",     0x20000000          },
        {"RSP at the kernel's half", 0xffff800000000000UL},
        {"RSP just above address 0", 128                 },
    };
    static const struct {
        const char *what;
        int protection;
    } protections[] = {
        {"PROT_NONE", PROT_NONE},
        {"read-only", PROT_READ}
    };

    (void)start;
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    set_stack(AREA, PAGES * PAGE);
    log_case("good alternate stack, fault", SA_ONSTACK, fault);
    log_case("good alternate stack, SIGUSR1", SA_ONSTACK, user_signal);
    log_residency("it was never touched here", AREA, PAGES);
    log_case("good alternate stack, not asked for", 0, fault);

    for (unsigned i = 0; i < 2; i++) {
        must("mprotect", sys_mprotect(AREA, PAGES * PAGE, protections[i].protection));
        say("alternate stack %s", protections[i].what);
        log_case("fault", SA_ONSTACK, fault);
        log_case("SIGUSR1", SA_ONSTACK, user_signal);
    }
    must("munmap", sys_munmap(AREA, PAGES * PAGE));
    say("alternate stack where nothing is");
    log_case("fault", SA_ONSTACK, fault);
    log_case("SIGUSR1", SA_ONSTACK, user_signal);
    log_case("SIGUSR1, not asked for", 0, user_signal);
    set_stack(0xffff800000000000UL, PAGES * PAGE);
    say("alternate stack in the kernel's half");
    log_case("fault", SA_ONSTACK, fault);
    set_stack(AREA, PAGES * PAGE);

    /* Only the uppermost pages are good, and enough. */
    map_at(AREA + 8 * PAGE, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    say("alternate stack whose lower half is bad");
    log_case("fault", SA_ONSTACK, fault);
    must("munmap", sys_munmap(AREA + 8 * PAGE, 8 * PAGE));

    /* Stack pointers. */
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        stack_for_child = bad[i].stack;
        say("%s", bad[i].what);
        log_case("fault", 0, fault_on_it);
        log_case("fault, alternate stack", SA_ONSTACK, fault_on_it);
        log_case("SIGUSR1", 0, user_signal_on_it);
        log_mixed(bad[i].what, bad[i].stack);
    }

    /* The stack pointer at the beginning of the alternate stack: it counts as being on it, and there is no room. */
    say("RSP at the alternate stack's lowest bytes");
    stack_for_child = AREA + 256;
    log_case("fault", SA_ONSTACK, fault_on_it);
    log_case("SIGUSR1", SA_ONSTACK, user_signal_on_it);
    stack_for_child = AREA + PAGES * PAGE - 256;
    say("RSP at the alternate stack's highest bytes");
    log_case("fault", SA_ONSTACK, fault_on_it);

    /* A growing mapping grows for the frame. */
    map_at(0x20000000, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
    stack_for_child = 0x20000100;
    say("RSP near the end of a growing mapping");
    log_case("fault", 0, fault_on_it);
    return 0;
}
