/*
 * page_cache.c: the pages of files: found, fetched, truncated, cleaned. Floor: mm.
 *
 * The semantics are those of Linux's shmem for files without read_page, and of a plain file that is
 * read as it is touched for those with it. A page is in the tree from the moment somebody wants it:
 *
 *   made by fetch ---> LOCKED, a reference of read_page's ---> UPTODATE
 *                         |  page_arrived(good)  ^
 *                         |  page_arrived(bad)   +--> ERROR: the next fetch says SIGBUS, and the
 *                         v                           page goes, so that the one after reads again
 *   truncated meanwhile: out of the tree, its cache NULL; freed when it arrives
 */
#include "page_cache.h"

#include "range.h"
#include "x86/memory.h"

static struct object_cache page_caches = OBJECT_CACHE("page_cache", struct page_cache);
struct page_cache_list all_page_caches = LIST_HEAD_INITIALIZER(all_page_caches);

static int compare_index(const struct page *left, const struct page *right)
{
    return left->index < right->index ? -1 : left->index > right->index;
}
RB_GENERATE_INTERNAL(page_tree, page, node, compare_index, __attribute__((unused)) static)

/* ---- the file ---------------------------------------------------------------------------------- */

struct page_cache *page_cache_create(const struct page_cache_operations *operations,
                                     const char *name, void *owner)
{
    struct page_cache *cache = object_alloc(&page_caches);

    if (!cache) {
        return NULL;
    }
    cache->operations = operations;
    cache->name = name;
    cache->owner = owner;
    cache->count = 1;
    RB_INIT(&cache->tree);
    LIST_INIT(&cache->mappings);
    LIST_INSERT_HEAD(&all_page_caches, cache, in_all);
    return cache;
}

/* @page leaves @cache; whoever else holds it keeps it. */
static void drop(struct page_cache *cache, struct page *page)
{
    RB_REMOVE(page_tree, &cache->tree, page);
    cache->pages--;
    page->cache = NULL;
    page->flags &= ~(uint32_t)PAGE_DIRTY;
    page_put(page);
}

void page_cache_get(struct page_cache *cache)
{
    cache->count++;
}

void page_cache_put(struct page_cache *cache)
{
    if (--cache->count) {
        return;
    }
    /* Nobody maps it: a VMA would hold a reference. */
    for (struct page *page; (page = RB_ROOT(&cache->tree)) != NULL;) {
        drop(cache, page);
    }
    if (cache->operations->release) {
        cache->operations->release(cache);
    }
    LIST_REMOVE(cache, in_all);
    object_free(&page_caches, cache);
}

/* ---- one page ------------------------------------------------------------------------------------ */

struct page *page_cache_find(const struct page_cache *cache, uint64_t index)
{
    struct page *page = RB_ROOT(&cache->tree);

    while (page && page->index != index) {
        page = index < page->index ? RB_LEFT(page, node) : RB_RIGHT(page, node);
    }
    return page;
}

struct page *page_cache_first(const struct page_cache *cache, uint64_t index)
{
    struct page *page = RB_ROOT(&cache->tree), *first = NULL;

    while (page && page->index != index) {
        if (index < page->index) {
            first = page;
            page = RB_LEFT(page, node);
        } else {
            page = RB_RIGHT(page, node);
        }
    }
    return page ? page : first;
}

struct page *page_cache_next(struct page *page)
{
    return RB_NEXT(page_tree, , page);
}

uint64_t page_cache_size_pages(const struct page_cache *cache)
{
    return cache->bytes / PAGE_SIZE + (cache->bytes % PAGE_SIZE != 0);
}

/* What a page that is in the tree is good for. */
static enum vm_fault answer(struct page_cache *cache, struct page *page)
{
    if (page->flags & PAGE_RESERVED) {
        page->flags ^= PAGE_RESERVED | PAGE_UPTODATE;
    }
    if (page->flags & PAGE_LOCKED) {
        return VM_FAULT_RETRY;
    }
    if (page->flags & PAGE_ERROR) {
        drop(cache, page);
        return VM_FAULT_SIGBUS;
    }
    return VM_FAULT_DONE;
}

static void insert(struct page_cache *cache, struct page *page, uint64_t index)
{
    page->cache = cache;
    page->index = index;
    (void)RB_INSERT(page_tree, &cache->tree, page);
    cache->pages++;
}

enum vm_fault page_cache_reserve(struct page_cache *cache, uint64_t index)
{
    if (page_cache_find(cache, index)) {
        return VM_FAULT_DONE;
    }
    struct page *page = page_alloc_zeroed(PAGE_RESERVED | PAGE_DIRTY);
    if (!page) {
        return VM_FAULT_OOM;
    }
    insert(cache, page, index);
    return VM_FAULT_DONE;
}

