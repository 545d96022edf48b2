/*
 * covering.c: see covering.h.
 *
 * A row is made around a seed: the next combination that no row has yet, searched for among the
 * axes with the most values first, because those decide how many rows there must be. The other axes
 * follow in order, each with the allowed value that completes most open combinations with the values
 * already chosen.
 *
 * Open combinations are sets of slots. With strength 3:
 *
 *     open[pair of slots] = { slots that make an open combination with the pair }
 *
 * so each combination is in three sets. How many open combinations would each slot complete? One for
 * each pair of chosen slots whose set it is in; these are counted for 64 slots at once, in bit planes
 * (plane n holds bit n of the counters). With strength 2 it is the same with slots for pairs.
 *
 * Is there a legal point with given values of two or three axes? Only axes that these depend on can
 * tell, directly or not, and among them a search in order decides: when an axis is left without a
 * value, it goes back to the last axis that had a say in that.
 */
#include "covering.h"

#include "x86/memory.h"

enum stage { STAGE_SLOTS, STAGE_RANDOM, STAGE_PAIRS, STAGE_ROWS, STAGE_DONE };

#define PLANES         12u    /* more than SPACE_AXES * SPACE_AXES / 2 needs */
#define RANDOM_POINTS  256u   /* which show cheaply that pairs are legal */
#define WORK_OF_A_CALL 50000u /* questions and steps until covering_next() takes a break */

/* ---- small things ---------------------------------------------------------------------------------- */

/* No instruction for it is certain, and the compiler's substitute is in a library. */
static uint32_t bits_set(uint64_t bits)
{
    bits -= (bits >> 1) & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + ((bits >> 2) & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)((bits * UINT64_C(0x0101010101010101)) >> 56);
}

static bool has(const uint64_t *set, uint32_t slot)
{
    return (set[slot / 64] >> (slot % 64)) & 1;
}

static void add(uint64_t *set, uint32_t slot)
{
    set[slot / 64] |= BIT(slot % 64);
}

static void take_out(uint64_t *set, uint32_t slot)
{
    set[slot / 64] &= ~BIT(slot % 64);
}

/* The first slot of both sets from @slot on and below @end, or @end. */
static uint32_t next_in_both(const uint64_t *set, const uint64_t *other, uint32_t slot,
                             uint32_t end)
{
    while (slot < end) {
        uint64_t rest = (set[slot / 64] & other[slot / 64]) >> (slot % 64);
        if (rest) {
            slot += (uint32_t)__builtin_ctzll(rest);
            return slot < end ? slot : end;
        }
        slot = (slot / 64 + 1) * 64;
    }
    return end;
}

static uint32_t next_in(const uint64_t *set, uint32_t slot, uint32_t end)
{
    return next_in_both(set, set, slot, end);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(((next_random(state) >> 32) * limit) >> 32);
}

static bool space_depends(const struct space *space, uint32_t axis, uint32_t earlier)
{
    return !space->depends || space->depends(space, axis, earlier);
}

static uint32_t slots_of(const struct space *space)
{
    uint32_t slots = 0;

    for (uint32_t axis = 0; axis < space->axes; axis++) {
        slots += space->values[axis];
    }
    return slots;
}

static uint32_t axis_of(const struct covering *c, uint32_t slot)
{
    uint32_t axis = 0;

    while (c->first[axis + 1] <= slot) {
        axis++;
    }
    return axis;
}

static uint32_t slot_of(const struct covering *c, const uint8_t *row, uint32_t axis)
{
    return c->first[axis] + (uint32_t)row[axis];
}

/* ---- open combinations ----------------------------------------------------------------------------- */

static size_t sets_open(uint32_t slots, uint32_t strength)
{
    return strength == 2 ? slots : (size_t)slots * (slots - 1) / 2;
}

static uint64_t *open_of_slot(const struct covering *c, uint32_t slot)
{
    return c->open + (size_t)slot * c->words;
}

static uint64_t *open_of_pair(const struct covering *c, uint32_t one, uint32_t other)
{
    size_t low = one < other ? one : other, high = one < other ? other : one;

    return c->open + (high * (high - 1) / 2 + low) * c->words;
}

