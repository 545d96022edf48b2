/*
 * fold.h: from failing points to sentences. A fold is a conjunction of axis values; every point of
 * the sweep in it fails in the same way (the same symptom), and together the folds of a symptom cover all
 * points that fail in that way.
 *
 * The points are anybody's: a list of rows, or a product that is never written down. Points are
 * numbered from 0; each has a symptom: 0 not run, 1 passed, 2 and up: a way of failing.
 */
#ifndef MATRIX_FOLD_H
#define MATRIX_FOLD_H

#include "space.h"

#define FOLD_ANY        0xffu /* an axis that the conjunction does not name */
#define FOLDS_MAX       256u
#define SYMPTOM_NOT_RUN 0u
#define SYMPTOM_PASS    1u
#define SYMPTOM_FIRST   2u /* the first that is a failure */

/* Derived attributes count as axes here, so it may be more than the space has. */
struct conjunction {
    uint8_t value[SPACE_AXES]; /* or FOLD_ANY */
};

struct fold {
    struct conjunction where;
    uint8_t symptom;
    uint64_t points;  /* of the sweep that it covers, all of them failing */
    uint64_t witness; /* number of its smallest point: fewest values that are not 0, then lowest */
};

struct fold_source {
    uint64_t points;
    uint32_t axes; /* derived attributes included */
    void *context;
    /* The point's values, one byte an axis. */
    void (*values)(void *context, uint64_t number, uint8_t *values);
    uint8_t (*symptom)(void *context, uint64_t number);
    /*
     * Optional, for products: the first number >= @from whose values match @where, or @points. NULL:
     * a loop over values() does it.
     */
    uint64_t (*next)(void *context, const struct conjunction *where, uint64_t from);
};

enum fold_state {
    FOLD_MORE,
    FOLD_DONE,
    FOLD_TOO_MANY /* FOLDS_MAX reached: @left tells the rest */
};

struct folding {
    const struct fold_source *source;
    uint32_t count;
    uint64_t left; /* failing points that no fold covers (FOLD_TOO_MANY) */
    struct fold fold[FOLDS_MAX];
    /* the rest is fold.c's own: add what it needs */
    uint64_t at;
};

void folding_begin(struct folding *folding, const struct fold_source *source);

/* Look at about @budget points more. */
enum fold_state folding_step(struct folding *folding, uint64_t budget);

/* Does @values match? */
static inline bool conjunction_matches(const struct conjunction *where, const uint8_t *values,
                                       uint32_t axes)
{
    for (uint32_t axis = 0; axis < axes; axis++) {
        if (where->value[axis] != FOLD_ANY && where->value[axis] != values[axis]) {
            return false;
        }
    }
    return true;
}

#endif
