/*
 * test_quick.c: is the quick matrix good enough? Every slip of the model must show at a point that
 * quick makes on one of the machines that the boot tests run: some outcome is judged differently
 * there. A slip that does not show is a hole; then a point that would show it is looked for and printed,
 * for quick_needed[].
 */
#include "unit.h"

#include "tests/matrix/point.h"
#include "tests/matrix/quick.h"

#define POINTS_MAX 512u
#define HAS(f)     BIT(FEATURE_##f)

/* @ci: the boot tests run it; test_matrix.py compares. The last one has all that no machine here has. */
static const struct {
    const char *name;
    bool ci;
    struct machine machine;
} profiles[] = {
    {"QEMU -cpu max",
     true,  {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 4,
      .features = HAS(NX) | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(PKU) | HAS(PKS) |
                  HAS(LA57) | HAS(HYPERVISOR) | HAS(AVX) | HAS(CX16) | HAS(CLFSH) | HAS(CLWB)}},
    {"QEMU -cpu qemu64",
     true,  {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 4,
      .features = HAS(NX) | HAS(HYPERVISOR) | HAS(CX16) | HAS(CLFSH)}                         },
    {"Bochs tigerlake",
     true,  {.vendor = VENDOR_INTEL,
      .physical_bits = 40,
      .levels = 4,
      .features = HAS(NX) | HAS(GB_PAGES) | HAS(SMEP) | HAS(SMAP) | HAS(PKU) | HAS(CET_SS) |
                  HAS(AVX) | HAS(AVX512F) | HAS(CX16) | HAS(CLFSH) | HAS(CLWB)}               },
    {"an AMD processor with everything",
     false, {.vendor = VENDOR_AMD,
      .physical_bits = 48,
      .levels = 4,
      .features = ~UINT64_C(0) & ~HAS(HYPERVISOR)}                                           },
};

static const struct point_ground ground = {
    .table = {{0x1001000, 0x1002000, 0x1003000, 0x1004000, 0},
              {0x1005000, 0x1006000, 0x1007000, 0x1008000, 0}           },
    .frame = {0x17ff000,                                       0x1a00000},
};

static struct point points[ARRAY_COUNT(profiles)][POINTS_MAX];
static uint32_t counts[ARRAY_COUNT(profiles)];

static void make_question(const struct point *point, const struct machine *m,
                          struct model_question *question)
{
    struct point_scene scene;

    point_scene(point, &ground, &scene);
    point_question(point, m, &scene, 0x123456789abc, question);
}

/* The needed points that a machine can run. The array of pairs, which depends on the seed, is left out. */
static void make_points(unsigned profile)
{
    struct space space = axes_space(&profiles[profile].machine);
    uint32_t count = 0;

    for (uint32_t i = 0; i < quick_needed_count; i++) {
        const char *word;
        unsigned length;
        struct point *point = &points[profile][count];
        assert_true(count < POINTS_MAX);
        assert_null(point_parse(quick_needed[i], NULL, point, &word, &length));
        count += space_legal(&space, point->value);
    }
    counts[profile] = count;
}

static bool shows(const struct point *point, const struct machine *m,
                  const struct model_wrong *wrong)
{
    struct model_question question;
    struct model_answer right, slipped;

    make_question(point, m, &question);
    model_ask(&question, NULL, &right);
    model_ask(&question, wrong, &slipped);
    return model_differs(&right, &slipped);
}

static bool quick_shows(const struct model_wrong *wrong, bool ci)
{
    for (unsigned p = 0; p < ARRAY_COUNT(profiles); p++) {
        for (uint32_t i = 0; profiles[p].ci == ci && i < counts[p]; i++) {
            if (shows(&points[p][i], &profiles[p].machine, wrong)) {
                return true;
            }
        }
    }
    return false;
}

static uint64_t dice_state = 1;
static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(dice_state >> 33) % sides;
}

/*
 * A point that would show it, as simple as can be had: printed for a person to add. Every access in
 * either ring at first, and few things that are out of the ordinary.
 */
