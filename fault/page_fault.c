/*
 * page_fault.c: hop 3 on the way of a fault: what caused it, and who answers?
 *
 *   a. an armed probe    outcome recorded, continued    entry.S already, or probe_unwind, probe.c
 *   b. the resolver      the instruction runs again     cpu->resolver (mm/fault.c will be one)
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

/* The same instruction on the same address, again and again, is a resolver that resolves nothing.
 */
static bool fault_loops(struct cpu *cpu, const struct trap_frame *frame, uint64_t address)
{
    if (cpu->loop.rip != frame->rip || cpu->loop.address != address) {
        cpu->loop.rip = frame->rip;
        cpu->loop.address = address;
        cpu->loop.count = 0;
    }
    return ++cpu->loop.count >= OOPS_LOOP_LIMIT;
}

/* Everything in its order; @address is CR2. */
static __attribute__((noinline)) void page_fault_sort(struct cpu *cpu, struct trap_frame *frame,
                                                      uint64_t address)
{
    if (cpu->probe.exit == PROBE_UNWIND) {
        probe_unwind(cpu, frame);
    }
    if (cpu->resolver) {
        if (fault_loops(cpu, frame, address)) {
            die(cpu, frame, OOPS_FAULT_LOOP);
        }
        switch (cpu->resolver(frame, address)) {
        case FAULT_RETRY:
            return;
        case FAULT_LEAVE:
            ring3_leave(frame);
        case FAULT_OOPS:
            die(cpu, frame, OOPS_NO_FIXUP);
        case FAULT_NOT_MINE:
            break;
        }
    }
    if (trap_from_user(frame) && cpu->user) {
        ring3_leave(frame);
    }
    if (!trap_from_user(frame) && fixup_exception(frame, address)) {
        return;
    }
    die(cpu, frame, OOPS_NO_FIXUP);
}

void page_fault(struct cpu *cpu, struct trap_frame *frame)
{
    /* Before anything else: a nested fault would overwrite it. */
    uint64_t address = read_cr2();
    cpu->faults++;
    bool others = cpu->probe.exit == PROBE_UNWIND || cpu->resolver || trap_from_user(frame);

    /* Where nobody comes before the exception table, go there at once. */
    if (others || !fixup_exception(frame, address)) {
        page_fault_sort(cpu, frame, address);
    }
}
