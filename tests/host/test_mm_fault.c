/*
 * test_mm_fault.c: every kind of fault on a simulated machine: what becomes mapped, who shares it
 * afterwards, what is counted, and what a program gets to see instead when it may not. After each
 * access audit and TLB are looked at. Last: every operation with each of its allocations failing in turn.
 */
#include "tests/host/unit.h"

#include "fault/layout.h"
#include "fault/uaccess.h"
#include "mm/pte.h"
#include "mm/range.h"
#include "mm/signal_number.h"
#include "mm/trace.h"
#include "tests/host/machine_simulated.h"
#include "x86/exception.h"

#define PAGES(count) ((uint64_t)(count)*PAGE_SIZE)
#define BASE         UINT64_C(0x10000000)
#define ALL          (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define READ_WRITE   (PROT_READ | PROT_WRITE)

static struct mm *mm;

static void good(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        fail_msg("%s", wrong);
    }
}

static int start(void **state)
{
    (void)state;
    machine_start(1024, 4);
    assert_int_equal(mm_create(&mm), 0);
    mm_load(mm);
    mm_trace = (struct mm_trace_ring){.on = true};
    stack_historic_rule = false;
    return 0;
}

static int end(void **state)
{
    (void)state;
    good();
    mm_load(NULL);
    mm_destroy(mm);
    assert_int_equal(machine_stop(), 0);
    return 0;
}

static vaddr_t map_at(vaddr_t at, uint64_t pages, uint64_t prot, uint64_t flags,
                      struct page_cache *cache, uint64_t first)
{
    const int64_t result =
        mm_mmap(mm, at, PAGES(pages), prot, flags | (at ? MAP_FIXED : 0), cache, ALL, PAGES(first));

    if (result < 0) {
        fail_msg("mmap: %ld", (long)result);
    }
    machine_take_keys();
    good();
    return (vaddr_t)result;
}

static vaddr_t map_anonymous(uint64_t pages)
{
    return map_at(BASE, pages, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
}

/* ---- accesses with what they must come to ---------------------------------------------------------- */

static uint64_t reads(vaddr_t address)
{
    uint64_t value = 0xdead;

    if (user_read(address, &value, 8) != BAD_NONE) {
        fail_msg("read of %lx: signal %d", (unsigned long)address, mm->bad.signal);
    }
    good();
    return value;
}

static void writes(vaddr_t address, uint64_t value)
{
    if (user_write(address, &value, 8) != BAD_NONE) {
        fail_msg("write of %lx: signal %d", (unsigned long)address, mm->bad.signal);
    }
    good();
}

static enum bad_kind access_as(vaddr_t address, enum access_kind kind)
{
    uint64_t value = 0;
    const enum bad_kind result = kind == ACCESS_FETCH   ? user_fetch(address)
                                 : kind == ACCESS_WRITE ? user_write(address, &value, 8)
                                                        : user_read(address, &value, 8);
    good();
    return result;
}

static void refused(vaddr_t address, enum access_kind kind, int signal, int code, uint64_t error)
{
    assert_int_equal(access_as(address, kind), BAD_SIGNAL);
    assert_int_equal(mm->bad.signal, signal);
    assert_int_equal(mm->bad.code, code);
    assert_int_equal(mm->bad.error, error);
    assert_true(mm->bad.address == address);
}

static pte_t leaf_in(struct mm *of, vaddr_t address)
{
    const pte_t *leaf = paging_leaf(&of->space, address);

    return leaf ? *leaf : 0;
}

static pte_t leaf(vaddr_t address)
{
    return leaf_in(mm, address);
}

static const struct mm_trace *last_fault(void)
{
    return &mm_trace.record[(mm_trace.written - 1) % MM_TRACE_RECORDS];
}

/* The next access makes @faults faults, the last of them resolved so. */
static unsigned long faults_before;
static void count_faults(void)
{
    faults_before = simulated.faults;
}
static void resolved(unsigned faults, enum mm_resolution resolution, unsigned pages)
{
    assert_int_equal(simulated.faults - faults_before, faults);
    if (last_fault()->resolution != resolution) {
        fail_msg("resolved as %s", mm_resolution_names[last_fault()->resolution]);
    }
    assert_int_equal(last_fault()->pages, pages);
}

/* ---- files ------------------------------------------------------------------------------------------- */

static const struct page_cache_operations memory_operations;

static enum vm_fault read_answers, mkwrite_answers;
static unsigned mkwrites;
static struct page *under_way;

static void fill(struct page *page)
{
    uint64_t *words = page_bytes(page);

    for (unsigned i = 0; i < PAGE_SIZE / 8; i++) {
        words[i] = page->index + 100;
    }
}

static enum vm_fault read_page(struct page_cache *cache, struct page *page)
{
    (void)cache;
    under_way = page;
    if (read_answers == VM_FAULT_DONE) {
        fill(page);
    }
    return read_answers;
}

static enum vm_fault page_mkwrite(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    mkwrites++;
    return mkwrite_answers;
}

static const struct page_cache_operations disk_operations = {.read_page = read_page,
                                                             .page_mkwrite = page_mkwrite};

/* A file of @pages, of which the first @cached are there; word i of page n is n + 100. */
static struct page_cache *file(const struct page_cache_operations *operations, uint64_t pages,
                               uint64_t cached)
{
    struct page_cache *cache = page_cache_create(operations, "file", NULL);

    assert_non_null(cache);
    read_answers = mkwrite_answers = VM_FAULT_DONE;
    mkwrites = 0;
    cache->bytes = PAGES(pages);
    for (uint64_t i = 0; i < cached; i++) {
        struct page *page;
        assert_int_equal(page_cache_fetch(cache, i, &page), VM_FAULT_DONE);
        fill(page);
        page_put(page);
    }
    return cache;
}

static uint64_t in_file(const struct page_cache *cache, uint64_t index)
{
    const struct page *page = page_cache_find(cache, index);

    assert_non_null(page);
    return *(uint64_t *)page_bytes(page);
}

/* ---- anonymous memory --------------------------------------------------------------------------------- */

static void anonymous_read_maps_the_zero_page(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(4);
    const size_t frames = memory.frames.free;

    count_faults();
    assert_int_equal(reads(at), 0);
    resolved(1, RESOLVED_ZERO_PAGE, 1);
    assert_true(pte_is_zero_page(leaf(at)));
    assert_false(leaf(at) & PTE_RW);
    assert_int_equal(reads(at + PAGES(1)), 0);
    assert_int_equal(frames - memory.frames.free, 3); /* tables only */
    assert_int_equal(mm->min_flt, 2);
    assert_int_equal(mm->maj_flt, 0);
}

static void anonymous_write_gets_a_frame_of_zeros(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(4);

    count_faults();
    writes(at + 8, 5);
    resolved(1, RESOLVED_ANONYMOUS, 1);
    count_faults();
    assert_int_equal(reads(at), 0);
    assert_int_equal(reads(at + 8), 5);
    assert_int_equal(reads(at + PAGE_SIZE - 8), 0);
    assert_int_equal(simulated.faults, faults_before);
    assert_true((leaf(at) & (PTE_RW | PTE_D | PTE_A)) == (PTE_RW | PTE_D | PTE_A));
    assert_int_equal(pte_page(leaf(at))->flags, PAGE_ANONYMOUS | PAGE_EXCLUSIVE);
}

static void zero_page_gives_way_to_a_frame(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(1);

    assert_int_equal(reads(at), 0);
    count_faults();
    writes(at + 16, 9);
    resolved(1, RESOLVED_ANONYMOUS, 1);
    assert_int_equal(reads(at), 0);
    assert_int_equal(reads(at + 16), 9);
    assert_int_equal(*(uint64_t *)((char *)phys_to_virt(memory.zero) + 16), 0);
}

static void access_that_straddles_faults_twice(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(2) + PAGE_SIZE - 4;

    count_faults();
    writes(at, UINT64_C(0x1122334455667788));
    assert_int_equal(simulated.faults - faults_before, 2);
    assert_true(reads(at) == UINT64_C(0x1122334455667788));
    assert_int_equal(mm_munmap(mm, BASE + PAGE_SIZE, PAGE_SIZE), 0);
    uint64_t value = 0;
    assert_int_equal(user_read(at, &value, 8), BAD_SIGNAL);
    assert_true(mm->bad.address == BASE + PAGE_SIZE);
}

/* ---- reading files -------------------------------------------------------------------------------------- */

/* Which pages of @vma_pages from @first one read fault maps: fault-around is one aligned window. */
static void fault_around_maps_its_window(void **state)
{
    (void)state;
    static const struct {
        uint64_t at, pages, first, file, cached; /* the VMA's place (pages), and the file */
        uint64_t touched;                        /* page of the VMA */
        uint64_t from, to;                       /* what is mapped then, of the VMA */
    } rows[] = {
        {0,   64, 0, 64, 64, 0,  0,  16},
        {0,   64, 0, 64, 64, 15, 0,  16},
        {0,   64, 0, 64, 64, 16, 16, 32},
        {0,   64, 5, 69, 69, 20, 16, 32}, /* aligned by address, not by place in the file */
        {5,   64, 0, 64, 64, 3,  0,  16}, /* cut below by the VMA: reaches farther up */
        {5,   64, 0, 64, 64, 30, 27, 43},
        {0,   10, 0, 64, 64, 2,  0,  10}, /* the VMA's end */
        {0,   64, 0, 20, 20, 18, 16, 20}, /* the file's */
        {0,   64, 0, 64, 20, 17, 16, 20}, /* what is not there is not fetched */
        {0,   64, 0, 64, 20, 40, 40, 41}, /* but the page itself */
        {500, 64, 0, 64, 64, 11, 0,  12}, /* the table's end: 512 - 500 */
        {500, 64, 0, 64, 64, 12, 12, 28},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct page_cache *cache = file(&memory_operations, rows[i].file, rows[i].cached);
        const vaddr_t at = map_at(BASE + PAGES(rows[i].at), rows[i].pages, PROT_READ, MAP_SHARED,
                                  cache, rows[i].first);
        count_faults();
        (void)reads(at + PAGES(rows[i].touched));
        const unsigned mapped = (unsigned)(rows[i].to - rows[i].from);
        resolved(1, rows[i].touched < rows[i].cached ? RESOLVED_FILE_AROUND : RESOLVED_FILE_READ,
                 mapped);
        for (uint64_t page = 0; page < rows[i].pages; page++) {
            const bool expected = page >= rows[i].from && page < rows[i].to;
            if ((leaf(at + PAGES(page)) != 0) != expected) {
                fail_msg("row %zu: page %lu", i, (unsigned long)page);
            }
        }
        assert_int_equal(mm->min_flt, i + 1);
        assert_int_equal(mm_munmap(mm, at, PAGES(rows[i].pages)), 0);
        good();
        page_cache_put(cache);
    }
}

static void fault_around_leaves_what_is_mapped(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 16, 16);
    const vaddr_t at = map_at(BASE, 16, READ_WRITE, MAP_PRIVATE, cache, 0);

    writes(at + PAGES(3), 1);
    count_faults();
    assert_int_equal(reads(at), 100);
    resolved(1, RESOLVED_FILE_AROUND, 15);
    assert_int_equal(reads(at + PAGES(3)), 1);
    assert_int_equal(reads(at + PAGES(4)), 104);
    page_cache_put(cache);
}

