/*
 * test_matrix_suite.c: the checks of the suite matrix are the parts of the matrix, in its order, for
 * each word of --matrix. Nothing is run.
 */
#include "unit.h"

#include "tests/harness/plan.h"
#include "tests/matrix/matrix.h"
#include "tests/matrix/sweep.h"

extern const struct suite matrix_suite;
const struct suite *const suites[] = {&matrix_suite};
const uint32_t suite_count = 1;

/* ---- what needs a machine -------------------------------------------------------------------------- */

static const struct point_ground ground;

const struct point_ground *stage_ground(unsigned levels)
{
    (void)levels;
    return &ground;
}

void stage_open(unsigned levels)
{
    (void)levels;
    fail();
}

void stage_close(void)
{
    fail();
}

void stage_run(const struct point *point, const struct point_scene *scene, uint64_t cr2,
               struct stage_got *got)
{
    (void)point;
    (void)scene;
    (void)cr2;
    (void)got;
    fail();
}

void stage_as_model_sees(const struct point_scene *scene, const struct stage_got *got,
                         struct model_got *seen)
{
    (void)scene;
    (void)got;
    (void)seen;
    fail();
}

bool sweep_run(const struct machine *m, uint64_t *number, uint64_t until, sweep_differs *differs,
               void *context)
{
    (void)m;
    (void)number;
    (void)until;
    (void)differs;
    (void)context;
    fail();
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

/* ---- the comparison -------------------------------------------------------------------------------- */

static void parts_are_the_suites_cases(void **state)
{
    static const unsigned words[] = {MATRIX_QUICK, MATRIX_FULL, MATRIX_SOAK, MATRIX_NONE};
    static const uint32_t parts[] = {2, 4, 1, 0};
    const size_t bytes = 48u << 20;
    void *memory = malloc(bytes);
    (void)state;

    assert_non_null(memory);
    machine = (struct machine){.physical_bits = 40, .levels = 4, .features = ~UINT64_C(0)};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        struct options options;
        options_init(&options);
        options.matrix = (uint8_t)words[i];
        assert_null(matrix_start(&options, &machine, memory, bytes, 1));
        assert_int_equal(matrix_part_count(), parts[i]);

        struct check_ref check;
        uint32_t part = 0, rules = 0;
        for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
            if (!check_selected(&check, &options)) {
                continue;
            }
            const char *name = check_case(&check)->name;
            if (strcmp(name, "every_rule_exercised") == 0) {
                rules++;
                continue;
            }
            assert_int_equal(rules, 0); /* it comes last: it judges the parts */
            assert_true(part < matrix_part_count());
            assert_string_equal(name, matrix_part(part++)->name);
        }
        assert_int_equal(part, matrix_part_count());
        assert_int_equal(rules, words[i] != MATRIX_NONE);
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_the_suites_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
