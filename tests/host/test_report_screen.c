/*
 * test_report_screen.c: the screen, decoded from its cells, at the sizes that firmware offers.
 */
#include "tests/host/report_fixture.h"

#include "tests/report/screen.h"

static const struct {
    unsigned columns, rows;
} sizes[] = {
    {80,  25 },
    {80,  37 },
    {106, 33 },
    {160, 67 },
    {160, 100}
};

static char line_text[SCREEN_COLUMNS_MAX + 1];

/* Row @row as text without the blanks at its end. */
static const char *line(unsigned row)
{
    unsigned length = session->columns;
    for (unsigned i = 0; i < length; i++)
        line_text[i] = (char)session->screen[row][i].glyph;
    while (length > 0 && line_text[length - 1] == ' ')
        length--;
    line_text[length] = '\0';
    return line_text;
}

/* The row that starts with @text; fails when there is none. */
static unsigned row_of(const char *text)
{
    for (unsigned row = 0; row < session->rows; row++)
        if (strncmp(line(row), text, strlen(text)) == 0)
            return row;
    for (unsigned row = 0; row < session->rows; row++)
        print_error("%s\n", line(row));
    fail_msg("no row starts with \"%s\"", text);
    return 0;
}

/* The number that ends in @column. */
static unsigned number_at(unsigned row, unsigned column)
{
    const struct cell *cells = session->screen[row];
    unsigned value = 0, power = 1;
    if (cells[column].glyph == '.')
        return 0;
    assert_in_range(cells[column].glyph, '0', '9');
    assert_true(column + 1 == session->columns || cells[column + 1].glyph == ' ');
    for (; cells[column].glyph != ' '; column--, power *= 10)
        value += (unsigned)(cells[column].glyph - '0') * power;
    return value;
}

static void assert_counts(const char *name, const uint32_t totals[VERDICT_COUNT])
{
    unsigned row = row_of(name);
    assert_int_equal(number_at(row, SCREEN_COLUMN_PASS), totals[VERDICT_PASS]);
    assert_int_equal(number_at(row, SCREEN_COLUMN_FAIL), totals[VERDICT_FAIL]);
    assert_int_equal(number_at(row, SCREEN_COLUMN_KNOWN), totals[VERDICT_KNOWN]);
    assert_int_equal(number_at(row, SCREEN_COLUMN_SKIP), totals[VERDICT_SKIP]);
    assert_int_equal(number_at(row, SCREEN_COLUMN_ERROR), totals[VERDICT_ERROR]);
}

static void show(unsigned columns, unsigned rows)
{
    session_start(columns, rows, SAMPLE_CHECKS);
    sample_run();
    assert_true(report_finish(&report));
    session->state = SESSION_FINISHED;
    report_draw(&report, 7123);
}

static void assert_screen(const char *const expected[])
{
    for (unsigned row = 0; row < session->rows; row++)
        assert_string_equal(line(row), expected[row]);
}

static void the_smallest_screen_looks_like_this(void **state)
{
    static const char *const expected[25] = {
        " Faultline 0.1                      EDK II (UEFI 2.7)  QEMU TCG 7.2  CPU 1 of 4",
        " AMD EPYC 7B12  fam 23 mod 49 step 0                           QEMU Standard PC",
        " 4 levels  48-bit phys  NX SMEP SMAP  no: 1-GiB pages PKU PKS LA57 CET PCID",
        " [#########################################] 100 %  matrix quick  0:07",
        " report: \\faultline\\0003",
        " suite                 pass   fail  known   skip  error",
        " write_protect            2      1      .      .      .  <- user_write_faults",
        " reserved                 .      .      1      1      .  a reserved bit is repo",
        " takeover                 .      .      .      .      1  <- gives_back",
        " matrix                   .      .      .      .      .  the access matrix",
        " total                    2      1      1      1      1",
        "",
        " write_protect.user_write_faults/4k.l1.user                 FAIL   rule R3.2",
        "   A user write faults unless R/W=1 (writable) in every entry of the walk,",
        "   whatever CR0.WP is.",
        "   PML4E 0000000000004027 P RW US A 0000000004000",
        "   PDPTE 0000000000003027 P RW US A 0000000003000",
        "   PDE   0000000000002027 P RW US A 0000000002000",
        "   PTE   0000000012345025 P -- US A 0000012345000",
        "   ring 3 write of 8 bytes at 0000400000001ff8",
        "   CR0.WP=0 SMEP=1 SMAP=0 PKE=1 PKS=0 NXE=1 AC=0 PKRU=55555554",
        " ! vector               expected #PF",
        "                        got      no exception",
        " VERDICT: ERROR  1 of 6 checks failed, 1 errors, 1 known, 1 skipped",
        " Up/Down scroll   R run again   Esc back to firmware                 1-18 of 58",
    };
    (void)state;
    show(80, 25);
    assert_screen(expected);
}

