/*
 * test_mmap.c: mmap, munmap and brk on a simulated machine, as Linux 6.1 does them: where things go, what
 * merges, which error wins. The search for room is held against one that looks at every page.
 */
#include "tests/host/memory_fixture.h"

/* ---- the search for room ----------------------------------------------------------------------- */

#define CELLS 1500u
enum cell { FREE, USED, STACK };

static uint64_t random_state;

static unsigned chance(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20) % below;
}

/* A window of CELLS pages from @base on with VMAs in it; everything beside it is in use. */
static void furnish(vaddr_t base, uint8_t *cells)
{
    memset(cells, FREE, CELLS);
    assert_int_equal(mm_munmap(s.mm, base, CELLS * PAGE), 0);
    for (unsigned at = chance(40); at < CELLS;) {
        unsigned pages = 1 + chance(chance(4) ? 8 : 120);
        pages = at + pages > CELLS ? CELLS - at : pages;
        const bool stack = chance(3) == 0;
        assert_int_equal(
            map(base + at * PAGE, pages, chance(2) ? R : RW, FIXED | (stack ? MAP_GROWSDOWN : 0)),
            base + at * PAGE);
        memset(cells + at, stack ? STACK : USED, pages);
        at += pages + chance(chance(3) ? 12 : 500);
    }
}

/* The number of the first page of what lies at or above page @at; CELLS: nothing. */
static unsigned next_used(const uint8_t *cells, unsigned at)
{
    while (at < CELLS && cells[at] == FREE) {
        at++;
    }
    return at;
}

static bool is_free_run(const uint8_t *cells, int start, unsigned pages)
{
    return start >= 0 && start + (int)pages <= (int)CELLS &&
           next_used(cells, (unsigned)start) >= (unsigned)start + pages;
}

/* Linux's unmapped_area_topdown, page by page. Out: a page, or -1. */
static int naive_down(const uint8_t *cells, int high, unsigned pages)
{
    for (int end = high; end >= (int)pages; end--) {
        if (!is_free_run(cells, end - (int)pages, pages)) {
            continue;
        }
        const unsigned next = next_used(cells, (unsigned)end);
        if (next < CELLS && cells[next] == STACK && (int)next - 256 < end) {
            /* The guard gap eats it: on below the guard gap, whatever lies there. */
            return naive_down(cells, (int)next - 256, pages);
        }
        return end - (int)pages;
    }
    return -1;
}

static int naive_up(const uint8_t *cells, unsigned low, unsigned pages)
{
    for (unsigned start = low; start + pages <= CELLS; start++) {
        if (!is_free_run(cells, (int)start, pages)) {
            continue;
        }
        unsigned next = next_used(cells, start);
        if (next < CELLS && cells[next] == STACK && (int)next - 256 < (int)(start + pages)) {
            while (next < CELLS && cells[next] != FREE) {
                next++; /* behind the VMA, and what follows it without a gap */
            }
            return naive_up(cells, next, pages);
        }
        return (int)start;
    }
    return -1;
}

static void try_room(vaddr_t base, const uint8_t *cells, uint64_t flags)
{
    const unsigned pages = 1 + chance(chance(2) ? 12 : 300);
    int naive = flags & MAP_32BIT ? -1 : naive_down(cells, (int)CELLS, pages);

    naive = naive < 0 ? naive_up(cells, 0, pages) : naive;
    const int64_t got = map(0, pages, PROT_EXEC | R, ANON | flags);

    assert_int_equal(got, naive < 0 ? -ENOMEM : (int64_t)(base + (unsigned)naive * PAGE));
    if (got >= 0) {
        assert_int_equal(mm_munmap(s.mm, (vaddr_t)got, pages * PAGE), 0);
    }
}

