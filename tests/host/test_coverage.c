/*
 * test_coverage.c: which rows of the model a machine can meet. What quick's points meet is compared
 * with what coverage.c says, on machines of every kind: a row that is said to be out of reach is met
 * by no point, any other by some.
 */
#include "unit.h"

#include "tests/harness/coverage.h"
#include "tests/harness/options.h"
#include "tests/matrix/covering.h"
#include "tests/matrix/point.h"
#include "tests/matrix/quick.h"

#define HAS(f) BIT(FEATURE_##f)
#define PLAIN  (HAS(NX) | HAS(CX16) | HAS(CLFSH))

static const struct {
    const char *name;
    unsigned levels; /* enum option_levels */
    struct machine machine;
} machines[] = {
    {"QEMU -cpu max",
     LEVELS_BOTH, {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 4,
      .features = PLAIN | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(PKU) | HAS(PKS) | HAS(LA57) |
                  HAS(HYPERVISOR)}                                                            },
    {"QEMU -cpu max, 4 levels",
     LEVELS_4,    {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 4,
      .features = PLAIN | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(PKU) | HAS(PKS) | HAS(LA57) |
                  HAS(HYPERVISOR)}                                                               },
    {"QEMU -cpu qemu64",
     LEVELS_BOTH, {.vendor = VENDOR_AMD, .physical_bits = 40, .levels = 4, .features = PLAIN | HAS(HYPERVISOR)}},
    {"QEMU -cpu EPYC",
     LEVELS_BOTH, {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 4,
      .features = PLAIN | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(HYPERVISOR)}            },
    {"Bochs tigerlake",
     LEVELS_BOTH, {.vendor = VENDOR_INTEL,
      .physical_bits = 40,
      .levels = 4,
      .features = PLAIN | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(PKU) | HAS(CET_SS)}     },
    {"an old AMD processor",
     LEVELS_BOTH, {.vendor = VENDOR_AMD, .physical_bits = 48, .levels = 4, .features = PLAIN}                  },
    {"an Intel processor with everything",
     LEVELS_BOTH, {.vendor = VENDOR_INTEL,
      .physical_bits = 46,
      .levels = 5,
      .features = ~UINT64_C(0) & ~HAS(HYPERVISOR)}                                            },
    {"QEMU -cpu max,-nx",
     LEVELS_BOTH, {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 4,
      .features = HAS(CX16) | HAS(CLFSH) | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(PKU) |
                  HAS(PKS) | HAS(LA57) | HAS(HYPERVISOR)}                                     },
    {"a very old Intel processor",
     LEVELS_BOTH, {.vendor = VENDOR_INTEL, .physical_bits = 36, .levels = 4, .features = HAS(CLFSH)}           },
    {"an Intel processor with everything, 5 levels",
     LEVELS_5,    {.vendor = VENDOR_INTEL,
      .physical_bits = 46,
      .levels = 5,
      .features = ~UINT64_C(0) & ~HAS(HYPERVISOR)}                                               },
    {"one with 52 address bits, without PKU",
     LEVELS_BOTH, {.vendor = VENDOR_AMD,
      .physical_bits = 52,
      .levels = 4,
      .features = ~UINT64_C(0) & ~(HAS(HYPERVISOR) | HAS(PKU))}                               },
};

static const struct point_ground ground = {
    .table = {{0x1001000, 0x1002000, 0x1003000, 0x1004000, 0},
              {0x1005000, 0x1006000, 0x1007000, 0x1008000, 0}           },
    .frame = {0x17ff000,                                       0x1a00000},
};

static uint64_t rules_at(const struct point *point, const struct machine *m)
{
    struct model_question question;
    struct model_answer answer;
    struct point_scene scene;

    point_scene(point, &ground, &scene);
    point_question(point, m, &scene, 0x1234, &question);
    model_ask(&question, NULL, &answer);
    return answer.rules | answer.choices;
}

static const struct machine *limited;
static uint32_t refused_levels;
static bool levels_allow(const struct space *space, const uint8_t *point, uint32_t axis,
                         uint32_t value)
{
    struct space whole = axes_space(limited);

    (void)space;
    return !(axis == AXIS_LEVELS && value == refused_levels) &&
           whole.allows(&whole, point, axis, value);
}

/* The space of a machine, as --levels restricts it. */
static struct space space_of(unsigned i)
{
    struct space space = axes_space(&machines[i].machine);

    if (machines[i].levels != LEVELS_BOTH) {
        refused_levels = machines[i].levels == LEVELS_4 ? LEVELS_IS_5 : LEVELS_IS_4;
        limited = &machines[i].machine;
        space.allows = levels_allow;
    }
    return space;
}

static uint64_t met_by_quick(unsigned i)
{
    struct space space = space_of(i);
    struct covering covering;
    struct point point;
    uint64_t rules = 0;
    void *memory = malloc(covering_bytes(&space, 2));
    enum covering_state state;

    assert_non_null(memory);
    covering_begin(&covering, &space, 2, 1, memory);
    while ((state = covering_next(&covering, point.value)) != COVERING_DONE) {
        if (state == COVERING_ROW) {
            rules |= rules_at(&point, &machines[i].machine);
        }
    }
    free(memory);
    for (uint32_t n = 0; n < quick_needed_count; n++) {
        const char *word;
        unsigned length;
        assert_null(point_parse(quick_needed[n], NULL, &point, &word, &length));
        /* As matrix.c takes them. */
        if (machines[i].levels == LEVELS_5) {
            point.value[AXIS_LEVELS] = LEVELS_IS_5;
        }
        if (axis_missing(AXIS_NXE, 0, &machines[i].machine)) {
            point.value[AXIS_NXE] = 1;
        }
        if (space_legal(&space, point.value)) {
            rules |= rules_at(&point, &machines[i].machine);
        }
    }
    return rules;
}

static void rows_are_met_unless_something_lacks(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(machines); i++) {
        uint64_t met = met_by_quick(i);
        for (unsigned row = 0; row < model_row_count; row++) {
            const char *lacks = coverage_row_lacks(row, &machines[i].machine, machines[i].levels);
            if (((met >> row) & 1) != !lacks) {
                print_error("%s: %s is %smet; it lacks %s\n", machines[i].name,
                            model_rows[row].name, (met >> row) & 1 ? "" : "not ",
                            lacks ? lacks : "nothing");
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_met_unless_something_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
