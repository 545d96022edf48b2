/*
 * paging_mode.h: from 4 levels of paging to 5 and back, inside our world. CR4.LA57 can change only
 * outside long mode, so the way leads through 32-bit code without paging. SDM vol. 3A 4.1.2, 9.8.5.
 *
 *   our root -> way of the old mode   maps core, and below 4 GiB, where addresses are physical:
 *                                       the page of paging_mode.S   R-X
 *                                       a page with a GDT           R--
 *   32-bit code, CR0.PG=0, CR4.LA57, CR3 = way of the new mode, CR0.PG=1
 *   way of the new mode -> our root
 *
 * Nothing of it is mapped in the roots that checks run on.
 */
#ifndef FAULT_PAGING_MODE_H
#define FAULT_PAGING_MODE_H

#include "paging/frames.h"

/*
 * Make the ways, from @pool, which lies in our block, below 4 GiB. Does nothing the second time.
 * Errors: NO_FRAMES.
 */
enum status paging_mode_start(struct frame_pool *pool) MUST_CHECK;

/* May this processor change its mode? It must have LA57; in VMX operation paging cannot go off. */
bool paging_mode_can_change(void);

/* Of the processor, now. */
unsigned paging_mode_levels(void);

/*
 * Go on with @levels of paging on @root, which maps core. In: a root of ours and our GDT loaded,
 * CR0.WP=1, EFER.NXE=1 where there is NX, CR4.PCIDE=0 and CR4.CET=0, IF=0. An NMI in between is fatal.
 * Everything cached is gone afterwards.
 */
void paging_mode_set(unsigned levels, paddr_t root);

/*
 * Whatever a check left: our world's own mode again. In: as above; out: world's root is loaded if
 * the mode was another one. world.c, on the way to firmware.
 */
void paging_mode_restore(void);

#endif
