/*
 * sweeper.c: see sweeper.h.
 */
#include "sweeper.h"

#include "coverage.h"
#include "machine.h"
#include "matrix_trial.h"
#include "plan.h"
#include "record_log.h"
#include "tests/matrix/wrong.h"
#include "x86/memory.h"

enum fate {
    FATE_NOT_YET,
    FATE_RUNS,
    FATE_RAN, /* to its end */
    FATE_OOPSED,
    FATE_DIED, /* in an earlier start */
    FATE_LACKS /* the paging mode that the options ask for */
};

static struct {
    const struct options *options;
    uint32_t count; /* parts wanted */
    struct wanted {
        struct check_ref check;
        uint32_t part;      /* of matrix_part() */
        uint8_t fate;       /* enum fate */
        struct point point; /* FATE_OOPSED: what was acted out */
        struct oops oops;
    } part[MATRIX_PARTS_MAX];
    uint32_t at;  /* the part that runs, or is next; count: all have */
    bool counted; /* parts that do not run are left out of the remaining time */
    bool ended;   /* by Esc */
    bool folding;
    bool broken; /* an exception in the folding: it is not tried again */
} sweep;

const char *sweeper_begin(const struct options *options, const struct machine *m, void *memory,
                          size_t bytes, uint64_t ticks_per_second)
{
    memset(&sweep, 0, sizeof(sweep));
    sweep.options = options;
    return matrix_start(options, m, memory, bytes, ticks_per_second);
}

/* The number of the part that @check is; matrix_part_count(): none. */
static uint32_t part_of(const struct check_ref *check)
{
    uint32_t part = 0;

    while (part < matrix_part_count() &&
           !texts_equal(matrix_part(part)->name, check_case(check)->name)) {
        part++;
    }
    return part;
}

static struct wanted *find(const struct check_ref *check)
{
    for (uint32_t i = 0; i < sweep.count; i++) {
        if (check_ref_equal(&sweep.part[i].check, check)) {
            return &sweep.part[i];
        }
    }
    return NULL;
}

void sweeper_want(const struct check_ref *check)
{
    uint32_t part = part_of(check);

    if (part < matrix_part_count() && sweep.count < MATRIX_PARTS_MAX) {
        bool lacks = sweep.options->levels == LEVELS_5 && !machine_has(FEATURE_LA57);
        sweep.part[sweep.count++] = (struct wanted){
            .check = *check, .part = part, .fate = lacks ? FATE_LACKS : FATE_NOT_YET};
    }
}

void sweeper_died(const struct check_ref *check)
{
    struct wanted *wanted = find(check);

    if (wanted) {
        wanted->fate = FATE_DIED;
    }
}

/* ---- running --------------------------------------------------------------------------------------- */

/* One part, for as long as there is time. Out: false: it has come to its end. */
static bool run_part(struct wanted *wanted, uint64_t until)
{
    wanted->fate = FATE_RUNS;
    if (matrix_run(wanted->part, until) == MATRIX_MORE) {
        return true;
    }
    wanted->fate = FATE_RAN;
    return false;
}

static bool will_run(uint32_t part)
{
    for (uint32_t i = 0; i < sweep.count; i++) {
        if (sweep.part[i].part == part) {
            return sweep.part[i].fate == FATE_NOT_YET;
        }
    }
    return false;
}

static void leave_out(void)
{
    for (uint32_t part = 0; part < matrix_part_count() && !sweep.counted; part++) {
        if (!will_run(part)) {
            matrix_leave_out(part);
        }
    }
    sweep.counted = true;
}

enum sweep sweeper_step(uint64_t until, struct check_ref *about)
{
    leave_out();
    for (; sweep.at < sweep.count && !sweep.ended; sweep.at++) {
        struct wanted *wanted = &sweep.part[sweep.at];
        if (wanted->fate == FATE_NOT_YET) {
            wanted->fate = FATE_RUNS;
            *about = wanted->check;
            return SWEEP_ABOUT;
        }
        if (wanted->fate == FATE_RUNS) {
            if (!run_part(wanted, until)) {
                sweep.at++;
            }
            return SWEEP_MORE;
        }
    }
    sweep.folding = true;
    return !sweep.broken && matrix_conclude(until) == MATRIX_MORE ? SWEEP_MORE : SWEEP_DONE;
}

void sweeper_oops(const struct oops *oops)
{
    uint32_t at = sweep.folding ? sweep.count - 1 : sweep.at; /* folding belongs to the last part */

    matrix_recover();
    sweep.broken = sweep.folding;
    if (at < sweep.count) {
        sweep.part[at].fate = FATE_OOPSED;
        sweep.part[at].oops = *oops;
        sweep.part[at].point = *matrix_current();
        matrix_leave_out(sweep.part[at].part);
    }
}

void sweeper_end(void)
{
    sweep.ended = true;
}

/* ---- results --------------------------------------------------------------------------------------- */

