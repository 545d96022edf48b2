/*
 * ring3.c: what programs that run for long need of the floor: extended state, a bound on their time.
 * That the firmware gets both back is takeover's to judge.
 */
#include "fault/boot_info.h"
#include "fault/cpu.h"
#include "fault/fpu.h"
#include "fault/ring3.h"
#include "fault/tables.h"
#include "fault/timer.h"
#include "fault/uaccess.h"
#include "table.h"
#include "tests/harness/findings.h"
#include "tests/harness/machine.h"
#include "tests/harness/session.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "x86/apic.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

extern const char probe_user_READ_at[], probe_user_extended[], probe_user_spin[],
    probe_user_landing[]; /* fault/probe.S */

/* ---- extended state ---------------------------------------------------------------------------------- */

struct area {
    uint8_t byte[FPU_BYTES_MAX];
} __attribute__((aligned(FPU_ALIGN)));
static struct area one, other, seen;

#define FCW_AT       0u
#define FTW_AT       4u
#define MXCSR_AT     24u
#define ST0_AT       32u
#define XMM_AT(n)    (160u + 16u * (n))
#define YMM_HIGH(n)  (cpuid(0xd, 2).ebx + 16u * (n))
#define XSTATE_BV_AT FPU_HEADER_AT

static uint64_t word_at(const struct area *area, unsigned at, unsigned bytes)
{
    uint64_t word = 0;

    memcpy(&word, &area->byte[at], bytes);
    return word;
}

static bool extended_ready(struct trial *trial)
{
    if (!fpu_begin(cpu_current())) {
        trial_error(trial, REASON_NO_RESOURCE, 0);
        return false;
    }
    fpu_init(&one);
    fpu_init(&other);
    fpu_init(&seen);
    return true;
}

/* Every register of @area a value of its own. */
static void fill(struct area *area, unsigned seed)
{
    fpu_init(area);
    for (unsigned i = 0; i < 16 * 16; i++) {
        area->byte[XMM_AT(0) + i] = (uint8_t)(seed + i * 7);
        if (fpu_features() & XCR0_AVX) {
            area->byte[YMM_HIGH(0) + i] = (uint8_t)(seed + i * 11);
        }
    }
    area->byte[FTW_AT] = 0xff;
    for (unsigned i = 0; i < 8;
         i++) { /* normal numbers, as nothing else comes back as it was from everywhere */
        uint64_t significand = BIT(63) | seed << 8 | i;
        uint16_t exponent = (uint16_t)(0x3fff + i);
        memcpy(&area->byte[ST0_AT + 16 * i], &significand, 8);
        memcpy(&area->byte[ST0_AT + 16 * i + 8], &exponent, 2);
    }
    if (fpu_format.xsave) {
        area->byte[XSTATE_BV_AT] = (uint8_t)(fpu_features() & (XCR0_X87 | XCR0_SSE | XCR0_AVX));
    }
}

/* How many bytes of the registers differ; not FOP, FIP and FDP, which some processors keep to themselves. */
static unsigned differences(const struct area *left, const struct area *right)
{
    unsigned count = 0;

    for (unsigned at = 0; at < fpu_area_bytes(); at++) {
        bool registers = at < 6 || (at >= MXCSR_AT && at < MXCSR_AT + 4) ||
                         (at >= ST0_AT && at < XMM_AT(16)) ||
                         (fpu_features() & XCR0_AVX && at >= YMM_HIGH(0) && at < YMM_HIGH(16));
        count += registers && left->byte[at] != right->byte[at];
    }
    return count;
}

static void extended_starts_as_on_linux(struct trial *trial)
{
    if (!extended_ready(trial)) {
        return;
    }
    fill(&other, 3);
    trial_expect(trial, FIELD_STATUS, 0, true, fpu_restore(&other));
    trial_expect(trial, FIELD_STATUS, 1, true, fpu_restore(&one));
    fpu_save(&seen);
    trial_expect(trial, FIELD_VALUE_READ, FCW_AT, 0x37f, word_at(&seen, FCW_AT, 2));
    trial_expect(trial, FIELD_VALUE_READ, FTW_AT, 0, word_at(&seen, FTW_AT, 1));
    trial_expect(trial, FIELD_VALUE_READ, MXCSR_AT, 0x1f80, word_at(&seen, MXCSR_AT, 4));
    trial_expect(trial, FIELD_OTHER_MEMORY, 0, 0, differences(&one, &seen));
}

