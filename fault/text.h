/*
 * text.h: core's own code as bytes, for those who change it: kprobe.c alone.
 */
#ifndef FAULT_TEXT_H
#define FAULT_TEXT_H

#include "x86/types.h"

/* Is @address code that a probe may be put into: core's, and nothing that a probe's own handling runs through? */
bool text_holds(vaddr_t address);

static inline uint8_t text_peek(vaddr_t address)
{
    return *(const volatile uint8_t *)address;
}

/*
 * Write one byte of code, though its page is read-only, and see to it that it is what runs next. In: IF=0,
 * CR4.CET=0.
 */
void text_poke(vaddr_t address, uint8_t byte);

#endif
