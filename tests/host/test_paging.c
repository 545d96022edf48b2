/*
 * test_paging.c: frame pools and page tables against naive models, with a simulated TLB that
 * notices a forgotten flush.
 */
#include "tests/host/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paging/frames.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "tests/host/tlb_simulated.h"

/* ---- the arena that plays our block --------------------------------------------------------- */

#define ARENA_BASE   UINT64_C(0x0000000abc000000)
#define ARENA_FRAMES 48u
#define ARENA_BYTES  (ARENA_FRAMES * PAGE_SIZE)

static uint8_t *arena;
static struct frame_pool pool;
static uint64_t pool_bits[FRAME_POOL_WORDS(ARENA_FRAMES)];

/* A fresh pool of @frames over the arena, full of rubbish. */
static void arena_start(size_t frames)
{
    memset(arena, 0xa5, ARENA_BYTES);
    phys_set(ARENA_BASE, ARENA_BYTES, (uintptr_t)arena);
    assert_int_equal(frame_pool_init(&pool, "tables", ARENA_BASE, frames, pool_bits), STATUS_OK);
}

static struct address_space space_start(unsigned levels, size_t frames)
{
    struct address_space space;
    arena_start(frames);
    assert_int_equal(paging_space_init(&space, levels, &pool), STATUS_OK);
    tlb_simulated_start(space.root, levels);
    return space;
}

static int arena_setup(void **state)
{
    (void)state;
    arena = aligned_alloc(PAGE_SIZE, ARENA_BYTES);
    return arena == NULL;
}

static int arena_teardown(void **state)
{
    (void)state;
    free(arena);
    return 0;
}

/* xorshift64*: the same numbers in every run. */
static uint64_t random_state;
static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(0x2545f4914f6cdd1d) >> 32) % limit;
}

/* What is left of tables and pool in one piece, to see that a refused call changed nothing. */
struct snapshot {
    uint8_t bytes[ARENA_BYTES];
    struct frame_pool pool;
    uint64_t bits[FRAME_POOL_WORDS(ARENA_FRAMES)];
};
static struct snapshot before;

static void snapshot_take(void)
{
    memcpy(before.bytes, arena, ARENA_BYTES);
    before.pool = pool;
    memcpy(before.bits, pool_bits, sizeof(pool_bits));
}

static void snapshot_compare(void)
{
    assert_memory_equal(before.bytes, arena, ARENA_BYTES);
    assert_memory_equal(&before.pool, &pool, sizeof(pool));
    assert_memory_equal(before.bits, pool_bits, sizeof(pool_bits));
}

/* ---- physical memory ------------------------------------------------------------------------ */

