/*
 * test_mremap.c: mremap on a simulated machine: what moves and what stays, where it merges, which error wins.
 */
#include "tests/host/memory_fixture.h"

#define MAYMOVE   1u
#define TO        3u /* MAYMOVE | FIXED */
#define DONTUNMAP 5u /* MAYMOVE | DONTUNMAP */

static int64_t remap(unsigned from, unsigned old, unsigned pages, uint64_t flags, unsigned to)
{
    return mm_mremap(s.mm, P(from), old * PAGE, pages * PAGE, flags, P(to));
}

/* Pages @from to @to, each with its number + 1 in it. */
static void lay_written(unsigned from, unsigned to)
{
    lay(from, to, RW);
    for (unsigned i = from; i < to; i++) {
        assert_true(write_at(P(i), (uint8_t)(i + 1)));
    }
}

struct row {
    const char *what;
    vaddr_t old;
    uint64_t old_bytes, new_bytes, flags;
    vaddr_t to;
    int64_t result;
};

static void first_error_wins(void **state)
{
    const struct row rows[] = {
        {"no such flag",                            P(0),     PAGE,     PAGE,              8,       0,         -EINVAL},
        {"fixed, but may not move",                 P(0),     PAGE,     PAGE,              2,       P(20),     -EINVAL},
        {"keep, but may not move",                  P(0),     PAGE,     PAGE,              4,       0,         -EINVAL},
        {"keep, and another size",                  P(0),     PAGE,     2 * PAGE,          5,       0,         -EINVAL},
        {"keep, and another size of the same page", P(0),     PAGE,     PAGE - 1,          5,       0,         -EINVAL},
        {"crooked",                                 P(0) + 1, PAGE,     PAGE,              0,       0,         -EINVAL},
        {"to nothing",                              P(0),     PAGE,     0,                 0,       0,         -EINVAL},
        {"to a size that wraps",                    P(0),     PAGE,     ~UINT64_C(0),      MAYMOVE, 0,         -EINVAL},
        {"nothing there",                           P(50),    PAGE,     PAGE,              0,       0,         -EFAULT},
        {"nothing there, before a crooked target",  P(50),    PAGE,     PAGE,              TO,      3,         -EFAULT},
        {"crooked target",                          P(0),     PAGE,     PAGE,              TO,      P(20) + 1, -EINVAL},
        {"target beyond the end",                   P(0),     PAGE,     PAGE,              TO,      TASK_SIZE, -EINVAL},
        {"larger than the world",                   P(0),     PAGE,     UINT64_C(1) << 50, TO,      P(20),     -EINVAL},
        {"onto itself",                             P(0),     2 * PAGE, 2 * PAGE,          TO,      P(1),      -EINVAL},
        {"nothing of private memory",               P(0),     0,        PAGE,              MAYMOVE, 0,         -EINVAL},
        {"over the end",                            P(0),     5 * PAGE, 6 * PAGE,          MAYMOVE, 0,         -EFAULT},
        {"no room",                                 P(0),     4 * PAGE, 5 * PAGE,          0,       0,         -ENOMEM},
        {"part of it, no room",                     P(0),     PAGE,     2 * PAGE,          0,       0,         -ENOMEM},
        {"more than may be",                        P(0),     PAGE,     UINT64_C(1) << 63, MAYMOVE, 0,         -ENOMEM},
        {"more than there is",                      P(0),     PAGE,     UINT64_C(1) << 31, MAYMOVE, 0,         -ENOMEM},
    };

    (void)state;
    lay(0, 4, RW);
    lay(4, 5, R);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const int64_t result =
            mm_mremap(s.mm, row->old, row->old_bytes, row->new_bytes, row->flags, row->to);
        if (result != row->result) {
            fail_msg("%s: %ld, not %ld", row->what, (long)result, (long)row->result);
        }
    }
    assert_string_equal(layout(), "4rw 1r");
}