/* Two programs' states, one after the other in the same registers; ring 3 changes some of one. */
static void extended_state_is_kept_apart(struct trial *trial)
{
    struct trap_frame user =
        ring3_frame(USER_CODE + (uint64_t)(probe_user_extended - probe_user_page), USER_STACK);

    if (!extended_ready(trial)) {
        return;
    }
    bool avx = fpu_features() & XCR0_AVX;
    fill(&one, 1);
    fill(&other, 2);
    one.byte[FTW_AT] = 0x7f; /* R7 is free: FLD1 moves TOP there */
    user.rdi = avx;
    trial_expect(trial, FIELD_STATUS, 0, true, fpu_restore(&one));
    trial_expect(trial, FIELD_STATUS, 1, VECTOR_USER_EXIT, ring3_run(&user));
    fpu_save(&one);
    trial_expect(trial, FIELD_VALUE_READ, XMM_AT(3), ~UINT64_C(0), word_at(&one, XMM_AT(3), 8));
    trial_expect(trial, FIELD_VALUE_READ, ST0_AT, BIT(63), word_at(&one, ST0_AT, 8));
    trial_expect(trial, FIELD_VALUE_READ, ST0_AT + 8, 0x3fff, word_at(&one, ST0_AT + 8, 2));
    if (avx) {
        trial_expect(trial, FIELD_VALUE_READ, YMM_HIGH(9), ~UINT64_C(0),
                     word_at(&one, YMM_HIGH(9), 8));
    }
    trial_expect(trial, FIELD_STATUS, 2, true, fpu_restore(&other));
    fpu_save(&seen);
    trial_expect(trial, FIELD_OTHER_MEMORY, 0, 0, differences(&other, &seen));
    trial_expect(trial, FIELD_STATUS, 3, true, fpu_restore(&one));
    fpu_save(&seen);
    trial_expect(trial, FIELD_OTHER_MEMORY, 1, 0, differences(&one, &seen));
}

/*
 * Every bit of MXCSR and of the header, one after the other: what fpu_area_valid() lets through, the
 * processor takes; and it refuses each header that is not. (Emulators are known to take any MXCSR.)
 */
static void broken_areas_are_refused(struct trial *trial)
{
    struct findings findings = {.trial = trial};
    unsigned refused = 0;

    if (!extended_ready(trial)) {
        return;
    }
    unsigned end = fpu_format.xsave ? (FPU_HEADER_AT + 64) * 8 : (MXCSR_AT + 4) * 8;
    for (unsigned bit = MXCSR_AT * 8; bit < end; bit++) {
        if (bit == (MXCSR_AT + 4) * 8) {
            bit = FPU_HEADER_AT * 8;
        }
        fill(&one, 4);
        one.byte[bit / 8] ^= (uint8_t)(1 << bit % 8);
        bool valid = fpu_area_valid(&one), taken = fpu_restore(&one);
        bool judged = valid || bit >= FPU_HEADER_AT * 8;
        find_masked(&findings, FIELD_STATUS, bit, valid, judged ? ~UINT64_C(0) : 0, taken);
        refused += !valid;
    }
    findings_conclude(&findings);
    trial_expect(trial, FIELD_EVENTS, 1, true, refused > 0);
    trial_expect(trial, FIELD_STATUS, 0, true, fpu_restore(&other));
}

/* ---- how programs are run -------------------------------------------------------------------------- */

/* What the resolver saw of the one fault that each of these cases makes. */
static struct {
    unsigned calls;
    uint64_t error, rflags, flags_then; /* pushed, and the resolver's own */
} met;

static enum fault_result note_and_leave(struct trap_frame *frame, uint64_t address)
{
    (void)address;
    met.calls++;
    met.error = frame->error;
    met.rflags = frame->rflags;
    met.flags_then = read_rflags();
    return trap_from_user(frame) ? FAULT_LEAVE : FAULT_NOT_MINE;
}

