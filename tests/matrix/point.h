/*
 * point.h: what a point is in memory: the entries of its two walks, and the question it puts to the
 * model. Pure: no page table is written here.
 *
 *     page 0 (last 4 KiB of its top-level slot)     edge     page 1 (first 4 KiB of the next slot)
 *     walk 0: tables of its own at every level        |      walk 1: tables of its own
 *
 * A walk under test has the entries that the point says; the other one is harmless: present and
 * writable, for the access' own ring only, not used otherwise. PLACE_OVER: page 0 is the last
 * canonical one and there is no page 1. PLACE_END: there is none either, all its entries are 0.
 * PLACE_HOLE: neither is touched.
 */
#ifndef MATRIX_POINT_H
#define MATRIX_POINT_H

#include "axes.h"
#include "tests/model/model.h"

/* Physical memory for the walks; the stage owns it. */
struct point_ground {
    paddr_t table[2]
                 [LEVELS_MAX]; /* [walk][level - 1]: the table that holds its entry of that level */
    /* The 4 KiB behind page 0 and 1: the last 4 KiB of a 2-MiB region and the first of another. */
    paddr_t frame[2];
};

struct point_scene {
    unsigned levels, leaf;      /* of the walks under test; a harmless walk's leaf is the same */
    pte_t entry[2][LEVELS_MAX]; /* index 0 = PTE; 0 below the leaf */
    vaddr_t page[2];            /* linear addresses of the two pages */
    vaddr_t address;            /* first byte of the access, LAM tag included */
    unsigned bytes;
    unsigned first; /* the walk of the first byte */
    bool used[2];   /* does the access concern this walk? */
};

/* For 1-GiB leaves page 0 lies where its frame does in its 1-GiB region. */
void point_scene(const struct point *point, const struct point_ground *ground,
                 struct point_scene *scene);

/* @cr2: what CR2 holds before the access. */
void point_question(const struct point *point, const struct machine *m,
                    const struct point_scene *scene, uint64_t cr2, struct model_question *question);

/* PKRU or PKRS of the point: the key in use and the other one; key 0 is never denied. */
uint32_t point_key_rights(const struct point *point, bool supervisor);

/*
 * Derived attributes, told by the model: axes of their own for folds, behind the real ones.
 */
enum derived {
    DERIVED_WALK,     /* complete absent reserved hole */
    DERIVED_AT,       /* - pte pde pdpte pml4e pml5e: where the walk ended */
    DERIVED_PAGE,     /* supervisor user: complete walks */
    DERIVED_VECTOR,   /* that has to come: none pf gp ss */
    DERIVED_FAULT,    /* what has to come of it: none absent reserved address forbidden */
    DERIVED_REFUSED,  /* rights: - any write: whatever it does, or only because it writes */
    DERIVED_RESERVED, /* what ended the walk: - address xd 7 8 low several */
    DERIVED_KIND,     /* read write fetch locked rmw nothing shadow-read shadow-write */
    DERIVED_COUNT
};
/* Values of DERIVED_VECTOR that page faults and accesses that go through have. */
enum { VECTOR_IS_NONE, VECTOR_IS_PF };
/* Values of DERIVED_FAULT; those between are enum model_end. */
enum { FAULT_NONE, FAULT_FORBIDDEN = 4 };
enum { REFUSED_NOT, REFUSED_ANY, REFUSED_WRITE };
enum {
    RESERVED_NOT,
    RESERVED_ADDRESS,
    RESERVED_XD,
    RESERVED_7,
    RESERVED_8,
    RESERVED_LOW,
    RESERVED_SEVERAL
};
#define FOLD_AXES (AXIS_COUNT + DERIVED_COUNT)
void point_derived(const struct point *point, const struct model_answer *answer,
                   uint8_t values[DERIVED_COUNT]);
const char *derived_name(unsigned derived);
const char *derived_value(unsigned derived, unsigned value);

#endif