static void shrinking_unmaps_the_end(void **state)
{
    (void)state;
    lay_written(0, 6);
    assert_int_equal(remap(1, 4, 2, 0, 0), P(1)); /* of the middle: what follows stays */
    assert_string_equal(layout(), "3rw .2 1rw");
    assert_true(reads(P(2), 3) && reads(P(5), 6));
    assert_int_equal(remap(0, 3, 3, 0, 0), P(0));
    /* With equal sizes the range is not looked at any further. */
    assert_int_equal(remap(0, 30, 30, 0, 0), P(0));
    assert_int_equal(remap(0, 30, 1, 0, 0), P(0));
    assert_string_equal(layout(), "1rw");
}

static void growing_in_place_joins_what_follows(void **state)
{
    (void)state;
    lay(0, 2, RW);
    assert_int_equal(remap(0, 2, 4, 0, 0), P(0));
    assert_string_equal(layout(), "4rw");
    assert_int_equal(remap(3, 1, 2, 0, 0), P(3)); /* the last page alone */
    lay(8, 9, RW);
    assert_int_equal(remap(0, 5, 8, 0, 0), P(0));
    assert_string_equal(layout(), "9rw");
    /* As in a child: its own kind may grow. */
    assert_true(write_at(P(0), 1));
    vma_at(s.mm, P(0))->anon_shared = true;
    assert_int_equal(remap(0, 9, 10, 0, 0), P(0));
    assert_string_equal(layout(), "10rw");
    assert_int_equal(s.mm->pages_data, 10);
}

static void moving_takes_pages_along(void **state)
{
    (void)state;
    lay_written(0, 4);
    const unsigned long faults = simulated.faults;
    assert_int_equal(remap(1, 2, 3, TO, 20), P(20));
    assert_string_equal(layout(), "1rw .2 1rw .16 3rw!");
    assert_true(reads(P(20), 2) && reads(P(21), 3) && reads(P(0), 1) && reads(P(3), 4));
    assert_int_equal(simulated.faults, faults);
    assert_true(reads(P(22), 0));
    assert_true(refused(false, P(1), 1));
    /* Where it was, it fits again. */
    assert_int_equal(remap(20, 2, 2, TO, 1), P(1));
    assert_string_equal(layout(), "4rw .18 1rw!");
    assert_true(reads(P(1), 2) && write_at(P(2), 9) && reads(P(2), 9));
    /* Shrunk on the way, over something else. */
    lay(40, 44, R);
    assert_int_equal(remap(0, 4, 2, TO, 41), P(41));
    assert_string_equal(layout(), ".22 1rw! .17 1r 2rw! 1r");
    assert_true(reads(P(41), 1) && reads(P(42), 2));
}

static void untouched_memory_forgets_where_it_was(void **state)
{
    (void)state;
    lay(0, 2, RW);
    lay(20, 22, RW);
    assert_int_equal(remap(0, 2, 2, TO, 22), P(22));
    assert_string_equal(layout(), ".20 4rw");
    /* It may even swallow the place that it leaves. */
    assert_int_equal(remap(20, 2, 3, TO, 24), P(24));
    assert_string_equal(layout(), ".22 5rw");
    /* Read only: the zero page goes along, and counts for nothing. */
    assert_true(reads(P(22), 0));
    assert_int_equal(remap(22, 2, 2, TO, 0), P(0));
    assert_true(is_present(P(0)) && !is_present(P(1)));
}

static void a_move_between_its_neighbours_makes_one_of_all(void **state)
{
    (void)state;
    lay(0, 2, RW);
    lay(4, 6, RW);
    assert_true(reads(P(5), 0));
    /* The lower neighbour takes over the new place and what is moved, from which the old one then goes. */
    assert_int_equal(remap(4, 2, 2, TO, 2), P(2));
    assert_string_equal(layout(), "4rw");
    assert_true(is_present(P(3)) && !is_present(P(2)));
}

