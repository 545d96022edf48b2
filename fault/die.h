/*
 * die.h: the end of the way of a fault that nobody answers: note everything, unwind to the batch
 * boundary. The report is written there (tests/report/), not here.
 */
#ifndef FAULT_DIE_H
#define FAULT_DIE_H

#include "cpu.h"

/*
 * Fill cpu->oops from @frame and continue at the batch boundary; world.c leaves our world from
 * there. Reads memory only through page walks and guarded loads. A second fault inside keeps what
 * is there.
 */
_Noreturn void die(struct cpu *cpu, const struct trap_frame *frame, enum oops_reason reason);

/* A broken invariant of ours: @what is a string literal. */
_Noreturn void die_assertion(const char *what);
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            die_assertion(__FILE__ ": " #condition);                                               \
        }                                                                                          \
    } while (0)

#endif
