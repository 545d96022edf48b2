/*
 * table.h: the model, compiled for the sweep. Pure.
 *
 *   walk     P, R/W, U/S and XD of each entry; at most two entries forbid anything
 *   class    all that the model makes of such a walk: where it ends, or what it allows as a whole
 *   cell     for one processor state and access: what a machine may do with a walk of a class
 *
 * tests/host/test_sweep.c proves at every point of the product that its cell is what the model says.
 */
#ifndef MATRIX_TABLE_H
#define MATRIX_TABLE_H

#include "point.h"

/* Four bits an entry: BIT(enum entry_axis) set where its axis has not its default. 0: allows all. */
#define COMBO_BITS 4u
#define COMBOS     16u

/*
 * Walks of n entries, each once: 1 + 15 n + 225 n (n - 1) / 2. Entries count from the leaf, whatever
 * its size.
 */
#define TABLE_WALKS_MAX 2326u /* n = 5 */
#define TABLE_LEAST     2u    /* entries: 1-GiB leaves with 4 levels */

/* Complete walks: bits of what they forbid; then those that end at an entry, by its number. */
#define CLASS_NO_WRITE 1u
#define CLASS_NO_USER  2u
#define CLASS_NO_FETCH 4u
#define CLASS_ABSENT   8u
#define CLASS_RESERVED 13u
#define TABLE_CLASSES  18u

struct table_walk {
    uint32_t combos;  /* of entry i: bits 4 i + 3 to 4 i */
    uint8_t step;     /* the entry that differs from the walk before: 16 i + its combo */
    uint8_t class[2]; /* with EFER.NXE=0, where XD is a reserved bit, and =1 */
    uint8_t unused;
};

static inline unsigned walk_combo(const struct table_walk *walk, unsigned entry)
{
    return (walk->combos >> (COMBO_BITS * entry)) & (COMBOS - 1);
}

static inline unsigned walk_class(const struct table_walk *walk, bool nxe)
{
    return walk->class[nxe];
}

/*
 * All walks of @entries (2 to 5) entries, neighbours differing in one entry; the first allows all.
 * Out: how many.
 */
uint32_t table_walks(unsigned entries, const struct table_walk **walks);

/* Fill in the classes of a walk of @entries entries from its combos. */
void table_classify(struct table_walk *walk, unsigned entries);

/* How the model's story calls the end of a class: enum model_end, and the number of the entry. */
enum model_end class_end(unsigned class, unsigned *entry);

/*
 * What was seen of an access, in one word, and what may be seen.
 *
 *   63..32      31..26   25 .. 16                          15..0
 *   error code  0        D A of entry 4 ... D A of entry 0  vector
 */
#define SEEN_ENTRY_SHIFT 16u
#define SEEN_ERROR_SHIFT 32u

struct table_cell {
    uint64_t value, mask;
    uint64_t cr2, cr2_mask;
};

/* What differs from the only outcome that a cell allows; 0: nothing. Other bits of entries: R5.4. */
static inline uint64_t table_differs(const struct table_cell *cell, uint64_t seen, uint64_t cr2)
{
    return ((seen ^ cell->value) & cell->mask) | ((cr2 ^ cell->cr2) & cell->cr2_mask);
}

/*
 * One line of the product: a state and an access. Where the model allows several outcomes the cell
 * matches nothing, and @answer has to be asked.
 */
struct table {
    uint32_t classes; /* BIT(class) of those that some walk has */
    struct table_cell cell[TABLE_CLASSES];
    struct model_answer answer[TABLE_CLASSES];
};

/*
 * Compile @question, whose walk allows all, for walks of @entries entries from @leaf up;
 * @combo[i][c]: entry i with combo c.
 */
void table_compile(const struct model_question *question, unsigned leaf, unsigned entries,
                   pte_t combo[LEVELS_MAX][COMBOS], struct table *table);

/* The same outcome as one word and back. A and D are those of @entries entries from @leaf up. */
struct table_cell table_pack(const struct model_outcome *outcome, unsigned leaf, unsigned entries);
void table_unpack(uint64_t seen, uint64_t cr2, bool other_bits, unsigned leaf,
                  struct model_got *got);

#endif
