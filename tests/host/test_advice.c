/*
 * test_advice.c: madvise, msync, mincore and mlock, and the lines of /proc/self/maps, on a simulated machine.
 */
#include "tests/host/memory_fixture.h"

static int64_t advise(unsigned from, unsigned to, uint64_t advice)
{
    return mm_madvise(s.mm, P(from), (to - from) * PAGE, advice);
}

/* ---- madvise --------------------------------------------------------------------------------------- */

static void pages_that_are_not_needed_go(void **state)
{
    (void)state;
    lay(0, 3, RW);
    assert_true(write_at(P(0), 1) && write_at(P(1), 2) && write_at(P(2), 3));
    assert_int_equal(advise(1, 2, 4), 0);
    assert_false(is_present(P(1)));
    assert_true(reads(P(0), 1) && reads(P(1), 0) && reads(P(2), 3));
    /* A private copy goes, and the file's page shows. */
    assert_int_equal(map_file(P(10), 1, RW, MAP_PRIVATE, s.file, 0), P(10));
    assert_true(write_at(P(10), 9));
    assert_int_equal(advise(10, 11, 4), 0);
    assert_true(is_present(P(10)) && reads(P(10), 0));
    /* A shared page only leaves the table. */
    assert_int_equal(map_file(P(12), 1, RW, MAP_SHARED, s.file, 1), P(12));
    assert_true(write_at(P(12), 8));
    assert_int_equal(advise(12, 13, 4), 0);
    assert_true(reads(P(12), 8));
    /* MADV_FREE keeps what nobody needs to take. */
    assert_true(write_at(P(1), 2));
    assert_int_equal(advise(0, 2, 8), 0);
    assert_true(reads(P(0), 1));
    /* But it is clean, unless it was written since: a fault looks at it before it becomes writable again. */
    assert_true(write_at(P(1), 4));
    assert_int_equal(mm_mprotect(s.mm, P(0), 3 * PAGE, R, -1), 0);
    assert_int_equal(mm_mprotect(s.mm, P(0), 3 * PAGE, RW, -1), 0);
    unsigned long faults = simulated.faults;
    assert_true(write_at(P(1), 5) && write_at(P(2), 6));
    assert_int_equal(simulated.faults, faults);
    assert_true(write_at(P(0), 7));
    assert_int_equal(simulated.faults, faults + 1);
}

static void holes_are_passed_over(void **state)
{
    (void)state;
    lay(0, 1, RW);
    lay(3, 4, RW);
    assert_true(write_at(P(0), 1) && write_at(P(3), 1));
    assert_int_equal(advise(0, 6, 4), -ENOMEM);
    assert_true(!is_present(P(0)) && !is_present(P(3)));
    assert_int_equal(advise(1, 2, 4), -ENOMEM);
    assert_int_equal(advise(8, 9, 4), -ENOMEM);
    /* What refuses ends it at once. */
    assert_int_equal(map(P(2), 1, RW, FIXED | MAP_LOCKED), P(2));
    assert_true(write_at(P(0), 1) && write_at(P(3), 1));
    assert_int_equal(advise(0, 6, 4), -EINVAL);
    assert_true(!is_present(P(0)) && is_present(P(3)));
    assert_int_equal(advise(2, 3, 24), 0);
    assert_false(is_present(P(2)));
}

static void ranges_are_checked(void **state)
{
    (void)state;
    lay(0, 1, RW);
    assert_int_equal(mm_madvise(s.mm, P(0), PAGE, 5), -EINVAL);
    assert_int_equal(mm_madvise(s.mm, P(0), PAGE, 99), -EINVAL);
    assert_int_equal(mm_madvise(s.mm, P(0) + 1, PAGE, 4), -EINVAL);
    assert_int_equal(mm_madvise(s.mm, P(0), ~UINT64_C(0), 4), -EINVAL);
    assert_int_equal(mm_madvise(s.mm, P(0), -PAGE, 4), -EINVAL);
    assert_int_equal(mm_madvise(s.mm, P(50), 0, 4), 0);
    assert_int_equal(mm_madvise(s.mm, P(50), 0, 99), -EINVAL);
}