static void counts_stand_in_their_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        show(sizes[i].columns, sizes[i].rows);
        assert_counts(" write_protect ", report.log.suite_totals[0]);
        assert_counts(" reserved ", report.log.suite_totals[1]);
        assert_counts(" takeover ", report.log.suite_totals[2]);
        assert_counts(" total ", session->totals);

        /* Large numbers still stand apart. */
        for (unsigned v = 0; v < VERDICT_COUNT; v++)
            session->totals[v] = 999990 + v;
        session->totals[VERDICT_PASS] = 1234567;
        report_draw(&report, 7123);
        assert_counts(" total ", session->totals);
    }
}

static void the_verdict_runs_from_edge_to_edge(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        show(sizes[i].columns, sizes[i].rows);
        unsigned row =
            row_of(" VERDICT: ERROR  1 of 6 checks failed, 1 errors, 1 known, 1 skipped");
        assert_int_equal(row, sizes[i].rows - (sizes[i].rows >= SCREEN_ROWS_TALL ? 3 : 2));
        for (unsigned c = 0; c < sizes[i].columns; c++)
            assert_int_equal(session->screen[row][c].colour, COLOUR_VERDICT_FAIL);
        /* It is the only thing in that colour. */
        for (unsigned r = 0; r < sizes[i].rows; r++)
            for (unsigned c = 0; c < sizes[i].columns; c++)
                if (r + 1 < row || r > row + 1)
                    assert_int_not_equal(session->screen[r][c].colour, COLOUR_VERDICT_FAIL);
    }
    session_start(80, 25, 1);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_check(&report, write_record(VERDICT_PASS));
    session->state = SESSION_FINISHED;
    report_draw(&report, 0);
    unsigned row = row_of(" VERDICT: PASS  0 of 1 checks failed, 0 errors");
    assert_int_equal(session->screen[row][0].colour, COLOUR_VERDICT_PASS);
}

static void nothing_is_drawn_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        show(sizes[i].columns, sizes[i].rows);
        memset(machine.brand, 'x', sizeof(machine.brand) - 1);
        memset(machine.emulator, 'y', sizeof(machine.emulator) - 1);
        memset(machine.emulator_version, 'z', sizeof(machine.emulator_version) - 1);
        memset(session->facts.board, '\xe9', sizeof(session->facts.board) - 1);
        memset(session->facts.firmware_vendor, '\n', sizeof(session->facts.firmware_vendor) - 1);
        session->options.matrix = MATRIX_SOAK;
        session->options.soak_seconds = UINT32_MAX;
        session->planned = session->done = UINT32_MAX;
        report_check(&report, huge_record());
        report_draw(&report, UINT64_MAX);
        for (unsigned r = 0; r < SCREEN_ROWS_MAX; r++)
            for (unsigned c = 0; c < SCREEN_COLUMNS_MAX; c++) {
                bool inside = r < sizes[i].rows && c < sizes[i].columns;
                const struct cell *cell = &session->screen[r][c];
                if (inside)
                    assert_in_range(cell->glyph, 0x20, 0x7e);
                else
                    assert_int_equal(cell->glyph, 0);
                assert_in_range(cell->colour, 0, COLOUR_COUNT - 1);
            }
    }
}

static void keys_scroll_to_every_line(void **state)
{
    (void)state;
    show(80, 25);
    assert_in_range(report.lines, 40, 200);
    unsigned page = 25 - SCREEN_ROW_CONTENT - 2, last = report.lines - page;
    static const struct {
        enum session_key key;
        int expected; /* from the top; from the end when negative, -1 the last place */
    } steps[] = {
        {KEY_UP,        0 },
        {KEY_DOWN,      1 },
        {KEY_DOWN,      2 },
        {KEY_UP,        1 },
        {KEY_END,       -1},
        {KEY_DOWN,      -1},
        {KEY_UP,        -2},
        {KEY_HOME,      0 },
        {KEY_PAGE_DOWN, 17},
        {KEY_PAGE_UP,   0 },
        {KEY_NONE,      0 }
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        session->key = steps[i].key;
        report_key(&report);
        report_draw(&report, 0);
        assert_int_equal(report.scroll, steps[i].expected >= 0
                                            ? (unsigned)steps[i].expected
                                            : last + 1 + (unsigned)steps[i].expected);
    }
    /* What is below comes up. */
    session->key = KEY_END;
    report_key(&report);
    report_draw(&report, 0);
    row_of("      1  skipped  the processor has no LA57");
    char place[40];
    snprintf(place, sizeof(place), "%u-%u of %u", last + 1, report.lines, report.lines);
    assert_non_null(strstr(line(24), place));
    /* The head stays. */
    row_of(" Faultline 0.1");
}

