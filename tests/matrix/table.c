/*
 * table.c: see table.h.
 */
#include "table.h"

/* ---- walks ----------------------------------------------------------------------------------------- */

/* Walks of 2, 3, 4 and 5 entries one after the other. */
#define WALKS_BEFORE_3 256u
#define WALKS_BEFORE_4 (WALKS_BEFORE_3 + 721u)
#define WALKS_BEFORE_5 (WALKS_BEFORE_4 + 1411u)
static struct table_walk walks[WALKS_BEFORE_5 + TABLE_WALKS_MAX];
static const uint32_t walks_before[] = {0, 0, 0, WALKS_BEFORE_3, WALKS_BEFORE_4, WALKS_BEFORE_5};

/*
 * The tour: pairs of entries one after the other. Those of a pair (i, j) that both forbid something
 * are a grid of 15 by 15, toured row by row:
 *
 *     j=1  j=2 ... j=15
 *      .----.------->  |   i=1        each row begins in the column where the one above ended
 *      <----------.  .-'   i=2
 *
 * In between, where it is next door, comes the walk in which only one of the two forbids anything: in the
 * last pair that has that entry, so that some are left for the ways from one pair to the next.
 */
struct tour {
    struct table_walk *walk;
    uint32_t count;
    unsigned combo[LEVELS_MAX];
    uint32_t
        single[LEVELS_MAX]; /* BIT(combo): the walk in which only this entry forbids was seen */
};

static void tour_step(struct tour *tour, unsigned entry, unsigned combo)
{
    struct table_walk *walk = &tour->walk[tour->count++];

    tour->combo[entry] = combo;
    for (unsigned i = 0; i < LEVELS_MAX; i++) {
        walk->combos |= tour->combo[i] << (COMBO_BITS * i);
    }
    walk->step = (uint8_t)(COMBOS * entry + combo);
}

/* To the walk in which only @entry forbids, unless it was seen: @other allows all then. */
static void tour_single(struct tour *tour, unsigned entry, unsigned other)
{
    uint32_t bit = 1u << tour->combo[entry];

    if (!(tour->single[entry] & bit)) {
        tour->single[entry] |= bit;
        tour_step(tour, other, 0);
    }
}

static unsigned after(unsigned combo)
{
    return combo % (COMBOS - 1) + 1;
}

/*
 * @row forbids already, @column does not yet and begins with @first. @row_last, @column_last: is this
 * the last pair that has it?
 */
static void tour_pair(struct tour *tour, unsigned row, unsigned column, unsigned first,
                      bool row_last, bool column_last)
{
    tour_step(tour, column, first);
    for (unsigned line = 1;; line++) {
        unsigned at = tour->combo[column];
        for (unsigned i = 1; i < COMBOS - 1; i++) {
            if (row_last) {
                tour_single(tour, row, column);
            }
            at = after(at);
            tour_step(tour, column, at);
        }
        if (line == COMBOS - 1) {
            return;
        }
        unsigned next = after(tour->combo[row]);
        if (column_last) {
            tour_single(tour, column, row);
        }
        tour_step(tour, row, next);
    }
}

/* The pairs (0,1) (0,2) ... (0,n-1) (1,n-1) ... (1,2) (2,3) ...: neighbours share an entry. */
static bool next_pair(unsigned pair[2], unsigned entries)
{
    bool up = pair[0] % 2 == 0;

    if (up ? pair[1] + 1 < entries : pair[1] > pair[0] + 1) {
        pair[1] = up ? pair[1] + 1 : pair[1] - 1;
        return true;
    }
    /* Rows that go up end with the last entry, those that go down with the next row's own. */
    pair[0]++;
    pair[1] = up ? entries - 1 : pair[0] + 1;
    return pair[0] + 1 < entries;
}

static unsigned class_of(uint32_t combos, unsigned entries, bool nxe)
{
    unsigned forbids = 0;

    for (unsigned i = entries; i-- > 0;) {
        unsigned combo = (combos >> (COMBO_BITS * i)) & (COMBOS - 1);
        if (combo & 1u << ENTRY_P) {
            return CLASS_ABSENT + i;
        }
        if (!nxe && combo & 1u << ENTRY_XD) {
            return CLASS_RESERVED + i;
        }
        forbids |= combo;
    }
    return (forbids & 1u << ENTRY_RW ? CLASS_NO_WRITE : 0) |
           (forbids & 1u << ENTRY_US ? CLASS_NO_USER : 0) |
           (forbids & 1u << ENTRY_XD ? CLASS_NO_FETCH : 0);
}

static bool pair_has(const unsigned pair[2], unsigned entry)
{
    return pair[0] == entry || pair[1] == entry;
}

/* Is there no pair behind @pair that has @entry? */
static bool is_last(const unsigned pair[2], unsigned entry, unsigned entries)
{
    unsigned later[2] = {pair[0], pair[1]};

    while (next_pair(later, entries)) {
        if (pair_has(later, entry)) {
            return false;
        }
    }
    return true;
}

static void make_tour(unsigned entries, struct tour *tour)
{
    unsigned pair[2] = {0, 1}, row = 0, column = 1, first = 1;

    tour_step(tour, row, 0);
    tour_step(tour, row, 1);
    tour->single[row] = 1u << 1;
    for (;;) {
        tour_pair(tour, row, column, first++, is_last(pair, row, entries),
                  is_last(pair, column, entries));
        if (!next_pair(pair, entries)) {
            break;
        }
        /* What both pairs have goes on as it is, the other one goes; that walk was not seen yet. */
        unsigned shared = pair_has(pair, row) ? row : column;
        tour_single(tour, shared, row + column - shared);
        row = shared;
        column = pair[0] + pair[1] - shared;
    }
    tour_single(tour, column, row);
}

