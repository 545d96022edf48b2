/*
 * report.h: a run as it is reported: TAP on the console and in a file, JUnit XML, JSON, the screen.
 * The session says what happened; this writes bytes into the session's streams and cells into its
 * screen.
 *
 *   report_begin                      planned is known, options and machine are read
 *   for each check:
 *     while (!report_space) end the step, so that efi/ takes the streams' bytes
 *     report_check                    counts it: session->totals, session->done
 *   at the end of each suite:
 *     while (!report_suite_end) end the step
 *   while (!report_finish) end the step
 *   report_draw                       whenever the screen shall show what is known by now
 *
 * A run that goes on after a reset calls the same functions with the journal's records first.
 * Manual: docs/report.md.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "tests/harness/record_log.h"
#include "tests/harness/session.h"
#include "tests/report/sink.h"
#include "tests/report/text.h"
#include "x86/cpuid.h"

/* What one call of report_begin, report_check ... writes to a stream at most. */
#define REPORT_CHECK_BYTES (64u * 1024)
#define REPORT_DEVIATIONS  256u

#define REPORT_PARTS 8u /* of the matrix */

/* What is being done, when it is not one check after the other. */
struct report_work {
    bool matrix; /* the fields below count */
    bool folding;
    uint64_t done, planned; /* units that take about the same time each */
    uint64_t ticks;         /* since it began */
};

struct report {
    struct session *session;
    struct record_log log;
    uint32_t number; /* of the last check; TAP and JSON count from 1 */

    /* The testsuite element that is being written. */
    size_t xml_at; /* next record, as its place in the log */
    size_t xml_end;
    bool xml_open;

    size_t program; /* the last one, likewise; 0: none ran */
    size_t rules;   /* place in the log + 1 of what the model's rules met last; 0: no matrix yet */

    /* For the screen. */
    struct report_part {
        bool known_of; /* there is such a part in this run */
        uint16_t suite;
        struct annex_part counts;
    } parts[REPORT_PARTS]; /* by check_ref.test_case */
    struct report_work work;
    struct suite_note {
        uint32_t bad, known; /* the first of them: place in the log + 1; 0: none */
    } notes[LOG_SUITES];
    uint32_t known[REPORT_DEVIATIONS];   /* checks that a row of deviations[] explains */
    uint32_t in_baseline;                /* and that the baseline accepts */
    uint32_t skipped[REASON_COUNT];      /* checks by reason ... */
    uint32_t skipped_for[FEATURE_COUNT]; /* ... and by missing feature */
    uint32_t suite;                      /* of the last check */
    uint32_t scroll;                     /* first line of the content that is shown */
    uint32_t lines;                      /* of the content, when last counted */
};

/*
 * Start the reports of @session. @memory, 8-aligned, holds the log; a record takes up to 1 KiB.
 * session->planned, options, facts are in place; totals and done are set to 0.
 */
void report_begin(struct report *report, struct session *session, void *memory, size_t bytes);

/* Do all streams have room for one more call? */
bool report_space(const struct session *session) MUST_CHECK;

/* A check has ended. @record is copied. */
void report_check(struct report *report, const struct record *record);

/* How far a part of the matrix has come, and the whole of it; report_draw shows both. */
void report_part(struct report *report, const struct check_ref *check,
                 const struct annex_part *counts);
void report_work(struct report *report, const struct report_work *work);

/* A suite has ended: write its testsuite. Out: false: the streams are full, call again. */
bool report_suite_end(struct report *report) MUST_CHECK;

/*
 * Nothing more runs: the closing lines, session->exit_status. The console's last line is the
 * verdict. Out: false: the streams are full, call again.
 */
bool report_finish(struct report *report) MUST_CHECK;

/*
 * PASS, FAIL or ERROR of the whole run. ERROR beats FAIL; it is an ERROR as well when nothing was
 * selected, everything was skipped, checks are missing, or a report lost bytes.
 */
enum verdict report_verdict(const struct session *session);

/* 0, 1 or 2 for PASS, FAIL or ERROR. */
uint32_t report_exit_status(enum verdict verdict);

/* "VERDICT: FAIL  1 of 1213 checks failed (31 known deviations, 12 skipped, 0 errors)  exit 1" */
void report_verdict_line(struct sink *sink, const struct session *session);

/* Points of the matrix over all parts, as far as they have come. */
struct annex_part report_points(const struct report *report);

/* Fill session->screen with the state of things, @elapsed_ticks of the TSC after the start. */
void report_draw(struct report *report, uint64_t elapsed_ticks);

/* Scroll as session->key says; report_draw shows it. */
void report_key(struct report *report);

#endif