static void reading_a_hole_makes_its_page(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct page_cache *cache = file(&memory_operations, 16, 0);
        const vaddr_t at = map_at(BASE, 16, PROT_READ, shared ? MAP_SHARED : MAP_PRIVATE, cache, 0);
        count_faults();
        assert_int_equal(reads(at + PAGES(7)), 0);
        resolved(1, RESOLVED_FILE_READ, 1);
        assert_int_equal(cache->pages, 1);
        assert_ptr_equal(pte_page(leaf(at + PAGES(7))), page_cache_find(cache, 7));
        page_cache_put(cache);
    }
}

static void end_of_file_is_sigbus(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 3, 3);
    page_cache_truncate(cache, PAGES(2) + 100);
    const vaddr_t shared = map_at(BASE, 8, READ_WRITE, MAP_SHARED, cache, 0);
    const vaddr_t private = map_at(BASE + PAGES(100), 8, READ_WRITE, MAP_PRIVATE, cache, 0);

    assert_int_equal(reads(shared + PAGES(2) + 88), 102);
    assert_int_equal(reads(shared + PAGES(2) + 104), 0);
    writes(shared + PAGES(3) - 8, 5); /* behind the end, but in the page */
    for (uint64_t page = 3; page < 8; page++) {
        refused(shared + PAGES(page), ACCESS_READ, SIGBUS, BUS_ADRERR, 4);
        refused(shared + PAGES(page), ACCESS_WRITE, SIGBUS, BUS_ADRERR, 6);
        refused(private + PAGES(page) + 9, ACCESS_READ, SIGBUS, BUS_ADRERR, 4);
        refused(private + PAGES(page), ACCESS_WRITE, SIGBUS, BUS_ADRERR, 6);
    }
    page_cache_truncate(cache, PAGES(4));
    good();
    assert_int_equal(reads(shared + PAGES(3)), 0);
    page_cache_put(cache);
}

/* ---- private files ---------------------------------------------------------------------------------------- */

static void private_write_copies_at_once(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 4, 4);
    const vaddr_t at = map_at(BASE, 4, READ_WRITE, MAP_PRIVATE, cache, 0);

    count_faults();
    writes(at + 8, 7);
    resolved(1, RESOLVED_FILE_PRIVATE, 1);
    assert_int_equal(reads(at), 100);
    assert_int_equal(reads(at + 8), 7);
    assert_int_equal(in_file(cache, 0), 100);
    assert_int_equal(((uint64_t *)page_bytes(page_cache_find(cache, 0)))[1], 100);
    assert_int_equal(page_cache_find(cache, 0)->count, 1);
    page_cache_put(cache);
}

