/*
 * test_page_cache.c: the pages of files: fetched, under way, truncated, punched, cleaned, given back.
 * What is mapped is the recorder's word here: mm/range.c has its own tests.
 */
#include "tests/host/unit.h"

#include "mm/audit.h"
#include "mm/range.h"
#include "tests/host/machine_simulated.h"

/* ---- what page_cache.c asks of mm/range.c ---------------------------------------------------------- */

static struct {
    unsigned unmaps, cleans;
    uint64_t first, last;
    enum zap zap;
    uint64_t bytes; /* of the file at that moment */
    uint64_t pages; /* in its cache */
} asked;

void range_unmap_file(struct page_cache *cache, uint64_t first, uint64_t last, enum zap zap)
{
    asked.unmaps++;
    asked.first = first;
    asked.last = last;
    asked.zap = zap;
    asked.bytes = cache->bytes;
    asked.pages = cache->pages;
}

void range_clean(struct page_cache *cache, uint64_t first, uint64_t last)
{
    (void)cache;
    asked.cleans++;
    asked.first = first;
    asked.last = last;
}

/* Not reached by these tests. */
void range_zap(struct vma *vma, vaddr_t start, vaddr_t end, enum zap zap)
{
    (void)vma, (void)start, (void)end, (void)zap;
    abort();
}
void range_free_tables(struct mm *mm, vaddr_t start, vaddr_t end)
{
    (void)mm, (void)start, (void)end;
    abort();
}
int range_copy(struct vma *from, struct vma *to)
{
    (void)from, (void)to;
    abort();
}
void range_protect(struct vma *vma, vaddr_t start, vaddr_t end)
{
    (void)vma, (void)start, (void)end;
    abort();
}
int range_move(struct vma *from, vaddr_t start, struct vma *target, vaddr_t to, uint64_t bytes,
               uint64_t *moved)
{
    (void)from, (void)start, (void)target, (void)to, (void)bytes, (void)moved;
    abort();
}

/* ---- files ----------------------------------------------------------------------------------------- */

static const struct page_cache_operations memory_file;

static enum vm_fault reads_as; /* what read_page answers */
static struct page *last_read; /* the page it was asked for */
static unsigned reads, releases;

static enum vm_fault read_page(struct page_cache *cache, struct page *page)
{
    assert_ptr_equal(page->cache, cache);
    assert_true(page->flags & PAGE_LOCKED);
    reads++;
    last_read = page;
    if (reads_as == VM_FAULT_DONE) {
        memset(page_bytes(page), (int)(page->index + 1), PAGE_SIZE);
    }
    return reads_as;
}

static void release(struct page_cache *cache)
{
    (void)cache;
    releases++;
}

static enum vm_fault mkwrite(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    return VM_FAULT_DONE;
}

static const struct page_cache_operations disk_file = {
    .read_page = read_page, .page_mkwrite = mkwrite, .release = release};

static int start(void **state)
{
    (void)state;
    machine_start(64, 4);
    asked.unmaps = asked.cleans = reads = releases = 0;
    reads_as = VM_FAULT_DONE;
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(machine_left(), 0);
    return 0;
}

static void good(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        fail_msg("%s", wrong);
    }
}

static struct page_cache *file(const struct page_cache_operations *operations, uint64_t bytes)
{
    struct page_cache *cache = page_cache_create(operations, "file", NULL);

    assert_non_null(cache);
    cache->bytes = bytes;
    return cache;
}

/* The page at @index, without the caller's reference. */
static struct page *fetched(struct page_cache *cache, uint64_t index)
{
    struct page *page;

    assert_int_equal(page_cache_fetch(cache, index, &page), VM_FAULT_DONE);
    assert_int_equal(page->count, 2);
    page_put(page);
    return page;
}

