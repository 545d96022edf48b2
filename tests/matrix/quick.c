/*
 * quick.c: see quick.h. tests/host/test_quick.c proves that with these every slip of the model is
 * seen by a point that a machine of ours can run; where one is not, it looks for a point to add here.
 */
#include "quick.h"

const char *const quick_needed[] = {
    "matrix:default",
};
const uint32_t quick_needed_count = ARRAY_COUNT(quick_needed);
