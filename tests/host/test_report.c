/*
 * test_report.c: TAP, JUnit XML and JSON of a run that never was, read by stock parsers and
 * compared with each other (tests/host/report_check.py); verdict, exit status, text for people.
 */
#include "tests/host/report_fixture.h"

#include "tests/harness/record_names.h"
#include "tests/report/matrix_text.h"
#include "tests/report/program_text.h"
#include "mm/trace.h"
#include "mm/vma.h"

/* Have the streams' bytes read by report_check.py, which is told the totals that are right. */
static int parsers_find_fault(const char *totals)
{
    static const struct {
        enum session_stream stream;
        const char *name;
    } files[] = {
        {STREAM_CONSOLE,  "console.tap" },
        {STREAM_TAP,      "report.tap"  },
        {STREAM_XML,      "report.xml"  },
        {STREAM_JSON,     "report.json" },
        {STREAM_BASELINE, "baseline.txt"}
    };
    char folder[] = "/tmp/faultline-report-XXXXXX", text[512];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        snprintf(text, sizeof(text), "%s/%s", folder, files[i].name);
        FILE *file = fopen(text, "wb");
        assert_non_null(file);
        size_t length = session->stream[files[i].stream].length;
        assert_int_equal(fwrite(all.streams[files[i].stream], 1, length, file), length);
        assert_int_equal(fclose(file), 0);
    }
    snprintf(text, sizeof(text), "python3 tests/host/report_check.py %s %s >&2", folder, totals);
    int status = system(text);
    snprintf(text, sizeof(text), "rm -r %s", folder);
    assert_int_equal(system(text), 0);
    return status;
}

static void finished_run(unsigned planned)
{
    session_start(80, 25, planned);
    sample_run();
    assert_true(report_finish(&report));
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        assert_int_equal(session->stream[i].overflow, 0);
}

static void stock_parsers_read_all_formats(void **state)
{
    (void)state;
    finished_run(SAMPLE_CHECKS);
    assert_int_equal(parsers_find_fault("2 1 1 1 1 error"), 0);
}

/* No two totals are the same: none can stand in another's place. */
static void each_total_is_its_own(void **state)
{
    (void)state;
    session_start(80, 25, 20);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    for (unsigned i = 0; i < 8; i++)
        report_check(&report, write_record(i < 2 ? VERDICT_FAIL : VERDICT_PASS));
    for (unsigned i = 0; i < 3; i++)
        report_check(&report, skip_record());
    for (unsigned i = 0; i < 4; i++)
        report_check(&report, known_record());
    for (unsigned i = 0; i < 5; i++)
        report_check(&report, oops_record());
    assert_true(report_finish(&report));
    assert_int_equal(parsers_find_fault("6 2 4 3 5 error"), 0);
}

static void the_parsers_would_notice(void **state)
{
    (void)state;
    finished_run(SAMPLE_CHECKS);
    assert_int_not_equal(parsers_find_fault("3 1 1 1 1 error"), 0);
    for (unsigned i = STREAM_CONSOLE; i <= STREAM_BASELINE; i++) {
        finished_run(SAMPLE_CHECKS);
        session->stream[i].length -= 3;
        assert_int_not_equal(parsers_find_fault("2 1 1 1 1 error"), 0);
    }
}

/* Whatever firmware and processor call themselves. */
static void hostile_strings_stay_strings(void **state)
{
    (void)state;
    session_start(80, 25, SAMPLE_CHECKS);
    for (unsigned i = 0; i < sizeof(machine.brand) - 1; i++)
        machine.brand[i] = (char)(i + 1);
    strcpy(session->facts.firmware_vendor, "\xff\x80\"</testsuite>]]>&amp;'\\u0000\n# x\r\n1..2\n");
    strcpy(session->facts.board, "\x7f\t\x1b[2J\\");
    strcpy(machine.emulator, "\"}],\n\"verdict\":\"pass");
    session->options.only.count = 2;
    strcpy(session->options.only.glob[0], "\"*\\?\"");
    memset(session->options.only.glob[1], 0x01, OPTION_ID - 1);
    sample_run();
    assert_true(report_finish(&report));
    assert_int_equal(parsers_find_fault("2 1 1 1 1 error"), 0);
}

static void the_largest_record_fits_its_bound(void **state)
{
    (void)state;
    session_start(80, 25, 1);
    /* As long as the carriers can make them: printable, so each character is two at most. */
    for (unsigned i = 0; i < OPTION_LINE / OPTION_ID; i++) {
        memset(session->options.only.glob[i], '\\', OPTION_ID - 1);
        memset(session->options.skip.glob[i], '\\', OPTION_ID - 1);
    }
    session->options.only.count = session->options.skip.count = OPTION_LINE / OPTION_ID;
    report_begin(&report, session, log_memory, sizeof(log_memory));
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        assert_in_range(session->stream[i].length, 0, REPORT_CHECK_BYTES);
    uint32_t json = session->stream[STREAM_JSON].length, tap = session->stream[STREAM_TAP].length;
    report_check(&report, huge_record());
    assert_true(report_suite_end(&report));
    assert_in_range(session->stream[STREAM_JSON].length - json, 20000, REPORT_CHECK_BYTES);
    assert_in_range(session->stream[STREAM_TAP].length - tap, 10000, REPORT_CHECK_BYTES);
    assert_in_range(session->stream[STREAM_XML].length, 10000, REPORT_CHECK_BYTES);
    assert_true(report_finish(&report));
    assert_int_equal(parsers_find_fault("0 0 0 0 1 error"), 0);
}