/* A page that is missing: of zeros, or as the file reads it. In the tree unless the file says no. */
static enum vm_fault make(struct page_cache *cache, uint64_t index, struct page **made)
{
    bool hole = !cache->operations->read_page;
    struct page *page = hole ? page_alloc_zeroed(PAGE_UPTODATE) : page_alloc(PAGE_LOCKED);

    if (!page) {
        return VM_FAULT_OOM;
    }
    insert(cache, page, index);
    *made = page;
    if (hole) {
        return VM_FAULT_DONE;
    }

    page_get(page); /* read_page's, until page_arrived() */
    enum vm_fault fault = cache->operations->read_page(cache, page);
    if (fault == VM_FAULT_RETRY) {
        return VM_FAULT_RETRY;
    }
    page_arrived(page, fault == VM_FAULT_DONE);
    if (fault != VM_FAULT_DONE) {
        drop(cache, page);
    }
    return fault;
}

enum vm_fault page_cache_fetch(struct page_cache *cache, uint64_t index, struct page **page)
{
    enum vm_fault fault;

    *page = NULL;
    if (index >= page_cache_size_pages(cache)) {
        return VM_FAULT_SIGBUS;
    }
    struct page *found = page_cache_find(cache, index);
    fault = found ? answer(cache, found) : make(cache, index, &found);
    if (fault == VM_FAULT_DONE || fault == VM_FAULT_RETRY) {
        *page = found;
    }
    if (fault == VM_FAULT_DONE) {
        page_get(found);
    }
    return fault;
}

void page_arrived(struct page *page, bool good)
{
    page->flags &= ~(uint32_t)PAGE_LOCKED;
    page->flags |= good ? PAGE_UPTODATE : PAGE_ERROR;
    page_put(page);
}

/* ---- whole ranges -------------------------------------------------------------------------------- */

/* The pages from @first to @last leave the file. They are mapped nowhere any more. */
static void drop_range(struct page_cache *cache, uint64_t first, uint64_t last)
{
    struct page *page = page_cache_first(cache, first);

    while (page && page->index <= last) {
        struct page *next = page_cache_next(page);
        drop(cache, page);
        page = next;
    }
}

/* Zero bytes @from to before @to of the page at @index, if there is one: a hole is zero already. */
static void zero_part(struct page_cache *cache, uint64_t index, uint64_t from, uint64_t to)
{
    struct page *page = page_cache_find(cache, index);

    if (page) {
        memset((uint8_t *)page_bytes(page) + from, 0, to - from);
        page->flags |= PAGE_DIRTY;
    }
}

void page_cache_truncate(struct page_cache *cache, uint64_t bytes)
{
    uint64_t old = cache->bytes;

    cache->bytes = bytes;
    if (bytes > old) {
        return; /* what was written behind the end of the last page shows now, as in shmem */
    }
    uint64_t behind = page_cache_size_pages(cache);
    range_unmap_file(cache, behind, UINT64_MAX, ZAP_ALL);
    drop_range(cache, behind, UINT64_MAX);
    if (bytes % PAGE_SIZE) {
        zero_part(cache, bytes / PAGE_SIZE, bytes % PAGE_SIZE, PAGE_SIZE);
    }
}

void page_cache_punch(struct page_cache *cache, uint64_t from, uint64_t bytes)
{
    if (bytes == 0) {
        return;
    }
    uint64_t to = bytes > UINT64_MAX - from ? UINT64_MAX : from + bytes;
    uint64_t first = from / PAGE_SIZE, last = to / PAGE_SIZE; /* @last is not whole */
    uint64_t before = from % PAGE_SIZE, after = to % PAGE_SIZE;

    if (before && first == last) {
        zero_part(cache, first, before, after);
        return;
    }
    if (before) {
        zero_part(cache, first++, before, PAGE_SIZE);
    }
    if (after) {
        zero_part(cache, last, 0, after);
    }
    if (first < last) {
        range_unmap_file(cache, first, last - 1, ZAP_FILE);
        drop_range(cache, first, last - 1);
    }
}

uint64_t page_cache_clean(struct page_cache *cache, uint64_t first, uint64_t last)
{
    uint64_t dirty = 0;

    if (cache->operations->page_mkwrite) {
        range_clean(cache, first, last);
    }
    for (struct page *page = page_cache_first(cache, first); page && page->index <= last;
         page = page_cache_next(page)) {
        dirty += (page->flags & PAGE_DIRTY) != 0;
        page->flags &= ~(uint32_t)PAGE_DIRTY;
    }
    return dirty;
}