static uint64_t *together_of(const struct covering *c, uint32_t slot)
{
    return c->together + (size_t)slot * c->words;
}

static uint64_t *busy_of(const struct covering *c, uint32_t slot)
{
    return c->busy + (size_t)slot * c->words;
}

/* The slots of all axes but two (the same one twice: but one). */
static void fill_open(const struct covering *c, uint64_t *set, uint32_t axis, uint32_t other)
{
    for (uint32_t i = 0; i < c->space->axes; i++) {
        for (uint32_t slot = c->first[i]; i != axis && i != other && slot < c->first[i + 1];
             slot++) {
            add(set, slot);
        }
    }
}

/* Take the members of @of from @set. Out: how many it had; *@left: has it others? */
static uint32_t subtract(uint64_t *set, const uint64_t *of, uint32_t words, bool *left)
{
    uint32_t count = 0;
    uint64_t rest = 0;

    for (uint32_t i = 0; i < words; i++) {
        uint64_t common = set[i] & of[i];
        if (common) {
            count += bits_set(common);
            set[i] ^= common;
        }
        rest |= set[i];
    }
    *left = rest != 0;
    return count;
}

/* Strength 3: take the open combinations of @slot that are within the row. */
static uint32_t take_pairs(const struct covering *c, uint32_t slot)
{
    uint64_t *busy = busy_of(c, slot);
    uint32_t count = 0;

    for (uint32_t other = 0; (other = next_in_both(busy, c->row, other, slot)) < slot; other++) {
        bool left;
        count += subtract(open_of_pair(c, slot, other), c->row, c->words, &left);
        if (!left) {
            take_out(busy, other);
            take_out(busy_of(c, other), slot);
        }
    }
    return count;
}

void covering_take(struct covering *c, const uint8_t *row)
{
    uint64_t count = 0;

    memset(c->row, 0, c->words * sizeof(*c->row));
    for (uint32_t axis = 0; axis < c->space->axes; axis++) {
        add(c->row, slot_of(c, row, axis));
    }
    for (uint32_t axis = 0; axis < c->space->axes; axis++) {
        uint32_t slot = slot_of(c, row, axis);
        uint64_t *together = together_of(c, slot);
        for (uint32_t i = 0; i < c->words; i++) {
            together[i] |= c->row[i];
        }
        bool left;
        count += c->strength == 2 ? subtract(open_of_slot(c, slot), c->row, c->words, &left)
                                  : take_pairs(c, slot);
    }
    c->covered += count / c->strength; /* each is in as many sets as it has slots */
}

/* No legal point has both slots. */
static void strike_pair(struct covering *c, uint32_t one, uint32_t other)
{
    if (c->strength == 2) {
        c->illegal += has(open_of_slot(c, one), other);
        take_out(open_of_slot(c, one), other);
        take_out(open_of_slot(c, other), one);
        return;
    }
    uint64_t *open = open_of_pair(c, one, other);
    for (uint32_t slot = 0; (slot = next_in(open, slot, c->slots)) < c->slots; slot++) {
        take_out(open, slot);
        take_out(open_of_pair(c, one, slot), other);
        take_out(open_of_pair(c, other, slot), one);
        c->illegal++;
    }
}

/* No legal point has these slots, of which there are as many as the strength. */
static void strike(struct covering *c, const uint32_t *slot)
{
    if (c->strength == 2) {
        strike_pair(c, slot[0], slot[1]);
        return;
    }
    take_out(open_of_pair(c, slot[0], slot[1]), slot[2]);
    take_out(open_of_pair(c, slot[0], slot[2]), slot[1]);
    take_out(open_of_pair(c, slot[1], slot[2]), slot[0]);
    c->illegal++;
}

/* ---- is there a legal point? ----------------------------------------------------------------------- */

/* One axis of the search: @tried values of it were tried, from @start on. */
struct choice {
    uint32_t axis;
    uint32_t start, tried, count; /* count 1: the value is given, @start is it */
    struct axis_set blame;        /* axes before it that excluded some of what was tried */
};

