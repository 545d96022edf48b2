/*
 * mmap.c: mapping and unmapping, and the search for room. Floor: mm.
 *
 *   top down    ... VMA   VMA ->|room      |<- VMA   | mmap_base ...   the highest gap that is large enough
 *   bottom up   | a third of the address space: VMA |room ...          when there is none, and for MAP_32BIT
 *
 * Kept of Linux 6.1: the order of checks in mmap, do_mmap and mmap_region, and so which error wins;
 * VM_ACCOUNT and the heuristic overcommit check; that mmap tries the upper neighbour for merging before
 * the lower one; that a gap in front of a GROWSDOWN VMA which the guard gap eats makes the search go on below
 * the guard gap, whatever lies in it; that a failure after MAP_FIXED's unmapping leaves the hole.
 * As root: programs have CAP_IPC_LOCK and CAP_SYS_RAWIO, so RLIMIT_MEMLOCK does not bind and MAP_FIXED may
 * use addresses below MMAP_MIN_ADDRESS; hints are rounded up to it. Not kept: memory seals, huge pages
 * (MAP_HUGETLB finds none: -ENOMEM).
 */
#include "mapping.h"
#include "range.h"

#define LEGACY_FLAGS                                                                               \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |       \
     MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |        \
     MAP_HUGETLB | MAP_32BIT | 0x7c000000 /* MAP_UNINITIALIZED, MAP_HUGE_2MB, MAP_HUGE_1GB */)

/* ---- room -------------------------------------------------------------------------------------- */

static bool fits(vaddr_t start, vaddr_t end, uint64_t bytes)
{
    return start < end && end - start >= bytes;
}

static vaddr_t highest(vaddr_t left, vaddr_t right)
{
    return left > right ? left : right;
}

static vaddr_t lowest(vaddr_t left, vaddr_t right)
{
    return left < right ? left : right;
}

static vaddr_t end_of_all(const struct mm *mm)
{
    const struct vma *last = vma_last(mm);

    return last ? last->end : 0;
}

/* The highest room in [@low, @high). */
static int64_t search_down(const struct mm *mm, vaddr_t low, vaddr_t high, uint64_t bytes)
{
    while (fits(low, high, bytes)) {
        struct vma *above = vma_find(mm, high - 1);
        vaddr_t start = above ? above->start - above->gap : end_of_all(mm);
        vaddr_t end = above ? lowest(above->start, high) : high;
        while (!fits(highest(start, low), end, bytes)) {
            above = vma_previous_with_gap(mm, above, bytes);
            if (!above || above->start < low) {
                return -ENOMEM;
            }
            start = above->start - above->gap;
            end = above->start;
        }
        if (!above || mapping_start_gap(above) >= end) {
            return (int64_t)(end - bytes);
        }
        high = mapping_start_gap(above);
    }
    return -ENOMEM;
}

/* The lowest room in [@low, @high). */
static int64_t search_up(const struct mm *mm, vaddr_t low, vaddr_t high, uint64_t bytes)
{
    while (fits(low, high, bytes)) {
        struct vma *above = vma_find(mm, low);
        vaddr_t start, end;
        for (;; above = vma_next_with_gap(above, bytes)) {
            start = highest(low, above ? above->start - above->gap : end_of_all(mm));
            end = above ? lowest(above->start, high) : high;
            if (fits(start, end, bytes)) {
                break;
            }
            if (!above || above->end >= high) {
                return -ENOMEM;
            }
        }
        if (!above || mapping_start_gap(above) >= start + bytes) {
            return (int64_t)start;
        }
        low = above->end;
    }
    return -ENOMEM;
}

static bool is_free(const struct mm *mm, vaddr_t address, uint64_t bytes)
{
    const struct vma *vma = vma_find(mm, address);

    return !vma || address + bytes <= mapping_start_gap(vma);
}

