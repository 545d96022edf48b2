/*
 * stack.c: hop b on the way of a fault: a stack that grows. Floor: mm.
 *
 *     lower                                                  higher
 *     | neighbour |<- 256 pages at least ->| new | VMA with MAP_GROWSDOWN |
 *
 * The VMA grows to the page that was touched; what comes up in between is touched page by page.
 */
#include "fault.h"
#include "mapping.h"

bool stack_historic_rule;

/* A neighbour that may itself grow, or that nobody may access, needs no gap. */
static bool needs_gap(const struct vma *below)
{
    return !(below->flags & VM_GROWSDOWN) && (below->flags & VM_ACCESS_FLAGS);
}

int stack_expand(struct vma *vma, vaddr_t address)
{
    struct mm *mm = vma->mm;
    const vaddr_t start = ALIGN_DOWN(address, PAGE_SIZE);
    const struct vma *below = vma_previous(vma);

    if (start >= vma->start) {
        return 0;
    }
    if (start < MMAP_MIN_ADDRESS) {
        return -EPERM;
    }
    if (below && needs_gap(below) && start - below->end < STACK_GUARD_GAP) {
        return -ENOMEM;
    }
    /* Before the limits are asked, as in Linux: what then merges tells whether somebody tried. */
    vma_prepare_anon(vma);
    const uint64_t grown = (vma->start - start) / PAGE_SIZE;
    if (grown > vma->page_offset || vma->end - start > mm->stack_limit ||
        !mapping_may_expand(mm, vma->flags, grown) || !mapping_may_commit(grown)) {
        return -ENOMEM;
    }
    vma_set_bounds(vma, start, vma->end, vma->page_offset - grown);
    return 0;
}
