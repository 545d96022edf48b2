/*
 * fpu.c: extended state in registers. See fpu.h; what areas hold is fpu_area.c's.
 */
#include "fpu.h"

#include "boot_info.h"
#include "cpu.h"
#include "extable.h"
#include "x86/cpuid.h"
#include "x86/instructions.h"
#include "x86/registers.h"

/* The firmware's, of each processor. AMX alone has 8 KiB. */
#define FIRMWARE_BYTES 16384u
static uint8_t firmware[CPUS_MAX][FIRMWARE_BYTES] __attribute__((aligned(FPU_ALIGN)));

/* What programs start with; PKRU is written there each time. */
static uint8_t initial[FPU_BYTES_MAX] __attribute__((aligned(FPU_ALIGN)));

#define MXCSR_MASK_AT      28u
#define MXCSR_MASK_DEFAULT 0xffbfu /* where the processor does not say: SDM vol. 1 11.6.6 */

static bool has_xsave(void)
{
    return cpuid(1, 0).ecx & BIT(26);
}

/* What programs may have: of what CPUID offers those parts that Linux hands out, AVX-512 whole or not. */
static uint64_t program_features(void)
{
    struct cpuid_result leaf = cpuid(0xd, 0);
    uint64_t features = leaf.eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU);

    if ((features & XCR0_AVX512) != XCR0_AVX512 || !(features & XCR0_AVX)) {
        features &= ~(uint64_t)XCR0_AVX512;
    }
    if (features & XCR0_PKRU && cpuid(0xd, 9).ebx < FPU_HEADER_AT) {
        features &= ~(uint64_t)XCR0_PKRU; /* Bochs 2.7 gives it no place of its own */
    }
    return features;
}

/* In: XCR0 as programs have it. */
static bool find_format(struct cpu *cpu, bool has_header)
{
    uint32_t mask;

    fpu_format.xsave = has_header;
    fpu_format.features = has_header ? read_xcr0() : XCR0_X87 | XCR0_SSE;
    fpu_format.bytes = has_header ? cpuid(0xd, 0).ebx : FPU_HEADER_AT;
    fpu_format.pkru_at = fpu_format.features & XCR0_PKRU ? cpuid(0xd, 9).ebx : 0;
    __builtin_memcpy(&mask, &firmware[cpu->number][MXCSR_MASK_AT], sizeof(mask));
    fpu_format.mxcsr_mask = mask ? mask : MXCSR_MASK_DEFAULT;
    if (fpu_format.bytes > FPU_BYTES_MAX) {
        return false;
    }
    fpu_init(initial);
    if (fpu_format.pkru_at) {
        const uint64_t in_use = XCR0_PKRU;
        __builtin_memcpy(initial + FPU_HEADER_AT, &in_use, sizeof(in_use));
    }
    return true;
}

/* Without these the instructions below fault. */
static void allow(bool xsaves)
{
    write_cr0((read_cr0() & ~(uint64_t)(CR0_TS | CR0_EM)) | CR0_MP);
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (xsaves ? CR4_OSXSAVE : 0));
}

bool fpu_begin(struct cpu *cpu)
{
    bool header = has_xsave();
    uint8_t *saved = firmware[cpu->number];

    allow(header);
    if (cpu->fpu.begun) {
        if (header) {
            write_xcr0(
                fpu_format.features); /* somebody may have gone back to the firmware's in between */
        }
        return true;
    }
    if (header) {
        /* All that either side can reach, whatever the firmware has in use. */
        uint64_t theirs = read_xcr0(), ours = program_features();
        write_xcr0(theirs | ours);
        if (cpuid(0xd, 0).ebx > FIRMWARE_BYTES) {
            write_xcr0(theirs);
            return false;
        }
        xsave(saved, theirs | ours);
        cpu->fpu.parts = theirs | ours;
        write_xcr0(ours);
    } else {
        fxsave(saved);
    }
    cpu->fpu.begun = true;
    return find_format(cpu, header);
}

void fpu_end(struct cpu *cpu)
{
    const uint8_t *saved = firmware[cpu->number];
    bool header = has_xsave();

    if (!cpu->fpu.begun) {
        return;
    }
    cpu->fpu.begun = false;
    allow(header);
    if (header) {
        write_xcr0(cpu->fpu.parts);
        xrstor(saved, cpu->fpu.parts);
    } else {
        fxrstor(saved);
    }
}

void fpu_save(void *area)
{
    if (fpu_format.xsave) {
        xsave(area, fpu_format.features & ~(uint64_t)XCR0_PKRU);
    } else {
        fxsave(area);
    }
}

bool fpu_restore(const void *area)
{
    uint64_t parts = fpu_format.features & ~(uint64_t)XCR0_PKRU;
    uint32_t done = 0;

    /* Areas are judged before they get here: this is for what that judgement might have missed. */
    if (fpu_format.xsave) {
        __asm__ volatile("1: xrstor64 (%1)\n"
                         "mov $1, %0\n"
                         "2:\n" EXTABLE("1b", "2b", EX_DEFAULT)
                         : "+r"(done)
                         : "r"(area), "a"((uint32_t)parts), "d"((uint32_t)(parts >> 32))
                         : "memory");
    } else {
        __asm__ volatile("1: fxrstor64 (%1)\n"
                         "mov $1, %0\n"
                         "2:\n" EXTABLE("1b", "2b", EX_DEFAULT)
                         : "+r"(done)
                         : "r"(area)
                         : "memory");
    }
    return done;
}

static void start(uint64_t parts, uint32_t pkru)
{
    if (fpu_format.xsave) {
        if (fpu_format.pkru_at) {
            __builtin_memcpy(initial + fpu_format.pkru_at, &pkru, sizeof(pkru));
        }
        xrstor(initial, parts);
    } else {
        fxrstor(initial);
    }
}

void fpu_fresh(uint64_t parts)
{
    start(parts, 0);
}

void fpu_start(uint32_t pkru)
{
    start(fpu_format.features, pkru);
}
