/*
 * stream.h: a sink into a stream of the session. Bytes that do not fit are counted as its overflow.
 */
#ifndef REPORT_STREAM_H
#define REPORT_STREAM_H

#include "sink.h"
#include "tests/harness/session.h"

struct stream_sink {
    struct sink sink; /* first */
    struct session *session;
    enum session_stream first, second;
};

/* The same bytes to @first and to @second; once when they are the same. */
struct stream_sink stream_sink(struct session *session, enum session_stream first,
                               enum session_stream second);

#endif
