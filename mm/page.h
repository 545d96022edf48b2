/*
 * page.h: the frames that mm/ lives on, and what it knows of each. Floor: mm.
 *
 * One pool holds everything: page tables, pages of programs and files, and the frames that objects
 * are cut from (object.h). Each frame of the pool has a struct page. Nothing here has a lock: one
 * processor runs programs, with IF=0.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "paging/frames.h"
#include "paging/phys.h"

#include <bsd/sys/tree.h>

struct page_cache;

enum page_flags {
    PAGE_ANONYMOUS = 1,  /* belongs to no file */
    PAGE_EXCLUSIVE = 2,  /* anonymous, and never shared since its last write fault (Linux's
                          * PG_anon_exclusive): mprotect may make it writable again at once */
    PAGE_UPTODATE = 4,   /* of a file: its bytes are there */
    PAGE_LOCKED = 8,     /* of a file: being read; whoever faults on it waits */
    PAGE_DIRTY = 16,     /* of a file: written since its file last took it */
    PAGE_OBJECTS = 32,   /* objects are cut from it */
    PAGE_ERROR = 64,     /* of a file: could not be read */
    PAGE_KERNEL = 128,   /* the kernel's own: a buffer that something outside mm/ holds */
    PAGE_RESERVED = 256, /* of a file: zeros that fallocate made; up to date at the first touch */
};

/*
 * A frame in use. @count is how many hold it: each PTE that leads to it, the page cache, and
 * whoever is working on it. It goes back to the pool with the last of them.
 */
struct page {
    uint32_t count;
    uint32_t mapcount;        /* PTEs among them */
    uint32_t flags;           /* enum page_flags */
    uint32_t seen;            /* the audit's: what its scan has found */
    struct page_cache *cache; /* the file that it belongs to, or NULL */
    uint64_t index;           /* its place there, pages */
    RB_ENTRY(page) node;      /* of the cache's pages */
};

/* The whole of it. Readable by all, written by page.c. */
struct memory {
    struct frame_pool frames;
    struct page *pages; /* one a frame of the pool, by its number */
    paddr_t zero;       /* the zero page: mapped read-only wherever nothing was written yet; not
                         * counted, never given back */
    uint64_t starts;    /* memory_init()s: what was kept before the last one is gone */
};
extern struct memory memory;

/*
 * Take over @bytes of physical memory from @base on, which phys.h reaches. Again: whatever was there is
 * forgotten, and so are all objects, in whatever state a program's bad end has left them.
 * Errors: NO_FRAMES when that is too little; those of frame_pool_init.
 */
MUST_CHECK enum status memory_init(paddr_t base, uint64_t bytes);

/*
 * A frame with count 1, @flags, and whatever was in it (page_alloc) or zeros (page_alloc_zeroed).
 * Out: NULL when there is none.
 */
MUST_CHECK struct page *page_alloc(uint32_t flags);
MUST_CHECK struct page *page_alloc_zeroed(uint32_t flags);

/* Give back what nobody holds any more: page_put calls it. */
void page_free(struct page *page);

static inline struct page *page_of(paddr_t frame)
{
    return &memory.pages[(frame - memory.frames.base) / PAGE_SIZE];
}

static inline paddr_t page_frame(const struct page *page)
{
    return memory.frames.base + (uint64_t)(page - memory.pages) * PAGE_SIZE;
}

static inline void *page_bytes(const struct page *page)
{
    return phys_to_virt_own(page_frame(page));
}

static inline void page_get(struct page *page)
{
    page->count++;
}

static inline void page_put(struct page *page)
{
    if (--page->count == 0) {
        page_free(page);
    }
}

/* Clear and copy whole pages: page_ops.S in core. */
void page_clear(void *page);
void page_copy(void *to, const void *from);

/*
 * Make the @number-th allocation from now on fail, once (0: none): of a frame, a page table or an
 * object. Test-only: each allocation point in turn. memory_failed: whether it has come to that.
 */
void memory_fail_at(uint64_t number);
bool memory_failed(void);

#endif
