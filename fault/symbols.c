/*
 * symbols.c: names for addresses in core, by a scan of its ELF symbol table. System V ABI, "Symbol
 * Table". Only reports about something unexpected ask, so nothing is prepared for them: the table
 * is trusted in nothing but the bounds given with it.
 */
#include "symbols.h"

#include "elf64.h"

static const char *symbol_table;
static size_t symbol_count;
static const char *names;
static size_t names_bytes; /* up to and with the last NUL: every name that starts before it ends */

void symbols_set(const void *symtab, size_t count, const char *strtab, size_t strtab_bytes)
{
    symbol_table = symtab;
    symbol_count = symtab ? count : 0;
    names = strtab;
    names_bytes = strtab ? strtab_bytes : 0;
    while (names_bytes && names[names_bytes - 1]) {
        names_bytes--;
    }
}

/* Whether @symbol names a place in core. */
static bool is_place(const struct elf_symbol *symbol)
{
    return (symbol->info & 0xf) <= STT_FUNC && symbol->section != 0 && symbol->section < 0xff00 &&
           symbol->name != 0 && symbol->name < names_bytes && names[symbol->name];
}

/*
 * The symbol nearest below @address wins if its size reaches there. A label of assembly has no
 * size: it reaches up to the next symbol, unless a sized one holds the address too.
 */
const char *symbol_find(uint64_t address, uint64_t *offset)
{
    struct elf_symbol holder = {0}, label = {0};
    uint64_t below = 0; /* start of the nearest symbol at or below, of any size */
    bool above = false; /* something lies behind, so a label is not the end of core */
    for (size_t i = 0; i < symbol_count; i++) {
        struct elf_symbol symbol;
        __builtin_memcpy(&symbol, symbol_table + i * sizeof(symbol), sizeof(symbol));
        if (!is_place(&symbol)) {
            continue;
        }
        if (symbol.value > address) {
            above = true;
            continue;
        }
        if (symbol.value >= below) {
            below = symbol.value;
        }
        if (symbol.bytes == 0 && (!label.name || symbol.value > label.value)) {
            label = symbol;
        }
        if (address - symbol.value < symbol.bytes &&
            (!holder.name || symbol.value > holder.value)) {
            holder = symbol;
        }
    }
    const struct elf_symbol *found = NULL;
    if (holder.name) {
        found = &holder;
    } else if (label.name && label.value == below && above) {
        found = &label;
    }
    if (!found) {
        return NULL;
    }
    *offset = address - found->value;
    return &names[found->name];
}
