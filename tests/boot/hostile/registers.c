/*
 * registers.c: everything that is verified, each with the instruction that reads it and the one
 * that writes it. SDM vol. 2; vol. 4 for the MSRs.
 */
#include "hostile.h"

#include "x86/instructions.h"
#include "x86/pte.h"
#include "x86/registers.h"

#define RFLAGS_KEPT UINT64_C(0x47600) /* IF DF IOPL NT AC */

const char *const register_names[REG_COUNT] = {
#define X(name, read, write) #name,
    REGISTERS(X)
#undef X
};

static const struct {
    const char *name;
    uint32_t leaf, subleaf, reg, bit;
} features[FEATURE_COUNT] = {
#define X(id, name, leaf, subleaf, reg, bit)                                                       \
    {name, leaf, subleaf, (uint32_t)offsetof(struct cpuid_result, reg), bit},
    CPUID_FEATURES(X)
#undef X
};

bool cpu_has(enum cpu_feature feature)
{
    uint32_t leaf = features[feature].leaf;
    if (cpuid(leaf & 0x80000000, 0).eax < leaf)
        return false;
    struct cpuid_result all = cpuid(leaf, features[feature].subleaf);
    return *(const uint32_t *)((const uint8_t *)&all + features[feature].reg) >>
               features[feature].bit &
           1;
}

const char *cpu_feature_name(enum cpu_feature feature)
{
    return features[feature].name;
}

/* FNV-1a over 64-bit words, each with @mask. */
static uint64_t checksum(uint64_t at, uint64_t bytes, uint64_t mask)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (uint64_t i = 0; i + 8 <= bytes; i += 8)
        sum = (sum ^ (*(const uint64_t *)(at + i) & mask)) * UINT64_C(0x100000001b3);
    return sum;
}

static uint64_t stack_xd(void)
{
    unsigned level;
    const uint64_t *leaf = leaf_entry(read_rsp(), &level);
    return leaf ? *leaf & PTE_XD : 0;
}

/* PI specification, vol. 2, 12.14: the only way to read what UEFI only sets. */
struct watchdog_protocol {
    EFI_STATUS(EFIAPI *register_handler)(struct watchdog_protocol *, void *);
    EFI_STATUS(EFIAPI *set_period)(struct watchdog_protocol *, UINT64);
    EFI_STATUS(EFIAPI *get_period)(struct watchdog_protocol *, UINT64 *);
};

static uint64_t watchdog_period(void)
{
    static const EFI_GUID guid = {
        0x665e3ff5, 0x46cc, 0x11d4, {0x9a, 0x38, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d}
    };
    struct watchdog_protocol *watchdog = firmware_any_protocol(&guid);
    UINT64 period = 0;
    if (!watchdog || EFI_ERROR(watchdog->get_period(watchdog, &period)))
        return 0;
    return period;
}

uint64_t hostile_interrupt_stack(void); /* mode.S */
void hostile_load_cs(uint64_t selector);

static uint64_t ist_stack(void)
{
    return own_task_loaded() ? hostile_interrupt_stack() : 0;
}

static uint64_t msr_read(enum cpu_feature feature, uint32_t msr)
{
    return feature == FEATURE_COUNT || cpu_has(feature) ? read_msr(msr) : 0;
}

/* XCR0 and PKRU can only be touched while a bit of CR4 is set. */
static uint64_t xcr0_read(void)
{
    if (!cpu_has(FEATURE_XSAVE))
        return 0;
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSXSAVE);
    uint64_t value = read_xcr0();
    write_cr4(cr4);
    return value;
}

static void xcr0_write(uint64_t value)
{
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_OSXSAVE);
    write_xcr0(value);
    write_cr4(cr4);
}

static uint64_t pkru_read(void)
{
    if (!cpu_has(FEATURE_PKU))
        return 0;
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_PKE);
    uint64_t value = read_pkru();
    write_cr4(cr4);
    return value;
}

static void pkru_write(uint64_t value)
{
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 | CR4_PKE);
    write_pkru((uint32_t)value);
    write_cr4(cr4);
}

/* Loading FS or GS also loads its base, which is another row's. */
static void selector_write(void (*load)(uint16_t), uint32_t base_msr, uint64_t value)
{
    uint64_t base = read_msr(base_msr);
    load((uint16_t)value);
    write_msr(base_msr, base);
}

uint64_t register_read(enum reg reg)
{
    switch (reg) {
#define X(name, read, write)                                                                       \
    case REG_##name:                                                                               \
        return read;
        REGISTERS(X)
#undef X
    case REG_COUNT:
        break;
    }
    return 0;
}

#define READ_ONLY (void)value
void register_write(enum reg reg, uint64_t value)
{
    switch (reg) {
#define X(name, read, write)                                                                       \
    case REG_##name:                                                                               \
        write;                                                                                     \
        break;
        REGISTERS(X)
#undef X
    case REG_COUNT:
        break;
    }
}
