/*
 * test_audit.c: the audit finds what it is there for. A small system of two processes and three files
 * is good; then each defect is planted in it, found by its name, and taken out again.
 */
#include "tests/host/unit.h"

#include "mm/pte.h"
#include "mm/vmalloc.h"
#include "tests/host/machine_simulated.h"

/* ---- the system ------------------------------------------------------------------------------------ */

static enum vm_fault mkwrite(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    return VM_FAULT_DONE;
}
static const struct page_cache_operations memory_file, tracking_file = {.page_mkwrite = mkwrite};

#define MAY (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define RW  (VM_READ | VM_WRITE)

/* Eight pages each, all in one table. */
enum { ANON, READ_ONLY, SHARED, PRIVATE, TRACKED, LOCKED, HIDDEN, TEXT, AREAS };
static const struct {
    uint64_t flags;
    enum { NO_FILE, MEMORY, TRACKING } file;
} areas[AREAS] = {
    [ANON] = {RW | MAY,                           NO_FILE },
    [READ_ONLY] = {VM_READ | MAY,                      NO_FILE },
    [SHARED] = {RW | MAY | VM_SHARED | VM_MAYSHARE, MEMORY  },
    [PRIVATE] = {RW | MAY,                           MEMORY  },
    [TRACKED] = {RW | MAY | VM_SHARED | VM_MAYSHARE, TRACKING},
    [LOCKED] = {RW | MAY | VM_LOCKED,               NO_FILE },
    [HIDDEN] = {MAY,                                NO_FILE },
    [TEXT] = {VM_READ | VM_EXEC | MAY,            MEMORY  },
};
#define AREA_PAGES UINT64_C(8)
#define BASE       UINT64_C(0x410000)

static struct {
    struct mm *parent, *child;
    struct page_cache *memory, *tracking;
    void *kernel; /* from vmalloc */
} s;

static vaddr_t at(unsigned area, unsigned page)
{
    return BASE + (area * 2 * AREA_PAGES + page) * PAGE_SIZE;
}

static struct vma *vma(unsigned area)
{
    return vma_at(s.parent, at(area, 0));
}

static pte_t *leaf_of(struct mm *mm, unsigned area, unsigned page)
{
    pte_t *leaf = paging_leaf(&mm->space, at(area, page));

    assert_non_null(leaf);
    return leaf;
}

static pte_t *leaf(unsigned area, unsigned page)
{
    return leaf_of(s.parent, area, page);
}

static struct page *page(unsigned area, unsigned number)
{
    assert_true(*leaf(area, number) != 0);
    return pte_page(*leaf(area, number));
}

static void touch(unsigned area, unsigned number, bool write)
{
    uint64_t value = 7;

    assert_int_equal(write ? user_write(at(area, number), &value, 8)
                           : user_read(at(area, number), &value, 8),
                     BAD_NONE);
}

static void system_start(void)
{
    machine_start(256, 4);
    assert_int_equal(mm_create(&s.parent), 0);
    s.memory = page_cache_create(&memory_file, "memory", NULL);
    s.tracking = page_cache_create(&tracking_file, "tracking", NULL);
    s.memory->bytes = s.tracking->bytes = 8 * PAGE_SIZE;
    for (unsigned area = 0; area < AREAS; area++) {
        struct page_cache *file = areas[area].file == MEMORY     ? s.memory
                                  : areas[area].file == TRACKING ? s.tracking
                                                                 : NULL;
        struct vma *made = vma_create(s.parent, at(area, 0), at(area, AREA_PAGES),
                                      areas[area].flags, file, file ? 0 : at(area, 0) / PAGE_SIZE);
        assert_non_null(made);
        vma_insert(s.parent, made);
    }
    mm_load(s.parent);
    touch(ANON, 0, true); /* 0: shared with the child, 1: zero page, 2: the parent's alone */
    touch(ANON, 1, false);
    touch(READ_ONLY, 0, false);
    touch(SHARED, 0, true);
    touch(SHARED, 1, true);
    touch(PRIVATE, 0, false); /* 0: the file's, 1: a copy */
    touch(PRIVATE, 1, true);
    touch(TRACKED, 0, true); /* 0: dirty, 1: clean */
    touch(TRACKED, 1, false);
    touch(LOCKED, 0, true);
    assert_int_equal(user_fetch(at(TEXT, 0)), BAD_NONE);
    assert_int_equal(mm_fork(s.parent, &s.child), 0);
    touch(ANON, 2, true);
    for (uint64_t index = 6; index < 8; index++) { /* mapped nowhere */
        struct page *fetched;
        assert_int_equal(page_cache_fetch(s.memory, index, &fetched), VM_FAULT_DONE);
        page_put(fetched);
    }
    s.kernel = vmalloc(2 * PAGE_SIZE);
    assert_non_null(s.kernel);
}

