/*
 * session.c: batch_run(): what core does when efi/ asks for a step (session.h). One step does a
 * bounded piece of the plan; whatever happens in it, the next step finds a state to go on from.
 */
#include "session.h"

#include "baseline.h"
#include "coverage.h"
#include "deviation.h"
#include "fault/boot_info.h"
#include "fault/cpu.h"
#include "fault/fixup.h"
#include "fault/layout.h"
#include "fault/symbols.h"
#include "fault/uaccess.h"
#include "journal.h"
#include "machine.h"
#include "mm/fault.h"
#include "paging/phys.h"
#include "plan.h"
#include "program_run.h"
#include "record_log.h"
#include "sabotage.h"
#include "spare.h"
#include "sweeper.h"
#include "target.h"
#include "tests/deviations.h"
#include "tests/report/report.h"
#include "tests/report/stream.h"
#include "trial.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

/* What is left of the block: the log, frames for checks, and the rest (spare.h). */
#define LOG_BYTES  (UINT64_C(4) << 20)
#define POOL_BYTES (UINT64_C(5) << 20)

static struct session *const session = (struct session *)SESSION_BASE;

/* Where the plan stands. */
static struct {
    struct check_ref check; /* the next one to run */
    bool more;              /* @check is one */
    bool announced;         /* "about to run" was written for it, or for its suite */
    bool careful;           /* the suite killed the machine before: announce each check */
    bool running;           /* trial_run() was entered and has not come back */
    bool in_suite;          /* @suite has begun and its end is not written yet */
    bool finishing;
    bool ended; /* Esc ended a matrix: no more rounds */
    uint16_t suite;
    uint32_t round; /* of --repeat */
    uint64_t started;
} run;

/* The matrix of a round. Its checks take many steps, and then have their records one by one. */
static struct {
    bool begun, done; /* @done: records and folds are there */
    uint32_t round;   /* which one it is */
    uint32_t fold;    /* the next one to report */
    uint32_t died;    /* BIT(test_case): parts that earlier starts died in */
    uint64_t started;
} sweep;

/* The run before a reset, while its results are being reported. */
static struct {
    bool going_on;
    bool careful; /* it died somewhere in a suite, we do not know at which check */
    bool blamed;  /* it died in @part of the matrix, which is to be noted */
    struct check_ref part;
    uint32_t results;
    struct journal_reader reader;
} past;

static struct report report;
static struct journal journal;
static struct stream_sink journal_out;
static uint8_t *log_memory;
struct spare spare;

extern const uint8_t build_id_note[]; /* core.lds: an ELF note, 16 bytes of head, 20 of SHA-1 */

/* ---- the plan
 * ------------------------------------------------------------------------------------ */

static bool is_dangerous(const struct check_ref *check)
{
    return check_case(check)->flags & CASE_DANGEROUS;
}

static bool is_matrix(const struct check_ref *check)
{
    return check_case(check)->flags & CASE_MATRIX;
}

/* Is it journalled by itself? */
static bool goes_alone(const struct check_ref *check)
{
    return check_case(check)->flags & (CASE_DANGEROUS | CASE_ALONE);
}

/* From @run.check on: the first check that is selected. */
static void select_from(bool found)
{
    while (found && !check_selected(&run.check, &session->options)) {
        found = check_next(&run.check, false);
    }
    run.more = found;
    run.announced = run.announced && found && run.check.suite == run.suite && !run.careful &&
                    !goes_alone(&run.check);
}

static void plan_first(void)
{
    run.announced = false;
    select_from(check_next(&run.check, true));
}

static void plan_next(void)
{
    select_from(check_next(&run.check, false));
    if (!run.more && run.round < session->options.repeat && !run.ended) {
        run.round++;
        plan_first();
    }
}

/* For the journal: the order of the selected checks. */
static bool selected_next(struct check_ref *check)
{
    bool found = check_next(check, false);

    while (found && !check_selected(check, &session->options)) {
        found = check_next(check, false);
    }
    return found;
}

