/*
 * rows.c: see rows.h.
 */
#include "rows.h"

#define WAY_SHIFT  56 /* in word 1 */
#define PART_SHIFT 52
#define ROOM       (64 + PART_SHIFT) /* bits for values */

/* Where an axis' bits are; none crosses from word 0 to word 1. */
static struct {
    uint8_t word, shift, bits;
} place[FOLD_AXES];

static unsigned values_of(unsigned axis)
{
    unsigned count = 0;

    if (axis < AXIS_COUNT) {
        return axis_values(axis);
    }
    while (derived_value(axis - AXIS_COUNT, count)) {
        count++;
    }
    return count;
}

static void find_places(void)
{
    unsigned at = 0;

    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        unsigned bits = 1;
        while (values_of(axis) > 1u << bits) {
            bits++;
        }
        if (at / 64 != (at + bits - 1) / 64) {
            at = 64;
        }
        place[axis].word = (uint8_t)(at / 64);
        place[axis].shift = (uint8_t)(at % 64);
        place[axis].bits = (uint8_t)bits;
        at += bits;
    }
    /* test_rows.c sees that at <= ROOM. */
}

static void put(struct row *row, unsigned axis, unsigned value)
{
    row->word[place[axis].word] |= (uint64_t)value << place[axis].shift;
}

static uint64_t mask_of(unsigned axis)
{
    return (BIT(place[axis].bits) - 1) << place[axis].shift;
}

void rows_begin(struct rows *rows, void *memory, uint32_t max)
{
    find_places();
    *rows = (struct rows){.row = memory, .max = max};
}

void rows_add(struct rows *rows, const uint8_t *values, unsigned way, unsigned part)
{
    struct row row = {
        {0, (uint64_t)way << WAY_SHIFT | (uint64_t)part << PART_SHIFT}
    };

    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        put(&row, axis, values[axis]);
    }
    rows->row[rows->count++] = row;
}

void rows_values(const struct rows *rows, uint32_t number, uint8_t *values)
{
    const struct row *row = &rows->row[number];

    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        values[axis] = (uint8_t)((row->word[place[axis].word] >> place[axis].shift) &
                                 (BIT(place[axis].bits) - 1));
    }
}

unsigned rows_way(const struct rows *rows, uint32_t number)
{
    return (unsigned)(rows->row[number].word[1] >> WAY_SHIFT);
}

unsigned rows_part(const struct rows *rows, uint32_t number)
{
    return (unsigned)(rows->row[number].word[1] >> PART_SHIFT) & 0xf;
}

/* The first row from @from on that has the values of @want in the bits of @mask. */
static uint32_t find(const struct rows *rows, const struct row *mask, const struct row *want,
                     uint32_t from)
{
    const struct row *row = rows->row;

    for (; from < rows->count; from++) {
        uint64_t differs = ((row[from].word[0] ^ want->word[0]) & mask->word[0]) |
                           ((row[from].word[1] ^ want->word[1]) & mask->word[1]);
        if (!differs) {
            break;
        }
    }
    return from;
}

uint32_t rows_next(const struct rows *rows, const struct conjunction *where, uint32_t from)
{
    struct row mask = {{0}}, want = {{0}};

    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        if (where->value[axis] != FOLD_ANY) {
            mask.word[place[axis].word] |= mask_of(axis);
            put(&want, axis, where->value[axis]);
        }
    }
    return find(rows, &mask, &want, from);
}

bool rows_have(const struct rows *rows, const struct point *point)
{
    struct row mask = {{0}}, want = {{0}};

    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        mask.word[place[axis].word] |= mask_of(axis);
        put(&want, axis, point->value[axis]);
    }
    return find(rows, &mask, &want, 0) < rows->count;
}
