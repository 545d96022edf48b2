/*
 * screen.c: the picture of screen.h, drawn into the session's cells. Everything is drawn anew each
 * time; efi/ compares with what it drew before.
 */
#include "screen.h"

#include <string.h>

#include "tests/deviations.h"
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"

#include "matrix_text.h"
#include "program_text.h"
#include "report.h"

#define CONTENT_GAP       2u /* blank columns at the right of a wrapped line */
#define MAP_NAME_COLUMNS  14u
#define MAP_COUNTS_COLUMN (33u + MAP_NAME_COLUMNS + MAPS_CELLS + 2)
#define FAILURES_DRAWN    200u /* the rest is counted; report.tap has them all */

/*
 * A sink that draws. Line @skip of what is written comes into @row; what is above or more than
 * @rows below is only counted. Lines longer than the screen go on in the next line.
 */
struct pen {
    struct sink sink; /* first */
    struct session *session;
    unsigned row, rows, column;
    uint32_t line, skip;
    uint8_t colour;  /* enum screen_colour */
    bool is_points;  /* counts are of the matrix' points */
    bool is_failure; /* the first line keeps the colour; of the others those marked '!' stand out */
};

static void pen_byte(struct pen *pen, char byte)
{
    if (byte == '\n') {
        pen->line++;
        pen->column = 0;
        if (pen->is_failure)
            pen->colour = COLOUR_NORMAL;
        return;
    }
    if (pen->is_failure && pen->column == 1 && byte == '!')
        pen->colour = COLOUR_BRIGHT;
    if (pen->column >= pen->session->columns) {
        pen->line++;
        pen->column = 4;
    }
    if (pen->line >= pen->skip && pen->line - pen->skip < pen->rows) {
        bool printable = byte >= 0x20 && byte < 0x7f;
        pen->session->screen[pen->row + pen->line - pen->skip][pen->column] =
            (struct cell){.glyph = (uint8_t)(printable ? byte : '?'), .colour = pen->colour};
    }
    pen->column++;
}

static size_t pen_write(struct sink *sink, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        pen_byte((struct pen *)sink, bytes[i]);
    return length;
}

/* A pen for one line that starts at @row and @column. */
static struct pen pen_at(struct session *session, unsigned row, unsigned column, uint8_t colour)
{
    return (struct pen){.sink.write = pen_write,
                        .session = session,
                        .row = row,
                        .rows = 1,
                        .column = column,
                        .colour = colour};
}

/* Go on in @column; columns that were passed already stay as they are. */
static void pen_column(struct pen *pen, unsigned column)
{
    while (pen->column < column)
        pen_byte(pen, ' ');
}

/* Text that ends in @column. */
static void put_right(struct session *session, unsigned row, unsigned column, uint8_t colour,
                      const struct buffer_sink *text)
{
    unsigned length = (unsigned)text->length;
    struct pen pen = pen_at(session, row, column + 1 > length ? column + 1 - length : 0, colour);
    sink_write(&pen.sink, text->bytes, length);
}

/* The facts: what runs where. */
static void draw_head(struct session *session)
{
    char bytes[160];
    struct buffer_sink right;
    struct pen pen = pen_at(session, 0, 1, COLOUR_BRIGHT);
    sink_printf(&pen.sink, "Faultline %s", VERSION);
    buffer_sink_init(&right, bytes, session->columns - pen.column - 3);
    text_firmware(&right.sink, &session->facts);
    sink_text(&right.sink, "  ");
    text_emulator(&right.sink);
    sink_printf(&right.sink, "  CPU %u of %u", session->cpu + 1, session->facts.processors);
    put_right(session, 0, session->columns - 2u, COLOUR_NORMAL, &right);

    pen = pen_at(session, 1, 1, COLOUR_NORMAL);
    sink_printf(&pen.sink, "%s  ", machine.brand);
    text_model(&pen.sink);
    if (pen.line == 0 && pen.column + 4 < session->columns) {
        buffer_sink_init(&right, bytes, session->columns - pen.column - 4);
        sink_text(&right.sink, session->facts.board);
        put_right(session, 1, session->columns - 2u, COLOUR_DIM, &right);
    }

    pen = pen_at(session, 2, 1, COLOUR_NORMAL);
    text_widths(&pen.sink);
    sink_text(&pen.sink, "  ");
    text_features(&pen.sink, true);
    pen.colour = COLOUR_DIM;
    sink_text(&pen.sink, "  ");
    text_features(&pen.sink, false);
}

