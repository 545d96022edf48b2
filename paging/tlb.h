/*
 * tlb.h: the one header through which cached translations are dropped. Floor: paging. SDM vol. 3A
 * section 4.10.4.
 *
 * All of it concerns this processor only. On the build machine a simulated TLB
 * (tests/host/tlb_simulated.h) takes the processor's place, so that a forgotten call fails a test.
 */
#ifndef PAGING_TLB_H
#define PAGING_TLB_H

#include "x86/pte.h"
#include "x86/registers.h"

/*
 * tlb_flush_page:  what is cached for the page that holds @address, whatever its size, globals of
 *                  every PCID included, and the upper entries that lead there (current PCID).
 * tlb_flush_all:   everything, globals and every PCID included.
 * tlb_flush_space: all but globals of the space whose top-level table is at @root. A space that is
 *                  not loaded has nothing cached unless PCIDs are on: loading CR3 drops it.
 * tlb_load_space:  go over to the space whose top-level table is at @root.
 */
#if __STDC_HOSTED__

void tlb_flush_page(vaddr_t address);
void tlb_flush_all(void);
void tlb_flush_space(paddr_t root);
void tlb_load_space(paddr_t root);

#else

static inline void tlb_flush_page(vaddr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void tlb_flush_all(void)
{
    uint64_t cr4;
    /* Any change of PGE drops everything, whichever way it goes. */
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 ^ CR4_PGE) : "memory");
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static inline void tlb_flush_space(paddr_t root)
{
    uint64_t cr3, cr4;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if ((cr3 & PTE_ADDRESS) == root) {
        __asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
    } else if (cr4 & CR4_PCIDE) {
        tlb_flush_all();
    }
}

static inline void tlb_load_space(paddr_t root)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

#endif
#endif
