/*
 * annex.h: what a record carries behind its comparisons. Of the matrix: a point, or a fold with its
 * witness; the counts of a part; or what the whole matrix says of the model's rules. Of a program: the
 * first line that differs from Linux's, what it cost. Plain data
 * without truth values, so that bytes read back from a journal can be used once annex_valid() has
 * looked at them.
 */
#ifndef HARNESS_ANNEX_H
#define HARNESS_ANNEX_H

#include "maps.h"
#include "record.h"
#include "tests/matrix/matrix.h"

/* A symptom (matrix/symptom.h) in numbers. */
struct annex_symptom {
    uint16_t vector_expected, vector_got;
    uint32_t error_differs, error_got;
    uint32_t flags; /* of SYMPTOM_* */
};
#define SYMPTOM_CR2        0x01u
#define SYMPTOM_OTHER_BITS 0x02u
#define SYMPTOM_RIP        0x04u
#define SYMPTOM_MEMORY     0x08u
#define SYMPTOM_A_MISSING  0x10u
#define SYMPTOM_A_EXTRA    0x20u
#define SYMPTOM_D_MISSING  0x40u
#define SYMPTOM_D_EXTRA    0x80u

#define POINT_RAN     1u /* there is an outcome; else only the point itself is known */
#define POINT_REPEATS 2u /* folds: the witness failed again when it was made by itself */

struct annex_point {
    uint64_t points;         /* that the fold covers; 0: this is a point by itself */
    uint64_t rules, choices; /* BIT(row of model_rows) */
    uint64_t address, cr2;   /* CR2 before the access */
    uint64_t got_cr2;
    pte_t before[2][LEVELS_MAX], after[2][LEVELS_MAX]; /* of the page below the edge, and above */
    struct model_outcome outcome[MODEL_OUTCOMES];      /* allowed ones */
    struct annex_symptom symptom;
    uint32_t got_error;
    uint16_t got_vector;
    uint8_t outcomes, nearest; /* how many; which was compared with */
    uint8_t levels, leaf, bytes;
    uint8_t first, used; /* page of the first byte; pages that the access concerns: bits 0 and 1 */
    uint8_t flags;       /* of POINT_* */
    struct point point;
    struct conjunction where;
} __attribute__((aligned(8)));

struct annex_part {
    uint64_t planned, run, passed, known, failed; /* points */
    uint64_t total, legal, skipped;
    uint64_t tuples, tuples_legal, tuples_here, tuples_covered;
    uint64_t ticks;
    uint32_t folds;    /* records of folds that follow the parts of this matrix */
    uint8_t ended;     /* 1: by Esc, before all points were run */
    uint8_t has_point; /* 1: it was ended by an exception at this point */
    struct point point;
} __attribute__((aligned(8)));

struct annex_rules {
    uint64_t digest;
    uint64_t unfolded; /* failing points that no fold covers */
    uint64_t count[MODEL_ROWS_MAX];
    struct matrix_choice choice[MODEL_ROWS_MAX];
};

/* What a program left (suites/programs.c). Texts are NUL-terminated ASCII. */
#define PROGRAM_LINE     240u /* of a line, as much as is kept */
#define PROGRAM_UNKNOWNS 16u
struct annex_program {
    char expected[PROGRAM_LINE], got[PROGRAM_LINE]; /* of the first line that differs */
    char culprit[16];                               /* the task that the time limit ended */
    uint64_t ticks;                                 /* of the TSC, from its start to its end */
    uint64_t minor_faults, system_calls, switches;
    uint32_t lines;         /* that it wrote */
    uint32_t unknown_count; /* system calls that do not exist: numbers */
    uint16_t unknown[PROGRAM_UNKNOWNS];
    uint8_t has_expected, has_got; /* 1: there is such a line */
    uint8_t pad[6];
    struct maps_picture maps; /* when it ended */
} __attribute__((aligned(8)));

/* Bytes of an annex of kind @annex (enum record_annex), a multiple of 8. */
size_t annex_size(unsigned annex);

/* May everything that reads the annex of @record use it? It has its size. */
bool annex_valid(const struct record *record) MUST_CHECK;

/* The annex of @record when it is of that kind, or NULL. */
const struct annex_point *record_point(const struct record *record);
const struct annex_part *record_part(const struct record *record);
const struct annex_rules *record_rules(const struct record *record);
const struct annex_program *record_program(const struct record *record);

void annex_symptom_from(const struct symptom *from, struct annex_symptom *to);
void annex_symptom_to(const struct annex_symptom *from, struct symptom *to);

/* The FOLD_AXES values of the point; derived ones as @story tells them. */
void annex_values(const struct point *point, const struct model_answer *answer,
                  uint8_t values[FOLD_AXES]);

#endif
