/*
 * bench.c: what things cost, in ticks of the TSC; under QEMU's -icount in instructions (make
 * bench). Each case records, and judges nothing but that what it measured did happen.
 */
#include "program_archive.h"
#include "table.h"

#include "fault/cpu.h"
#include "fault/probe.h"
#include "fault/ring3.h"
#include "fault/tables.h"
#include "fault/uaccess.h"
#include "fault/world.h"
#include "paging/tlb.h"
#include "tests/harness/session.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "tests/matrix/stage.h"
#include "tests/matrix/sweep.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"

#define ROUNDS 1000u

extern const char probe_user_touch[], probe_user_calls[]; /* fault/probe.S */

/* @ticks of ROUNDS rounds, recorded; @faults: how many page faults they took, judged. */
static void result(struct trial *trial, uint64_t ticks, uint64_t faults)
{
    trial_compare(trial, FIELD_TICKS, ROUNDS, 0, 0, ticks);
    trial_expect(trial, FIELD_EVENTS, 0, ROUNDS, faults);
}

/* A page whose leaf has P=0. */
static vaddr_t absent_page(struct target *target)
{
    target_build(target, 1);
    target_set_entry(target, 1, target_entry(target, 1, false) & ~PTE_P);
    return target->address;
}

static void armed_probe(struct trial *trial)
{
    struct target target;
    vaddr_t address = absent_page(&target);
    uint64_t answered = 0, start = read_tsc();

    for (unsigned i = 0; i < ROUNDS; i++) {
        probe_make(ACCESS_READ, address, 0);
        answered += probe_outcome()->vector == VECTOR_PF;
    }
    result(trial, read_tsc() - start, answered);
    target_remove(&target);
}

static void user_probe(struct trial *trial)
{
    struct target target;
    struct outcome outcome;
    vaddr_t address = absent_page(&target);
    uint64_t answered = 0, start = read_tsc();

    for (unsigned i = 0; i < ROUNDS; i++) {
        probe_user(ACCESS_READ, address, 0, false, USER_CODE, USER_STACK, &outcome);
        answered += outcome.vector == VECTOR_PF;
    }
    result(trial, read_tsc() - start, answered);
    target_remove(&target);
}

static void fixup(struct trial *trial)
{
    struct target target;
    uint64_t value, fixed = 0;
    vaddr_t address = absent_page(&target);
    uint64_t start = read_tsc();

    for (unsigned i = 0; i < ROUNDS; i++) {
        fixed += !read_guarded((const void *)address, &value);
    }
    result(trial, read_tsc() - start, fixed);
    target_remove(&target);
}

/* ---- ring 3, as programs have it ------------------------------------------------------------------------ */

#define TOUCHED 250u /* pages, at each of ROUNDS / TOUCHED times */

static struct {
    pte_t *table; /* of the pages */
    vaddr_t base; /* of its first one */
    uint64_t ticks, calls;
} touched;

/* As short as can be; what it costs itself is not counted. */
static enum fault_result make_present(struct trap_frame *frame, uint64_t address)
{
    uint64_t start = read_tsc();

    (void)frame;
    touched.table[level_index(address, 1)] |= PTE_P;
    touched.calls++;
    touched.ticks += read_tsc() - start;
    return FAULT_RETRY;
}

/*
 * From an instruction of ring 3 that faults to the resolver and back to the same instruction, with the three
 * instructions of the program's loop.
 */
static void resolver_round_trip(struct trial *trial)
{
    struct cpu *cpu = cpu_current();
    struct target target;
    uint64_t ticks = 0;

    world_protect(true);
    target_build(&target, 1);
    touched.table = (pte_t *)((uintptr_t)target.entry[0] & ~(PAGE_SIZE - 1));
    touched.base = target.page & ~(PAGE_SIZE_2M - 1);
    touched.ticks = touched.calls = 0;
    pte_t leaf = *target.entry[0];
    for (unsigned i = 0; i < ROUNDS / TOUCHED; i++) {
        struct trap_frame user =
            ring3_frame(USER_CODE + (uint64_t)(probe_user_touch - probe_user_page), USER_STACK);
        for (unsigned page = 0; page < TABLE_ENTRIES; page++) {
            touched.table[page] = leaf & ~PTE_P;
        }
        tlb_flush_all();
        user.rdi = touched.base;
        user.rcx = TOUCHED;
        cpu->resolver = make_present;
        uint64_t start = read_tsc();
        uint64_t vector = ring3_run(&user);
        ticks += read_tsc() - start;
        cpu->resolver = NULL;
        if (vector != VECTOR_USER_EXIT) {
            trial_expect(trial, FIELD_VECTOR, 0, VECTOR_USER_EXIT, vector);
        }
    }
    memset(touched.table, 0, PAGE_SIZE);
    target_remove(&target);
    world_protect(false);
    result(trial, ticks - touched.ticks, touched.calls);
}

