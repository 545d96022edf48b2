/*
 * coverage.c: see coverage.h.
 */
#include "coverage.h"

#include "rules.h"
#include "x86/memory.h"

static uint32_t counts[RULE_COUNT];

void coverage_start(void)
{
    memset(counts, 0, sizeof(counts));
}

void coverage_note(const struct record *record)
{
    if (record->verdict != VERDICT_SKIP && record->verdict != VERDICT_ERROR &&
        record->rule < RULE_COUNT) {
        counts[record->rule]++;
    }
}

uint32_t coverage_count(unsigned rule)
{
    return rule < RULE_COUNT ? counts[rule] : 0;
}