static void room_is_found_as_a_scan_finds_it(void **state)
{
    static uint8_t cells[CELLS];
    const vaddr_t top = s.mm->mmap_base - CELLS * PAGE, low = 0x40000000;

    (void)state;
    random_state = 0x243f6a8885a308d3;
    const uint64_t above = TASK_SIZE - s.mm->mmap_base;
    assert_int_equal(mm_mmap(s.mm, PAGE, top - PAGE, PROT_NONE, FIXED, NULL, 0, 0), PAGE);
    assert_int_equal(mm_mmap(s.mm, s.mm->mmap_base, above, PROT_NONE, FIXED, NULL, 0, 0),
                     s.mm->mmap_base);
    for (unsigned round = 0; round < 60; round++) {
        furnish(top, cells);
        for (unsigned i = 0; i < 25; i++) {
            try_room(top, cells, 0);
        }
    }
    assert_int_equal(mm_munmap(s.mm, 0, TASK_SIZE), 0);
    assert_int_equal(mm_mmap(s.mm, low + CELLS * PAGE, 0x80000000 - low - CELLS * PAGE, PROT_NONE,
                             FIXED, NULL, 0, 0),
                     low + CELLS * PAGE);
    for (unsigned round = 0; round < 60; round++) {
        furnish(low, cells);
        for (unsigned i = 0; i < 25; i++) {
            try_room(low, cells, MAP_32BIT);
        }
    }
}

static void first_mapping_lies_under_mmap_base(void **state)
{
    (void)state;
    assert_int_equal(s.mm->mmap_base, UINT64_C(0x7ffff7fff000)); /* known from every gdb session */
    assert_int_equal(map(0, 2, RW, ANON), s.mm->mmap_base - 2 * PAGE);
    assert_int_equal(map(0, 1, R, ANON), s.mm->mmap_base - 3 * PAGE);
    assert_int_equal(map(0, 1, R, ANON | MAP_32BIT), 0x40000000);
    assert_int_equal(mm_mmap_base(MM_NO_LIMIT), ALIGN_UP(TASK_SIZE - TASK_SIZE / 6 * 5, PAGE));
    assert_int_equal(mm_mmap_base(UINT64_C(1) << 30),
                     TASK_SIZE - (UINT64_C(1) << 30) - STACK_GUARD_GAP);
}

static void hints_count_where_they_are_free(void **state)
{
    (void)state;
    assert_int_equal(map(P(3) + 5, 2, RW, ANON), P(3));
    assert_int_equal(map(P(2), 1, R, ANON), P(2));
    /* Taken, in part: elsewhere. */
    assert_int_equal(map(P(4), 2, R, ANON), s.mm->mmap_base - 2 * PAGE);
    /* Up to the lowest address that mmap gives of itself; a hint of 0 is none. */
    assert_int_equal(map(PAGE, 1, R, ANON), MMAP_MIN_ADDRESS);
    assert_int_equal(map(TASK_SIZE - PAGE, 1, R, ANON), TASK_SIZE - PAGE);
    assert_int_equal(map(TASK_SIZE - PAGE, 2, R, ANON), s.mm->mmap_base - 4 * PAGE);
    assert_int_equal(map(~UINT64_C(0), 1, R, ANON), s.mm->mmap_base - 5 * PAGE);
    /* Above mmap_base is fine, too, but not in a guard gap. */
    assert_int_equal(map(P(1000), 1, RW, FIXED | MAP_GROWSDOWN), P(1000));
    assert_int_equal(map(P(1000 - 256), 1, RW, ANON), s.mm->mmap_base - 6 * PAGE);
    assert_int_equal(map(P(1000 - 257), 1, RW, ANON), P(1000 - 257));
    /* MAP_FIXED knows no gap. */
    assert_int_equal(map(P(999), 1, R, FIXED), P(999));
}

/* ---- errors ------------------------------------------------------------------------------------ */

struct row {
    const char *what;
    vaddr_t address;
    uint64_t bytes, prot, flags;
    bool file;
    uint64_t may, offset;
    int64_t result;
};

