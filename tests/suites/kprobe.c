/*
 * kprobe.c: probes on instructions of core (fault/kprobe.h), against a processor that takes the breakpoints and
 * steps. What is probed is in kprobe.S, and read_guarded(), which has an entry in the exception table.
 */
#include "fault/kprobe.h"
#include "fault/cpu.h"
#include "fault/text.h"
#include "fault/uaccess.h"
#include "fault/world.h"
#include "paging/table.h"
#include "paging/tlb.h"
#include "table.h"
#include "tests/harness/machine.h"
#include "tests/harness/pair.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

/* kprobe.S */
uint64_t kprobe_add(uint64_t value), kprobe_inner(uint64_t value), kprobe_call(uint64_t value),
    kprobe_branch(uint64_t value), kprobe_return(uint64_t value), kprobe_flags(void);
void kprobe_registers(uint64_t words[15]), kprobe_fill(void *at, uint64_t bytes);
extern const char kprobe_add_at[], kprobe_add_behind[], kprobe_inner_at[], kprobe_registers_at[],
    kprobe_registers_behind[], kprobe_flags_at[], kprobe_call_at[], kprobe_branch_at[],
    kprobe_branch_behind[], kprobe_return_at[], kprobe_fill_at[], kprobe_refused[],
    kprobe_refused_end[];

#define INT3      0xcc
#define CORE_TEXT (CORE_BASE + PAGE_SIZE) /* core.lds */

/* ---- what the handlers note ---------------------------------------------------------------------- */

enum step { BEFORE = 1, AFTER, FAULT, RESOLVER };

static struct {
    unsigned before, after, faults;
    uint32_t order; /* steps, the first in the highest digit */
    struct trap_frame at_before, at_after, at_fault;
    unsigned vector; /* the fault's */
    uint8_t code;    /* what was in the text while the handler ran */
} met;

static void note(enum step step)
{
    met.order = met.order << 4 | (uint32_t)step;
}

static bool note_before(struct kprobe *probe, struct trap_frame *frame)
{
    met.before++;
    met.at_before = *frame;
    met.code = text_peek(probe->address);
    note(BEFORE);
    return false;
}

static void note_after(struct kprobe *probe, struct trap_frame *frame)
{
    (void)probe;
    met.after++;
    met.at_after = *frame;
    note(AFTER);
}

static bool note_fault(struct kprobe *probe, struct trap_frame *frame, unsigned vector)
{
    (void)probe;
    met.faults++;
    met.at_fault = *frame;
    met.vector = vector;
    note(FAULT);
    return false;
}

static struct kprobe probe;

/* Put the one probe at @at. Out: it is in. */
static bool probe_in(struct trial *trial, const void *at)
{
    memset(&met, 0, sizeof(met));
    probe = (struct kprobe){.address = (vaddr_t)at,
                            .pre_handler = note_before,
                            .post_handler = note_after,
                            .fault_handler = note_fault};
    enum status status = kprobe_register(&probe);
    trial_expect(trial, FIELD_STATUS, 0, STATUS_OK, status);
    return status == STATUS_OK;
}

static void probe_out(struct trial *trial)
{
    trial_expect(trial, FIELD_STATUS, 1, STATUS_OK, kprobe_unregister(&probe));
    trial_expect(trial, FIELD_EVENTS, 99, KPROBE_IDLE, cpu_current()->kprobe.state);
    trial_expect(trial, FIELD_RFLAGS, 0, 0, read_rflags() & (RFLAGS_TF | RFLAGS_IF | RFLAGS_AC));
}

static void expect_hits(struct trial *trial, unsigned before, unsigned after, unsigned faults)
{
    trial_expect(trial, FIELD_EVENTS, 0, before, met.before);
    trial_expect(trial, FIELD_EVENTS, 1, after, met.after);
    trial_expect(trial, FIELD_EVENTS, 2, faults, met.faults);
}

/* ---- hit and step -------------------------------------------------------------------------------- */

static void hit_and_step(struct trial *trial)
{
    if (!probe_in(trial, kprobe_add_at)) {
        return;
    }
    for (uint64_t i = 0; i < 3; i++) {
        trial_expect(trial, FIELD_VALUE_READ, (unsigned)i, i + 5, kprobe_add(i));
        trial_expect(trial, FIELD_REGISTER, 0, i, met.at_before.rax);
        trial_expect(trial, FIELD_REGISTER, 0, i + 5, met.at_after.rax);
    }
    trial_expect(trial, FIELD_RIP, 0, (vaddr_t)kprobe_add_at, met.at_before.rip);
    trial_expect(trial, FIELD_RIP, 1, (vaddr_t)kprobe_add_behind, met.at_after.rip);
    trial_expect(trial, FIELD_VALUE_READ, 9, INT3, met.code);
    expect_hits(trial, 3, 3, 0);
    probe_out(trial);
    trial_expect(trial, FIELD_VALUE_READ, 0, 6, kprobe_add(1));
    expect_hits(trial, 3, 3, 0);
}