/*
 * Is there a legal choice for the axes @todo such that those in @given keep their values in @point?
 * In: axes that @todo depends on and that are not in it have their values. Out: true: @point has such
 * values.
 */
static bool complete(struct covering *c, uint8_t *point, const struct axis_set *todo,
                     const struct axis_set *given)
{
    struct choice choices[SPACE_AXES];
    uint32_t count = 0, at = 0;

    for (uint32_t axis = 0; axis < c->space->axes; axis++) {
        if (axis_set_has(todo, axis)) {
            bool fixed = axis_set_has(given, axis);
            uint32_t values = c->space->values[axis];
            choices[count] = (struct choice){
                .axis = axis,
                .start = fixed ? point[axis] : random_below(&c->random, values),
                .count = fixed ? 1 : values,
            };
            count++;
        }
    }
    while (at < count) {
        struct choice *choice = &choices[at];
        uint32_t axis = choice->axis, values = c->space->values[axis];
        bool found = false;
        while (!found && choice->tried < choice->count) {
            uint32_t value = choice->start + choice->tried++;
            value -= value >= values ? values : 0;
            c->work++;
            if (c->space->allows(c->space, point, axis, value)) {
                point[axis] = (uint8_t)value;
                found = true;
            } else {
                axis_set_unite(&choice->blame, &c->depends[axis]);
            }
        }
        if (found) {
            at++;
            if (at < count) {
                choices[at].tried = 0;
                choices[at].blame = (struct axis_set){{0}};
            }
            continue;
        }
        /* Back to the last axis that could change this; what lies between had no say in it. */
        uint32_t back = at;
        while (back && !axis_set_has(&choice->blame, choices[back - 1].axis)) {
            back--;
        }
        if (!back) {
            return false;
        }
        axis_set_remove(&choice->blame, choices[back - 1].axis);
        axis_set_unite(&choices[back - 1].blame, &choice->blame);
        at = back - 1;
    }
    return true;
}

/* Is there a legal point with these slots, all of different axes? Out: true: @point has it for @todo. */
static bool slots_legal(struct covering *c, const uint32_t *slot, uint32_t count, uint8_t *point,
                        struct axis_set *todo, struct axis_set *given)
{
    *todo = *given = (struct axis_set){{0}};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t axis = axis_of(c, slot[i]);
        point[axis] = (uint8_t)(slot[i] - c->first[axis]);
        axis_set_add(given, axis);
        axis_set_add(todo, axis);
        axis_set_unite(todo, &c->ancestors[axis]);
    }
    return complete(c, point, todo, given);
}

/* ---- a row ----------------------------------------------------------------------------------------- */

/* Count one more for each slot in @set. */
static void count_set(const struct covering *c, const uint64_t *set)
{
    for (uint32_t i = 0; i < c->words; i++) {
        uint64_t carry = set[i];
        for (uint64_t *plane = c->planes + i; carry; plane += c->words) {
            uint64_t both = *plane & carry;
            *plane ^= carry;
            carry = both;
        }
    }
}

/* @slot joins those of c->row. */
static void choose(const struct covering *c, uint32_t slot)
{
    if (c->strength == 2) {
        count_set(c, open_of_slot(c, slot));
    } else {
        const uint64_t *busy = busy_of(c, slot);
        uint32_t other = 0;
        while ((other = next_in_both(busy, c->row, other, c->slots)) < c->slots) {
            count_set(c, open_of_pair(c, slot, other++));
        }
    }
    add(c->row, slot);
}

/* How many open combinations would each value of @axis complete? Out: the most. */
static uint32_t read_gains(const struct covering *c, uint32_t axis, uint16_t *gain)
{
    uint32_t first = c->first[axis], end = c->first[axis + 1], most = 0;

    memset(gain, 0, (end - first) * sizeof(*gain));
    for (uint32_t n = 0; n < PLANES; n++) {
        const uint64_t *plane = c->planes + n * c->words;
        for (uint32_t slot = first; (slot = next_in(plane, slot, end)) < end; slot++) {
            gain[slot - first] = (uint16_t)(gain[slot - first] + (1u << n));
        }
    }
    for (uint32_t i = 0; i < end - first; i++) {
        most = gain[i] > most ? gain[i] : most;
    }
    return most;
}