static void block_is_reached_exactly(void **state)
{
    (void)state;
    arena_start(1);
    assert_ptr_equal(phys_to_virt(ARENA_BASE), arena);
    assert_ptr_equal(phys_to_virt(ARENA_BASE + ARENA_BYTES - 1), arena + ARENA_BYTES - 1);
    assert_int_equal(virt_to_phys(arena + 5), ARENA_BASE + 5);
    static const struct {
        paddr_t address;
        uint64_t bytes;
        bool reachable;
    } rows[] = {
        {ARENA_BASE,                   1,               true },
        {ARENA_BASE,                   ARENA_BYTES,     true },
        {ARENA_BASE,                   ARENA_BYTES + 1, false},
        {ARENA_BASE + ARENA_BYTES - 8, 8,               true },
        {ARENA_BASE + ARENA_BYTES - 8, 9,               false},
        {ARENA_BASE + ARENA_BYTES - 8, UINT64_MAX,      false},
        {ARENA_BASE + ARENA_BYTES,     0,               false},
        {ARENA_BASE - 1,               1,               false},
        {ARENA_BASE - 1,               2,               false},
        {0,                            1,               false},
        {UINT64_MAX,                   1,               false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (phys_reachable(rows[i].address, rows[i].bytes) != rows[i].reachable) {
            fail_msg("row %zu", i);
        }
    }
    phys_set(0, UINT64_C(1) << 52, 0);
    assert_int_equal((uintptr_t)phys_to_virt(0x12345000), 0x12345000);
}

/* Where a translation is wrong, the program must not go on. */
static void unreachable_address_stops(void **state)
{
    (void)state;
    arena_start(1);
    for (int way = 0; way < 2; way++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)signal(SIGILL, SIG_DFL); /* cmocka has its own handler */
            volatile uintptr_t sink = way ? (uintptr_t)phys_to_virt(ARENA_BASE + ARENA_BYTES)
                                          : (uintptr_t)virt_to_phys(arena - 1);
            _exit(sink == 0 ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
    }
}

/* ---- frames --------------------------------------------------------------------------------- */

#define POOL_FRAMES 2000u /* not a multiple of a bitmap word */

static void pool_equals_a_plain_list(void **state)
{
    (void)state;
    static uint64_t bits[FRAME_POOL_WORDS(POOL_FRAMES)];
    static bool out[POOL_FRAMES];
    const paddr_t base = 0x7ff000; /* no run of it is aligned by accident */
    struct frame_pool frames;
    memset(bits, 0x5a, sizeof(bits));
    memset(out, 0, sizeof(out));
    assert_int_equal(frame_pool_init(&frames, "test", base, POOL_FRAMES, bits), STATUS_OK);
    assert_string_equal(frames.name, "test");
    random_state = 1;
    unsigned refused = 0, granted = 0;
    for (unsigned round = 0; round < 20000; round++) {
        const uint64_t what = random_below(8);
        /* Long swings, so that the pool is full and empty at times. */
        const bool filling = round / 2500 % 2 == 0;
        if (what < (filling ? 5u : 2u)) {
            const size_t count = what == 0 ? 1 + random_below(40) : 1;
            const uint64_t align = what == 0 ? PAGE_SIZE << random_below(6) : PAGE_SIZE;
            size_t expected = POOL_FRAMES;
            for (size_t first = 0; first + count <= POOL_FRAMES; first++) {
                size_t n = 0;
                while (n < count && !out[first + n]) {
                    n++;
                }
                if (n == count && (base + first * PAGE_SIZE) % align == 0) {
                    expected = first;
                    break;
                }
            }
            paddr_t got = 0;
            enum status status = what == 0 ? frame_alloc_run(&frames, count, align, &got)
                                           : frame_alloc(&frames, &got);
            if (expected == POOL_FRAMES) {
                assert_int_equal(status, STATUS_NO_FRAMES);
                assert_int_equal(got, 0);
                refused++;
                continue;
            }
            assert_int_equal(status, STATUS_OK);
            assert_int_equal(got, base + expected * PAGE_SIZE);
            for (size_t n = 0; n < count; n++) {
                out[expected + n] = true;
            }
            granted++;
        } else {
            const size_t first = random_below(POOL_FRAMES + 2);
            const size_t count = random_below(3) ? 1 : random_below(6);
            enum status expected =
                first >= POOL_FRAMES || first + count > POOL_FRAMES ? STATUS_RANGE : STATUS_OK;
            for (size_t n = 0; expected == STATUS_OK && n < count; n++) {
                expected = out[first + n] ? STATUS_OK : STATUS_FREE;
            }
            const paddr_t address = base + first * PAGE_SIZE;
            assert_int_equal(count == 1 ? frame_free(&frames, address)
                                        : frame_free_run(&frames, address, count),
                             expected);
            for (size_t n = 0; expected == STATUS_OK && n < count; n++) {
                out[first + n] = false;
            }
        }
        size_t left = 0;
        for (size_t n = 0; n < POOL_FRAMES; n++) {
            left += !out[n];
        }
        assert_int_equal(frames.free, left);
    }
    assert_true(refused > 100);
    assert_true(granted > 1000);
}

static void pool_refuses_foreign_and_crooked(void **state)
{
    (void)state;
    uint64_t bits[2];
    struct frame_pool frames;
    paddr_t got;
    assert_int_equal(frame_pool_init(&frames, "", 0x1001, 1, bits), STATUS_UNALIGNED);
    assert_int_equal(frame_pool_init(&frames, "", PTE_ADDRESS, 2, bits), STATUS_RANGE);
    assert_int_equal(frame_pool_init(&frames, "", PTE_ADDRESS + 2 * PAGE_SIZE, 0, bits),
                     STATUS_RANGE);
    assert_int_equal(frame_pool_init(&frames, "", PTE_ADDRESS, 1, bits), STATUS_OK);
    assert_int_equal(frame_alloc(&frames, &got), STATUS_OK);
    assert_int_equal(got, PTE_ADDRESS);

    assert_int_equal(frame_pool_init(&frames, "", 0, 0, bits), STATUS_OK);
    assert_int_equal(frame_alloc(&frames, &got), STATUS_NO_FRAMES);
    assert_int_equal(frame_alloc_run(&frames, 1, PAGE_SIZE, &got), STATUS_NO_FRAMES);

    assert_int_equal(frame_pool_init(&frames, "", 0x10000, 64, bits), STATUS_OK);
    assert_int_equal(frame_alloc_run(&frames, 64, PAGE_SIZE, &got), STATUS_OK);
    assert_int_equal(frames.free, 0);
    assert_int_equal(frame_alloc_run(&frames, 0, PAGE_SIZE, &got), STATUS_RANGE);
    assert_int_equal(frame_alloc_run(&frames, 1, 0, &got), STATUS_UNALIGNED);
    assert_int_equal(frame_alloc_run(&frames, 1, 2048, &got), STATUS_UNALIGNED);
    assert_int_equal(frame_alloc_run(&frames, 1, 3 * PAGE_SIZE, &got), STATUS_UNALIGNED);
    assert_int_equal(frame_free(&frames, 0xf000), STATUS_RANGE);
    assert_int_equal(frame_free(&frames, 0x10000 + 64 * PAGE_SIZE), STATUS_RANGE);
    assert_int_equal(frame_free(&frames, 0x10800), STATUS_UNALIGNED);
    assert_int_equal(frame_free_run(&frames, 0x11000, 64), STATUS_RANGE);
    assert_int_equal(frame_free_run(&frames, 0x11000, SIZE_MAX), STATUS_RANGE);
    assert_int_equal(frame_free(&frames, 0x10000), STATUS_OK);
    assert_int_equal(frame_free(&frames, 0x10000), STATUS_FREE);
    /* One free frame in a run: none of the run is given back. */
    assert_int_equal(frame_free_run(&frames, 0x10000, 64), STATUS_FREE);
    assert_int_equal(frames.free, 1);
    assert_int_equal(frame_alloc_run(&frames, 1, BIT(63), &got), STATUS_NO_FRAMES);
}

static void pool_finds_2m_runs(void **state)
{
    (void)state;
    static uint64_t bits[FRAME_POOL_WORDS(1536)];
    struct frame_pool frames;
    paddr_t got;
    /* 6 MiB from 1 MiB on hold the aligned runs at 2 and 4 MiB. */
    assert_int_equal(frame_pool_init(&frames, "", 0x100000, 1536, bits), STATUS_OK);
    for (paddr_t expected = 0x200000; expected <= 0x400000; expected += PAGE_SIZE_2M) {
        assert_int_equal(frame_alloc_run(&frames, 512, PAGE_SIZE_2M, &got), STATUS_OK);
        assert_int_equal(got, expected);
    }
    assert_int_equal(frame_alloc_run(&frames, 512, PAGE_SIZE_2M, &got), STATUS_NO_FRAMES);
    assert_int_equal(frames.free, 512);
    assert_int_equal(frame_alloc(&frames, &got), STATUS_OK);
    assert_int_equal(got, 0x100000);
    assert_int_equal(frame_free_run(&frames, 0x200000, 512), STATUS_OK);
    assert_int_equal(frame_alloc_run(&frames, 512, PAGE_SIZE_2M, &got), STATUS_OK);
    assert_int_equal(got, 0x200000);
}

/* ---- page tables against a list of leaves --------------------------------------------------- */

#define MODEL_MAX 160u

static struct model {
    struct leaf {
        vaddr_t va;
        unsigned level;
        pte_t entry;
    } leaf[MODEL_MAX];
    unsigned count;
} model;

static uint64_t bytes_of(unsigned level)
{
    static const uint64_t bytes[] = {0, 0x1000, 0x200000, 0x40000000};
    return bytes[level];
}

static struct leaf *model_find(vaddr_t va)
{
    for (unsigned i = 0; i < model.count; i++) {
        if (va - model.leaf[i].va < bytes_of(model.leaf[i].level)) {
            return &model.leaf[i];
        }
    }
    return NULL;
}

/* Tables below the root that these leaves need: each distinct piece of address at each level. */
static size_t model_tables(unsigned levels)
{
    static struct {
        uint64_t piece;
        unsigned level;
    } seen[MODEL_MAX * 4];
    size_t count = 0;
    for (unsigned i = 0; i < model.count; i++) {
        for (unsigned level = model.leaf[i].level; level < levels; level++) {
            uint64_t piece = model.leaf[i].va >> (12 + 9 * level);
            size_t n = count;
            while (n && (seen[n - 1].piece != piece || seen[n - 1].level != level)) {
                n--;
            }
            if (n == 0) {
                seen[count].piece = piece;
                seen[count++].level = level;
            }
        }
    }
    return count;
}

static bool model_range_is_canonical(vaddr_t va, uint64_t bytes, unsigned levels)
{
    const int64_t limit = (int64_t)1 << (levels == 4 ? 47 : 56);
    const vaddr_t last = va + bytes - 1;
    const bool low = va < (uint64_t)limit && last < (uint64_t)limit && va <= last;
    const bool high = va >= (uint64_t)-limit && last >= (uint64_t)-limit && va <= last;
    return low || high;
}

/* Map in the model; what paging_map has to say. */
static enum status model_map(unsigned levels, vaddr_t va, paddr_t pa, uint64_t bytes,
                             unsigned level, pte_t flags)
{
    const uint64_t step = bytes_of(level);
    if (!model_range_is_canonical(va, bytes, levels)) {
        return STATUS_RANGE;
    }
    for (uint64_t done = 0; done < bytes; done += step) {
        for (unsigned i = 0; i < model.count; i++) {
            const struct leaf *leaf = &model.leaf[i];
            const vaddr_t a = leaf->va, b = leaf->va + (bytes_of(leaf->level) - 1);
            if (a <= va + done + (step - 1) && va + done <= b) {
                return leaf->level > level ? STATUS_LEAF_SIZE : STATUS_EXISTS;
            }
        }
    }
    const unsigned count = model.count;
    for (uint64_t done = 0; done < bytes; done += step) {
        assert_true(model.count < MODEL_MAX);
        model.leaf[model.count++] =
            (struct leaf){va + done, level, (pa + done) | flags | (level > 1 ? 0x80 : 0)};
    }
    if (model_tables(levels) + 1 > pool.frames) {
        model.count = count;
        return STATUS_NO_FRAMES;
    }
    return STATUS_OK;
}

/* Change (or with @unmap remove) in the model; what paging_protect or paging_unmap has to say. */
static enum status model_change(unsigned levels, vaddr_t va, uint64_t bytes, bool unmap, pte_t set,
                                pte_t clear)
{
    if (!model_range_is_canonical(va, bytes, levels)) {
        return STATUS_RANGE;
    }
    for (int doing = 0; doing < 2; doing++) {
        for (uint64_t done = 0; done < bytes;) {
            struct leaf *leaf = model_find(va + done);
            if (!leaf) {
                return STATUS_NOT_MAPPED;
            }
            const uint64_t size = bytes_of(leaf->level);
            if (leaf->va != va + done || size > bytes - done) {
                return STATUS_LEAF_SIZE;
            }
            done += size;
            if (doing && unmap) {
                *leaf = model.leaf[--model.count];
            } else if (doing) {
                leaf->entry = (leaf->entry & ~clear) | set;
            }
        }
    }
    return STATUS_OK;
}

static struct translation model_translate(vaddr_t va)
{
    const struct leaf *leaf = model_find(va);
    if (!leaf || !(leaf->entry & 1)) {
        return (struct translation){0};
    }
    const uint64_t mask = bytes_of(leaf->level) - 1;
    const uint64_t address = leaf->entry & UINT64_C(0x000ffffffffff000) & ~mask;
    return (struct translation){.present = true,
                                .address = address | (va & mask),
                                .flags = leaf->entry & ~UINT64_C(0x000ffffffffff000)};
}

static void assert_same(struct translation a, struct translation b, vaddr_t va, const char *what)
{
    if (a.present != b.present || a.address != b.address || a.flags != b.flags) {
        fail_msg("%s at %#lx: %d %#lx %#lx, %d %#lx %#lx", what, va, a.present, a.address, a.flags,
                 b.present, b.address, b.flags);
    }
}

/* All ways of translating @va agree: model, tables, TLB and paging_walk. */
static void assert_translates(const struct address_space *space, vaddr_t va)
{
    const struct translation expected = model_translate(va);
    struct walk walk;
    if (!model_range_is_canonical(va, 1, space->levels)) {
        assert_int_equal(paging_walk(space->root, space->levels, va, &walk), WALK_NOT_CANONICAL);
        return;
    }
    assert_same(expected, tlb_simulated_walk(va), va, "tables");
    assert_same(expected, tlb_simulated_access(va), va, "TLB");
    struct translation got = {0};
    if (paging_walk(space->root, space->levels, va, &walk) == WALK_LEAF) {
        const pte_t combined = PTE_RW | PTE_US | PTE_XD;
        const pte_t leaf = walk.entry[walk.last - 1];
        got = (struct translation){.present = true,
                                   .address = walk.address,
                                   .flags = (leaf & ~PTE_ADDRESS & ~combined) | walk.rights};
    }
    assert_same(expected, got, va, "paging_walk");
}

/* Leaves reachable from @table, of whatever address. The depth is that of the tables. */
static unsigned count_leaves(const uint64_t *table, unsigned level)
{
    unsigned count = 0;
    for (unsigned i = 0; i < 512; i++) {
        if (table[i] == 0) {
            continue;
        }
        if (level == 1 || (level <= 3 && (table[i] & 0x80))) {
            count++;
        } else {
            count += count_leaves(phys_to_virt(table[i] & PTE_ADDRESS), level - 1);
        }
    }
    return count;
}

/* A leaf address where neighbours, table borders and other sizes are likely to be met. */
static vaddr_t random_address(unsigned levels, unsigned level)
{
    static const unsigned hot[] = {0, 1, 2, 255, 510, 511};
    const vaddr_t low_end = (vaddr_t)1 << (levels == 4 ? 47 : 56);
    const vaddr_t window[] = {0, low_end - (1u << 31), -low_end, -(vaddr_t)(1u << 31)};
    vaddr_t va = window[random_below(4)] + (random_below(2) << 30);
    va += level < 3 ? (vaddr_t)hot[random_below(6)] << 21 : 0;
    va += level < 2 ? (vaddr_t)hot[random_below(6)] << 12 : 0;
    return va;
}

static pte_t random_flags(void)
{
    static const pte_t bits[] = {PTE_RW, PTE_US,  PTE_XD, PTE_A,   PTE_D,
                                 PTE_G,  PTE_PCD, BIT(9), BIT(52), BIT(59)};
    pte_t flags = random_below(16) ? PTE_P : BIT(10);
    for (size_t i = 0; i < ARRAY_COUNT(bits); i++) {
        flags |= random_below(2) ? bits[i] : 0;
    }
    return flags;
}

static void random_operations(unsigned levels, size_t frames, unsigned rounds)
{
    struct address_space space = space_start(levels, frames);
    unsigned seen[3][STATUS_FREE + 1] = {0};
    vaddr_t mapped_va = 0;
    uint64_t mapped_bytes = PAGE_SIZE;
    model.count = 0;
    random_state = levels * 1000 + frames;
    for (unsigned round = 0; round < rounds; round++) {
        const unsigned level = random_below(8) < 5 ? 1 : random_below(3) ? 2 : 3;
        uint64_t bytes = bytes_of(level) * (1 + random_below(random_below(2) ? 1 : 5));
        vaddr_t va = random_address(levels, level);
        const pte_t flags = random_flags(), clear = random_flags();
        const paddr_t pa = (bytes_of(level) * (1 + random_below(0x1000))) | BIT(51);
        /* Long swings between many leaves and few. */
        const uint64_t maps = model.count > MODEL_MAX - 8 ? 0 : round / 400 % 2 ? 2 : 5;
        const unsigned what = random_below(8) < maps ? 0 : 1 + (unsigned)random_below(2);
        /* Now and then change exactly what was mapped together. */
        if (what != 0 && random_below(3) == 0) {
            va = mapped_va;
            bytes = mapped_bytes;
        }
        /* A refused call shall leave every byte as it was; a granted one the rest. */
        enum status expected, got = STATUS_OK;
        snapshot_take();
        switch (what) {
        case 0:
            expected = model_map(levels, va, pa, bytes, level, flags);
            got = paging_map(&space, va, pa, bytes, level, flags);
            mapped_va = va;
            mapped_bytes = bytes;
            break;
        case 1:
            expected = model_change(levels, va, bytes, true, 0, 0);
            got = paging_unmap(&space, va, bytes);
            break;
        default:
            expected = model_change(levels, va, bytes, false, flags, clear);
            got = paging_protect(&space, va, bytes, flags, clear);
            break;
        }
        seen[what][got]++;
        if (got != expected) {
            fail_msg("round %u: operation %u at %#lx, %#lx bytes, level %u: status %d, not %d",
                     round, what, va, bytes, level, got, expected);
        }
        if (got != STATUS_OK) {
            snapshot_compare();
        }
        /* Exactly the tables that the leaves need, nothing leaked, nothing stale. */
        assert_int_equal(pool.frames - pool.free, 1 + model_tables(levels));
        if (tlb_simulated_stale()) {
            fail_msg("round %u: operation %u at %#lx left stale translations", round, what, va);
        }
        assert_translates(&space, va);
        assert_translates(&space, va + bytes - 1 - random_below(bytes));
        for (unsigned i = 0; i < 4; i++) {
            assert_translates(&space, random_address(levels, 1) + random_below(PAGE_SIZE));
        }
        if (round % 64 == 0) {
            for (unsigned i = 0; i < model.count; i++) {
                assert_translates(&space, model.leaf[i].va);
            }
            assert_int_equal(count_leaves(phys_to_virt(space.root), levels), model.count);
        }
    }
    /* The run was worth something: each operation did well and badly. */
    for (unsigned what = 0; what < 3; what++) {
        assert_true(seen[what][STATUS_OK] > rounds / 100);
        assert_true(seen[what][STATUS_RANGE] > 10);
        assert_true(seen[what][STATUS_LEAF_SIZE] > 10);
    }
    assert_true(seen[0][STATUS_EXISTS] > 10);
    assert_true(seen[0][STATUS_NO_FRAMES] > 10 || frames == ARENA_FRAMES);
    assert_true(seen[1][STATUS_NOT_MAPPED] > 10);
    assert_true(tlb_simulated_flushes() > rounds / 100);
    while (model.count) {
        const struct leaf leaf = model.leaf[0];
        assert_int_equal(model_change(levels, leaf.va, bytes_of(leaf.level), true, 0, 0),
                         STATUS_OK);
        assert_int_equal(paging_unmap(&space, leaf.va, bytes_of(leaf.level)), STATUS_OK);
    }
    assert_int_equal(pool.free, pool.frames - 1);
    assert_int_equal(tlb_simulated_stale(), 0);
}

static void random_operations_equal_model_4_levels(void **state)
{
    (void)state;
    random_operations(4, ARENA_FRAMES, 12000);
}

static void random_operations_equal_model_5_levels(void **state)
{
    (void)state;
    random_operations(5, ARENA_FRAMES, 12000);
}

static void random_operations_equal_model_few_frames(void **state)
{
    (void)state;
    random_operations(4, 14, 6000);
    random_operations(5, 18, 6000);
}

/* ---- each flush counts ---------------------------------------------------------------------- */

/*
 * Operations that all need their flushes, on pages that were just used.
 * Out: after how many of them something stale was cached.
 */
static unsigned flushing_operations(struct address_space *space)
{
    const pte_t flags = PTE_P | PTE_RW | PTE_US;
    const uint64_t k = PAGE_SIZE, m = PAGE_SIZE_2M, g = PAGE_SIZE_1G;
    const struct {
        vaddr_t va;
        uint64_t bytes;
        pte_t set, clear;
        bool unmap;
    } rows[] = {
        {m - 2 * k, 2 * k, 0,      PTE_RW, false},
        {m,         k,     PTE_XD, 0,      false},
        {2 * m,     m,     0,      PTE_P,  false},
        {g,         g,     0,      PTE_US, false},
        {m - 2 * k, 4 * k, 0,      0,      true },
        {g,         g,     0,      0,      true },
    };
    assert_int_equal(paging_map(space, m - 2 * k, 5 * k, 4 * k, 1, flags), STATUS_OK);
    assert_int_equal(paging_map(space, 2 * m, m, m, 2, flags), STATUS_OK);
    assert_int_equal(paging_map(space, g, g, g, 3, flags | PTE_G), STATUS_OK);
    for (vaddr_t va = m - 2 * k; va < m + 2 * k; va += k) {
        (void)tlb_simulated_access(va);
    }
    (void)tlb_simulated_access(2 * m + 0x12345);
    (void)tlb_simulated_access(g + 0x123456);
    unsigned stale = 0;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        enum status status = rows[i].unmap ? paging_unmap(space, rows[i].va, rows[i].bytes)
                                           : paging_protect(space, rows[i].va, rows[i].bytes,
                                                            rows[i].set, rows[i].clear);
        assert_int_equal(status, STATUS_OK);
        stale += tlb_simulated_stale() != 0;
    }
    return stale;
}

