/*
 * answer.c: see answer.h; and the two questions that model.h asks about answers.
 */
#include "answer.h"

/*
 * An outcome in three words, each a value and a mask.
 *
 *     0   vector (47:32), error code (31:0)
 *     1   CR2
 *     2   A and D of both walks, a byte each
 */
#define WORDS 3
struct cube {
    uint64_t value[WORDS], mask[WORDS];
};

static uint64_t walk_word(const struct model_bits walk[2])
{
    return walk[0].accessed | (uint64_t)walk[0].dirty << 8 | (uint64_t)walk[1].accessed << 16 |
           (uint64_t)walk[1].dirty << 24;
}

static struct cube cube_of(const struct model_outcome *outcome)
{
    const struct model_bits *walk = outcome->walk;
    struct cube cube = {
        .value = {(uint64_t)outcome->vector << 32 | outcome->error, outcome->cr2,      walk_word(walk)},
        .mask = {UINT64_C(0xffff) << 32 | outcome->error_mask,     outcome->cr2_mask,
                  walk[0].accessed_mask | (uint64_t)walk[0].dirty_mask << 8 |
                     (uint64_t)walk[1].accessed_mask << 16 | (uint64_t)walk[1].dirty_mask << 24       },
    };

    for (unsigned i = 0; i < WORDS; i++) {
        cube.value[i] &= cube.mask[i];
    }
    return cube;
}

/* Do they have a point in common? */
static bool meets(const struct cube *one, const struct cube *other)
{
    for (unsigned i = 0; i < WORDS; i++) {
        if ((one->value[i] ^ other->value[i]) & one->mask[i] & other->mask[i]) {
            return false;
        }
    }
    return true;
}

/*
 * Is all of @cube in the union of @count others? What sticks out of the first of them falls into
 * pieces, one for each bit that it fixes and @cube does not:
 *
 *     cube     * * 0      first    1 0 0      pieces   0 * 0 and 1 1 0,  the rest 1 0 0 is covered
 *
 * each of which the others must cover. Depth is @count, at most MODEL_OUTCOMES.
 */
static bool covered(struct cube cube, const struct cube *others, unsigned count)
{
    if (count == 0) {
        return false;
    }
    if (!meets(&cube, others)) {
        return covered(cube, others + 1, count - 1);
    }
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t only_there = others->mask[i] & ~cube.mask[i];
        while (only_there) {
            uint64_t bit = only_there & (~only_there + 1);
            struct cube piece = cube;
            piece.mask[i] |= bit;
            piece.value[i] |= ~others->value[i] & bit;
            if (!covered(piece, others + 1, count - 1)) {
                return false;
            }
            cube.mask[i] |= bit;
            cube.value[i] |= others->value[i] & bit;
            only_there &= ~bit;
        }
    }
    return true;
}

static bool within(const struct model_answer *one, const struct model_answer *other)
{
    struct cube others[MODEL_OUTCOMES];

    for (unsigned i = 0; i < other->count; i++) {
        others[i] = cube_of(&other->outcome[i]);
    }
    for (unsigned i = 0; i < one->count; i++) {
        if (!covered(cube_of(&one->outcome[i]), others, other->count)) {
            return false;
        }
    }
    return true;
}

bool model_differs(const struct model_answer *one, const struct model_answer *other)
{
    return !within(one, other) || !within(other, one);
}

/* R5.4: a change of any other bit of an entry is never allowed. */
bool model_allows(const struct model_answer *answer, const struct model_got *got)
{
    for (unsigned i = 0; i < answer->count; i++) {
        const struct model_outcome *allowed = &answer->outcome[i];
        const struct model_bits *walk = allowed->walk;
        if (allowed->vector == got->vector &&
            !((allowed->error ^ got->error) & allowed->error_mask) &&
            !((allowed->cr2 ^ got->cr2) & allowed->cr2_mask) &&
            !((walk[0].accessed ^ got->walk[0].accessed) & walk[0].accessed_mask) &&
            !((walk[1].accessed ^ got->walk[1].accessed) & walk[1].accessed_mask) &&
            !((walk[0].dirty ^ got->walk[0].dirty) & walk[0].dirty_mask) &&
            !((walk[1].dirty ^ got->walk[1].dirty) & walk[1].dirty_mask)) {
            return !got->other_bits;
        }
    }
    return false;
}

/* ---- building an answer ---------------------------------------------------------------------------- */

/* Is @one all of what @other allows, and perhaps more? */
static bool includes(const struct model_outcome *one, const struct model_outcome *other)
{
    struct cube large = cube_of(one), small = cube_of(other);

    return covered(small, &large, 1);
}

/* Nothing but one judged bit of the error code tells them apart: that bit is either. */
static bool merge(struct model_outcome *one, const struct model_outcome *other)
{
    struct cube a = cube_of(one), b = cube_of(other);
    uint64_t differs = a.value[0] ^ b.value[0];

    for (unsigned i = 0; i < WORDS; i++) {
        if (a.mask[i] != b.mask[i] || (i > 0 && a.value[i] != b.value[i])) {
            return false;
        }
    }
    if (differs >> 32 || differs & (differs - 1)) {
        return false;
    }
    one->error_mask &= ~(uint32_t)differs;
    one->error &= ~(uint32_t)differs;
    return true;
}

/* Allow whatever @other allows by judging less. */
static void relax(struct model_outcome *one, const struct model_outcome *other)
{
    one->error_mask &= other->error_mask & ~(one->error ^ other->error);
    one->cr2_mask &= other->cr2_mask & ~(one->cr2 ^ other->cr2);
    for (unsigned i = 0; i < 2; i++) {
        struct model_bits *a = &one->walk[i];
        const struct model_bits *b = &other->walk[i];
        a->accessed_mask &= (uint8_t)(b->accessed_mask & ~(a->accessed ^ b->accessed));
        a->dirty_mask &= (uint8_t)(b->dirty_mask & ~(a->dirty ^ b->dirty));
    }
}

bool answer_add(struct model_answer *answer, const struct model_outcome *outcome)
{
    for (unsigned i = 0; i < answer->count; i++) {
        if (includes(&answer->outcome[i], outcome)) {
            return false;
        }
    }
    for (unsigned i = 0; i < answer->count; i++) {
        if (includes(outcome, &answer->outcome[i])) {
            answer->outcome[i] = *outcome;
            return true;
        }
        if (merge(&answer->outcome[i], outcome)) {
            return true;
        }
    }
    if (answer->count < MODEL_OUTCOMES) {
        answer->outcome[answer->count++] = *outcome;
        return true;
    }
    for (unsigned i = MODEL_OUTCOMES; i-- > 0;) {
        if (answer->outcome[i].vector == outcome->vector) {
            relax(&answer->outcome[i], outcome);
            return true;
        }
    }
    return false;
}