static void private_write_behind_a_read_copies(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 4, 4);
    const vaddr_t at = map_at(BASE, 4, READ_WRITE, MAP_PRIVATE, cache, 0);

    assert_int_equal(reads(at), 100);
    count_faults();
    writes(at, 7);
    resolved(1, RESOLVED_COPY, 1);
    assert_int_equal(reads(at), 7);
    assert_int_equal(in_file(cache, 0), 100);
    /* What the file has later shows in pages that were not copied. */
    *(uint64_t *)page_bytes(page_cache_find(cache, 1)) = 55;
    assert_int_equal(reads(at + PAGES(1)), 55);
    page_cache_put(cache);
}

/* ---- shared files -------------------------------------------------------------------------------------------- */

static void shared_write_is_the_files(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 40, 40);
    const vaddr_t one = map_at(BASE, 40, READ_WRITE, MAP_SHARED, cache, 0);
    const vaddr_t two = map_at(BASE + PAGES(100), 40, READ_WRITE, MAP_SHARED, cache, 0);

    count_faults();
    writes(one, 1);
    resolved(1, RESOLVED_SHARED, 1);
    assert_int_equal(in_file(cache, 0), 1);
    assert_int_equal(reads(two), 1);
    assert_true(page_cache_find(cache, 0)->flags & PAGE_DIRTY);
    /* Without tracking, reading 40 pages costs 3 faults, and writing them none. */
    map_at(one, 40, READ_WRITE, MAP_SHARED, cache, 0);
    count_faults();
    for (uint64_t page = 0; page < 40; page++) {
        (void)reads(one + PAGES(page));
    }
    assert_int_equal(simulated.faults - faults_before, 3);
    for (uint64_t page = 0; page < 40; page++) {
        writes(one + PAGES(page), page);
    }
    assert_int_equal(simulated.faults - faults_before, 3);
    page_cache_put(cache);
}

static void shared_anonymous_memory_is_one_for_all(void **state)
{
    (void)state;
    const vaddr_t at = map_at(0, 4, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, NULL, 0);
    struct mm *child;

    writes(at, 1);
    assert_int_equal(mm_fork(mm, &child), 0);
    good();
    writes(at, 2);
    writes(at + PAGES(1), 3);
    mm_load(child);
    assert_int_equal(reads(at), 2);
    assert_int_equal(reads(at + PAGES(1)), 3);
    writes(at + PAGES(2), 4);
    mm_load(mm);
    mm_destroy(child);
    good();
    assert_int_equal(reads(at + PAGES(2)), 4);
}

static void file_hears_of_each_first_write(void **state)
{
    (void)state;
    struct page_cache *cache = file(&disk_operations, 8, 8);
    const vaddr_t at = map_at(BASE, 8, READ_WRITE, MAP_SHARED, cache, 0);
    const vaddr_t other = map_at(BASE + PAGES(100), 8, READ_WRITE, MAP_SHARED, cache, 0);

    assert_int_equal(reads(at), 100);
    assert_false(leaf(at) & PTE_RW);
    count_faults();
    writes(at, 1);
    resolved(1, RESOLVED_MKWRITE, 1);
    assert_int_equal(mkwrites, 1);
    writes(at, 2);
    assert_int_equal(mkwrites, 1);
    writes(other + PAGES(1), 3); /* nothing there yet */
    resolved(2, RESOLVED_SHARED, 1);
    assert_int_equal(mkwrites, 2);
    writes(other, 3);
    assert_int_equal(mkwrites, 3);
    /* Cleaned, all mappings start again. */
    assert_int_equal(page_cache_clean(cache, 0, 7), 2);
    good();
    assert_false((leaf(at) | leaf(other) | leaf(other + PAGES(1))) & (PTE_RW | PTE_D));
    assert_int_equal(page_cache_clean(cache, 0, 7), 0);
    writes(at, 4);
    assert_int_equal(mkwrites, 4);
    assert_int_equal(page_cache_clean(cache, 1, 7), 0);
    assert_int_equal(page_cache_clean(cache, 0, 0), 1);
    /* mprotect does not open a clean page. */
    assert_int_equal(mm_mprotect(mm, at, PAGES(8), PROT_READ, -1), 0);
    assert_int_equal(mm_mprotect(mm, at, PAGES(8), READ_WRITE, -1), 0);
    good();
    writes(at, 5);
    assert_int_equal(mkwrites, 5);
    /* The file refuses. */
    mkwrite_answers = VM_FAULT_SIGBUS;
    refused(other + PAGES(3), ACCESS_WRITE, SIGBUS, BUS_ADRERR, 6);
    (void)reads(at + PAGES(3));
    refused(at + PAGES(3), ACCESS_WRITE, SIGBUS, BUS_ADRERR, 7);
    page_cache_put(cache);
}

/* ---- pages that come later ----------------------------------------------------------------------------------- */

static void page_under_way_is_waited_for(void **state)
{
    (void)state;
    static const struct {
        uint64_t flags;
        enum access_kind kind;
    } rows[] = {
        {MAP_PRIVATE, ACCESS_READ },
        {MAP_PRIVATE, ACCESS_WRITE},
        {MAP_SHARED,  ACCESS_READ },
        {MAP_SHARED,  ACCESS_WRITE},
        {MAP_SHARED,  ACCESS_FETCH}
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct page_cache *cache = file(&disk_operations, 8, 0);
        const vaddr_t at =
            map_at(BASE, 8, READ_WRITE | PROT_EXEC, rows[i].flags, cache, 0) + PAGES(2);
        mm->min_flt = mm->maj_flt = 0;
        read_answers = VM_FAULT_RETRY;
        for (int round = 0; round < 2; round++) {
            assert_int_equal(access_as(at, rows[i].kind), BAD_WAIT);
            assert_ptr_equal(mm->bad.page, page_cache_find(cache, 2));
        }
        assert_int_equal(last_fault()->resolution, RESOLVED_WAITS);
        fill(under_way);
        page_arrived(under_way, true);
        good();
        assert_int_equal(access_as(at, rows[i].kind), BAD_NONE);
        assert_int_equal(mm->min_flt, 0);
        assert_int_equal(mm->maj_flt, 1);
        assert_int_equal(reads(at + 16), 102);
        /* One that cannot be read. */
        assert_int_equal(access_as(at + PAGES(1), rows[i].kind), BAD_WAIT);
        page_arrived(under_way, false);
        const uint64_t error = rows[i].kind == ACCESS_READ    ? 4
                               : rows[i].kind == ACCESS_WRITE ? 6
                                                              : 0x14;
        refused(at + PAGES(1), rows[i].kind, SIGBUS, BUS_ADRERR, error);
        /* Truncated while it is waited for. */
        assert_int_equal(access_as(at + PAGES(2), rows[i].kind), BAD_WAIT);
        page_cache_truncate(cache, PAGES(4));
        good();
        refused(at + PAGES(2), rows[i].kind, SIGBUS, BUS_ADRERR, error);
        page_arrived(under_way, true);
        good();
        page_cache_put(cache);
    }
}

