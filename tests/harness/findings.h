/*
 * findings.h: for checks that look at thousands of values: how many were wrong, and the first of
 * them compared in full.
 */
#ifndef HARNESS_FINDINGS_H
#define HARNESS_FINDINGS_H

#include "trial.h"

struct findings {
    struct trial *trial;
    uint32_t wrong, seen;
};

/* @got must equal @expected in the bits of @mask. */
static inline void find_masked(struct findings *findings, enum field field, uint64_t detail,
                               uint64_t expected, uint64_t mask, uint64_t got)
{
    findings->seen++;
    if (((expected ^ got) & mask) != 0 && findings->wrong++ == 0) {
        trial_compare(findings->trial, field, (unsigned)detail, expected, mask, got);
    }
}

static inline void find(struct findings *findings, enum field field, uint64_t detail,
                        uint64_t expected, uint64_t got)
{
    find_masked(findings, field, detail, expected, ~UINT64_C(0), got);
}

/* The last word: none was wrong. Nothing looked at is silence, which trial.h makes an ERROR. */
static inline void findings_conclude(struct findings *findings)
{
    if (findings->seen) {
        trial_expect(findings->trial, FIELD_EVENTS, 0, 0, findings->wrong);
    }
}

#endif
