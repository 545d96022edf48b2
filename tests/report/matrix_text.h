/*
 * matrix_text.h: what records of the matrix say, in words: points and folds, parts, the model's rules
 * and the fingerprint. No line ends. Used by every report.
 */
#ifndef REPORT_MATRIX_TEXT_H
#define REPORT_MATRIX_TEXT_H

#include "sink.h"
#include "tests/harness/annex.h"
#include "tests/harness/machine.h"

/* "ring 0 write of 8 bytes at 0000..., across the edge, the upper page under test" */
void text_point_access(struct sink *sink, const struct annex_point *point);

/* Entries of the walks that the access concerns, from the top; at most POINT_ENTRIES. */
#define POINT_ENTRIES (2u * LEVELS_MAX)
unsigned point_entries(const struct annex_point *point);
/* "below PTE   0000... P RW US", and what became of it where it changed: " -> 0000... P RW US A" */
void text_point_entry(struct sink *sink, const struct annex_point *point, unsigned number,
                      bool after);

/* "#PF, error code 7 (P W U), CR2 0000...; A=1 PML4E PDPTE PDE, D=0 PTE": an allowed outcome. */
void text_point_allowed(struct sink *sink, const struct annex_point *point, unsigned outcome);
/* The same of what the machine did. */
void text_point_got(struct sink *sink, const struct annex_point *point);

/* "P missing in the error code, CR2": how a fold's points differ. */
void text_symptom(struct sink *sink, const struct annex_symptom *symptom);

/* "walk=reserved covers 123456 failing points" */
void text_fold(struct sink *sink, const struct annex_point *point);

/* "R2.3  an address bit that does not exist" */
void text_row(struct sink *sink, unsigned row);

/* "72123 of 72123 points run, 72092 passed, 31 known, 0 failed" */
void text_part(struct sink *sink, const struct annex_part *part);
/* Of what they are taken: "20000 of 20000 combinations covered; ..."; nothing for random ones. */
void text_part_from(struct sink *sink, const struct annex_part *part);

/* "R4.I  I/D without NXE: either; open 900 times: clear (898), set (2)": what the machine chose. */
void text_choice(struct sink *sink, const struct annex_rules *rules, unsigned row);

/*
 * The axis values that this machine lacks because of @feature: "levels=5". Out: false: none; nothing
 * is written then.
 */
bool text_lacking(struct sink *sink, enum cpu_feature feature, const struct machine *m);

/* "1234", "123.4M", "12.3G": a count in at most 6 characters. */
void text_short_count(struct sink *sink, uint64_t count);

#endif
