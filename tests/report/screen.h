/*
 * screen.h: where things stand on the screen. Tests that decode the cells use these numbers.
 *
 *    row 0        name and version                      firmware, emulator, processor
 *    row 1        processor                                                      board
 *    row 2        paging levels, widths, features
 *    row 3        [#####           ]  54 %  standard suites  0:03 left
 *    row 4        report: where the files are
 *    rows 5..     content, scrolled by the keys: a line per suite, the total, what failed, what is
 * known last rows    the verdict, inverse from edge to edge; last row: keys
 */
#ifndef REPORT_SCREEN_H
#define REPORT_SCREEN_H

#define SCREEN_ROW_PROGRESS 3u
#define SCREEN_ROW_SAVED    4u
#define SCREEN_ROW_CONTENT  5u
#define SCREEN_ROWS_TALL    33u /* from so many rows on the verdict is a band of three */

/* The suite table. The name starts in column 1; numbers end in these columns; '.' is 0. */
#define SCREEN_COLUMN_NAME   1u
#define SCREEN_COLUMN_PASS   26u
#define SCREEN_COLUMN_FAIL   33u
#define SCREEN_COLUMN_KNOWN  40u
#define SCREEN_COLUMN_SKIP   47u
#define SCREEN_COLUMN_ERROR  54u
#define SCREEN_COLUMN_REMARK 57u

#endif
