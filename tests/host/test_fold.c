/*
 * test_fold.c: folds of sweeps whose causes are planted, judged by brute force: exact, complete, none
 * with an axis too many, none superfluous, the smallest witness; and what a batch's end or a great
 * many causes do to them.
 */
#include "unit.h"

#include "tests/matrix/axes.h"
#include "tests/matrix/covering.h"
#include "tests/matrix/fold.h"

#define NOBODY UINT64_MAX

/* ---- a sweep that is written down -------------------------------------------------------------------- */

struct sweep {
    struct fold_source source;
    uint8_t *values; /* point after point */
    uint8_t *symptoms;
    uint64_t asked; /* calls of next */
};

static void sweep_values(void *context, uint64_t number, uint8_t *values)
{
    const struct sweep *sweep = context;

    assert_true(number < sweep->source.points);
    memcpy(values, sweep->values + number * sweep->source.axes, sweep->source.axes);
}

static uint8_t sweep_symptom(void *context, uint64_t number)
{
    const struct sweep *sweep = context;

    assert_true(number < sweep->source.points);
    return sweep->symptoms[number];
}

/* As a product may have it: looks at the first half of the axes, and only at every second point. */
static uint64_t sweep_next(void *context, const struct conjunction *where, uint64_t from)
{
    struct sweep *sweep = context;
    uint64_t points = sweep->source.points;

    sweep->asked++;
    while (from < points && from % 2 == 0 &&
           (sweep->symptoms[from] == SYMPTOM_NOT_RUN ||
            !conjunction_matches(where, sweep->values + from * sweep->source.axes,
                                 sweep->source.axes / 2))) {
        from++;
    }
    return from;
}

static uint64_t sweep_failing(void *context, uint64_t from)
{
    const struct sweep *sweep = context;

    while (from < sweep->source.points && sweep->symptoms[from] < SYMPTOM_FIRST) {
        from++;
    }
    return from;
}

static void sweep_alloc(struct sweep *sweep, uint64_t points, uint32_t axes, uint32_t real)
{
    sweep->source = (struct fold_source){.points = points,
                                         .axes = axes,
                                         .real = real,
                                         .context = sweep,
                                         .values = sweep_values,
                                         .symptom = sweep_symptom};
    sweep->asked = 0;
    sweep->values = malloc(points * axes + 1);
    sweep->symptoms = malloc(points + 1);
    assert_non_null(sweep->values);
    assert_non_null(sweep->symptoms);
    memset(sweep->symptoms, SYMPTOM_PASS, points);
}

static void sweep_free(struct sweep *sweep)
{
    free(sweep->values);
    free(sweep->symptoms);
}

/* All points of a product; the last axis runs fastest. */
static void sweep_product(struct sweep *sweep, const uint8_t *counts, uint32_t axes)
{
    uint64_t points = 1;

    for (uint32_t axis = 0; axis < axes; axis++) {
        points *= counts[axis];
    }
    sweep_alloc(sweep, points, axes, axes);
    for (uint64_t number = 0; number < points; number++) {
        uint64_t rest = number;
        for (uint32_t axis = axes; axis--;) {
            sweep->values[number * axes + axis] = (uint8_t)(rest % counts[axis]);
            rest /= counts[axis];
        }
    }
}

static const uint8_t *point_of(const struct sweep *sweep, uint64_t number)
{
    return sweep->values + number * sweep->source.axes;
}

static struct folding *fold_all(const struct sweep *sweep, uint64_t budget, enum fold_state wanted)
{
    struct folding *folding = malloc(sizeof(*folding));
    enum fold_state state;

    assert_non_null(folding);
    memset(folding, 0xa5, sizeof(*folding));
    folding_begin(folding, &sweep->source);
    while ((state = folding_step(folding, budget)) == FOLD_MORE) {
    }
    assert_int_equal(state, wanted);
    assert_int_equal(folding_step(folding, budget), wanted);
    return folding;
}

/* ---- the judge --------------------------------------------------------------------------------------- */

/* How many points of the symptom match, and do others? Out: false: others that were run do. */
static bool count_matches(const struct sweep *sweep, const struct conjunction *where,
                          uint8_t symptom, uint64_t *count)
{
    *count = 0;
    for (uint64_t number = 0; number < sweep->source.points; number++) {
        if (sweep->symptoms[number] != SYMPTOM_NOT_RUN &&
            conjunction_matches(where, point_of(sweep, number), sweep->source.axes)) {
            if (sweep->symptoms[number] != symptom) {
                return false;
            }
            ++*count;
        }
    }
    return true;
}