static void neighbours_under_way_are_not_mapped(void **state)
{
    (void)state;
    struct page_cache *cache = file(&disk_operations, 8, 0);
    const vaddr_t at = map_at(BASE, 8, PROT_READ, MAP_SHARED, cache, 0);

    read_answers = VM_FAULT_RETRY;
    assert_int_equal(access_as(at, ACCESS_READ), BAD_WAIT);
    struct page *late = under_way;
    read_answers = VM_FAULT_DONE;
    mm->bad.kind = BAD_NONE;
    assert_int_equal(reads(at + PAGES(1)), 101);
    assert_true(leaf(at) == 0);
    fill(late);
    page_arrived(late, true);
    assert_int_equal(reads(at), 100);
    page_cache_put(cache);
}

/* ---- copy on write ------------------------------------------------------------------------------------------- */

static void sole_owner_is_not_copied(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(1);
    struct mm *child;

    writes(at, 1);
    const struct page *page = pte_page(leaf(at));
    assert_int_equal(mm_fork(mm, &child), 0);
    good();
    mm_destroy(child);
    good();
    count_faults();
    writes(at, 2);
    resolved(1, RESOLVED_REUSE, 1);
    assert_ptr_equal(pte_page(leaf(at)), page);
    assert_true(page->flags & PAGE_EXCLUSIVE);
}

static void whoever_writes_first_copies(void **state)
{
    (void)state;
    for (int child_first = 0; child_first < 2; child_first++) {
        const vaddr_t at = map_anonymous(2);
        struct mm *child;
        writes(at, 1);
        const struct page *page = pte_page(leaf(at));
        assert_int_equal(mm_fork(mm, &child), 0);
        good();
        assert_int_equal(page->count, 2);
        mm_load(child_first ? child : mm);
        count_faults();
        writes(at, 2);
        resolved(1, RESOLVED_COPY, 1);
        assert_int_equal(page->count, 1);
        mm_load(child_first ? mm : child);
        assert_int_equal(reads(at), 1);
        count_faults();
        writes(at, 3);
        resolved(1, RESOLVED_REUSE, 1);
        assert_ptr_equal(pte_page(leaf_in(child_first ? mm : child, at)), page);
        mm_load(child_first ? child : mm);
        assert_int_equal(reads(at), 2);
        mm_load(mm);
        mm_destroy(child);
        assert_int_equal(mm_munmap(mm, at, PAGES(2)), 0);
        good();
    }
}

static void generations_share_until_they_write(void **state)
{
    (void)state;
    enum { GENERATIONS = 5 };
    const vaddr_t at = map_anonymous(GENERATIONS + 1);
    struct mm *of[GENERATIONS] = {mm};

    for (uint64_t page = 0; page <= GENERATIONS; page++) {
        writes(at + PAGES(page), 10 + page);
    }
    assert_int_equal(reads(at), 10);
    for (unsigned i = 1; i < GENERATIONS; i++) {
        assert_int_equal(mm_fork(of[i - 1], &of[i]), 0);
        good();
        mm_load(of[i]);
        writes(at + PAGES(i), 100 * i); /* before the next fork: inherited */
    }
    for (unsigned i = 0; i < GENERATIONS; i++) {
        mm_load(of[i]);
        for (uint64_t page = 0; page <= GENERATIONS; page++) {
            assert_int_equal(reads(at + PAGES(page)),
                             page >= 1 && page <= i ? 100 * page : 10 + page);
        }
    }
    assert_int_equal(pte_page(leaf(at))->count, GENERATIONS);
    /* The middle goes first. */
    mm_load(NULL);
    mm_destroy(of[2]);
    good();
    mm_destroy(of[1]);
    mm_destroy(of[4]);
    good();
    mm_load(mm);
    assert_int_equal(reads(at + PAGES(2)), 12);
    mm_destroy(of[3]);
    good();
    count_faults();
    writes(at, 1);
    resolved(1, RESOLVED_REUSE, 1);
}

/* Two mappings of which each may be had become one of which a second may not. */
static void fork_asks_for_all_of_a_mapping(void **state)
{
    (void)state;
    const uint64_t half = PAGES(150000), flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const vaddr_t at = map_at(BASE, 150000, READ_WRITE, flags, NULL, 0);
    struct mm *child;

    (void)map_at(BASE + half, 150000, READ_WRITE, flags, NULL, 0);
    assert_int_equal(mm->map_count, 1);
    assert_int_equal(mm_fork(mm, &child), -ENOMEM);
    assert_int_equal(mm_madvise(mm, at, 2 * half, 10), 0); /* DONTFORK */
    assert_int_equal(mm_fork(mm, &child), 0);
    mm_destroy(child);
}

static void zero_page_crosses_a_fork(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(2);
    struct mm *child;

    assert_int_equal(reads(at), 0);
    writes(at + PAGES(1), 1);
    assert_int_equal(mm_fork(mm, &child), 0);
    good();
    mm_load(child);
    writes(at, 5);
    mm_load(mm);
    assert_int_equal(reads(at), 0);
    mm_destroy(child);
}

static void private_file_copies_cross_a_fork(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 2, 2);
    const vaddr_t at = map_at(BASE, 2, READ_WRITE, MAP_PRIVATE, cache, 0);
    struct mm *child;

    writes(at, 1);
    assert_int_equal(reads(at + PAGES(1)), 101);
    assert_int_equal(mm_fork(mm, &child), 0);
    good();
    writes(at, 2);
    writes(at + PAGES(1), 3);
    mm_load(child);
    assert_int_equal(reads(at), 1);
    assert_int_equal(reads(at + PAGES(1)), 101);
    mm_load(mm);
    mm_destroy(child);
    assert_int_equal(in_file(cache, 0), 100);
    page_cache_put(cache);
}

static void kernel_breaks_copy_on_write_too(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(2);
    struct mm *child;
    uint64_t value = 9;

    writes(at, 1);
    assert_int_equal(mm_fork(mm, &child), 0);
    assert_int_equal(copy_to_user(at, &value, 8), 0);
    good();
    mm_load(child);
    assert_int_equal(reads(at), 1);
    assert_int_equal(clear_user(at, 4), 0);
    assert_int_equal(copy_from_user(&value, at, 8), 0);
    assert_int_equal(value, 0);
    mm_load(mm);
    assert_int_equal(reads(at), 9);
    mm_destroy(child);
}

/* ---- the file changes below its mappings ------------------------------------------------------------------------ */

