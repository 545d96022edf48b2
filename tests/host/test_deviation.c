/*
 * test_deviation.c: a failing record is "known" only if each of its differences is exactly a listed
 * one, on a machine that gave its signature. The rows are the real ones of tests/deviations.c.
 */
#include "unit.h"

#include "tests/deviations.h"
#include "tests/harness/deviation.h"
#include "tests/harness/record_log.h"
#include "x86/exception.h"
#include "x86/registers.h"

static struct machine qemu = {.emulator = "QEMU TCG"};
static union {
    struct record record;
    uint8_t bytes[sizeof(struct record) + 4 * sizeof(struct comparison)];
} made;

/* A reserved-bit fault of a ring-0 read, with the error code @got. */
static struct record *reserved_fault(uint64_t got)
{
    made.record = (struct record){
        .kind = RECORD_CHECK,
        .verdict = VERDICT_FAIL,
        .rule = RULE_2_2,
        .comparisons = 2,
        .check = {.size = SIZE_4K, .ring = RING_SUPERVISOR},
        .scene = {.access = ACCESS_READ              },
    };
    made.record.comparison[0] = (struct comparison){
        .field = FIELD_VECTOR, .expected = VECTOR_PF, .mask = 0xffff, .got = VECTOR_PF};
    made.record.comparison[1] = (struct comparison){.field = FIELD_ERROR_CODE,
                                                    .expected = PF_EC_RSVD | PF_EC_P,
                                                    .mask = 0xffffffff,
                                                    .got = got};
    return &made.record;
}

static void exact_outcome_is_known(void **state)
{
    (void)state;
    deviation_start();
    uint16_t row = deviation_find(reserved_fault(PF_EC_RSVD), &qemu);
    assert_int_not_equal(row, 0);
    assert_int_equal(deviations[row - 1].rule, RULE_2_2);
    assert_true(deviation_occurred(row - 1u));
}

static void another_outcome_is_not(void **state)
{
    (void)state;
    deviation_start();
    assert_int_equal(deviation_find(reserved_fault(PF_EC_RSVD | PF_EC_W), &qemu), 0);
    assert_int_equal(deviation_find(reserved_fault(0), &qemu), 0);
    assert_int_equal(deviation_find(reserved_fault(PF_EC_P), &qemu), 0);
    for (unsigned row = 0; row < deviation_count; row++) {
        assert_false(deviation_occurred(row));
    }
}

static void one_more_difference_is_not(void **state)
{
    (void)state;
    struct record *record = reserved_fault(PF_EC_RSVD);
    record->comparison[0].got = VECTOR_GP;
    assert_int_equal(deviation_find(record, &qemu), 0);
}

static void another_rule_is_not(void **state)
{
    (void)state;
    struct record *record = reserved_fault(PF_EC_RSVD);
    record->rule = RULE_3_2;
    assert_int_equal(deviation_find(record, &qemu), 0);
}

static void another_machine_is_not(void **state)
{
    (void)state;
    struct machine silicon = {.emulator = ""}, bochs = {.emulator = "Bochs"};
    assert_int_equal(deviation_find(reserved_fault(PF_EC_RSVD), &silicon), 0);
    assert_int_equal(deviation_find(reserved_fault(PF_EC_RSVD), &bochs), 0);
}

static void two_listed_differences_are_known(void **state)
{
    (void)state;
    struct record *record = reserved_fault(PF_EC_RSVD);
    record->comparison[0] = (struct comparison){
        .field = FIELD_RFLAGS, .expected = RFLAGS_RF, .mask = RFLAGS_RF | RFLAGS_AC, .got = 0};
    uint16_t row = deviation_find(record, &qemu);
    assert_int_not_equal(row, 0);
    assert_int_equal(deviations[row - 1].rule, RULE_2_2); /* RF, which is everywhere, comes last */
    record->comparison[0].got = RFLAGS_AC;
    assert_int_equal(deviation_find(record, &qemu), 0);
}

static void axes_bind(void **state)
{
    (void)state;
    struct record *record = reserved_fault(0);
    record->rule = RULE_4_W;
    record->scene.access = ACCESS_RMW_LOCKED;
    record->comparison[1].expected = PF_EC_P | PF_EC_W;
    record->comparison[1].got = PF_EC_P;
    assert_int_not_equal(deviation_find(record, &qemu), 0);
    record->scene.access = ACCESS_WRITE;
    assert_int_equal(deviation_find(record, &qemu), 0);
}

static void each_row_can_be_read(void **state)
{
    (void)state;
    assert_true(deviation_count > 0 && deviation_count <= 64);
    for (unsigned row = 0; row < deviation_count; row++) {
        const struct deviation *d = &deviations[row];
        assert_true(d->machine && d->machine[0] && d->versions && d->versions[0]);
        assert_true(d->sentence && d->sentence[0]);
        assert_true(d->rule > RULE_NONE && d->rule < RULE_COUNT);
        assert_true(d->wrongs > 0 && d->wrongs <= ARRAY_COUNT(d->wrong));
        for (unsigned w = 0; w < d->wrongs; w++) {
            assert_true(d->wrong[w].differs != 0);
            assert_int_equal(d->wrong[w].got & ~d->wrong[w].got_mask, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_outcome_is_known),
        cmocka_unit_test(another_outcome_is_not),
        cmocka_unit_test(one_more_difference_is_not),
        cmocka_unit_test(another_rule_is_not),
        cmocka_unit_test(another_machine_is_not),
        cmocka_unit_test(two_listed_differences_are_known),
        cmocka_unit_test(axes_bind),
        cmocka_unit_test(each_row_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
