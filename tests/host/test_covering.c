/*
 * test_covering.c: covering arrays of spaces small enough to count everything, of a mock of the access
 * matrix, and of the matrix itself. Each array is counted by covering_missing, and that by brute
 * force; and all of these checks are shown to fail when they should.
 */
#include "unit.h"

#include "arrays.h"

/* ---- small spaces, with rules made at random --------------------------------------------------------- */

/* A rule: @axis may not have values of @values when each of two earlier axes has the one named. */
struct ban {
    uint32_t axis, earlier[2];
    uint8_t when[2];
    uint32_t values; /* bit by value */
};
struct small {
    uint8_t values[8];
    struct ban bans[8];
    uint32_t count;
};

static bool small_allows(const struct space *space, const uint8_t *point, uint32_t axis,
                         uint32_t value)
{
    const struct small *small = space->context;
    uint32_t banned = 0;

    for (uint32_t i = 0; i < small->count; i++) {
        const struct ban *ban = &small->bans[i];
        if (ban->axis == axis && point[ban->earlier[0]] == ban->when[0] &&
            point[ban->earlier[1]] == ban->when[1]) {
            banned |= ban->values;
        }
    }
    /* Something is always allowed. */
    uint32_t all = (1u << space->values[axis]) - 1;
    return (banned & all) == all || !((banned >> value) & 1);
}

static bool small_depends(const struct space *space, uint32_t axis, uint32_t earlier)
{
    const struct small *small = space->context;

    for (uint32_t i = 0; i < small->count; i++) {
        const struct ban *ban = &small->bans[i];
        if (ban->axis == axis && (ban->earlier[0] == earlier || ban->earlier[1] == earlier)) {
            return true;
        }
    }
    return false;
}

static uint32_t random_state;
static uint32_t random_number(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * limit) >> 32);
}

static void make_small(struct small *small, struct space *space, uint32_t seed, bool declared)
{
    random_state = seed;
    *small = (struct small){.count = random_number(9)};
    for (uint32_t axis = 0; axis < 8; axis++) {
        small->values[axis] = (uint8_t)(1 + random_number(5));
    }
    for (uint32_t i = 0; i < small->count; i++) {
        struct ban *ban = &small->bans[i];
        ban->axis = 1 + random_number(6);
        for (uint32_t j = 0; j < 2; j++) {
            ban->earlier[j] = random_number(ban->axis);
            ban->when[j] = (uint8_t)random_number(small->values[ban->earlier[j]]);
        }
        ban->values = random_number(32);
    }
    *space = (struct space){.axes = 7,
                            .values = small->values,
                            .allows = small_allows,
                            .depends = declared ? small_depends : NULL,
                            .context = small};
}

/* By seven axes (a pair has its second one twice) and their values. */
typedef uint8_t combinations[7][7][7][5][5][5];

static void mark(combinations set, const uint8_t *point, uint32_t strength)
{
    for (uint32_t a = 0; a < 7; a++) {
        for (uint32_t b = a + 1; b < 7; b++) {
            for (uint32_t c = strength == 2 ? b : b + 1; c < (strength == 2 ? b + 1 : 7); c++) {
                set[a][b][c][point[a]][point[b]][point[c]] = 1;
            }
        }
    }
}

/* By going through every point of the space: how many legal combinations are in no row? */
static uint64_t missing_by_brute_force(const struct array *array, uint32_t strength)
{
    static combinations legal, seen;
    const uint8_t *l = (const uint8_t *)legal, *s = (const uint8_t *)seen;
    const struct space *space = array->space;
    uint8_t point[8] = {0};
    uint64_t result = 0;

    memset(legal, 0, sizeof(legal));
    memset(seen, 0, sizeof(seen));
    for (uint32_t i = 0; i < array->count; i++) {
        mark(seen, array->rows + (size_t)i * space->axes, strength);
    }
    for (bool more = true; more;) {
        uint32_t axis = 0;
        if (space_legal(space, point)) {
            mark(legal, point, strength);
        }
        while (axis < space->axes && ++point[axis] == space->values[axis]) {
            point[axis++] = 0;
        }
        more = axis < space->axes;
    }
    for (size_t i = 0; i < sizeof(legal); i++) {
        result += l[i] && !s[i];
    }
    return result;
}

