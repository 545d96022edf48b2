/*
 * os_played.h: what os/ needs of a processor, played, for one host program that includes this: ring 3 is a
 * function of that program's. With machine_simulated.h below it all of os/ runs on the build machine.
 * It replaces os/processor.c, mm/vmalloc.c, fault/fpu.c, fault/timer.c and some assembly.
 */
#ifndef HOST_OS_PLAYED_H
#define HOST_OS_PLAYED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/context.h"
#include "fault/die.h"
#include "fault/fpu.h"
#include "fault/ring3.h"
#include "fault/timer.h"
#include "mm/vmalloc.h"
#include "os/os.h"
#include "os/processor.h"
#include "os/system_call.h"
#include "tests/host/fpu_played.h"
#include "tests/host/machine_simulated.h"
#include "x86/registers.h"

/* The program's part: act as ring 3 until something happens; out: the vector, as ring3_run(). */
static uint64_t ring3_plays(struct trap_frame *user);

/* What a program must never get into RFLAGS: I/O, nested tasks, virtual modes. */
#define RFLAGS_NEVER UINT64_C(0x1a7000)

static _Noreturn void os_played_broken(const char *what)
{
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

uint64_t ring3_run(struct trap_frame *user)
{
    if (user->cs != PROGRAM_CODE || user->ss != PROGRAM_DATA || !(user->rflags & RFLAGS_IF) ||
        user->rflags & RFLAGS_NEVER) {
        os_played_broken("ring 3 is entered with more rights than it may have");
    }
    if ((user->rip + (UINT64_C(1) << 47)) >> 48) {
        return RING3_BAD_FRAME;
    }
    simulated.rsp = user->rsp;
    simulated.rip = user->rip;
    return ring3_plays(user);
}

/* ---- the processor --------------------------------------------------------------------------------------- */

bool processor_begin(struct cpu *cpu)
{
    cpu->resolver = mm_resolve;
    return true;
}

void processor_end(struct cpu *cpu)
{
    cpu->resolver = mm_resolve; /* the fixture's own accesses */
}

uint64_t processor_debug_status(void)
{
    return 0x4000; /* DR6.BS */
}

void task_save(struct task *task)
{
    task->pkru = simulated.pkru;
}

void task_load(struct task *task)
{
    simulated.pkru = task->pkru;
    if (!fpu_area_valid(task->fpu)) {
        os_played_broken("the processor would refuse a task's extended state");
    }
}

/* A processor that takes an area looks at it as fpu_area_valid() does; nothing is loaded here. */
bool fpu_restore(const void *area)
{
    return fpu_area_valid(area);
}

void fpu_save(void *area)
{
    (void)area;
}

bool fpu_begin(struct cpu *cpu)
{
    (void)cpu;
    return true;
}

void fpu_end(struct cpu *cpu)
{
    (void)cpu;
}

void timer_arm(uint64_t ticks)
{
    (void)ticks;
}

void timer_stop(void)
{
}

uint64_t context_save(struct context *context)
{
    (void)context;
    return 0;
}

_Noreturn void context_resume(const struct context *context, uint64_t value)
{
    (void)context, (void)value;
    os_played_broken("an oops");
}

_Noreturn void die_assertion(const char *what)
{
    os_played_broken(what);
}

/* ---- vmalloc: the C library's memory, so that tasks can be looked at -------------------------------------- */

static size_t vmalloc_areas;

void *vmalloc(uint64_t bytes)
{
    if (memory.frames.fail_in && --memory.frames.fail_in == 0) {
        return NULL;
    }
    void *at = aligned_alloc(FPU_ALIGN, ALIGN_UP(bytes, FPU_ALIGN));
    if (!at) {
        return NULL;
    }
    vmalloc_areas++;
    return memset(at, 0, ALIGN_UP(bytes, FPU_ALIGN));
}

void vfree(void *at)
{
    vmalloc_areas -= at != NULL;
    free(at);
}

void vmalloc_start(void)
{
}

void vmalloc_stop(void)
{
    if (vmalloc_areas) {
        os_played_broken("a task is left");
    }
}

bool vmalloc_holds(vaddr_t address)
{
    return address - VMALLOC_BASE_4 < VMALLOC_BYTES;
}

bool vmalloc_synchronise(paddr_t root, vaddr_t address)
{
    (void)root, (void)address;
    return false;
}

/* ---- start and end ----------------------------------------------------------------------------------------- */

static void os_played_start(size_t frames)
{
    machine_start(frames, 4);
    /* As a processor with XSAVE and AVX, and keys without a place there. */
    fpu_format = (struct fpu_format){.features = XCR0_X87 | XCR0_SSE | XCR0_AVX,
                                     .bytes = 832,
                                     .mxcsr_mask = 0xffff,
                                     .xsave = true};
    mm_has_keys = true;
}

static void os_played_good(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        os_played_broken(wrong);
    }
    if (simulated.last == FAULT_OOPS) {
        os_played_broken("the resolver calls an access a bug");
    }
}

/* Whatever ran is stopped: nothing may be left. Another program may follow. */
static void os_played_stop(void)
{
    os_stop();
    os_played_good();
    if (machine_stop()) {
        os_played_broken("memory is left when all programs are gone");
    }
}

#endif