static void first_error_wins(void **state)
{
    const uint64_t shared = MAP_SHARED | MAP_FIXED;
    const struct row rows[] = {
        {"nothing at all",                P(0),             0,                 RW, FIXED,                                     false, 0,                        0,                       -EINVAL    },
        {"size wraps",                    P(0),             ~UINT64_C(0),      RW, FIXED,                                     false, 0,                        0,                       -ENOMEM    },
        {"size of half the world",        0,                UINT64_C(1) << 47, RW, ANON,                                      false, 0,                        0,                       -ENOMEM    },
        {"crooked offset",                P(0),             PAGE,              RW, FIXED,                                     true,  MAY,                      5,                       -EINVAL    },
        {"crooked fixed address",         P(0) + 8,         PAGE,              RW, FIXED,                                     false, 0,                        0,                       -EINVAL    },
        {"fixed beyond the end",          TASK_SIZE,        PAGE,              RW, FIXED,                                     false, 0,                        0,                       -ENOMEM    },
        {"fixed over the end",            TASK_SIZE - PAGE, 2 * PAGE,          RW, FIXED,                                     false, 0,                        0,                       -ENOMEM    },
        {"beyond the end before crooked", TASK_SIZE + 8,    PAGE,              RW, FIXED,                                     false, 0,                        0,                       -ENOMEM    },
        {"neither shared nor private",    P(0),             PAGE,              RW, MAP_ANONYMOUS | MAP_FIXED,                 false, 0,                        0,
         -EINVAL                                                                                                                                                                                   },
        {"validated without a file",      P(0),             PAGE,              RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS,       false, 0,
         0,                                                                                                                                                                             -EINVAL    },
        {"shared stack",                  P(0),             PAGE,              RW, shared | MAP_ANONYMOUS | MAP_GROWSDOWN,    false, 0,                        0,
         -EINVAL                                                                                                                                                                                   },
        {"file stack",                    P(0),             PAGE,              RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN,   true,  MAY,                      0,
         -EINVAL                                                                                                                                                                                   },
        {"not replaced",                  P(100),           PAGE,              RW, ANON | MAP_FIXED_NOREPLACE,                false, 0,                        0,                       -EEXIST    },
        {"not replaced in part",          P(99),            2 * PAGE,          RW, ANON | MAP_FIXED_NOREPLACE,                false, 0,                        0,
         -EEXIST                                                                                                                                                                                   },
        {"exists before its type",        P(100),           PAGE,              RW, MAP_FIXED_NOREPLACE,                       false, 0,                        0,                       -EEXIST    },
        {"page wraps",                    P(0),             PAGE,              RW, shared,                                    true,  MAY,                      ~UINT64_C(0) << 12,      -EOVERFLOW },
        {"offset beyond all files",       P(0),             PAGE,              R,  shared,                                    true,  MAY,                      UINT64_C(1) << 63,
         -EOVERFLOW                                                                                                                                                                                },
        {"last page of all files",        P(0),             PAGE,              R,  shared,                                    true,  MAY,                      INT64_MAX & ~(PAGE - 1),
         -EOVERFLOW                                                                                                                                                                                },
        {"write to what may be read",     P(0),             PAGE,              RW, shared,                                    true,  VM_MAYREAD | VM_MAYEXEC,  0,
         -EACCES                                                                                                                                                                                   },
        {"read of what may be written",   P(0),             PAGE,              RW, shared,                                    true,  VM_MAYWRITE | VM_MAYEXEC, 0,
         -EACCES                                                                                                                                                                                   },
        {"private, and unreadable",       P(0),             PAGE,              0,  MAP_PRIVATE | MAP_FIXED,                   true,  VM_MAYWRITE,              0,
         -EACCES                                                                                                                                                                                   },
        {"execution of what may not",     P(0),             PAGE,              RX, shared,                                    true,  VM_MAYREAD,               0,                       -EPERM     },
        {"unknown flag, validated",       P(0),             PAGE,              R,  MAP_SHARED_VALIDATE | MAP_SYNC,            true,  MAY,                      0,
         -EOPNOTSUPP                                                                                                                                                                               },
        {"not replacing, validated",      P(0),             PAGE,              R,  MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, true,
         MAY,                                                                                                                                                  0,                       -EOPNOTSUPP},
        {"no such type",                  P(0),             PAGE,              R,  5,                                         true,  MAY,                      0,                       -EINVAL    },
        {"huge file",                     P(0),             PAGE,              R,  shared | MAP_HUGETLB,                      true,  MAY,                      0,                       -EINVAL    },
        {"no huge pages",                 P(0),             PAGE,              R,  FIXED | MAP_HUGETLB,                       false, 0,                        0,                       -ENOMEM    },
        {"no such huge pages",            P(0),             PAGE,              R,  FIXED | MAP_HUGETLB | 12 << 26,            false, 0,                        0,                       -EINVAL    },
        {"more than there is",            0,                UINT64_C(1) << 40, RW, ANON,                                      false, 0,                        0,                       -ENOMEM    },
        {"more than there is, shared",    0,                UINT64_C(1) << 40, 0,  MAP_SHARED | MAP_ANONYMOUS,                false,
         0,                                                                                                                                                    0,                       -ENOMEM    },
    };

    (void)state;
    lay(100, 101, R);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const int64_t result = mm_mmap(s.mm, row->address, row->bytes, row->prot, row->flags,
                                       row->file ? s.file : NULL, row->may, row->offset);
        if (result != row->result) {
            fail_msg("%s: %ld, not %ld", row->what, (long)result, (long)row->result);
        }
    }
    assert_string_equal(layout(), ".100 1r");
    assert_int_equal(s.file->count, 1);
}