static void small_spaces_are_covered(void **state)
{
    uint64_t illegal = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        uint32_t strength = 2 + seed % 2;
        struct small small;
        struct space space;
        struct array array;
        uint32_t axis;
        make_small(&small, &space, seed, seed % 3 != 0);
        assert_null(covering_contract(&space, seed, 200, &axis));
        build(&array, &space, strength, seed, NULL);
        assert_true(missing_by_brute_force(&array, strength) == 0);
        assert_true(missing(&array, strength) == 0);
        illegal += array.covering.illegal;
        /* A few rows less: both counts say the same. */
        array.count -= array.count / 3;
        uint64_t less = missing(&array, strength);
        assert_true(array.count < 3 || less > 0);
        assert_true(missing_by_brute_force(&array, strength) == less);
        free(array.rows);
    }
    assert_true(illegal > 500);
}

static void no_rules_and_single_values(void **state)
{
    static const uint8_t values[] = {1, 3, 1, 3, 3, 3};
    struct small small = {.count = 0};
    struct space space = {.axes = 6, .values = values, .allows = small_allows, .context = &small};
    struct array array;

    (void)state;
    build(&array, &space, 2, 7, NULL);
    assert_true(missing(&array, 2) == 0);
    assert_in_range(array.count, 9, 15);
    assert_true(array.covering.tuples == 6 * 9 + 2 * 4 * 3 + 1);
    free(array.rows);
}

/* Value 1 of an axis asks for value 1 of the axis before it. */
static bool chain_allows(const struct space *space, const uint8_t *point, uint32_t axis,
                         uint32_t value)
{
    (void)space;
    return axis == 0 || value == 0 || point[axis - 1] == 1;
}

static bool chain_depends(const struct space *space, uint32_t axis, uint32_t earlier)
{
    (void)space;
    return earlier + 1 == axis;
}

static void what_matters_may_matter_through_others(void **state)
{
    static const uint8_t values[] = {2, 2, 2, 2, 2, 2, 2};
    struct space space = {
        .axes = 7, .values = values, .allows = chain_allows, .depends = chain_depends};
    struct array array;

    (void)state;
    for (uint32_t strength = 2; strength <= 3; strength++) {
        build(&array, &space, strength, 1, NULL);
        assert_true(missing_by_brute_force(&array, strength) == 0);
        assert_true(missing(&array, strength) == 0);
        assert_true(array.covering.illegal == (strength == 2 ? 7 * 6 / 2 : 7 * 6 * 5 / 6 * 4));
        free(array.rows);
    }
}

/* ---- a mock of the access matrix --------------------------------------------------------------------- */

enum { LEVELS, SIZE, PLACE, ACCESS, RING, WIDTH, RSVD, RBIT, ENTRY, LEAF = ENTRY + 25 };
enum { KEY = LEAF + 4, WP = LEAF + 7, PKRS = WP + 9, CET = PKRS + 2, LAM, MOCK_AXES = LAM + 8 };
static const uint8_t mock_values[MOCK_AXES] = {
    2, 3, 6, 30, 2, 7,  6, 40,                                                    /* structure */
    2, 2, 2, 2,  2, 2,  2, 2,  2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, /* entries */
    2, 2, 2, 3,  4, 17, 4,                                                        /* leaf */
    2, 2, 2, 2,  2, 2,  4, 4,  2, 4, 4, 2, 3,                                     /* processor */
    2, 3, 2, 4,  2, 3,  2,                                                        /* to come */
};

static bool mock_entry_exists(const uint8_t *v, uint32_t level)
{
    return level > v[SIZE] && level <= 4u + v[LEVELS];
}

static bool mock_bit_reserved(const uint8_t *v, uint32_t bit)
{
    if (bit < 20) {
        return true;
    }
    if (bit < 22) {
        return v[RSVD] >= 4 || (bit == 20 && v[RSVD] == 3 && v[SIZE] != 2);
    }
    return v[RSVD] == v[SIZE] + 1u && (v[RSVD] == 3 || (v[RSVD] == 2 && bit < 30));
}

