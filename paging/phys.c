/*
 * phys.c: which physical memory this side sees, and where. Floor: paging.
 */
#include "phys.h"

struct phys_range phys_range;

void phys_set(paddr_t base, uint64_t bytes, uint64_t at)
{
    phys_range = (struct phys_range){.base = base, .bytes = bytes, .offset = at - base};
}
