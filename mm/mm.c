/*
 * mm.c: address spaces of programs: made, loaded, given back; execute-only memory's key and its like.
 * Floor: mm.
 *
 *   top-level table:  0 .. 255    a program's own
 *                     256 ..      the kernel's, the same in all tables: copied when a space is made,
 *                                 but for the vmalloc area's, which is copied at the first touch
 *                                 (vmalloc.h), as Linux once did it
 */
#include "audit.h"
#include "fault/cpu.h"
#include "paging/tlb.h"
#include "vmalloc.h"

struct address_space mm_reference;
vaddr_t mm_user_end;
struct mm_list all_mms = LIST_HEAD_INITIALIZER(all_mms);
bool mm_has_keys = true;

static struct object_cache mms = OBJECT_CACHE("mm", struct mm);

enum status mm_start(paddr_t reference_root, unsigned levels)
{
    if (levels != 4 && levels != LEVELS_MAX) {
        return STATUS_RANGE;
    }
    mm_reference = (struct address_space){
        .root = reference_root & PTE_ADDRESS,
        .levels = levels,
        .table_flags = TABLE_FLAGS & ~PTE_US,
        .tables = &memory.frames,
    };
    mm_user_end = levels == LEVELS_MAX ? BIT(56) - PAGE_SIZE : TASK_SIZE;
    LIST_INIT(&all_mms);
    LIST_INIT(&all_page_caches);
    vmalloc_start();
    return STATUS_OK;
}

static bool is_vmalloc_slot(unsigned slot)
{
    const unsigned levels = mm_reference.levels;
    const vaddr_t base = levels == 4 ? VMALLOC_BASE_4 : VMALLOC_BASE_5;

    return slot >= level_index(base, levels) &&
           slot <= level_index(base + VMALLOC_BYTES - 1, levels);
}

int mm_create(struct mm **made)
{
    struct mm *mm = object_alloc(&mms);

    if (!mm) {
        return -ENOMEM;
    }
    if (paging_space_init(&mm->space, mm_reference.levels, &memory.frames) != STATUS_OK) {
        object_free(&mms, mm);
        return -ENOMEM;
    }
    const pte_t *kernel = phys_to_virt(mm_reference.root);
    pte_t *own = phys_to_virt(mm->space.root);
    for (unsigned slot = TABLE_ENTRIES / 2; slot < TABLE_ENTRIES; slot++) {
        own[slot] = is_vmalloc_slot(slot) ? 0 : kernel[slot];
    }
    RB_INIT(&mm->tree);
    mm->keys = 1;
    mm->execute_only_key = mm->deny_key = -1;
    mm->stack_limit = MM_STACK_LIMIT;
    mm->data_limit = mm->address_limit = mm->lock_limit = MM_NO_LIMIT;
    mm->mmap_base = mm_mmap_base(mm->stack_limit);
    LIST_INSERT_HEAD(&all_mms, mm, in_all);
    *made = mm;
    return 0;
}

/* Above it, 128 MiB at least and five sixths of all at most are left to the stack. */
vaddr_t mm_mmap_base(uint64_t stack_limit)
{
    const uint64_t least = UINT64_C(128) << 20, most = TASK_SIZE / 6 * 5;
    uint64_t room = stack_limit;

    if (room + STACK_GUARD_GAP > room) {
        room += STACK_GUARD_GAP;
    }
    room = room < least ? least : room > most ? most : room;
    return ALIGN_UP(TASK_SIZE - room, PAGE_SIZE);
}

void mm_free(struct mm *mm)
{
    LIST_REMOVE(mm, in_all);
    if (frame_free(&memory.frames, mm->space.root) != STATUS_OK) {
        __builtin_trap(); /* the root is nobody else's */
    }
    object_free(&mms, mm);
}

void mm_load(struct mm *mm)
{
    cpu_current()->mm = mm;
    tlb_load_space(mm ? mm->space.root : mm_reference.root);
}

/* ---- protection keys --------------------------------------------------------------------------- */

#define KEYS 16

/* The lowest free key, which then is taken, or -1. */
static int key_take(struct mm *mm)
{
    if (!mm_has_keys) {
        return -1;
    }
    for (int key = 0; key < KEYS; key++) {
        if (!(mm->keys & 1u << key)) {
            mm->keys |= 1u << key;
            return key;
        }
    }
    return -1;
}

bool mm_key_is_allocated(const struct mm *mm, int key)
{
    /* That of execute-only memory is not a program's to use. */
    return mm_has_keys && key >= 0 && key < KEYS && key != mm->execute_only_key &&
           (mm->keys & 1u << key);
}

int mm_execute_only_key(struct mm *mm)
{
    if (mm->execute_only_key < 0) {
        mm->execute_only_key = key_take(mm);
    }
    if (mm->execute_only_key < 0) {
        return 0;
    }
    mm->deny_key = mm->execute_only_key;
    return mm->execute_only_key;
}

#define PKEY_DISABLE_ACCESS 1
#define PKEY_DISABLE_WRITE  2

int64_t mm_pkey_alloc(struct mm *mm, uint64_t flags, uint64_t rights)
{
    if (flags || (rights & ~(uint64_t)(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE))) {
        return -EINVAL;
    }
    int key = key_take(mm);
    return key < 0 ? -ENOSPC : key;
}

int64_t mm_pkey_free(struct mm *mm, int key)
{
    if (!mm_key_is_allocated(mm, key)) {
        return -EINVAL;
    }
    mm->keys &= ~(1u << key);
    return 0;
}