static bool mock_allows(const struct space *space, const uint8_t *v, uint32_t axis, uint32_t value)
{
    (void)space;
    switch (axis) {
    case PLACE:
        return v[SIZE] == 0 || value == 0 || (v[SIZE] == 1 && value < 4);
    case ACCESS:
        return value < 18 || (value < 25 ? v[PLACE] == 0 : v[PLACE] == 0 || v[PLACE] == 4);
    case RING:
        return v[ACCESS] == 23 ? value == 0 : v[ACCESS] == 29 ? value == 1 : true;
    case WIDTH:
        return value == 0 || v[ACCESS] < 2 ||
               (v[ACCESS] >= 3 && v[ACCESS] < 18 && (value < 4 || (value == 4 && v[PLACE] == 0)));
    case RSVD:
        return value == 0 || mock_entry_exists(v, value);
    case RBIT:
        return v[RSVD] == 0 ? value == 0 : mock_bit_reserved(v, value);
    case WP:
        return value == 0 || v[ACCESS] != 29;
    case PKRS:
        return value == 0 || v[KEY] != 0;
    case CET:
        return value ? v[WP] == 0 : v[ACCESS] != 29;
    case LAM:
        return value == 0 || (v[ACCESS] < 18 && v[PLACE] < 4);
    default:
        break;
    }
    if (axis >= ENTRY && axis < LEAF) {
        return value == 0 || mock_entry_exists(v, (axis - ENTRY) / 5 + 1);
    }
    return value == 0 || axis < LEAF || axis >= WP || v[PLACE] != 4;
}

static bool mock_depends(const struct space *space, uint32_t axis, uint32_t earlier)
{
    (void)space;
    switch (axis) {
    case PLACE:
        return earlier == SIZE;
    case ACCESS:
        return earlier == PLACE;
    case RING:
        return earlier == ACCESS;
    case WIDTH:
        return earlier == ACCESS || earlier == PLACE;
    case RBIT:
        return earlier == RSVD || earlier == SIZE;
    case WP:
        return earlier == ACCESS;
    case PKRS:
        return earlier == KEY;
    case CET:
        return earlier == WP || earlier == ACCESS;
    case LAM:
        return earlier == ACCESS || earlier == PLACE;
    default:
        break;
    }
    if (axis == RSVD || (axis >= ENTRY && axis < LEAF)) {
        return earlier == LEVELS || earlier == SIZE;
    }
    return axis >= LEAF && axis < WP && earlier == PLACE;
}

static const struct space mock = {
    .axes = MOCK_AXES, .values = mock_values, .allows = mock_allows, .depends = mock_depends};

static void the_mock_in_pairs(void **state)
{
    struct array array;
    uint32_t axis;

    (void)state;
    assert_null(covering_contract(&mock, 1, 300, &axis));
    build(&array, &mock, 2, 1, NULL);
    report("mock", &array);
    assert_true(missing(&array, 2) == 0);
    assert_true(array.count < lower_bound(&mock, 2) * 3 / 2);
    free(array.rows);
}

/* Of its first axes; all of them, and the matrix, are in prove_covering.c. */
static void the_mock_in_triples(void **state)
{
    struct space space = mock;
    struct array array;

    (void)state;
    space.axes = ENTRY + 5;
    build(&array, &space, 3, 1, NULL);
    report("mock", &array);
    assert_true(missing(&array, 3) == 0);
    assert_true(array.count < lower_bound(&space, 3) * 3 / 2);
    free(array.rows);
}

/* ---- what the functions promise ---------------------------------------------------------------------- */

static void same_seed_same_rows(void **state)
{
    struct array one, same, other;
    size_t bytes;

    (void)state;
    build(&one, &mock, 2, 5, NULL);
    build(&same, &mock, 2, 5, NULL);
    build(&other, &mock, 2, 6, NULL);
    bytes = (size_t)one.count * mock.axes;
    assert_int_equal(one.count, same.count);
    assert_memory_equal(one.rows, same.rows, bytes);
    assert_true(one.count != other.count || memcmp(one.rows, other.rows, bytes) != 0);
    free(one.rows);
    free(same.rows);
    free(other.rows);
}

static void a_row_less_is_noticed(void **state)
{
    uint32_t noticed = 0;
    struct array array;

    (void)state;
    build(&array, &mock, 2, 2, NULL);
    array.count--; /* its seed was not covered by the rows before it */
    assert_true(missing(&array, 2) > 0);
    /* Anywhere: nearly every row has a pair of the two largest axes that no other has. */
    for (uint32_t i = 0; i < 20; i++) {
        uint8_t *row = array.rows + (size_t)i * 50 * mock.axes, saved[MOCK_AXES];
        memcpy(saved, row, mock.axes);
        memcpy(row, array.rows + (size_t)(array.count - 1) * mock.axes, mock.axes);
        noticed += missing(&array, 2) > 0;
        memcpy(row, saved, mock.axes);
    }
    assert_true(noticed >= 15);
    free(array.rows);
}