static bool all_bytes(const struct page *page, size_t from, size_t to, uint8_t value)
{
    const uint8_t *bytes = page_bytes(page);

    for (size_t i = from; i < to; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

/* ---- one page ---------------------------------------------------------------------------------------- */

static void hole_becomes_a_page_of_zeros(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_file, 3 * PAGE_SIZE + 1);
    struct page *page = fetched(cache, 3), *again;

    assert_true(all_bytes(page, 0, PAGE_SIZE, 0));
    assert_int_equal(page->index, 3);
    assert_ptr_equal(page->cache, cache);
    assert_int_equal(page->flags, PAGE_UPTODATE);
    assert_int_equal(cache->pages, 1);
    assert_int_equal(page_cache_fetch(cache, 3, &again), VM_FAULT_DONE);
    assert_ptr_equal(again, page);
    page_put(again);
    assert_int_equal(cache->pages, 1);
    good();
    page_cache_put(cache);
}

static void behind_the_end_is_sigbus(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes, index;
        enum vm_fault fault;
    } rows[] = {
        {0,             0,                          VM_FAULT_SIGBUS},
        {1,             0,                          VM_FAULT_DONE  },
        {1,             1,                          VM_FAULT_SIGBUS},
        {PAGE_SIZE,     0,                          VM_FAULT_DONE  },
        {PAGE_SIZE,     1,                          VM_FAULT_SIGBUS},
        {PAGE_SIZE + 1, 1,                          VM_FAULT_DONE  },
        {UINT64_MAX,    UINT64_MAX / PAGE_SIZE,     VM_FAULT_DONE  },
        {UINT64_MAX,    UINT64_MAX / PAGE_SIZE + 1, VM_FAULT_SIGBUS},
        {INT64_MAX,     UINT64_MAX,                 VM_FAULT_SIGBUS},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct page_cache *cache = file(&memory_file, rows[i].bytes);
        struct page *page;
        assert_int_equal(page_cache_fetch(cache, rows[i].index, &page), rows[i].fault);
        if (rows[i].fault == VM_FAULT_DONE) {
            page_put(page);
        } else {
            assert_null(page);
        }
        assert_int_equal(cache->pages, rows[i].fault == VM_FAULT_DONE);
        good();
        page_cache_put(cache);
    }
}

static void pages_are_found_in_order_however_they_came(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_file, 1000 * PAGE_SIZE);

    for (uint64_t i = 0; i < 20; i++) {
        (void)fetched(cache, i * 37 % 100);
    }
    for (uint64_t index = 0; index < 101; index++) {
        /* The naive answer: the least of the twenty that is not below it. */
        uint64_t least = UINT64_MAX;
        for (uint64_t i = 0; i < 20; i++) {
            const uint64_t candidate = i * 37 % 100;
            least = candidate >= index && candidate < least ? candidate : least;
        }
        const struct page *first = page_cache_first(cache, index);
        const struct page *exact = page_cache_find(cache, index);
        if (least == UINT64_MAX ? first != NULL : !first || first->index != least) {
            fail_msg("first from %lu", (unsigned long)index);
        }
        if (least == index ? exact != first : exact != NULL) {
            fail_msg("exactly %lu", (unsigned long)index);
        }
    }
    unsigned count = 0;
    uint64_t last = 0;
    for (struct page *page = page_cache_first(cache, 0); page; page = page_cache_next(page)) {
        assert_true(count == 0 || page->index > last);
        last = page->index;
        count++;
    }
    assert_int_equal(count, 20);
    good();
    page_cache_put(cache);
}

static void page_is_read_once(void **state)
{
    (void)state;
    struct page_cache *cache = file(&disk_file, 10 * PAGE_SIZE);
    const struct page *page = fetched(cache, 4);

    assert_true(all_bytes(page, 0, PAGE_SIZE, 5));
    assert_int_equal(page->flags, PAGE_UPTODATE);
    (void)fetched(cache, 4);
    assert_int_equal(reads, 1);
    good();
    page_cache_put(cache);
    assert_int_equal(releases, 1);
}

static void page_under_way_is_waited_for(void **state)
{
    (void)state;
    struct page_cache *cache = file(&disk_file, 10 * PAGE_SIZE);
    struct page *page;

    reads_as = VM_FAULT_RETRY;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(page_cache_fetch(cache, 4, &page), VM_FAULT_RETRY);
        assert_ptr_equal(page, last_read);
        assert_int_equal(page->count, 2); /* the cache's and the reader's */
        good();
    }
    assert_int_equal(reads, 1);
    page_arrived(page, true);
    assert_int_equal(page->count, 1);
    assert_ptr_equal(fetched(cache, 4), page);
    assert_int_equal(reads, 1);
    good();
    page_cache_put(cache);
}

/* Said once: whoever comes next makes the file read again. */
static void page_that_cannot_be_read_is_sigbus_once(void **state)
{
    (void)state;
    struct page_cache *cache = file(&disk_file, 10 * PAGE_SIZE);
    struct page *page;

    reads_as = VM_FAULT_SIGBUS;
    assert_int_equal(page_cache_fetch(cache, 4, &page), VM_FAULT_SIGBUS);
    assert_null(page);
    assert_int_equal(cache->pages, 0);
    good();
    reads_as = VM_FAULT_RETRY;
    assert_int_equal(page_cache_fetch(cache, 4, &page), VM_FAULT_RETRY);
    page_arrived(page, false);
    good();
    assert_int_equal(page_cache_fetch(cache, 4, &page), VM_FAULT_SIGBUS);
    assert_null(page);
    assert_int_equal(cache->pages, 0);
    assert_int_equal(reads, 2);
    reads_as = VM_FAULT_DONE;
    (void)fetched(cache, 4);
    assert_int_equal(reads, 3);
    good();
    page_cache_put(cache);
}

