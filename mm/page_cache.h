/*
 * page_cache.h: the pages of one file, by their index (Linux's struct address_space, a name that
 * paging/ has for something else). Floor: mm.
 *
 * memfd files and shared anonymous memory are nothing but their pages: a page that is missing is a
 * hole. Other files have @read_page, which fetches one. mm/ knows nothing of names and descriptors.
 */
#ifndef MM_PAGE_CACHE_H
#define MM_PAGE_CACHE_H

#include "object.h"

#include <bsd/sys/queue.h>

struct vma;

/* How a fault, or a wish for a page, ended: Linux's vm_fault_t as an enumeration. */
enum vm_fault {
    VM_FAULT_DONE,
    VM_FAULT_OOM,
    VM_FAULT_SIGBUS,
    VM_FAULT_SIGSEGV,
    VM_FAULT_RETRY, /* the page is under way: whoever wants it waits, then faults again */
};

struct page_cache_operations {
    /*
     * Fill @page, which is new and locked. DONE: it is up to date. RETRY: it will be; page_arrived()
     * says when, and until then @page is held for it. SIGBUS, OOM: it cannot be read. NULL: a hole
     * reads as zeros.
     */
    enum vm_fault (*read_page)(struct page_cache *cache, struct page *page);
    /*
     * A shared mapping is about to make @page writable (Linux's page_mkwrite): the file may refuse.
     * With it goes dirty tracking: shared mappings start read-only, and page_cache_clean() makes
     * them so again. NULL: no tracking, as in memfd files.
     */
    enum vm_fault (*page_mkwrite)(struct page_cache *cache, struct page *page);
    void (*release)(
        struct page_cache *cache); /* the last reference went; NULL: nothing else to do */
};

RB_HEAD(page_tree, page);
LIST_HEAD(vma_list, vma);

struct page_cache {
    const struct page_cache_operations *operations;
    uint64_t bytes; /* the file's size */
    uint64_t count; /* references: open files, VMAs */
    uint64_t pages; /* in the tree */
    struct page_tree tree;
    struct vma_list mappings; /* VMAs that map it (Linux's i_mmap) */
    const char *name;         /* for /proc/self/maps, "/memfd:x (deleted)"; belongs to the owner */
    uint64_t inode;           /* likewise */
    void *owner;
    LIST_ENTRY(page_cache) in_all;
};

/* Every page cache there is, for the audit. */
LIST_HEAD(page_cache_list, page_cache);
extern struct page_cache_list all_page_caches;

/* A file of 0 bytes with one reference. @operations is not NULL. Out: NULL when there is no memory. */
MUST_CHECK struct page_cache *page_cache_create(const struct page_cache_operations *operations,
                                                const char *name, void *owner);
void page_cache_get(struct page_cache *cache);
void page_cache_put(struct page_cache *cache);

/* The page at @index if it is there, up to date or not. No reference is taken. */
struct page *page_cache_find(const struct page_cache *cache, uint64_t index);

/* The first page at @index or behind it, or NULL; the one behind @page, or NULL. */
struct page *page_cache_first(const struct page_cache *cache, uint64_t index);
struct page *page_cache_next(struct page *page);

/* How many pages the file's size covers, the last one in part. */
uint64_t page_cache_size_pages(const struct page_cache *cache);

/*
 * The page at @index, made or read when it is missing. Out: DONE: *@page is up to date, with a
 * reference for the caller. RETRY: *@page is under way, without one. Else NULL: SIGBUS: @index lies
 * behind the file's end, or it cannot be read, which is said once: the next call tries again. OOM.
 */
MUST_CHECK enum vm_fault page_cache_fetch(struct page_cache *cache, uint64_t index,
                                          struct page **page);

/*
 * See to it that there is a page at @index, also behind the file's end: fallocate. A new one is of zeros, and
 * reserved: nobody sees it until it is fetched. @cache has no read_page. Out: DONE or OOM; no reference is given.
 */
MUST_CHECK enum vm_fault page_cache_reserve(struct page_cache *cache, uint64_t index);

/*
 * A page that read_page left under way has come (@good) or cannot be read. Its file may have been
 * truncated meanwhile: then @page->cache is NULL, and the page goes.
 */
void page_arrived(struct page *page, bool good);

/*
 * Set the file's size. Pages behind it go, out of every mapping, private copies included; the rest
 * of the last page is zeroed. Growing makes a hole.
 */
void page_cache_truncate(struct page_cache *cache, uint64_t bytes);

/*
 * Make [@from, @from + @bytes) a hole (fallocate's PUNCH_HOLE, madvise's REMOVE): whole pages go,
 * also out of shared mappings, not private copies; parts of pages are zeroed.
 */
void page_cache_punch(struct page_cache *cache, uint64_t from, uint64_t bytes);

/*
 * Take the dirty marks of pages @first to @last, and make their shared mappings read-only again
 * where the file tracks writes (what msync and write-back do). Out: how many were dirty.
 */
uint64_t page_cache_clean(struct page_cache *cache, uint64_t first, uint64_t last);

#endif
