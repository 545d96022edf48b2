/*
 * Random operations on anonymous memory, mlock among them: library/random_operations.h.
 */
#include "tests/programs/library/random_operations.h"

int program(const struct program_start *start)
{
    (void)start;
    return random_program(0x2468ace, RANDOM_ANONYMOUS | RANDOM_LOCK, 800);
}