/* Each bit that CPUID offers is on, and off again; and what is off does what it does without. */
static void protections_are_on_and_off(struct trial *trial)
{
    static const struct {
        enum cpu_feature feature;
        uint64_t bit;
    } bits[] = {
        {FEATURE_SMEP,     CR4_SMEP    },
        {FEATURE_SMAP,     CR4_SMAP    },
        {FEATURE_UMIP,     CR4_UMIP    },
        {FEATURE_PKU,      CR4_PKE     },
        {FEATURE_FSGSBASE, CR4_FSGSBASE},
    };

    for (unsigned on = 0; on < 2; on++) {
        world_protect(!on);
        uint64_t cr0 = read_cr0(), cr4 = read_cr4();
        for (unsigned i = 0; i < ARRAY_COUNT(bits); i++) {
            uint64_t expected = !on && machine_has(bits[i].feature) ? bits[i].bit : 0;
            trial_compare(trial, FIELD_WORLD, WORLD_CR4, expected, bits[i].bit, cr4);
        }
        trial_compare(trial, FIELD_WORLD, WORLD_CR0, CR0_MP | (on ? 0 : CR0_AM),
                      CR0_MP | CR0_EM | CR0_TS | CR0_AM, cr0);
        if (!on && machine_has(FEATURE_PKU)) {
            trial_expect(trial, FIELD_WORLD, WORLD_PKRU, 0, read_pkru());
        }
    }
}

/* Ring 3 sets AC and faults: ring 0 runs without it, ring 3 has it again. */
static void alignment_flag_stays_in_ring_3(struct trial *trial)
{
    struct trap_frame user =
        ring3_frame(USER_CODE + (uint64_t)(probe_user_READ_at - probe_user_page), USER_STACK);

    user.rflags |= RFLAGS_AC;
    world_protect(true);
    cpu_current()->resolver = note_and_leave;
    met.calls = 0;
    uint64_t vector = ring3_run(&user);
    cpu_current()->resolver = NULL;
    world_protect(false);
    trial_expect(trial, FIELD_STATUS, 0, VECTOR_PF, vector);
    trial_expect(trial, FIELD_EVENTS, 0, 1, met.calls);
    trial_expect(trial, FIELD_RFLAGS, 0, RFLAGS_AC, met.rflags & RFLAGS_AC);
    trial_expect(trial, FIELD_RFLAGS, 1, 0, met.flags_then & RFLAGS_AC);
    trial_expect(trial, FIELD_RFLAGS, 2, RFLAGS_AC, user.rflags & RFLAGS_AC);
}

/* A user accessor runs with AC set (STAC): the resolver that its fault calls does not. */
static void accessor_does_not_open_the_resolver(struct trial *trial)
{
    uint64_t value = 1;

    world_protect(true);
    cpu_current()->resolver = note_and_leave;
    met.calls = 0;
    bool got = get_user(&value, PAGE_SIZE, 8);
    cpu_current()->resolver = NULL;
    world_protect(false);
    trial_expect(trial, FIELD_STATUS, 0, false, got);
    trial_expect(trial, FIELD_EVENTS, 0, 1, met.calls);
    trial_expect(trial, FIELD_RFLAGS, 0, RFLAGS_AC, met.rflags & RFLAGS_AC);
    trial_expect(trial, FIELD_RFLAGS, 1, 0, met.flags_then & RFLAGS_AC);
    trial_expect(trial, FIELD_RFLAGS, 2, 0, read_rflags() & RFLAGS_AC);
}

/* ---- the timer ----------------------------------------------------------------------------------------- */

/* What a program may be given, and how much later an emulator on a busy machine may be with it. */
#define BOUND(ticks_per_second)    ((ticks_per_second) / 500)
#define PATIENCE(ticks_per_second) ((ticks_per_second) / 2)
#define NEVER                      (~UINT64_C(0))

static struct session *const session = (struct session *)SESSION_BASE;

static bool timer_ready(struct trial *trial)
{
    enum timer_status status = timer_begin(cpu_current());

    session->hand_back.ticks_wanted = 1; /* takeover.firmware_ticks judges what is left of it */
    if (status == TIMER_NO_APIC) {
        trial_skip(trial, REASON_FEATURE, FEATURE_APIC);
    }
    if (status == TIMER_DOES_NOT_RUN) {
        trial_expect(trial, FIELD_STATUS, 0, TIMER_OK, status);
    }
    return status == TIMER_OK;
}

static struct trap_frame interruptible(const char *code)
{
    struct trap_frame user =
        ring3_frame(USER_CODE + (uint64_t)(code - probe_user_page), USER_STACK);

    user.rflags |= RFLAGS_IF;
    return user;
}