static int group_start(void **state)
{
    (void)state;
    system_start();
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    mm_load(NULL);
    mm_destroy(s.parent);
    mm_destroy(s.child);
    page_cache_put(s.memory);
    page_cache_put(s.tracking);
    vfree(s.kernel);
    assert_int_equal(machine_stop(), 0);
    return 0;
}

/* ---- defects ----------------------------------------------------------------------------------------- */

/* What was changed, to be put back in reverse. */
static struct {
    void *at;
    size_t bytes;
    uint64_t old;
} changes[8];
static unsigned changed;

static void change(void *where, size_t bytes, uint64_t value)
{
    assert_true(changed < ARRAY_COUNT(changes));
    changes[changed].at = where;
    changes[changed].bytes = bytes;
    changes[changed].old = 0;
    memcpy(&changes[changed++].old, where, bytes);
    memcpy(where, &value, bytes);
}
#define CHANGE(lvalue, value) change(&(lvalue), sizeof(lvalue), (uint64_t)(value))

static void put_back(void)
{
    while (changed) {
        changed--;
        memcpy(changes[changed].at, &changes[changed].old, changes[changed].bytes);
    }
}

/* A frame that is taken from the pool for a defect, and given back behind it. */
static paddr_t taken;

static paddr_t take(void)
{
    assert_int_equal(frame_alloc(&memory.frames, &taken), STATUS_OK);
    memset(phys_to_virt(taken), 0, PAGE_SIZE);
    return taken;
}

static paddr_t free_frame(void)
{
    return memory.frames.base + memory.frames.lowest * PAGE_SIZE;
}

/* A page with one more holder than before, as the counts tell it. */
static void hold(struct page *held)
{
    CHANGE(held->count, held->count + 1);
    CHANGE(held->mapcount, held->mapcount + 1);
}

static pte_t *root_entry(unsigned slot)
{
    return (pte_t *)phys_to_virt(s.parent->space.root) + slot;
}

#define DEFECT(name) static void name(void)

