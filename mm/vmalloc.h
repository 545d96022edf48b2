/*
 * vmalloc.h: memory of the kernel's own that is contiguous only in addresses. Floor: mm.
 *
 * Its top-level entries are made in the reference table alone; the first touch under any other root
 * faults, and mm_resolve() copies the entry (Linux's vmalloc_fault). A page below each allocation
 * and behind it is absent.
 */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

#include "mm.h"

/* Top-level slots that nothing else uses, with 4 and with 5 levels; half a TiB is plenty. */
#define VMALLOC_BASE_4 UINT64_C(0xffffc90000000000)
#define VMALLOC_BASE_5 UINT64_C(0xffa0000000000000)
#define VMALLOC_BYTES  (UINT64_C(1) << 38)

/* @bytes of zeros, page-aligned, writable, not executable. Out: NULL when there is no memory or no
 * room, or for 0 bytes. */
MUST_CHECK void *vmalloc(uint64_t bytes);
/* @at is NULL or came from vmalloc. Its tables stay: roots have copies of what leads to them. */
void vfree(void *at);

/* Nothing is allocated: mm_start()'s part. */
void vmalloc_start(void);

/* Give back those tables, too. In: nothing is allocated any more, and no mm exists. */
void vmalloc_stop(void);

/* Is @address in the area? */
bool vmalloc_holds(vaddr_t address);

/*
 * Copy the reference table's top-level entry for @address into @root's table, if it has one and @root
 * differs. Out: whether anything was copied.
 */
bool vmalloc_synchronise(paddr_t root, vaddr_t address);

#endif
