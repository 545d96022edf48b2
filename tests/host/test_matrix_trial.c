/*
 * test_matrix_trial.c: a point that was acted out becomes a check that fails exactly when the model
 * forbids what was seen, and says of every difference where it is.
 */
#include "tests/host/report_fixture.h"

#include "tests/harness/matrix_trial.h"

static struct matrix_case result;
static struct trial trial;
static struct annex_point annex;

/* A user write to a page without R/W, 4 levels; across an edge when @both. */
static void made(bool both)
{
    result = (struct matrix_case){
        .scene = {.levels = 4,           .leaf = 1,                              .bytes = 8, .address = 0x1000, .used = {true, both}},
        .answer = {.count = 2, .rules = BIT(2) | BIT(4)                                      },
        .got = {.outcome = {.vector = VECTOR_PF, .error = 7, .cr2 = 0x1000},                     .cr4 = CR4_PAE},
        .seen = {.vector = VECTOR_PF,   .error = 7,                             .cr2 = 0x1000                                       },
        .allowed = true,
    };
    result.point.value[AXIS_ACCESS] = MATRIX_WRITE;
    for (unsigned page = 0; page < 2; page++) {
        for (unsigned level = 0; level < 4; level++) {
            result.scene.entry[page][level] = 0x10000 * (page + 1) + 0x1000 * level + 7;
            result.got.after[page][level] = result.scene.entry[page][level] | (level ? PTE_A : 0);
        }
    }
    struct model_outcome *allowed = result.answer.outcome;
    *allowed = (struct model_outcome){.vector = VECTOR_PF,
                                      .error = 7,
                                      .error_mask = UINT32_MAX,
                                      .cr2 = 0x1000,
                                      .cr2_mask = UINT64_MAX};
    allowed->walk[0].dirty_mask = 1;
    allowed[1] = allowed[0];
    allowed[1].error = 6;
}

static void judge(bool allowed)
{
    result.allowed = allowed;
    memset(&trial, 0, sizeof(trial));
    matrix_trial_point(&trial, &result, &annex);
}

static unsigned differing(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < trial.comparisons; i++) {
        count += comparison_differs(&trial.comparison[i]);
    }
    return count;
}

/* The only comparison that differs. */
static const struct comparison *difference(void)
{
    assert_int_equal(differing(), 1);
    for (unsigned i = 0; i < trial.comparisons; i++) {
        if (comparison_differs(&trial.comparison[i])) {
            return &trial.comparison[i];
        }
    }
    return NULL;
}

static void what_is_allowed_passes(void **state)
{
    (void)state;
    made(false);
    judge(true);
    assert_int_equal(differing(), 0);
    assert_int_equal(trial.comparisons, 3 + 4 + 2);
    assert_int_equal(trial.rule, RULE_3_2); /* the first of its rows */
    assert_int_equal(trial.annex, ANNEX_POINT);
    assert_ptr_equal(trial.annex_data, &annex);
    /* The second outcome is as good. */
    result.seen.error = 6;
    judge(true);
    assert_int_equal(differing(), 0);
    made(true);
    judge(true);
    assert_int_equal(trial.comparisons, 3 + 8 + 2);
    assert_int_equal(differing(), 0);
}

/* Whatever the comparisons see, the model's word counts. */
static void the_model_has_the_last_word(void **state)
{
    (void)state;
    made(false);
    judge(false);
    assert_int_equal(difference()->field, FIELD_EVENTS);
    result.seen.error = 5;
    judge(true);
    assert_int_equal(differing(), 0);
    assert_true(trial.comparisons > 0);
}

static void each_difference_has_its_place(void **state)
{
    (void)state;
    made(true);
    result.nearest = 1;
    result.seen.error = 4;
    judge(false);
    assert_int_equal(difference()->field, FIELD_ERROR_CODE);
    assert_true(difference()->expected == 6);

    made(true);
    result.seen.cr2++;
    judge(false);
    assert_int_equal(difference()->field, FIELD_CR2);

    made(true);
    result.seen.vector = VECTOR_NONE; /* error code and CR2 say nothing then */
    judge(false);
    assert_int_equal(difference()->field, FIELD_VECTOR);

    made(true);
    result.got.after[0][0] |= PTE_D;
    judge(false);
    assert_int_equal(difference()->field, FIELD_ENTRY);
    assert_int_equal(difference()->detail, 1);

    made(true);
    result.got.after[1][2] ^= BIT(40);
    judge(false);
    assert_int_equal(difference()->field, FIELD_ENTRY_ABOVE);
    assert_int_equal(difference()->detail, 3);

    made(true);
    result.answer.outcome[0].walk[1].accessed = 8;
    result.answer.outcome[0].walk[1].accessed_mask = 8;
    result.got.after[1][3] &= ~(pte_t)PTE_A;
    judge(false);
    assert_int_equal(difference()->field, FIELD_ENTRY_ABOVE);
    assert_int_equal(difference()->detail, 4);

    made(true);
    result.got.rip_wrong = true;
    judge(false);
    assert_int_equal(difference()->field, FIELD_RIP_ASTRAY);

    made(true);
    result.got.memory_wrong = true;
    judge(false);
    assert_int_equal(difference()->field, FIELD_DATA_WRONG);
}

