/*
 * test_options.c: the option grammar, what its errors say, and the globs that select checks.
 */
#include "tests/host/unit.h"

#include "tests/harness/options.h"
#include "tests/report/sink.h"

static struct options options;
static struct option_error error;

/* Parse @text after the carriers that were parsed before. */
static bool parse_more(enum option_carrier carrier, const char *text)
{
    return options_parse(&options, carrier, text, strlen(text), &error);
}

static void accept_more(enum option_carrier carrier, const char *text)
{
    if (!parse_more(carrier, text))
        fail_msg("\"%s\": \"%s\" %s", text, error.word, error.reason);
    assert_false(error.failed);
}

static void accept(enum option_carrier carrier, const char *text)
{
    options_init(&options);
    accept_more(carrier, text);
}

/* @text, as the only carrier, is refused because of @word with exactly @reason. */
static void refuse(enum option_carrier carrier, const char *text, const char *word,
                   const char *reason)
{
    options_init(&options);
    if (parse_more(carrier, text))
        fail_msg("accepted: %s", text);
    assert_true(error.failed);
    assert_int_equal(error.carrier, carrier);
    assert_string_equal(error.word, word);
    assert_string_equal(error.reason, reason);
}

static void nothing_said_leaves_defaults(void **state)
{
    (void)state;
    static struct options zero, defaults;
    static const char *const nothing[] = {"", " \t\r\n", "# a comment", "#\n#--list",
                                          "\xef\xbb\xbf"};

    options_init(&defaults);
    assert_int_equal(defaults.seed, 1);
    assert_int_equal(defaults.repeat, 1);
    assert_int_equal(defaults.cpus, OPTION_CPUS_BSP);
    assert_int_equal(defaults.soak_seconds, OPTION_SOAK_SECONDS);
    assert_int_equal(defaults.debug_exit_port, 0xf4);
    assert_int_equal(defaults.matrix, MATRIX_QUICK);
    assert_int_equal(defaults.levels, LEVELS_AS_FOUND);
    assert_int_equal(defaults.at_end, AT_END_RETURN);

    /* The rest of the defaults is zero. */
    options = defaults;
    options.seed = options.repeat = options.cpus = options.soak_seconds = 0;
    options.debug_exit_port = 0;
    assert_memory_equal(&options, &zero, sizeof zero);

    for (size_t i = 0; i < ARRAY_COUNT(nothing); i++) {
        accept(CARRIER_FILE, nothing[i]);
        assert_memory_equal(&options, &defaults, sizeof defaults);
    }
    accept(CARRIER_COMMAND_LINE, "FS0:\\EFI\\BOOT\\BOOTX64.EFI");
    assert_memory_equal(&options, &defaults, sizeof defaults);
}

static void every_option_is_stored(void **state)
{
    (void)state;
    accept(CARRIER_FW_CFG,
           "--list --only a.* --skip b --explain c/4k --matrix soak:600 --seed 0xffffffffffffffff "
           "--baseline=\\b.txt --repeat 3 --cpus 4 --levels both --mode 1280x800 --emulator "
           "QEMU-7.2 --no-wait "
           "--debug-exit=0x501 --debug-wait --mm-trace --old-stack-rule --sabotage cr4 --help");
    assert_true(options.list);
    assert_int_equal(options.only.count, 1);
    assert_string_equal(options.only.glob[0], "a.*");
    assert_int_equal(options.skip.count, 1);
    assert_string_equal(options.skip.glob[0], "b");
    assert_string_equal(options.explain, "c/4k");
    assert_int_equal(options.matrix, MATRIX_SOAK);
    assert_int_equal(options.soak_seconds, 600);
    assert_int_equal(options.seed, UINT64_MAX);
    assert_string_equal(options.baseline, "\\b.txt");
    assert_int_equal(options.repeat, 3);
    assert_int_equal(options.cpus, 4);
    assert_int_equal(options.levels, LEVELS_BOTH);
    assert_int_equal(options.mode_width, 1280);
    assert_int_equal(options.mode_height, 800);
    assert_string_equal(options.emulator, "QEMU-7.2");
    assert_true(options.no_wait);
    assert_int_equal(options.at_end, AT_END_DEBUG_EXIT);
    assert_int_equal(options.debug_exit_port, 0x501);
    assert_true(options.wait_debugger);
    assert_true(options.mm_trace);
    assert_true(options.old_stack_rule);
    assert_string_equal(options.sabotage, "cr4");
    assert_true(options.help);
}

