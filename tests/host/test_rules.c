/*
 * test_rules.c: the sentences in the binary and docs/rules.md are the same.
 */
#include "tests/host/unit.h"

#include "tests/harness/rules.h"

/* docs/rules.md with every run of blanks and ends of lines as one blank. */
static char manual[65536];

static int read_manual(void **state)
{
    (void)state;
    FILE *file = fopen("docs/rules.md", "r");
    size_t length = 0;
    int byte;

    if (!file)
        return -1;
    while ((byte = getc(file)) != EOF && length + 1 < sizeof manual) {
        if (byte == '\n')
            byte = ' ';
        if (byte != ' ' || (length > 0 && manual[length - 1] != ' '))
            manual[length++] = (char)byte;
    }
    fclose(file);
    return byte == EOF ? 0 : -1;
}

static void every_rule_is_complete(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule_text *rule = &rule_texts[i];
        const char *texts[] = {rule->number, rule->title, rule->sentence, rule->source};

        for (size_t j = 0; j < ARRAY_COUNT(texts); j++) {
            if (!texts[j] || !texts[j][0])
                fail_msg("rule %u lacks text %zu", i, j);
            for (const char *at = texts[j]; *at; at++)
                if (*at < ' ' || *at > '~')
                    fail_msg("%s: a byte that is not plain ASCII", rule->number);
        }
        if (rule->sentence[strlen(rule->sentence) - 1] != '.')
            fail_msg("%s: no sentence", rule->number);
        if (rule->needs > FEATURE_COUNT || rule->judged > 1)
            fail_msg("%s: no such feature, or not judged 0 or 1", rule->number);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(rule->number, rule_texts[j].number);
    }
}

/* Each rule's number, title, sentence and source, in the order of enum rule; and no others. */
static void manual_has_every_rule(void **state)
{
    (void)state;
    const char *at = manual;
    unsigned rules = 0;

    for (unsigned i = RULE_NONE + 1; i < RULE_COUNT; i++) {
        const struct rule_text *rule = &rule_texts[i];
        char text[1000];
        const char *next, *end;

        snprintf(text, sizeof text, "- **%s %s.** %s", rule->number, rule->title, rule->sentence);
        at = strstr(at, text);
        if (!at)
            fail_msg("docs/rules.md lacks, or has in another order: %s", text);
        at += strlen(text);
        next = strstr(at, "- **R");
        snprintf(text, sizeof text, "(%s) ", rule->source);
        end = strstr(at, text);
        if (!end || (next && end > next))
            fail_msg("docs/rules.md: %s lacks its source %s", rule->number, rule->source);
    }
    for (at = manual; (at = strstr(at, "- **R")); at++)
        rules++;
    assert_int_equal(rules, RULE_COUNT - 1);
}

/* A rule's number says which of enum rule it is: "R3.10" is RULE_3_10. */
static void numbers_match_names(void **state)
{
    (void)state;
    static const struct {
        enum rule rule;
        const char *number;
    } rows[] = {
#define ROW(section, number) {RULE_##section##_##number, "R" #section "." #number}
        ROW(0, 1), ROW(0, 2),  ROW(0, 3),  ROW(1, 1), ROW(1, 2), ROW(1, 3), ROW(1, 4),
        ROW(2, 1), ROW(2, 2),  ROW(2, 3),  ROW(2, 4), ROW(2, 5), ROW(2, 6), ROW(2, 7),
        ROW(3, 1), ROW(3, 2),  ROW(3, 3),  ROW(3, 4), ROW(3, 5), ROW(3, 6), ROW(3, 7),
        ROW(3, 8), ROW(3, 9),  ROW(3, 10), ROW(4, P), ROW(4, W), ROW(4, U), ROW(4, RSVD),
        ROW(4, I), ROW(4, PK), ROW(4, SS), ROW(5, 1), ROW(5, 2), ROW(5, 3), ROW(5, 4),
        ROW(6, 1), ROW(6, 2),  ROW(6, 3),  ROW(6, 4), ROW(6, 5), ROW(6, 6), ROW(6, 7),
        ROW(7, 1), ROW(7, 2),  ROW(7, 3),  ROW(7, 4), ROW(7, 5), ROW(7, 6), ROW(7, 7),
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(rule_texts[rows[i].rule].number, rows[i].number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_complete),
        cmocka_unit_test(manual_has_every_rule),
        cmocka_unit_test(numbers_match_names),
    };
    return cmocka_run_group_tests(tests, read_manual, NULL);
}