/* Bits that are either way, and pages that the access does not concern. */
static void nothing_else_is_compared(void **state)
{
    (void)state;
    made(false);
    result.got.after[0][0] |= PTE_A;
    result.got.after[0][3] ^= PTE_A;
    result.got.after[1][0] = 0;
    judge(true);
    assert_int_equal(differing(), 0);
    made(false);
    result.scene.first = 1; /* the access lies in the page above: its walk is the model's first */
    result.scene.used[0] = false;
    result.scene.used[1] = true;
    result.got.after[0][0] = 0;
    judge(true);
    assert_int_equal(trial.comparisons, 3 + 4 + 2);
    assert_true(trial.scene.before[0] == result.scene.entry[1][0]);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    made(false);
    result.missing = FEATURE_PKS + 1;
    judge(false);
    assert_true(trial.skipped);
    assert_int_equal(trial.reason, REASON_FEATURE);
    assert_int_equal(trial.reason_detail, FEATURE_PKS);
}

static void a_fold_fails_even_if_its_witness_recovers(void **state)
{
    struct matrix_fold fold = {.points = 99, .symptom = {.error_differs = 1}, .repeats = false};
    (void)state;
    made(false);
    memset(fold.where.value, FOLD_ANY, sizeof(fold.where.value));
    fold.where.value[AXIS_WP] = 1;
    fold.witness = result;
    memset(&trial, 0, sizeof(trial));
    matrix_trial_fold(&trial, &fold, &annex);
    assert_int_equal(difference()->field, FIELD_POINTS);
    assert_true(annex.points == 99 && annex.symptom.error_differs == 1);
    assert_int_equal(annex.where.value[AXIS_WP], 1);
    assert_int_equal(annex.flags, POINT_RAN);

    fold.repeats = true;
    fold.witness.allowed = false;
    fold.witness.seen.error = 4;
    fold.deviation = 1;
    memset(&trial, 0, sizeof(trial));
    matrix_trial_fold(&trial, &fold, &annex);
    assert_int_equal(difference()->field, FIELD_ERROR_CODE);
    assert_int_equal(annex.flags, POINT_RAN | POINT_REPEATS);
    assert_int_equal(trial.deviation, 1);
}

/* The rule that a report names is the one that speaks of what is wrong. */
static void what_differs_has_its_rule(void **state)
{
    static const struct {
        struct symptom symptom;
        uint8_t end;
        bool forbidden;
        unsigned rule;
    } cases[] = {
        {{.error_differs = 1},                                      MODEL_RESERVED, false, RULE_4_P    },
        {{.error_differs = 2},                                      MODEL_ABSENT,   false, RULE_4_W    },
        {{.error_differs = 0x30},                                   MODEL_COMPLETE, true,  RULE_4_I    },
        {{.error_differs = 0x8000},                                 MODEL_COMPLETE, true,  RULE_4_OTHER},
        {{.cr2_differs = true},                                     MODEL_ABSENT,   false, RULE_5_1    },
        {{.a_missing = true},                                       MODEL_COMPLETE, false, RULE_5_2    },
        {{.d_extra = true},                                         MODEL_COMPLETE, true,  RULE_5_3    },
        {{.other_bits = true},                                      MODEL_COMPLETE, false, RULE_5_4    },
        {{.rip = true},                                             MODEL_ABSENT,   false, RULE_7_1    },
        {{.vector_expected = VECTOR_SS, .vector_got = VECTOR_GP},
         MODEL_NOT_CANONICAL,                                                       false,
         RULE_1_1                                                                                      },
        {{.vector_expected = VECTOR_PF, .vector_got = VECTOR_NONE}, MODEL_ABSENT,   false, RULE_2_1    },
        {{.vector_expected = VECTOR_PF, .vector_got = VECTOR_NONE},
         MODEL_RESERVED,                                                            false,
         RULE_2_2                                                                                      },
        {{.vector_expected = VECTOR_PF, .vector_got = VECTOR_NONE}, MODEL_COMPLETE, true,  RULE_3_5    },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        made(false);
        result.answer.rules = BIT(2) | BIT(3); /* R3.2 and, behind it, R3.5 */
        result.answer.story =
            (struct model_story){.end = cases[i].end, .forbidden = cases[i].forbidden};
        result.symptom = cases[i].symptom;
        judge(false);
        if (trial.rule != cases[i].rule) {
            fail_msg("case %u: rule %s", i, rule_texts[trial.rule].number);
        }
    }
}

static void rows_belong_to_rules(void **state)
{
    static const unsigned rules[] = {RULE_2_1, RULE_2_3, RULE_3_2, RULE_3_5, RULE_4_I, RULE_NONE};
    (void)state;
    for (unsigned row = 0; row < ARRAY_COUNT(rules); row++) {
        assert_int_equal(matrix_rule_of_row(row), rules[row]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_allowed_passes),
        cmocka_unit_test(the_model_has_the_last_word),
        cmocka_unit_test(each_difference_has_its_place),
        cmocka_unit_test(nothing_else_is_compared),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_fold_fails_even_if_its_witness_recovers),
        cmocka_unit_test(what_differs_has_its_rule),
        cmocka_unit_test(rows_belong_to_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
