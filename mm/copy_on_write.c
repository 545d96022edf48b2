/*
 * copy_on_write.c: hop b on the way of a fault: a write to a private page that may not be written.
 * Floor: mm.
 *
 *            before             sole owner: reuse         somebody else has it, too: copy
 *   PTE  R-- --> frame 7         RW- --> frame 7           RW- --> frame 9 (a copy of 7)
 *                count 1                count 1                    count 1; 7 has one holder less
 */
#include "fault.h"
#include "paging/tlb.h"
#include "pte.h"
#include "trace_note.h"

/* Nobody else holds it: the page may simply become writable. */
static enum vm_fault reuse(struct fault *fault, struct page *page)
{
    page->flags |= PAGE_EXCLUSIVE;
    *fault->pte = fault->entry | PTE_RW | PTE_A | PTE_D;
    tlb_flush_page(fault->address);
    trace_resolved(RESOLVED_REUSE, 1);
    return VM_FAULT_DONE;
}

/*
 * In:   fault->entry is present and read-only; the VMA is private and writable.
 * Out:  DONE, or OOM with the old mapping untouched.
 * Rule: a writable private PTE never leads to a page with more than one holder.
 */
enum vm_fault fault_copy_on_write(struct fault *fault)
{
    struct vma *vma = fault->vma;
    struct page *page = pte_page(fault->entry); /* NULL: the zero page */

    if (page && page->count == 1 && page->flags & PAGE_ANONYMOUS) {
        return reuse(fault, page);
    }
    vma_prepare_anon(vma);
    const uint32_t flags = PAGE_ANONYMOUS | PAGE_EXCLUSIVE;
    struct page *copy = page ? page_alloc(flags) : page_alloc_zeroed(flags);
    if (!copy) {
        return VM_FAULT_OOM;
    }
    if (page) {
        page_copy(page_bytes(copy), page_bytes(page));
    }
    copy->mapcount = 1;
    *fault->pte = page_frame(copy) | vma->prot | PTE_RW | PTE_A | PTE_D;
    /* The old translation still leads to the old frame, and reads through it would go on. */
    tlb_flush_page(fault->address);
    if (page) {
        page->mapcount--;
        page_put(page);
    }
    trace_resolved(page ? RESOLVED_COPY : RESOLVED_ANONYMOUS, 1);
    return VM_FAULT_DONE;
}