static uint32_t size_of(const struct sweep *sweep, uint64_t number)
{
    uint32_t size = 0;

    for (uint32_t axis = 0; axis < sweep->source.real; axis++) {
        size += point_of(sweep, number)[axis] != 0;
    }
    return size;
}

static uint64_t smallest_in(const struct sweep *sweep, const struct fold *fold)
{
    uint64_t best = NOBODY;

    for (uint64_t number = 0; number < sweep->source.points; number++) {
        if (sweep->symptoms[number] == fold->symptom &&
            conjunction_matches(&fold->where, point_of(sweep, number), sweep->source.axes) &&
            (best == NOBODY || size_of(sweep, number) < size_of(sweep, best))) {
            best = number;
        }
    }
    return best;
}

/* How many points are failing and in no fold; in @alone, by fold, how many are in no other. */
static uint64_t judge_cover(const struct sweep *sweep, const struct folding *folding,
                            uint64_t *alone)
{
    uint64_t uncovered = 0;

    memset(alone, 0, folding->count * sizeof(*alone));
    for (uint64_t number = 0; number < sweep->source.points; number++) {
        uint32_t by = 0, last = 0;
        for (uint32_t i = 0; i < folding->count; i++) {
            if (sweep->symptoms[number] == folding->fold[i].symptom &&
                conjunction_matches(&folding->fold[i].where, point_of(sweep, number),
                                    sweep->source.axes)) {
                by++;
                last = i;
            }
        }
        uncovered += sweep->symptoms[number] >= SYMPTOM_FIRST && by == 0;
        alone[last] += by == 1;
    }
    return uncovered;
}

static void judge(const struct sweep *sweep, const struct folding *folding)
{
    uint64_t alone[FOLDS_MAX], count;

    assert_true(judge_cover(sweep, folding, alone) == folding->left);
    for (uint32_t i = 0; i < folding->count; i++) {
        const struct fold *fold = &folding->fold[i];
        assert_true(fold->symptom >= SYMPTOM_FIRST);
        assert_true(count_matches(sweep, &fold->where, fold->symptom, &count));
        assert_true(fold->points == count && count > 0);
        assert_true(fold->witness == smallest_in(sweep, fold));
        assert_true(alone[i] > 0); /* the others do not cover it */
        for (uint32_t axis = 0; axis < sweep->source.axes; axis++) {
            struct conjunction wider = fold->where;
            wider.value[axis] = FOLD_ANY;
            assert_true(fold->where.value[axis] == FOLD_ANY ||
                        !count_matches(sweep, &wider, fold->symptom, &count));
        }
        for (uint32_t axis = sweep->source.axes; axis < SPACE_AXES; axis++) {
            assert_int_equal(fold->where.value[axis], FOLD_ANY);
        }
    }
}

/* ---- planted causes ---------------------------------------------------------------------------------- */

static uint32_t random_state;
static uint32_t random_number(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * limit) >> 32);
}

static struct conjunction anything(void)
{
    struct conjunction where;

    memset(where.value, FOLD_ANY, sizeof(where.value));
    return where;
}

/* All points that match fail with @symptom, unless they fail already. */
static void plant(struct sweep *sweep, const struct conjunction *where, uint8_t symptom)
{
    for (uint64_t number = 0; number < sweep->source.points; number++) {
        if (sweep->symptoms[number] == SYMPTOM_PASS &&
            conjunction_matches(where, point_of(sweep, number), sweep->source.axes)) {
            sweep->symptoms[number] = symptom;
        }
    }
}

static struct conjunction random_cause(const uint8_t *counts, uint32_t axes, uint32_t literals)
{
    struct conjunction where = anything();

    for (uint32_t i = 0; i < literals; i++) {
        uint32_t axis = random_number(axes);
        where.value[axis] = (uint8_t)random_number(counts[axis]);
    }
    return where;
}

