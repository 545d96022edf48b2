/*
 * fpu_played.h: extended state on a simulated machine, for one host program that includes this: registers
 * are not there, but what goes between them and a program's memory is written, read and judged as a processor does.
 * It replaces what fault/fpu.c and fault/uaccess.S have for signal frames.
 */
#ifndef HOST_FPU_PLAYED_H
#define HOST_FPU_PLAYED_H

#include <string.h>

#include "fault/fpu.h"
#include "fault/uaccess_raw.h"
#include "tests/host/machine_simulated.h"

void fpu_fresh(uint64_t parts)
{
    (void)parts;
}

void fpu_start(uint32_t pkru)
{
    if (fpu_format.pkru_at) {
        simulated.pkru = pkru;
    }
}

bool raw_fpu_frame_write(vaddr_t to, uint64_t parts, const struct fpu_software *software)
{
    uint8_t frame[FPU_BYTES_MAX + sizeof(uint32_t)] __attribute__((aligned(FPU_ALIGN)));
    const uint32_t magic2 = FPU_MAGIC2;

    memset(frame, 0, sizeof(frame));
    fpu_init(frame);
    memcpy(frame + FPU_SOFTWARE_AT, software, sizeof(*software));
    memcpy(frame + FPU_HEADER_AT, &parts, sizeof(parts));
    if (fpu_format.pkru_at) {
        memcpy(frame + fpu_format.pkru_at, &simulated.pkru, sizeof(simulated.pkru));
    }
    memcpy(frame + fpu_format.bytes, &magic2, sizeof(magic2));
    return raw_copy_to_user((void *)(uintptr_t)to, frame, fpu_frame_bytes()) == 0;
}

/* Would the processor take the first @bytes of an area at @from? */
static bool fpu_played_takes(vaddr_t from, uint32_t bytes)
{
    uint8_t area[FPU_BYTES_MAX] __attribute__((aligned(FPU_ALIGN)));

    memset(area, 0, sizeof(area));
    return raw_copy_from_user(area, (const void *)(uintptr_t)from, bytes) == 0 &&
           fpu_area_valid(area);
}

bool raw_fpu_xrstor(vaddr_t from, uint64_t parts)
{
    (void)parts;
    return fpu_played_takes(from, fpu_format.bytes);
}

enum fpu_read raw_fpu_frame_read(vaddr_t from, uint64_t parts, const struct fpu_software *software)
{
    const uint32_t magic2 = FPU_MAGIC2;
    struct fpu_software there;
    uint32_t behind;

    if (raw_copy_from_user(&there, (const void *)(uintptr_t)(from + FPU_SOFTWARE_AT),
                           sizeof(there)) ||
        raw_copy_from_user(&behind, (const void *)(uintptr_t)(from + fpu_format.bytes),
                           sizeof(behind))) {
        return FPU_READ_FAULT;
    }
    if (memcmp(&there, software, offsetof(struct fpu_software, padding)) != 0 || behind != magic2) {
        return FPU_READ_OTHER;
    }
    return raw_fpu_xrstor(from, parts) ? FPU_READ_GOOD : FPU_READ_FAULT;
}

bool raw_fpu_fxrstor(vaddr_t from)
{
    return fpu_played_takes(from, FPU_HEADER_AT);
}

#endif
