/*
 * matrix_trial.h: from a point of the matrix that was acted out to what a check's record says: what
 * was compared with the nearest allowed outcome, and the annex with everything else. Pure.
 */
#ifndef HARNESS_MATRIX_TRIAL_H
#define HARNESS_MATRIX_TRIAL_H

#include "annex.h"
#include "trial.h"

/*
 * Enter @result as the outcome of @trial; @annex, which @trial points at from now on, is filled. The
 * trial fails exactly when the model does not allow what was seen.
 */
void matrix_trial_point(struct trial *trial, const struct matrix_case *result,
                        struct annex_point *annex);

/* The same for the witness of @fold, with what the fold covers. */
void matrix_trial_fold(struct trial *trial, const struct matrix_fold *fold,
                       struct annex_point *annex);

/* Only which point it was: nothing came of it. */
void matrix_trial_unfinished(struct trial *trial, const struct point *point,
                             struct annex_point *annex);

/* enum rule of a row of the model; RULE_NONE: its number is no rule's. */
unsigned matrix_rule_of_row(unsigned row);

#endif
