/*
 * test_sweeper.c: the matrix as a run drives it, over a matrix that is made up: three parts, a few
 * points each, of which some fail. What is announced, what each part's record says, Esc, exceptions
 * and parts that killed the machine in an earlier start.
 */
#include "tests/host/report_fixture.h"

#include "tests/harness/deviation.h"
#include "tests/harness/sweeper.h"

/* ---- a matrix, in place of matrix.c ---------------------------------------------------------------- */

#define PARTS 2u
static struct {
    struct matrix_part part[PARTS];
    uint64_t each;                          /* points of a part */
    uint32_t per_step;                      /* that a step makes */
    uint32_t folds, concluded, conclusions; /* how often asked for; how often it takes */
    uint32_t recovered, left_out;           /* @left_out: BIT(part) */
    struct matrix_fold fold[2];
    const char *problem;
} made;

const char *matrix_start(const struct options *options, const struct machine *m, void *memory,
                         size_t bytes, uint64_t ticks_per_second)
{
    (void)options;
    (void)m;
    (void)memory;
    (void)bytes;
    (void)ticks_per_second;
    return made.problem;
}

uint32_t matrix_part_count(void)
{
    return PARTS;
}

const struct matrix_part *matrix_part(uint32_t part)
{
    return &made.part[part];
}

enum matrix_progress matrix_run(uint32_t part, uint64_t until)
{
    struct matrix_part *p = &made.part[part];

    (void)until;
    p->run += made.per_step;
    p->planned = made.each;
    p->passed = p->run - p->known - p->failed;
    return p->run < made.each ? MATRIX_MORE : MATRIX_DONE;
}

enum matrix_progress matrix_conclude(uint64_t until)
{
    (void)until;
    return ++made.concluded < made.conclusions ? MATRIX_MORE : MATRIX_DONE;
}

void matrix_leave_out(uint32_t part)
{
    made.left_out |= (uint32_t)BIT(part);
}

uint32_t matrix_fold_count(void)
{
    return made.folds;
}

const struct matrix_fold *matrix_fold(uint32_t fold)
{
    return &made.fold[fold];
}

uint64_t matrix_unfolded(void)
{
    return 0;
}

uint64_t matrix_rule_count(uint32_t row)
{
    return row == 4 ? 0 : 100 + row;
}

const struct matrix_choice *matrix_choice(uint32_t row)
{
    static struct matrix_choice choice;

    choice.open = row;
    return &choice;
}

uint64_t matrix_digest(void)
{
    return 0x1234;
}

const struct point *matrix_current(void)
{
    static struct point point;

    point.value[AXIS_ACCESS] = MATRIX_XCHG;
    return &point;
}

void matrix_recover(void)
{
    made.recovered++;
}

/* ---- driving it ------------------------------------------------------------------------------------ */

static struct options options;

static struct check_ref check_of(unsigned test_case)
{
    return (struct check_ref){.suite = MATRIX_SUITE,
                              .test_case = (uint16_t)test_case,
                              .size = SIZE_NONE,
                              .ring = RING_NONE,
                              .variant = NO_VARIANT};
}

/* A matrix of 100 points a part, both wanted. Everything of the model is exercised but row 4. */
static void begin(void)
{
    memset(&made, 0, sizeof(made));
    made.part[0].name = "pairs";
    made.part[1].name = "needed";
    made.each = 100;
    made.per_step = 50;
    made.conclusions = 3;
    machine = (struct machine){.vendor = VENDOR_INTEL, .physical_bits = 48, .levels = 4};
    machine.features = BIT(FEATURE_NX) | BIT(FEATURE_SMEP);
    options_init(&options);
    assert_null(sweeper_begin(&options, &machine, NULL, 0, 1));
}

static void want(unsigned test_case)
{
    struct check_ref check = check_of(test_case);

    sweeper_want(&check);
}

/* Steps until done; what they were: 'A' about, 'M' more, 'D' done. */
static const char *sweep_all(void)
{
    static char steps[100];
    struct check_ref about;
    unsigned count = 0;

    for (enum sweep step = SWEEP_MORE; step != SWEEP_DONE && count < 99;) {
        step = sweeper_step(0, &about);
        steps[count++] = step == SWEEP_ABOUT  ? (char)('a' + about.test_case)
                         : step == SWEEP_MORE ? 'M'
                                              : 'D';
    }
    steps[count] = '\0';
    return steps;
}

static const struct record *record_of(unsigned test_case)
{
    struct check_ref check = check_of(test_case);
    const struct record *record = sweeper_record(&check);

    assert_true(record_valid(record, record->bytes));
    assert_true(check_ref_equal(&record->check, &check));
    return record;
}

static void parts_are_announced_and_run_in_turn(void **state)
{
    (void)state;
    begin();
    want(0);
    want(1);
    assert_string_equal(sweep_all(), "aMMbMMMMD");
    assert_int_equal(made.left_out, 0);
    for (unsigned i = 0; i < PARTS; i++) {
        const struct record *record = record_of(i);
        assert_int_equal(record->verdict, VERDICT_PASS);
        assert_true(record_part(record)->run == 100 && record_part(record)->passed == 100);
        assert_int_equal(record_part(record)->ended, 0);
    }
}

