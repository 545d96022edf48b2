/*
 * madvise.c: what a program says of its memory. Floor: mm.
 *
 * Kept of Linux 6.1: holes are passed over and reported at the end with -ENOMEM; which advice refuses which
 * mapping, and how; flags that split and merge VMAs show in /proc/self/maps. MADV_FREE lets pages be taken away
 * when memory is short, which here it never is in that sense (no reclaim yet): contents stay, as they do on an idle
 * Linux, but the leaves are clean; MADV_COLD and MADV_PAGEOUT (there is no swap) change nothing. Not kept:
 * MADV_HWPOISON, MADV_SOFT_OFFLINE and MADV_COLLAPSE, which need what is not here, are -EINVAL, as on a Linux without them.
 */
#include "mapping.h"
#include "range.h"

enum advice {
    MADV_NORMAL = 0,
    MADV_RANDOM = 1,
    MADV_SEQUENTIAL = 2,
    MADV_WILLNEED = 3,
    MADV_DONTNEED = 4,
    MADV_FREE = 8,
    MADV_REMOVE = 9,
    MADV_DONTFORK = 10,
    MADV_DOFORK = 11,
    MADV_MERGEABLE = 12,
    MADV_UNMERGEABLE = 13,
    MADV_HUGEPAGE = 14,
    MADV_NOHUGEPAGE = 15,
    MADV_DONTDUMP = 16,
    MADV_DODUMP = 17,
    MADV_WIPEONFORK = 18,
    MADV_KEEPONFORK = 19,
    MADV_COLD = 20,
    MADV_PAGEOUT = 21,
    MADV_POPULATE_READ = 22,
    MADV_POPULATE_WRITE = 23,
    MADV_DONTNEED_LOCKED = 24,
};

/* What a flag's advice does to it, and where it is not wanted. */
struct flag_advice {
    uint8_t advice;
    uint64_t set, clear;
    uint64_t refused; /* -EINVAL where one of these is set */
    uint64_t ignored; /* 0, and no change, where one of these is set */
};

static const struct flag_advice flag_advices[] = {
    {MADV_NORMAL,      0,             VM_RAND_READ | VM_SEQ_READ, 0,          0                                   },
    {MADV_RANDOM,      VM_RAND_READ,  VM_SEQ_READ,                0,          0                                   },
    {MADV_SEQUENTIAL,  VM_SEQ_READ,   VM_RAND_READ,               0,          0                                   },
    {MADV_DONTFORK,    VM_DONTCOPY,   0,                          0,          0                                   },
    {MADV_DOFORK,      0,             VM_DONTCOPY,                VM_IO,      0                                   },
    {MADV_MERGEABLE,   VM_MERGEABLE,  0,                          0,          VM_SHARED | VM_MAYSHARE | VM_SPECIAL},
    {MADV_UNMERGEABLE, 0,             VM_MERGEABLE,               0,          0                                   },
    {MADV_HUGEPAGE,    VM_HUGEPAGE,   VM_NOHUGEPAGE,              0,          0                                   },
    {MADV_NOHUGEPAGE,  VM_NOHUGEPAGE, VM_HUGEPAGE,                0,          0                                   },
    {MADV_DONTDUMP,    VM_DONTDUMP,   0,                          0,          0                                   },
    {MADV_DODUMP,      0,             VM_DONTDUMP,                VM_SPECIAL, 0                                   },
    {MADV_WIPEONFORK,  VM_WIPEONFORK, 0,                          VM_SHARED,  0                                   },
    {MADV_KEEPONFORK,  0,             VM_WIPEONFORK,              0,          0                                   },
};

static const struct flag_advice *find_flag_advice(unsigned advice)
{
    for (size_t i = 0; i < ARRAY_COUNT(flag_advices); i++) {
        if (flag_advices[i].advice == advice) {
            return &flag_advices[i];
        }
    }
    return NULL;
}

static bool is_known(unsigned advice)
{
    switch (advice) {
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
    case MADV_DONTNEED_LOCKED:
        return true;
    default:
        return find_flag_advice(advice) != NULL;
    }
}

/* [@start, @end) lies in @vma. *@last: the VMA that holds the range afterwards. */
static int change_flags(struct vma *vma, struct vma *previous, vaddr_t start, vaddr_t end,
                        const struct flag_advice *advice, struct vma **last)
{
    const uint64_t flags = (vma->flags | advice->set) & ~advice->clear;

    if (vma->flags & advice->refused || (advice->advice == MADV_WIPEONFORK && vma->cache)) {
        return -EINVAL;
    }
    if (vma->flags & advice->ignored || flags == vma->flags) {
        return 0;
    }
    return vma_change_flags(vma, previous, start, end, flags, last) ? -EAGAIN : 0;
}

static int remove_pages(const struct vma *vma, vaddr_t start, vaddr_t end)
{
    if (vma->flags & VM_LOCKED || !vma->cache) {
        return -EINVAL;
    }
    if ((vma->flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE)) {
        return -EACCES;
    }
    if (vma->cache->operations->read_page) {
        return -EOPNOTSUPP; /* only memory can have holes punched into it */
    }
    page_cache_punch(vma->cache, vma_index(vma, start) * PAGE_SIZE, end - start);
    return 0;
}

static int advise(struct vma *vma, struct vma *previous, vaddr_t start, vaddr_t end,
                  unsigned advice, struct vma **last)
{
    *last = vma;
    switch (advice) {
    case MADV_WILLNEED:
        return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return vma->flags & (VM_LOCKED | VM_IO) ? -EINVAL : 0;
    case MADV_FREE:
        if (vma->flags & (VM_LOCKED | VM_IO) || vma->cache) {
            return -EINVAL;
        }
        range_mark_clean(vma, start, end);
        return 0;
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
        if (vma->flags & (VM_IO | (advice == MADV_DONTNEED ? VM_LOCKED : 0))) {
            return -EINVAL;
        }
        range_zap(vma, start, end, ZAP_ALL);
        return 0;
    case MADV_REMOVE:
        return remove_pages(vma, start, end);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return (int)mm_populate(vma->mm, start, end - start,
                                advice == MADV_POPULATE_READ ? POPULATE_READ : POPULATE_WRITE);
    default:
        return change_flags(vma, previous, start, end, find_flag_advice(advice), last);
    }
}

int64_t mm_madvise(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t advice)
{
    const vaddr_t end = address + ALIGN_UP(bytes, PAGE_SIZE);
    int unmapped = 0;

    if (!is_known((uint32_t)advice) || address % PAGE_SIZE ||
        (bytes && !ALIGN_UP(bytes, PAGE_SIZE)) || end < address) {
        return -EINVAL;
    }
    if (end == address) {
        return 0;
    }
    mm->bad.kind = BAD_NONE;
    struct vma *vma = vma_find(mm, address), *last;
    struct vma *previous = vma && address <= vma->start ? vma_previous(vma) : vma;
    while (vma) {
        if (address < vma->start) {
            unmapped = -ENOMEM;
            address = vma->start;
            if (address >= end) {
                return unmapped;
            }
        }
        const vaddr_t part = vma->end < end ? vma->end : end;
        const int result = advise(vma, previous, address, part, (uint32_t)advice, &last);
        if (result != 0) {
            return result;
        }
        previous = last;
        address = last->end;
        if (address >= end) {
            return unmapped;
        }
        vma = vma_next(last);
    }
    return -ENOMEM;
}
