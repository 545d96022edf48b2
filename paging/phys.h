/*
 * phys.h: the one way to physical memory. Floor: paging.
 *
 * A side of Faultline sees one physically contiguous range of memory at one virtual address:
 *
 *   core        our block of frames           at DIRECT_BASE
 *   efi/        all of it, identity-mapped    at its own address
 *   host tests  an arena from the C library, which plays our block
 *
 * so one difference translates. What lies outside the range cannot be reached: whoever follows an
 * address that he did not make himself asks phys_reachable first.
 */
#ifndef PAGING_PHYS_H
#define PAGING_PHYS_H

#include "x86/types.h"

/* Where core sees the first byte of our block. Canonical with 4 and with 5 levels. */
#define DIRECT_BASE UINT64_C(0xffffff0000000000)

struct phys_range {
    paddr_t base;
    uint64_t bytes;
    uint64_t offset; /* virtual minus physical address, modulo 2^64 */
};
extern struct phys_range phys_range;

/* See @bytes of physical memory from @base at the virtual address @at. Once, before all else. */
void phys_set(paddr_t base, uint64_t bytes, uint64_t at);

static inline bool phys_reachable(paddr_t address, uint64_t bytes)
{
    uint64_t offset = address - phys_range.base;
    return offset < phys_range.bytes && bytes <= phys_range.bytes - offset;
}

/* @address must be reachable; following a wrong one would corrupt memory, so it stops here. */
static inline void *phys_to_virt(paddr_t address)
{
    if (!phys_reachable(address, 1)) {
        __builtin_trap();
    }
    return (void *)(uintptr_t)(address + phys_range.offset);
}

/*
 * The same without a look, for whom the frame is his own: tables of a program's space, pages of a pool.
 * There are several of them in each fault.
 */
static inline void *phys_to_virt_own(paddr_t address)
{
    return (void *)(uintptr_t)(address + phys_range.offset);
}

/* @pointer must lie in the range. */
static inline paddr_t virt_to_phys(const void *pointer)
{
    paddr_t address = (uintptr_t)pointer - phys_range.offset;
    if (!phys_reachable(address, 1)) {
        __builtin_trap();
    }
    return address;
}

#endif
