/*
 * brk.c: the heap that grows behind the program's data. Floor: mm.
 *
 *   | data | bss | brk_start ... brk |      free       |<- guard gap ->| a GROWSDOWN VMA, or any other
 *
 * Kept of Linux 6.1: whatever is wrong, the answer is the old end; growth needs a page more than the guard gap in
 * front of the next VMA; only the heap's own last VMA takes the new pages over, and one that a fork made does
 * not, so that a child's heap is several VMAs; what is below the new end stays mapped, whoever mapped it.
 */
#include "mapping.h"

static int grow(struct mm *mm, vaddr_t from, vaddr_t to)
{
    const uint64_t pages = (to - from) / PAGE_SIZE;
    const uint64_t flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT;
    const int64_t area = mapping_find_area(mm, from, to - from, MAP_FIXED);
    struct vma *next = vma_find(mm, from);
    struct vma *below = next ? vma_previous(next) : vma_last(mm);

    if (area < 0 || (next && to + PAGE_SIZE > mapping_start_gap(next)) ||
        !mapping_may_expand(mm, flags, pages) || mm->map_count > MAP_COUNT_MAX ||
        !mapping_may_commit(pages)) {
        return -ENOMEM;
    }
    if (below && below->end > mm->brk_start && below->end == from &&
        vma_may_merge_after(below, flags, 0, NULL, from / PAGE_SIZE)) {
        vma_set_bounds(below, below->start, to, below->page_offset);
        return 0;
    }
    struct vma *vma = vma_create(mm, from, to, flags, NULL, from / PAGE_SIZE);
    if (!vma) {
        return -ENOMEM;
    }
    vma_insert(mm, vma);
    return 0;
}

int64_t mm_brk(struct mm *mm, vaddr_t end)
{
    const vaddr_t from = ALIGN_UP(mm->brk, PAGE_SIZE), to = ALIGN_UP(end, PAGE_SIZE);
    int result = 0;

    if (end < mm->brk_start ||
        (mm->data_limit != MM_NO_LIMIT && end - mm->brk_start + mm->data_bytes > mm->data_limit)) {
        return (int64_t)mm->brk;
    }
    if (to != from) {
        if (end > mm->brk) {
            result = grow(mm, from, to);
        } else {
            result = mapping_intersection(mm, to, from) ? mapping_unmap(mm, to, from) : -EINVAL;
        }
    }
    if (result == 0) {
        mm->brk = end;
    }
    return (int64_t)mm->brk;
}