static void print_time(struct sink *sink, uint64_t seconds)
{
    sink_printf(sink, "%lu:%02lu", seconds / 60, seconds % 60);
}

/* Ticks for what is left, at the speed so far; 256ths of a tick, for a unit may take only a few. */
static uint64_t time_left(const struct report_work *work)
{
    uint64_t left = work->planned > work->done ? work->planned - work->done : 0;
    return work->done == 0 ? 0 : ((work->ticks << 8) / work->done * left) >> 8;
}

/* The checks, one after the other; or the matrix, whose units are many more. */
static struct report_work work_of(const struct report *report, uint64_t elapsed_ticks)
{
    const struct session *session = report->session;
    struct report_work work = report->work;
    if (!work.matrix || session->state != SESSION_RUNNING)
        work = (struct report_work){
            .done = session->done, .planned = session->planned, .ticks = elapsed_ticks};
    return work;
}

static void draw_progress(const struct report *report, uint64_t elapsed_ticks)
{
    struct session *session = report->session;
    struct report_work work = work_of(report, elapsed_ticks);
    uint64_t planned = work.planned, done = work.done;
    uint64_t percent = planned == 0 || done >= planned ? 100 : done * 100 / planned;
    uint64_t second = session->ticks_per_second == 0 ? 1 : session->ticks_per_second;
    /* Room for "] 100 %  matrix soak 1000 s  00:00 left". */
    unsigned width = session->columns - 2 - (session->options.matrix == MATRIX_SOAK ? 42u : 37u);

    struct pen pen = pen_at(session, SCREEN_ROW_PROGRESS, 1, COLOUR_NORMAL);
    sink_text(&pen.sink, "[");
    pen.colour = COLOUR_BAR;
    for (unsigned i = 0; i < width; i++)
        sink_text(&pen.sink, i < width * percent / 100 ? "#" : " ");
    pen.colour = COLOUR_NORMAL;
    sink_printf(&pen.sink, "] %3lu %%  ", percent);
    if (session->state == SESSION_RUNNING && !work.matrix)
        sink_text(&pen.sink, "standard suites");
    else
        text_matrix(&pen.sink, &session->options);
    sink_text(&pen.sink, "  ");
    if (session->state != SESSION_RUNNING) {
        print_time(&pen.sink, elapsed_ticks / second);
    } else if (work.folding) {
        sink_text(&pen.sink, "folding");
    } else if (done > 0) {
        print_time(&pen.sink, time_left(&work) / second);
        sink_text(&pen.sink, " left");
    }

    bool saved = session->save_problem == SAVE_OK && session->saved_to_stick;
    pen = pen_at(session, SCREEN_ROW_SAVED, 1, saved ? COLOUR_DIM : COLOUR_FAIL);
    sink_text(&pen.sink, "report: ");
    text_saved(&pen.sink, session);
    if (session->journal_carrier == JOURNAL_NONE) {
        pen.colour = COLOUR_FAIL;
        sink_text(&pen.sink, "   no journal of it");
    }
}

/* Points are counted by the million; checks to the last digit. */
static void draw_count(struct pen *pen, unsigned column, uint8_t colour, uint64_t count)
{
    char bytes[24];
    struct buffer_sink text;
    buffer_sink_init(&text, bytes, sizeof(bytes));
    if (count == 0)
        sink_text(&text.sink, ".");
    else if (count > UINT32_MAX || pen->is_points)
        text_short_count(&text.sink, count);
    else
        sink_printf(&text.sink, "%lu", count);
    pen->colour = COLOUR_DIM;
    pen_column(pen, column + 1 - (unsigned)text.length);
    pen->colour = count == 0 ? COLOUR_DIM : colour;
    sink_write(&pen->sink, bytes, text.length);
}

