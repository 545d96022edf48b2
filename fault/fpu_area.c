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

#define FX_PARTS (XCR0_X87 | XCR0_SSE)

static void x87_start(struct fxsave *fx)
{
    fx->fcw = FPU_FCW_START;
    fx->fsw = fx->fop = 0;
    fx->ftw = fx->reserved1 = 0;
    fx->fip = fx->fdp = 0;
    memset(fx->st, 0, sizeof(fx->st));
}

void fpu_init(void *area)
{
    struct fxsave *fx = area;

    memset(area, 0, fpu_format.bytes);
    fx->fcw = FPU_FCW_START;
    fx->mxcsr = FPU_MXCSR_START; /* XRSTOR loads it from here even though XSTATE_BV is 0 */
}

static bool fx_valid(const struct fxsave *fx)
{
    return (fx->mxcsr & ~fpu_format.mxcsr_mask) == 0;
}

/* Bytes 63:24 of the header are nobody's. */
static bool header_valid(const struct xsave *area)
{
    return (area->xstate_bv & ~fpu_format.features) == 0 && area->xcomp_bv == 0 &&
           area->zero[0] == 0;
}

bool fpu_area_valid(const void *area)
{
    return fx_valid(area) && (!fpu_format.xsave || header_valid(area));
}

uint32_t fpu_frame_bytes(void)
{
    return fpu_format.bytes + (fpu_format.xsave ? (uint32_t)sizeof(uint32_t) : 0);
}

void fpu_frame_make(void *frame, const void *area, uint32_t pkru)
{
    struct xsave *to = frame;
    const uint32_t magic2 = FPU_MAGIC2;

    memcpy(frame, area, fpu_format.bytes);
    memset(&to->fx.software, 0, sizeof(to->fx.software));
    if (!fpu_format.xsave) {
        return;
    }
    to->fx.software = (struct fpu_software){
        .magic1 = FPU_MAGIC1,
        .extended_bytes = fpu_frame_bytes(),
        .features = fpu_format.features,
        .xstate_bytes = fpu_format.bytes,
    };
    memcpy((uint8_t *)frame + fpu_format.bytes, &magic2, sizeof(magic2));
    to->xstate_bv |= FX_PARTS; /* who edits registers there need not know of the header */
    if (fpu_format.pkru_at) {
        memcpy((uint8_t *)frame + fpu_format.pkru_at, &pkru, sizeof(pkru));
        to->xstate_bv = (to->xstate_bv & ~(uint64_t)XCR0_PKRU) | (pkru ? XCR0_PKRU : 0);
    }
}

/* Has @frame more than FXSAVE's part, by its magic numbers? */
static bool is_extended(const void *frame)
{
    const struct fpu_software *software = &((const struct fxsave *)frame)->software;
    uint32_t magic2;

    if (!fpu_format.xsave || software->magic1 != FPU_MAGIC1 ||
        software->xstate_bytes < sizeof(struct xsave) ||
        software->xstate_bytes > fpu_format.bytes ||
        software->xstate_bytes > software->extended_bytes) {
        return false;
    }
    memcpy(&magic2, (const uint8_t *)frame + software->xstate_bytes, sizeof(magic2));
    return magic2 == FPU_MAGIC2;
}

bool fpu_frame_take(void *area, uint32_t *pkru, const void *frame)
{
    const struct xsave *from = frame;
    struct xsave *to = area;
    bool extended = is_extended(frame);
    uint64_t kept = FX_PARTS;

    if (!fx_valid(&from->fx) || (extended && !header_valid(from))) {
        return false;
    }
    if (extended) {
        kept = from->xstate_bv & from->fx.software.features;
    }
    memcpy(area, frame, extended ? from->fx.software.xstate_bytes : sizeof(struct fxsave));
    memset(&to->fx.software, 0, sizeof(to->fx.software));
    if (fpu_format.xsave) {
        /* The processor makes a part afresh whose bit is clear; frames show x87 and SSE all the same. */
        to->xstate_bv = kept & ~(uint64_t)XCR0_PKRU;
        to->xcomp_bv = 0;
        memset(to->zero, 0, sizeof(to->zero));
    }
    if (!(kept & XCR0_SSE)) {
        memset(to->fx.xmm, 0, sizeof(to->fx.xmm));
    }
    if (!(kept & XCR0_X87)) {
        x87_start(&to->fx);
    }
    if (fpu_format.pkru_at) {
        *pkru = 0;
        if (kept & XCR0_PKRU) {
            memcpy(pkru, (const uint8_t *)frame + fpu_format.pkru_at, sizeof(*pkru));
        }
    }
    return true;
}