DEFECT(count_too_high)
{
    CHANGE(page(ANON, 0)->count, page(ANON, 0)->count + 1);
}
DEFECT(count_too_low)
{
    CHANGE(page(ANON, 0)->count, 1);
}
DEFECT(count_of_cached_page)
{
    CHANGE(page(SHARED, 0)->count, 1);
}
DEFECT(count_of_free_frame)
{
    CHANGE(page_of(free_frame())->count, 1);
}
DEFECT(count_of_kernel_page)
{
    const pte_t *of = paging_leaf(&mm_reference, (uintptr_t)s.kernel);
    CHANGE(page_of(*of & PTE_ADDRESS)->count, 2);
}
DEFECT(mapcount_too_high)
{
    CHANGE(page(ANON, 2)->mapcount, 2);
}
DEFECT(mapcount_too_low)
{
    CHANGE(page(SHARED, 1)->mapcount, 0);
}
DEFECT(leaf_outside)
{
    CHANGE(*leaf(ANON, AREA_PAGES), *leaf(ANON, 0));
    hold(page(ANON, 0));
}
DEFECT(leaf_below_all)
{
    CHANGE(*(leaf(ANON, 0) - level_index(at(ANON, 0), 1)), *leaf(ANON, 0));
    hold(page(ANON, 0));
}
DEFECT(hidden_leaf_outside)
{
    CHANGE(*leaf(HIDDEN, AREA_PAGES), (*leaf(ANON, 0) & ~PTE_P) | PTE_PROTNONE);
    hold(page(ANON, 0));
}
DEFECT(writable_after_fork)
{
    CHANGE(*leaf(ANON, 0), *leaf(ANON, 0) | PTE_RW);
}
DEFECT(writable_in_child)
{
    pte_t *child = leaf_of(s.child, LOCKED, 0);
    CHANGE(*child, *child | PTE_RW);
}
DEFECT(writable_zero_page)
{
    CHANGE(*leaf(ANON, 1), *leaf(ANON, 1) | PTE_RW);
}
DEFECT(writable_file_page)
{
    CHANGE(*leaf(PRIVATE, 0), *leaf(PRIVATE, 0) | PTE_RW);
}
DEFECT(exclusive_and_shared)
{
    CHANGE(page(ANON, 0)->flags, PAGE_ANONYMOUS | PAGE_EXCLUSIVE);
}
DEFECT(clean_and_writable)
{
    CHANGE(page(TRACKED, 0)->flags, page(TRACKED, 0)->flags & ~(uint32_t)PAGE_DIRTY);
}
DEFECT(writable_before_mkwrite)
{
    CHANGE(*leaf(TRACKED, 1), *leaf(TRACKED, 1) | PTE_RW);
}
DEFECT(writable_in_read_only)
{
    CHANGE(*leaf(READ_ONLY, 0), *leaf(READ_ONLY, 0) | PTE_RW);
}
DEFECT(executable_data)
{
    CHANGE(*leaf(ANON, 2), *leaf(ANON, 2) & ~PTE_XD);
}
DEFECT(text_that_is_not_executable)
{
    CHANGE(*leaf(TEXT, 0), *leaf(TEXT, 0) | PTE_XD);
}
DEFECT(supervisor_leaf)
{
    CHANGE(*leaf(ANON, 2), *leaf(ANON, 2) & ~PTE_US);
}
DEFECT(wrong_key)
{
    CHANGE(*leaf(ANON, 2), *leaf(ANON, 2) | UINT64_C(3) << PTE_KEY_SHIFT);
}
DEFECT(hidden_without_cause)
{
    CHANGE(*leaf(ANON, 2), (*leaf(ANON, 2) & ~PTE_P) | PTE_PROTNONE);
}
DEFECT(visible_in_prot_none)
{
    CHANGE(*leaf(HIDDEN, 0), *leaf(READ_ONLY, 0));
}
DEFECT(prot_of_other_flags)
{
    CHANGE(vma(ANON)->prot, vma(TEXT)->prot);
}
DEFECT(leaf_out_of_the_pool)
{
    CHANGE(*leaf(ANON, 3), (*leaf(ANON, 2) & ~PTE_ADDRESS) | 0x1000);
}
DEFECT(leaf_to_a_free_frame)
{
    CHANGE(*leaf(ANON, 3), (*leaf(ANON, 2) & ~PTE_ADDRESS) | free_frame());
}
DEFECT(leaf_to_objects)
{
    CHANGE(*leaf(ANON, 3),
           (*leaf(ANON, 2) & ~PTE_ADDRESS) | ALIGN_DOWN(virt_to_phys(s.parent), PAGE_SIZE));
}
DEFECT(leaf_to_a_table)
{
    CHANGE(*leaf(ANON, 3), (*leaf(ANON, 2) & ~PTE_ADDRESS) | s.parent->space.root);
}
DEFECT(leaf_of_rubbish)
{
    CHANGE(*leaf(ANON, 3), PTE_A | PTE_D);
}
DEFECT(leaf_to_another_index)
{
    CHANGE(*leaf(SHARED, 2), *leaf(SHARED, 1));
    hold(page(SHARED, 1));
}
DEFECT(private_leaf_to_another_index)
{
    CHANGE(*leaf(PRIVATE, 2), *leaf(PRIVATE, 0));
    hold(page(PRIVATE, 0));
}
DEFECT(leaf_to_another_file)
{
    CHANGE(*leaf(SHARED, 0), (*leaf(SHARED, 0) & ~PTE_ADDRESS) | page_frame(page(TRACKED, 0)));
}
DEFECT(file_page_without_a_file)
{
    CHANGE(*leaf(ANON, 2), *leaf(PRIVATE, 0));
}
DEFECT(anonymous_page_in_shared_file)
{
    CHANGE(*leaf(SHARED, 2), *leaf(ANON, 0));
    hold(page(ANON, 0));
}
DEFECT(zero_page_in_a_file)
{
    CHANGE(*leaf(PRIVATE, 3), *leaf(ANON, 1));
}
DEFECT(overlapping_vmas)
{
    CHANGE(vma(ANON)->end, at(READ_ONLY, 1));
}
DEFECT(empty_vma)
{
    CHANGE(vma(HIDDEN)->end, at(HIDDEN, 0));
}
DEFECT(unaligned_vma)
{
    CHANGE(vma(HIDDEN)->end, at(HIDDEN, 8) - 1);
}
DEFECT(vma_in_the_kernel)
{
    CHANGE(vma(TEXT)->end, TASK_SIZE + PAGE_SIZE);
}
DEFECT(vma_of_another_mm)
{
    CHANGE(vma(ANON)->mm, (uintptr_t)s.child);
}
DEFECT(map_count)
{
    CHANGE(s.parent->map_count, AREAS + 1);
}
DEFECT(pages_total)
{
    CHANGE(s.parent->pages_total, s.parent->pages_total - 1);
}
DEFECT(pages_locked)
{
    CHANGE(s.parent->pages_locked, 0);
}
DEFECT(pages_data)
{
    CHANGE(s.parent->pages_data, s.parent->pages_data + 1);
}
DEFECT(gap)
{
    CHANGE(vma(SHARED)->gap, PAGE_SIZE);
}
DEFECT(largest_gap)
{
    CHANGE(RB_ROOT(&s.parent->tree)->largest_gap,
           RB_ROOT(&s.parent->tree)->largest_gap + PAGE_SIZE);
}
DEFECT(page_without_anon_vma)
{
    CHANGE(vma(ANON)->anon_vma, 0);
}
DEFECT(pages_in_cache)
{
    CHANGE(s.memory->pages, s.memory->pages + 1);
}
DEFECT(page_behind_the_end)
{
    CHANGE(s.memory->bytes, PAGE_SIZE);
}
DEFECT(pages_out_of_order)
{
    CHANGE(page_cache_find(s.memory, 7)->index, 5);
}
DEFECT(page_of_another_cache)
{
    CHANGE(page_cache_find(s.memory, 7)->cache, (uintptr_t)s.tracking);
}
DEFECT(page_in_no_state)
{
    CHANGE(page(SHARED, 0)->flags, 0);
}
DEFECT(page_in_two_states)
{
    CHANGE(page(SHARED, 0)->flags, PAGE_UPTODATE | PAGE_LOCKED);
    CHANGE(page(SHARED, 0)->count, page(SHARED, 0)->count + 1);
}
DEFECT(anonymous_page_in_a_cache)
{
    CHANGE(page_cache_find(s.tracking, 1)->flags, PAGE_UPTODATE | PAGE_ANONYMOUS);
}
DEFECT(anonymous_page_with_a_cache)
{
    CHANGE(page(ANON, 0)->cache, (uintptr_t)s.memory);
}
DEFECT(vma_in_no_list)
{
    struct page_cache *of = s.tracking;
    CHANGE(of->mappings.lh_first, 0);
}
DEFECT(vma_in_another_list)
{
    CHANGE(s.tracking->mappings.lh_first, (uintptr_t)s.memory->mappings.lh_first);
}
DEFECT(cache_without_references)
{
    CHANGE(s.memory->count, 1);
}
DEFECT(shared_table)
{
    pte_t *second = root_entry(1);
    CHANGE(*second, *root_entry(0));
    CHANGE(vma(TEXT)->end, BIT(39) + PAGE_SIZE);
    CHANGE(s.parent->pages_total,
           s.parent->pages_total + (BIT(39) + PAGE_SIZE - at(TEXT, 8)) / PAGE_SIZE);
}
DEFECT(table_that_serves_nobody)
{
    CHANGE(*root_entry(9), take() | TABLE_FLAGS);
}
DEFECT(table_that_is_free)
{
    CHANGE(*root_entry(9), free_frame() | TABLE_FLAGS);
}
DEFECT(large_leaf_in_a_program)
{
    CHANGE(*root_entry(0), *root_entry(0) | PTE_PS);
}
DEFECT(root_is_no_frame)
{
    CHANGE(s.parent->space.root, 0x1000);
}
DEFECT(kernel_half_differs)
{
    CHANGE(*root_entry(511), PTE_P);
}
DEFECT(page_that_nobody_has)
{
    CHANGE(page_of(take())->count, 1);
    CHANGE(page_of(taken)->flags, PAGE_ANONYMOUS);
}
DEFECT(frame_that_nobody_has)
{
    (void)take();
}
DEFECT(pool_counts_wrong)
{
    CHANGE(memory.frames.free, memory.frames.free - 1);
}

