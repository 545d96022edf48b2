/*
 * trial.c: see trial.h. gdb: `break trial_run_one if ...` stops at a check (make debug).
 */
#include "trial.h"

#include "annex.h"
#include "baseline.h"
#include "deviation.h"
#include "machine.h"
#include "plan.h"
#include "record_log.h"
#include "tests/harness/rules.h"
#include "x86/memory.h"

static struct trial current;
union any_annex {
    struct annex_point point;
    struct annex_part part;
    struct annex_rules rules;
    struct annex_program program;
};
static union {
    struct record record;
    uint8_t bytes[sizeof(struct record) + TRIAL_COMPARISONS * sizeof(struct comparison) +
                  sizeof(struct oops) + sizeof(union any_annex)];
} made __attribute__((aligned(8)));

void trial_compare(struct trial *trial, enum field field, unsigned detail, uint64_t expected,
                   uint64_t mask, uint64_t got)
{
    if (trial->comparisons == TRIAL_COMPARISONS) {
        trial->left_out++;
        return;
    }
    trial->comparison[trial->comparisons++] = (struct comparison){
        .field = (uint16_t)field,
        .detail = (uint16_t)detail,
        .expected = expected,
        .mask = mask,
        .got = got,
    };
}

void trial_skip(struct trial *trial, enum reason reason, unsigned detail)
{
    trial->skipped = true;
    trial->reason = (uint8_t)reason;
    trial->reason_detail = (uint16_t)detail;
}

void trial_error(struct trial *trial, enum reason reason, unsigned detail)
{
    trial->skipped = false;
    trial->reason = (uint8_t)reason;
    trial->reason_detail = (uint16_t)detail;
}

void trial_again(struct trial *trial)
{
    trial->again = true;
}

static enum verdict trial_judge(const struct trial *trial)
{
    if (trial->reason != REASON_NONE) {
        return trial->skipped ? VERDICT_SKIP : VERDICT_ERROR;
    }
    if (trial->comparisons == 0 || trial->left_out) {
        return VERDICT_ERROR;
    }
    for (unsigned i = 0; i < trial->comparisons; i++) {
        if (comparison_differs(&trial->comparison[i])) {
            return VERDICT_FAIL;
        }
    }
    return VERDICT_PASS;
}

/* Why a failure is no news. */
static uint16_t find_deviation(const struct trial *trial, const struct record *record)
{
    bool matrix = trial->annex && trial->annex != ANNEX_PROGRAM; /* who fills it has looked */
    uint16_t found = matrix ? trial->deviation : deviation_find(record, &machine);
    char id[CHECK_ID_TEXT];

    record_id(record, id);
    return !found && baseline_accepts(record, id) ? DEVIATION_BASELINE : found;
}

/* @end: of an exception that ended the check, or NULL. */
static const struct record *make_record(const struct trial *trial, const struct oops *end)
{
    struct record *record = &made.record;
    size_t annex = annex_size(trial->annex);
    const struct oops *oops = end ? end : trial->oops;

    *record = (struct record){
        .bytes = (uint32_t)record_size(trial->comparisons, oops != NULL, trial->annex),
        .kind = RECORD_CHECK,
        .annex = trial->annex,
        .rule = trial->rule,
        .reason = trial->reason,
        .reason_detail = trial->reason_detail,
        .comparisons = trial->comparisons,
        .has_oops = oops != NULL,
        .check = trial->ref,
        .scene = trial->scene,
    };
    memcpy(record->comparison, trial->comparison, trial->comparisons * sizeof(struct comparison));
    if (annex) {
        memcpy(made.bytes + record->bytes - annex, trial->annex_data, annex);
    }
    if (oops) {
        memcpy(&record->comparison[trial->comparisons], oops, sizeof(*oops));
    }
    if (end) {
        record->verdict = VERDICT_ERROR;
        record->reason = REASON_OOPS;
        return record;
    }
    record->verdict = (uint8_t)trial_judge(trial);
    if (record->verdict == VERDICT_ERROR && record->reason == REASON_NONE) {
        record->reason = REASON_SILENT;
    }
    if (record->verdict == VERDICT_FAIL) {
        record->deviation = find_deviation(trial, record);
        if (record->deviation || trial->known) {
            record->verdict = VERDICT_KNOWN;
        }
    }
    return record;
}

static void trial_begin(struct trial *trial, const struct check_ref *ref)
{
    memset(trial, 0, sizeof(*trial));
    trial->ref = *ref;
    trial->test_case = check_case(ref);
    trial->rule = trial->test_case->rule;
    trial->leaf = ref->size == SIZE_NONE ? 0 : ref->size + 1u;
    trial->level = ref->level;
    trial->user = ref->ring == RING_USER;
}

/* What the axes and the machine say before the case's own function is asked. */
static bool trial_possible(struct trial *trial)
{
    for (unsigned i = 0; i < ARRAY_COUNT(trial->test_case->needs); i++) {
        unsigned need = trial->test_case->needs[i];
        if (need && !machine_has((enum cpu_feature)(need - 1))) {
            trial_skip(trial, REASON_FEATURE, need - 1);
            return false;
        }
    }
    if (trial->ref.size == SIZE_1G && !machine_has(FEATURE_GB_PAGES)) {
        trial_skip(trial, REASON_FEATURE, FEATURE_GB_PAGES);
        return false;
    }
    if (trial->test_case->variants && trial->ref.variant == NO_VARIANT) {
        trial_skip(trial, REASON_PHYSICAL_WIDTH, machine.physical_bits);
        return false;
    }
    return true;
}

/* Kept apart and out of line for the debugger: @id is the check's name. */
void trial_run_one(struct trial *trial, const char *id);
__attribute__((noinline)) void trial_run_one(struct trial *trial, const char *id)
{
    __asm__ volatile("" : : "r"(id) : "memory");
    trial->test_case->run(trial);
}

const struct record *trial_run(const struct check_ref *ref, uint64_t until)
{
    static char id[CHECK_ID_TEXT];

    if (current.again) {
        current.again = false;
        current.step++;
    } else {
        trial_begin(&current, ref);
        check_id(ref, id);
        if (!trial_possible(&current)) {
            return make_record(&current, NULL);
        }
    }
    current.until = until;
    trial_run_one(&current, id);
    return current.again ? NULL : make_record(&current, NULL);
}

void trial_abandon(void)
{
    current.again = false;
}

const struct record *trial_filled(const struct check_ref *ref, trial_fill *fill,
                                  const void *context)
{
    trial_begin(&current, ref);
    fill(&current, context);
    return make_record(&current, NULL);
}

const struct record *trial_oops(const struct oops *oops)
{
    trial_abandon();
    return make_record(&current, oops);
}

const struct record *trial_oops_of(const struct check_ref *ref, const struct oops *oops,
                                   trial_fill *fill, const void *context)
{
    trial_begin(&current, ref);
    fill(&current, context);
    return make_record(&current, oops);
}

const struct record *trial_verdict(const struct check_ref *ref, enum verdict verdict,
                                   enum reason reason, unsigned detail)
{
    struct record *record = &made.record;

    *record = (struct record){
        .bytes = (uint32_t)record_size(0, false, ANNEX_NONE),
        .kind = RECORD_CHECK,
        .verdict = (uint8_t)verdict,
        .rule = check_case(ref)->rule,
        .reason = (uint8_t)reason,
        .reason_detail = (uint16_t)detail,
        .check = *ref,
    };
    return record;
}
