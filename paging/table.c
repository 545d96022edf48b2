/*
 * table.c: walk, map, unmap, protect. Floor: paging. SDM vol. 3A sections 4.5 and 4.10.
 *
 * Every change goes twice over its range: first only looking, then doing what can no longer fail.
 * Entries are read and written whole, because the processor's walker reads them at any time and
 * sets A and D in them.
 */
#include "table.h"
#include "phys.h"
#include "tlb.h"
#include "x86/memory.h"

static pte_t load(const pte_t *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* Release: a table is cleared before an entry leads the walker to it. */
static void store(pte_t *at, pte_t entry)
{
    __atomic_store_n(at, entry, __ATOMIC_RELEASE);
}

static bool has_leaf_shape(pte_t entry, unsigned level)
{
    return level == 1 || (level <= LEVEL_LEAF_MAX && (entry & PTE_PS));
}

/*
 * Follow @va from @root down to level @to, or to the leaf or absent entry above it.
 * Out: the level where it ended, @at of all levels from there up; NULL there when its table is
 * out of reach.
 */
static unsigned descend(paddr_t root, unsigned levels, vaddr_t va, unsigned to,
                        pte_t *at[LEVELS_MAX])
{
    paddr_t table = root & PTE_ADDRESS;
    for (unsigned level = levels;; level--) {
        if (!phys_reachable(table, PAGE_SIZE)) {
            at[level - 1] = NULL;
            return level;
        }
        at[level - 1] = (pte_t *)phys_to_virt(table) + level_index(va, level);
        pte_t entry = load(at[level - 1]);
        if (level == to || !(entry & PTE_P) || has_leaf_shape(entry, level)) {
            return level;
        }
        table = entry & PTE_ADDRESS;
    }
}

enum walk_end paging_walk(paddr_t root, unsigned levels, vaddr_t va, struct walk *walk)
{
    *walk = (struct walk){.levels = levels, .end = WALK_NOT_CANONICAL};
    if (!paging_canonical(va, levels)) {
        return walk->end;
    }
    walk->last = descend(root, levels, va, 1, walk->at);
    walk->end = WALK_LEAF;
    walk->rights = PTE_RW | PTE_US;
    for (unsigned level = levels; level >= walk->last; level--) {
        if (!walk->at[level - 1]) {
            return walk->end = WALK_UNREADABLE;
        }
        pte_t entry = walk->entry[level - 1] = load(walk->at[level - 1]);
        if (!(entry & PTE_P)) {
            walk->last = level;
            return walk->end = WALK_NOT_PRESENT;
        }
        walk->rights &= entry | PTE_XD;
        walk->rights |= entry & PTE_XD;
    }
    uint64_t within = level_span(walk->last) - 1;
    walk->address = (walk->entry[walk->last - 1] & PTE_ADDRESS & ~within) | (va & within);
    return walk->end;
}

static enum status check_range(const struct address_space *space, vaddr_t va, uint64_t bytes,
                               uint64_t unit)
{
    if ((va | bytes) & (unit - 1)) {
        return STATUS_UNALIGNED;
    }
    vaddr_t last = va + bytes - 1;
    if (bytes == 0 || last < va || va >> 63 != last >> 63 || !paging_canonical(va, space->levels) ||
        !paging_canonical(last, space->levels)) {
        return STATUS_RANGE;
    }
    return STATUS_OK;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* A cleared table; the caller has made sure that there is a frame. */
static paddr_t new_table(struct frame_pool *tables)
{
    paddr_t frame;
    if (frame_alloc(tables, &frame) != STATUS_OK) {
        __builtin_trap();
    }
    pte_t *entries = phys_to_virt(frame);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        entries[i] = 0;
    }
    return frame;
}

/*
 * Whether the entries of @to for @bytes from @va on can be reached, by making tables where there is
 * nothing, and, with @unused, are all zero.
 */
static enum status check_way(const struct address_space *space, vaddr_t va, uint64_t bytes,
                             unsigned to, bool unused)
{
    const vaddr_t last = va + bytes - 1;
    size_t tables = 0;
    for (vaddr_t first = va;;) {
        pte_t *at[LEVELS_MAX];
        unsigned level = descend(space->root, space->levels, first, to, at);
        if (!at[level - 1]) {
            return STATUS_RANGE;
        }
        pte_t entry = load(at[level - 1]);
        if (level > to && has_leaf_shape(entry, level)) {
            return STATUS_LEAF_SIZE;
        }
        if (entry && (level > to || unused)) {
            return STATUS_EXISTS;
        }
        /* One table for each entry above it that the range touches. */
        const vaddr_t end = first | (level_span(level) - 1);
        const vaddr_t part = end < last ? end : last;
        for (unsigned above = to + 1; above <= level; above++) {
            tables += part / level_span(above) - first / level_span(above) + 1;
        }
        if (part == last) {
            return tables <= space->tables->free ? STATUS_OK : STATUS_NO_FRAMES;
        }
        first = part + 1;
    }
}

/* The entry of @va at level @to; check_way has found the way and the frames for it. */
static pte_t *make_way(struct address_space *space, vaddr_t va, unsigned to)
{
    pte_t *at[LEVELS_MAX];
    unsigned level = descend(space->root, space->levels, va, to, at);
    pte_t *entry = at[level - 1];
    while (level > to) {
        paddr_t table = new_table(space->tables);
        store(entry, table | space->table_flags | PTE_P);
        level--;
        entry = (pte_t *)phys_to_virt(table) + level_index(va, level);
    }
    return entry;
}

enum status paging_space_init(struct address_space *space, unsigned levels,
                              struct frame_pool *tables)
{
    if (levels != 4 && levels != 5) {
        return STATUS_RANGE;
    }
    paddr_t root;
    if (frame_alloc(tables, &root) != STATUS_OK) {
        return STATUS_NO_FRAMES;
    }
    memset(phys_to_virt(root), 0, PAGE_SIZE);
    *space = (struct address_space){
        .root = root, .levels = levels, .table_flags = TABLE_FLAGS, .tables = tables};
    return STATUS_OK;
}

enum status paging_entry(struct address_space *space, vaddr_t va, unsigned level, pte_t **entry)
{
    if (level < 1 || level > space->levels || !paging_canonical(va, space->levels)) {
        return STATUS_RANGE;
    }
    enum status status = check_way(space, va, 1, level, false);
    if (status == STATUS_OK) {
        *entry = make_way(space, va, level);
    }
    return status;
}

enum status paging_map(struct address_space *space, vaddr_t va, paddr_t pa, uint64_t bytes,
                       unsigned leaf_level, pte_t flags)
{
    const paddr_t limit = PTE_ADDRESS + PAGE_SIZE;
    if (leaf_level < 1 || leaf_level > LEVEL_LEAF_MAX) {
        return STATUS_LEAF_SIZE;
    }
    const uint64_t span = level_span(leaf_level);
    const bool large = leaf_level > 1;
    enum status status = check_range(space, va, bytes, span);
    if (status != STATUS_OK) {
        return status;
    }
    if (pa & (span - 1)) {
        return STATUS_UNALIGNED;
    }
    if (large) {
        flags |= PTE_PS;
    }
    if (pa >= limit || bytes > limit - pa || (pa | flags) == 0 ||
        (flags & PTE_ADDRESS & ~(large ? PTE_PAT_LARGE : 0))) {
        return STATUS_RANGE;
    }
    status = check_way(space, va, bytes, leaf_level, true);
    if (status != STATUS_OK) {
        return status;
    }
    for (uint64_t done = 0; done < bytes; done += span) {
        store(make_way(space, va + done, leaf_level), (pa + done) | flags);
    }
    return STATUS_OK;
}

/* From @table, which is of level @from, to the one below; where there is none, to hole. */
#define DESCEND(from)                                                                              \
    do {                                                                                           \
        const pte_t entry = load(&table[level_index(va, from)]);                                   \
        level = (from);                                                                            \
        if (!(entry & PTE_P)) {                                                                    \
            goto hole;                                                                             \
        }                                                                                          \
        table = phys_to_virt_own(entry & PTE_ADDRESS);                                             \
    } while (0)

/*
 * The leaf of @va, or NULL where a table is missing below *@missing. Each level by itself: the shifts are constants
 * then, and this is a part of every fault.
 */
static inline pte_t *find_leaf(const struct address_space *space, vaddr_t va, unsigned *missing)
{
    pte_t *table = phys_to_virt_own(space->root);
    unsigned level;

    if (space->levels == LEVELS_MAX) {
        DESCEND(5);
    }
    DESCEND(4);
    DESCEND(3);
    DESCEND(2);
    return &table[level_index(va, 1)];
hole:
    *missing = level;
    return NULL;
}

pte_t *paging_leaf(const struct address_space *space, vaddr_t va)
{
    unsigned level;

    return find_leaf(space, va, &level);
}

pte_t *paging_leaf_within(const struct address_space *space, vaddr_t va, vaddr_t *end)
{
    unsigned level = 2;
    pte_t *leaf = find_leaf(space, va, &level);

    *end = (va | (level_span(level) - 1)) + 1;
    return leaf;
}

enum status paging_leaf_make(struct address_space *space, vaddr_t va, pte_t **leaf)
{
    pte_t *at[LEVELS_MAX];
    unsigned level = descend(space->root, space->levels, va, 1, at);
    paddr_t frame[LEVELS_MAX];
    unsigned count = 0;

    while (count < level - 1) {
        if (frame_alloc(space->tables, &frame[count]) != STATUS_OK) {
            while (count) {
                (void)!frame_free(space->tables, frame[--count]);
            }
            return STATUS_NO_FRAMES;
        }
        memset(phys_to_virt(frame[count++]), 0, PAGE_SIZE);
    }
    pte_t *entry = at[level - 1];
    while (count) {
        store(entry, frame[--count] | space->table_flags | PTE_P);
        entry = (pte_t *)phys_to_virt(frame[count]) + level_index(va, --level);
    }
    *leaf = entry;
    return STATUS_OK;
}

/* ---- changing and unmaking ------------------------------------------------------------------- */

/* Whether leaves map all of @bytes from @va on, none reaches out, and all may be changed so. */
static enum status check_leaves(const struct address_space *space, vaddr_t va, uint64_t bytes,
                                pte_t set, pte_t clear)
{
    enum status status = check_range(space, va, bytes, PAGE_SIZE);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t span;
    for (uint64_t done = 0; done < bytes; done += span) {
        pte_t *at[LEVELS_MAX];
        unsigned level = descend(space->root, space->levels, va + done, 1, at);
        if (!at[level - 1]) {
            return STATUS_RANGE;
        }
        pte_t entry = load(at[level - 1]);
        if (entry == 0 || !has_leaf_shape(entry, level)) {
            return STATUS_NOT_MAPPED;
        }
        span = level_span(level);
        if (((va + done) & (span - 1)) || span > bytes - done) {
            return STATUS_LEAF_SIZE;
        }
        if (level > 1 && ((set | clear) & PTE_PS)) {
            return STATUS_LEAF_SIZE;
        }
        if (((set | clear) & PTE_ADDRESS & ~(level > 1 ? PTE_PAT_LARGE : 0)) ||
            ((set || clear) && ((entry & ~clear) | set) == 0)) {
            return STATUS_RANGE;
        }
    }
    return STATUS_OK;
}

enum status paging_protect(struct address_space *space, vaddr_t va, uint64_t bytes, pte_t set,
                           pte_t clear)
{
    enum status status = check_leaves(space, va, bytes, set, clear);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t span;
    for (uint64_t done = 0; done < bytes; done += span) {
        pte_t *at[LEVELS_MAX];
        unsigned level = descend(space->root, space->levels, va + done, 1, at);
        span = level_span(level);
        pte_t old = load(at[level - 1]);
        /* Until no A or D bit arrived in between. */
        while (!__atomic_compare_exchange_n(at[level - 1], &old, (old & ~clear) | set, false,
                                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        }
        if ((old & PTE_P) && ((old & ~clear) | set) != old) {
            tlb_flush_page(va + done);
        }
    }
    return STATUS_OK;
}

/*
 * Unlink the tables, from the one that holds @at[@level - 1] upwards, that are empty and ours.
 * Out: their frames in @empty, how many. They may still be cached.
 */
static unsigned unlink_empty(const struct address_space *space, pte_t *const at[LEVELS_MAX],
                             unsigned level, paddr_t empty[LEVELS_MAX])
{
    unsigned count = 0;
    for (; level < space->levels; level++) {
        paddr_t frame = load(at[level]) & PTE_ADDRESS;
        const pte_t *entries = phys_to_virt(frame);
        for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
            if (load(&entries[i])) {
                return count;
            }
        }
        if (!frame_pool_owns(space->tables, frame)) {
            return count;
        }
        store(at[level], 0);
        empty[count++] = frame;
    }
    return count;
}

enum status paging_unmap(struct address_space *space, vaddr_t va, uint64_t bytes)
{
    enum status status = check_leaves(space, va, bytes, 0, 0);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t span;
    for (uint64_t done = 0; done < bytes; done += span) {
        pte_t *at[LEVELS_MAX];
        unsigned level = descend(space->root, space->levels, va + done, 1, at);
        span = level_span(level);
        store(at[level - 1], 0);
        paddr_t empty[LEVELS_MAX];
        unsigned count = 0;
        /* A table can only have become empty with the last leaf of it that this range holds. */
        if (done + span == bytes || level_index(va + done, level) == TABLE_ENTRIES - 1) {
            count = unlink_empty(space, at, level, empty);
        }
        /* Also for P=0: the tables above may be cached. */
        tlb_flush_page(va + done);
        while (count) {
            if (frame_free(space->tables, empty[--count]) != STATUS_OK) {
                __builtin_trap();
            }
        }
    }
    return STATUS_OK;
}

/* What paging_free_tables works with. */
struct freeing {
    struct address_space *space;
    vaddr_t start, last, floor, ceiling_last;
};

/* The tables below @table, which is of @level and serves addresses from @base on. */
static void free_below(const struct freeing *freeing, paddr_t table, unsigned level, vaddr_t base)
{
    const uint64_t span = level_span(level);
    pte_t *entries = phys_to_virt(table);

    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        const vaddr_t first = base + i * span, last = first + span - 1;
        if (last < freeing->start || !(load(&entries[i]) & PTE_P)) {
            continue;
        }
        if (first > freeing->last) {
            break;
        }
        const paddr_t below = load(&entries[i]) & PTE_ADDRESS;
        if (level > 2) {
            free_below(freeing, below, level - 1, first);
        }
        if (first >= freeing->floor && last <= freeing->ceiling_last) {
            store(&entries[i], 0);
            tlb_flush_page(first);
            if (frame_free(freeing->space->tables, below) != STATUS_OK) {
                __builtin_trap();
            }
        }
    }
}

void paging_free_tables(struct address_space *space, vaddr_t start, vaddr_t end, vaddr_t floor,
                        vaddr_t ceiling)
{
    const vaddr_t half_last = BIT(PAGE_SHIFT + 9 * space->levels - 1) - 1;
    const struct freeing freeing = {
        .space = space,
        .start = start,
        .last = end - 1,
        .floor = floor,
        .ceiling_last = ceiling ? ceiling - 1 : half_last,
    };

    if (start < end) {
        free_below(&freeing, space->root, space->levels, 0);
    }
}
