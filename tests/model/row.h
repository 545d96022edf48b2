/*
 * row.h: the rows of rows.h by name: ROW_absent and so on; ROWS is their number.
 */
#ifndef MODEL_ROW_H
#define MODEL_ROW_H

#include "model.h"

#define ROW(name, number, what, condition, slip, slipped, marks) ROW_##name,
enum row {
#include "rows.h"
    ROWS
};
_Static_assert(ROWS <= MODEL_ROWS_MAX, "a bit of model_answer.rules for each row");

/* Eithers that are more than a bit of the outcome: the access is judged once for each way. */
#define WAY_BIT_8      1u /* bit 8 of upper entries is reserved */
#define WAY_FRAME      2u /* EFLAGS.AC does not excuse the push of a frame */
#define WAY_READ_FIRST 4u /* a plain read-modify-write is a read, then a write */
#define WAYS           8u

/* The answer for machines of which (way & @fixed) == @ways alone. */
void model_ask_ways(const struct model_question *question, const struct model_wrong *wrong,
                    unsigned fixed, unsigned ways, struct model_answer *answer);

#endif
