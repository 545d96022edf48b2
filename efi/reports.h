/*
 * reports.h: \faultline\NNNN\report.tap, .xml, .json and baseline.txt on the stick.
 *
 * NNNN is one more than the highest there; only a run that goes on after a reset writes into a
 * folder that exists, its own. Files appear with their first bytes: a run that lists or fails on
 * its options leaves nothing. After the first error of a file nothing more is written to it: what
 * is in it stays and has no holes.
 */
#ifndef EFI_REPORTS_H
#define EFI_REPORTS_H

#include "efi/volume.h"

/* The number of a new report; 0 when there is no volume to count on, or no number left. */
uint16_t reports_next_number(void);

/* From here on write report @number, unless @problem says that it is of no use. */
void reports_start(uint16_t number, enum save_problem problem);

/* Append @length bytes of @stream (STREAM_TAP, _XML, _JSON or _BASELINE). */
void reports_write(enum session_stream stream, const void *bytes, size_t length);

/* Make sure that what was written outlives a reset. */
void reports_flush(void);

/* Flush and close. */
void reports_end(void);

/* What went wrong so far: the first problem of any of the files. */
enum save_problem reports_problem(void);

#endif