static void a_row_that_is_not_legal_is_noticed(void **state)
{
    struct array array;

    (void)state;
    build(&array, &mock, 2, 2, NULL);
    assert_true(missing(&array, 2) == 0);
    array.rows[RSVD] = 0;
    array.rows[RBIT] = 1;
    assert_true(missing(&array, 2) == UINT64_MAX);
    free(array.rows);
}

static void rows_that_are_run_anyway_count(void **state)
{
    void *memory = malloc(covering_bytes(&mock, 3));
    uint8_t row[MOCK_AXES] = {0};
    const uint8_t pairs = 2;
    struct covering c;
    struct array array;

    (void)state;
    covering_begin(&c, &mock, 3, 1, memory);
    covering_take(&c, row);
    assert_true(c.covered == MOCK_AXES * (MOCK_AXES - 1) * (MOCK_AXES - 2) / 6);
    covering_take(&c, row);
    assert_true(c.covered == MOCK_AXES * (MOCK_AXES - 1) * (MOCK_AXES - 2) / 6);
    row[WP] = 1; /* new: what has this value */
    covering_take(&c, row);
    assert_true(c.covered == MOCK_AXES * (MOCK_AXES - 1) * (MOCK_AXES - 2) / 6 +
                                 (MOCK_AXES - 1) * (MOCK_AXES - 2) / 2);
    free(memory);

    build(&array, &mock, pairs, 1, row);
    memcpy(array.rows + (size_t)array.count++ * MOCK_AXES, row, MOCK_AXES);
    assert_true(missing(&array, pairs) == 0);
    free(array.rows);
}

static bool two_lies(const struct space *space, const uint8_t *v, uint32_t axis, uint32_t value)
{
    uint32_t lie = *(const uint32_t *)space->context;

    return axis != 3 || (lie == 0 ? v[1] != 1 || value == 0 : v[0] != 1);
}

static bool on_the_first(const struct space *space, uint32_t axis, uint32_t earlier)
{
    (void)space;
    return axis == 3 && earlier == 0;
}

static void a_space_that_breaks_its_word_is_noticed(void **state)
{
    static const uint8_t values[] = {2, 2, 2, 2};
    uint32_t lie, axis = 0;
    struct space space = {
        .axes = 4, .values = values, .allows = two_lies, .depends = on_the_first, .context = &lie};

    (void)state;
    lie = 0;
    assert_string_equal(covering_contract(&space, 1, 20, &axis),
                        "what is allowed depends on an axis that is not declared");
    assert_int_equal(axis, 3);
    lie = 1;
    assert_string_equal(covering_contract(&space, 1, 20, &axis),
                        "no value is allowed behind a legal choice");
    assert_int_equal(axis, 3);
    /* What then comes is of no use, but it comes to an end, and its rows are legal. */
    for (uint32_t strength = 2; strength <= 3; strength++) {
        struct array array;
        build(&array, &space, strength, 1, NULL);
        assert_in_range(array.count, 4, 8);
        free(array.rows);
    }
}

/* ---- the access matrix ------------------------------------------------------------------------------- */

static void the_matrix_keeps_its_word(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(machines); i++) {
        struct space space = axes_space(&machines[i].machine);
        uint32_t axis = 0;
        const char *problem = covering_contract(&space, i, 200, &axis);
        if (problem) {
            fail_msg("%s, %s: %s", machines[i].name, axis_name(axis), problem);
        }
    }
}

static void the_matrix_in_pairs(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(machines); i++) {
        struct space space = axes_space(&machines[i].machine);
        struct array array;
        build(&array, &space, 2, 1, NULL);
        report(machines[i].name, &array);
        assert_true(missing(&array, 2) == 0);
        free(array.rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_spaces_are_covered),
        cmocka_unit_test(no_rules_and_single_values),
        cmocka_unit_test(what_matters_may_matter_through_others),
        cmocka_unit_test(the_mock_in_pairs),
        cmocka_unit_test(the_mock_in_triples),
        cmocka_unit_test(same_seed_same_rows),
        cmocka_unit_test(a_row_less_is_noticed),
        cmocka_unit_test(a_row_that_is_not_legal_is_noticed),
        cmocka_unit_test(rows_that_are_run_anyway_count),
        cmocka_unit_test(a_space_that_breaks_its_word_is_noticed),
        cmocka_unit_test(the_matrix_keeps_its_word),
        cmocka_unit_test(the_matrix_in_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