static void flags_split_and_merge(void **state)
{
    const struct {
        uint64_t on, off, flag;
    } pairs[] = {
        {1,  0,  VM_RAND_READ },
        {2,  0,  VM_SEQ_READ  },
        {10, 11, VM_DONTCOPY  },
        {12, 13, VM_MERGEABLE },
        {14, 15, VM_HUGEPAGE  },
        {16, 17, VM_DONTDUMP  },
        {18, 19, VM_WIPEONFORK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        lay(0, 4, RW);
        assert_int_equal(advise(1, 3, pairs[i].on), 0);
        assert_string_equal(layout(), "1rw 2rw 1rw");
        assert_true(vma_at(s.mm, P(1))->flags & pairs[i].flag);
        assert_int_equal(advise(0, 4, pairs[i].off), 0);
        assert_string_equal(layout(), "4rw");
        assert_false(vma_at(s.mm, P(1))->flags & pairs[i].flag);
        assert_int_equal(mm_munmap(s.mm, P(0), 4 * PAGE), 0);
    }
    assert_int_equal(map_file(P(0), 1, RW, MAP_PRIVATE, s.file, 0), P(0));
    assert_int_equal(advise(0, 1, 18), -EINVAL);
    assert_int_equal(advise(0, 1, 8), -EINVAL);
}

static void no_room_for_a_split_is_try_again(void **state)
{
    (void)state;
    lay(0, 4, RW);
    const uint32_t count = s.mm->map_count;
    s.mm->map_count = MAP_COUNT_MAX;
    assert_int_equal(advise(1, 3, 10), -EAGAIN);
    s.mm->map_count = count;
    assert_string_equal(layout(), "4rw");
}

static void removing_punches_the_file(void **state)
{
    (void)state;
    assert_int_equal(map_file(P(0), 3, RW, MAP_SHARED, s.file, 4), P(0));
    assert_int_equal(map_file(P(4), 3, R, MAP_SHARED, s.file, 4), P(4));
    assert_true(write_at(P(0), 1) && write_at(P(1), 2) && write_at(P(2), 3));
    assert_true(reads(P(5), 2));
    assert_int_equal(advise(1, 2, 9), 0);
    assert_null(page_cache_find(s.file, 5));
    assert_true(reads(P(4), 1) && reads(P(5), 0) && reads(P(6), 3));
    assert_int_equal(map_file(P(8), 1, RW, MAP_PRIVATE, s.file, 0), P(8));
    assert_int_equal(advise(8, 9, 9), -EACCES);
    lay(9, 10, RW);
    assert_int_equal(advise(9, 10, 9), -EINVAL);
    assert_int_equal(mm_mlock(s.mm, P(0), PAGE), 0);
    assert_int_equal(advise(0, 1, 9), -EINVAL);
}

static void populating_asks_for_the_right(void **state)
{
    (void)state;
    lay(0, 2, RW);
    assert_int_equal(advise(0, 2, 22), 0);
    assert_int_equal(memory.frames.frames - memory.frames.free > 0, 1);
    const unsigned long faults = simulated.faults;
    assert_true(reads(P(1), 0));
    assert_int_equal(simulated.faults, faults);
    assert_int_equal(advise(0, 2, 23), 0);
    assert_true(write_at(P(1), 1));
    assert_int_equal(simulated.faults, faults);
    lay(2, 3, R);
    assert_int_equal(advise(0, 3, 23), -EINVAL);
    lay(3, 4, PROT_NONE);
    assert_int_equal(advise(3, 4, 22), -EINVAL);
    assert_int_equal(map_file(P(5), 2, R, MAP_SHARED, s.file, 15), P(5));
    assert_int_equal(advise(5, 7, 22), -EFAULT); /* one page is behind the end */
    assert_true(is_present(P(5)));
    assert_int_equal(advise(4, 6, 22), -ENOMEM);
}

/* ---- msync ------------------------------------------------------------------------------------------- */

static int64_t sync_pages(unsigned from, unsigned to, uint64_t flags)
{
    return mm_msync(s.mm, P(from), (to - from) * PAGE, flags);
}

static void syncing_cleans_shared_pages(void **state)
{
    (void)state;
    assert_int_equal(map_file(P(0), 2, RW, MAP_SHARED, s.tracked, 0), P(0));
    assert_true(write_at(P(0), 1) && write_at(P(1), 1));
    assert_int_equal(s.mkwrites, 2);
    assert_int_equal(sync_pages(0, 2, 1), 0); /* MS_ASYNC: nothing */
    assert_true(write_at(P(0), 2));
    assert_int_equal(s.mkwrites, 2);
    assert_int_equal(sync_pages(0, 1, 4), 0);
    assert_true(write_at(P(0), 3) && write_at(P(1), 3));
    assert_int_equal(s.mkwrites, 3);
    assert_int_equal(page_cache_clean(s.tracked, 0, 15), 2);
}

static void sync_checks_its_range(void **state)
{
    (void)state;
    lay(0, 1, RW);
    lay(3, 4, RW);
    assert_int_equal(mm_msync(s.mm, P(0), PAGE, 8), -EINVAL);
    assert_int_equal(mm_msync(s.mm, P(0) + 1, PAGE, 4), -EINVAL);
    assert_int_equal(mm_msync(s.mm, P(0), PAGE, 5), -EINVAL);
    assert_int_equal(mm_msync(s.mm, P(0), 0, 4), 0);
    assert_int_equal(mm_msync(s.mm, P(0), ~UINT64_C(0), 4), 0);
    assert_int_equal(mm_msync(s.mm, P(0), -PAGE, 4), -ENOMEM);
    assert_int_equal(sync_pages(0, 1, 0), 0);
    assert_int_equal(sync_pages(0, 4, 4), -ENOMEM);
    assert_int_equal(sync_pages(0, 4, 1), -ENOMEM);
    assert_int_equal(sync_pages(1, 2, 4), -ENOMEM);
    assert_int_equal(sync_pages(9, 10, 4), -ENOMEM);
    assert_int_equal(mm_mlock(s.mm, P(3), PAGE), 0);
    assert_int_equal(sync_pages(3, 4, 2), -EBUSY);
    assert_int_equal(sync_pages(0, 4, 6), -EBUSY);
}

/* ---- mincore ------------------------------------------------------------------------------------------ */

static void residency_is_the_tables_or_the_files(void **state)
{
    uint8_t vector[8];

    (void)state;
    lay(0, 4, RW);
    assert_true(write_at(P(0), 1) && reads(P(2), 0));
    assert_int_equal(mm_mprotect(s.mm, P(0), PAGE, PROT_NONE, -1), 0);
    assert_int_equal(mm_mincore(s.mm, P(0), 8, vector), 1); /* as far as the VMA goes */
    assert_int_equal(vector[0], 1);
    assert_int_equal(mm_mincore(s.mm, P(1), 8, vector), 3);
    assert_memory_equal(vector, ((uint8_t[]){0, 1, 0}), 3);
    assert_int_equal(mm_mincore(s.mm, P(4), 8, vector), -ENOMEM);
    assert_int_equal(mm_mincore(s.mm, P(0) + 1, 8, vector), -EINVAL);
    assert_int_equal(map_file(P(10), 4, RW, MAP_PRIVATE, s.file, 0), P(10));
    assert_int_equal(map_file(P(20), 4, RW, MAP_SHARED, s.file, 0), P(20));
    assert_true(write_at(P(21), 1));
    assert_int_equal(mm_mincore(s.mm, P(10), 4, vector), 4);
    assert_memory_equal(vector, ((uint8_t[]){0, 1, 0, 0}), 4);
}

static enum vm_fault under_way(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    return VM_FAULT_RETRY;
}

static void a_page_under_way_is_not_resident(void **state)
{
    static const struct page_cache_operations slow = {.read_page = under_way};
    struct page *page;

    (void)state;
    s.file->operations = &slow;
    assert_int_equal(map_file(P(0), 1, R, MAP_SHARED, s.file, 2), P(0));
    assert_int_equal(page_cache_fetch(s.file, 2, &page), VM_FAULT_RETRY);
    assert_false(is_present(P(0)));
    assert_int_equal(mm_mlock(s.mm, P(0), PAGE), -EAGAIN);
    assert_int_equal(s.mm->bad.kind, BAD_WAIT);
    page_arrived(page, true);
    assert_true(is_present(P(0)));
    assert_int_equal(mm_mlock(s.mm, P(0), PAGE), 0);
    s.file->operations = &memory_file;
}

/* ---- mlock --------------------------------------------------------------------------------------------- */

static void linuxs_own_places_are_passed_over(void **state)
{
    const struct {
        uint64_t flags;
        uint64_t advice;
        int64_t result;
    } rows[] = {
        {VM_IO, 4,  -EINVAL},
        {0,     4,  0      },
        {VM_IO, 11, -EINVAL},
        {0,     11, 0      },
        {VM_IO, 22, -EINVAL},
        {0,     17, -EINVAL},
    };
    uint8_t there = 9;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct vma *vma =
            vma_create(s.mm, P(1), P(2), VM_READ | VM_RESERVED | rows[i].flags, NULL, P(1) / PAGE);
        assert_non_null(vma);
        vma_insert(s.mm, vma);
        lay(0, 1, RW);
        lay(2, 3, RW);
        assert_int_equal(mm_mlock(s.mm, P(0), 3 * PAGE), 0);
        assert_string_equal(layout(), "1rwL 1r 1rwL");
        assert_true(is_present(P(0)) && is_present(P(2)));
        assert_int_equal(mm_mincore(s.mm, P(1), 1, &there), 1);
        assert_int_equal(there, 1);
        assert_int_equal(advise(1, 2, rows[i].advice), rows[i].result);
        assert_int_equal(mm_munmap(s.mm, P(0), 3 * PAGE), 0);
    }
}