static uint32_t plan_count(void)
{
    struct check_ref check;
    uint32_t count = 0;

    for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
        count += check_selected(&check, &session->options);
    }
    return count * session->options.repeat;
}

/* ---- results
 * ------------------------------------------------------------------------------------- */

static void take_record(const struct record *record)
{
    run.suite = record->check.suite;
    run.in_suite = true;
    coverage_note(record);
    report_check(&report, record);
}

/* Out: false: the streams are full, the step has to end. */
static bool close_suite(void)
{
    if (run.in_suite && !report_suite_end(&report)) {
        return false;
    }
    run.in_suite = false;
    return true;
}

static void explain(const struct record *record)
{
    struct stream_sink out = stream_sink(session, STREAM_CONSOLE, STREAM_CONSOLE);

    report_explain(&out.sink, record);
    session->totals[record->verdict]++;
    session->done++;
    session->exit_status = report_exit_status(report_verdict(session));
}

static void result(const struct record *record)
{
    if (session->options.explain[0]) {
        explain(record);
    } else {
        take_record(record);
        journal_check(&journal, record);
    }
}

/* ---- starting
 * -------------------------------------------------------------------------------------- */

/* @carrier CARRIER_COUNT: whichever it was. */
static void complain(enum option_carrier carrier, const char *word, const char *reason)
{
    static const char *const carriers[] = {"faultline.cfg", "command line", "fw_cfg", "options"};
    struct stream_sink out = stream_sink(session, STREAM_CONSOLE, STREAM_CONSOLE);

    sink_printf(&out.sink, "faultline: %s: '%s' %s; nothing runs (--help lists the options)\n",
                carriers[carrier], word, reason);
    session->state = SESSION_BAD_OPTIONS;
    session->exit_status = 2;
}

/* The points of the matrix that @carrier, or an earlier one, names. */
static bool read_points(enum option_carrier carrier)
{
    const char *word = "";
    unsigned length = 0;
    const char *problem = plan_points(&session->options, &machine, &word, &length);
    char named[OPTION_TEXT];
    struct buffer_sink out;

    if (!problem) {
        return true;
    }
    buffer_sink_init(&out, named, sizeof(named) - 1);
    sink_write(&out.sink, word, length);
    named[out.length] = '\0';
    complain(carrier, named, problem);
    return false;
}

/* What --baseline names, once efi/ has looked for it. Out: false: not yet, or it is of no use. */
static bool read_baseline(void)
{
    static const char *const problems[] = {[BASELINE_MISSING] = "cannot be read",
                                           [BASELINE_TOO_LARGE] = "is too large for a baseline"};
    const char *problem = NULL;

    baseline_none();
    if (!session->options.baseline[0]) {
        return true;
    }
    if (session->baseline_state == BASELINE_NOT_ASKED) {
        session->state = SESSION_WANTS_BASELINE;
        return false;
    }
    problem = session->baseline_state == BASELINE_READ
                  ? baseline_read((const char *)session + session->baseline_offset,
                                  session->baseline_length)
                  : problems[session->baseline_state];
    if (problem) {
        complain(CARRIER_COUNT, session->options.baseline, problem);
    }
    return !problem;
}

static bool read_options(void)
{
    options_init(&session->options);
    for (unsigned carrier = 0; carrier < CARRIER_COUNT; carrier++) {
        if (!options_parse(&session->options, (enum option_carrier)carrier,
                           session->option_text[carrier], session->option_length[carrier],
                           &session->option_error)) {
            complain(session->option_error.carrier, session->option_error.word,
                     session->option_error.reason);
            return false;
        }
        if (!read_points((enum option_carrier)carrier)) {
            return false;
        }
    }
    if (session->options.cpus != OPTION_CPUS_BSP) { /* in the grammar for a later version */
        complain(CARRIER_COUNT, "--cpus", "as given is not available in this version");
        return false;
    }
    if (!sabotage_set(session->options.sabotage)) {
        complain(CARRIER_COUNT, session->options.sabotage, "is nothing that --sabotage knows");
        return false;
    }
    stack_historic_rule = session->options.old_stack_rule;
    if (session->options.emulator[0]) {
        machine_set_emulator(&machine, session->options.emulator);
    }
    return true;
}