static void planted_causes_are_found(void **state)
{
    uint32_t folds = 0, causes = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 80; seed++) {
        uint8_t counts[8];
        struct sweep sweep;
        random_state = seed;
        for (uint32_t axis = 0; axis < 8; axis++) {
            counts[axis] = (uint8_t)(1 + random_number(4));
        }
        sweep_product(&sweep, counts, 8);
        sweep.source.real = 8 - seed % 5;
        for (uint32_t i = 0; seed % 4 == 0 && i < sweep.source.points / 5; i++) {
            sweep.symptoms[random_number((uint32_t)sweep.source.points)] = SYMPTOM_NOT_RUN;
        }
        uint32_t planted = random_number(6);
        for (uint32_t i = 0; i < planted; i++) {
            struct conjunction where = random_cause(counts, 8, 1 + random_number(4));
            plant(&sweep, &where, (uint8_t)(SYMPTOM_FIRST + random_number(2)));
        }
        sweep.source.next = seed % 3 ? sweep_next : NULL;
        sweep.source.failing = seed % 2 ? sweep_failing : NULL;
        struct folding *folding = fold_all(&sweep, 1000, FOLD_DONE);
        assert_true(folding->left == 0);
        judge(&sweep, folding);
        assert_true(!sweep.source.next || !folding->count || sweep.asked > 0);
        folds += folding->count;
        causes += planted;
        free(folding);
        sweep_free(&sweep);
    }
    print_message("%u causes, some behind others: %u folds\n", causes, folds);
    assert_in_range(folds, causes / 2, causes * 2);
}

static void one_cause_is_one_fold_word_for_word(void **state)
{
    static const uint8_t counts[8] = {2, 3, 2, 4, 2, 2, 3, 2};

    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct sweep sweep;
        random_state = seed;
        sweep_product(&sweep, counts, 8);
        struct conjunction where = random_cause(counts, 8, seed % 6);
        plant(&sweep, &where, 5);
        struct folding *folding = fold_all(&sweep, 1000, FOLD_DONE);
        assert_int_equal(folding->count, 1);
        assert_memory_equal(&folding->fold[0].where, &where, sizeof(where));
        assert_int_equal(folding->fold[0].symptom, 5);
        judge(&sweep, folding);
        free(folding);
        sweep_free(&sweep);
    }
}

static void sweeps_without_failures_have_no_folds(void **state)
{
    static const uint8_t counts[3] = {2, 3, 2};
    struct sweep sweep;
    struct folding *folding;

    (void)state;
    sweep_product(&sweep, counts, 3);
    folding = fold_all(&sweep, 5, FOLD_DONE);
    assert_int_equal(folding->count, 0);
    free(folding);
    sweep.source.points = 0;
    folding = fold_all(&sweep, 5, FOLD_DONE);
    assert_int_equal(folding->count, 0);
    free(folding);
    sweep_free(&sweep);
}

static void points_that_were_not_run_neither_help_nor_hinder(void **state)
{
    static const uint8_t counts[4] = {2, 2, 2, 2};
    struct conjunction where = anything();
    struct sweep sweep;
    struct folding *folding;

    (void)state;
    sweep_product(&sweep, counts, 4);
    /* Of axis 1, only value 1 was run: it explains nothing, whatever fails. */
    where.value[1] = 0;
    plant(&sweep, &where, SYMPTOM_NOT_RUN);
    where = anything();
    where.value[3] = 1;
    plant(&sweep, &where, 2);
    folding = fold_all(&sweep, 5, FOLD_DONE);
    assert_int_equal(folding->count, 1);
    assert_memory_equal(&folding->fold[0].where, &where, sizeof(where));
    assert_true(folding->fold[0].points == 4);
    assert_true(folding->fold[0].witness == 5); /* 0101: value 0 of axis 1 was not run */
    judge(&sweep, folding);
    free(folding);
    sweep_free(&sweep);
}

/* ---- what is taken when several explain -------------------------------------------------------------- */

/*
 * Reserved bits: rsvd says in which entry there is one, rbit which; p says how many levels are present
 * from the top; the walk is derived. The emulator under test forgets to look.
 */
