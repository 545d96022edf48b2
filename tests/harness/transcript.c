/*
 * transcript.c: see transcript.h. The masks are those of tools/programs.py, with which the logs were recorded.
 */
#include "transcript.h"

#include "x86/memory.h"

static const char *const signals[] = {
    [1] = "SIGHUP",   [2] = "SIGINT",   [3] = "SIGQUIT",  [4] = "SIGILL",   [5] = "SIGTRAP",
    [6] = "SIGABRT",  [7] = "SIGBUS",   [8] = "SIGFPE",   [9] = "SIGKILL",  [10] = "SIGUSR1",
    [11] = "SIGSEGV", [12] = "SIGUSR2", [13] = "SIGPIPE", [14] = "SIGALRM", [15] = "SIGTERM",
};

void print_wait_status(struct sink *sink, uint64_t status)
{
    unsigned signal = status & 0x7f;

    if (!signal) {
        sink_printf(sink, "exit status %u", (unsigned)(status >> 8) & 0xff);
    } else if (signal < ARRAY_COUNT(signals) && signals[signal]) {
        sink_printf(sink, "killed by %s", signals[signal]);
    } else {
        sink_printf(sink, "killed by signal %u", signal);
    }
}

static size_t text_length(const char *text)
{
    size_t length = 0;

    while (text[length]) {
        length++;
    }
    return length;
}

static bool begins(const char *text, size_t length, const char *prefix)
{
    size_t wanted = text_length(prefix);

    return length >= wanted && memcmp(text, prefix, wanted) == 0;
}

static bool is_text(const char *line, size_t length, const char *text)
{
    return length == text_length(text) && memcmp(line, text, length) == 0;
}

/* Bytes up to the line's end, or to @end. */
static size_t line_length(const char *at, const char *end)
{
    size_t length = 0;

    while (at + length < end && at[length] != '\n') {
        length++;
    }
    return length;
}

static const char *line_next(const char *at, const char *end)
{
    size_t length = line_length(at, end);

    return at + length < end ? at + length + 1 : end;
}

bool transcript_status(const char *log, size_t bytes, uint32_t *status)
{
    static const char exit[] = "# end: exit status ", killed[] = "# end: killed by ";

    for (const char *at = log, *end = log + bytes; at < end && *at == '#';
         at = line_next(at, end)) {
        size_t length = line_length(at, end), i = sizeof(exit) - 1;
        if (begins(at, length, exit)) {
            uint32_t number = 0;
            for (; i < length && at[i] >= '0' && at[i] <= '9'; i++) {
                number = number * 10 + (uint32_t)(at[i] - '0');
            }
            *status = number << 8;
            return i == length && length > sizeof(exit) - 1 && number <= 255;
        }
        for (unsigned signal = 1; begins(at, length, killed) && signal < ARRAY_COUNT(signals);
             signal++) {
            if (is_text(at + sizeof(killed) - 1, length - (sizeof(killed) - 1), signals[signal])) {
                *status = signal;
                return true;
            }
        }
    }
    return false;
}

/* ---- masks ----------------------------------------------------------------------------------------- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Pass over at least one hexadecimal digit. Out: NULL where there is none. */
static const char *pass_hex(const char *at)
{
    const char *from = at;

    while (at && is_hex(*at)) {
        at++;
    }
    return at == from ? NULL : at;
}

static const char *pass(const char *at, char c)
{
    return at && *at == c ? at + 1 : NULL;
}

static const char *pass_rights(const char *at)
{
    static const char letters[4][3] = {"r-", "w-", "x-", "ps"};

    for (unsigned i = 0; at && i < 4; i++) {
        at = *at == letters[i][0] || *at == letters[i][1] ? at + 1 : NULL;
    }
    return at;
}

/* A page of the kernel's own, of which there may be more or fewer elsewhere. */
static bool is_kernel_page(const char *name)
{
    return texts_equal(name, "[vdso]") || texts_equal(name, "[vsyscall]") ||
           begins(name, text_length(name), "[vvar");
}

/* "/programs/NAME" at the end of the path @name, or @name. */
static const char *masked_path(const char *name)
{
    static const char folder[] = "/programs/";
    const char *found = name, *last = name;

    for (const char *at = name; name[0] == '/' && *at; at++) {
        last = *at == '/' ? at : last;
        found = begins(at, text_length(at), folder) ? at : found;
    }
    return found + sizeof(folder) - 2 == last ? found : name;
}