static void a_failure_is_shown_in_full(void **state)
{
    (void)state;
    show(160, 67);
    unsigned row = row_of(" write_protect.user_write_faults/4k.l1.user");
    assert_non_null(strstr(line(row), "FAIL   rule R3.2"));
    assert_int_equal(session->screen[row][1].colour, COLOUR_FAIL);
    row_of("   PTE   0000000012345025 P -- US A 0000012345000");
    row = row_of(" ! vector               expected #PF");
    assert_int_equal(session->screen[row][1].colour, COLOUR_BRIGHT);
    row_of("                        got      no exception");
    row_of("   again: --only write_protect.user_write_faults/4k.l1.user");
    row_of("  oops on processor 1: a page fault in ring 0 that nothing explains");
    row_of("      1  known    QEMU TCG 7.2 to 11.1");
    assert_non_null(strstr(line(row_of(" write_protect ")), "<- user_write_faults"));
}

static void progress_counts_and_estimates(void **state)
{
    (void)state;
    session_start(80, 25, 4);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_draw(&report, 0);
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), "]   0 %  standard suites"));
    report_check(&report, write_record(VERDICT_PASS));
    report_draw(&report, 20000); /* 20 s for one: 60 s for three */
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), "]  25 %  standard suites  1:00 left"));
    unsigned filled = 0;
    for (unsigned c = 0; c < 80; c++)
        filled += session->screen[SCREEN_ROW_PROGRESS][c].glyph == '#';
    assert_int_equal(filled, 10); /* a quarter of 41 */
    row_of(">write_protect ");
    row_of(" running   1 of 4 checks, 0 failed, 0 errors so far");

    session->journal_carrier = JOURNAL_NONE;
    session->save_problem = SAVE_READ_ONLY;
    report_draw(&report, 20000);
    assert_string_equal(line(SCREEN_ROW_SAVED),
                        " report: NOT SAVED: the stick is write-protected   no journal of it");
}

/* ---- the matrix -------------------------------------------------------------------------------- */

/* A part that has done @run of 400 million points, as its suite says so far. */
static void sweep_has_done(uint64_t run)
{
    const struct check_ref check = {.suite = MATRIX_SUITE};
    const struct annex_part counts = {
        .planned = 400000000, .run = run, .passed = run - 1000, .known = 1000};

    report_part(&report, &check, &counts);
}

static void the_matrix_has_a_progress_of_its_own(void **state)
{
    (void)state;
    session_start(80, 25, 4);
    session->options.matrix = MATRIX_FULL;
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_check(&report, write_record(VERDICT_PASS));
    report_draw(&report, 20000);
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), "]  25 %  standard suites  1:00 left"));
    sweep_has_done(100000000);
    /* A quarter took 150 s, so the rest takes 450. */
    session->ticks_per_second = 1000000000;
    const struct report_work work = {
        .matrix = true, .done = 100000000, .planned = 400000000, .ticks = 150000000000};
    report_work(&report, &work);
    report_draw(&report, 170000);
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), "]  25 %  matrix full  7:30 left"));
    session->ticks_per_second = 1000;
    unsigned row = row_of("   pairs ");
    assert_string_equal(line(row),
                        "   pairs              99.9M      .   1000      .      .  25 % of "
                        "400.0M");
    assert_int_equal(row, row_of(">matrix ") + 1);

    /* Of large counts nothing overflows: 2^41 ticks, 2^36 units. */
    const struct report_work large = {.matrix = true,
                                      .done = UINT64_C(1) << 36,
                                      .planned = UINT64_C(3) << 35,
                                      .ticks = UINT64_C(1) << 41};
    report_work(&report, &large);
    report_draw(&report, large.ticks);
    char left[40];
    snprintf(left, sizeof(left), "]  66 %%  matrix full  %lu:", (UINT64_C(1) << 40) / 60000);
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), left));

    const struct report_work folding = {.matrix = true, .folding = true, .done = 1, .planned = 1};
    report_work(&report, &folding);
    report_draw(&report, 170000);
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), "] 100 %  matrix full  folding"));

    /* Afterwards the time that all took. */
    session->state = SESSION_FINISHED;
    report_draw(&report, 170000);
    assert_non_null(strstr(line(SCREEN_ROW_PROGRESS), "]  25 %  matrix full  2:50"));
}