static void a_derived_attribute_explains_better_than_a_list(void **state)
{
    enum { LEVELS, RSVD, RBIT, P, WRITE, WALK, AXES };
    static const uint8_t counts[WALK] = {2, 6, 5, 6, 2};
    static const uint8_t weight[AXES] = {2, 2, 2, 2, 2, 1};
    struct sweep product, sweep;
    struct folding *folding;
    uint64_t points = 0;

    (void)state;
    sweep_product(&product, counts, WALK);
    sweep_alloc(&sweep, product.source.points, AXES, WALK);
    sweep.source.weight = weight;
    for (uint64_t number = 0; number < product.source.points; number++) {
        const uint8_t *v = point_of(&product, number);
        uint8_t *values = sweep.values + points * AXES;
        uint32_t top = 4u + v[LEVELS];
        if (v[RSVD] > top || v[P] > top || (!v[RSVD] && v[RBIT])) {
            continue; /* not legal */
        }
        memcpy(values, v, WALK);
        values[WALK] = v[RSVD] && top - v[P] < v[RSVD] ? 2 : v[P] < top ? 1 : 0;
        sweep.symptoms[points++] = values[WALK] == 2 ? 3 : SYMPTOM_PASS;
    }
    sweep.source.points = points;
    folding = fold_all(&sweep, 100, FOLD_DONE);
    assert_int_equal(folding->count, 1);
    for (uint32_t axis = 0; axis < AXES; axis++) {
        assert_int_equal(folding->fold[0].where.value[axis], axis == WALK ? 2 : FOLD_ANY);
    }
    judge(&sweep, folding);
    assert_int_equal(size_of(&sweep, folding->fold[0].witness), 2); /* derived ones do not count */
    free(folding);

    /* Only there, and only writes: two words. */
    for (uint64_t number = 0; number < points; number++) {
        bool write = point_of(&sweep, number)[WRITE];
        sweep.symptoms[number] = write ? sweep.symptoms[number] : SYMPTOM_PASS;
    }
    folding = fold_all(&sweep, 100, FOLD_DONE);
    assert_int_equal(folding->count, 1);
    assert_int_equal(folding->fold[0].where.value[WALK], 2);
    assert_int_equal(folding->fold[0].where.value[WRITE], 1);
    judge(&sweep, folding);
    free(folding);
    sweep_free(&product);
    sweep_free(&sweep);
}

static void weights_decide_between_axes_that_say_the_same(void **state)
{
    static const uint8_t counts[3] = {2, 2, 2};
    static const uint8_t first_dear[3] = {2, 1, 1}, second_dear[3] = {1, 2, 1};
    struct sweep sweep;

    (void)state;
    sweep_product(&sweep, counts, 3);
    for (uint64_t number = 0; number < 8; number++) {
        const uint8_t *v = point_of(&sweep, number);
        /* Axes 0 and 1 always agree in points that were run. */
        sweep.symptoms[number] = v[0] != v[1] ? SYMPTOM_NOT_RUN : v[0] ? 2 : SYMPTOM_PASS;
    }
    for (uint32_t dear = 0; dear < 2; dear++) {
        sweep.source.weight = dear ? second_dear : first_dear;
        struct folding *folding = fold_all(&sweep, 100, FOLD_DONE);
        assert_int_equal(folding->count, 1);
        assert_int_equal(folding->fold[0].where.value[dear], FOLD_ANY);
        assert_int_equal(folding->fold[0].where.value[1 - dear], 1);
        judge(&sweep, folding);
        free(folding);
    }
    sweep_free(&sweep);
}

/*
 * Rows of a covering array: three values that meet only once "explain" any point; the cause that is
 * behind all of them explains more.
 */