/*
 * The allowed value of @axis with the highest gain, among equals the first after a random start; those
 * @refused do not count. Out: 255: none.
 */
static uint32_t best_value(struct covering *c, const uint8_t *row, uint32_t axis,
                           const uint16_t *gain, uint32_t most, const uint64_t refused[4])
{
    uint32_t values = c->space->values[axis], best = 255;
    uint32_t value = random_below(&c->random, values);

    for (uint32_t i = 0; i < values && (best == 255 || gain[best] < most); i++) {
        if (!has(refused, value) && (best == 255 || gain[value] > gain[best])) {
            c->work++;
            best = c->space->allows(c->space, row, axis, value) ? value : best;
        }
        value = value + 1 == values ? 0 : value + 1;
    }
    return best;
}

/*
 * The value for @axis, into row[axis]. In: as for make_row(); when @axis is in the plan, it is not in
 * @todo any more. Out: false: none is allowed.
 */
static bool settle(struct covering *c, uint8_t *plan, bool planned, const struct axis_set *todo,
                   const struct axis_set *given, uint8_t *row, uint32_t axis)
{
    uint16_t gain[255];
    uint32_t most = read_gains(c, axis, gain), value;
    uint64_t refused[4] = {0};

    while ((value = best_value(c, row, axis, gain, most, refused)) != 255) {
        row[axis] = (uint8_t)value;
        if (!planned || value == plan[axis]) {
            return true;
        }
        /* Better than the plan, but does the seed still fit behind it? */
        uint8_t other[SPACE_AXES];
        memcpy(other, plan, c->space->axes);
        memcpy(other, row, axis + 1);
        if (complete(c, other, todo, given)) {
            memcpy(plan, other, c->space->axes);
            return true;
        }
        add(refused, value);
    }
    return false;
}

/*
 * Make a row with the slots @seed. In: @plan has a legal choice for the axes @todo; @given: those of
 * the seed, all ancestors of which are in @todo. Out: false: there is none, though the plan is legal:
 * the space broke its word.
 */
static bool make_row(struct covering *c, const uint32_t *seed, uint8_t *plan, struct axis_set *todo,
                     const struct axis_set *given, uint8_t *row)
{
    memset(c->row, 0, c->words * sizeof(*c->row));
    memset(c->planes, 0, PLANES * c->words * sizeof(*c->planes));
    for (uint32_t i = 0; i < c->strength; i++) {
        choose(c, seed[i]);
    }
    for (uint32_t axis = 0; axis < c->space->axes; axis++) {
        bool planned = axis_set_has(todo, axis);
        axis_set_remove(todo, axis);
        if (axis_set_has(given, axis)) {
            row[axis] = plan[axis];
        } else if (settle(c, plan, planned, todo, given, row, axis)) {
            choose(c, slot_of(c, row, axis));
        } else {
            return false;
        }
    }
    return true;
}

/* ---- what is open still? --------------------------------------------------------------------------- */

/* The axis at place @i of the search. */
static uint32_t searched_axis(const struct covering *c, uint32_t i)
{
    return c->by_size[c->rank[i]];
}

/* On to the next axes, places @i and behind. Out: false: there are none. */
static bool next_axes(struct covering *c)
{
    uint32_t i = c->strength;

    while (i && c->rank[i - 1] == c->space->axes - c->strength + i - 1) {
        i--;
    }
    if (!i) {
        return false;
    }
    c->rank[i - 1]++;
    for (; i < c->strength; i++) {
        c->rank[i] = (uint8_t)(c->rank[i - 1] + 1);
    }
    for (i = 0; i + 1 < c->strength; i++) {
        c->slot[i] = c->first[searched_axis(c, i)];
    }
    return true;
}