/* Every register before and behind; the instruction exchanges the first with the last. */
static void handlers_see_registers(struct trial *trial)
{
    uint64_t words[15], before[15];

    for (unsigned i = 0; i < 15; i++) {
        words[i] = before[i] = UINT64_C(0x0102030405060708) * (i + 1);
    }
    if (!probe_in(trial, kprobe_registers_at)) {
        return;
    }
    kprobe_registers(words);
    const struct trap_frame *frame = &met.at_before;
    const uint64_t seen[15] = {frame->rax, frame->rcx, frame->rdx, frame->rbx, frame->rbp,
                               frame->rsi, frame->rdi, frame->r8,  frame->r9,  frame->r10,
                               frame->r11, frame->r12, frame->r13, frame->r14, frame->r15};
    for (unsigned i = 0; i < 15; i++) {
        trial_expect(trial, FIELD_REGISTER, i, before[i], seen[i]);
        uint64_t expected = i == 0 ? before[14] : i == 14 ? before[0] : before[i];
        trial_expect(trial, FIELD_OTHER_MEMORY, i, expected, words[i]);
    }
    trial_expect(trial, FIELD_REGISTER, 0, before[14], met.at_after.rax);
    trial_expect(trial, FIELD_RIP, 0, (vaddr_t)kprobe_registers_behind, met.at_after.rip);
    trial_expect(trial, FIELD_RSP, 0, met.at_before.rsp, met.at_after.rsp);
    trial_expect(trial, FIELD_RFLAGS, 1, 0,
                 (met.at_before.rflags | met.at_after.rflags) & (RFLAGS_TF | RFLAGS_IF));
    probe_out(trial);
}

/* The handler's changes are the instruction's operands; or it says where to go on, and nothing is stepped. */
static bool change_operand(struct kprobe *self, struct trap_frame *frame)
{
    (void)self;
    met.before++;
    frame->rax = 100;
    return false;
}

static bool skip_instruction(struct kprobe *self, struct trap_frame *frame)
{
    (void)self;
    met.before++;
    frame->rax = 77;
    frame->rip = (vaddr_t)kprobe_add_behind;
    return true;
}

static void pre_handler_decides(struct trial *trial)
{
    if (!probe_in(trial, kprobe_add_at)) {
        return;
    }
    probe.pre_handler = change_operand;
    trial_expect(trial, FIELD_VALUE_READ, 0, 105, kprobe_add(1));
    expect_hits(trial, 1, 1, 0);
    probe.pre_handler = skip_instruction;
    trial_expect(trial, FIELD_VALUE_READ, 1, 77, kprobe_add(1));
    expect_hits(trial, 2, 1, 0);
    probe.pre_handler = NULL;
    probe.post_handler = NULL;
    trial_expect(trial, FIELD_VALUE_READ, 2, 6, kprobe_add(1));
    probe_out(trial);
}

/* Instructions that say where to go on, or that see that they are stepped. */
static void control_flow(struct trial *trial)
{
    if (probe_in(trial, kprobe_call_at)) {
        trial_expect(trial, FIELD_VALUE_READ, 0, 15, kprobe_call(7));
        trial_expect(trial, FIELD_RIP, 0, (vaddr_t)kprobe_inner, met.at_after.rip);
        probe_out(trial);
    }
    if (probe_in(trial, kprobe_branch_at)) {
        trial_expect(trial, FIELD_VALUE_READ, 1, 1, kprobe_branch(1));
        trial_expect(trial, FIELD_VALUE_READ, 2, 2, kprobe_branch(0));
        trial_expect(trial, FIELD_RIP, 1, (vaddr_t)kprobe_branch_behind, met.at_after.rip);
        probe_out(trial);
    }
    if (probe_in(trial, kprobe_return_at)) {
        trial_expect(trial, FIELD_VALUE_READ, 3, 9, kprobe_return(9));
        probe_out(trial);
    }
    if (probe_in(trial, kprobe_flags_at)) {
        uint64_t flags = kprobe_flags();
        trial_expect(trial, FIELD_RFLAGS, 2, 0, flags & (RFLAGS_TF | RFLAGS_IF));
        expect_hits(trial, 1, 1, 0);
        probe_out(trial);
    }
}