static void what_is_odd_but_fine(void **state)
{
    (void)state;
    /* More than there is, when nobody may touch it or nobody asks. */
    const int64_t much = mm_mmap(s.mm, 0, UINT64_C(1) << 40, 0, ANON, NULL, 0, 0);
    assert_true(much > 0);
    assert_int_equal(mm_munmap(s.mm, (vaddr_t)much, UINT64_C(1) << 40), 0);
    const int64_t lent = mm_mmap(s.mm, 0, UINT64_C(1) << 40, RW, ANON | MAP_NORESERVE, NULL, 0, 0);
    assert_true(lent > 0);
    assert_int_equal(mm_munmap(s.mm, (vaddr_t)lent, UINT64_C(1) << 40), 0);
    /* Root may map page 0, and unknown flags and rights mean nothing. */
    assert_int_equal(map(0, 1, R, FIXED), 0);
    assert_int_equal(map(P(0), 1, R | 0x700, FIXED | UINT64_C(1) << 40), P(0));
    assert_int_equal(map(P(1), 1, R, ANON | MAP_FIXED_NOREPLACE), P(1));
    /* A shared mapping of what may only be read is private in all but its name. */
    assert_int_equal(mm_mmap(s.mm, P(3), PAGE, R, MAP_SHARED | MAP_FIXED | MAP_SYNC, s.file,
                             VM_MAYREAD | VM_MAYEXEC, 0),
                     P(3));
    assert_int_equal(vma_at(s.mm, P(3))->flags,
                     VM_READ | VM_MAYREAD | VM_MAYEXEC | VM_MAYSHARE | VM_SYNC);
    assert_string_equal(layout(), "2r .1 1rs@0");
    assert_int_equal(mm_munmap(s.mm, 0, PAGE), 0);
}

static void munmap_checks_its_range(void **state)
{
    (void)state;
    lay(0, 4, RW);
    assert_int_equal(mm_munmap(s.mm, P(0) + 1, PAGE), -EINVAL);
    assert_int_equal(mm_munmap(s.mm, P(0), 0), -EINVAL);
    assert_int_equal(mm_munmap(s.mm, TASK_SIZE + PAGE, PAGE), -EINVAL);
    assert_int_equal(mm_munmap(s.mm, P(0), TASK_SIZE), -EINVAL);
    assert_int_equal(mm_munmap(s.mm, P(0), ~UINT64_C(0)), -EINVAL);
    assert_string_equal(layout(), "4rw");
    assert_int_equal(mm_munmap(s.mm, P(8), 4 * PAGE), 0);
    assert_int_equal(mm_munmap(s.mm, P(1), 1), 0);
    assert_string_equal(layout(), "1rw .1 2rw");
    assert_int_equal(mm_munmap(s.mm, 0, TASK_SIZE), 0);
    assert_string_equal(layout(), "");
}

