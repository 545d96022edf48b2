/*
 * What a program writes beside Linux's log of it: masks, the first difference, accepted differences, how it ended.
 */
#include "tests/harness/transcript.h"
#include "unit.h"

#include <string.h>

static const char log_of_linux[] = "# kernel: Linux version 6.1.0\n"
                                   "# end: killed by SIGSEGV\n"
                                   "#\n"
                                   "one\n"
                                   "two\n"
                                   "# three\n"
                                   "four\n";

static struct transcript transcript;
static char shown[4096];
static struct buffer_sink out;

static const struct accepted_line accepted[] = {
    {"other", "one",  "1"   },
    {"this",  "two",  "2"   },
    {"this",  "four", NULL  },
    {"this",  NULL,   "five"},
};

static void begin(const struct accepted_line *rows, uint32_t count)
{
    buffer_sink_init(&out, shown, sizeof(shown) - 1);
    transcript_begin(&transcript, "this", log_of_linux, sizeof(log_of_linux) - 1, rows, count,
                     &out.sink);
}

static void writes(const char *text)
{
    transcript_write(&transcript, text, strlen(text));
}

static const char *all_shown(void)
{
    shown[out.length] = '\0';
    return shown;
}

static void test_same_lines(void **state)
{
    (void)state;
    begin(NULL, 0);
    assert_int_equal(transcript.lines, 4);
    writes("on");
    writes("e\ntwo\n# th");
    writes("ree\nfour\n");
    transcript_end(&transcript);
    assert_false(transcript.differs);
    assert_int_equal(transcript.matched, 4);
    assert_string_equal(all_shown(),
                        "     4   one\n     5   two\n     6   # three\n     7   four\n");
}

static void test_another_line(void **state)
{
    (void)state;
    begin(NULL, 0);
    writes("one\n2\n# three\nfour\n");
    transcript_end(&transcript);
    assert_true(transcript.differs);
    assert_int_equal(transcript.differing_line, 5);
    assert_string_equal(transcript.expected, "two");
    assert_string_equal(transcript.got, "2");
    assert_int_equal(transcript.matched, 3);
    assert_string_equal(all_shown(), "     4   one\n"
                                     "       + 2\n"
                                     "     5 - two\n"
                                     "     6   # three\n"
                                     "     7   four\n");
}

static void test_missing_and_more_lines(void **state)
{
    (void)state;
    begin(NULL, 0);
    writes("one\ntwo\n");
    transcript_end(&transcript);
    assert_int_equal(transcript.differing_line, 6);
    assert_true(transcript.has_expected && !transcript.has_got);
    assert_string_equal(transcript.expected, "# three");
    begin(NULL, 0);
    writes("one\ntwo\n# three\nfour\nfive\n");
    transcript_end(&transcript);
    assert_int_equal(transcript.differing_line, 8);
    assert_true(!transcript.has_expected && transcript.has_got);
    assert_string_equal(transcript.got, "five");
}

static void test_nothing_at_all(void **state)
{
    (void)state;
    begin(NULL, 0);
    transcript_end(&transcript);
    assert_true(transcript.differs);
    assert_int_equal(transcript.differing_line, 4);
    assert_int_equal(transcript.matched, 0);
}

static void test_accepted_lines(void **state)
{
    (void)state;
    begin(accepted, ARRAY_COUNT(accepted));
    writes("one\n2\n# three\nfive\n");
    transcript_end(&transcript);
    assert_false(transcript.differs);
    assert_int_equal(transcript.matched, 4);
    assert_int_equal(transcript_stale(&transcript), 0);
}

static void test_accepted_lines_that_are_not_met(void **state)
{
    (void)state;
    begin(accepted, ARRAY_COUNT(accepted));
    writes("one\ntwo\n# three\nfour\n");
    transcript_end(&transcript);
    assert_false(transcript.differs);
    assert_int_equal(transcript_stale(&transcript), 3);
    begin(accepted, ARRAY_COUNT(accepted));
    writes("1\ntwo\n"); /* another program's row */
    assert_true(transcript.differs);
}

static void test_long_lines_differ(void **state)
{
    char line[TRANSCRIPT_LINE + 3];

    (void)state;
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    transcript_begin(&transcript, "this", line, TRANSCRIPT_LINE, NULL, 0, NULL);
    writes(line);
    assert_true(transcript.differs);
    assert_int_equal(strlen(transcript.got), TRANSCRIPT_LINE);
}

static void test_masks(void **state)
{
    static const char maps[] = "#\n"
                               "10000000-10001000 rw-s 00000000 DEVICE INODE /memfd:x (deleted)\n"
                               "00400000-00401000 r--p 00000000 DEVICE INODE /programs/this\n"
                               "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n"
                               "20000000-20001000 ---p 00000000 00:00 0\n";

    (void)state;
    transcript_begin(&transcript, "this", maps, sizeof(maps) - 1, NULL, 0, NULL);
    writes("10000000-10001000 rw-s 00000000 00:01 77       /memfd:x (deleted)\n"
           "00400000-00401000 r--p 00000000 08:01 4711     /home/x/programs/this\n"
           "7ffff7ff9000-7ffff7ffd000 r--p 00000000 00:00 0      [vvar]\n"
           "7ffff7ffd000-7ffff7fff000 r-xp 00000000 00:00 0      [vdso]\n"
           "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0      [stack]\n"
           "20000000-20001000 ---p 00000000 00:00 0 \n");
    transcript_end(&transcript);
    assert_string_equal(transcript.got, "");
    assert_false(transcript.differs);
    assert_int_equal(transcript.matched, 4);
}

static void test_says_what_it_lacks(void **state)
{
    (void)state;
    begin(NULL, 0);
    writes("one\nlacks PKU\n");
    assert_string_equal(transcript.lacks, "PKU");
}

static void test_without_a_log(void **state)
{
    (void)state;
    transcript_begin(&transcript, "this", "", 0, NULL, 0, NULL);
    writes("anything\n");
    transcript_end(&transcript);
    assert_false(transcript.differs);
    assert_int_equal(transcript.written, 1);
}

static bool ended(const char *head, uint32_t *status)
{
    return transcript_status(head, strlen(head), status);
}

static void test_how_it_ended(void **state)
{
    uint32_t status = 1;
    char text[32];
    struct buffer_sink words;

    (void)state;
    assert_true(ended(log_of_linux, &status));
    assert_int_equal(status, 11);
    assert_true(ended("# end: exit status 0\n#\n", &status));
    assert_int_equal(status, 0);
    assert_true(ended("# x: y\n# end: exit status 255\n#\n", &status));
    assert_int_equal(status, 255 << 8);
    assert_false(ended("# end: exit status 256\n", &status));
    assert_false(ended("# end: exit status \n", &status));
    assert_false(ended("# end: killed by SIGNOTHING\n", &status));
    assert_false(ended("# end: killed by \n", &status));
    assert_false(ended("#\n# end: exit status x\n", &status));
    assert_false(ended("", &status));
    buffer_sink_init(&words, text, sizeof(text) - 1);
    print_wait_status(&words.sink, 11);
    print_wait_status(&words.sink, 3 << 8);
    text[words.length] = '\0';
    assert_string_equal(text, "killed by SIGSEGVexit status 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_lines),
        cmocka_unit_test(test_another_line),
        cmocka_unit_test(test_missing_and_more_lines),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_accepted_lines),
        cmocka_unit_test(test_accepted_lines_that_are_not_met),
        cmocka_unit_test(test_long_lines_differ),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_says_what_it_lacks),
        cmocka_unit_test(test_without_a_log),
        cmocka_unit_test(test_how_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
