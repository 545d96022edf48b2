/*
 * test_deviation.c: a failing record is "known" only if each of its differences is exactly a listed
 * one, on a machine that gave its signature. The rows are the real ones of tests/deviations.c.
 */
#include "unit.h"

#include "fault/probe.h"
#include "tests/deviations.h"
#include "tests/harness/baseline.h"
#include "tests/harness/deviation.h"
#include "tests/harness/record_log.h"
#include "tests/harness/target.h"
#include "tests/matrix/literals.h"
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

/* A write through a PML4E with bit 8 in Bochs: it went through, on whoever's processor. */
static void vendors_bind(void **state)
{
    (void)state;
    struct machine amd = {.emulator = "Bochs", .vendor = VENDOR_AMD};
    struct machine intel = {.emulator = "Bochs", .vendor = VENDOR_INTEL};
    struct record *record = reserved_fault(0);
    record->rule = RULE_2_4;
    record->comparisons = 4;
    record->scene.access = ACCESS_WRITE;
    record->comparison[0].got = VECTOR_NONE;
    record->comparison[1] = (struct comparison){
        .field = FIELD_ENTRY, .expected = 0x107, .mask = ~UINT64_C(0), .got = 0x127};
    record->comparison[2] = (struct comparison){
        .field = FIELD_ENTRY, .expected = 0x2007, .mask = ~UINT64_C(0), .got = 0x2067};
    record->comparison[3] = (struct comparison){
        .field = FIELD_MEMORY, .expected = TARGET_WORD, .mask = ~UINT64_C(0), .got = PROBE_VALUE};
    assert_int_not_equal(deviation_find(record, &amd), 0);
    assert_int_equal(deviation_find(record, &intel), 0);
    record->comparison[1].expected = 0x87; /* not bit 8, but bit 7 */
    record->comparison[1].got = 0xa7;
    assert_int_equal(deviation_find(record, &amd), 0);
}

/* ---- points of the matrix ---------------------------------------------------------------------- */

/* A point whose walk meets a reserved bit; a locked access. */
static const uint8_t *reserved_point(void)
{
    static uint8_t values[FOLD_AXES];

    memset(values, 0, sizeof(values));
    values[AXIS_COUNT + DERIVED_WALK] = MODEL_RESERVED;
    values[AXIS_COUNT + DERIVED_KIND] = MODEL_RMW_LOCKED;
    values[AXIS_ACCESS] = MATRIX_XCHG;
    return values;
}

static const struct symptom no_p = {
    .vector_expected = VECTOR_PF, .vector_got = VECTOR_PF, .error_differs = PF_EC_P};

static void a_point_with_the_exact_symptom_is_known(void **state)
{
    (void)state;
    deviation_start();
    uint16_t row = deviation_find_point(&no_p, reserved_point(), &qemu);
    assert_int_not_equal(row, 0);
    assert_int_equal(deviations[row - 1].rule, RULE_2_2);
    assert_true(deviation_occurred(row - 1u));

    struct machine silicon = {.emulator = ""};
    assert_int_equal(deviation_find_point(&no_p, reserved_point(), &silicon), 0);

    uint8_t elsewhere[FOLD_AXES];
    memcpy(elsewhere, reserved_point(), sizeof(elsewhere));
    elsewhere[AXIS_COUNT + DERIVED_WALK] = MODEL_COMPLETE;
    assert_int_equal(deviation_find_point(&no_p, elsewhere, &qemu), 0);
}

static void a_point_with_another_symptom_is_not(void **state)
{
    (void)state;
    deviation_start();
    struct symptom s = no_p;
    s.error_got = PF_EC_P; /* too many instead of missing */
    assert_int_equal(deviation_find_point(&s, reserved_point(), &qemu), 0);
    s = no_p;
    s.error_differs |= PF_EC_U;
    assert_int_equal(deviation_find_point(&s, reserved_point(), &qemu), 0);
    bool *const flags[] = {&s.cr2_differs, &s.other_bits, &s.rip,    &s.memory,
                           &s.a_missing,   &s.d_missing,  &s.d_extra};
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        s = no_p;
        *flags[i] = true;
        assert_int_equal(deviation_find_point(&s, reserved_point(), &qemu), 0);
    }
    s = no_p;
    s.vector_got = VECTOR_GP;
    assert_int_equal(deviation_find_point(&s, reserved_point(), &qemu), 0);
    for (unsigned row = 0; row < deviation_count; row++) {
        assert_false(deviation_occurred(row));
    }
}

