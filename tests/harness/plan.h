/*
 * plan.h: which checks there are, in which order, and what each is called.
 */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include "machine.h"
#include "options.h"
#include "record.h"
#include "tests/matrix/axes.h"
#include "tests/suites/suites.h"

#define CHECK_ID_TEXT POINT_TEXT

/*
 * Take the points of the matrix that @options name, before anything else is asked of the plan. Out:
 * NULL, or what is wrong with @length characters at *@word.
 */
const char *plan_points(const struct options *options, const struct machine *m, const char **word,
                        unsigned *length) MUST_CHECK;

/* Of a CASE_POINT. */
const struct point *check_point(const struct check_ref *ref);

/*
 * The id: "write_protect.user_write_faults/4k.l3.user", "reserved.bit_faults/2m.l2.supervisor.bit51",
 * "matrix:access=write,pte.rw=0". That of a fold is in its record alone: record_id().
 */
void check_id(const struct check_ref *ref, char text[CHECK_ID_TEXT]);

/* The same, of a record: that of a point or a fold is the point's. */
void record_id(const struct record *record, char text[CHECK_ID_TEXT]);

/* The case of @ref. */
const struct test_case *check_case(const struct check_ref *ref);

/*
 * Step to the check after @ref (all zero and @first: the very first) in run order over the whole
 * catalogue of this machine. Out: false after the last one.
 */
bool check_next(struct check_ref *ref, bool first) MUST_CHECK;

/* The fold @number (from 0) of the matrix that has ended: no part of the plan. */
struct check_ref check_fold(uint32_t number);

/* Do the options select this check? */
bool check_selected(const struct check_ref *ref, const struct options *options) MUST_CHECK;

#endif
