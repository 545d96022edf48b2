/*
 * audit.h: is everything that mm/ believes true? For tests, after every case and program. Floor: mm.
 *
 * A full scan of every address space that exists: each page's counts against the PTEs that lead to it, the
 * page caches against their pages, VMAs against the tree's order and their leaves, frames in use
 * against tables, pages and objects.
 */
#ifndef MM_AUDIT_H
#define MM_AUDIT_H

#include "mm.h"

/* What was found first; AUDIT_GOOD: nothing. Words: audit_words. */
enum audit_finding {
    AUDIT_GOOD,
    AUDIT_COUNT,       /* a page's count is not what holds it */
    AUDIT_MAPCOUNT,    /* nor its mapcount its PTEs */
    AUDIT_OUTSIDE_VMA, /* a leaf in no VMA */
    AUDIT_WRITABLE, /* a writable private leaf, or an exclusive page, with more than one holder */
    AUDIT_CLEAN,    /* a writable leaf of a clean page, whose file tracks writes */
    AUDIT_RIGHTS,   /* a leaf gives rights that its VMA has not, or is hidden without cause */
    AUDIT_FOREIGN,  /* a leaf leads to what is not a page of its VMA's */
    AUDIT_TREE,     /* VMAs overlap, are out of order, or the tree's sums are wrong */
    AUDIT_CACHE,    /* a page cache and its pages or mappings disagree */
    AUDIT_TABLE,    /* a table is shared, free, or serves no VMA */
    AUDIT_LEAK,     /* frames are in use that nobody has */
    AUDIT_FINDINGS
};

struct audit {
    enum audit_finding finding;
    struct mm *mm;
    vaddr_t address; /* where, if it has an address */
    paddr_t frame;   /* which, if it has one */
    uint64_t expected, got;
    uint64_t tables, pages, object_frames; /* frames of each kind that were found, if all is good */
};

/* Scan everything: all mm's are known to mm.c, all page caches to page_cache.c. */
enum audit_finding audit_all(struct audit *audit);
const char *audit_words(enum audit_finding finding);

/* All address spaces there are, for the scan. */
LIST_HEAD(mm_list, mm);
extern struct mm_list all_mms;

#endif
