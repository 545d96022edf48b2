/*
 * target.h: the page that a check aims at: a walk of its own from the top level down, in a
 * top-level slot of its own, over frames of which every byte is known.
 *
 *   level 4 (5)   slot of the root that nothing else uses, in world and twin
 *     ...         tables of our own
 *   leaf          @frame: 4 KiB of ours, whatever the leaf's size; of a large page only these 4 KiB
 *                 are ever accessed
 *
 * A large leaf covers physical memory around our frame that belongs to others; nothing there is
 * accessed (docs/suites.md, "Large pages").
 */
#ifndef HARNESS_TARGET_H
#define HARNESS_TARGET_H

#include "fault/outcome.h"
#include "paging/table.h"

#define TARGET_OFFSET                                                                              \
    0xff8u /* of the target word in its page: the last one, nothing may run over */
#define TARGET_WORD UINT64_C(0xa5a5a5a5a5a5a5a5)

struct target {
    unsigned levels, leaf;    /* 4 or 5; 1 to 3 */
    vaddr_t page;             /* of the target's 4 KiB */
    vaddr_t address;          /* of the target word */
    paddr_t frame;            /* 4 KiB at @page */
    paddr_t decoys[2];        /* the frames before and behind it */
    pte_t *entry[LEVELS_MAX]; /* index 0 = PTE; of world's root at the top */
    pte_t *twin_entry;        /* the same slot of the twin's root */
};

/* Addresses that every check may rely on. Canonical with 4 and 5 levels. */
#define USER_CODE  UINT64_C(0x0000000000400000) /* probe_user_page, R-X for ring 3 */
#define USER_STACK UINT64_C(0x00007ffffffff000) /* absent: ring-3 probes use no stack */

/* Frames for checks; initialised by target_start. */
extern struct frame_pool check_frames;

/* Take over @bytes from @base, allocate what every target needs, map USER_CODE. Once a run. */
enum status target_start(paddr_t base, uint64_t bytes, unsigned levels) MUST_CHECK;

/*
 * Make the walk for a leaf at level @leaf: every entry P RW US, A and D clear; the frame and its
 * decoys filled with patterns; nothing cached.
 */
void target_build(struct target *target, unsigned leaf);

/* Write @value to the entry at @level (twin included at the top), without invalidation. */
void target_set_entry(const struct target *target, unsigned level, pte_t value);

/* Read the entry at @level as the root @twin or world has it. */
pte_t target_entry(const struct target *target, unsigned level, bool twin);

/* Take the walk out of both roots and drop what is cached of it. */
void target_remove(const struct target *target);

/* The target word in its frame, behind the processor's back: through the direct map. */
uint64_t *target_word(const struct target *target);

/* How many words of the frame (but the target word) and of its decoys are no longer as built. */
uint64_t target_damage(const struct target *target);

#endif
