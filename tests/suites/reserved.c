/*
 * reserved.c: each reserved bit alone at each level (R2.2 to R2.4); with P=0 they are ignored; what
 * is ignored in present entries (R2.5) stays ignored.
 */
#include "table.h"
#include "tests/harness/machine.h"

/* R2.3: bits 51 to MAXPHYADDR of any present entry. The C-bit of memory encryption is not among
 * them. */
static uint64_t physical_bits(unsigned size, unsigned level)
{
    (void)size;
    (void)level;
    uint64_t bits = 0;
    for (unsigned bit = machine.physical_bits; bit < 52; bit++) {
        bits |= bit == machine.encryption_bit ? 0 : BIT(bit);
    }
    return bits;
}

/* R2.4: by level. The size names the leaf: level 3 of a 2-MiB walk is no leaf. */
static uint64_t level_bits(unsigned size, unsigned level)
{
    bool leaf = level == size + 1;
    uint64_t bits = 0;

    if (level >= 4) {
        /* Bit 8: on AMD's own silicon; whose processor it is, a hypervisor may only pretend. */
        bool amd = machine.vendor == VENDOR_AMD && !machine_has(FEATURE_HYPERVISOR);
        bits |= PTE_PS | (amd ? BIT(8) : 0);
    }
    if (level == 3 && !leaf && !machine_has(FEATURE_GB_PAGES)) {
        bits |= PTE_PS;
    }
    if (level == 3 && leaf) {
        bits |= (BIT(30) - 1) & ~(BIT(13) - 1);
    }
    if (level == 2 && leaf) {
        bits |= (BIT(21) - 1) & ~(BIT(13) - 1);
    }
    return bits;
}

/* R2.5. Bit 11 acts only under HLAT; 62:59 of leaves need PKE or PKS, which are off. */
#define IGNORED_BITS (BIT(9) | BIT(10) | BIT(11) | UINT64_C(0x7ff) << 52)

#define RESERVED .set_variant = true, .expect = EXPECT_RESERVED

#define BIT_CASE(name_, rule_, bits, rings_, ...)                                                  \
    {                                                                                              \
        .name = name_, .rule = RULE_##rule_, .sizes = SIZES_ALL, .levels = LEVELS_ALL,             \
        .rings = RINGS_##rings_, .variants = bits, .run = access_run,                              \
        .parameter = ACCESS(__VA_ARGS__),                                                          \
    }

/* clang-format off */
static const struct test_case cases[] = {
    BIT_CASE("physical_bit_read_faults",  2_3, physical_bits, BOTH, .kind = ACCESS_READ, RESERVED),
    BIT_CASE("physical_bit_write_faults", 2_2, physical_bits, BOTH, .kind = ACCESS_WRITE, RESERVED),
    BIT_CASE("physical_bit_fetch_faults", 2_2, physical_bits, BOTH, .kind = ACCESS_FETCH, RESERVED),
    BIT_CASE("level_bit_read_faults",     2_4, level_bits, BOTH, .kind = ACCESS_READ, RESERVED),
    BIT_CASE("level_bit_write_faults",    2_4, level_bits, BOTH, .kind = ACCESS_WRITE, RESERVED),
    BIT_CASE("level_bit_fetch_faults",    2_4, level_bits, BOTH, .kind = ACCESS_FETCH, RESERVED),
    BIT_CASE("rights_do_not_count",       2_2, physical_bits, USER, .kind = ACCESS_WRITE,
             .clear_all = PTE_US | PTE_RW, RESERVED),
    BIT_CASE("physical_bit_ignored_without_p", 2_1, physical_bits, BOTH, .kind = ACCESS_READ,
             .set_variant = true, .clear = PTE_P, .expect = EXPECT_NOT_PRESENT),
    BIT_CASE("level_bit_ignored_without_p", 2_1, level_bits, BOTH, .kind = ACCESS_READ,
             .set_variant = true, .clear = PTE_P, .expect = EXPECT_NOT_PRESENT),
    BIT_CASE("lower_entries_do_not_count", 2_6, physical_bits, SUPERVISOR, .kind = ACCESS_READ,
             .clear_below = PTE_P, RESERVED),
    CASE("ignored_bits_are_ignored",      2_5, ALL, ALL, BOTH, .kind = ACCESS_WRITE, .set = IGNORED_BITS),
};
/* clang-format on */

SUITE(reserved, "each reserved bit at each level");