static const struct {
    const char *name;
    void (*plant)(void);
    enum audit_finding finding;
} defects[] = {
#define ROW(name, finding)                                                                         \
    {                                                                                              \
#name, name, finding                                                                       \
    }
    ROW(count_too_high, AUDIT_COUNT),
    ROW(count_too_low, AUDIT_COUNT),
    ROW(count_of_cached_page, AUDIT_COUNT),
    ROW(count_of_free_frame, AUDIT_COUNT),
    ROW(count_of_kernel_page, AUDIT_COUNT),
    ROW(mapcount_too_high, AUDIT_MAPCOUNT),
    ROW(mapcount_too_low, AUDIT_MAPCOUNT),
    ROW(leaf_outside, AUDIT_OUTSIDE_VMA),
    ROW(leaf_below_all, AUDIT_OUTSIDE_VMA),
    ROW(hidden_leaf_outside, AUDIT_OUTSIDE_VMA),
    ROW(writable_after_fork, AUDIT_WRITABLE),
    ROW(writable_in_child, AUDIT_WRITABLE),
    ROW(writable_zero_page, AUDIT_WRITABLE),
    ROW(writable_file_page, AUDIT_WRITABLE),
    ROW(exclusive_and_shared, AUDIT_WRITABLE),
    ROW(clean_and_writable, AUDIT_CLEAN),
    ROW(writable_before_mkwrite, AUDIT_CLEAN),
    ROW(writable_in_read_only, AUDIT_RIGHTS),
    ROW(executable_data, AUDIT_RIGHTS),
    ROW(text_that_is_not_executable, AUDIT_RIGHTS),
    ROW(supervisor_leaf, AUDIT_RIGHTS),
    ROW(wrong_key, AUDIT_RIGHTS),
    ROW(hidden_without_cause, AUDIT_RIGHTS),
    ROW(visible_in_prot_none, AUDIT_RIGHTS),
    ROW(prot_of_other_flags, AUDIT_RIGHTS),
    ROW(leaf_out_of_the_pool, AUDIT_FOREIGN),
    ROW(leaf_to_a_free_frame, AUDIT_FOREIGN),
    ROW(leaf_to_objects, AUDIT_FOREIGN),
    ROW(leaf_to_a_table, AUDIT_FOREIGN),
    ROW(leaf_of_rubbish, AUDIT_FOREIGN),
    ROW(leaf_to_another_index, AUDIT_FOREIGN),
    ROW(private_leaf_to_another_index, AUDIT_FOREIGN),
    ROW(leaf_to_another_file, AUDIT_FOREIGN),
    ROW(file_page_without_a_file, AUDIT_FOREIGN),
    ROW(anonymous_page_in_shared_file, AUDIT_FOREIGN),
    ROW(zero_page_in_a_file, AUDIT_FOREIGN),
    ROW(overlapping_vmas, AUDIT_TREE),
    ROW(empty_vma, AUDIT_TREE),
    ROW(unaligned_vma, AUDIT_TREE),
    ROW(vma_in_the_kernel, AUDIT_TREE),
    ROW(vma_of_another_mm, AUDIT_TREE),
    ROW(map_count, AUDIT_TREE),
    ROW(pages_total, AUDIT_TREE),
    ROW(pages_locked, AUDIT_TREE),
    ROW(pages_data, AUDIT_TREE),
    ROW(gap, AUDIT_TREE),
    ROW(largest_gap, AUDIT_TREE),
    ROW(page_without_anon_vma, AUDIT_TREE),
    ROW(pages_in_cache, AUDIT_CACHE),
    ROW(page_behind_the_end, AUDIT_CACHE),
    ROW(pages_out_of_order, AUDIT_CACHE),
    ROW(page_of_another_cache, AUDIT_CACHE),
    ROW(page_in_no_state, AUDIT_CACHE),
    ROW(page_in_two_states, AUDIT_CACHE),
    ROW(anonymous_page_in_a_cache, AUDIT_CACHE),
    ROW(anonymous_page_with_a_cache, AUDIT_CACHE),
    ROW(vma_in_no_list, AUDIT_CACHE),
    ROW(vma_in_another_list, AUDIT_CACHE),
    ROW(cache_without_references, AUDIT_CACHE),
    ROW(shared_table, AUDIT_TABLE),
    ROW(table_that_serves_nobody, AUDIT_TABLE),
    ROW(table_that_is_free, AUDIT_TABLE),
    ROW(large_leaf_in_a_program, AUDIT_TABLE),
    ROW(root_is_no_frame, AUDIT_TABLE),
    ROW(kernel_half_differs, AUDIT_TABLE),
    ROW(page_that_nobody_has, AUDIT_LEAK),
    ROW(frame_that_nobody_has, AUDIT_LEAK),
    ROW(pool_counts_wrong, AUDIT_LEAK),
};

