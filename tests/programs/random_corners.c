/*
 * Random operations of all kinds, with what is rare in programs: growing and locked mappings, MREMAP_DONTUNMAP, limits,
 * brk, memory that may only be executed, and more advice: library/random_operations.h.
 */
#include "tests/programs/library/random_operations.h"

int program(const struct program_start *start)
{
    const long key = sys_pkey_alloc(0, 0);

    (void)start;
    if (key < 0)
        program_lacks("protection keys (PKU)"); /* memory that may only be executed shows them */
    must("pkey_free", sys_pkey_free((int)key));
    return random_program(
        0x13579bd, RANDOM_ANONYMOUS | RANDOM_FILE | RANDOM_FORK | RANDOM_LOCK | RANDOM_CORNERS,
        500);
}
