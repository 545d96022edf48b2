/*
 * sink.c: formatted output without a C library. Manual: docs/report.md.
 */
#include "sink.h"

#include <stdarg.h>
#include <string.h>

void sink_write(struct sink *sink, const char *bytes, size_t length)
{
    size_t taken = sink->write(sink, bytes, length);
    sink->written += taken;
    sink->lost += length - taken;
}

static size_t text_length(const char *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && text[length] != '\0')
        length++;
    return length;
}

void sink_text(struct sink *sink, const char *text)
{
    sink_write(sink, text, text_length(text, SIZE_MAX));
}

static size_t buffer_write(struct sink *sink, const char *bytes, size_t length)
{
    struct buffer_sink *buffer = (struct buffer_sink *)sink;
    size_t room = buffer->capacity - buffer->length;
    if (length > room)
        length = room;
    if (length > 0) /* an empty buffer may have no address */
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    return length;
}

void buffer_sink_init(struct buffer_sink *buffer, char *bytes, size_t capacity)
{
    *buffer =
        (struct buffer_sink){.sink.write = buffer_write, .bytes = bytes, .capacity = capacity};
}

static void sink_repeat(struct sink *sink, char byte, size_t count)
{
    while (count-- > 0)
        sink_write(sink, &byte, 1);
}

void sink_cell(struct sink *sink, const char *text, size_t width)
{
    size_t length = text_length(text, width);
    sink_write(sink, text, length);
    sink_repeat(sink, ' ', width - length);
}

struct directive {
    bool left, zero;
    size_t width, precision; /* SIZE_MAX: no precision */
    unsigned longs;          /* 'l's */
};

/* Print @text of @length bytes padded to the width; @sign goes before padding with zeros. */
static void print_padded(struct sink *sink, const struct directive *d, const char *sign,
                         const char *text, size_t length)
{
    size_t signs = text_length(sign, 1);
    size_t padding = d->width > length + signs ? d->width - length - signs : 0;
    if (!d->left && !d->zero)
        sink_repeat(sink, ' ', padding);
    sink_write(sink, sign, signs);
    if (!d->left && d->zero)
        sink_repeat(sink, '0', padding);
    sink_write(sink, text, length);
    if (d->left)
        sink_repeat(sink, ' ', padding);
}

static void print_number(struct sink *sink, const struct directive *d, const char *sign,
                         uint64_t value, unsigned base)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    print_padded(sink, d, sign, digits + at, sizeof(digits) - at);
}

static const char *parse_number(const char *at, size_t *number)
{
    *number = 0;
    while (*at >= '0' && *at <= '9' && *number < 10000)
        *number = *number * 10 + (size_t)(*at++ - '0');
    return at;
}

/* Everything between '%' and the conversion letter. Out: the address of that letter. */
static const char *parse_directive(const char *at, struct directive *d)
{
    *d = (struct directive){.precision = SIZE_MAX};
    for (; *at == '-' || *at == '0'; at++) {
        d->left |= *at == '-';
        d->zero |= *at == '0';
    }
    at = parse_number(at, &d->width);
    if (*at == '.')
        at = parse_number(at + 1, &d->precision);
    for (; *at == 'l' && d->longs < 2; at++)
        d->longs++;
    return at;
}

void sink_printf(struct sink *sink, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format != '\0') {
        size_t plain = 0;
        while (format[plain] != '\0' && format[plain] != '%')
            plain++;
        if (plain > 0) {
            sink_write(sink, format, plain);
            format += plain;
            continue;
        }

        struct directive d;
        const char *end = parse_directive(format + 1, &d);
        bool numeric = d.precision == SIZE_MAX;
        char c;
        if (*end == 's' && d.longs == 0) {
            const char *text = va_arg(arguments, const char *);
            if (text == NULL)
                text = "(null)";
            d.zero = false;
            print_padded(sink, &d, "", text, text_length(text, d.precision));
        } else if (*end == 'c' && d.longs == 0 && numeric) {
            c = (char)va_arg(arguments, int);
            d.zero = false;
            print_padded(sink, &d, "", &c, 1);
        } else if ((*end == 'u' || *end == 'x') && numeric) {
            /* long and long long are the same width here */
            uint64_t value = d.longs ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);
            print_number(sink, &d, "", value, *end == 'u' ? 10 : 16);
        } else if (*end == 'd' && numeric) {
            int64_t value = d.longs ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
            print_number(sink, &d, value < 0 ? "-" : "", magnitude, 10);
        } else if (*end == '%' && end == format + 1) {
            sink_write(sink, "%", 1);
        } else {
            if (*end != '\0')
                end++;
            sink_write(sink, format, (size_t)(end - format));
            format = end;
            continue;
        }
        format = end + 1;
    }
    va_end(arguments);
}