/* On to the next slots of the same axes. Out: false: there are none. */
static bool next_slots(struct covering *c)
{
    for (uint32_t i = 0; i + 1 < c->strength; i++) {
        uint32_t axis = searched_axis(c, i);
        if (++c->slot[i] < c->first[axis + 1]) {
            return true;
        }
        c->slot[i] = c->first[axis];
    }
    return false;
}

/*
 * The next open combination. From each set it takes one and goes on to the next set, and round again,
 * so that early rows are as different as can be. Out: false: there is none (stage DONE), or it is time
 * for a break.
 */
static bool find_open(struct covering *c, uint32_t *slot, uint64_t until)
{
    while (c->work < until) {
        uint32_t axis = searched_axis(c, c->strength - 1);
        uint32_t first = c->first[axis], end = c->first[axis + 1];
        uint32_t start = first + random_below(&c->random, end - first);
        const uint64_t *open = c->strength == 2 ? open_of_slot(c, c->slot[0])
                                                : open_of_pair(c, c->slot[0], c->slot[1]);
        uint32_t last = next_in(open, start, end);
        last = last < end ? last : next_in(open, first, end);
        bool found = last < end;
        for (uint32_t i = 0; i + 1 < c->strength; i++) {
            slot[i] = c->slot[i];
        }
        slot[c->strength - 1] = last;
        c->again |= found;
        c->work++;
        if (!next_slots(c)) {
            if (!c->again && !next_axes(c)) {
                c->stage = STAGE_DONE;
                return false;
            }
            c->again = false;
        }
        if (found) {
            return true;
        }
    }
    return false;
}

/* ---- preparations ---------------------------------------------------------------------------------- */

/* Which slots have a legal point? */
static void prepare_slots(struct covering *c, uint8_t *point)
{
    struct axis_set todo, given;

    if (c->at == c->slots) {
        c->stage = STAGE_RANDOM;
        c->at = 0;
        return;
    }
    if (slots_legal(c, &c->at, 1, point, &todo, &given)) {
        add(together_of(c, c->at), c->at);
    }
    c->at++;
}

/* A random point: all its pairs are legal. */
static void prepare_random(struct covering *c, uint8_t *point)
{
    const struct space *space = c->space;

    if (c->at++ == RANDOM_POINTS) {
        c->stage = STAGE_PAIRS;
        c->at = c->other = 0;
        return;
    }
    memset(c->row, 0, c->words * sizeof(*c->row));
    for (uint32_t axis = 0; axis < space->axes; axis++) {
        uint32_t values = space->values[axis], value = random_below(&c->random, values), tried = 0;
        while (tried < values && (c->work++, !space->allows(space, point, axis, value))) {
            value = value + 1 == values ? 0 : value + 1;
            tried++;
        }
        if (tried == values) {
            return; /* the space broke its word */
        }
        point[axis] = (uint8_t)value;
        add(c->row, slot_of(c, point, axis));
    }
    for (uint32_t axis = 0; axis < space->axes; axis++) {
        uint64_t *together = together_of(c, slot_of(c, point, axis));
        for (uint32_t i = 0; i < c->words; i++) {
            together[i] |= c->row[i];
        }
    }
}

/* Slot @at with slot @other, which is of a later axis. */
static void prepare_pair(struct covering *c, uint8_t *point)
{
    uint32_t slot[2] = {c->at, c->other};
    struct axis_set todo, given;

    if (c->at == c->slots) {
        c->stage = STAGE_ROWS;
        return;
    }
    c->work++;
    if (c->other >= c->slots) {
        c->at++;
        c->other = c->at == c->slots ? 0 : c->first[axis_of(c, c->at) + 1];
        return;
    }
    bool both = has(together_of(c, c->at), c->at) && has(together_of(c, c->other), c->other);
    if (has(together_of(c, c->at), c->other)) {
        /* known already */
    } else if (both && slots_legal(c, slot, 2, point, &todo, &given)) {
        add(together_of(c, c->at), c->other);
        add(together_of(c, c->other), c->at);
    } else {
        strike_pair(c, c->at, c->other);
    }
    c->other++;
}

