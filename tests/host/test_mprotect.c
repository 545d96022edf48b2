/*
 * test_mprotect.c: mprotect and pkey_mprotect on a simulated machine: rights that accesses find, what splits and
 * merges, which error wins, and what stays changed when one comes in the middle.
 */
#include "tests/host/memory_fixture.h"

#define ACCERR 2
#define PKUERR 4

static int64_t protect(unsigned from, unsigned to, uint64_t prot)
{
    return mm_mprotect(s.mm, P(from), (to - from) * PAGE, prot, -1);
}

static void rights_change_for_pages_that_are_there(void **state)
{
    (void)state;
    lay(0, 4, RW);
    assert_true(write_at(P(0), 1) && write_at(P(1), 2) && write_at(P(2), 3));
    assert_int_equal(protect(1, 3, R), 0);
    assert_string_equal(layout(), "1rw 2r 1rw");
    assert_true(reads(P(1), 2) && refused(true, P(1), ACCERR) && write_at(P(0), 9));
    assert_int_equal(protect(1, 2, PROT_NONE), 0);
    assert_true(refused(false, P(1), ACCERR));
    assert_string_equal(layout(), "1rw 1- 1r 1rw");
    assert_good();
    /* It was there all the time. */
    assert_int_equal(protect(0, 4, RW), 0);
    assert_string_equal(layout(), "4rw");
    const unsigned long faults = simulated.faults;
    assert_true(reads(P(1), 2) && reads(P(2), 3));
    assert_true(write_at(P(1), 4)); /* nobody else's: writable at once */
    assert_int_equal(simulated.faults, faults);
    assert_true(user_fetch(P(0)) == BAD_SIGNAL);
    assert_int_equal(protect(0, 1, RX), 0);
    assert_true(user_fetch(P(0)) == BAD_NONE);
}

struct row {
    const char *what;
    vaddr_t address;
    uint64_t bytes, prot;
    int key;
    int64_t result;
};

static void first_error_wins(void **state)
{
    const struct row rows[] = {
        {"grows both ways",           P(0),             PAGE,         R | PROT_GROWSDOWN | PROT_GROWSUP, -1, -EINVAL},
        {"crooked",                   P(0) + 1,         PAGE,         R,                                 -1, -EINVAL},
        {"crooked before nothing",    P(0) + 1,         0,            R,                                 -1, -EINVAL},
        {"nothing",                   P(50),            0,            0x999,                             99, 0      },
        {"wraps",                     P(0),             ~UINT64_C(0), R,                                 -1, -ENOMEM},
        {"wraps to the start",        P(0),             -P(0),        R,                                 -1, -ENOMEM},
        {"wraps before its rights",   P(0),             -P(0),        0x999,                             -1, -ENOMEM},
        {"no such rights",            P(50),            PAGE,         0x10,                              -1, -EINVAL},
        {"PROT_SEM means nothing",    P(0),             PAGE,         RW | 8,                            -1, 0      },
        {"no such key",               P(50),            PAGE,         R,                                 3,  -EINVAL},
        {"key below all",             P(50),            PAGE,         R,                                 -2, -EINVAL},
        {"key beyond all",            P(50),            PAGE,         R,                                 16, -EINVAL},
        {"nothing there",             P(50),            PAGE,         R,                                 -1, -ENOMEM},
        {"nothing above",             TASK_SIZE - PAGE, PAGE,         R,                                 -1, -ENOMEM},
        {"grows down, nothing above", TASK_SIZE - PAGE, PAGE,         R | PROT_GROWSDOWN,                -1, -ENOMEM},
        {"grows down, but does not",  P(0),             PAGE,         R | PROT_GROWSDOWN,                -1, -EINVAL},
        {"grows down, not reaching",  P(8),             PAGE,         R | PROT_GROWSDOWN,                -1, -ENOMEM},
        {"grows up",                  P(0),             PAGE,         R | PROT_GROWSUP,                  -1, -EINVAL},
    };

    (void)state;
    lay(0, 4, RW);
    lay(10, 11, RW);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const int64_t result = mm_mprotect(s.mm, row->address, row->bytes, row->prot, row->key);
        if (result != row->result) {
            fail_msg("%s: %ld, not %ld", row->what, (long)result, (long)row->result);
        }
    }
    assert_string_equal(layout(), "4rw .6 1rw");
}

