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

/*
 * In:   nothing is at fault->pte; the VMA is anonymous and allows the access.
 * Out:  DONE, or OOM with nothing changed.
 * Rule: a page starts as zeros, whoever had its frame before.
 */
enum vm_fault fault_anonymous(struct fault *fault)
{
    struct vma *vma = fault->vma;

    if (!(fault->flags & FAULT_FLAG_WRITE)) {
        *fault->pte = memory.zero | vma->prot | PTE_A;
        trace_resolved(RESOLVED_ZERO_PAGE, 1);
        return VM_FAULT_DONE;
    }
    struct page *page = page_alloc_zeroed(PAGE_ANONYMOUS | PAGE_EXCLUSIVE);
    if (!page) {
        return VM_FAULT_OOM;
    }
    vma_prepare_anon(vma);
    page->mapcount = 1;
    *fault->pte = page_frame(page) | vma->prot | PTE_RW | PTE_A | PTE_D;
    trace_resolved(RESOLVED_ANONYMOUS, 1);
    return VM_FAULT_DONE;
}