static void every_flush_is_needed(void **state)
{
    (void)state;
    struct address_space space = space_start(4, ARENA_FRAMES);
    assert_int_equal(flushing_operations(&space), 0);
    const unsigned long flushes = tlb_simulated_flushes();
    assert_int_equal(flushes, 2 + 1 + 1 + 1 + 4 + 1);
    for (unsigned long n = 1; n <= flushes; n++) {
        space = space_start(4, ARENA_FRAMES);
        tlb_simulated_drop(n);
        if (flushing_operations(&space) == 0) {
            fail_msg("nobody missed flush %lu", n);
        }
    }
}

/* Each change, at each level: an access goes wrong without its flush, and only then. */
static void dropped_flush_is_noticed(void **state)
{
    (void)state;
    static const struct {
        pte_t set, clear;
        bool unmap;
    } changes[] = {
        {0,      PTE_RW, false},
        {0,      PTE_US, false},
        {0,      PTE_P,  false},
        {0,      PTE_D,  false},
        {PTE_XD, 0,      false},
        {0,      0,      true },
    };
    for (unsigned levels = 4; levels <= 5; levels++) {
        for (unsigned level = 1; level <= 3; level++) {
            for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
                for (unsigned drop = 0; drop < 2; drop++) {
                    struct address_space space = space_start(levels, ARENA_FRAMES);
                    const vaddr_t va = 7 * PAGE_SIZE_1G;
                    const uint64_t bytes = level_span(level);
                    assert_int_equal(paging_map(&space, va, PAGE_SIZE_1G, bytes, level,
                                                PTE_P | PTE_RW | PTE_US | PTE_D),
                                     STATUS_OK);
                    assert_true(tlb_simulated_access(va + bytes - 1).present);
                    assert_int_equal(tlb_simulated_stale(), 0);
                    tlb_simulated_drop(drop);
                    assert_int_equal(
                        changes[i].unmap
                            ? paging_unmap(&space, va, bytes)
                            : paging_protect(&space, va, bytes, changes[i].set, changes[i].clear),
                        STATUS_OK);
                    assert_int_equal(tlb_simulated_stale() != 0, drop);
                    const struct translation cached = tlb_simulated_access(va),
                                             real = tlb_simulated_walk(va);
                    assert_int_equal(cached.present != real.present || cached.flags != real.flags,
                                     drop);
                }
            }
        }
    }
}

