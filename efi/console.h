/*
 * console.h: firmware's own text consoles, told apart: those a person looks at, and those that are
 * a serial line. Firmware joins them into one ConOut, and whatever is printed there also runs down
 * the serial line, with escape sequences, into the middle of our report.
 */
#ifndef EFI_CONSOLE_H
#define EFI_CONSOLE_H

#include "efi/firmware.h"

/*
 * Sort the consoles. A text output whose device path holds a UART node is a terminal on a serial
 * line; one with a device path and without such a node is a local one. Where firmware has neither
 * kind (it prints without device paths), ConOut itself is the local console.
 */
void console_start(void);

/* The local console to draw on when there are no graphics, or NULL. */
SIMPLE_TEXT_OUTPUT_INTERFACE *console_local(void);

/* Were we started by a UEFI shell, which shows, or redirects, what is printed on ConOut? */
bool console_is_shell(void);

/* Does ConOut end in a serial line too? */
bool console_has_serial(void);

/* Print @length bytes for a person: on the shell's ConOut, else on each local console. */
void console_print(const char *text, size_t length);

/* Clear the local consoles, so that firmware prints on from the top, and show their cursors again.
 */
void console_restore(void);

#endif
