/*
 * run.c: what is judged of the run as a whole, last.
 */
#include "table.h"
#include "tests/harness/coverage.h"
#include "tests/harness/machine.h"
#include "tests/harness/trial.h"

/* Each rule that the suites judge, and whose feature is here, was exercised by some check. */
static void every_rule_exercised(struct trial *trial)
{
    for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
        const struct rule_text *text = &rule_texts[rule];
        bool possible = !text->needs || machine_has((enum cpu_feature)(text->needs - 1));
        if (text->judged && possible && coverage_count(rule) == 0) {
            trial_error(trial, REASON_RULE_UNTESTED, rule);
        }
        if (text->judged && possible) {
            trial_expect(trial, FIELD_EVENTS, rule, 1, coverage_count(rule) > 0);
        }
    }
}

static const struct test_case cases[] = {
    {.name = "every_rule_exercised", .flags = CASE_WHOLE_RUN, .run = every_rule_exercised},
};

SUITE(run, "the run as a whole");
