/*
 * Random operations on all kinds of mapping, by several generations of processes: library/random_operations.h.
 */
#include "tests/programs/library/random_operations.h"

int program(const struct program_start *start)
{
    (void)start;
    return random_program(0xfedcba987, RANDOM_ANONYMOUS | RANDOM_FILE | RANDOM_FORK, 600);
}
