/*
 * programs.c: ring-3 programs that run on Linux and here, the very same files, and must write the same
 * lines: tests/programs/, one check a program. A check runs for as many steps as its program needs.
 */
#include "fault/boot_info.h"
#include "fault/layout.h"
#include "fault/world.h"
#include "mm/audit.h"
#include "os/os.h"
#include "table.h"
#include "tests/harness/annex.h"
#include "tests/harness/journal.h"
#include "tests/harness/machine.h"
#include "tests/harness/program_run.h"
#include "tests/harness/session.h"
#include "tests/harness/transcript.h"
#include "tests/harness/trial.h"
#include "tests/report/stream.h"
#include "program_archive.h"
#include "x86/instructions.h"
#include "x86/memory.h"

static struct session *const session = (struct session *)SESSION_BASE;

/* Lines of Linux's logs that are others here: the table in tests/programs/README.md. */
static const struct accepted_line accepted[] = {
    {"", NULL, NULL},
#include "accepted_lines.h"
};
_Static_assert(ARRAY_COUNT(accepted) <= ACCEPTED_MAX, "each has a bit");

static struct transcript transcript;
static struct annex_program annex;
static struct maps_picture maps;
static struct stream_sink shown;

/*
 * What some programs need: more frames or more time than usual, 4 levels' addresses, a feature that shows in
 * Linux's log. Where an emulator's clock counts instructions a second may be few of them.
 */
struct need {
    const char *name;
    uint64_t bytes, seconds;
    bool four_levels; /* Linux's log knows what is not canonical, and where ring 3's half ends */
    uint8_t feature;  /* enum cpu_feature + 1; 0: none */
};

/* clang-format off */
static const struct need needs[] = {
    {.name = "bench_vmas",          .bytes = UINT64_C(64) << 20}, /* 100,000 of them */
    {.name = "file_read_around",    .seconds = 600},
    {.name = "kernel_address",      .four_levels = true},
    {.name = "malloc_churn",        .seconds = 600},
    {.name = "many_vmas",           .bytes = UINT64_C(64) << 20, .seconds = 600},
    {.name = "non_canonical",       .four_levels = true},
    {.name = "non_canonical_stack", .four_levels = true},
    {.name = "signal_in_handler",   .feature = NEEDS(XSAVE)}, /* UC_FP_XSTATE */
};
/* clang-format on */

static struct need needs_of(const char *name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(needs); i++) {
        if (texts_equal(name, needs[i].name)) {
            return needs[i];
        }
    }
    return (struct need){0};
}

static void write_console(void *context, const char *bytes, size_t count)
{
    transcript_write(context, bytes, count);
}

/* --explain: the program's lines beside Linux's, as they come. What has no log is heard in any case: costs. */
static struct sink *explained(const struct archived_program *program)
{
    if (!session->options.explain[0] && program->log < program->log_end) {
        return NULL;
    }
    if (!session->options.explain[0]) {
        shown = stream_sink(session, STREAM_CONSOLE, STREAM_TAP);
        return &shown.sink;
    }
    shown = stream_sink(session, STREAM_CONSOLE, STREAM_CONSOLE);
    sink_printf(
        &shown.sink,
        "%s: lines of tests/programs/logs/%s.log; - Linux alone, + here alone, ~ accepted\n",
        program->name, program->name);
    return &shown.sink;
}

/* A line of the transcript, as much as a record keeps. */
static void keep_line(char to[PROGRAM_LINE], const char *line)
{
    size_t i = 0;

    for (; line[i] && i < PROGRAM_LINE - 1; i++) {
        to[i] = line[i];
    }
    to[i] = '\0';
}

static void fill_annex(const struct os_result *result, uint64_t ticks)
{
    annex = (struct annex_program){
        .maps = maps,
        .ticks = ticks,
        .minor_faults = result->min_flt,
        .system_calls = result->system_calls,
        .switches = result->switches,
        .lines = transcript.written,
        .has_expected = transcript.has_expected,
        .has_got = transcript.has_got,
    };
    keep_line(annex.expected, transcript.expected);
    keep_line(annex.got, transcript.got);
    memcpy(annex.culprit, result->culprit, sizeof(annex.culprit) - 1);
    while (annex.unknown_count < result->unknown_count && annex.unknown_count < PROGRAM_UNKNOWNS) {
        annex.unknown[annex.unknown_count] = result->unknown[annex.unknown_count];
        annex.unknown_count++;
    }
}

