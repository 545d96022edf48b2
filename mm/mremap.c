/*
 * mremap.c: mappings that grow, shrink and move with what is in them. Floor: mm.
 *
 *   shrink   [ . . . . ]      ->  [ . . ]
 *   expand   [ . . ]          ->  [ . . + + ]            where nothing is in the way
 *   move     [ . . ]          ->           [ . . + + ]   leaves go along, nothing is copied
 *   keep     [ . . ]          ->  [     ]  [ . . ]       MREMAP_DONTUNMAP: the old place stays, empty
 *
 * Kept of Linux 6.1: the order of checks, and which come after the target was unmapped already; old size 0
 * maps shared memory once more; expanding in place goes through vma_merge, which joins what follows, and fails
 * with -ENOMEM where an anon_vma forbids it; a moved anonymous VMA that was never written gets the page
 * offset of its new place, any other keeps its old one, and so merges with nothing there.
 */
#include "mapping.h"
#include "range.h"

#define MREMAP_MAYMOVE   1
#define MREMAP_FIXED     2
#define MREMAP_DONTUNMAP 4

/* What is asked for, sizes rounded up. */
struct remap {
    struct mm *mm;
    vaddr_t old, new;
    uint64_t old_bytes, new_bytes, flags;
};

/* May what is at @remap->old be resized so? Out: its VMA. */
static int vma_to_resize(const struct remap *remap, struct vma **found)
{
    struct vma *vma = *found = vma_at(remap->mm, remap->old);
    const uint64_t more = remap->new_bytes - remap->old_bytes;

    if (!vma) {
        return -EFAULT;
    }
    if (remap->old_bytes == 0 && !(vma->flags & (VM_SHARED | VM_MAYSHARE))) {
        return -EINVAL; /* private memory cannot be had twice */
    }
    if (remap->flags & MREMAP_DONTUNMAP && vma->flags & VM_SPECIAL) {
        return -EINVAL;
    }
    if (remap->old_bytes > vma->end - remap->old) {
        return -EFAULT;
    }
    if (more == 0) {
        return 0;
    }
    const uint64_t index = vma_index(vma, remap->old);
    if (index + remap->new_bytes / PAGE_SIZE < index) {
        return -EINVAL;
    }
    if (vma->flags & VM_SPECIAL) {
        return -EFAULT;
    }
    return mapping_may_expand(remap->mm, vma->flags, more / PAGE_SIZE) ? 0 : -ENOMEM;
}

/*
 * A VMA like @vma for @remap's new place: a neighbour there that takes it over, or a new one (Linux's
 * copy_vma). Out: NULL when there is no memory. *@vma may have been swallowed by its own copy.
 */
static struct vma *copy_vma(const struct remap *remap, struct vma **vma)
{
    struct vma *from = *vma, *next = vma_find(remap->mm, remap->new);
    struct vma *previous = next ? vma_previous(next) : vma_last(remap->mm);
    const vaddr_t end = remap->new + remap->new_bytes;
    const bool untouched = !from->cache && !from->anon_vma;
    const uint64_t offset = untouched ? remap->new / PAGE_SIZE : vma_index(from, remap->old);
    const bool adjacent = remap->new == from->end || end == from->start;
    const vaddr_t start = from->start;

    /* Where the old place is kept, it must not become one with the new one. */
    if (!(untouched && remap->flags & MREMAP_DONTUNMAP && adjacent)) {
        struct vma *merged = vma_merge(remap->mm, previous, remap->new, end, from->flags,
                                       from->anon_vma, from->cache, offset);
        if (merged) {
            if (merged->start <= start && start < merged->end) {
                *vma = merged;
            }
            return merged;
        }
    }
    struct vma *copy = vma_create(remap->mm, remap->new, end, from->flags, from->cache, offset);
    if (copy) {
        copy->anon_vma = from->anon_vma;
        copy->anon_shared = from->anon_shared;
        copy->name = from->name;
        vma_insert(remap->mm, copy);
    }
    return copy;
}

