/*
 * trap_frame.h: the stack as entry.S leaves it for trap.c, lowest address first.
 *
 *      TSS.RSP0, IST or the interrupted stack, rounded down to 16
 *        ss rsp rflags cs rip      pushed by the processor
 *        error                     pushed by the processor, or 0 by the stub
 *        vector                    by the stub
 *        rax rcx rdi rsi rdx r8..r11 rbx rbp r12..r15   by the common part
 *   rsp -> r15
 */
#ifndef FAULT_TRAP_FRAME_H
#define FAULT_TRAP_FRAME_H

#include "x86/types.h"

struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdx, rsi, rdi, rcx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "entry.S builds it word by word");

/* SYSCALL enters without a vector: this number stands for it. */
#define VECTOR_SYSCALL 256

static inline bool trap_from_user(const struct trap_frame *frame)
{
    return frame->cs & 3; /* rings 1 and 2 are nobody's */
}

#endif
