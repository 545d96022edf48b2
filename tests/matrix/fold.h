/*
 * fold.h: from failing points to sentences. A fold is a conjunction of axis values; every point of
 * the sweep in it fails in the same way (the same symptom), and together the folds of a symptom cover all
 * points that fail in that way. Points that were not run neither help nor hinder.
 *
 * The points are anybody's: a list of rows, or a product that is never written down. Points are
 * numbered from 0; each has a symptom: 0 not run, 1 passed, 2 and up: a way of failing.
 *
 *     folding_begin(&folding, &source);
 *     while (folding_step(&folding, 10000) == FOLD_MORE)
 *         end the batch
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
    uint32_t axes; /* derived attributes included; at most SPACE_AXES */
    uint32_t real; /* how many of them, from the first, count for the size of a witness */
    /*
     * What an axis costs in an explanation, 1 or more: among folds that explain as much, the one with the
     * lowest sum is taken. With 1 for derived attributes and 2 for real axes, "walk=reserved" wins
     * against "pte.p=1,rsvd=pte". NULL: 1 each.
     */
    const uint8_t *weight;
    void *context;
    /* The point's values, one byte an axis, below 255. */
    void (*values)(void *context, uint64_t number, uint8_t *values);
    uint8_t (*symptom)(void *context, uint64_t number);
    /*
     * Optional, for products: the first number >= @from that may match @where, or @points. It may stop
     * at a point that does not match, but must not pass by one that does and was run. NULL: every
     * point is looked at.
     */
    uint64_t (*next)(void *context, const struct conjunction *where, uint64_t from);
    /* Optional: the first number >= @from whose symptom is a failure, or @points. */
    uint64_t (*failing)(void *context, uint64_t from);
};

enum fold_state {
    FOLD_MORE,     /* call again */
    FOLD_DONE,     /* all failing points are covered but for @left, see there */
    FOLD_TOO_MANY, /* there are FOLDS_MAX folds, and @left points that none covers */
};

#define FOLD_SAMPLES  128u /* failing points that tell how much a conjunction explains */
#define FOLD_APART    256u /* reasons why a conjunction must name an axis */
#define FOLD_EXAMPLES 256u /* points that made a conjunction fail, for the next fold */

/* A step of the search for the cheapest conjunction, fold.c. */
struct fold_choice {
    struct axis_set chosen, excluded;
    uint64_t lost[FOLD_SAMPLES / 64];
    uint32_t cost;
    uint64_t unmet[FOLD_APART / 64];
    uint8_t axis[SPACE_AXES]; /* to be tried here */
    uint32_t count, tried;
};

struct folding {
    const struct fold_source *source;
    uint32_t count;
    struct fold fold[FOLDS_MAX];
    /*
     * Failing points that no fold covers: those beyond FOLDS_MAX folds, and those that nothing can
     * explain, because a point with the very same values had another symptom.
     */
    uint64_t left;
    uint64_t looked; /* at so many points so far, repeats included */

    /* The rest is fold.c's own. */
    uint32_t stage;
    bool full;                        /* FOLDS_MAX was reached */
    uint64_t at;                      /* all failing points before it are covered, or left */
    struct axis_set named[FOLDS_MAX]; /* by fold: the axes that it names */
    uint64_t start[FOLDS_MAX];        /* by fold: the point that it was made for */

    uint8_t values[SPACE_AXES]; /* of the point that a fold is being made for, which is @at */
    uint8_t symptom;
    uint64_t random;
    uint64_t sampled, samples_seen;
    bool far;
    uint64_t lost[SPACE_AXES][FOLD_SAMPLES / 64]; /* by axis: samples that differ in it */

    struct axis_set apart[FOLD_APART]; /* a conjunction must name one axis of each */
    uint32_t aparts;
    uint8_t example[FOLD_EXAMPLES][SPACE_AXES];
    uint8_t example_symptom[FOLD_EXAMPLES];
    uint32_t examples; /* ever; the last FOLD_EXAMPLES are kept */

    struct axis_set candidate;
    struct conjunction where; /* the same with its values */
    uint64_t position;        /* of the scan for points that match */
    bool wrapped;
    uint64_t points, witness;
    uint32_t witness_size;

    bool dropping; /* too many reasons: one axis after the other is left out */
    struct axis_set kept;
    uint32_t drops;
    uint8_t drop_order[SPACE_AXES];

    uint32_t reduced;          /* folds looked at by the reduction */
    uint8_t reduce[FOLDS_MAX]; /* in which order */
    bool gone[FOLDS_MAX];

    struct fold_choice choice[SPACE_AXES + 1];
};

/* @source must outlive @folding; its answers must stay the same. */
void folding_begin(struct folding *folding, const struct fold_source *source);

/* Look at about @budget points more. The result does not depend on the budgets. */
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
