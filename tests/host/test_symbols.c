/*
 * test_symbols.c: names for addresses, also from damaged tables.
 */
#include "tests/host/unit.h"

#include <elf.h>

#include "fault/symbols.h"

/*       0 1      7       14    19     25    30 */
#define NAMES "\0first\0second\0data\0inner\0mark\0last"
enum { FIRST = 1, SECOND = 7, DATA = 14, INNER = 19, MARK = 25, LAST = 30 };

#define SYMBOL(name, type, section, value, size)                                                   \
    {                                                                                              \
        name, ELF64_ST_INFO(STB_GLOBAL, type), STV_DEFAULT, section, value, size                   \
    }

static const Elf64_Sym symbols[] = {
    SYMBOL(0, STT_NOTYPE, SHN_UNDEF, 0, 0),
    SYMBOL(SECOND, STT_FUNC, 1, 0x2000, 0x100),
    SYMBOL(FIRST, STT_FUNC, 1, 0x1000, 0x80),
    SYMBOL(INNER, STT_FUNC, 1, 0x2040, 0x10), /* within second */
    SYMBOL(DATA, STT_OBJECT, 2, 0x3000, 8),
    SYMBOL(MARK, STT_NOTYPE, 1, 0x1080, 0),         /* assembly behind first, up to 0x2000 */
    SYMBOL(MARK, STT_NOTYPE, 1, 0x2080, 0),         /* a label within second */
    SYMBOL(LAST, STT_NOTYPE, 2, 0x4000, 0),         /* core's end */
    SYMBOL(LAST, STT_FILE, SHN_ABS, 0x1500, 0x100), /* no place in core: */
    SYMBOL(LAST, STT_SECTION, 1, 0x1500, 0x100),
    SYMBOL(LAST, STT_FUNC, SHN_UNDEF, 0x1500, 0x100),
    SYMBOL(LAST, STT_NOTYPE, SHN_ABS, 0x1500, 0x100),
    SYMBOL(LAST, STT_NOTYPE, SHN_COMMON, 0x1500, 0x100),
};

static void assert_found(uint64_t address, const char *name, uint64_t offset)
{
    uint64_t got = 0x77;
    const char *found = symbol_find(address, &got);
    if (!name) {
        if (found) {
            fail_msg("%#lx: %s+%#lx, not nothing", address, found, got);
        }
        return;
    }
    if (!found) {
        fail_msg("%#lx: nothing, not %s", address, name);
    }
    assert_string_equal(found, name);
    assert_int_equal(got, offset);
}

static void addresses_have_names(void **state)
{
    (void)state;
    symbols_set(symbols, ARRAY_COUNT(symbols), NAMES, sizeof(NAMES));
    assert_found(0, NULL, 0);
    assert_found(0xfff, NULL, 0);
    assert_found(0x1000, "first", 0);
    assert_found(0x107f, "first", 0x7f);
    assert_found(0x1080, "mark", 0);
    assert_found(0x1fff, "mark", 0xf7f);
    assert_found(0x2000, "second", 0);
    assert_found(0x203f, "second", 0x3f);
    assert_found(0x2040, "inner", 0);
    assert_found(0x204f, "inner", 0xf);
    assert_found(0x2050, "second", 0x50);
    assert_found(0x2080, "second", 0x80);
    assert_found(0x20ff, "second", 0xff);
    assert_found(0x3000, "data", 0);
    assert_found(0x3007, "data", 7);
    assert_found(0x3008, NULL, 0); /* a hole between sized symbols stays one */
    assert_found(0x4000, NULL, 0); /* nothing lies behind the end */
    assert_found(UINT64_MAX, NULL, 0);
}

static void no_table_no_name(void **state)
{
    (void)state;
    symbols_set(NULL, 5, NULL, 5);
    assert_found(0x1000, NULL, 0);
    symbols_set(symbols, 0, NAMES, sizeof(NAMES));
    assert_found(0x1000, NULL, 0);
    symbols_set(symbols, ARRAY_COUNT(symbols), NAMES, 0);
    assert_found(0x1000, NULL, 0);
    symbols_set(symbols, ARRAY_COUNT(symbols), NULL, 0);
    assert_found(0x1000, NULL, 0);
    symbols_set(symbols, ARRAY_COUNT(symbols), "abcdefgh", 8); /* no name ends */
    assert_found(0x1000, NULL, 0);
}

/* A size that wraps around covers what lies behind it, and nothing in front. */
static void sizes_may_wrap(void **state)
{
    (void)state;
    static const Elf64_Sym wrapping[] = {
        SYMBOL(FIRST, STT_FUNC, 1, 0x1000, UINT64_MAX),
        SYMBOL(LAST, STT_FUNC, 1, UINT64_MAX - 1, 0x1000),
    };
    symbols_set(wrapping, 2, NAMES, sizeof(NAMES));
    assert_found(0x5000, "first", 0x4000);
    assert_found(0xfff, NULL, 0);
    assert_found(UINT64_MAX, "last", 1);
    assert_found(0, NULL, 0);
}

/* Whatever the tables hold: a name lies in the string table and ends there; the sanitizer sees
 * every other read. */
static void damage_is_survived(void **state)
{
    (void)state;
    srand(1);
    unsigned found = 0;
    for (unsigned round = 0; round < 5000; round++) {
        const size_t count = (size_t)rand() % 8;
        const size_t bytes = (size_t)rand() % sizeof(NAMES);
        const size_t crooked = (size_t)rand() % 8; /* the table may lie at any address */
        uint8_t *table = malloc(crooked + count * sizeof(Elf64_Sym));
        char *names = malloc(bytes ? bytes : 1);
        assert_non_null(table);
        assert_non_null(names);
        memcpy(names, NAMES, bytes);
        memcpy(table + crooked, &symbols[1], count * sizeof(Elf64_Sym));
        for (unsigned i = 0; count && i < (unsigned)rand() % 20; i++) {
            table[crooked + (size_t)rand() % (count * sizeof(Elf64_Sym))] = (uint8_t)rand();
        }
        for (unsigned i = 0; bytes && i < (unsigned)rand() % 4; i++) {
            names[(size_t)rand() % bytes] = (char)rand();
        }
        symbols_set(table + crooked, count, names, bytes);
        for (uint64_t address = 0xff8; address < 0x4010; address += 0x38) {
            uint64_t offset;
            const char *name = symbol_find(address, &offset);
            if (name) {
                found++;
                assert_in_range((uintptr_t)name, (uintptr_t)names, (uintptr_t)names + bytes - 1);
                assert_non_null(memchr(name, '\0', (size_t)(names + bytes - name)));
                assert_true(offset <= address);
            }
        }
        free(table);
        free(names);
    }
    assert_true(found > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_names),
        cmocka_unit_test(no_table_no_name),
        cmocka_unit_test(sizes_may_wrap),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
