/*
 * system_calls_memory.c: from a system call's registers to mm.h: which arguments are 32 bits wide, and
 * what Linux looks at before it comes to memory. Floor: os.
 */
#include "fault/uaccess.h"
#include "system_call.h"

#define PKEY_DISABLE_ACCESS 1u

/* Set the two bits that PKRU has for @key. */
static void key_rights(struct task *task, unsigned key, uint32_t rights)
{
    task_save(task);
    task->pkru = (task->pkru & ~(3u << 2 * key)) | rights << 2 * key;
    task_load(task);
}

/* Execute-only memory is a key without data access: mm/ has taken it, its rights are this task's. */
static int64_t keys_denied(struct task *task, int64_t result)
{
    if (task->mm->deny_key >= 0) {
        key_rights(task, (unsigned)task->mm->deny_key, PKEY_DISABLE_ACCESS);
        task->mm->deny_key = -1;
    }
    return result;
}

int64_t sys_mmap(struct task *task, uint64_t address, uint64_t bytes, uint64_t prot, uint64_t flags,
                 uint64_t descriptor, uint64_t offset)
{
    struct page_cache *cache = NULL;
    uint64_t may = 0;

    if (offset % PAGE_SIZE) {
        return -EINVAL;
    }
    if (!(flags & MAP_ANONYMOUS)) {
        int error = files_mapping(task->files, descriptor, &cache, &may);
        if (error) {
            return error;
        }
    }
    return keys_denied(task, mm_mmap(task->mm, address, bytes, prot, flags, cache, may, offset));
}

int64_t sys_mprotect(struct task *task, uint64_t address, uint64_t bytes, uint64_t prot)
{
    return keys_denied(task, mm_mprotect(task->mm, address, bytes, prot, -1));
}

int64_t sys_munmap(struct task *task, uint64_t address, uint64_t bytes)
{
    return mm_munmap(task->mm, address, bytes);
}

int64_t sys_brk(struct task *task, uint64_t end)
{
    return mm_brk(task->mm, end);
}

int64_t sys_mremap(struct task *task, uint64_t address, uint64_t old_bytes, uint64_t new_bytes,
                   uint64_t flags, uint64_t new_address)
{
    return mm_mremap(task->mm, address, old_bytes, new_bytes, flags, new_address);
}

int64_t sys_msync(struct task *task, uint64_t address, uint64_t bytes, uint64_t flags)
{
    return mm_msync(task->mm, address, bytes, (uint32_t)flags);
}

/* @result of something that faults pages in: when one of them is under way, the call waits. */
static int64_t populated(struct task *task, int64_t result)
{
    return result == -EAGAIN && task->mm->bad.kind == BAD_WAIT ? copy_failed(task) : result;
}

int64_t sys_madvise(struct task *task, uint64_t address, uint64_t bytes, uint64_t advice)
{
    return populated(task, mm_madvise(task->mm, address, bytes, (uint32_t)advice));
}

int64_t sys_mlock(struct task *task, uint64_t address, uint64_t bytes)
{
    return populated(task, mm_mlock(task->mm, address, bytes));
}

int64_t sys_munlock(struct task *task, uint64_t address, uint64_t bytes)
{
    return mm_munlock(task->mm, address, bytes);
}

int64_t sys_mincore(struct task *task, uint64_t address, uint64_t bytes, uint64_t vector)
{
    uint64_t pages = bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
    uint8_t resident[512];

    if (address % PAGE_SIZE) {
        return -EINVAL;
    }
    if (!user_range(address, bytes)) {
        return -ENOMEM;
    }
    if (!user_range(vector, pages)) {
        return -EFAULT;
    }
    for (uint64_t done = 0; done < pages;) {
        const uint64_t most = pages - done < sizeof(resident) ? pages - done : sizeof(resident);
        int64_t count = mm_mincore(task->mm, address + done * PAGE_SIZE, most, resident);

        if (count < 0) {
            return count;
        }
        if (copy_to_user(vector + done, resident, (uint64_t)count)) {
            return copy_failed(task);
        }
        done += (uint64_t)count;
    }
    return 0;
}

int64_t sys_pkey_mprotect(struct task *task, uint64_t address, uint64_t bytes, uint64_t prot,
                          uint64_t key)
{
    return keys_denied(task, mm_mprotect(task->mm, address, bytes, prot, (int)(uint32_t)key));
}

/* The new key's rights are those that were asked for, in this task alone. */
int64_t sys_pkey_alloc(struct task *task, uint64_t flags, uint64_t rights)
{
    int64_t key = mm_pkey_alloc(task->mm, flags, rights);

    if (key > 0) {
        key_rights(task, (unsigned)key, (uint32_t)rights);
    }
    return key;
}

int64_t sys_pkey_free(struct task *task, uint64_t key)
{
    return mm_pkey_free(task->mm, (int)(uint32_t)key);
}