static void truncation_reaches_every_mapping(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 4, 4);
    const vaddr_t shared = map_at(BASE, 4, READ_WRITE, MAP_SHARED, cache, 0);
    const vaddr_t private = map_at(BASE + PAGES(100), 4, READ_WRITE, MAP_PRIVATE, cache, 0);

    writes(shared + PAGES(2), 1);
    writes(private + PAGES(1), 2);
    writes(private + PAGES(2), 3);
    (void)reads(private);
    page_cache_truncate(cache, PAGES(1) + 16);
    good();
    refused(shared + PAGES(2), ACCESS_READ, SIGBUS, BUS_ADRERR, 4);
    refused(private + PAGES(2), ACCESS_READ, SIGBUS, BUS_ADRERR, 4); /* its copy as well */
    assert_int_equal(reads(shared + PAGES(1) + 8), 101);
    assert_int_equal(reads(shared + PAGES(1) + 16), 0);
    assert_int_equal(reads(private + PAGES(1)), 2); /* the copy is as it was */
    assert_int_equal(reads(private + PAGES(1) + 16), 101);
    page_cache_truncate(cache, PAGES(4));
    good();
    assert_int_equal(reads(private + PAGES(2)), 0);
    page_cache_put(cache);
}

static void punching_spares_private_copies(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_operations, 4, 4);
    const vaddr_t shared = map_at(BASE, 4, READ_WRITE, MAP_SHARED, cache, 0);
    const vaddr_t private = map_at(BASE + PAGES(100), 4, READ_WRITE, MAP_PRIVATE, cache, 0);

    writes(private + PAGES(1), 3);
    (void)reads(private + PAGES(2));
    (void)reads(shared + PAGES(1));
    page_cache_punch(cache, PAGES(1), PAGES(2) + 8);
    good();
    assert_int_equal(cache->pages, 2);
    assert_int_equal(reads(private + PAGES(1)), 3);
    assert_int_equal(reads(private + PAGES(2)), 0);
    assert_int_equal(reads(shared + PAGES(1)), 0);
    assert_int_equal(reads(shared + PAGES(3)), 0);
    assert_int_equal(reads(shared + PAGES(3) + 8), 103);
    page_cache_put(cache);
}

/* ---- rights --------------------------------------------------------------------------------------------------------- */

static void every_access_to_every_right(void **state)
{
    (void)state;
    simulated.pkru = 0;
    for (uint64_t prot = 0; prot < 8; prot++) {
        for (unsigned kind = ACCESS_READ; kind <= ACCESS_FETCH; kind++) {
            for (int touched = 0; touched < 2; touched++) {
                const vaddr_t at = map_anonymous(2);
                if (touched) {
                    writes(at, 1);
                }
                assert_int_equal(mm_mprotect(mm, at, PAGES(2), prot, -1), 0);
                machine_take_keys();
                good();
                /* Execute-only memory has a key that denies data accesses. */
                const bool by_key = prot == PROT_EXEC && kind != ACCESS_FETCH;
                const bool allowed = kind == ACCESS_READ    ? prot != 0 && prot != PROT_EXEC
                                     : kind == ACCESS_WRITE ? (prot & PROT_WRITE) != 0
                                                            : (prot & PROT_EXEC) != 0;
                if (allowed) {
                    assert_int_equal(access_as(at, (enum access_kind)kind), BAD_NONE);
                } else {
                    /*
                     * P, when there is a page that may be reached at all; a fetch brings one first. A
                     * key is looked at by the processor only where a page is present.
                     */
                    const bool present = prot != 0 && (touched || kind == ACCESS_FETCH);
                    const uint64_t error = (present ? 1u : 0) | (kind == ACCESS_WRITE ? 2u : 0) |
                                           4 | (kind == ACCESS_FETCH ? 0x10u : 0) |
                                           (by_key && present ? 0x20u : 0);
                    refused(at, (enum access_kind)kind, SIGSEGV, by_key ? SEGV_PKUERR : SEGV_ACCERR,
                            error);
                    assert_int_equal(mm->bad.key, by_key ? 1 : 0);
                }
            }
        }
    }
}

static void protection_keys_deny(void **state)
{
    (void)state;
    const vaddr_t at =
        map_at(BASE, 3, READ_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
    const int64_t key = mm_pkey_alloc(mm, 0, 0);

    assert_int_equal(key, 1);
    writes(at, 1);
    assert_int_equal(mm_mprotect(mm, at, PAGES(3), READ_WRITE | PROT_EXEC, (int)key), 0);
    good();
    simulated.pkru = 2u << (2 * key); /* write-disable */
    assert_int_equal(reads(at), 1);
    refused(at, ACCESS_WRITE, SIGSEGV, SEGV_PKUERR, 0x27);
    assert_int_equal(mm->bad.key, key);
    refused(at + PAGES(1), ACCESS_WRITE, SIGSEGV, SEGV_PKUERR, 6); /* not there: no page, no key */
    uint64_t value = 0;
    assert_int_equal(copy_to_user(at, &value, 8), 8);
    simulated.pkru = 1u << (2 * key); /* access-disable */
    refused(at, ACCESS_READ, SIGSEGV, SEGV_PKUERR, 0x25);
    assert_int_equal(user_fetch(at), BAD_NONE);
    assert_int_equal(user_fetch(at + PAGES(2)), BAD_NONE);
    simulated.pkru = 1; /* another key's */
    assert_int_equal(reads(at), 1);
    simulated.pkru = 0;
}

static void hidden_pages_keep_what_they_hold(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(3);
    struct mm *child;

    writes(at, 1);
    assert_int_equal(reads(at + PAGES(1)), 0);
    assert_int_equal(mm_mprotect(mm, at, PAGES(3), PROT_NONE, -1), 0);
    good();
    refused(at, ACCESS_READ, SIGSEGV, SEGV_ACCERR, 4);
    refused(at, ACCESS_FETCH, SIGSEGV, SEGV_ACCERR, 0x14);
    assert_int_equal(mm_fork(mm, &child), 0);
    good();
    assert_int_equal(mm_mprotect(mm, at, PAGES(3), READ_WRITE, -1), 0);
    good();
    assert_int_equal(reads(at), 1);
    writes(at, 2);
    writes(at + PAGES(1), 3);
    mm_load(child);
    assert_int_equal(mm_mprotect(child, at, PAGES(3), PROT_READ, -1), 0);
    good();
    assert_int_equal(reads(at), 1);
    mm_load(mm);
    mm_destroy(child);
}

/* Pages that are nobody else's become writable again at once; others only by a fault that looks. */
static void rights_come_back_without_a_fault_only_where_nobody_shares(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(2);
    struct mm *child;

    writes(at, 1);
    assert_int_equal(mm_mprotect(mm, at, PAGES(2), PROT_READ, -1), 0);
    assert_int_equal(mm_mprotect(mm, at, PAGES(2), READ_WRITE, -1), 0);
    count_faults();
    writes(at, 2);
    assert_int_equal(simulated.faults, faults_before);
    assert_int_equal(mm_fork(mm, &child), 0);
    assert_int_equal(mm_mprotect(mm, at, PAGES(2), PROT_READ, -1), 0);
    assert_int_equal(mm_mprotect(mm, at, PAGES(2), READ_WRITE, -1), 0);
    good();
    count_faults();
    writes(at, 3);
    resolved(1, RESOLVED_COPY, 1);
    mm_load(child);
    assert_int_equal(reads(at), 2);
    mm_load(mm);
    mm_destroy(child);
}

static void nothing_mapped_is_maperr(void **state)
{
    (void)state;
    static const struct {
        vaddr_t address;
        uint64_t present; /* of the error code: always, at and above the end of user memory */
    } rows[] = {
        {0,                            0},
        {4096,                         0},
        {BASE - 1,                     0},
        {BASE + PAGES(2),              0},
        {TASK_SIZE - 1,                0},
        {TASK_SIZE,                    1},
        {UINT64_C(0xffff800000000000), 1},
        {UINT64_C(0xffffffff80000000), 1},
        {UINT64_C(0xfffffffffffffff8), 1}
    };

    (void)map_anonymous(2);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (unsigned kind = ACCESS_READ; kind <= ACCESS_FETCH; kind++) {
            const uint64_t error = 4 | rows[i].present | (kind == ACCESS_WRITE ? 2u : 0) |
                                   (kind == ACCESS_FETCH ? 0x10u : 0);
            refused(rows[i].address, (enum access_kind)kind, SIGSEGV, SEGV_MAPERR, error);
        }
    }
}

