/*
 * suites.c: the suites in run order.
 */
#include "suites.h"

extern const struct suite not_present_suite, write_protect_suite, user_supervisor_suite,
    no_execute_suite, reserved_suite, fixup_suite, delivery_suite, takeover_suite, harness_suite,
    bench_suite, stage_suite, sweep_suite, matrix_suite, run_suite, ring3_suite, kprobe_suite,
    programs_suite, mm_suite;

const struct suite *const suites[] = {
    &not_present_suite, &write_protect_suite, &user_supervisor_suite,
    &no_execute_suite,  &reserved_suite,      &fixup_suite,
    &delivery_suite,    &ring3_suite,         &kprobe_suite,
    &mm_suite,          &programs_suite,      &takeover_suite,
    &matrix_suite,      &harness_suite,       &bench_suite,
    &stage_suite,       &sweep_suite,         &run_suite,
};
const uint32_t suite_count = ARRAY_COUNT(suites);
