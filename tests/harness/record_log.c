/*
 * record_log.c: an append-only list of records, with counts.
 */
#include "record_log.h"

#include <string.h>

#include "rules.h"

/* A record's parts follow each other without gaps, each at a multiple of 8. */
_Static_assert(sizeof(struct record) % 8 == 0 && sizeof(struct comparison) % 8 == 0 &&
                   sizeof(struct oops) % 8 == 0,
               "comparisons and the oops of a record are 8-aligned");

static bool walk_valid(const struct walk_picture *walk)
{
    return walk->levels <= LEVELS_MAX && walk->last <= LEVELS_MAX;
}

bool record_valid(const struct record *record, size_t length)
{
    if (length < sizeof(*record) || record->bytes != length || record->has_oops > 1 ||
        record->annex >= ANNEX_COUNT ||
        record->bytes != record_size(record->comparisons, record->has_oops, record->annex))
        return false;
    if (record->kind < RECORD_CHECK || record->kind > RECORD_DIED ||
        record->verdict >= VERDICT_COUNT || record->rule >= RULE_COUNT ||
        record->reason >= REASON_COUNT || record->check.size > SIZE_NONE ||
        record->check.level > LEVELS_MAX || record->check.ring > RING_NONE)
        return false;
    const struct scene *scene = &record->scene;
    if (scene->present && (scene->levels < 4 || scene->levels > LEVELS_MAX || scene->leaf < 1 ||
                           scene->leaf > LEVEL_LEAF_MAX || scene->access > ACCESS_NONE))
        return false;
    for (unsigned i = 0; i < record->comparisons; i++)
        if (record->comparison[i].field >= FIELD_COUNT)
            return false;
    if (!annex_valid(record))
        return false;
    const struct oops *oops = record_oops(record);
    return oops == NULL || (oops->reason < OOPS_REASON_COUNT && oops->code_count <= OOPS_CODE &&
                            oops->trace_count <= OOPS_TRACE && walk_valid(&oops->cr2_walk) &&
                            walk_valid(&oops->rip_walk));
}

void record_log_init(struct record_log *log, void *memory, size_t capacity)
{
    memset(log, 0, sizeof(*log));
    log->bytes = memory;
    log->capacity = capacity;
}

bool record_log_append(struct record_log *log, const struct record *record)
{
    log->totals[record->verdict]++;
    if (record->check.suite < LOG_SUITES)
        log->suite_totals[record->check.suite][record->verdict]++;
    if (record->bytes > log->capacity - log->length) {
        log->dropped++;
        return false;
    }
    memcpy(log->bytes + log->length, record, record->bytes);
    log->length += record->bytes;
    log->kept++;
    return true;
}

const struct record *record_log_next(const struct record_log *log, const struct record *record)
{
    size_t next =
        record == NULL ? 0 : (size_t)((const uint8_t *)record - log->bytes) + record->bytes;
    return next < log->length ? (const struct record *)(log->bytes + next) : NULL;
}

bool check_ref_equal(const struct check_ref *a, const struct check_ref *b)
{
    return memcmp(a, b, sizeof(*a)) == 0; /* 8 bytes without padding */
}
_Static_assert(sizeof(struct check_ref) == 8, "check_ref has padding");

const struct record *record_log_find(const struct record_log *log, const struct check_ref *check)
{
    const struct record *found = NULL;
    for (const struct record *r = record_log_next(log, NULL); r != NULL;
         r = record_log_next(log, r))
        if (check_ref_equal(&r->check, check))
            found = r;
    return found;
}
