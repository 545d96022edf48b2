/*
 * xml.c: JUnit XML. A testsuite's counts stand before its cases, so it is written when the suite
 * has ended. A known deviation is "skipped" with its message. docs/report.md.
 */
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"
#include "tests/harness/rules.h"

#include "escape.h"
#include "text.h"
#include "writers.h"

void xml_begin(struct sink *sink)
{
    sink_printf(sink,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites name=\"Faultline %s\">\n",
                VERSION);
}

void xml_end(struct sink *sink)
{
    sink_text(sink, "</testsuites>\n");
}

void xml_suite_open(struct sink *sink, const struct session *session, unsigned suite,
                    const uint32_t totals[VERDICT_COUNT])
{
    uint32_t tests = 0;
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        tests += totals[i];
    sink_text(sink, " <testsuite name=");
    escape_quoted(sink, ESCAPE_XML, suite_name(suite));
    sink_printf(sink, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\"", tests,
                totals[VERDICT_FAIL], totals[VERDICT_ERROR],
                totals[VERDICT_SKIP] + totals[VERDICT_KNOWN]);
    if (session->wall_clock != 0) {
        sink_text(sink, " timestamp=\"");
        print_date(sink, session->wall_clock);
        sink_text(sink, "\"");
    }
    sink_text(sink, ">\n  <properties><property name=\"processor\" value=");
    escape_quoted(sink, ESCAPE_XML, machine.brand);
    sink_text(sink, "/><property name=\"emulator\" value=");
    escape_quoted(sink, ESCAPE_XML, machine.emulator);
    sink_text(sink, "/></properties>\n");
}

void xml_suite_close(struct sink *sink)
{
    sink_text(sink, " </testsuite>\n");
}

/* <skipped message="..."/>, or <failure message="..." type="R3.2">the whole story</failure>. */
static void print_result(struct sink *sink, const struct record *record)
{
    struct escape_sink escape;
    enum verdict verdict = (enum verdict)record->verdict;
    const char *element = verdict == VERDICT_FAIL    ? "failure"
                          : verdict == VERDICT_ERROR ? "error"
                                                     : "skipped";
    sink_printf(sink, "   <%s message=", element);
    struct sink *message = quote_open(&escape, sink, ESCAPE_XML);
    if (verdict == VERDICT_KNOWN) {
        sink_text(message, "known deviation: ");
        text_deviation(message, record);
    } else if (verdict == VERDICT_FAIL) {
        sink_text(message, "expected ");
        text_side(message, record, SIDE_EXPECTED);
        sink_text(message, "; got ");
        text_side(message, record, SIDE_GOT);
    } else {
        print_reason(message, record);
    }
    quote_close(&escape);
    if (verdict == VERDICT_SKIP || verdict == VERDICT_KNOWN) {
        sink_text(sink, "/>\n");
        return;
    }
    if (record->rule != RULE_NONE) {
        sink_text(sink, " type=");
        escape_quoted(sink, ESCAPE_XML, rule_texts[record->rule].number);
    }
    sink_text(sink, ">");
    escape_sink_init(&escape, sink, ESCAPE_XML);
    report_explain(&escape.sink, record);
    sink_printf(sink, "</%s>\n", element);
}

void xml_check(struct sink *sink, const struct record *record)
{
    /* "suite.case/axes": the suite is the class. What belongs to no case keeps its whole id. */
    const char *suite = suite_name(record->check.suite), *rest;
    char id[CHECK_ID_TEXT];
    record_id(record, id);
    for (rest = id; *suite != '\0' && *suite == *rest; suite++)
        rest++;
    sink_text(sink, "  <testcase classname=");
    escape_quoted(sink, ESCAPE_XML, suite_name(record->check.suite));
    sink_text(sink, " name=");
    escape_quoted(sink, ESCAPE_XML, *suite == '\0' && *rest == '.' ? rest + 1 : id);
    if (record->verdict == VERDICT_PASS) {
        sink_text(sink, "/>\n");
        return;
    }
    sink_text(sink, ">\n");
    print_result(sink, record);
    sink_text(sink, "  </testcase>\n");
}
