/*
 * fpu_area.c: areas of extended state as data: nothing here touches a register. See fpu.h; SDM vol. 1
 * 10.5.1 and 13.4.
 */
#include "fpu.h"

#include "x86/memory.h"
#include "x86/registers.h"

struct fpu_format fpu_format;

/* FXSAVE's part, as far as it is looked at, and XSAVE's header. */
struct fxsave {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved1;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16], reserved2[48];
    struct fpu_software software;
};
struct xsave {
    struct fxsave fx;
    uint64_t xstate_bv, xcomp_bv, zero[6];
};
_Static_assert(offsetof(struct fxsave, mxcsr) == 24, "SDM table 10-2");
_Static_assert(offsetof(struct fxsave, software) == FPU_SOFTWARE_AT, "SDM table 10-2");
_Static_assert(offsetof(struct xsave, xstate_bv) == FPU_HEADER_AT, "SDM vol. 1 13.4.2");
_Static_assert(sizeof(struct xsave) == 576, "SDM vol. 1 13.4");

void fpu_init(void *area)
{
    struct fxsave *fx = area;

    memset(area, 0, fpu_format.bytes);
    fx->fcw = FPU_FCW_START;
    fx->mxcsr = FPU_MXCSR_START; /* XRSTOR loads it from here even though XSTATE_BV is 0 */
}

/* Bytes 63:24 of the header are nobody's. */
static bool header_valid(const struct xsave *area)
{
    return (area->xstate_bv & ~fpu_format.features) == 0 && area->xcomp_bv == 0 &&
           area->zero[0] == 0;
}

bool fpu_area_valid(const void *area)
{
    const struct fxsave *fx = area;

    return (fx->mxcsr & ~fpu_format.mxcsr_mask) == 0 && (!fpu_format.xsave || header_valid(area));
}
