/*
 * paging_mode_offsets.h: the page that both modes read on the way, as paging_mode.S knows it;
 * paging_mode.c asserts it.
 */
#ifndef FAULT_PAGING_MODE_OFFSETS_H
#define FAULT_PAGING_MODE_OFFSETS_H

#define MODE_CODE32 0x08 /* selectors of its GDT */
#define MODE_CODE64 0x10

#define MODE_GDTR 24 /* limit and 64-bit base */
#define MODE_FAR  40 /* where 64-bit code goes on: 32-bit offset, selector */

#endif
