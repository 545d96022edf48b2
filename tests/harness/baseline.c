/*
 * baseline.c: see baseline.h.
 *
 *   faultline baseline 1 0.1                              version of the format, of Faultline
 *   check write_protect.user_write_faults/4k.l1.user 8f...   16 digits: what differs
 *   fold walk=reserved,nxe=0 14:14 1:0 0                  vectors, error code: bits and got, flags
 *   end
 */
#include "baseline.h"

#include "annex.h"
#include "journal.h"
#include "tests/matrix/literals.h"
#include "x86/memory.h"

static struct {
    const char *text; /* lines of checks are looked up in it */
    size_t length;
    size_t next; /* where the next one is likely to be */
    uint32_t folds;
    struct accepted {
        struct conjunction where;
        struct annex_symptom symptom;
    } fold[BASELINE_FOLDS];
} baseline;

/* ---- reading --------------------------------------------------------------------------------------- */

struct line {
    const char *at;
    size_t length;
};

/* The line at *@place, without its end; *@place goes behind it. Out: false at the end of the text. */
static bool next_line(const char *text, size_t length, size_t *place, struct line *line)
{
    size_t at = *place, end;

    if (at >= length) {
        return false;
    }
    for (end = at; end < length && text[end] != '\n'; end++) {
    }
    *place = end + 1;
    if (end > at && text[end - 1] == '\r') { /* an editor may have put it there */
        end--;
    }
    *line = (struct line){text + at, end - at};
    return true;
}

/* Take @word off the front of @line. Out: false: it does not stand there. */
static bool take_word(struct line *line, const char *word)
{
    size_t i = 0;

    while (i < line->length && word[i] && line->at[i] == word[i]) {
        i++;
    }
    if (word[i]) {
        return false;
    }
    line->at += i;
    line->length -= i;
    return true;
}

