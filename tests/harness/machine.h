/*
 * machine.h: what this machine is, read once from CPUID and from what efi/ was told by firmware.
 */
#ifndef HARNESS_MACHINE_H
#define HARNESS_MACHINE_H

#include "x86/cpuid.h"

enum vendor {
    VENDOR_INTEL,
    VENDOR_AMD, /* and Hygon */
    VENDOR_OTHER
};

struct machine {
    char vendor_text[13];
    char brand[49];
    uint8_t vendor;                   /* enum vendor */
    uint8_t physical_bits;            /* MAXPHYADDR, 36 when CPUID does not say */
    uint8_t linear_bits;              /* 48 or 57 as CPUID 80000008H says */
    uint8_t levels;                   /* of paging, as our world runs: 4 or 5 */
    uint32_t family, model, stepping; /* as displayed: extended fields added */
    uint64_t features;                /* BIT(enum cpu_feature) */
    uint8_t encryption_bit;     /* AMD C-bit position, never reserved; 0: none, or it is off */
    uint8_t physical_reduction; /* bits that memory encryption has taken off physical_bits */
    char emulator[32];         /* "QEMU TCG", "Bochs", "KVM", "" on bare metal; by signature only */
    char emulator_version[32]; /* from --emulator NAME-VERSION; "" unknown */
};

extern struct machine machine;

/* Fill @machine from CPUID and port 0xe9. Core only: executes privileged instructions. */
void machine_identify(unsigned levels);

/* What a CPUID leaf holds: the instruction's answer, or a recorded one. */
typedef struct cpuid_result cpuid_reader(uint32_t leaf, uint32_t subleaf);

/*
 * Fill @m from what @read answers. Leaves above the processor's highest are not used. Pure.
 * Out: physical_bits, encryption_bit and physical_reduction as CPUID has them, yet to be settled.
 */
void machine_decode(struct machine *m, cpuid_reader *read, unsigned levels);

/*
 * Memory encryption changes widths only while it is @enabled, which CPUID does not tell and a guest
 * cannot ask: give encryption_bit, physical_reduction and physical_bits their final values. Pure.
 */
void machine_settle_encryption(struct machine *m, bool enabled);

/* Take NAME-VERSION of --emulator: sets version, and the name where no signature spoke. Pure. */
void machine_set_emulator(struct machine *m, const char *name_version);

/*
 * Where the version starts in NAME-VERSION: behind the first '-' that a digit follows. Pure.
 * Out: NULL without a name or a version, or when one is longer than struct machine holds.
 */
const char *machine_emulator_version(const char *name_version);

static inline bool machine_has(enum cpu_feature feature)
{
    return (machine.features >> feature) & 1;
}

extern const char *const feature_names[FEATURE_COUNT];

#endif
