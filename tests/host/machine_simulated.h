/*
 * machine_simulated.h: a processor and its memory for host tests of mm/ and os/: an arena from the C
 * library plays physical memory, tlb_simulated.c the translation caches, and what ring 3 or a
 * user accessor would do with an address is done here: through the caches and the tables, to the
 * resolver on a fault, and again. Nothing here knows VMAs.
 */
#ifndef HOST_MACHINE_SIMULATED_H
#define HOST_MACHINE_SIMULATED_H

#include "fault/cpu.h"
#include "mm/audit.h"
#include "mm/fault.h"
#include "tests/host/tlb_simulated.h"

/* Where the arena lies in physical memory. */
#define MACHINE_BASE UINT64_C(0x0000000123400000)

#define SIMULATED_ACCESSOR UINT64_C(0xffffffff80001000) /* where the kernel's accesses are made */

struct machine {
    uint32_t pkru;
    uint64_t rsp, rip;             /* of ring 3, for frames */
    uint64_t error, address;       /* of the last fault */
    unsigned long faults, retries; /* since machine_start */
    enum fault_result last;        /* of the last fault */
};
extern struct machine simulated;

/*
 * A machine of @frames frames of memory, of 4 or 5 @levels, with a reference root; memory_init and
 * mm_start are done, no mm exists. Whatever was before is gone: if something was left in it, objects
 * are lost, so a test ends with machine_stop.
 */
void machine_start(size_t frames, unsigned levels);

/* How many frames (and lists that are not empty) are left in use: with no mm and no file, none. */
size_t machine_left(void);

/* The end. Out: machine_left(). Whatever is left spoils the machines that follow. */
MUST_CHECK size_t machine_stop(void);

/*
 * Ring 3 reads, writes or fetches @bytes at @address, page by page. Out: BAD_NONE: done;
 * otherwise cpu's mm->bad.kind, and what came before the page that failed is done. BAD_OOPS: the resolver called it a bug.
 */
#define BAD_OOPS ((enum bad_kind)99)
enum bad_kind user_read(vaddr_t address, void *to, size_t bytes);
enum bad_kind user_write(vaddr_t address, const void *from, size_t bytes);
enum bad_kind user_fetch(vaddr_t address);

/* Ring 0 reads or writes a kernel address (vmalloc). Out: false: nobody resolved the fault. */
bool kernel_read(vaddr_t address, void *to, size_t bytes);
bool kernel_write(vaddr_t address, const void *from, size_t bytes);

/* What os/ does after mmap and mprotect: deny data accesses to execute-only memory in PKRU. */
void machine_take_keys(void);

/* What must hold after each operation: audit and TLB. Out: NULL, or what is wrong, in words. */
const char *machine_wrong(void);

#endif