static void words_have_numbers(void **state)
{
    (void)state;
    accept(CARRIER_FILE, "--matrix quick --cpus bsp --levels 4 --poweroff");
    assert_int_equal(options.matrix, MATRIX_QUICK);
    assert_int_equal(options.cpus, OPTION_CPUS_BSP);
    assert_int_equal(options.levels, LEVELS_4);
    assert_int_equal(options.at_end, AT_END_POWEROFF);
    accept(CARRIER_FILE, "--matrix full --cpus all --levels 5 --reboot");
    assert_int_equal(options.matrix, MATRIX_FULL);
    assert_int_equal(options.cpus, OPTION_CPUS_ALL);
    assert_int_equal(options.levels, LEVELS_5);
    assert_int_equal(options.at_end, AT_END_REBOOT);
    accept(CARRIER_FILE, "--matrix none");
    assert_int_equal(options.matrix, MATRIX_NONE);
    accept(CARRIER_FILE, "--matrix soak --debug-exit");
    assert_int_equal(options.matrix, MATRIX_SOAK);
    assert_int_equal(options.soak_seconds, OPTION_SOAK_SECONDS);
    assert_int_equal(options.at_end, AT_END_DEBUG_EXIT);
    assert_int_equal(options.debug_exit_port, 0xf4);
}

static void value_follows_blank_or_equals_sign(void **state)
{
    (void)state;
    accept(CARRIER_FILE, "--seed\n 7");
    assert_int_equal(options.seed, 7);
    accept(CARRIER_FILE, "--seed=0x7");
    assert_int_equal(options.seed, 7);
    accept(CARRIER_FILE, "--baseline --list");
    assert_string_equal(options.baseline, OPTION_BASELINE);
    assert_true(options.list);
    accept(CARRIER_FILE, "--only=a=b");
    assert_string_equal(options.only.glob[0], "a=b");
    accept(CARRIER_FILE, "--only \"a b\" --only=\"c d\" \"--only=e # f\" --sab\"otage\"=x");
    assert_string_equal(options.only.glob[0], "a b");
    assert_string_equal(options.only.glob[1], "c d");
    assert_string_equal(options.only.glob[2], "e # f");
    assert_string_equal(options.sabotage, "x");
}

static void comments_belong_to_the_file(void **state)
{
    (void)state;
    accept(CARRIER_FILE, "# --list\n--seed 2 # --no-wait \"\n--only a#b\r\n#");
    assert_false(options.list);
    assert_false(options.no_wait);
    assert_int_equal(options.seed, 2);
    assert_string_equal(options.only.glob[0], "a#b");
    refuse(CARRIER_FW_CFG, "--list # x", "#", "is not an option");
}

static void program_name_belongs_to_the_command_line(void **state)
{
    (void)state;
    char path[300] = "";

    accept(CARRIER_COMMAND_LINE, "faultline.efi --list");
    assert_true(options.list);
    accept(CARRIER_COMMAND_LINE, "\"FS0:\\my files\\faultline.efi\" --list");
    assert_true(options.list);
    accept(CARRIER_COMMAND_LINE, "--list");
    assert_true(options.list);
    memset(path, 'p', sizeof path - 1);
    memcpy(path + sizeof path - 8, " --list", 7);
    accept(CARRIER_COMMAND_LINE, path);
    assert_true(options.list);
    refuse(CARRIER_COMMAND_LINE, "-list", "-list", "is not an option");
    refuse(CARRIER_COMMAND_LINE, "--list faultline.efi", "faultline.efi", "is not an option");
    refuse(CARRIER_FILE, "faultline.efi", "faultline.efi", "is not an option");
    refuse(CARRIER_FW_CFG, "faultline.efi", "faultline.efi", "is not an option");
}

