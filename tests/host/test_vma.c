/*
 * test_vma.c: the tree of mappings against a list that is searched from end to end, and what merges, as
 * Linux 6.1's vma_merge, split_vma and find_mergeable_anon_vma decide it.
 */
#include "tests/host/unit.h"

#include "mm/mm.h"
#include "mm/pte.h"

/* ---- what vma.c stands on: the C library's memory, and files that only count ------------------ */

static unsigned objects;
static int fail_in; /* this allocation from now on fails; 0: none */

void *object_alloc(struct object_cache *cache)
{
    if (fail_in && --fail_in == 0) {
        return NULL;
    }
    objects++;
    return calloc(1, cache->bytes);
}

void object_free(struct object_cache *cache, void *object)
{
    (void)cache;
    objects--;
    free(object);
}

void page_cache_get(struct page_cache *cache)
{
    cache->count++;
}

void page_cache_put(struct page_cache *cache)
{
    cache->count--;
}

static enum vm_fault mkwrite(struct page_cache *cache, struct page *page)
{
    (void)cache;
    (void)page;
    return VM_FAULT_DONE;
}

static const struct page_cache_operations memory_file, tracked_file = {.page_mkwrite = mkwrite};

#define RW   (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define RO   (RW & ~VM_WRITE)
#define PAGE PAGE_SIZE

struct world {
    struct mm mm;
    struct page_cache file, other;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    RB_INIT(&world->mm.tree);
    world->file = (struct page_cache){.operations = &memory_file, .count = 1};
    world->other = world->file;
    objects = 0;
    fail_in = 0;
    *state = world;
    return 0;
}

static void clear(struct mm *mm)
{
    struct vma *vma;

    while ((vma = vma_first(mm))) {
        vma_remove(mm, vma);
    }
}

static int teardown(void **state)
{
    struct world *world = *state;

    clear(&world->mm);
    assert_int_equal(world->mm.map_count, 0);
    assert_int_equal(world->mm.pages_total, 0);
    assert_int_equal(world->mm.pages_locked, 0);
    assert_int_equal(world->mm.pages_data, 0);
    assert_int_equal(world->file.count, 1);
    assert_true(LIST_EMPTY(&world->file.mappings));
    assert_int_equal(objects, 0);
    free(world);
    return 0;
}

/* ---- the tree against a scan ------------------------------------------------------------------ */

static uint64_t tree_check(const struct vma *vma)
{
    if (!vma) {
        return 0;
    }
    uint64_t left = tree_check(RB_LEFT(vma, node)), right = tree_check(RB_RIGHT(vma, node));
    uint64_t largest = vma->gap > left ? vma->gap : left;

    largest = right > largest ? right : largest;
    assert_int_equal(vma->largest_gap, largest);
    return largest;
}

/* Order, gaps, largest gaps and counts, all found anew. Out: how many VMAs. */
static unsigned check(struct mm *mm)
{
    vaddr_t end = 0;
    unsigned count = 0;
    uint64_t total = 0, locked = 0, data = 0;

    for (struct vma *vma = vma_first(mm), *last = NULL; vma; last = vma, vma = vma_next(vma)) {
        assert_ptr_equal(vma_previous(vma), last);
        assert_ptr_equal(vma->mm, mm);
        assert_true(vma->start < vma->end);
        assert_true(vma->start >= end);
        assert_int_equal(vma->gap, vma->start - end);
        end = vma->end;
        count++;
        uint64_t pages = (vma->end - vma->start) / PAGE;
        total += pages;
        locked += vma->flags & VM_LOCKED ? pages : 0;
        data += (vma->flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE ? pages : 0;
        if (!vma_next(vma)) {
            assert_ptr_equal(vma_last(mm), vma);
        }
    }
    tree_check(RB_ROOT(&mm->tree));
    assert_int_equal(mm->map_count, count);
    assert_int_equal(mm->pages_total, total);
    assert_int_equal(mm->pages_locked, locked);
    assert_int_equal(mm->pages_data, data);
    return count;
}

static uint64_t random_state;

static unsigned chance(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20) % below;
}

#define CELLS 400u /* pages that the naive map has, each with its VMA's flags or 0 */