/* ---- the way in ------------------------------------------------------------------------------------ */

size_t covering_bytes(const struct space *space, uint32_t strength)
{
    uint32_t slots = slots_of(space), words = (slots + 63) / 64;

    return (2 * slots + sets_open(slots, strength) + PLANES + 1) * words * sizeof(uint64_t);
}

static void sort_by_size(struct covering *c)
{
    const uint8_t *values = c->space->values;

    for (uint32_t i = 0; i < c->space->axes; i++) {
        uint32_t at = i;
        for (; at && values[c->by_size[at - 1]] < values[i]; at--) {
            c->by_size[at] = c->by_size[at - 1];
        }
        c->by_size[at] = (uint8_t)i;
    }
}

static void read_dependencies(struct covering *c)
{
    for (uint32_t axis = 0; axis < c->space->axes; axis++) {
        for (uint32_t earlier = 0; earlier < axis; earlier++) {
            if (space_depends(c->space, axis, earlier)) {
                axis_set_add(&c->depends[axis], earlier);
                axis_set_add(&c->ancestors[axis], earlier);
                axis_set_unite(&c->ancestors[axis], &c->ancestors[earlier]);
            }
        }
    }
}

static void open_all(struct covering *c)
{
    size_t bytes = c->words * sizeof(*c->row);

    for (uint32_t one = 0; one < c->space->axes; one++) {
        for (uint32_t slot = c->first[one]; slot < c->first[one + 1]; slot++) {
            fill_open(c, busy_of(c, slot), one, one);
            if (c->strength == 2) {
                fill_open(c, open_of_slot(c, slot), one, one);
            }
        }
        for (uint32_t other = 0; c->strength == 3 && other < one; other++) {
            memset(c->row, 0, bytes);
            fill_open(c, c->row, one, other);
            for (uint32_t slot = c->first[one]; slot < c->first[one + 1]; slot++) {
                for (uint32_t low = c->first[other]; low < c->first[other + 1]; low++) {
                    memcpy(open_of_pair(c, slot, low), c->row, bytes);
                }
            }
        }
    }
}

/* Products of the numbers of values of any two, any three axes. */
static uint64_t tuples_of(const struct space *space, uint32_t strength)
{
    uint64_t ones = 0, twos = 0, threes = 0;

    for (uint32_t axis = 0; axis < space->axes; axis++) {
        threes += twos * space->values[axis];
        twos += ones * space->values[axis];
        ones += space->values[axis];
    }
    return strength == 2 ? twos : threes;
}

void covering_begin(struct covering *c, const struct space *space, uint32_t strength, uint64_t seed,
                    void *memory)
{
    *c = (struct covering){
        .space = space,
        .strength = strength,
        .random = seed,
        .tuples = tuples_of(space, strength),
        .slots = slots_of(space),
        .words = (slots_of(space) + 63) / 64,
    };
    for (uint32_t axis = 0; axis < space->axes; axis++) {
        c->first[axis + 1] = (uint16_t)(c->first[axis] + space->values[axis]);
    }
    memset(memory, 0, covering_bytes(space, strength));
    c->together = memory;
    c->busy = c->together + (size_t)c->slots * c->words;
    c->open = c->busy + (size_t)c->slots * c->words;
    c->planes = c->open + sets_open(c->slots, strength) * c->words;
    c->row = c->planes + PLANES * c->words;
    sort_by_size(c);
    read_dependencies(c);
    open_all(c);
    for (uint32_t i = 0; i < strength; i++) {
        c->rank[i] = (uint8_t)i;
    }
    for (uint32_t i = 0; i + 1 < strength; i++) {
        c->slot[i] = c->first[searched_axis(c, i)];
    }
}

enum covering_state covering_next(struct covering *c, uint8_t *row)
{
    uint8_t point[SPACE_AXES] = {0};
    uint64_t until = c->work + WORK_OF_A_CALL;

