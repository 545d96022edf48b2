/*
 * sabotage.h: test-only: leave something wrong, or provoke something, so that a test sees the check
 * for it fail. The words of --sabotage; docs/suites.md lists them.
 *
 *   world:NAME     an item of firmware's world (fault/world.h) comes back changed
 *   gdt-byte       a byte of firmware's GDT comes back changed
 *   idt-byte       a byte of firmware's IDT comes back changed
 *   leak-page      a page of our memory type stays allocated until the end (efi/core.c)
 *   mm:keep-writable, mm:lose-page, mm:stray-leaf   something of a program's memory is made wrong just before
 *                  it is audited (program_run.c)
 *   model:ROW:SLIP the reference model is wrong in one row (matrix/wrong.h)
 */
#ifndef HARNESS_SABOTAGE_H
#define HARNESS_SABOTAGE_H

#include "x86/types.h"

/* Arrange what @word says. Out: false: it says nothing known. Empty: nothing, and anything earlier
 * is off. */
bool sabotage_set(const char *word) MUST_CHECK;

/* Of mm:*, for program_run.c. */
enum memory_wrong {
    MEMORY_RIGHT,
    MEMORY_KEEP_WRITABLE, /* a leaf that fork or the zero page write-protected */
    MEMORY_LOSE_PAGE,     /* a page has a holder that nobody knows */
    MEMORY_STRAY_LEAF,    /* a page is mapped where no VMA is */
};
extern enum memory_wrong sabotage_memory;

#endif
