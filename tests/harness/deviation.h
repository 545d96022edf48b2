/*
 * deviation.h: is a failing record one that tests/deviations.c explains?
 */
#ifndef HARNESS_DEVIATION_H
#define HARNESS_DEVIATION_H

#include "machine.h"
#include "record.h"

/*
 * Row of deviations[] + 1 that explains @record on machine @m: every difference belongs to a listed
 * deviation, the first of which is named. 0: some difference is nobody's.
 */
uint16_t deviation_find(const struct record *record, const struct machine *m) MUST_CHECK;

/* Is @row for machine @m? Such a row must occur in a whole run, or it is stale. */
bool deviation_applies(unsigned row, const struct machine *m) MUST_CHECK;

/* Has @row explained anything since deviation_start? */
bool deviation_occurred(unsigned row) MUST_CHECK;
void deviation_start(void);

#endif