static void only_wanted_parts_run(void **state)
{
    (void)state;
    begin();
    want(1);
    want(2); /* what the rules met is no part */
    assert_string_equal(sweep_all(), "bMMMMD");
    assert_true(made.part[0].run == 0);
    assert_int_equal(made.left_out, BIT(0));
    const struct record *rules = record_of(2);
    assert_int_equal(rules->verdict, VERDICT_SKIP);
    assert_int_equal(rules->reason, REASON_NOT_WHOLE);
    assert_true(record_rules(rules)->count[3] == 103 && record_rules(rules)->digest == 0x1234);
    assert_true(record_rules(rules)->choice[2].open == 2);
}

static void the_worst_point_is_the_verdict(void **state)
{
    static const struct {
        uint64_t known, failed;
        enum verdict verdict;
    } rows[] = {
        {0, 0, VERDICT_PASS },
        {7, 0, VERDICT_KNOWN},
        {0, 7, VERDICT_FAIL },
        {7, 1, VERDICT_FAIL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        begin();
        made.folds = 2;
        made.part[0].known = rows[i].known;
        made.part[0].failed = rows[i].failed;
        want(0);
        (void)sweep_all();
        const struct record *record = record_of(0);
        assert_int_equal(record->verdict, rows[i].verdict);
        assert_int_equal(record->reason, REASON_NONE);
        assert_int_equal(record_part(record)->folds, 2);
        assert_true(record->comparison[0].got == 100 - rows[i].known - rows[i].failed);
    }
}

static void an_array_keeps_its_promise(void **state)
{
    (void)state;
    begin();
    made.part[0].tuples = 900;
    made.part[0].tuples_here = 800;
    made.part[0].tuples_covered = 799;
    want(0);
    (void)sweep_all();
    const struct record *record = record_of(0);
    assert_int_equal(record->verdict, VERDICT_ERROR);
    assert_int_equal(record->reason, REASON_UNCOVERED);
    made.part[0].tuples_covered = 800;
    assert_int_equal(record_of(0)->verdict, VERDICT_PASS);
}

static void esc_ends_with_what_there_is(void **state)
{
    struct check_ref about;
    (void)state;
    begin();
    want(0);
    want(1);
    assert_int_equal(sweeper_step(0, &about), SWEEP_ABOUT);
    assert_int_equal(sweeper_step(0, &about), SWEEP_MORE);
    made.part[0].tuples = made.part[0].tuples_here = 800; /* and nothing covered: no error */
    struct annex_part counts;
    struct check_ref check;
    assert_true(sweeper_part(0, &check, &counts));
    assert_int_equal(check.test_case, 0);
    assert_true(counts.run == 50 && counts.planned == 100 && !counts.ended);
    assert_true(sweeper_part(1, &check, &counts));
    assert_int_equal(check.test_case, 1);
    assert_false(sweeper_part(2, &check, &counts));
    assert_false(sweeper_folding());
    sweeper_end();
    assert_string_equal(sweep_all(), "MMD");
    assert_true(sweeper_folding());
    assert_true(sweeper_part(0, &check, &counts));
    assert_true(counts.ended);
    assert_int_equal(record_of(0)->verdict, VERDICT_PASS);
    const struct record *record = record_of(0);
    assert_int_equal(record_part(record)->ended, 1);
    record = record_of(1);
    assert_int_equal(record->verdict, VERDICT_SKIP);
    assert_int_equal(record->reason, REASON_ENDED);
    assert_int_equal(record_of(2)->reason, REASON_NOT_WHOLE);
}

static void an_exception_ends_its_part(void **state)
{
    const struct oops oops = {.reason = OOPS_EXCEPTION, .vector = 77};
    struct check_ref about;
    (void)state;
    begin();
    want(0);
    want(1);
    (void)sweeper_step(0, &about);
    (void)sweeper_step(0, &about);
    sweeper_oops(&oops);
    assert_int_equal(made.recovered, 1);
    assert_int_equal(made.left_out, BIT(0));
    assert_string_equal(sweep_all(), "bMMMMD");
    const struct record *record = record_of(0);
    assert_int_equal(record->verdict, VERDICT_ERROR);
    assert_int_equal(record->reason, REASON_OOPS);
    assert_int_equal(record_oops(record)->vector, 77);
    assert_int_equal(record_part(record)->has_point, 1);
    assert_int_equal(record_part(record)->point.value[AXIS_ACCESS], MATRIX_XCHG);
    assert_int_equal(record_of(1)->verdict, VERDICT_PASS);
    assert_int_equal(record_of(2)->reason, REASON_NOT_WHOLE);
}

/* What kills the folding is not tried again. */
static void an_exception_ends_the_folding(void **state)
{
    const struct oops oops = {.reason = OOPS_EXCEPTION, .vector = 77};
    struct check_ref about;
    (void)state;
    begin();
    want(0);
    want(1);
    made.conclusions = 1000;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_not_equal(sweeper_step(0, &about), SWEEP_DONE);
    }
    sweeper_oops(&oops);
    assert_string_equal(sweep_all(), "D");
    assert_int_equal(record_of(0)->verdict, VERDICT_PASS);
    assert_int_equal(record_of(1)->verdict, VERDICT_ERROR);
}

