/*
 * json_program.c: what report.json says of a program: costs, and the maps of its memory when it ended.
 */
#include "json_write.h"
#include "program_text.h"

static void json_map(struct json *json, const struct maps_row *row)
{
    struct escape_sink escape;

    json_open(json, NULL, "{");
    json_hex(json, "start", row->start);
    json_hex(json, "end", row->end);
    text_rights(json_quote(json, "rights", &escape), row->flags);
    json_quoted(&escape);
    json_text(json, "name", row->name);
    json_open(json, "pages", "{");
    for (unsigned look = 0; look < LOOKS; look++)
        json_number(json, look_keys[look], row->pages[look]);
    json_close(json, "}");
    text_strip(json_quote(json, "strip", &escape), row);
    json_quoted(&escape);
    json_close(json, "}");
}

void json_program(struct json *json, const struct annex_program *program)
{
    json_open(json, "program", "{");
    json_number(json, "lines", program->lines);
    json_number(json, "system_calls", program->system_calls);
    json_number(json, "minor_faults", program->minor_faults);
    json_number(json, "switches", program->switches);
    json_number(json, "ticks", program->ticks);
    json_open(json, "unknown_system_calls", "[");
    for (unsigned i = 0; i < program->unknown_count; i++)
        json_number(json, NULL, program->unknown[i]);
    json_close(json, "]");
    json_number(json, "vmas", program->maps.vmas);
    json_open(json, "maps", "[");
    for (unsigned i = 0; i < program->maps.rows; i++)
        json_map(json, &program->maps.row[i]);
    json_close(json, "]");
    json_close(json, "}");
}
