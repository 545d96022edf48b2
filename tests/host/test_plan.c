/*
 * test_plan.c: how cases spread over their axes: every check once, every id its own, and what
 * selects what. The suites are this file's own; the real catalogue is looked at in a boot test
 * (--list).
 */
#include "unit.h"

#include "tests/harness/machine.h"
#include "tests/harness/plan.h"

#define CHECKS_MAX 2000u

static uint64_t some_bits(unsigned size, unsigned level)
{
    (void)size;
    (void)level;
    return machine.physical_bits < 52 ? ~UINT64_C(0) << machine.physical_bits & (BIT(52) - 1) : 0;
}

static const struct test_case wide_cases[] = {
    {.name = "reads",       .sizes = SIZES_ALL, .levels = LEVELS_ALL, .rings = RINGS_BOTH},
    {.name = "leaf_only", .sizes = SIZES_ALL, .levels = LEVELS_LEAF, .rings = RINGS_USER},
    {.name = "upper_only",                     .sizes = SIZES_4K, .levels = LEVELS_UPPER, .rings = RINGS_SUPERVISOR},
    {.name = "bits",
     .sizes = SIZES_ALL,
     .levels = LEVELS_ALL,
     .rings = RINGS_BOTH,
     .variants = some_bits},
    {.name = "plain" },
};
static const struct test_case narrow_cases[] = {
    {.name = "by_name",    .flags = CASE_BY_NAME  },
    {.name = "whole_run",  .flags = CASE_WHOLE_RUN},
    {.name = "sizes_only", .sizes = SIZES_ALL     },
};
static const struct test_case matrix_cases[] = {
    {.name = "pairs",  .flags = CASE_MATRIX, .matrix = 1 << MATRIX_QUICK | 1 << MATRIX_FULL},
    {.name = "random", .flags = CASE_MATRIX, .matrix = 1 << MATRIX_SOAK                    },
};
static const struct test_case point_case = {.name = "point", .flags = CASE_ALONE};
static const struct test_case fold_case = {.name = "fold"};
static const struct suite matrix = {.name = "matrix",
                                    .title = "",
                                    .cases = matrix_cases,
                                    .count = ARRAY_COUNT(matrix_cases),
                                    .point = &point_case,
                                    .fold = &fold_case};
static const struct suite wide = {
    .name = "wide", .title = "", .cases = wide_cases, .count = ARRAY_COUNT(wide_cases)};
static const struct suite narrow = {
    .name = "narrow", .title = "", .cases = narrow_cases, .count = ARRAY_COUNT(narrow_cases)};
const struct suite *const suites[] = {&wide, &matrix, &narrow};
const uint32_t suite_count = ARRAY_COUNT(suites);

static char ids[CHECKS_MAX][CHECK_ID_TEXT];
static struct options options;

static void pretend(unsigned levels, unsigned physical_bits, uint64_t features)
{
    machine = (struct machine){.vendor = VENDOR_INTEL,
                               .levels = (uint8_t)levels,
                               .physical_bits = (uint8_t)physical_bits,
                               .features = features};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* All ids in plan order into @ids. */
static unsigned list(void)
{
    struct check_ref check;
    unsigned count = 0;

    for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
        assert_true(count < CHECKS_MAX);
        check_id(&check, ids[count++]);
    }
    return count;
}

