/*
 * deviations.c: see deviations.h.
 */
#include "deviations.h"

const struct deviation deviations[] = {
    {.machine = "none"},
};
const uint32_t deviation_count = 0;
