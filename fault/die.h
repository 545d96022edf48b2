/*
 * die.h: the end of the way of a fault that nobody answers: note everything, unwind to the batch
 * boundary, or to where os/ wants to go on without the task. The report is written there
 * (tests/report/), not here.
 */
#ifndef FAULT_DIE_H
#define FAULT_DIE_H

#include "cpu.h"

/*
 * Fill cpu->oops from @frame and continue at cpu->recover, which is used up; where that is NULL, at
 * the batch boundary, and world.c leaves our world from there. Reads memory only through page walks
 * and guarded loads. A second fault inside keeps what is there and ends the batch.
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