static void draw_counts(struct pen *pen, const uint32_t totals[VERDICT_COUNT])
{
    draw_count(pen, SCREEN_COLUMN_PASS, COLOUR_PASS, totals[VERDICT_PASS]);
    draw_count(pen, SCREEN_COLUMN_FAIL, COLOUR_FAIL, totals[VERDICT_FAIL]);
    draw_count(pen, SCREEN_COLUMN_KNOWN, COLOUR_KNOWN, totals[VERDICT_KNOWN]);
    draw_count(pen, SCREEN_COLUMN_SKIP, COLOUR_NORMAL, totals[VERDICT_SKIP]);
    draw_count(pen, SCREEN_COLUMN_ERROR, COLOUR_FAIL, totals[VERDICT_ERROR]);
}

/* At most the rest of the line of @text. */
static void draw_remark(struct pen *pen, uint8_t colour, const char *prefix, const char *text)
{
    pen->colour = colour;
    pen_column(pen, SCREEN_COLUMN_REMARK);
    sink_text(&pen->sink, prefix);
    while (*text != '\0' && pen->column + 1 < pen->session->columns)
        pen_byte(pen, *text++);
}

/* The parts of the matrix, in points: one line each below their suite's. */
static void draw_parts(struct pen *pen, const struct report *report, unsigned suite)
{
    for (unsigned i = 0; i < REPORT_PARTS && i < suites[suite]->count; i++) {
        const struct report_part *part = &report->parts[i];
        const struct annex_part *counts = &part->counts;
        if (!part->known_of || part->suite != suite)
            continue;
        pen->colour = counts->run == 0 ? COLOUR_DIM : COLOUR_NORMAL;
        sink_text(&pen->sink, "   ");
        sink_cell(&pen->sink, suites[suite]->cases[i].name, SCREEN_COLUMN_PASS - 10);
        pen->is_points = true;
        draw_count(pen, SCREEN_COLUMN_PASS, COLOUR_PASS, counts->passed);
        draw_count(pen, SCREEN_COLUMN_FAIL, COLOUR_FAIL, counts->failed);
        draw_count(pen, SCREEN_COLUMN_KNOWN, COLOUR_KNOWN, counts->known);
        draw_count(pen, SCREEN_COLUMN_SKIP, COLOUR_NORMAL, counts->skipped);
        draw_count(pen, SCREEN_COLUMN_ERROR, COLOUR_FAIL, 0);
        pen->is_points = false;
        pen->colour = counts->ended ? COLOUR_FAIL : COLOUR_DIM;
        pen_column(pen, SCREEN_COLUMN_REMARK);
        if (counts->run < counts->planned)
            sink_printf(&pen->sink, "%s%lu %% of ", counts->ended ? "Esc at " : "",
                        counts->run * 100 / counts->planned);
        if (counts->run < counts->planned)
            text_short_count(&pen->sink, counts->planned);
        else
            sink_text(&pen->sink, counts->ended ? "points, ended by Esc" : "points");
        pen_byte(pen, '\n');
    }
}

static const struct record *noted(const struct report *report, uint32_t place)
{
    return (const struct record *)(report->log.bytes + place - 1);
}

static void draw_suite(struct pen *pen, const struct report *report, unsigned suite)
{
    const struct session *session = report->session;
    const uint32_t *totals = report->log.suite_totals[suite];
    const struct suite_note *notes = &report->notes[suite];
    bool at = report->work.matrix ? suites[suite]->point != NULL
                                  : session->done > 0 && suite == report->suite;
    bool running = session->state == SESSION_RUNNING && at;
    uint32_t checks = 0;
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        checks += totals[i];

    pen->colour = running ? COLOUR_BRIGHT : checks == 0 ? COLOUR_DIM : COLOUR_NORMAL;
    sink_text(&pen->sink, running ? ">" : " ");
    sink_cell(&pen->sink, suites[suite]->name, SCREEN_COLUMN_PASS - 8);
    draw_counts(pen, totals);
    if (notes->bad != 0) {
        const struct record *bad = noted(report, notes->bad);
        draw_remark(pen, COLOUR_FAIL, "<- ", check_case(&bad->check)->name);
    } else if (notes->known != 0) {
        const struct record *known = noted(report, notes->known);
        bool listed = known->deviation != 0 && known->deviation <= deviation_count;
        char bytes[80];
        struct buffer_sink text;
        buffer_sink_init(&text, bytes, sizeof(bytes) - 1);
        text_deviation(&text.sink, known);
        bytes[text.length] = '\0';
        draw_remark(pen, COLOUR_KNOWN, "",
                    listed ? deviations[known->deviation - 1].sentence : bytes);
    } else {
        draw_remark(pen, COLOUR_DIM, "", suites[suite]->title);
    }
    pen_byte(pen, '\n');
}

