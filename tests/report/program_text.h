/*
 * program_text.h: what records of programs say, in words: what a run cost, and the maps of its memory. No
 * line ends. Used by every report.
 */
#ifndef REPORT_PROGRAM_TEXT_H
#define REPORT_PROGRAM_TEXT_H

#include "sink.h"
#include "tests/harness/annex.h"

extern const char *const look_names[LOOKS]; /* "zero page" */
extern const char *const look_keys[LOOKS];  /* "zero", for programs */
extern const char look_letters[LOOKS + 1];  /* one each: ".z..." */

/* "96 lines, 312 system calls, 45 minor faults, 3 switches of tasks" */
void text_program(struct sink *sink, const struct annex_program *program);

/* "rw-p": rights and kind of a VMA, as /proc/self/maps has them. */
void text_rights(struct sink *sink, uint64_t flags);

/* "000010000000-000010010000 rw-p" */
void text_map(struct sink *sink, const struct maps_row *row);

/* "a..aaaa.", a letter a cell. */
void text_strip(struct sink *sink, const struct maps_row *row);

/* "11 pages of its own, 5 untouched": the looks that occur, the most telling first. */
void text_pages(struct sink *sink, const struct maps_row *row);

/* "task 2 at 000010000000 error 6 (not-present W U) in 0000...-0000... rw-p: zeroed page, 5210 ticks" */
struct mm_trace;
void text_mm_trace(struct sink *sink, const struct mm_trace *trace);

/* The whole picture, a line a VMA, as text. Ends with a line end. */
void text_maps(struct sink *sink, const struct maps_picture *maps);

#endif
