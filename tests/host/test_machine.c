/*
 * test_machine.c: what CPUID answers became, for recorded processors. What a leaf above the highest
 * answers was recorded too: it is another leaf's, and must not be believed.
 */
#include "tests/host/unit.h"

#include "tests/harness/machine.h"

struct answer {
    uint32_t leaf, subleaf;
    struct cpuid_result result;
};

/* clang-format off */
/* QEMU 7.2, -cpu max: highest extended leaf 8000000AH, highest hypervisor leaf 40000001H. */
static const struct answer qemu_max[] = {
    {0x00000000, 0, {0x0000000d, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x00000001, 0, {0x00060fb1, 0x00000800, 0xf6d8320b, 0x0fcbfbfd}},
    {0x00000007, 0, {0x00000000, 0x01d843a9, 0x8001020c, 0x00000000}},
    {0x0000000d, 1, {0x00000005, 0x000003c8, 0x00000000, 0x00000000}},
    {0x40000000, 0, {0x40000001, 0x54474354, 0x43544743, 0x47435447}},
    {0x40000100, 0, {0x0000021f, 0x00000240, 0x00000a88, 0x00000000}},
    {0x80000000, 0, {0x8000000a, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x80000001, 0, {0x00060fb1, 0x00000000, 0x00000075, 0xedd3fbfd}},
    {0x80000002, 0, {0x554d4551, 0x47435420, 0x55504320, 0x72657620}},
    {0x80000003, 0, {0x6e6f6973, 0x352e3220, 0x0000002b, 0x00000000}},
    {0x80000004, 0, {0x00000000, 0x00000000, 0x00000000, 0x00000000}},
    {0x80000008, 0, {0x00003928, 0x00000000, 0x00000000, 0x00000000}},
    {0x8000001f, 0, {0x0000021f, 0x00000240, 0x00000a88, 0x00000000}},
    {0},
};
/* QEMU 7.2, -cpu qemu64. */
static const struct answer qemu64[] = {
    {0x00000000, 0, {0x0000000d, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x00000001, 0, {0x00060fb1, 0x00000800, 0x80002001, 0x078bfbfd}},
    {0x40000000, 0, {0x40000001, 0x54474354, 0x43544743, 0x47435447}},
    {0x80000000, 0, {0x8000000a, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x80000001, 0, {0x00060fb1, 0x00000000, 0x00000005, 0x2193fbfd}},
    {0x80000002, 0, {0x554d4551, 0x72695620, 0x6c617574, 0x55504320}},
    {0x80000003, 0, {0x72657620, 0x6e6f6973, 0x352e3220, 0x0000002b}},
    {0x80000008, 0, {0x00003028, 0x00000000, 0x00000000, 0x00000000}},
    {0},
};
/* Bochs 2.7, model=tigerlake: an Intel Core i5-1135G7 without a hypervisor. */
static const struct answer bochs_tigerlake[] = {
    {0x00000000, 0, {0x0000001b, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {0x00000001, 0, {0x000806c1, 0x00010800, 0x77faf3bf, 0xbfebfbff}},
    {0x00000007, 0, {0x00000000, 0xf1bf27eb, 0x00405fce, 0xfc100510}},
    {0x0000000d, 1, {0x0000000f, 0x00000000, 0x00000000, 0x00000000}},
    {0x80000000, 0, {0x80000008, 0x00000000, 0x00000000, 0x00000000}},
    {0x80000001, 0, {0x00000000, 0x00000000, 0x00000121, 0x2c100000}},
    {0x80000002, 0, {0x68743131, 0x6e654720, 0x746e4920, 0x52286c65}},
    {0x80000003, 0, {0x6f432029, 0x54286572, 0x6920294d, 0x31312d35}},
    {0x80000004, 0, {0x37473533, 0x32204020, 0x4730342e, 0x00007a48}},
    {0x80000008, 0, {0x00003028, 0x00000000, 0x00000000, 0x00000000}},
    {0},
};
/* A guest of KVM on an AMD EPYC of family 25 model 17. */
static const struct answer kvm_epyc[] = {
    {0x00000000, 0, {0x0000001c, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x00000001, 0, {0x00a10f11, 0x00020800, 0xfffa3203, 0x178bfbff}},
    {0x00000007, 0, {0x00000001, 0xf1bf07ab, 0x00405fc6, 0x00000010}},
    {0x0000000d, 1, {0x0000000f, 0x000009a8, 0x00001800, 0x00000000}},
    {0x40000000, 0, {0x40000001, 0x4b4d564b, 0x564b4d56, 0x0000004d}},
    {0x80000000, 0, {0x80000021, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x80000001, 0, {0x00a10f11, 0x40000000, 0x004003f3, 0x2fd3fbff}},
    {0x80000002, 0, {0x20444d41, 0x43595045, 0x00000000, 0x00000000}},
    {0x80000008, 0, {0x00303030, 0x50020005, 0x00007001, 0x00000000}},
    {0},
};
/* Made up: the leaves that decide widths when memory encryption exists, C-bit 47, reduction 5. */
static const struct answer encrypting_amd[] = {
    {0x00000000, 0, {0x0000000d, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x00000001, 0, {0x00800f12, 0x00000000, 0x00000000, 0x00000000}},
    {0x80000000, 0, {0x8000001f, 0x68747541, 0x444d4163, 0x69746e65}},
    {0x80000008, 0, {0x00003030, 0x00000000, 0x00000000, 0x00000000}},
    {0x8000001f, 0, {0x0000000f, 0x0000016f, 0x00000000, 0x00000000}},
    {0},
};
/* Made up: no extended leaves (the answer is the highest basic leaf's), Intel, family 15 model 4. */
static const struct answer no_extended[] = {
    {0x00000000, 0, {0x00000001, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {0x00000001, 0, {0x00000f41, 0x00000000, 0x00000000, 0x00002000}},
    {0x00000007, 0, {0x00000000, 0xffffffff, 0xffffffff, 0xffffffff}},
    {0x80000000, 0, {0x00000f41, 0x00000000, 0x00000000, 0x00002000}},
    {0x80000001, 0, {0x00000f41, 0x00000000, 0x00000000, 0xffffffff}},
    {0x80000002, 0, {0x20202020, 0x20202020, 0x20202020, 0x20202020}},
    {0x80000008, 0, {0x00000f41, 0x00000000, 0x00000000, 0x00002000}},
    {0},
};
/* Made up: a hypervisor that imitates Hyper-V in its first block and says who it is in the second. */
static const struct answer imitation[] = {
    {0x00000000, 0, {0x00000001, 0x20202020, 0x6e617561, 0x62614720}},
    {0x00000001, 0, {0x00000611, 0x00000000, 0x80000000, 0x00000000}},
    {0x40000000, 0, {0x40000006, 0x7263694d, 0x666f736f, 0x76482074}},
    {0x40000100, 0, {0x40000101, 0x4b4d564b, 0x564b4d56, 0x0000004d}},
    {0},
};
/* clang-format on */

static const struct answer *recorded;
static struct machine m;

static struct cpuid_result answer(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result none = {0};

    for (const struct answer *a = recorded;; a++) {
        if (a->leaf == leaf && a->subleaf == subleaf)
            return a->result;
        if (!a[1].leaf)
            return none;
    }
}

/* As machine_identify does; @encryption: is it on. */
static void identify(const struct answer *answers, bool encryption)
{
    recorded = answers;
    memset(&m, 0xff, sizeof m);
    machine_decode(&m, answer, 4);
    machine_settle_encryption(&m, encryption);
}

static void assert_family(uint32_t family, uint32_t model, uint32_t stepping)
{
    assert_int_equal(m.family, family);
    assert_int_equal(m.model, model);
    assert_int_equal(m.stepping, stepping);
}

#define F(name) BIT(FEATURE_##name)

static void qemu_is_decoded(void **state)
{
    (void)state;
    identify(qemu_max, false);
    assert_string_equal(m.vendor_text, "AuthenticAMD");
    assert_int_equal(m.vendor, VENDOR_AMD);
    assert_string_equal(m.brand, "QEMU TCG CPU version 2.5+");
    assert_string_equal(m.emulator, "QEMU TCG");
    assert_string_equal(m.emulator_version, "");
    assert_family(15, 107, 1);
    assert_int_equal(m.levels, 4);
    assert_int_equal(m.physical_bits, 40);
    assert_int_equal(m.linear_bits, 57);
    assert_int_equal(m.encryption_bit, 0);
    assert_int_equal(m.features, F(NX) | F(GB_PAGES) | F(SMEP) | F(SMAP) | F(PKU) | F(PKS) |
                                     F(LA57) | F(PGE) | F(UMIP) | F(XSAVE) | F(RDTSCP) |
                                     F(FSGSBASE) | F(APIC) | F(SYSENTER) | F(HYPERVISOR) | F(ERMS) |
                                     F(SYSCALL) | F(PAT) | F(AVX) | F(CX16) | F(CLFSH) | F(CLWB));

    identify(qemu64, false);
    assert_string_equal(m.brand, "QEMU Virtual CPU version 2.5+");
    assert_int_equal(m.linear_bits, 48);
    assert_int_equal(m.features, F(NX) | F(PGE) | F(APIC) | F(SYSENTER) | F(HYPERVISOR) |
                                     F(SYSCALL) | F(PAT) | F(CX16) | F(CLFSH));
}

static void processor_without_hypervisor_is_decoded(void **state)
{
    (void)state;
    identify(bochs_tigerlake, false);
    assert_string_equal(m.vendor_text, "GenuineIntel");
    assert_int_equal(m.vendor, VENDOR_INTEL);
    assert_string_equal(m.brand, "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz");
    assert_string_equal(m.emulator, ""); /* port 0xe9 would tell */
    assert_family(6, 140, 1);
    assert_int_equal(m.physical_bits, 40);
    assert_int_equal(m.linear_bits, 48);
    assert_int_equal(m.features & (F(CET_SS) | F(CET_IBT) | F(PCID) | F(INVPCID) | F(UMIP)),
                     F(CET_SS) | F(CET_IBT) | F(PCID) | F(INVPCID) | F(UMIP));
    assert_int_equal(m.features & (F(AVX) | F(AVX512F) | F(CX16) | F(CLFSH) | F(CLWB)),
                     F(AVX) | F(AVX512F) | F(CX16) | F(CLFSH) | F(CLWB));
    assert_int_equal(m.features & (F(LA57) | F(PKS) | F(HYPERVISOR) | F(LAM)), 0);
}

static void guest_of_kvm_is_decoded(void **state)
{
    (void)state;
    identify(kvm_epyc, false);
    assert_string_equal(m.brand, "AMD EPYC");
    assert_string_equal(m.emulator, "KVM");
    assert_family(25, 17, 1);
    assert_int_equal(m.physical_bits, 48);
    assert_true(m.features & F(XSAVES));
    assert_true(m.features & F(X2APIC));
}

static void last_known_signature_is_the_hypervisor(void **state)
{
    (void)state;
    identify(imitation, false);
    assert_string_equal(m.emulator, "KVM");
    assert_int_equal(m.vendor, VENDOR_OTHER);
    /* Without the hypervisor bit the leaves are not looked at. */
    struct answer bare[ARRAY_COUNT(imitation)];
    memcpy(bare, imitation, sizeof bare);
    bare[1].result.ecx = 0;
    identify(bare, false);
    assert_string_equal(m.emulator, "");
}

static void missing_leaves_are_not_believed(void **state)
{
    (void)state;
    identify(no_extended, false);
    assert_string_equal(m.brand, "");
    assert_int_equal(m.physical_bits, 36);
    assert_int_equal(m.linear_bits, 48);
    assert_int_equal(m.features, F(PGE));
    assert_family(15, 4, 1);
}

/* Made up: leaf 7 answers every subleaf with ones; subleaf 0 tells how many there are. */
static void subleaves_beyond_the_last_are_not_believed(void **state)
{
    (void)state;
    struct answer answers[] = {
        {0,             0, {7, 0, 0, 0}},
        {7, 0, {1, 0, 0, 0}},
        {7,             1, {0xffffffff, 0, 0, 0}},
        {0},
    };
    identify(answers, false);
    assert_int_equal(m.features, F(LAM));
    answers[1].result.eax = 0;
    identify(answers, false);
    assert_int_equal(m.features, 0);
}

static void memory_encryption_narrows_only_while_on(void **state)
{
    (void)state;
    identify(encrypting_amd, true);
    assert_int_equal(m.encryption_bit, 47);
    assert_int_equal(m.physical_reduction, 5);
    assert_int_equal(m.physical_bits, 43);
    identify(encrypting_amd, false);
    assert_int_equal(m.encryption_bit, 0);
    assert_int_equal(m.physical_reduction, 0);
    assert_int_equal(m.physical_bits, 48);
    /* In a guest the bit may count, and the width is already what the guest has. */
    struct answer guest[ARRAY_COUNT(encrypting_amd)];
    memcpy(guest, encrypting_amd, sizeof guest);
    guest[1].result.ecx = UINT32_C(1) << 31;
    identify(guest, false);
    assert_int_equal(m.encryption_bit, 47);
    assert_int_equal(m.physical_reduction, 0);
    assert_int_equal(m.physical_bits, 48);
}

static void brand_loses_outer_blanks_and_odd_bytes(void **state)
{
    (void)state;
    struct answer padded[ARRAY_COUNT(bochs_tigerlake)];

    memcpy(padded, bochs_tigerlake, sizeof padded);
    memcpy(&padded[6].result, "      Intel(R) \x01", 16);
    memcpy(&padded[7].result, "                ", 16);
    memcpy(&padded[8].result, "Xeon            ", 16);
    identify(padded, false);
    assert_string_equal(m.brand, "Intel(R) ?                Xeon");
}

static void emulator_option_is_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *version;
    } rows[] = {
        {"QEMU-7.2",                          "QEMU",                            "7.2"                            },
        {"QEMU TCG-7.2.22",                   "QEMU TCG",                        "7.2.22"                         },
        {"my-emulator-3-beta-1",              "my-emulator",                     "3-beta-1"                       },
        {"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn-1", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "1"                              },
        {"n-1234567890123456789012345678901", "n",                               "1234567890123456789012345678901"},
    };
    static const char *const refused[] = {
        "",
        "-",
        "QEMU",
        "QEMU-",
        "-7.2",
        "7.2",
        "QEMU-v7",
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn-1",
        "n-12345678901234567890123456789012",
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        identify(bochs_tigerlake, false);
        assert_string_equal(machine_emulator_version(rows[i].text), rows[i].version);
        machine_set_emulator(&m, rows[i].text);
        assert_string_equal(m.emulator, rows[i].name);
        assert_string_equal(m.emulator_version, rows[i].version);
    }
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        identify(bochs_tigerlake, false);
        assert_null(machine_emulator_version(refused[i]));
        machine_set_emulator(&m, refused[i]);
        assert_string_equal(m.emulator, "");
        assert_string_equal(m.emulator_version, "");
    }
    /* A signature that spoke decides the name. */
    identify(qemu_max, false);
    machine_set_emulator(&m, "Bochs-7.2");
    assert_string_equal(m.emulator, "QEMU TCG");
    assert_string_equal(m.emulator_version, "7.2");
}

static void every_feature_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        assert_true(feature_names[i] && feature_names[i][0]);
    assert_string_equal(feature_names[FEATURE_GB_PAGES], "1-GiB pages");
    assert_true(FEATURE_COUNT <= 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qemu_is_decoded),
        cmocka_unit_test(processor_without_hypervisor_is_decoded),
        cmocka_unit_test(guest_of_kvm_is_decoded),
        cmocka_unit_test(last_known_signature_is_the_hypervisor),
        cmocka_unit_test(missing_leaves_are_not_believed),
        cmocka_unit_test(subleaves_beyond_the_last_are_not_believed),
        cmocka_unit_test(memory_encryption_narrows_only_while_on),
        cmocka_unit_test(brand_loses_outer_blanks_and_odd_bytes),
        cmocka_unit_test(emulator_option_is_split),
        cmocka_unit_test(every_feature_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
