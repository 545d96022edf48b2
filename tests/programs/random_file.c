/*
 * Random operations on mappings of a memfd, and on the file itself: library/random_operations.h.
 */
#include "tests/programs/library/random_operations.h"

int program(const struct program_start *start)
{
    (void)start;
    return random_program(0x89abcdef, RANDOM_FILE, 1500);
}
