/*
 * baseline.h: what failed in an earlier run and is no news (--baseline). Every run writes such a
 * file, baseline.txt; docs/report.md describes it. Reading is total over any bytes; what is accepted
 * is looked up in the caller's text, which has to stay.
 */
#ifndef HARNESS_BASELINE_H
#define HARNESS_BASELINE_H

#include "record.h"
#include "tests/matrix/fold.h"
#include "tests/matrix/symptom.h"
#include "tests/report/sink.h"

#define BASELINE_VERSION 1u
#define BASELINE_FOLDS   256u

/* Nothing is accepted. */
void baseline_none(void);

/*
 * From here on accept what the @length bytes of @text list. Out: NULL; or what is wrong with it, and
 * nothing is accepted.
 */
const char *baseline_read(const char *text, size_t length) MUST_CHECK;

/*
 * Is this failure listed: the same check, by its @id, differing in the same bits? Never so for parts
 * and folds of the matrix.
 */
bool baseline_accepts(const struct record *record, const char *id) MUST_CHECK;

/* Lies the point, or the whole fold, in a fold that is listed with the same symptom? */
bool baseline_accepts_point(const struct symptom *symptom, const uint8_t *values) MUST_CHECK;
bool baseline_accepts_fold(const struct symptom *symptom,
                           const struct conjunction *where) MUST_CHECK;

/* Write such a file: the first line, a line for what failed (nothing for other records), the last. */
void baseline_begin(struct sink *sink);
void baseline_record(struct sink *sink, const struct record *record, const char *id);
void baseline_end(struct sink *sink);

#endif
