/*
 * matrix_text.c: see matrix_text.h.
 */
#include "matrix_text.h"

#include "tests/harness/record_names.h"
#include "tests/matrix/literals.h"
#include "text.h"

/* ---- points ---------------------------------------------------------------------------------------- */

static const char *const places[PLACE_COUNT] = {
    [PLACE_IN] = "",
    [PLACE_FIRST] = ", across the edge between two pages, the lower one under test",
    [PLACE_SECOND] = ", across the edge between two pages, the upper one under test",
    [PLACE_BOTH] = ", across the edge between two pages, both under test",
    [PLACE_HOLE] = ", which is not canonical",
    [PLACE_OVER] = ", which runs over the canonical boundary",
};

void text_point_access(struct sink *sink, const struct annex_point *point)
{
    const uint8_t *v = point->point.value;

    sink_printf(sink, "ring %s %s", axis_value(AXIS_RING, v[AXIS_RING]),
                axis_value(AXIS_ACCESS, v[AXIS_ACCESS]));
    if (!(point->flags & POINT_RAN))
        return;
    sink_printf(sink, " of %u byte%s at %016lx%s", point->bytes, point->bytes == 1 ? "" : "s",
                point->address, places[v[AXIS_PLACE]]);
    if (access_rows[v[AXIS_ACCESS]].implicit)
        sink_text(sink, " (implicit supervisor access)");
}

/* Pages whose walks are shown; a point that never ran has none. */
static unsigned shown_pages(const struct annex_point *point)
{
    return point->flags & POINT_RAN ? point->used & 3u : 0;
}

unsigned point_entries(const struct annex_point *point)
{
    unsigned pages = shown_pages(point);
    unsigned walks = (pages & 1) + (pages >> 1);

    return walks * (point->levels - point->leaf + 1u);
}

void text_point_entry(struct sink *sink, const struct annex_point *point, unsigned number,
                      bool after)
{
    unsigned each = point->levels - point->leaf + 1u, pages = shown_pages(point);
    unsigned page = pages == 2 ? 1 : number / each;
    unsigned level = point->levels - number % each;
    pte_t before = point->before[page][level - 1], then = point->after[page][level - 1];

    if (pages == 3)
        sink_text(sink, page ? "above " : "below ");
    text_walk_entry(sink, before, level);
    if (after && then != before) {
        sink_text(sink, " -> ");
        print_entry(sink, then, level);
    }
}

/* ", A=1 PML4E PDPTE": the entries of @levels in @mask whose bit is @value. */
static void print_bits(struct sink *sink, char name, unsigned value, unsigned bits, unsigned mask,
                       unsigned levels)
{
    unsigned which = (value ? bits : ~bits) & mask;

    for (unsigned level = levels, any = 0; level >= 1; level--)
        if ((which >> (level - 1)) & 1) {
            if (!any++)
                sink_printf(sink, ", %c=%u", name, value);
            sink_printf(sink, " %s", entry_name(level));
        }
}

/* What is expected of A and D; of the second walk behind "next page:". */
static void print_allowed_bits(struct sink *sink, const struct annex_point *point,
                               const struct model_outcome *outcome)
{
    for (unsigned walk = 0; walk < 2; walk++) {
        const struct model_bits *bits = &outcome->walk[walk];
        if (!bits->accessed_mask && !bits->dirty_mask)
            continue;
        sink_text(sink, walk ? "; next page" : "");
        for (unsigned value = 2; value-- > 0;)
            print_bits(sink, 'A', value, bits->accessed, bits->accessed_mask, point->levels);
        for (unsigned value = 2; value-- > 0;)
            print_bits(sink, 'D', value, bits->dirty, bits->dirty_mask, point->levels);
    }
}

void text_point_allowed(struct sink *sink, const struct annex_point *point, unsigned number)
{
    const struct model_outcome *outcome = &point->outcome[number];

    print_vector(sink, outcome->vector);
    if (outcome->vector != MODEL_NO_FAULT) {
        sink_text(sink, ", error code ");
        print_error_code(sink, outcome->vector, outcome->error & outcome->error_mask);
        if (outcome->error_mask != UINT32_MAX)
            sink_printf(sink, " (bits %x)", outcome->error_mask);
        sink_printf(sink, ", CR2 %016lx", outcome->cr2 & outcome->cr2_mask);
        if (outcome->cr2_mask != UINT64_MAX)
            sink_printf(sink, " (bits %lx)", outcome->cr2_mask);
    }
    print_allowed_bits(sink, point, outcome);
}

void text_point_got(struct sink *sink, const struct annex_point *point)
{
    print_vector(sink, point->got_vector);
    if (point->got_vector != MODEL_NO_FAULT) {
        sink_text(sink, ", error code ");
        print_error_code(sink, point->got_vector, point->got_error);
        sink_printf(sink, ", CR2 %016lx", point->got_cr2);
    }
}

/* ---- symptoms and folds ---------------------------------------------------------------------------- */

static const char *between(unsigned *printed)
{
    return (*printed)++ ? ", " : "";
}

