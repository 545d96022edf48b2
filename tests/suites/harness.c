/*
 * harness.c: what the harness does with what no check expects. Each case runs only by name, and
 * tests/boot/ knows what has to come of it; the machine must be fine afterwards.
 */
#include "fault/context.h"
#include "fault/cpu.h"
#include "fault/die.h"
#include "fault/kprobe.h"
#include "fault/tables.h"
#include "fault/uaccess.h"
#include "fault/uaccess_raw.h"
#include "table.h"
#include "tests/harness/session.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/registers.h"

/* Nothing is mapped there: the first page of the lower half. */
#define ABSENT        UINT64_C(0x10)
#define ABSENT_KERNEL (CPU_BASE + CPU_STACK_MC_TOP)

static void passes(struct trial *trial)
{
    trial_expect(trial, FIELD_EVENTS, 0, 1, 1);
}

static void fails(struct trial *trial)
{
    trial_expect(trial, FIELD_EVENTS, 0, 1, 2);
}

static void silent(struct trial *trial)
{
    (void)trial;
}

/* Longer than any step may take, so that what waits for the end of a step can be seen waiting. */
static void slow(struct trial *trial)
{
    const struct session *session = (const struct session *)SESSION_BASE;
    uint64_t until = read_tsc() + 2 * session->ticks_per_second;

    while (read_tsc() < until) {
        __asm__ volatile("pause");
    }
    trial_expect(trial, FIELD_EVENTS, 0, 1, 1);
}

/* What is compared in an earlier step is still there in a later one. */
#define STEPS 5u
static void takes_steps(struct trial *trial)
{
    trial_expect(trial, FIELD_EVENTS, trial->step, trial->comparisons, trial->step);
    if (trial->step + 1 < STEPS) {
        trial_again(trial);
    } else {
        trial_expect(trial, FIELD_EVENTS, STEPS, STEPS, trial->comparisons);
    }
}

static void dies_in_its_second_step(struct trial *trial)
{
    if (trial->step) {
        __asm__ volatile("ud2");
    }
    trial_again(trial);
}

/* ---- what no check expects
 * --------------------------------------------------------------------------------- */

static void unexpected_vector(struct trial *trial)
{
    __asm__ volatile("int $77");
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0); /* somebody swallowed it */
}

static void nmi(struct trial *trial)
{
    __asm__ volatile("int $2");
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

static void no_fixup(struct trial *trial)
{
    const volatile uint64_t *volatile absent = (const volatile uint64_t *)ABSENT;

    trial_expect(trial, FIELD_VALUE_READ, 0, 0, *absent);
}

static __attribute__((noinline)) uint64_t deeper(volatile uint64_t *depth)
{
    volatile uint64_t here[64];

    here[0] = *depth;
    *depth += 1;
    return *depth ? deeper(depth) + here[0] : 0;
}

static void stack_overflow(struct trial *trial)
{
    volatile uint64_t depth = 0;

    trial_expect(trial, FIELD_EVENTS, 0, 0, deeper(&depth));
}

/* #PF, whose gate is not present: #NP, so #DF. */
static void double_fault(struct trial *trial)
{
    tables_gate(VECTOR_PF)->low &= ~BIT(47);
    no_fixup(trial);
}

/* Programs own GS: whatever is in it, faults are handled. */
static void broken_gs(struct trial *trial)
{
    struct outcome got;
    uint64_t value = 0;

    write_msr(MSR_GS_BASE, 0xffffdeadbeef0000);
    write_msr(MSR_KERNEL_GS_BASE, 0x00000000deadbeef);
    __asm__ volatile("swapgs");
    trial_expect(trial, FIELD_STATUS, 0, false, read_guarded((const void *)ABSENT, &value));
    struct cpu *cpu = cpu_current();
    cpu->probe.outcome.vector = VECTOR_NONE;
    (void)probe_supervisor(ACCESS_READ, ABSENT, 0, false, &got);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, got.vector);
    trial_expect(trial, FIELD_CR2, 0, ABSENT, got.cr2);
    write_gs(0);
}

static enum fault_result always_retry(struct trap_frame *frame, uint64_t address)
{
    (void)frame;
    (void)address;
    return FAULT_RETRY;
}

static void fault_loop(struct trial *trial)
{
    cpu_current()->resolver = always_retry;
    no_fixup(trial);
}

/* The exception table lists the instruction, its handler refuses the address. */
static void uaccess_kernel_address(struct trial *trial)
{
    uint64_t value = 0;

    trial_expect(trial, FIELD_COUNT_LEFT, 0, 0,
                 raw_copy_from_user(&value, (const void *)ABSENT_KERNEL, sizeof(value)));
}