static bool listed(const char *id, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* Points of a case over all sizes, levels from the leaf to the top, and two rings. */
static unsigned all_points(unsigned levels)
{
    return 2 * (levels + (levels - 1) + (levels - 2));
}

static void every_check_once(void **state)
{
    (void)state;
    for (unsigned levels = 4; levels <= 5; levels++) {
        pretend(levels, 48, ~UINT64_C(0));
        unsigned count = list();
        assert_int_equal(count, all_points(levels) + 3 + (levels - 1) + 4 * all_points(levels) + 1 +
                                    1 + 1 + 3 + 2);
        qsort(ids, count, sizeof(ids[0]), by_text);
        for (unsigned i = 1; i < count; i++) {
            assert_string_not_equal(ids[i - 1], ids[i]);
        }
    }
}

static void axes_are_spread(void **state)
{
    (void)state;
    pretend(4, 51, ~UINT64_C(0));
    unsigned count = list();
    assert_true(listed("wide.reads/4k.l1.supervisor", count));
    assert_true(listed("wide.reads/4k.l4.user", count));
    assert_true(listed("wide.reads/1g.l3.user", count));
    assert_false(listed("wide.reads/1g.l2.user", count));
    assert_false(listed("wide.reads/4k.l5.user", count));
    assert_true(listed("wide.leaf_only/2m.l2.user", count));
    assert_false(listed("wide.leaf_only/2m.l3.user", count));
    assert_true(listed("wide.upper_only/4k.l2.supervisor", count));
    assert_false(listed("wide.upper_only/4k.l1.supervisor", count));
    assert_true(listed("wide.bits/2m.l2.user.bit51", count));
    assert_false(listed("wide.bits/2m.l2.user.bit50", count));
    assert_true(listed("wide.plain", count));
    assert_true(listed("narrow.sizes_only/1g", count));
    assert_string_equal(ids[0], "wide.reads/4k.l1.supervisor");
    assert_string_equal(ids[count - 1], "narrow.sizes_only/1g");
    pretend(5, 51, ~UINT64_C(0));
    count = list();
    assert_true(listed("wide.reads/4k.l5.user", count));
}

/* With 52 physical bits nothing is reserved there: one SKIP stands for the case. */
static void a_case_without_points_is_listed_once(void **state)
{
    (void)state;
    pretend(4, 52, ~UINT64_C(0));
    unsigned count = list(), found = 0;
    for (unsigned i = 0; i < count; i++) {
        found += strncmp(ids[i], "wide.bits", 9) == 0;
    }
    assert_int_equal(found, 1);
    assert_true(listed("wide.bits", count));
}

static unsigned selected(const struct options *chosen)
{
    struct check_ref check;
    unsigned count = 0;

    for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
        count += check_selected(&check, chosen);
    }
    return count;
}

static void each_id_selects_itself_alone(void **state)
{
    (void)state;
    pretend(4, 50, ~UINT64_C(0));
    unsigned count = list();
    for (unsigned i = 0; i < count; i++) {
        options_init(&options);
        options.only.count = 1;
        snprintf(options.only.glob[0], OPTION_ID, "%s", ids[i]);
        assert_int_equal(selected(&options), strcmp(ids[i], "narrow.whole_run") != 0 &&
                                                 strcmp(ids[i], "matrix.random") != 0);
    }
}

static void selection(void **state)
{
    (void)state;
    pretend(4, 50, ~UINT64_C(0));
    unsigned count = list();
    options_init(&options);
    assert_int_equal(selected(&options), count - 2); /* all but by_name and matrix.random */
    options.only.count = 1;
    strcpy(options.only.glob[0], "wide.reads/*");
    assert_int_equal(selected(&options), all_points(4));
    options.skip.count = 1;
    strcpy(options.skip.glob[0], "*.user");
    assert_int_equal(selected(&options), all_points(4) / 2);
    strcpy(options.skip.glob[0], "*");
    assert_int_equal(selected(&options), 0);
    options_init(&options);
    options.skip.count = 1;
    strcpy(options.skip.glob[0], "nothing");
    assert_int_equal(selected(&options), count - 3); /* a part of a run is not judged as a whole */
    options_init(&options);
    strcpy(options.explain, "narrow.by_name");
    assert_int_equal(selected(&options), 1);
}

/* ---- the matrix -------------------------------------------------------------------------------- */

static void say(unsigned matrix_word, const char *only, const char *skip)
{
    options_init(&options);
    options.matrix = (uint8_t)matrix_word;
    for (struct option_globs *globs = &options.only; only; only = NULL) {
        snprintf(globs->glob[globs->count++], OPTION_ID, "%s", only);
    }
    for (struct option_globs *globs = &options.skip; skip; skip = NULL) {
        snprintf(globs->glob[globs->count++], OPTION_ID, "%s", skip);
    }
}

static void also_only(const char *id)
{
    snprintf(options.only.glob[options.only.count++], OPTION_ID, "%s", id);
}

/* The ids that are selected, one behind the other. */
static const char *selection_text(void)
{
    static char text[8192];
    const char *word;
    unsigned length;
    struct check_ref check;
    char id[CHECK_ID_TEXT];

    assert_null(plan_points(&options, &machine, &word, &length));
    text[0] = '\0';
    for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
        check_id(&check, id);
        if (check_selected(&check, &options)) {
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", id);
        }
    }
    return text;
}

static void parts_follow_the_word(void **state)
{
    (void)state;
    pretend(4, 48, ~UINT64_C(0));
    static const struct {
        unsigned word;
        const char *ids;
    } rows[] = {
        {MATRIX_QUICK, "matrix.pairs " },
        {MATRIX_FULL,  "matrix.pairs " },
        {MATRIX_SOAK,  "matrix.random "},
        {MATRIX_NONE,  ""              },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        say(rows[i].word, "matrix.*", NULL);
        assert_string_equal(selection_text(), rows[i].ids);
        say(rows[i].word, NULL, NULL);
        assert_int_equal(strstr(selection_text(), "matrix.") != NULL, rows[i].ids[0] != '\0');
    }
    say(MATRIX_QUICK, "matrix.*", "*pairs");
    assert_string_equal(selection_text(), "");
}

