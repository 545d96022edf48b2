/*
 * deviation.c: see deviation.h. An entry matches a rule, a machine that gave its signature, a
 * conjunction of axis values, and the exact wrong outcome.
 */
#include "deviation.h"

#include "tests/deviations.h"
#include "x86/memory.h"

#define ROWS_MAX 64u
static uint64_t occurred; /* one bit a row */

void deviation_start(void)
{
    occurred = 0;
}

bool deviation_occurred(unsigned row)
{
    return row < ROWS_MAX && (occurred >> row) & 1;
}

bool deviation_applies(unsigned row, const struct machine *m)
{
    return m->emulator[0] && texts_equal(deviations[row].machine, m->emulator);
}

static bool wrong_matches(const struct deviation *d, unsigned wrong, const struct comparison *c)
{
    return d->wrong[wrong].field == c->field &&
           ((c->expected ^ c->got) & c->mask) == d->wrong[wrong].differs &&
           (c->got & d->wrong[wrong].got_mask) == d->wrong[wrong].got;
}

/*
 * Each field that @d names differs in exactly its bits. Out: which comparisons those are; 0: @d did
 * not happen here.
 */
static uint64_t explained_by(const struct deviation *d, const struct record *record)
{
    uint64_t explained = 0;

    for (unsigned w = 0; w < d->wrongs; w++) {
        uint64_t found = 0;
        for (unsigned i = 0; i < record->comparisons; i++) {
            found |= wrong_matches(d, w, &record->comparison[i]) ? BIT(i) : 0;
        }
        if (!found) {
            return 0;
        }
        explained |= found;
    }
    return explained;
}

static bool axis_allows(unsigned mask, unsigned value)
{
    return mask == 0 || (mask >> value) & 1;
}

static bool rule_allows(const struct deviation *d, unsigned rule)
{
    bool listed = d->everywhere || (!d->shown_by[0] && d->rule == rule);

    for (unsigned i = 0; i < ARRAY_COUNT(d->shown_by) && !listed; i++) {
        listed = d->shown_by[i] && d->shown_by[i] == rule;
    }
    return listed;
}

uint16_t deviation_find(const struct record *record, const struct machine *m)
{
    uint64_t differences = 0, explained = 0, rows = 0;
    uint16_t found = 0;

    _Static_assert(sizeof(differences) * 8 >= 64, "one bit a comparison");
    for (unsigned i = 0; i < record->comparisons; i++) {
        differences |= comparison_differs(&record->comparison[i]) ? BIT(i) : 0;
    }
    for (unsigned row = 0; row < deviation_count && row < ROWS_MAX; row++) {
        const struct deviation *d = &deviations[row];
        if (!deviation_applies(row, m) || !rule_allows(d, record->rule) ||
            !axis_allows(d->accesses, record->scene.access) ||
            !axis_allows(d->rings, record->check.ring) ||
            !axis_allows(d->sizes, record->check.size)) {
            continue;
        }
        uint64_t these = explained_by(d, record);
        if (!these) {
            continue;
        }
        explained |= these;
        rows |= BIT(row);
        if (!found) {
            found = (uint16_t)(row + 1);
        }
    }
    if (differences & ~explained) {
        return 0;
    }
    occurred |= rows;
    return found;
}
