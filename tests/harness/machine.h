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
    uint8_t vendor; /* enum vendor */
    uint8_t physical_bits;      /* MAXPHYADDR, 36 when CPUID does not say */
    uint8_t linear_bits;        /* 48 or 57 as CPUID 80000008H says */
    uint8_t levels;             /* of paging, as our world runs: 4 or 5 */
    uint32_t family, model, stepping; /* as displayed: extended fields added */
    uint64_t features;          /* BIT(enum cpu_feature) */
    uint8_t encryption_bit;     /* AMD C-bit position, 0: none */
    uint8_t physical_reduction; /* bits that memory encryption takes from physical_bits */
    char emulator[32];          /* "QEMU TCG", "Bochs", "KVM", "" on bare metal; by signature only */
    char emulator_version[32];  /* from --emulator NAME-VERSION; "" unknown */
};

extern struct machine machine;

/* Fill @machine from CPUID and port 0xe9. Core only: executes privileged instructions. */
void machine_identify(unsigned levels);

/* Take NAME-VERSION of --emulator: sets version, and the name where no signature spoke. Pure. */
void machine_set_emulator(struct machine *m, const char *name_version);

static inline bool machine_has(enum cpu_feature feature)
{
    return (machine.features >> feature) & 1;
}

extern const char *const feature_names[FEATURE_COUNT];

#endif
