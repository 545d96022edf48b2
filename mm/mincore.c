/*
 * mincore.c: which pages are there. Floor: mm.
 *
 *   leaf with a page, hidden or not, or the zero page    resident
 *   none, a file is mapped                               resident if the file has the page, up to date
 *   none, anonymous                                      not resident
 *   Linux's own places ([vdso])                          resident: nobody is told what is there
 *
 * Kept of Linux 6.1: so it is there, private copies that were thrown away included: then the file's page counts.
 */
#include "pte.h"
#include "mm.h"

static bool is_resident(const struct vma *vma, vaddr_t address)
{
    const pte_t *pte = paging_leaf(&vma->mm->space, address);

    if (vma->flags & VM_RESERVED || (pte && pte_has_page(*pte))) {
        return true;
    }
    const struct page *page =
        vma->cache ? page_cache_find(vma->cache, vma_index(vma, address)) : NULL;
    return page && page->flags & PAGE_UPTODATE;
}

int64_t mm_mincore(struct mm *mm, vaddr_t address, uint64_t pages, uint8_t *vector)
{
    const struct vma *vma = vma_at(mm, address);
    uint64_t count = 0;

    if (address % PAGE_SIZE) {
        return -EINVAL;
    }
    if (!vma) {
        return -ENOMEM;
    }
    for (; count < pages && address < vma->end; address += PAGE_SIZE) {
        vector[count++] = is_resident(vma, address);
    }
    return (int64_t)count;
}
