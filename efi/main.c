/*
 * main.c: the boot story, top to bottom: what is there, what was asked for, whether the last run
 * died, then step by step through core's plan, moving its bytes and drawing its screen, and back to
 * firmware as if nothing had happened. docs/architecture.md, "Firmware and our world".
 */
#include "efi/console.h"
#include "efi/core.h"
#include "efi/facts.h"
#include "efi/firmware.h"
#include "efi/journal.h"
#include "efi/keys.h"
#include "efi/options.h"
#include "efi/reports.h"
#include "efi/screen.h"
#include "efi/serial.h"
#include "efi/volume.h"
#include "tests/report/sink.h"
#include "x86/instructions.h"

#define STEPS_PER_SECOND 30u /* the screen follows, and a key is answered, this often */
#define ISA_DEBUG_EXIT   0x10u
#define DEBUGGER_SECONDS 600u
#define READING_SECONDS  30u
#define HOLD_SECONDS     10u
#define STATUS_ERROR     2u /* exit status: nothing ran, or we could not tell */

/* --debug-wait: gdb sets it to 1 and the run goes on. */
volatile uint32_t debugger_attached;

static struct session *session;
static struct machine_facts facts;
static enum save_problem volume; /* what volume_start found */
static size_t journal_in_room;   /* the session's buffer for it, bytes */
static bool has_screen, has_keys;

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/* A line of our own, for whoever is there: on serial lines, and in front of a person. */
static void say(const char *text, size_t length)
{
    /* A shell's console that is a serial line shows it already. */
    if (!console_is_shell() || !console_has_serial())
        serial_write(text, length);
    console_print(text, length);
}

static void complain(const char *subject, const char *reason)
{
    char text[1024];
    struct buffer_sink line;
    buffer_sink_init(&line, text, sizeof(text));
    sink_printf(&line.sink, "faultline: %s: %s\n", subject, reason);
    say(text, line.length);
}

static const char *stream_bytes(enum session_stream stream)
{
    return (const char *)session + session->stream[stream].offset;
}

static void drop_bytes(void)
{
    for (enum session_stream stream = 0; stream < STREAM_COUNT; stream++)
        session->stream[stream].length = 0;
}

/* Take everything that the step wrote. The journal goes last: what it says is about to run comes
 * after everything that the reports say did run. */
static void move_bytes(void)
{
    serial_write(stream_bytes(STREAM_CONSOLE), session->stream[STREAM_CONSOLE].length);
    for (enum session_stream stream = STREAM_TAP; stream < STREAM_JOURNAL; stream++)
        reports_write(stream, stream_bytes(stream), session->stream[stream].length);
    journal_append(stream_bytes(STREAM_JOURNAL), session->stream[STREAM_JOURNAL].length);
    if (session->flush) {
        reports_flush();
        session->journal_carrier = journal_flush();
    }
    drop_bytes();
    session->save_problem = (uint8_t)reports_problem();
    session->saved_to_stick = session->save_problem == SAVE_OK;
}

static void step(enum session_request request)
{
    session->request = request;
    core_step(session);
}

static void draw(void)
{
    if (session->screen_changed)
        screen_draw(session);
    session->screen_changed = 0;
}

/* Everything core must know before it starts. @report: its number. */
static void fill_session(const struct journal_found *unfinished, uint16_t report)
{
    session->facts = facts;
    session->ticks_per_second = facts_ticks_per_second();
    session->budget_ticks = session->ticks_per_second / STEPS_PER_SECOND;
    session->wall_clock = facts_wall_clock();
    session->journal_in_length = (uint32_t)unfinished->bytes;
    session->journal_cause = unfinished->carrier;
    session->journal_carrier = unfinished->bytes ? unfinished->carrier : journal_carrier(volume);
    session->journal_room = (uint32_t)journal_room(session->journal_carrier);
    if (session->journal_room > journal_in_room)
        session->journal_room =
            (uint32_t)journal_in_room; /* what cannot be read back is of no use */
    session->report_number = report;
    session->save_problem = (uint8_t)(report || volume != SAVE_OK ? volume : SAVE_FAILED);
    session->saved_to_stick = session->save_problem == SAVE_OK;
    screen_size(&session->columns, &session->rows);
}

