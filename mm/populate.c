/*
 * populate.c: faults that the kernel makes for a program, page by page: MAP_POPULATE, mlock,
 * MADV_POPULATE. Floor: mm. They go the way of mm_handle_fault() like the program's own.
 */
#include "fault.h"
#include "x86/exception.h"

/* Is what the fault would bring there already? */
static bool is_there(pte_t entry, bool write)
{
    return entry & PTE_P && (!write || entry & PTE_RW);
}

static int64_t populate_page(struct vma *vma, vaddr_t address, bool write)
{
    struct mm *mm = vma->mm;
    const pte_t *pte = paging_leaf(&mm->space, address);

    if (pte && is_there(*pte, write)) {
        return 0;
    }
    switch (mm_handle_fault(vma, address,
                            FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT |
                                (write ? FAULT_FLAG_WRITE : 0))) {
    case VM_FAULT_DONE:
        return 0;
    case VM_FAULT_OOM:
        return -ENOMEM;
    case VM_FAULT_SIGBUS:
    case VM_FAULT_SIGSEGV:
        return -EFAULT;
    case VM_FAULT_RETRY:
        mm->bad.kind = BAD_WAIT;
        mm->bad.address = address;
        return -EAGAIN;
    }
    __builtin_unreachable();
}

/*
 * Would a fault by @populate be allowed in @vma, and is it a write? What is merely populated as mapped may
 * be read as soon as it may be accessed at all.
 */
static bool is_allowed(const struct vma *vma, enum populate populate, bool *write)
{
    *write = populate == POPULATE_WRITE ||
             (populate == POPULATE_AS_MAPPED && (vma->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
    const uint64_t wants = *write                      ? VM_WRITE
                           : populate == POPULATE_READ ? VM_READ
                                                       : VM_ACCESS_FLAGS;

    return (vma->flags & wants) && !(vma->flags & VM_RESERVED) &&
           fault_keys_allow(vma, *write ? PF_EC_W : 0);
}

int64_t mm_populate(struct mm *mm, vaddr_t address, uint64_t bytes, enum populate populate)
{
    const vaddr_t end = address + bytes;
    int64_t result = 0;

    while (address < end && result == 0) {
        struct vma *vma = vma_at(mm, address);
        bool write;
        if (!vma) {
            return -ENOMEM;
        }
        const vaddr_t part = vma->end < end ? vma->end : end;
        if (populate == POPULATE_AS_MAPPED && vma->flags & VM_RESERVED) {
            address = part; /* Linux's own places: all that there is to bring is there */
            continue;
        }
        if (!is_allowed(vma, populate, &write)) {
            return populate == POPULATE_AS_MAPPED ? -EFAULT : -EINVAL;
        }
        for (; address < part && result == 0; address += PAGE_SIZE) {
            result = populate_page(vma, address, write);
        }
    }
    return result;
}
