/*
 * fork.c: a second address space like the first, and the end of one. Floor: mm.
 *
 *   before         after fork                           after the first write, by either
 *   RW- --> 7      parent R-- --> 7 <-- R-- child       RW- --> 9 (copy)     R-- --> 7
 *
 * Only what a fault could not bring again is copied: leaves of VMAs that have pages of their own
 * (anon_vma). Shared and merely read memory is found again through the file, or the zero page.
 */
#include "mapping.h"
#include "range.h"

/* What the child has of the parent's besides VMAs. */
static void copy_fields(const struct mm *from, struct mm *to)
{
    to->keys = from->keys;
    to->execute_only_key = from->execute_only_key;
    to->mmap_base = from->mmap_base;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    to->data_bytes = from->data_bytes;
    to->stack_start = from->stack_start;
    to->stack_limit = from->stack_limit;
    to->data_limit = from->data_limit;
    to->address_limit = from->address_limit;
    to->lock_limit = from->lock_limit;
}

/*
 * The child's copy of @from, with its leaves. Locks are not inherited. What merging made larger than may be mapped at
 * once is refused here, as in Linux.
 */
static int fork_vma(struct vma *from, struct mm *to)
{
    if (from->flags & VM_ACCOUNT && !mapping_may_commit((from->end - from->start) / PAGE_SIZE)) {
        return -ENOMEM;
    }
    struct vma *copy = vma_create(to, from->start, from->end, from->flags & ~VM_LOCKED, from->cache,
                                  from->page_offset);
    if (!copy) {
        return -ENOMEM;
    }
    vma_insert(to, copy);
    copy->name = from->name;
    vma_fork_anon(copy, from);
    return copy->anon_vma ? range_copy(from, copy) : 0;
}

int mm_fork(struct mm *from, struct mm **to)
{
    struct mm *child;
    int result = mm_create(&child);

    if (result != 0) {
        return result;
    }
    copy_fields(from, child);
    for (struct vma *vma = vma_first(from); vma && result == 0; vma = vma_next(vma)) {
        if (!(vma->flags & VM_DONTCOPY)) {
            result = fork_vma(vma, child);
        }
    }
    if (result != 0) {
        mm_destroy(child);
        return result;
    }
    *to = child;
    return 0;
}

void (*mm_last_look)(const struct mm *mm);

void mm_destroy(struct mm *mm)
{
    struct vma *vma;

    if (mm_last_look) {
        mm_last_look(mm);
    }
    while ((vma = vma_first(mm))) {
        range_zap(vma, vma->start, vma->end, ZAP_ALL);
        vma_remove(mm, vma);
    }
    paging_free_tables(&mm->space, 0, TASK_SIZE, 0, 0);
    mm_free(mm);
}
