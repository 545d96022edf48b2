/*
 * boot_info.h: what efi/ built for core, and where. Lives in the page at BOOT_INFO_BASE.
 * Addresses are physical unless they say otherwise; bytes.
 */
#ifndef FAULT_BOOT_INFO_H
#define FAULT_BOOT_INFO_H

#include "x86/types.h"

#define BOOT_INFO_ABI 2u
#define CPUS_MAX      1u /* areas that the loader maps */

struct boot_info {
    uint32_t abi, bytes;
    uint64_t transition_root;      /* firmware's top-level page with our slots added */
    uint64_t world_root;           /* only our slots */
    uint64_t twin_root;            /* world without a single XD bit, for EFER.NXE=0 */
    uint64_t block, block_bytes;   /* the one allocation, core's image first */
    uint64_t direct, direct_bytes; /* the part mapped at DIRECT_BASE + (direct - block) */
    uint64_t free, free_bytes;     /* frames that nothing uses yet, at the block's end */
    uint64_t symtab, symtab_entries, strtab, strtab_bytes; /* inside the direct part */
    uint64_t session_bytes;                                /* mapped at SESSION_BASE */
    uint64_t apic;     /* the local APIC's page, mapped at LOCAL_APIC; 0: none, or x2APIC mode */
    uint32_t levels;   /* of paging, 4 or 5 */
    uint32_t build_id; /* first four bytes of core.elf's build id */
};

/*
 * The program that runs in our world, one bounded batch a call: supplied by whoever links with
 * fault/, as main() is for a C library. Runs with IF=0 on the processor's main stack.
 */
void batch_run(struct boot_info *boot);

#endif
