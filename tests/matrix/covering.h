/*
 * covering.h: covering arrays: rows such that every legal combination of values of any two (three)
 * axes occurs in at least one row. Deterministic: same space, strength and seed, same rows.
 * Pure; no allocation; a row at a time, so that a batch can end between two rows.
 *
 *     covering_begin(&covering, &space, 2, seed, memory);
 *     while ((state = covering_next(&covering, row)) != COVERING_DONE)
 *         if (state == COVERING_ROW) run the row
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
    uint64_t illegal; /* found to have no legal point; complete when all is done */
    uint32_t rows;    /* given out so far */

    /* The rest is covering.c's own. A slot is one value of one axis; slots are numbered through. */
    uint32_t slots;
    uint32_t words;                 /* of a set of slots */
    uint16_t first[SPACE_AXES + 1]; /* the slot of an axis' value 0 */
    uint8_t by_size[SPACE_AXES];    /* axes, those with the most values first */
    struct axis_set depends[SPACE_AXES];
    struct axis_set ancestors[SPACE_AXES]; /* depends, and what those depend on, and so on */
    uint64_t
        *together;  /* by slot: the slots that have a legal point with it; true after stage PAIRS */
    uint64_t *busy; /* by slot: the slots with which it may be in an open tuple; strength 3 */
    uint64_t *open; /* by slot (strength 3: pair of slots): slots that complete an open tuple */
    uint64_t *planes;          /* of counters, one counter a slot: bit n of each is in plane n */
    uint64_t *row;             /* slots of the row that is being made */
    uint32_t stage, at, other; /* preparations and how far they are */
    uint8_t rank[3];           /* where the search for open tuples is: axes, by size ... */
    uint32_t slot[2];          /* ... and the slots of all but the last */
    bool again;                /* this round found some */
    uint64_t work;             /* questions to space->allows and steps of searches, so far */
};

enum covering_state {
    COVERING_ROW,  /* a row was made */
    COVERING_MORE, /* none yet: call again */
    COVERING_DONE, /* every legal combination is covered */
};

/* Bytes of memory that covering_begin needs. About S * S / 8, for strength 3 S * S * S / 16 for S values in all. */
size_t covering_bytes(const struct space *space, uint32_t strength);

/* @memory: covering_bytes() bytes, 8-aligned. Strength 2 or 3, at most as many as axes. */
void covering_begin(struct covering *covering, const struct space *space, uint32_t strength,
                    uint64_t seed, void *memory);

/*
 * A row that the caller runs anyway covers what it covers: may be called at any time. @row is legal.
 */
void covering_take(struct covering *covering, const uint8_t *row);

/*
 * The next row into @row (space->axes bytes; undefined unless COVERING_ROW). Returns after a bounded
 * time, which is why there is MORE.
 */
enum covering_state covering_next(struct covering *covering, uint8_t *row) MUST_CHECK;

/*
 * The check: every combination of @strength axes that some legal point has occurs in @rows. Slow and
 * independent of the above; for host tests. Out: how many legal combinations are missing; a row that
 * is not legal makes all of them missing (UINT64_MAX).
 */
uint64_t covering_missing(const struct space *space, uint32_t strength, const uint8_t *rows,
                          uint32_t count, void *memory);
size_t covering_missing_bytes(const struct space *space, uint32_t count);

/*
 * Does the space keep its word? Looks at @points random ones: every prefix can be completed, and what
 * allows() says does not change with an axis on which depends() says it does not depend. Out: NULL, or what is wrong; *@axis where.
 */
const char *covering_contract(const struct space *space, uint64_t seed, uint32_t points,
                              uint32_t *axis);

#endif
