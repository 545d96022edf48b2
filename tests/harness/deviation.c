/*
 * deviation.c: see deviation.h. An entry matches a rule, a machine that gave its signature, a
 * conjunction of axis values, and the exact wrong outcome.
 */
#include "deviation.h"

#include "tests/deviations.h"

static bool texts_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool deviation_applies(unsigned row, const struct machine *m)
{
    return m->emulator[0] && texts_equal(deviations[row].machine, m->emulator);
}

/* Exactly the fields that the entry names differ, in exactly its bits. */
static bool outcome_matches(const struct deviation *deviation, const struct record *record)
{
    unsigned explained = 0;

    for (unsigned i = 0; i < record->comparisons; i++) {
        const struct comparison *c = &record->comparison[i];
        bool found = false;
        if (!comparison_differs(c)) {
            continue;
        }
        for (unsigned w = 0; w < deviation->wrongs && !found; w++) {
            found = deviation->wrong[w].field == c->field &&
                    ((c->expected ^ c->got) & c->mask) == deviation->wrong[w].differs &&
                    (c->got & deviation->wrong[w].got_mask) == deviation->wrong[w].got;
            if (found && (explained & (1u << w)) == 0) {
                explained |= 1u << w;
            }
        }
        if (!found) {
            return false;
        }
    }
    return explained == (1u << deviation->wrongs) - 1;
}

static bool axis_allows(unsigned mask, unsigned value)
{
    return mask == 0 || (mask >> value) & 1;
}

uint16_t deviation_find(const struct record *record, const struct machine *m)
{
    for (unsigned row = 0; row < deviation_count; row++) {
        const struct deviation *d = &deviations[row];
        if (d->rule == record->rule && deviation_applies(row, m) &&
            axis_allows(d->accesses, record->scene.access) &&
            axis_allows(d->rings, record->check.ring) &&
            axis_allows(d->sizes, record->check.size) && outcome_matches(d, record)) {
            return (uint16_t)(row + 1);
        }
    }
    return 0;
}
