/*
 * json_matrix.c: what the matrix adds to report.json: to its checks, and at the end of the report.
 * docs/report.schema.json.
 */
#include "json_write.h"

#include "matrix_text.h"
#include "tests/harness/annex.h"
#include "tests/harness/coverage.h"
#include "tests/harness/machine.h"
#include "tests/matrix/literals.h"

/* ---- points and folds ------------------------------------------------------------------------------ */

static void json_symptom(struct json *json, const struct annex_symptom *symptom)
{
    struct escape_sink escape;

    json_open(json, "symptom", "{");
    json_vector(json, "expected", symptom->vector_expected);
    json_vector(json, "got", symptom->vector_got);
    json_hex(json, "error_differs", symptom->error_differs);
    json_hex(json, "error_got", symptom->error_got);
    json_hex(json, "flags", symptom->flags);
    text_symptom(json_quote(json, "text", &escape), symptom);
    json_quoted(&escape);
    json_close(json, "}");
}

static void json_fold(struct json *json, const struct annex_point *point)
{
    char where[CONJUNCTION_TEXT];

    conjunction_text(&point->where, where);
    json_open(json, "fold", "{");
    json_text(json, "where", where);
    json_number(json, "points", point->points);
    json_bool(json, "repeats", point->flags & POINT_REPEATS);
    json_symptom(json, &point->symptom);
    json_close(json, "}");
}

static void json_walk_of(struct json *json, const char *key, const struct annex_point *point,
                         unsigned page)
{
    if (!((point->used >> page) & 1))
        return;
    json_open(json, key, "{");
    json_entries(json, "before", point->before[page], point->levels);
    json_entries(json, "after", point->after[page], point->levels);
    json_close(json, "}");
}

static void json_outcomes(struct json *json, const struct annex_point *point)
{
    struct escape_sink escape;

    json_open(json, "allowed", "[");
    for (unsigned i = 0; i < point->outcomes; i++) {
        text_point_allowed(json_quote(json, NULL, &escape), point, i);
        json_quoted(&escape);
    }
    json_close(json, "]");
    text_point_got(json_quote(json, "got", &escape), point);
    json_quoted(&escape);
}

static void json_rows(struct json *json, uint64_t rules)
{
    json_open(json, "rules", "[");
    for (unsigned row = 0; row < model_row_count; row++)
        if ((rules >> row) & 1)
            json_text(json, NULL, model_rows[row].name);
    json_close(json, "]");
}

static void json_point(struct json *json, const struct annex_point *point)
{
    struct escape_sink escape;

    json_open(json, "point", "{");
    text_point_access(json_quote(json, "access", &escape), point);
    json_quoted(&escape);
    if (point->flags & POINT_RAN) {
        json_walk_of(json, "below", point, 0);
        json_walk_of(json, "above", point, 1);
        json_outcomes(json, point);
        json_rows(json, point->rules);
    }
    json_close(json, "}");
    if (point->points > 0)
        json_fold(json, point);
}

/* ---- parts ----------------------------------------------------------------------------------------- */

static void json_part(struct json *json, const struct annex_part *part)
{
    const struct {
        const char *key;
        uint64_t number;
    } rows[] = {
        {"planned",        part->planned       },
        {"run",            part->run           },
        {"passed",         part->passed        },
        {"known",          part->known         },
        {"failed",         part->failed        },
        {"total",          part->total         },
        {"legal",          part->legal         },
        {"skipped",        part->skipped       },
        {"tuples",         part->tuples        },
        {"tuples_legal",   part->tuples_legal  },
        {"tuples_here",    part->tuples_here   },
        {"tuples_covered", part->tuples_covered},
        {"ticks",          part->ticks         },
    };

    json_open(json, "part", "{");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        json_number(json, rows[i].key, rows[i].number);
    json_bool(json, "ended", part->ended);
    json_close(json, "}");
}

void json_annex(struct json *json, const struct record *record)
{
    if (record_point(record) != NULL)
        json_point(json, record_point(record));
    if (record_part(record) != NULL)
        json_part(json, record_part(record));
    if (record_program(record) != NULL)
        json_program(json, record_program(record));
}

/* ---- the whole matrix ------------------------------------------------------------------------------ */

/* {"LA57": ["levels=5"]}: what this machine lacks, and the values that it cannot have therefore. */
static void json_lacking(struct json *json)
{
    json_open(json, "lacking", "{");
    for (unsigned feature = 0; feature < FEATURE_COUNT; feature++) {
        struct escape_sink escape;
        char values[512];
        struct buffer_sink lacking;
        buffer_sink_init(&lacking, values, sizeof(values) - 1);
        if (text_lacking(&lacking.sink, (enum cpu_feature)feature, &machine)) {
            sink_write(json_quote(json, feature_names[feature], &escape), values, lacking.length);
            json_quoted(&escape);
        }
    }
    json_close(json, "}");
}

static void json_row(struct json *json, unsigned row)
{
    json_text(json, "row", model_rows[row].name);
    json_text(json, "rule", model_rows[row].number);
    json_text(json, "what", model_rows[row].what);
}

static void json_rule_counts(struct json *json, const struct annex_rules *rules)
{
    json_open(json, "rules", "[");
    for (unsigned row = 0; row < model_row_count; row++) {
        json_open(json, NULL, "{");
        json_row(json, row);
        json_number(json, "count", rules->count[row]);
        json_close(json, "}");
    }
    json_close(json, "]");
}

static void json_choices(struct json *json, const struct annex_rules *rules)
{
    json_open(json, "choices", "[");
    for (unsigned row = 0; row < model_row_count; row++) {
        const struct matrix_choice *choice = &rules->choice[row];
        if (choice->open == 0)
            continue;
        json_open(json, NULL, "{");
        json_row(json, row);
        json_number(json, "open", choice->open);
        json_open(json, "taken", "[");
        for (size_t way = 0; way < ARRAY_COUNT(choice->taken); way++)
            json_number(json, NULL, choice->taken[way]);
        json_close(json, "]");
        json_open(json, "ways", "[");
        for (size_t way = 0; way < MODEL_WAYS && model_rows[row].way[way] != NULL; way++)
            json_text(json, NULL, model_rows[row].way[way]);
        json_close(json, "]");
        json_close(json, "}");
    }
    json_close(json, "]");
}

void json_matrix(struct json *json, const struct record *record)
{
    const struct annex_rules *rules = record != NULL ? record_rules(record) : NULL;

    if (rules == NULL) {
        json_literal(json, "matrix", "null");
        json_literal(json, "fingerprint", "null");
        return;
    }
    json_open(json, "matrix", "{");
    json_number(json, "unfolded", rules->unfolded);
    json_lacking(json);
    json_rule_counts(json, rules);
    json_close(json, "}");
    json_open(json, "fingerprint", "{");
    json_hex(json, "digest", rules->digest);
    json_choices(json, rules);
    json_close(json, "}");
}
