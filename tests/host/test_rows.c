/*
 * test_rows.c: points packed into 16 bytes come back as they were.
 */
#include "unit.h"

#include "tests/matrix/rows.h"

#define COUNT 5000u

static struct row memory[COUNT];
static uint8_t values[COUNT][FOLD_AXES];
static struct rows rows;

static uint64_t state = 3;
static unsigned dice(unsigned sides)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

static unsigned values_of(unsigned axis)
{
    unsigned count = 0;

    if (axis < AXIS_COUNT) {
        return axis_values(axis);
    }
    while (derived_value(axis - AXIS_COUNT, count)) {
        count++;
    }
    return count;
}

/* Also the largest value of every axis at once: the fields must not meet, nor the way and the part. */
static int fill(void **s)
{
    (void)s;
    rows_begin(&rows, memory, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
            values[i][axis] = (uint8_t)(i == 0 ? values_of(axis) - 1 : dice(values_of(axis)));
        }
        rows_add(&rows, values[i], i % 256, i % 16);
    }
    return 0;
}

static void rows_come_back_as_they_were(void **s)
{
    (void)s;
    assert_int_equal(rows.count, COUNT);
    assert_int_equal(sizeof(struct row), 16);
    for (unsigned i = 0; i < COUNT; i++) {
        uint8_t back[FOLD_AXES];
        rows_values(&rows, i, back);
        assert_memory_equal(back, values[i], FOLD_AXES);
        assert_int_equal(rows_way(&rows, i), i % 256);
        assert_int_equal(rows_part(&rows, i), i % 16);
    }
}

static void next_finds_what_a_loop_finds(void **s)
{
    (void)s;
    for (unsigned round = 0; round < 300; round++) {
        struct conjunction where;
        memset(&where, FOLD_ANY, sizeof(where));
        for (unsigned literals = dice(4); literals; literals--) {
            unsigned axis = dice(FOLD_AXES);
            where.value[axis] = (uint8_t)dice(values_of(axis));
        }
        uint32_t from = dice(COUNT), expected = from;
        while (expected < COUNT && !conjunction_matches(&where, values[expected], FOLD_AXES)) {
            expected++;
        }
        assert_int_equal(rows_next(&rows, &where, from), expected);
    }
}

static void a_point_that_was_run_is_known(void **s)
{
    struct point point;

    (void)s;
    memcpy(point.value, values[COUNT - 1], AXIS_COUNT);
    assert_true(rows_have(&rows, &point));
    memset(&point, 0, sizeof(point));
    assert_false(rows_have(&rows, &point));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(next_finds_what_a_loop_finds),
        cmocka_unit_test(a_point_that_was_run_is_known),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