static void sparse_sweeps_are_explained_by_what_is_behind_them(void **state)
{
    struct space space = axes_space(NULL);
    struct covering covering;
    uint8_t *memory = malloc(covering_bytes(&space, 3));
    struct sweep sweep;
    struct conjunction cause[3] = {anything(), anything(), anything()};
    uint64_t rows = 0;

    (void)state;
    covering_begin(&covering, &space, 3, 1, memory);
    sweep_alloc(&sweep, 30000, space.axes, space.axes);
    for (enum covering_state next = COVERING_MORE; next != COVERING_DONE && rows < 30000;) {
        next = covering_next(&covering, sweep.values + rows * space.axes);
        rows += next == COVERING_ROW;
    }
    sweep.source.points = rows;

    cause[0].value[AXIS_WP] = 0;
    cause[0].value[AXIS_RING] = RING_IS_0;
    cause[0].value[AXIS_ACCESS] = MATRIX_PUSH;
    cause[0].value[axis_of_entry(2, ENTRY_RW)] = 1;
    cause[1].value[AXIS_SMAP] = 1;
    cause[1].value[AXIS_AC] = 1;
    cause[1].value[AXIS_SIZE] = SIZE_IS_2M;
    cause[1].value[axis_of_entry(3, ENTRY_US)] = 1;
    cause[1].value[axis_of_entry(4, ENTRY_XD)] = 1;
    cause[1].value[AXIS_RING] = RING_IS_3; /* not where the others are: that would cut them */
    cause[1].value[AXIS_IGNORED] = 0;
    cause[2].value[AXIS_RSVD] = 3;
    cause[2].value[AXIS_IGNORED] = 4;
    for (uint32_t i = 0; i < 3; i++) {
        plant(&sweep, &cause[i], i == 1 ? 3 : 2);
    }
    struct folding *folding = fold_all(&sweep, 1000, FOLD_DONE);
    judge(&sweep, folding);
    print_message("%llu rows, 3 causes: %u folds, looked at %llu points\n",
                  (unsigned long long)rows, folding->count, (unsigned long long)folding->looked);
    assert_int_equal(folding->count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t as = 0;
        while (as < 3 && memcmp(&folding->fold[i].where, &cause[as], sizeof(cause[as])) != 0) {
            as++;
        }
        assert_in_range(as, 0, 2);
    }
    free(folding);
    sweep_free(&sweep);
    free(memory);
}

/* ---- ends -------------------------------------------------------------------------------------------- */

static void budgets_do_not_change_the_result(void **state)
{
    static const uint64_t budgets[] = {1, 3, 100, UINT64_MAX};
    static const uint8_t counts[7] = {3, 3, 2, 4, 3, 2, 2};
    struct folding *first = NULL;
    struct sweep sweep;

    (void)state;
    random_state = 99;
    sweep_product(&sweep, counts, 7);
    for (uint32_t i = 0; i < 6; i++) {
        struct conjunction where = random_cause(counts, 7, 3);
        plant(&sweep, &where, (uint8_t)(SYMPTOM_FIRST + i % 3));
    }
    for (uint32_t i = 0; i < ARRAY_COUNT(budgets); i++) {
        struct folding *folding = fold_all(&sweep, budgets[i], FOLD_DONE);
        judge(&sweep, folding);
        if (!first) {
            first = folding;
            assert_in_range(first->count, 3, 12);
            continue;
        }
        assert_int_equal(folding->count, first->count);
        assert_memory_equal(folding->fold, first->fold, first->count * sizeof(first->fold[0]));
        assert_true(folding->looked == first->looked);
        free(folding);
    }
    free(first);
    sweep_free(&sweep);
}

static void steps_are_short(void **state)
{
    static const uint8_t counts[6] = {4, 4, 4, 4, 4, 4};
    struct conjunction where = anything();
    struct folding *folding = malloc(sizeof(*folding));
    struct sweep sweep;
    uint64_t steps = 0, before = 0;

    (void)state;
    sweep_product(&sweep, counts, 6);
    where.value[2] = 1;
    plant(&sweep, &where, 2);
    folding_begin(folding, &sweep.source);
    while (folding_step(folding, 10) == FOLD_MORE) {
        assert_true(folding->looked - before <= 10);
        before = folding->looked;
        steps++;
    }
    assert_true(steps >= sweep.source.points / 10);
    free(folding);
    sweep_free(&sweep);
}

/* Points with an odd number of ones: each is a cause of its own. */
static void too_many_causes_are_counted(void **state)
{
    static const uint8_t counts[10] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    struct sweep sweep;
    struct folding *folding;

    (void)state;
    sweep_product(&sweep, counts, 10);
    for (uint64_t number = 0; number < 1024; number++) {
        sweep.symptoms[number] = __builtin_parityll(number) ? 2 : SYMPTOM_PASS;
    }
    folding = fold_all(&sweep, 1000, FOLD_TOO_MANY);
    assert_int_equal(folding->count, FOLDS_MAX);
    assert_true(folding->left == 512 - FOLDS_MAX);
    judge(&sweep, folding);
    free(folding);

    sweep.source.failing = sweep_failing;
    folding = fold_all(&sweep, 1000, FOLD_TOO_MANY);
    assert_true(folding->left == 512 - FOLDS_MAX);
    judge(&sweep, folding);
    free(folding);

    for (uint64_t number = 512; number < 1024; number++) { /* exactly as many as there may be */
        sweep.symptoms[number] = SYMPTOM_PASS;
    }
    folding = fold_all(&sweep, 1000, FOLD_DONE);
    assert_int_equal(folding->count, FOLDS_MAX);
    assert_true(folding->left == 0);
    judge(&sweep, folding);
    free(folding);
    sweep_free(&sweep);
}

