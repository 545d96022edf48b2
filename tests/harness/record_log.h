/*
 * record_log.h: the records of a run, one behind the other in memory that the caller gives, and the
 * counts by verdict. Pure. Manual: docs/report.md.
 */
#ifndef HARNESS_RECORD_LOG_H
#define HARNESS_RECORD_LOG_H

#include "annex.h"
#include "record.h"

#define LOG_SUITES 64u /* suites that are counted apart */

struct record_log {
    uint8_t *bytes; /* 8-aligned */
    size_t capacity, length;
    uint32_t kept;    /* records in @bytes */
    uint32_t dropped; /* records that were counted, but found no room */
    uint32_t totals[VERDICT_COUNT];
    uint32_t suite_totals[LOG_SUITES][VERDICT_COUNT];
};

/* Bytes of a record with so many @comparisons: what record->bytes must say. */
static inline size_t record_size(size_t comparisons, bool has_oops, unsigned annex)
{
    return ALIGN_UP(sizeof(struct record) + comparisons * sizeof(struct comparison) +
                        (has_oops ? sizeof(struct oops) : 0) + annex_size(annex),
                    (size_t)8);
}

/*
 * Are the @length bytes at @record (8-aligned) one whole record of a kind, whose numbers lie in
 * their enums' ranges, so that everything that reads records may use them? Reads nothing outside.
 */
bool record_valid(const struct record *record, size_t length) MUST_CHECK;

/* An empty log over @capacity bytes at @memory. */
void record_log_init(struct record_log *log, void *memory, size_t capacity);

/* Count @record, and keep a copy of it while there is room. Out: false when there was none. */
bool record_log_append(struct record_log *log, const struct record *record);

/* The record after @record, the first one for NULL; NULL after the last. */
const struct record *record_log_next(const struct record_log *log, const struct record *record);

/* The newest record of @check; NULL: none is kept. */
const struct record *record_log_find(const struct record_log *log, const struct check_ref *check);

bool check_ref_equal(const struct check_ref *a, const struct check_ref *b);

#endif