static void locking_brings_all_pages(void **state)
{
    (void)state;
    lay(0, 6, RW);
    assert_int_equal(mm_mlock(s.mm, P(1) + 5, PAGE), 0); /* two pages */
    assert_string_equal(layout(), "1rw 2rwL 3rw");
    assert_true(is_present(P(1)) && is_present(P(2)) && !is_present(P(0)) && !is_present(P(3)));
    assert_int_equal(mm_mlock(s.mm, P(1), PAGE), 0);
    assert_int_equal(s.mm->pages_locked, 2);
    assert_int_equal(mm_munlock(s.mm, P(2), 1), 0);
    assert_string_equal(layout(), "1rw 1rwL 1rw 3rw"); /* what was brought stays apart */
    assert_int_equal(mm_mlock(s.mm, P(0), 0), 0);
    assert_int_equal(mm_mlock(s.mm, P(0), ~UINT64_C(0)), 0);
    assert_int_equal(mm_mlock(s.mm, P(0), -P(0) - PAGE), -ENOMEM);
    assert_int_equal(mm_mlock(s.mm, P(0), -PAGE), -EINVAL);
    assert_int_equal(mm_munlock(s.mm, P(0), 6 * PAGE), 0);
    /* Read: as zero pages; private and writable: as pages of its own. */
    lay(10, 11, R);
    assert_int_equal(mm_mlock(s.mm, P(10), PAGE), 0);
    assert_true(is_present(P(10)));
}