/* Out: NULL: the check needs another step. */
static const struct record *run_check(uint64_t until)
{
    run.running = true;
    const struct record *record = trial_run(&run.check, until);
    run.running = false;
    return record;
}

/* --explain: run what it names, and tell all about it, until the stream is full, or a check or an
 * exception ends the step. */
static void explain_checks(void)
{
    uint64_t until = read_tsc() + session->budget_ticks;

    while (run.more && report_space(session)) {
        const struct record *record = run_check(until);
        if (!record) {
            return;
        }
        result(record);
        plan_next();
    }
}

/* --help and --list: text only. */
static bool print_texts(void)
{
    struct stream_sink out = stream_sink(session, STREAM_CONSOLE, STREAM_CONSOLE);

    if (session->options.help) {
        for (unsigned i = 0; options_help_line(i); i++) {
            sink_printf(&out.sink, "%s\n", options_help_line(i));
        }
    } else if (session->options.list) {
        struct check_ref check;
        char id[CHECK_ID_TEXT];
        for (bool found = check_next(&check, true); found; found = check_next(&check, false)) {
            if (check_selected(&check, &session->options)) {
                check_id(&check, id);
                sink_printf(&out.sink, "%s\n", id);
            }
        }
    } else {
        return false;
    }
    session->state = SESSION_LISTED;
    session->exit_status = 0;
    return true;
}

static struct journal_header make_header(void)
{
    struct journal_header header = {
        .planned = session->planned,
        .report_number = session->report_number,
    };

    memcpy(header.build_id, build_id_note + 16, sizeof(header.build_id));
    for (unsigned carrier = 0; carrier < CARRIER_COUNT; carrier++) {
        header.options_hash = journal_hash(header.options_hash, session->option_text[carrier],
                                           session->option_length[carrier]);
    }
    return header;
}

/* Comments for the serial line and report.tap. */
static struct stream_sink notes(void)
{
    return stream_sink(session, STREAM_CONSOLE, STREAM_TAP);
}

/* Where a journal was before the records of a matrix, which are of use only all together. */
struct mark {
    bool set;
    size_t at;
    uint32_t sequence, results;
    struct check_ref check;
    bool more;
    uint32_t round;
};

static void mark_set(struct mark *mark, const struct journal_reader *before)
{
    *mark = (struct mark){
        .set = true,
        .at = before->at,
        .sequence = before->sequence,
        .results = past.results,
        .check = run.check,
        .more = run.more,
        .round = run.round,
    };
}

static void mark_return(const struct mark *mark)
{
    past.reader.at = mark->at;
    past.reader.sequence = mark->sequence;
    past.results = mark->results;
    run.check = mark->check;
    run.more = mark->more;
    run.round = mark->round;
}

/* Take account of a result that the journal holds. Out: false: it is not the one that comes next. */
static bool resume_check(const struct record *record, struct mark *mark, uint32_t *folds)
{
    const struct annex_part *part = record_part(record);

    past.results++;
    if (record->check.test_case >= CASE_FOLD) {
        struct check_ref fold = check_fold(sweep.fold++);
        mark->set = mark->set && sweep.fold < *folds;
        return check_ref_equal(&fold, &record->check) && sweep.fold <= *folds;
    }
    /* Results stand in the plan's order, round by round. */
    if (!run.more || !check_ref_equal(&run.check, &record->check)) {
        return false;
    }
    bool was_matrix = is_matrix(&run.check);
    uint32_t round = run.round;
    *folds = part ? part->folds : *folds;
    plan_next();
    if (was_matrix && !(run.more && run.round == round && is_matrix(&run.check))) {
        sweep.died = 0;
        mark->set = mark->set && *folds > 0;
    }
    if (!was_matrix) {
        *folds = sweep.fold = 0;
    }
    return was_matrix || !mark->set; /* folds are missing, but it went on: no journal of ours */
}