/* The stand-in itself: what each kind of flush drops. */
static void flush_kinds_differ(void **state)
{
    (void)state;
    struct address_space space = space_start(4, ARENA_FRAMES);
    const vaddr_t plain = 0x1000, global = 0x2000;
    assert_int_equal(paging_map(&space, plain, 0x1000, PAGE_SIZE, 1, PTE_P), STATUS_OK);
    assert_int_equal(paging_map(&space, global, 0x2000, PAGE_SIZE, 1, PTE_P | PTE_G), STATUS_OK);
    for (int kind = 0; kind < 4; kind++) {
        pte_t *entry[2];
        assert_int_equal(paging_entry(&space, plain, 1, &entry[0]), STATUS_OK);
        assert_int_equal(paging_entry(&space, global, 1, &entry[1]), STATUS_OK);
        (void)tlb_simulated_access(plain);
        (void)tlb_simulated_access(global);
        *entry[0] ^= PTE_RW;
        *entry[1] ^= PTE_RW;
        assert_int_equal(tlb_simulated_stale(), 2);
        switch (kind) {
        case 0:
            tlb_flush_page(global + 5);
            assert_int_equal(tlb_simulated_stale(), 1);
            break;
        case 1:
            tlb_flush_space(space.root + PAGE_SIZE);
            assert_int_equal(tlb_simulated_stale(), 2);
            break;
        case 2:
            tlb_flush_space(space.root);
            assert_int_equal(tlb_simulated_stale(), 1);
            break;
        default:
            break;
        }
        tlb_flush_all();
        assert_int_equal(tlb_simulated_stale(), 0);
    }
}

