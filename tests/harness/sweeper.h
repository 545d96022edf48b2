/*
 * sweeper.h: the matrix (matrix/matrix.h) as a run drives it. The checks that are its parts take many
 * steps and have their results all at the end, because only the folds tell which failures are known.
 *
 *   sweeper_begin
 *   sweeper_want, sweeper_died     which parts; which of them an earlier start died in
 *   while (sweeper_step != SWEEP_DONE) end the step
 *   sweeper_record                 of each part, and of what the model's rules met
 *   sweeper_fold ...               what failed
 *
 * An exception that nobody expects ends a part: sweeper_oops. Esc ends them all: sweeper_end.
 */
#ifndef HARNESS_SWEEPER_H
#define HARNESS_SWEEPER_H

#include "annex.h"
#include "options.h"
#include "record.h"

/*
 * @memory holds what the matrix needs. Also before single points are acted out. Out: NULL, or why
 * these options cannot be run.
 */
const char *sweeper_begin(const struct options *options, const struct machine *m, void *memory,
                          size_t bytes, uint64_t ticks_per_second) MUST_CHECK;

/* @check, a part, shall be run: in the plan's order. */
void sweeper_want(const struct check_ref *check);

/* An earlier start of this run died in @check: it is not run again. */
void sweeper_died(const struct check_ref *check);

enum sweep {
    SWEEP_ABOUT, /* *@about is about to run: end the step when that is in the journal */
    SWEEP_MORE,  /* time is up */
    SWEEP_DONE   /* records and folds are there */
};
/* Go on until about @until (TSC). */
enum sweep sweeper_step(uint64_t until, struct check_ref *about);

/* The part that runs ended in @oops; the next step goes on behind it. */
void sweeper_oops(const struct oops *oops);

/* No more points; what there is is folded. */
void sweeper_end(void);

/* Have all parts ended? */
bool sweeper_folding(void);

/* How far the part @number, from 0, has come. Out: false: there are not so many. */
bool sweeper_part(uint32_t number, struct check_ref *check, struct annex_part *counts) MUST_CHECK;

/* After SWEEP_DONE. Records are valid until the next one is made. */
const struct record *sweeper_record(const struct check_ref *check);
uint32_t sweeper_folds(void);
const struct record *sweeper_fold(uint32_t number);

#endif