/*
 * The journal of a run that the machine did not survive is read twice: here, to see whether it fits
 * this run and how far it goes, and by replay(), as the streams have room. Out: true: @run stands
 * at what was about to run, or behind the last check. False: there is none that fits.
 */
static bool resume(const struct journal_header *ours)
{
    struct journal_reader before;
    struct journal_entry entry;
    struct mark mark = {0};
    bool fits = false, about = false;
    uint32_t folds = 0;

    journal_read_begin(&past.reader, (const uint8_t *)session + session->journal_in_offset,
                       session->journal_in_length, selected_next);
    plan_first();
    past.careful = true;
    for (before = past.reader; journal_read(&past.reader, &entry); before = past.reader) {
        if (entry.kind == RECORD_HEADER) {
            fits = memcmp(entry.header.build_id, ours->build_id, sizeof(ours->build_id)) == 0 &&
                   entry.header.options_hash == ours->options_hash &&
                   entry.header.planned == ours->planned;
        } else if (entry.kind == RECORD_END) {
            fits = false;
        } else if (entry.kind == RECORD_ABOUT) {
            about = true;
            past.careful = entry.about.test_case == JOURNAL_WHOLE_SUITE;
            past.blamed = run.more && is_matrix(&run.check);
            past.part = entry.about;
        } else if (entry.kind == RECORD_DIED) {
            sweep.died |= (uint32_t)BIT(entry.about.test_case % 32);
            past.blamed = false;
        } else {
            if (record_part(entry.record) && !mark.set && fits) {
                mark_set(&mark, &before);
            }
            fits = fits && resume_check(entry.record, &mark, &folds);
            past.careful = true;
            past.blamed = false;
        }
        if (!fits) {
            break;
        }
    }
    if (fits && mark.set) {
        mark_return(&mark);
    }
    if (!fits || !(about || past.results)) {
        past.results = 0;
        past.blamed = false;
        sweep.died = sweep.fold = 0;
        run.round = 1;
        return false;
    }
    size_t kept = past.reader.at, room = session->journal_room;
    session->journal_in_length = (uint32_t)kept;
    journal_begin(&journal, &journal_out.sink, (enum journal_carrier)session->journal_carrier,
                  room > kept ? room - kept : 0, selected_next, NULL);
    journal.sequence = past.reader.sequence;
    if (past.blamed) {
        sweep.died |= (uint32_t)BIT(past.part.test_case % 32);
        journal_died(&journal, &past.part);
    }
    sweep.fold = 0;
    journal_read_begin(&past.reader, past.reader.bytes, kept, selected_next);
    past.going_on = true;
    return true;
}

/* In words, wherever a check is blamed for a reset: also for those of earlier starts. */
static void note_reset(const struct check_ref *check, bool rest)
{
    struct stream_sink out = notes();
    char id[CHECK_ID_TEXT];

    check_id(check, id);
    sink_printf(
        &out.sink, "# %s%s reset or hung this machine; the journal %s tells what was before\n",
        rest ? "the rest of a suite, from here on: " : "", id,
        session->journal_cause == JOURNAL_VARIABLE ? "in firmware's variables" : "on the stick");
}

/* Blame what was about to run: the check itself, or the first of its suite without a result. */
static void blame(void)
{
    const struct record *record =
        trial_verdict(&run.check, VERDICT_ERROR, REASON_RESET, past.careful);

    run.careful = past.careful;
    note_reset(&record->check, record->reason_detail);
    result(record);
    plan_next();
}

/* Report what the run before the reset found, as much as the streams take. */
static void replay(void)
{
    struct journal_entry entry;

    /* Suites are not closed here: close_suite() does it for all that is complete. */
    while (report_space(session) && journal_read(&past.reader, &entry)) {
        if (entry.kind == RECORD_CHECK) {
            if (entry.record->reason == REASON_RESET && !record_part(entry.record)) {
                note_reset(&entry.record->check, entry.record->reason_detail);
            }
            session->planned += entry.record->check.test_case >= CASE_FOLD;
            take_record(entry.record);
        } else if (entry.kind == RECORD_DIED) {
            note_reset(&entry.about, false);
        }
    }
    if (!report_space(session)) {
        return;
    }
    if (past.blamed) {
        note_reset(&past.part, false);
    } else if (run.more && !is_matrix(&run.check)) {
        blame();
    }
    past.going_on = false;
    session->flush = 1;
}

