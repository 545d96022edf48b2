/*
 * fpu_frame.c: extended state in Linux's signal frames, straight between registers and a program's memory. See fpu.h. Which
 * bytes there are believed is decided here and by the processor; the instructions are uaccess.S's.
 */
#include "fpu.h"

#include "uaccess.h"
#include "x86/registers.h"

#define AREA_BYTES_MIN (FPU_HEADER_AT + 64u)

/* What a frame says of itself. */
static const struct fpu_software *software_now(void)
{
    static struct fpu_software software = {.magic1 = FPU_MAGIC1};

    software.extended_bytes = fpu_format.bytes + (uint32_t)sizeof(uint32_t);
    software.features = fpu_format.features;
    software.xstate_bytes = fpu_format.bytes;
    return &software;
}

/* Without XSAVE. */
static __attribute__((noinline)) bool write_fxsave(vaddr_t to)
{
    static uint8_t area[FPU_HEADER_AT] __attribute__((aligned(FPU_ALIGN)));

    fpu_save(area);
    __builtin_memcpy(area + FPU_SOFTWARE_AT, software_now(), sizeof(struct fpu_software));
    return copy_to_user(to, area, sizeof(area)) == 0;
}

bool fpu_frame_write(vaddr_t to)
{
    if (!uaccess_in_range(to, fpu_frame_bytes())) {
        return false;
    }
    return fpu_format.xsave ? raw_fpu_frame_write(to, fpu_format.features, software_now())
                            : write_fxsave(to);
}

/* May there be more at @from than FXSAVE's part? The second magic number has the last word. */
static bool seems_extended(const struct fpu_software *software)
{
    return software->magic1 == FPU_MAGIC1 && software->xstate_bytes >= AREA_BYTES_MIN &&
           software->xstate_bytes <= fpu_format.bytes &&
           software->xstate_bytes <= software->extended_bytes;
}

/* A frame that is not as fpu_frame_write() makes them. */
static __attribute__((noinline)) bool read_other(vaddr_t from)
{
    struct fpu_software software;
    uint64_t parts = XCR0_X87 | XCR0_SSE, magic2 = 0;
    bool good;

    if (copy_from_user(&software, from + FPU_SOFTWARE_AT, sizeof(software)) != 0) {
        return false;
    }
    if (seems_extended(&software) &&
        !get_user(&magic2, from + software.xstate_bytes, sizeof(uint32_t))) {
        return false;
    }
    if (magic2 == FPU_MAGIC2) {
        parts = software.features & fpu_format.features;
        good = raw_fpu_xrstor(from, parts);
    } else {
        good = raw_fpu_fxrstor(from);
    }
    if (good && parts != fpu_format.features) {
        fpu_fresh(fpu_format.features & ~parts);
    }
    return good;
}

bool fpu_frame_read(vaddr_t from)
{
    if (!uaccess_in_range(from, fpu_frame_bytes())) {
        return false;
    }
    if (!fpu_format.xsave) {
        return raw_fpu_fxrstor(from);
    }
    switch (raw_fpu_frame_read(from, fpu_format.features, software_now())) {
    case FPU_READ_FAULT:
        return false;
    case FPU_READ_GOOD:
        return true;
    case FPU_READ_OTHER:
        break;
    }
    return read_other(from);
}