static struct vma *insert(struct mm *mm, vaddr_t start, vaddr_t end, uint64_t flags)
{
    struct vma *vma = vma_create(mm, start, end, flags, NULL, start / PAGE);

    assert_non_null(vma);
    vma_insert(mm, vma);
    return vma;
}

static void random_step(struct mm *mm, unsigned *cells)
{
    static unsigned next_id;
    const unsigned at = chance(CELLS);
    struct vma *vma = vma_at(mm, at * PAGE), *upper;

    /* The tree says what the map says. */
    assert_int_equal(vma != NULL, cells[at] != 0);
    struct vma *found = vma_find(mm, at * PAGE);
    unsigned first = at;
    while (first < CELLS && !cells[first]) {
        first++;
    }
    assert_ptr_equal(found, first < CELLS ? vma_at(mm, first * PAGE) : NULL);
    if (!vma) {
        unsigned pages = 1 + chance(6), end = at;
        next_id++;
        while (end < CELLS && end < at + pages && !cells[end]) {
            cells[end++] = next_id;
        }
        insert(mm, at * PAGE, end * PAGE, RW | (chance(2) ? VM_LOCKED : 0));
        return;
    }
    const unsigned start = (unsigned)(vma->start / PAGE), end = (unsigned)(vma->end / PAGE);
    switch (chance(4)) {
    case 0:
        vma_remove(mm, vma);
        memset(&cells[start], 0, (end - start) * sizeof(*cells));
        break;
    case 1:
        if (at > start) {
            assert_int_equal(vma_split(vma, at * PAGE, &upper), 0);
            assert_int_equal(upper->page_offset, at);
            next_id++;
            for (unsigned i = at; i < end; i++) {
                cells[i] = next_id;
            }
        }
        break;
    case 2:
        if (end < CELLS && !cells[end]) {
            vma_set_bounds(vma, vma->start, vma->end + PAGE, vma->page_offset);
            cells[end] = cells[start];
        } else if (end - start > 1) {
            vma_set_bounds(vma, vma->start + PAGE, vma->end, vma->page_offset + 1);
            cells[start] = 0;
        }
        break;
    default:
        vma_set_flags(vma, vma->flags ^ (chance(2) ? VM_WRITE : VM_LOCKED));
        break;
    }
}

static void tree_agrees_with_a_scan(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;
    unsigned cells[CELLS] = {0}, most = 0;

    random_state = 0x1f2e3d4c5b6a7988;
    for (unsigned step = 0; step < 40000; step++) {
        random_step(mm, cells);
        if (step % 16 == 0) {
            unsigned count = check(mm);
            most = count > most ? count : most;
        }
    }
    assert_true(most > 60);
}

static void hundred_thousand_vmas_stay_in_order(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    for (unsigned i = 0; i < 100000; i++) {
        unsigned at = i * 7919 % 100000; /* every one once: 7919 is prime */
        insert(mm, (at * 2 + 1) * PAGE, (at * 2 + 2) * PAGE, at & 1 ? RW : RO);
    }
    assert_int_equal(check(mm), 100000);
    assert_int_equal(RB_ROOT(&mm->tree)->largest_gap, PAGE);
    /* A hole in the middle is known at the root. */
    vma_remove(mm, vma_at(mm, 77777 * PAGE));
    assert_int_equal(RB_ROOT(&mm->tree)->largest_gap, 3 * PAGE);
    assert_ptr_equal(vma_find(mm, 77777 * PAGE), vma_at(mm, 77779 * PAGE));
}

/* ---- leaf bits -------------------------------------------------------------------------------- */

static void leaf_bits_follow_the_flags(void **state)
{
    const pte_t user = PTE_P | PTE_US;

    (void)state;
    assert_int_equal(vma_prot(VM_READ), user | PTE_XD);
    assert_int_equal(vma_prot(VM_READ | VM_WRITE), user | PTE_XD);
    assert_int_equal(vma_prot(VM_WRITE), user | PTE_XD);
    assert_int_equal(vma_prot(VM_READ | VM_EXEC), user);
    assert_int_equal(vma_prot(VM_EXEC), user);
    /* Nobody may access: not present, but not empty. */
    assert_int_equal(vma_prot(0) & (PTE_P | PTE_US | PTE_RW), 0);
    assert_true(vma_prot(0) & PTE_PROTNONE);
    assert_int_equal(vma_prot(VM_READ | UINT64_C(5) << VM_PKEY_SHIFT),
                     user | PTE_XD | UINT64_C(5) << PTE_KEY_SHIFT);
    assert_int_equal(vma_prot(VM_READ | VM_PKEY), user | PTE_XD | PTE_KEY);
}

