/*
 * test_vmalloc.c: the kernel's memory that is contiguous only in addresses: where it lies, what is
 * absent around it, how other roots come to see it, and that it goes without a trace.
 */
#include "tests/host/unit.h"

#include "mm/vmalloc.h"
#include "tests/host/machine_simulated.h"

static unsigned levels = 4; /* of the next machine */

static int start(void **state)
{
    (void)state;
    machine_start(128, levels);
    levels = 4;
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(machine_stop(), 0);
    return 0;
}

static void good(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        fail_msg("%s", wrong);
    }
}

static vaddr_t base(void)
{
    return mm_reference.levels == 5 ? VMALLOC_BASE_5 : VMALLOC_BASE_4;
}

static bool readable(vaddr_t address)
{
    uint8_t byte;

    return kernel_read(address, &byte, 1);
}

/* Under the reference root all is there at once. */
static void zeros_between_absent_pages(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, PAGE_SIZE, PAGE_SIZE + 1, 5 * PAGE_SIZE};
    void *area[ARRAY_COUNT(sizes)];

    mm_load(NULL);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        const vaddr_t at = (uintptr_t)(area[i] = vmalloc(sizes[i]));
        const uint64_t bytes = ALIGN_UP(sizes[i], PAGE_SIZE);
        assert_true(at % PAGE_SIZE == 0 && at > base() && at < base() + VMALLOC_BYTES);
        assert_true(vmalloc_holds(at));
        for (vaddr_t word = at; word < at + bytes; word += 8) {
            uint64_t value = 1;
            assert_true(kernel_read(word, &value, 8));
            assert_int_equal(value, 0);
            value = word;
            assert_true(kernel_write(word, &value, 8));
        }
        assert_false(readable(at - 1));
        assert_false(readable(at + bytes));
        good();
    }
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        vfree(area[i]);
    }
}

static void refuses_what_has_no_room(void **state)
{
    (void)state;
    assert_null(vmalloc(0));
    assert_null(vmalloc(VMALLOC_BYTES + 1));
    assert_null(vmalloc(UINT64_MAX));
    assert_null(vmalloc(VMALLOC_BYTES)); /* no room for absent pages */
    assert_null(vmalloc(VMALLOC_BYTES - PAGE_SIZE));
    assert_null(vmalloc(200 * PAGE_SIZE)); /* more than there is */
    vfree(NULL);
    good();
    assert_true(vmalloc_holds(base()) && vmalloc_holds(base() + VMALLOC_BYTES - 1));
    assert_false(vmalloc_holds(base() - 1) || vmalloc_holds(base() + VMALLOC_BYTES));
}

/* The lowest gap that is large enough, absent page included. */
static void gaps_are_used_again(void **state)
{
    (void)state;
    void *area[5];

    for (int i = 0; i < 5; i++) {
        area[i] = vmalloc(2 * PAGE_SIZE);
        assert_ptr_equal(area[i], base() + PAGE_SIZE + (uint64_t)i * 3 * PAGE_SIZE);
    }
    vfree(area[1]);
    vfree(area[2]);
    good();
    void *six = vmalloc(6 * PAGE_SIZE); /* one page too many for the gap */
    assert_ptr_equal(six, base() + PAGE_SIZE + 15 * PAGE_SIZE);
    void *five = vmalloc(5 * PAGE_SIZE);
    assert_ptr_equal(five, area[1]);
    good();
    vfree(area[0]);
    assert_ptr_equal(vmalloc(PAGE_SIZE), area[0]);
    vfree(area[0]);
    vfree(five);
    vfree(six);
    vfree(area[3]);
    vfree(area[4]);
    good();
}

/* What is freed is gone from the tables and from what is cached, before its frames come again. */
static void freed_memory_is_gone(void **state)
{
    (void)state;
    uint64_t value = 0x1122;

    mm_load(NULL);
    const vaddr_t at = (uintptr_t)vmalloc(3 * PAGE_SIZE);
    for (int page = 0; page < 3; page++) {
        assert_true(kernel_write(at + (uint64_t)page * PAGE_SIZE, &value, 8));
    }
    vfree((void *)at);
    assert_int_equal(tlb_simulated_harmful(), 0);
    for (int page = 0; page < 3; page++) {
        assert_false(readable(at + (uint64_t)page * PAGE_SIZE));
    }
    good();
    assert_ptr_equal(vmalloc(PAGE_SIZE), at);
    assert_true(kernel_read(at, &value, 8));
    assert_int_equal(value, 0);
    vfree((void *)at);
}

