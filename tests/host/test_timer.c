/*
 * test_timer.c: how many counts of the local APIC's timer a number of ticks is.
 */
#include "tests/host/unit.h"

#include "fault/cpu.h"
#include "fault/tables.h"
#include "fault/timer.h"

/* What timer.c wants of the machine, and arithmetic does not. */
struct cpu *cpu_current(void)
{
    return NULL;
}

void tables_gate_straighten(unsigned vector)
{
    (void)vector;
}

#define SAME UINT64_C(0x100000000) /* a count a tick */

static void counts_follow_the_rate(void **state)
{
    (void)state;
    assert_int_equal(timer_counts(1000, SAME), 1000);
    assert_int_equal(timer_counts(1000, SAME / 4), 250);
    assert_int_equal(timer_counts(1000, SAME * 3), 3000);
    assert_int_equal(timer_counts(3000000000, SAME / 30), 99999999); /* 1/30 is rounded down */
}

static void never_none_never_too_many(void **state)
{
    (void)state;
    assert_int_equal(timer_counts(0, SAME), 1);
    assert_int_equal(timer_counts(1, 1), 1);
    assert_int_equal(timer_counts(UINT32_MAX, SAME), UINT32_MAX);
    assert_int_equal(timer_counts((uint64_t)UINT32_MAX + 1, SAME), UINT32_MAX);
    assert_int_equal(timer_counts(UINT64_MAX, UINT64_MAX), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_follow_the_rate),
        cmocka_unit_test(never_none_never_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
