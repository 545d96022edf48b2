/*
 * rows.h: points that were run, with what came of each, 16 bytes a point: each axis has as many bits
 * as its values need. A conjunction is two masks and two values then, so that folds can look at
 * millions of points. Pure; the memory is the caller's.
 *
 *   word 1                                                      word 0
 *   | way 8 | part 4 | ... derived attributes | lam cet ... wp ...  pte.p ... width ring access ... levels |
 */
#ifndef MATRIX_ROWS_H
#define MATRIX_ROWS_H

#include "fold.h"
#include "point.h"

struct row {
    uint64_t word[2];
};

struct rows {
    struct row *row;
    uint32_t count, max;
};

void rows_begin(struct rows *rows, void *memory, uint32_t max);

/* In: there is room. @values: FOLD_AXES; @way below 256, @part below 16. */
void rows_add(struct rows *rows, const uint8_t *values, unsigned way, unsigned part);

void rows_values(const struct rows *rows, uint32_t number, uint8_t *values);
unsigned rows_way(const struct rows *rows, uint32_t number);
unsigned rows_part(const struct rows *rows, uint32_t number);

/* The first row from @from on that matches; or @rows->count. */
uint32_t rows_next(const struct rows *rows, const struct conjunction *where, uint32_t from);

/* Was this point run? */
bool rows_have(const struct rows *rows, const struct point *point);

#endif
