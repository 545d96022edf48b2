/*
 * fault.h: hop b on the way of a fault: the resolver. Floor: mm.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "fault/cpu.h"
#include "mm.h"
#include "x86/exception.h"
#include "x86/instructions.h"

/*
 * Linux's fault flags, as far as each means something here; fault.c says what. Those that come from the error code
 * are its bits.
 */
enum fault_flags {
    FAULT_FLAG_WRITE = PF_EC_W,
    FAULT_FLAG_USER = PF_EC_U,
    FAULT_FLAG_INSTRUCTION = PF_EC_I,
    FAULT_FLAG_MKWRITE = 0x100,
    FAULT_FLAG_ALLOW_RETRY = 0x200,
    FAULT_FLAG_RETRY_NOWAIT = 0x400,
    FAULT_FLAG_KILLABLE = 0x800,
    FAULT_FLAG_TRIED = 0x1000,
};

/* One fault on its way through the handlers (Linux's struct vm_fault). */
struct fault {
    struct vma *vma;
    vaddr_t address;        /* of the page */
    unsigned flags;         /* enum fault_flags */
    pte_t *pte;             /* where the leaf is */
    pte_t entry;            /* what was there when the fault was sorted */
    struct page *waits_for; /* with VM_FAULT_RETRY: the page that is under way */
};

/*
 * The resolver: cpu->resolver while a program runs. Answers for cpu->mm, user and kernel faults.
 * RETRY: the page is there. LEAVE (ring 3) and NOT_MINE (ring 0): mm->bad says why.
 */
enum fault_result mm_resolve(struct trap_frame *frame, uint64_t address);

/*
 * The good area: make @address of @vma accessible as @flags say. For ring 3's faults and for those that
 * the kernel makes for it (populate, mlock). In: @address anywhere in the page; @vma allows the access.
 * RETRY: mm->bad.page is under way.
 */
MUST_CHECK enum vm_fault mm_handle_fault(struct vma *vma, vaddr_t address, unsigned flags);

/* The handlers, one a kind of mapping. In: fault->pte is there. */
enum vm_fault fault_anonymous(struct fault *fault);     /* anonymous.c: nothing there yet */
enum vm_fault fault_copy_on_write(struct fault *fault); /* copy_on_write.c: present, not writable */
enum vm_fault fault_file_read(struct fault *fault);     /* file.c: read, with fault-around */
enum vm_fault fault_file_private(struct fault *fault);  /* file.c: private write: copy at once */
enum vm_fault fault_shared(struct fault *fault);        /* shared.c: shared write */
enum vm_fault fault_make_writable(struct fault *fault); /* shared.c: page_mkwrite, dirty */

/*
 * Protection keys: whether they are on (CR4.PKE) while programs run, and how PKRU is read then. On the
 * build machine the simulated processor has one of its own.
 */
extern bool fault_keys_on;
#if __STDC_HOSTED__
uint32_t pkru_simulated(void);
static inline uint32_t fault_pkru(void)
{
    return pkru_simulated();
}
#else
static inline uint32_t fault_pkru(void)
{
    return read_pkru();
}
#endif

/*
 * Does PKRU allow the access that @error (W, I) tells of? Fetches are never refused.
 */
bool fault_keys_allow(const struct vma *vma, uint64_t error);

/*
 * stack.c: let @vma (GROWSDOWN) grow down to the page of @address.
 * Errors: -ENOMEM, -EPERM as in Linux.
 */
MUST_CHECK int stack_expand(struct vma *vma, vaddr_t address);

/* Refuse growth far below RSP as Linux did before 5.0 (documented option, off). */
extern bool stack_historic_rule;
#define STACK_HISTORIC_SLACK UINT64_C(65792) /* bytes: 65536 + 32 * sizeof(long) */

#endif
