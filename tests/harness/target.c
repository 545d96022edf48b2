/*
 * target.c: see target.h.
 */
#include "target.h"

#include "fault/probe.h"
#include "fault/world.h"
#include "paging/phys.h"
#include "paging/tlb.h"
#include "x86/instructions.h"

#define POOL_FRAMES_MAX 4096u
#define WORDS           (PAGE_SIZE / sizeof(uint64_t))

/* Slot 128 with 4 levels; with 5, slot 1 of the PML5 and 128 below it: neither is shared with code.
 */
#define TARGET_BASE_4 UINT64_C(0x0000400000000000)
#define TARGET_BASE_5 UINT64_C(0x0001400000000000)
#define TARGET_PTE    1u /* 4-KiB targets lie in their page table's second page */

struct frame_pool check_frames;

static uint64_t pool_storage[FRAME_POOL_WORDS(POOL_FRAMES_MAX)];
static struct address_space world, twin;
static paddr_t
    tables[LEVELS_MAX]; /* of the target's walk: [level - 1] holds entries of that level */
static paddr_t frames;  /* decoy, target, decoy */

static pte_t pattern(uint64_t word)
{
    return TARGET_WORD ^ (word << 32);
}

enum status target_start(paddr_t base, uint64_t bytes, unsigned levels)
{
    uint64_t count = bytes / PAGE_SIZE;
    enum status status =
        frame_pool_init(&check_frames, "checks", base,
                        count < POOL_FRAMES_MAX ? count : POOL_FRAMES_MAX, pool_storage);

    world = (struct address_space){world_root(), levels, TABLE_FLAGS, &check_frames};
    twin = (struct address_space){twin_root(), levels, TABLE_FLAGS, &check_frames};
    for (unsigned level = 1; level < levels && status == STATUS_OK; level++) {
        status = frame_alloc(&check_frames, &tables[level - 1]);
    }
    if (status == STATUS_OK) {
        status = frame_alloc_run(&check_frames, 3, PAGE_SIZE, &frames);
    }
    if (status != STATUS_OK) {
        return status;
    }
    /* The user page is linked in core's text; physically it lies where core's own mapping says. */
    struct walk walk;
    paging_walk(world_root(), levels, (vaddr_t)probe_user_page, &walk);
    struct address_space *spaces[] = {&world, &twin};
    for (unsigned i = 0; i < ARRAY_COUNT(spaces) && status == STATUS_OK; i++) {
        paging_walk(spaces[i]->root, levels, USER_CODE, &walk);
        if (walk.end == WALK_LEAF) {
            continue; /* a second run in the same world */
        }
        paging_walk(world_root(), levels, (vaddr_t)probe_user_page, &walk);
        status =
            paging_map(spaces[i], USER_CODE, walk.address, PAGE_SIZE, 1, PTE_P | PTE_US | PTE_A);
    }
    return status;
}

void target_build(struct target *target, unsigned leaf)
{
    paddr_t frame = frames + PAGE_SIZE;
    uint64_t inside = frame & (level_span(leaf) - 1);
    vaddr_t base = world.levels == 5 ? TARGET_BASE_5 : TARGET_BASE_4;

    *target = (struct target){
        .levels = world.levels,
        .leaf = leaf,
        .page = base + (leaf == 1 ? TARGET_PTE * PAGE_SIZE : inside),
        .frame = frame,
        .decoys = {frames, frames + 2 * PAGE_SIZE},
    };
    target->address = target->page + TARGET_OFFSET;
    for (unsigned level = leaf; level <= world.levels; level++) {
        bool top = level == world.levels;
        pte_t *table = phys_to_virt(top ? world.root : tables[level - 1]);
        if (!top) {
            for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
                table[i] = 0;
            }
        }
        target->entry[level - 1] = &table[level_index(target->page, level)];
    }
    target->twin_entry = (pte_t *)phys_to_virt(twin.root) + level_index(target->page, world.levels);
    for (unsigned level = leaf; level <= world.levels; level++) {
        pte_t to = level == leaf ? (frame - inside) | (leaf > 1 ? PTE_PS : 0) : tables[level - 2];
        target_set_entry(target, level, to | PTE_P | PTE_RW | PTE_US);
    }
    uint64_t *words = phys_to_virt(frames);
    for (uint64_t i = 0; i < 3 * WORDS; i++) {
        words[i] = pattern(i);
    }
    *target_word(target) = TARGET_WORD;
    tlb_flush_all();
}

void target_set_entry(const struct target *target, unsigned level, pte_t value)
{
    *(volatile pte_t *)target->entry[level - 1] = value;
    if (level == target->levels) {
        *(volatile pte_t *)target->twin_entry = value;
    }
}

pte_t target_entry(const struct target *target, unsigned level, bool in_twin)
{
    const volatile pte_t *entry =
        level == target->levels && in_twin ? target->twin_entry : target->entry[level - 1];

    return *entry;
}

void target_remove(const struct target *target)
{
    target_set_entry(target, target->levels, 0);
    tlb_flush_all();
}

uint64_t *target_word(const struct target *target)
{
    return (uint64_t *)((uint8_t *)phys_to_virt(target->frame) + TARGET_OFFSET);
}

uint64_t target_damage(const struct target *target)
{
    const volatile uint64_t *words = phys_to_virt(target->decoys[0]);
    uint64_t damage = 0;

    for (uint64_t i = 0; i < 3 * WORDS; i++) {
        if (i != WORDS + TARGET_OFFSET / sizeof(uint64_t) && words[i] != pattern(i)) {
            damage++;
        }
    }
    return damage;
}
