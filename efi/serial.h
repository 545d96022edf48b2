/*
 * serial.h: the console stream's bytes on every serial port that firmware knows.
 */
#ifndef EFI_SERIAL_H
#define EFI_SERIAL_H

#include "x86/types.h"

/* Find the ports. None is fine: then serial_write does nothing. */
void serial_start(void);

/*
 * Write @length bytes to each port, "\n" as CR LF. A port that takes nothing for as long as its
 * driver waits is given up: an unplugged line with flow control must not hold the run.
 */
void serial_write(const char *bytes, size_t length);

void serial_end(void);

#endif
