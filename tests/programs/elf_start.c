/*
 * A static program at its own address, as the kernel starts it: library/elf_start.h.
 */
#include "tests/programs/library/elf_start.h"

int program(const struct program_start *start)
{
    return look(start);
}
