/*
 * covering.h: covering arrays: rows such that every legal combination of values of any two (three)
 * axes occurs in at least one row. Deterministic: same space, strength and seed, same rows.
 * Pure; no allocation; a row at a time, so that a batch can end between two rows.
 */
#ifndef MATRIX_COVERING_H
#define MATRIX_COVERING_H

#include "space.h"

struct covering {
    const struct space *space;
    uint32_t strength;
    uint64_t random;  /* state of the generator */
    uint64_t tuples;  /* combinations in all, illegal ones included */
    uint64_t covered; /* by rows so far */
    uint64_t illegal; /* found to have no legal point */
    uint32_t rows;    /* given out so far */
    /* the rest is covering.c's own: add what it needs */
    uint64_t *bits;
    uint64_t next;
};

/* Bytes of memory that covering_begin needs. */
size_t covering_bytes(const struct space *space, uint32_t strength);

/* @memory: covering_bytes() bytes, 8-aligned. Strength 2 or 3. */
void covering_begin(struct covering *covering, const struct space *space, uint32_t strength,
                    uint64_t seed, void *memory);

/*
 * A row that the caller runs anyway covers what it covers: may be called at any time. @row is legal.
 */
void covering_take(struct covering *covering, const uint8_t *row);

/* The next row into @row (space->axes bytes). Out: false: every legal combination is covered. */
bool covering_next(struct covering *covering, uint8_t *row) MUST_CHECK;

/*
 * The check: every combination of @strength axes that some legal point has occurs in @rows. Slow and
 * independent of the above; for host tests. Out: how many legal combinations are missing.
 */
uint64_t covering_missing(const struct space *space, uint32_t strength, const uint8_t *rows,
                          uint32_t count, void *memory);

#endif
