/*
 * cpuid.h: what this processor has, by the names that SKIP lines use. SDM vol. 2A CPUID.
 */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include "types.h"

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/*
 * One row a feature: name as printed, leaf, subleaf, register, bit. The order is an interface:
 * records and the JSON report hold masks of it; append only.
 */
#define CPUID_FEATURES(X)                                                                          \
    X(NX, "NX", 0x80000001, 0, edx, 20)                                                            \
    X(GB_PAGES, "1-GiB pages", 0x80000001, 0, edx, 26)                                             \
    X(SMEP, "SMEP", 7, 0, ebx, 7)                                                                  \
    X(SMAP, "SMAP", 7, 0, ebx, 20)                                                                 \
    X(PKU, "PKU", 7, 0, ecx, 3)                                                                    \
    X(PKS, "PKS", 7, 0, ecx, 31)                                                                   \
    X(LA57, "LA57", 7, 0, ecx, 16)                                                                 \
    X(CET_SS, "CET", 7, 0, ecx, 7)                                                                 \
    X(PCID, "PCID", 1, 0, ecx, 17)                                                                 \
    X(INVPCID, "INVPCID", 7, 0, ebx, 10)                                                           \
    X(PGE, "PGE", 1, 0, edx, 13)                                                                   \
    X(UMIP, "UMIP", 7, 0, ecx, 2)                                                                  \
    X(XSAVE, "XSAVE", 1, 0, ecx, 26)                                                               \
    X(RDTSCP, "RDTSCP", 0x80000001, 0, edx, 27)                                                    \
    X(FSGSBASE, "FSGSBASE", 7, 0, ebx, 0)                                                          \
    X(X2APIC, "x2APIC", 1, 0, ecx, 21)                                                             \
    X(APIC, "APIC", 1, 0, edx, 9)                                                                  \
    X(SYSENTER, "SYSENTER", 1, 0, edx, 11)                                                         \
    X(HYPERVISOR, "hypervisor", 1, 0, ecx, 31)                                                     \
    X(ERMS, "ERMS", 7, 0, ebx, 9)                                                                  \
    X(XSAVES, "XSAVES", 0xd, 1, eax, 3)                                                            \
    X(CET_IBT, "IBT", 7, 0, edx, 20)                                                               \
    X(SYSCALL, "SYSCALL", 0x80000001, 0, edx, 11)                                                  \
    X(PAT, "PAT", 1, 0, edx, 16)                                                                   \
    X(AVX, "AVX", 1, 0, ecx, 28)                                                                   \
    X(AVX512F, "AVX-512", 7, 0, ebx, 16)                                                           \
    X(CX16, "CMPXCHG16B", 1, 0, ecx, 13)                                                           \
    X(CLFSH, "CLFLUSH", 1, 0, edx, 19)                                                             \
    X(CLWB, "CLWB", 7, 0, ebx, 24)                                                                 \
    X(LAM, "LAM", 7, 1, eax, 26)

enum cpu_feature {
#define X(id, name, leaf, subleaf, reg, bit) FEATURE_##id,
    CPUID_FEATURES(X)
#undef X
        FEATURE_COUNT
};

#endif