/* ---- stacks ------------------------------------------------------------------------------------------------------------ */

static void stack_grows_to_what_is_touched(void **state)
{
    (void)state;
    const uint64_t flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN;
    const vaddr_t top = BASE + PAGES(10000),
                  at = map_at(top - PAGES(2), 2, READ_WRITE, flags, NULL, 0);

    writes(at - 8, 1);
    assert_true(vma_at(mm, at)->start == at - PAGE_SIZE);
    writes(at - PAGES(1000), 2);
    assert_true(vma_at(mm, at)->start == at - PAGES(1000));
    assert_int_equal(mm->pages_total, 1002);
    assert_int_equal(reads(at - PAGES(500)), 0);
    assert_true(leaf(at - PAGES(501)) == 0);
    uint64_t value = 5; /* a system call's access grows it, too */
    assert_int_equal(copy_to_user(at - PAGES(1100), &value, 8), 0);
    good();
    /* Far below RSP is fine. */
    simulated.rsp = top - 64;
    writes(at - PAGES(1500), 3);
}

static void stack_ends_where_linux_ends_it(void **state)
{
    (void)state;
    static const struct {
        uint64_t prot, flags; /* of the neighbour below */
        uint64_t gap;         /* pages that stay between the two at the least */
    } rows[] = {
        {PROT_READ,  MAP_PRIVATE | MAP_ANONYMOUS,                 256},
        {PROT_EXEC,  MAP_PRIVATE | MAP_ANONYMOUS,                 256},
        {READ_WRITE, MAP_SHARED | MAP_ANONYMOUS,                  256},
        {PROT_NONE,  MAP_PRIVATE | MAP_ANONYMOUS,                 0  },
        {READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, 0  },
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const vaddr_t below = map_at(BASE, 1, rows[i].prot, rows[i].flags, NULL, 0);
        const vaddr_t at = map_at(BASE + PAGES(400), 1, READ_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);
        const vaddr_t lowest = below + PAGES(1 + rows[i].gap);
        if (rows[i].gap) {
            refused(lowest - PAGE_SIZE, ACCESS_WRITE, SIGSEGV, SEGV_MAPERR, 6);
            refused(lowest - 1, ACCESS_READ, SIGSEGV, SEGV_MAPERR, 4);
        }
        writes(lowest, 1);
        assert_true(vma_at(mm, at)->start == lowest);
        assert_int_equal(mm_munmap(mm, BASE, PAGES(401)), 0);
        good();
    }
}

static void stack_ends_at_its_limits(void **state)
{
    (void)state;
    const vaddr_t at = map_at(BASE + PAGES(400), 1, READ_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);

    mm->stack_limit = PAGES(10);
    refused(at - PAGES(10), ACCESS_WRITE, SIGSEGV, SEGV_MAPERR, 6);
    assert_true(vma_at(mm, at)->anon_vma != 0); /* to have tried is a history */
    writes(at - PAGES(9), 1);
    mm->stack_limit = MM_STACK_LIMIT;
    mm->address_limit = PAGES(12);
    refused(at - PAGES(12), ACCESS_WRITE, SIGSEGV, SEGV_MAPERR, 6);
    writes(at - PAGES(11), 1);
    mm->address_limit = MM_NO_LIMIT;
    /* Nor by more at once than the machine has. */
    const uint64_t most = UINT64_C(1) << 30;
    const vaddr_t far = map_at(BASE + 2 * most, 1, READ_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);
    mm->stack_limit = MM_NO_LIMIT;
    refused(far - most - 8, ACCESS_WRITE, SIGSEGV, SEGV_MAPERR, 6);
    writes(far - most, 1);
    mm->stack_limit = MM_STACK_LIMIT;
    /* Neither below what may be mapped. */
    (void)map_at(MMAP_MIN_ADDRESS + PAGES(2), 1, READ_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);
    refused(MMAP_MIN_ADDRESS - 8, ACCESS_WRITE, SIGSEGV, SEGV_MAPERR, 6);
    writes(MMAP_MIN_ADDRESS, 1);
    /* A write that is refused makes it grow all the same. */
    const vaddr_t read_only = map_at(BASE + PAGES(2000), 1, PROT_READ,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);
    refused(read_only - PAGES(4), ACCESS_WRITE, SIGSEGV, SEGV_ACCERR, 6);
    assert_true(vma_at(mm, read_only)->start == read_only - PAGES(4));
}

static void historic_rule_looks_at_rsp(void **state)
{
    (void)state;
    const vaddr_t at = map_at(BASE + PAGES(400), 2, READ_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);
    uint64_t value = 1;

    stack_historic_rule = true;
    simulated.rsp = at + 64;
    refused(simulated.rsp - 65536 - 256 - 8, ACCESS_WRITE, SIGSEGV, SEGV_MAPERR, 6);
    assert_true(vma_at(mm, at)->start == at);
    writes(simulated.rsp - 65536 - 256, 1);
    /* A system call's RSP is not the program's. */
    assert_int_equal(copy_to_user(at - PAGES(100), &value, 8), 0);
}

/* ---- the kernel's accesses ------------------------------------------------------------------------------------------------ */

