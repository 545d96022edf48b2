/*
 * file.c: hop b on the way of a fault: reading a mapped file, and writing privately to it. Floor: mm.
 *
 *   read            the file's own page, and what the page cache has around it: sixteen pages of
 *                   one aligned window, as far as VMA, table and file reach
 *   private write   a copy of the file's page at once: the file's own was never mapped
 */
#include "fault.h"
#include "pte.h"
#include "trace_note.h"

#define AROUND_PAGES UINT64_C(16)

/* Let the empty leaf at @pte lead to the file's @page. */
static void map_file_page(pte_t *pte, struct page *page, pte_t bits)
{
    page_get(page);
    page->mapcount++;
    *pte = page_frame(page) | bits;
}

static vaddr_t highest(vaddr_t a, vaddr_t b)
{
    return a > b ? a : b;
}

static vaddr_t lowest(vaddr_t a, vaddr_t b)
{
    return a < b ? a : b;
}

/*
 * Fault-around: map those pages of the window around @fault that are in the cache and up to date,
 * where nothing is mapped yet. Out: how many, and whether the wanted one is among them.
 * No page is read or made for it: what is missing costs a fault of its own.
 */
static unsigned map_around(struct fault *fault, bool *hit)
{
    const struct vma *vma = fault->vma;
    const uint64_t window = AROUND_PAGES * PAGE_SIZE;
    /* Cut at its lower end by the VMA, the window reaches as much farther up: as in Linux. */
    const vaddr_t first = highest(ALIGN_DOWN(fault->address, window), vma->start);
    const uint64_t file_pages = page_cache_size_pages(vma->cache);
    const vaddr_t table_end = ALIGN_UP(fault->address + 1, PAGE_SIZE_2M);
    const uint64_t last_index =
        vma_index(vma, lowest(lowest(first + window, vma->end), table_end)) - 1;
    unsigned mapped = 0;

    *hit = false;
    for (struct page *page = page_cache_first(vma->cache, vma_index(vma, first));
         page && page->index <= last_index && page->index < file_pages;
         page = page_cache_next(page)) {
        const vaddr_t address = vma->start + (page->index - vma->page_offset) * PAGE_SIZE;
        pte_t *pte = fault->pte + (int64_t)(address - fault->address) / (int64_t)PAGE_SIZE;
        if (*pte == 0 && (page->flags & (PAGE_UPTODATE | PAGE_LOCKED)) == PAGE_UPTODATE) {
            map_file_page(pte, page, vma->prot | PTE_A);
            mapped++;
            *hit |= pte == fault->pte;
        }
    }
    return mapped;
}

/*
 * In:   nothing is at fault->pte; the VMA has a file and allows the access, which is no write.
 * Out:  DONE; OOM; SIGBUS behind the end of the file; RETRY while the page is under way.
 */
enum vm_fault fault_file_read(struct fault *fault)
{
    struct vma *vma = fault->vma;
    bool hit;
    unsigned mapped = map_around(fault, &hit);

    if (hit) {
        trace_resolved(RESOLVED_FILE_AROUND, mapped);
        return VM_FAULT_DONE;
    }
    struct page *page;
    enum vm_fault result = page_cache_fetch(vma->cache, vma_index(vma, fault->address), &page);
    if (result != VM_FAULT_DONE) {
        fault->waits_for = result == VM_FAULT_RETRY ? page : NULL;
        return result;
    }
    map_file_page(fault->pte, page, vma->prot | PTE_A);
    page_put(page);
    trace_resolved(RESOLVED_FILE_READ, mapped + 1);
    return VM_FAULT_DONE;
}

/*
 * In:   nothing is at fault->pte; the VMA is private and writable, and the access a write.
 * Out:  as fault_file_read.
 * Rule: what is written privately is never seen through the file.
 */
enum vm_fault fault_file_private(struct fault *fault)
{
    struct vma *vma = fault->vma;
    struct page *copy, *page;

    /* First of all, as in Linux: what then merges tells whether somebody tried to write. */
    vma_prepare_anon(vma);
    copy = page_alloc(PAGE_ANONYMOUS | PAGE_EXCLUSIVE);
    if (!copy) {
        return VM_FAULT_OOM;
    }
    enum vm_fault result = page_cache_fetch(vma->cache, vma_index(vma, fault->address), &page);
    if (result != VM_FAULT_DONE) {
        page_put(copy);
        fault->waits_for = result == VM_FAULT_RETRY ? page : NULL;
        return result;
    }
    page_copy(page_bytes(copy), page_bytes(page));
    page_put(page);
    copy->mapcount = 1;
    *fault->pte = page_frame(copy) | vma->prot | PTE_RW | PTE_A | PTE_D;
    trace_resolved(RESOLVED_FILE_PRIVATE, 1);
    return VM_FAULT_DONE;
}