/* The mode that --mode asks for. Out: false when there is none; that was said. */
static bool set_mode(void)
{
    char modes[512], text[600];
    struct buffer_sink reason;
    if (!session->options.mode_width ||
        screen_set_mode(session->options.mode_width, session->options.mode_height, modes,
                        sizeof(modes))) {
        screen_size(&session->columns, &session->rows);
        return true;
    }
    buffer_sink_init(&reason, text, sizeof(text) - 1);
    sink_printf(&reason.sink, "%ux%u is no mode of this screen; it has:%s",
                session->options.mode_width, session->options.mode_height,
                modes[0] ? modes : " none, for there are no graphics");
    text[reason.length] = '\0';
    complain("--mode", text);
    return false;
}

static void wait_for_debugger(void)
{
    char text[160];
    struct buffer_sink line;
    buffer_sink_init(&line, text, sizeof(text));
    sink_printf(&line.sink,
                "faultline: image base 0x%llx, core's image at 0x%llx; gdb: set var "
                "debugger_attached = 1\n",
                (unsigned long long)(loaded_image ? (uintptr_t)loaded_image->ImageBase : 0),
                (unsigned long long)core_image_base());
    serial_write(text, line.length);
    for (unsigned i = 0; i < DEBUGGER_SECONDS * 100 && !debugger_attached; i++)
        (void)boot_services->Stall(10000);
}

/* The plan, a step at a time, until it is done or a person leaves. */
static void run_plan(void)
{
    while (session->state == SESSION_RUNNING) {
        uint32_t key;
        enum key_action action = has_keys ? keys_read(&key) : ACTION_NONE;
        if (action == ACTION_LEAVE)
            break;
        if (action == ACTION_SCROLL) {
            session->key = key;
            step(SESSION_KEY);
        }
        step(SESSION_RUN);
        move_bytes();
        draw();
    }
    do { /* folding takes time, and the closing lines may need more than the streams have room for */
        step(SESSION_FINISH);
        session->flush = 1;
        move_bytes();
        draw();
    } while (session->state != SESSION_FINISHED && session->stream[STREAM_TAP].overflow == 0);
    reports_end();
    session->save_problem = (uint8_t)reports_problem();
    session->saved_to_stick = session->save_problem == SAVE_OK;
    journal_end();
    session->key = KEY_NONE; /* once more: closing the files may have failed */
    step(SESSION_KEY);
    draw();
}

/* A text on firmware's console, in front of a boot menu that would draw over it: wait a little. */
static void let_read(void)
{
    uint32_t key;
    if (!has_screen || !has_keys || console_is_shell() || session->options.no_wait ||
        session->options.at_end != AT_END_RETURN)
        return;
    for (unsigned i = 0; i < READING_SECONDS * 50 && keys_read(&key) == ACTION_NONE; i++)
        (void)boot_services->Stall(20000);
}

/* Core has parsed its options, and --baseline names a file. */
static void read_baseline(void)
{
    CHAR16 path[OPTION_TEXT];
    size_t length = 0;
    for (const char *from = session->options.baseline; *from; from++)
        path[length++] = *from == '/' ? L'\\' : (CHAR16)*from;
    path[length] = 0;
    uint64_t bytes = volume_read(path, (uint8_t *)session + session->baseline_offset,
                                 session->baseline_capacity);
    session->baseline_state = bytes == 0                           ? BASELINE_MISSING
                              : bytes > session->baseline_capacity ? BASELINE_TOO_LARGE
                                                                   : BASELINE_READ;
    session->baseline_length = session->baseline_state == BASELINE_READ ? (uint32_t)bytes : 0;
}

static void step_start(void)
{
    session->baseline_state = BASELINE_NOT_ASKED;
    step(SESSION_START);
    if (session->state == SESSION_WANTS_BASELINE) {
        read_baseline();
        step(SESSION_START);
    }
}

/*
 * Let core start, with the journal of an unfinished run where there is one. When core does not go
 * on with it (other options, say), that run's report is left alone: ours gets a number of its own.
 */
