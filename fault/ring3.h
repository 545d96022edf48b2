/*
 * ring3.h: the one way into ring 3, for suites and for programs.
 */
#ifndef FAULT_RING3_H
#define FAULT_RING3_H

#include "layout.h"
#include "trap_frame.h"

/* Why ring 3 came back: a vector, VECTOR_SYSCALL, or this: IRETQ itself refused the frame. */
#define RING3_BAD_FRAME 257

/*
 * Run in ring 3 with all of @user's registers until something brings it back: any exception that no
 * resolver retried, an interrupt, INT 0x80, SYSCALL.
 * In:  cs, ss, rflags of @user are loaded as they are: ring3_frame() makes good ones. IF=0.
 * Out: the vector; @user holds all registers as they were in ring 3 (after SYSCALL rcx and r11 are
 *      what SYSCALL made of them, cs and ss what they were given as), with vector and error code. CR2 is as the processor left it.
 * May nest on one processor only through the batch boundary: one ring3_run at a time.
 */
uint64_t ring3_run(struct trap_frame *user);

/* A frame that starts ring 3 at @rip with @rsp; every other register 0, IF=0. */
static inline struct trap_frame ring3_frame(uint64_t rip, uint64_t rsp)
{
    return (struct trap_frame){
        .rip = rip,
        .cs = SELECTOR_USER_CODE,
        .rflags = 0x2,
        .rsp = rsp,
        .ss = SELECTOR_USER_DATA,
    };
}

/* ring3.c: leave ring 3 with this frame; ring3_run() returns its vector. */
_Noreturn void ring3_leave(struct trap_frame *frame);

#endif
