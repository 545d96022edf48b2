/*
 * spare.h: the rest of the block: frames that the matrix has while it runs, and programs while they
 * run. Whoever begins with them finds nothing that it left there.
 */
#ifndef HARNESS_SPARE_H
#define HARNESS_SPARE_H

#include "x86/types.h"

struct spare {
    enum spare_owner {
        SPARE_NOBODY,
        SPARE_MATRIX,
        SPARE_PROGRAMS, /* os_start() was called */
    } owner;
    paddr_t base; /* reached through phys_to_virt */
    uint64_t bytes;
};
extern struct spare spare;

#endif