/* The same bytes, whether they are taken late or whenever the streams are full. */
static void full_streams_only_delay(void **state)
{
    static char whole[STREAM_COUNT][STREAM_BYTES], taken[STREAM_COUNT][STREAM_BYTES];
    uint32_t length[STREAM_COUNT] = {0}, waits = 0;
    (void)state;
    finished_run(SAMPLE_CHECKS);
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        memcpy(whole[i], all.streams[i], session->stream[i].length + 1);

    session_start(80, 25, SAMPLE_CHECKS);
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        session->stream[i].capacity = REPORT_CHECK_BYTES + 1000;
    report_begin(&report, session, log_memory, sizeof(log_memory));
    struct record *(*const makers[])(enum verdict) = {write_record, write_record, write_record};
    for (unsigned at = 0; at <= SAMPLE_CHECKS + 1;) {
        bool done = report_space(session);
        if (done && at < SAMPLE_CHECKS)
            report_check(&report, at == 3   ? skip_record()
                                  : at == 4 ? known_record()
                                  : at == 5 ? oops_record()
                                            : makers[at](at == 2 ? VERDICT_FAIL : VERDICT_PASS));
        else if (done)
            done = at == SAMPLE_CHECKS ? report_suite_end(&report) : report_finish(&report);
        at += done;
        waits += !done;
        if (!done)
            for (unsigned i = 0; i < STREAM_COUNT; i++) {
                memcpy(taken[i] + length[i], all.streams[i], session->stream[i].length);
                length[i] += session->stream[i].length;
                session->stream[i].length = 0;
            }
    }
    assert_in_range(waits, 3, 100);
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        memcpy(taken[i] + length[i], all.streams[i], session->stream[i].length);
        assert_int_equal(session->stream[i].overflow, 0);
        assert_string_equal(taken[i], whole[i]);
    }
}

static void finishing_waits_for_room(void **state)
{
    (void)state;
    session_start(80, 25, SAMPLE_CHECKS);
    sample_run();
    uint32_t length = session->stream[STREAM_JSON].length;
    session->stream[STREAM_JSON].capacity = length + REPORT_CHECK_BYTES - 1;
    assert_false(report_finish(&report));
    assert_int_equal(session->stream[STREAM_JSON].length, length);
    session->stream[STREAM_JSON].capacity++;
    assert_true(report_finish(&report));
}

static void lost_bytes_are_an_error(void **state)
{
    (void)state;
    session_start(80, 25, 1);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_check(&report, write_record(VERDICT_PASS));
    assert_int_equal(report_verdict(session), VERDICT_PASS);
    session->stream[STREAM_XML].overflow = 1;
    assert_int_equal(report_verdict(session), VERDICT_ERROR);
}

static void a_full_log_says_so(void **state)
{
    (void)state;
    session_start(80, 25, 2);
    const struct record *passed = write_record(VERDICT_PASS);
    report_begin(&report, session, log_memory, passed->bytes + 8);
    report_check(&report, passed);
    report_check(&report, write_record(VERDICT_FAIL));
    assert_int_equal(report.log.kept, 1);
    assert_int_equal(report.log.dropped, 1);
    assert_true(report_finish(&report));
    assert_int_equal(session->totals[VERDICT_FAIL], 1);
    assert_non_null(strstr(stream_text(STREAM_TAP), "# 1 checks found no room in memory"));
    report_draw(&report, 0);
}