static void each_flush_is_needed(void **state)
{
    (void)state;
    uint64_t value = 1;

    mm_load(NULL);
    for (unsigned long flush = 1; flush <= 2; flush++) {
        const vaddr_t at = (uintptr_t)vmalloc(2 * PAGE_SIZE);
        assert_true(kernel_write(at, &value, 8) && kernel_write(at + PAGE_SIZE, &value, 8));
        tlb_simulated_drop(tlb_simulated_flushes() + flush);
        vfree((void *)at);
        assert_int_not_equal(tlb_simulated_harmful(), 0);
        tlb_flush_all();
        good();
    }
}

/* Another root does not have the area until it is touched there; then it shows what comes later, too. */
static void first_touch_synchronises_a_root(void **state)
{
    (void)state;
    struct mm *mm[2];
    uint64_t value = 0;

    assert_int_equal(mm_create(&mm[0]), 0);
    const vaddr_t at = (uintptr_t)vmalloc(PAGE_SIZE);
    assert_int_equal(mm_create(&mm[1]), 0);
    for (int i = 0; i < 2; i++) {
        mm_load(mm[i]);
        const unsigned long faults = simulated.faults;
        value = 0;
        assert_true(kernel_read(at, &value, 8));
        assert_int_equal(value, i);
        value = (uint64_t)i + 1;
        assert_true(kernel_write(at, &value, 8));
        assert_int_equal(simulated.faults - faults, 1);
        good();
    }
    const vaddr_t later = (uintptr_t)vmalloc(PAGE_SIZE);
    const unsigned long faults = simulated.faults;
    assert_true(readable(later));
    assert_int_equal(simulated.faults, faults);
    /* Absent pages are nobody's, and ring 3 is refused. */
    assert_false(readable(at - 1));
    assert_int_equal(user_read(at, &value, 8), BAD_SIGNAL);
    assert_int_equal(mm[1]->bad.code, 1 /* SEGV_MAPERR */);
    vfree((void *)at);
    vfree((void *)later);
    assert_int_equal(tlb_simulated_harmful(), 0);
    mm_load(NULL);
    mm_destroy(mm[0]);
    mm_destroy(mm[1]);
    good();
}

static void synchronising_says_whether_it_did(void **state)
{
    (void)state;
    struct mm *mm;

    assert_int_equal(mm_create(&mm), 0);
    assert_false(vmalloc_synchronise(mm->space.root, base())); /* nothing there yet */
    void *at = vmalloc(1);
    assert_false(vmalloc_synchronise(mm->space.root, base() - 1));
    assert_false(vmalloc_synchronise(mm->space.root, base() + VMALLOC_BYTES));
    assert_false(vmalloc_synchronise(mm_reference.root, base()));
    assert_true(vmalloc_synchronise(mm->space.root, base() + VMALLOC_BYTES - 1));
    assert_false(vmalloc_synchronise(mm->space.root, base()));
    vfree(at);
    mm_destroy(mm);
}

static void no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    for (uint64_t number = 1;; number++) {
        memory_fail_at(number);
        void *at = vmalloc(4 * PAGE_SIZE);
        const bool failed = memory_failed();
        memory_fail_at(0);
        good();
        if (at) {
            assert_false(failed);
            assert_true(number > 8); /* the area, its frame, 3 tables, 4 pages */
            vfree(at);
            break;
        }
        assert_true(failed);
        vmalloc_stop();
        assert_int_equal(machine_left(), 0);
    }
}

static int start_5(void **state)
{
    levels = 5;
    return start(state);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, start, end),                                             \
    {                                                                                              \
#name "/5", name, start_5, end, NULL                                                       \
    }
    const struct CMUnitTest tests[] = {
        TEST(zeros_between_absent_pages),
        TEST(refuses_what_has_no_room),
        TEST(gaps_are_used_again),
        TEST(freed_memory_is_gone),
        TEST(each_flush_is_needed),
        TEST(first_touch_synchronises_a_root),
        TEST(synchronising_says_whether_it_did),
        TEST(no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
