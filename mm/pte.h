/*
 * pte.h: what the leaves of a program's page tables mean to mm/. Floor: mm.
 *
 *   0                   nothing there yet
 *   P=1                 a page, or the zero page
 *   P=0, PTE_PROTNONE   a page that PROT_NONE hides: its frame and bits stay, access faults
 */
#ifndef MM_PTE_H
#define MM_PTE_H

#include "page.h"

/* Bit 8 is G in a present leaf, and no leaf of a program's is global (Linux's _PAGE_PROTNONE). */
#define PTE_PROTNONE PTE_G

/* Is there a page behind @entry, hidden or not? */
static inline bool pte_has_page(pte_t entry)
{
    return (entry & (PTE_P | PTE_PROTNONE)) != 0;
}

static inline bool pte_is_zero_page(pte_t entry)
{
    return (entry & PTE_ADDRESS) == memory.zero;
}

/* The page of an entry that has one, or NULL for the zero page, which nobody counts. */
static inline struct page *pte_page(pte_t entry)
{
    return pte_is_zero_page(entry) ? NULL : page_of(entry & PTE_ADDRESS);
}

#endif
