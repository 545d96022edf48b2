/*
 * mprotect.c: other rights, and other protection keys, for memory that is mapped. Floor: mm.
 *
 *   VMA RW, touched       mprotect(middle, R)      R--         RW-  R--  RW-
 *   [ . . . . . . ]    -->                      [ . . . . ] = [ . ][ . ][ . ]    leaves and VMAs change
 *
 * Kept of Linux 6.1: the order of checks; VMAs are changed one by one, and what precedes a hole or a VMA
 * that refuses stays changed; merging before splitting; VM_ACCOUNT and RLIMIT_DATA where private memory
 * becomes writable; PROT_GROWSDOWN; plain mprotect gives execute-only memory a key of its own and takes
 * it back, and otherwise keeps the VMA's key; locked private memory that becomes writable is copied at once.
 */
#include "mapping.h"
#include "range.h"

#define PROT_SEM 8

/* Change [@start, @end) of @vma; *@changed holds it then. @previous: as for vma_change_flags(). */
static int change(struct vma *vma, struct vma *previous, vaddr_t start, vaddr_t end, uint64_t flags,
                  struct vma **changed)
{
    struct mm *mm = vma->mm;
    const uint64_t old = vma->flags, pages = (end - start) / PAGE_SIZE;

    *changed = vma;
    if (flags == old) {
        return 0;
    }
    if (flags & VM_WRITE) {
        /* Where it turns into data, RLIMIT_DATA begins to count. */
        if (!mapping_may_expand(mm, flags, pages) && mapping_may_expand(mm, old, pages)) {
            return -ENOMEM;
        }
        if (!(old & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE))) {
            if (!mapping_may_commit(pages)) {
                return -ENOMEM;
            }
            flags |= VM_ACCOUNT;
        }
    }
    const int result = vma_change_flags(vma, previous, start, end, flags, changed);
    if (result != 0) {
        return result;
    }
    range_protect(*changed, start, end);
    if ((old & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED && flags & VM_WRITE &&
        mm_populate(mm, start, end - start, POPULATE_AS_MAPPED) != 0) {
        mm->bad = (struct bad_fault){.kind = BAD_NONE}; /* a fault will say it again */
    }
    return 0;
}

/* The key that @vma is to have; @key: pkey_mprotect's, or -1. */
static unsigned new_key(const struct vma *vma, uint64_t prot, int key)
{
    if (key >= 0) {
        return (unsigned)key;
    }
    if (prot == PROT_EXEC) {
        const int own = mm_execute_only_key(vma->mm);
        if (own > 0) {
            return (unsigned)own;
        }
    } else if ((vma->flags & VM_ACCESS_FLAGS) == VM_EXEC && vma->mm->execute_only_key >= 0 &&
               vma_key(vma) == (unsigned)vma->mm->execute_only_key) {
        return 0;
    }
    return vma_key(vma);
}

/* VM_MAYREAD ... say what VM_READ ... may become. */
static bool is_allowed(uint64_t flags)
{
    return !(flags & ~(flags >> 4) & VM_ACCESS_FLAGS);
}

/* Where the change begins: with PROT_GROWSDOWN at its VMA's start, which has to be such a one. */
static int first_vma(const struct mm *mm, vaddr_t *start, vaddr_t end, uint64_t grows,
                     struct vma **first)
{
    struct vma *vma = *first = vma_find(mm, *start);

    if (!vma) {
        return -ENOMEM;
    }
    if (grows & PROT_GROWSDOWN) {
        if (vma->start >= end) {
            return -ENOMEM;
        }
        *start = vma->start;
        return vma->flags & VM_GROWSDOWN ? 0 : -EINVAL;
    }
    if (vma->start > *start) {
        return -ENOMEM;
    }
    return grows ? -EINVAL : 0; /* there is no VMA that grows up */
}

int64_t mm_mprotect(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t prot, int key)
{
    const uint64_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    const vaddr_t end = address + ALIGN_UP(bytes, PAGE_SIZE);
    struct vma *vma, *changed;

    prot &= ~(uint64_t)(PROT_GROWSDOWN | PROT_GROWSUP);
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || address % PAGE_SIZE) {
        return -EINVAL;
    }
    if (bytes == 0) {
        return 0;
    }
    if (end <= address) {
        return -ENOMEM;
    }
    if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM) ||
        (key != -1 && !mm_key_is_allocated(mm, key))) {
        return -EINVAL;
    }
    int result = first_vma(mm, &address, end, grows, &vma);
    if (result != 0) {
        return result;
    }
    struct vma *previous = address > vma->start ? vma : vma_previous(vma);
    for (;;) {
        const uint64_t flags = (vma->flags & ~(VM_ACCESS_FLAGS | VM_PKEY)) |
                               (prot & VM_ACCESS_FLAGS) |
                               (uint64_t)new_key(vma, prot, key) << VM_PKEY_SHIFT;
        if (!is_allowed(flags)) {
            return -EACCES;
        }
        const vaddr_t part = vma->end < end ? vma->end : end;
        result = change(vma, previous, address, part, flags, &changed);
        if (result != 0 || changed->end >= end) {
            return result;
        }
        /* It may have merged with what follows. */
        previous = changed;
        address = changed->end;
        vma = vma_next(changed);
        if (!vma || vma->start != address) {
            return -ENOMEM;
        }
    }
}