static pte_t prot_of(struct mm *mm, uint64_t flags, struct page_cache *cache)
{
    struct vma *vma = vma_create(mm, PAGE, 2 * PAGE, flags, cache, 0);

    assert_non_null(vma);
    vma_insert(mm, vma);
    pte_t prot = vma->prot;
    vma_remove(mm, vma);
    return prot;
}

static void only_untracked_shared_pages_start_writable(void **state)
{
    struct world *world = *state;
    struct page_cache tracked = {.operations = &tracked_file, .count = 1};

    assert_true(prot_of(&world->mm, RW | VM_SHARED, &world->file) & PTE_RW);
    assert_false(prot_of(&world->mm, RO | VM_SHARED, &world->file) & PTE_RW);
    assert_false(prot_of(&world->mm, RW, &world->file) & PTE_RW);
    assert_false(prot_of(&world->mm, RW, NULL) & PTE_RW);
    assert_false(prot_of(&world->mm, RW | VM_SHARED, &tracked) & PTE_RW);
    assert_int_equal(tracked.count, 1);
}

/* ---- merging ---------------------------------------------------------------------------------- */

/*
 * A row of VMAs, a letter a page: small letters RO, capitals RW, one VMA for a run of the same letter;
 * '.' a hole. Letters a to f: anonymous. Their numbers: see anon().
 */
#define BASE (UINT64_C(1) << 20)

static void make(struct mm *mm, const char *row)
{
    for (unsigned at = 0; row[at];) {
        unsigned end = at + 1;
        while (row[end] == row[at]) {
            end++;
        }
        if (row[at] != '.') {
            insert(mm, BASE + at * PAGE, BASE + end * PAGE, row[at] >= 'a' ? RO : RW);
        }
        at = end;
    }
}

/* What is there: "[2r][1-]...": pages and rights of each VMA, holes as dots. */
static const char *row(struct mm *mm)
{
    static char text[256];
    size_t used = 0;
    vaddr_t end = BASE;

    text[0] = 0;
    for (struct vma *vma = vma_first(mm); vma; vma = vma_next(vma)) {
        for (; end < vma->start; end += PAGE) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, ".");
        }
        used += (size_t)snprintf(text + used, sizeof(text) - used, "[%u%c]",
                                 (unsigned)((vma->end - vma->start) / PAGE),
                                 vma->flags & VM_WRITE ? 'w' : 'r');
        assert_int_equal(vma->page_offset, vma->start / PAGE); /* none was moved here */
        end = vma->end;
    }
    check(mm);
    return text;
}

static struct vma *at(struct mm *mm, unsigned page)
{
    return vma_at(mm, BASE + page * PAGE);
}

/* As mprotect does it: pages @from to @to, of one VMA, get @flags. */
static const char *change(struct mm *mm, unsigned from, unsigned to, uint64_t flags)
{
    struct vma *vma = at(mm, from), *changed;
    const vaddr_t start = BASE + from * PAGE, end = BASE + to * PAGE;
    struct vma *previous = start > vma->start ? vma : vma_previous(vma);

    assert_int_equal(vma_change_flags(vma, previous, start, end, flags, &changed), 0);
    assert_true(changed->start <= start && changed->end >= end);
    assert_int_equal(changed->flags, flags);
    return row(mm);
}

/* As mremap does it: memory comes into the hole at pages @from to @to. */
static const char *fill(struct mm *mm, unsigned from, unsigned to, uint64_t flags,
                        uint64_t anon_vma)
{
    const vaddr_t start = BASE + from * PAGE, end = BASE + to * PAGE;
    struct vma *next = vma_find(mm, start);
    struct vma *previous = next ? vma_previous(next) : vma_last(mm);
    struct vma *merged = vma_merge(mm, previous, start, end, flags, anon_vma, NULL, start / PAGE);

    return merged ? row(mm) : "no";
}

