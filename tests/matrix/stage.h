/*
 * stage.h: where points are acted out: page tables, frames, the processor's state, and the access
 * itself, made in ring 0 or 3. One point at a time, any point: sweep.h is for the many.
 */
#ifndef MATRIX_STAGE_H
#define MATRIX_STAGE_H

#include "fault/boot_info.h"
#include "fault/outcome.h"
#include "paging/status.h"
#include "point.h"

/* Take what the stage needs from check_frames (harness/target.h), once a run. */
enum status stage_start(const struct boot_info *boot) MUST_CHECK;

/* The ground for @levels of paging. What lies in its tables is nobody's between two users. */
const struct point_ground *stage_ground(unsigned levels);

/* Can this machine go to @levels of paging (fault/paging_mode.h)? In: stage_start(). */
bool stage_can_open(unsigned levels);

/*
 * Go to the paging mode, roots and descriptor tables that the stage works with; and back. Between the
 * two nothing else may run; a batch begins with open and ends with close. @levels 4 or 5, whatever
 * firmware uses: the way there leaves long mode for an instant.
 *
 * An exception that nobody expects ends the batch; world.c then goes back to firmware's mode and
 * tables by itself. stage_recover() forgets what the stage was doing; stage_open() calls it.
 */
void stage_open(unsigned levels);
void stage_close(void);
void stage_recover(void); /* what was begun is forgotten */

/*
 * The roots that are loaded while it is open, for CR3: all that world (or twin) maps, and the slots
 * of the walks, free until somebody fills them. ground->table[walk][levels - 1] is that of world; the
 * walk's entry in the twin's root is the stage's user's to keep the same.
 */
paddr_t stage_root(unsigned levels, bool twin);

/* Where exceptions are to push while the stage is open: IST number, for gates of the user's own. */
#define STAGE_IST 4

/*
 * The processor's state as @point wants it, but EFLAGS.AC, and nothing cached; for users that make
 * accesses of their own while the stage is open.
 */
void stage_state(const struct point *point);

struct stage_got {
    struct outcome outcome;          /* vector VECTOR_NONE: went through */
    pte_t after[2][LEVELS_MAX];      /* the entries of both walks */
    uint64_t value;                  /* what was read, where that is a word */
    bool rip_wrong;                  /* a fault reported from elsewhere than the access */
    bool memory_wrong;               /* stored or read something else than it should have */
    uint64_t cr0, cr4, efer, rflags; /* during the access */
    uint32_t pkru, pkrs;
};

/*
 * Write the walks, set the processor's state, drop what is cached, make the access. In: stage_open()
 * for the point's levels; @cr2 is put into CR2 before. The processor's state stays until the next
 * point needs another one or stage_close().
 */
void stage_run(const struct point *point, const struct point_scene *scene, uint64_t cr2,
               struct stage_got *got);

/* The same as the model sees it: walk[0] is that of the first byte. */
void stage_as_model_sees(const struct point_scene *scene, const struct stage_got *got,
                         struct model_got *seen);

#endif
