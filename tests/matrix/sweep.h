/*
 * sweep.h: the exhaustive product, as fast as it goes: P, R/W, U/S and XD of every pair of levels, of
 * every leaf size and paging mode, in 512 processor states, by 10 accesses.
 *
 *   group    paging mode and leaf size; its walks: all but two entries allow everything (table.h)
 *   state    WP NXE SMEP SMAP AC; PKU and PKS each off, no bit, AD, WD for the key in use
 *   access   read write locked-rmw implicit-read fetch, from ring 3 and from ring 0
 *
 *   number = ((points of the groups before) + (state * 10 + access) * walks + walk)
 *
 * A line is what one state and one access have in common: its points differ in walks only,
 * neighbours in one entry. The model is compiled to a table of few cells before each line.
 *
 * What a machine lacks makes the product smaller: fewer groups, fewer states. sweep.c is pure: numbers
 * and points. sweep_run.c runs them.
 */
#ifndef MATRIX_SWEEP_H
#define MATRIX_SWEEP_H

#include "fold.h"
#include "point.h"
#include "table.h"

#define SWEEP_GROUPS   6u
#define SWEEP_STATES   512u
#define SWEEP_ACCESSES 10u

/* ---- numbers and points: pure ------------------------------------------------------------------------ */

/* A group: one paging mode and leaf size. */
struct sweep_group {
    uint8_t levels, leaf;
    uint32_t walks; /* different ones */
    uint64_t points;
};
/* Groups that @m can run; 6 where it has everything. Out: how many are in @group. */
unsigned sweep_groups(const struct machine *m, struct sweep_group group[SWEEP_GROUPS]);

/* Which paging modes are wanted from now on: of 1 << value of AXIS_LEVELS. At first all are. */
void sweep_levels(unsigned wanted);

/* Points in all, numbered group by group; and which point a number is. */
uint64_t sweep_points(const struct machine *m);
void sweep_point(const struct machine *m, uint64_t number, struct point *point);

/* For folds: the same with derived attributes, and the first number >= @from that matches @where. */
void sweep_values(const struct machine *m, uint64_t number, uint8_t values[FOLD_AXES]);
uint64_t sweep_next(const struct machine *m, const struct conjunction *where, uint64_t from);

/*
 * What the points of a line have in common. @question: for the walk that allows all; @cr2: before the
 * access. @combo: the entries that its walks have (table.h), until a line of another group is made.
 */
struct sweep_line {
    unsigned group, state, access;
    struct point point; /* its first */
    unsigned levels, leaf, entries;
    uint32_t walks;
    const struct table_walk *walk;
    struct point_scene scene;
    struct model_question question;
    pte_t (*combo)[COMBOS];
};
/* Out: the place of @number in its line. */
uint32_t sweep_line(const struct machine *m, uint64_t number, const struct point_ground *ground,
                    uint64_t cr2, struct sweep_line *line);

/* ---- the run ----------------------------------------------------------------------------------------- */

/* One point that is not as the model says. */
struct sweep_difference {
    uint64_t number;
    const struct model_answer *answer; /* with the model as it is: one object a class and line */
    struct model_got got;
    bool rip_wrong; /* the fault was reported from elsewhere than the access */
};

/*
 * Run from @number on until about @until (TSC). *@number moves to the next point not run. For each
 * point that is not as the model says, @differs is called; it may take its time. Out: false when all are
 * done. In: stage_start(); the stage is closed.
 */
typedef void sweep_differs(void *context, const struct sweep_difference *difference);
bool sweep_run(const struct machine *m, uint64_t *number, uint64_t until, sweep_differs *differs,
               void *context) MUST_CHECK;

/*
 * Test-only: what is wrong with the model from now on; NULL: nothing. The table is the model as it is, so
 * with a wrong one each point is asked for by itself: many times slower.
 */
void sweep_model(const struct model_wrong *wrong);

/* How often each row of the model took effect in points that sweep_run() ran. */
uint64_t sweep_rule_count(uint32_t row);

/*
 * For the bench: the loop over @count walks of the caller's, on the line of @number. Neighbours differ
 * in one entry. Adds to *@measured; ticks are the loop's alone. In: as sweep_run().
 */
struct sweep_measured {
    uint64_t ticks, checks;
    uint64_t faults, user; /* of the checks: have to fault; are made from ring 3 */
    uint64_t differences;
};
void sweep_measure(const struct machine *m, uint64_t number, const struct table_walk *walk,
                   uint32_t count, struct sweep_measured *measured);

#endif