/* Is there a system call of that number in Linux 6.1? */
static bool linux_has(unsigned number)
{
    return number <= 334 || (number >= 424 && number <= 450);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Is @word one of the words of @text? "protection keys (PKU)" has PKU. */
static bool has_word(const char *text, const char *word)
{
    for (const char *at = text; *at; at++) {
        size_t i = 0;
        while (word[i] && at[i] == word[i]) {
            i++;
        }
        if (!word[i] && !is_letter(at[i]) && (at == text || !is_letter(at[-1]))) {
            return true;
        }
    }
    return false;
}

/* The feature that the program did not find, if this machine lacks it. Out: false: it should have been found. */
static bool lacks_feature(const char *text, unsigned *feature)
{
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        if (has_word(text, feature_names[i]) && !machine_has((enum cpu_feature)i)) {
            *feature = i;
            return true;
        }
    }
    return false;
}

/* What stands for a line in a comparison, so that a deviation can name it; ~0: there is none. */
static uint64_t hash_of(bool there, const char *line)
{
    size_t length = 0;

    while (line[length]) {
        length++;
    }
    return there ? journal_hash(0, line, length) : ~UINT64_C(0);
}

static void judge(struct trial *trial, const struct archived_program *program,
                  const struct os_result *result)
{
    unsigned feature;
    uint32_t ended;

    if (!mm_has_keys && machine_has(FEATURE_PKU) && has_word(transcript.lacks, "PKU")) {
        trial_skip(trial, REASON_NO_PKRU, 0);
        return;
    }
    if (transcript.lacks[0] && lacks_feature(transcript.lacks, &feature)) {
        trial_skip(trial, REASON_FEATURE, feature);
        return;
    }
    trial->annex = ANNEX_PROGRAM;
    trial->annex_data = &annex;
    if (transcript.has_log) {
        trial_expect(trial, FIELD_LINES, 0, transcript.lines, transcript.matched);
    }
    if (transcript.differs) {
        uint32_t line = transcript.differing_line;
        trial_expect(trial, FIELD_LINE, line < UINT16_MAX ? line : UINT16_MAX,
                     hash_of(transcript.has_expected, transcript.expected),
                     hash_of(transcript.has_got, transcript.got));
    }
    if (!transcript.has_log) {
        trial_expect(trial, FIELD_WAIT_STATUS, 0, 0, (uint32_t)result->status);
    } else if (transcript_status(program->log, (size_t)(program->log_end - program->log), &ended)) {
        trial_expect(trial, FIELD_WAIT_STATUS, 0, ended, (uint32_t)result->status);
    } else {
        trial_error(trial, REASON_BAD_LOG, 0);
    }
    trial_expect(trial, FIELD_TASK_OOPSES, 0, 0, result->oopses);
    trial_expect(trial, FIELD_TIMED_OUT, 0, 0, result->cut);
    trial_expect(trial, FIELD_STALE, 0, 0, transcript_stale(&transcript));
    for (unsigned i = 0; i < annex.unknown_count; i++) {
        trial_expect(trial, FIELD_SYSTEM_CALL, annex.unknown[i], 0, linux_has(annex.unknown[i]));
    }
}

void run_archived_program(struct trial *trial)
{
    static struct program_run run;
    const struct archived_program *program = trial->test_case->parameter;
    const struct need need = needs_of(program->name);

    if (need.four_levels && machine.levels != 4) {
        trial_skip(trial, REASON_FOUR_LEVELS, 0);
        return;
    }
    if (need.feature && !machine_has((enum cpu_feature)(need.feature - 1))) {
        trial_skip(trial, REASON_FEATURE, need.feature - 1u);
        return;
    }
    if (trial->step == 0) {
        transcript_begin(&transcript, program->name, program->log,
                         (size_t)(program->log_end - program->log), accepted, ARRAY_COUNT(accepted),
                         explained(program));
        run = (struct program_run){
            .name = program->name,
            .image = program->image,
            .bytes = (uint64_t)(program->image_end - program->image),
            .console = {.write = write_console, .context = &transcript},
            .needs = need.bytes,
            .seconds = need.seconds,
            .maps = &maps,
            .at_once = program->log == program->log_end, /* costs */
        };
    }
    if (!program_run(trial, &run)) {
        return;
    }
    transcript_end(&transcript);
    fill_annex(&run.result, run.ticks);
    judge(trial, program, &run.result);
    program_run_end(trial, &run);
}

#define PROGRAM(name_)             PROGRAM_CASE(#name_, name_, 0),
#define PROGRAM_WITHOUT_LOG(name_) PROGRAM_CASE(#name_, name_, CASE_BY_NAME),
#define BENCH(name_)
static const struct test_case cases[] = {
#include "program_list.h"
};

SUITE(programs, "the same programs as on Linux");
