/*
 * quick.h: points that every run of the matrix makes besides the covering array: what no array of
 * pairs is sure to hit.
 */
#ifndef MATRIX_QUICK_H
#define MATRIX_QUICK_H

#include "x86/types.h"

/* Ids as point_parse() reads them. */
extern const char *const quick_needed[];
extern const uint32_t quick_needed_count;

#endif
