/*
 * literals.h: conjunctions of axis values as people read and write them: "walk=reserved,nxe=0". Real
 * axes and derived attributes (point.h) alike. Pure.
 */
#ifndef MATRIX_LITERALS_H
#define MATRIX_LITERALS_H

#include "fold.h"
#include "point.h"

#define LITERALS_MAX 6u

/* A few axes, each with the values that it may have: what a deviation is restricted to. */
struct literals {
    uint8_t count;
    struct literal {
        uint8_t axis;    /* below FOLD_AXES */
        uint64_t values; /* BIT(value) */
    } literal[LITERALS_MAX];
};

/* "pte.rw" or "walk"; "0" or "reserved". NULL: there is no such value. */
const char *fold_axis_name(unsigned axis);
const char *fold_axis_value(unsigned axis, unsigned value);

/*
 * Read "axis=value|value,axis=value", @length characters; nothing holds always. Out: false: some
 * word is none, an axis is named twice, or there are too many.
 */
bool literals_parse(const char *text, size_t length, struct literals *literals) MUST_CHECK;

/* Does the point with these FOLD_AXES @values fulfil them? */
bool literals_hold(const struct literals *literals, const uint8_t *values) MUST_CHECK;

/* Does every point of @where fulfil them, whatever its other values are? */
bool literals_cover(const struct literals *literals, const struct conjunction *where) MUST_CHECK;

/* "walk=reserved,nxe=0" of a conjunction; "everything" when it names nothing. */
#define CONJUNCTION_TEXT 832u
void conjunction_text(const struct conjunction *where, char text[CONJUNCTION_TEXT]);

/* Read it back. Out: false: it is none. */
bool conjunction_parse(const char *text, size_t length, struct conjunction *where) MUST_CHECK;

/* Is every point of @inner one of @outer? As far as the values that they name tell. */
bool conjunction_within(const struct conjunction *inner,
                        const struct conjunction *outer) MUST_CHECK;

#endif
