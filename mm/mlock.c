/*
 * mlock.c: memory that is there and stays there. Floor: mm. Nothing is ever taken away here, so what
 * shows is that all of it is brought at once, the VMAs' flag, and what else refuses locked memory.
 *
 * Kept of Linux 6.1: addresses are rounded outwards; VMAs are changed one by one up to a hole, which is -ENOMEM;
 * a page that cannot be brought is -ENOMEM, no memory is -EAGAIN, and the flag stays. As root: RLIMIT_MEMLOCK does not
 * bind. Linux's own places (VM_SPECIAL) are passed over.
 */
#include "mapping.h"

static int set_locked(struct mm *mm, vaddr_t address, vaddr_t end, uint64_t locked)
{
    struct vma *vma = vma_at(mm, address), *changed;

    if (end < address) {
        return -EINVAL;
    }
    if (end == address) {
        return 0;
    }
    if (!vma) {
        return -ENOMEM;
    }
    struct vma *previous = address > vma->start ? vma : vma_previous(vma);
    for (;;) {
        const uint64_t flags = (vma->flags & ~VM_LOCKED) | locked;
        const vaddr_t part = vma->end < end ? vma->end : end;
        changed = vma;
        if (flags != vma->flags && !(vma->flags & VM_SPECIAL)) {
            const int result = vma_change_flags(vma, previous, address, part, flags, &changed);
            if (result != 0) {
                return result;
            }
        }
        if (changed->end >= end) {
            return 0;
        }
        previous = changed;
        address = changed->end;
        vma = vma_next(changed);
        if (!vma || vma->start != address) {
            return -ENOMEM;
        }
    }
}

int64_t mm_mlock(struct mm *mm, vaddr_t address, uint64_t bytes)
{
    bytes = ALIGN_UP(bytes + address % PAGE_SIZE, PAGE_SIZE);
    address = ALIGN_DOWN(address, PAGE_SIZE);
    int64_t result = set_locked(mm, address, address + bytes, VM_LOCKED);

    if (result != 0 || bytes == 0) {
        return result;
    }
    mm->bad.kind = BAD_NONE;
    result = mm_populate(mm, address, bytes, POPULATE_AS_MAPPED);
    return result == -EFAULT ? -ENOMEM : result == -ENOMEM ? -EAGAIN : result;
}

int64_t mm_munlock(struct mm *mm, vaddr_t address, uint64_t bytes)
{
    bytes = ALIGN_UP(bytes + address % PAGE_SIZE, PAGE_SIZE);
    address = ALIGN_DOWN(address, PAGE_SIZE);
    return set_locked(mm, address, address + bytes, 0);
}