static void limits_bind(void **state)
{
    (void)state;
    lay(0, 4, R);
    s.mm->address_limit = 6 * PAGE + 5;
    assert_int_equal(map(0, 3, R, ANON), -ENOMEM);
    assert_int_equal(map(P(2), 4, R, FIXED), P(2)); /* what it replaces does not count */
    assert_int_equal(map(P(2), 5, R, FIXED), -ENOMEM);
    assert_string_equal(layout(), "6r");
    s.mm->address_limit = MM_NO_LIMIT;
    s.mm->data_limit = 2 * PAGE;
    assert_int_equal(map(P(10), 3, RW, FIXED), -ENOMEM);
    assert_int_equal(map(P(10), 2, RW, FIXED), P(10));
    assert_int_equal(map(P(20), 1, RW, FIXED), -ENOMEM);
    /* Neither read-only, nor shared, nor stacks are data. */
    assert_int_equal(map(P(20), 8, R, FIXED), P(20));
    assert_int_equal(map(P(30), 8, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), P(30));
    assert_int_equal(map(P(40), 8, RW, FIXED | MAP_GROWSDOWN), P(40));
    assert_int_equal(mm_mprotect(s.mm, P(20), PAGE, RW, -1), -ENOMEM);
    s.mm->data_limit = 0; /* none at all */
    assert_int_equal(map(P(60), 1, RW, FIXED), P(60));
    s.mm->data_limit = MM_NO_LIMIT;
    /* Too many maps. */
    const uint32_t count = s.mm->map_count;
    s.mm->map_count = MAP_COUNT_MAX + 1;
    assert_int_equal(map(P(50), 1, RW, FIXED), -ENOMEM);
    s.mm->map_count = MAP_COUNT_MAX;
    assert_int_equal(mm_munmap(s.mm, P(21), PAGE), -ENOMEM); /* would make two of one */
    assert_int_equal(mm_munmap(s.mm, P(27), PAGE), 0);
    s.mm->map_count = count;
}

/* ---- merging ------------------------------------------------------------------------------------- */

static void neighbours_merge(void **state)
{
    (void)state;
    lay(0, 2, RW);
    lay(2, 4, RW);
    assert_string_equal(layout(), "4rw");
    lay(6, 8, RW);
    lay(4, 6, RW);
    assert_string_equal(layout(), "8rw");
    lay(3, 5, R);
    assert_string_equal(layout(), "3rw 2r 3rw");
    lay(3, 5, RW);
    assert_string_equal(layout(), "8rw");
    /* Files by their offset. */
    assert_int_equal(map_file(P(10), 2, R, MAP_PRIVATE, s.file, 1), P(10));
    assert_int_equal(map_file(P(12), 1, R, MAP_PRIVATE, s.file, 3), P(12));
    assert_int_equal(map_file(P(13), 1, R, MAP_PRIVATE, s.file, 3), P(13));
    assert_int_equal(map_file(P(14), 1, R, MAP_SHARED, s.file, 4), P(14));
    assert_string_equal(layout(), "8rw .2 3r@1 1r@3 1rs@4");
    /* Shared anonymous memory is a file each. */
    assert_int_equal(map(P(20), 1, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), P(20));
    assert_int_equal(map(P(21), 1, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), P(21));
    assert_string_equal(layout(), "8rw .2 3r@1 1r@3 1rs@4 .5 1rws@0 1rws@0");
    assert_string_equal(vma_at(s.mm, P(20))->cache->name, "/dev/zero (deleted)");
    assert_int_equal(vma_at(s.mm, P(20))->cache->bytes, PAGE);
}

static void accounting_keeps_apart(void **state)
{
    (void)state;
    /* What was writable once is accounted for and stays so: it differs from what never was. */
    lay(0, 2, RW);
    assert_int_equal(mm_mprotect(s.mm, P(0), 2 * PAGE, PROT_NONE, -1), 0);
    lay(2, 4, PROT_NONE);
    assert_string_equal(layout(), "2- 2-");
    lay(10, 12, RW);
    assert_int_equal(map(P(12), 2, RW, FIXED | MAP_NORESERVE), P(12));
    assert_string_equal(layout(), "2- 2- .6 2rw 2rw");
}

static void written_memory_merges_as_its_anon_vma_says(void **state)
{
    (void)state;
    /* A hole between two that were written apart goes to the upper one. */
    lay(0, 2, RW);
    lay(3, 5, RW);
    assert_true(write_at(P(0), 1) && write_at(P(3), 2));
    lay(2, 3, RW);
    assert_string_equal(layout(), "2rw 3rw");
    assert_int_equal(mm_munmap(s.mm, P(0), 5 * PAGE), 0);
    /* Between one that was not and one that was: only the upper one grows. */
    lay(0, 2, RW);
    lay(3, 5, RW);
    assert_true(write_at(P(3), 2));
    lay(2, 3, RW);
    assert_string_equal(layout(), "2rw 3rw");
    assert_int_equal(mm_munmap(s.mm, P(0), 5 * PAGE), 0);
    /* The other way round all three are one. */
    lay(0, 2, RW);
    lay(3, 5, RW);
    assert_true(write_at(P(0), 2));
    lay(2, 3, RW);
    assert_string_equal(layout(), "5rw");
    assert_true(write_at(P(4), 3));
    assert_true(reads(P(0), 2));
}

