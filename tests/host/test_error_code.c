/*
 * test_error_code.c: page-fault error codes in words, all of them.
 */
#include "tests/host/unit.h"

#include "fault/error_code.h"

static void assert_words(uint64_t error, const char *expected)
{
    char text[ERROR_CODE_TEXT];
    assert_int_equal(error_code_words(error, text, sizeof(text)), strlen(expected));
    assert_string_equal(text, expected);
}

static void known_codes_read_well(void **state)
{
    (void)state;
    assert_words(0, "not-present");
    assert_words(1, "P");
    assert_words(2, "not-present W");
    assert_words(6, "not-present W U");
    assert_words(7, "P W U");
    assert_words(0x9, "P RSVD");
    assert_words(0x14, "not-present U I");
    assert_words(0x15, "P U I");
    assert_words(0x25, "P U PK");
    assert_words(0x47, "P W U SS");
    assert_words(0x81, "P HLAT");
    assert_words(0x8007, "P W U SGX");
    assert_words(0x80000001, "P RMP");
    assert_words(0x10003, "P W 0x10000");
    assert_words(UINT64_C(1) << 63, "not-present 0x8000000000000000");
    assert_words(UINT64_C(0xf00000000), "not-present 0xf00000000");
    assert_words(UINT64_MAX, "P W U RSVD I PK SS HLAT SGX RMP 0xffffffff7fff7f00");
}

/* The words as one would build them with a C library. */
static void reference_words(uint64_t error, char *text)
{
    static const char *const names[32] = {
        [0] = "P",  [1] = "W",  [2] = "U",    [3] = "RSVD", [4] = "I",
        [5] = "PK", [6] = "SS", [7] = "HLAT", [15] = "SGX", [31] = "RMP"};
    strcpy(text, error & 1 ? "" : "not-present");
    for (unsigned bit = 0; bit < 32; bit++) {
        if (names[bit] && (error >> bit & 1)) {
            strcat(strcat(text, *text ? " " : ""), names[bit]);
            error &= ~(UINT64_C(1) << bit);
        }
    }
    if (error) {
        sprintf(text + strlen(text), " 0x%lx", error);
    }
}

static void all_low_bits_in_any_combination(void **state)
{
    (void)state;
    static const uint64_t high[] = {0, UINT64_C(1) << 31, UINT64_C(0x12345) << 44};
    for (size_t i = 0; i < ARRAY_COUNT(high); i++) {
        for (uint64_t low = 0; low < 1 << 16; low++) {
            char expected[2 * ERROR_CODE_TEXT], text[ERROR_CODE_TEXT];
            reference_words(low | high[i], expected);
            const size_t length = error_code_words(low | high[i], text, sizeof(text));
            if (strcmp(text, expected) != 0 || length != strlen(expected)) {
                fail_msg("%#lx: \"%s\" (%zu), not \"%s\"", low | high[i], text, length, expected);
            }
        }
    }
}

static void short_buffers_are_never_overrun(void **state)
{
    (void)state;
    static const uint64_t codes[] = {0, 7, 0x80000001, 0x10003, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        char whole[ERROR_CODE_TEXT];
        const size_t length = error_code_words(codes[i], whole, sizeof(whole));
        assert_true(length < sizeof(whole));
        for (size_t size = 0; size <= length + 2; size++) {
            /* Exactly @size bytes, so that the sanitizer sees one too many. */
            char *text = malloc(size ? size : 1);
            assert_non_null(text);
            text[0] = '?';
            assert_int_equal(error_code_words(codes[i], text, size), length);
            const size_t fits = size == 0 ? 0 : size <= length ? size - 1 : length;
            assert_int_equal(text[fits], size ? '\0' : '?');
            assert_memory_equal(text, size ? whole : "?", fits);
            free(text);
        }
    }
    assert_int_equal(error_code_words(7, NULL, 0), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_codes_read_well),
        cmocka_unit_test(all_low_bits_in_any_combination),
        cmocka_unit_test(short_buffers_are_never_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
