/*
 * matrix.h: the access matrix as a run sees it: parts that are run one after the other, folds of what
 * failed, and what the machine chose where the architecture leaves a choice.
 *
 *   matrix_start              options and machine are known; the parts are
 *   for each part: while (matrix_run(part, until) == MATRIX_MORE) end the step
 *   while (matrix_conclude(until) == MATRIX_MORE) end the step
 *   matrix_fold ...           what failed, folded
 *
 *   quick   pairs needed                         every pair of values; what no pair array needs to hit
 *   full    pairs needed exhaustive triples      sweep.h; every three values
 *   soak    random                               points of the whole product, from a seed
 */
#ifndef MATRIX_MATRIX_H
#define MATRIX_MATRIX_H

#include "fold.h"
#include "literals.h"
#include "point.h"
#include "stage.h"
#include "symptom.h"
#include "tests/harness/options.h"

#define MATRIX_PARTS_MAX 6u
#define SYMPTOMS_MAX     16u

enum matrix_progress { MATRIX_MORE, MATRIX_DONE };

struct matrix_part {
    const char *name;  /* check id "matrix.NAME" */
    const char *title; /* a few words */
    uint64_t planned;  /* points; of arrays: an estimate until they are complete */
    uint64_t run;      /* run = passed + known + failed */
    uint64_t passed, known, failed;
    /* Products: points in all, without those that contradict themselves, of the latter not run here. */
    uint64_t total, legal, skipped;
    /* Arrays: combinations of 2 or 3 values in all, legal on some machine, here, covered here. */
    uint64_t tuples, tuples_legal, tuples_here, tuples_covered;
    uint64_t ticks; /* of the TSC, spent in it */
};

/* One point, acted out and judged; everything a person may want to see of it. */
struct matrix_case {
    struct point point;
    struct point_scene scene;
    struct model_question question;
    struct model_answer answer;
    struct stage_got got;
    struct model_got seen;
    bool allowed;
    struct symptom symptom;
    uint8_t nearest;  /* of answer.outcome */
    unsigned missing; /* enum cpu_feature + 1: this machine cannot run the point */
};

/* The point that was last begun: what an unexpected exception happened in. */
const struct point *matrix_current(void);
/* After such an exception: the stage is closed. */
void matrix_recover(void);

/* Act out one point by itself (the stage is closed before and after). */
void matrix_point(const struct point *point, struct matrix_case *result);

struct matrix_fold {
    struct conjunction where; /* FOLD_AXES values: the point's, then derived attributes */
    struct symptom symptom;
    uint64_t points;
    /*
     * A soak that outlasts its memory is folded in chapters, and a fold is exact in its own: so many
     * points of later chapters match it and pass.
     */
    uint64_t against;
    uint16_t deviation; /* row of deviations[] + 1; 0: unexplained */
    uint16_t part;      /* of the witness */
    uint8_t defect;     /* matrix.c's own number */
    bool repeats;       /* the witness failed in the same way when it was acted out by itself */
    struct matrix_case witness;
};

/*
 * @memory holds the results of the points, arrays and folds. Out: NULL, or why these options cannot
 * be run ("needs 18 MiB of memory, there are 4").
 */
const char *matrix_start(const struct options *options, const struct machine *m, void *memory,
                         size_t bytes, uint64_t ticks_per_second);

uint32_t matrix_part_count(void);
const struct matrix_part *matrix_part(uint32_t part);
enum matrix_progress matrix_run(uint32_t part, uint64_t until);
enum matrix_progress matrix_conclude(uint64_t until);

/* @part shall not be run, or not any more: it does not count in matrix_done(). */
void matrix_leave_out(uint32_t part);

/* Points done and planned over all parts, in units that take about the same time each. */
void matrix_done(uint64_t *done, uint64_t *planned);

/* Folds, the unexplained first, then by points. Valid after matrix_conclude. */
uint32_t matrix_fold_count(void);
const struct matrix_fold *matrix_fold(uint32_t fold);
/* Failing points beyond the folds that fit. */
uint64_t matrix_unfolded(void);

/* How often each row of the model took effect in points that were run. */
uint64_t matrix_rule_count(uint32_t row);

/*
 * The fingerprint: for each row of the model that leaves a choice, how often the choice was open and
 * which ways the machine took: bit n of @taken for the n-th allowed outcome class.
 */
struct matrix_choice {
    uint64_t open;
    uint64_t taken[4];
};
const struct matrix_choice *matrix_choice(uint32_t row);
uint64_t matrix_digest(void);

#endif
