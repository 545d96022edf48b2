/*
 * vmalloc.c: see vmalloc.h. Floor: mm.
 *
 *   VMALLOC_BASE   | absent | pages | absent | pages ... | absent |   + VMALLOC_BYTES
 *                             area             area
 *
 * Every area has an absent page of its own below it, and the last page of all stays absent.
 */
#include "vmalloc.h"

#include "fault/layout.h"
#include "paging/tlb.h"

struct area {
    vaddr_t start, end;
    LIST_ENTRY(area) node; /* in order of address */
};
static LIST_HEAD(, area) areas = LIST_HEAD_INITIALIZER(areas);
static struct object_cache area_cache = OBJECT_CACHE("vmalloc_area", struct area);

#define LEAF_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD | ((pte_t)CORE_KEY << PTE_KEY_SHIFT))

static vaddr_t base(void)
{
    return mm_reference.levels == 5 ? VMALLOC_BASE_5 : VMALLOC_BASE_4;
}

bool vmalloc_holds(vaddr_t address)
{
    return address - base() < VMALLOC_BYTES;
}

/* Put @area, of @bytes, into the lowest gap that it fits in. */
static bool find_room(struct area *area, uint64_t bytes)
{
    struct area *before = NULL, *behind = LIST_FIRST(&areas);
    vaddr_t start = base() + PAGE_SIZE;
    const vaddr_t last_end = base() + VMALLOC_BYTES - PAGE_SIZE;

    while (behind && behind->start - start < bytes + PAGE_SIZE) {
        before = behind;
        start = behind->end + PAGE_SIZE;
        behind = LIST_NEXT(behind, node);
    }
    if (start > last_end || bytes > last_end - start) {
        return false;
    }
    area->start = start;
    area->end = start + bytes;
    if (before) {
        LIST_INSERT_AFTER(before, area, node);
    } else {
        LIST_INSERT_HEAD(&areas, area, node);
    }
    return true;
}

/* Unmap and free @area's pages up to @end, and the area. */
static void release(struct area *area, vaddr_t end)
{
    for (vaddr_t at = area->start; at < end; at += PAGE_SIZE) {
        pte_t *leaf = paging_leaf(&mm_reference, at);
        struct page *page = page_of(*leaf & PTE_ADDRESS);
        *leaf = 0;
        tlb_flush_page(at); /* before the frame can be used again */
        page_put(page);
    }
    LIST_REMOVE(area, node);
    object_free(&area_cache, area);
}

void *vmalloc(uint64_t bytes)
{
    if (bytes == 0 || bytes > VMALLOC_BYTES) {
        return NULL;
    }
    struct area *area = object_alloc(&area_cache);
    if (!area) {
        return NULL;
    }
    if (!find_room(area, ALIGN_UP(bytes, PAGE_SIZE))) {
        object_free(&area_cache, area);
        return NULL;
    }
    for (vaddr_t at = area->start; at < area->end; at += PAGE_SIZE) {
        struct page *page = page_alloc_zeroed(0);
        pte_t *leaf;
        if (!page || paging_leaf_make(&mm_reference, at, &leaf) != STATUS_OK) {
            if (page) {
                page_put(page);
            }
            release(area, at);
            return NULL;
        }
        *leaf = page_frame(page) | LEAF_FLAGS;
    }
    return (void *)(uintptr_t)area->start;
}

void vfree(void *at)
{
    struct area *area;

    if (!at) {
        return;
    }
    LIST_FOREACH (area, &areas, node) {
        if (area->start == (uintptr_t)at) {
            release(area, area->end);
            return;
        }
    }
    __builtin_trap(); /* not ours, or freed twice */
}

/* Free the table behind @entry, which belongs to a table of @level, and all below it. */
static void free_tables(pte_t *entry, unsigned level)
{
    if (!(*entry & PTE_P)) {
        return;
    }
    const paddr_t table = *entry & PTE_ADDRESS;
    pte_t *entries = phys_to_virt(table);
    for (unsigned i = 0; level > 2 && i < TABLE_ENTRIES; i++) {
        free_tables(&entries[i], level - 1);
    }
    *entry = 0;
    if (frame_free(&memory.frames, table) != STATUS_OK) {
        __builtin_trap();
    }
}

void vmalloc_start(void)
{
    pte_t *top = phys_to_virt(mm_reference.root);

    top[level_index(base(), mm_reference.levels)] = 0;
    LIST_INIT(&areas);
}

void vmalloc_stop(void)
{
    if (!LIST_EMPTY(&areas)) {
        __builtin_trap();
    }
    pte_t *top = phys_to_virt(mm_reference.root);
    free_tables(&top[level_index(base(), mm_reference.levels)], mm_reference.levels);
    tlb_flush_all(); /* upper entries may be cached */
}

bool vmalloc_synchronise(paddr_t root, vaddr_t address)
{
    const paddr_t table = root & PTE_ADDRESS;

    if (table == mm_reference.root || !vmalloc_holds(address)) {
        return false;
    }
    const unsigned index = level_index(address, mm_reference.levels);
    const pte_t *from = phys_to_virt(mm_reference.root);
    pte_t *to = phys_to_virt(table);
    if (!(from[index] & PTE_P) || to[index] == from[index]) {
        return false;
    }
    to[index] = from[index];
    return true;
}
