/*
 * matrix.c: the access matrix as checks: its parts, which take many steps (harness/sweeper.h), what
 * the model's rules met in them, and single points that the options name.
 */
#include "suites.h"

#include "tests/harness/matrix_trial.h"
#include "tests/harness/options.h"
#include "tests/harness/plan.h"

#define QUICK (1u << MATRIX_QUICK)
#define FULL  (1u << MATRIX_FULL)
#define SOAK  (1u << MATRIX_SOAK)

#define PART(name_, words_)                                                                        \
    {                                                                                              \
        .name = name_, .flags = CASE_MATRIX | CASE_ALONE, .matrix = words_                         \
    }

/* The names and their order are those of matrix_part(); a host test compares. */
static const struct test_case cases[] = {
    PART("pairs", QUICK | FULL),
    PART("needed", QUICK | FULL),
    PART("exhaustive", FULL),
    PART("triples", FULL),
    PART("random", SOAK),
    {.name = "every_rule_exercised", .flags = CASE_MATRIX, .matrix = QUICK | FULL | SOAK},
};

/* --only matrix:...: act it out. */
static void run_point(struct trial *trial)
{
    static struct matrix_case result;
    static struct annex_point annex;

    matrix_trial_unfinished(trial, check_point(&trial->ref), &annex); /* if it oopses */
    matrix_point(check_point(&trial->ref), &result);
    matrix_trial_point(trial, &result, &annex);
}

static const struct test_case point = {.name = "point", .flags = CASE_ALONE, .run = run_point};
static const struct test_case fold = {.name = "fold"};

extern const struct suite matrix_suite;
const struct suite matrix_suite = {
    .name = "matrix",
    .title = "each access in each state, against the model",
    .cases = cases,
    .count = ARRAY_COUNT(cases),
    .point = &point,
    .fold = &fold,
};
