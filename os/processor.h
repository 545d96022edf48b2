/*
 * processor.h: what a batch that runs programs does to the processor, in one place, as the build machine
 * has none: host tests replace processor.c. Floor: os.
 */
#ifndef OS_PROCESSOR_H
#define OS_PROCESSOR_H

#include "fault/cpu.h"

/*
 * Extended state, timer, protection of the kernel and keys are the programs'; page faults are mm/'s. The batch's end
 * would take all of it back by itself. Out: false: this machine cannot run programs.
 */
#define PROGRAM_CODE 0x33 /* CS and SS of programs are Linux's meanwhile */
#define PROGRAM_DATA 0x2b
MUST_CHECK bool processor_begin(struct cpu *cpu);
void processor_end(struct cpu *cpu);

/* DR6 as #DB left it; the next one starts afresh. */
uint64_t processor_debug_status(void);

#endif
