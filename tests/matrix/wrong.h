/*
 * wrong.h: the words that name a slip of the model, for --sabotage: "model:R3.5:dropped",
 * "model:R3.4#2:negated" for the second row of that number. Pure.
 */
#ifndef MATRIX_WRONG_H
#define MATRIX_WRONG_H

#include "tests/model/model.h"
#include "x86/types.h"

/* Out: false: @word names no row, or no slip that this row can have. */
bool model_wrong_parse(const char *word, struct model_wrong *wrong) MUST_CHECK;

/* "R3.4#2", or "R3.5" where the number has one row. ROW_TEXT is enough. */
#define ROW_TEXT 24u
void model_row_text(unsigned row, char text[ROW_TEXT]);

#endif