static void repeated_instruction_is_hit_each_time(struct trial *trial)
{
    uint8_t bytes[8];

    memset(bytes, 0xee, sizeof(bytes));
    if (probe_in(trial, kprobe_fill_at)) {
        kprobe_fill(bytes, 5);
        trial_expect(trial, FIELD_MEMORY, 4, 0, bytes[4]);
        trial_expect(trial, FIELD_MEMORY, 5, 0xee, bytes[5]);
        /* Once an iteration; once more where RCX=0 is found out by another one. */
        trial_compare(trial, FIELD_EVENTS, 0, 5, met.before == 6 ? 0 : ~UINT64_C(0), met.before);
        trial_expect(trial, FIELD_EVENTS, 1, met.before, met.after);
        probe_out(trial);
    }
}

/* ---- faults -------------------------------------------------------------------------------------- */

static bool pages_ready(struct trial *trial)
{
    if (pair_start(NULL, 0) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    pair_reset(PAIR_ABSENT, PAIR_WRITABLE);
    return true;
}

#define ABSENT_USER (PAIR_EDGE - 16)
#define ABSENT_KERNEL                                                                              \
    (CPU_BASE + CPU_STACK_MC_TOP) /* the page above a stack; its page table is there */

static bool answer_fault(struct kprobe *self, struct trap_frame *frame, unsigned vector)
{
    note_fault(self, frame, vector);
    frame->rax = 1234;
    frame->rip += 3; /* behind mov (%rdi), %rax */
    return true;
}

/* The fault is the probed instruction's, by its address; the handler answers, and nobody else is asked. */
static void fault_handler_comes_first(struct trial *trial)
{
    uint64_t value = 0;

    if (!pages_ready(trial) || !probe_in(trial, read_guarded)) {
        return;
    }
    probe.fault_handler = answer_fault;
    trial_expect(trial, FIELD_STATUS, 2, true, read_guarded((const void *)ABSENT_USER, &value));
    trial_expect(trial, FIELD_VALUE_READ, 0, 1234, value);
    trial_expect(trial, FIELD_RIP, 0, (vaddr_t)read_guarded, met.at_fault.rip);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, met.vector);
    trial_expect(trial, FIELD_ERROR_CODE, 0, 0, met.at_fault.error);
    trial_expect(trial, FIELD_RFLAGS, 1, 0, met.at_fault.rflags & (RFLAGS_TF | RFLAGS_IF));
    trial_expect(trial, FIELD_REGISTER, 7, ABSENT_USER, met.at_fault.rdi);
    expect_hits(trial, 1, 0, 1);
    probe_out(trial);
}

/* It does not: the exception table's entry of the original address is found, of #PF and of #GP. */
static void fixup_is_still_reached(struct trial *trial)
{
    uint64_t value = 99;

    if (!pages_ready(trial) || !probe_in(trial, read_guarded)) {
        return;
    }
    trial_expect(trial, FIELD_STATUS, 2, false, read_guarded((const void *)ABSENT_USER, &value));
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, met.vector);
    trial_expect(trial, FIELD_STATUS, 3, false, read_guarded((const void *)BIT(63), &value));
    trial_expect(trial, FIELD_VECTOR, 1, VECTOR_GP, met.vector);
    trial_expect(trial, FIELD_VALUE_READ, 0, 99, value);
    expect_hits(trial, 2, 0, 2);
    probe.fault_handler = NULL;
    trial_expect(trial, FIELD_STATUS, 4, false, read_guarded((const void *)ABSENT_USER, &value));
    trial_expect(trial, FIELD_STATUS, 5, true, read_guarded((const void *)PAIR_EDGE, &value));
    expect_hits(trial, 4, 1, 2);
    probe_out(trial);
}

static pte_t *mended;
static pte_t mended_with;

static enum fault_result mend(struct trap_frame *frame, uint64_t address)
{
    (void)frame;
    note(RESOLVER);
    if (!mended) {
        return FAULT_NOT_MINE;
    }
    *mended = mended_with;
    tlb_flush_page(address);
    return FAULT_RETRY;
}

/*
 * As on Linux: of user addresses the probe's handler is asked before the address space; of kernel addresses
 * after those who only synchronise and look again.
 */
