/*
 * symbols.h: names for addresses in core, from the symbol table that the loader left in our block.
 */
#ifndef FAULT_SYMBOLS_H
#define FAULT_SYMBOLS_H

#include "x86/types.h"

/* The ELF64 .symtab and .strtab of core; @count entries of 24 bytes. Called once at start-up. */
void symbols_set(const void *symtab, size_t count, const char *strtab, size_t strtab_bytes);

/*
 * The function or object that holds @address.
 * Out: its name and the @offset into it, or NULL where none does. Never reads outside the tables.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
