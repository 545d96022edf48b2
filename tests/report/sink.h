/*
 * sink.h: where formatted bytes go. A sink has a write function and a context; it remembers whether
 * anything was lost, so that a reporter need not check each line.
 */
#ifndef REPORT_SINK_H
#define REPORT_SINK_H

#include "x86/types.h"

struct sink {
    /* Take @length bytes; returns how many were taken. */
    size_t (*write)(struct sink *sink, const char *bytes, size_t length);
    uint64_t written; /* bytes taken so far */
    uint64_t lost;    /* bytes not taken */
};

/* A sink into a buffer of @capacity bytes. After the first lost byte it takes no more: a text that
 * is cut ends there. */
struct buffer_sink {
    struct sink sink; /* first */
    char *bytes;
    size_t capacity, length;
};
void buffer_sink_init(struct buffer_sink *buffer, char *bytes, size_t capacity);

void sink_write(struct sink *sink, const char *bytes, size_t length);
void sink_text(struct sink *sink, const char *text);

/* @text and blanks up to @width characters, @text cut where it is longer. */
void sink_cell(struct sink *sink, const char *text, size_t width);

/*
 * printf for sinks: %s %c %d %u %x %lx %lu %ld %llu %llx %% with width, '-', '0' and '.precision'
 * for %s; anything else is a compile-time error (format attribute) or prints the directive itself
 * and takes no argument.
 */
void sink_printf(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
