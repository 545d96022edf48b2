/*
 * coverage.h: which rules the run has exercised: every judged rule whose feature is here must be, and
 * in the matrix every row of the model that this machine can meet.
 */
#ifndef HARNESS_COVERAGE_H
#define HARNESS_COVERAGE_H

#include "machine.h"
#include "record.h"

void coverage_start(void);

/* A check that came to a verdict (not SKIP, not ERROR) exercised its rule. */
void coverage_note(const struct record *record);

/* How many checks exercised @rule (enum rule). */
uint32_t coverage_count(unsigned rule);

/*
 * Why no point of the matrix can meet @row of the model on @m, with the paging modes that @levels
 * (enum option_levels) means: what is lacking, in a word. NULL: quick and full have to meet it.
 */
const char *coverage_row_lacks(unsigned row, const struct machine *m, unsigned levels);

#endif
