/*
 * pair.c: see pair.h.
 */
#include "pair.h"

#include "fault/world.h"
#include "machine.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "paging/tlb.h"
#include "target.h"

static struct {
    bool mapped;
    paddr_t frame[2];
    pte_t *entry[2];
} pair;

static vaddr_t page_address(unsigned page)
{
    return PAIR_EDGE - PAGE_SIZE + page * PAGE_SIZE;
}

static enum status map_pages(void)
{
    struct address_space space = {world_root(), machine.levels, TABLE_FLAGS, &check_frames};
    struct walk walk;
    paddr_t frames;
    enum status status = frame_alloc_run(&check_frames, 3, PAGE_SIZE, &frames);

    for (unsigned page = 0; page < 2 && status == STATUS_OK; page++) {
        /* The other way round, and one apart. */
        pair.frame[page] = frames + (page ? 0 : 2 * PAGE_SIZE);
        status =
            paging_map(&space, page_address(page), pair.frame[page], PAGE_SIZE, 1, PAIR_READ_ONLY);
        (void)paging_walk(space.root, space.levels, page_address(page), &walk);
        pair.entry[page] = walk.at[0];
    }
    return status;
}

enum status pair_start(const char *code, vaddr_t code_at)
{
    struct address_space space = {world_root(), machine.levels, TABLE_FLAGS, &check_frames};
    struct walk walk;

    if (!pair.mapped) {
        enum status status = map_pages();
        if (status != STATUS_OK) {
            return status;
        }
        pair.mapped = true;
    }
    if (!code || paging_walk(space.root, space.levels, code_at, &walk) == WALK_LEAF) {
        return STATUS_OK;
    }
    (void)paging_walk(space.root, space.levels, (vaddr_t)code, &walk);
    return paging_map(&space, code_at, walk.address, PAGE_SIZE, 1, PTE_P | PTE_US | PTE_A);
}

void pair_set(unsigned page, pte_t flags)
{
    pte_t data = (flags & PTE_RW) && machine_has(FEATURE_NX) ? PTE_XD : 0;

    *(volatile pte_t *)pair.entry[page] = flags ? pair.frame[page] | flags | data : 0;
    tlb_flush_page(page_address(page));
}

uint8_t *pair_byte(vaddr_t address)
{
    unsigned page = address >= PAIR_EDGE;

    return (uint8_t *)phys_to_virt(pair.frame[page]) + (address - page_address(page));
}

void pair_reset(pte_t page0, pte_t page1)
{
    for (vaddr_t at = page_address(0); at < PAIR_EDGE + PAGE_SIZE; at++) {
        *pair_byte(at) = pair_pattern(at);
    }
    pair_set(0, page0);
    pair_set(1, page1);
}
