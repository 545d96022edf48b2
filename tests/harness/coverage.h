/*
 * coverage.h: which rules the run has exercised: every judged rule whose feature is here must be.
 */
#ifndef HARNESS_COVERAGE_H
#define HARNESS_COVERAGE_H

#include "record.h"

void coverage_start(void);

/* A check that came to a verdict (not SKIP, not ERROR) exercised its rule. */
void coverage_note(const struct record *record);

/* How many checks exercised @rule (enum rule). */
uint32_t coverage_count(unsigned rule);

#endif
