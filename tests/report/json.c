/*
 * json.c: report.json, docs/report.schema.json. 64-bit values are strings ("0x7"), because many
 * readers keep numbers in a double. A line per check.
 */
#include "tests/deviations.h"
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"
#include "tests/harness/rules.h"

#include "json_write.h"
#include "text.h"
#include "writers.h"

#define SCHEMA_VERSION 1u

static void json_features(struct json *json, const char *key, bool present)
{
    json_open(json, key, "[");
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (machine_has((enum cpu_feature)i) == present)
            json_text(json, NULL, feature_names[i]);
    json_close(json, "]");
}

static void json_machine(struct json *json, const struct session *session)
{
    const struct machine_facts *facts = &session->facts;
    json_open(json, "machine", "{");
    json_text(json, "vendor", machine.vendor_text);
    json_text(json, "brand", machine.brand);
    json_number(json, "family", machine.family);
    json_number(json, "model", machine.model);
    json_number(json, "stepping", machine.stepping);
    json_number(json, "physical_bits", machine.physical_bits);
    json_number(json, "linear_bits", machine.linear_bits);
    json_number(json, "levels", machine.levels);
    json_features(json, "features", true);
    json_features(json, "missing", false);
    json_text(json, "emulator", machine.emulator);
    json_text(json, "emulator_version", machine.emulator_version);
    json_text(json, "board", facts->board);
    json_number(json, "processors", facts->processors);
    json_number(json, "processor", session->cpu);
    json_number(json, "memory_bytes", facts->memory_bytes);
    json_number(json, "ticks_per_second", session->ticks_per_second);
    json_text(json, "firmware", facts->firmware_vendor);
    json_hex(json, "firmware_revision", facts->firmware_revision);
    json_hex(json, "uefi_revision", facts->uefi_revision);
    json_text(json, "secure_boot",
              facts->secure_boot == 'y'   ? "on"
              : facts->secure_boot == 'n' ? "off"
                                          : "unknown");
    json_close(json, "}");
}

static void json_globs(struct json *json, const char *key, const struct option_globs *globs)
{
    json_open(json, key, "[");
    for (uint32_t i = 0; i < globs->count && i < OPTION_GLOBS; i++)
        json_text(json, NULL, globs->glob[i]);
    json_close(json, "]");
}

static void json_options(struct json *json, const struct options *options)
{
    static const char *const levels[] = {
        [LEVELS_AS_FOUND] = "as found", [LEVELS_4] = "4", [LEVELS_5] = "5", [LEVELS_BOTH] = "both"};
    json_open(json, "options", "{");
    json_globs(json, "only", &options->only);
    json_globs(json, "skip", &options->skip);
    json_text(json, "matrix", matrix_names[options->matrix]);
    json_number(json, "soak_seconds", options->matrix == MATRIX_SOAK ? options->soak_seconds : 0);
    json_hex(json, "seed", options->seed);
    json_number(json, "repeat", options->repeat);
    json_number(json, "cpus", options->cpus);
    json_text(json, "levels", levels[options->levels]);
    json_text(json, "baseline", options->baseline);
    json_text(json, "emulator", options->emulator);
    json_text(json, "sabotage", options->sabotage);
    json_close(json, "}");
}

void json_begin(struct sink *sink, const struct session *session)
{
    struct json json = {.sink = sink, .first = true};
    json_open(&json, NULL, "{");
    json_text(&json, "schema", "faultline-report");
    json_number(&json, "version", SCHEMA_VERSION);
    json_text(&json, "faultline", VERSION);
    json_key(&json, "date");
    if (session->wall_clock != 0) {
        sink_text(sink, "\"");
        print_date(sink, session->wall_clock);
        sink_text(sink, "Z\"");
    } else {
        sink_text(sink, "null");
    }
    json_number(&json, "report_number", session->report_number);
    json_machine(&json, session);
    json_options(&json, &session->options);
    sink_text(sink, ",\n\"checks\":[\n");
}

/* One side of what was compared, as a text; null where nothing was. */
static void json_side(struct json *json, const char *key, const struct record *record,
                      enum side side)
{
    if (record->comparisons == 0) {
        json_literal(json, key, "null");
        return;
    }
    struct escape_sink escape;
    json_key(json, key);
    text_side(quote_open(&escape, json->sink, ESCAPE_JSON), record, side);
    quote_close(&escape);
}

