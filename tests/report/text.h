/*
 * text.h: a record as people read it, in lines of 80 columns where the words allow it. Used by
 * every report that has room for text. Manual: docs/report.md.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "sink.h"
#include "tests/harness/session.h"

/* How many comparisons of a record are shown; of a longer list, only those that differ. */
#define REPORT_COMPARISONS 64u

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
void text_state(struct sink *sink, const struct scene *scene);        /* "CR0.WP=0 SMEP=1 ..." */
void text_walk_entry(struct sink *sink, pte_t entry, unsigned level); /* "PTE   0000... P RW US" */

/*
 * "vector #PF, error code 7 (P W U)": one side of the fields that differ, or where none does, of
 * the first three. Nothing for a record that compared nothing.
 */
void text_side(struct sink *sink, const struct record *record, unsigned side);

/* "QEMU TCG: a locked read-modify-write faults as a read", of a KNOWN record. */
void text_deviation(struct sink *sink, const struct record *record);

/* This machine: "QEMU TCG 7.2", "fam 6 mod 6 step 3", "4 levels  48-bit phys", "NX SMEP", "no:
 * PKS". */
void text_emulator(struct sink *sink);
void text_model(struct sink *sink);
void text_widths(struct sink *sink);
void text_features(struct sink *sink, bool present);
/* "EDK II (UEFI 2.70)" */
void text_firmware(struct sink *sink, const struct machine_facts *facts);
/* "matrix soak 20 s"; without a matrix "standard suites" */
extern const char *const matrix_names[];
void text_matrix(struct sink *sink, const struct options *options);

/* Where the report files are: "\\faultline\\0003", or "NOT SAVED: the stick is write-protected". */
void text_saved(struct sink *sink, const struct session *session);

/* The name of a row of suites[], "?" where there is none. */
const char *suite_name(unsigned suite);

/* @text, its lines filled up to @columns and indented. Ends with a line end. */
void text_filled(struct sink *sink, unsigned indent, unsigned columns, const char *text);

#endif
