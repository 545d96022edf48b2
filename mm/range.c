/*
 * range.c: see range.h. Floor: mm.
 *
 * All of it goes from leaf table to leaf table, and passes over holes as large as the missing table
 * leaves them. What was cached of a changed leaf is dropped before its page can have another use:
 * page by page where there are few, all of the space where there are many.
 */
#include "range.h"

#include "paging/tlb.h"
#include "pte.h"

#define FLUSH_PAGES 32u /* from here on one flush of everything is cheaper */

/* Go over the tables of [@start, @end): @pte is a leaf and @here its address, up to @table_end. */
struct leaves {
    const struct address_space *space;
    vaddr_t next, end;
    pte_t *pte;               /* of @first */
    vaddr_t first, table_end; /* what @pte's table holds of the range */
};

static bool leaves_next(struct leaves *leaves)
{
    while (leaves->next < leaves->end) {
        vaddr_t behind;
        leaves->first = leaves->next;
        leaves->pte = paging_leaf_within(leaves->space, leaves->first, &behind);
        leaves->table_end = behind < leaves->end && behind ? behind : leaves->end;
        leaves->next = leaves->table_end;
        if (leaves->pte) {
            return true;
        }
    }
    return false;
}

static struct leaves leaves_of(const struct vma *vma, vaddr_t start, vaddr_t end)
{
    return (struct leaves){.space = &vma->mm->space, .next = start, .end = end};
}

/* Many changes of leaves, and what has to be dropped for them. */
struct flush {
    const struct address_space *space;
    bool each; /* few pages: one at a time */
    bool all;  /* something changed that each did not drop */
};

static struct flush flush_begin(const struct vma *vma, vaddr_t start, vaddr_t end)
{
    return (struct flush){.space = &vma->mm->space,
                          .each = (end - start) / PAGE_SIZE <= FLUSH_PAGES};
}

static void flush_page(struct flush *flush, vaddr_t address)
{
    if (flush->each) {
        tlb_flush_page(address);
    } else {
        flush->all = true;
    }
}

static void flush_end(const struct flush *flush)
{
    if (flush->all) {
        tlb_flush_space(flush->space->root);
    }
}

/* ---- unmapping ------------------------------------------------------------------------------- */

/* A leaf lets go of its page. */
static void leaf_put(const struct vma *vma, pte_t entry)
{
    struct page *page = pte_page(entry);

    if (page) {
        if (entry & PTE_D && vma->flags & VM_SHARED) {
            page->flags |= PAGE_DIRTY;
        }
        page->mapcount--;
        page_put(page);
    }
}

static bool zap_spares(pte_t entry, enum zap zap)
{
    const struct page *page = pte_page(entry);

    return zap == ZAP_FILE && (!page || page->flags & PAGE_ANONYMOUS);
}

void range_zap(struct vma *vma, vaddr_t start, vaddr_t end, enum zap zap)
{
    struct leaves leaves = leaves_of(vma, start, end);
    struct flush flush = flush_begin(vma, start, end);

    while (leaves_next(&leaves)) {
        pte_t *pte = leaves.pte;
        for (vaddr_t at = leaves.first; at < leaves.table_end; at += PAGE_SIZE, pte++) {
            const pte_t entry = *pte;
            if (entry == 0 || zap_spares(entry, zap)) {
                continue;
            }
            *pte = 0;
            flush_page(&flush, at);
            leaf_put(vma, entry);
        }
    }
    /* One processor, and nothing was allocated since: no frame has another use yet. */
    flush_end(&flush);
}

void range_free_tables(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *above = vma_find(mm, start), *below;

    if (above && above->start < end) {
        return; /* still in use: the caller unmaps VMA by VMA */
    }
    below = above ? vma_previous(above) : vma_last(mm);
    paging_free_tables(&mm->space, start, end, below ? below->end : 0, above ? above->start : 0);
}

/* ---- fork ------------------------------------------------------------------------------------ */

/*
 * What the child's leaf is; the parent's is changed on the way. A page that can be written is nobody's alone any more:
 * the first who writes gets a copy.
 */
static inline pte_t leaf_copy(pte_t *from, pte_t entry, bool *protected)
{
    struct page *page = pte_page(entry);

    if (entry & PTE_RW) {
        entry &= ~PTE_RW;
        *from = entry;
        *protected = true;
    }
    if (page) {
        page->count++;
        page->mapcount++;
        page->flags &= ~(uint32_t)PAGE_EXCLUSIVE;
    }
    return entry & ~PTE_A;
}

int range_copy(struct vma *from, struct vma *to)
{
    struct leaves leaves = leaves_of(from, from->start, from->end);
    bool protected = false;
    int result = 0;

    while (leaves_next(&leaves)) {
        pte_t *pte = leaves.pte, *copy;
        pte_t *const last = pte + (leaves.table_end - leaves.first) / PAGE_SIZE;
        while (pte < last && *pte == 0) {
            pte++;
        }
        if (pte == last) {
            continue; /* no table for nothing */
        }
        if (paging_leaf_make(&to->mm->space, leaves.first, &copy) != STATUS_OK) {
            result = -ENOMEM;
            break; /* what is protected has to be flushed all the same */
        }
        for (copy += pte - leaves.pte; pte < last; pte++, copy++) {
            const pte_t entry = *pte;
            if (entry) {
                *copy = leaf_copy(pte, entry, &protected);
            }
        }
    }
    if (protected) {
        tlb_flush_space(from->mm->space.root);
    }
    return result;
}

