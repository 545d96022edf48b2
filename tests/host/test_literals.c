/*
 * test_literals.c: conjunctions and sets of axis values, read from text; and the words that name a
 * slip of the model.
 */
#include "unit.h"

#include "tests/matrix/literals.h"
#include "tests/matrix/wrong.h"

/* ---- rows of a model, in place of model.c ---------------------------------------------------------- */

const struct model_row model_rows[] = {
    {.name = "absent", .number = "R2.1", .what = "one"       },
    {.name = "smep",   .number = "R3.5", .misplaceable = true, .misplaced = "", .what = "two"},
    {.name = "smep_on",   .number = "R3.5",                   .what = "three"                      },
};
const uint32_t model_row_count = ARRAY_COUNT(model_rows);

/* ---- literals ---------------------------------------------------------------------------------- */

static bool parse(const char *text, struct literals *literals)
{
    return literals_parse(text, strlen(text), literals);
}

static void sets_of_values(void **state)
{
    struct literals literals;
    uint8_t values[FOLD_AXES] = {0};
    (void)state;

    assert_true(parse("access=fetch|write,walk=reserved", &literals));
    assert_int_equal(literals.count, 2);
    values[AXIS_COUNT + DERIVED_WALK] = MODEL_RESERVED;
    for (unsigned access = 0; access < MATRIX_ACCESS_COUNT; access++) {
        values[AXIS_ACCESS] = (uint8_t)access;
        assert_int_equal(literals_hold(&literals, values),
                         access == MATRIX_FETCH || access == MATRIX_WRITE);
    }
    values[AXIS_ACCESS] = MATRIX_FETCH;
    values[AXIS_COUNT + DERIVED_WALK] = MODEL_ABSENT;
    assert_false(literals_hold(&literals, values));
    assert_true(parse("", &literals));
    assert_true(literals_hold(&literals, values));
}

static void what_is_no_literal_is_refused(void **state)
{
    static const char *const bad[] = {"access",
                                      "access=",
                                      "access=nothing",
                                      "walk=reserved,",
                                      ",walk=reserved",
                                      "walk==reserved",
                                      "walk=reserved|",
                                      "walk=|absent",
                                      "wolk=reserved",
                                      "walk=absent|absent",
                                      "nxe=0,nxe=1",
                                      "walk =reserved",
                                      "walk=Reserved",
                                      "nxe=2",
                                      "wp=0,nxe=0,smep=1,smap=1,ac=1,pke=1,pks=1"};
    struct literals literals;
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (parse(bad[i], &literals)) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    /* @length ends it, nothing else. */
    assert_false(literals_parse("walk\0\0=reserved", 15, &literals));
    assert_true(literals_parse("nxe=0,nxe=1", 5, &literals));
    assert_int_equal(literals.count, 1);
    assert_false(literals_parse("nxe=0,nxe=1", 6, &literals));
}

static void a_conjunction_is_covered_when_each_literal_is_in_it(void **state)
{
    struct literals literals;
    struct conjunction where;
    (void)state;

    assert_true(parse("walk=reserved,size=4k|2m", &literals));
    assert_true(conjunction_parse("walk=reserved,size=2m,nxe=0", 27, &where));
    assert_true(literals_cover(&literals, &where));
    assert_true(conjunction_parse("walk=reserved,size=1g", 21, &where));
    assert_false(literals_cover(&literals, &where));
    assert_true(conjunction_parse("walk=reserved", 13, &where)); /* and any size */
    assert_false(literals_cover(&literals, &where));
    assert_true(parse("", &literals));
    assert_true(literals_cover(&literals, &where));
}

