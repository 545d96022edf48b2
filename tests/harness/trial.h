/*
 * trial.h: one check while it runs. A case's function gets one, compares what it got with what it
 * expects, and returns; the verdict follows from the comparisons. A check that compares nothing is
 * an ERROR.
 *
 * Most checks are over in far less than a step of the session. One that may take longer ends its
 * step at about @until by trial_again(), and is called once more in the next one.
 */
#ifndef HARNESS_TRIAL_H
#define HARNESS_TRIAL_H

#include "record.h"
#include "tests/suites/suites.h"

#define TRIAL_COMPARISONS 64u

struct trial {
    struct check_ref ref;
    const struct test_case *test_case;
    unsigned leaf;  /* level of the leaf by the size axis: 1 to 3, 0 without the axis */
    unsigned level; /* 1 to 5, 0 without the axis */
    bool user;      /* ring axis */
    uint8_t rule;   /* enum rule: the case's, unless it says better */
    uint8_t reason; /* enum reason: not REASON_NONE: skipped, or could not tell */
    uint16_t reason_detail;
    bool skipped;
    uint16_t comparisons, left_out; /* @left_out: did not fit; then it is an ERROR */
    bool again;                     /* trial_again() was called */
    uint32_t step;                  /* how often the case's function was called before */
    uint64_t until;                 /* TSC: when this step should end */
    uint8_t annex;                  /* enum record_annex, and what it holds */
    const void *annex_data;
    const struct oops *oops; /* of a task that died in the kernel; NULL: none did */
    uint16_t deviation;      /* with an annex: as record.deviation, if it fails */
    bool known;              /* a part of the matrix: all that fails in it is known */
    struct scene scene;
    struct comparison comparison[TRIAL_COMPARISONS];
};

/* @got must equal @expected in the bits of @mask. */
void trial_compare(struct trial *trial, enum field field, unsigned detail, uint64_t expected,
                   uint64_t mask, uint64_t got);

/* The same with every bit. */
static inline void trial_expect(struct trial *trial, enum field field, unsigned detail,
                                uint64_t expected, uint64_t got)
{
    trial_compare(trial, field, detail, expected, ~UINT64_C(0), got);
}

/* This machine lacks what the check needs. */
void trial_skip(struct trial *trial, enum reason reason, unsigned detail);

/* The harness could not do its part. */
void trial_error(struct trial *trial, enum reason reason, unsigned detail);

/* The check needs another step: its function is called again in the next one, with this trial. */
void trial_again(struct trial *trial);

/*
 * Run the check @ref, or the rest of it, until about @until (TSC), and make its record, with known
 * deviations recognised. Out: NULL: it needs another step; call again. A check that leaves by
 * the batch boundary never returns here: trial_oops makes its record.
 */
const struct record *trial_run(const struct check_ref *ref, uint64_t until);

/* Forget a check that needs another step: the next trial_run begins anew. */
void trial_abandon(void);

/*
 * The same for a check whose results are there already: @fill enters them.
 */
typedef void trial_fill(struct trial *trial, const void *context);
const struct record *trial_filled(const struct check_ref *ref, trial_fill *fill,
                                  const void *context);

/*
 * The record of the check that trial_run was in when @oops ended the batch. trial_oops_of: of a check
 * that did not run as a trial.
 */
const struct record *trial_oops(const struct oops *oops);
const struct record *trial_oops_of(const struct check_ref *ref, const struct oops *oops,
                                   trial_fill *fill, const void *context);

/* A record without a run: the machine reset in @ref, a rule stayed untested ... */
const struct record *trial_verdict(const struct check_ref *ref, enum verdict verdict,
                                   enum reason reason, unsigned detail);

#endif
