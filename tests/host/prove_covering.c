/*
 * prove_covering.c: every combination of three values of the matrix that a legal point has is in a row
 * of the array that a run makes, on machines that have all, much and little. Optimised and without
 * sanitizers (host.mk); test_covering.c does the same to smaller spaces with them.
 */
#include "arrays.h"

static void matrix_in_triples(unsigned which)
{
    struct space space = axes_space(&machines[which].machine);
    struct array array;
    uint32_t axis;

    assert_null(covering_contract(&space, 2, 1000, &axis));
    build(&array, &space, 3, 1, NULL);
    report(machines[which].name, &array);
    assert_true(array.covering.covered > 100000);
    assert_true(missing(&array, 3) == 0);
    free(array.rows);
}

static void on_a_machine_with_everything(void **state)
{
    (void)state;
    matrix_in_triples(0);
}

static void on_the_machine_of_the_boot_tests(void **state)
{
    (void)state;
    matrix_in_triples(1);
}

static void on_a_machine_with_little(void **state)
{
    (void)state;
    matrix_in_triples(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_machine_with_everything),
        cmocka_unit_test(on_the_machine_of_the_boot_tests),
        cmocka_unit_test(on_a_machine_with_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
