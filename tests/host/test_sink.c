/*
 * test_sink.c: sink_printf against the C library's, and what sinks do when they are full.
 */
#include "tests/host/unit.h"

#include "tests/report/escape.h"
#include "tests/report/sink.h"

static char ours[512], theirs[512];

/* A literal format for both, so that the compiler checks it. */
#define SAME(format, ...)                                                                          \
    do {                                                                                           \
        struct buffer_sink buffer;                                                                 \
        buffer_sink_init(&buffer, ours, sizeof(ours) - 1);                                         \
        sink_printf(&buffer.sink, format, __VA_ARGS__);                                            \
        ours[buffer.length] = '\0';                                                                \
        snprintf(theirs, sizeof(theirs), format, __VA_ARGS__);                                     \
        assert_string_equal(ours, theirs);                                                         \
    } while (0)

static uint64_t random_state = 88172645463325252;
static uint64_t random_value(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    /* Small ones, too: a random number of high bits is dropped. */
    return random_state >> (random_state * 0x9e3779b97f4a7c15 >> 58);
}

static void numbers(uint64_t v)
{
    unsigned u = (unsigned)v;
    SAME("%d|%8d|%-8d|%08d|%1d", (int)u, (int)u, (int)u, (int)u, (int)u);
    SAME("%u|%12u|%-12u|%012u", u, u, u, u);
    SAME("%x|%9x|%-9x|%09x", u, u, u, u);
    SAME("%lx|%20lx|%-20lx|%016lx", v, v, v, v);
    SAME("%lu|%22lu|%-22lu|%022lu", v, v, v, v);
    SAME("%ld|%22ld|%-22ld|%022ld", (long)v, (long)v, (long)v, (long)v);
    SAME("%llu|%llx|%30llx", (unsigned long long)v, (unsigned long long)v, (unsigned long long)v);
    SAME("%-3d,%03d,%2x", (int)(v % 2000) - 1000, (int)(v % 2000) - 1000, u % 4096);
}

static void prints_numbers_as_libc_does(void **state)
{
    static const uint64_t edges[] = {0,          1,          9,          10,        0x7f,
                                     0x7fffffff, 0x80000000, 0xffffffff, INT64_MAX, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        numbers(edges[i]);
        numbers(-edges[i]);
    }
    numbers(UINT64_C(1) << 63);
    for (int i = 0; i < 20000; i++)
        numbers(random_value());
}

static void prints_text_as_libc_does(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "fault", "a longer text than any width here"};
    for (size_t i = 0; i < 4; i++) {
        SAME("%s|%10s|%-10s|%.3s|%.0s", texts[i], texts[i], texts[i], texts[i], texts[i]);
        SAME("%10.3s|%-10.3s|%%|%c%c|%5c|%-5c|", texts[i], texts[i], 'x', '\x7f', 'y', 'z');
    }
    SAME("%d%% of %s %c\n", 54, "it", 'c');
    /* A precision bounds what is read: no NUL is needed. */
    const char unterminated[3] = {'a', 'b', 'c'};
    SAME("%.3s", unterminated);
}

/* Formats that the attribute would refuse reach sink_printf only through a pointer. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
static void prints_unknown_directives_themselves(void **state)
{
    (void)state;
    static const char *const formats[] = {"%q",  "%5y!", "%",   "100%", "%.3d", "%-",
                                          "%ls", "%+d",  "%#x", "%n",   "%lc",  "%5%"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct buffer_sink buffer;
        const char *volatile format = formats[i];
        buffer_sink_init(&buffer, ours, sizeof(ours) - 1);
        sink_printf(&buffer.sink, format, 7);
        ours[buffer.length] = '\0';
        assert_string_equal(ours, formats[i]);
    }
}

static void counts_what_a_full_buffer_lost(void **state)
{
    (void)state;
    char bytes[8] = "???????";
    struct buffer_sink buffer;
    buffer_sink_init(&buffer, bytes, 5);
    sink_text(&buffer.sink, "abc");
    sink_printf(&buffer.sink, "%d", 123456);
    assert_int_equal(buffer.length, 5);
    assert_memory_equal(bytes, "abc12??", 7);
    assert_int_equal(buffer.sink.written, 5);
    assert_int_equal(buffer.sink.lost, 4);
    sink_text(&buffer.sink, "");
    assert_int_equal(buffer.sink.lost, 4);

    buffer_sink_init(&buffer, NULL, 0);
    sink_text(&buffer.sink, "x");
    assert_int_equal(buffer.sink.lost, 1);
}

static void takes_nothing_after_a_cut(void **state)
{
    (void)state;
    char bytes[8] = "???????";
    struct buffer_sink buffer;
    buffer_sink_init(&buffer, bytes, 6);
    sink_text(&buffer.sink, "abcd");
    sink_write(&buffer.sink, "efgh", 4);
    assert_int_equal(buffer.length, 6);
    sink_text(&buffer.sink, "i");
    assert_memory_equal(bytes, "abcdef?", 7);
    assert_int_equal(buffer.sink.lost, 3);
}

static void cells_are_cut_and_filled(void **state)
{
    (void)state;
    struct buffer_sink buffer;
    buffer_sink_init(&buffer, ours, sizeof(ours));
    sink_cell(&buffer.sink, "ab", 4);
    sink_cell(&buffer.sink, "abcdef", 4);
    sink_cell(&buffer.sink, "", 2);
    assert_int_equal(buffer.length, 10);
    assert_memory_equal(ours, "ab  abcd  ", 10);
}

static const char *escaped(enum escape kind, const char *text)
{
    struct buffer_sink buffer;
    buffer_sink_init(&buffer, ours, sizeof(ours) - 1);
    escape_quoted(&buffer.sink, kind, text);
    ours[buffer.length] = '\0';
    return ours;
}

static void escapes_what_each_format_cannot_hold(void **state)
{
    (void)state;
    const char *text = "a\"b\\c\n\t\x01\xe9\x7f<&>#";
    assert_string_equal(escaped(ESCAPE_JSON, text),
                        "\"a\\\"b\\\\c\\n\\t\\u0001\\u00e9\\u007f<&>#\"");
    assert_string_equal(escaped(ESCAPE_YAML, text), "\"a\\\"b\\\\c\\n\\t\\x01\\xe9\\x7f<&>#\"");
    assert_string_equal(escaped(ESCAPE_XML, text),
                        "\"a&#34;b\\c\n\t&#xFFFD;&#233;&#127;&#60;&#38;&#62;#\"");
    assert_string_equal(escaped(ESCAPE_TAP, text), "\"a\"b\\\\c????"
                                                   "?<&>\\#\"");
    assert_string_equal(escaped(ESCAPE_BLOCK, "a\x01\nb\xff"), "\"a?\nb?\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_numbers_as_libc_does),
        cmocka_unit_test(prints_text_as_libc_does),
        cmocka_unit_test(prints_unknown_directives_themselves),
        cmocka_unit_test(counts_what_a_full_buffer_lost),
        cmocka_unit_test(takes_nothing_after_a_cut),
        cmocka_unit_test(cells_are_cut_and_filled),
        cmocka_unit_test(escapes_what_each_format_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