static void uaccess_noncanonical(struct trial *trial)
{
    uint64_t value = 0;

    trial_expect(trial, FIELD_COUNT_LEFT, 0, 0,
                 raw_copy_from_user(&value, (const void *)BIT(63), sizeof(value)));
}

static void assertion(struct trial *trial)
{
    ASSERT(trial->comparisons != 0);
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

static void wild_jump(struct trial *trial)
{
    void (*volatile nowhere)(void) = NULL;

    /* cppcheck-suppress nullPointer */
    nowhere(); /* NOLINT(clang-analyzer-core.CallAndMessage): that is the point */
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

/* os/ lets a task die of its oops and goes on: so does this check, twice. */
static void recovers(struct trial *trial)
{
    struct cpu *cpu = cpu_current();
    static volatile unsigned times;
    struct context here;

    for (times = 0; times < 2; times++) {
        if (context_save(&here) == 0) {
            cpu->resolver = NULL;
            cpu->recover = &here;
            no_fixup(trial); /* does not come back, or adds a comparison that fails */
            trial_expect(trial, FIELD_EVENTS, times, 1, 0);
        }
        trial_expect(trial, FIELD_STATUS, times, OOPS_NO_FIXUP, cpu->oops.reason);
        trial_expect(trial, FIELD_VECTOR, times, VECTOR_PF, cpu->oops.vector);
        trial_expect(trial, FIELD_CR2, times, ABSENT, cpu->oops.cr2);
        trial_expect(trial, FIELD_VALUE_READ, times, 0, (uint64_t)cpu->recover);
        trial_expect(trial, FIELD_RFLAGS, times, 0, read_rflags() & RFLAGS_IF);
        cpu->oops.reason = OOPS_NONE;
    }
}

/*
 * A fault inside die(): the call trace is read from a guard page, and #PF cannot be delivered. Going on
 * at @recover would trust what just broke: it ends the batch, and the first fault is the story.
 */
static void dies_twice(struct trial *trial)
{
    struct cpu *cpu = cpu_current();
    struct context here;

    if (context_save(&here) == 0) {
        cpu->recover = &here;
        tables_gate(VECTOR_PF)->low &= ~BIT(47);
        __asm__ volatile("mov %0, %%rbp; ud2"
                         :
                         : "r"((uint64_t)cpu + CPU_STACK_BOTTOM - 16)
                         : "memory");
    }
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

/* An instruction that is being stepped faults, and nothing explains that; the probe itself is left in. */
static struct kprobe left_in;

static __attribute__((noinline)) void kprobe_dies(struct trial *trial)
{
    left_in = (struct kprobe){.address = (vaddr_t)read_zeropad};
    /* The second time as the first: the batch's end has taken it out. */
    enum status status = kprobe_register(&left_in);
    if (status == STATUS_OK) {
        (void)read_zeropad((const void *)ABSENT); /* no load across an edge: its handler refuses */
    }
    trial_expect(trial, FIELD_STATUS, 0, STATUS_OK, status);
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

/* ---- what no machine survives
 * ---------------------------------------------------------------------------- */

static void triple_fault(struct trial *trial)
{
    load_idt((struct table_register){0});
    __asm__ volatile("ud2");
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

static void hang(struct trial *trial)
{
    (void)trial;
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

/* The keyboard controller's reset line, then the chipset's reset register. */
static void reset(struct trial *trial)
{
    write_port8(0x64, 0xfe);
    write_port8(0xcf9, 0x02);
    write_port8(0xcf9, 0x06);
    slow(trial); /* it may take its time */
    trial_error(trial, REASON_SETUP, 0);
}

/* clang-format off */
#define PROVOKES(name_)    {.name = #name_, .flags = CASE_BY_NAME, .run = name_}
#define DESTROYS(name_)    {.name = #name_, .flags = CASE_BY_NAME | CASE_DANGEROUS, .run = name_}

static const struct test_case cases[] = {
    PROVOKES(passes),
    PROVOKES(fails),
    PROVOKES(silent),
    PROVOKES(slow),
    PROVOKES(takes_steps),
    PROVOKES(dies_in_its_second_step),
    PROVOKES(unexpected_vector),
    PROVOKES(nmi),
    PROVOKES(no_fixup),
    PROVOKES(stack_overflow),
    PROVOKES(double_fault),
    PROVOKES(broken_gs),
    PROVOKES(fault_loop),
    PROVOKES(uaccess_kernel_address),
    PROVOKES(uaccess_noncanonical),
    PROVOKES(assertion),
    PROVOKES(wild_jump),
    PROVOKES(recovers),
    PROVOKES(dies_twice),
    PROVOKES(kprobe_dies),
    DESTROYS(triple_fault),
    DESTROYS(hang),
    DESTROYS(reset),
};
/* clang-format on */

SUITE(harness, "what no check expects");
