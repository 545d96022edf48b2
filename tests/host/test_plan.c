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
static const struct suite wide = {"wide", "", wide_cases, ARRAY_COUNT(wide_cases)};
static const struct suite narrow = {"narrow", "", narrow_cases, ARRAY_COUNT(narrow_cases)};
const struct suite *const suites[] = {&wide, &narrow};
const uint32_t suite_count = ARRAY_COUNT(suites);

static char ids[CHECKS_MAX][CHECK_ID_TEXT];

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
                                    1 + 1 + 3);
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

static unsigned selected(const struct options *options)
{
    struct check_ref check;
    unsigned count = 0;

    for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
        count += check_selected(&check, options);
    }
    return count;
}

static void each_id_selects_itself_alone(void **state)
{
    (void)state;
    pretend(4, 50, ~UINT64_C(0));
    unsigned count = list();
    for (unsigned i = 0; i < count; i++) {
        struct options options;
        options_init(&options);
        options.only.count = 1;
        snprintf(options.only.glob[0], OPTION_TEXT, "%s", ids[i]);
        assert_int_equal(selected(&options), strcmp(ids[i], "narrow.whole_run") != 0);
    }
}

static void selection(void **state)
{
    (void)state;
    struct options options;
    pretend(4, 50, ~UINT64_C(0));
    unsigned count = list();
    options_init(&options);
    assert_int_equal(selected(&options), count - 1); /* all but by_name */
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
    assert_int_equal(selected(&options), count - 2); /* a part of a run is not judged as a whole */
    options_init(&options);
    strcpy(options.explain, "narrow.by_name");
    assert_int_equal(selected(&options), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_once),
        cmocka_unit_test(axes_are_spread),
        cmocka_unit_test(a_case_without_points_is_listed_once),
        cmocka_unit_test(each_id_selects_itself_alone),
        cmocka_unit_test(selection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
