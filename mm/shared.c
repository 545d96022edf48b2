/*
 * shared.c: hop b on the way of a fault: writing to a file through a shared mapping. Floor: mm.
 *
 * A file that tracks its writes (page_mkwrite) is asked before a page becomes writable, and learns so
 * which pages are dirty; until then even its present pages are mapped read-only.
 */
#include "fault.h"
#include "paging/tlb.h"
#include "pte.h"
#include "trace_note.h"

/* May @page be written through a shared mapping? Then it is dirty from now on. */
static enum vm_fault make_dirty(struct vma *vma, struct page *page)
{
    if (vma_tracks_writes(vma)) {
        enum vm_fault result = vma->cache->operations->page_mkwrite(vma->cache, page);
        if (result != VM_FAULT_DONE) {
            return result;
        }
    }
    page->flags |= PAGE_DIRTY;
    return VM_FAULT_DONE;
}

/*
 * In:   nothing is at fault->pte; the VMA is shared and writable, and the access a write.
 * Out:  DONE; OOM; SIGBUS behind the end of the file or when the file refuses; RETRY.
 */
enum vm_fault fault_shared(struct fault *fault)
{
    struct vma *vma = fault->vma;
    struct page *page;
    enum vm_fault result = page_cache_fetch(vma->cache, vma_index(vma, fault->address), &page);

    if (result != VM_FAULT_DONE) {
        fault->waits_for = result == VM_FAULT_RETRY ? page : NULL;
        return result;
    }
    result = make_dirty(vma, page);
    if (result != VM_FAULT_DONE) {
        page_put(page);
        return result;
    }
    page->mapcount++; /* the reference that was fetched goes to the PTE */
    *fault->pte = page_frame(page) | vma->prot | PTE_RW | PTE_A | PTE_D;
    trace_resolved(RESOLVED_SHARED, 1);
    return VM_FAULT_DONE;
}

/*
 * In:   fault->entry is present and read-only; the VMA is shared and writable.
 * Out:  DONE, or what the file says.
 */
enum vm_fault fault_make_writable(struct fault *fault)
{
    enum vm_fault result = make_dirty(fault->vma, pte_page(fault->entry));

    if (result == VM_FAULT_DONE) {
        *fault->pte = fault->entry | PTE_RW | PTE_A | PTE_D;
        tlb_flush_page(fault->address);
        trace_resolved(RESOLVED_MKWRITE, 1);
    }
    return result;
}