static void hole_is_filled_by_whom_it_fits(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    make(mm, "AA..BB");
    assert_string_equal(fill(mm, 2, 4, RW, 0), "[6w]"); /* case 1 */
    clear(mm);
    make(mm, "AA..bb");
    assert_string_equal(fill(mm, 2, 4, RW, 0), "[4w][2r]"); /* 2 */
    clear(mm);
    make(mm, "aa..BB");
    assert_string_equal(fill(mm, 2, 4, RW, 0), "[2r][4w]"); /* 3 */
    clear(mm);
    make(mm, "AA...BB");
    assert_string_equal(fill(mm, 2, 4, RW, 0), "[4w].[2w]");
    clear(mm);
    make(mm, "AA...BB");
    assert_string_equal(fill(mm, 3, 5, RW, 0), "[2w].[4w]");
    clear(mm);
    make(mm, "aa..bb");
    assert_string_equal(fill(mm, 2, 4, RW, 0), "no");
    assert_string_equal(row(mm), "[2r]..[2r]");
    clear(mm);
    make(mm, "AA....BB");
    assert_string_equal(fill(mm, 3, 5, RW, 0), "no");
}

static void changed_range_joins_its_neighbours(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    make(mm, "AAbb");
    assert_string_equal(change(mm, 1, 2, RO), "[1w][3r]"); /* case 4: the boundary goes down */
    assert_string_equal(change(mm, 1, 2, RW), "[2w][2r]"); /* 5: and up */
    clear(mm);
    make(mm, "AAbbCC");
    assert_string_equal(change(mm, 2, 4, RW), "[6w]"); /* 6 */
    clear(mm);
    make(mm, "AAbb.C");
    assert_string_equal(change(mm, 2, 4, RW), "[4w].[1w]"); /* 7 */
    clear(mm);
    make(mm, "A.bbCC");
    assert_string_equal(change(mm, 2, 4, RW), "[1w].[4w]"); /* 8 */
    clear(mm);
    make(mm, "AAAAAA");
    assert_string_equal(change(mm, 2, 4, RO), "[2w][2r][2w]"); /* nobody: two splits */
    assert_string_equal(change(mm, 2, 3, RW), "[3w][1r][2w]");
    assert_string_equal(change(mm, 3, 4, RW), "[6w]");
    assert_string_equal(change(mm, 0, 1, RO), "[1r][5w]");
    assert_string_equal(change(mm, 5, 6, RO), "[1r][4w][1r]");
    assert_string_equal(change(mm, 1, 5, RO), "[6r]");
}

static void special_memory_never_merges(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    insert(mm, BASE, BASE + PAGE, RO | VM_RESERVED);
    insert(mm, BASE + PAGE, BASE + 2 * PAGE, RO);
    assert_string_equal(fill(mm, 2, 3, RO | VM_RESERVED, 0), "no");
    assert_string_equal(fill(mm, 2, 3, RO, 0), "[1r][2r]");
}

/* Give the VMA at @page a number, and say whether fork was its origin. */
static void anon(struct mm *mm, unsigned page, uint64_t number, bool shared)
{
    at(mm, page)->anon_vma = number;
    at(mm, page)->anon_shared = shared;
}

static void anon_vmas_decide_what_fills_a_hole(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    /* Untouched memory joins touched one, and all three become one when at most one was touched. */
    make(mm, "A.B");
    anon(mm, 0, 7, false);
    assert_string_equal(fill(mm, 1, 2, RW, 0), "[3w]");
    assert_int_equal(at(mm, 2)->anon_vma, 7);
    clear(mm);
    make(mm, "A.B");
    anon(mm, 2, 7, false);
    assert_string_equal(fill(mm, 1, 2, RW, 0), "[3w]");
    assert_int_equal(at(mm, 0)->anon_vma, 7);
    assert_false(at(mm, 0)->anon_shared);
    clear(mm);
    /* Two numbers stay two; the lower one takes the hole. */
    make(mm, "A.B");
    anon(mm, 0, 7, false);
    anon(mm, 2, 8, false);
    assert_string_equal(fill(mm, 1, 2, RW, 0), "[2w][1w]");
    clear(mm);
    /* What a fork made does not grow. */
    make(mm, "A.B");
    anon(mm, 0, 7, true);
    assert_string_equal(fill(mm, 1, 2, RW, 0), "[1w][2w]");
    clear(mm);
    make(mm, "A.b");
    anon(mm, 0, 7, true);
    assert_string_equal(fill(mm, 1, 2, RW, 0), "no");
    /* But memory with the very same number joins. */
    assert_string_equal(fill(mm, 1, 2, RW, 7), "[2w][1r]");
    clear(mm);
    /* Touched memory does not join a VMA that was not touched. */
    make(mm, "A.b");
    assert_string_equal(fill(mm, 1, 2, RW, 7), "no");
}