/* Take a number of @base off the front. */
static bool take_number(struct line *line, unsigned base, uint32_t *number)
{
    uint64_t value = 0;
    size_t i = 0;

    for (; i < line->length; i++) {
        char byte = line->at[i];
        unsigned digit = byte >= '0' && byte <= '9'   ? (unsigned)(byte - '0')
                         : byte >= 'a' && byte <= 'f' ? (unsigned)(byte - 'a') + 10
                                                      : base;
        if (digit >= base) {
            break;
        }
        value = value * base + digit;
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *number = (uint32_t)value;
    line->at += i;
    line->length -= i;
    return i > 0;
}

static size_t word_length(const struct line *line)
{
    size_t i = 0;

    while (i < line->length && line->at[i] != ' ') {
        i++;
    }
    return i;
}

/* "walk=reserved 14:14 1:0 0" */
static bool read_fold(struct line line, struct accepted *fold)
{
    size_t length = word_length(&line);
    uint32_t expected, got, differs, seen, flags;

    if (!conjunction_parse(line.at, length, &fold->where)) {
        return false;
    }
    line.at += length;
    line.length -= length;
    if (!take_word(&line, " ") || !take_number(&line, 10, &expected) || !take_word(&line, ":") ||
        !take_number(&line, 10, &got) || !take_word(&line, " ") ||
        !take_number(&line, 16, &differs) || !take_word(&line, ":") ||
        !take_number(&line, 16, &seen) || !take_word(&line, " ") ||
        !take_number(&line, 16, &flags) || line.length || expected > UINT16_MAX ||
        got > UINT16_MAX) {
        return false;
    }
    fold->symptom = (struct annex_symptom){(uint16_t)expected, (uint16_t)got, differs, seen, flags};
    return true;
}

/* "ID 0123456789abcdef" */
static bool read_check(const struct line *line)
{
    size_t id = word_length(line), digits = 0;

    for (size_t i = id + 1; i < line->length; i++) {
        char byte = line->at[i];
        digits += (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
    }
    return id > 0 && digits == 16 && line->length == id + 1 + digits;
}

static const char *read_head(struct line line)
{
    uint32_t version;

    if (!take_word(&line, "faultline baseline ") || !take_number(&line, 10, &version)) {
        return "is no baseline";
    }
    if (version != BASELINE_VERSION || !take_word(&line, " " VERSION) || line.length) {
        return "was written by another version of Faultline";
    }
    return NULL;
}

static const char *read_lines(const char *text, size_t length)
{
    struct line line;
    size_t place = 0;
    const char *problem =
        next_line(text, length, &place, &line) ? read_head(line) : "is no baseline";

    while (!problem && next_line(text, length, &place, &line)) {
        if (take_word(&line, "end")) {
            return line.length ? "has a damaged line" : NULL;
        }
        bool good = line.length == 0 || line.at[0] == '#';
        if (take_word(&line, "check ")) {
            good = read_check(&line);
        } else if (take_word(&line, "fold ")) {
            if (baseline.folds == BASELINE_FOLDS) {
                return "lists too many folds";
            }
            good = read_fold(line, &baseline.fold[baseline.folds]);
            baseline.folds += good;
        }
        problem = good ? NULL : "has a damaged line";
    }
    return problem ? problem : "is not whole: it lacks its last line";
}

void baseline_none(void)
{
    baseline.folds = 0;
    baseline.text = NULL;
    baseline.length = baseline.next = 0;
}

const char *baseline_read(const char *text, size_t length)
{
    baseline_none();
    const char *problem = read_lines(text, length);
    if (problem) {
        baseline_none();
        return problem;
    }
    baseline.text = text;
    baseline.length = length;
    return NULL;
}

/* ---- looking up ------------------------------------------------------------------------------------ */

static bool is_fold(const struct record *record)
{
    return record_point(record) && record_point(record)->points;
}

/* What differs, as a number: fields and bits, not what was there instead. */
static uint64_t differences(const struct record *record)
{
    uint64_t hash = journal_hash(0, NULL, 0);

    for (unsigned i = 0; i < record->comparisons; i++) {
        const struct comparison *c = &record->comparison[i];
        uint64_t words[] = {c->field, c->detail, (c->expected ^ c->got) & c->mask};
        if (comparison_differs(c)) {
            hash = journal_hash(hash, words, sizeof(words));
        }
    }
    return hash;
}

/* "check ID 0123456789abcdef" */
static void write_check(struct sink *sink, const struct record *record, const char *id)
{
    sink_printf(sink, "check %s %016lx", id, differences(record));
}

bool baseline_accepts(const struct record *record, const char *id)
{
    char wanted[POINT_TEXT + 32];
    struct buffer_sink out;
    struct line line;

    if (!baseline.length || is_fold(record) || record_part(record) || record_rules(record)) {
        return false;
    }
    buffer_sink_init(&out, wanted, sizeof(wanted) - 1);
    write_check(&out.sink, record, id);
    wanted[out.length] = '\0';
    /* Results come in the order of the list: usually the next one is it. */
    for (unsigned round = 0; round < 2; round++) {
        while (next_line(baseline.text, baseline.length, &baseline.next, &line)) {
            if (line.length == out.length && take_word(&line, wanted)) {
                return true;
            }
        }
        baseline.next = 0;
    }
    return false;
}

static bool symptom_is(const struct annex_symptom *one, const struct symptom *other)
{
    struct symptom symptom;

    annex_symptom_to(one, &symptom);
    return symptom_equal(&symptom, other);
}

bool baseline_accepts_fold(const struct symptom *symptom, const struct conjunction *where)
{
    for (uint32_t i = 0; i < baseline.folds; i++) {
        if (symptom_is(&baseline.fold[i].symptom, symptom) &&
            conjunction_within(where, &baseline.fold[i].where)) {
            return true;
        }
    }
    return false;
}

bool baseline_accepts_point(const struct symptom *symptom, const uint8_t *values)
{
    for (uint32_t i = 0; i < baseline.folds; i++) {
        if (symptom_is(&baseline.fold[i].symptom, symptom) &&
            conjunction_matches(&baseline.fold[i].where, values, FOLD_AXES)) {
            return true;
        }
    }
    return false;
}

/* ---- writing --------------------------------------------------------------------------------------- */

void baseline_begin(struct sink *sink)
{
    sink_printf(sink, "faultline baseline %u %s\n", BASELINE_VERSION, VERSION);
}

static void write_fold(struct sink *sink, const struct annex_point *fold)
{
    const struct annex_symptom *s = &fold->symptom;
    char where[CONJUNCTION_TEXT];

    conjunction_text(&fold->where, where);
    sink_printf(sink, "fold %s %u:%u %x:%x %x", where, s->vector_expected, s->vector_got,
                s->error_differs, s->error_got, s->flags);
}

void baseline_record(struct sink *sink, const struct record *record, const char *id)
{
    bool failed = record->verdict == VERDICT_FAIL || record->deviation == DEVIATION_BASELINE;

    if (!failed || record_part(record) || record_rules(record)) {
        return;
    }
    if (is_fold(record)) {
        write_fold(sink, record_point(record));
    } else {
        write_check(sink, record, id);
    }
    sink_text(sink, "\n");
}

void baseline_end(struct sink *sink)
{
    sink_text(sink, "end\n");
}