static void later_carrier_replaces_and_repeats_add_up(void **state)
{
    (void)state;
    accept(CARRIER_FILE, "--only a --only b --skip c --seed 2 --seed 3 --mode 800x600 --no-wait "
                         "--matrix soak:5 --debug-exit=0x500 --emulator Bochs-2.7");
    assert_int_equal(options.only.count, 2);
    assert_int_equal(options.seed, 3);
    accept_more(CARRIER_COMMAND_LINE, "x.efi --only d --matrix quick");
    assert_int_equal(options.only.count, 1);
    assert_string_equal(options.only.glob[0], "d");
    assert_string_equal(options.only.glob[1], "");
    assert_int_equal(options.matrix, MATRIX_QUICK);
    assert_int_equal(options.soak_seconds, OPTION_SOAK_SECONDS);
    accept_more(CARRIER_FW_CFG, "--only e --only f --debug-exit --emulator X-1");
    assert_int_equal(options.only.count, 2);
    assert_string_equal(options.only.glob[0], "e");
    assert_string_equal(options.only.glob[1], "f");
    assert_int_equal(options.debug_exit_port, 0xf4);
    assert_string_equal(options.emulator, "X-1");
    /* Untouched by the later ones. */
    assert_int_equal(options.skip.count, 1);
    assert_int_equal(options.seed, 3);
    assert_int_equal(options.mode_width, 800);
    assert_true(options.no_wait);
    accept_more(CARRIER_FW_CFG, "--poweroff");
    assert_int_equal(options.at_end, AT_END_POWEROFF);
}