static void fixed_mapping_replaces_what_is_there(void **state)
{
    (void)state;
    lay(0, 6, RW);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(write_at(P(i), (uint8_t)(0x10 + i)));
    }
    lay(2, 4, R);
    assert_string_equal(layout(), "2rw 2r 2rw");
    assert_true(reads(P(1), 0x11) && reads(P(2), 0) && reads(P(3), 0) && reads(P(4), 0x14));
    assert_true(refused(true, P(2), 2)); /* SEGV_ACCERR */
    assert_int_equal(mm_munmap(s.mm, P(0), 6 * PAGE), 0);
    assert_true(refused(false, P(1), 1)); /* SEGV_MAPERR */
    assert_int_equal(memory.frames.frames - memory.frames.free, 1 + 1 + 1 + 1);
}

static void populate_and_lock_bring_pages(void **state)
{
    (void)state;
    assert_int_equal(map(P(0), 2, RW, FIXED | MAP_POPULATE), P(0));
    assert_true(is_present(P(0)) && is_present(P(1)));
    assert_int_equal(map(P(4), 2, RW, FIXED | MAP_LOCKED), P(4));
    assert_true(is_present(P(4)) && is_present(P(5)));
    assert_int_equal(s.mm->pages_locked, 2);
    assert_int_equal(map(P(8), 2, RW, FIXED | MAP_POPULATE | MAP_NONBLOCK), P(8));
    assert_false(is_present(P(8)));
    assert_int_equal(map(P(12), 2, PROT_NONE, FIXED | MAP_POPULATE), P(12));
    assert_false(is_present(P(12)));
    assert_string_equal(layout(), "2rw .2 2rwL .2 2rw .2 2-");
    unsigned long faults = simulated.faults;
    assert_true(write_at(P(1), 1) && write_at(P(5), 1));
    assert_int_equal(simulated.faults, faults);
    assert_int_equal(mm_munmap(s.mm, P(4), 2 * PAGE), 0);
    assert_int_equal(s.mm->pages_locked, 0);
}

static void execute_only_memory_gets_a_key(void **state)
{
    (void)state;
    assert_int_equal(map(P(0), 1, PROT_EXEC, FIXED), P(0));
    assert_int_equal(vma_key(vma_at(s.mm, P(0))), 1);
    assert_int_equal(s.mm->execute_only_key, 1);
    assert_int_equal(s.mm->deny_key, 1);
    assert_int_equal(map(P(1), 1, PROT_EXEC, FIXED), P(1));
    assert_string_equal(layout(), "2-x");
    /* It is not the program's to use, and the next one is 2. */
    assert_int_equal(mm_mprotect(s.mm, P(0), PAGE, R, 1), -EINVAL);
    assert_int_equal(mm_pkey_free(s.mm, 1), -EINVAL);
    assert_int_equal(mm_pkey_alloc(s.mm, 0, 0), 2);
    /* Without keys there is none. */
    mm_has_keys = false;
    assert_int_equal(map(P(4), 1, PROT_EXEC, FIXED), P(4));
    mm_has_keys = true;
}

/* ---- brk ------------------------------------------------------------------------------------------ */

static void heap_grows_and_shrinks(void **state)
{
    (void)state;
    s.mm->brk_start = s.mm->brk = P(10);
    lay(8, 10, RW); /* .bss, right in front: the heap does not merge with it */
    assert_int_equal(mm_brk(s.mm, 0), P(10));
    assert_int_equal(mm_brk(s.mm, P(10) - 1), P(10));
    assert_int_equal(mm_brk(s.mm, P(10) + 1), P(10) + 1);
    assert_string_equal(layout(), ".8 2rw 1rw");
    assert_int_equal(mm_brk(s.mm, P(11)), P(11)); /* the same page */
    assert_int_equal(mm_brk(s.mm, P(13) + 7), P(13) + 7);
    assert_string_equal(layout(), ".8 2rw 4rw");
    assert_true(write_at(P(13), 5));
    assert_int_equal(mm_brk(s.mm, P(12)), P(12));
    assert_string_equal(layout(), ".8 2rw 2rw");
    assert_int_equal(mm_brk(s.mm, P(14)), P(14));
    assert_true(reads(P(13), 0)); /* what came back is zero */
    /* Something of the program's own at its end is in the way, with a page between. */
    lay(16, 17, R);
    assert_int_equal(mm_brk(s.mm, P(16)), P(14));
    assert_int_equal(mm_brk(s.mm, P(15)), P(15));
    assert_int_equal(mm_brk(s.mm, P(10)), P(10));
    assert_string_equal(layout(), ".8 2rw .6 1r");
}

