/*
 * timer.h: a bound on how long ring 3 may run: the local APIC's timer, one shot, and nothing else that
 * interrupts. SDM vol. 3A chapter 11.
 *
 * While the timer is ours, ring 3 may run with RFLAGS.IF=1: CR8 keeps every vector below TIMER_CLASS
 * away, the 8259's interrupts (ExtINT) are masked. Before timer_begin() and after timer_end() it must
 * not: the firmware's interrupts would arrive here.
 */
#ifndef FAULT_TIMER_H
#define FAULT_TIMER_H

#include "x86/types.h"

struct boot_info;
struct cpu;

#define TIMER_CLASS           0xf0 /* vectors from here on get through */
#define TIMER_VECTOR          0xf4 /* ring3_run() returns it when the time is over */
#define TIMER_SPURIOUS_VECTOR 0xff

enum timer_status {
    TIMER_OK,
    TIMER_NO_APIC,     /* none, switched off, or not where it was at the start */
    TIMER_DOES_NOT_RUN /* it does not count, or nothing can be told of its rate */
};

/*
 * Take the local APIC's timer and keep all other interrupts away, until the batch ends: world.c gives
 * all of it back. The first call measures the timer's rate against the TSC, which takes about a
 * millisecond. In: IF=0. Again in the same batch: harmless.
 */
enum timer_status timer_begin(struct cpu *cpu) MUST_CHECK;

/*
 * Interrupt once, @ticks of the TSC from now at the latest; earlier when the timer cannot count that
 * far, so who is woken looks at the TSC. In ring 0 nothing happens until IF=1. Replaces what was armed.
 */
void timer_arm(uint64_t ticks);

/* Not any more. An interrupt that was under way already may still come. */
void timer_stop(void);

/* world.c: give back what timer_begin() took, if it did. In: our IDT; core's root loaded. */
void timer_end(struct cpu *cpu);

/*
 * trap.c: an interrupt arrived: say so to the APIC. Out: false: it is none of those that get through, or
 * the timer is not ours. All but TIMER_VECTOR in ring 3 are ignored: a device whose vector is as high as
 * that loses one.
 */
bool timer_interrupt(struct cpu *cpu, unsigned vector);

/* Where the local APIC's registers are mapped; NULL: x2APIC mode, or they cannot be reached. */
volatile uint8_t *timer_apic_page(const struct boot_info *boot);

/* Counts of a timer that makes @rate / 2^32 counts a tick: for @ticks, at least 1, at most what fits. */
uint32_t timer_counts(uint64_t ticks, uint64_t rate);

#endif
