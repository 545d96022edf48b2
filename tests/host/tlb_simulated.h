/*
 * tlb_simulated.h: a processor's translation caches, as bad for forgetful software as the
 * architecture allows. SDM vol. 3A section 4.10; RULES section 6.
 *
 * It caches leaves (TLB) and upper entries (paging-structure caches), forgets nothing by itself as
 * long as there is room, and after each flush at once looks the address up again, as speculation
 * may: so a flush that comes before the change that it is for is noticed as well as one that never
 * comes. Its walker shares no code with paging/table.c. One processor, no PCIDs.
 */
#ifndef HOST_TLB_SIMULATED_H
#define HOST_TLB_SIMULATED_H

#include "paging/tlb.h"

struct translation {
    bool present;
    paddr_t address;
    pte_t flags; /* of the leaf; RW, US and XD combined over the walk */
};

/* Load @root: caches empty, nothing dropped, no flush counted. */
void tlb_simulated_start(paddr_t root, unsigned levels);

/* What an access to @va gets: through the caches, which it fills. */
struct translation tlb_simulated_access(vaddr_t va);

/*
 * An access as a processor makes it: with CR0.WP, NXE and protection keys on; SMAP is left to AC.
 * A faulting access leaves what is cached: not all processors drop it.
 */
enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
struct access {
    enum access_kind kind;
    bool user; /* CPL 3 */
    uint32_t pkru;
};

/*
 * Access @va through the caches, and set A and D in the tables. Out: true and *@address; or false
 * and *@error, the page-fault error code.
 */
bool tlb_simulated_touch(vaddr_t va, struct access access, paddr_t *address, uint64_t *error);

/* What the tables say now. */
struct translation tlb_simulated_walk(vaddr_t va);

/* How many cached entries say something else than the tables do now. */
unsigned tlb_simulated_stale(void);

/*
 * How many cached entries let through what the tables now refuse: lead elsewhere, allow more, have
 * another key, or would not set D where it is clear. What merely refuses more costs a spurious fault.
 */
unsigned tlb_simulated_harmful(void);

/* How many flushes there were; the @number-th from the start will have no effect (0: none). */
unsigned long tlb_simulated_flushes(void);
void tlb_simulated_drop(unsigned long number);

#endif
