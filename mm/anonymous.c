/*
 * anonymous.c: hop b on the way of a fault: memory that belongs to no file and was not touched yet.
 * Floor: mm.
 *
 *   read    the zero page, for everybody, read-only: nothing is allocated until something is written
 *   write   a frame of zeros of one's own
 */
#include "fault.h"
#include "pte.h"
#include "trace_note.h"

/* Nothing is allocated for what was only read. */
static inline enum vm_fault map_zero_page(struct fault *fault)
{
    *fault->pte = memory.zero | fault->vma->prot | PTE_A;
    trace_resolved(RESOLVED_ZERO_PAGE, 1);
    return VM_FAULT_DONE;
}

static inline enum vm_fault map_zeroed_page(struct fault *fault)
{
    vma_prepare_anon(fault->vma);
    struct page *page = page_alloc_zeroed(PAGE_ANONYMOUS | PAGE_EXCLUSIVE);
    if (!page) {
        return VM_FAULT_OOM;
    }
    page->mapcount = 1;
    *fault->pte = page_frame(page) | fault->vma->prot | PTE_RW | PTE_A | PTE_D;
    trace_resolved(RESOLVED_ANONYMOUS, 1);
    return VM_FAULT_DONE;
}

/*
 * In:   nothing is at fault->pte; the VMA is anonymous and allows the access.
 * Out:  DONE, or OOM with nothing mapped.
 * Rule: a page starts as zeros, whoever had its frame before.
 */
enum vm_fault fault_anonymous(struct fault *fault)
{
    return fault->flags & FAULT_FLAG_WRITE ? map_zeroed_page(fault) : map_zero_page(fault);
}
