/*
 * sweep.h: the exhaustive product, as fast as it goes: P, R/W, U/S and XD of every pair of levels, of
 * every leaf size and paging mode, in 512 processor states, by 10 accesses.
 *
 *   walk     29 pairs of levels x 256, without the repeats: all but two entries allow everything
 *   state    WP NXE SMEP SMAP AC; PKU and PKS each off, no bit, AD, WD for the key in use
 *   access   read write fetch locked-rmw implicit-read, from ring 0 and from ring 3
 *
 * Neighbours differ in one entry; the model is compiled to a table before the loop (table.h).
 */
#ifndef MATRIX_SWEEP_H
#define MATRIX_SWEEP_H

#include "point.h"

#define SWEEP_STATES   512u
#define SWEEP_ACCESSES 10u

/* A group: one paging mode and leaf size. */
struct sweep_group {
    uint8_t levels, leaf;
    uint32_t walks; /* different ones */
    uint64_t points;
};
/* Groups that @m can run; 6 where it has everything. Out: how many are in @group. */
unsigned sweep_groups(const struct machine *m, struct sweep_group group[6]);

/* Points in all, numbered group by group; and which point a number is. */
uint64_t sweep_points(const struct machine *m);
void sweep_point(const struct machine *m, uint64_t number, struct point *point);

/*
 * Run from @number on until about @until (TSC). *@number moves to the next point not run. For each
 * point that is not as the model says, @differs is called with its number; it may take its time.
 * Out: false when all are done. In: stage_start(); the stage is closed.
 */
typedef void sweep_differs(void *context, uint64_t number, const struct point *point,
                           const struct model_got *got);
bool sweep_run(const struct machine *m, uint64_t *number, uint64_t until, sweep_differs *differs,
               void *context) MUST_CHECK;

#endif
