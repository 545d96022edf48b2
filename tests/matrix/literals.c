/*
 * literals.c: see literals.h.
 */
#include "literals.h"

#include "tests/report/sink.h"
#include "x86/memory.h"

#define DERIVED_VALUES_MAX                                                                         \
    9u /* slots a derived attribute has in point.c; the last ones are empty */

const char *fold_axis_name(unsigned axis)
{
    return axis < AXIS_COUNT ? axis_name(axis) : derived_name(axis - AXIS_COUNT);
}

const char *fold_axis_value(unsigned axis, unsigned value)
{
    if (axis < AXIS_COUNT) {
        return value < axis_values(axis) ? axis_value(axis, value) : NULL;
    }
    return value < DERIVED_VALUES_MAX ? derived_value(axis - AXIS_COUNT, value) : NULL;
}

static size_t find_byte(const char *text, size_t length, char byte)
{
    size_t at = 0;

    while (at < length && text[at] != byte) {
        at++;
    }
    return at;
}

static bool word_is(const char *word, size_t length, const char *name)
{
    size_t i = 0;

    while (i < length && name[i] && name[i] == word[i]) {
        i++;
    }
    return i == length && name[i] == '\0';
}

/* The axis of that name; FOLD_AXES: none. */
static unsigned find_axis(const char *word, size_t length)
{
    unsigned axis = 0;

    while (axis < FOLD_AXES && !word_is(word, length, fold_axis_name(axis))) {
        axis++;
    }
    return axis;
}

/* BIT of the value of that name; 0: none. */
static uint64_t find_value(unsigned axis, const char *word, size_t length)
{
    for (unsigned value = 0; fold_axis_value(axis, value); value++) {
        if (word_is(word, length, fold_axis_value(axis, value))) {
            return BIT(value);
        }
    }
    return 0;
}

/* "name=value|value" */
static bool parse_literal(const char *word, size_t length, struct literal *literal)
{
    size_t equals = find_byte(word, length, '=');
    unsigned axis = find_axis(word, equals);

    *literal = (struct literal){.axis = (uint8_t)axis};
    if (axis == FOLD_AXES) {
        return false;
    }
    for (size_t at = equals; at < length;) {
        size_t bytes = find_byte(word + at + 1, length - at - 1, '|');
        uint64_t value = find_value(axis, word + at + 1, bytes);
        if (!value || literal->values & value) {
            return false;
        }
        literal->values |= value;
        at += 1 + bytes;
    }
    return literal->values != 0;
}

bool literals_parse(const char *text, size_t length, struct literals *literals)
{
    *literals = (struct literals){0};
    for (size_t at = 0; at < length;) {
        size_t bytes = find_byte(text + at, length - at, ',');
        if (literals->count == LITERALS_MAX ||
            !parse_literal(text + at, bytes, &literals->literal[literals->count])) {
            return false;
        }
        for (unsigned i = 0; i < literals->count; i++) {
            if (literals->literal[i].axis == literals->literal[literals->count].axis) {
                return false;
            }
        }
        literals->count++;
        at += bytes + 1;
        if (at == length) {
            return false; /* a comma and nothing behind it */
        }
    }
    return true;
}

bool literals_hold(const struct literals *literals, const uint8_t *values)
{
    for (unsigned i = 0; i < literals->count; i++) {
        const struct literal *literal = &literals->literal[i];
        if (values[literal->axis] >= 64 || !((literal->values >> values[literal->axis]) & 1)) {
            return false;
        }
    }
    return true;
}

bool literals_cover(const struct literals *literals, const struct conjunction *where)
{
    return literals_hold(literals, where->value); /* FOLD_ANY is no value's number */
}
_Static_assert(FOLD_ANY >= 64, "literals_cover takes it for a value that is not in the set");

void conjunction_text(const struct conjunction *where, char text[CONJUNCTION_TEXT])
{
    struct buffer_sink out;
    const char *separator = "";

    buffer_sink_init(&out, text, CONJUNCTION_TEXT - 1);
    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        if (where->value[axis] != FOLD_ANY) {
            sink_printf(&out.sink, "%s%s=%s", separator, fold_axis_name(axis),
                        fold_axis_value(axis, where->value[axis]));
            separator = ",";
        }
    }
    if (!*separator) {
        sink_text(&out.sink, "everything");
    }
    text[out.length] = '\0';
}

bool conjunction_parse(const char *text, size_t length, struct conjunction *where)
{
    memset(where->value, FOLD_ANY, sizeof(where->value));
    if (word_is(text, length, "everything")) {
        return true;
    }
    for (size_t at = 0; at <= length;) {
        struct literal literal;
        size_t bytes = find_byte(text + at, length - at, ',');
        if (!parse_literal(text + at, bytes, &literal) || literal.values & (literal.values - 1) ||
            where->value[literal.axis] != FOLD_ANY) {
            return false;
        }
        where->value[literal.axis] = (uint8_t)__builtin_ctzll(literal.values);
        at += bytes + 1;
    }
    return true;
}

bool conjunction_within(const struct conjunction *inner, const struct conjunction *outer)
{
    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        if (outer->value[axis] != FOLD_ANY && outer->value[axis] != inner->value[axis]) {
            return false;
        }
    }
    return true;
}