static void kernel_copies_up_to_what_is_missing(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(3);
    static uint8_t bytes[PAGE_SIZE * 4];
    uint64_t value;

    memset(bytes, 0x5a, sizeof(bytes));
    assert_int_equal(copy_to_user(at, bytes, PAGES(3)), 0);
    good();
    assert_int_equal(copy_to_user(at + 100, bytes, PAGES(3)), 100);
    assert_int_equal(copy_to_user(at + PAGES(3), bytes, 8), 8);
    assert_int_equal(mm_mprotect(mm, at + PAGES(1), PAGES(1), PROT_READ, -1), 0);
    assert_int_equal(copy_to_user(at + 10, bytes, PAGES(2)), PAGES(1) + 10);
    assert_int_equal(clear_user(at + PAGES(1) - 3, 10), 7);
    assert_int_equal(copy_from_user(bytes, at, PAGES(3)), 0);
    assert_int_equal(bytes[PAGE_SIZE - 3], 0);
    assert_int_equal(bytes[PAGE_SIZE], 0x5a);
    assert_true(get_user(&value, at + 200, 4));
    assert_int_equal(value, 0x5a5a5a5a);
    assert_true(put_user(7, at + 200, 2));
    assert_true(get_user(&value, at + 200, 8));
    assert_true(value == UINT64_C(0x5a5a5a5a5a5a0007));
    assert_false(put_user(7, at + PAGES(1), 1));
    assert_false(get_user(&value, at + PAGES(3), 1));
    assert_int_equal(simulated.last, FAULT_NOT_MINE);
    good();
}

static void kernel_has_no_business_without_its_accessors(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(1);
    static const struct {
        uint64_t error, rflags, rip;
        bool smap;
        enum fault_result result;
    } rows[] = {
        {PF_EC_W,              RFLAGS_ONE | RFLAGS_AC, SIMULATED_ACCESSOR, true,  FAULT_RETRY},
        {PF_EC_W,              RFLAGS_ONE,             SIMULATED_ACCESSOR, true,  FAULT_OOPS },
        {PF_EC_P | PF_EC_W,    RFLAGS_ONE,             SIMULATED_ACCESSOR, true,  FAULT_OOPS },
        {PF_EC_I,              RFLAGS_ONE | RFLAGS_AC, SIMULATED_ACCESSOR, true,  FAULT_OOPS },
        {PF_EC_I | PF_EC_P,    RFLAGS_ONE,             SIMULATED_ACCESSOR, true,  FAULT_OOPS },
        {PF_EC_P | PF_EC_RSVD, RFLAGS_ONE | RFLAGS_AC, SIMULATED_ACCESSOR, true,  FAULT_OOPS },
        {0,                    RFLAGS_ONE,             SIMULATED_ACCESSOR, false, FAULT_RETRY},
 /* No entry in the exception table: nobody's accessor. */
        {0,                    RFLAGS_ONE | RFLAGS_AC, CORE_BASE + 8,      true,  FAULT_OOPS },
        {0,                    RFLAGS_ONE,             CORE_BASE + 8,      false, FAULT_OOPS },
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct trap_frame frame = {.vector = VECTOR_PF,
                                   .cs = SELECTOR_CODE,
                                   .error = rows[i].error,
                                   .rip = rows[i].rip,
                                   .rflags = rows[i].rflags};
        uaccess_configure(rows[i].smap, 4);
        assert_int_equal(mm_resolve(&frame, at), rows[i].result);
    }
    uaccess_configure(true, 4);
    good();
}

/* What the tables allow by now, and only the TLB did not, is tried again. */
static void spurious_faults_are_retried(void **state)
{
    (void)state;
    const vaddr_t at = map_anonymous(1);

    writes(at, 1);
    assert_int_equal(mm_mprotect(mm, at, PAGES(1), PROT_READ, -1), 0);
    assert_int_equal(reads(at), 1);
    tlb_simulated_drop(tlb_simulated_flushes() + 1);
    assert_int_equal(mm_mprotect(mm, at, PAGES(1), READ_WRITE, -1), 0);
    assert_int_equal(tlb_simulated_stale(), 1);
    good(); /* an older, smaller right does no harm */
    count_faults();
    writes(at, 2);
    resolved(1, RESOLVED_SPURIOUS, 0);
    assert_int_equal(reads(at), 2);
}

/* ---- no memory --------------------------------------------------------------------------------------------------------------- */

/* What an operation may work with, and leaves behind. */
static struct {
    struct page_cache *cache;
    struct mm *child;
    vaddr_t at;
} scene;

/* Each says 0, or its error. @scene.at has 8 pages of private memory, of which 0 to 3 were written. */
static int64_t write_untouched(void)
{
    uint64_t value = 1;
    const enum bad_kind bad = user_write(scene.at + PAGES(5), &value, 8);

    return bad == BAD_OOM ? -ENOMEM : (int64_t)bad;
}

static int64_t write_far(void)
{
    uint64_t value = 1;
    const enum bad_kind bad = user_write(UINT64_C(0x7f0000000000), &value, 8);

    return bad == BAD_OOM ? -ENOMEM : (int64_t)bad;
}

static int64_t read_far(void)
{
    uint64_t value;
    const enum bad_kind bad = user_read(UINT64_C(0x7f0000000000), &value, 8);

    return bad == BAD_OOM ? -ENOMEM : (int64_t)bad;
}

static int64_t write_after_fork(void)
{
    uint64_t value = 1;
    const enum bad_kind bad = user_write(scene.at, &value, 8);

    return bad == BAD_OOM ? -ENOMEM : (int64_t)bad;
}

static int64_t file_at(uint64_t flags, bool write)
{
    uint64_t value = 1;
    const vaddr_t at = flags & MAP_SHARED ? UINT64_C(0x7e0000000000) : UINT64_C(0x7d0000000000);
    const enum bad_kind bad = write ? user_write(at, &value, 8) : user_read(at, &value, 8);

    return bad == BAD_OOM ? -ENOMEM : (int64_t)bad;
}

static int64_t shared_read(void)
{
    return file_at(MAP_SHARED, false);
}
static int64_t shared_write(void)
{
    return file_at(MAP_SHARED, true);
}
static int64_t private_read(void)
{
    return file_at(MAP_PRIVATE, false);
}
static int64_t private_write(void)
{
    return file_at(MAP_PRIVATE, true);
}

static int64_t fork_it(void)
{
    return mm_fork(mm, &scene.child);
}

static int64_t map_more(void)
{
    const int64_t at = mm_mmap(mm, 0, PAGES(3), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0, 0);
    return at < 0 ? at : 0;
}

static int64_t map_shared(void)
{
    const int64_t at = mm_mmap(mm, 0, PAGES(3), PROT_READ, MAP_SHARED | MAP_ANONYMOUS, NULL, 0, 0);
    return at < 0 ? at : 0;
}

static int64_t map_over(void)
{
    const int64_t at = mm_mmap(mm, scene.at + PAGES(2), PAGES(2), PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0);
    return at < 0 ? at : 0;
}

static int64_t unmap_middle(void)
{
    return mm_munmap(mm, scene.at + PAGES(4), PAGES(2));
}

static int64_t protect_middle(void)
{
    return mm_mprotect(mm, scene.at + PAGES(4), PAGES(2), PROT_READ, -1);
}

static int64_t advise_middle(void)
{
    return mm_madvise(mm, scene.at + PAGES(4), PAGES(2), 10 /* MADV_DONTFORK */);
}

static int64_t lock_middle(void)
{
    return mm_mlock(mm, scene.at + PAGES(4), PAGES(2));
}

