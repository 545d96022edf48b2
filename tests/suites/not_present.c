/*
 * not_present.c: P=0 at each level (R2.1): nothing else in that entry counts, nor any lower entry,
 * nor the rights of upper ones.
 */
#include "table.h"

/* Every bit but P: address, reserved bits, XD. */
#define ALL_BUT_P (~(pte_t)PTE_P)

#define ABSENT .clear = PTE_P, .expect = EXPECT_NOT_PRESENT

/* clang-format off */
static const struct test_case cases[] = {
    CASE("read_faults",       2_1, ALL, ALL, BOTH, .kind = ACCESS_READ, ABSENT),
    CASE("write_faults",      2_1, ALL, ALL, BOTH, .kind = ACCESS_WRITE, ABSENT),
    CASE("fetch_faults",      2_1, ALL, ALL, BOTH, .kind = ACCESS_FETCH, ABSENT),
    CASE("locked_rmw_faults", 4_W, ALL, ALL, BOTH, .kind = ACCESS_RMW_LOCKED, ABSENT),
    CASE("plain_rmw_faults",  2_1, ALL, ALL, BOTH, .kind = ACCESS_RMW_PLAIN, ABSENT),
    CASE("push_faults",       2_1, ALL, ALL, USER, .kind = ACCESS_PUSH, ABSENT),
    CASE("other_bits_do_not_count_read",  2_1, ALL, ALL, BOTH, .kind = ACCESS_READ,
         .set = ALL_BUT_P, ABSENT),
    CASE("other_bits_do_not_count_write", 2_1, ALL, ALL, BOTH, .kind = ACCESS_WRITE,
         .set = ALL_BUT_P, ABSENT),
    CASE("other_bits_do_not_count_fetch", 2_1, ALL, ALL, BOTH, .kind = ACCESS_FETCH,
         .set = ALL_BUT_P, ABSENT),
    CASE("lower_entries_do_not_count", 2_6, ALL, UPPER, BOTH, .kind = ACCESS_READ,
         .set_below = BIT(51), ABSENT),
    CASE("upper_rights_do_not_count", 2_1, ALL, LEAF, USER, .kind = ACCESS_WRITE,
         .clear_all = PTE_US | PTE_RW, ABSENT),
    CASE("present_is_allowed", 5_2, ALL, NONE, BOTH, .kind = ACCESS_READ),
};
/* clang-format on */

SUITE(not_present, "P=0 at each level");
