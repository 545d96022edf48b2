/*
 * page_fault.h: hop 3 on the way of a fault: sort a page fault.
 */
#ifndef FAULT_PAGE_FAULT_H
#define FAULT_PAGE_FAULT_H

#include "cpu.h"

/* Handle #PF. Returns when @frame is to be continued; otherwise unwinds. Called by trap.c, IF=0. */
void page_fault(struct cpu *cpu, struct trap_frame *frame);

#endif
