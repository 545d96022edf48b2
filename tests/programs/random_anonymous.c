/*
 * Random operations on anonymous memory, private and shared, in one process: library/random_operations.h.
 */
#include "tests/programs/library/random_operations.h"

int program(const struct program_start *start)
{
    (void)start;
    return random_program(0x1234567, RANDOM_ANONYMOUS, 1500);
}