static void order_of_answers(struct trial *trial)
{
    uint64_t value;

    if (!pages_ready(trial) || !probe_in(trial, read_guarded)) {
        return;
    }
    mended = NULL;
    cpu_current()->resolver = mend;
    trial_expect(trial, FIELD_STATUS, 2, false, read_guarded((const void *)ABSENT_USER, &value));
    trial_expect(trial, FIELD_EVENTS, 3, BEFORE << 8 | FAULT << 4 | RESOLVER, met.order);
    met.order = 0;
    trial_expect(trial, FIELD_STATUS, 3, false, read_guarded((const void *)ABSENT_KERNEL, &value));
    trial_expect(trial, FIELD_EVENTS, 4, BEFORE << 8 | RESOLVER << 4 | FAULT, met.order);
    cpu_current()->resolver = NULL;
    probe_out(trial);
}

/*
 * The resolver mends the page. Of a user address the step was over: the instruction is hit anew. Of a kernel
 * address it goes on.
 */
static void resolved_fault_is_stepped_on(struct trial *trial)
{
    struct walk walk;
    paddr_t frame;
    uint64_t value = 0;

    if (!pages_ready(trial) || frame_alloc(&check_frames, &frame) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return;
    }
    if (!probe_in(trial, read_guarded)) {
        return;
    }
    cpu_current()->resolver = mend;
    paging_walk(world_root(), machine.levels, ABSENT_KERNEL, &walk);
    mended = walk.at[0];
    mended_with = frame | PTE_P | PTE_A | PTE_D | (machine_has(FEATURE_NX) ? PTE_XD : 0);
    trial_expect(trial, FIELD_STATUS, 2, true, read_guarded((const void *)ABSENT_KERNEL, &value));
    trial_expect(trial, FIELD_EVENTS, 3, BEFORE << 8 | RESOLVER << 4 | AFTER, met.order);
    *mended = 0;
    tlb_flush_page(ABSENT_KERNEL);
    met.order = 0;
    paging_walk(world_root(), machine.levels, ABSENT_USER, &walk);
    mended = walk.at[0];
    trial_expect(trial, FIELD_STATUS, 3, true, read_guarded((const void *)ABSENT_USER, &value));
    trial_expect(trial, FIELD_EVENTS, 4,
                 BEFORE << 16 | FAULT << 12 | RESOLVER << 8 | BEFORE << 4 | AFTER, met.order);
    cpu_current()->resolver = NULL;
    probe_out(trial);
    pair_reset(PAIR_ABSENT, PAIR_ABSENT);
    trial_expect(trial, FIELD_STATUS, 4, STATUS_OK, frame_free(&check_frames, frame));
}

/* ---- nested -------------------------------------------------------------------------------------- */

static struct kprobe inner;
static uint64_t inner_value;

static bool call_inner_before(struct kprobe *self, struct trap_frame *frame)
{
    (void)self, (void)frame;
    inner_value = kprobe_inner(21);
    met.before++;
    return false;
}

static void call_inner_after(struct kprobe *self, struct trap_frame *frame)
{
    (void)self, (void)frame;
    inner_value +=
        kprobe_inner(4) + kprobe_add(1); /* the latter runs into the probe that is being handled */
    met.after++;
}

static bool count_inner(struct kprobe *self, struct trap_frame *frame)
{
    (void)self, (void)frame;
    met.faults++;
    return false;
}

/* Probes that a handler runs into are stepped without their handlers, and counted. */
static void nested_hits_are_missed(struct trial *trial)
{
    if (!probe_in(trial, kprobe_add_at)) {
        return;
    }
    inner = (struct kprobe){.address = (vaddr_t)kprobe_inner_at, .pre_handler = count_inner};
    trial_expect(trial, FIELD_STATUS, 2, STATUS_OK, kprobe_register(&inner));
    probe.pre_handler = call_inner_before;
    probe.post_handler = call_inner_after;
    trial_expect(trial, FIELD_VALUE_READ, 0, 15, kprobe_add(10));
    trial_expect(trial, FIELD_VALUE_READ, 1, 42 + 8 + 6, inner_value);
    expect_hits(trial, 1, 1, 0);
    trial_expect(trial, FIELD_EVENTS, 3, 2, inner.missed);
    trial_expect(trial, FIELD_EVENTS, 4, 1, probe.missed);
    trial_expect(trial, FIELD_VALUE_READ, 2, 6, kprobe_inner(3));
    expect_hits(trial, 1, 1, 1);
    trial_expect(trial, FIELD_STATUS, 3, STATUS_OK, kprobe_unregister(&inner));
    probe_out(trial);
}