/* P missing by the one bug, W by the other. */
static void two_listed_symptoms_are_known(void **state)
{
    (void)state;
    deviation_start();
    struct symptom both = no_p;
    both.error_differs = PF_EC_P | PF_EC_W;
    uint16_t row = deviation_find_point(&both, reserved_point(), &qemu);
    assert_int_not_equal(row, 0);
    assert_int_equal(deviations[row - 1].rule, RULE_2_2);

    uint8_t plain[FOLD_AXES];
    memcpy(plain, reserved_point(), sizeof(plain));
    plain[AXIS_COUNT + DERIVED_KIND] = MODEL_WRITE;
    plain[AXIS_ACCESS] = MATRIX_WRITE;
    assert_int_equal(deviation_find_point(&both, plain, &qemu), 0);
}

static void a_fold_is_known_when_all_of_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        bool known;
    } rows[] = {
        {"walk=reserved",       true },
        {"nxe=0,walk=reserved", true },
        {"nxe=0",               false},
        {"everything",          false},
        {"walk=absent",         false},
    };
    deviation_start();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct conjunction where;
        assert_true(conjunction_parse(rows[i].where, strlen(rows[i].where), &where));
        assert_int_equal(deviation_find_fold(&no_p, &where, &qemu) != 0, rows[i].known);
    }
}

static void the_baseline_comes_after_the_list(void **state)
{
    static const char text[] = "faultline baseline 1 " VERSION "\n"
                               "fold walk=reserved 14:14 1:0 0\nfold nxe=0 14:14 1:0 0\nend\n";
    (void)state;
    struct conjunction where;
    deviation_start();
    assert_null(baseline_read(text, sizeof(text) - 1));
    assert_int_not_equal(deviation_find_point(&no_p, reserved_point(), &qemu), DEVIATION_BASELINE);
    assert_true(conjunction_parse("nxe=0", 5, &where));
    assert_int_equal(deviation_find_fold(&no_p, &where, &qemu), DEVIATION_BASELINE);
    struct machine silicon = {.emulator = ""};
    assert_int_equal(deviation_find_point(&no_p, reserved_point(), &silicon), DEVIATION_BASELINE);
    baseline_none();
    assert_int_equal(deviation_find_point(&no_p, reserved_point(), &silicon), 0);
}

static void check_point_of_row(const struct deviation *d, unsigned i)
{
    const struct symptom nothing = {0}, *s = &d->points[i].symptom;
    struct literals literals;

    if (!d->points[i].where) {
        assert_true(symptom_equal(s, &nothing));
        return;
    }
    assert_true(literals_parse(d->points[i].where, strlen(d->points[i].where), &literals));
    assert_false(symptom_equal(s, &nothing));
    assert_int_equal(s->error_got & ~s->error_differs, 0);
    assert_true(i == 0 || d->points[i - 1].where);
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
        assert_true(d->wrongs <= ARRAY_COUNT(d->wrong));
        assert_true(deviation_is_for(row, false) || deviation_is_for(row, true));
        for (unsigned w = 0; w < d->wrongs; w++) {
            assert_true(d->wrong[w].differs != 0);
            assert_int_equal(d->wrong[w].got & ~d->wrong[w].got_mask, 0);
        }
        for (unsigned i = 0; i < ARRAY_COUNT(d->points); i++) {
            check_point_of_row(d, i);
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
        cmocka_unit_test(vendors_bind),
        cmocka_unit_test(a_point_with_the_exact_symptom_is_known),
        cmocka_unit_test(a_point_with_another_symptom_is_not),
        cmocka_unit_test(two_listed_symptoms_are_known),
        cmocka_unit_test(a_fold_is_known_when_all_of_it_is),
        cmocka_unit_test(the_baseline_comes_after_the_list),
        cmocka_unit_test(each_row_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