static bool start_machine(const struct boot_info *boot)
{
    static bool started;

    machine_identify(boot->levels);
    uaccess_configure(false, boot->levels);
    if (started) {
        return true;
    }
    fixup_start();
    phys_set(boot->direct, boot->direct_bytes, DIRECT_BASE);
    symbols_set(phys_to_virt(boot->symtab), boot->symtab_entries, phys_to_virt(boot->strtab),
                boot->strtab_bytes);
    log_memory = phys_to_virt(boot->free);
    started = boot->free_bytes > LOG_BYTES + POOL_BYTES &&
              target_start(boot->free + LOG_BYTES, POOL_BYTES, boot->levels) == STATUS_OK;
    spare = (struct spare){.owner = SPARE_NOBODY,
                           .base = boot->free + LOG_BYTES + POOL_BYTES,
                           .bytes = boot->free_bytes - LOG_BYTES - POOL_BYTES};
    return started;
}

/* Is anything of the matrix selected? */
static bool wants_matrix(void)
{
    struct check_ref check;
    bool found = check_next(&check, true);

    while (found && !((is_matrix(&check) || check.test_case >= CASE_POINT) &&
                      check_selected(&check, &session->options))) {
        found = check_next(&check, false);
    }
    return found;
}

static const char *begin_matrix(void)
{
    programs_leave();
    spare.owner = SPARE_MATRIX;
    return sweeper_begin(&session->options, &machine, phys_to_virt(spare.base), spare.bytes,
                         session->ticks_per_second);
}

/* The stage for points, and memory for the whole. Out: false: this machine cannot; that was said. */
static bool prepare_matrix(const struct boot_info *boot)
{
    if (!wants_matrix()) {
        return true;
    }
    const char *problem =
        stage_start(boot) == STATUS_OK ? begin_matrix() : "lacks memory for its page tables";
    if (problem) {
        complain(CARRIER_COUNT, "--matrix", problem);
    }
    return !problem;
}

static void start(const struct boot_info *boot)
{
    memset(&run, 0, sizeof(run));
    memset(&past, 0, sizeof(past));
    memset(&sweep, 0, sizeof(sweep));
    trial_abandon();
    run.round = 1;
    run.started = read_tsc();
    memset(session->totals, 0, sizeof(session->totals));
    session->done = 0;
    session->planned = 0;
    session->exit_status = 2;
    if (!start_machine(boot)) {
        complain(CARRIER_COMMAND_LINE, "memory", "for the checks' page tables is missing");
        return;
    }
    if (!read_options() || print_texts() || !read_baseline() || !prepare_matrix(boot)) {
        return;
    }
    session->planned = plan_count();
    coverage_start();
    deviation_start();
    if (session->options.explain[0]) {
        session->journal_in_length = 0;
        session->state = SESSION_LISTED;
        plan_first();
        if (!run.more) {
            complain(CARRIER_COMMAND_LINE, session->options.explain,
                     "names no check (--list shows all)");
        }
        explain_checks();
        return;
    }
    session->state = SESSION_RUNNING;
    report_begin(&report, session, log_memory, LOG_BYTES);
    journal_out = stream_sink(session, STREAM_JOURNAL, STREAM_JOURNAL);
    struct journal_header header = make_header();
    if (session->journal_in_length == 0 || !resume(&header)) {
        session->journal_in_length = 0;
        journal_begin(&journal, &journal_out.sink, (enum journal_carrier)session->journal_carrier,
                      session->journal_room, selected_next, &header);
        plan_first();
    }
    if (session->journal_carrier == JOURNAL_NONE) {
        struct stream_sink out = notes();
        sink_text(&out.sink, "# no journal can be kept: dangerous checks are skipped, and a reset "
                             "would lose this run\n");
    }
}