static void a_good_system_is_good(void **state)
{
    (void)state;
    struct audit audit;

    assert_int_equal(audit_all(&audit), AUDIT_GOOD);
    /* Every frame but the zero page is one of the three kinds. */
    assert_int_equal(audit.tables + audit.pages + audit.object_frames + 1,
                     memory.frames.frames - memory.frames.free);
    /* parent and child: root and three tables each; vmalloc: three. */
    assert_int_equal(audit.tables, 11);
    /* ANON 0 2, LOCKED 0, PRIVATE 1's copy; memory 0 1 6 7, tracking 0 1; vmalloc 2 */
    assert_int_equal(audit.pages, 12);
    assert_string_equal(audit_words(audit.finding), "good");
}

static void each_defect_is_found_by_its_name(void **state)
{
    (void)state;
    struct audit audit;
    unsigned wrong = 0;
    bool seen[AUDIT_FINDINGS] = {true};

    for (size_t i = 0; i < ARRAY_COUNT(defects); i++) {
        taken = 0;
        defects[i].plant();
        audit_all(&audit);
        put_back();
        if (taken) {
            assert_int_equal(frame_free(&memory.frames, taken), STATUS_OK);
        }
        if (audit.finding != defects[i].finding) {
            print_message("%s: %s\n", defects[i].name, audit_words(audit.finding));
            wrong++;
        }
        seen[defects[i].finding] = true;
        assert_int_equal(audit_all(&audit), AUDIT_GOOD);
    }
    assert_int_equal(wrong, 0);
    for (unsigned finding = 0; finding < AUDIT_FINDINGS; finding++) {
        if (!seen[finding] || !audit_words((enum audit_finding)finding)) {
            fail_msg("nothing is found that is: %u", finding);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_system_is_good),
        cmocka_unit_test(each_defect_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, group_start, group_end);
}