static void locking_ends_at_a_hole(void **state)
{
    (void)state;
    lay(0, 2, RW);
    lay(3, 4, RW);
    assert_int_equal(mm_mlock(s.mm, P(1), 3 * PAGE), -ENOMEM);
    assert_string_equal(layout(), "1rw 1rwL .1 1rw");
    assert_false(is_present(P(1))); /* nothing was brought yet */
    assert_int_equal(mm_mlock(s.mm, P(2), PAGE), -ENOMEM);
    assert_int_equal(mm_munlock(s.mm, P(0), 3 * PAGE), -ENOMEM);
    /* What cannot be brought stays locked. */
    lay(5, 6, PROT_NONE);
    assert_int_equal(mm_mlock(s.mm, P(5), PAGE), -ENOMEM);
    assert_true(vma_at(s.mm, P(5))->flags & VM_LOCKED);
    assert_int_equal(map_file(P(7), 1, R, MAP_SHARED, s.file, 20), P(7));
    assert_int_equal(mm_mlock(s.mm, P(7), PAGE), -ENOMEM);
}

/* ---- maps ---------------------------------------------------------------------------------------------- */

static const char *line_of(vaddr_t address)
{
    static char line[MM_MAPS_LINE + 1];
    const size_t length = mm_maps_line(vma_at(s.mm, address), line);

    assert_true(length <= MM_MAPS_LINE);
    line[length] = 0;
    return line;
}

