/*
 * tap.c: TAP version 14 with YAML diagnostics: the serial line and report.tap. docs/report.md.
 */
#include "tests/deviations.h"
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"
#include "tests/harness/rules.h"

#include "escape.h"
#include "matrix_text.h"
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
    sink_text(sink, "TAP version 14\n");
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
    sink_printf(comment, ", seed %lu, %u checks planned", session->options.seed, session->planned);
    sink_text(sink, "\n");
}

void tap_plan(struct sink *sink, uint32_t planned)
{
    sink_printf(sink, "1..%u\n", planned);
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

/* A sequence: "<indent>key:", then a quoted item each. */
static struct sink *item_open(struct escape_sink *escape, struct sink *sink)
{
    sink_text(sink, "    - ");
    return quote_open(escape, sink, ESCAPE_YAML);
}

/* The same for a point of the matrix, with all that is allowed and by which rules. */
static void print_point(struct sink *sink, const struct record *record)
{
    const struct annex_point *point = record_point(record);
    struct escape_sink escape;
    if (point->points > 0) {
        text_fold(scalar_open(&escape, sink, "fold"), point);
        scalar_close(&escape);
        text_symptom(scalar_open(&escape, sink, "in_each"), &point->symptom);
        scalar_close(&escape);
    }
    text_point_access(scalar_open(&escape, sink, "access"), point);
    scalar_close(&escape);
    if (!(point->flags & POINT_RAN))
        return;
    text_state(scalar_open(&escape, sink, "state"), &record->scene);
    scalar_close(&escape);
    if (point_entries(point) > 0)
        sink_text(sink, "  walk:\n");
    for (unsigned i = 0; i < point_entries(point); i++) {
        text_point_entry(item_open(&escape, sink), point, i, true);
        scalar_close(&escape);
    }
    sink_text(sink, "  allowed:\n");
    for (unsigned i = 0; i < point->outcomes; i++) {
        text_point_allowed(item_open(&escape, sink), point, i);
        scalar_close(&escape);
    }
    text_point_got(scalar_open(&escape, sink, "got"), point);
    scalar_close(&escape);
    sink_text(sink, "  rules:\n");
    for (unsigned row = 0; row < model_row_count; row++)
        if ((point->rules >> row) & 1) {
            text_row(item_open(&escape, sink), row);
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
    if (record_point(record) != NULL)
        print_point(sink, record);
    else if (record->scene.present)
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

/* Comments behind a part, and behind what the model's rules met. */
static void print_part(struct sink *sink, const char *id, const struct annex_part *part)
{
    sink_printf(sink, "# %s: ", id);
    text_part(sink, part);
    sink_text(sink, "\n");
    if (part->tuples + part->total > 0) {
        sink_printf(sink, "# %s: ", id);
        text_part_from(sink, part);
        sink_text(sink, "\n");
    }
}

static void print_rules(struct sink *sink, const struct annex_rules *rules)
{
    for (unsigned feature = 0; feature < FEATURE_COUNT; feature++) {
        char values[512];
        struct buffer_sink lacking;
        buffer_sink_init(&lacking, values, sizeof(values) - 1);
        if (text_lacking(&lacking.sink, (enum cpu_feature)feature, &machine)) {
            values[lacking.length] = '\0';
            sink_printf(sink, "# the matrix lacks %s: %s\n", feature_names[feature], values);
        }
    }
    for (unsigned row = 0; row < model_row_count; row++) {
        sink_printf(sink, "# rule %12lu  ", rules->count[row]);
        text_row(sink, row);
        sink_text(sink, "\n");
    }
    sink_printf(sink, "# fingerprint %016lx\n", rules->digest);
    for (unsigned row = 0; row < model_row_count; row++)
        if (rules->choice[row].open > 0) {
            sink_text(sink, "# choice ");
            text_choice(sink, rules, row);
            sink_text(sink, "\n");
        }
    if (rules->unfolded > 0)
        sink_printf(sink, "# %lu failing points are in no fold: there are too many kinds\n",
                    rules->unfolded);
}

void tap_check(struct sink *sink, uint32_t number, const struct record *record)
{
    struct escape_sink escape;
    char id[CHECK_ID_TEXT];
    record_id(record, id);

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
    if (record_part(record) != NULL)
        print_part(sink, id, record_part(record));
    if (record_rules(record) != NULL)
        print_rules(sink, record_rules(record));
}