/* From SYSCALL to who handles it, and back to ring 3; the call and the branch of both loops included. */
static void syscall_round_trip(struct trial *trial)
{
    struct trap_frame user =
        ring3_frame(USER_CODE + (uint64_t)(probe_user_calls - probe_user_page), USER_STACK);
    uint64_t calls = 0;

    world_protect(true);
    uint64_t start = read_tsc();
    for (unsigned i = 0; i < ROUNDS; i++) {
        calls += ring3_run(&user) == VECTOR_SYSCALL;
    }
    uint64_t ticks = read_tsc() - start;
    world_protect(false);
    result(trial, ticks, calls);
}

/* A whole check of the suites: build the walk, probe, compare everything. */
static void whole_check(struct trial *trial)
{
    static const struct access access = {
        .kind = ACCESS_READ, .clear = PTE_P, .expect = EXPECT_NOT_PRESENT};
    static const struct test_case test_case = {
        .name = "inner", .rule = RULE_2_1, .parameter = &access};
    static struct trial inner;
    uint64_t answered = 0, start = read_tsc();

    for (unsigned i = 0; i < ROUNDS; i++) {
        inner.test_case = &test_case;
        inner.leaf = 1;
        inner.comparisons = 0;
        access_run(&inner);
        answered += inner.scene.got.vector == VECTOR_PF;
    }
    result(trial, read_tsc() - start, answered);
}

/* ---- the sweep of the matrix ------------------------------------------------------------------------- */

static const struct session *const session = (const struct session *)SESSION_BASE;