static int64_t area_bottom_up(const struct mm *mm, vaddr_t hint, uint64_t bytes, uint64_t flags)
{
    vaddr_t low = ALIGN_UP(TASK_SIZE / 3, PAGE_SIZE), high = TASK_SIZE;

    if (flags & MAP_32BIT) {
        low = UINT64_C(0x40000000);
        high = UINT64_C(0x80000000);
    }
    if (bytes > high) {
        return -ENOMEM;
    }
    hint = ALIGN_UP(hint, PAGE_SIZE);
    if (hint && high - bytes >= hint && is_free(mm, hint, bytes)) {
        return (int64_t)hint;
    }
    return search_up(mm, low, high, bytes);
}

static int64_t area_top_down(const struct mm *mm, vaddr_t hint, uint64_t bytes, uint64_t flags)
{
    const vaddr_t page = ALIGN_DOWN(hint, PAGE_SIZE);

    if (flags & MAP_32BIT) {
        return area_bottom_up(mm, hint, bytes, flags);
    }
    if (page && TASK_SIZE - bytes >= page && is_free(mm, page, bytes)) {
        return (int64_t)page;
    }
    const int64_t found = search_down(mm, PAGE_SIZE, mm->mmap_base, bytes);
    return found >= 0 ? found : area_bottom_up(mm, hint, bytes, flags);
}

int64_t mapping_find_area(const struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t flags)
{
    if (bytes > TASK_SIZE) {
        return -ENOMEM;
    }
    if (!(flags & MAP_FIXED)) {
        const int64_t found = area_top_down(mm, address, bytes, flags);
        if (found < 0) {
            return found;
        }
        address = (vaddr_t)found;
    }
    if (address >= (vaddr_t)-MAX_ERRNO) {
        return (int64_t)
            address; /* a fixed address that looks like an error is taken for one, as in Linux */
    }
    if (address > TASK_SIZE - bytes) {
        return -ENOMEM;
    }
    return address % PAGE_SIZE ? -EINVAL : (int64_t)address;
}

/* ---- limits ------------------------------------------------------------------------------------ */

bool mapping_may_expand(const struct mm *mm, uint64_t flags, uint64_t pages)
{
    if (mm->pages_total + pages > mm->address_limit / PAGE_SIZE) {
        return false;
    }
    /* A limit of 0 is none: Linux lets it pass up to the hard limit, for the sake of valgrind. */
    return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) != VM_WRITE || mm->data_limit == 0 ||
           mm->pages_data + pages <= mm->data_limit / PAGE_SIZE;
}

/* What is refused is more at once than the machine has: that on which logs are recorded has 1 GiB. */
bool mapping_may_commit(uint64_t pages)
{
    return pages <= (UINT64_C(1) << 30) / PAGE_SIZE;
}

/* ---- munmap ------------------------------------------------------------------------------------ */

int mapping_unmap(struct mm *mm, vaddr_t start, vaddr_t end)
{
    struct vma *vma = mapping_intersection(mm, start, end), *upper;

    if (!vma) {
        return 0;
    }
    if (start > vma->start) {
        if (end < vma->end && mm->map_count >= MAP_COUNT_MAX) {
            return -ENOMEM;
        }
        if (vma_split(vma, start, &vma) != 0) {
            return -ENOMEM;
        }
    }
    struct vma *last = vma_find(mm, end - 1);
    if (last && last->start < end && last->end > end && vma_split(last, end, &upper) != 0) {
        return -ENOMEM;
    }
    while (vma && vma->start < end) {
        struct vma *next = vma_next(vma);
        range_zap(vma, vma->start, vma->end, ZAP_ALL);
        vma_remove(mm, vma);
        vma = next;
    }
    range_free_tables(mm, start, end);
    return 0;
}

int64_t mm_munmap(struct mm *mm, vaddr_t address, uint64_t bytes)
{
    if (address % PAGE_SIZE || address > TASK_SIZE || bytes > TASK_SIZE - address || bytes == 0) {
        return -EINVAL;
    }
    return mapping_unmap(mm, address, address + ALIGN_UP(bytes, PAGE_SIZE));
}

/* ---- mmap -------------------------------------------------------------------------------------- */

/* A request on its way through the checks. */
struct request {
    vaddr_t start, end;
    uint64_t flags; /* VM_* */
    struct page_cache *cache;
    uint64_t page_offset;
};

static uint64_t request_pages(const struct request *request)
{
    return (request->end - request->start) / PAGE_SIZE;
}