static void history_moves_along(void **state)
{
    (void)state;
    lay_written(0, 1);
    vma_at(s.mm, P(0))->anon_shared = true; /* as in a child */
    assert_int_equal(remap(0, 1, 1, TO, 10), P(10));
    assert_true(vma_at(s.mm, P(10))->anon_shared);
    /* A place that is kept whole has no history any more, nor an offset that comes from one. */
    assert_int_equal(remap(10, 1, 1, DONTUNMAP, 20), P(20));
    assert_string_equal(layout(), ".10 1rw .9 1rw!");
}

static void where_there_is_no_room_it_moves(void **state)
{
    (void)state;
    lay_written(0, 2);
    lay(2, 3, R);
    const int64_t to = remap(0, 2, 4, MAYMOVE, 0);
    assert_int_equal(to, s.mm->mmap_base - 4 * PAGE);
    assert_string_equal(layout(), ".2 1r");
    assert_true(reads((vaddr_t)to, 1) && reads((vaddr_t)to + PAGE, 2));
    assert_int_equal(mm_munmap(s.mm, (vaddr_t)to, 4 * PAGE), 0);
}

static void the_target_goes_before_some_errors(void **state)
{
    (void)state;
    lay(0, 2, RW);
    lay(10, 12, R);
    assert_int_equal(remap(0, 3, 4, TO, 10), -EFAULT);
    assert_string_equal(layout(), "2rw");
    /* And the old end, when it was to shrink. */
    lay(2, 4, R);
    lay(10, 12, R);
    assert_int_equal(remap(0, 4, 3, TO, 10), -EFAULT);
    assert_string_equal(layout(), "2rw 1r");
}

static void what_is_kept_is_empty(void **state)
{
    (void)state;
    lay_written(0, 3);
    assert_int_equal(remap(0, 3, 3, DONTUNMAP | 2, 20), P(20));
    assert_string_equal(layout(), "3rw .17 3rw!");
    assert_true(reads(P(21), 2) && reads(P(1), 0));
    assert_int_equal(vma_at(s.mm, P(0))->anon_vma, 0);
    /* Without a target, the kernel's choice; the new address is a hint. */
    assert_int_equal(remap(20, 1, 1, DONTUNMAP, 40), P(40));
    assert_true(reads(P(40), 1) && reads(P(20), 0));
    assert_string_equal(layout(), "3rw .17 3rw! .17 1rw!");
    assert_true(vma_at(s.mm, P(20))->anon_vma != 0); /* a part only: its history stays */
    /* Locked: the new place alone. */
    assert_int_equal(mm_mlock(s.mm, P(0), 3 * PAGE), 0);
    assert_int_equal(remap(1, 1, 1, DONTUNMAP, 50), P(50));
    assert_string_equal(layout(), "1rwL 1rw 1rwL .17 3rw! .17 1rw! .9 1rwL!");
    assert_int_equal(s.mm->pages_locked, 3);
}

static void nothing_of_shared_memory_is_one_more_mapping(void **state)
{
    (void)state;
    assert_int_equal(map_file(P(0), 2, RW, MAP_SHARED, s.file, 3), P(0));
    assert_true(write_at(P(1), 7));
    assert_int_equal(remap(1, 0, 2, TO, 10), P(10));
    assert_string_equal(layout(), "2rws@3 .8 2rws@4");
    assert_true(reads(P(10), 7) && write_at(P(10), 8) && reads(P(1), 8));
    assert_int_equal(s.file->count, 3);
    const int64_t third = remap(0, 0, 1, MAYMOVE, 0);
    assert_true(third > 0);
    assert_int_equal(mm_munmap(s.mm, (vaddr_t)third, PAGE), 0);
    assert_int_equal(remap(0, 0, 1, 0, 0), -ENOMEM);
}