static void start(struct journal_found *unfinished)
{
    fill_session(unfinished, unfinished->report ? unfinished->report : reports_next_number());
    step_start();
    if (session->state != SESSION_RUNNING || !unfinished->bytes || session->journal_in_length)
        return;
    *unfinished = (struct journal_found){.carrier = JOURNAL_NONE};
    drop_bytes();
    fill_session(unfinished, reports_next_number());
    step_start();
}

/* One run from options to verdict. Out: the exit status. */
static uint32_t run(void)
{
    const char *carrier;
    void *journal_in = (uint8_t *)session + session->journal_in_offset;
    struct journal_found unfinished =
        journal_find(facts_fingerprint(), journal_in, journal_in_room);

    if (!options_read(session, &carrier)) {
        complain(carrier, "holds more than 4096 bytes of options; nothing runs");
        let_read();
        return STATUS_ERROR;
    }
    start(&unfinished);
    if (session->state == SESSION_LISTED || session->state == SESSION_BAD_OPTIONS) {
        do { /* what --explain runs may end a step before everything is said */
            say(stream_bytes(STREAM_CONSOLE), session->stream[STREAM_CONSOLE].length);
            session->stream[STREAM_CONSOLE].length = 0;
            step(SESSION_RUN);
        } while (session->stream[STREAM_CONSOLE].length || session->done < session->planned);
        let_read();
        return session->state == SESSION_LISTED ? session->exit_status : STATUS_ERROR;
    }
    if (!set_mode()) {
        let_read();
        return STATUS_ERROR;
    }
    if (session->options.wait_debugger)
        wait_for_debugger();
    reports_start(session->report_number, session->save_problem);
    journal_start(session->journal_carrier, session->report_number, session->journal_in_length);
    move_bytes();
    draw();
    run_plan();
    return session->exit_status;
}

/* Does anybody look, and may we keep the machine until they are done? */
static bool is_attended(void)
{
    return has_screen && has_keys && session->state == SESSION_FINISHED &&
           !session->options.no_wait && session->options.at_end == AT_END_RETURN;
}

/* Let a person read. Out: true: run again. */
static bool wait_for_person(void)
{
    for (;;) {
        uint32_t key;
        enum key_action action = keys_wait(&key);
        if (action == ACTION_RUN_AGAIN || action == ACTION_LEAVE)
            return action == ACTION_RUN_AGAIN;
        session->key = key;
        step(SESSION_KEY);
        draw();
    }
}

/* As the options say. Comes back when we return to firmware, or when the machine refused. */
static void leave(enum option_at_end at_end, uint32_t port, uint32_t exit_status)
{
    switch (at_end) {
    case AT_END_POWEROFF:
        (void)runtime_services->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
        break;
    case AT_END_REBOOT:
        (void)runtime_services->ResetSystem(EfiResetCold, EFI_SUCCESS, 0, NULL);
        break;
    case AT_END_DEBUG_EXIT:
        write_port8((uint16_t)port, (uint8_t)(ISA_DEBUG_EXIT + exit_status));
        /* Still here: isa-debugcon only takes the byte. Hold the picture for whoever took it. */
        (void)boot_services->Stall(HOLD_SECONDS * 1000000);
        break;
    case AT_END_RETURN:
        break;
    }
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    static const EFI_STATUS results[] = {EFI_SUCCESS, EFI_ABORTED, EFI_DEVICE_ERROR};
    uint32_t exit_status = STATUS_ERROR, port = 0;
    enum option_at_end at_end = AT_END_RETURN;
    const char *problem;

    firmware_start(image, table);
    console_start();
    serial_start();
    has_screen = screen_start();
    has_keys = keys_start();
    volume = volume_start();
    facts_read(&facts);

    if (EFI_ERROR(core_load(&session, &problem))) {
        complain("core cannot be loaded", problem);
    } else {
        journal_in_room = session->journal_in_length;
        do
            exit_status = run();
        while (is_attended() && wait_for_person());
        at_end = session->options.at_end;
        port = session->options.debug_exit_port;
        core_unload();
    }
    journal_forget();
    volume_end();
    leave(at_end, port, exit_status); /* with the verdict on the screen */
    screen_end();
    serial_end();
    return results[exit_status < ARRAY_COUNT(results) ? exit_status : STATUS_ERROR];
}