    while (c->work < until && c->stage < STAGE_ROWS) {
        switch ((enum stage)c->stage) {
        case STAGE_SLOTS:
            prepare_slots(c, point);
            break;
        case STAGE_RANDOM:
            prepare_random(c, point);
            break;
        case STAGE_PAIRS:
            prepare_pair(c, point);
            break;
        case STAGE_ROWS:
        case STAGE_DONE:
            break;
        }
    }
    while (c->work < until && c->stage == STAGE_ROWS) {
        uint32_t slot[3];
        struct axis_set todo, given;
        if (!find_open(c, slot, until)) {
            continue;
        }
        if (!slots_legal(c, slot, c->strength, point, &todo, &given) ||
            !make_row(c, slot, point, &todo, &given, row)) {
            strike(c, slot);
            continue;
        }
        covering_take(c, row);
        c->rows++;
        return COVERING_ROW;
    }
    return c->stage == STAGE_DONE ? COVERING_DONE : COVERING_MORE;
}

/* ---- the check ------------------------------------------------------------------------------------- */

/*
 * Nothing of the above is used from here on. For each slot, the set of rows that have it; a
 * combination is covered when its slots' sets meet.
 */

/* Mark @axis and all before it that matter to it, directly or not. */
static void mark_matters(const struct space *space, uint32_t axis, bool matters[SPACE_AXES])
{
    matters[axis] = true;
    for (uint32_t later = axis; later > 0; later--) {
        for (uint32_t earlier = 0; matters[later] && earlier < later; earlier++) {
            matters[earlier] |= !space->depends || space->depends(space, later, earlier);
        }
    }
}

/* Can axes from @axis on that matter be chosen? @wanted: a value by axis, 255: any. */
static bool can_choose(const struct space *space, uint32_t axis, const bool *matters,
                       const uint8_t *wanted, uint8_t *point)
{
    while (axis < space->axes && !matters[axis]) {
        axis++;
    }
    if (axis == space->axes) {
        return true;
    }
    for (uint32_t value = 0; value < space->values[axis]; value++) {
        if ((wanted[axis] == 255 || wanted[axis] == value) &&
            space->allows(space, point, axis, value)) {
            point[axis] = (uint8_t)value;
            if (can_choose(space, axis + 1, matters, wanted, point)) {
                return true;
            }
        }
    }
    return false;
}

static bool combination_legal(const struct space *space, const uint8_t *wanted)
{
    bool matters[SPACE_AXES] = {false};
    uint8_t point[SPACE_AXES] = {0};

    for (uint32_t axis = 0; axis < space->axes; axis++) {
        if (wanted[axis] != 255) {
            mark_matters(space, axis, matters);
        }
    }
    return can_choose(space, 0, matters, wanted, point);
}

/* What the check works on. */
struct check {
    const struct space *space;
    uint32_t words; /* of a set of rows */
    uint64_t *sets; /* by slot */
    uint64_t *pair; /* the rows that have both slots in question */
    uint8_t wanted[SPACE_AXES];
};

/* Rows that are in both sets, into @both unless NULL. Out: is there one? */
static bool intersect(const struct check *check, const uint64_t *one, const uint64_t *other,
                      uint64_t *both)
{
    bool any = false;

    for (uint32_t i = 0; i < check->words && !(any && !both); i++) {
        uint64_t common = one[i] & other[i];
        any |= common != 0;
        if (both) {
            both[i] = common;
        }
    }
    return any;
}

/* How many legal values of axes from @axis on are missing beside the pair in question? */
static uint64_t missing_beside(struct check *check, uint32_t axis, const uint64_t *set)
{
    uint64_t missing = 0;

    for (; axis < check->space->axes; axis++) {
        for (uint32_t value = 0; value < check->space->values[axis]; value++, set += check->words) {
            if (!intersect(check, check->pair, set, NULL)) {
                check->wanted[axis] = (uint8_t)value;
                missing += combination_legal(check->space, check->wanted);
            }
        }
        check->wanted[axis] = 255;
    }
    return missing;
}