static bool came_to_its_end(const struct wanted *wanted)
{
    return wanted->fate == FATE_RAN;
}

static void count_part(const struct wanted *wanted, struct annex_part *counts)
{
    const struct matrix_part *part = matrix_part(wanted->part);

    *counts = (struct annex_part){
        .planned = part->planned,
        .run = part->run,
        .passed = part->passed,
        .known = part->known,
        .failed = part->failed,
        .total = part->total,
        .legal = part->legal,
        .skipped = part->skipped,
        .tuples = part->tuples,
        .tuples_legal = part->tuples_legal,
        .tuples_here = part->tuples_here,
        .tuples_covered = part->tuples_covered,
        .ticks = part->ticks,
        .ended = sweep.ended && (wanted->fate == FATE_NOT_YET || wanted->fate == FATE_RUNS),
        .has_point = wanted->fate == FATE_OOPSED,
        .point = wanted->point,
    };
}

bool sweeper_folding(void)
{
    return sweep.folding;
}

bool sweeper_part(uint32_t number, struct check_ref *check, struct annex_part *counts)
{
    if (number >= sweep.count) {
        return false;
    }
    *check = sweep.part[number].check;
    count_part(&sweep.part[number], counts);
    return true;
}

/*
 * The worst of its points decides, when it came to its end: an array must cover what it promises.
 * Ended by Esc: what it has, if that is anything.
 */
static void fill_part(struct trial *trial, const void *context)
{
    const struct wanted *wanted = context;
    static struct annex_part counts;

    count_part(wanted, &counts);
    counts.folds = sweeper_folds();
    trial->annex = ANNEX_PART;
    trial->annex_data = &counts;
    trial_expect(trial, FIELD_POINTS, 0, counts.run, counts.passed);
    if (came_to_its_end(wanted) && counts.tuples) {
        trial_expect(trial, FIELD_TUPLES, 0, counts.tuples_here, counts.tuples_covered);
        if (counts.tuples_covered < counts.tuples_here) {
            trial_error(trial, REASON_UNCOVERED, 0);
        }
    }
    if (wanted->fate == FATE_DIED) {
        trial_error(trial, REASON_RESET, 0);
    } else if (wanted->fate == FATE_LACKS) {
        trial_skip(trial, REASON_FEATURE, FEATURE_LA57);
    } else if (counts.run == 0 && counts.ended) {
        trial_skip(trial, REASON_ENDED, 0);
    } else if (counts.run == 0) {
        trial_skip(trial, REASON_NO_POINTS, 0);
    }
    trial->known = counts.known && !counts.failed;
}

/* Did all the parts that the word of --matrix means come to their ends? */
static bool is_whole(void)
{
    uint32_t whole = 0;

    for (uint32_t i = 0; i < sweep.count; i++) {
        whole += came_to_its_end(&sweep.part[i]);
    }
    return whole == matrix_part_count() && sweep.options->matrix != MATRIX_SOAK;
}

/* Can points here meet this row of the model? One that is wrong on purpose need not be met. */
static bool row_is_due(uint32_t row)
{
    struct model_wrong wrong;
    bool sabotaged = model_wrong_parse(sweep.options->sabotage, &wrong) && wrong.row == row;

    return !sabotaged && !coverage_row_lacks(row, &machine, sweep.options->levels);
}

/* Each row of the model that this machine can meet was met. */
static void fill_rules(struct trial *trial, const void *context)
{
    static struct annex_rules rules;

    (void)context;
    rules = (struct annex_rules){.digest = matrix_digest(), .unfolded = matrix_unfolded()};
    trial->annex = ANNEX_RULES;
    trial->annex_data = &rules;
    for (uint32_t row = 0; row < model_row_count; row++) {
        rules.count[row] = matrix_rule_count(row);
        rules.choice[row] = *matrix_choice(row);
        if (!row_is_due(row)) {
            continue;
        }
        trial_expect(trial, FIELD_RULE_ROW, row, 1, rules.count[row] > 0);
        if (!rules.count[row]) {
            trial_error(trial, REASON_RULE_UNTESTED, row);
        }
    }
    if (!is_whole()) {
        trial_skip(trial, REASON_NOT_WHOLE, 0);
    }
}

const struct record *sweeper_record(const struct check_ref *check)
{
    const struct wanted *wanted = find(check);

    if (!wanted) {
        return trial_filled(check, fill_rules, NULL);
    }
    if (wanted->fate == FATE_OOPSED) {
        return trial_oops_of(check, &wanted->oops, fill_part, wanted);
    }
    return trial_filled(check, fill_part, wanted);
}

uint32_t sweeper_folds(void)
{
    return matrix_fold_count();
}

static void fill_fold(struct trial *trial, const void *context)
{
    static struct annex_point annex;

    matrix_trial_fold(trial, context, &annex);
}

const struct record *sweeper_fold(uint32_t number)
{
    struct check_ref check = check_fold(number);

    return trial_filled(&check, fill_fold, matrix_fold(number));
}