struct page_cache mm_unmappable;

/* A file's part of the checks: may this descriptor be mapped so? */
static int check_file(struct request *request, uint64_t prot, uint64_t flags, uint64_t may)
{
    const uint64_t bytes = request->end - request->start;
    const bool mappable = request->cache != &mm_unmappable;

    if (request->page_offset > ((mappable ? INT64_MAX : UINT64_MAX) - bytes) / PAGE_SIZE) {
        return -EOVERFLOW;
    }
    switch (flags & MAP_TYPE) {
    case MAP_SHARED_VALIDATE:
        if (flags & ~(uint64_t)LEGACY_FLAGS) {
            return -EOPNOTSUPP;
        }
        break;
    case MAP_SHARED:
    case MAP_PRIVATE:
        break;
    default:
        return -EINVAL;
    }
    if ((flags & MAP_TYPE) != MAP_PRIVATE) {
        if (prot & PROT_WRITE && !(may & VM_MAYWRITE)) {
            return -EACCES;
        }
        request->flags |= VM_SHARED | VM_MAYSHARE;
        if (!(may & VM_MAYWRITE)) {
            request->flags &= ~(VM_MAYWRITE | VM_SHARED);
        }
    }
    if (!(may & VM_MAYREAD)) {
        return -EACCES;
    }
    if (!(may & VM_MAYEXEC)) {
        if (request->flags & VM_EXEC) {
            return -EPERM;
        }
        request->flags &= ~VM_MAYEXEC;
    }
    return !mappable ? -ENODEV : request->flags & VM_GROWSDOWN ? -EINVAL : 0;
}

static int check_anonymous(struct request *request, uint64_t flags)
{
    switch (flags & MAP_TYPE) {
    case MAP_SHARED:
        request->flags |= VM_SHARED | VM_MAYSHARE;
        request->page_offset = 0;
        return request->flags & VM_GROWSDOWN ? -EINVAL : 0;
    case MAP_PRIVATE:
        request->page_offset = request->start / PAGE_SIZE;
        return 0;
    default:
        return -EINVAL;
    }
}

/* Let neighbours take the new range over. The upper one is asked first, as in Linux. */
static bool expand_neighbours(struct mm *mm, const struct request *request)
{
    struct vma *next = vma_find(mm, request->end);
    struct vma *previous = next ? vma_previous(next) : vma_last(mm);
    const bool with_next = next && next->start == request->end &&
                           vma_may_merge_before(next, request->flags, 0, request->cache,
                                                request->page_offset + request_pages(request));
    const uint64_t anon_vma = with_next ? next->anon_vma : 0;

    if (previous && previous->end == request->start &&
        vma_may_merge_after(previous, request->flags, anon_vma, request->cache,
                            request->page_offset)) {
        vma_take(previous, previous->start, with_next ? next->end : request->end);
        return true;
    }
    if (with_next) {
        vma_take(next, request->start, next->end);
    }
    return with_next;
}

/* MAP_SHARED without a file: one of its own, which nobody can open. */
static struct page_cache *anonymous_file(uint64_t bytes)
{
    static const struct page_cache_operations nothing;
    static uint64_t inodes;
    struct page_cache *cache = page_cache_create(&nothing, "/dev/zero (deleted)", NULL);

    if (cache) {
        cache->bytes = bytes;
        cache->inode = ++inodes;
    }
    return cache;
}

static int insert(struct mm *mm, const struct request *request)
{
    struct page_cache *cache = request->cache;
    const bool shared_anonymous = !cache && request->flags & VM_SHARED;

    if (shared_anonymous) {
        if (!(request->flags & VM_NORESERVE) && !mapping_may_commit(request_pages(request))) {
            return -ENOMEM;
        }
        cache = anonymous_file(request->end - request->start);
        if (!cache) {
            return -ENOMEM;
        }
    }
    struct vma *vma =
        vma_create(mm, request->start, request->end, request->flags, cache, request->page_offset);
    if (shared_anonymous) {
        page_cache_put(cache);
    }
    if (!vma) {
        return -ENOMEM;
    }
    vma_insert(mm, vma);
    return 0;
}