static void heap_keeps_off_a_stack(void **state)
{
    (void)state;
    s.mm->brk_start = s.mm->brk = P(0);
    assert_int_equal(map(P(300), 1, RW, FIXED | MAP_GROWSDOWN), P(300));
    assert_int_equal(mm_brk(s.mm, P(44)), P(0));
    assert_int_equal(mm_brk(s.mm, P(43)), P(43));
}

static void heap_in_pieces(void **state)
{
    (void)state;
    s.mm->brk_start = s.mm->brk = P(0);
    assert_int_equal(mm_brk(s.mm, P(4)), P(4));
    assert_true(write_at(P(0), 1));
    /* As in a child: the heap was written by the parent, so new pages are a VMA of their own. */
    vma_at(s.mm, P(0))->anon_shared = true;
    assert_int_equal(mm_brk(s.mm, P(6)), P(6));
    assert_string_equal(layout(), "4rw 2rw");
    /* The end was unmapped: nothing to give back, so the end stays where it is. */
    assert_int_equal(mm_munmap(s.mm, P(4), 2 * PAGE), 0);
    assert_int_equal(mm_brk(s.mm, P(5)), P(6));
    assert_int_equal(mm_brk(s.mm, P(2)), P(2));
    assert_string_equal(layout(), "2rw");
}

static void heap_has_limits(void **state)
{
    (void)state;
    s.mm->brk_start = s.mm->brk = P(0);
    s.mm->data_bytes = 100;
    s.mm->data_limit = 4 * PAGE;
    assert_int_equal(mm_brk(s.mm, P(4)), P(0));
    assert_int_equal(mm_brk(s.mm, P(4) - 100), P(4) - 100);
    s.mm->data_limit = MM_NO_LIMIT;
    s.mm->address_limit = 5 * PAGE;
    assert_int_equal(mm_brk(s.mm, P(6)), P(4) - 100);
    assert_int_equal(mm_brk(s.mm, P(5)), P(5));
    s.mm->address_limit = MM_NO_LIMIT;
    assert_int_equal(mm_brk(s.mm, P(5) + (UINT64_C(2) << 30)), P(5)); /* more than there is */
    assert_int_equal(mm_brk(s.mm, TASK_SIZE), P(5));
    assert_int_equal(mm_brk(s.mm, ~UINT64_C(0)), P(5));
}

/* ---- no memory -------------------------------------------------------------------------------------- */

static int64_t map_shared(void)
{
    return map(P(1), 2, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED);
}

static void lay_four(void)
{
    lay(0, 4, RW);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    lay_four();
    /* Two splits, a file, a VMA; object caches take frames now and then. */
    assert_in_range(fail_in_turn(map_shared, 0, lay_four), 4, 10);
    assert_string_equal(layout(), "1rw 2rws@0 1rw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(room_is_found_as_a_scan_finds_it),
        CASE(first_mapping_lies_under_mmap_base),
        CASE(hints_count_where_they_are_free),
        CASE(first_error_wins),
        CASE(what_is_odd_but_fine),
        CASE(munmap_checks_its_range),
        CASE(limits_bind),
        CASE(neighbours_merge),
        CASE(accounting_keeps_apart),
        CASE(written_memory_merges_as_its_anon_vma_says),
        CASE(fixed_mapping_replaces_what_is_there),
        CASE(populate_and_lock_bring_pages),
        CASE(execute_only_memory_gets_a_key),
        CASE(heap_grows_and_shrinks),
        CASE(heap_keeps_off_a_stack),
        CASE(heap_in_pieces),
        CASE(heap_has_limits),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
