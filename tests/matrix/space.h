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

#endif
