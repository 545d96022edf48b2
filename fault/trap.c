/*
 * trap.c: hop 2 on the way of a fault: entry.S calls trap_dispatch() for every vector.
 */
#include "die.h"
#include "fixup.h"
#include "page_fault.h"
#include "ring3.h"
#include "timer.h"
#include "trap_frame_offsets.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/registers.h"

_Static_assert(offsetof(struct trap_frame, r15) == FRAME_R15, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, rbx) == FRAME_RBX, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, rax) == FRAME_RAX, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, rdi) == FRAME_RDI, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, ss) == FRAME_SS, "ring3.S knows it");
_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP, "entry.S knows it");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "entry.S knows it");
_Static_assert(offsetof(struct cpu, user) == CPU_USER, "ring3.S knows it");
_Static_assert(offsetof(struct cpu, loop.count) == CPU_LOOP_COUNT, "ring3.S knows it");
_Static_assert(offsetof(struct trap_frame, r8) == FRAME_R8, "entry.S knows it");
_Static_assert(offsetof(struct trap_frame, rsi) == FRAME_RSI, "entry.S knows it");
_Static_assert(offsetof(struct trap_frame, error) == FRAME_ERROR, "entry.S knows it");
_Static_assert(offsetof(struct trap_frame, rsp) == FRAME_RSP, "entry.S knows it");
_Static_assert(VECTOR_SYSCALL == TRAP_VECTOR_SYSCALL, "entry.S knows it");

void trap_dispatch(struct cpu *cpu, struct trap_frame *frame); /* entry.S calls it */

/* Exceptions that an instruction raised by what it did: the others say nothing about it. */
#define FIXED_UP                                                                                   \
    (BIT(VECTOR_DE) | BIT(VECTOR_UD) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP) |          \
     BIT(VECTOR_AC) | BIT(VECTOR_CP) | BIT(VECTOR_TS))

static bool fixed_up(struct trap_frame *frame)
{
    return frame->vector < 32 && (FIXED_UP >> frame->vector & 1) && fixup_exception(frame, 0);
}

/* #BP or #DB of a probe on code of ours. */
static bool kprobe_hit(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_BP) {
        return kprobe_breakpoint(frame);
    }
    if (frame->vector != VECTOR_DB || !(read_dr6() & DR6_BS) || !kprobe_step(frame)) {
        return false;
    }
    write_dr6(read_dr6() & ~(uint64_t)DR6_BS);
    return true;
}

static __attribute__((noinline)) void trap_other(struct cpu *cpu, struct trap_frame *frame)
{
    if (frame->vector >= TIMER_CLASS && frame->vector < VECTORS &&
        timer_interrupt(cpu, (unsigned)frame->vector) &&
        !(frame->vector == TIMER_VECTOR && trap_from_user(frame) && cpu->user)) {
        return; /* over already, or spurious */
    }
    if (cpu->probe.exit == PROBE_UNWIND) {
        probe_unwind(cpu, frame);
    }
    if (!trap_from_user(frame) &&
        (kprobe_hit(frame) || (cpu->kprobe.state != KPROBE_IDLE && kprobe_fault(frame)))) {
        return;
    }
    if (trap_from_user(frame) && cpu->user) {
        ring3_leave(frame);
    }
    if (!trap_from_user(frame) && fixed_up(frame)) {
        return;
    }
    die(cpu, frame, frame->vector == VECTOR_DF ? OOPS_DOUBLE_FAULT : OOPS_EXCEPTION);
}

void trap_dispatch(struct cpu *cpu, struct trap_frame *frame)
{
    if (frame->vector == VECTOR_PF) {
        page_fault(cpu, frame);
    } else {
        trap_other(cpu, frame);
    }
}
