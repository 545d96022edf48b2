/*
 * vma.c: the tree of mappings, and what Linux 6.1 lets merge. Floor: mm.
 *
 *      free      VMA     free   VMA  VMA
 *   |<- gap ->[start,end)<-gap->[..)[..)     each VMA knows the gap in front of it; each node of the
 *                                     gap 0  tree the largest gap of its subtree
 *
 * Kept of Linux: vma_merge()'s cases with is_mergeable_anon_vma(), where an area that has an anon_vma does
 * not merge into a VMA that has none; find_mergeable_anon_vma(); split_vma(). A chain of anon_vmas is
 * modelled by a number (the VMA's own anon_vma) and anon_shared (the chain has more than that one, which only
 * fork does). Not kept: two descriptors of one file that were opened apart merge here, as files are known
 * by their page cache; anon_vmas that fork reuses when all their VMAs are gone.
 */
#include "mm.h"
#include "pte.h"

static struct object_cache vmas = OBJECT_CACHE("vma", struct vma);
static uint64_t anon_vmas; /* numbers given out */

/* ---- the tree ---------------------------------------------------------------------------------- */

static int compare_start(const struct vma *left, const struct vma *right)
{
    return left->start < right->start ? -1 : left->start > right->start;
}

/* The largest gap of @vma's subtree, when those of its children are right. */
static void update(struct vma *vma)
{
    const struct vma *left = RB_LEFT(vma, node), *right = RB_RIGHT(vma, node);
    uint64_t largest = vma->gap;

    if (left && left->largest_gap > largest) {
        largest = left->largest_gap;
    }
    if (right && right->largest_gap > largest) {
        largest = right->largest_gap;
    }
    vma->largest_gap = largest;
}

#undef RB_AUGMENT
#define RB_AUGMENT(node) update(node)
RB_GENERATE_INTERNAL(vma_tree, vma, node, compare_start, __attribute__((unused)) static)

/*
 * sys/tree.h tells RB_AUGMENT of the nodes that it turned, not of all ancestors of one that came or
 * went: from the lowest node that changed, this goes all the way up.
 */
static void propagate(struct vma *vma)
{
    for (; vma; vma = RB_PARENT(vma, node)) {
        update(vma);
    }
}

static void set_gap(struct vma *vma, uint64_t gap)
{
    if (vma && vma->gap != gap) {
        vma->gap = gap;
        propagate(vma);
    }
}

struct vma *vma_find(const struct mm *mm, vaddr_t address)
{
    struct vma *vma = RB_ROOT(&mm->tree), *found = NULL;

    while (vma) {
        if (vma->end > address) {
            found = vma;
            if (vma->start <= address) {
                break;
            }
            vma = RB_LEFT(vma, node);
        } else {
            vma = RB_RIGHT(vma, node);
        }
    }
    return found;
}

struct vma *vma_first(const struct mm *mm)
{
    struct vma *vma = RB_ROOT(&mm->tree);

    while (vma && RB_LEFT(vma, node)) {
        vma = RB_LEFT(vma, node);
    }
    return vma;
}

struct vma *vma_last(const struct mm *mm)
{
    struct vma *vma = RB_ROOT(&mm->tree);

    while (vma && RB_RIGHT(vma, node)) {
        vma = RB_RIGHT(vma, node);
    }
    return vma;
}

struct vma *vma_next(struct vma *vma)
{
    return vma_tree_RB_NEXT(vma);
}

struct vma *vma_previous(struct vma *vma)
{
    return vma_tree_RB_PREV(vma);
}

static bool has_gap(const struct vma *subtree, uint64_t bytes)
{
    return subtree && subtree->largest_gap >= bytes;
}

/* The highest VMA of @subtree with such a gap; there is one. */
static struct vma *highest_with_gap(struct vma *subtree, uint64_t bytes)
{
    for (;;) {
        if (has_gap(RB_RIGHT(subtree, node), bytes)) {
            subtree = RB_RIGHT(subtree, node);
        } else if (subtree->gap >= bytes) {
            return subtree;
        } else {
            subtree = RB_LEFT(subtree, node);
        }
    }
}

