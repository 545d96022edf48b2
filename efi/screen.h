/*
 * screen.h: the grid of cells that core fills, on a display.
 */
#ifndef EFI_SCREEN_H
#define EFI_SCREEN_H

#include "tests/harness/session.h"

/*
 * Find a display: graphics, else a local text console. Nothing is drawn yet.
 * Out: false when there is neither; then the other functions do nothing.
 */
bool screen_start(void);

/* How many cells there are to fill, at least 80 x 25. What a small display cannot hold is not
 * drawn. */
void screen_size(uint16_t *columns, uint16_t *rows);

/*
 * Switch to a graphics mode of @width x @height pixels.
 * Out: false when there is none; then @modes holds the names of those there are, @room bytes at
 * most.
 */
bool screen_set_mode(uint32_t width, uint32_t height, char *modes, size_t room) MUST_CHECK;

/* Draw the cells that differ from what was drawn last. */
void screen_draw(const struct session *session);

/* Firmware's mode again, and its text. Nothing if nothing was drawn. */
void screen_end(void);

#endif
