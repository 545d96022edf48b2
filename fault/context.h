/*
 * context.h: remember a place in ring 0 and come back to it from anywhere, whatever the stack holds
 * by then: the batch boundary, probes whose frame is gone (#DF, ring 3).
 */
#ifndef FAULT_CONTEXT_H
#define FAULT_CONTEXT_H

#include "x86/types.h"

struct context {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip, rflags;
};

/*
 * Fill @context. Returns 0, and again the value of context_resume() each time that is called, as
 * long as the caller's function has not returned.
 */
uint64_t context_save(struct context *context) __attribute__((returns_twice));

/* Continue behind context_save() with @value, not 0. Reloads CS and SS: after ring 3 SS is null. */
_Noreturn void context_resume(const struct context *context, uint64_t value);

#endif
