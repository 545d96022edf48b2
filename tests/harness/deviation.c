/*
 * deviation.c: see deviation.h. An entry matches a rule, a machine that gave its signature, a
 * conjunction of axis values, and the exact wrong outcome.
 */
#include "deviation.h"

#include "annex.h"
#include "baseline.h"
#include "tests/deviations.h"
#include "tests/matrix/literals.h"
#include "x86/memory.h"

#define ROWS_MAX   64u
#define POINTS_MAX ARRAY_COUNT(((struct deviation *)0)->points)

static uint64_t occurred; /* one bit a row */
/* Of each row's points: where they are. What cannot be read (a host test forbids it) never holds. */
static struct where {
    struct literals literals;
    bool readable;
} where[ROWS_MAX][POINTS_MAX];

static size_t text_length(const char *text)
{
    size_t length = 0;

    while (text[length]) {
        length++;
    }
    return length;
}

void deviation_start(void)
{
    occurred = 0;
    for (unsigned row = 0; row < deviation_count && row < ROWS_MAX; row++) {
        for (unsigned i = 0; i < POINTS_MAX; i++) {
            const char *text = deviations[row].points[i].where;
            where[row][i].readable =
                text && literals_parse(text, text_length(text), &where[row][i].literals);
        }
    }
}

bool deviation_is_for(unsigned row, bool matrix)
{
    return matrix ? deviations[row].points[0].where != NULL : deviations[row].wrongs != 0;
}

bool deviation_occurred(unsigned row)
{
    return row < ROWS_MAX && (occurred >> row) & 1;
}

bool deviation_applies(unsigned row, const struct machine *m)
{
    const struct deviation *d = &deviations[row];

    return m->emulator[0] && texts_equal(d->machine, m->emulator) &&
           (d->vendors == 0 || (d->vendors >> m->vendor) & 1);
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

/* ---- points of the matrix -------------------------------------------------------------------------- */

#define VECTOR_DIFFERS BIT(31) /* beside the flags of struct annex_symptom */

static uint32_t flags_of(const struct annex_symptom *symptom)
{
    return symptom->flags |
           (symptom->vector_expected != symptom->vector_got ? (uint32_t)VECTOR_DIFFERS : 0);
}

/* All that differs by @part differs in the same way by @whole, too. */
static bool is_part(const struct annex_symptom *part, const struct annex_symptom *whole)
{
    uint32_t flags = flags_of(part);

    return !(flags & ~flags_of(whole)) && !(part->error_differs & ~whole->error_differs) &&
           part->error_got == (whole->error_got & part->error_differs) &&
           (!(flags & VECTOR_DIFFERS) || (part->vector_expected == whole->vector_expected &&
                                          part->vector_got == whole->vector_got));
}

/* The rows that apply to @m and hold at @values, whose symptoms together are @symptom. */
static uint16_t find_rows(const struct symptom *symptom, const uint8_t *values,
                          const struct machine *m)
{
    struct annex_symptom whole, part;
    uint32_t flags = 0, error = 0;
    uint64_t rows = 0;
    uint16_t first = 0;

    annex_symptom_from(symptom, &whole);
    for (unsigned i = 0; i < deviation_count * POINTS_MAX && i < ROWS_MAX * POINTS_MAX; i++) {
        unsigned row = i / (unsigned)POINTS_MAX, n = i % (unsigned)POINTS_MAX;
        /* A sweep asks millions of times: what is quickest to say no comes first. */
        if (!where[row][n].readable || !literals_hold(&where[row][n].literals, values)) {
            continue;
        }
        annex_symptom_from(&deviations[row].points[n].symptom, &part);
        if (!is_part(&part, &whole) || !deviation_applies(row, m)) {
            continue;
        }
        flags |= flags_of(&part);
        error |= part.error_differs;
        rows |= BIT(row);
        first = first ? first : (uint16_t)(row + 1);
    }
    if (flags != flags_of(&whole) || error != whole.error_differs) {
        return 0;
    }
    occurred |= rows;
    return first;
}

uint16_t deviation_find_point(const struct symptom *symptom, const uint8_t *values,
                              const struct machine *m)
{
    uint16_t found = find_rows(symptom, values, m);

    return !found && baseline_accepts_point(symptom, values) ? DEVIATION_BASELINE : found;
}

uint16_t deviation_find_fold(const struct symptom *symptom, const struct conjunction *fold,
                             const struct machine *m)
{
    /* literals_cover(): an axis that the fold does not name is in no set of values. */
    uint16_t found = find_rows(symptom, fold->value, m);

    return !found && baseline_accepts_fold(symptom, fold) ? DEVIATION_BASELINE : found;
}
