/*
 * probe.h: one memory access of a named kind, made where a fault is expected. Returns an outcome,
 * never crashes. Ring 0 through probe_supervisor, ring 3 through probe_user.
 */
#ifndef FAULT_PROBE_H
#define FAULT_PROBE_H

#include "outcome.h"
#include "trap_frame.h"
#include "x86/types.h"

/*
 * Kinds of access: name, whether ring 3 can do it too. Order is an interface: records hold it;
 * append only. probe.S has a stretch of code for each, in both rings.
 *   FETCH          jumps to the address; the code there must be PROBE_LANDING
 *   RMW_LOCKED     lock add of 0: a write even though nothing new is stored
 *   IMPLICIT_*     loads FS with a selector of the LDT, whose descriptors lie at the address: a
 * supervisor access in either ring; WRITE when the descriptor's accessed bit is clear PUSH pushes 8
 * bytes so that they land at the address
 */
#define ACCESS_KINDS(X)                                                                            \
    X(READ, "read")                                                                                \
    X(WRITE, "write")                                                                              \
    X(FETCH, "fetch")                                                                              \
    X(RMW_LOCKED, "locked rmw")                                                                    \
    X(RMW_PLAIN, "rmw")                                                                            \
    X(IMPLICIT_READ, "implicit read")                                                              \
    X(IMPLICIT_WRITE, "implicit write")                                                            \
    X(PUSH, "push")

enum access_kind {
#define X(id, name) ACCESS_##id,
    ACCESS_KINDS(X)
#undef X
        ACCESS_NONE
};

/* Code for a page that is to be fetched from: jmp *%rsi. */
#define PROBE_LANDING UINT16_C(0xe6ff)

/* The value that writes write. */
#define PROBE_VALUE UINT64_C(0x5afe5afe5afe5afe)

/* Where ring-3 probe code is linked; its page (R-X for ring 3) may be mapped anywhere. */
extern const char probe_user_page[];

/*
 * Make one access of @kind at @address from ring 0. For IMPLICIT_*: the selector is @operand; for
 * WRITE and PUSH: the value. In: IF=0; EFLAGS.AC as the access is to see it. Out: the value read
 * (reads only). probe_outcome() has the frame, or vector VECTOR_NONE.
 */
uint64_t probe_make(enum access_kind kind, vaddr_t address, uint64_t operand);

/* What came of this processor's last probe; valid until the next. */
const struct outcome *probe_outcome(void);

/* The same with EFLAGS.AC as @ac says; writes write PROBE_VALUE. *@outcome holds what came of it.
 */
uint64_t probe_supervisor(enum access_kind kind, vaddr_t address, uint64_t operand, bool ac,
                          struct outcome *outcome);

/*
 * The same from ring 3. @code: where probe_user_page is mapped for ring 3; @stack: a user RSP,
 * never used by the processor except for PUSH.
 */
uint64_t probe_user(enum access_kind kind, vaddr_t address, uint64_t operand, bool ac, vaddr_t code,
                    vaddr_t stack, struct outcome *outcome);

/* The RIP that a fault of this access must report. @code 0: made from ring 0. */
uint64_t probe_expected_rip(enum access_kind kind, vaddr_t address, vaddr_t code);

/* RSP at the last ring-0 probe's access (PUSH: before it moved RSP). */
uint64_t probe_supervisor_rsp(void);

#endif
