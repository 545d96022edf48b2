/*
 * escape.c: JSON (RFC 8259 section 7), YAML 1.2 double-quoted and literal scalars (7.3.1, 8.1.2),
 * XML 1.0 (2.2, 2.4), TAP 14 descriptions.
 */
#include "escape.h"

static bool printable(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f;
}

/* What @byte becomes inside a double-quoted string; "": itself. */
static const char *short_escape(uint8_t byte)
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    default:
        return "";
    }
}

static void escape_string(struct sink *target, uint8_t byte, const char *unprintable)
{
    const char *escaped = short_escape(byte);
    if (*escaped != '\0')
        sink_text(target, escaped);
    else if (printable(byte))
        sink_write(target, (const char *)&byte, 1);
    else
        sink_printf(target, "%s%02x", unprintable, byte);
}

static void escape_xml(struct sink *target, uint8_t byte)
{
    bool markup = byte == '&' || byte == '<' || byte == '>' || byte == '"';
    if ((printable(byte) && !markup) || byte == '\n' || byte == '\t')
        sink_write(target, (const char *)&byte, 1);
    else if (byte < 0x20)
        sink_text(target, "&#xFFFD;"); /* XML 1.0 has no way to say a control character */
    else
        sink_printf(target, "&#%u;", byte);
}

static size_t escape_write(struct sink *sink, const char *bytes, size_t length)
{
    struct escape_sink *escape = (struct escape_sink *)sink;
    struct sink *target = escape->target;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        char shown = printable(byte) ? bytes[i] : '?';
        switch (escape->kind) {
        case ESCAPE_JSON:
            escape_string(target, byte, "\\u00");
            break;
        case ESCAPE_YAML:
            escape_string(target, byte, "\\x");
            break;
        case ESCAPE_XML:
            escape_xml(target, byte);
            break;
        case ESCAPE_BLOCK:
            if (escape->line_ended) {
                sink_text(target, "\n");
                sink_cell(target, "", escape->indent);
            }
            escape->line_ended = byte == '\n';
            if (!escape->line_ended)
                sink_write(target, &shown, 1);
            break;
        case ESCAPE_TAP:
            if (byte == '#' || byte == '\\')
                sink_write(target, "\\", 1);
            sink_write(target, &shown, 1);
            break;
        }
    }
    return length;
}

void escape_sink_init(struct escape_sink *escape, struct sink *target, enum escape kind)
{
    *escape = (struct escape_sink){.sink.write = escape_write, .target = target, .kind = kind};
}

void escape_text(struct sink *target, enum escape kind, const char *text)
{
    struct escape_sink escape;
    escape_sink_init(&escape, target, kind);
    sink_text(&escape.sink, text);
}

struct sink *quote_open(struct escape_sink *escape, struct sink *target, enum escape kind)
{
    escape_sink_init(escape, target, kind);
    sink_write(target, "\"", 1);
    return &escape->sink;
}

void quote_close(struct escape_sink *escape)
{
    sink_write(escape->target, "\"", 1);
}

void escape_quoted(struct sink *target, enum escape kind, const char *text)
{
    struct escape_sink escape;
    sink_text(quote_open(&escape, target, kind), text);
    quote_close(&escape);
}
