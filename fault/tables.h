/*
 * tables.h: this processor's GDT, TSS and IDT.
 */
#ifndef FAULT_TABLES_H
#define FAULT_TABLES_H

#include "cpu.h"
#include "x86/instructions.h"

/* The vector that ring-3 code may raise to leave ring 3. */
#define VECTOR_USER_EXIT 0x80

/*
 * Write GDT, TSS and IDT afresh and load them, with CS, SS, DS and ES. @firmware_gdt is copied to
 * the start of ours. In: IF=0, NXE as our tables need it, any root that maps core.
 */
void tables_install(struct cpu *cpu, struct table_register firmware_gdt);

/* Load this processor's GDT and IDT again, whatever a check has loaded instead. */
void tables_load(struct cpu *cpu);

/*
 * A TSS of base 0, without IST and RSP0: nothing of ours, at @selector of our GDT. For the way out;
 * what was at that place is lost until the next tables_install().
 */
void tombstone_write(struct cpu *cpu, uint16_t selector);

/* The gate of @vector, for tests that bend it; tables_install() makes it straight again. */
struct gate *tables_gate(unsigned vector);
void tables_gate_straighten(unsigned vector);

void code_segment_load(uint16_t selector); /* world_switch.S */

#endif