static void points_are_checks_of_their_own(void **state)
{
    (void)state;
    pretend(4, 48, ~UINT64_C(0));
    say(MATRIX_QUICK, "matrix:pte.rw=0,access=write", NULL); /* in another order than printed */
    assert_string_equal(selection_text(), "matrix:access=write,pte.rw=0 ");
    also_only("matrix.pairs");
    also_only("matrix:default");
    also_only("matrix:access=write,pte.rw=0"); /* again: the same */
    also_only("narrow.by_name");
    assert_string_equal(selection_text(),
                        "matrix.pairs matrix:access=write,pte.rw=0 matrix:default "
                        "narrow.by_name ");
    snprintf(options.skip.glob[options.skip.count++], OPTION_ID, "matrix:pte.rw=0,access=write");
    assert_string_equal(selection_text(), "matrix.pairs matrix:default narrow.by_name ");

    struct check_ref check = {.suite = 1, .test_case = CASE_POINT + 1};
    assert_int_equal(check_point(&check)->value[AXIS_ACCESS], MATRIX_READ);
    assert_ptr_equal(check_case(&check), &point_case);

    say(MATRIX_QUICK, "wide.plain", NULL);
    strcpy(options.explain, "matrix:wp=0");
    assert_string_equal(selection_text(), "matrix:wp=0 ");
    strcpy(options.explain, "matrix.pairs"); /* no single check */
    assert_string_equal(selection_text(), "");
}

static void wrong_points_are_named(void **state)
{
    static const struct {
        const char *id, *word;
    } rows[] = {
        {"matrix:",                        ""            },
        {"matrix:*",                       "*"           },
        {"matrix:access=wirte,wp=0",       "access=wirte"},
        {"matrix:wp=0,axcess=write,nxe=0", "axcess=write"},
        {"matrix:wp=0,wp=0",               "wp=0"        },
        {"matrix:rsvd=pte,rbit=40",        "rbit=40"     }, /* 48 physical bits */
    };
    const char *word;
    unsigned length;
    (void)state;
    pretend(4, 48, ~UINT64_C(0));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (unsigned way = 0; way < 3; way++) {
            say(MATRIX_QUICK, way == 0 ? rows[i].id : NULL, way == 1 ? rows[i].id : NULL);
            snprintf(options.explain, OPTION_ID, "%s", way == 2 ? rows[i].id : "");
            const char *problem = plan_points(&options, &machine, &word, &length);
            assert_non_null(problem);
            assert_int_equal(length, strlen(rows[i].word));
            assert_memory_equal(word, rows[i].word, length);
        }
    }
}

static void folds_are_no_part_of_the_plan(void **state)
{
    (void)state;
    pretend(4, 48, ~UINT64_C(0));
    say(MATRIX_QUICK, "*", NULL);
    (void)selection_text();
    struct check_ref fold = check_fold(200);
    char id[CHECK_ID_TEXT];
    assert_ptr_equal(check_case(&fold), &fold_case);
    check_id(&fold, id);
    assert_string_equal(id, "matrix.fold/200");
    assert_false(check_selected(&fold, &options));
    assert_true(check_next(&fold, false)); /* and the plan goes on behind the matrix */
    check_id(&fold, id);
    assert_string_equal(id, "narrow.by_name");
}

/* References out of a damaged journal: nothing outside of the tables is touched. */
static void any_reference_can_be_stepped_from(void **state)
{
    (void)state;
    pretend(4, 48, ~UINT64_C(0));
    say(MATRIX_QUICK, NULL, NULL);
    (void)selection_text();
    for (uint32_t test_case = 0; test_case < 0x10000; test_case += 0x1ff) {
        for (uint16_t suite = 0; suite < 5; suite++) {
            struct check_ref check = {.suite = suite, .test_case = (uint16_t)test_case};
            if (check_next(&check, false)) {
                assert_true(check.suite < suite_count);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_once),
        cmocka_unit_test(axes_are_spread),
        cmocka_unit_test(a_case_without_points_is_listed_once),
        cmocka_unit_test(each_id_selects_itself_alone),
        cmocka_unit_test(selection),
        cmocka_unit_test(parts_follow_the_word),
        cmocka_unit_test(points_are_checks_of_their_own),
        cmocka_unit_test(wrong_points_are_named),
        cmocka_unit_test(folds_are_no_part_of_the_plan),
        cmocka_unit_test(any_reference_can_be_stepped_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