/* MREMAP_DONTUNMAP: what stays behind is as if it had never been touched. */
static void leave_behind(struct vma *vma, const struct remap *remap)
{
    vma_set_flags(vma, vma->flags & ~VM_LOCKED);
    if (vma->start == remap->old && vma->end == remap->old + remap->old_bytes) {
        vma->anon_vma = 0;
        vma->anon_shared = false;
        if (!vma->cache) {
            vma->page_offset = vma->start / PAGE_SIZE;
        }
    }
}

/* A locked VMA that loses its lock in part is split before. */
static int split_locked(struct vma **vma, const struct remap *remap)
{
    struct vma *upper;
    const vaddr_t end = remap->old + remap->old_bytes;

    if (!((*vma)->flags & VM_LOCKED) || !(remap->flags & MREMAP_DONTUNMAP)) {
        return 0;
    }
    if ((*vma)->start != remap->old &&
        (remap->mm->map_count >= MAP_COUNT_MAX || vma_split(*vma, remap->old, vma) != 0)) {
        return -ENOMEM;
    }
    if ((*vma)->end != end &&
        (remap->mm->map_count >= MAP_COUNT_MAX || vma_split(*vma, end, &upper) != 0)) {
        return -ENOMEM;
    }
    return 0;
}

/* Unmap a place whose pages are gone. Without memory to split its VMA it stays, empty, as in Linux. */
static void vacate(struct mm *mm, vaddr_t start, uint64_t bytes)
{
    if (bytes) {
        (void)!mapping_unmap(mm, start, start + bytes);
    }
}

