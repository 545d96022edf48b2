/*
 * tap.c: TAP version 14 with YAML diagnostics: the serial line and report.tap. docs/report.md.
 */
#include "tests/deviations.h"
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"
#include "tests/harness/rules.h"

#include "escape.h"
#include "text.h"
#include "writers.h"

/* A comment: "# " and one line of whatever the caller writes into the sink. */
static struct sink *comment_open(struct escape_sink *escape, struct sink *sink)
{
    sink_text(sink, "# ");
    escape_sink_init(escape, sink, ESCAPE_TAP);
    return &escape->sink;
}

void tap_begin(struct sink *sink, const struct session *session)
{
    struct escape_sink escape;
    sink_printf(sink, "TAP version 14\n1..%u\n", session->planned);

    struct sink *comment = comment_open(&escape, sink);
    sink_printf(comment, "Faultline %s on %s, ", VERSION, machine.brand);
    text_model(comment);
    sink_text(comment, ", ");
    text_emulator(comment);
    sink_text(sink, "\n");

    comment = comment_open(&escape, sink);
    text_firmware(comment, &session->facts);
    sink_printf(comment, ", CPU %u of %u, ", session->cpu + 1, session->facts.processors);
    text_widths(comment);
    sink_text(comment, ", ");
    text_features(comment, true);
    sink_text(comment, " ");
    text_features(comment, false);
    sink_text(sink, "\n");

    comment = comment_open(&escape, sink);
    text_matrix(comment, &session->options);
    sink_printf(comment, ", seed %lu", session->options.seed);
    sink_text(sink, "\n");
}

/* A scalar: "<indent>key: " and what stands between the quotation marks. */
static struct sink *scalar_open(struct escape_sink *escape, struct sink *sink, const char *key)
{
    sink_printf(sink, "  %s: ", key);
    return quote_open(escape, sink, ESCAPE_YAML);
}

static void scalar_close(struct escape_sink *escape)
{
    quote_close(escape);
    sink_text(escape->target, "\n");
}

static void scalar_text(struct sink *sink, const char *key, const char *text)
{
    struct escape_sink escape;
    sink_text(scalar_open(&escape, sink, key), text);
    scalar_close(&escape);
}

static void print_differences(struct sink *sink, const struct record *record)
{
    struct escape_sink escape;
    unsigned shown = 0;
    for (unsigned i = 0; i < record->comparisons && shown < REPORT_COMPARISONS; i++) {
        const struct comparison *c = &record->comparison[i];
        if (!comparison_differs(c))
            continue;
        if (shown++ == 0)
            sink_text(sink, "  differences:\n");
        print_field(scalar_open(&escape, sink, "  - field"), c);
        print_mask(&escape.sink, c);
        scalar_close(&escape);
        print_value(scalar_open(&escape, sink, "    expected"), record, c, SIDE_EXPECTED);
        scalar_close(&escape);
        print_value(scalar_open(&escape, sink, "    got"), record, c, SIDE_GOT);
        scalar_close(&escape);
    }
}

static void print_stimulus(struct sink *sink, const struct scene *scene)
{
    struct escape_sink escape;
    text_access(scalar_open(&escape, sink, "access"), scene);
    scalar_close(&escape);
    text_state(scalar_open(&escape, sink, "state"), scene);
    scalar_close(&escape);
    sink_text(sink, "  walk:\n");
    for (unsigned level = scene->levels; level >= scene->leaf; level--) {
        sink_text(sink, "    - ");
        text_walk_entry(quote_open(&escape, sink, ESCAPE_YAML), scene->before[level - 1], level);
        scalar_close(&escape);
    }
}

static void print_diagnostics(struct sink *sink, const struct record *record, const char *id)
{
    struct escape_sink escape;
    sink_printf(sink, "  ---\n  verdict: %s\n", verdict_names[record->verdict]);
    if (record->reason != REASON_NONE) {
        print_reason(scalar_open(&escape, sink, "reason"), record);
        scalar_close(&escape);
    }
    if (record->rule != RULE_NONE) {
        scalar_text(sink, "rule", rule_texts[record->rule].number);
        scalar_text(sink, "sentence", rule_texts[record->rule].sentence);
    }
    if (record->scene.present)
        print_stimulus(sink, &record->scene);
    print_differences(sink, record);
    if (record->lost)
        scalar_text(sink, "lost", "details were lost: the journal was short");
    if (record_oops(record) != NULL) {
        sink_text(sink, "  oops: |\n    ");
        escape_sink_init(&escape, sink, ESCAPE_BLOCK);
        escape.indent = 4;
        report_oops(&escape.sink, record_oops(record));
        sink_text(sink, "\n");
    }
    sink_text(sink, "  again: ");
    sink_text(quote_open(&escape, sink, ESCAPE_YAML), "--only ");
    sink_text(&escape.sink, id);
    scalar_close(&escape);
    sink_text(sink, "  ...\n");
}

void tap_check(struct sink *sink, uint32_t number, const struct record *record)
{
    struct escape_sink escape;
    char id[CHECK_ID_TEXT];
    check_id(&record->check, id);

    bool ok = record->verdict == VERDICT_PASS || record->verdict == VERDICT_SKIP;
    sink_printf(sink, "%s %u - ", ok ? "ok" : "not ok", number);
    escape_text(sink, ESCAPE_TAP, id);
    escape_sink_init(&escape, sink, ESCAPE_TAP);
    if (record->verdict == VERDICT_SKIP) {
        sink_text(sink, " # SKIP ");
        print_reason(&escape.sink, record);
    } else if (record->verdict == VERDICT_KNOWN) {
        sink_text(sink, " # TODO ");
        text_deviation(&escape.sink, record);
    }
    sink_text(sink, "\n");
    if (!ok)
        print_diagnostics(sink, record, id);
}
