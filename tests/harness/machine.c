/*
 * machine.c: what this machine is, from CPUID and port 0xe9. SDM vol. 2A CPUID, table 3-8; APM
 * vol. 3 appendix E. All but machine_identify is pure: tests hand it recorded CPUID answers.
 */
#include "machine.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define LEAF_FEATURES   7u
#define LEAF_EXTENDED   0x80000000u
#define LEAF_BRAND      0x80000002u /* and the next two */
#define LEAF_WIDTHS     0x80000008u
#define LEAF_ENCRYPTION 0x8000001fu /* AMD: SME and SEV */

/* Leaves of hypervisors, one block of 0x100 for each interface that the hypervisor offers. */
#define LEAF_HYPERVISOR   0x40000000u
#define HYPERVISOR_BLOCK  0x100u
#define HYPERVISOR_BLOCKS 16u
#define BOCHS_PORT        0xe9
#define BOCHS_PORT_READS  0xe9

struct machine machine;

const char *const feature_names[FEATURE_COUNT] = {
#define X(id, name, leaf, subleaf, reg, bit) [FEATURE_##id] = name,
    CPUID_FEATURES(X)
#undef X
};

/* What the first 12 bytes after EAX of a hypervisor's leaf are, and who that is. */
static const struct {
    char signature[13];
    char name[12];
} hypervisors[] = {
    {"Microsoft Hv", "Hyper-V"   }, /* others offer its interface too, with their own in a later block
  */
    {"TCGTCGTCGTCG", "QEMU TCG"  },
    {"KVMKVMKVM",    "KVM"       },
    {"Linux KVM Hv", "KVM"       },
    {"VMwareVMware", "VMware"    },
    {"VBoxVBoxVBox", "VirtualBox"},
    {"XenVMMXenVMM", "Xen"       },
    {"bhyve bhyve ", "bhyve"     },
    {"ACRNACRNACRN", "ACRN"      },
    {"OpenBSDVMM58", "OpenBSD"   },
    {" lrpepyh  vr", "Parallels" },
};

/*
 * A leaf's answer; all zero when the processor does not have the leaf, whose bits would be
 * another's. Of leaf 7, EAX of subleaf 0 tells the last subleaf.
 */
static struct cpuid_result leaf_or_zero(cpuid_reader *read, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result none = {0}, limit = read(leaf & LEAF_EXTENDED, 0);
    bool there = limit.eax >= leaf && (limit.eax ^ leaf) < LEAF_EXTENDED;

    if (there && leaf == LEAF_FEATURES && subleaf) {
        there = read(leaf, 0).eax >= subleaf;
    }
    return there ? read(leaf, subleaf) : none;
}

static enum vendor vendor_of(const char *text)
{
    static const struct {
        char text[13];
        enum vendor vendor;
    } vendors[] = {
        {"GenuineIntel", VENDOR_INTEL},
        {"AuthenticAMD", VENDOR_AMD  },
        {"HygonGenuine", VENDOR_AMD  },
    };

    for (size_t i = 0; i < ARRAY_COUNT(vendors); i++)
        if (memcmp(text, vendors[i].text, sizeof vendors[i].text) == 0)
            return vendors[i].vendor;
    return VENDOR_OTHER;
}

/* The processor's name without the blanks that some put in front of and behind it. */
static void read_brand(struct machine *m, cpuid_reader *read)
{
    char text[sizeof m->brand] = "";
    size_t begin = 0, end;

    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_result part = leaf_or_zero(read, LEAF_BRAND + i, 0);
        memcpy(text + i * sizeof part, &part, sizeof part);
    }
    while (text[begin] == ' ')
        begin++;
    for (end = begin; text[end]; end++)
        if (text[end] < ' ' || text[end] > '~')
            text[end] = '?';
    while (end > begin && text[end - 1] == ' ')
        end--;
    memcpy(m->brand, text + begin, end - begin);
}

/* SDM vol. 2A, CPUID 1: the extended fields belong to some base families only. */
static void read_family(struct machine *m, cpuid_reader *read)
{
    uint32_t eax = leaf_or_zero(read, 1, 0).eax;

    m->stepping = eax & 15;
    m->model = eax >> 4 & 15;
    m->family = eax >> 8 & 15;
    if (m->family == 6 || m->family == 15)
        m->model |= (eax >> 16 & 15) << 4;
    if (m->family == 15)
        m->family += eax >> 20 & 0xff;
}