static void anon_vmas_decide_what_a_change_merges(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    /* Split and joined again: the number is the same. */
    make(mm, "AAAA");
    anon(mm, 0, 7, true);
    assert_string_equal(change(mm, 1, 3, RO), "[1w][2r][1w]");
    assert_int_equal(at(mm, 2)->anon_vma, 7);
    assert_true(at(mm, 2)->anon_shared);
    assert_string_equal(change(mm, 1, 3, RW), "[4w]");
    clear(mm);
    /* Touched next to untouched: not when the touched part changes, only the other way round. */
    make(mm, "AAbb");
    anon(mm, 2, 7, false);
    assert_string_equal(change(mm, 2, 4, RW), "[2w][2w]");
    clear(mm);
    make(mm, "AAbb");
    anon(mm, 0, 7, false);
    assert_string_equal(change(mm, 2, 4, RW), "[4w]");
    assert_int_equal(at(mm, 3)->anon_vma, 7);
    clear(mm);
    /* Case 6 where the VMA in the middle has none, and the upper one's number is taken over. */
    make(mm, "AbC");
    anon(mm, 2, 9, false);
    assert_string_equal(change(mm, 1, 2, RW), "[3w]");
    assert_int_equal(at(mm, 0)->anon_vma, 9);
}

static void files_and_offsets_must_fit(void **state)
{
    struct world *world = *state;
    struct mm *mm = &world->mm;
    struct vma *vma = vma_create(mm, BASE, BASE + 2 * PAGE, RW, &world->file, 10);

    assert_non_null(vma);
    vma_insert(mm, vma);
    assert_int_equal(world->file.count, 2);
    assert_ptr_equal(LIST_FIRST(&world->file.mappings), vma);
    const vaddr_t end = BASE + 2 * PAGE;
    assert_null(vma_merge(mm, vma, end, end + PAGE, RW, 0, &world->file, 13));
    assert_null(vma_merge(mm, vma, end, end + PAGE, RW, 0, &world->file, 11));
    assert_null(vma_merge(mm, vma, end, end + PAGE, RW, 0, &world->other, 12));
    assert_null(vma_merge(mm, vma, end, end + PAGE, RW, 0, NULL, 12));
    assert_null(vma_merge(mm, vma, end, end + PAGE, RO, 0, &world->file, 12));
    assert_null(vma_merge(mm, NULL, BASE - PAGE, BASE, RW, 0, &world->file, 8));
    assert_ptr_equal(vma_merge(mm, vma, end, end + PAGE, RW, 0, &world->file, 12), vma);
    assert_ptr_equal(vma_merge(mm, NULL, BASE - PAGE, BASE, RW, 0, &world->file, 9), vma);
    assert_int_equal(vma->page_offset, 9);
    assert_int_equal(vma_index(vma, end), 12);
    assert_int_equal(vma->end - vma->start, 4 * PAGE);

    /* Both parts of a split are in the file's list, and hold it. */
    struct vma *upper;
    assert_int_equal(vma_split(vma, end, &upper), 0);
    assert_int_equal(world->file.count, 3);
    assert_int_equal(upper->page_offset, 12);
    unsigned listed = 0;
    LIST_FOREACH (vma, &world->file.mappings, in_cache) {
        listed++;
    }
    assert_int_equal(listed, 2);
}