static struct vma *lowest_with_gap(struct vma *subtree, uint64_t bytes)
{
    for (;;) {
        if (has_gap(RB_LEFT(subtree, node), bytes)) {
            subtree = RB_LEFT(subtree, node);
        } else if (subtree->gap >= bytes) {
            return subtree;
        } else {
            subtree = RB_RIGHT(subtree, node);
        }
    }
}

struct vma *vma_previous_with_gap(const struct mm *mm, struct vma *vma, uint64_t bytes)
{
    if (!vma) {
        return has_gap(RB_ROOT(&mm->tree), bytes) ? highest_with_gap(RB_ROOT(&mm->tree), bytes)
                                                  : NULL;
    }
    for (struct vma *left = RB_LEFT(vma, node);; left = RB_LEFT(vma, node)) {
        if (has_gap(left, bytes)) {
            return highest_with_gap(left, bytes);
        }
        /* Up to the next lower one: the first that @vma is to the right of. */
        struct vma *child;
        do {
            child = vma;
            vma = RB_PARENT(vma, node);
        } while (vma && RB_RIGHT(vma, node) != child);
        if (!vma || vma->gap >= bytes) {
            return vma;
        }
    }
}

struct vma *vma_next_with_gap(struct vma *vma, uint64_t bytes)
{
    for (struct vma *right = RB_RIGHT(vma, node);; right = RB_RIGHT(vma, node)) {
        if (has_gap(right, bytes)) {
            return lowest_with_gap(right, bytes);
        }
        struct vma *child;
        do {
            child = vma;
            vma = RB_PARENT(vma, node);
        } while (vma && RB_LEFT(vma, node) != child);
        if (!vma || vma->gap >= bytes) {
            return vma;
        }
    }
}

/* ---- one VMA ----------------------------------------------------------------------------------- */

