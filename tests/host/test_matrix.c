/*
 * test_matrix.c: the whole matrix against machines that are made up: the model itself acts points
 * out, as it is or with something wrong. What comes out must say what is wrong, exactly.
 */
#include "unit.h"

#include "tests/harness/deviation.h"
#include "tests/matrix/matrix.h"
#include "tests/matrix/sweep.h"

#define MEMORY (64u << 20)

/* ---- a machine ------------------------------------------------------------------------------------- */

static const struct machine good = {.vendor = VENDOR_INTEL,
                                    .physical_bits = 40,
                                    .levels = 4,
                                    .features = ~BIT(FEATURE_HYPERVISOR) & ~BIT(FEATURE_LAM)};

/* What is wrong with it. */
static struct model_wrong slip;
static void (*fault_of)(const struct point *point, struct model_got *got);
static struct model_got seen;
static unsigned open_for, acted;

static const struct point_ground ground = {
    .table = {{0x1001000, 0x1002000, 0x1003000, 0x1004000, 0},
              {0x1005000, 0x1006000, 0x1007000, 0x1008000, 0}           },
    .frame = {0x17ff000,                                       0x1a00000},
};

const struct point_ground *stage_ground(unsigned levels)
{
    assert_true(levels == 4 || levels == 5);
    return &ground;
}

void stage_open(unsigned levels)
{
    assert_int_equal(open_for, 0);
    open_for = levels;
}

void stage_close(void)
{
    assert_int_not_equal(open_for, 0);
    open_for = 0;
}

/* The machine takes the first allowed outcome; what the model leaves open stays as it was. */
void stage_run(const struct point *point, const struct point_scene *scene, uint64_t cr2,
               struct stage_got *got)
{
    struct model_question question;
    struct model_answer answer;

    assert_int_equal(open_for, point_levels(point));
    acted++;
    memset(got, 0, sizeof(*got));
    point_question(point, &good, scene, cr2, &question);
    model_ask(&question, &slip, &answer);
    seen = (struct model_got){
        .vector = answer.outcome[0].vector,
        .error = answer.outcome[0].error,
        .cr2 = answer.outcome[0].cr2,
        .walk = {answer.outcome[0].walk[0], answer.outcome[0].walk[1]},
    };
    if (fault_of) {
        fault_of(point, &seen);
    }
}

void stage_as_model_sees(const struct point_scene *scene, const struct stage_got *got,
                         struct model_got *as)
{
    (void)scene;
    (void)got;
    *as = seen;
}

/* The product is for sweep_run.c; here there is none. */
bool sweep_run(const struct machine *m, uint64_t *number, uint64_t until, sweep_differs *differs,
               void *context)
{
    (void)m;
    (void)number;
    (void)until;
    (void)differs;
    (void)context;
    fail_msg("no part of these runs has a product");
    return false;
}

void sweep_model(const struct model_wrong *wrong)
{
    (void)wrong;
}

uint64_t sweep_rule_count(uint32_t row)
{
    (void)row;
    return 0;
}

/* ---- a run ----------------------------------------------------------------------------------------- */

static void *memory;
static size_t memory_bytes = MEMORY;
static unsigned most =
    UINT32_MAX; /* points that are acted out; what a clock would end ends there */
static struct options options;

static void run_matrix(enum option_matrix matrix, uint64_t seed, const char *sabotage)
{
    options_init(&options);
    options.matrix = (uint8_t)matrix;
    options.seed = seed;
    options.soak_seconds = 3600;
    snprintf(options.sabotage, sizeof(options.sabotage), "%s", sabotage);
    acted = 0;
    assert_null(matrix_start(&options, &good, memory, memory_bytes, 200000000));
    for (uint32_t part = 0; part < matrix_part_count(); part++) {
        while (acted < most && matrix_run(part, 0) == MATRIX_MORE) {
            assert_int_equal(open_for, 0);
        }
        assert_int_equal(open_for, 0);
    }
    while (matrix_conclude(0) == MATRIX_MORE) {
        assert_int_equal(open_for, 0);
    }
}

static void reset(void)
{
    slip = (struct model_wrong){0};
    fault_of = NULL;
}

static uint64_t failing(void)
{
    uint64_t count = 0;

    for (uint32_t part = 0; part < matrix_part_count(); part++) {
        const struct matrix_part *p = matrix_part(part);
        assert_int_equal(p->run, p->passed + p->known + p->failed);
        count += p->failed + p->known;
    }
    return count;
}

/* ---- cases ----------------------------------------------------------------------------------------- */

static void a_right_machine_passes(void **state)
{
    uint64_t points = 0;

    (void)state;
    reset();
    run_matrix(MATRIX_QUICK, 1, "");
    assert_int_equal(failing(), 0);
    assert_int_equal(matrix_fold_count(), 0);
    for (uint32_t part = 0; part < matrix_part_count(); part++) {
        points += matrix_part(part)->run;
    }
    assert_int_equal(points, acted);
    assert_true(points > 1000);
    assert_int_equal(matrix_part(0)->tuples_covered, matrix_part(0)->tuples_here);
    for (uint32_t row = 0; row < model_row_count; row++) {
        if (!matrix_rule_count(row) && !model_rows[row].host_only) {
            print_message("never: %s %s\n", model_rows[row].number, model_rows[row].what);
        }
    }
}