static void locked_memory_grows_with_its_pages(void **state)
{
    (void)state;
    assert_int_equal(map(P(0), 1, RW, FIXED | MAP_LOCKED), P(0));
    assert_int_equal(remap(0, 1, 3, 0, 0), P(0));
    assert_true(is_present(P(2)));
    assert_int_equal(remap(0, 3, 5, TO, 20), P(20));
    assert_true(is_present(P(24)));
    assert_int_equal(s.mm->pages_locked, 5);
}

static void limits_bind(void **state)
{
    (void)state;
    lay(0, 2, RW);
    s.mm->address_limit = 3 * PAGE;
    assert_int_equal(remap(0, 2, 4, MAYMOVE, 0), -ENOMEM);
    assert_int_equal(remap(0, 2, 3, MAYMOVE, 0), P(0));
    assert_int_equal(remap(0, 1, 1, DONTUNMAP, 30), -ENOMEM);
    assert_int_equal(remap(0, 1, 1, TO, 10), P(10));
    s.mm->address_limit = MM_NO_LIMIT;
    const uint32_t count = s.mm->map_count;
    s.mm->map_count = MAP_COUNT_MAX - 5;
    assert_int_equal(remap(1, 1, 1, TO, 20), -ENOMEM);
    s.mm->map_count = count;
    assert_string_equal(layout(), ".1 2rw .7 1rw");
}

/*
 * The new place becomes a part of its neighbour; then there is memory neither for a table, so that what came has to go
 * back, nor to take the place out of the neighbour again: it stays, empty.
 */
static void new_place_stays_where_memory_is_used_up(void **state)
{
    const unsigned there = 1u << 18; /* far from any table */
    struct page *taken[FRAMES];
    unsigned frames = 0, maps = 0;

    (void)state;
    lay(0, 4, RW);
    assert_true(write_at(P(0), 1) && write_at(P(2), 3));
    assert_int_equal(remap(3, 1, 1, TO, there + 1), P(there + 1));
    while ((taken[frames] = page_alloc(PAGE_KERNEL))) {
        frames++;
    }
    while (map(P(8 + 2 * maps), 1, RW, FIXED) >= 0) {
        maps++;
    }
    assert_int_equal(remap(2, 1, 1, TO, there), -ENOMEM);
    assert_good();
    assert_true(vma_at(s.mm, P(there)) == vma_at(s.mm, P(there + 1)));
    while (frames) {
        page_put(taken[--frames]);
    }
    assert_true(reads(P(2), 3) && reads(P(there), 0));
}

static int64_t move_middle(void)
{
    return mm_mremap(s.mm, P(1), 2 * PAGE, 3 * PAGE, TO, UINT64_C(0x5123456000));
}

static void lay_again(void)
{
    (void)!mm_munmap(s.mm, UINT64_C(0x5123456000), 3 * PAGE);
    lay_written(0, 4);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    lay_again();
    /* The copy, three tables, a split; when the last one fails the old place stays, but that is no error. */
    assert_in_range(fail_in_turn(move_middle, 0, lay_again), 5, 8);
    assert_string_equal(layout(), "1rw .2 1rw");
    uint8_t byte;
    assert_int_equal(user_read(UINT64_C(0x5123456000), &byte, 1), BAD_NONE);
    assert_int_equal(byte, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(first_error_wins),
        CASE(shrinking_unmaps_the_end),
        CASE(growing_in_place_joins_what_follows),
        CASE(moving_takes_pages_along),
        CASE(untouched_memory_forgets_where_it_was),
        CASE(a_move_between_its_neighbours_makes_one_of_all),
        CASE(history_moves_along),
        CASE(where_there_is_no_room_it_moves),
        CASE(the_target_goes_before_some_errors),
        CASE(what_is_kept_is_empty),
        CASE(nothing_of_shared_memory_is_one_more_mapping),
        CASE(locked_memory_grows_with_its_pages),
        CASE(limits_bind),
        CASE(new_place_stays_where_memory_is_used_up),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