/*
 * A line of /proc/self/maps: device and inode of a file as words, runs of spaces as one. Out: false: the
 * line does not count.
 */
static bool mask_line(char line[TRANSCRIPT_LINE + 1])
{
    char masked[TRANSCRIPT_LINE + 1];
    struct buffer_sink out;
    const char *at = line, *device, *inode, *inode_end;

    while (*at == ' ') {
        at++;
    }
    at = pass(pass_hex(at), '-');
    at = pass(pass_hex(at), ' ');
    at = pass(pass_rights(at), ' ');
    at = device = pass(pass_hex(at), ' ');
    at = pass(pass_hex(at), ':');
    at = inode = pass(pass_hex(at), ' ');
    at = inode_end = pass_hex(at);
    if (!at || (*at && *at != ' ')) {
        return true; /* another kind of line */
    }
    while (*at == ' ') {
        at++;
    }
    if (is_kernel_page(at)) {
        return false;
    }
    buffer_sink_init(&out, masked, sizeof(masked) - 1);
    sink_write(&out.sink, line, (size_t)(device - line));
    sink_text(&out.sink, inode_end == inode + 1 && *inode == '0' ? "00:00 0" : "DEVICE INODE");
    if (*at) {
        sink_text(&out.sink, " ");
        sink_text(&out.sink, masked_path(at));
    }
    masked[out.length] = '\0';
    memcpy(line, masked, out.length + 1);
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------------- */

void transcript_begin(struct transcript *t, const char *program, const char *log, size_t bytes,
                      const struct accepted_line *accepted, uint32_t accepted_count,
                      struct sink *shown)
{
    const char *end = log + bytes;

    memset(t, 0, sizeof(*t));
    t->program = program;
    t->accepted = accepted;
    t->accepted_count = accepted_count < ACCEPTED_MAX ? accepted_count : ACCEPTED_MAX;
    t->shown = shown;
    t->has_log = bytes > 0;
    while (log < end && !is_text(log, line_length(log, end), "#")) {
        log = line_next(log, end);
        t->line++;
    }
    t->line += log < end;
    t->log = line_next(log, end);
    t->end = end;
    for (const char *at = t->log; at < end; at = line_next(at, end)) {
        t->lines++;
    }
}

/* A line in the side-by-side text: its number in the log's file, and whose it is: ' ' both, '-' Linux's, '+' here. */
static void show(struct transcript *t, uint32_t number, char whose, const char *line, size_t length)
{
    if (!t->shown) {
        return;
    }
    if (number) {
        sink_printf(t->shown, "%6u %c ", number, whose);
    } else {
        sink_printf(t->shown, "       %c ", whose);
    }
    sink_write(t->shown, line, length);
    sink_text(t->shown, "\n");
}

static void keep(char *to, const char *line, size_t length)
{
    length = length < TRANSCRIPT_LINE ? length : TRANSCRIPT_LINE;
    memcpy(to, line, length);
    to[length] = '\0';
}

/* The first time: remember Linux's line at t->log, unless it has ended, and @got, unless it is NULL. */
static void note_difference(struct transcript *t, const char *got, size_t length)
{
    if (t->differs) {
        return;
    }
    t->differs = true;
    t->differing_line = t->line + 1;
    t->has_expected = t->log < t->end;
    t->has_got = got != NULL;
    if (t->has_expected) {
        keep(t->expected, t->log, line_length(t->log, t->end));
    }
    if (t->has_got) {
        keep(t->got, got, length);
    }
}

/* Leave the log's line behind. */
static void pass_log_line(struct transcript *t)
{
    t->log = line_next(t->log, t->end);
    t->line++;
}

static bool log_line_is(const struct transcript *t, const char *at, const char *line, size_t length)
{
    return at < t->end && line_length(at, t->end) == length && memcmp(at, line, length) == 0;
}

/* The row that accepts Linux's line at t->log, or none, as @line here, or none. Out: false: no row does. */
static bool is_accepted(struct transcript *t, bool linux_line, const char *line, size_t length)
{
    size_t logged = linux_line ? line_length(t->log, t->end) : 0;

    for (uint32_t i = 0; i < t->accepted_count; i++) {
        const struct accepted_line *row = &t->accepted[i];
        bool same = texts_equal(row->program, t->program) && !row->linux_line == !linux_line &&
                    !row->other == !line;
        if (same && (!linux_line || is_text(t->log, logged, row->linux_line)) &&
            (!line || is_text(line, length, row->other))) {
            t->accepted_met |= UINT64_C(1) << i;
            return true;
        }
    }
    return false;
}

/* How far ahead in the log a line is looked for after a difference, so that later lines stand beside theirs. */
#define LINES_AHEAD 40u

/* Pass over lines of the log that are missing here, if @line is one of the next. */
static void catch_up(struct transcript *t, const char *line, size_t length)
{
    const char *at = t->log;

    for (unsigned i = 0; i < LINES_AHEAD && at < t->end && !log_line_is(t, at, line, length); i++) {
        at = line_next(at, t->end);
    }
    while (log_line_is(t, at, line, length) && t->log < at) {
        show(t, t->line + 1, '-', t->log, line_length(t->log, t->end));
        pass_log_line(t);
    }
}

static void take_line(struct transcript *t)
{
    static const char lacks[] = "lacks ";
    const char *line = t->text;

    if (!mask_line(t->text)) {
        return;
    }
    size_t length = text_length(line);
    t->written++;
    if (begins(line, length, lacks) && !t->lacks[0]) {
        size_t kept = length - (sizeof(lacks) - 1);
        kept = kept < sizeof(t->lacks) - 1 ? kept : sizeof(t->lacks) - 1;
        memcpy(t->lacks, line + sizeof(lacks) - 1, kept);
    }
    if (!t->has_log) {
        if (t->shown) {
            sink_printf(t->shown, "# %s: %s\n", t->program, line);
        }
        return;
    }
    while (t->log < t->end && !log_line_is(t, t->log, line, length) &&
           is_accepted(t, true, NULL, 0)) {
        show(t, t->line + 1, '~', t->log, line_length(t->log, t->end));
        t->matched++;
        pass_log_line(t);
    }
    if (!t->too_long && t->log < t->end && !log_line_is(t, t->log, line, length) &&
        is_accepted(t, true, line, length)) {
        show(t, t->line + 1, '~', line, length);
        t->matched++;
        pass_log_line(t);
        return;
    }
    if (!log_line_is(t, t->log, line, length) && is_accepted(t, false, line, length)) {
        show(t, 0, '~', line, length);
        return;
    }
    if (t->too_long || !log_line_is(t, t->log, line, length)) {
        note_difference(t, line, length);
        catch_up(t, line, length);
    }
    if (!t->too_long && log_line_is(t, t->log, line, length)) {
        show(t, t->line + 1, ' ', line, length);
        t->matched++;
        pass_log_line(t);
    } else {
        show(t, 0, '+', line, length);
    }
}

void transcript_write(struct transcript *t, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != '\n' && t->length == TRANSCRIPT_LINE) {
            t->too_long = true;
        } else if (bytes[i] != '\n') {
            bool printable = (uint8_t)bytes[i] >= ' ' && (uint8_t)bytes[i] < 0x7f;
            t->text[t->length++] = printable ? bytes[i] : '?';
        } else {
            t->text[t->length] = '\0';
            take_line(t);
            t->length = 0;
            t->too_long = false;
        }
    }
}

void transcript_end(struct transcript *t)
{
    if (t->length) { /* a last line without its end: Linux's log would have ended it */
        transcript_write(t, "\n", 1);
    }
    while (t->log < t->end) {
        bool accepted = is_accepted(t, true, NULL, 0);
        if (!accepted) {
            note_difference(t, NULL, 0);
        }
        t->matched += accepted;
        show(t, t->line + 1, accepted ? '~' : '-', t->log, line_length(t->log, t->end));
        pass_log_line(t);
    }
}

uint32_t transcript_stale(const struct transcript *t)
{
    uint32_t stale = 0;

    for (uint32_t i = 0; i < t->accepted_count; i++) {
        stale += texts_equal(t->accepted[i].program, t->program) && !((t->accepted_met >> i) & 1);
    }
    return stale;
}
