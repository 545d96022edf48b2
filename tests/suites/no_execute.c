/*
 * no_execute.c: XD at each level (R3.4); with EFER.NXE=0 XD is reserved (R2.3), and whether I/D
 * tells fetches depends on SMEP (R4 bit 4).
 */
#include "table.h"

#define XD       .set = PTE_XD
#define FAULTS   .expect = EXPECT_FORBIDDEN
#define RESERVED .cpu = CPU_NXE_OFF, .expect = EXPECT_RESERVED

#define NX_CASE(...) CASE_NEEDS(NX, __VA_ARGS__)

/* clang-format off */
static const struct test_case cases[] = {
    NX_CASE("fetch_faults",       3_4, ALL, ALL, BOTH, .kind = ACCESS_FETCH, XD, FAULTS),
    NX_CASE("fetch_faults_on_supervisor_page", 3_4, ALL, ALL, SUPERVISOR, .kind = ACCESS_FETCH, XD,
            .clear_all = PTE_US, FAULTS),
    NX_CASE("fetch_faults_without_wp", 3_4, ALL, ALL, BOTH, .kind = ACCESS_FETCH, XD,
            .cpu = CPU_WP_OFF, FAULTS),
    NX_CASE("read_allowed",       3_4, ALL, ALL, BOTH, .kind = ACCESS_READ, XD),
    NX_CASE("write_allowed",      3_4, ALL, ALL, BOTH, .kind = ACCESS_WRITE, XD),
    CASE(   "fetch_allowed",      3_4, ALL, NONE, BOTH, .kind = ACCESS_FETCH),
    NX_CASE("fetch_allowed_without_nxe", 3_4, ALL, NONE, BOTH, .kind = ACCESS_FETCH, .cpu = CPU_NXE_OFF),
    NX_CASE("xd_is_reserved_read_without_nxe",  2_3, ALL, ALL, BOTH, .kind = ACCESS_READ, XD, RESERVED),
    NX_CASE("xd_is_reserved_write_without_nxe", 2_3, ALL, ALL, BOTH, .kind = ACCESS_WRITE, XD, RESERVED),
    NX_CASE("xd_is_reserved_fetch_without_nxe", 4_I, ALL, ALL, BOTH, .kind = ACCESS_FETCH, XD, RESERVED),
    NX_CASE("absent_fetch_without_nxe", 4_I, ALL, ALL, BOTH, .kind = ACCESS_FETCH, .clear = PTE_P,
            .cpu = CPU_NXE_OFF, .expect = EXPECT_NOT_PRESENT),
    NX_CASE("forbidden_fetch_without_nxe", 4_I, ALL, ALL, USER, .kind = ACCESS_FETCH, .clear = PTE_US,
            .cpu = CPU_NXE_OFF, FAULTS),
    CASE_NEEDS(SMEP, "absent_fetch_without_nxe_with_smep", 4_I, ALL, ALL, BOTH, .kind = ACCESS_FETCH,
               .clear = PTE_P, .cpu = CPU_NXE_OFF | CPU_SMEP, .expect = EXPECT_NOT_PRESENT),
    CASE_NEEDS(SMEP, "forbidden_fetch_without_nxe_with_smep", 4_I, ALL, ALL, USER, .kind = ACCESS_FETCH,
               .clear = PTE_US, .cpu = CPU_NXE_OFF | CPU_SMEP, FAULTS),
};
/* clang-format on */

SUITE(no_execute, "XD at each level, EFER.NXE");
