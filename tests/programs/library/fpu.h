/*
 * The state of x87, SSE and AVX as a value: loaded and stored whole by library/fpu.S, for programs that look
 * whether it survives. C code does not touch it (-mgeneral-regs-only).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fpu_image {
    uint16_t control; /* FXSAVE's layout: SDM Vol. 1, 10.5.1 */
    uint16_t status;
    uint8_t tags;
    uint8_t reserved;
    uint16_t opcode;
    uint64_t instruction;
    uint64_t data;
    uint32_t mxcsr;
    uint32_t mxcsr_mask;
    uint8_t st[8][16]; /* 10 bytes each are the register */
    uint8_t xmm[16][16];
    uint8_t unused[96];
    uint8_t upper[16][16]; /* upper halves of YMM0 to YMM15 */
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct fpu_image) == 768, "fpu.S");

/* Load or store everything; @image must be aligned to 16 bytes. Needs AVX (fpu_has_avx()). */
void fpu_load(const struct fpu_image *image);
void fpu_store(struct fpu_image *image);

/* Do processor and kernel have AVX (CPUID.1:ECX.OSXSAVE and AVX, XCR0[2:1])? */
bool fpu_has_avx(void);
