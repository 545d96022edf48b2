/*
 * writers.h: the three report formats, piece by piece; report.c says when. Private to
 * tests/report/. Each piece of a check fits in REPORT_CHECK_BYTES.
 */
#ifndef REPORT_WRITERS_H
#define REPORT_WRITERS_H

#include "sink.h"
#include "tests/harness/session.h"

/* TAP version 14: testanything.org/tap-version-14-specification.html */
void tap_begin(struct sink *sink, const struct session *session);
void tap_check(struct sink *sink, uint32_t number, const struct record *record);
void tap_plan(struct sink *sink, uint32_t planned);

/* JSON: docs/report.schema.json */
void json_begin(struct sink *sink, const struct session *session);
void json_check(struct sink *sink, uint32_t number, const struct record *record);
void json_end(struct sink *sink, const struct session *session, enum verdict verdict,
              const struct record *rules); /* @rules: with ANNEX_RULES, or NULL */

/* JUnit XML: one testsuite after the other, with the counts of what it holds. */
void xml_begin(struct sink *sink);
void xml_suite_open(struct sink *sink, const struct session *session, unsigned suite,
                    const uint32_t totals[VERDICT_COUNT]);
void xml_check(struct sink *sink, const struct record *record);
void xml_suite_close(struct sink *sink);
void xml_end(struct sink *sink);

/* "2026-11-23T09:31:18" of @seconds since 1970, UTC. */
void print_date(struct sink *sink, uint64_t seconds);

#endif
