/*
 * symptom.h: ways of failing. A symptom is how an outcome differs from the nearest allowed one; a run
 * numbers the ones it meets.
 */
#ifndef MATRIX_SYMPTOM_H
#define MATRIX_SYMPTOM_H

#include "tests/model/model.h"
#include "x86/types.h"

/*
 * A class of differences, not of points: of the error code the bits that differ and how they were
 * seen, of A and D only whether one is missing or too many, in whichever entry. Where another vector
 * came than should have, or none, that is all there is to say.
 */
struct symptom {
    uint16_t vector_expected, vector_got;
    uint32_t error_differs, error_got;
    bool cr2_differs;
    bool other_bits; /* entries changed in other bits than A and D */
    bool rip;        /* the fault was reported from elsewhere than the access */
    bool memory;     /* something else was read or stored than should have been */
    bool a_missing, a_extra, d_missing, d_extra;
};

/*
 * In: an outcome that @answer does not allow, or one that is wrong by @rip or @memory. *@nearest: the
 * outcome of @answer that it was compared with.
 */
void symptom_of(const struct model_answer *answer, const struct model_got *got, bool rip,
                bool memory, struct symptom *symptom, unsigned *nearest);

/*
 * What differs, one thing at a time: the vector, a bit of the error code, CR2 ... One cause makes one
 * such difference, whatever else is wrong at the same point. Out: how many; none without a difference.
 */
#define SYMPTOM_PARTS 40u
unsigned symptom_split(const struct symptom *symptom, struct symptom part[SYMPTOM_PARTS]);

bool symptom_equal(const struct symptom *one, const struct symptom *other);

#endif