static bool find_point(const struct model_wrong *wrong, struct point *point)
{
    for (unsigned round = 0; round < 2000000; round++) {
        unsigned p = dice(ARRAY_COUNT(profiles)), odd = 1 + dice(7);
        const struct machine *m = &profiles[p].machine;
        struct space space = axes_space(m);
        for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
            bool any = axis == AXIS_ACCESS || axis == AXIS_RING || dice(AXIS_COUNT) < odd;
            unsigned value = any ? dice(axis_values(axis)) : 0;
            while (!space.allows(&space, point->value, axis, value)) {
                value = dice(axis_values(axis));
            }
            point->value[axis] = (uint8_t)value;
        }
        if (!shows(point, m, wrong)) {
            continue;
        }
        for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
            uint8_t kept = point->value[axis];
            point->value[axis] = 0;
            if (!space_legal(&space, point->value) || !shows(point, m, wrong)) {
                point->value[axis] = kept;
            }
        }
        return true;
    }
    return false;
}

static const char *const slips[MODEL_SLIPS] = {"right", "negated", "dropped", "misplaced"};

/* Slips that the matrix cannot show on a machine of ours, or on none. */
static const struct {
    const char *what; /* of the row; NULL: of every row that is marked so */
    unsigned slips;
    bool nowhere;
    const char *because;
} beyond[] = {
    {NULL,                                                      ~0u,                   false, "LAM and shadow stacks"},
    {"bit 8 of a PML5E or PML4E is reserved on AMD processors", 1u << MODEL_MISPLACED, false,
     "an AMD processor that is no guest's"                                                                           },
    {"a shadow-stack access needs a page of its own mode",      1u << MODEL_DROPPED,   true,
     "a supervisor shadow-stack access: ours are WRSS in ring 3 and WRUSS"                                           },
};

static bool is_beyond(unsigned row, unsigned slip, bool nowhere)
{
    for (unsigned i = 0; i < ARRAY_COUNT(beyond); i++) {
        bool this_row = beyond[i].what ? strcmp(beyond[i].what, model_rows[row].what) == 0
                                       : model_rows[row].host_only;
        if (this_row && (beyond[i].slips >> slip) & 1 && beyond[i].nowhere == nowhere) {
            return true;
        }
    }
    return false;
}

static void report_survivor(const struct model_wrong *wrong)
{
    char text[POINT_TEXT] = "no point shows it";
    struct point point;

    if (find_point(wrong, &point)) {
        point_text(&point, text);
    }
    print_message("survivor: %s %s (%s): %s\n", model_rows[wrong->row].number, slips[wrong->slip],
                  model_rows[wrong->row].what, text);
}

static void every_slip_of_the_model_shows(void **state)
{
    unsigned survivors = 0, killed = 0, host_only = 0;

    (void)state;
    for (unsigned p = 0; p < ARRAY_COUNT(profiles); p++) {
        make_points(p);
        print_message("# %s: %u points\n", profiles[p].name, counts[p]);
    }
    for (unsigned row = 0; row < model_row_count; row++) {
        for (unsigned slip = MODEL_NEGATED; slip < MODEL_SLIPS; slip++) {
            struct model_wrong wrong = {.slip = (uint8_t)slip, .row = (uint8_t)row};
            if ((model_rows[row].same >> slip) & 1 ||
                (slip == MODEL_MISPLACED && !model_rows[row].misplaceable)) {
                continue; /* test_model.c holds these to account */
            }
            if (quick_shows(&wrong, true)) {
                killed++;
            } else if (is_beyond(row, slip, true) ||
                       (is_beyond(row, slip, false) && quick_shows(&wrong, false))) {
                host_only++;
            } else {
                survivors++;
                report_survivor(&wrong);
            }
        }
    }
    print_message("# %u slips show, %u need what no machine here has\n", killed, host_only);
    assert_int_equal(survivors, 0);
    assert_true(killed >= 80);
}

static void the_needed_points_are_points(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < quick_needed_count; i++) {
        struct point point;
        const char *word;
        unsigned length;
        char text[POINT_TEXT];
        const char *problem = point_parse(quick_needed[i], NULL, &point, &word, &length);
        if (problem) {
            fail_msg("%s: %.*s %s", quick_needed[i], (int)length, word, problem);
        }
        point_text(&point, text);
        assert_string_equal(text, quick_needed[i]); /* as reports print it */
        for (uint32_t j = 0; j < i; j++) {
            assert_string_not_equal(quick_needed[i], quick_needed[j]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_needed_points_are_points),
        cmocka_unit_test(every_slip_of_the_model_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
