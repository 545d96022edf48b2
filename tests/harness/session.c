/*
 * session.c: batch_run(): what core does when efi/ asks for a step (session.h). One step does a
 * bounded piece of the plan; whatever happens in it, the next step finds a state to go on from.
 */
#include "session.h"

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
#include "paging/phys.h"
#include "plan.h"
#include "record_log.h"
#include "sabotage.h"
#include "target.h"
#include "tests/deviations.h"
#include "tests/report/report.h"
#include "tests/report/stream.h"
#include "trial.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define LOG_BYTES (UINT64_C(4) << 20)

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
    uint16_t suite;
    uint32_t round; /* of --repeat */
    uint64_t started;
} run;

/* The run before a reset, while its results are being reported. */
static struct {
    bool going_on;
    bool careful; /* it died somewhere in a suite, we do not know at which check */
    uint32_t results;
    struct journal_reader reader;
} past;

static struct report report;
static struct journal journal;
static struct stream_sink journal_out;
static uint8_t *log_memory;

extern const uint8_t build_id_note[]; /* core.lds: an ELF note, 16 bytes of head, 20 of SHA-1 */

/* ---- the plan
 * ------------------------------------------------------------------------------------ */

/* From @run.check on: the first check that is selected. */
static void select_from(bool found)
{
    while (found && !check_selected(&run.check, &session->options)) {
        found = check_next(&run.check, false);
    }
    run.more = found;
    run.announced = run.announced && found && run.check.suite == run.suite && !run.careful &&
                    !(check_case(&run.check)->flags & CASE_DANGEROUS);
}

static void plan_first(void)
{
    run.announced = false;
    select_from(check_next(&run.check, true));
}