/* Everything goes to @remap->new, where nothing is. Out: the new address. */
static int64_t move(struct vma *vma, const struct remap *remap)
{
    struct mm *mm = remap->mm;
    uint64_t moved;

    if (mm->map_count >= MAP_COUNT_MAX - 3 || split_locked(&vma, remap) != 0) {
        return -ENOMEM;
    }
    const uint64_t more =
        remap->new_bytes - (remap->flags & MREMAP_DONTUNMAP ? 0 : remap->old_bytes);
    if (vma->flags & VM_ACCOUNT && !mapping_may_commit(more / PAGE_SIZE)) {
        return -ENOMEM;
    }
    struct vma *copy = copy_vma(remap, &vma);
    if (!copy) {
        return -ENOMEM;
    }
    if (range_move(vma, remap->old, copy, remap->new, remap->old_bytes, &moved) != 0) {
        /* Tables of the old place are still there: this cannot fail. */
        uint64_t back;
        if (range_move(copy, remap->new, vma, remap->old, moved, &back) != 0) {
            __builtin_trap();
        }
        vacate(mm, remap->new, remap->new_bytes);
        return -ENOMEM;
    }
    if (remap->flags & MREMAP_DONTUNMAP) {
        leave_behind(vma, remap);
    } else {
        vacate(mm, remap->old, remap->old_bytes);
    }
    return (int64_t)remap->new;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP: to a place that is given, or any. */
static int64_t move_to(struct remap *remap)
{
    struct mm *mm = remap->mm;
    struct vma *vma;

    if (remap->new % PAGE_SIZE || remap->new_bytes > TASK_SIZE ||
        remap->new > TASK_SIZE - remap->new_bytes ||
        (remap->old + remap->old_bytes > remap->new &&
         remap->new + remap->new_bytes > remap->old)) {
        return -EINVAL;
    }
    if (mm->map_count + 2 >= MAP_COUNT_MAX - 3) {
        return -ENOMEM;
    }
    int64_t result = remap->flags & MREMAP_FIXED ? mm_munmap(mm, remap->new, remap->new_bytes) : 0;
    if (result == 0 && remap->old_bytes > remap->new_bytes) {
        result = mm_munmap(mm, remap->old + remap->new_bytes, remap->old_bytes - remap->new_bytes);
        remap->old_bytes = remap->new_bytes;
    }
    if (result == 0) {
        result = vma_to_resize(remap, &vma);
    }
    if (result != 0) {
        return result;
    }
    if (remap->flags & MREMAP_DONTUNMAP &&
        !mapping_may_expand(mm, vma->flags, remap->old_bytes / PAGE_SIZE)) {
        return -ENOMEM;
    }
    const int64_t area = mapping_find_area(mm, remap->new, remap->new_bytes,
                                           remap->flags & MREMAP_FIXED ? (uint64_t)MAP_FIXED : 0);
    if (area < 0) {
        return area;
    }
    remap->new = (vaddr_t)area;
    return move(vma, remap);
}

/* Is there room for @vma to end at @end? */
static bool is_expandable(const struct vma *vma, vaddr_t end)
{
    return end > vma->end && !mapping_intersection(vma->mm, vma->end, end) &&
           mapping_find_area(vma->mm, vma->start, end - vma->start, MAP_FIXED) >= 0;
}

/* Out: -EAGAIN: not here. */
static int64_t expand_in_place(struct vma *vma, const struct remap *remap)
{
    const vaddr_t from = remap->old + remap->old_bytes, end = remap->old + remap->new_bytes;

    if (from != vma->end || !is_expandable(vma, end)) {
        return -EAGAIN;
    }
    if ((vma->flags & VM_ACCOUNT && !mapping_may_commit((end - from) / PAGE_SIZE)) ||
        !vma_merge(vma->mm, vma, from, end, vma->flags, vma->anon_vma, vma->cache,
                   vma_index(vma, from))) {
        return -ENOMEM;
    }
    return (int64_t)remap->old;
}

static int64_t grow(struct remap *remap)
{
    struct vma *vma;
    int64_t result = vma_to_resize(remap, &vma);

    if (result != 0) {
        return result;
    }
    result = expand_in_place(vma, remap);
    if (result != -EAGAIN) {
        return result;
    }
    if (!(remap->flags & MREMAP_MAYMOVE)) {
        return -ENOMEM;
    }
    const int64_t area = mapping_find_area(remap->mm, 0, remap->new_bytes, 0);
    if (area < 0) {
        return area;
    }
    remap->new = (vaddr_t)area;
    return move(vma, remap);
}

static int64_t shrink(const struct remap *remap)
{
    if (remap->old_bytes > remap->new_bytes) {
        const int64_t result = mm_munmap(remap->mm, remap->old + remap->new_bytes,
                                         remap->old_bytes - remap->new_bytes);
        if (result != 0) {
            return result;
        }
    }
    return (int64_t)remap->old;
}

int64_t mm_mremap(struct mm *mm, vaddr_t address, uint64_t old_bytes, uint64_t new_bytes,
                  uint64_t flags, vaddr_t new_address)
{
    const uint64_t known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    struct remap remap = {
        .mm = mm,
        .old = address,
        .new = new_address,
        .old_bytes = ALIGN_UP(old_bytes, PAGE_SIZE),
        .new_bytes = ALIGN_UP(new_bytes, PAGE_SIZE),
        .flags = flags,
    };
    const struct vma *vma;
    int64_t result;

    if (flags & ~known ||
        (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
        (flags & MREMAP_DONTUNMAP && old_bytes != new_bytes) || address % PAGE_SIZE ||
        remap.new_bytes == 0) {
        return -EINVAL;
    }
    vma = vma_at(mm, address);
    if (!vma) {
        return -EFAULT;
    }
    const bool locked = vma->flags & VM_LOCKED;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        result = move_to(&remap);
    } else if (remap.old_bytes >= remap.new_bytes) {
        result = shrink(&remap);
    } else {
        result = grow(&remap);
    }
    if (result >= 0 && locked && remap.new_bytes > remap.old_bytes &&
        mm_populate(mm, (vaddr_t)result + remap.old_bytes, remap.new_bytes - remap.old_bytes,
                    POPULATE_AS_MAPPED) != 0) {
        mm->bad = (struct bad_fault){.kind = BAD_NONE}; /* a fault will say it again */
    }
    return result;
}