static void json_comparisons(struct json *json, const struct record *record)
{
    struct escape_sink escape;
    json_open(json, "comparisons", "[");
    /* Of what is known there may be thousands; --explain shows the rest of each. */
    bool all = record->verdict != VERDICT_KNOWN && record->comparisons <= REPORT_COMPARISONS;
    unsigned shown = 0;
    for (unsigned i = 0; i < record->comparisons && shown < REPORT_COMPARISONS; i++) {
        const struct comparison *c = &record->comparison[i];
        if (!all && !comparison_differs(c))
            continue;
        shown++;
        json_open(json, NULL, "{");
        json_text(json, "field", field_keys[c->field]);
        json_number(json, "detail", c->detail);
        json_hex(json, "expected", c->expected);
        json_hex(json, "mask", c->mask);
        json_hex(json, "got", c->got);
        json_bool(json, "differs", comparison_differs(c));
        json_key(json, "text");
        struct sink *text = quote_open(&escape, json->sink, ESCAPE_JSON);
        print_field(text, c);
        sink_text(text, ": expected ");
        print_value(text, record, c, SIDE_EXPECTED);
        print_mask(text, c);
        sink_text(text, ", got ");
        print_value(text, record, c, SIDE_GOT);
        quote_close(&escape);
        json_close(json, "}");
    }
    json_close(json, "]");
}

static void json_scene(struct json *json, const struct scene *scene)
{
    json_open(json, "scene", "{");
    json_number(json, "levels", scene->levels);
    json_number(json, "leaf", scene->leaf);
    json_number(json, "ring", scene->ring);
    json_text(json, "access", access_keys[scene->access]);
    json_number(json, "width", scene->width);
    json_hex(json, "address", scene->address);
    json_entries(json, "before", scene->before, scene->levels);
    json_entries(json, "after", scene->after, scene->levels);
    json_hex(json, "cr0", scene->cr0);
    json_hex(json, "cr4", scene->cr4);
    json_hex(json, "efer", scene->efer);
    json_hex(json, "rflags", scene->rflags);
    json_hex(json, "pkru", scene->pkru);
    json_hex(json, "pkrs", scene->pkrs);
    json_open(json, "outcome", "{");
    json_vector(json, "vector", scene->got.vector);
    json_hex(json, "error", scene->got.error);
    json_hex(json, "cr2", scene->got.cr2);
    json_hex(json, "rip", scene->got.rip);
    json_hex(json, "rflags", scene->got.rflags);
    json_hex(json, "cs", scene->got.cs);
    json_hex(json, "ss", scene->got.ss);
    json_hex(json, "rsp", scene->got.rsp);
    json_close(json, "}");
    json_close(json, "}");
}

static void json_walk(struct json *json, const char *key, const struct walk_picture *walk)
{
    json_open(json, key, "{");
    json_number(json, "levels", walk->levels);
    json_number(json, "last", walk->last);
    json_entries(json, "entries", walk->entry, walk->levels);
    json_close(json, "}");
}

static void json_oops(struct json *json, const struct oops *oops)
{
    struct escape_sink escape;
    json_open(json, "oops", "{");
    json_text(json, "reason", oops_reason_texts[oops->reason]);
    json_number(json, "cpu", oops->cpu);
    json_vector(json, "vector", oops->vector);
    json_hex(json, "error", oops->error);
    json_hex(json, "rip", oops->rip);
    json_hex(json, "rflags", oops->rflags);
    json_hex(json, "cs", oops->cs);
    json_hex(json, "ss", oops->ss);
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        json_hex(json, register_names[i], oops->registers[i]);
    json_hex(json, "cr0", oops->cr0);
    json_hex(json, "cr2", oops->cr2);
    json_hex(json, "cr3", oops->cr3);
    json_hex(json, "cr4", oops->cr4);
    json_hex(json, "efer", oops->efer);
    json_walk(json, "cr2_walk", &oops->cr2_walk);
    json_walk(json, "rip_walk", &oops->rip_walk);
    json_key(json, "code");
    sink_text(json->sink, "\"");
    for (unsigned i = 0; i < oops->code_count; i++)
        sink_printf(json->sink, "%02x", oops->code[i]);
    sink_text(json->sink, "\"");
    json_open(json, "trace", "[");
    for (unsigned i = 0; i < oops->trace_count; i++)
        json_hex(json, NULL, oops->trace[i]);
    json_close(json, "]");
    json_key(json, "text");
    report_oops(quote_open(&escape, json->sink, ESCAPE_JSON), oops);
    quote_close(&escape);
    json_close(json, "}");
}

