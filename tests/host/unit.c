/*
 * unit.c: start-up of every host test program.
 */
#include "tests/host/unit.h"

/* Line by line, so that a program that dies has said what passed until then. */
__attribute__((constructor)) static void unit_line_buffered(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}
