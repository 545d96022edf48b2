/*
 * page_fault.h: hop 3 on the way of a fault: sort a page fault.
 */
#ifndef FAULT_PAGE_FAULT_H
#define FAULT_PAGE_FAULT_H

#include "cpu.h"

/* Handle #PF. Returns when @frame is to be continued; otherwise unwinds. Called by trap.c, IF=0. */
void page_fault(struct cpu *cpu, struct trap_frame *frame);

/* trap.c: give an armed probe its outcome. In: cpu->probe.exit is not PROBE_IDLE. */
void probe_catch(struct cpu *cpu, struct trap_frame *frame, uint64_t cr2);

#endif
