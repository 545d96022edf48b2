/*
 * stream.c: bytes on their way out of core; efi/ takes them after the step.
 */
#include "stream.h"

#include <string.h>

static size_t append(struct session *session, enum session_stream number, const char *bytes,
                     size_t length)
{
    struct stream *stream = &session->stream[number];
    size_t room = stream->capacity - stream->length;
    size_t taken = length < room ? length : room;
    if (taken > 0)
        memcpy((char *)session + stream->offset + stream->length, bytes, taken);
    stream->length += (uint32_t)taken;
    stream->overflow += (uint32_t)(length - taken);
    return taken;
}

static size_t stream_write(struct sink *sink, const char *bytes, size_t length)
{
    struct stream_sink *to = (struct stream_sink *)sink;
    size_t taken = append(to->session, to->first, bytes, length);
    if (to->second != to->first)
        append(to->session, to->second, bytes, length);
    return taken;
}

struct stream_sink stream_sink(struct session *session, enum session_stream first,
                               enum session_stream second)
{
    return (struct stream_sink){
        .sink.write = stream_write, .session = session, .first = first, .second = second};
}
