/*
 * A static program wherever the kernel puts it, which relocates itself: library/elf_start.h.
 */
#include "tests/programs/library/elf_start.h"

int program(const struct program_start *start)
{
    return look(start);
}