/* ---- edges, one by one ---------------------------------------------------------------------- */

static void arguments_are_judged_by_name(void **state)
{
    (void)state;
    const uint64_t k = PAGE_SIZE, m = PAGE_SIZE_2M, g = PAGE_SIZE_1G, end = BIT(52);
    const vaddr_t hole4 = BIT(47), hole5 = BIT(56);
    const struct {
        unsigned levels;
        vaddr_t va;
        paddr_t pa;
        uint64_t bytes;
        unsigned level;
        pte_t flags;
        enum status expected;
    } rows[] = {
        {4, k,          k,           k,                 0, PTE_P,                              STATUS_LEAF_SIZE},
        {4, k,          k,           k,                 4, PTE_P,                              STATUS_LEAF_SIZE},
        {4, k + 1,      k,           k,                 1, PTE_P,                              STATUS_UNALIGNED},
        {4, k,          k + 8,       k,                 1, PTE_P,                              STATUS_UNALIGNED},
        {4, k,          k,           k + 1,             1, PTE_P,                              STATUS_UNALIGNED},
        {4, m,          k,           m,                 2, PTE_P,                              STATUS_UNALIGNED},
        {4, k,          m,           m,                 2, PTE_P,                              STATUS_UNALIGNED},
        {4, m,          m,           k,                 2, PTE_P,                              STATUS_UNALIGNED},
        {4, m,          m,           g,                 3, PTE_P,                              STATUS_UNALIGNED},
        {4, g,          m,           g,                 3, PTE_P,                              STATUS_UNALIGNED},
        {4, k,          k,           0,                 1, PTE_P,                              STATUS_RANGE    },
        {4, hole4 - k,  k,           k,                 1, PTE_P,                              STATUS_OK       },
        {4, hole4 - k,  k,           2 * k,             1, PTE_P,                              STATUS_RANGE    },
        {4, hole4,      k,           k,                 1, PTE_P,                              STATUS_RANGE    },
        {4, -hole4 - k, k,           k,                 1, PTE_P,                              STATUS_RANGE    },
        {4, -hole4,     k,           k,                 1, PTE_P,                              STATUS_OK       },
        {4, -k,         k,           k,                 1, PTE_P,                              STATUS_OK       },
        {4, -k,         k,           2 * k,             1, PTE_P,                              STATUS_RANGE    },
        {4, -k,         k,           -(uint64_t)k,      1, PTE_P,                              STATUS_RANGE    },
        {4, hole4 - k,  k,           2 * k - 2 * hole4, 1, PTE_P,                              STATUS_RANGE    },
        {5, hole4,      k,           k,                 1, PTE_P,                              STATUS_OK       },
        {5, hole5 - k,  k,           k,                 1, PTE_P,                              STATUS_OK       },
        {5, hole5 - k,  k,           2 * k,             1, PTE_P,                              STATUS_RANGE    },
        {5, hole5,      k,           k,                 1, PTE_P,                              STATUS_RANGE    },
        {5, -hole5,     k,           k,                 1, PTE_P,                              STATUS_OK       },
        {5, -hole5 - k, k,           k,                 1, PTE_P,                              STATUS_RANGE    },
        {4, k,          end - k,     k,                 1, PTE_P,                              STATUS_OK       },
        {4, k,          end - k,     2 * k,             1, PTE_P,                              STATUS_RANGE    },
        {4, k,          end,         k,                 1, PTE_P,                              STATUS_RANGE    },
        {4, k,          -(paddr_t)k, 2 * k,             1, PTE_P,                              STATUS_RANGE    },
        {4, k,          k,           k,                 1, PTE_P | BIT(12),                    STATUS_RANGE    },
        {4, k,          k,           k,                 1, PTE_P | BIT(51),                    STATUS_RANGE    },
        {4, k,          k,           k,                 1, PTE_P | PTE_PAT | PTE_XD | BIT(52), STATUS_OK       },
        {4, m,          m,           m,                 2, PTE_P | PTE_PAT_LARGE,              STATUS_OK       },
        {4, m,          m,           m,                 2, PTE_P | BIT(13),                    STATUS_RANGE    },
        {4, 0,          0,           k,                 1, 0,                                  STATUS_RANGE    },
        {4, 0,          0,           m,                 2, 0,                                  STATUS_OK       },
        {4, 0,          k,           k,                 1, 0,                                  STATUS_OK       },
        {4, 0,          0,           BIT(47),           1, PTE_P,                              STATUS_NO_FRAMES},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct address_space space = space_start(rows[i].levels, ARENA_FRAMES);
        snapshot_take();
        enum status status =
            paging_map(&space, rows[i].va, rows[i].pa, rows[i].bytes, rows[i].level, rows[i].flags);
        if (status != rows[i].expected) {
            fail_msg("row %zu: status %d, not %d", i, status, rows[i].expected);
        }
        if (status != STATUS_OK) {
            snapshot_compare();
        } else {
            pte_t *entry;
            assert_int_equal(paging_entry(&space, rows[i].va, rows[i].level, &entry), STATUS_OK);
            assert_int_equal(*entry, rows[i].pa | rows[i].flags | (rows[i].level > 1 ? PTE_PS : 0));
            assert_int_equal(paging_unmap(&space, rows[i].va, rows[i].bytes), STATUS_OK);
            assert_int_equal(pool.free, pool.frames - 1);
        }
    }
    struct address_space space;
    arena_start(1);
    assert_int_equal(paging_space_init(&space, 3, &pool), STATUS_RANGE);
    assert_int_equal(paging_space_init(&space, 6, &pool), STATUS_RANGE);
    assert_int_equal(paging_space_init(&space, 5, &pool), STATUS_OK);
    assert_int_equal(paging_space_init(&space, 5, &pool), STATUS_NO_FRAMES);
}

