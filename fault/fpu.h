/*
 * fpu.h: the state that general-purpose registers leave out: x87, SSE, AVX, AVX-512. Core itself never
 * touches it, so it is the firmware's until a batch that runs programs calls fpu_begin(), and then the
 * programs' until the batch ends. SDM vol. 1 chapter 13, vol. 3A chapter 14.
 *
 * An area holds the state of one program in the standard format of XSAVE, which Linux's signal frames
 * have as well (without XSAVE: FXSAVE's 512 bytes):
 *
 *     0  FXSAVE: FCW FSW FTW ... MXCSR (24), ST0-7 (32), XMM0-15 (160), free for software (464)
 *   512  header: XSTATE_BV, XCOMP_BV (0), 48 bytes of 0
 *   576  the parts that CPUID leaf 0DH has places for: YMM halves, AVX-512, PKRU
 *
 * PKRU has its place there, since signal frames show it, but is switched by WRPKRU alone: fpu_save() and
 * fpu_restore() leave register and place as they are.
 */
#ifndef FAULT_FPU_H
#define FAULT_FPU_H

#include "fpu_offsets.h"
#include "x86/types.h"

struct cpu;

#define FPU_ALIGN       64u
#define FPU_BYTES_MAX   4096u /* of an area of ours */
#define FPU_FCW_START   0x37f
#define FPU_MXCSR_START 0x1f80

/*
 * The 48 bytes at FPU_SOFTWARE_AT of the area in a signal frame of Linux, which say what follows. Behind
 * the area's @xstate_bytes lies FPU_MAGIC2.
 */
#define FPU_MAGIC1 0x46505853u
struct fpu_software {
    uint32_t magic1, extended_bytes; /* of area and FPU_MAGIC2 */
    uint64_t features;               /* that the area has places for */
    uint32_t xstate_bytes;           /* of the area */
    uint32_t padding[7];
};
_Static_assert(sizeof(struct fpu_software) == 48, "what FXSAVE leaves free");
_Static_assert(offsetof(struct fpu_software, xstate_bytes) == FPU_SOFTWARE_XSTATE_BYTES,
               "assembly knows it");

/*
 * Save the firmware's whole extended state, and let programs have all of the above that CPUID offers:
 * CR4.OSFXSR, OSXMMEXCPT and OSXSAVE, XCR0; CR0.TS and EM clear. Once a batch, before the first of the
 * functions below that touch registers; again is harmless. world.c gives it back at the batch's end.
 * Out: false: the firmware uses more state than there is room to save.
 */
bool fpu_begin(struct cpu *cpu) MUST_CHECK;

/* world.c: give back what fpu_begin() saved, if it did. CR4 and XCR0 are the caller's to restore. */
void fpu_end(struct cpu *cpu);

/* What this processor's areas are like: known after the first fpu_begin(). */
struct fpu_format {
    uint64_t features;   /* bits of XCR0 that programs have; x87 and SSE where there is no XSAVE */
    uint32_t bytes;      /* of an area */
    uint32_t pkru_at;    /* PKRU's place; 0: it has none */
    uint32_t mxcsr_mask; /* bits of MXCSR that exist */
    bool xsave;          /* areas have a header */
};
extern struct fpu_format fpu_format;

static inline uint32_t fpu_area_bytes(void)
{
    return fpu_format.bytes;
}

static inline uint64_t fpu_features(void)
{
    return fpu_format.features;
}

/* Make @area (aligned to FPU_ALIGN) what a program starts with. Before the first fpu_save() to it. */
void fpu_init(void *area);

/*
 * Registers to @area, and back. fpu_restore() is false, and the registers are anything, where the
 * processor refuses @area: what fpu_init() and fpu_save() made is never refused.
 */
void fpu_save(void *area);
bool fpu_restore(const void *area);

/*
 * Would the processor take @area, wherever it came from? Not: reserved bits of MXCSR, a part that
 * programs cannot have, a header that is not 0 where it must be.
 */
bool fpu_area_valid(const void *area) MUST_CHECK;

/*
 * The named @parts of the registers become what a program starts with; PKRU, if it is one of them, 0, as XRSTOR has it.
 * fpu_start(): all of them, and PKRU, where there is one, @pkru.
 */
void fpu_fresh(uint64_t parts);
void fpu_start(uint32_t pkru);

/*
 * Signal frames: fpu_frame.c. Bytes of the area with FPU_MAGIC2 behind it, as Linux lays it out (without XSAVE: the area
 * alone).
 */
static inline uint32_t fpu_frame_bytes(void)
{
    return fpu_format.bytes + (fpu_format.xsave ? (uint32_t)sizeof(uint32_t) : 0);
}

/* All registers, PKRU too, to a program's memory at @to, aligned to FPU_ALIGN. Out: false: it cannot be written. */
bool fpu_frame_write(vaddr_t to) MUST_CHECK;

/*
 * The other way, from what a program may have written. As Linux does, bytes without the magic numbers are FXSAVE's part
 * alone, and all that is left out starts afresh. Out: false: it cannot be read, or the processor refuses it: the registers are
 * anything then, and Linux makes them fpu_start()'s.
 */
bool fpu_frame_read(vaddr_t from) MUST_CHECK;

/*
 * uaccess.S: the instructions. @to and @from are of a program, and in range; @parts are bits of XCR0. Writing clears the header
 * first, marks x87 and SSE as in use, and writes @software and FPU_MAGIC2. Reading compares those first. Out: false: it faulted.
 */
enum fpu_read {
    FPU_READ_FAULT,
    FPU_READ_GOOD,
    FPU_READ_OTHER, /* @software is not what is there: nothing was done */
};
enum fpu_read raw_fpu_frame_read(vaddr_t from, uint64_t parts,
                                 const struct fpu_software *software) MUST_CHECK;
bool raw_fpu_frame_write(vaddr_t to, uint64_t parts,
                         const struct fpu_software *software) MUST_CHECK;
bool raw_fpu_xrstor(vaddr_t from, uint64_t parts) MUST_CHECK;
bool raw_fpu_fxrstor(vaddr_t from) MUST_CHECK;

#endif