static void what_killed_the_machine_is_not_run_again(void **state)
{
    struct check_ref first = check_of(0);
    (void)state;
    begin();
    want(0);
    want(1);
    sweeper_died(&first);
    assert_string_equal(sweep_all(), "bMMMMD");
    assert_int_equal(made.left_out, BIT(0));
    const struct record *record = record_of(0);
    assert_int_equal(record->verdict, VERDICT_ERROR);
    assert_int_equal(record->reason, REASON_RESET);
    assert_true(made.part[0].run == 0);
}

static void a_paging_mode_that_is_missing_is_named(void **state)
{
    (void)state;
    begin();
    options.levels = LEVELS_5;
    want(0);
    assert_string_equal(sweep_all(), "MMD");
    const struct record *record = record_of(0);
    assert_int_equal(record->verdict, VERDICT_SKIP);
    assert_int_equal(record->reason, REASON_FEATURE);
    assert_int_equal(record->reason_detail, FEATURE_LA57);
    begin();
    machine.features |= BIT(FEATURE_LA57);
    options.levels = LEVELS_5;
    want(0);
    assert_string_equal(sweep_all(), "aMMMMD");
}

/* Row 4, error_i_either, needs an AMD processor and SMEP; the others are met. */
static void rows_that_nothing_met_are_an_error(void **state)
{
    (void)state;
    begin();
    want(0);
    want(1);
    (void)sweep_all();
    const struct record *record = record_of(2);
    assert_int_equal(record->verdict, VERDICT_PASS);
    assert_int_equal(record->comparisons, 4);

    machine.vendor = VENDOR_AMD;
    record = record_of(2);
    assert_int_equal(record->verdict, VERDICT_ERROR);
    assert_int_equal(record->reason, REASON_RULE_UNTESTED);
    assert_int_equal(record->reason_detail, 4);

    strcpy(options.sabotage, "model:error_i_either:dropped"); /* wrong on purpose */
    assert_int_equal(record_of(2)->verdict, VERDICT_PASS);
    strcpy(options.sabotage, "model:smep:dropped");
    assert_int_equal(record_of(2)->verdict, VERDICT_ERROR);
    options.sabotage[0] = '\0';
    options.matrix = MATRIX_SOAK; /* random points need not meet all */
    assert_int_equal(record_of(2)->verdict, VERDICT_SKIP);
}

static void folds_are_failures_or_known(void **state)
{
    (void)state;
    begin();
    deviation_start();
    made.folds = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct matrix_fold *fold = &made.fold[i];
        memset(fold->where.value, FOLD_ANY, sizeof(fold->where.value));
        fold->points = 10 + i;
        fold->repeats = true;
        fold->deviation = (uint16_t)i;
        fold->symptom.error_differs = 1;
        fold->witness.answer.count = 1;
        fold->witness.scene.levels = 4;
        fold->witness.scene.leaf = 1;
        fold->witness.point.value[AXIS_ACCESS] = (uint8_t)(MATRIX_WRITE + i);
        fold->witness.answer.outcome[0].vector = VECTOR_PF;
        fold->witness.seen.vector = VECTOR_NONE;
    }
    assert_int_equal(sweeper_folds(), 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct record *record = sweeper_fold(i);
        char id[CHECK_ID_TEXT];
        assert_true(record_valid(record, record->bytes));
        assert_int_equal(record->check.test_case, CASE_FOLD + i);
        assert_int_equal(record->verdict, i ? VERDICT_KNOWN : VERDICT_FAIL);
        assert_true(record_point(record)->points == 10 + i);
        record_id(record, id);
        assert_string_equal(id, i ? "matrix:access=fetch" : "matrix:access=write");
    }
}

static void options_that_cannot_be_run_are_named(void **state)
{
    (void)state;
    begin();
    made.problem = "needs 18 MiB";
    assert_string_equal(sweeper_begin(&options, &machine, NULL, 0, 1), "needs 18 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_announced_and_run_in_turn),
        cmocka_unit_test(only_wanted_parts_run),
        cmocka_unit_test(the_worst_point_is_the_verdict),
        cmocka_unit_test(an_array_keeps_its_promise),
        cmocka_unit_test(esc_ends_with_what_there_is),
        cmocka_unit_test(an_exception_ends_its_part),
        cmocka_unit_test(an_exception_ends_the_folding),
        cmocka_unit_test(what_killed_the_machine_is_not_run_again),
        cmocka_unit_test(a_paging_mode_that_is_missing_is_named),
        cmocka_unit_test(rows_that_nothing_met_are_an_error),
        cmocka_unit_test(folds_are_failures_or_known),
        cmocka_unit_test(options_that_cannot_be_run_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
