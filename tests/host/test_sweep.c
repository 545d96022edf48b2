/*
 * test_sweep.c: the sweep's product: its walks and their order, numbers and points, the search for folds,
 * and the words in which a table and the sweep's loop compare. That the table is the model at every
 * point is proved by prove_sweep.c.
 */
#include "unit.h"

#include "tests/matrix/sweep.h"

/* Issued with everything; and with nothing that could be missing. */
static const struct machine everything = {
    .vendor = VENDOR_INTEL, .physical_bits = 40, .levels = 4, .features = ~UINT64_C(0)};
static const struct machine nothing = {.vendor = VENDOR_AMD, .physical_bits = 48, .levels = 4};

static uint64_t dice_state = 1;
static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(dice_state >> 33) % sides;
}

/* ---- walks ------------------------------------------------------------------------------------------- */

static unsigned entries_that_forbid(uint32_t combos)
{
    unsigned count = 0;

    for (; combos; combos >>= COMBO_BITS) {
        count += (combos & (COMBOS - 1)) != 0;
    }
    return count;
}

static void each_walk_comes_once(void **state)
{
    static const uint32_t counts[] = {256, 721, 1411, 2326};
    static bool seen[1u << 20];
    (void)state;

    for (unsigned entries = TABLE_LEAST; entries <= LEVELS_MAX; entries++) {
        const struct table_walk *walk;
        uint32_t count = table_walks(entries, &walk);
        assert_int_equal(count, counts[entries - TABLE_LEAST]);
        memset(seen, 0, sizeof(seen));
        for (uint32_t i = 0; i < count; i++) {
            assert_true(walk[i].combos < 1u << (COMBO_BITS * entries));
            assert_false(seen[walk[i].combos]);
            seen[walk[i].combos] = true;
            assert_true(entries_that_forbid(walk[i].combos) <= 2);
        }
    }
}

static void neighbours_differ_in_one_entry(void **state)
{
    (void)state;

    for (unsigned entries = TABLE_LEAST; entries <= LEVELS_MAX; entries++) {
        const struct table_walk *walk;
        uint32_t count = table_walks(entries, &walk);
        assert_int_equal(walk[0].combos, 0);
        for (uint32_t i = 1; i < count; i++) {
            uint32_t changed = walk[i].combos ^ walk[i - 1].combos;
            unsigned entry = walk[i].step / COMBOS;
            assert_int_equal(entries_that_forbid(changed), 1);
            assert_int_not_equal((changed >> (COMBO_BITS * entry)) & (COMBOS - 1), 0);
            assert_int_equal(walk_combo(&walk[i], entry), walk[i].step % COMBOS);
        }
    }
}

/* Where a walk ends, once more, from the entries' own words. */
static unsigned naive_class(uint32_t combos, unsigned entries, bool nxe)
{
    bool write = true, user = true, fetch = true;

    for (unsigned entry = entries; entry-- > 0;) {
        bool absent = (combos >> (4 * entry)) & 1, rw = !((combos >> (4 * entry)) & 2);
        bool us = !((combos >> (4 * entry)) & 4), xd = (combos >> (4 * entry)) & 8;
        if (absent) {
            return 8 + entry;
        }
        if (xd && !nxe) {
            return 13 + entry;
        }
        write = write && rw;
        user = user && us;
        fetch = fetch && !xd;
    }
    return (write ? 0u : 1u) + (user ? 0u : 2u) + (fetch ? 0u : 4u);
}

static void classes_say_how_walks_end(void **state)
{
    (void)state;

    for (unsigned entries = TABLE_LEAST; entries <= LEVELS_MAX; entries++) {
        const struct table_walk *walk;
        uint32_t count = table_walks(entries, &walk);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(walk_class(&walk[i], true),
                             naive_class(walk[i].combos, entries, true));
            assert_int_equal(walk_class(&walk[i], false),
                             naive_class(walk[i].combos, entries, false));
        }
    }
}

/* ---- numbers and points ------------------------------------------------------------------------------ */

static void the_product_is_as_large_as_it_should_be(void **state)
{
    static const struct sweep_group expected[SWEEP_GROUPS] = {
        {4, 1, 1411, 1411 * 5120},
        {4, 2, 721,  721 * 5120 },
        {4, 3, 256,  256 * 5120 },
        {5, 1, 2326, 2326 * 5120},
        {5, 2, 1411, 1411 * 5120},
        {5, 3, 721,  721 * 5120 },
    };
    struct sweep_group group[SWEEP_GROUPS];
    (void)state;

    assert_int_equal(sweep_groups(&everything, group), SWEEP_GROUPS);
    for (unsigned i = 0; i < SWEEP_GROUPS; i++) {
        assert_int_equal(group[i].levels, expected[i].levels);
        assert_int_equal(group[i].leaf, expected[i].leaf);
        assert_int_equal(group[i].walks, expected[i].walks);
        assert_int_equal(group[i].points, expected[i].points);
    }
    assert_int_equal(sweep_points(&everything), 35051520);
}

