/*
 * access.h: the example suites' common check: one walk, one CPU state, one access, one expectation.
 * A case says what differs from "everything allowed"; the axes say where.
 */
#ifndef HARNESS_ACCESS_H
#define HARNESS_ACCESS_H

#include "trial.h"

/* CPU state of a case; the rest is as our world runs: WP=1, NXE=1 where there is NX, no SMEP, SMAP,
 * PKE. */
#define CPU_WP_OFF  1u
#define CPU_NXE_OFF 2u
#define CPU_SMEP    4u
#define CPU_SMAP    8u
#define CPU_AC      16u /* EFLAGS.AC set by POPF, in ring 3 by IRETQ */
#define CPU_STAC    32u /* set by STAC; ring 0 only */

/* What the architecture says comes of it. */
enum expectation {
    EXPECT_SUCCESS,
    EXPECT_NOT_PRESENT, /* the walk stops at P=0: error code without P */
    EXPECT_RESERVED,    /* the walk stops at a reserved bit: P and RSVD */
    EXPECT_FORBIDDEN,   /* the walk is complete, the rights are not: P */
};

struct access {
    enum access_kind kind;
    /* In the entry of the level axis (the leaf's without that axis), and in every entry. */
    pte_t set, clear;
    pte_t set_all, clear_all;
    pte_t set_below, clear_below; /* in the entries below that level */
    unsigned cpu;                 /* CPU_* */
    enum expectation expect;
    /* Set in the variant axis' bit of the same entry as @set. */
    bool set_variant;
};

/* The run function of such a case; its parameter is a struct access. */
void access_run(struct trial *trial);

#endif
