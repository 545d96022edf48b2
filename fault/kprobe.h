/*
 * kprobe.h: probes on instructions of core itself, as Linux's kprobes: INT3 in the instruction's place,
 * handlers around a single step. Not to be confused with probe.h's memory accesses.
 *
 *   #BP  pre_handler -> the instruction's own byte back, TF
 *        -> it runs -> #DB  INT3 in again -> post_handler
 *        -> it faults      INT3 in again, the fault's RIP is the instruction's -> fault_handler
 *           -> not handled: on the usual way (page_fault.c), exception table included
 *
 * A probe that is hit while another one's handlers run is stepped without its own, and counted as
 * missed. One processor, IF=0. A REP instruction is hit once an iteration, as on Linux.
 */
#ifndef FAULT_KPROBE_H
#define FAULT_KPROBE_H

#include "paging/status.h"
#include "trap_frame.h"

struct kprobe {
    vaddr_t address; /* the first byte of an instruction. A handler that is NULL does nothing. */
    /* Before it; frame->rip is @address. Out: true: the handler has set @frame to go on with; no step. */
    bool (*pre_handler)(struct kprobe *probe, struct trap_frame *frame);
    /* After it; @frame is what comes next. */
    void (*post_handler)(struct kprobe *probe, struct trap_frame *frame);
    /* It raised @vector; frame->rip is @address. Out: true: @frame is to be continued with. */
    bool (*fault_handler)(struct kprobe *probe, struct trap_frame *frame, unsigned vector);
    uint64_t missed;

    struct kprobe *next; /* kprobe.c */
    uint8_t original;    /* the byte that INT3 replaces */
};

/* Where a processor is with its probe: in struct cpu, kprobe.c's alone. */
enum kprobe_state {
    KPROBE_IDLE,
    KPROBE_HANDLING, /* one of its handlers runs */
    KPROBE_STEPPING, /* its instruction does */
    KPROBE_MISSED,   /* that of a probe which got in between does */
};
struct kprobe_control {
    struct kprobe *probe;
    uint64_t flags; /* TF and IF as they were */
    enum kprobe_state state;
    struct { /* what KPROBE_MISSED interrupted */
        struct kprobe *probe;
        uint64_t flags;
        bool stepping;
    } outer;
};

/*
 * Put a probe in. STATUS_RANGE: no text of core, or text that handles the probes themselves;
 * STATUS_EXISTS: there is one; STATUS_UNSUPPORTED: an instruction that cannot be stepped (those that
 * load flags or SS, raise interrupts, change rings). That @address begins an instruction is the caller's
 * word. @probe stays in place until it is taken out.
 */
enum status kprobe_register(struct kprobe *probe) MUST_CHECK;
/* Take it out; the text is what it was. STATUS_NOT_MAPPED: it is not in. */
enum status kprobe_unregister(struct kprobe *probe) MUST_CHECK;

/* The batch is over, however: take out all that are left. */
void kprobe_remove_all(void);

/* trap.c: #BP and #DB from ring 0. Out: false: not a probe's. */
bool kprobe_breakpoint(struct trap_frame *frame);
bool kprobe_step(struct trap_frame *frame);

/*
 * @frame is a fault of ring 0. If a stepped instruction raised it: end the step, and ask the probe's fault
 * handler. Out: true: it is handled, continue with @frame.
 */
bool kprobe_fault(struct trap_frame *frame);

/* die(): forget the probe that is being handled; those that are in stay in. */
void kprobe_forget(void);

#endif
