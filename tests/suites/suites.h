/*
 * suites.h: what a suite is made of. A suite is an explicit table of cases; the plan
 * (harness/plan.c) spreads each case over the axes it names.
 */
#ifndef SUITES_SUITES_H
#define SUITES_SUITES_H

#include "tests/harness/record.h"
#include "tests/harness/rules.h"

/* Axis masks of a case. */
#define SIZES_NONE       0u
#define SIZES_4K         (1u << SIZE_4K)
#define SIZES_ALL        ((1u << SIZE_4K) | (1u << SIZE_2M) | (1u << SIZE_1G))
#define LEVELS_NONE      0u
#define LEVELS_LEAF      0x80u /* only the leaf's own level, whatever the size */
#define LEVELS_UPPER     0x40u /* every level above the leaf */
#define LEVELS_ALL       (LEVELS_LEAF | LEVELS_UPPER)
#define RINGS_NONE       0u
#define RINGS_SUPERVISOR (1u << RING_SUPERVISOR)
#define RINGS_USER       (1u << RING_USER)
#define RINGS_BOTH       (RINGS_SUPERVISOR | RINGS_USER)

/* Case flags. */
#define CASE_DANGEROUS 1u  /* may reset or hang the machine: journalled by itself */
#define CASE_BY_NAME   2u  /* runs only when --only asks for it */
#define CASE_WHOLE_RUN 4u  /* judges the run as a whole: not with --only, --skip or --explain */
#define CASE_MATRIX    8u  /* of the matrix as a whole: takes many steps (harness/sweeper.h) */
#define CASE_ALONE     16u /* journalled by itself, so that a reset can be put down to it */

/*
 * check_ref.test_case of what is in no table: the n-th point that the options name, the n-th fold of
 * a matrix that has ended. Of the suite that has rows for them.
 */
#define CASE_POINT 0x4000u /* + n */
#define CASE_FOLD  0x8000u /* + n */

struct trial;
struct test_case {
    const char *name; /* an expectation: "user_write_faults" */
    uint8_t rule;     /* enum rule */
    uint8_t sizes, levels, rings, flags;
    uint8_t needs[3]; /* enum cpu_feature + 1; 0: none */
    /*
     * A mask of variants (bit numbers) for one size and level on this machine; NULL: no variant
     * axis. A case that has none anywhere is one SKIP.
     */
    uint64_t (*variants)(unsigned size, unsigned level);
    void (*run)(struct trial *trial);
    const void *parameter; /* for @run */
    uint8_t matrix; /* CASE_MATRIX: exists with these --matrix words, 1 << enum option_matrix */
};

struct suite {
    const char *name;
    const char *title; /* a few words for the screen */
    const struct test_case *cases;
    uint32_t count;
    const struct test_case *point, *fold; /* for CASE_POINT and CASE_FOLD; NULL: has none */
};

extern const struct suite *const suites[];
extern const uint32_t suite_count;

#endif
