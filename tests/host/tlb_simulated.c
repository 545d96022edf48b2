/*
 * tlb_simulated.c: the build machine's stand-in for the processor's translation caches, and so for
 * the functions of paging/tlb.h.
 */
#include "tests/host/tlb_simulated.h"

#include "paging/phys.h"

#define CACHED 512u

/* An entry of @level, seen on the way to all addresses of its span. */
struct cached {
    bool valid, leaf;
    unsigned level;
    vaddr_t start;
    paddr_t address; /* of the page, or of the table below */
    pte_t flags;
};

static struct {
    paddr_t root; /* 0: no space is loaded, flushes concern nobody */
    unsigned levels;
    struct cached cache[CACHED];
    unsigned next; /* replaced next */
    unsigned long flushes, dropped;
} cpu;

#define RIGHTS (PTE_RW | PTE_US)

static uint64_t span_mask(unsigned level)
{
    return ((uint64_t)1 << (12 + 9 * (level - 1))) - 1;
}

/* One step: the entry of @va at @level in the table @above leads to. False when not present. */
static bool step(const struct cached *above, vaddr_t va, unsigned level, struct cached *entry)
{
    const uint64_t *table = phys_to_virt(above->address);
    uint64_t value = table[va >> (12 + 9 * (level - 1)) & 511];
    bool leaf = level == 1 || (level <= 3 && (value >> 7 & 1));
    uint64_t address = value & UINT64_C(0x000ffffffffff000);
    pte_t rights = above->flags & value & RIGHTS;
    pte_t never = (above->flags | value) & PTE_XD;
    *entry = (struct cached){
        .valid = true,
        .leaf = leaf,
        .level = level,
        .start = va & ~span_mask(level),
        .address = leaf ? address & ~span_mask(level) : address,
        .flags = leaf ? (value & ~(UINT64_C(0x000ffffffffff000) | RIGHTS | PTE_XD)) | rights | never
                      : rights | never,
    };
    return value & 1;
}

static struct cached top(void)
{
    return (struct cached){.address = cpu.root, .level = cpu.levels + 1, .flags = RIGHTS};
}

static struct translation result(const struct cached *leaf, vaddr_t va)
{
    return (struct translation){.present = true,
                                .address = leaf->address | (va & span_mask(leaf->level)),
                                .flags = leaf->flags};
}

/* Walk down from @from; @keep: cache what is seen. */
static struct translation walk_from(struct cached from, vaddr_t va, bool keep)
{
    while (!from.leaf) {
        struct cached below;
        if (!step(&from, va, from.level - 1, &below)) {
            return (struct translation){0};
        }
        if (keep) {
            cpu.cache[cpu.next++ % CACHED] = below;
        }
        from = below;
    }
    return result(&from, va);
}

struct translation tlb_simulated_access(vaddr_t va)
{
    /* The lowest cached entry for @va, however old, is where the walk begins. */
    struct cached from = top();
    for (unsigned i = 0; i < CACHED; i++) {
        const struct cached *entry = &cpu.cache[i];
        if (entry->valid && entry->level < from.level &&
            ((va ^ entry->start) & ~span_mask(entry->level)) == 0) {
            from = *entry;
        }
    }
    return walk_from(from, va, true);
}

struct translation tlb_simulated_walk(vaddr_t va)
{
    return walk_from(top(), va, false);
}

unsigned tlb_simulated_stale(void)
{
    unsigned stale = 0;
    for (unsigned i = 0; i < CACHED; i++) {
        const struct cached *entry = &cpu.cache[i];
        struct cached now = top();
        bool present = entry->valid;
        while (present && !now.leaf && now.level > entry->level) {
            struct cached above = now;
            present = step(&above, entry->start, above.level - 1, &now);
        }
        stale +=
            entry->valid && (!present || now.level != entry->level || now.leaf != entry->leaf ||
                             now.address != entry->address || now.flags != entry->flags);
    }
    return stale;
}

void tlb_simulated_start(paddr_t root, unsigned levels)
{
    for (unsigned i = 0; i < CACHED; i++) {
        cpu.cache[i].valid = false;
    }
    cpu.root = root;
    cpu.levels = levels;
    cpu.next = 0;
    cpu.flushes = cpu.dropped = 0;
}

unsigned long tlb_simulated_flushes(void)
{
    return cpu.flushes;
}

void tlb_simulated_drop(unsigned long number)
{
    cpu.dropped = number;
}

/* A flush of everything for which @concerned holds. */
static void flush(bool (*concerned)(const struct cached *, vaddr_t), vaddr_t va)
{
    if (++cpu.flushes == cpu.dropped) {
        return;
    }
    for (unsigned i = 0; i < CACHED; i++) {
        if (concerned(&cpu.cache[i], va)) {
            cpu.cache[i].valid = false;
        }
    }
}

static bool is_page_or_upper(const struct cached *entry, vaddr_t va)
{
    return !entry->leaf || ((va ^ entry->start) & ~span_mask(entry->level)) == 0;
}

static bool is_any(const struct cached *entry, vaddr_t va)
{
    (void)entry;
    (void)va;
    return true;
}

static bool is_not_global(const struct cached *entry, vaddr_t va)
{
    (void)va;
    return !entry->leaf || !(entry->flags & PTE_G);
}

void tlb_flush_page(vaddr_t address)
{
    flush(is_page_or_upper, address);
    if (cpu.root) {
        (void)tlb_simulated_access(address);
    }
}

void tlb_flush_all(void)
{
    flush(is_any, 0);
}

void tlb_flush_space(paddr_t root)
{
    if (root == cpu.root) {
        flush(is_not_global, 0);
    }
}

void tlb_load_space(paddr_t root)
{
    for (unsigned i = 0; i < CACHED; i++) {
        cpu.cache[i].valid =
            cpu.cache[i].valid && cpu.cache[i].leaf && (cpu.cache[i].flags & PTE_G);
    }
    cpu.root = root;
}