/* ---- text ---------------------------------------------------------------------------------------- */

static uint64_t text_sum(void)
{
    extern const char text_end[];
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (vaddr_t at = CORE_TEXT; at < (vaddr_t)text_end; at++) {
        sum = (sum ^ text_peek(at)) * UINT64_C(0x100000001b3);
    }
    return sum;
}

/* One byte is another while a probe is in, none afterwards. */
static void text_is_restored(struct trial *trial)
{
    uint64_t before = text_sum();
    uint8_t byte = text_peek((vaddr_t)kprobe_add_at);

    if (!probe_in(trial, kprobe_add_at)) {
        return;
    }
    trial_expect(trial, FIELD_VALUE_READ, 0, INT3, text_peek((vaddr_t)kprobe_add_at));
    trial_expect(trial, FIELD_VALUE_READ, 1, byte, probe.original);
    trial_expect(trial, FIELD_EVENTS, 3, true, text_sum() != before);
    (void)kprobe_add(1);
    trial_expect(trial, FIELD_VALUE_READ, 2, INT3, text_peek((vaddr_t)kprobe_add_at));
    probe_out(trial);
    trial_expect(trial, FIELD_VALUE_READ, 3, before, text_sum());
    trial_expect(trial, FIELD_WORLD, WORLD_CR0, CR0_WP, read_cr0() & CR0_WP);
}

static enum status try_at(vaddr_t address)
{
    static struct kprobe tried;

    tried = (struct kprobe){.address = address};
    enum status status = kprobe_register(&tried);
    if (status == STATUS_OK && kprobe_unregister(&tried) != STATUS_OK) {
        status = STATUS_NOT_MAPPED;
    }
    return status;
}

static void places_that_are_refused(struct trial *trial)
{
    extern const char trap_stubs[]; /* entry.S */
    static const uint8_t data = 0x90;

    trial_expect(trial, FIELD_STATUS, 2, STATUS_RANGE, try_at((vaddr_t)trap_stubs));
    trial_expect(trial, FIELD_STATUS, 3, STATUS_RANGE, try_at((vaddr_t)kprobe_breakpoint));
    trial_expect(trial, FIELD_STATUS, 4, STATUS_RANGE, try_at((vaddr_t)text_poke));
    trial_expect(trial, FIELD_STATUS, 5, STATUS_RANGE, try_at((vaddr_t)probe_user_page));
    trial_expect(trial, FIELD_STATUS, 6, STATUS_RANGE, try_at((vaddr_t)&data));
    trial_expect(trial, FIELD_STATUS, 7, STATUS_RANGE, try_at(USER_CODE));
    if (probe_in(trial, kprobe_add_at)) {
        trial_expect(trial, FIELD_STATUS, 8, STATUS_EXISTS, try_at((vaddr_t)kprobe_add_at));
        probe_out(trial);
    }
    trial_expect(trial, FIELD_STATUS, 9, STATUS_NOT_MAPPED, kprobe_unregister(&probe));
    for (const char *at = kprobe_refused; at < kprobe_refused_end; at += 16) {
        trial_expect(trial, FIELD_STATUS, 10 + (unsigned)(at - kprobe_refused) / 16,
                     STATUS_UNSUPPORTED, try_at((vaddr_t)at));
    }
}

/* clang-format off */
static const struct test_case cases[] = {
    {.name = "hit_and_step",                  .run = hit_and_step},
    {.name = "handlers_see_registers",        .run = handlers_see_registers},
    {.name = "pre_handler_decides",           .run = pre_handler_decides},
    {.name = "control_flow",                  .run = control_flow},
    {.name = "repeated_instruction_is_hit_each_time", .run = repeated_instruction_is_hit_each_time},
    {.name = "fault_handler_comes_first",     .run = fault_handler_comes_first},
    {.name = "fixup_is_still_reached",        .run = fixup_is_still_reached},
    {.name = "order_of_answers",              .run = order_of_answers},
    {.name = "resolved_fault_is_stepped_on",  .run = resolved_fault_is_stepped_on},
    {.name = "nested_hits_are_missed",        .run = nested_hits_are_missed},
    {.name = "text_is_restored",              .run = text_is_restored},
    {.name = "places_that_are_refused",       .run = places_that_are_refused},
};
/* clang-format on */

SUITE(kprobe, "probes on code of our own");
