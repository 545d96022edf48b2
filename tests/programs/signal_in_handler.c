/*
 * Handlers: faults within them, SA_NODEFER, SA_RESETHAND, nesting on an alternate stack, masks, the whole register
 * set that a handler sees and what becomes of its changes.
 */
#include "tests/programs/library/program.h"

#define AREA      0x10000000UL
#define ALTERNATE 0x20000000UL
#define PAGES     16UL

/* ---- registers ----------------------------------------------------------------------------------------- */

/* All registers are loaded from a table, an access to AREA faults, and they are stored to another table. */
static uint64_t before[16];
static uint64_t after[17];
static uint64_t stack_pointer;
static struct signal_context seen_context;
static uint64_t entry_rax;
static uint64_t entry_rsp;
static uint64_t entry_flags;
static uint64_t entry_rdi;
static uint64_t entry_rsi;
static uint64_t entry_rdx;

/* Order: rax rbx rcx rdx rsi rdi rbp r8-r15; RSP stays. */
static const int order[15] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                              REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void __attribute__((noinline)) fault_with_registers(uint64_t flags)
{
    __asm__ volatile(
        "pushq %%rbp\n pushq %%rbx\n"
        "movq %%rsp, %[stack]\n"
        "pushq %[flags]\n"
        "movq 8+%[before], %%rbx\n movq 16+%[before], %%rcx\n movq 24+%[before], %%rdx\n"
        "movq 32+%[before], %%rsi\n movq 40+%[before], %%rdi\n movq 48+%[before], %%rbp\n"
        "movq 56+%[before], %%r8\n movq 64+%[before], %%r9\n movq 72+%[before], %%r10\n"
        "movq 80+%[before], %%r11\n movq 88+%[before], %%r12\n movq 96+%[before], %%r13\n"
        "movq 104+%[before], %%r14\n movq 112+%[before], %%r15\n"
        "movq %[before], %%rax\n"
        "popfq\n"
        "movb $1, (0x10000123)\n"
        "pushfq\n"
        "popq 120+%[after]\n"
        "movq %%rax, %[after]\n movq %%rbx, 8+%[after]\n movq %%rcx, 16+%[after]\n"
        "movq %%rdx, 24+%[after]\n movq %%rsi, 32+%[after]\n movq %%rdi, 40+%[after]\n"
        "movq %%rbp, 48+%[after]\n movq %%r8, 56+%[after]\n movq %%r9, 64+%[after]\n"
        "movq %%r10, 72+%[after]\n movq %%r11, 80+%[after]\n movq %%r12, 88+%[after]\n"
        "movq %%r13, 96+%[after]\n movq %%r14, 104+%[after]\n movq %%r15, 112+%[after]\n"
        "cld\n"
        "movq %[stack], %%rsp\n"
        "popq %%rbx\n popq %%rbp\n"
        : [stack] "=m"(stack_pointer), [after] "=m"(after)
        : [before] "m"(before), [flags] "r"(flags)
        : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
          "memory", "cc");
}

/* The handler's first instructions: what it is entered with. */
void entry_handler(int signal, struct signal_info *info, struct signal_context *context);
void entry_continue(int signal, struct signal_info *info, struct signal_context *context);

__asm__(".text\n"
        "entry_handler:\n"
        "movq %rax, entry_rax_place(%rip)\n"
        "movq %rsp, entry_rsp_place(%rip)\n"
        "movq %rdi, entry_rdi_place(%rip)\n"
        "movq %rsi, entry_rsi_place(%rip)\n"
        "movq %rdx, entry_rdx_place(%rip)\n"
        "pushfq\n"
        "popq entry_flags_place(%rip)\n"
        "jmp entry_continue\n"
        ".bss\n.balign 8\n"
        "entry_rax_place: .quad 0\n"
        "entry_rsp_place: .quad 0\n"
        "entry_rdi_place: .quad 0\n"
        "entry_rsi_place: .quad 0\n"
        "entry_rdx_place: .quad 0\n"
        "entry_flags_place: .quad 0\n"
        ".text\n");
extern uint64_t entry_rax_place, entry_rsp_place, entry_rdi_place, entry_rsi_place, entry_rdx_place,
    entry_flags_place;

void entry_continue(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)signal;
    (void)info;
    entry_rax = entry_rax_place;
    entry_rsp = entry_rsp_place;
    entry_rdi = entry_rdi_place;
    entry_rsi = entry_rsi_place;
    entry_rdx = entry_rdx_place;
    entry_flags = entry_flags_place;
    seen_context = *context;
    for (unsigned i = 0; i < 15; i++)
        context->registers[order[i]] += 0x100;
    context->registers[REG_RIP] += 8;    /* the faulting instruction's length */
    context->registers[REG_EFL] ^= 0x41; /* CF and ZF */
}

