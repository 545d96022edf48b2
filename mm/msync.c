/*
 * msync.c: what was written through shared mappings goes to the file. Floor: mm.
 *
 * Kept of Linux 6.1: MS_ASYNC does nothing but look; MS_SYNC cleans the pages of shared mappings, so that the next
 * write to each is noticed again; holes are passed over and reported at the end, but at once for MS_ASYNC alone;
 * MS_INVALIDATE only refuses locked memory.
 */
#include "mm.h"

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC       4

int64_t mm_msync(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t flags)
{
    const vaddr_t end = address + ALIGN_UP(bytes, PAGE_SIZE);
    int unmapped = 0;

    flags = (uint32_t)flags;
    if (flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || address % PAGE_SIZE ||
        (flags & MS_ASYNC && flags & MS_SYNC)) {
        return -EINVAL;
    }
    if (end < address) {
        return -ENOMEM;
    }
    if (end == address) {
        return 0;
    }
    for (struct vma *vma = vma_find(mm, address); vma; vma = vma_next(vma)) {
        if (address < vma->start) {
            if (flags == MS_ASYNC || vma->start >= end) {
                return -ENOMEM;
            }
            address = vma->start;
            unmapped = -ENOMEM;
        }
        if (flags & MS_INVALIDATE && vma->flags & VM_LOCKED) {
            return -EBUSY;
        }
        const vaddr_t part = vma->end < end ? vma->end : end;
        if (flags & MS_SYNC && vma->cache && vma->flags & VM_SHARED) {
            (void)page_cache_clean(vma->cache, vma_index(vma, address), vma_index(vma, part - 1));
        }
        address = vma->end;
        if (address >= end) {
            return unmapped;
        }
    }
    return -ENOMEM;
}