void table_classify(struct table_walk *walk, unsigned entries)
{
    walk->class[0] = (uint8_t)class_of(walk->combos, entries, false);
    walk->class[1] = (uint8_t)class_of(walk->combos, entries, true);
}

uint32_t table_walks(unsigned entries, const struct table_walk **first)
{
    struct tour tour = {.walk = &walks[walks_before[entries]]};
    uint32_t count = 1 + 15 * entries + 225 * entries * (entries - 1) / 2;

    *first = tour.walk;
    if (!tour.walk[1].combos) { /* not made yet */
        make_tour(entries, &tour);
        for (uint32_t i = 0; i < count; i++) {
            table_classify(&tour.walk[i], entries);
        }
    }
    return count;
}

enum model_end class_end(unsigned class, unsigned *entry)
{
    enum model_end end = class >= CLASS_RESERVED ? MODEL_RESERVED
                         : class >= CLASS_ABSENT ? MODEL_ABSENT
                                                 : MODEL_COMPLETE;

    *entry = end == MODEL_RESERVED ? class - CLASS_RESERVED
             : end == MODEL_ABSENT ? class - CLASS_ABSENT
                                   : 0;
    return end;
}

/* ---- cells ----------------------------------------------------------------------------------------- */

/* Bit i of @bits to bit 2 i; there are at most 8. */
static unsigned spread(unsigned bits)
{
    bits = (bits | bits << 4) & 0x0f0f;
    bits = (bits | bits << 2) & 0x3333;
    return (bits | bits << 1) & 0x5555;
}

/* And back: the bits between are dropped. */
static unsigned gather(unsigned bits)
{
    bits &= 0x5555;
    bits = (bits | bits >> 1) & 0x3333;
    bits = (bits | bits >> 2) & 0x0f0f;
    return (bits | bits >> 4) & 0xff;
}

/* A and D of entry i are bits 2 i and 2 i + 1. */
static uint64_t entry_bits(unsigned accessed, unsigned dirty, unsigned leaf, unsigned entries)
{
    unsigned walk = (1u << entries) - 1;
    uint64_t a = spread(accessed >> (leaf - 1) & walk), d = spread(dirty >> (leaf - 1) & walk);

    return (a | d << 1) << SEEN_ENTRY_SHIFT;
}

struct table_cell table_pack(const struct model_outcome *outcome, unsigned leaf, unsigned entries)
{
    const struct model_bits *bits = &outcome->walk[0];

    return (struct table_cell){
        .value = outcome->vector | entry_bits(bits->accessed, bits->dirty, leaf, entries) |
                 (uint64_t)outcome->error << SEEN_ERROR_SHIFT,
        .mask = 0xffff | entry_bits(bits->accessed_mask, bits->dirty_mask, leaf, entries) |
                (uint64_t)outcome->error_mask << SEEN_ERROR_SHIFT,
        .cr2 = outcome->cr2,
        .cr2_mask = outcome->cr2_mask,
    };
}

void table_unpack(uint64_t seen, uint64_t cr2, bool other_bits, unsigned leaf,
                  struct model_got *got)
{
    unsigned entries = (unsigned)(seen >> SEEN_ENTRY_SHIFT) & 0xffff;

    *got = (struct model_got){
        .vector = (uint16_t)seen,
        .error = (uint32_t)(seen >> SEEN_ERROR_SHIFT),
        .cr2 = cr2,
        .walk = {{.accessed = (uint8_t)(gather(entries) << (leaf - 1)),
                  .dirty = (uint8_t)(gather(entries >> 1) << (leaf - 1))}},
        .other_bits = other_bits,
    };
}

/* The plainest walk of @class. Out: false: no walk of @entries entries is of that class. */
static bool class_example(unsigned class, unsigned entries, bool nxe, uint32_t *combos)
{
    unsigned entry;

    switch (class_end(class, &entry)) {
    case MODEL_ABSENT:
        *combos = 1u << ENTRY_P << (COMBO_BITS * entry);
        break;
    case MODEL_RESERVED:
        *combos = 1u << ENTRY_XD << (COMBO_BITS * entry);
        break;
    case MODEL_COMPLETE:
    case MODEL_NOT_CANONICAL:
        *combos = (class & CLASS_NO_WRITE ? 1u << ENTRY_RW : 0) |
                  (class & CLASS_NO_USER ? 1u << ENTRY_US : 0) |
                  (class & CLASS_NO_FETCH ? 1u << ENTRY_XD : 0);
        break;
    }
    return entry < entries && class_of(*combos, entries, nxe) == class;
}

void table_compile(const struct model_question *question, unsigned leaf, unsigned entries,
                   pte_t combo[LEVELS_MAX][COMBOS], struct table *table)
{
    /* Matches nothing: bits 31 to 26 of what is seen are 0. */
    static const struct table_cell never = {.value = UINT64_MAX, .mask = UINT64_MAX};
    struct model_question asked = *question;

    table->classes = 0;
    for (unsigned class = 0; class < TABLE_CLASSES; class ++) {
        struct table_walk walk = {0};
        if (!class_example(class, entries, question->cpu.nxe, &walk.combos)) {
            continue;
        }
        table->classes |= 1u << class;
        for (unsigned i = 0; i < entries; i++) {
            asked.walk[0].entry[leaf + i - 1] = combo[i][walk_combo(&walk, i)];
        }
        model_ask(&asked, NULL, &table->answer[class]);
        table->cell[class] = table->answer[class].count > 1
                                 ? never
                                 : table_pack(&table->answer[class].outcome[0], leaf, entries);
    }
}
