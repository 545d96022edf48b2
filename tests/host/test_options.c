/*
 * test_options.c: the option grammar and the globs that select checks.
 */
#include "tests/host/unit.h"

#include "tests/harness/options.h"

static void glob_matches_whole_id(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *id;
        bool matches;
    } rows[] = {
        {"",             "",                                true },
        {"",             "a",                               false},
        {"*",            "",                                true },
        {"?",            "",                                false},
        {"reserved.*",   "reserved.bit_faults/2m.l2.bit51", true },
        {"reserved.*",   "not_present.read/4k",             false},
        {"reserved",     "reserved.bit_faults",             false},
        {"*bit51",       "reserved.bit_faults/2m.bit51",    true },
        {"*/4k.l?.user", "a.b/4k.l3.user",                  true },
        {"*/4k.l?.user", "a.b/4k.l.user",                   false},
        {"a*b*c",        "a.b.b.c.b.c",                     true },
        {"a*b*c",        "a.b.b.c.b.cd",                    false},
        {"**a**",        "bab",                             true },
        {"a?",           "a*",                              true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (glob_match(rows[i].glob, rows[i].id) != rows[i].matches)
            fail_msg("glob %s, id %s", rows[i].glob, rows[i].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glob_matches_whole_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
