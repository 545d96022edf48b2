/*
 * table.h: page tables of 4 and 5 levels with leaves of 4 KiB, 2 MiB and 1 GiB. Floor: paging.
 * SDM vol. 3A section 4.5.
 *
 *   levels 5:  63 .. 57 | 56 .. 48 | 47 .. 39 | 38 .. 30 | 29 .. 21 | 20 .. 12 | 11 .. 0
 *   levels 4:  63 .......... 48    |          |          |          |          |
 *               sign      PML5E      PML4E      PDPTE      PDE        PTE        offset
 *   level                   5          4          3          2          1
 *                                              1-GiB leaf 2-MiB leaf 4-KiB leaf
 *
 * An entry that is zero is unused; any other entry of a leaf's shape is a mapping, also with P=0:
 * a test may take P away and give it back. Upper entries are permissive, leaves decide.
 * No function leaves a half-done change behind: it does all of it, or names the error and nothing
 * has changed. Reserved bits are not looked at: they are for tests to set.
 */
#ifndef PAGING_TABLE_H
#define PAGING_TABLE_H

#include "frames.h"

/*
 * Tables are taken from, and when empty given back to, @tables. A table from elsewhere (shared, or
 * made by firmware) is used but never given back.
 */
struct address_space {
    paddr_t root;
    unsigned levels;   /* 4 or 5 */
    pte_t table_flags; /* of new upper entries; P is implied */
    struct frame_pool *tables;
};
#define TABLE_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A)

/* An empty space with TABLE_FLAGS and its root from @tables. Errors: NO_FRAMES; RANGE for @levels.
 */
MUST_CHECK enum status paging_space_init(struct address_space *space, unsigned levels,
                                         struct frame_pool *tables);

/*
 * Map @bytes from @va on to physical memory from @pa on, with leaves of @leaf_level (1: 4 KiB,
 * 2: 2 MiB, 3: 1 GiB) and @flags: every bit but the address is taken as it is, PTE_PS is added.
 * Nothing need be flushed: what was not present is not cached.
 * Errors: UNALIGNED; LEAF_SIZE for another @leaf_level, or a larger leaf is in the way; EXISTS;
 * NO_FRAMES; RANGE when @bytes is 0, the addresses are not canonical, wrap, or go beyond 52
 * physical bits, @flags hold address bits, or the leaf would be zero.
 */
MUST_CHECK enum status paging_map(struct address_space *space, vaddr_t va, paddr_t pa,
                                  uint64_t bytes, unsigned leaf_level, pte_t flags);

/*
 * Unmap all leaves of @bytes from @va on, of whatever sizes, and give back tables that are empty.
 * Flushed here: this processor, under its current PCID, before a table's frame can be used again.
 * The caller's part: other processors and other PCIDs under which the space has been loaded.
 * Errors: UNALIGNED; RANGE; NOT_MAPPED for a hole; LEAF_SIZE when a leaf reaches out of the range.
 */
MUST_CHECK enum status paging_unmap(struct address_space *space, vaddr_t va, uint64_t bytes);

/*
 * Clear @clear, then set @set in all leaves of @bytes from @va on. Flushed here, as for
 * paging_unmap, whenever a present leaf changes: raising rights would not need it, but then one
 * spurious fault might follow.
 * Errors: those of paging_unmap; RANGE for address bits, or when a leaf would become zero;
 * LEAF_SIZE for PTE_PS in a large leaf.
 */
MUST_CHECK enum status paging_protect(struct address_space *space, vaddr_t va, uint64_t bytes,
                                      pte_t set, pte_t clear);

/*
 * The entry of @va at @level, to be filled by the caller; missing tables above it are made.
 * Errors: RANGE, LEAF_SIZE for a leaf in the way, EXISTS for a table that is not present,
 * NO_FRAMES.
 */
MUST_CHECK enum status paging_entry(struct address_space *space, vaddr_t va, unsigned level,
                                    pte_t **entry);

/*
 * The leaf of @va at level 1, for whoever keeps spaces of nothing but 4-KiB leaves. Out: where it is, or NULL where a
 * table is missing.
 */
pte_t *paging_leaf(const struct address_space *space, vaddr_t va);

/*
 * The same for whoever goes on from there: *@end is the address behind its table's last leaf, or behind the hole that
 * a missing table leaves. It may be 0: behind the last address of all.
 */
pte_t *paging_leaf_within(const struct address_space *space, vaddr_t va, vaddr_t *end);

/* The same, with the missing tables made: all of them or none. Errors: NO_FRAMES. */
MUST_CHECK enum status paging_leaf_make(struct address_space *space, vaddr_t va, pte_t **leaf);

/*
 * Give back the tables under @root that lie within [@floor, @ceiling), of those that serve
 * [@start, @end): the caller knows that no leaf of [@floor, @ceiling) is in use. Flushed here, as for
 * paging_unmap. The root stays. All in the lower half; @ceiling 0 is its end.
 */
void paging_free_tables(struct address_space *space, vaddr_t start, vaddr_t end, vaddr_t floor,
                        vaddr_t ceiling);

enum walk_end {
    WALK_LEAF,          /* present all the way down */
    WALK_NOT_PRESENT,   /* the entry at @last has P=0 */
    WALK_UNREADABLE,    /* the table at @last lies outside what phys.h reaches */
    WALK_NOT_CANONICAL, /* no walk at all; @last is 0 */
};

/* What a walk saw. Index 0 is the PTE; entries below @last are 0 and NULL. */
struct walk {
    enum walk_end end;
    unsigned levels, last; /* level where it ended */
    pte_t entry[LEVELS_MAX];
    pte_t *at[LEVELS_MAX]; /* where each entry lies */
    pte_t rights;          /* RW and US: set in all present entries; XD: set in any of them */
    paddr_t address;       /* of @va; WALK_LEAF only */
};

/*
 * Walk any page tables as the processor would, without touching them: @root is a CR3 value, @levels
 * is 4 or 5. Reserved bits do not end the walk.
 */
enum walk_end paging_walk(paddr_t root, unsigned levels, vaddr_t va, struct walk *walk);

/* Whether @va is canonical under 4 or 5 @levels. */
static inline bool paging_canonical(vaddr_t va, unsigned levels)
{
    unsigned sign = PAGE_SHIFT + 9 * levels - 1;
    uint64_t above = va >> sign;
    return above == 0 || above == ~UINT64_C(0) >> sign;
}

#endif