static void what_precedes_an_error_is_done(void **state)
{
    (void)state;
    lay(0, 2, RW);
    lay(3, 5, RW);
    assert_int_equal(protect(1, 5, R), -ENOMEM);
    assert_string_equal(layout(), "1rw 1r .1 2rw");
    assert_int_equal(protect(2, 5, R), -ENOMEM);
    assert_string_equal(layout(), "1rw 1r .1 2rw");
    /* A descriptor that may not write, between memory that may. */
    assert_int_equal(
        mm_mmap(s.mm, P(5), PAGE, R, MAP_SHARED | MAP_FIXED, s.file, VM_MAYREAD | VM_MAYEXEC, 0),
        P(5));
    lay(6, 7, R);
    assert_int_equal(protect(3, 7, RW | PROT_EXEC), -EACCES);
    assert_string_equal(layout(), "1rw 1r .1 2rwx 1rs@0 1r");
    assert_int_equal(protect(5, 6, RX), 0);
}

static void growing_down_takes_the_whole_stack(void **state)
{
    (void)state;
    assert_int_equal(map(P(8), 4, RW, FIXED | MAP_GROWSDOWN), P(8));
    assert_int_equal(mm_mprotect(s.mm, P(10), PAGE, R | PROT_GROWSDOWN, -1), 0);
    assert_string_equal(layout(), ".8 3r 1rw");
    /* The range may begin below it, when it reaches it. */
    assert_int_equal(mm_mprotect(s.mm, P(5), 4 * PAGE, RW | PROT_GROWSDOWN, -1), 0);
    assert_string_equal(layout(), ".8 1rw 2r 1rw");
}

static void shared_pages_become_writable_as_their_file_wants(void **state)
{
    (void)state;
    assert_int_equal(map_file(P(0), 2, R, MAP_SHARED, s.file, 0), P(0));
    assert_int_equal(map_file(P(4), 2, R, MAP_SHARED, s.tracked, 0), P(4));
    assert_true(reads(P(0), 0) && reads(P(4), 0));
    assert_int_equal(protect(0, 2, RW), 0);
    assert_int_equal(protect(4, 6, RW), 0);
    assert_true(write_at(P(0), 1) && write_at(P(4), 1));
    assert_int_equal(s.mkwrites, 1);
    /* Made read-only and writable again, it is dirty still: no news for the file. */
    assert_int_equal(protect(4, 6, R), 0);
    assert_true(refused(true, P(4), ACCERR));
    assert_int_equal(protect(4, 6, RW), 0);
    assert_true(write_at(P(4), 2));
    assert_int_equal(s.mkwrites, 1);
}

static void private_copies_do_not_become_shared(void **state)
{
    (void)state;
    assert_int_equal(map_file(P(0), 1, RW, MAP_PRIVATE, s.file, 0), P(0));
    assert_int_equal(map_file(P(1), 1, R, MAP_SHARED, s.file, 0), P(1));
    assert_true(reads(P(0), 0));
    assert_int_equal(protect(0, 1, R), 0);
    assert_int_equal(protect(0, 1, RW), 0);
    assert_true(write_at(P(0), 7));
    assert_true(reads(P(1), 0));
}

