/*
 * processor.c: see processor.h, and task_save() and task_load() of task.h: what a task has in the
 * processor besides general-purpose registers. Core touches none of it but PKRU, which the accessors of
 * user memory obey, as on Linux. Floor: os. SDM vol. 1 chapter 13, vol. 3A 4.6.2, 17.2.3.
 */
#include "processor.h"

#include "fault/extable.h"
#include "fault/fpu.h"
#include "fault/timer.h"
#include "mm/fault.h"
#include "task.h"
#include "x86/instructions.h"
#include "x86/registers.h"

#define DR6_NOTHING UINT64_C(0xffff0ff0)

/* Firmware's descriptors, which have these places in our GDT, for as long as programs have them. */
static uint64_t descriptors[2];

static void selectors_take(struct cpu *cpu)
{
    uint64_t *gdt = cpu_gdt(cpu);

    descriptors[0] = gdt[PROGRAM_DATA / 8];
    descriptors[1] = gdt[PROGRAM_CODE / 8];
    gdt[PROGRAM_DATA / 8] = DESCRIPTOR_DATA_RING3;
    gdt[PROGRAM_CODE / 8] = DESCRIPTOR_CODE64_RING3;
}

bool processor_begin(struct cpu *cpu)
{
    if (!fpu_begin(cpu) || timer_begin(cpu) != TIMER_OK) {
        return false;
    }
    world_protect(true);
    selectors_take(cpu);
    /* Signals have to carry PKRU: without its place in the extended state there are no keys, as on Linux. */
    mm_has_keys = read_cr4() & CR4_PKE && fpu_format.pkru_at;
    fault_keys_on = mm_has_keys;
    cpu->resolver = mm_resolve;
    return true;
}

void processor_end(struct cpu *cpu)
{
    cpu->resolver = NULL;
    cpu_gdt(cpu)[PROGRAM_DATA / 8] = descriptors[0];
    cpu_gdt(cpu)[PROGRAM_CODE / 8] = descriptors[1];
    world_protect(false);
}

uint64_t processor_debug_status(void)
{
    uint64_t status = read_dr6();

    write_dr6(DR6_NOTHING);
    return status;
}

void task_save(struct task *task)
{
    fpu_save(task->fpu);
    if (mm_has_keys) {
        task->pkru = read_pkru();
    }
    task->segments.ds = read_ds();
    task->segments.es = read_es();
    task->segments.fs = read_fs();
    task->segments.gs = read_gs();
    task->segments.fs_base = read_msr(MSR_FS_BASE);
    task->segments.gs_base = read_msr(MSR_GS_BASE);
}

/* The firmware's descriptors may have changed since @selector was good: then the register stays as it is. */
#define LOAD_SEGMENT(name, selector)                                                               \
    __asm__ volatile("1: mov %0, %%" #name "\n"                                                    \
                     "2:\n" EXTABLE("1b", "2b", EX_DEFAULT)                                        \
                     :                                                                             \
                     : "r"(selector)                                                               \
                     : "memory")

void task_load(struct task *task)
{
    fpu_restore(task->fpu);
    if (mm_has_keys) {
        write_pkru(task->pkru);
    }
    LOAD_SEGMENT(ds, task->segments.ds);
    LOAD_SEGMENT(es, task->segments.es);
    LOAD_SEGMENT(fs, task->segments.fs); /* and with it, the base */
    LOAD_SEGMENT(gs, task->segments.gs);
    write_msr(MSR_FS_BASE, task->segments.fs_base);
    write_msr(MSR_GS_BASE, task->segments.gs_base);
}
