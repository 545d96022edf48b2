/*
 * json_write.c: see json_write.h.
 */
#include "json_write.h"

void json_key(struct json *json, const char *key)
{
    if (!json->first)
        sink_text(json->sink, ",");
    json->first = false;
    if (key != NULL)
        sink_printf(json->sink, "\"%s\":", key);
}

void json_open(struct json *json, const char *key, const char *bracket)
{
    json_key(json, key);
    sink_text(json->sink, bracket);
    json->first = true;
}

void json_close(struct json *json, const char *bracket)
{
    sink_text(json->sink, bracket);
    json->first = false;
}

void json_text(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    escape_quoted(json->sink, ESCAPE_JSON, text);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    json_key(json, key);
    sink_printf(json->sink, "%lu", number);
}

void json_hex(struct json *json, const char *key, uint64_t number)
{
    json_key(json, key);
    sink_printf(json->sink, "\"0x%lx\"", number);
}

void json_literal(struct json *json, const char *key, const char *literal)
{
    json_key(json, key);
    sink_text(json->sink, literal);
}

void json_bool(struct json *json, const char *key, bool value)
{
    json_literal(json, key, value ? "true" : "false");
}

void json_vector(struct json *json, const char *key, uint16_t vector)
{
    if (vector == VECTOR_NONE)
        json_literal(json, key, "null");
    else
        json_number(json, key, vector);
}

void json_entries(struct json *json, const char *key, const pte_t *entries, unsigned levels)
{
    json_open(json, key, "[");
    for (unsigned i = 0; i < levels; i++)
        json_hex(json, NULL, entries[i]);
    json_close(json, "]");
}

struct sink *json_quote(struct json *json, const char *key, struct escape_sink *escape)
{
    json_key(json, key);
    return quote_open(escape, json->sink, ESCAPE_JSON);
}

void json_quoted(struct escape_sink *escape)
{
    quote_close(escape);
}