/* Not before its time is over, and not much later; again and again. */
static void spinning_program_comes_back(struct trial *trial)
{
    uint64_t bound = BOUND(session->ticks_per_second), soonest = NEVER, latest = 0;
    unsigned wrong = 0;

    if (!timer_ready(trial)) {
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        struct trap_frame user = interruptible(probe_user_spin);
        uint64_t rip = user.rip, start = read_tsc();
        timer_arm(bound);
        wrong += ring3_run(&user) != TIMER_VECTOR || user.rip != rip || !(user.rflags & RFLAGS_IF);
        uint64_t took = read_tsc() - start;
        soonest = took < soonest ? took : soonest;
        latest = took > latest ? took : latest;
    }
    trial_expect(trial, FIELD_EVENTS, 0, 0, wrong);
    trial_expect(trial, FIELD_EVENTS, 1, true, soonest >= bound - bound / 50);
    trial_expect(trial, FIELD_EVENTS, 2, true,
                 latest <= bound + PATIENCE(session->ticks_per_second));
    trial_compare(trial, FIELD_TICKS, 1, bound, 0, soonest);
    trial_expect(trial, FIELD_RFLAGS, 0, 0, read_rflags() & RFLAGS_IF);
}

static void wait(uint64_t ticks)
{
    for (uint64_t start = read_tsc(); read_tsc() - start < ticks;) {
        __asm__ volatile("pause");
    }
}

/* An emulator on a busy machine may stand still for so long that the time is over before it is stopped. */
static void stopped_timer_is_silent(struct trial *trial)
{
    uint64_t reason = TIMER_VECTOR;

    if (!timer_ready(trial)) {
        return;
    }
    uint64_t bound = 4 * BOUND(session->ticks_per_second);
    for (unsigned i = 0; i < 3 && reason == TIMER_VECTOR; i++) {
        struct trap_frame user = interruptible(probe_user_landing);
        timer_arm(bound);
        timer_stop();
        wait(bound + bound / 4);
        reason = ring3_run(&user);
    }
    trial_expect(trial, FIELD_STATUS, 0, VECTOR_USER_EXIT, reason);
}

/* Arm it, and wait until it has asked for its interrupt: an emulator may take its time. Out: it has. */
static bool arm_and_wait(void)
{
    volatile uint8_t *page = timer_apic_page((const struct boot_info *)BOOT_INFO_BASE);
    uint64_t start = read_tsc();
    bool asked = false;

    timer_arm(BOUND(session->ticks_per_second) / 8);
    while (!asked && read_tsc() - start < PATIENCE(session->ticks_per_second)) {
        asked = apic_read(page, APIC_IRR + TIMER_VECTOR / 32 * 16) >> TIMER_VECTOR % 32 & 1;
    }
    return asked;
}

/* One that comes when ring 0 runs: ring 0 does not see it, and it does not come a second time. */
static void stray_timer_is_ignored(struct trial *trial)
{
    uint64_t value = 1;

    if (!timer_ready(trial)) {
        return;
    }
    trial_expect(trial, FIELD_EVENTS, 0, true, arm_and_wait());
    __asm__ volatile("sti; nop; cli" : "+r"(value));
    trial_expect(trial, FIELD_VALUE_READ, 0, 1, value);
    struct trap_frame user = interruptible(probe_user_landing);
    trial_expect(trial, FIELD_STATUS, 0, VECTOR_USER_EXIT, ring3_run(&user));
}

/* The batch ends with an interrupt under way, which must not reach the firmware's tables. */
static void armed_timer_is_drained(struct trial *trial)
{
    if (timer_ready(trial)) {
        trial_expect(trial, FIELD_EVENTS, 0, true, arm_and_wait());
    }
}

/* clang-format off */
static const struct test_case cases[] = {
    {.name = "extended_starts_as_on_linux",  .run = extended_starts_as_on_linux},
    {.name = "extended_state_is_kept_apart", .run = extended_state_is_kept_apart},
    {.name = "broken_areas_are_refused",     .run = broken_areas_are_refused},
    {.name = "protections_are_on_and_off",   .run = protections_are_on_and_off},
    {.name = "alignment_flag_stays_in_ring_3", .run = alignment_flag_stays_in_ring_3, .needs = {NEEDS(SMAP)}},
    {.name = "accessor_does_not_open_the_resolver", .run = accessor_does_not_open_the_resolver, .needs = {NEEDS(SMAP)}},
    {.name = "spinning_program_comes_back",  .run = spinning_program_comes_back},
    {.name = "stopped_timer_is_silent",      .run = stopped_timer_is_silent},
    {.name = "stray_timer_is_ignored",       .run = stray_timer_is_ignored},
    {.name = "armed_timer_is_drained",       .run = armed_timer_is_drained},
};
/* clang-format on */

SUITE(ring3, "what programs run on");
