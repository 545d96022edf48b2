/*
 * prove_sweep.c: at every point of the sweep's product the table is what the model says: its outcomes,
 * its rules, its choices, its story; and the values that folds see are those of the point.
 * Optimised and without sanitizers, as there are 35 million points (host.mk).
 */
#include "unit.h"

#include "tests/matrix/sweep.h"

/* As the stage has them: anything, as long as no two are the same and no reserved bit is set. */
static const struct point_ground ground = {
    .table = {{0x1001000, 0x1002000, 0x1003000, 0x1004000, 0x1009000},
              {0x1005000, 0x1006000, 0x1007000, 0x1008000, 0x100a000}           },
    .frame = {0x17ff000,                                               0x1a00000},
};

#define CR2 UINT64_C(0x5afe000)

static bool outcomes_equal(const struct model_outcome *one, const struct model_outcome *other)
{
    return one->vector == other->vector && one->error == other->error &&
           one->error_mask == other->error_mask && one->cr2 == other->cr2 &&
           one->cr2_mask == other->cr2_mask &&
           memcmp(one->walk, other->walk, sizeof(one->walk)) == 0;
}

static bool answers_equal(const struct model_answer *one, const struct model_answer *other)
{
    bool equal = one->count == other->count && one->rules == other->rules &&
                 one->choices == other->choices &&
                 memcmp(&one->story, &other->story, sizeof(one->story)) == 0;

    for (unsigned i = 0; equal && i < one->count; i++) {
        equal = outcomes_equal(&one->outcome[i], &other->outcome[i]);
    }
    return equal;
}

static void fail_at(const struct point *point, const char *what)
{
    char text[POINT_TEXT];

    point_text(point, text);
    fail_msg("%s: %s", text, what);
}

/* Does @values say what the point and @answer say? */
static bool values_right(const struct point *point, const struct model_answer *answer,
                         const uint8_t *values)
{
    uint8_t derived[DERIVED_COUNT];

    point_derived(point, answer, derived);
    return memcmp(values, point->value, sizeof(point->value)) == 0 &&
           memcmp(values + AXIS_COUNT, derived, sizeof(derived)) == 0;
}

static uint64_t points, several;

/* All walks of the line that begins with @number. The table is compared with answers for points that
 * are made from their numbers, as a run of the point alone makes them. */
static void prove_line(const struct machine *m, uint64_t number, const struct sweep_line *line,
                       const struct table *table)
{
    for (uint32_t i = 0; i < line->walks; i++) {
        unsigned class = walk_class(&line->walk[i], line->question.cpu.nxe);
        struct point point;
        struct point_scene scene;
        struct model_question question;
        struct model_answer answer;
        uint8_t values[FOLD_AXES];

        sweep_point(m, number + i, &point);
        point_scene(&point, &ground, &scene);
        point_question(&point, m, &scene, CR2, &question);
        model_ask(&question, NULL, &answer);
        if (!(table->classes & 1u << class) || !answers_equal(&answer, &table->answer[class])) {
            fail_at(&point, "the table has another answer");
        }
        sweep_values(m, number + i, values);
        if (!values_right(&point, &answer, values)) {
            fail_at(&point, "folds see other values");
        }
        points++;
        several += answer.count > 1;
    }
}

/* The cells are the answers' only outcomes, in the loop's words. */
static void prove_cells(const struct sweep_line *line, const struct table *table)
{
    for (unsigned class = 0; class < TABLE_CLASSES; class ++) {
        const struct model_answer *answer = &table->answer[class];
        const struct table_cell *cell = &table->cell[class];
        if (table->classes & 1u << class && answer->count == 1) {
            struct table_cell packed = table_pack(&answer->outcome[0], line->leaf, line->entries);
            assert_memory_equal(cell, &packed, sizeof(packed));
        }
    }
}

static void prove_machine(const struct machine *m)
{
    static struct sweep_line line;
    static struct table table;
    uint64_t all = sweep_points(m);

    points = several = 0;
    for (uint64_t number = 0; number < all; number += line.walks) {
        assert_int_equal(sweep_line(m, number, &ground, CR2, &line), 0);
        table_compile(&line.question, line.leaf, line.entries, line.combo, &table);
        prove_cells(&line, &table);
        prove_line(m, number, &line, &table);
    }
    assert_int_equal(points, all);
}

/* What an emulator may pretend to be: the vendor is not known, and the model allows the most. */
static void table_is_model_under_a_hypervisor(void **state)
{
    const struct machine m = {
        .vendor = VENDOR_AMD, .physical_bits = 40, .levels = 4, .features = ~UINT64_C(0)};
    (void)state;

    prove_machine(&m);
    assert_int_equal(points, 35051520);
    assert_int_equal(several, 0);
}

/* The other vendors, on as much as their processors have; some lack what others have. */
static void table_is_model_on_other_machines(void **state)
{
    const uint64_t some = BIT(FEATURE_NX) | BIT(FEATURE_SMEP) | BIT(FEATURE_SMAP) |
                          BIT(FEATURE_PKU) | BIT(FEATURE_GB_PAGES);
    const struct machine machines[] = {
        {.vendor = VENDOR_INTEL, .physical_bits = 46, .features = some                    },
        {.vendor = VENDOR_AMD,   .physical_bits = 48, .features = some | BIT(FEATURE_LA57)},
        {.vendor = VENDOR_OTHER, .physical_bits = 36, .features = BIT(FEATURE_PKS)        },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(machines); i++) {
        prove_machine(&machines[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_model_under_a_hypervisor),
        cmocka_unit_test(table_is_model_on_other_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