static void page_that_arrives_too_late_goes(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct page_cache *cache = file(&disk_file, 10 * PAGE_SIZE);
        struct page *page;
        reads_as = VM_FAULT_RETRY;
        assert_int_equal(page_cache_fetch(cache, 4, &page), VM_FAULT_RETRY);
        if (way == 0) {
            page_cache_truncate(cache, PAGE_SIZE);
            good();
        } else {
            page_cache_put(cache);
        }
        assert_null(page->cache);
        assert_int_equal(page->count, 1);
        page_arrived(page, true);
        assert_int_equal(page->count, 0);
        good();
        if (way == 0) {
            page_cache_put(cache);
        }
    }
}

static void no_memory_changes_nothing(void **state)
{
    (void)state;
    struct page_cache *cache = file(&memory_file, PAGE_SIZE), *disk = file(&disk_file, PAGE_SIZE);
    struct page *page;

    memory_fail_at(1);
    assert_int_equal(page_cache_fetch(cache, 0, &page), VM_FAULT_OOM);
    assert_null(page);
    assert_int_equal(cache->pages, 0);
    memory_fail_at(1);
    assert_int_equal(page_cache_fetch(disk, 0, &page), VM_FAULT_OOM);
    assert_int_equal(reads, 0);
    reads_as = VM_FAULT_OOM; /* the file's own */
    assert_int_equal(page_cache_fetch(disk, 0, &page), VM_FAULT_OOM);
    assert_int_equal(disk->pages, 0);
    memory_fail_at(1);
    assert_null(page_cache_create(&memory_file, "no", NULL));
    memory_fail_at(0);
    good();
    page_cache_put(cache);
    page_cache_put(disk);
}

/* ---- the whole file ------------------------------------------------------------------------------------ */

static struct page_cache *full(const struct page_cache_operations *operations, uint64_t pages)
{
    struct page_cache *cache = file(operations, pages * PAGE_SIZE);

    for (uint64_t i = 0; i < pages; i++) {
        memset(page_bytes(fetched(cache, i)), 0x77, PAGE_SIZE);
    }
    return cache;
}

static void truncation_unmaps_frees_and_zeroes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes, left;
    } rows[] = {
        {0,                 0},
        {1,                 1},
        {PAGE_SIZE,         1},
        {PAGE_SIZE + 100,   2},
        {6 * PAGE_SIZE - 1, 6},
        {6 * PAGE_SIZE,     6},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct page_cache *cache = full(&memory_file, 6);
        asked.unmaps = 0;
        page_cache_truncate(cache, rows[i].bytes);
        assert_int_equal(cache->bytes, rows[i].bytes);
        assert_int_equal(cache->pages, rows[i].left);
        /* Unmapped with private copies, before the pages go, and when no fault can bring them back. */
        assert_int_equal(asked.unmaps, 1);
        assert_int_equal(asked.zap, ZAP_ALL);
        assert_int_equal(asked.first, rows[i].left);
        assert_true(asked.last == UINT64_MAX);
        assert_int_equal(asked.bytes, rows[i].bytes);
        assert_int_equal(asked.pages, 6);
        for (uint64_t index = 0; index < rows[i].left; index++) {
            const uint64_t in_file = rows[i].bytes - index * PAGE_SIZE;
            const size_t kept = in_file < PAGE_SIZE ? in_file : PAGE_SIZE;
            const struct page *page = page_cache_find(cache, index);
            assert_non_null(page);
            assert_true(all_bytes(page, 0, kept, 0x77));
            assert_true(all_bytes(page, kept, PAGE_SIZE, 0));
        }
        good();
        page_cache_put(cache);
    }
}

static void growing_makes_a_hole(void **state)
{
    (void)state;
    struct page_cache *cache = full(&memory_file, 2);

    page_cache_truncate(cache, 10 * PAGE_SIZE + 5);
    assert_int_equal(asked.unmaps, 0);
    assert_int_equal(cache->pages, 2);
    assert_int_equal(page_cache_size_pages(cache), 11);
    assert_true(all_bytes(fetched(cache, 10), 0, PAGE_SIZE, 0));
    good();
    page_cache_put(cache);
}

static void truncated_page_that_is_held_outlives_its_file(void **state)
{
    (void)state;
    struct page_cache *cache = full(&memory_file, 2);
    struct page *page;

    assert_int_equal(page_cache_fetch(cache, 1, &page), VM_FAULT_DONE);
    page_cache_truncate(cache, 0);
    assert_null(page->cache);
    assert_int_equal(page->count, 1);
    page_put(page);
    good();
    page_cache_put(cache);
}

