/*
 * deviation.h: is a failing record one that tests/deviations.c explains?
 */
#ifndef HARNESS_DEVIATION_H
#define HARNESS_DEVIATION_H

#include "machine.h"
#include "record.h"
#include "tests/matrix/fold.h"
#include "tests/matrix/symptom.h"

/*
 * Row of deviations[] + 1 that explains @record on machine @m: every difference belongs to a listed
 * deviation, the first of which is named. 0: some difference is nobody's.
 */
uint16_t deviation_find(const struct record *record, const struct machine *m) MUST_CHECK;

/*
 * The same for a point of the matrix that fails by @symptom; @values: its FOLD_AXES values. Also
 * DEVIATION_BASELINE. One symptom can have several explanations, so points that shall be folded as
 * one need the same.
 */
uint16_t deviation_find_point(const struct symptom *symptom, const uint8_t *values,
                              const struct machine *m) MUST_CHECK;

/* The same for a fold: what explains it must explain every point of @where. */
uint16_t deviation_find_fold(const struct symptom *symptom, const struct conjunction *where,
                             const struct machine *m) MUST_CHECK;

/* Is @row for machine @m? Such a row must occur in a whole run, or it is stale. */
bool deviation_applies(unsigned row, const struct machine *m) MUST_CHECK;

/* Do checks of the suites meet @row, or (@matrix) points of the matrix? */
bool deviation_is_for(unsigned row, bool matrix) MUST_CHECK;

/*
 * Has @row explained anything since deviation_start? That comes before all else: it reads the list's
 * literals.
 */
bool deviation_occurred(unsigned row) MUST_CHECK;
void deviation_start(void);

#endif
