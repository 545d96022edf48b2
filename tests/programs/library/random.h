/*
 * Numbers that look random and are the same in every run and on every system: xorshift64.
 */
#pragma once

#include <stdint.h>

static uint64_t random_state = UINT64_C(88172645463325252); /* anything but 0 */

static inline uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}
