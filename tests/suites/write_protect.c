/*
 * write_protect.c: R/W=0 at each level (R3.2, R3.3), with CR0.WP 1 and 0.
 */
#include "table.h"

#define READ_ONLY .clear = PTE_RW
#define FAULTS    .expect = EXPECT_FORBIDDEN

/* clang-format off */
static const struct test_case cases[] = {
    CASE("user_write_faults",       3_2, ALL, ALL, USER, .kind = ACCESS_WRITE, READ_ONLY, FAULTS),
    CASE("user_locked_rmw_faults",  4_W, ALL, ALL, USER, .kind = ACCESS_RMW_LOCKED, READ_ONLY, FAULTS),
    CASE("user_plain_rmw_faults",   3_2, ALL, ALL, USER, .kind = ACCESS_RMW_PLAIN, READ_ONLY, FAULTS),
    CASE("user_push_faults",        3_2, ALL, ALL, USER, .kind = ACCESS_PUSH, READ_ONLY, FAULTS),
    CASE("user_write_never_excused_by_wp", 3_2, ALL, ALL, USER, .kind = ACCESS_WRITE, READ_ONLY,
         .cpu = CPU_WP_OFF, FAULTS),
    CASE("supervisor_write_faults", 3_3, ALL, ALL, SUPERVISOR, .kind = ACCESS_WRITE, READ_ONLY, FAULTS),
    CASE("supervisor_locked_rmw_faults", 4_W, ALL, ALL, SUPERVISOR, .kind = ACCESS_RMW_LOCKED,
         READ_ONLY, FAULTS),
    CASE("supervisor_write_faults_on_supervisor_page", 3_3, ALL, ALL, SUPERVISOR,
         .kind = ACCESS_WRITE, READ_ONLY, .clear_all = PTE_US, FAULTS),
    CASE("supervisor_write_allowed_without_wp", 3_3, ALL, ALL, SUPERVISOR, .kind = ACCESS_WRITE,
         READ_ONLY, .cpu = CPU_WP_OFF),
    CASE("supervisor_locked_rmw_allowed_without_wp", 3_3, ALL, ALL, SUPERVISOR,
         .kind = ACCESS_RMW_LOCKED, READ_ONLY, .cpu = CPU_WP_OFF),
    CASE("implicit_write_faults",   3_7, ALL, ALL, BOTH, .kind = ACCESS_IMPLICIT_WRITE, READ_ONLY, FAULTS),
    CASE("implicit_write_allowed_without_wp", 3_7, ALL, ALL, BOTH, .kind = ACCESS_IMPLICIT_WRITE,
         READ_ONLY, .cpu = CPU_WP_OFF),
    CASE("read_allowed",            3_3, ALL, ALL, BOTH, .kind = ACCESS_READ, READ_ONLY),
    CASE("fetch_allowed",           3_4, ALL, ALL, BOTH, .kind = ACCESS_FETCH, READ_ONLY),
    CASE("write_allowed",           5_2, ALL, NONE, BOTH, .kind = ACCESS_WRITE),
    CASE("locked_rmw_allowed",      5_2, ALL, NONE, BOTH, .kind = ACCESS_RMW_LOCKED),
    CASE("push_allowed",            5_2, ALL, NONE, USER, .kind = ACCESS_PUSH),
};
/* clang-format on */

SUITE(write_protect, "R/W=0 at each level, CR0.WP");
