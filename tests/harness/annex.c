/*
 * annex.c: see annex.h.
 */
#include "annex.h"

#include "tests/matrix/literals.h"
#include "x86/memory.h"

_Static_assert(sizeof(struct annex_point) % 8 == 0 && sizeof(struct annex_part) % 8 == 0 &&
                   sizeof(struct annex_rules) % 8 == 0 && sizeof(struct annex_program) % 8 == 0,
               "what follows a record stays 8-aligned");
_Static_assert(FOLD_AXES <= SPACE_AXES, "a conjunction holds every axis");

size_t annex_size(unsigned annex)
{
    static const size_t sizes[ANNEX_COUNT] = {
        [ANNEX_POINT] = sizeof(struct annex_point),
        [ANNEX_PART] = sizeof(struct annex_part),
        [ANNEX_RULES] = sizeof(struct annex_rules),
        [ANNEX_PROGRAM] = sizeof(struct annex_program),
    };

    return annex < ANNEX_COUNT ? sizes[annex] : 0;
}

static const void *annex_of(const struct record *record, enum record_annex annex)
{
    return record->annex == annex ? record_annex(record) : NULL;
}

const struct annex_point *record_point(const struct record *record)
{
    return annex_of(record, ANNEX_POINT);
}

const struct annex_part *record_part(const struct record *record)
{
    return annex_of(record, ANNEX_PART);
}

const struct annex_rules *record_rules(const struct record *record)
{
    return annex_of(record, ANNEX_RULES);
}

const struct annex_program *record_program(const struct record *record)
{
    return annex_of(record, ANNEX_PROGRAM);
}

static bool program_valid(const struct annex_program *program)
{
    return program->expected[PROGRAM_LINE - 1] == '\0' && program->got[PROGRAM_LINE - 1] == '\0' &&
           program->culprit[sizeof(program->culprit) - 1] == '\0' &&
           program->unknown_count <= PROGRAM_UNKNOWNS && maps_valid(&program->maps);
}

static bool point_valid(const struct point *point)
{
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        if (!fold_axis_value(axis, point->value[axis])) {
            return false;
        }
    }
    return true;
}

static bool where_valid(const struct annex_point *point)
{
    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        unsigned value = point->where.value[axis];
        if (value != FOLD_ANY && !fold_axis_value(axis, value)) {
            return false;
        }
    }
    return true;
}

bool annex_valid(const struct record *record)
{
    const struct annex_point *point = record_point(record);
    const struct annex_part *part = record_part(record);

    if (record->annex >= ANNEX_COUNT) {
        return false;
    }
    if (record_program(record)) {
        return program_valid(record_program(record));
    }
    if (!point) { /* numbers that index nothing, but for the point of a part */
        return !part || (part->has_point <= 1 && point_valid(&part->point));
    }
    bool ran = point->flags & POINT_RAN;
    return point_valid(&point->point) && where_valid(point) &&
           (!ran || (point->levels >= 4 && point->levels <= LEVELS_MAX && point->leaf >= 1 &&
                     point->leaf <= LEVEL_LEAF_MAX && point->outcomes >= 1 &&
                     point->outcomes <= MODEL_OUTCOMES && point->nearest < point->outcomes &&
                     point->first <= 1));
}

/* One row a truth value of a symptom. */
#define SYMPTOM_FLAGS(X)                                                                           \
    X(SYMPTOM_CR2, cr2_differs)                                                                    \
    X(SYMPTOM_OTHER_BITS, other_bits)                                                              \
    X(SYMPTOM_RIP, rip)                                                                            \
    X(SYMPTOM_MEMORY, memory)                                                                      \
    X(SYMPTOM_A_MISSING, a_missing)                                                                \
    X(SYMPTOM_A_EXTRA, a_extra)                                                                    \
    X(SYMPTOM_D_MISSING, d_missing)                                                                \
    X(SYMPTOM_D_EXTRA, d_extra)

void annex_symptom_from(const struct symptom *from, struct annex_symptom *to)
{
#define FLAG(flag, field) | (from->field ? (flag) : 0)
    *to = (struct annex_symptom){
        .vector_expected = from->vector_expected,
        .vector_got = from->vector_got,
        .error_differs = from->error_differs,
        .error_got = from->error_got,
        .flags = 0 SYMPTOM_FLAGS(FLAG),
    };
#undef FLAG
}

void annex_symptom_to(const struct annex_symptom *from, struct symptom *to)
{
#define FIELD(flag, field) .field = (from->flags & (flag)) != 0,
    *to = (struct symptom){.vector_expected = from->vector_expected,
                           .vector_got = from->vector_got,
                           .error_differs = from->error_differs,
                           .error_got = from->error_got,
                           SYMPTOM_FLAGS(FIELD)};
#undef FIELD
}

void annex_values(const struct point *point, const struct model_answer *answer,
                  uint8_t values[FOLD_AXES])
{
    memcpy(values, point->value, AXIS_COUNT);
    point_derived(point, answer, values + AXIS_COUNT);
}