static void draw_table(struct pen *pen, const struct report *report)
{
    pen->colour = COLOUR_DIM;
    /* Ends of the words: the SCREEN_COLUMN_ numbers. */
    sink_printf(&pen->sink, " %-18s%8s%7s%7s%7s%7s\n", "suite", "pass", "fail", "known", "skip",
                "error");
    for (unsigned suite = 0; suite < suite_count && suite < LOG_SUITES; suite++) {
        draw_suite(pen, report, suite);
        draw_parts(pen, report, suite);
    }
    pen->colour = COLOUR_BRIGHT;
    sink_text(&pen->sink, " total");
    draw_counts(pen, report->session->totals);
    sink_text(&pen->sink, "\n\n");
}

static bool pen_below(const struct pen *pen)
{
    return pen->line >= pen->skip + pen->rows;
}

/* What failed, in full, in the order in which it happened. */
static void draw_failures(struct pen *pen, const struct report *report)
{
    const struct session *session = report->session;
    uint32_t drawn = 0, bad = session->totals[VERDICT_FAIL] + session->totals[VERDICT_ERROR];
    /* While checks run, what is below the screen is not counted: it costs time. */
    bool count_all = session->state != SESSION_RUNNING;
    for (const struct record *r = record_log_next(&report->log, NULL);
         bad > 0 && r != NULL && drawn < FAILURES_DRAWN && (count_all || !pen_below(pen));
         r = record_log_next(&report->log, r)) {
        if (r->verdict < VERDICT_FAIL)
            continue;
        pen->colour = COLOUR_FAIL;
        pen->is_failure = true;
        report_failure(&pen->sink, r, session->columns - CONTENT_GAP);
        pen->is_failure = false;
        pen_byte(pen, '\n');
        drawn++;
    }
    pen->colour = COLOUR_NORMAL;
    if (bad > drawn)
        sink_printf(&pen->sink, " and %u more: see report.tap\n\n", bad - drawn);
}

/* "   31  known  QEMU TCG: ..." and "    8  skipped  the processor has no LA57" */
static void draw_reasons(struct pen *pen, const struct report *report)
{
    pen->colour = COLOUR_KNOWN;
    for (unsigned i = 0; i < deviation_count && i < REPORT_DEVIATIONS; i++)
        if (report->known[i] > 0) {
            sink_printf(&pen->sink, " %6u  known    %s %s\n", report->known[i],
                        deviations[i].machine, deviations[i].versions);
            text_filled(&pen->sink, 17, pen->session->columns - CONTENT_GAP,
                        deviations[i].sentence);
        }
    if (report->in_baseline > 0)
        sink_printf(&pen->sink, " %6u  known    in the baseline\n", report->in_baseline);
    pen->colour = COLOUR_NORMAL;
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (report->skipped_for[i] > 0)
            sink_printf(&pen->sink, " %6u  skipped  %s %s\n", report->skipped_for[i],
                        reason_texts[REASON_FEATURE], feature_names[i]);
    for (unsigned i = 0; i < REASON_COUNT; i++)
        if (i != REASON_FEATURE && report->skipped[i] > 0)
            sink_printf(&pen->sink, " %6u  skipped  %s\n", report->skipped[i], reason_texts[i]);
}

/* What the matrix says of the machine as a whole: its choices, and how often each rule counted. */
static void draw_rules(struct pen *pen, const struct report *report)
{
    if (report->rules == 0)
        return;
    const struct annex_rules *rules = record_rules(noted(report, (uint32_t)report->rules));
    pen->colour = COLOUR_BRIGHT;
    sink_printf(&pen->sink, "\n fingerprint %016lx: what this machine chose of what is allowed\n",
                rules->digest);
    pen->colour = COLOUR_NORMAL;
    for (unsigned row = 0; row < model_row_count; row++)
        if (rules->choice[row].open > 0) {
            sink_text(&pen->sink, "   ");
            text_choice(&pen->sink, rules, row);
            sink_text(&pen->sink, "\n");
        }
    pen->colour = COLOUR_BRIGHT;
    sink_text(&pen->sink, "\n points of the matrix in which a rule counted\n");
    for (unsigned row = 0; row < model_row_count; row++) {
        pen->colour = rules->count[row] == 0 ? COLOUR_DIM : COLOUR_NORMAL;
        sink_printf(&pen->sink, " %12lu  ", rules->count[row]);
        text_row(&pen->sink, row);
        sink_text(&pen->sink, "\n");
    }
}