static void read_features(struct machine *m, cpuid_reader *read)
{
#define X(id, name, leaf, subleaf, reg, bit)                                                       \
    if (leaf_or_zero(read, leaf, subleaf).reg >> (bit)&1)                                          \
        m->features |= BIT(FEATURE_##id);
    CPUID_FEATURES(X)
#undef X
}

static void read_widths(struct machine *m, cpuid_reader *read)
{
    struct cpuid_result widths = leaf_or_zero(read, LEAF_WIDTHS, 0);
    struct cpuid_result encryption = leaf_or_zero(read, LEAF_ENCRYPTION, 0);

    m->physical_bits = widths.eax ? (uint8_t)widths.eax : 36;
    m->linear_bits = widths.eax ? (uint8_t)(widths.eax >> 8) : 48;
    if (m->vendor == VENDOR_AMD && encryption.eax & 3) { /* SME or SEV */
        m->encryption_bit = encryption.ebx & 63;
        m->physical_reduction = encryption.ebx >> 6 & 63;
    }
}

/* The hypervisor by its signature; of several known ones the last, as the first may be an
 * imitation. */
static void read_hypervisor(struct machine *m, cpuid_reader *read)
{
    if (!(m->features & BIT(FEATURE_HYPERVISOR)))
        return;
    for (uint32_t block = 0; block < HYPERVISOR_BLOCKS; block++) {
        struct cpuid_result r = read(LEAF_HYPERVISOR + block * HYPERVISOR_BLOCK, 0);
        for (size_t i = 0; i < ARRAY_COUNT(hypervisors); i++)
            if (memcmp((const char *)&r + 4, hypervisors[i].signature, 12) == 0)
                memcpy(m->emulator, hypervisors[i].name, sizeof hypervisors[i].name);
    }
}

void machine_decode(struct machine *m, cpuid_reader *read, unsigned levels)
{
    struct cpuid_result vendor = read(0, 0);

    memset(m, 0, sizeof *m);
    m->levels = (uint8_t)levels;
    memcpy(m->vendor_text, &vendor.ebx, 4);
    memcpy(m->vendor_text + 4, &vendor.edx, 4);
    memcpy(m->vendor_text + 8, &vendor.ecx, 4);
    m->vendor = (uint8_t)vendor_of(m->vendor_text);
    read_brand(m, read);
    read_family(m, read);
    read_features(m, read);
    read_widths(m, read);
    read_hypervisor(m, read);
}

void machine_settle_encryption(struct machine *m, bool enabled)
{
    /* A guest cannot see whether it is on; its hypervisor has taken the bits off the width. */
    if (m->features & BIT(FEATURE_HYPERVISOR))
        m->physical_reduction = 0;
    else if (!enabled)
        m->encryption_bit = m->physical_reduction = 0;
    m->physical_bits = (uint8_t)(m->physical_bits - m->physical_reduction);
}

void machine_identify(unsigned levels)
{
    bool guest;

    machine_decode(&machine, cpuid, levels);
    guest = machine_has(FEATURE_HYPERVISOR);

    /* The MSR exists where the leaf does, except perhaps in a guest. */
    machine_settle_encryption(&machine, machine.encryption_bit && !guest &&
                                            read_msr(MSR_AMD_SYSCFG) & SYSCFG_MEM_ENCRYPT);

    /* A port where nothing is reads 0xff. A guest with a signature is not asked: reading a port may
     * cost it an exception (#VC, #VE). QEMU's isa-debugcon answers like Bochs, but has a signature.
     */
    if (!guest && read_port8(BOCHS_PORT) == BOCHS_PORT_READS)
        memcpy(machine.emulator, "Bochs", sizeof "Bochs");
}

const char *machine_emulator_version(const char *name_version)
{
    size_t name = 0, version = 0;

    while (name_version[name] && !(name_version[name] == '-' && name_version[name + 1] >= '0' &&
                                   name_version[name + 1] <= '9'))
        name++;
    if (name == 0 || !name_version[name] || name >= sizeof machine.emulator)
        return NULL;
    while (name_version[name + 1 + version])
        version++;
    return version < sizeof machine.emulator_version ? name_version + name + 1 : NULL;
}

void machine_set_emulator(struct machine *m, const char *name_version)
{
    const char *version = machine_emulator_version(name_version);
    size_t length = 0;

    if (!version)
        return;
    do
        m->emulator_version[length] = version[length];
    while (version[length++]);
    if (m->emulator[0])
        return;
    length = (size_t)(version - 1 - name_version);
    memcpy(m->emulator, name_version, length);
    m->emulator[length] = '\0';
}
