/*
 * plan.h: which checks there are, in which order, and what each is called.
 */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include "options.h"
#include "record.h"
#include "tests/suites/suites.h"

#define CHECK_ID_TEXT 96u

/* The id: "write_protect.user_write_faults/4k.l3.user",
 * "reserved.bit_faults/2m.l2.supervisor.bit51". */
void check_id(const struct check_ref *ref, char text[CHECK_ID_TEXT]);

/* The case of @ref. */
const struct test_case *check_case(const struct check_ref *ref);

/*
 * Step to the check after @ref (all zero and @first: the very first) in run order over the whole
 * catalogue of this machine. Out: false after the last one.
 */
bool check_next(struct check_ref *ref, bool first) MUST_CHECK;

/* Do the options select this check? */
bool check_selected(const struct check_ref *ref, const struct options *options) MUST_CHECK;

#endif