static const uint8_t look_colours[LOOKS] = {
    [LOOK_NOTHING] = COLOUR_DIM,   [LOOK_ZERO] = COLOUR_MAP_ZERO,
    [LOOK_FILE] = COLOUR_MAP_FILE, [LOOK_RESIDENT] = COLOUR_MAP_RESIDENT,
    [LOOK_COW] = COLOUR_MAP_COW,   [LOOK_DIRTY] = COLOUR_MAP_DIRTY,
};

static void draw_look(struct pen *pen, unsigned look)
{
    pen->colour = look_colours[look];
    pen_byte(pen, look_letters[look]);
}

/* What stands behind the folder of all programs: there is little room. */
static const char *short_name(const char *name)
{
    static const char folder[] = "/programs/";
    return memcmp(name, folder, sizeof(folder) - 1) == 0 ? name + sizeof(folder) - 1 : name;
}

/* One row: where, which rights, whose, and the strip with a letter and a colour for each look. */
static void draw_map(struct pen *pen, const struct maps_row *row)
{
    uint64_t there = 0;
    for (unsigned look = LOOK_NOTHING + 1; look < LOOKS; look++)
        there += row->pages[look];
    pen->colour = there > 0 ? COLOUR_NORMAL : COLOUR_DIM;
    sink_text(&pen->sink, " ");
    text_map(&pen->sink, row);
    sink_text(&pen->sink, " ");
    sink_cell(&pen->sink, short_name(row->name), MAP_NAME_COLUMNS);
    sink_text(&pen->sink, " ");
    for (unsigned cell = 0; cell < row->cells; cell++)
        draw_look(pen, row->strip[cell]);
    if (pen->session->columns >= MAP_COUNTS_COLUMN + 24) {
        pen->colour = COLOUR_DIM;
        pen_column(pen, MAP_COUNTS_COLUMN);
        sink_printf(&pen->sink, "%lu of %lu pages", there, (row->end - row->start) / PAGE_SIZE);
    }
    pen_byte(pen, '\n');
}

/* The memory of the last program, when it had ended: the report's last page. */
static void draw_maps(struct pen *pen, const struct report *report)
{
    if (report->program == 0)
        return;
    const struct record *record = noted(report, (uint32_t)report->program);
    const struct maps_picture *maps = &record_program(record)->maps;
    char id[CHECK_ID_TEXT];
    record_id(record, id);
    pen->colour = COLOUR_BRIGHT;
    sink_printf(&pen->sink, "\n memory of %s when it ended\n", id);
    for (unsigned i = 0; i < maps->rows; i++)
        draw_map(pen, &maps->row[i]);
    pen->colour = COLOUR_DIM;
    if (maps->vmas > maps->rows)
        sink_printf(&pen->sink, " and %u more\n", maps->vmas - maps->rows);
    for (unsigned look = 0; look < LOOKS; look++) {
        pen->colour = COLOUR_DIM;
        sink_text(&pen->sink, look == 0 ? " " : "   ");
        draw_look(pen, look);
        pen->colour = COLOUR_DIM;
        sink_printf(&pen->sink, " %s", look_names[look]);
    }
    sink_text(&pen->sink, "\n");
}

/* Rows that the verdict and the keys take at the bottom. */
static unsigned bottom_rows(const struct session *session)
{
    return session->rows >= SCREEN_ROWS_TALL ? 4 : 2;
}

static unsigned content_rows(const struct session *session)
{
    return session->rows - SCREEN_ROW_CONTENT - bottom_rows(session);
}

static void draw_content(struct report *report)
{
    struct session *session = report->session;
    struct pen pen = pen_at(session, SCREEN_ROW_CONTENT, 0, COLOUR_NORMAL);
    pen.rows = content_rows(session);
    pen.skip = report->scroll;
    draw_table(&pen, report);
    draw_failures(&pen, report);
    draw_reasons(&pen, report);
    draw_rules(&pen, report);
    draw_maps(&pen, report);
    report->lines = pen.line;
}