static void what_is_missing_makes_it_smaller(void **state)
{
    static const struct {
        enum cpu_feature feature;
        uint64_t points;
    } missing[] = {
        {FEATURE_NX,       35051520 / 2                 },
        {FEATURE_SMEP,     35051520 / 2                 },
        {FEATURE_SMAP,     35051520 / 2                 },
        {FEATURE_PKU,      35051520 / 4                 },
        {FEATURE_PKS,      35051520 / 4                 },
        {FEATURE_LA57,     (1411 + 721 + 256) * 5120    },
        {FEATURE_GB_PAGES, 35051520 - (256 + 721) * 5120},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(missing); i++) {
        struct machine m = everything;
        m.features &= ~BIT(missing[i].feature);
        assert_int_equal(sweep_points(&m), missing[i].points);
    }
    /* WP and AC are everybody's; XD is a reserved bit where there is no NX. */
    assert_int_equal(sweep_points(&nothing), (1411 + 721) * 4 * 10);
}

static void only_what_is_wanted_is_swept(void **state)
{
    struct point point;
    (void)state;

    sweep_levels(1u << LEVELS_IS_5);
    assert_int_equal(sweep_points(&everything), (2326 + 1411 + 721) * 5120);
    sweep_point(&everything, 0, &point);
    assert_int_equal(point_levels(&point), 5);
    sweep_levels(1u << LEVELS_IS_4);
    assert_int_equal(sweep_points(&everything), (1411 + 721 + 256) * 5120);
    sweep_levels(1u << LEVELS_IS_4 | 1u << LEVELS_IS_5);
    assert_int_equal(sweep_points(&everything), 35051520);
}

static void assert_point_is_here(const struct machine *m, const struct point *point)
{
    struct space space = axes_space(m);

    for (uint32_t axis = 0; axis < space.axes; axis++) {
        if (!space.allows(&space, point->value, axis, point->value[axis])) {
            fail_msg("%s=%s", axis_name(axis), axis_value(axis, point->value[axis]));
        }
    }
}

/* Numbers from the point alone: no two numbers are the same point when this gives them back. */
static uint64_t naive_number(const struct machine *m, const struct point *point)
{
    const uint8_t *v = point->value;
    struct sweep_group group[SWEEP_GROUPS];
    const struct table_walk *walk;
    unsigned groups = sweep_groups(m, group), found = 0;
    uint64_t first = 0;

    while (found < groups &&
           (group[found].levels != point_levels(point) || group[found].leaf != point_leaf(point))) {
        first += group[found++].points;
    }
    assert_true(found < groups);
    uint64_t states = group[found].points / group[found].walks / 10, state = 0;
    for (unsigned number = 0; number < 512; number++) {
        unsigned rest = number;
        bool same = true;
        const unsigned axes[] = {AXIS_WP, AXIS_NXE, AXIS_SMEP, AXIS_SMAP, AXIS_AC};
        for (size_t i = 0; i < ARRAY_COUNT(axes); i++) {
            same = same && v[axes[i]] == rest % 2;
            rest /= 2;
        }
        same = same && (rest % 4 ? v[AXIS_PKE] && v[AXIS_PKRU] == rest % 4 - 1
                                 : !v[AXIS_PKE] && !v[AXIS_PKRU]);
        rest /= 4;
        same = same && (rest % 4 ? v[AXIS_PKS] && v[AXIS_PKRS] == rest % 4 - 1
                                 : !v[AXIS_PKS] && !v[AXIS_PKRS]);
        if (same) {
            state = number;
        }
    }
    assert_true(state < states);
    const unsigned accesses[] = {MATRIX_READ, MATRIX_WRITE, MATRIX_LOCK_ADD, MATRIX_LDT,
                                 MATRIX_FETCH};
    unsigned access = 0;
    while (accesses[access] != v[AXIS_ACCESS]) {
        access++;
    }
    uint32_t combos = 0, at = 0;
    for (unsigned level = point_leaf(point); level <= point_levels(point); level++) {
        const uint8_t *entry = &v[axis_of_entry(level, ENTRY_P)];
        combos |= (uint32_t)(entry[0] | entry[1] << 1 | entry[2] << 2 | entry[3] << 3)
                  << (4 * (level - point_leaf(point)));
    }
    table_walks(point_levels(point) - point_leaf(point) + 1, &walk);
    while (walk[at].combos != combos) {
        at++;
    }
    return first + (state * 10 + access * 2 + (v[AXIS_RING] == RING_IS_0)) * group[found].walks +
           at;
}