static bool sweep_ready(struct trial *trial)
{
    if (stage_start((const struct boot_info *)BOOT_INFO_BASE) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    return true;
}

/* Ticks as result() has them; tools/bench reads the number of checks behind them. */
static void sweep_result(struct trial *trial, uint64_t ticks, uint64_t checks)
{
    result(trial, checks ? ticks * ROUNDS / checks : 0, checks ? ROUNDS : 0);
    trial_compare(trial, FIELD_EVENTS, 1, 0, 0, checks);
}

/*
 * The mix of kvm-unit-tests' x86/access.c, counted by going through its loop in thought with the features
 * of -cpu max,-la57: 19,169,280 checks, as many reads as writes as fetches, each of them as often from
 * ring 3 as from ring 0; 92.01 % of all fault; 56.4 % have a 2-MiB leaf. A row: which share faults.
 */
#define MIX_WALKS 500u
static const struct mix {
    uint8_t access, ring;
    uint16_t faults;    /* of MIX_WALKS */
    uint8_t may_forbid; /* bits of a combo (table.h) that do not make the access fault */
} mixes[] = {
    {MATRIX_READ,  RING_IS_0, 421, 1u << ENTRY_RW | 1u << ENTRY_US | 1u << ENTRY_XD},
    {MATRIX_READ,  RING_IS_3, 469, 1u << ENTRY_RW | 1u << ENTRY_XD                 },
    {MATRIX_WRITE, RING_IS_0, 452, 1u << ENTRY_US | 1u << ENTRY_XD                 },
    {MATRIX_WRITE, RING_IS_3, 493, 1u << ENTRY_XD                                  },
    {MATRIX_FETCH, RING_IS_0, 449, 1u << ENTRY_RW | 1u << ENTRY_US                 },
    {MATRIX_FETCH, RING_IS_3, 476, 1u << ENTRY_RW                                  },
};
#define MIX_FAULTS_PER_MILLE 920u
#define MIX_RING_3_PER_MILLE 500u
#define MIX_LINES_4K         7u /* of 16 in a round */
#define MIX_LINES            16u
#define MIX_ROUNDS           4u

/*
 * One entry changes at each step: first those that fault change the leaf (P=0, or a right that the
 * access needs is missing), then those that do not, then those that fault change the entry above it.
 */
static void mix_walks(const struct mix *mix, unsigned entries, struct table_walk walk[MIX_WALKS])
{
    unsigned upper = mix->faults / 2, leaf = mix->faults - upper, combo = 0;
    uint32_t combos = 0;

    for (unsigned i = 0; i < MIX_WALKS; i++) {
        bool faults = i < leaf || i >= MIX_WALKS - upper;
        unsigned entry = i >= MIX_WALKS - upper, shift = COMBO_BITS * entry;
        do {
            combo = (combo + 1) % COMBOS;
        } while (faults != ((combo & ~(unsigned)mix->may_forbid) != 0));
        combos = (combos & ~((COMBOS - 1) << shift)) | combo << shift;
        walk[i] = (struct table_walk){.combos = combos, .step = (uint8_t)(COMBOS * entry + combo)};
        table_classify(&walk[i], entries);
    }
}

/* The number of the point of that size, access and ring that else is the sweep's first. */
static uint64_t mix_line(unsigned size, const struct mix *mix)
{
    struct point point;
    struct conjunction where;

    sweep_point(&machine, 0, &point);
    point.value[AXIS_SIZE] = (uint8_t)size;
    point.value[AXIS_ACCESS] = mix->access;
    point.value[AXIS_RING] = mix->ring;
    memset(&where, FOLD_ANY, sizeof(where));
    memcpy(where.value, point.value, sizeof(point.value));
    return sweep_next(&machine, &where, 0);
}

static bool mix_run(struct trial *trial, struct sweep_measured *all)
{
    static struct table_walk walk[MIX_WALKS];

    *all = (struct sweep_measured){0};
    for (unsigned i = 0; sweep_ready(trial) && i < MIX_ROUNDS * ARRAY_COUNT(mixes); i++) {
        const struct mix *mix = &mixes[i % ARRAY_COUNT(mixes)];
        for (unsigned line = 0; line < MIX_LINES; line++) {
            unsigned size = line < MIX_LINES_4K ? SIZE_IS_4K : SIZE_IS_2M;
            mix_walks(mix, 4 - size, walk);
            sweep_measure(&machine, mix_line(size, mix), walk, MIX_WALKS, all);
        }
    }
    return all->checks != 0;
}

static void sweep_mix(struct trial *trial)
{
    struct sweep_measured all;

    if (mix_run(trial, &all)) {
        sweep_result(trial, all.ticks, all.checks);
    }
}

/* The mix is the one that it is meant to be, and the machine did as the model says. */
static void sweep_shares(struct trial *trial)
{
    struct sweep_measured all;

    if (mix_run(trial, &all)) {
        trial_expect(trial, FIELD_EVENTS, 0, MIX_FAULTS_PER_MILLE, all.faults * 1000 / all.checks);
        trial_expect(trial, FIELD_EVENTS, 1, MIX_RING_3_PER_MILLE, all.user * 1000 / all.checks);
        trial_expect(trial, FIELD_EVENTS, 2, 0, all.differences);
    }
}

/* The product itself, in steps as in a run, all that is around the loop included. */
#define PRODUCT_PLACES 48u
#define PRODUCT_POINTS 20000u /* from each place on, at least */

static void pass_over(void *context, const struct sweep_difference *difference)
{
    (void)context, (void)difference;
}

static void sweep_product(struct trial *trial)
{
    uint64_t points = sweep_points(&machine), checks = 0;

    if (!sweep_ready(trial)) {
        return;
    }
    uint64_t start = read_tsc();
    for (unsigned i = 0; i < PRODUCT_PLACES; i++) {
        uint64_t number = points * i / PRODUCT_PLACES, from = number;
        while (number - from < PRODUCT_POINTS &&
               sweep_run(&machine, &number, read_tsc() + session->budget_ticks, pass_over, NULL)) {
        }
        checks += number - from;
    }
    sweep_result(trial, read_tsc() - start, checks);
}

static const struct test_case cases[] = {
    {.name = "armed_probe",         .flags = CASE_BY_NAME, .run = armed_probe        },
    {.name = "user_probe",          .flags = CASE_BY_NAME, .run = user_probe         },
    {.name = "fixup",               .flags = CASE_BY_NAME, .run = fixup              },
    {.name = "resolver_round_trip", .flags = CASE_BY_NAME, .run = resolver_round_trip},
    {.name = "syscall_round_trip",  .flags = CASE_BY_NAME, .run = syscall_round_trip },
    {.name = "whole_check",         .flags = CASE_BY_NAME, .run = whole_check        },
    {.name = "sweep_mix",           .flags = CASE_BY_NAME, .run = sweep_mix          },
    {.name = "sweep_shares",        .flags = CASE_BY_NAME, .run = sweep_shares       },
    {.name = "sweep_product",       .flags = CASE_BY_NAME, .run = sweep_product      },
 /* The costs of memory management, in ring-3 programs that run on Linux, too: their lines are comments of report.tap. */
#define PROGRAM(name_)
#define PROGRAM_WITHOUT_LOG(name_)
#define BENCH(name_) PROGRAM_CASE(#name_, name_, CASE_BY_NAME),
#include "program_list.h"
};

SUITE(bench, "costs, by name only");