static void print_error_bits(struct sink *sink, const struct annex_symptom *symptom,
                             unsigned *printed)
{
    static const char *const names[] = {"P", "W", "U", "RSVD", "I", "PK", "SS"};

    for (unsigned bit = 0; bit < 32; bit++) {
        if (!((symptom->error_differs >> bit) & 1))
            continue;
        sink_text(sink, between(printed));
        if (bit < ARRAY_COUNT(names))
            sink_text(sink, names[bit]);
        else
            sink_printf(sink, "bit %u", bit);
        sink_printf(sink, " %s in the error code",
                    (symptom->error_got >> bit) & 1 ? "too many" : "missing");
    }
}

void text_symptom(struct sink *sink, const struct annex_symptom *symptom)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } rows[] = {
        {SYMPTOM_CR2,        "CR2 wrong"                    },
        {SYMPTOM_A_MISSING,  "A missing"                    },
        {SYMPTOM_A_EXTRA,    "A too many"                   },
        {SYMPTOM_D_MISSING,  "D missing"                    },
        {SYMPTOM_D_EXTRA,    "D too many"                   },
        {SYMPTOM_OTHER_BITS, "other bits of entries changed"},
        {SYMPTOM_RIP,        "reported from elsewhere"      },
        {SYMPTOM_MEMORY,     "wrong data"                   },
    };
    unsigned printed = 0;

    if (symptom->vector_expected != symptom->vector_got) {
        sink_text(sink, between(&printed));
        print_vector(sink, symptom->vector_got);
        sink_text(sink, " instead of ");
        print_vector(sink, symptom->vector_expected);
    }
    print_error_bits(sink, symptom, &printed);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (symptom->flags & rows[i].flag)
            sink_printf(sink, "%s%s", between(&printed), rows[i].text);
    if (!printed)
        sink_text(sink, "nothing that has a name");
}

void text_fold(struct sink *sink, const struct annex_point *point)
{
    char where[CONJUNCTION_TEXT];

    conjunction_text(&point->where, where);
    sink_printf(sink, "%s covers %lu failing point%s", where, point->points,
                point->points == 1 ? "" : "s");
    if (!(point->flags & POINT_REPEATS))
        sink_text(sink, "; the one shown did not fail again when it was made alone");
}

void text_row(struct sink *sink, unsigned row)
{
    sink_cell(sink, model_rows[row].number, 10);
    sink_text(sink, model_rows[row].what);
}

/* ---- parts, rules, fingerprint --------------------------------------------------------------------- */

void text_part(struct sink *sink, const struct annex_part *part)
{
    sink_printf(sink, "%s%lu of %lu points run, %lu passed, %lu known, %lu failed",
                part->ended ? "ended by Esc: " : "", part->run,
                part->planned < part->run ? part->run : part->planned, part->passed, part->known,
                part->failed);
    if (part->has_point) {
        char id[POINT_TEXT];
        point_text(&part->point, id);
        sink_printf(sink, "; ended at %s", id);
    }
}

void text_part_from(struct sink *sink, const struct annex_part *part)
{
    if (part->tuples)
        sink_printf(sink, "%lu of %lu combinations of axis values covered; of %lu in all ",
                    part->tuples_covered, part->tuples_here, part->tuples);
    if (part->tuples && part->tuples_legal >= part->tuples_here)
        sink_printf(sink, "%lu need what this machine lacks, %lu contradict themselves",
                    part->tuples_legal - part->tuples_here, part->tuples - part->tuples_legal);
    else if (part->tuples)
        sink_text(sink, "the others contradict themselves or need what this machine lacks");
    else if (part->total)
        sink_printf(
            sink,
            "%lu points in all, %lu of them possible, %lu of these need what this machine lacks",
            part->total, part->legal, part->skipped);
}

void text_choice(struct sink *sink, const struct annex_rules *rules, unsigned row)
{
    const struct matrix_choice *choice = &rules->choice[row];

    uint64_t told = 0;

    sink_cell(sink, model_rows[row].number, 10);
    sink_printf(sink, "%s; open %lu times", model_rows[row].what, choice->open);
    for (size_t way = 0; way < MODEL_WAYS && model_rows[row].way[way] != NULL; way++) {
        sink_printf(sink, "%s %s (%lu)", told++ == 0 ? ":" : ",", model_rows[row].way[way],
                    choice->taken[way]);
    }
}

bool text_lacking(struct sink *sink, enum cpu_feature feature, const struct machine *m)
{
    bool any = false;

    for (unsigned axis = 0; axis < AXIS_COUNT; axis++)
        for (unsigned value = 0; value < axis_values(axis); value++)
            if (axis_missing(axis, value, m) == (unsigned)feature + 1) {
                sink_printf(sink, "%s%s=%s", any ? " " : "", axis_name(axis),
                            axis_value(axis, value));
                any = true;
            }
    return any;
}

void text_short_count(struct sink *sink, uint64_t count)
{
    if (count < 1000000)
        sink_printf(sink, "%lu", count);
    else if (count < 1000000000)
        sink_printf(sink, "%lu.%luM", count / 1000000, count / 100000 % 10);
    else
        sink_printf(sink, "%lu.%luG", count / 1000000000, count / 100000000 % 10);
}
