/*
 * die.c: see die.h. Hop d on the way of a fault.
 */
#include "die.h"

#include "boot_info.h"
#include "paging/table.h"
#include "uaccess.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

static void walk_picture(struct walk_picture *picture, uint64_t cr3, unsigned levels,
                         uint64_t address)
{
    struct walk walk;

    paging_walk(cr3, levels, address, &walk);
    picture->levels = (uint8_t)walk.levels;
    picture->last = (uint8_t)walk.last;
    memcpy(picture->entry, walk.entry, sizeof(picture->entry));
}

/* core.lds: behind the last instruction of ours. */
extern const char text_end[];

/*
 * Follow saved frame pointers as long as they rise within this processor's area. A function that
 * has made no frame (yet, or at all) was called from where the top of its stack says; and so was
 * nothing, through a null pointer.
 */
static void call_trace(struct oops *oops, uint64_t area, uint64_t rsp, uint64_t rbp)
{
    uint64_t top;

    if (rsp >= area && rsp < area + CPU_AREA && rsp % 8 == 0 &&
        read_guarded((const void *)rsp, &top) && top >= CORE_BASE && top < (uint64_t)text_end) {
        oops->trace[oops->trace_count++] = top;
    }
    while (oops->trace_count < OOPS_TRACE && rbp >= area && rbp < area + CPU_AREA - 16 &&
           rbp % 8 == 0) {
        uint64_t next, return_address;
        if (!read_guarded((const void *)rbp, &next) ||
            !read_guarded((const void *)(rbp + 8), &return_address) || return_address < CORE_BASE) {
            break;
        }
        oops->trace[oops->trace_count++] = return_address;
        if (next <= rbp) {
            break;
        }
        rbp = next;
    }
}

static bool in_guard_page(uint64_t area, uint64_t address)
{
    static const uint32_t guards[] = {CPU_STACK_BOTTOM, CPU_STACK_DF_BOTTOM, CPU_STACK_NMI_BOTTOM,
                                      CPU_STACK_MC_BOTTOM};

    for (size_t i = 0; i < ARRAY_COUNT(guards); i++) {
        uint64_t guard = area + guards[i] - PAGE_SIZE;
        if (address >= guard && address < guard + PAGE_SIZE) {
            return true;
        }
    }
    return false;
}

_Noreturn void die(struct cpu *cpu, const struct trap_frame *frame, enum oops_reason reason)
{
    struct oops *oops = &cpu->oops;
    const struct context *recover = cpu->recover;

    cpu->recover =
        NULL; /* from here on a fault ends the batch: who faults in here helps nobody on */
    if (oops->reason != OOPS_NONE && !recover) {
        context_resume(&cpu->batch, 2); /* a fault in here: the first one is the story */
    }
    memset(oops, 0, sizeof(*oops));
    oops->cr2 = read_cr2();
    if (reason == OOPS_DOUBLE_FAULT && in_guard_page((uint64_t)cpu, oops->cr2)) {
        reason = OOPS_STACK_OVERFLOW;
    }
    oops->reason = reason;
    oops->vector = (uint16_t)frame->vector;
    oops->cpu = (uint16_t)cpu->number;
    oops->error = frame->error;
    const uint64_t registers[16] = {
        frame->rax, frame->rcx, frame->rdx, frame->rbx, frame->rsp, frame->rbp,
        frame->rsi, frame->rdi, frame->r8,  frame->r9,  frame->r10, frame->r11,
        frame->r12, frame->r13, frame->r14, frame->r15,
    };
    memcpy(oops->registers, registers, sizeof(registers));
    oops->rip = frame->rip;
    oops->rflags = frame->rflags;
    oops->cs = (uint16_t)frame->cs;
    oops->ss = (uint16_t)frame->ss;
    oops->cr0 = read_cr0();
    oops->cr3 = read_cr3();
    oops->cr4 = read_cr4();
    oops->efer = read_msr(MSR_EFER);
    unsigned levels = oops->cr4 & CR4_LA57 ? 5 : 4;
    walk_picture(&oops->cr2_walk, oops->cr3, levels, oops->cr2);
    walk_picture(&oops->rip_walk, oops->cr3, levels, oops->rip);
    /* A test may have bent what the guarded loads below lean on. */
    cpu->resolver = NULL;
    cpu->probe.exit = PROBE_IDLE;
    for (uint64_t word = 0; word < OOPS_CODE / 8; word++) {
        uint64_t value;
        if (trap_from_user(frame) || !read_guarded((const void *)(oops->rip + word * 8), &value)) {
            break;
        }
        memcpy(&oops->code[word * 8], &value, 8);
        oops->code_count = (uint8_t)(word * 8 + 8);
    }
    if (!trap_from_user(frame)) {
        call_trace(oops, (uint64_t)cpu, frame->rsp, frame->rbp);
    }
    cpu->user = NULL;
    kprobe_forget();
    context_resume(recover ? recover : &cpu->batch, 1);
}

#define CALL_BYTES 5 /* e8 and a 32-bit distance */

_Noreturn void die_assertion(const char *what)
{
    struct cpu *cpu = cpu_current();
    const uint64_t *ours = __builtin_frame_address(0); /* caller's rbp, return address, its stack */
    /* As if the call of this function had raised it; the compiler puts nothing behind that call. */
    struct trap_frame frame = {
        .rax = (uint64_t)what,
        .rbp = ours[0],
        .rsp = (uint64_t)&ours[2],
        .rip = ours[1] - CALL_BYTES,
        .cs = read_cs(),
        .ss = read_ss(),
        .rflags = read_rflags(),
        .vector = VECTOR_NONE,
    };

    die(cpu, &frame, OOPS_ASSERTION);
}
