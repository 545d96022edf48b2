/*
 * user_supervisor.c: U/S at each level (R3.1), SMEP (R3.5), SMAP (R3.6), implicit accesses (R3.7).
 */
#include "table.h"

#define SUPERVISOR_ENTRY .clear = PTE_US
#define FAULTS           .expect = EXPECT_FORBIDDEN

/* clang-format off */
static const struct test_case cases[] = {
    CASE("user_read_faults",       3_1, ALL, ALL, USER, .kind = ACCESS_READ, SUPERVISOR_ENTRY, FAULTS),
    CASE("user_write_faults",      3_1, ALL, ALL, USER, .kind = ACCESS_WRITE, SUPERVISOR_ENTRY, FAULTS),
    CASE("user_fetch_faults",      3_1, ALL, ALL, USER, .kind = ACCESS_FETCH, SUPERVISOR_ENTRY, FAULTS),
    CASE("user_locked_rmw_faults", 4_W, ALL, ALL, USER, .kind = ACCESS_RMW_LOCKED, SUPERVISOR_ENTRY, FAULTS),
    CASE("user_read_faults_without_wp", 3_1, ALL, ALL, USER, .kind = ACCESS_READ, SUPERVISOR_ENTRY,
         .cpu = CPU_WP_OFF, FAULTS),
    CASE("user_fetch_allowed",     3_4, ALL, NONE, USER, .kind = ACCESS_FETCH),
    CASE("supervisor_read_of_user_page",  3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_READ),
    CASE("supervisor_write_of_user_page", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_WRITE),
    CASE("supervisor_fetch_of_user_page", 3_5, ALL, NONE, SUPERVISOR, .kind = ACCESS_FETCH),
    CASE("implicit_read_of_supervisor_page", 3_7, ALL, ALL, BOTH, .kind = ACCESS_IMPLICIT_READ,
         SUPERVISOR_ENTRY),
    CASE("implicit_write_of_supervisor_page", 3_7, ALL, ALL, BOTH, .kind = ACCESS_IMPLICIT_WRITE,
         SUPERVISOR_ENTRY),
    CASE("implicit_read_of_absent_page", 3_7, ALL, ALL, BOTH, .kind = ACCESS_IMPLICIT_READ,
         .clear = PTE_P, .expect = EXPECT_NOT_PRESENT),

    CASE_NEEDS(SMEP, "smep_fetch_faults", 3_5, ALL, NONE, SUPERVISOR, .kind = ACCESS_FETCH,
               .cpu = CPU_SMEP, FAULTS),
    CASE_NEEDS(SMEP, "smep_fetch_faults_without_wp", 3_5, ALL, NONE, SUPERVISOR, .kind = ACCESS_FETCH,
               .cpu = CPU_SMEP | CPU_WP_OFF, FAULTS),
    CASE_NEEDS(SMEP, "smep_fetch_faults_without_nxe", 3_5, ALL, NONE, SUPERVISOR, .kind = ACCESS_FETCH,
               .cpu = CPU_SMEP | CPU_NXE_OFF, FAULTS),
    CASE_NEEDS(SMEP, "smep_fetch_of_supervisor_page", 3_5, ALL, ALL, SUPERVISOR, .kind = ACCESS_FETCH,
               SUPERVISOR_ENTRY, .cpu = CPU_SMEP),
    CASE_NEEDS(SMEP, "smep_does_not_affect_data", 3_5, ALL, NONE, SUPERVISOR, .kind = ACCESS_WRITE,
               .cpu = CPU_SMEP),
    CASE_NEEDS(SMEP, "smep_does_not_affect_user", 3_5, ALL, NONE, USER, .kind = ACCESS_FETCH,
               .cpu = CPU_SMEP),

    CASE_NEEDS(SMAP, "smap_read_faults", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_READ,
               .cpu = CPU_SMAP, FAULTS),
    CASE_NEEDS(SMAP, "smap_write_faults", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_WRITE,
               .cpu = CPU_SMAP, FAULTS),
    CASE_NEEDS(SMAP, "smap_locked_rmw_faults", 4_W, ALL, NONE, SUPERVISOR, .kind = ACCESS_RMW_LOCKED,
               .cpu = CPU_SMAP, FAULTS),
    CASE_NEEDS(SMAP, "smap_write_faults_without_wp", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_WRITE,
               .cpu = CPU_SMAP | CPU_WP_OFF, FAULTS),
    CASE_NEEDS(SMAP, "smap_read_excused_by_ac", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_READ,
               .cpu = CPU_SMAP | CPU_AC),
    CASE_NEEDS(SMAP, "smap_write_excused_by_ac", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_WRITE,
               .cpu = CPU_SMAP | CPU_AC),
    CASE_NEEDS(SMAP, "smap_read_excused_by_stac", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_READ,
               .cpu = CPU_SMAP | CPU_STAC),
    CASE_NEEDS(SMAP, "smap_write_excused_by_stac", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_WRITE,
               .cpu = CPU_SMAP | CPU_STAC),
    CASE_NEEDS(SMAP, "smap_ac_does_not_excuse_read_only", 3_6, ALL, ALL, SUPERVISOR,
               .kind = ACCESS_WRITE, .clear = PTE_RW, .cpu = CPU_SMAP | CPU_AC, FAULTS),
    CASE_NEEDS(SMAP, "smap_access_of_supervisor_page", 3_6, ALL, ALL, SUPERVISOR, .kind = ACCESS_WRITE,
               SUPERVISOR_ENTRY, .cpu = CPU_SMAP),
    CASE_NEEDS(SMAP, "smap_does_not_affect_fetch", 3_6, ALL, NONE, SUPERVISOR, .kind = ACCESS_FETCH,
               .cpu = CPU_SMAP),
    CASE_NEEDS(SMAP, "smap_does_not_affect_user", 3_6, ALL, NONE, USER, .kind = ACCESS_WRITE,
               .cpu = CPU_SMAP),
    CASE_NEEDS(SMAP, "smap_implicit_read_faults", 3_7, ALL, NONE, BOTH, .kind = ACCESS_IMPLICIT_READ,
               .cpu = CPU_SMAP, FAULTS),
    CASE_NEEDS(SMAP, "smap_implicit_read_not_excused_by_ac", 3_7, ALL, NONE, BOTH,
               .kind = ACCESS_IMPLICIT_READ, .cpu = CPU_SMAP | CPU_AC, FAULTS),
    CASE_NEEDS(SMAP, "smap_implicit_read_of_supervisor_page", 3_7, ALL, ALL, BOTH,
               .kind = ACCESS_IMPLICIT_READ, SUPERVISOR_ENTRY, .cpu = CPU_SMAP),
};
/* clang-format on */

SUITE(user_supervisor, "U/S at each level, SMEP, SMAP");