/* ---- rights ---------------------------------------------------------------------------------- */

/* Bits of a leaf that its VMA decides, RW apart. */
#define PROT_BITS (PTE_P | PTE_PROTNONE | PTE_US | PTE_XD | PTE_KEY | PTE_RW)

/*
 * May a page whose rights were just given become writable without a fault that looks at it? Only if a
 * write was looked at before (D), and private: if it has been nobody else's since.
 */
static bool leaf_may_be_written(const struct vma *vma, pte_t entry)
{
    const struct page *page = pte_page(entry);

    if (!(vma->flags & VM_WRITE) || !(entry & PTE_D) || !(entry & PTE_P)) {
        return false;
    }
    return vma->flags & VM_SHARED || (page && (page->flags & (PAGE_ANONYMOUS | PAGE_EXCLUSIVE)) ==
                                                  (PAGE_ANONYMOUS | PAGE_EXCLUSIVE));
}

void range_protect(struct vma *vma, vaddr_t start, vaddr_t end)
{
    struct leaves leaves = leaves_of(vma, start, end);
    struct flush flush = flush_begin(vma, start, end);

    while (leaves_next(&leaves)) {
        pte_t *pte = leaves.pte;
        for (vaddr_t at = leaves.first; at < leaves.table_end; at += PAGE_SIZE, pte++) {
            const pte_t old = *pte;
            if (old == 0) {
                continue;
            }
            pte_t entry = (old & ~PROT_BITS) | vma->prot;
            if (leaf_may_be_written(vma, entry)) {
                entry |= PTE_RW;
            }
            if (entry != old) {
                *pte = entry;
                flush_page(&flush, at);
            }
        }
    }
    flush_end(&flush);
}

void range_mark_clean(struct vma *vma, vaddr_t start, vaddr_t end)
{
    struct leaves leaves = leaves_of(vma, start, end);
    struct flush flush = flush_begin(vma, start, end);

    while (leaves_next(&leaves)) {
        pte_t *pte = leaves.pte;
        for (vaddr_t at = leaves.first; at < leaves.table_end; at += PAGE_SIZE, pte++) {
            if (*pte & PTE_D) {
                *pte &= ~PTE_D;
                flush_page(&flush, at);
            }
        }
    }
    flush_end(&flush);
}

/* ---- mremap ---------------------------------------------------------------------------------- */

int range_move(struct vma *from, vaddr_t start, struct vma *target, vaddr_t to, uint64_t bytes,
               uint64_t *moved)
{
    struct leaves leaves = leaves_of(from, start, start + bytes);
    struct flush flush = flush_begin(from, start, start + bytes);

    *moved = 0;
    while (leaves_next(&leaves)) {
        pte_t *pte = leaves.pte;
        for (vaddr_t at = leaves.first; at < leaves.table_end; at += PAGE_SIZE, pte++) {
            pte_t *there;
            if (*pte == 0) {
                continue;
            }
            *moved = at - start;
            if (paging_leaf_make(&target->mm->space, to + *moved, &there) != STATUS_OK) {
                flush_end(&flush);
                return -ENOMEM;
            }
            *there = *pte;
            *pte = 0;
            flush_page(&flush, at);
        }
    }
    flush_end(&flush);
    *moved = bytes;
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The part of @vma that maps the file's pages @first to @last. False: none. */
static bool file_part(const struct vma *vma, uint64_t first, uint64_t last, vaddr_t *start,
                      vaddr_t *end)
{
    const uint64_t pages = (vma->end - vma->start) / PAGE_SIZE;
    const uint64_t vma_last_page = vma->page_offset + pages - 1;

    if (vma_last_page < first || vma->page_offset > last) {
        return false;
    }
    const uint64_t from = first > vma->page_offset ? first - vma->page_offset : 0;
    const uint64_t behind = last < vma_last_page ? last - vma->page_offset + 1 : pages;
    *start = vma->start + from * PAGE_SIZE;
    *end = vma->start + behind * PAGE_SIZE;
    return true;
}

void range_unmap_file(struct page_cache *cache, uint64_t first, uint64_t last, enum zap zap)
{
    struct vma *vma;
    vaddr_t start, end;

    LIST_FOREACH (vma, &cache->mappings, in_cache) {
        if (file_part(vma, first, last, &start, &end)) {
            range_zap(vma, start, end, zap);
        }
    }
}

void range_clean(struct page_cache *cache, uint64_t first, uint64_t last)
{
    const pte_t keep = ~(PTE_D | PTE_RW);
    struct vma *vma;
    vaddr_t start, end;

    LIST_FOREACH (vma, &cache->mappings, in_cache) {
        if (!(vma->flags & VM_SHARED) || !file_part(vma, first, last, &start, &end)) {
            continue;
        }
        struct leaves leaves = leaves_of(vma, start, end);
        struct flush flush = flush_begin(vma, start, end);
        while (leaves_next(&leaves)) {
            pte_t *pte = leaves.pte;
            for (vaddr_t at = leaves.first; at < leaves.table_end; at += PAGE_SIZE, pte++) {
                const pte_t entry = *pte;
                if (entry == 0 || (entry & keep) == entry) {
                    continue;
                }
                if (entry & PTE_D) {
                    pte_page(entry)->flags |= PAGE_DIRTY;
                }
                *pte = entry & keep;
                flush_page(&flush, at);
            }
        }
        flush_end(&flush);
    }
}
