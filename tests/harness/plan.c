/*
 * plan.c: see plan.h. A case's checks are the product of its axes, sizes slowest, variants fastest,
 * without the points that cannot exist: levels below the leaf or above the paging mode's top.
 */
#include "plan.h"

#include "machine.h"
#include "tests/report/sink.h"

const struct test_case *check_case(const struct check_ref *ref)
{
    return &suites[ref->suite]->cases[ref->test_case];
}

void check_id(const struct check_ref *ref, char text[CHECK_ID_TEXT])
{
    static const char *const sizes[] = {"4k", "2m", "1g"};
    static const char *const rings[] = {"supervisor", "user"};
    struct buffer_sink out;
    char separator = '/';

    buffer_sink_init(&out, text, CHECK_ID_TEXT - 1);
    sink_printf(&out.sink, "%s.%s", suites[ref->suite]->name, check_case(ref)->name);
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

static struct check_ref check_nowhere(const struct check_ref *ref)
{
    return (struct check_ref){
        .suite = ref->suite,
        .test_case = ref->test_case,
        .size = SIZE_NONE,
        .ring = RING_NONE,
        .variant = NO_VARIANT,
    };
}

bool check_next(struct check_ref *ref, bool first)
{
    if (first) {
        *ref = (struct check_ref){0};
    } else if (ref->variant != NO_VARIANT) {
        ref->variant++;
    } else {
        ref->ring++; /* settle() goes on to the next level and size from a ring behind the last */
        ref->variant = 0;
    }
    for (; ref->suite < suite_count; ref->suite++, ref->test_case = 0) {
        while (ref->test_case < suites[ref->suite]->count) {
            bool fresh = first || !check_started(ref);
            first = false;
            if (settle(ref)) {
                return true;
            }
            if (fresh && check_case(ref)->variants) {
                *ref = check_nowhere(ref); /* one SKIP stands for a case without a point here */
                return true;
            }
            *ref = (struct check_ref){.suite = ref->suite,
                                      .test_case = (uint16_t)(ref->test_case + 1)};
        }
    }
    return false;
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

    check_id(ref, id);
    if (check_case(ref)->flags & CASE_WHOLE_RUN) {
        return !options->explain[0] && !options->only.count && !options->skip.count;
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