/*
 * Of sixteen values at most seven are 1, or the point passes: point 0 asks for any nine zeros, which
 * each of the 12870 points with eight ones is a reason for.
 */
static void too_many_reasons_take_the_other_way(void **state)
{
    static const uint8_t counts[16] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    struct sweep sweep;
    struct folding *folding;

    (void)state;
    sweep_product(&sweep, counts, 16);
    for (uint64_t number = 0; number < 65536; number++) {
        int ones = __builtin_popcountll(number);
        sweep.symptoms[number] = (uint8_t)(ones == 0   ? 2
                                           : ones <= 7 ? SYMPTOM_NOT_RUN
                                                       : SYMPTOM_PASS);
    }
    folding = fold_all(&sweep, 1000, FOLD_DONE);
    print_message("any 9 zeros of 16: looked at %llu points\n",
                  (unsigned long long)folding->looked);
    assert_true(folding->dropping);
    assert_int_equal(folding->count, 1);
    judge(&sweep, folding);
    free(folding);
    sweep_free(&sweep);
}

/* Failures without any cause: whatever explains them, it is exact and says nothing too much. */
static void noise_is_folded_exactly(void **state)
{
    struct sweep sweep;
    struct folding *folding;

    (void)state;
    random_state = 4;
    sweep_alloc(&sweep, 1500, 40, 20);
    for (uint64_t i = 0; i < 1500 * 40; i++) {
        sweep.values[i] = (uint8_t)random_number(2);
    }
    for (uint32_t i = 0; i < 250; i++) {
        sweep.symptoms[random_number(1500)] = (uint8_t)(SYMPTOM_FIRST + random_number(2));
    }
    folding = fold_all(&sweep, 1000, FOLD_DONE);
    print_message("noise: %u folds of %u points, looked at %llu\n", folding->count, 250,
                  (unsigned long long)folding->looked);
    assert_true(folding->left == 0);
    judge(&sweep, folding);
    free(folding);
    sweep_free(&sweep);
}

static void same_values_and_another_symptom_have_no_explanation(void **state)
{
    static const uint8_t counts[4] = {2, 2, 2, 3};
    struct conjunction where = anything();
    struct sweep sweep;
    struct folding *folding;

    (void)state;
    sweep_product(&sweep, counts, 4);
    where.value[0] = 1;
    plant(&sweep, &where, 2);
    /* Point 15 is point 14 once more, and passes. */
    memcpy(sweep.values + 15 * 4, sweep.values + 14 * 4, 4);
    sweep.symptoms[15] = SYMPTOM_PASS;
    folding = fold_all(&sweep, 100, FOLD_DONE);
    assert_true(folding->left == 1);
    assert_in_range(folding->count, 1, 4);
    judge(&sweep, folding);
    free(folding);
    sweep_free(&sweep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_causes_are_found),
        cmocka_unit_test(one_cause_is_one_fold_word_for_word),
        cmocka_unit_test(sweeps_without_failures_have_no_folds),
        cmocka_unit_test(points_that_were_not_run_neither_help_nor_hinder),
        cmocka_unit_test(a_derived_attribute_explains_better_than_a_list),
        cmocka_unit_test(weights_decide_between_axes_that_say_the_same),
        cmocka_unit_test(sparse_sweeps_are_explained_by_what_is_behind_them),
        cmocka_unit_test(budgets_do_not_change_the_result),
        cmocka_unit_test(steps_are_short),
        cmocka_unit_test(too_many_causes_are_counted),
        cmocka_unit_test(too_many_reasons_take_the_other_way),
        cmocka_unit_test(noise_is_folded_exactly),
        cmocka_unit_test(same_values_and_another_symptom_have_no_explanation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