static void punching_makes_whole_pages_holes_and_zeroes_parts(void **state)
{
    (void)state;
    static const struct {
        uint64_t from, bytes;
        bool unmaps;
        uint64_t first, last;
    } rows[] = {
        {0,             PAGE_SIZE,         true,  0, 0                         },
        {PAGE_SIZE,     2 * PAGE_SIZE,     true,  1, 2                         },
        {1,             PAGE_SIZE,         false, 0, 0                         },
        {100,           50,                false, 0, 0                         },
        {PAGE_SIZE + 1, 3 * PAGE_SIZE,     true,  2, 3                         },
        {PAGE_SIZE,     2 * PAGE_SIZE + 7, true,  1, 2                         },
        {PAGE_SIZE - 1, 2 * PAGE_SIZE + 1, true,  1, 2                         },
        {PAGE_SIZE - 1, 2,                 false, 0, 0                         },
        {0,             0,                 false, 0, 0                         },
        {PAGE_SIZE,     100 * PAGE_SIZE,   true,  1, 100                       },
        {PAGE_SIZE,     UINT64_MAX,        true,  1, UINT64_MAX / PAGE_SIZE - 1},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct page_cache *cache = full(&memory_file, 6);
        const uint64_t to =
            rows[i].bytes > UINT64_MAX - rows[i].from ? UINT64_MAX : rows[i].from + rows[i].bytes;
        asked.unmaps = 0;
        page_cache_punch(cache, rows[i].from, rows[i].bytes);
        assert_int_equal(cache->bytes, 6 * PAGE_SIZE);
        assert_int_equal(asked.unmaps, rows[i].unmaps);
        if (rows[i].unmaps) {
            assert_int_equal(asked.zap, ZAP_FILE);
            assert_true(asked.first == rows[i].first && asked.last == rows[i].last);
        }
        for (uint64_t index = 0; index < 6; index++) {
            const uint64_t start_byte = index * PAGE_SIZE, end_byte = start_byte + PAGE_SIZE;
            const struct page *page = page_cache_find(cache, index);
            if (rows[i].bytes && rows[i].from <= start_byte && end_byte <= to) {
                assert_null(page);
                continue;
            }
            assert_non_null(page);
            for (uint64_t at = start_byte; at < end_byte; at++) {
                const bool punched = at >= rows[i].from && at < to;
                if (*((uint8_t *)page_bytes(page) + (at - start_byte)) != (punched ? 0 : 0x77)) {
                    fail_msg("row %zu byte %lu", i, (unsigned long)at);
                }
            }
        }
        good();
        page_cache_put(cache);
    }
}

static void cleaning_counts_and_takes_dirty_marks(void **state)
{
    (void)state;
    for (int tracks = 0; tracks < 2; tracks++) {
        struct page_cache *cache = full(tracks ? &disk_file : &memory_file, 6);
        asked.cleans = 0;
        page_cache_find(cache, 1)->flags |= PAGE_DIRTY;
        page_cache_find(cache, 3)->flags |= PAGE_DIRTY;
        page_cache_find(cache, 5)->flags |= PAGE_DIRTY;
        assert_int_equal(page_cache_clean(cache, 1, 4), 2);
        assert_int_equal(asked.cleans, tracks);
        assert_int_equal(page_cache_find(cache, 1)->flags, PAGE_UPTODATE);
        assert_int_equal(page_cache_find(cache, 5)->flags, PAGE_UPTODATE | PAGE_DIRTY);
        assert_int_equal(page_cache_clean(cache, 0, UINT64_MAX), 1);
        good();
        page_cache_put(cache);
    }
}

static void last_reference_gives_everything_back(void **state)
{
    (void)state;
    struct page_cache *cache = full(&disk_file, 9);

    page_cache_get(cache);
    page_cache_put(cache);
    assert_int_equal(releases, 0);
    assert_int_equal(cache->pages, 9);
    page_cache_put(cache);
    assert_int_equal(releases, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(hole_becomes_a_page_of_zeros),
        TEST(behind_the_end_is_sigbus),
        TEST(pages_are_found_in_order_however_they_came),
        TEST(page_is_read_once),
        TEST(page_under_way_is_waited_for),
        TEST(page_that_cannot_be_read_is_sigbus_once),
        TEST(page_that_arrives_too_late_goes),
        TEST(no_memory_changes_nothing),
        TEST(truncation_unmaps_frees_and_zeroes),
        TEST(growing_makes_a_hole),
        TEST(truncated_page_that_is_held_outlives_its_file),
        TEST(punching_makes_whole_pages_holes_and_zeroes_parts),
        TEST(cleaning_counts_and_takes_dirty_marks),
        TEST(last_reference_gives_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
