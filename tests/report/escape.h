/*
 * escape.h: a sink that passes bytes on to another sink in the quoting of a format. Bytes are taken
 * as Latin-1, so that every byte has a meaning in every format and none can break a report.
 */
#ifndef REPORT_ESCAPE_H
#define REPORT_ESCAPE_H

#include "sink.h"

enum escape {
    ESCAPE_JSON,  /* inside "..." */
    ESCAPE_YAML,  /* inside "..." */
    ESCAPE_XML,   /* inside an attribute's "..." or as text */
    ESCAPE_BLOCK, /* a YAML literal block: after each line end @indent blanks; what cannot be shown
                     is ? */
    ESCAPE_TAP, /* a description or directive: one line, # and \ escaped; what cannot be shown is ?
                 */
};

struct escape_sink {
    struct sink sink; /* first */
    struct sink *target;
    enum escape kind;
    unsigned indent; /* of ESCAPE_BLOCK */
    bool line_ended; /* the same: a line end has come that is not yet written */
};

void escape_sink_init(struct escape_sink *escape, struct sink *target, enum escape kind);

/* @text through @kind, without and with quotation marks around it. */
void escape_text(struct sink *target, enum escape kind, const char *text);
void escape_quoted(struct sink *target, enum escape kind, const char *text);

/* A quotation mark, then a sink for what stands between; and the closing one. */
struct sink *quote_open(struct escape_sink *escape, struct sink *target, enum escape kind);
void quote_close(struct escape_sink *escape);

#endif
