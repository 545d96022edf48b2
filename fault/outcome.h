/*
 * outcome.h: what the processor reported of one exception, as a plain value.
 */
#ifndef FAULT_OUTCOME_H
#define FAULT_OUTCOME_H

#include "x86/types.h"

#define VECTOR_NONE 0xffff /* no exception: the access went through */

/* The frame that the processor pushed, with CR2. */
struct outcome {
    uint16_t vector; /* or VECTOR_NONE */
    uint16_t cs, ss;
    uint64_t error; /* all 64 bits as pushed; 0 for vectors without an error code */
    uint64_t cr2, rip, rflags, rsp;
};

#endif