/* ---- running
 * ----------------------------------------------------------------------------------------- */

/* What is about to run must be on the stick when this step has ended. */
static void write_about(const struct check_ref *about)
{
    bool was_full = journal.full;

    journal_about(&journal, about);
    if (journal.full && !was_full && session->journal_carrier != JOURNAL_NONE) {
        struct stream_sink out = notes();
        sink_text(&out.sink,
                  "# the journal is full: dangerous checks are skipped, and a reset would "
                  "lose what comes from here on\n");
    }
    session->flush = 1;
}

/*
 * Before a suite, a check that goes alone, and any check of a suite that killed the machine:
 * everything must be on the stick, with the name of what comes. Out: true: the step has to end for
 * that.
 */
static bool announce(void)
{
    bool new_suite = !run.in_suite || run.check.suite != run.suite;

    if (run.announced) {
        return false;
    }
    if (new_suite) {
        run.careful = run.careful && run.in_suite && run.check.suite == run.suite;
    }
    struct check_ref about = run.check;
    if (!goes_alone(&run.check) && !run.careful) {
        about.test_case = JOURNAL_WHOLE_SUITE;
    }
    write_about(&about);
    run.announced = true;
    return true;
}

/* ---- the matrix
 * -------------------------------------------------------------------------------------- */

/* All that the round's plan has of it. */
static void begin_sweep(void)
{
    uint32_t round = run.round, died = sweep.died;

    memset(&sweep, 0, sizeof(sweep));
    sweep.begun = true;
    sweep.round = round;
    sweep.started = read_tsc();
    if (begin_matrix()) {
        return; /* it could at the start: nothing has become less */
    }
    for (struct check_ref check = run.check; is_matrix(&check);) {
        sweeper_want(&check);
        if ((died >> (check.test_case % 32)) & 1) {
            sweeper_died(&check);
        }
        if (!selected_next(&check)) {
            break;
        }
    }
}

/* A part may take minutes, and has its result only after the last one. */
static void note_begin(const struct check_ref *part)
{
    struct stream_sink out = notes();
    char id[CHECK_ID_TEXT];

    check_id(part, id);
    sink_printf(&out.sink, "# %s begins\n", id);
}

/* For the screen: how far it is. */
static void show_sweep(void)
{
    struct report_work work = {.matrix = true, .ticks = read_tsc() - sweep.started};
    struct annex_part counts;
    struct check_ref part;

    matrix_done(&work.done, &work.planned);
    work.folding = sweeper_folding();
    for (uint32_t i = 0; sweeper_part(i, &part, &counts); i++) {
        report_part(&report, &part, &counts);
    }
    if (sweep.done) {
        work = (struct report_work){.matrix = false};
    }
    report_work(&report, &work);
}

/* A step of the matrix. Out: true: the session's step has to end. */
static bool sweep_on(uint64_t until)
{
    struct check_ref about;

    if (!sweep.begun) {
        begin_sweep();
    }
    run.running = true;
    enum sweep state = sweeper_step(until, &about);
    run.running = false;
    if (state == SWEEP_ABOUT) {
        note_begin(&about);
        write_about(&about);
    } else if (state == SWEEP_DONE) {
        sweep.done = true;
        session->planned += sweeper_folds();
    }
    show_sweep();
    return !sweep.done;
}

/* Have all the checks of the round's matrix their records, but not all folds? */
static bool folds_left(void)
{
    bool more = run.more && run.round == sweep.round && is_matrix(&run.check);

    if (sweep.done && !more && sweep.fold == sweeper_folds()) {
        memset(&sweep, 0, sizeof(sweep));
    }
    return sweep.done && !more;
}

/*
 * A dangerous check that no journal remembers would kill the machine again each time that firmware
 * starts us: it is skipped.
 */