static void an_ended_sweep_says_so(void **state)
{
    (void)state;
    session_start(106, 37, 1);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    struct record *part = part_record(VERDICT_FAIL, 1);
    struct annex_part *counts = (struct annex_part *)(uintptr_t)record_part(part);
    counts->planned *= 4;
    counts->ended = 1;
    report_check(&report, part);
    session->state = SESSION_FINISHED;
    report_draw(&report, 0);
    assert_string_equal(
        line(row_of("   needed ")),
        "   needed             72092     31      .      .      .  Esc at 25 % of 288492");
    assert_int_equal(number_at(row_of(" matrix "), SCREEN_COLUMN_FAIL), 1);
    row_of(" VERDICT: FAIL  1 of 1 checks failed, 0 errors, 0 known, 0 skipped; 72123 points, 31 "
           "failed");
}

static void folds_and_rules_are_on_the_screen(void **state)
{
    (void)state;
    session_start(160, 100, SAMPLE_CHECKS + 5);
    sample_run();
    report_check(&report, part_record(VERDICT_FAIL, 0));
    report_check(&report, rules_record(VERDICT_PASS));
    report_check(&report, fold_record(VERDICT_FAIL));
    report_check(&report, fold_record(VERDICT_KNOWN));
    struct record *accepted = fold_record(VERDICT_KNOWN);
    accepted->deviation = DEVIATION_BASELINE;
    report_check(&report, accepted);
    assert_true(report_finish(&report));
    session->state = SESSION_FINISHED;
    report_draw(&report, 7123);
    assert_non_null(strstr(line(row_of(" matrix ")), "<- pairs"));
    unsigned row = row_of(" matrix:place=second,access=write,ring=0,rsvd=pte ");
    assert_non_null(strstr(line(row), "FAIL   rule R2.3"));
    row_of("   above PTE   0008000000005063 P RW -- A D 8000000005000");
    row_of("   fold: walk=reserved covers 123456 failing points");
    row_of("   in each: P missing in the error code");
    row_of("   again: --only matrix:place=second,access=write,ring=0,rsvd=pte");
    row_of("      2  known    QEMU TCG 7.2 to 11.1");
    row_of("      1  known    in the baseline");
    session->key = KEY_END;
    report_key(&report);
    report_draw(&report, 7123);
    row_of(" fingerprint 123456789abcdef0: what this machine chose of what is allowed");
    row_of("   R4.I      I/D without NXE: either; open 900 times: clear (898), set (2)");
    row_of("         4711  R2.3      an address bit that does not exist");
    row = row_of("            0  R3.5      a supervisor fetch from a user page");
    assert_int_equal(session->screen[row][12].colour, COLOUR_DIM);
}

/* The report's last page. */
static void the_memory_of_the_last_program_is_on_the_screen(void **state)
{
    (void)state;
    session_start(80, 37, 2);
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_check(&report, program_record(VERDICT_PASS));
    assert_true(report_finish(&report));
    session->state = SESSION_FINISHED;
    report_draw(&report, 7123);
    session->key = KEY_END;
    report_key(&report);
    report_draw(&report, 7123);
    unsigned row = row_of(" memory of takeover.") + 1;
    assert_string_equal(line(row), " 000000400000-000000403000 r-xp sample         f.f");
    assert_string_equal(line(row + 1), " 000010000000-000010004000 rw-p                azca");
    static const uint8_t colours[] = {COLOUR_MAP_RESIDENT, COLOUR_MAP_ZERO, COLOUR_MAP_COW,
                                      COLOUR_MAP_RESIDENT};
    for (unsigned i = 0; i < ARRAY_COUNT(colours); i++)
        assert_int_equal(session->screen[row + 1][47 + i].colour, colours[i]);
    assert_int_equal(session->screen[row][47].colour, COLOUR_MAP_FILE);
    assert_int_equal(session->screen[row][48].colour, COLOUR_DIM);
    assert_int_equal(session->screen[row + 2][47].colour, COLOUR_MAP_DIRTY);
    assert_string_equal(line(row + 3), " and 2 more");
    row_of(" . untouched   z zero page   f the file's   a its own   c shared until written");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memory_of_the_last_program_is_on_the_screen),
        cmocka_unit_test(the_smallest_screen_looks_like_this),
        cmocka_unit_test(counts_stand_in_their_columns),
        cmocka_unit_test(the_verdict_runs_from_edge_to_edge),
        cmocka_unit_test(nothing_is_drawn_outside),
        cmocka_unit_test(keys_scroll_to_every_line),
        cmocka_unit_test(a_failure_is_shown_in_full),
        cmocka_unit_test(progress_counts_and_estimates),
        cmocka_unit_test(the_matrix_has_a_progress_of_its_own),
        cmocka_unit_test(an_ended_sweep_says_so),
        cmocka_unit_test(folds_and_rules_are_on_the_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
