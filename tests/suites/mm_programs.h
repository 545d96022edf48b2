/*
 * mm_programs.h: programs of a few instructions for the suite mm, whole ELF files made by hand (mm_programs.S).
 */
#ifndef SUITES_MM_PROGRAMS_H
#define SUITES_MM_PROGRAMS_H

#define TINY_BASE     0x400000 /* where each is loaded */
#define READER_MEMORY 0x20000000
#define READER_PAGE   0x1000

#ifndef __ASSEMBLY__
#include "x86/types.h"

/* fork; the child writes a byte and ends with 99, the parent ends with the signal that killed the child. */
extern const uint8_t tiny_forker[], tiny_forker_end[];

/* Reads 8 bytes at READER_MEMORY; writes the 8 bytes on the page behind it; ends with the low byte of what it read. */
extern const uint8_t tiny_reader[], tiny_reader_end[];

/* Never ends. */
extern const uint8_t tiny_spinner[], tiny_spinner_end[];

/* Calls number 399, which no Linux has, twice, and ends with what the last one returned, negated. */
extern const uint8_t tiny_caller[], tiny_caller_end[];
#endif

#endif
