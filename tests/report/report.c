/*
 * report.c: which report gets what, and when. The formats are in tap.c, xml.c and json.c.
 */
#include "report.h"

#include <string.h>

#include "tests/harness/baseline.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"

#include "matrix_text.h"
#include "stream.h"
#include "writers.h"

bool report_space(const struct session *session)
{
    for (unsigned i = STREAM_CONSOLE; i <= STREAM_BASELINE; i++)
        if (session->stream[i].capacity - session->stream[i].length < REPORT_CHECK_BYTES)
            return false;
    return true;
}

void report_begin(struct report *report, struct session *session, void *memory, size_t bytes)
{
    memset(report, 0, sizeof(*report));
    report->session = session;
    record_log_init(&report->log, memory, bytes);
    memset(session->totals, 0, sizeof(session->totals));
    session->done = 0;

    struct stream_sink tap = stream_sink(session, STREAM_CONSOLE, STREAM_TAP);
    struct stream_sink xml = stream_sink(session, STREAM_XML, STREAM_XML);
    struct stream_sink json = stream_sink(session, STREAM_JSON, STREAM_JSON);
    struct stream_sink baseline = stream_sink(session, STREAM_BASELINE, STREAM_BASELINE);
    tap_begin(&tap.sink, session);
    xml_begin(&xml.sink);
    json_begin(&json.sink, session);
    baseline_begin(&baseline.sink);
}

void report_part(struct report *report, const struct check_ref *check,
                 const struct annex_part *counts)
{
    if (check->test_case < REPORT_PARTS)
        report->parts[check->test_case] =
            (struct report_part){.known_of = true, .suite = check->suite, .counts = *counts};
}

void report_work(struct report *report, const struct report_work *work)
{
    report->work = *work;
}

/* What the screen says in a few words of many records. */
static void note(struct report *report, const struct record *record, size_t place)
{
    report->suite = record->check.suite;
    if (record->verdict == VERDICT_SKIP) {
        report->skipped[record->reason]++;
        if (record->reason == REASON_FEATURE && record->reason_detail < FEATURE_COUNT)
            report->skipped_for[record->reason_detail]++;
    }
    if (record->deviation != 0 && record->deviation <= REPORT_DEVIATIONS)
        report->known[record->deviation - 1]++;
    report->in_baseline += record->deviation == DEVIATION_BASELINE;
    if (record_part(record) != NULL)
        report_part(report, &record->check, record_part(record));
    if (record->check.suite >= LOG_SUITES || place == report->log.length)
        return; /* not kept: nothing to point at */
    if (record_rules(record) != NULL)
        report->rules = place + 1;
    if (record_program(record) != NULL)
        report->program = place + 1;
    struct suite_note *notes = &report->notes[record->check.suite];
    if (record->verdict >= VERDICT_FAIL && notes->bad == 0)
        notes->bad = (uint32_t)place + 1;
    if (record->verdict == VERDICT_KNOWN && notes->known == 0)
        notes->known = (uint32_t)place + 1;
}

void report_check(struct report *report, const struct record *record)
{
    struct session *session = report->session;
    size_t place = report->log.length;
    record_log_append(&report->log, record);
    session->totals[record->verdict]++;
    session->done++;
    note(report, record, place);

    struct stream_sink tap = stream_sink(session, STREAM_CONSOLE, STREAM_TAP);
    struct stream_sink json = stream_sink(session, STREAM_JSON, STREAM_JSON);
    struct stream_sink baseline = stream_sink(session, STREAM_BASELINE, STREAM_BASELINE);
    char id[CHECK_ID_TEXT];
    record_id(record, id);
    report->number++;
    tap_check(&tap.sink, report->number, record);
    json_check(&json.sink, report->number, record);
    baseline_record(&baseline.sink, record, id);
}

static const struct record *record_at(const struct report *report, size_t place)
{
    return (const struct record *)(report->log.bytes + place);
}

/* Count the records from xml_at on that belong to one suite; xml_end is where they end. */
static void count_suite(struct report *report, uint32_t totals[VERDICT_COUNT])
{
    unsigned suite = record_at(report, report->xml_at)->check.suite;
    size_t at = report->xml_at;
    while (at < report->log.length && record_at(report, at)->check.suite == suite) {
        totals[record_at(report, at)->verdict]++;
        at += record_at(report, at)->bytes;
    }
    report->xml_end = at;
}

bool report_suite_end(struct report *report)
{
    struct session *session = report->session;
    struct stream_sink xml = stream_sink(session, STREAM_XML, STREAM_XML);
    while (report->xml_open || report->xml_at < report->log.length) {
        if (!report_space(session))
            return false;
        if (!report->xml_open) {
            uint32_t totals[VERDICT_COUNT] = {0};
            count_suite(report, totals);
            xml_suite_open(&xml.sink, session, record_at(report, report->xml_at)->check.suite,
                           totals);
            report->xml_open = true;
        } else if (report->xml_at < report->xml_end) {
            xml_check(&xml.sink, record_at(report, report->xml_at));
            report->xml_at += record_at(report, report->xml_at)->bytes;
        } else {
            xml_suite_close(&xml.sink);
            report->xml_open = false;
        }
    }
    return true;
}