static void changes_are_judged_by_name(void **state)
{
    (void)state;
    struct address_space space = space_start(4, ARENA_FRAMES);
    const uint64_t k = PAGE_SIZE, m = PAGE_SIZE_2M;
    assert_int_equal(paging_map(&space, 0, 0, k, 1, PTE_P), STATUS_OK);
    assert_int_equal(paging_map(&space, m, m, 2 * m, 2, PTE_P), STATUS_OK);
    const vaddr_t hole = BIT(47);
    const struct {
        vaddr_t va;
        uint64_t bytes;
        pte_t set, clear;
        enum status expected;
    } rows[] = {
        {0,        0,                0,       0,       STATUS_RANGE     },
        {1,        k,                0,       0,       STATUS_UNALIGNED },
        {0,        k - 1,            0,       0,       STATUS_UNALIGNED },
        {0,        2 * k,            PTE_RW,  0,       STATUS_NOT_MAPPED},
        {k,        k,                PTE_RW,  0,       STATUS_NOT_MAPPED},
        {3 * m,    k,                PTE_RW,  0,       STATUS_NOT_MAPPED},
        {BIT(40),  k,                PTE_RW,  0,       STATUS_NOT_MAPPED},
        {BIT(47),  k,                PTE_RW,  0,       STATUS_RANGE     },
        {m,        k,                PTE_RW,  0,       STATUS_LEAF_SIZE },
        {m + k,    k,                PTE_RW,  0,       STATUS_LEAF_SIZE },
        {m + k,    m - k,            PTE_RW,  0,       STATUS_LEAF_SIZE },
        {0,        k,                BIT(12), 0,       STATUS_RANGE     },
        {0,        k,                0,       BIT(51), STATUS_RANGE     },
        {0,        k,                0,       PTE_P,   STATUS_RANGE     }, /* zero is "unused" */
        {m,        m,                PTE_PS,  0,       STATUS_LEAF_SIZE },
        {m,        m,                0,       PTE_PS,  STATUS_LEAF_SIZE },
        {m,        m,                BIT(13), 0,       STATUS_RANGE     },
        {m + k,    m,                PTE_RW,  0,       STATUS_LEAF_SIZE },
        {2 * k,    -k,               PTE_RW,  0,       STATUS_RANGE     }, /* wraps: ends below its start */
        {hole - k, 2 * k,            PTE_RW,  0,       STATUS_RANGE     },
        {hole - k, 2 * k - 2 * hole, PTE_RW,  0,       STATUS_RANGE     }, /* both ends are canonical */
    };
    snapshot_take();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        enum status status =
            paging_protect(&space, rows[i].va, rows[i].bytes, rows[i].set, rows[i].clear);
        if (status != rows[i].expected) {
            fail_msg("row %zu: status %d, not %d", i, status, rows[i].expected);
        }
        snapshot_compare();
    }
    assert_int_equal(tlb_simulated_flushes(), 0);
    assert_int_equal(paging_protect(&space, m, m, PTE_PAT_LARGE, 0), STATUS_OK);
    assert_int_equal(paging_protect(&space, 0, k, PTE_PAT, 0), STATUS_OK);
    assert_int_equal(tlb_simulated_flushes(), 2);
    /* What changes nothing flushes nothing. */
    assert_int_equal(paging_protect(&space, 0, k, PTE_PAT, PTE_PAT), STATUS_OK);
    assert_int_equal(tlb_simulated_flushes(), 2);
}

static void frames_running_out_change_nothing(void **state)
{
    (void)state;
    /* Four 4-KiB pages across a 1-GiB border: two page tables, two directories, one PDPT (and
     * with 5 levels one PML4), and the root. */
    for (unsigned levels = 4; levels <= 5; levels++) {
        const size_t needed = levels + 2;
        for (size_t frames = 1; frames <= needed; frames++) {
            struct address_space space = space_start(levels, frames);
            const vaddr_t va = PAGE_SIZE_1G - 2 * PAGE_SIZE;
            snapshot_take();
            enum status status = paging_map(&space, va, 0x5000, 4 * PAGE_SIZE, 1, PTE_P);
            if (frames < needed) {
                assert_int_equal(status, STATUS_NO_FRAMES);
                snapshot_compare();
                pte_t *entry = NULL;
                status = paging_entry(&space, va, 1, &entry);
                assert_int_equal(status, frames < levels ? STATUS_NO_FRAMES : STATUS_OK);
                assert_int_equal(entry != NULL, status == STATUS_OK);
            } else {
                assert_int_equal(status, STATUS_OK);
                assert_int_equal(pool.free, 0);
            }
        }
    }
}

