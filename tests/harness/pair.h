/*
 * pair.h: two 4-KiB pages side by side for what happens at the edge between them. Their frames are
 * not side by side, so a copy that is right by accident of physical memory is not right here; and
 * the edge lies between two page tables.
 *
 *   PAIR_EDGE - 4096   page 0   PAIR_EDGE   page 1   PAIR_EDGE + 4096
 *   absent             |                    |                  absent
 */
#ifndef HARNESS_PAIR_H
#define HARNESS_PAIR_H

#include "paging/status.h"
#include "x86/pte.h"

#define PAIR_EDGE UINT64_C(0x0000000010200000)

/* Writable pages are never executable: our world has none that are both. */
#define PAIR_ABSENT     0u
#define PAIR_WRITABLE   (PTE_P | PTE_RW | PTE_US)
#define PAIR_READ_ONLY  (PTE_P | PTE_US)
#define PAIR_EXECUTABLE PAIR_READ_ONLY

/* Map both pages, and @code (a page of core's text) as @code_at for ring 3. Once a run. */
enum status pair_start(const char *code, vaddr_t code_at) MUST_CHECK;

/* Give both pages these flags, fill them with pair_pattern(), drop what is cached. */
void pair_reset(pte_t page0, pte_t page1);

/* Give page 0 or 1 these flags. Lowered rights are invalidated. */
void pair_set(unsigned page, pte_t flags);

/* The byte at @address, which lies in one of the pages, behind the processor's back. */
uint8_t *pair_byte(vaddr_t address);

/* What pair_reset() writes there: differs from its neighbours, never 0. */
static inline uint8_t pair_pattern(vaddr_t address)
{
    return (uint8_t)(address * 6 + (address >> 7) * 2) | 1;
}

#endif
