/*
 * range.h: the leaves of whole ranges: unmapping, copying for fork, changing rights, moving. Floor:
 * mm. Everything keeps the counts of pages right and drops what is cached of what it changes.
 */
#ifndef MM_RANGE_H
#define MM_RANGE_H

#include "mm.h"

/* Which pages go. */
enum zap {
    ZAP_ALL,
    ZAP_FILE, /* only pages of the file: private copies stay (Linux's even_cows == false) */
};

/* Unmap what lies in [@start, @end) of @vma. Empty tables stay: range_free_tables(). */
void range_zap(struct vma *vma, vaddr_t start, vaddr_t end, enum zap zap);

/* Give back the tables of [@start, @end) that are empty, where no VMA is left. */
void range_free_tables(struct mm *mm, vaddr_t start, vaddr_t end);

/*
 * Copy the leaves of @from, a private VMA, into @to, which has the same bounds in another mm, as fork does. Errors:
 * -ENOMEM; what is there already stays for mm_destroy().
 */
MUST_CHECK int range_copy(struct vma *from, struct vma *to);

/*
 * Clear D in [@start, @end): what was written stays, but the next range_protect() does not make it writable at once.
 */
void range_mark_clean(struct vma *vma, vaddr_t start, vaddr_t end);

/* Give the pages in [@start, @end) the rights that @vma has now. */
void range_protect(struct vma *vma, vaddr_t start, vaddr_t end);

/*
 * Move the leaves of [@start, @start + @bytes) of @from to @to on, of @target, for mremap. Errors:
 * -ENOMEM: nothing is lost; what was moved is moved, *@moved bytes.
 */
MUST_CHECK int range_move(struct vma *from, vaddr_t start, struct vma *target, vaddr_t to,
                          uint64_t bytes, uint64_t *moved);

/* Make clean and read-only every leaf that maps pages @first to @last of @cache, which tracks writes, shared. */
void range_clean(struct page_cache *cache, uint64_t first, uint64_t last);

/* Unmap the file's pages @first to @last from all its mappings. */
void range_unmap_file(struct page_cache *cache, uint64_t first, uint64_t last, enum zap zap);

#endif