static int64_t populate_all(void)
{
    return mm_madvise(mm, scene.at, PAGES(8), 23 /* MADV_POPULATE_WRITE */);
}

static int64_t move_all(void)
{
    const int64_t at = mm_mremap(mm, scene.at, PAGES(8), PAGES(8), 3 /* MAYMOVE | FIXED */,
                                 UINT64_C(0x7c0000000000));
    return at < 0 ? at : 0;
}

static int64_t move_middle(void)
{
    const int64_t at = mm_mremap(mm, scene.at + PAGES(2), PAGES(2), PAGES(3), 3,
                                 UINT64_C(0x7c0000000000) - PAGES(1));
    return at < 0 ? at : 0;
}

static int64_t grow_heap(void)
{
    const vaddr_t wanted = mm->brk + PAGES(3);
    return mm_brk(mm, wanted) == (int64_t)wanted ? 0 : -ENOMEM;
}

static const struct {
    const char *name;
    int64_t (*run)(void);
    bool forked;          /* a child shares the pages */
    bool keeps_all;       /* when it fails, the pages are where they were */
    unsigned allocations; /* at the least */
} operations[] = {
    {"write_untouched",  write_untouched,  false, true,  1},
    {"write_far",        write_far,        false, true,  4},
    {"read_far",         read_far,         false, true,  3},
    {"write_after_fork", write_after_fork, true,  true,  1},
    {"shared_read",      shared_read,      false, true,  4},
    {"shared_write",     shared_write,     false, true,  4},
    {"private_read",     private_read,     false, true,  4},
    {"private_write",    private_write,    false, true,  5},
    {"fork",             fork_it,          false, true,  8},
    {"map_more",         map_more,         false, true,  1},
    {"map_shared",       map_shared,       false, true,  2},
    {"map_over",         map_over,         false, false, 3},
    {"unmap_middle",     unmap_middle,     false, true,  2},
    {"protect_middle",   protect_middle,   false, true,  2},
    {"advise_middle",    advise_middle,    false, true,  2},
    {"lock_middle",      lock_middle,      false, true,  4},
    {"populate_all",     populate_all,     false, true,  4},
    {"move_all",         move_all,         false, true,  4},
    {"move_middle",      move_middle,      false, true,  4},
    {"grow_heap",        grow_heap,        false, true,  1},
};

static void scene_start(bool forked)
{
    (void)start(NULL);
    mm->brk_start = mm->brk = UINT64_C(0x600000);
    scene.child = NULL;
    scene.cache = file(&memory_operations, 8, 0);
    scene.at = map_anonymous(8);
    for (uint64_t page = 0; page < 4; page++) {
        writes(scene.at + PAGES(page), 70 + page);
    }
    (void)map_at(UINT64_C(0x7f0000000000), 1, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
    (void)map_at(UINT64_C(0x7e0000000000), 8, READ_WRITE, MAP_SHARED, scene.cache, 0);
    (void)map_at(UINT64_C(0x7d0000000000), 8, READ_WRITE, MAP_PRIVATE, scene.cache, 0);
    if (forked) {
        assert_int_equal(mm_fork(mm, &scene.child), 0);
    }
}

static void scene_end(void)
{
    mm_load(NULL);
    if (scene.child) {
        mm_destroy(scene.child);
    }
    mm_load(mm);
    page_cache_put(scene.cache);
    (void)end(NULL);
}

/*
 * Linux has another word for it in two places: no VMA for madvise, no page for mlock. And mremap has
 * succeeded when the old place cannot be split off any more: it stays, empty.
 */
static int64_t expected_error(int64_t (*run)(void), uint64_t number)
{
    if (run == move_middle && number > 7) { /* a VMA, two times three tables */
        return 0;
    }
    return run == advise_middle || (run == lock_middle && number > 2) ? -EAGAIN : -ENOMEM;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        unsigned failures = 0;
        for (uint64_t number = 1;; number++) {
            scene_start(operations[i].forked);
            memory_fail_at(number);
            const int64_t result = operations[i].run();
            const bool failed = memory_failed();
            memory_fail_at(0);
            const char *wrong = machine_wrong();
            if (wrong) {
                fail_msg("%s, allocation %lu: %s", operations[i].name, (unsigned long)number,
                         wrong);
            }
            if (!failed) {
                if (result != 0) {
                    fail_msg("%s: %ld", operations[i].name, (long)result);
                }
                scene_end();
                break;
            }
            failures++;
            if (result != expected_error(operations[i].run, number)) {
                fail_msg("%s, allocation %lu: %ld", operations[i].name, (unsigned long)number,
                         (long)result);
            }
            if (operations[i].keeps_all && result != 0) {
                for (uint64_t page = 0; page < 8; page++) {
                    assert_int_equal(reads(scene.at + PAGES(page)), page < 4 ? 70 + page : 0);
                }
            }
            /* With memory again, it works: nothing half done is in the way. */
            if (operations[i].run() != 0) {
                fail_msg("%s: not after allocation %lu", operations[i].name, (unsigned long)number);
            }
            good();
            scene_end();
        }
        if (failures < operations[i].allocations) {
            fail_msg("%s: only %u allocations", operations[i].name, failures);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(anonymous_read_maps_the_zero_page),
        TEST(anonymous_write_gets_a_frame_of_zeros),
        TEST(zero_page_gives_way_to_a_frame),
        TEST(access_that_straddles_faults_twice),
        TEST(fault_around_maps_its_window),
        TEST(fault_around_leaves_what_is_mapped),
        TEST(reading_a_hole_makes_its_page),
        TEST(end_of_file_is_sigbus),
        TEST(private_write_copies_at_once),
        TEST(private_write_behind_a_read_copies),
        TEST(shared_write_is_the_files),
        TEST(shared_anonymous_memory_is_one_for_all),
        TEST(file_hears_of_each_first_write),
        TEST(page_under_way_is_waited_for),
        TEST(neighbours_under_way_are_not_mapped),
        TEST(sole_owner_is_not_copied),
        TEST(whoever_writes_first_copies),
        TEST(generations_share_until_they_write),
        TEST(fork_asks_for_all_of_a_mapping),
        TEST(zero_page_crosses_a_fork),
        TEST(private_file_copies_cross_a_fork),
        TEST(kernel_breaks_copy_on_write_too),
        TEST(truncation_reaches_every_mapping),
        TEST(punching_spares_private_copies),
        TEST(every_access_to_every_right),
        TEST(protection_keys_deny),
        TEST(hidden_pages_keep_what_they_hold),
        TEST(rights_come_back_without_a_fault_only_where_nobody_shares),
        TEST(nothing_mapped_is_maperr),
        TEST(stack_grows_to_what_is_touched),
        TEST(stack_ends_where_linux_ends_it),
        TEST(stack_ends_at_its_limits),
        TEST(historic_rule_looks_at_rsp),
        TEST(kernel_copies_up_to_what_is_missing),
        TEST(kernel_has_no_business_without_its_accessors),
        TEST(spurious_faults_are_retried),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
