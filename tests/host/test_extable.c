/*
 * test_extable.c: the exception table is sorted, and searched, exactly.
 */
#include "tests/host/unit.h"

#include "fault/extable.h"

#define ENTRIES 300u

/* A stretch of pretended code; nothing of it runs. Entries may lie before or behind it. */
static char text[1 << 16];
static struct extable_entry table[ENTRIES];
static struct reference {
    uint64_t instruction, fixup;
    uint32_t what;
} reference[ENTRIES];

static void set(size_t slot, size_t instruction, size_t fixup, uint32_t what)
{
    struct extable_entry *entry = &table[slot];
    entry->instruction = (int32_t)((intptr_t)&text[instruction] - (intptr_t)&entry->instruction);
    entry->fixup = (int32_t)((intptr_t)&text[fixup] - (intptr_t)&entry->fixup);
    entry->what = what;
    reference[slot] =
        (struct reference){(uintptr_t)&text[instruction], (uintptr_t)&text[fixup], what};
}

static int compare(const void *a, const void *b)
{
    const struct reference *one = a, *other = b;
    return (one->instruction > other->instruction) - (one->instruction < other->instruction);
}

static void assert_table_equals_reference(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(extable_instruction(&table[i]), reference[i].instruction);
        assert_int_equal(extable_fixup(&table[i]), reference[i].fixup);
        assert_int_equal(table[i].what, reference[i].what);
    }
}

/* Entries for the instructions 10, 20, 30 ... of the text. */
static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        set(i, 10 * (i + 1), 5000 + i, (uint32_t)i);
    }
}

static void search_finds_each_and_nothing_else(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 40; count++) {
        fill(count);
        assert_true(extable_is_sorted(table, count));
        for (size_t at = 0; at < 10 * (count + 2); at++) {
            const struct extable_entry *found = extable_find(table, count, (uintptr_t)&text[at]);
            if (at % 10 == 0 && at >= 10 && at / 10 <= count) {
                assert_ptr_equal(found, &table[at / 10 - 1]);
                assert_int_equal(extable_fixup(found), (uintptr_t)&text[5000 + at / 10 - 1]);
            } else {
                assert_null(found);
            }
        }
        assert_null(extable_find(table, count, 0));
        assert_null(extable_find(table, count, UINT64_MAX));
    }
    assert_null(extable_find(NULL, 0, (uintptr_t)text));
}

/* Only @count entries are looked at, from the one that is given on. */
static void search_stays_in_its_bounds(void **state)
{
    (void)state;
    fill(5);
    assert_null(extable_find(&table[1], 3, (uintptr_t)&text[10]));
    assert_ptr_equal(extable_find(&table[1], 3, (uintptr_t)&text[20]), &table[1]);
    assert_ptr_equal(extable_find(&table[1], 3, (uintptr_t)&text[40]), &table[3]);
    assert_null(extable_find(&table[1], 3, (uintptr_t)&text[50]));
}

static void sorting_keeps_every_meaning(void **state)
{
    (void)state;
    srand(1);
    for (size_t count = 0; count <= ENTRIES; count = count < 6 ? count + 1 : count * 2 - 3) {
        for (unsigned order = 0; order < 20; order++) {
            fill(count);
            for (size_t i = count; i > 1; i--) {
                /* Order 0 stays sorted, 1 is reversed, the others are shuffled. */
                size_t other = order == 0 ? i - 1 : order == 1 ? count - i : (size_t)rand() % i;
                if (order == 1 && other >= i - 1) {
                    break;
                }
                const struct reference one = reference[i - 1], two = reference[other];
                const uintptr_t start = (uintptr_t)text;
                set(i - 1, two.instruction - start, two.fixup - start, two.what);
                set(other, one.instruction - start, one.fixup - start, one.what);
            }
            assert_table_equals_reference(count);
            extable_sort(table, count);
            qsort(reference, count, sizeof(reference[0]), compare);
            assert_table_equals_reference(count);
            assert_true(extable_is_sorted(table, count));
        }
    }
}

static void disorder_is_seen(void **state)
{
    (void)state;
    for (size_t swap = 0; swap + 1 < 8; swap++) {
        fill(8);
        set(swap, 10 * (swap + 2), 5000, 0);
        assert_false(extable_is_sorted(table, 8)); /* the same instruction twice */
        set(swap, 10 * (swap + 2) + 1, 5000, 0);
        assert_false(extable_is_sorted(table, 8));
    }
}

/* ---- what the macro emits ----------------------------------------------------------------------
 */

/*
 * Sections whose names are no C identifiers have no __start symbols, so the labels around stand in
 * the section itself: the table is that between them.
 */
__asm__(".pushsection .extable, \"a\"\n.balign 4\nemitted_start:\n.popsection\n"
        ".pushsection .text\n"
        "emitted_text:\n"
        "1: nop\n"
        "2: nop\n"
        "3: nop\n"
        ".popsection\n" EXTABLE("1b", "3b", EX_DEFAULT)
            EXTABLE("2b", "1b", EX_ZEROPAD + EX_REGISTER(13))
                EXTABLE("3b", "2b",
                        EX_MSR) ".pushsection .extable, \"a\"\nemitted_end:\n.popsection\n");
extern const struct extable_entry emitted_start[], emitted_end[];
extern const char emitted_text[];

static void macro_emits_what_search_reads(void **state)
{
    (void)state;
    static const struct {
        unsigned instruction, fixup, type, data;
    } rows[] = {
        {0, 2, EX_DEFAULT, 0 },
        {1, 0, EX_ZEROPAD, 13},
        {2, 1, EX_MSR,     0 },
    };
    const size_t count = (size_t)(emitted_end - emitted_start);
    assert_int_equal(count, ARRAY_COUNT(rows));
    assert_true(extable_is_sorted(emitted_start, count));
    for (size_t i = 0; i < count; i++) {
        const struct extable_entry *found =
            extable_find(emitted_start, count, (uintptr_t)&emitted_text[rows[i].instruction]);
        assert_ptr_equal(found, &emitted_start[i]);
        assert_int_equal(extable_fixup(found), (uintptr_t)&emitted_text[rows[i].fixup]);
        assert_int_equal(extable_type(found), rows[i].type);
        assert_int_equal(extable_register(found), rows[i].data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_finds_each_and_nothing_else),
        cmocka_unit_test(search_stays_in_its_bounds),
        cmocka_unit_test(sorting_keeps_every_meaning),
        cmocka_unit_test(disorder_is_seen),
        cmocka_unit_test(macro_emits_what_search_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
