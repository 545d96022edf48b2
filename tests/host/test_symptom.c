/*
 * test_symptom.c: how an outcome that is not allowed differs from the nearest one that is.
 */
#include "unit.h"

#include "tests/matrix/symptom.h"

#define PF 14

/* #PF with this error code at address 0x1000; A unjudged, D clear in the leaf. */
static struct model_outcome fault(uint32_t error)
{
    return (struct model_outcome){.vector = PF,
                                  .error = error,
                                  .error_mask = ~0u,
                                  .cr2 = 0x1000,
                                  .cr2_mask = ~UINT64_C(0),
                                  .walk = {{.dirty_mask = 1}}};
}

static const struct model_outcome success = {
    .vector = MODEL_NO_FAULT,
    .walk = {{.accessed = 0xf, .accessed_mask = 0xf, .dirty = 1, .dirty_mask = 1}}};

static struct symptom find(const struct model_answer *answer, const struct model_got *got)
{
    struct symptom symptom;
    unsigned nearest;

    symptom_of(answer, got, false, false, &symptom, &nearest);
    return symptom;
}

static void a_bit_of_the_error_code(void **state)
{
    struct model_answer answer = {.count = 1, .outcome = {fault(9)}};
    struct model_got got = {.vector = PF, .error = 8, .cr2 = 0x1000};
    struct symptom symptom = find(&answer, &got);

    (void)state;
    assert_int_equal(symptom.vector_expected, PF);
    assert_int_equal(symptom.vector_got, PF);
    assert_int_equal(symptom.error_differs, 1);
    assert_int_equal(symptom.error_got, 0);
    assert_false(symptom.cr2_differs);
    got.error = 11;
    symptom = find(&answer, &got);
    assert_int_equal(symptom.error_differs, 2);
    assert_int_equal(symptom.error_got, 2);
}

static void the_nearest_outcome_is_compared_with(void **state)
{
    struct model_answer answer = {
        .count = 3, .outcome = {success, fault(7), fault(5)}
    };
    struct model_got got = {.vector = PF, .error = 4, .cr2 = 0x1000};
    struct symptom symptom;
    unsigned nearest;

    (void)state;
    symptom_of(&answer, &got, false, false, &symptom, &nearest);
    assert_int_equal(nearest, 2);
    assert_int_equal(symptom.error_differs, 1);
    got = (struct model_got){.vector = MODEL_NO_FAULT, .walk = {{.accessed = 0xf}}};
    symptom_of(&answer, &got, false, false, &symptom, &nearest);
    assert_int_equal(nearest, 0);
    assert_true(symptom.d_missing && !symptom.d_extra && !symptom.a_missing);
}

static void another_vector_says_nothing_about_error_codes(void **state)
{
    struct model_answer answer = {.count = 1, .outcome = {fault(7)}};
    struct model_got got = {.vector = 13, .error = 0x50, .cr2 = 0};
    struct symptom symptom = find(&answer, &got);

    (void)state;
    assert_int_equal(symptom.vector_expected, PF);
    assert_int_equal(symptom.vector_got, 13);
    assert_int_equal(symptom.error_differs, 0);
    assert_false(symptom.cr2_differs);
}

static void addresses_and_bits_of_entries(void **state)
{
    struct model_answer answer = {.count = 1, .outcome = {fault(7)}};
    struct model_got got = {.vector = PF, .error = 7, .cr2 = 0x1001, .walk = {{.dirty = 1}}};
    struct symptom symptom = find(&answer, &got);

    (void)state;
    assert_true(symptom.cr2_differs);
    assert_true(symptom.d_extra && !symptom.d_missing);
    answer.outcome[0].cr2_mask = ~UINT64_C(7);
    got.other_bits = true;
    symptom = find(&answer, &got);
    assert_false(symptom.cr2_differs);
    assert_true(symptom.other_bits);
    answer.outcome[0] = success;
    got = (struct model_got){.vector = MODEL_NO_FAULT, .walk = {{.accessed = 0xe, .dirty = 1}}};
    symptom = find(&answer, &got);
    assert_true(symptom.a_missing && !symptom.a_extra);
    answer.outcome[0].walk[0].accessed = 0;
    symptom = find(&answer, &got);
    assert_true(symptom.a_extra && !symptom.a_missing);
}

static void where_and_what_are_symptoms_too(void **state)
{
    struct model_answer answer = {.count = 1, .outcome = {fault(7)}};
    struct model_got got = {.vector = PF, .error = 7, .cr2 = 0x1000};
    struct symptom one, other;
    unsigned nearest;

    (void)state;
    symptom_of(&answer, &got, true, false, &one, &nearest);
    assert_true(one.rip && !one.memory);
    symptom_of(&answer, &got, false, true, &other, &nearest);
    assert_true(!other.rip && other.memory);
    assert_false(symptom_equal(&one, &other));
    assert_true(symptom_equal(&one, &one));
}

static void a_symptom_is_split_into_single_differences(void **state)
{
    struct model_answer answer = {.count = 1, .outcome = {fault(0xb)}};
    struct model_got got = {.vector = PF, .error = 0x18, .cr2 = 0x1008, .walk = {{.dirty = 1}}};
    struct symptom symptom = find(&answer, &got), part[SYMPTOM_PARTS];

    (void)state;
    assert_int_equal(symptom_split(&symptom, part), 5);
    assert_true(part[0].error_differs == 1 && part[0].error_got == 0 && !part[0].d_extra);
    assert_true(part[1].error_differs == 2 && part[1].error_got == 0);
    assert_true(part[2].error_differs == 0x10 && part[2].error_got == 0x10);
    assert_true(part[3].cr2_differs && !part[3].error_differs && !part[3].d_extra);
    assert_true(part[4].d_extra && !part[4].cr2_differs);
    got = (struct model_got){.vector = MODEL_NO_FAULT, .walk = {{.dirty = 1}}};
    symptom = find(&answer, &got);
    assert_int_equal(symptom_split(&symptom, part), 1);
    assert_true(part[0].vector_expected == PF && part[0].vector_got == MODEL_NO_FAULT);
    got = (struct model_got){.vector = PF, .error = 0xb, .cr2 = 0x1000};
    symptom = find(&answer, &got);
    assert_int_equal(symptom_split(&symptom, part), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bit_of_the_error_code),
        cmocka_unit_test(the_nearest_outcome_is_compared_with),
        cmocka_unit_test(another_vector_says_nothing_about_error_codes),
        cmocka_unit_test(addresses_and_bits_of_entries),
        cmocka_unit_test(a_symptom_is_split_into_single_differences),
        cmocka_unit_test(where_and_what_are_symptoms_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