static uint64_t pages_mapped(const struct mm *mm, vaddr_t start, vaddr_t end)
{
    uint64_t pages = 0;

    for (struct vma *vma = vma_find(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
        pages += (lowest(vma->end, end) - highest(vma->start, start)) / PAGE_SIZE;
    }
    return pages;
}

/* All checks of the request itself are done: make room, and map (Linux's mmap_region). */
static int map_region(struct mm *mm, struct request *request)
{
    const uint64_t pages = request_pages(request);

    /* What is replaced does not count twice. */
    if (!mapping_may_expand(mm, request->flags, pages) &&
        !mapping_may_expand(mm, request->flags,
                            pages - pages_mapped(mm, request->start, request->end))) {
        return -ENOMEM;
    }
    if (mapping_unmap(mm, request->start, request->end) != 0) {
        return -ENOMEM;
    }
    if ((request->flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE) {
        if (!mapping_may_commit(pages)) {
            return -ENOMEM;
        }
        request->flags |= VM_ACCOUNT;
    }
    if (!(request->flags & VM_SPECIAL) && expand_neighbours(mm, request)) {
        return 0;
    }
    return insert(mm, request);
}

/* Without a size of its own, or with one that the processor has. */
static bool huge_pages_exist(uint64_t flags)
{
    const uint64_t log = flags >> 26 & 63;

    return log == 0 || log == 21 || log == 30;
}

/* @key: what execute-only memory gets. */
static uint64_t request_flags(uint64_t prot, uint64_t flags, int key)
{
    return (prot & VM_ACCESS_FLAGS) | (uint64_t)(unsigned)key << VM_PKEY_SHIFT | VM_MAYREAD |
           VM_MAYWRITE | VM_MAYEXEC | (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) |
           (flags & MAP_LOCKED ? VM_LOCKED : 0) | (flags & MAP_SYNC ? VM_SYNC : 0);
}

int64_t mm_mmap(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t prot, uint64_t flags,
                struct page_cache *cache, uint64_t may, uint64_t offset)
{
    const uint64_t pages = ALIGN_UP(bytes, PAGE_SIZE) / PAGE_SIZE;
    struct request request = {.cache = cache, .page_offset = offset / PAGE_SIZE};

    if (offset % PAGE_SIZE || (flags & MAP_HUGETLB && (cache || !huge_pages_exist(flags))) ||
        bytes == 0) {
        return -EINVAL;
    }
    if (flags & MAP_FIXED_NOREPLACE) {
        flags |= MAP_FIXED;
    }
    if (!(flags & MAP_FIXED)) {
        address = ALIGN_DOWN(address, PAGE_SIZE);
        address = address && address < MMAP_MIN_ADDRESS ? MMAP_MIN_ADDRESS : address;
    }
    if (pages == 0) {
        return -ENOMEM;
    }
    if (mm->map_count > MAP_COUNT_MAX) {
        return -ENOMEM;
    }
    const int64_t area = mapping_find_area(mm, address, pages * PAGE_SIZE, flags);
    if (area < 0) {
        return area;
    }
    request.start = (vaddr_t)area;
    request.end = request.start + pages * PAGE_SIZE;
    if (flags & MAP_FIXED_NOREPLACE && mapping_intersection(mm, request.start, request.end)) {
        return -EEXIST;
    }
    request.flags = request_flags(prot, flags, prot == PROT_EXEC ? mm_execute_only_key(mm) : 0);
    int result = cache ? check_file(&request, prot, flags, may) : check_anonymous(&request, flags);
    if (result == 0 && flags & MAP_HUGETLB) {
        result = -ENOMEM;
    }
    if (flags & MAP_NORESERVE) {
        request.flags |= VM_NORESERVE;
    }
    if (result == 0) {
        result = map_region(mm, &request);
    }
    if (result != 0) {
        return result;
    }
    if (request.flags & VM_LOCKED || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE) {
        /* What cannot be brought now, a fault will bring, or refuse. */
        if (mm_populate(mm, request.start, pages * PAGE_SIZE, POPULATE_AS_MAPPED) != 0) {
            mm->bad = (struct bad_fault){.kind = BAD_NONE};
        }
    }
    return area;
}