/* Add @pages of a VMA with @flags to what @mm counts; as a two's complement, take them away. */
static void account(struct mm *mm, uint64_t flags, uint64_t pages)
{
    mm->pages_total += pages;
    if (flags & VM_LOCKED) {
        mm->pages_locked += pages;
    }
    if ((flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE) {
        mm->pages_data += pages;
    }
}

static uint64_t vma_pages(const struct vma *vma)
{
    return (vma->end - vma->start) / PAGE_SIZE;
}

pte_t vma_prot(uint64_t flags)
{
    const pte_t key = (flags & VM_PKEY) >> VM_PKEY_SHIFT << PTE_KEY_SHIFT;

    if (!(flags & VM_ACCESS_FLAGS)) {
        return PTE_PROTNONE | PTE_XD | key;
    }
    return PTE_P | PTE_US | (flags & VM_EXEC ? 0 : PTE_XD) | key;
}

static void set_prot(struct vma *vma)
{
    const uint64_t shared = VM_SHARED | VM_WRITE;

    vma->prot = vma_prot(vma->flags);
    if ((vma->flags & shared) == shared && !vma_tracks_writes(vma)) {
        vma->prot |= PTE_RW;
    }
}

struct vma *vma_create(struct mm *mm, vaddr_t start, vaddr_t end, uint64_t flags,
                       struct page_cache *cache, uint64_t page_offset)
{
    struct vma *vma = object_alloc(&vmas);

    if (!vma) {
        return NULL;
    }
    vma->mm = mm;
    vma->start = start;
    vma->end = end;
    vma->flags = flags;
    vma->cache = cache;
    vma->page_offset = page_offset;
    if (cache) {
        page_cache_get(cache);
    }
    set_prot(vma);
    return vma;
}

void vma_insert(struct mm *mm, struct vma *vma)
{
    if (vma_tree_RB_INSERT(&mm->tree, vma)) {
        __builtin_trap(); /* two VMAs that begin at the same place */
    }
    struct vma *previous = vma_previous(vma), *next = vma_next(vma);
    vma->gap = vma->start - (previous ? previous->end : 0);
    propagate(vma);
    set_gap(next, next ? next->start - vma->end : 0);
    mm->map_count++;
    account(mm, vma->flags, vma_pages(vma));
    if (vma->cache) {
        LIST_INSERT_HEAD(&vma->cache->mappings, vma, in_cache);
    }
}

/* The lowest node whose subtree changes when @vma leaves the tree. */
static struct vma *lowest_changed(struct vma *vma)
{
    if (!RB_LEFT(vma, node) || !RB_RIGHT(vma, node)) {
        return RB_PARENT(vma, node);
    }
    /* The next one takes its place. */
    struct vma *next = vma_next(vma);
    return RB_PARENT(next, node) == vma ? next : RB_PARENT(next, node);
}

void vma_remove(struct mm *mm, struct vma *vma)
{
    struct vma *previous = vma_previous(vma), *next = vma_next(vma);
    struct vma *lowest = lowest_changed(vma);

    vma_tree_RB_REMOVE(&mm->tree, vma);
    propagate(lowest);
    set_gap(next, next ? next->start - (previous ? previous->end : 0) : 0);
    mm->map_count--;
    account(mm, vma->flags, -vma_pages(vma));
    if (vma->cache) {
        LIST_REMOVE(vma, in_cache);
        page_cache_put(vma->cache);
    }
    object_free(&vmas, vma);
}

void vma_set_bounds(struct vma *vma, vaddr_t start, vaddr_t end, uint64_t page_offset)
{
    struct vma *next = vma_next(vma);
    const uint64_t pages = vma_pages(vma);
    const uint64_t gap = vma->gap + (start - vma->start);

    vma->start = start;
    vma->end = end;
    vma->page_offset = page_offset;
    account(vma->mm, vma->flags, vma_pages(vma) - pages);
    set_gap(vma, gap);
    set_gap(next, next ? next->start - end : 0);
}

void vma_set_flags(struct vma *vma, uint64_t flags)
{
    account(vma->mm, vma->flags, -vma_pages(vma));
    vma->flags = flags;
    account(vma->mm, vma->flags, vma_pages(vma));
    set_prot(vma);
}

int vma_split(struct vma *vma, vaddr_t address, struct vma **upper)
{
    const uint64_t offset = vma->page_offset + (address - vma->start) / PAGE_SIZE;
    struct vma *above = vma_create(vma->mm, address, vma->end, vma->flags, vma->cache, offset);

    if (!above) {
        return -ENOMEM;
    }
    above->anon_vma = vma->anon_vma;
    above->anon_shared = vma->anon_shared;
    above->name = vma->name;
    vma_set_bounds(vma, vma->start, address, vma->page_offset);
    vma_insert(vma->mm, above);
    *upper = above;
    return 0;
}

/* ---- merging ----------------------------------------------------------------------------------- */

/*
 * May memory with the anon_vma @area (or 0) become part of @vma? One that comes from a fork stays
 * apart; and so does, by what may be an oversight of Linux's, an area that has one from a VMA without.
 */
static bool anon_mergeable(uint64_t area, const struct vma *vma)
{
    if ((!area || !vma->anon_vma) && vma->anon_vma && !vma->anon_shared) {
        return true;
    }
    return area == vma->anon_vma;
}

static bool mergeable(const struct vma *vma, uint64_t flags, uint64_t anon_vma,
                      const struct page_cache *cache)
{
    return vma->flags == flags && vma->cache == cache && anon_mergeable(anon_vma, vma);
}

bool vma_may_merge_after(const struct vma *vma, uint64_t flags, uint64_t anon_vma,
                         const struct page_cache *cache, uint64_t page_offset)
{
    return mergeable(vma, flags, anon_vma, cache) &&
           vma->page_offset + vma_pages(vma) == page_offset;
}

bool vma_may_merge_before(const struct vma *vma, uint64_t flags, uint64_t anon_vma,
                          const struct page_cache *cache, uint64_t page_offset)
{
    return mergeable(vma, flags, anon_vma, cache) && vma->page_offset == page_offset;
}

void vma_take(struct vma *vma, vaddr_t start, vaddr_t end)
{
    struct mm *mm = vma->mm;
    const uint64_t offset = vma->page_offset - (vma->start - start) / PAGE_SIZE;
    struct vma *other;

    /* Downwards only memory is taken that has @vma's own number, or none: anon_mergeable(). */
    while ((other = vma_previous(vma)) && other->end > start) {
        if (other->start < start) {
            vma_set_bounds(other, other->start, start, other->page_offset);
        } else {
            vma_remove(mm, other);
        }
    }
    while ((other = vma_next(vma)) && other->start < end) {
        if (!vma->anon_vma) {
            vma->anon_vma = other->anon_vma;
            vma->anon_shared = other->anon_shared;
        }
        if (other->end > end) {
            vma_set_bounds(other, end, other->end, vma_index(other, end));
        } else {
            vma_remove(mm, other);
        }
    }
    vma_set_bounds(vma, start, end, offset);
}

/*
 * Linux numbers the cases: 1 to 3 fill a hole, 4 and 5 shift a boundary, 6 to 8 swallow a VMA.
 * Whoever takes over has the flags already.
 */
struct vma *vma_merge(struct mm *mm, struct vma *previous, vaddr_t start, vaddr_t end,
                      uint64_t flags, uint64_t anon_vma, struct page_cache *cache,
                      uint64_t page_offset)
{
    if (flags & VM_SPECIAL) {
        return NULL;
    }
    /* Behind the range: not the VMA that it is part of. */
    struct vma *next = vma_find(mm, end);
    const bool with_previous = previous && previous->end == start &&
                               vma_may_merge_after(previous, flags, anon_vma, cache, page_offset);
    const bool with_next =
        next && next->start == end &&
        vma_may_merge_before(next, flags, anon_vma, cache, page_offset + (end - start) / PAGE_SIZE);

    if (with_previous && with_next &&
        (!previous->anon_vma || !next->anon_vma || previous->anon_vma == next->anon_vma)) {
        vma_take(previous, previous->start, next->end);
        return previous;
    }
    if (with_previous) {
        vma_take(previous, previous->start, end);
        return previous;
    }
    if (with_next) {
        vma_take(next, start, next->end);
        return next;
    }
    return NULL;
}

int vma_change_flags(struct vma *vma, struct vma *previous, vaddr_t start, vaddr_t end,
                     uint64_t flags, struct vma **changed)
{
    struct mm *mm = vma->mm;
    struct vma *merged = vma_merge(mm, previous, start, end, flags, vma->anon_vma, vma->cache,
                                   vma_index(vma, start));

    if (merged) {
        *changed = merged;
        return 0;
    }
    if (start != vma->start &&
        (mm->map_count >= MAP_COUNT_MAX || vma_split(vma, start, &vma) != 0)) {
        return -ENOMEM;
    }
    struct vma *above;
    if (end != vma->end && (mm->map_count >= MAP_COUNT_MAX || vma_split(vma, end, &above) != 0)) {
        return -ENOMEM;
    }
    vma_set_flags(vma, flags);
    *changed = vma;
    return 0;
}

/* ---- anon_vma ---------------------------------------------------------------------------------- */

/* May @lower and @upper, neighbours, share a number that @old, one of them, has? Or 0. */
static uint64_t reusable(const struct vma *old, const struct vma *lower, const struct vma *upper)
{
    const bool alike = lower->end == upper->start && lower->cache == upper->cache &&
                       !((lower->flags ^ upper->flags) & ~VM_ACCESS_FLAGS) &&
                       upper->page_offset == lower->page_offset + vma_pages(lower);

    return alike && !old->anon_shared ? old->anon_vma : 0;
}

void vma_choose_anon(struct vma *vma)
{
    const struct vma *next = vma_next(vma), *previous = vma_previous(vma);
    uint64_t number = next ? reusable(next, vma, next) : 0;

    if (!number && previous) {
        number = reusable(previous, previous, vma);
    }
    vma->anon_vma = number ? number : ++anon_vmas;
    vma->anon_shared = false;
}

void vma_fork_anon(struct vma *child, const struct vma *parent)
{
    const bool none = !parent->anon_vma || (child->flags & VM_WIPEONFORK);

    child->anon_vma = none ? 0 : ++anon_vmas;
    child->anon_shared = !none;
}