static void keys_stay_until_they_are_changed(void **state)
{
    (void)state;
    lay(0, 2, RW);
    const int64_t key = mm_pkey_alloc(s.mm, 0, 0);
    assert_int_equal(key, 1);
    assert_int_equal(mm_mprotect(s.mm, P(0), PAGE, RW, 1), 0);
    assert_string_equal(layout(), "1rw 1rw");
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 1);
    assert_true(write_at(P(0), 1));
    simulated.pkru = 2u << 2; /* key 1: no writes */
    assert_true(refused(true, P(0), PKUERR));
    assert_int_equal(s.mm->bad.key, 1);
    assert_int_equal(protect(0, 1, R), 0); /* plain mprotect keeps the key */
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 1);
    assert_int_equal(mm_mprotect(s.mm, P(0), PAGE, RW, 0), 0);
    simulated.pkru = 0;
    assert_string_equal(layout(), "1rw 1rw"); /* it was written meanwhile, the other one was not */
    /* Freed, it may not be given any more, but memory that has it keeps it. */
    assert_int_equal(mm_mprotect(s.mm, P(1), PAGE, RW, 1), 0);
    assert_int_equal(mm_pkey_free(s.mm, 1), 0);
    assert_int_equal(mm_pkey_free(s.mm, 1), -EINVAL);
    assert_int_equal(mm_mprotect(s.mm, P(0), PAGE, RW, 1), -EINVAL);
    assert_int_equal(vma_key(vma_at(s.mm, P(1))), 1);
    assert_int_equal(mm_pkey_alloc(s.mm, 1, 0), -EINVAL);
    assert_int_equal(mm_pkey_alloc(s.mm, 0, 4), -EINVAL);
    for (int next = 1; next < 16; next++) {
        assert_int_equal(mm_pkey_alloc(s.mm, 0, 3), next);
    }
    assert_int_equal(mm_pkey_alloc(s.mm, 0, 0), -ENOSPC);
    assert_int_equal(mm_pkey_free(s.mm, 0), 0); /* Linux lets it go */
    /* No key is left for execute-only memory: it is readable then. */
    assert_int_equal(mm_pkey_alloc(s.mm, 0, 0), 0);
    assert_int_equal(protect(0, 1, PROT_EXEC), 0);
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 0);
    assert_int_equal(s.mm->deny_key, -1);
}

static void execute_only_key_comes_and_goes(void **state)
{
    (void)state;
    lay(0, 2, RW);
    assert_true(write_at(P(0), 1));
    assert_int_equal(protect(0, 1, PROT_EXEC), 0);
    assert_int_equal(s.mm->deny_key, 1);
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 1);
    simulated.pkru = 1u << 2; /* what whoever asked does with deny_key */
    assert_true(user_fetch(P(0)) == BAD_NONE);
    assert_true(refused(false, P(0), PKUERR));
    assert_int_equal(protect(0, 1, RW), 0);
    assert_string_equal(layout(), "2rw");
    assert_true(reads(P(0), 1));
    /* With a key that was asked for, execute-only is not Linux's own. */
    const int64_t key = mm_pkey_alloc(s.mm, 0, 0);
    assert_int_equal(key, 2);
    assert_int_equal(mm_mprotect(s.mm, P(0), PAGE, PROT_EXEC, 2), 0);
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 2);
    assert_int_equal(protect(0, 1, RW), 0);
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 2);
}

static void locked_memory_that_becomes_writable_is_copied_at_once(void **state)
{
    (void)state;
    assert_int_equal(map_file(P(0), 1, R, MAP_PRIVATE | MAP_LOCKED, s.file, 0), P(0));
    assert_true(is_present(P(0)));
    assert_int_equal(protect(0, 1, RW), 0);
    const unsigned long faults = simulated.faults;
    assert_true(write_at(P(0), 1));
    assert_int_equal(simulated.faults, faults);
}

static int64_t protect_middle(void)
{
    return protect(1, 3, R);
}

static void lay_four(void)
{
    lay(0, 4, RW);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    lay_four();
    assert_in_range(fail_in_turn(protect_middle, 0, lay_four), 2, 4);
    assert_string_equal(layout(), "1rw 2r 1rw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rights_change_for_pages_that_are_there),
        CASE(first_error_wins),
        CASE(what_precedes_an_error_is_done),
        CASE(growing_down_takes_the_whole_stack),
        CASE(shared_pages_become_writable_as_their_file_wants),
        CASE(private_copies_do_not_become_shared),
        CASE(keys_stay_until_they_are_changed),
        CASE(execute_only_key_comes_and_goes),
        CASE(locked_memory_that_becomes_writable_is_copied_at_once),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
