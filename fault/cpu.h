/*
 * cpu.h: everything that belongs to one processor. Found from the stack pointer (layout.h), not
 * from GS, which belongs to programs.
 */
#ifndef FAULT_CPU_H
#define FAULT_CPU_H

#include "context.h"
#include "kprobe.h"
#include "layout.h"
#include "oops.h"
#include "outcome.h"
#include "trap_frame.h"
#include "world.h"
#include "x86/descriptors.h"

/* What a fault resolver made of a page fault. */
enum fault_result {
    FAULT_RETRY,    /* the tables allow it now: execute the instruction again */
    FAULT_NOT_MINE, /* go on with the exception table, then oops */
    FAULT_LEAVE,    /* user fault: leave ring3_run with this vector */
    FAULT_OOPS,     /* a bug of ours: no exception table excuses it */
};

/* How an armed probe is left; the outcome is recorded in either case. */
enum probe_exit {
    PROBE_IDLE,
    PROBE_FIXUP,  /* ring 0, not #DF: continue at the resume address (entry.S) */
    PROBE_UNWIND, /* whatever the frame: probe_unwind */
};

struct probe {
    uint64_t exit; /* enum probe_exit; armed when not PROBE_IDLE */
    uint64_t resume;
    uint64_t rsp; /* at the instruction that may fault */
    struct outcome outcome;
    uint64_t pushed_at;     /* address of the frame's error code: which stack was used */
    struct context context; /* for PROBE_UNWIND */
};

struct cpu {
    struct cpu *self;
    uint32_t number;
    uint32_t in_batch;
    /* Offsets known to entry.S, ring3.S and syscall entry: see the assertions below. */
    uint64_t kernel_rsp;     /* offset 16: where ring 3 comes back to */
    uint64_t user_rsp;       /* offset 24: SYSCALL parks ring 3's RSP here */
    struct trap_frame *user; /* offset 32: of the ring3_run in progress, or NULL */
    struct probe probe;
    enum fault_result (*resolver)(struct trap_frame *frame, uint64_t address);
    struct context batch; /* the batch boundary: where anything unexpected unwinds to */
    /*
     * Not NULL: where die() goes on instead of at the batch boundary, once: it is NULL again then, and
     * so is the resolver. For os/, which lets the task die of its oops and goes on: it takes @oops and
     * sets its reason to OOPS_NONE.
     */
    const struct context *recover;
    struct oops oops; /* reason OOPS_NONE, or what ended the last batch */
    struct {
        uint64_t rip, address;
        uint32_t count;
    } loop; /* the last page fault that nobody's probe took */
    struct kprobe_control kprobe;
    uint64_t faults; /* #PFs that came this far, probes' own apart */
    void *task;      /* os/ */
    void *mm;        /* mm/: the address space whose faults the resolver answers */
    struct {
        uint64_t parts; /* of XCR0: what is saved; 0: by FXSAVE */
        bool begun;     /* the firmware's is saved, ours is in the registers */
    } fpu;
    struct {
        volatile uint8_t *page; /* of the APIC's registers; NULL: x2APIC mode */
        bool begun;             /* the timer is ours */
    } timer;
    struct world firmware;
};
_Static_assert(offsetof(struct cpu, kernel_rsp) == 16, "assembly knows it");
_Static_assert(offsetof(struct cpu, user_rsp) == 24, "assembly knows it");
_Static_assert(offsetof(struct cpu, user) == 32, "assembly knows it");
_Static_assert(sizeof(struct cpu) <= CPU_GDT, "struct cpu has one page");

/*
 * probe.c: give a probe its outcome and leave by its context. In: probe.exit is PROBE_UNWIND.
 * entry.S answers the other kind; what it may not continue is nobody's, and dies.
 */
_Noreturn void probe_unwind(struct cpu *cpu, const struct trap_frame *frame);

#if __STDC_HOSTED__
struct cpu *cpu_current(void); /* tests/host supplies one */
#else
static inline struct cpu *cpu_current(void)
{
    struct cpu *cpu;
    __asm__("mov %1, %0; and %%rsp, %0" : "=&r"(cpu) : "i"(-(int64_t)CPU_AREA));
    return cpu;
}
#endif

static inline uint64_t *cpu_gdt(struct cpu *cpu)
{
    return (uint64_t *)((uintptr_t)cpu + CPU_GDT);
}

static inline struct tss *cpu_tss(struct cpu *cpu)
{
    return (struct tss *)((uintptr_t)cpu + CPU_TSS);
}

#endif