static void entries_in_the_way_are_named(void **state)
{
    (void)state;
    struct address_space space = space_start(5, ARENA_FRAMES);
    pte_t *entry, *upper;
    assert_int_equal(paging_map(&space, 0, PAGE_SIZE_1G, PAGE_SIZE_1G, 3, PTE_P), STATUS_OK);
    assert_int_equal(paging_map(&space, PAGE_SIZE_1G, PAGE_SIZE_2M, PAGE_SIZE_2M, 2, PTE_P),
                     STATUS_OK);
    snapshot_take();
    assert_int_equal(paging_map(&space, 0x1000, 0, PAGE_SIZE, 1, PTE_P), STATUS_LEAF_SIZE);
    assert_int_equal(paging_map(&space, 0, 0, PAGE_SIZE_2M, 2, PTE_P), STATUS_LEAF_SIZE);
    assert_int_equal(paging_map(&space, 0, 0, PAGE_SIZE_1G, 3, PTE_P), STATUS_EXISTS);
    assert_int_equal(paging_map(&space, PAGE_SIZE_1G, 0, PAGE_SIZE_1G, 3, PTE_P), STATUS_EXISTS);
    assert_int_equal(paging_entry(&space, 0x1000, 1, &entry), STATUS_LEAF_SIZE);
    assert_int_equal(paging_entry(&space, 0x1000, 0, &entry), STATUS_RANGE);
    assert_int_equal(paging_entry(&space, 0x1000, 6, &entry), STATUS_RANGE);
    assert_int_equal(paging_entry(&space, BIT(56), 1, &entry), STATUS_RANGE);
    snapshot_compare();
    /* A table made absent is not used, and not lost either. */
    assert_int_equal(paging_entry(&space, 0, 4, &upper), STATUS_OK);
    *upper &= ~PTE_P;
    assert_int_equal(paging_map(&space, 2 * PAGE_SIZE_1G, 0, PAGE_SIZE, 1, PTE_P), STATUS_EXISTS);
    assert_int_equal(paging_entry(&space, 0, 1, &entry), STATUS_EXISTS);
    assert_int_equal(paging_unmap(&space, 0, PAGE_SIZE_1G), STATUS_NOT_MAPPED);
    *upper |= PTE_P;
    /* A table outside the block is not followed. */
    const pte_t kept = *upper;
    *upper = (ARENA_BASE + ARENA_BYTES) | PTE_P;
    assert_int_equal(paging_map(&space, 2 * PAGE_SIZE_1G, 0, PAGE_SIZE, 1, PTE_P), STATUS_RANGE);
    assert_int_equal(paging_unmap(&space, 0, PAGE_SIZE_1G), STATUS_RANGE);
    *upper = kept;
    assert_int_equal(paging_unmap(&space, 0, PAGE_SIZE_1G + PAGE_SIZE_2M), STATUS_OK);
    assert_int_equal(pool.free, pool.frames - 1);
}

static void foreign_tables_stay(void **state)
{
    (void)state;
    struct address_space space = space_start(4, ARENA_FRAMES - 2);
    /* The PDPT comes from elsewhere; what is below it is ours. */
    const paddr_t foreign = ARENA_BASE + ARENA_BYTES - PAGE_SIZE;
    pte_t *top;
    memset(phys_to_virt(foreign), 0, PAGE_SIZE);
    assert_int_equal(paging_entry(&space, 0, 4, &top), STATUS_OK);
    *top = foreign | TABLE_FLAGS;
    assert_int_equal(paging_map(&space, 0x1000, 0x1000, PAGE_SIZE, 1, PTE_P), STATUS_OK);
    assert_int_equal(pool.free, pool.frames - 3);
    assert_int_equal(paging_unmap(&space, 0x1000, PAGE_SIZE), STATUS_OK);
    assert_int_equal(pool.free, pool.frames - 1);
    assert_int_equal(*top, foreign | TABLE_FLAGS);
    /* New upper entries take what the space says. */
    space.table_flags = PTE_PWT;
    assert_int_equal(paging_entry(&space, BIT(46), 3, &top), STATUS_OK);
    assert_int_equal(paging_entry(&space, BIT(46), 4, &top), STATUS_OK);
    assert_int_equal(*top & ~PTE_ADDRESS, PTE_P | PTE_PWT);
}

/* ---- walks ---------------------------------------------------------------------------------- */

static void walk_ends_where_the_processor_would(void **state)
{
    (void)state;
    for (unsigned levels = 4; levels <= 5; levels++) {
        for (unsigned leaf = 1; leaf <= 3; leaf++) {
            struct address_space space = space_start(levels, ARENA_FRAMES);
            const vaddr_t va = -(vaddr_t)PAGE_SIZE_1G;
            const paddr_t pa = 6 * PAGE_SIZE_1G;
            const uint64_t within = level_span(leaf) - 3;
            struct walk walk;
            assert_int_equal(paging_map(&space, va, pa, level_span(leaf), leaf,
                                        PTE_P | PTE_RW | PTE_US | (leaf > 1 ? PTE_PAT_LARGE : 0)),
                             STATUS_OK);
            for (unsigned level = leaf; level <= levels; level++) {
                pte_t *entry;
                assert_int_equal(paging_entry(&space, va, level, &entry), STATUS_OK);
                const pte_t kept = *entry;

                /* Whole, and with CR3's low bits set: they are not part of the address. */
                assert_int_equal(paging_walk(space.root | 0xfff, levels, va + within, &walk),
                                 WALK_LEAF);
                assert_int_equal(walk.last, leaf);
                assert_int_equal(walk.levels, levels);
                assert_int_equal(walk.address, pa + within);
                assert_int_equal(walk.rights, PTE_RW | PTE_US);
                assert_ptr_equal(walk.at[level - 1], entry);
                assert_int_equal(walk.entry[level - 1], kept);
                for (unsigned below = 1; below < leaf; below++) {
                    assert_null(walk.at[below - 1]);
                    assert_int_equal(walk.entry[below - 1], 0);
                }

                /* Rights of every level count. */
                *entry = kept ^ (PTE_RW | PTE_XD);
                assert_int_equal(paging_walk(space.root, levels, va, &walk), WALK_LEAF);
                assert_int_equal(walk.rights, PTE_US | PTE_XD);
                *entry = kept ^ PTE_US;
                assert_int_equal(paging_walk(space.root, levels, va, &walk), WALK_LEAF);
                assert_int_equal(walk.rights, PTE_RW);

                /* Not present, whatever else it says. */
                *entry = ~PTE_P;
                assert_int_equal(paging_walk(space.root, levels, va, &walk), WALK_NOT_PRESENT);
                assert_int_equal(walk.last, level);
                assert_int_equal(walk.entry[level - 1], ~PTE_P);
                assert_int_equal(walk.address, 0);
                if (level > 1) {
                    assert_null(walk.at[level - 2]);
                }
                *entry = kept;

                /* A table that lies outside the block. */
                if (level > leaf) {
                    *entry = (kept & ~PTE_ADDRESS) | (ARENA_BASE - PAGE_SIZE);
                    assert_int_equal(paging_walk(space.root, levels, va, &walk), WALK_UNREADABLE);
                    assert_int_equal(walk.last, level - 1);
                    assert_int_equal(walk.entry[level - 1], *entry);
                    assert_null(walk.at[level - 2]);
                    *entry = kept;
                }
            }
            assert_int_equal(paging_walk(0, levels, va, &walk), WALK_UNREADABLE);
            assert_int_equal(walk.last, levels);
            assert_int_equal(paging_walk(space.root, levels, va ^ BIT(62), &walk),
                             WALK_NOT_CANONICAL);
            assert_int_equal(walk.last, 0);
            const vaddr_t edge = BIT(levels == 4 ? 47 : 56);
            assert_int_equal(paging_walk(space.root, levels, edge - 1, &walk), WALK_NOT_PRESENT);
            assert_int_equal(paging_walk(space.root, levels, edge, &walk), WALK_NOT_CANONICAL);
            assert_int_equal(paging_walk(space.root, levels, -edge - 1, &walk), WALK_NOT_CANONICAL);
            assert_int_equal(paging_walk(space.root, levels, -edge, &walk), WALK_NOT_PRESENT);
        }
    }
}