/* Of the matrix, where there is room behind the checks. */
static void draw_points(struct pen *pen, const struct report *report)
{
    char bytes[60];
    struct buffer_sink text;
    struct annex_part points = report_points(report);
    if (points.run == 0)
        return;
    buffer_sink_init(&text, bytes, sizeof(bytes));
    sink_printf(&text.sink, "; %lu points, %lu failed", points.run, points.failed);
    if (pen->column + text.length < pen->session->columns)
        sink_write(&pen->sink, bytes, text.length);
}

static void draw_verdict(const struct report *report)
{
    struct session *session = report->session;
    bool running = session->state == SESSION_RUNNING;
    enum verdict verdict = report_verdict(session);
    uint8_t colour = running                   ? COLOUR_BRIGHT
                     : verdict == VERDICT_PASS ? COLOUR_VERDICT_PASS
                                               : COLOUR_VERDICT_FAIL;
    unsigned first = session->rows - bottom_rows(session), rows = bottom_rows(session) - 1;
    for (unsigned row = first; row < first + rows; row++) {
        struct pen blank = pen_at(session, row, 0, colour);
        pen_column(&blank, session->columns);
    }
    struct pen pen = pen_at(session, first + rows / 2, 1, colour);
    if (running) {
        sink_printf(&pen.sink, "running   %u of %u checks, %u failed, %u errors so far",
                    session->done, session->planned, session->totals[VERDICT_FAIL],
                    session->totals[VERDICT_ERROR]);
        return;
    }
    sink_printf(&pen.sink, "VERDICT: %s  %u of %u checks failed, %u errors, %u known, %u skipped",
                verdict_names[verdict], session->totals[VERDICT_FAIL], session->done,
                session->totals[VERDICT_ERROR], session->totals[VERDICT_KNOWN],
                session->totals[VERDICT_SKIP]);
    draw_points(&pen, report);
}

static void draw_keys(const struct report *report)
{
    struct session *session = report->session;
    unsigned row = session->rows - 1u;
    struct pen pen = pen_at(session, row, 1, COLOUR_DIM);
    bool memory = report->program != 0;
    sink_text(&pen.sink, "Up/Down scroll   ");
    sink_text(&pen.sink, session->state == SESSION_RUNNING ? "Esc stop"
                         : memory ? "End memory   R run again   Esc back to firmware"
                                  : "R run again   Esc back to firmware");
    if (report->lines > content_rows(session)) {
        char bytes[40];
        struct buffer_sink right;
        uint32_t last = report->scroll + content_rows(session);
        buffer_sink_init(&right, bytes, sizeof(bytes));
        sink_printf(&right.sink, "%u-%u of %u", report->scroll + 1,
                    last < report->lines ? last : report->lines, report->lines);
        put_right(session, row, session->columns - 2u, COLOUR_BRIGHT, &right);
    }
}

void report_draw(struct report *report, uint64_t elapsed_ticks)
{
    struct session *session = report->session;
    const struct cell blank = {.glyph = ' ', .colour = COLOUR_NORMAL};
    for (unsigned row = 0; row < session->rows; row++)
        for (unsigned column = 0; column < session->columns; column++)
            session->screen[row][column] = blank;
    draw_head(session);
    draw_progress(report, elapsed_ticks);
    draw_content(report);
    draw_verdict(report);
    draw_keys(report);
    session->screen_changed = 1;
}

void report_key(struct report *report)
{
    uint32_t page = content_rows(report->session);
    uint32_t last = report->lines > page ? report->lines - page : 0;
    uint32_t at = report->scroll;
    switch ((enum session_key)report->session->key) {
    case KEY_NONE:
        break;
    case KEY_UP:
        at -= at > 0;
        break;
    case KEY_DOWN:
        at++;
        break;
    case KEY_PAGE_UP:
        at -= at > page - 1 ? page - 1 : at;
        break;
    case KEY_PAGE_DOWN:
        at += page - 1;
        break;
    case KEY_HOME:
        at = 0;
        break;
    case KEY_END:
        at = last;
        break;
    }
    report->scroll = at < last ? at : last;
}