static void log_registers(void)
{
    uint64_t flags;

    for (unsigned i = 0; i < 15; i++)
        before[i] = 0x1111111111111111UL * (i + 1);
    must("rt_sigaction", signal_install(SIGSEGV, entry_handler, 0, SIGNAL_BIT(SIGUSR2)));
    fault_with_registers(0x602 | 0x1 | 0x80 | 0x4); /* DF, CF, SF, PF */
    for (unsigned i = 0; i < 15; i++)
        say("register %u: before 0x%lx, in the handler 0x%lx, after 0x%lx", i, before[i],
            seen_context.registers[order[i]], after[i]);
    flags =
        seen_context.registers[REG_EFL] & ~0x10000UL; /* RF: processors set it, emulators may not */
    say("RFLAGS in the frame: 0x%lx, after 0x%lx, at the handler's entry 0x%lx", flags, after[15],
        entry_flags & ~0x10000UL);
    say("RSP in the frame: %s",
        seen_context.registers[REG_RSP] == stack_pointer ? "as it was" : "wrong");
    say("segments: 0x%lx", seen_context.registers[REG_CSGSFS]);
    say("err 0x%lx trapno %lu cr2 %s oldmask 0x%lx", seen_context.registers[REG_ERR],
        seen_context.registers[REG_TRAPNO], address_text(seen_context.registers[REG_CR2]),
        seen_context.registers[REG_OLDMASK]);
    say("context: flags 0x%lx, link 0x%lx, stack 0x%lx flags %d size 0x%lx, mask 0x%lx",
        seen_context.flags, seen_context.link, seen_context.stack.base, seen_context.stack.flags,
        seen_context.stack.size, seen_context.mask);
    say("entry: RAX %lu, RDI %lu, RSP+8 mod 16 = %lu", entry_rax, entry_rdi, (entry_rsp + 8) % 16);
    say("frame: context at RSP+%lu, siginfo at RSP+%lu", entry_rdx - entry_rsp,
        entry_rsi - entry_rsp);
    say("FPU state: %s, %lu mod 64, above siginfo: %s", seen_context.fpu_state ? "there" : "none",
        seen_context.fpu_state % 64, seen_context.fpu_state >= entry_rsi + 128 ? "yes" : "no");
    say("red zone: the frame ends 128 bytes or more below RSP: %s",
        seen_context.fpu_state + 512 <= stack_pointer - 128 ? "yes" : "no");
}

/* ---- nesting -------------------------------------------------------------------------------------------- */

static int depth;
static uint64_t frames[8];

static void mend(void)
{
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_READ | PROT_WRITE));
}

static void spoil(void)
{
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_NONE));
}

static void log_mask(const char *what)
{
    static uint64_t mask;

    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_BLOCK, NULL, &mask));
    say("%s: mask 0x%lx", what, mask);
}

static void mending_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    say("handler of %s at depth %d, %s", signal_text(signal), depth, code_text(signal, info->code));
    log_mask("  in it");
    say("  in its frame: mask 0x%lx", context->mask);
    mend();
}

static void faulting_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)info;
    (void)context;
    frames[depth] = (uint64_t)__builtin_frame_address(0);
    say("handler of %s at depth %d", signal_text(signal), depth);
    log_mask("  in it");
    if (++depth < 4) {
        load8(AREA);
        say("back at depth %d", depth);
    } else {
        mend();
    }
    depth--;
}

static void once_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    static struct signal_action now;

    (void)info;
    (void)context;
    must("rt_sigaction", sys_rt_sigaction(signal, NULL, &now));
    say("handler of %s, its action now: %s, flags 0x%lx", signal_text(signal),
        now.handler == SIG_DFL ? "default" : "a handler", now.flags);
    log_mask("  in it");
    mend();
}

static void masking_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)signal;
    (void)info;
    log_mask("in a handler that changes the mask");
    context->mask =
        SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGSEGV);
    mend();
}

static void log_nesting(void)
{
    const uint64_t none = 0;
    long child;

    say("fault in a handler of another signal");
    spoil();
    must("rt_sigaction", signal_install(SIGSEGV, mending_handler, 0, SIGNAL_BIT(SIGTERM)));
    must("rt_sigaction", signal_install(SIGUSR1, faulting_handler, 0, SIGNAL_BIT(SIGUSR2)));
    depth = 3 - 1;
    must("kill", sys_kill(sys_getpid(), SIGUSR1));
    log_mask("afterwards");

    say("SA_NODEFER, four deep");
    spoil();
    depth = 0;
    must("rt_sigaction", signal_install(SIGSEGV, faulting_handler, SA_NODEFER, 0));
    load8(AREA);
    log_mask("afterwards");

    say("SA_NODEFER on an alternate stack");
    spoil();
    depth = 0;
    must("rt_sigaction", signal_install(SIGSEGV, faulting_handler, SA_NODEFER | SA_ONSTACK, 0));
    load8(AREA);
    for (int i = 0; i < 4; i++)
        say("frame %d: %s, %s", i,
            frames[i] >= ALTERNATE && frames[i] < ALTERNATE + PAGES * PAGE ? "on it" : "not on it",
            i == 0 || frames[i] < frames[i - 1] ? "below the one before"
                                                : "not below the one before");

    say("SA_RESETHAND");
    spoil();
    must("rt_sigaction", signal_install(SIGSEGV, once_handler, SA_RESETHAND, 0));
    load8(AREA);
    child = program_fork();
    if (child == 0) {
        spoil();
        load8(AREA);
        program_exit(0);
    }
    log_wait("second fault", wait_for(child));
    say("SA_RESETHAND with SA_NODEFER");
    spoil();
    must("rt_sigaction", signal_install(SIGSEGV, once_handler, SA_RESETHAND | SA_NODEFER, 0));
    load8(AREA);

    say("a handler changes the frame's mask");
    spoil();
    must("rt_sigaction", signal_install(SIGSEGV, masking_handler, 0, 0));
    load8(AREA);
    log_mask("afterwards");
    must("rt_sigprocmask", sys_rt_sigprocmask(SIG_SETMASK, &none, NULL));
}

int program(const struct program_start *start)
{
    const struct signal_stack stack = {ALTERNATE, 0, 0, PAGES * PAGE};

    (void)start;
    map_at(ALTERNATE, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    must("sigaltstack", sys_sigaltstack(&stack, NULL));
    log_registers();
    map_at(AREA, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_nesting();
    return 0;
}
