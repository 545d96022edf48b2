/*
 * space.h: a space of points as the covering arrays and the folds see it: axes with few values each,
 * and a rule which values go together. Knows nothing of what an axis means.
 */
#ifndef MATRIX_SPACE_H
#define MATRIX_SPACE_H

#include "x86/types.h"

#define SPACE_AXES 72u /* at most */

struct space {
    uint32_t axes;
    const uint8_t *values; /* how many, by axis; 1 to 255 */
    /*
     * May @axis have @value when the axes before it have the values in @point? For every legal
     * choice of the earlier axes there is at least one such value.
     */
    bool (*allows)(const struct space *space, const uint8_t *point, uint32_t axis, uint32_t value);
    /*
     * Does it matter to allows(@axis) which value @earlier has (which is before @axis)? Yes is always
     * safe and no must be true: whether a combination is legal is found out by trying all values of
     * what matters, so a yes too many costs time. NULL: everything matters (for small spaces).
     * covering_contract() checks it.
     */
    bool (*depends)(const struct space *space, uint32_t axis, uint32_t earlier);
    const void *context; /* for @allows */
};

/* Is every value of @point allowed? */
static inline bool space_legal(const struct space *space, const uint8_t *point)
{
    for (uint32_t axis = 0; axis < space->axes; axis++) {
        if (!space->allows(space, point, axis, point[axis])) {
            return false;
        }
    }
    return true;
}

/* A set of axes. */
struct axis_set {
    uint64_t word[(SPACE_AXES + 63) / 64];
};

static inline bool axis_set_has(const struct axis_set *set, uint32_t axis)
{
    return (set->word[axis / 64] >> (axis % 64)) & 1;
}

static inline void axis_set_add(struct axis_set *set, uint32_t axis)
{
    set->word[axis / 64] |= BIT(axis % 64);
}

static inline void axis_set_remove(struct axis_set *set, uint32_t axis)
{
    set->word[axis / 64] &= ~BIT(axis % 64);
}

static inline void axis_set_unite(struct axis_set *set, const struct axis_set *other)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(set->word); i++) {
        set->word[i] |= other->word[i];
    }
}

static inline bool axis_set_meets(const struct axis_set *one, const struct axis_set *other)
{
    uint64_t common = 0;

    for (uint32_t i = 0; i < ARRAY_COUNT(one->word); i++) {
        common |= one->word[i] & other->word[i];
    }
    return common != 0;
}

#endif
