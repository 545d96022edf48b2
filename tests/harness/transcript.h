/*
 * transcript.h: what a program writes, compared with Linux's log of it while it comes. Pure.
 *
 * A log (tests/programs/README.md) has a head, "# word: text" each line, "# end: ..." among them; then a line
 * "#", then what the program wrote on Linux, already masked. Output here is masked in the same way, line by line.
 */
#ifndef HARNESS_TRANSCRIPT_H
#define HARNESS_TRANSCRIPT_H

#include "tests/report/sink.h"

#define TRANSCRIPT_LINE 512u /* bytes of a line that are looked at; longer ones differ from any */

/* A line of Linux's log that may be another line here; NULL: there is no such line. */
struct accepted_line {
    const char *program, *linux_line, *other;
};
#define ACCEPTED_MAX 64u /* rows that a transcript can keep apart */

struct transcript {
    const char *log, *end; /* what is still to come of the log */
    const char *program;
    const struct accepted_line *accepted;
    uint32_t accepted_count;
    uint64_t accepted_met; /* a bit each */
    struct sink *shown;    /* both, side by side, or NULL */
    bool has_log;
    bool differs;
    uint32_t line;           /* of the log's file, the last one that was passed */
    uint32_t lines, matched; /* of the log, heads apart; those that are here, too */
    uint32_t written;        /* lines of the program's own */

    /* The first difference. */
    uint32_t differing_line; /* of the log's file */
    bool has_expected, has_got;
    char expected[TRANSCRIPT_LINE + 1], got[TRANSCRIPT_LINE + 1];

    char lacks[64]; /* what the program says that it needs and does not find; empty: nothing */
    char text[TRANSCRIPT_LINE + 1]; /* the line that is being written */
    size_t length;
    bool too_long;
};

/*
 * Begin with @bytes of @log, 0: there is none, and nothing is compared. @accepted, of which rows of
 * other programs are passed over, lives as long as the transcript. @shown: where both are shown side by side,
 * or NULL.
 */
void transcript_begin(struct transcript *transcript, const char *program, const char *log,
                      size_t bytes, const struct accepted_line *accepted, uint32_t accepted_count,
                      struct sink *shown);

/* The program writes. */
void transcript_write(struct transcript *transcript, const char *bytes, size_t count);

/* It has ended: what is left of the log is missing. */
void transcript_end(struct transcript *transcript);

/* How many rows of accepted differences are about this program, but were not met. */
uint32_t transcript_stale(const struct transcript *transcript);

/*
 * How the program ended on Linux, as wait4 would give it ("# end: exit status 0" is 0). Out: false: the log
 * does not say, or in words that nobody knows.
 */
bool transcript_status(const char *log, size_t bytes, uint32_t *status) MUST_CHECK;

/* "exit status 0", "killed by SIGSEGV" */
void print_wait_status(struct sink *sink, uint64_t status);

#endif