static void errors_name_the_word(void **state)
{
    (void)state;
#define TAKES(option, what) "is wrong: " option " takes " what
    static const struct {
        const char *text, *word, *reason;
    } rows[] = {
        {"--frobnicate",                              "--frobnicate",             "is not an option"},
        {"--lis",                                     "--lis",                    "is not an option"},
        {"--listen",                                  "--listen",                 "is not an option"},
        {"--list \"\"",                               "",                         "is not an option"},
        {"--list=1",                                  "--list=1",                 "has a value, but this option takes none"},
        {"--poweroff=",                               "--poweroff=",              "has a value, but this option takes none"},
        {"--list --seed",                             "--seed",
         "lacks its value: --seed takes a number from 0 to "
         "0xffffffffffffffff"},
        {"--seed --list",                             "--seed",
         "lacks its value: --seed takes a number from 0 to "
         "0xffffffffffffffff"},
        {"--seed=",                                   "--seed=",                  TAKES("--seed","a number from 0 to 0xffffffffffffffff")},
        {"--seed 0x",                                           "0x",                                                           TAKES("--seed","a number from 0 to 0xffffffffffffffff")},
        {"--seed 7x",   "7x",                             TAKES("--seed",       "a number from 0 to 0xffffffffffffffff")},
        {"--seed -1",                             "-1",TAKES("--seed","a number from 0 to 0xffffffffffffffff")},
        {"--seed 0x10000000000000000",           "0x10000000000000000",
         TAKES("--seed",                 "a number from 0 to 0xffffffffffffffff")},
        {"--seed 18446744073709551616",                "18446744073709551616",
         TAKES("--seed","a number from 0 to 0xffffffffffffffff")},
        {"--repeat 0",                                           "0",                                         TAKES("--repeat","a number from 1 to 1000000")},
        {"--repeat=1000001",   "--repeat=1000001",                             TAKES("--repeat","a number from 1 to 1000000")},
        {"--repeat 4294967297",                           "4294967297",TAKES("--repeat","a number from 1 to 1000000")},
        {"--cpus 0",                       "0",     TAKES("--cpus","bsp, all or a number from 1 to 4096")},
        {"--cpus some",                       "some",           TAKES("--cpus","bsp, all or a number from 1 to 4096")},
        {"--cpus all:2",                                           "all:2",                                                            TAKES("--cpus","bsp, all or a number from 1 to 4096")},
        {"--levels 3",     "3",                               TAKES("--levels",  "4, 5 or both")},
        {"--levels=",                             "--levels=",       TAKES("--levels","4, 5 or both")},
        {"--levels \"\"","",TAKES("--levels","4, 5 or both")},
        {"--levels :4",                                ":4",                                                   TAKES("--levels","4, 5 or both")},
        {"--matrix quick:3",                                           "quick:3",
         TAKES("--matrix","quick, full, soak, soak:SECONDS or none")},
        {"--matrix soak:0",                            "soak:0",                                                      TAKES("--matrix","quick, full, soak, soak:SECONDS or none")},
        {"--matrix soak:",                           "soak:",                                                                                            TAKES("--matrix",                                                                                                                               "quick, full, soak, soak:SECONDS or none")},
        {"--matrix soaks",        "soaks",TAKES("--matrix","quick, full, soak, soak:SECONDS or none")},
        {"--matrix none:1",                          "none:1", TAKES("--matrix","quick, full, soak, soak:SECONDS or none")},
        {"--baseline=",                                           "--baseline=",                                                     TAKES("--baseline","a path of 1 to 95 characters")},
        {"--mode 1280", "1280",                           TAKES("--mode","pixels, for example 1280x800")},
        {"--mode 1280x",                           "1280x",TAKES("--mode","pixels, for example 1280x800")},
        {"--mode 0x10",                             "0x10",                                                                        TAKES("--mode","pixels, for example 1280x800")},
        {"--mode 1280x800x2",                           "1280x800x2",                    TAKES("--mode","pixels, for example 1280x800")},
        {"--mode 1280x65536",                                           "1280x65536",                                                         TAKES("--mode","pixels, for example 1280x800")},
        {"--debug-exit=0",            "--debug-exit=0",                                      TAKES("--debug-exit",         "a number from 1 to 0xffff")},
        {"--debug-exit 0xf4",                             "0xf4","is not an option"},
        {"--emulator QEMU",          "QEMU",
         TAKES("--emulator",                                                                                                                                                                                                                                                                                       "a name and a version, for example QEMU-7.2")},
        {"--emulator -7.2",                               "-7.2",
         TAKES("--emulator","a name and a version, for example QEMU-7.2")},
        {"--only a\x01"
         "b",                                           "a?b",                                                   "has a byte that is not printable ASCII"},
        {"--list \xc3\xa4",            "??",                                      "has a byte that is not printable ASCII"                },
        {"--only \"a b --list",                             "a b --list","has no closing quote"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        refuse(CARRIER_FILE, rows[i].text, rows[i].word, rows[i].reason);
}

/* What is too long or too much is refused, never cut. */
static void limits_are_refused(void **state)
{
    (void)state;
    static char text[OPTION_LINE + 2];
    char glob[OPTION_ID + 1], word[OPTION_TEXT];
    const char *reason = "is wrong: --only takes 1 to 703 characters, 32 times at most";

    memset(glob, 'g', sizeof glob);
    glob[OPTION_ID - 1] = '\0';
    snprintf(text, sizeof text, "--only %s", glob);
    accept(CARRIER_FILE, text);
    assert_string_equal(options.only.glob[0], glob);
    snprintf(text, sizeof text, "--explain=%s", glob);
    accept(CARRIER_FILE, text);
    assert_string_equal(options.explain, glob);
    snprintf(text, sizeof text, "--sabotage=%.*s", (int)OPTION_TEXT - 1, glob);
    accept(CARRIER_FILE, text);
    assert_memory_equal(options.sabotage, glob, OPTION_TEXT - 1);

    snprintf(word, sizeof word, "%.92s...", glob);
    glob[OPTION_ID - 1] = 'g';
    glob[OPTION_ID] = '\0';
    snprintf(text, sizeof text, "--only %s", glob);
    refuse(CARRIER_FILE, text, word, reason);
    snprintf(text, sizeof text, "--sabotage %.*s", (int)OPTION_TEXT, glob);
    refuse(CARRIER_FILE, text, word, "is wrong: --sabotage takes 1 to 95 characters");
    snprintf(text, sizeof text, "--only %s%s", glob, glob);
    refuse(CARRIER_FILE, text, word, "is too long");

    text[0] = '\0';
    for (unsigned i = 0; i < OPTION_GLOBS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "--only g%u ", i);
    accept(CARRIER_FILE, text);
    assert_int_equal(options.only.count, OPTION_GLOBS);
    snprintf(text + strlen(text), sizeof text - strlen(text), "--only last");
    refuse(CARRIER_FILE, text, "last", reason);

    memset(text, ' ', sizeof text);
    text[OPTION_LINE] = '\0';
    accept(CARRIER_FILE, text);
    text[OPTION_LINE] = ' ';
    text[OPTION_LINE + 1] = '\0';
    refuse(CARRIER_FILE, text, "", "more than 4096 bytes of options");
}

static void written_options_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
    } rows[] = {
        {"",                                                    ""                                         },
        {"--seed 1 --cpus bsp --matrix quick",                  ""                                         },
        {"--only \"a b\" --skip=c --only d",                    "--only=\"a b\" --only=d --skip=c"         },
        {"--matrix soak --levels 5",                            "--matrix=soak:20 --levels=5"              },
        {"--debug-exit=0x501 --reboot",                         "--reboot"                                 },
        {"--baseline --matrix none",                            "--matrix=none --baseline=" OPTION_BASELINE},
        {"--sabotage longer --sabotage x",                      "--sabotage=x"                             },
        {"--matrix full --levels both --cpus all",              "--matrix=full --cpus=all --levels=both"   },
        {"--seed 0xffffffffffffffff --mode 80x25 --debug-exit",
         "--seed=18446744073709551615 --mode=80x25 --debug-exit=0xf4"                                      },
        {"--list --explain a --emulator \"Q C-7\" --no-wait --reboot --debug-wait --sabotage w "
         "--help --repeat 2",                          "--list --explain=a --repeat=2 --emulator=\"Q C-7\" --no-wait --reboot --debug-wait "
         "--sabotage=w --help"                                       },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[OPTION_CANONICAL];
        struct buffer_sink buffer;

        accept(CARRIER_FILE, rows[i].text);
        buffer_sink_init(&buffer, text, sizeof text - 1);
        options_write(&options, &buffer.sink);
        text[buffer.length] = '\0';
        assert_string_equal(text, rows[i].written);

        static struct options before;
        before = options;
        accept(CARRIER_FILE, text);
        assert_memory_equal(&options, &before, sizeof before);
    }
}