static void json_reason(struct json *json, const struct record *record)
{
    struct escape_sink escape;
    json_open(json, "reason", "{");
    json_text(json, "code", reason_keys[record->reason]);
    json_number(json, "detail", record->reason_detail);
    json_key(json, "text");
    print_reason(quote_open(&escape, json->sink, ESCAPE_JSON), record);
    quote_close(&escape);
    json_close(json, "}");
}

static void json_deviation(struct json *json, const struct deviation *deviation)
{
    json_open(json, "deviation", "{");
    json_text(json, "machine", deviation->machine);
    json_text(json, "versions", deviation->versions);
    json_text(json, "sentence", deviation->sentence);
    json_close(json, "}");
}

void json_check(struct sink *sink, uint32_t number, const struct record *record)
{
    struct json json = {.sink = sink, .first = true};
    char id[CHECK_ID_TEXT];
    record_id(record, id);

    sink_text(sink, number > 1 ? ",\n" : "");
    json_open(&json, NULL, "{");
    json_number(&json, "number", number);
    json_text(&json, "id", id);
    if (record->rule != RULE_NONE)
        json_text(&json, "rule", rule_texts[record->rule].number);
    else
        json_literal(&json, "rule", "null");
    json_text(&json, "verdict", verdict_keys[record->verdict]);
    json_number(&json, "compared", record->comparisons);
    json_side(&json, "expected", record, SIDE_EXPECTED);
    json_side(&json, "got", record, SIDE_GOT);
    if (record->reason != REASON_NONE)
        json_reason(&json, record);
    if (record->deviation == DEVIATION_BASELINE)
        json_bool(&json, "baseline", true);
    if (record->deviation != 0 && record->deviation <= deviation_count)
        json_deviation(&json, &deviations[record->deviation - 1]);
    if (record->lost)
        json_bool(&json, "lost", true);
    json_annex(&json, record);
    if (record->verdict != VERDICT_PASS) {
        if (record->comparisons > 0)
            json_comparisons(&json, record);
        if (record->scene.present)
            json_scene(&json, &record->scene);
        if (record_oops(record) != NULL)
            json_oops(&json, record_oops(record));
    }
    json_close(&json, "}");
}

void json_end(struct sink *sink, const struct session *session, enum verdict verdict,
              const struct record *rules)
{
    static const struct {
        const char *key;
        enum verdict verdict;
    } rows[] = {
        {"passed",  VERDICT_PASS },
        {"failed",  VERDICT_FAIL },
        {"known",   VERDICT_KNOWN},
        {"skipped", VERDICT_SKIP },
        {"errors",  VERDICT_ERROR}
    };
    struct json json = {.sink = sink, .first = false};
    sink_text(sink, "\n]");
    json_matrix(&json, rules);
    json_number(&json, "planned", session->planned);
    json_open(&json, "totals", "{");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        json_number(&json, rows[i].key, session->totals[rows[i].verdict]);
    json_close(&json, "}");
    json_text(&json, "verdict", verdict_keys[verdict]);
    json_number(&json, "exit_status", session->exit_status);
    sink_text(sink, "}\n");
}

void print_date(struct sink *sink, uint64_t seconds)
{
    /* Years start in March, so that the leap day is the last of them; 719468 days from 0000-03-01.
     */
    uint64_t days = seconds / 86400 + 719468, second = seconds % 86400;
    uint64_t era = days / 146097, day = days % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    uint64_t month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;
    sink_printf(sink, "%04lu-%02lu-%02luT%02lu:%02lu:%02lu", year, month, day + 1, second / 3600,
                second / 60 % 60, second % 60);
}