static void maps_say_what_linux_says(void **state)
{
    (void)state;
    s.mm->brk_start = s.mm->brk = s.mm->stack_start = P(100);
    lay(0, 1, RW);
    assert_string_equal(line_of(P(0)), "10000000-10001000 rw-p 00000000 00:00 0 \n");
    assert_int_equal(map(0, 1, RX, FIXED), 0);
    assert_string_equal(line_of(0), "00000000-00001000 r-xp 00000000 00:00 0 \n");
    assert_int_equal(mm_munmap(s.mm, 0, PAGE), 0);
    assert_int_equal(map_file(P(4), 2, R, MAP_SHARED, s.file, 3), P(4));
    assert_string_equal(line_of(P(4)),
                        "10004000-10006000 r--s 00003000 00:01 7                                  "
                        "/memfd:file (deleted)\n");
    const int64_t high = map(0, 1, PROT_NONE, ANON);
    assert_string_equal(line_of((vaddr_t)high),
                        "7ffff7ffe000-7ffff7fff000 ---p 00000000 00:00 0 \n");
    assert_int_equal(mm_munmap(s.mm, (vaddr_t)high, PAGE), 0);
    /* The heap, and a .bss in front of it; the stack. */
    s.mm->brk_start = P(10);
    s.mm->brk = P(12);
    lay(8, 10, RW);
    lay(12, 13, R);
    s.mm->stack_start = P(21) + 8;
    assert_int_equal(map(P(20), 2, RW, FIXED | MAP_GROWSDOWN), P(20));
    assert_string_equal(line_of(P(8)),
                        "10008000-1000a000 rw-p 00000000 00:00 0                                  "
                        "[heap]\n");
    assert_string_equal(line_of(P(12)),
                        "1000c000-1000d000 r--p 00000000 00:00 0                                  "
                        "[heap]\n");
    assert_string_equal(line_of(P(20)),
                        "10014000-10016000 rw-p 00000000 00:00 0                                  "
                        "[stack]\n");
    /* A name that is too long loses its end, not its newline. */
    char name[500];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    s.file->name = name;
    assert_int_equal(strlen(line_of(P(4))), MM_MAPS_LINE);
    assert_int_equal(line_of(P(4))[MM_MAPS_LINE - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(linuxs_own_places_are_passed_over),
        CASE(pages_that_are_not_needed_go),
        CASE(holes_are_passed_over),
        CASE(ranges_are_checked),
        CASE(flags_split_and_merge),
        CASE(no_room_for_a_split_is_try_again),
        CASE(removing_punches_the_file),
        CASE(populating_asks_for_the_right),
        CASE(syncing_cleans_shared_pages),
        CASE(sync_checks_its_range),
        CASE(residency_is_the_tables_or_the_files),
        CASE(a_page_under_way_is_not_resident),
        CASE(locking_brings_all_pages),
        CASE(locking_ends_at_a_hole),
        CASE(maps_say_what_linux_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