/* ---- spaces of nothing but 4-KiB leaves ------------------------------------------------------ */

/* Pages far enough apart to need tables of their own at every level, some of them neighbours. */
static vaddr_t leaf_place(uint64_t number)
{
    static const vaddr_t bases[] = {0, PAGE_SIZE_2M, PAGE_SIZE_1G, UINT64_C(1) << 39,
                                    UINT64_C(5) << 44};

    return bases[number / 4 % ARRAY_COUNT(bases)] + number % 4 * (PAGE_SIZE_2M / 2 - PAGE_SIZE);
}
#define LEAF_PLACES 20u

static void leaves_equal_walk(const struct address_space *space)
{
    for (uint64_t i = 0; i < LEAF_PLACES; i++) {
        const vaddr_t va = leaf_place(i);
        struct walk walk;
        vaddr_t end;
        pte_t *leaf = paging_leaf(space, va);
        paging_walk(space->root, space->levels, va, &walk);
        /* A leaf that is not present is one all the same: its table is there. */
        assert_ptr_equal(leaf, walk.last == 1 ? walk.at[0] : NULL);
        assert_ptr_equal(leaf, paging_leaf_within(space, va, &end));
        const uint64_t span = level_span(walk.last == 1 ? 2 : walk.last);
        assert_int_equal(end, (va & ~(span - 1)) + span);
    }
}

static void leaves_are_found_made_and_freed(unsigned levels)
{
    struct address_space space = space_start(levels, 40);
    pte_t *leaf;
    vaddr_t end;

    assert_null(paging_leaf_within(&space, 0, &end));
    assert_int_equal(end, level_span(levels));
    for (uint64_t i = 0; i < LEAF_PLACES; i++) {
        leaves_equal_walk(&space);
        assert_int_equal(paging_leaf_make(&space, leaf_place(i), &leaf), STATUS_OK);
        assert_ptr_equal(leaf, paging_leaf(&space, leaf_place(i)));
        assert_int_equal(*leaf, 0);
        *leaf = ARENA_BASE | PTE_P;
        assert_true(tlb_simulated_access(leaf_place(i)).present);
    }
    /* Nothing is freed that is still in use: the second page keeps what it shares with the first. */
    const size_t before_any = pool.free;
    *paging_leaf(&space, leaf_place(0)) = 0;
    tlb_flush_page(leaf_place(0));
    paging_free_tables(&space, leaf_place(0), leaf_place(0) + PAGE_SIZE, 0, leaf_place(1));
    assert_int_equal(pool.free, before_any);
    assert_true(tlb_simulated_access(leaf_place(1)).present);
    for (uint64_t i = 1; i < LEAF_PLACES; i++) {
        *paging_leaf(&space, leaf_place(i)) = 0;
        tlb_flush_page(leaf_place(i));
    }
    paging_free_tables(&space, 0, level_span(levels) * 256, 0, 0);
    assert_int_equal(pool.free, 39); /* all but the root */
    assert_int_equal(tlb_simulated_stale(), 0);
    assert_null(paging_leaf(&space, leaf_place(7)));
}

static void leaves_with_4_levels(void **state)
{
    (void)state;
    leaves_are_found_made_and_freed(4);
}

static void leaves_with_5_levels(void **state)
{
    (void)state;
    leaves_are_found_made_and_freed(5);
}

/* Whichever of its tables cannot be had: nothing has changed, and the next try succeeds. */
static void leaf_without_frames_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t turn = 1; turn <= 3; turn++) {
        struct address_space space = space_start(4, 40);
        pte_t *leaf;
        snapshot_take();
        pool.fail_in = turn;
        assert_int_equal(paging_leaf_make(&space, 0, &leaf), STATUS_NO_FRAMES);
        assert_int_equal(pool.free, before.pool.free);
        assert_int_equal(pool.fail_in, 0);
        assert_memory_equal(before.bytes, arena, PAGE_SIZE); /* the root */
        assert_int_equal(paging_leaf_make(&space, 0, &leaf), STATUS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_is_reached_exactly),
        cmocka_unit_test(unreachable_address_stops),
        cmocka_unit_test(pool_equals_a_plain_list),
        cmocka_unit_test(pool_refuses_foreign_and_crooked),
        cmocka_unit_test(pool_finds_2m_runs),
        cmocka_unit_test(random_operations_equal_model_4_levels),
        cmocka_unit_test(random_operations_equal_model_5_levels),
        cmocka_unit_test(random_operations_equal_model_few_frames),
        cmocka_unit_test(every_flush_is_needed),
        cmocka_unit_test(dropped_flush_is_noticed),
        cmocka_unit_test(flush_kinds_differ),
        cmocka_unit_test(arguments_are_judged_by_name),
        cmocka_unit_test(changes_are_judged_by_name),
        cmocka_unit_test(frames_running_out_change_nothing),
        cmocka_unit_test(entries_in_the_way_are_named),
        cmocka_unit_test(foreign_tables_stay),
        cmocka_unit_test(walk_ends_where_the_processor_would),
        cmocka_unit_test(leaves_with_4_levels),
        cmocka_unit_test(leaves_with_5_levels),
        cmocka_unit_test(leaf_without_frames_changes_nothing),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