/* How many combinations with @value of @axis, whose set is @set, and later axes are missing? */
static uint64_t missing_with(struct check *check, uint32_t strength, uint32_t axis, uint32_t value,
                             const uint64_t *set)
{
    const struct space *space = check->space;
    const uint64_t *later = set + (size_t)(space->values[axis] - value) * check->words;
    uint64_t missing = 0;

    check->wanted[axis] = (uint8_t)value;
    for (uint32_t other = axis + 1; other < space->axes; other++) {
        const uint64_t *behind = later + (size_t)space->values[other] * check->words;
        for (uint32_t i = 0; i < space->values[other]; i++, later += check->words) {
            bool covered = intersect(check, set, later, check->pair);
            check->wanted[other] = (uint8_t)i;
            if (covered || combination_legal(space, check->wanted)) {
                missing += strength == 3 ? missing_beside(check, other + 1, behind) : !covered;
            }
        }
        check->wanted[other] = 255;
    }
    check->wanted[axis] = 255;
    return missing;
}

size_t covering_missing_bytes(const struct space *space, uint32_t count)
{
    size_t sets = 1;

    for (uint32_t axis = 0; axis < space->axes; axis++) {
        sets += space->values[axis];
    }
    return sets * ((count + 63) / 64) * sizeof(uint64_t);
}

uint64_t covering_missing(const struct space *space, uint32_t strength, const uint8_t *rows,
                          uint32_t count, void *memory)
{
    struct check check = {.space = space, .words = (count + 63) / 64, .pair = memory};
    uint64_t missing = 0, *set = check.pair + check.words;

    memset(memory, 0, covering_missing_bytes(space, count));
    memset(check.wanted, 255, sizeof(check.wanted));
    for (uint32_t row = 0; row < count; row++) {
        const uint8_t *values = rows + (size_t)row * space->axes;
        uint64_t *of_axis = set;
        if (!space_legal(space, values)) {
            return UINT64_MAX;
        }
        for (uint32_t axis = 0; axis < space->axes; axis++) {
            of_axis[(size_t)values[axis] * check.words + row / 64] |= BIT(row % 64);
            of_axis += (size_t)space->values[axis] * check.words;
        }
    }
    for (uint32_t axis = 0; axis < space->axes; axis++) {
        for (uint32_t value = 0; value < space->values[axis]; value++, set += check.words) {
            missing += missing_with(&check, strength, axis, value, set);
        }
    }
    return missing;
}

/* Does a change of a single axis before @axis matter that should not? */
static bool depends_on_more(const struct space *space, uint8_t *point, uint32_t axis)
{
    for (uint32_t earlier = 0; earlier < axis; earlier++) {
        uint8_t was = point[earlier];
        bool differs = false, same[255] = {false};
        if (!space->depends || space->depends(space, axis, earlier)) {
            continue;
        }
        for (uint32_t value = 0; value < space->values[axis]; value++) {
            same[value] = space->allows(space, point, axis, value);
        }
        for (uint32_t i = 0; i < space->values[earlier]; i++) {
            point[earlier] = (uint8_t)i;
            for (uint32_t value = 0; value < space->values[axis]; value++) {
                differs |= same[value] != space->allows(space, point, axis, value);
            }
        }
        point[earlier] = was;
        if (differs) {
            return true;
        }
    }
    return false;
}

const char *covering_contract(const struct space *space, uint64_t seed, uint32_t points,
                              uint32_t *axis)
{
    uint8_t point[SPACE_AXES] = {0};
    uint64_t random = seed;

    for (uint32_t n = 0; n < points; n++) {
        for (*axis = 0; *axis < space->axes; ++*axis) {
            uint32_t values = space->values[*axis], tried = 0;
            uint32_t value = random_below(&random, values);
            while (tried < values && !space->allows(space, point, *axis, value)) {
                value = value + 1 == values ? 0 : value + 1;
                tried++;
            }
            if (tried == values) {
                return "no value is allowed behind a legal choice";
            }
            point[*axis] = (uint8_t)value;
            if (depends_on_more(space, point, *axis)) {
                return "what is allowed depends on an axis that is not declared";
            }
        }
    }
    return NULL;
}