static void a_number_is_a_point_and_no_other_number_is(void **state)
{
    uint64_t points = sweep_points(&everything);
    struct point point;
    (void)state;

    for (uint64_t number = 0; number < points; number += 1 + dice(8000)) {
        sweep_point(&everything, number, &point);
        assert_point_is_here(&everything, &point);
        assert_int_equal(naive_number(&everything, &point), number);
    }
    sweep_point(&everything, points - 1, &point);
    assert_int_equal(naive_number(&everything, &point), points - 1);
}

static void every_point_is_one_that_the_machine_has(void **state)
{
    struct machine m = nothing;
    struct point point;
    (void)state;

    for (uint64_t number = 0; number < sweep_points(&nothing); number++) {
        sweep_point(&nothing, number, &point);
        assert_point_is_here(&nothing, &point);
    }
    m.features = BIT(FEATURE_NX) | BIT(FEATURE_PKU);
    for (uint64_t number = 0; number < sweep_points(&m); number += 1 + dice(100)) {
        sweep_point(&m, number, &point);
        assert_point_is_here(&m, &point);
    }
}

static void points_run_alone_by_their_id(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 3000; i++) {
        struct point point, again;
        char text[POINT_TEXT];
        const char *word;
        unsigned length;
        sweep_point(&everything, dice(35051520), &point);
        point_text(&point, text);
        const char *problem = point_parse(text, &everything, &again, &word, &length);
        if (problem) {
            fail_msg("%s: %.*s %s", text, (int)length, word, problem);
        }
        assert_memory_equal(&point, &again, sizeof(point));
    }
}

/* ---- folds ------------------------------------------------------------------------------------------- */

/* A conjunction of a few of the values that a point has, sometimes of one that it has not. */
static void random_where(const uint8_t *values, struct conjunction *where)
{
    memset(where, FOLD_ANY, sizeof(*where));
    for (unsigned named = dice(5); named > 0; named--) {
        unsigned axis = dice(FOLD_AXES);
        where->value[axis] = dice(20) ? values[axis] : (uint8_t)dice(3);
    }
}

static void the_next_point_of_a_fold_is_found(void **state)
{
    struct machine m = nothing;
    uint8_t values[FOLD_AXES];
    (void)state;

    m.features = BIT(FEATURE_NX) | BIT(FEATURE_SMEP) | BIT(FEATURE_GB_PAGES);
    uint64_t points = sweep_points(&m);
    unsigned found = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct conjunction where;
        sweep_values(&m, dice((uint32_t)points), values);
        random_where(values, &where);
        uint64_t from = dice((uint32_t)points);
        for (unsigned more = 0; more < 5; more++) {
            uint64_t next = sweep_next(&m, &where, from), naive = from;
            for (; naive < points && naive < from + 30000; naive++) {
                sweep_values(&m, naive, values);
                if (conjunction_matches(&where, values, FOLD_AXES)) {
                    break;
                }
            }
            if (naive == points || naive < from + 30000) {
                assert_int_equal(next, naive);
                found += next < points;
            } else {
                assert_true(next >= naive);
            }
            if (next >= points) {
                break;
            }
            from = next + 1;
        }
    }
    assert_true(found > 500);
    assert_int_equal(sweep_next(&m, &(struct conjunction){{0}}, points), points);
}

/* ---- what is seen ------------------------------------------------------------------------------------ */

static void what_was_seen_comes_back_whole(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 10000; i++) {
        unsigned leaf = 1 + dice(3), levels = 4 + dice(2), entries = levels - leaf + 1;
        uint8_t walk = (uint8_t)(((1u << levels) - 1) & ~((1u << (leaf - 1)) - 1));
        const struct model_outcome outcome = {
            .vector = (uint16_t)dice(0x10000),
            .error = dice(UINT32_MAX),
            .cr2 = (uint64_t)dice(UINT32_MAX) << 20,
            .walk = {{.accessed = (uint8_t)dice(32) & walk, .dirty = (uint8_t)dice(32) & walk}},
        };
        struct table_cell cell = table_pack(&outcome, leaf, entries);
        struct model_got got;
        table_unpack(cell.value, cell.cr2, i & 1, leaf, &got);
        assert_int_equal(got.vector, outcome.vector);
        assert_int_equal(got.error, outcome.error);
        assert_int_equal(got.cr2, outcome.cr2);
        assert_int_equal(got.walk[0].accessed, outcome.walk[0].accessed);
        assert_int_equal(got.walk[0].dirty, outcome.walk[0].dirty);
        assert_int_equal(got.other_bits, i & 1);
        assert_int_equal(got.walk[1].accessed | got.walk[1].dirty, 0);
    }
}

