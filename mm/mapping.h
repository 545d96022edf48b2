/*
 * mapping.h: what mmap, brk, mprotect and mremap have in common. Floor: mm.
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include "mm.h"

/*
 * Where @bytes (page-aligned, not 0) are to be mapped: Linux's get_unmapped_area. @address: with MAP_FIXED the
 * place, else a hint or 0. Of @flags, MAP_FIXED and MAP_32BIT count. Out: an address, or -ENOMEM: no
 * room, or beyond the end; -EINVAL: not page-aligned.
 */
int64_t mapping_find_area(const struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t flags);

/* Do RLIMIT_AS and RLIMIT_DATA let @pages with @flags come in addition? */
bool mapping_may_expand(const struct mm *mm, uint64_t flags, uint64_t pages);

/* Might @pages more be touched one day, by the standards of Linux's overcommit_memory = 0? */
bool mapping_may_commit(uint64_t pages);

/*
 * Unmap [@start, @end), page-aligned, holes included. Errors: -ENOMEM: splitting would make too many maps,
 * or there is no memory for it; a first split stays.
 */
MUST_CHECK int mapping_unmap(struct mm *mm, vaddr_t start, vaddr_t end);

/* Where a VMA keeps others off: a GROWSDOWN one from the guard gap below it, too. */
static inline vaddr_t mapping_start_gap(const struct vma *vma)
{
    if (!(vma->flags & VM_GROWSDOWN)) {
        return vma->start;
    }
    return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}

/* The first VMA in [@start, @end), or NULL. */
static inline struct vma *mapping_intersection(const struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *vma = vma_find(mm, start);

    return vma && vma->start < end ? vma : NULL;
}

#endif