static void plan_next(void)
{
    select_from(check_next(&run.check, false));
    if (!run.more && run.round < session->options.repeat) {
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

static void complain(enum option_carrier carrier, const char *word, const char *reason)
{
    static const char *const carriers[CARRIER_COUNT] = {"faultline.cfg", "command line", "fw_cfg"};
    struct stream_sink out = stream_sink(session, STREAM_CONSOLE, STREAM_CONSOLE);

    sink_printf(&out.sink, "faultline: %s: '%s' %s; nothing runs (--help lists the options)\n",
                carriers[carrier], word, reason);
    session->state = SESSION_BAD_OPTIONS;
    session->exit_status = 2;
}

/* Options that are in the grammar for a later version. */
static const char *not_available(const struct options *options)
{
    if (options->matrix != MATRIX_QUICK) {
        return "--matrix";
    }
    if (options->levels == LEVELS_BOTH || (options->levels == LEVELS_4 && machine.levels != 4) ||
        (options->levels == LEVELS_5 && machine.levels != 5)) {
        return "--levels";
    }
    return options->cpus != OPTION_CPUS_BSP ? "--cpus" : NULL;
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
    }
    const char *missing = not_available(&session->options);
    if (missing) {
        complain(CARRIER_COMMAND_LINE, missing, "as given is not available in this version");
        return false;
    }
    if (!sabotage_set(session->options.sabotage)) {
        complain(CARRIER_COMMAND_LINE, session->options.sabotage,
                 "is nothing that --sabotage knows");
        return false;
    }
    if (session->options.emulator[0]) {
        machine_set_emulator(&machine, session->options.emulator);
    }
    return true;
}

/* --explain: run what it names, and tell all about it, until the stream is full or an exception
 * ends the step. */
static void explain_checks(void)
{
    while (run.more && report_space(session)) {
        run.running = true;
        const struct record *record = trial_run(&run.check);
        run.running = false;
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

/*
 * The journal of a run that the machine did not survive is read twice: here, to see whether it fits
 * this run and how far it goes, and by replay(), as the streams have room. Out: true: @run stands
 * at what was about to run, or behind the last check. False: there is none that fits.
 */
static bool resume(const struct journal_header *ours)
{
    struct journal_entry entry;
    bool fits = false, about = false;

    journal_read_begin(&past.reader, (const uint8_t *)session + session->journal_in_offset,
                       session->journal_in_length, selected_next);
    plan_first();
    past.careful = true;
    while (journal_read(&past.reader, &entry)) {
        if (entry.kind == RECORD_HEADER) {
            fits = memcmp(entry.header.build_id, ours->build_id, sizeof(ours->build_id)) == 0 &&
                   entry.header.options_hash == ours->options_hash &&
                   entry.header.planned == ours->planned;
        } else if (entry.kind == RECORD_END) {
            fits = false;
        } else if (entry.kind == RECORD_ABOUT) {
            about = true;
            past.careful = entry.about.test_case == JOURNAL_WHOLE_SUITE;
        } else {
            /* Results stand in the plan's order, round by round. */
            fits = fits && run.more && check_ref_equal(&run.check, &entry.record->check);
            past.careful = true;
            past.results++;
            plan_next();
        }
        if (!fits) {
            break;
        }
    }
    if (!fits || !(about || past.results)) {
        past.results = 0;
        run.round = 1;
        return false;
    }
    size_t kept = past.reader.at, room = session->journal_room;
    session->journal_in_length = (uint32_t)kept;
    journal_begin(&journal, &journal_out.sink, (enum journal_carrier)session->journal_carrier,
                  room > kept ? room - kept : 0, selected_next, NULL);
    journal.sequence = past.reader.sequence;
    journal_read_begin(&past.reader, past.reader.bytes, kept, selected_next);
    past.going_on = true;
    return true;
}

/* In words, wherever a record blames a check for a reset: also for those of earlier starts. */
static void note_reset(const struct record *record)
{
    struct stream_sink out = notes();
    char id[CHECK_ID_TEXT];

    check_id(&record->check, id);
    sink_printf(
        &out.sink, "# %s%s reset or hung this machine; the journal %s tells what was before\n",
        record->reason_detail ? "the rest of a suite, from here on: " : "", id,
        session->journal_cause == JOURNAL_VARIABLE ? "in firmware's variables" : "on the stick");
}

/* Blame what was about to run: the check itself, or the first of its suite without a result. */
static void blame(void)
{
    const struct record *record =
        trial_verdict(&run.check, VERDICT_ERROR, REASON_RESET, past.careful);

    run.careful = past.careful;
    note_reset(record);
    result(record);
    plan_next();
}

/* Report what the run before the reset found, as much as the streams take. */
static void replay(void)
{
    struct journal_entry entry;

    /* Suites are not closed here: close_suite() does it for all that is complete. */
    while (past.results) {
        if (!report_space(session) || !journal_read(&past.reader, &entry)) {
            return;
        }
        if (entry.kind == RECORD_CHECK) {
            if (entry.record->reason == REASON_RESET) {
                note_reset(entry.record);
            }
            take_record(entry.record);
            past.results--;
        }
    }
    if (!report_space(session)) {
        return;
    }
    if (run.more) {
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
    started = target_start(boot->free + LOG_BYTES, boot->free_bytes - LOG_BYTES, boot->levels) ==
              STATUS_OK;
    return started;
}

static void start(const struct boot_info *boot)
{
    memset(&run, 0, sizeof(run));
    memset(&past, 0, sizeof(past));
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
    if (!read_options() || print_texts()) {
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

/*
 * Before a suite, a dangerous check, and any check of a suite that killed the machine: everything
 * must be on the stick, with the name of what comes. Out: true: the step has to end for that.
 */
static bool announce(void)
{
    const struct test_case *next = check_case(&run.check);
    bool dangerous = next->flags & CASE_DANGEROUS;
    bool new_suite = !run.in_suite || run.check.suite != run.suite;

    if (run.announced) {
        return false;
    }
    if (new_suite) {
        run.careful = run.careful && run.in_suite && run.check.suite == run.suite;
    }
    struct check_ref about = run.check;
    if (!dangerous && !run.careful) {
        about.test_case = JOURNAL_WHOLE_SUITE;
    }
    bool was_full = journal.full;
    journal_about(&journal, &about);
    if (journal.full && !was_full && session->journal_carrier != JOURNAL_NONE) {
        struct stream_sink out = notes();
        sink_text(&out.sink,
                  "# the journal is full: dangerous checks are skipped, and a reset would "
                  "lose what comes from here on\n");
    }
    session->flush = 1;
    run.announced = true;
    return true;
}

static const struct record *run_check(void)
{
    run.running = true;
    const struct record *record = trial_run(&run.check);
    run.running = false;
    return record;
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
    while (run.more) {
        if (!report_space(session)) {
            return;
        }
        if (run.in_suite && run.check.suite != run.suite && !close_suite()) {
            return;
        }
        if (announce()) {
            return;
        }
        bool alone = check_case(&run.check)->flags & CASE_DANGEROUS;
        bool forgetful = journal.full || session->journal_carrier == JOURNAL_NONE;
        result(alone && forgetful ? trial_verdict(&run.check, VERDICT_SKIP, REASON_NO_RESOURCE, 0)
                                  : run_check());
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
    const struct record *record = trial_oops(&cpu->oops);

    run.running = false;
    run.announced = false; /* flush soon: a machine that oopses may do worse */
    result(record);
    cpu->oops.reason = OOPS_NONE;
    plan_next();
}

/* Users' processors and emulators get better: say which listed deviations a whole run did not meet.
 */
static void note_stale_deviations(void)
{
    struct stream_sink out = stream_sink(session, STREAM_TAP, STREAM_CONSOLE);
    bool whole = session->options.only.count == 0 && session->options.skip.count == 0 &&
                 session->done == session->planned;

    for (unsigned row = 0; whole && row < deviation_count; row++) {
        if (deviation_applies(row, &machine) && !deviation_occurred(row)) {
            sink_printf(&out.sink, "# stale: listed for %s (%s) but not met in this run: %s\n",
                        deviations[row].machine, deviations[row].versions,
                        deviations[row].sentence);
        }
    }
}

static void finish(void)
{
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