static void the_verdict_follows_the_counts(void **state)
{
    static const struct {
        uint32_t pass, skip, known, fail, error, missing;
        enum verdict verdict;
        uint32_t exit_status;
    } rows[] = {
        {1, 0, 0, 0, 0, 0, VERDICT_PASS,  0},
        {1, 1, 1, 0, 0, 0, VERDICT_PASS,  0},
        {0, 0, 1, 0, 0, 0, VERDICT_PASS,  0},
        {9, 0, 0, 1, 0, 0, VERDICT_FAIL,  1},
        {9, 0, 0, 1, 1, 0, VERDICT_ERROR, 2},
        {9, 0, 0, 0, 1, 0, VERDICT_ERROR, 2},
        {0, 0, 0, 0, 0, 0, VERDICT_ERROR, 2},
        {0, 7, 0, 0, 0, 0, VERDICT_ERROR, 2},
        {0, 7, 0, 1, 0, 0, VERDICT_FAIL,  1},
        {9, 0, 0, 0, 0, 1, VERDICT_ERROR, 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        session_start(80, 25, 0);
        session->totals[VERDICT_PASS] = rows[i].pass;
        session->totals[VERDICT_SKIP] = rows[i].skip;
        session->totals[VERDICT_KNOWN] = rows[i].known;
        session->totals[VERDICT_FAIL] = rows[i].fail;
        session->totals[VERDICT_ERROR] = rows[i].error;
        session->done = rows[i].pass + rows[i].skip + rows[i].known + rows[i].fail + rows[i].error;
        session->planned = session->done + rows[i].missing;
        assert_int_equal(report_verdict(session), rows[i].verdict);
        assert_int_equal(report_exit_status(rows[i].verdict), rows[i].exit_status);
    }
}

static void tap_lines_are_as_documented(void **state)
{
    (void)state;
    finished_run(SAMPLE_CHECKS);
    const char *tap = stream_text(STREAM_TAP), *console = stream_text(STREAM_CONSOLE);
    assert_memory_equal(tap, "TAP version 14\n# Faultline ", 27);
    assert_non_null(strstr(tap, "\n# matrix quick, seed 1, 6 checks planned\nok 1 - "));
    static const char *const lines[] = {
        "\nok 1 - write_protect.user_write_faults/4k.l1.user\n",
        "\nnot ok 3 - write_protect.user_write_faults/4k.l1.user\n  ---\n  verdict: FAIL\n"
        "  rule: \"R3.2\"\n",
        "\n  access: \"ring 3 write of 8 bytes at 0000400000001ff8\"\n",
        "\n  differences:\n    - field: \"vector\"\n      expected: \"#PF\"\n      got: \"no "
        "exception\"\n",
        "\n      expected: \"7 (P W U)\"\n      got: \"none\"\n",
        "\n  again: \"--only write_protect.user_write_faults/4k.l1.user\"\n  ...\nok 4 - ",
        "\nok 4 - reserved.bit_faults/4k.l1.user # SKIP the processor has no LA57\n",
        "\nnot ok 5 - reserved.bit_faults/4k.l1.user # TODO QEMU TCG: a reserved bit is reported "
        "\\# "
        "without P, \"as\" <if> R2.2 \\\\ said so\n  ---\n  verdict: KNOWN\n",
        "\nnot ok 6 - takeover.gives_back/4k.l1.user\n  ---\n  verdict: ERROR\n"
        "  reason: \"an unexpected exception ended the check\"\n",
        "\n  oops: |\n      oops on processor 1: a page fault in ring 0 that nothing explains\n",
        "\n1..6\n# report files: \\faultline\\0003\n"};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        if (strstr(tap, lines[i]) == NULL || strstr(console, lines[i]) == NULL)
            fail_msg("missing: %s\nin: %s", lines[i], tap);
    static const char verdict[] = "VERDICT: ERROR  1 of 6 checks failed (1 known deviations, 1 "
                                  "skipped, 1 errors)  exit 2\n";
    assert_string_equal(console + strlen(console) - strlen(verdict), verdict);
    assert_string_equal(tap + strlen(tap) - strlen(verdict) - 2, strstr(tap, "# VERDICT"));
}

static void a_stopped_run_bails_out(void **state)
{
    (void)state;
    finished_run(SAMPLE_CHECKS + 1);
    assert_non_null(strstr(stream_text(STREAM_TAP), "\n1..7\n"));
    assert_non_null(strstr(stream_text(STREAM_TAP), "\nBail out! 6 of 7 checks ran\n"));
    session_start(80, 25, 0);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    assert_true(report_finish(&report));
    assert_non_null(
        strstr(stream_text(STREAM_TAP), "\n# no check was selected: that is an error\n"));
    assert_int_equal(session->exit_status, 2);
}

static void unsaved_reports_are_named(void **state)
{
    static const char *const texts[SAVE_PROBLEM_COUNT] = {
        [SAVE_OK] = "NOT SAVED: started from no file system",
        [SAVE_NO_VOLUME] = "NOT SAVED: started from no file system",
        [SAVE_READ_ONLY] = "NOT SAVED: the stick is write-protected",
        [SAVE_FULL] = "NOT SAVED: the stick is full",
        [SAVE_FAILED] = "NOT SAVED: writing to the stick failed"};
    (void)state;
    for (unsigned i = 0; i < SAVE_PROBLEM_COUNT; i++) {
        char text[80] = "";
        struct buffer_sink buffer;
        session_start(80, 25, 0);
        session->saved_to_stick = 0;
        session->save_problem = (uint8_t)i;
        buffer_sink_init(&buffer, text, sizeof(text) - 1);
        text_saved(&buffer.sink, session);
        assert_string_equal(text, texts[i]);
    }
}

/* ---- the matrix -------------------------------------------------------------------------------- */

/* A matrix of two parts, three folds and the rules, after the sample run. */
#define MATRIX_CHECKS (SAMPLE_CHECKS + 6u)
static void whole_matrix(void)
{
    session_start(80, 25, MATRIX_CHECKS);
    sample_run();
    report_check(&report, part_record(VERDICT_KNOWN, 0));
    report_check(&report, part_record(VERDICT_FAIL, 1));
    report_check(&report, rules_record(VERDICT_PASS));
    report_check(&report, fold_record(VERDICT_KNOWN));
    report_check(&report, fold_record(VERDICT_FAIL));
    struct record *accepted = fold_record(VERDICT_KNOWN);
    accepted->deviation = DEVIATION_BASELINE;
    report_check(&report, accepted);
    assert_true(report_finish(&report));
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        assert_int_equal(session->stream[i].overflow, 0);
}

static void stock_parsers_read_the_matrix(void **state)
{
    (void)state;
    whole_matrix();
    assert_int_equal(parsers_find_fault("3 3 4 1 1 error"), 0);
    /* A part's counts against its verdict. */
    session_start(80, 25, 1);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    struct record *part = part_record(VERDICT_FAIL, 0);
    part->verdict = VERDICT_PASS;
    report_check(&report, part);
    assert_true(report_finish(&report));
    assert_int_not_equal(parsers_find_fault("1 0 0 0 0 pass"), 0);
}

static void assert_lines(const char *text, const char *const lines[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("missing: %s\nin: %s", lines[i], text);
}

static void tap_tells_of_the_matrix(void **state)
{
    static const char *const lines[] = {
        "\nnot ok 7 - matrix.pairs # TODO 31 points: the folds tell which\n  ---\n",
        "\n# matrix.pairs: 72123 of 72123 points run, 72092 passed, 31 known, 0 failed\n"
        "# matrix.pairs: 20000 of 20000 combinations of axis values covered; of 30000 in all "
        "1000 need what this machine lacks, 9000 contradict themselves\n",
        "\nnot ok 8 - matrix.needed\n  ---\n  verdict: FAIL\n",
        "\nok 9 - matrix.every_rule_exercised\n# the matrix lacks 1-GiB pages: size=1g\n",
        "\n# the matrix lacks LA57: levels=5\n",
        "\n# rule         4711  R2.3      an address bit that does not exist\n",
        "\n# rule            0  R3.5      a supervisor fetch from a user page\n",
        "\n# fingerprint 123456789abcdef0\n"
        "# choice R4.I      I/D without NXE: either; open 900 times: clear (898), set (2)\nnot ok "
        "10 - ",
        "\nnot ok 10 - matrix:place=second,access=write,ring=0,rsvd=pte # TODO QEMU TCG: a "
        "reserved",
        "\n  rule: \"R2.3\"\n",
        "\n  fold: \"walk=reserved covers 123456 failing points\"\n"
        "  in_each: \"P missing in the error code\"\n"
        "  access: \"ring 0 write of 8 bytes at 000040807ffffffc, across the edge between two "
        "pages, the upper one under test\"\n"
        "  state: \"CR0.WP=1 SMEP=0 SMAP=0 PKE=0 PKS=0 NXE=1 AC=0\"\n"
        "  walk:\n"
        "    - \"below PML4E 0000000000004063 P RW -- A D 0000000004000\"\n"
        "    - \"below PDPTE 0000000000003063 P RW -- A D 0000000003000\"\n"
        "    - \"below PDE   0000000000002063 P RW -- A D 0000000002000\"\n"
        "    - \"below PTE   0000000000005063 P RW -- A D 0000000005000 -> 00000000000050e3 P RW "
        "-- "
        "A D PAT 0000000005000\"\n"
        "    - \"above PML4E 0000000000008063 P RW -- A D 0000000008000\"\n"
        "    - \"above PDPTE 0000000000007063 P RW -- A D 0000000007000\"\n"
        "    - \"above PDE   0000000000006063 P RW -- A D 0000000006000\"\n"
        "    - \"above PTE   0008000000005063 P RW -- A D 8000000005000\"\n"
        "  allowed:\n"
        "    - \"#PF, error code b (P W RSVD), CR2 0000408080000000, A=1 PML4E PDPTE PDE\"\n"
        "    - \"#PF, error code 9 (P RSVD), CR2 0000408080000000 (bits fffffffffffff000), A=1 "
        "PML4E PDPTE PDE; next page, A=1 PML4E, A=0 PTE, D=0 PTE\"\n"
        "  got: \"#PF, error code a (not-present W RSVD), CR2 0000408080000000\"\n"
        "  rules:\n"
        "    - \"R2.3      an address bit that does not exist\"\n"
        "    - \"R3.2      R/W=1 in \\\"every\\\" entry <all> # of \\\\ them\"\n"
        "  differences:\n    - field: \"error code\"\n",
        "\n  again: \"--only matrix:place=second,access=write,ring=0,rsvd=pte\"\n  ...\nnot ok 11 "
        "- ",
        "\nnot ok 12 - matrix:place=second,access=write,ring=0,rsvd=pte # TODO in the baseline\n",
        "\n1..12\n# matrix quick: 144246 of 144246 points run, 144184 passed, 31 known, 31 "
        "failed\n",
    };
    (void)state;
    whole_matrix();
    assert_lines(stream_text(STREAM_TAP), lines, ARRAY_COUNT(lines));
}

static void xml_and_baseline_tell_of_the_matrix(void **state)
{
    static const char *const xml[] = {
        "<testcase classname=\"matrix\" name=\"pairs\">\n"
        "   <skipped message=\"known deviation: 31 points: the folds tell which\"/>\n",
        "<testcase classname=\"matrix\" name=\"every_rule_exercised\"/>\n",
        "<testcase classname=\"matrix\" "
        "name=\"matrix:place=second,access=write,ring=0,rsvd=pte\">\n",
        "<skipped message=\"known deviation: in the baseline\"/>\n",
        "\n   fold: walk=reserved covers 123456 failing points\n"
        "   in each: P missing in the error code\n"
        "   allowed  #PF, error code b (P W RSVD), CR2 0000408080000000, A=1 PML4E PDPTE PDE\n"
        "        or  #PF, error code 9 (P RSVD), ",
    };
    static const char *const baseline[] = {"check write_protect.user_write_faults/4k.l1.user ",
                                           "\nfold walk=reserved 14:14 1:0 0\n", "\nend\n"};
    (void)state;
    whole_matrix();
    assert_lines(stream_text(STREAM_XML), xml, ARRAY_COUNT(xml));
    assert_lines(stream_text(STREAM_BASELINE), baseline, ARRAY_COUNT(baseline));
}

static void an_ended_matrix_says_how_far_it_came(void **state)
{
    (void)state;
    session_start(80, 25, 2);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    struct record *part = part_record(VERDICT_PASS, 0);
    struct annex_part *counts = (struct annex_part *)(uintptr_t)record_part(part);
    counts->run = counts->passed = 1000;
    counts->ended = 1;
    report_check(&report, part);
    part = record_start(MATRIX_SUITE, 1, VERDICT_SKIP);
    part->reason = REASON_ENDED;
    const struct annex_part none = {.planned = 500, .ended = 1};
    add_annex(part, ANNEX_PART, &none);
    report_check(&report, part);
    assert_true(report_finish(&report));
    static const char *const lines[] = {
        "\nok 1 - matrix.pairs\n# matrix.pairs: ended by Esc: 1000 of 72123 points run, ",
        " # SKIP Esc ended the matrix before\n",
        "\n# matrix quick: ended by Esc: 1000 of 72623 points run, 1000 passed, 0 known, ",
    };
    assert_lines(stream_text(STREAM_TAP), lines, ARRAY_COUNT(lines));
    assert_int_equal(session->exit_status, 0);
}

/* ---- programs -------------------------------------------------------------------------------------- */

static void a_program_that_differs_says_where(void **state)
{
    (void)state;
    session_start(80, 25, 2);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_check(&report, program_record(VERDICT_PASS));
    report_check(&report, program_record(VERDICT_FAIL));
    assert_true(report_finish(&report));
    static const char *const tap[] = {
        "    - field: \"lines as on Linux\"\n      expected: \"20\"\n      got: \"19\"\n",
        "    - field: \"line of the log 10\"\n"
        "      expected: \"\\\"read 0x1000: SIGSEGV \\\"quoted\\\"\\\"\"\n"
        "      got: \"\\\"read 0x1000: 00, 1 fault\\\"\"\n",
        "\"exit status 0\"\n      got: \"killed by SIGSEGV\"\n",
        "      expected: \"no\"\n      got: \"yes: task \\\"spinner\\\"\"\n",
        "    - field: \"unknown system call 334\"\n",
        "      expected: \"good\"\n      got: \"a leaf lies in no VMA\"\n",
    };
    static const char *const json[] = {
        "\"program\":{\"lines\":96,\"system_calls\":312,\"minor_faults\":45,\"switches\":3,"
        "\"ticks\":4000,"
        "\"unknown_system_calls\":[334],\"vmas\":5,\"maps\":[{\"start\":\"0x400000\",\"end\":"
        "\"0x403000\","
        "\"rights\":\"r-xp\",\"name\":\"/programs/sample\",\"pages\":{\"untouched\":1,\"zero\":0,"
        "\"file\":2,\"resident\":0,\"copy_on_write\":0,\"dirty\":0},\"strip\":\"f.f\"}",
        "\"rights\":\"rw-s\"",
        "\"strip\":\"d\"",
        "\"strip\":\"azca\"",
    };
    assert_lines(stream_text(STREAM_TAP), tap, ARRAY_COUNT(tap));
    assert_lines(stream_text(STREAM_JSON), json, ARRAY_COUNT(json));
    assert_int_equal(parsers_find_fault("1 1 0 0 0 fail"), 0);
}

static void a_program_is_explained(void **state)
{
    static char text[8192];
    struct buffer_sink out;
    static const char *const lines[] = {
        "\nThe program, and its memory when it ended\n",
        "   96 lines, 312 system calls, 45 minor faults, 3 switches of tasks\n",
        "000000400000-000000403000 r-xp /programs/sample\n    f.f  2 the file's, 1 untouched\n",
        "\n    azca  1 shared until written, 2 its own, 1 zero page\n",
        "\nand 2 more\n",
    };

    (void)state;
    buffer_sink_init(&out, text, sizeof(text) - 1);
    report_explain(&out.sink, program_record(VERDICT_FAIL));
    text[out.length] = '\0';
    assert_lines(text, lines, ARRAY_COUNT(lines));
}

/* As much as the model can have rows. */
static void the_largest_rules_fit_their_bound(void **state)
{
    (void)state;
    session_start(80, 25, 1);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    struct record *rules = rules_record(VERDICT_PASS);
    struct annex_rules *annex = (struct annex_rules *)(uintptr_t)record_rules(rules);
    memset(annex, 0xff, sizeof(*annex));
    uint32_t tap = session->stream[STREAM_TAP].length, json = session->stream[STREAM_JSON].length;
    report_check(&report, rules);
    tap = session->stream[STREAM_TAP].length - tap;
    assert_true(report_finish(&report));
    json = session->stream[STREAM_JSON].length - json;
    /* Of MODEL_ROWS_MAX rows this model has a few. */
    assert_in_range(tap * MODEL_ROWS_MAX / model_row_count, 1000, REPORT_CHECK_BYTES);
    assert_in_range(json * MODEL_ROWS_MAX / model_row_count, 1000, REPORT_CHECK_BYTES);
}

static void a_point_is_explained(void **state)
{
    static char text[16384];
    struct buffer_sink buffer;
    static const char *const parts[] = {
        "matrix:place=second,access=write,ring=0,rsvd=pte\n   verdict FAIL\n\nRule R2.3, ",
        "\n   above PTE   0008000000005063 P RW -- A D 8000000005000\n"
        "   ring 0 write of 8 bytes at 000040807ffffffc, across the edge between two pages, the "
        "upper one under test\n",
        "\nThe matrix\n   allowed  #PF, error code b (P W RSVD), CR2 0000408080000000, A=1 ",
        "\n   got      #PF, error code a (not-present W RSVD), CR2 0000408080000000\n",
        "\n   by R2.3      an address bit that does not exist\n",
        " ! error code           expected b (P W RSVD)\n",
    };
    (void)state;
    session_start(80, 25, 1);
    buffer_sink_init(&buffer, text, sizeof(text) - 1);
    report_explain(&buffer.sink, point_record(VERDICT_FAIL));
    text[buffer.length] = '\0';
    assert_lines(text, parts, ARRAY_COUNT(parts));
    assert_null(strstr(text, "fold"));
}

static void symptoms_are_put_into_words(void **state)
{
    static const struct {
        struct annex_symptom symptom;
        const char *text;
    } rows[] = {
        {{14, 14, 0x3, 0x2, 0}, "P missing in the error code, W too many in the error code"},
        {{14, 0xffff, 0, 0, 0}, "no exception instead of #PF"                              },
        {{14, 13, 0, 0, 1},     "#GP instead of #PF, CR2 wrong"                            },
        {{0, 0, BIT(15), 0, 0}, "bit 15 missing in the error code"                         },
        {{0, 0, 0, 0, 0x30},    "A missing, A too many"                                    },
        {{0, 0, 0, 0, 0xce},
         "D missing, D too many, other bits of entries changed, "
         "reported from elsewhere, wrong data"                                             },
        {{14, 14, 0, 0, 0},     "nothing that has a name"                                  },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[200] = "";
        struct buffer_sink buffer;
        buffer_sink_init(&buffer, text, sizeof(text) - 1);
        text_symptom(&buffer.sink, &rows[i].symptom);
        assert_string_equal(text, rows[i].text);
    }
}

static void faults_of_programs_are_put_into_words(void **state)
{
    static const struct {
        struct mm_trace trace;
        const char *text;
    } rows[] = {
        {{.task = 2,
          .address = 0x10000123,
          .error = 6,
          .vma_start = 0x10000000,
          .vma_end = 0x10010000,
          .vma_flags = VM_READ | VM_WRITE,
          .resolution = RESOLVED_ANONYMOUS,
          .pages = 1,
          .ticks = 5210},
         "task 2 at 000010000123 error 6 (not-present W U) in 000010000000-000010010000 rw-p: "
         "zeroed page, "
         "5210 ticks"                                                       },
        {{.task = 3,
          .address = 0x30002000,
          .error = 0x14,
          .vma_start = 0x30000000,
          .vma_end = 0x30020000,
          .vma_flags = VM_READ | VM_EXEC | VM_SHARED | VM_MAYSHARE,
          .resolution = RESOLVED_FILE_AROUND,
          .pages = 16,
          .ticks = 1},
         "task 3 at 000030002000 error 14 (not-present U I) in 000030000000-000030020000 r-xs: "
         "file, around "
         "(16 pages), 1 ticks"                                              },
        {{.task = 2,
          .address = UINT64_C(0xffff800000000000),
          .error = 5,
          .resolution = RESOLVED_SIGSEGV},
         "task 2 at ffff800000000000 error 5 (P U) no VMA: SIGSEGV, 0 ticks"},
        {{.resolution = RESOLUTION_COUNT},
         "task 0 at 000000000000 error 0 (not-present) no VMA: ?, 0 ticks"  },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[200] = "";
        struct buffer_sink buffer;
        buffer_sink_init(&buffer, text, sizeof(text) - 1);
        text_mm_trace(&buffer.sink, &rows[i].trace);
        assert_string_equal(text, rows[i].text);
    }
}

static void counts_are_short(void **state)
{
    static const struct {
        uint64_t count;
        const char *text;
    } rows[] = {
        {0,                     "0"     },
        {999999,                "999999"},
        {1000000,               "1.0M"  },
        {303104000,             "303.1M"},
        {999999999,             "999.9M"},
        {1000000000,            "1.0G"  },
        {UINT64_C(98765432100), "98.7G" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[30] = "";
        struct buffer_sink buffer;
        buffer_sink_init(&buffer, text, sizeof(text) - 1);
        text_short_count(&buffer.sink, rows[i].count);
        assert_string_equal(text, rows[i].text);
    }
}

static void explain_shows_everything(void **state)
{
    static char text[16384];
    struct buffer_sink buffer;
    (void)state;
    session_start(80, 25, 1);
    buffer_sink_init(&buffer, text, sizeof(text) - 1);
    report_explain(&buffer.sink, write_record(VERDICT_FAIL));
    text[buffer.length] = '\0';
    static const char *const parts[] = {
        "write_protect.user_write_faults/4k.l1.user\n   verdict FAIL\n\nRule R3.2, ",
        "\n   PML4E 0000000000004027 P RW US A 0000000004000\n",
        "\n   PTE   0000000012345025 P -- US A 0000012345000\n"
        "   ring 3 write of 8 bytes at 0000400000001ff8\n"
        "   CR0.WP=0 SMEP=1 SMAP=0 PKE=1 PKS=0 NXE=1 AC=0 PKRU=55555554\n",
        "\nCompared: 4 fields\n"
        " ! vector               expected #PF\n"
        "                        got      no exception\n"
        " ! error code           expected 7 (P W U)\n"
        "                        got      none\n"
        "   CR2                  0000400000001ff8\n"
        " ! PTE afterwards       expected 0000000012345005 P -- US 0000012345000 (A either)\n"
        "                        got      0000000012345065 P -- US A D 0000012345000\n"};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        if (strstr(text, parts[i]) == NULL)
            fail_msg("missing: %s\nin: %s", parts[i], text);

    buffer_sink_init(&buffer, text, sizeof(text) - 1);
    report_explain(&buffer.sink, write_record(VERDICT_PASS));
    text[buffer.length] = '\0';
    static const char frame[] =
        "\n   got #PF\n   frame  SS 002b  RSP 000000000007ffe0  RFLAGS 0000000000010202\n"
        "          CS 0033  RIP ffffffff80001012 probe_write+0x12\n"
        "          error code 7 (P W U)  CR2 0000400000001ff8\n";
    if (strstr(text, frame) == NULL)
        fail_msg("missing: %s\nin: %s", frame, text);
    assert_null(strchr(text, '!'));
}

static void oops_shows_everything(void **state)
{
    static char text[8192];
    struct buffer_sink buffer;
    (void)state;
    buffer_sink_init(&buffer, text, sizeof(text) - 1);
    report_oops(&buffer.sink, record_oops(oops_record()));
    text[buffer.length] = '\0';
    assert_string_equal(text,
                        "  oops on processor 1: a page fault in ring 0 that nothing explains\n"
                        "  #PF, error code 2 (not-present W)\n"
                        "  RIP ffffffff80001012 probe_write+0x12\n"
                        "  CS 0010  SS 0018  RFLAGS 0000000000010002\n"
                        "  rax 0000000000000000  rcx 1111111111111111  rdx 2222222222222222\n"
                        "  rbx 3333333333333333  rsp 4444444444444444  rbp 5555555555555555\n"
                        "  rsi 6666666666666666  rdi 7777777777777777  r8  8888888888888888\n"
                        "  r9  9999999999999999  r10 aaaaaaaaaaaaaaaa  r11 bbbbbbbbbbbbbbbb\n"
                        "  r12 cccccccccccccccc  r13 dddddddddddddddd  r14 eeeeeeeeeeeeeeee\n"
                        "  r15 ffffffffffffffff\n"
                        "  CR0 0000000080010033  CR2 000000000dead000  CR3 0000000000005000\n"
                        "  CR4 0000000000000668  EFER d00\n"
                        "  walk of CR2 000000000dead000\n"
                        "    PML4E 0000000000004027 P RW US A 0000000004000\n"
                        "    PDPTE 0000000000003027 P RW US A 0000000003000\n"
                        "    PDE   0000000000006026 -- RW US A 0000000006000\n"
                        "  walk of RIP ffffffff80001012: not possible\n"
                        "  code at RIP 48 89 07\n"
                        "  called from\n"
                        "    ffffffff80001100 probe_write+0x100\n"
                        "    0000000000001234\n");
}

static void entries_are_decoded_by_level(void **state)
{
    static const struct {
        pte_t entry;
        unsigned level;
        const char *text;
    } rows[] = {
        {0,                  1, "0000000000000000 -- -- -- 0000000000000"                          },
        {UINT64_MAX,         1, "ffffffffffffffff P RW US PWT PCD A D PAT G key15 XD ffffffffff000"},
        {0x8000000000201083, 2, "8000000000201083 P RW -- PS XD 0000000200000"                     },
        {0x1800000000001083, 1, "1800000000001083 P RW -- PAT key3 0000000001000"                  },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[100] = "";
        struct buffer_sink buffer;
        buffer_sink_init(&buffer, text, sizeof(text) - 1);
        print_entry(&buffer.sink, rows[i].entry, rows[i].level);
        assert_string_equal(text, rows[i].text);
    }
}

/* Every number has a name, in words and for programs, and no two have the same. */
static void names_are_complete_and_different(void **state)
{
    static const struct {
        const char *const *names;
        unsigned count;
    } tables[] = {
        {verdict_names,       VERDICT_COUNT    },
        {verdict_keys,        VERDICT_COUNT    },
        {access_names,        ACCESS_NONE + 1  },
        {access_keys,         ACCESS_NONE + 1  },
        {reason_texts,        REASON_COUNT     },
        {reason_keys,         REASON_COUNT     },
        {field_keys,          FIELD_COUNT      },
        {register_names,      REGISTER_COUNT   },
        {oops_reason_texts,   OOPS_REASON_COUNT},
        {mm_resolution_names, RESOLUTION_COUNT }
    };
    (void)state;
    for (size_t t = 0; t < ARRAY_COUNT(tables); t++)
        for (unsigned i = 0; i < tables[t].count; i++) {
            assert_non_null(tables[t].names[i]);
            for (unsigned j = 0; j < i; j++)
                assert_string_not_equal(tables[t].names[i], tables[t].names[j]);
        }
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        char text[100] = "";
        struct buffer_sink buffer;
        buffer_sink_init(&buffer, text, sizeof(text) - 1);
        print_field(&buffer.sink, &(struct comparison){.field = (uint16_t)i, .detail = 1});
        assert_in_range(strlen(text), 2, 60);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stock_parsers_read_all_formats),
        cmocka_unit_test(each_total_is_its_own),
        cmocka_unit_test(the_parsers_would_notice),
        cmocka_unit_test(hostile_strings_stay_strings),
        cmocka_unit_test(the_largest_record_fits_its_bound),
        cmocka_unit_test(full_streams_only_delay),
        cmocka_unit_test(finishing_waits_for_room),
        cmocka_unit_test(lost_bytes_are_an_error),
        cmocka_unit_test(a_full_log_says_so),
        cmocka_unit_test(the_verdict_follows_the_counts),
        cmocka_unit_test(tap_lines_are_as_documented),
        cmocka_unit_test(a_stopped_run_bails_out),
        cmocka_unit_test(unsaved_reports_are_named),
        cmocka_unit_test(stock_parsers_read_the_matrix),
        cmocka_unit_test(tap_tells_of_the_matrix),
        cmocka_unit_test(xml_and_baseline_tell_of_the_matrix),
        cmocka_unit_test(an_ended_matrix_says_how_far_it_came),
        cmocka_unit_test(the_largest_rules_fit_their_bound),
        cmocka_unit_test(a_program_that_differs_says_where),
        cmocka_unit_test(a_program_is_explained),
        cmocka_unit_test(a_point_is_explained),
        cmocka_unit_test(symptoms_are_put_into_words),
        cmocka_unit_test(faults_of_programs_are_put_into_words),
        cmocka_unit_test(counts_are_short),
        cmocka_unit_test(explain_shows_everything),
        cmocka_unit_test(oops_shows_everything),
        cmocka_unit_test(entries_are_decoded_by_level),
        cmocka_unit_test(names_are_complete_and_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