struct annex_part report_points(const struct report *report)
{
    struct annex_part sum = {0};
    for (size_t i = 0; i < REPORT_PARTS; i++)
        if (report->parts[i].known_of) {
            const struct annex_part *part = &report->parts[i].counts;
            sum.planned += part->planned;
            sum.run += part->run;
            sum.passed += part->passed;
            sum.known += part->known;
            sum.failed += part->failed;
            sum.ended |= part->ended;
        }
    return sum;
}

static uint32_t bytes_lost(const struct session *session)
{
    uint32_t lost = 0;
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        lost += session->stream[i].overflow;
    return lost;
}

enum verdict report_verdict(const struct session *session)
{
    if (session->totals[VERDICT_ERROR] > 0 || session->done == 0 ||
        session->done < session->planned || session->totals[VERDICT_SKIP] == session->done ||
        bytes_lost(session) > 0)
        return VERDICT_ERROR;
    return session->totals[VERDICT_FAIL] > 0 ? VERDICT_FAIL : VERDICT_PASS;
}

uint32_t report_exit_status(enum verdict verdict)
{
    return verdict == VERDICT_PASS ? 0 : verdict == VERDICT_FAIL ? 1 : 2;
}

void report_verdict_line(struct sink *sink, const struct session *session)
{
    enum verdict verdict = report_verdict(session);
    sink_printf(sink,
                "VERDICT: %s  %u of %u checks failed (%u known deviations, %u skipped, %u errors)"
                "  exit %u",
                verdict_names[verdict], session->totals[VERDICT_FAIL], session->done,
                session->totals[VERDICT_KNOWN], session->totals[VERDICT_SKIP],
                session->totals[VERDICT_ERROR], report_exit_status(verdict));
}

/* The parts of the matrix together. */
static void matrix_notes(struct sink *sink, const struct report *report)
{
    struct annex_part sum = report_points(report);
    if (sum.planned == 0)
        return;
    sink_text(sink, "# ");
    text_matrix(sink, &report->session->options);
    sink_text(sink, ": ");
    text_part(sink, &sum);
    sink_text(sink, "\n");
}

/* What the verdict line has no room for. */
static void closing_notes(struct sink *sink, const struct report *report)
{
    const struct session *session = report->session;
    tap_plan(sink, session->planned);
    matrix_notes(sink, report);
    if (session->done == 0)
        sink_text(sink, "# no check was selected: that is an error\n");
    else if (session->totals[VERDICT_SKIP] == session->done)
        sink_text(sink, "# every check was skipped: that is an error\n");
    if (report->log.dropped > 0)
        sink_printf(sink, "# %u checks found no room in memory: report.xml lacks them\n",
                    report->log.dropped);
    if (bytes_lost(session) > 0)
        sink_printf(sink, "# the reports lost %u bytes: that is an error\n", bytes_lost(session));
    sink_text(sink, "# report files: ");
    text_saved(sink, session);
    sink_text(sink, "\n");
    if (session->journal_carrier == JOURNAL_NONE)
        sink_text(sink, "# no journal could be kept: a reset would have lost this run\n");
    if (session->done < session->planned)
        sink_printf(sink, "Bail out! %u of %u checks ran\n", session->done, session->planned);
}

bool report_finish(struct report *report)
{
    struct session *session = report->session;
    if (!report_suite_end(report) || !report_space(session))
        return false;
    struct stream_sink both = stream_sink(session, STREAM_CONSOLE, STREAM_TAP);
    struct stream_sink tap = stream_sink(session, STREAM_TAP, STREAM_TAP);
    struct stream_sink console = stream_sink(session, STREAM_CONSOLE, STREAM_CONSOLE);
    struct stream_sink xml = stream_sink(session, STREAM_XML, STREAM_XML);
    struct stream_sink json = stream_sink(session, STREAM_JSON, STREAM_JSON);
    struct stream_sink baseline = stream_sink(session, STREAM_BASELINE, STREAM_BASELINE);

    session->exit_status = report_exit_status(report_verdict(session));
    closing_notes(&both.sink, report);
    xml_end(&xml.sink);
    json_end(&json.sink, session, report_verdict(session),
             report->rules != 0 ? record_at(report, report->rules - 1) : NULL);
    baseline_end(&baseline.sink);
    sink_text(&tap.sink, "# ");
    report_verdict_line(&tap.sink, session);
    sink_text(&tap.sink, "\n");
    report_verdict_line(&console.sink, session);
    sink_text(&console.sink, "\n");
    return true;
}
