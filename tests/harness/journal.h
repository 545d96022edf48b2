/*
 * journal.h: what survives a reset: the records of a run as bytes that are appended to a file or to
 * a non-volatile variable, and reading them back when the end is torn. Pure. Manual:
 * docs/report.md.
 *
 *   unit   +-------+------+---------+--------+----------+-----+------+---------...-+
 *          | magic | type | version | length | sequence | crc | zero | payload     |
 *          +-------+------+---------+--------+----------+-----+------+---------...-+
 *            4       2      2         4        4          4     4      length, a multiple of 8
 *
 * The CRC32 covers the unit with the crc field as 0. Sequences count from 0, so that leftovers of
 * an older journal behind the end are not read.
 */
#ifndef HARNESS_JOURNAL_H
#define HARNESS_JOURNAL_H

#include "record.h"
#include "session.h"
#include "tests/report/sink.h"

#define JOURNAL_VERSION 2u

/* What a journal begins with: it is continued only by the same build with the same options. */
struct journal_header {
    uint8_t build_id[20];
    uint32_t planned;      /* checks */
    uint64_t options_hash; /* of the option texts: journal_hash() */
    uint16_t report_number;
    uint8_t pad[6];
};

/* check_ref.test_case of an ABOUT that speaks of its whole suite. */
#define JOURNAL_WHOLE_SUITE 0xffff

/* Step to the check after @check in the plan of this run. Out: false after the last. */
typedef bool journal_next_check(struct check_ref *check);

/* Checks of one case in a row with the same result and no details. */
struct journal_run {
    struct check_ref first;
    uint32_t count;
    uint8_t verdict, rule, reason, pad;
    uint16_t reason_detail, deviation;
    uint32_t pad2;
};

/* The writing side. */
struct journal {
    struct sink *sink;
    bool compact;        /* JOURNAL_VARIABLE: the details that matter, the rest as runs */
    bool full;           /* what is about to run was not written: a reset would blame another */
    size_t room;         /* bytes that the carrier still takes */
    uint32_t sequence;   /* of the next unit */
    uint32_t unrecorded; /* checks for which there was no room at all */
    journal_next_check *next;
    struct journal_run run; /* not yet written; count 0: none */
    struct check_ref last;  /* of the run */
};

/*
 * Write to @sink, at most @room bytes, the way @carrier wants it, starting with @header. NULL: go
 * on with a journal that was read back; the caller sets @journal->sequence to the reader's.
 */
void journal_begin(struct journal *journal, struct sink *sink, enum journal_carrier carrier,
                   size_t room, journal_next_check *next, const struct journal_header *header);

/*
 * A check has ended. Details are left out, and record.lost is set when it is read back, where the
 * carrier is compact and nothing went wrong, or is nearly full. Of the matrix, points, folds and
 * parts keep them: without, it would not even be known what they are.
 */
void journal_check(struct journal *journal, const struct record *record);

/*
 * @check, or all of its suite, is about to run. Everything before is in the sink when this returns,
 * unless journal->full says otherwise.
 */
void journal_about(struct journal *journal, const struct check_ref *check);

/*
 * An earlier start died in @check, a part of the matrix: parts have their results all at the end, so
 * that a later start would not know.
 */
void journal_died(struct journal *journal, const struct check_ref *check);

/* The run has ended properly: nothing is to be continued. */
void journal_end(struct journal *journal);

/* What journal_check holds back goes to the sink. */
void journal_flush(struct journal *journal);

/* The reading side: total over any bytes. */
struct journal_reader {
    const uint8_t *bytes; /* 8-aligned */
    size_t length;
    size_t at; /* what is before it is whole: after the end, where a torn tail starts */
    uint32_t sequence;
    journal_next_check *next;
    struct journal_run run; /* being spread; count: how many are still to come */
    _Alignas(8) uint8_t record[sizeof(struct record)];
};

struct journal_entry {
    enum record_kind kind;
    const struct record *record;  /* RECORD_CHECK; valid until the next call */
    struct check_ref about;       /* RECORD_ABOUT, RECORD_DIED */
    struct journal_header header; /* RECORD_HEADER */
};

void journal_read_begin(struct journal_reader *reader, const void *bytes, size_t length,
                        journal_next_check *next);

/*
 * The next entry. Out: false at the end: of the bytes, or at the first unit that is torn, damaged,
 * out of sequence, or holds numbers that no record has.
 */
bool journal_read(struct journal_reader *reader, struct journal_entry *entry) MUST_CHECK;

/* FNV-1a, 64 bits: continue @hash (0: start) over @length bytes. */
uint64_t journal_hash(uint64_t hash, const void *bytes, size_t length);

/* CRC32 as in IEEE 802.3: continue @crc (0: start) over @length bytes. */
uint32_t journal_crc32(uint32_t crc, const void *bytes, size_t length);

#endif
