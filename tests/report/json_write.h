/*
 * json_write.h: members of JSON objects and arrays, one after the other. Private to tests/report/.
 */
#ifndef REPORT_JSON_WRITE_H
#define REPORT_JSON_WRITE_H

#include "escape.h"
#include "tests/harness/session.h"

/* Where the next member goes. */
struct json {
    struct sink *sink;
    bool first; /* of its object or array */
};

/* What stands before a value: a comma where needed, and the @key; NULL in an array. */
void json_key(struct json *json, const char *key);

/* "{" or "[", and the other end of it. */
void json_open(struct json *json, const char *key, const char *bracket);
void json_close(struct json *json, const char *bracket);

void json_text(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, uint64_t number);
void json_hex(struct json *json, const char *key, uint64_t number);
void json_literal(struct json *json, const char *key, const char *literal); /* as it stands */
void json_bool(struct json *json, const char *key, bool value);
void json_vector(struct json *json, const char *key, uint16_t vector); /* null: no exception */
void json_entries(struct json *json, const char *key, const pte_t *entries, unsigned levels);

/* A text that is written into the sink, until json_quoted() ends it. */
struct sink *json_quote(struct json *json, const char *key, struct escape_sink *escape);
void json_quoted(struct escape_sink *escape);

/* What a record has beside what every check has: "point" or "part" of the matrix, "program". */
void json_annex(struct json *json, const struct record *record);

struct annex_program;
void json_program(struct json *json, const struct annex_program *program);

/* "matrix" and "fingerprint" of the whole report; @rules NULL: null. */
void json_matrix(struct json *json, const struct record *rules);

#endif
