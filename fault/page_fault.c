/*
 * page_fault.c: hop 3 on the way of a fault: what caused it, and who answers?
 *
 *   a. an armed probe    outcome recorded, continued    entry.S already, or probe_unwind, probe.c
 *   b. the resolver      the instruction runs again     cpu->resolver: mm/fault.c for programs
 *   -  a kprobe's step   ended; its fault handler       kprobe.c (user addresses: before b)
 *   c. exception table   fixup handler of its type      fixup.c
 *   d. ring 3            ring3_run returns its vector   ring3_leave, ring3.c
 *      ring 0            oops                           die.c
 *
 * SDM vol. 3A 4.7, 6.15 "Interrupt 14".
 */
#include "page_fault.h"

#include "die.h"
#include "fixup.h"
#include "ring3.h"
#include "x86/exception.h"
#include "x86/instructions.h"

/*
 * The same instruction on the same address, again and again, is a resolver that resolves nothing. Whatever
 * comes back by way of ring3_run() is progress: that starts anew.
 */
static inline bool fault_loops(struct cpu *cpu, const struct trap_frame *frame, uint64_t address)
{
    if (((cpu->loop.rip ^ frame->rip) | (cpu->loop.address ^ address)) != 0) {
        cpu->loop.rip = frame->rip;
        cpu->loop.address = address;
        cpu->loop.count = 0;
        return false;
    }
    return ++cpu->loop.count >= OOPS_LOOP_LIMIT;
}

/* Who answers when no resolver did, in their order. */
static __attribute__((noinline)) void
page_fault_unresolved(struct cpu *cpu, struct trap_frame *frame, uint64_t address)
{
    if (cpu->probe.exit == PROBE_UNWIND) {
        probe_unwind(cpu, frame);
    }
    if (trap_from_user(frame) && cpu->user) {
        ring3_leave(frame);
    }
    if (!trap_from_user(frame) && (kprobe_fault(frame) || fixup_exception(frame, address))) {
        return;
    }
    die(cpu, frame, OOPS_NO_FIXUP);
}

/* What is not the usual answer of the resolver's. */
static __attribute__((noinline)) void page_fault_answered(struct cpu *cpu, struct trap_frame *frame,
                                                          uint64_t address,
                                                          enum fault_result result)
{
    if (result == FAULT_LEAVE) {
        ring3_leave(frame);
    }
    if (result == FAULT_OOPS) {
        die(cpu, frame, OOPS_NO_FIXUP);
    }
    page_fault_unresolved(cpu, frame, address);
}

/*
 * What comes before the resolver where something is under way. Linux's order: of kernel addresses those that
 * only need to be looked up again, or no longer fault, are the resolver's, whoever touched them; a kprobe's
 * step is nobody else's from there on. Of user addresses its step comes first. Out: answered.
 */
static __attribute__((noinline)) bool page_fault_before(struct cpu *cpu, struct trap_frame *frame,
                                                        uint64_t address)
{
    if (cpu->probe.exit == PROBE_UNWIND) {
        probe_unwind(cpu, frame);
    }
    return (int64_t)address >= 0 && kprobe_fault(frame);
}

static inline bool under_way(const struct cpu *cpu)
{
    return (cpu->probe.exit | cpu->kprobe.state) != 0;
}

static __attribute__((noinline)) void page_fault_resolve(struct cpu *cpu, struct trap_frame *frame,
                                                         uint64_t address)
{
    if (__builtin_expect(under_way(cpu), 0) && page_fault_before(cpu, frame, address)) {
        return;
    }
    if (__builtin_expect(fault_loops(cpu, frame, address), 0)) {
        die(cpu, frame, OOPS_FAULT_LOOP);
    }
    enum fault_result result = cpu->resolver(frame, address);
    if (__builtin_expect(result != FAULT_RETRY, 0)) {
        page_fault_answered(cpu, frame, address, result);
    }
}

/* Where nobody comes before the exception table. */
static __attribute__((noinline)) void page_fault_fix_up(struct trap_frame *frame, uint64_t address)
{
    if (!fixup_exception(frame, address)) {
        page_fault_unresolved(cpu_current(), frame, address);
    }
}

void page_fault(struct cpu *cpu, struct trap_frame *frame)
{
    /* Before anything else: a nested fault would overwrite it. */
    uint64_t address = read_cr2();

    cpu->faults++;
    if (cpu->resolver) {
        page_fault_resolve(cpu, frame, address);
    } else if (under_way(cpu) || trap_from_user(frame)) {
        page_fault_unresolved(cpu, frame, address);
    } else {
        page_fault_fix_up(frame, address);
    }
}