static void help_lines_fit_and_align(void **state)
{
    (void)state;
    unsigned lines = 0;

    for (const char *line; (line = options_help_line(lines)); lines++) {
        assert_true(strlen(line) < 80);
        assert_memory_equal(line, "--", 2);
        assert_true(line[29] == ' ' && line[30] != ' ');
    }
    assert_true(lines > 0);
}

/* docs/options.md shows exactly the lines of the table, in its order. */
static void manual_lists_every_option(void **state)
{
    (void)state;
    FILE *manual = fopen("docs/options.md", "r");
    char line[200];
    unsigned index = 0;

    assert_non_null(manual);
    while (fgets(line, sizeof line, manual)) {
        if (strncmp(line, "--", 2) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        assert_non_null(options_help_line(index));
        assert_string_equal(line, options_help_line(index));
        index++;
    }
    fclose(manual);
    assert_null(options_help_line(index));
    assert_true(index > 0);
}

static void glob_matches_whole_id(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *id;
        bool matches;
    } rows[] = {
        {"",             "",                                true },
        {"",             "a",                               false},
        {"*",            "",                                true },
        {"?",            "",                                false},
        {"reserved.*",   "reserved.bit_faults/2m.l2.bit51", true },
        {"reserved.*",   "not_present.read/4k",             false},
        {"reserved",     "reserved.bit_faults",             false},
        {"*bit51",       "reserved.bit_faults/2m.bit51",    true },
        {"*/4k.l?.user", "a.b/4k.l3.user",                  true },
        {"*/4k.l?.user", "a.b/4k.l.user",                   false},
        {"a*b*c",        "a.b.b.c.b.c",                     true },
        {"a*b*c",        "a.b.b.c.b.cd",                    false},
        {"**a**",        "bab",                             true },
        {"a?",           "a*",                              true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (glob_match(rows[i].glob, rows[i].id) != rows[i].matches)
            fail_msg("glob %s, id %s", rows[i].glob, rows[i].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_leaves_defaults),
        cmocka_unit_test(every_option_is_stored),
        cmocka_unit_test(words_have_numbers),
        cmocka_unit_test(value_follows_blank_or_equals_sign),
        cmocka_unit_test(comments_belong_to_the_file),
        cmocka_unit_test(program_name_belongs_to_the_command_line),
        cmocka_unit_test(later_carrier_replaces_and_repeats_add_up),
        cmocka_unit_test(errors_name_the_word),
        cmocka_unit_test(limits_are_refused),
        cmocka_unit_test(written_options_read_back),
        cmocka_unit_test(help_lines_fit_and_align),
        cmocka_unit_test(manual_lists_every_option),
        cmocka_unit_test(glob_matches_whole_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
