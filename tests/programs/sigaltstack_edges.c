/*
 * sigaltstack: what it refuses, what it says in and out of handlers, SS_AUTODISARM, what a child has, and what
 * sigreturn makes of the frame's copy.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL
#define SIZE  (16 * PAGE)

static void log_stack(const char *what)
{
    static struct signal_stack stack;
    long result = sys_sigaltstack(NULL, &stack);

    say("%s: %s, base 0x%lx flags 0x%x size 0x%lx", what, result_text(result), stack.base,
        (unsigned)stack.flags, stack.size);
}

static void log_set(const char *what, uint64_t base, unsigned flags, uint64_t size)
{
    const struct signal_stack stack = {base, (int32_t)flags, 0, size};

    say("%s: %s", what, result_text(sys_sigaltstack(&stack, NULL)));
}

static void log_place(void)
{
    uint64_t here = (uint64_t)__builtin_frame_address(0);

    say("  handler on %s", here >= AREA && here < AREA + SIZE     ? "the first stack"
                           : here >= OTHER && here < OTHER + SIZE ? "the other stack"
                                                                  : "the program's stack");
}

static void plain_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)signal;
    (void)info;
    log_place();
    log_stack("  in the handler");
    if (context->stack
            .size) /* without a stack, flags are what the kernel had before it was started */
        say("  in its frame: base 0x%lx flags 0x%x size 0x%lx", context->stack.base,
            (unsigned)context->stack.flags, context->stack.size);
}

static void changing_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    plain_handler(signal, info, context);
    log_set("  another stack", OTHER, 0, SIZE);
    log_set("  disabled", 0, SS_DISABLE, 0);
    log_set("  the same stack", AREA, 0, SIZE);
    log_stack("  then");
}

static void frame_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    plain_handler(signal, info, context);
    context->stack.base = OTHER;
    context->stack.flags = 0;
    context->stack.size = SIZE - PAGE;
}

static void nested_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    plain_handler(signal, info, context);
    if (signal == SIGUSR1)
        sys_kill(sys_getpid(), SIGUSR2);
}

static void raise_with(signal_handler *handler, uint64_t flags)
{
    must("rt_sigaction", signal_install(SIGUSR1, handler, flags, 0));
    must("rt_sigaction", signal_install(SIGUSR2, handler, flags, 0));
    must("kill", sys_kill(sys_getpid(), SIGUSR1));
}

/* sigaltstack with the stack pointer on the alternate stack, without any signal. */
static long set_while_on(uint64_t rsp, const struct signal_stack *stack, struct signal_stack *old)
{
    long result;

    __asm__ volatile("movq %%rsp, %%rbx\n movq %[rsp], %%rsp\n syscall\n movq %%rbx, %%rsp"
                     : "=a"(result)
                     : "a"(SYS_SIGALTSTACK), "D"(stack), "S"(old), [rsp] "r"(rsp)
                     : "rbx", "rcx", "r11", "memory");
    return result;
}

int program(const struct program_start *start)
{
    static const struct signal_stack other = {OTHER, 0, 0, SIZE};
    static struct signal_stack old;
    long child;

    (void)start;
    map_at(AREA, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    map_at(OTHER, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_stack("at first");
    say("neither new nor old: %s", result_text(sys_sigaltstack(NULL, NULL)));
    raise_with(plain_handler, SA_ONSTACK);

    log_set("size 2047", AREA, 0, 2047);
    log_set("size 0", AREA, 0, 0);
    log_set("flags 8", AREA, 8, SIZE);
    log_set("SS_DISABLE and SS_ONSTACK", AREA, SS_DISABLE | SS_ONSTACK, SIZE);
    log_stack("none of them");
    log_set("flags SS_ONSTACK", AREA, SS_ONSTACK, SIZE);
    log_stack("then");
    log_set("SS_DISABLE with a base", AREA + 5, SS_DISABLE, 7);
    log_stack("then");
    log_set("odd base in the kernel's half, size -1", 0xffff800000000001UL, 0, ~0UL);
    log_stack("then");
    log_set("good", AREA, 0, SIZE);
    log_stack("then");

    say("SA_ONSTACK");
    raise_with(plain_handler, SA_ONSTACK);
    say("without SA_ONSTACK");
    raise_with(plain_handler, 0);
    say("changes in the handler");
    raise_with(changing_handler, SA_ONSTACK);
    log_stack("afterwards");
    say("changes in a handler that is not on it");
    raise_with(changing_handler, 0);
    log_stack("afterwards: the frame's stack is back");
    log_set("good", AREA, 0, SIZE);
    say("a signal within");
    raise_with(nested_handler, SA_ONSTACK);

    say("the frame's stack changed");
    raise_with(frame_handler, SA_ONSTACK);
    log_stack("the frame's is taken");
    log_set("good", AREA, 0, SIZE);

    /* SS_AUTODISARM: off while the handler runs, on again afterwards. */
    log_set("SS_AUTODISARM", AREA, SS_AUTODISARM, SIZE);
    log_stack("then");
    raise_with(plain_handler, SA_ONSTACK);
    log_stack("afterwards");
    say("changes in the handler");
    raise_with(changing_handler, SA_ONSTACK);
    log_stack("afterwards with SS_AUTODISARM");
    log_set("SS_AUTODISARM and SS_DISABLE", AREA, SS_AUTODISARM | SS_DISABLE, SIZE);
    log_stack("then");

    /* What counts is where the stack pointer is. */
    log_set("good", AREA, 0, SIZE);
    say("with RSP on it, a new one: %s", result_text(set_while_on(AREA + SIZE - 64, &other, NULL)));
    say("with RSP on it, asked: %s", result_text(set_while_on(AREA + SIZE - 64, NULL, &old)));
    say("  flags 0x%x", (unsigned)old.flags);
    say("with RSP at its lowest byte, asked: %s", result_text(set_while_on(AREA, NULL, &old)));
    say("  flags 0x%x", (unsigned)old.flags);
    say("with RSP at its end, asked: %s", result_text(set_while_on(AREA + SIZE, NULL, &old)));
    say("  flags 0x%x", (unsigned)old.flags);
    say("with RSP just above, a new one: %s",
        result_text(set_while_on(AREA + SIZE + 8, &other, NULL)));
    log_stack("then");

    child = program_fork();
    if (child == 0) {
        log_stack("child");
        log_set("child: disabled", 0, SS_DISABLE, 0);
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    log_stack("parent");
    return 0;
}
