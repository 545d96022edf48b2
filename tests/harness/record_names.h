/*
 * record_names.h: what the numbers in a record are called, and how each value is printed. The one
 * place of these words: every report takes them from here. Manual: docs/report.md.
 */
#ifndef HARNESS_RECORD_NAMES_H
#define HARNESS_RECORD_NAMES_H

#include "record.h"
#include "tests/report/sink.h"

#define REGISTER_COUNT 16u

extern const char *const verdict_names[VERDICT_COUNT];  /* "PASS" */
extern const char *const verdict_keys[VERDICT_COUNT];   /* "pass", for programs */
extern const char *const access_names[ACCESS_NONE + 1]; /* "locked read-modify-write" */
extern const char *const access_keys[ACCESS_NONE + 1];  /* "rmw_locked" */
extern const char *const reason_texts[REASON_COUNT];    /* "the processor lacks it" */
extern const char *const reason_keys[REASON_COUNT];     /* "feature" */
extern const char *const field_keys[FIELD_COUNT];       /* "error_code" */
extern const char
    *const register_names[REGISTER_COUNT]; /* FIELD_REGISTER's detail: rax rcx rdx rbx ... */
extern const char *const oops_reason_texts[OOPS_REASON_COUNT]; /* "an exception that nothing ..." */

/* "#PF", "vector 77", "no exception". */
void print_vector(struct sink *sink, uint64_t vector);

/* "7 (P W U)" when @vector is #PF, else the number in hexadecimal. */
void print_error_code(struct sink *sink, uint64_t vector, uint64_t error);

/* "PML4E" for 4. */
const char *entry_name(unsigned level);

/* "8000000012345067 P RW US A D XD 000012345000": raw, flags in words, address. Not present: "--"
 * for P. */
void print_entry(struct sink *sink, pte_t entry, unsigned level);

/* What a comparison compares: "error code", "PDE afterwards", "memory at byte 12", "register rdi".
 */
void print_field(struct sink *sink, const struct comparison *comparison);

/* Which side of a comparison is printed; the error code's words depend on that side's vector. */
enum side { SIDE_EXPECTED, SIDE_GOT };

/* The value of one side of @comparison, which belongs to @record, as people read it. */
void print_value(struct sink *sink, const struct record *record,
                 const struct comparison *comparison, enum side side);

/* " (A D either)", " (bits 10000)": which bits count, where not all do. */
void print_mask(struct sink *sink, const struct comparison *comparison);

/* The reason of a SKIP or an ERROR as a sentence: "the processor has no PKU". Nothing for
 * REASON_NONE. */
void print_reason(struct sink *sink, const struct record *record);

/* The name of an item of the world that firmware and we exchange. */
void print_world_item(struct sink *sink, unsigned item);

#endif
