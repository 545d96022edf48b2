/*
 * bench.c: what things cost, in ticks of the TSC; under QEMU's -icount in instructions (make
 * bench). Each case records, and judges nothing but that what it measured did happen.
 */
#include "table.h"

#include "fault/cpu.h"
#include "fault/probe.h"
#include "fault/ring3.h"
#include "fault/uaccess.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"

#define ROUNDS 1000u

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

static const struct test_case cases[] = {
    {.name = "armed_probe", .flags = CASE_BY_NAME, .run = armed_probe},
    {.name = "user_probe",  .flags = CASE_BY_NAME, .run = user_probe },
    {.name = "fixup",       .flags = CASE_BY_NAME, .run = fixup      },
    {.name = "whole_check", .flags = CASE_BY_NAME, .run = whole_check},
};

SUITE(bench, "costs, by name only");
