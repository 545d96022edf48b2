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
    unsigned long next; /* replaced next */
    unsigned long flushes, dropped;
} cpu;

#define RIGHTS (PTE_RW | PTE_US)

static uint64_t span_mask(unsigned level)
{
    return ((uint64_t)1 << (12 + 9 * (level - 1))) - 1;
}

/* Entries from here on were never filled. */
static unsigned in_use(void)
{
    return cpu.next < CACHED ? (unsigned)cpu.next : CACHED;
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
    for (unsigned i = 0; i < in_use(); i++) {
        const struct cached *entry = &cpu.cache[i];
        if (entry->valid && entry->level < from.level &&
            ((va ^ entry->start) & ~span_mask(entry->level)) == 0) {
            from = *entry;
        }
    }
    return walk_from(from, va, true);
}

/* ---- an access with its rights ------------------------------------------------------------------- */

#define KEY_OF(flags) ((unsigned)((flags) >> 59 & 15))

/* The error code without P, W, U and I of an access that @flags refuse, or -1. */
static int64_t refused(pte_t flags, struct access access)
{
    const unsigned key_bits = access.pkru >> (2 * KEY_OF(flags)) & 3;
    const bool write = access.kind == ACCESS_WRITE, fetch = access.kind == ACCESS_FETCH;
    const bool by_key = !fetch && (flags & PTE_US) && ((key_bits & 1) || (write && (key_bits & 2)));

    if (by_key) {
        return 0x20;
    }
    if ((access.user && !(flags & PTE_US)) || (write && !(flags & PTE_RW)) ||
        (fetch && (flags & PTE_XD)) || (fetch && !access.user && (flags & PTE_US))) {
        return 0;
    }
    return -1;
}

/* Set A in the entries that lead to @va, and D in the leaf for a write. False: not present. */
static bool set_accessed(vaddr_t va, bool write)
{
    struct cached at = top();

    while (!at.leaf) {
        const unsigned level = at.level - 1;
        uint64_t *entry =
            (uint64_t *)phys_to_virt(at.address) + (va >> (12 + 9 * (level - 1)) & 511);
        struct cached below;
        if (!step(&at, va, level, &below)) {
            return false;
        }
        *entry |= PTE_A | (below.leaf && write ? PTE_D : 0);
        at = below;
    }
    return true;
}

/* What is cached of the page of @va. */
static struct cached *cached_leaf(vaddr_t va)
{
    for (unsigned i = 0; i < in_use(); i++) {
        struct cached *entry = &cpu.cache[i];
        if (entry->valid && entry->leaf && ((va ^ entry->start) & ~span_mask(entry->level)) == 0) {
            return entry;
        }
    }
    return NULL;
}

bool tlb_simulated_touch(vaddr_t va, struct access access, paddr_t *address, uint64_t *error)
{
    const bool write = access.kind == ACCESS_WRITE;
    const uint64_t kind =
        (write ? 2u : 0) | (access.user ? 4u : 0) | (access.kind == ACCESS_FETCH ? 0x10u : 0);
    const struct cached *before = cached_leaf(va);
    /* Entries are cached with A and D as they are then: so the first write walks once more. */
    if (!before && tlb_simulated_walk(va).present &&
        refused(tlb_simulated_walk(va).flags, access) < 0) {
        (void)set_accessed(va, write);
    }
    const struct translation seen = tlb_simulated_access(va);
    if (!seen.present) {
        *error = kind;
        return false;
    }
    const int64_t refusal = refused(seen.flags, access);
    if (refusal >= 0) {
        *error = kind | 1 | (uint64_t)refusal;
        return false;
    }
    if (write && !(seen.flags & PTE_D)) {
        struct cached *leaf = cached_leaf(va);
        if (!set_accessed(va, true)) {
            leaf->valid = false;
            *error = kind;
            return false;
        }
        leaf->flags |= PTE_D;
    }
    *address = seen.address;
    return true;
}

struct translation tlb_simulated_walk(vaddr_t va)
{
    return walk_from(top(), va, false);
}

/* Does @entry lead where the tables lead now? Then *@now is what it would be if it were cached now. */
static bool leads_there(const struct cached *entry, struct cached *now)
{
    bool present = true;

    *now = top();
    while (present && !now->leaf && now->level > entry->level) {
        struct cached above = *now;
        present = step(&above, entry->start, above.level - 1, now);
    }
    return present && now->level == entry->level && now->leaf == entry->leaf &&
           now->address == entry->address;
}

unsigned tlb_simulated_stale(void)
{
    unsigned stale = 0;
    for (unsigned i = 0; i < in_use(); i++) {
        const struct cached *entry = &cpu.cache[i];
        struct cached now;
        stale += entry->valid && (!leads_there(entry, &now) || now.flags != entry->flags);
    }
    return stale;
}

unsigned tlb_simulated_harmful(void)
{
    const pte_t granted = PTE_RW | PTE_US | PTE_D | PTE_G;
    unsigned harmful = 0;
    for (unsigned i = 0; i < in_use(); i++) {
        const struct cached *entry = &cpu.cache[i];
        struct cached now;
        harmful +=
            entry->valid && (!leads_there(entry, &now) || (entry->flags & ~now.flags & granted) ||
                             (now.flags & ~entry->flags & PTE_XD) ||
                             ((now.flags ^ entry->flags) & (entry->leaf ? PTE_KEY : 0)));
    }
    return harmful;
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
    for (unsigned i = 0; i < in_use(); i++) {
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
