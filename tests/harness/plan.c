/*
 * plan.c: see plan.h. A case's checks are the product of its axes, sizes slowest, variants fastest,
 * without the points that cannot exist: levels below the leaf or above the paging mode's top.
 */
#include "plan.h"

#include "annex.h"
#include "machine.h"
#include "tests/report/sink.h"

/* ---- points that the options name ------------------------------------------------------------------ */

_Static_assert(OPTION_ID == POINT_TEXT, "an option holds any point's id");

static struct {
    struct point point[OPTION_GLOBS];
    uint32_t count;
    uint32_t skipped; /* BIT(point): --skip names it too */
} named;
_Static_assert(OPTION_GLOBS <= 32, "one bit a point");

/* What begins so is a point, not a glob: none of its characters stands for others. */
static bool is_point(const char *text)
{
    static const char prefix[] = "matrix:";
    size_t i = 0;

    while (prefix[i] && text[i] == prefix[i]) {
        i++;
    }
    return prefix[i] == '\0';
}

static bool points_equal(const struct point *one, const struct point *other)
{
    unsigned axis = 0;

    while (axis < AXIS_COUNT && one->value[axis] == other->value[axis]) {
        axis++;
    }
    return axis == AXIS_COUNT;
}

/* The place of @point among those named; named.count: it is new. */
static uint32_t find_point(const struct point *point)
{
    uint32_t i = 0;

    while (i < named.count && !points_equal(&named.point[i], point)) {
        i++;
    }
    return i;
}

/* @text may be a point: take it, or, @skip, leave it out. */
static const char *name_point(const char *text, const struct machine *m, bool skip,
                              const char **word, unsigned *length)
{
    struct point point;

    if (!is_point(text)) {
        return NULL;
    }
    const char *problem = point_parse(text, m, &point, word, length);
    if (problem) {
        return problem;
    }
    uint32_t place = find_point(&point);
    if (skip && place < named.count) {
        named.skipped |= (uint32_t)BIT(place);
    } else if (!skip && place == named.count) {
        named.point[named.count++] = point;
    }
    return NULL;
}

const char *plan_points(const struct options *options, const struct machine *m, const char **word,
                        unsigned *length)
{
    const char *problem = NULL;

    named.count = named.skipped = 0;
    if (options->explain[0]) {
        return name_point(options->explain, m, false, word, length);
    }
    for (uint32_t i = 0; i < options->only.count && !problem; i++) {
        problem = name_point(options->only.glob[i], m, false, word, length);
    }
    for (uint32_t i = 0; i < options->skip.count && !problem; i++) {
        problem = name_point(options->skip.glob[i], m, true, word, length);
    }
    return problem;
}

const struct point *check_point(const struct check_ref *ref)
{
    return &named.point[(ref->test_case - CASE_POINT) % OPTION_GLOBS];
}

/* ---- checks and their names ------------------------------------------------------------------------ */

const struct test_case *check_case(const struct check_ref *ref)
{
    const struct suite *suite = suites[ref->suite];

    if (ref->test_case >= CASE_FOLD && suite->fold) {
        return suite->fold;
    }
    if (ref->test_case >= CASE_POINT && suite->point) {
        return suite->point;
    }
    return &suite->cases[ref->test_case];
}

void record_id(const struct record *record, char text[CHECK_ID_TEXT])
{
    const struct annex_point *point = record_point(record);

    if (point) {
        point_text(&point->point, text);
    } else {
        check_id(&record->check, text);
    }
}

void check_id(const struct check_ref *ref, char text[CHECK_ID_TEXT])
{
    static const char *const sizes[] = {"4k", "2m", "1g"};
    static const char *const rings[] = {"supervisor", "user"};
    struct buffer_sink out;
    char separator = '/';

    if (ref->test_case >= CASE_POINT && ref->test_case < CASE_FOLD) {
        point_text(check_point(ref), text);
        return;
    }
    buffer_sink_init(&out, text, CHECK_ID_TEXT - 1);
    sink_printf(&out.sink, "%s.%s", suites[ref->suite]->name, check_case(ref)->name);
    if (ref->test_case >= CASE_FOLD) { /* of which only the number is left */
        sink_printf(&out.sink, "/%u", ref->test_case - CASE_FOLD);
    }
    if (ref->size < SIZE_NONE) {
        sink_printf(&out.sink, "%c%s", separator, sizes[ref->size]);
        separator = '.';
    }
    if (ref->level) {
        sink_printf(&out.sink, "%cl%u", separator, ref->level);
        separator = '.';
    }
    if (ref->ring < RING_NONE) {
        sink_printf(&out.sink, "%c%s", separator, rings[ref->ring]);
        separator = '.';
    }
    if (ref->variant != NO_VARIANT) {
        sink_printf(&out.sink, "%cbit%u", separator, ref->variant);
    }
    text[out.length] = '\0';
}

/* Values of the axes, in the order they are stepped through; an axis a case lacks has one value. */
static bool size_exists(const struct test_case *c, unsigned size)
{
    return c->sizes ? (c->sizes >> size) & 1 : size == SIZE_NONE;
}