static void run_checks(void)
{
    uint64_t until = read_tsc() + session->budget_ticks;

    if (past.going_on) {
        replay();
        return;
    }
    while (folds_left() || run.more) {
        if (!report_space(session)) {
            return;
        }
        if (folds_left()) {
            result(sweeper_fold(sweep.fold++));
            continue;
        }
        if (run.in_suite && run.check.suite != run.suite && !close_suite()) {
            return;
        }
        if (is_matrix(&run.check)) {
            if (!sweep.done && sweep_on(until)) {
                return;
            }
            result(sweeper_record(&run.check));
            plan_next();
            continue;
        }
        if (announce()) {
            return;
        }
        bool alone = goes_alone(&run.check), dangerous = is_dangerous(&run.check);
        bool forgetful = journal.full || session->journal_carrier == JOURNAL_NONE;
        const struct record *record =
            dangerous && forgetful ? trial_verdict(&run.check, VERDICT_SKIP, REASON_NO_RESOURCE, 0)
                                   : run_check(until);
        if (!record) {
            return;
        }
        result(record);
        plan_next();
        if (alone) {
            run.announced = false;
            return;
        }
        if (read_tsc() >= until) {
            return;
        }
    }
    session->state = SESSION_PLAN_DONE;
}

/* The last batch ended in an exception that nobody expected: that is its check's result. */
static void take_oops(struct cpu *cpu)
{
    run.running = false;
    run.announced = false; /* flush soon: a machine that oopses may do worse */
    matrix_recover();
    if (sweep.begun && !sweep.done) {
        sweeper_oops(&cpu->oops);
    } else {
        result(trial_oops(&cpu->oops));
        plan_next();
    }
    cpu->oops.reason = OOPS_NONE;
}

/* Users' processors and emulators get better: say which listed deviations a whole run did not meet.
 */
static void note_stale_deviations(void)
{
    struct stream_sink out = stream_sink(session, STREAM_TAP, STREAM_CONSOLE);
    bool whole = session->options.only.count == 0 && session->options.skip.count == 0 &&
                 session->done == session->planned;
    bool swept = !run.ended && (session->options.matrix == MATRIX_QUICK ||
                                session->options.matrix == MATRIX_FULL);

    for (unsigned row = 0; whole && row < deviation_count; row++) {
        bool meant = deviation_is_for(row, false) || (swept && deviation_is_for(row, true));
        if (meant && deviation_applies(row, &machine) && !deviation_occurred(row)) {
            sink_printf(&out.sink, "# stale: listed for %s (%s) but not met in this run: %s\n",
                        deviations[row].machine, deviations[row].versions,
                        deviations[row].sentence);
        }
    }
}

/* Esc in a matrix: no more points; what there is is folded, and the rest of the round runs. */
static bool end_matrix(void)
{
    if (session->state == SESSION_RUNNING && sweep.begun && !run.ended) {
        run.ended = true;
        sweeper_end();
    }
    if (session->state == SESSION_RUNNING && run.ended) {
        run_checks();
    }
    return session->state == SESSION_RUNNING && run.ended;
}

static void finish(void)
{
    if (end_matrix()) {
        return;
    }
    if (!run.finishing) {
        if (!close_suite()) {
            return;
        }
        journal_end(&journal);
        note_stale_deviations();
        run.finishing = true;
    }
    if (report_finish(&report)) {
        session->state = SESSION_FINISHED;
    }
}

void batch_run(struct boot_info *boot)
{
    struct cpu *cpu = cpu_current();

    session->flush = 0;
    if (cpu->oops.reason != OOPS_NONE && run.running) {
        take_oops(cpu);
    }
    switch ((enum session_request)session->request) {
    case SESSION_START:
        start(boot);
        break;
    case SESSION_RUN:
        if (session->state == SESSION_RUNNING) {
            run_checks();
        } else if (session->state == SESSION_LISTED) {
            explain_checks();
        }
        break;
    case SESSION_FINISH:
        finish();
        break;
    case SESSION_KEY:
        report_key(&report);
        break;
    }
    if (session->state == SESSION_RUNNING || session->state == SESSION_PLAN_DONE ||
        session->state == SESSION_FINISHED) {
        report_draw(&report, read_tsc() - run.started);
    }
}
