/*
 * symptom.c: see symptom.h.
 */
#include "symptom.h"

static unsigned bits_set(uint64_t bits)
{
    unsigned count = 0;

    for (; bits; bits &= bits - 1) {
        count++;
    }
    return count;
}

/* How @got differs from one allowed outcome. Out: how much, for the choice of the nearest. */
static unsigned compare(const struct model_outcome *allowed, const struct model_got *got,
                        struct symptom *s)
{
    unsigned distance = 0;

    *s = (struct symptom){.vector_expected = allowed->vector, .vector_got = got->vector};
    if (allowed->vector != got->vector) {
        return 64;
    }
    if (allowed->vector != MODEL_NO_FAULT) {
        s->error_differs = (allowed->error ^ got->error) & allowed->error_mask;
        s->error_got = got->error & s->error_differs;
        s->cr2_differs = ((allowed->cr2 ^ got->cr2) & allowed->cr2_mask) != 0;
        distance += bits_set(s->error_differs) + (s->cr2_differs ? 4 : 0);
    }
    for (unsigned walk = 0; walk < 2; walk++) {
        const struct model_bits *want = &allowed->walk[walk], *have = &got->walk[walk];
        unsigned a = (unsigned)(want->accessed ^ have->accessed) & want->accessed_mask;
        unsigned d = (unsigned)(want->dirty ^ have->dirty) & want->dirty_mask;
        s->a_missing |= (a & want->accessed) != 0;
        s->a_extra |= (a & have->accessed) != 0;
        s->d_missing |= (d & want->dirty) != 0;
        s->d_extra |= (d & have->dirty) != 0;
        distance += bits_set(a) + bits_set(d);
    }
    return distance;
}

void symptom_of(const struct model_answer *answer, const struct model_got *got, bool rip,
                bool memory, struct symptom *symptom, unsigned *nearest)
{
    unsigned least = ~0u;

    for (unsigned i = 0; i < answer->count; i++) {
        struct symptom s;
        unsigned distance = compare(&answer->outcome[i], got, &s);
        if (distance < least) {
            least = distance;
            *symptom = s;
            *nearest = i;
        }
    }
    if (symptom->vector_expected == symptom->vector_got) {
        symptom->other_bits = got->other_bits;
        symptom->rip = rip;
        symptom->memory = memory;
    }
}

unsigned symptom_split(const struct symptom *symptom, struct symptom part[SYMPTOM_PARTS])
{
    unsigned count = 0;
    const struct symptom same = {.vector_expected = symptom->vector_expected,
                                 .vector_got = symptom->vector_got};

    if (symptom->vector_expected != symptom->vector_got) {
        part[count++] = same;
        return count;
    }
    for (uint32_t bits = symptom->error_differs; bits; bits &= bits - 1) {
        part[count] = same;
        part[count].error_differs = bits & -bits;
        part[count].error_got = symptom->error_got & bits & -bits;
        count++;
    }
    /* clang-format off */
    const bool flags[] = {symptom->cr2_differs, symptom->other_bits, symptom->rip, symptom->memory,
                          symptom->a_missing, symptom->a_extra, symptom->d_missing, symptom->d_extra};
    /* clang-format on */
    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        if (flags[i]) {
            struct symptom *s = &part[count++];
            *s = same;
            bool *const flag[] = {&s->cr2_differs, &s->other_bits, &s->rip,       &s->memory,
                                  &s->a_missing,   &s->a_extra,    &s->d_missing, &s->d_extra};
            *flag[i] = true;
        }
    }
    return count;
}

bool symptom_equal(const struct symptom *one, const struct symptom *other)
{
    return one->vector_expected == other->vector_expected && one->vector_got == other->vector_got &&
           one->error_differs == other->error_differs && one->error_got == other->error_got &&
           one->cr2_differs == other->cr2_differs && one->other_bits == other->other_bits &&
           one->rip == other->rip && one->memory == other->memory &&
           one->a_missing == other->a_missing && one->a_extra == other->a_extra &&
           one->d_missing == other->d_missing && one->d_extra == other->d_extra;
}
