/*
 * text.h: a record as people read it, in lines of 80 columns where the words allow it. Used by
 * every report that has room for text. Manual: docs/report.md.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "sink.h"
#include "tests/harness/record.h"

/* Everything that --explain shows: walk, stimulus, frame, rule, each compared field, verdict, oops.
 */
void report_explain(struct sink *sink, const struct record *record);

/* A failure on the screen: as above, but only the fields that differ, in lines of at most @columns.
 */
void report_failure(struct sink *sink, const struct record *record, unsigned columns);

/* An unexpected exception: registers, walks, code, call trace. */
void report_oops(struct sink *sink, const struct oops *oops);

/* Parts of the above, each without a line end. */
void text_access(struct sink *sink,
                 const struct scene *scene); /* "ring 3 write of 8 bytes at ..." */
void text_state(struct sink *sink, const struct scene *scene); /* "CR0.WP=0 CR4.SMEP=1 ..." */
void text_walk_entry(struct sink *sink, pte_t entry, unsigned level); /* "PTE   0000... P RW US" */

/*
 * "vector #PF, error code 7 (P W U)": one side of the fields that differ, or where none does, of
 * the first three. Nothing for a record that compared nothing.
 */
void text_side(struct sink *sink, const struct record *record, unsigned side);

/* @text, its lines filled up to @columns and indented. Ends with a line end. */
void text_filled(struct sink *sink, unsigned indent, unsigned columns, const char *text);

#endif