static void reserved_without_p(const struct point *point, struct model_got *got)
{
    (void)point;
    if (got->vector == 14 && got->error & 8) {
        got->error &= ~1u;
    }
}

static void a_bug_that_has_one_cause_is_one_fold(void **state)
{
    char text[CONJUNCTION_TEXT];

    (void)state;
    reset();
    fault_of = reserved_without_p;
    run_matrix(MATRIX_QUICK, 1, "");
    assert_int_equal(matrix_fold_count(), 1);
    conjunction_text(&matrix_fold(0)->where, text);
    assert_string_equal(text, "fault=reserved");
    assert_int_equal(matrix_fold(0)->points, failing());
    assert_int_equal(matrix_fold(0)->symptom.error_differs, 1);
    assert_true(matrix_fold(0)->repeats);
}

/* One instruction of one width is wrong. */
static void xchg_faults_as_a_read(const struct point *point, struct model_got *got)
{
    if (point->value[AXIS_ACCESS] == MATRIX_XCHG && point->value[AXIS_RING] == RING_IS_0 &&
        got->vector == 14) {
        got->error &= ~2u;
    }
}

static void folds_name_the_axes_that_matter(void **state)
{
    (void)state;
    reset();
    fault_of = xchg_faults_as_a_read;
    run_matrix(MATRIX_QUICK, 1, "");
    assert_true(matrix_fold_count() >= 1);
    uint64_t covered = 0;
    for (uint32_t i = 0; i < matrix_fold_count(); i++) {
        const struct matrix_fold *fold = matrix_fold(i);
        assert_int_equal(fold->where.value[AXIS_ACCESS], MATRIX_XCHG);
        assert_int_equal(fold->witness.point.value[AXIS_RING], RING_IS_0);
        assert_int_equal(fold->symptom.error_differs, 2);
        covered += fold->points;
    }
    assert_true(covered >= failing());
}

static void a_wrong_model_is_found(void **state)
{
    (void)state;
    reset();
    run_matrix(MATRIX_QUICK, 1, "model:smep:dropped");
    assert_true(failing() > 0);
    assert_true(matrix_fold_count() > 0);
}

static void same_seed_same_result(void **state)
{
    uint64_t digest, passed, points;

    (void)state;
    reset();
    fault_of = reserved_without_p;
    run_matrix(MATRIX_QUICK, 5, "");
    digest = matrix_digest();
    points = acted;
    passed = matrix_part(0)->passed;
    run_matrix(MATRIX_QUICK, 5, "");
    assert_int_equal(digest, matrix_digest());
    assert_int_equal(points, acted);
    assert_int_equal(passed, matrix_part(0)->passed);
}

/* Memory for 300 points only: folded many times, the folds are the same few. */
static void a_soak_that_outlasts_its_memory_goes_on(void **state)
{
    char text[CONJUNCTION_TEXT];

    (void)state;
    reset();
    fault_of = reserved_without_p;
    memory_bytes = FOLDS_MAX * sizeof(struct matrix_fold) + sizeof(struct folding) + 300 * 16 + 8;
    most = 1000;
    run_matrix(MATRIX_SOAK, 1, "");
    memory_bytes = MEMORY;
    most = UINT32_MAX;
    assert_int_equal(acted, 1000);
    uint64_t covered = 0;
    for (uint32_t i = 0; i < matrix_fold_count(); i++) {
        const struct matrix_fold *fold = matrix_fold(i);
        conjunction_text(&fold->where, text);
        covered += fold->points;
        if (strcmp(text, "fault=reserved") == 0) {
            assert_int_equal(fold->against, 0);
            assert_true(fold->points > failing() / 2);
        }
    }
    assert_true(covered >= failing());
    assert_int_equal(matrix_unfolded(), 0);
}

static void one_point_by_itself(void **state)
{
    struct point point = {0};
    struct matrix_case result;

    (void)state;
    reset();
    run_matrix(MATRIX_QUICK, 1, "");
    matrix_point(&point, &result);
    assert_true(result.allowed && !result.missing);
    assert_int_equal(result.seen.vector, MODEL_NO_FAULT);
    fault_of = reserved_without_p;
    point.value[AXIS_RSVD] = 1;
    matrix_point(&point, &result);
    assert_false(result.allowed);
    assert_int_equal(result.symptom.error_differs, 1);
    point.value[AXIS_RSVD] = 0;
    point.value[AXIS_LAM] = 1;
    matrix_point(&point, &result);
    assert_int_equal(result.missing, FEATURE_LAM + 1);
}

static int setup(void **state)
{
    (void)state;
    memory = malloc(MEMORY);
    return memory == NULL;
}

static int teardown(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_machine_passes),
        cmocka_unit_test(a_bug_that_has_one_cause_is_one_fold),
        cmocka_unit_test(folds_name_the_axes_that_matter),
        cmocka_unit_test(a_wrong_model_is_found),
        cmocka_unit_test(same_seed_same_result),
        cmocka_unit_test(a_soak_that_outlasts_its_memory_goes_on),
        cmocka_unit_test(one_point_by_itself),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