static bool level_exists(const struct test_case *c, unsigned size, unsigned level)
{
    unsigned leaf = size == SIZE_NONE ? 1 : size + 1;

    if (c->levels == LEVELS_NONE) {
        return level == 0;
    }
    return level >= leaf && level <= machine.levels &&
           (c->levels & (level == leaf ? LEVELS_LEAF : LEVELS_UPPER));
}

static bool ring_exists(const struct test_case *c, unsigned ring)
{
    return c->rings ? (c->rings >> ring) & 1 : ring == RING_NONE;
}

static bool variant_exists(const struct check_ref *ref, unsigned variant)
{
    const struct test_case *c = check_case(ref);
    uint64_t mask = c->variants ? c->variants(ref->size, ref->level) : 0;

    return c->variants ? variant < 64 && (mask >> variant) & 1 : variant == NO_VARIANT;
}

/* The first existing point at or behind @ref in its case. Out: false when there is none. */
static bool settle(struct check_ref *ref)
{
    const struct test_case *c = check_case(ref);

    for (; ref->size <= SIZE_NONE; ref->size++, ref->level = 0, ref->ring = 0, ref->variant = 0) {
        if (!size_exists(c, ref->size)) {
            continue;
        }
        for (; ref->level <= LEVELS_MAX; ref->level++, ref->ring = 0, ref->variant = 0) {
            if (!level_exists(c, ref->size, ref->level)) {
                continue;
            }
            for (; ref->ring <= RING_NONE; ref->ring++, ref->variant = 0) {
                if (!ring_exists(c, ref->ring)) {
                    continue;
                }
                for (unsigned v = ref->variant; v <= NO_VARIANT; v++) {
                    if (variant_exists(ref, v)) {
                        ref->variant = (uint8_t)v;
                        return true;
                    }
                }
            }
        }
    }
    return false;
}

/* Is @ref anything but the place where a case's points begin? */
static bool check_started(const struct check_ref *ref)
{
    return ref->size || ref->level || ref->ring || ref->variant;
}

/* No point of any axis: of a case that has none here, or of what is in no table. */
static struct check_ref check_nowhere(uint16_t suite, uint32_t test_case)
{
    return (struct check_ref){
        .suite = suite,
        .test_case = (uint16_t)test_case,
        .size = SIZE_NONE,
        .ring = RING_NONE,
        .variant = NO_VARIANT,
    };
}

bool check_next(struct check_ref *ref, bool first)
{
    uint32_t point = 0; /* the next of those that the options name */

    if (first) {
        *ref = (struct check_ref){0};
    } else if (ref->test_case >= CASE_POINT) {
        point = ref->test_case >= CASE_FOLD ? 0 : ref->test_case - CASE_POINT + 1;
    } else if (ref->variant != NO_VARIANT) {
        ref->variant++;
    } else {
        ref->ring++; /* settle() goes on to the next level and size from a ring behind the last */
        ref->variant = 0;
    }
    for (; ref->suite < suite_count;
         *ref = (struct check_ref){.suite = (uint16_t)(ref->suite + 1)}) {
        while (ref->test_case < suites[ref->suite]->count) {
            bool fresh = first || !check_started(ref);
            first = false;
            if (settle(ref)) {
                return true;
            }
            if (fresh && check_case(ref)->variants) {
                /* One SKIP stands for a case without a point here. */
                *ref = check_nowhere(ref->suite, ref->test_case);
                return true;
            }
            *ref = (struct check_ref){.suite = ref->suite,
                                      .test_case = (uint16_t)(ref->test_case + 1)};
        }
        if (suites[ref->suite]->point && point < named.count) {
            *ref = check_nowhere(ref->suite, CASE_POINT + point);
            return true;
        }
    }
    return false;
}

struct check_ref check_fold(uint32_t number)
{
    uint16_t suite = 0;

    while (suite + 1u < suite_count && !suites[suite]->fold) {
        suite++;
    }
    return check_nowhere(suite, CASE_FOLD + number);
}

static bool globs_match(const struct option_globs *globs, const char *id)
{
    for (unsigned i = 0; i < globs->count; i++) {
        if (glob_match(globs->glob[i], id)) {
            return true;
        }
    }
    return false;
}

bool check_selected(const struct check_ref *ref, const struct options *options)
{
    char id[CHECK_ID_TEXT];

    if (ref->test_case >= CASE_POINT) { /* folds are nobody's choice */
        uint32_t place = ref->test_case - CASE_POINT;
        return place < named.count && !((named.skipped >> place) & 1);
    }
    check_id(ref, id);
    if (check_case(ref)->flags & CASE_WHOLE_RUN) {
        return !options->explain[0] && !options->only.count && !options->skip.count;
    }
    if (check_case(ref)->flags & CASE_MATRIX &&
        (options->explain[0] || !((check_case(ref)->matrix >> options->matrix) & 1))) {
        return false;
    }
    if (options->explain[0]) {
        return glob_match(options->explain, id);
    }
    if (globs_match(&options->skip, id)) {
        return false;
    }
    if (options->only.count == 0) {
        return !(check_case(ref)->flags & CASE_BY_NAME);
    }
    return globs_match(&options->only, id);
}
