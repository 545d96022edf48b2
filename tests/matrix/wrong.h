/*
 * wrong.h: the words that name a slip of the model, for --sabotage: "model:smep:dropped". Rows are
 * called as in model/rows.h. Pure.
 */
#ifndef MATRIX_WRONG_H
#define MATRIX_WRONG_H

#include "tests/model/model.h"
#include "x86/types.h"

/* Out: false: @word names no row, or no slip that it can have. */
bool model_wrong_parse(const char *word, struct model_wrong *wrong) MUST_CHECK;

#endif