/* Every single bit that may be seen: the cell minds it exactly when the model does. */
static void a_cell_and_the_model_judge_alike(void **state)
{
    static const struct point_ground ground;
    static struct sweep_line line;
    static struct table table;
    (void)state;

    for (unsigned i = 0; i < 400; i++) {
        sweep_line(&everything, dice(35051520), &ground, 0x5afe000, &line);
        table_compile(&line.question, line.leaf, line.entries, line.combo, &table);
        for (unsigned class = 0; class < TABLE_CLASSES; class ++) {
            const struct model_answer *answer = &table.answer[class];
            if (!(table.classes & 1u << class) || answer->count > 1) {
                continue;
            }
            const struct table_cell *cell = &table.cell[class];
            bool fault = answer->outcome[0].vector != MODEL_NO_FAULT;
            uint64_t bits = UINT64_C(0xffff) | (BIT(2 * line.entries) - 1) << SEEN_ENTRY_SHIFT |
                            (fault ? UINT64_C(0xffffffff) << SEEN_ERROR_SHIFT : 0);
            for (unsigned bit = 0; bit < 129; bit++) {
                uint64_t seen = cell->value ^ (bit < 64 ? BIT(bit) & bits : 0);
                uint64_t cr2 = cell->cr2 ^ (bit >= 64 && bit < 128 ? BIT(bit - 64) : 0);
                struct model_got got;
                table_unpack(seen, cr2, false, line.leaf, &got);
                assert_int_equal(!table_differs(cell, seen, cr2), model_allows(answer, &got));
            }
        }
    }
}

/* A run asks what a failing point means while its line is under way. */
static void a_line_stays_while_points_are_asked_about(void **state)
{
    static const struct point_ground ground = {
        .table = {{0x1000, 0x2000, 0x3000, 0x4000, 0}},
          .frame = { 0x17ff000,                          0x1a00000}
    };
    static struct sweep_line line;
    static pte_t before[LEVELS_MAX][COMBOS];
    uint8_t values[FOLD_AXES];

    (void)state;
    sweep_line(&everything, 7, &ground, 0, &line);
    memcpy(before, line.combo, sizeof(before));
    for (unsigned i = 0; i < 200; i++) {
        sweep_values(&everything, dice(35051520), values);
        assert_memory_equal(line.combo, before, sizeof(before));
    }
}

static void several_outcomes_are_left_to_the_model(void **state)
{
    static const struct point_ground ground;
    static struct sweep_line line;
    static struct table table;
    (void)state;

    for (unsigned i = 0; i < 2000; i++) {
        sweep_line(&everything, dice(35051520), &ground, 0x5afe000, &line);
        table_compile(&line.question, line.leaf, line.entries, line.combo, &table);
        for (unsigned class = 0; class < TABLE_CLASSES; class ++) {
            for (unsigned n = 0; table.classes & 1u << class && n < table.answer[class].count;
                 n++) {
                struct table_cell cell =
                    table_pack(&table.answer[class].outcome[n], line.leaf, line.entries);
                assert_int_equal(table_differs(&table.cell[class], cell.value, cell.cr2) != 0,
                                 table.answer[class].count > 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_walk_comes_once),
        cmocka_unit_test(neighbours_differ_in_one_entry),
        cmocka_unit_test(classes_say_how_walks_end),
        cmocka_unit_test(the_product_is_as_large_as_it_should_be),
        cmocka_unit_test(what_is_missing_makes_it_smaller),
        cmocka_unit_test(only_what_is_wanted_is_swept),
        cmocka_unit_test(a_number_is_a_point_and_no_other_number_is),
        cmocka_unit_test(every_point_is_one_that_the_machine_has),
        cmocka_unit_test(points_run_alone_by_their_id),
        cmocka_unit_test(the_next_point_of_a_fold_is_found),
        cmocka_unit_test(what_was_seen_comes_back_whole),
        cmocka_unit_test(a_cell_and_the_model_judge_alike),
        cmocka_unit_test(a_line_stays_while_points_are_asked_about),
        cmocka_unit_test(several_outcomes_are_left_to_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
