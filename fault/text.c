/*
 * text.c: see text.h.
 */
#include "text.h"

#include "layout.h"
#include "x86/instructions.h"
#include "x86/registers.h"

/* core.lds */
extern const char noprobe_end[], text_probe_end[];

bool text_holds(vaddr_t address)
{
    return address >= (vaddr_t)noprobe_end && address < (vaddr_t)text_probe_end;
}

void text_poke(vaddr_t address, uint8_t byte)
{
    uint64_t cr0 = read_cr0();

    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    *(volatile uint8_t *)address = byte;
    write_cr0(cr0); /* serialises: SDM vol. 3A 9.3 */
}