static void change_says_when_there_is_no_room(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;
    struct vma *changed, *vma;

    make(mm, "AAAA");
    vma = at(mm, 0);
    fail_in = 1;
    assert_int_equal(vma_change_flags(vma, vma, BASE + PAGE, BASE + 2 * PAGE, RO, &changed),
                     -ENOMEM);
    assert_string_equal(row(mm), "[4w]");
    fail_in = 2; /* the first split stays, as in Linux */
    assert_int_equal(vma_change_flags(vma, vma, BASE + PAGE, BASE + 2 * PAGE, RO, &changed),
                     -ENOMEM);
    assert_string_equal(row(mm), "[1w][3w]");
    /* Too many maps: nothing is split, but what needs no split works. */
    const uint32_t count = mm->map_count;
    mm->map_count = MAP_COUNT_MAX;
    vma = at(mm, 1);
    assert_int_equal(vma_change_flags(vma, vma, BASE + 2 * PAGE, BASE + 3 * PAGE, RO, &changed),
                     -ENOMEM);
    assert_int_equal(vma_change_flags(vma, at(mm, 0), vma->start, vma->end, RO, &changed), 0);
    mm->map_count = count;
    assert_string_equal(row(mm), "[1w][3r]");
}

/* ---- anon_vma numbers ------------------------------------------------------------------------- */

static void first_write_takes_a_neighbours_number(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    make(mm, "AbCd.E");
    vma_prepare_anon(at(mm, 1));
    const uint64_t number = at(mm, 1)->anon_vma;
    assert_int_not_equal(number, 0);
    vma_prepare_anon(at(mm, 1));
    assert_int_equal(at(mm, 1)->anon_vma, number);
    vma_prepare_anon(at(mm, 0)); /* the next one's, whatever the rights */
    assert_int_equal(at(mm, 0)->anon_vma, number);
    vma_prepare_anon(at(mm, 2)); /* the previous one's */
    assert_int_equal(at(mm, 2)->anon_vma, number);
    vma_prepare_anon(at(mm, 5)); /* no neighbour */
    assert_int_not_equal(at(mm, 5)->anon_vma, number);
    /* Other flags than rights, and numbers from a fork, do not fit. */
    vma_set_flags(at(mm, 3), at(mm, 3)->flags | VM_ACCOUNT);
    vma_prepare_anon(at(mm, 3));
    assert_int_not_equal(at(mm, 3)->anon_vma, number);
    clear(mm);
    make(mm, "aB");
    anon(mm, 0, number, true);
    vma_prepare_anon(at(mm, 1));
    assert_int_not_equal(at(mm, 1)->anon_vma, number);
}

static void fork_gives_numbers_of_their_own(void **state)
{
    struct mm *mm = &((struct world *)*state)->mm;

    make(mm, "Ab.Cd.E");
    anon(mm, 0, 7, false);
    anon(mm, 1, 7, false);
    vma_fork_anon(at(mm, 3), at(mm, 0));
    vma_fork_anon(at(mm, 4), at(mm, 1));
    assert_true(at(mm, 3)->anon_shared && at(mm, 4)->anon_shared);
    assert_int_not_equal(at(mm, 3)->anon_vma, at(mm, 4)->anon_vma);
    assert_int_not_equal(at(mm, 3)->anon_vma, 7);
    /* Nothing was written, or nothing is left of it. */
    vma_fork_anon(at(mm, 0), at(mm, 6));
    assert_int_equal(at(mm, 0)->anon_vma, 0);
    vma_set_flags(at(mm, 6), RW | VM_WIPEONFORK);
    vma_fork_anon(at(mm, 6), at(mm, 1));
    assert_int_equal(at(mm, 6)->anon_vma, 0);
    assert_false(at(mm, 6)->anon_shared);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(tree_agrees_with_a_scan),
        CASE(hundred_thousand_vmas_stay_in_order),
        CASE(leaf_bits_follow_the_flags),
        CASE(only_untracked_shared_pages_start_writable),
        CASE(hole_is_filled_by_whom_it_fits),
        CASE(changed_range_joins_its_neighbours),
        CASE(special_memory_never_merges),
        CASE(anon_vmas_decide_what_fills_a_hole),
        CASE(anon_vmas_decide_what_a_change_merges),
        CASE(files_and_offsets_must_fit),
        CASE(change_says_when_there_is_no_room),
        CASE(first_write_takes_a_neighbours_number),
        CASE(fork_gives_numbers_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
