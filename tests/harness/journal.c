/*
 * journal.c: records as bytes that survive a reset, and back.
 */
#include "journal.h"

#include <string.h>

#include "record_log.h"
#include "rules.h"

#define JOURNAL_MAGIC 0x4a544c46u /* "FLTJ" */
/* Room that details never take: for runs, and for the ABOUT and END that everything depends on. */
#define JOURNAL_RESERVE 2048u
#define RUN_RESERVE     256u

enum unit_type { UNIT_HEADER = 1, UNIT_RECORD, UNIT_RUN, UNIT_ABOUT, UNIT_END, UNIT_DIED };

struct unit {
    uint32_t magic;
    uint16_t type, version;
    uint32_t length, sequence, crc, zero;
};
_Static_assert(sizeof(struct unit) == 24 && sizeof(struct journal_run) % 8 == 0 &&
                   sizeof(struct journal_header) % 8 == 0 && sizeof(struct check_ref) % 8 == 0,
               "a unit keeps the next one 8-aligned");

uint32_t journal_crc32(uint32_t crc, const void *bytes, size_t length)
{
    static const uint32_t nibbles[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                         0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                         0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                         0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *byte = bytes;
    crc = ~crc;
    while (length-- > 0) {
        crc ^= *byte++;
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

uint64_t journal_hash(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;
    if (hash == 0)
        hash = UINT64_C(0xcbf29ce484222325);
    while (length-- > 0)
        hash = (hash ^ *byte++) * UINT64_C(0x100000001b3);
    return hash;
}

/* Out: false when @reserve bytes would not be left behind it; nothing is written then. */
static bool write_unit(struct journal *journal, enum unit_type type, const void *payload,
                       size_t length, size_t reserve)
{
    struct unit unit = {.magic = JOURNAL_MAGIC,
                        .type = (uint16_t)type,
                        .version = JOURNAL_VERSION,
                        .length = (uint32_t)length,
                        .sequence = journal->sequence};
    if (journal->room < sizeof(unit) + length + reserve)
        return false;
    unit.crc = journal_crc32(journal_crc32(0, &unit, sizeof(unit)), payload, length);
    sink_write(journal->sink, (const char *)&unit, sizeof(unit));
    sink_write(journal->sink, payload, length);
    journal->room -= sizeof(unit) + length;
    journal->sequence++;
    return true;
}

void journal_begin(struct journal *journal, struct sink *sink, enum journal_carrier carrier,
                   size_t room, journal_next_check *next, const struct journal_header *header)
{
    memset(journal, 0, sizeof(*journal));
    journal->sink = sink;
    journal->compact = carrier == JOURNAL_VARIABLE;
    journal->room = carrier == JOURNAL_NONE ? 0 : room;
    journal->next = next;
    if (header != NULL)
        write_unit(journal, UNIT_HEADER, header, sizeof(*header), 0);
}

void journal_flush(struct journal *journal)
{
    if (journal->run.count == 0)
        return;
    if (!write_unit(journal, UNIT_RUN, &journal->run, sizeof(journal->run), RUN_RESERVE))
        journal->unrecorded += journal->run.count;
    journal->run.count = 0;
}

/* Does @record go on where the run stopped, with the same result? */
static bool run_goes_on(struct journal *journal, const struct journal_run *run)
{
    const struct journal_run *open = &journal->run;
    struct check_ref next = journal->last;
    return open->count > 0 && open->verdict == run->verdict && open->rule == run->rule &&
           open->reason == run->reason && open->reason_detail == run->reason_detail &&
           open->deviation == run->deviation && journal->next != NULL && journal->next(&next) &&
           check_ref_equal(&next, &run->first);
}

static void add_to_run(struct journal *journal, const struct record *record)
{
    struct journal_run run = {.first = record->check,
                              .count = 1,
                              .verdict = record->verdict,
                              .rule = record->rule,
                              .reason = record->reason,
                              .reason_detail = record->reason_detail,
                              .deviation = record->deviation};
    if (run_goes_on(journal, &run)) {
        journal->run.count++;
    } else {
        journal_flush(journal);
        journal->run = run;
    }
    journal->last = record->check;
}

void journal_check(struct journal *journal, const struct record *record)
{
    bool details = !journal->compact || record->verdict > VERDICT_KNOWN ||
                   record->annex == ANNEX_POINT || record->annex == ANNEX_PART;
    if (details) {
        journal_flush(journal);
        details = write_unit(journal, UNIT_RECORD, record, record->bytes, JOURNAL_RESERVE);
    }
    if (!details)
        add_to_run(journal, record);
}

void journal_about(struct journal *journal, const struct check_ref *check)
{
    journal_flush(journal);
    if (journal->unrecorded > 0 ||
        !write_unit(journal, UNIT_ABOUT, check, sizeof(*check), sizeof(struct unit)))
        journal->full = true;
}

void journal_died(struct journal *journal, const struct check_ref *check)
{
    journal_flush(journal);
    write_unit(journal, UNIT_DIED, check, sizeof(*check), sizeof(struct unit));
}

void journal_end(struct journal *journal)
{
    journal_flush(journal);
    write_unit(journal, UNIT_END, NULL, 0, 0);
}

void journal_read_begin(struct journal_reader *reader, const void *bytes, size_t length,
                        journal_next_check *next)
{
    memset(reader, 0, sizeof(*reader));
    reader->bytes = bytes;
    reader->length = (uintptr_t)bytes % 8 == 0 ? length : 0;
    reader->next = next;
}

/* The whole, undamaged unit at reader->at. Out: false where there is none. */
static bool find_unit(const struct journal_reader *reader, struct unit *unit)
{
    size_t left = reader->length - reader->at;
    if (left < sizeof(*unit))
        return false;
    memcpy(unit, reader->bytes + reader->at, sizeof(*unit));
    if (unit->magic != JOURNAL_MAGIC || unit->version != JOURNAL_VERSION || unit->zero != 0 ||
        unit->sequence != reader->sequence || unit->length % 8 != 0 ||
        unit->length > left - sizeof(*unit))
        return false;
    uint32_t crc = unit->crc;
    unit->crc = 0;
    return journal_crc32(journal_crc32(0, unit, sizeof(*unit)),
                         reader->bytes + reader->at + sizeof(*unit), unit->length) == crc;
}

/* The next check of the run that is being spread, as a record without details. */
static const struct record *spread_run(struct journal_reader *reader)
{
    struct journal_run *run = &reader->run;
    struct record *record = (struct record *)reader->record;
    *record = (struct record){.bytes = (uint32_t)record_size(0, false, ANNEX_NONE),
                              .kind = RECORD_CHECK,
                              .verdict = run->verdict,
                              .rule = run->rule,
                              .reason = run->reason,
                              .reason_detail = run->reason_detail,
                              .deviation = run->deviation,
                              .lost = 1,
                              .check = run->first};
    if (!record_valid(record, record->bytes))
        return NULL;
    run->count--;
    if (run->count > 0 && (reader->next == NULL || !reader->next(&run->first)))
        run->count = 0;
    return record;
}

bool journal_read(struct journal_reader *reader, struct journal_entry *entry)
{
    struct unit unit;
    const uint8_t *payload = NULL;
    *entry = (struct journal_entry){.kind = RECORD_CHECK};

    if (reader->run.count == 0) {
        if (!find_unit(reader, &unit))
            return false;
        payload = reader->bytes + reader->at + sizeof(unit);
        switch (unit.type) {
        case UNIT_HEADER:
            if (unit.length != sizeof(entry->header))
                return false;
            entry->kind = RECORD_HEADER;
            memcpy(&entry->header, payload, unit.length);
            break;
        case UNIT_RECORD:
            entry->record = (const struct record *)payload;
            if (!record_valid(entry->record, unit.length) || entry->record->kind != RECORD_CHECK)
                return false;
            break;
        case UNIT_RUN:
            if (unit.length != sizeof(reader->run))
                return false;
            memcpy(&reader->run, payload, unit.length);
            if (reader->run.count == 0)
                return false;
            break;
        case UNIT_ABOUT:
        case UNIT_DIED:
            if (unit.length != sizeof(entry->about))
                return false;
            entry->kind = unit.type == UNIT_ABOUT ? RECORD_ABOUT : RECORD_DIED;
            memcpy(&entry->about, payload, unit.length);
            break;
        case UNIT_END:
            entry->kind = RECORD_END;
            break;
        default:
            return false;
        }
    }
    if (reader->run.count > 0) {
        entry->record = spread_run(reader);
        if (entry->record == NULL) {
            reader->run.count = 0;
            return false;
        }
    }
    if (payload != NULL) {
        reader->at += sizeof(unit) + unit.length;
        reader->sequence++;
    }
    return true;
}