/* Every axis with every value, by itself. */
static void conjunctions_read_back(void **state)
{
    (void)state;
    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        for (unsigned value = 0; fold_axis_value(axis, value); value++) {
            struct conjunction where;
            char text[80];
            int length = snprintf(text, sizeof(text), "%s=%s", fold_axis_name(axis),
                                  fold_axis_value(axis, value));
            assert_true(conjunction_parse(text, (size_t)length, &where));
            for (unsigned other = 0; other < SPACE_AXES; other++) {
                assert_int_equal(where.value[other], other == axis ? value : FOLD_ANY);
            }
            char again[CONJUNCTION_TEXT];
            conjunction_text(&where, again);
            assert_string_equal(again, text);
        }
    }
    struct conjunction where;
    char text[CONJUNCTION_TEXT];
    assert_true(conjunction_parse("everything", 10, &where));
    assert_int_equal(where.value[0], FOLD_ANY);
    conjunction_text(&where, text);
    assert_string_equal(text, "everything");
    assert_false(conjunction_parse("everything,nxe=0", 16, &where));
    assert_false(conjunction_parse("", 0, &where));
    assert_false(conjunction_parse("nxe=0,", 6, &where));
    assert_false(conjunction_parse("nxe=0|1", 7, &where));
    assert_false(conjunction_parse("nxe=0,nxe=1", 11, &where));
}

/* The one with the longest names of all. */
static void any_conjunction_has_room(void **state)
{
    struct conjunction where, again;
    char text[CONJUNCTION_TEXT];
    (void)state;

    memset(where.value, FOLD_ANY, sizeof(where.value));
    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        size_t longest = 0;
        for (unsigned value = 0; fold_axis_value(axis, value); value++) {
            if (strlen(fold_axis_value(axis, value)) > longest) {
                longest = strlen(fold_axis_value(axis, value));
                where.value[axis] = (uint8_t)value;
            }
        }
    }
    conjunction_text(&where, text);
    assert_true(conjunction_parse(text, strlen(text), &again));
    assert_memory_equal(&again, &where, sizeof(where));
    assert_in_range(strlen(text), POINT_TEXT / 2, CONJUNCTION_TEXT - 40);
}

static void smaller_conjunctions_lie_within_larger_ones(void **state)
{
    struct conjunction all, reserved, both, other;
    (void)state;

    assert_true(conjunction_parse("everything", 10, &all));
    assert_true(conjunction_parse("walk=reserved", 13, &reserved));
    assert_true(conjunction_parse("walk=reserved,nxe=0", 19, &both));
    assert_true(conjunction_parse("walk=absent,nxe=0", 17, &other));
    assert_true(conjunction_within(&reserved, &all));
    assert_true(conjunction_within(&both, &reserved));
    assert_true(conjunction_within(&both, &both));
    assert_false(conjunction_within(&reserved, &both));
    assert_false(conjunction_within(&other, &reserved));
    assert_false(conjunction_within(&all, &reserved));
}

/* ---- slips ------------------------------------------------------------------------------------- */

static void slips_are_named_by_row(void **state)
{
    static const struct {
        const char *word;
        unsigned row;
        enum model_slip slip;
    } rows[] = {
        {"model:absent:negated",  0, MODEL_NEGATED  },
        {"model:absent:dropped",  0, MODEL_DROPPED  },
        {"model:smep:misplaced",  1, MODEL_MISPLACED},
        {"model:smep_on:dropped", 2, MODEL_DROPPED  },
    };
    static const char *const bad[] = {"",
                                      "model:",
                                      "model:smep",
                                      "model:smep:",
                                      "model:smep:right",
                                      "model:absent:misplaced", /* it cannot be */
                                      "model:R3.5:dropped",
                                      "model:sme:dropped",
                                      "model::dropped",
                                      "model:smep:dropped ",
                                      "world:CR0"};
    struct model_wrong wrong;
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_true(model_wrong_parse(rows[i].word, &wrong));
        assert_int_equal(wrong.row, rows[i].row);
        assert_int_equal(wrong.slip, rows[i].slip);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (model_wrong_parse(bad[i], &wrong)) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_of_values),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(a_conjunction_is_covered_when_each_literal_is_in_it),
        cmocka_unit_test(conjunctions_read_back),
        cmocka_unit_test(any_conjunction_has_room),
        cmocka_unit_test(smaller_conjunctions_lie_within_larger_ones),
        cmocka_unit_test(slips_are_named_by_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
