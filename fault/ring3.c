/*
 * ring3.c: the way out of ring 3 that begins in C: hop d of a user fault. See ring3.h.
 */
#include "ring3.h"

#include "cpu.h"

_Noreturn void ring3_exit(uint64_t kernel_rsp, uint64_t result); /* ring3.S */

_Noreturn void ring3_leave(struct trap_frame *frame)
{
    struct cpu *cpu = cpu_current();

    *cpu->user = *frame;
    cpu->user = NULL;
    ring3_exit(cpu->kernel_rsp, frame->vector);
}
