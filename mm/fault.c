/*
 * fault.c: hop b on the way of a fault: the resolver, while programs run. Floor: mm.
 *
 *   mm_resolve                         kernel address?   vmalloc area, spurious fault, else nobody's
 *     find the VMA                     none              bad area: SEGV_MAPERR
 *     below a GROWSDOWN VMA            stack.c           it grows, or bad area
 *     may it be accessed so?           no                bad area: SEGV_ACCERR, SEGV_PKUERR
 *   mm_handle_fault: what is at the leaf?
 *     nothing, no file                 anonymous.c
 *     nothing, a file:  read           file.c            private write  file.c
 *                       shared write   shared.c
 *     present, a write, not writable:  copy_on_write.c   shared         shared.c
 *     all of it allowed                spurious: the cached translation was older
 *
 * The order is that of SDM vol. 3A 4.7 turned round: the error code says what the processor saw, the
 * VMA what ought to be.
 *
 * Fault flags and what they mean here:
 *   WRITE, USER, INSTRUCTION   from the error code: W, U, I
 *   MKWRITE        the handler that is asked makes a present page of a file writable
 *   ALLOW_RETRY    the fault may end with RETRY, since whoever made it can wait and come back: ring 3's
 *                  instruction and restartable system calls can. Without it a page under way is SIGBUS
 *   RETRY_NOWAIT   with ALLOW_RETRY: whoever made it does not wait for the page, and says so to its caller
 *   KILLABLE       while it waits a signal may end the task: all our waits are so
 *   TRIED          it waited once already: counts as a major fault
 * Linux's REMOTE is missing: no task's system call reaches into another one's memory here.
 */
#include "fault.h"

#include "fault/fixup.h"
#include "fault/uaccess.h"
#include "paging/tlb.h"
#include "signal_number.h"
#include "trace_note.h"
#include "vmalloc.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/registers.h"

bool fault_keys_on;

/* ---- trace ----------------------------------------------------------------------------------- */

struct mm_trace_ring mm_trace;
struct mm_trace trace_current;

const char *const mm_resolution_names[RESOLUTION_COUNT] = {
    [RESOLVED_ZERO_PAGE] = "zero page",
    [RESOLVED_ANONYMOUS] = "zeroed page",
    [RESOLVED_REUSE] = "reused",
    [RESOLVED_COPY] = "copied",
    [RESOLVED_FILE_AROUND] = "file, around",
    [RESOLVED_FILE_READ] = "file",
    [RESOLVED_FILE_PRIVATE] = "private copy of file",
    [RESOLVED_SHARED] = "shared",
    [RESOLVED_MKWRITE] = "made writable",
    [RESOLVED_SPURIOUS] = "spurious",
    [RESOLVED_VMALLOC] = "vmalloc",
    [RESOLVED_WAITS] = "waits",
    [RESOLVED_SIGSEGV] = "SIGSEGV",
    [RESOLVED_SIGBUS] = "SIGBUS",
    [RESOLVED_OOM] = "out of memory",
    [RESOLVED_KERNEL] = "kernel",
};

static __attribute__((noinline)) void trace_begin(const struct trap_frame *frame, uint64_t address,
                                                  const struct mm *mm)
{
    trace_current = (struct mm_trace){
        .address = address,
        .error = frame->error,
        .rip = frame->rip,
        .task = mm ? mm->task : 0,
        .resolution = RESOLVED_KERNEL,
        .ticks = read_tsc(),
    };
}

static void trace_vma(const struct vma *vma)
{
    trace_current.vma_start = vma->start;
    trace_current.vma_end = vma->end;
    trace_current.vma_flags = vma->flags;
}

static __attribute__((noinline)) void trace_end(void)
{
    trace_current.ticks = read_tsc() - trace_current.ticks;
    mm_trace.record[mm_trace.written++ % MM_TRACE_RECORDS] = trace_current;
}

/* ---- the good area --------------------------------------------------------------------------- */

/* Nothing is at the leaf, or a page that allows less than the VMA. */
static enum vm_fault sort(struct fault *fault)
{
    const struct vma *vma = fault->vma;
    const bool write = fault->flags & FAULT_FLAG_WRITE;

    if (fault->entry == 0) {
        return !vma->cache              ? fault_anonymous(fault)
               : !write                 ? fault_file_read(fault)
               : vma->flags & VM_SHARED ? fault_shared(fault)
                                        : fault_file_private(fault);
    }
    if (write && !(fault->entry & PTE_RW)) {
        if (vma->flags & VM_SHARED) {
            fault->flags |= FAULT_FLAG_MKWRITE;
            return fault_make_writable(fault);
        }
        return fault_copy_on_write(fault);
    }
    /* The tables allow it: what the processor had cached was older. */
    tlb_flush_page(fault->address);
    trace_resolved(RESOLVED_SPURIOUS, 0);
    return VM_FAULT_DONE;
}

enum vm_fault mm_handle_fault(struct vma *vma, vaddr_t address, unsigned flags)
{
    struct mm *mm = vma->mm;
    struct fault fault;

    fault.vma = vma;
    fault.address = ALIGN_DOWN(address, PAGE_SIZE);
    fault.flags = flags;
    fault.pte = paging_leaf(&mm->space, fault.address);
    if (!fault.pte && paging_leaf_make(&mm->space, fault.address, &fault.pte) != STATUS_OK) {
        return VM_FAULT_OOM;
    }
    fault.entry = *fault.pte;
    enum vm_fault result = sort(&fault);
    if (result == VM_FAULT_DONE) {
        if (flags & FAULT_FLAG_TRIED) {
            mm->maj_flt++;
        } else {
            mm->min_flt++;
        }
        return result;
    }
    if (result == VM_FAULT_RETRY) {
        if (!(flags & FAULT_FLAG_ALLOW_RETRY)) {
            return VM_FAULT_SIGBUS;
        }
        mm->bad.page = fault.waits_for;
    }
    return result;
}

/* ---- is it a good area? ---------------------------------------------------------------------- */

bool fault_keys_allow(const struct vma *vma, uint64_t error)
{
    if (!fault_keys_on || error & PF_EC_I) {
        return true;
    }
    /* AD refuses all; WD, the bit above it, writes. */
    const uint32_t refused = fault_pkru() >> (2 * vma_key(vma));
    return !(refused & (error & PF_EC_W ? 3 : 1));
}

/*
 * May the access that @error tells of be made in @vma? A present page that was refused for a read or
 * a fetch is so by the VMA's rights; one that is missing, if the VMA has any rights at all: a fetch
 * from a page that may not be executed brings it in first, and is refused then.
 */
static inline __attribute__((always_inline)) bool access_allowed(const struct vma *vma,
                                                                 uint64_t error)
{
    if (error & (PF_EC_PK | PF_EC_SGX | PF_EC_SS) || !fault_keys_allow(vma, error)) {
        return false;
    }
    if (error & PF_EC_W) {
        return vma->flags & VM_WRITE;
    }
    return !(error & PF_EC_P) && (vma->flags & VM_ACCESS_FLAGS) && !(vma->flags & VM_RESERVED);
}

/* ---- bad areas: not inlined, as what a good one costs is what counts --------------------------- */

/* Ring 3 leaves with what os/ needs to know; ring 0 has its exception table. */
static enum fault_result bad(struct mm *mm, const struct trap_frame *frame, struct bad_fault what,
                             enum mm_resolution resolution)
{
    mm->bad = what;
    trace_resolved(resolution, 0);
    return trap_from_user(frame) ? FAULT_LEAVE : FAULT_NOT_MINE;
}

static inline enum fault_result bad_signal(struct mm *mm, const struct trap_frame *frame,
                                           uint64_t address, int signal, int code, unsigned key)
{
    /* Whether a kernel page is there is nobody's business: programs always see P for them. */
    const uint64_t present = address >= mm_user_end ? PF_EC_P : 0;

    return bad(mm, frame,
               (struct bad_fault){.kind = BAD_SIGNAL,
                                  .signal = signal,
                                  .code = code,
                                  .key = key,
                                  .address = address,
                                  .error = frame->error | present},
               signal == SIGBUS ? RESOLVED_SIGBUS : RESOLVED_SIGSEGV);
}

static __attribute__((noinline)) enum fault_result
bad_area(struct mm *mm, const struct trap_frame *frame, uint64_t address)
{
    return bad_signal(mm, frame, address, SIGSEGV, SEGV_MAPERR, 0);
}

static __attribute__((noinline)) enum fault_result
bad_access(struct mm *mm, const struct trap_frame *frame, uint64_t address, const struct vma *vma)
{
    const bool by_key =
        fault_keys_on && (frame->error & PF_EC_PK || !fault_keys_allow(vma, frame->error));

    return bad_signal(mm, frame, address, SIGSEGV, by_key ? SEGV_PKUERR : SEGV_ACCERR,
                      by_key ? vma_key(vma) : 0);
}

/* ---- kernel addresses ------------------------------------------------------------------------ */

/*
 * A kernel page that is right in the tables, and whose translation was cached with fewer rights:
 * only a write or a fetch by ring 0 to a present page can be that (Linux's spurious_kernel_fault).
 */
static bool is_spurious(const struct mm *mm, uint64_t error, uint64_t address)
{
    struct walk walk;

    if ((error != (PF_EC_W | PF_EC_P) && error != (PF_EC_I | PF_EC_P)) ||
        paging_walk(mm->space.root, mm->space.levels, address, &walk) != WALK_LEAF) {
        return false;
    }
    return error & PF_EC_W ? (walk.rights & PTE_RW) != 0 : !(walk.rights & PTE_XD);
}

static __attribute__((noinline)) enum fault_result
kernel_address(struct mm *mm, const struct trap_frame *frame, uint64_t address)
{
    if (!(frame->error & (PF_EC_P | PF_EC_U | PF_EC_RSVD)) &&
        vmalloc_synchronise(mm->space.root, address)) {
        trace_resolved(RESOLVED_VMALLOC, 0);
        return FAULT_RETRY;
    }
    if (is_spurious(mm, frame->error, address)) {
        tlb_flush_page(address);
        trace_resolved(RESOLVED_SPURIOUS, 0);
        return FAULT_RETRY;
    }
    return trap_from_user(frame) ? bad_area(mm, frame, address) : FAULT_NOT_MINE;
}

/* ---- the resolver ---------------------------------------------------------------------------- */

/*
 * Ring 0 has no business with a user address but through the accessors, which are in the exception table and switch
 * SMAP off by AC for as long as they last: whatever else reaches for one is a bug of ours.
 */
static bool kernel_may(const struct trap_frame *frame)
{
    return !(frame->error & PF_EC_I) && (frame->rflags & RFLAGS_AC || !uaccess_smap) &&
           fixup_exists(frame->rip);
}

/* @address lies below @vma. If that is a stack, it may grow. */
static __attribute__((noinline)) bool grows(struct vma *vma, const struct trap_frame *frame,
                                            uint64_t address)
{
    if (!(vma->flags & VM_GROWSDOWN) || (stack_historic_rule && trap_from_user(frame) &&
                                         address + STACK_HISTORIC_SLACK < frame->rsp)) {
        return false;
    }
    return stack_expand(vma, address) == 0;
}

/* The good area's handlers could not. */
static __attribute__((noinline)) enum fault_result
not_done(struct mm *mm, const struct trap_frame *frame, uint64_t address, enum vm_fault result)
{
    switch (result) {
    case VM_FAULT_DONE:
        return FAULT_RETRY;
    case VM_FAULT_OOM:
        return bad(mm, frame, (struct bad_fault){.kind = BAD_OOM, .address = address},
                   RESOLVED_OOM);
    case VM_FAULT_SIGBUS:
        return bad_signal(mm, frame, address, SIGBUS, BUS_ADRERR, 0);
    case VM_FAULT_SIGSEGV:
        return bad_area(mm, frame, address);
    case VM_FAULT_RETRY:
        return bad(mm, frame,
                   (struct bad_fault){.kind = BAD_WAIT, .address = address, .page = mm->bad.page},
                   RESOLVED_WAITS);
    }
    __builtin_unreachable();
}

static inline __attribute__((always_inline)) enum fault_result
user_address(struct mm *mm, const struct trap_frame *frame, uint64_t address, bool traced)
{
    const uint64_t error = frame->error;

    if (!trap_from_user(frame) && !kernel_may(frame)) {
        return FAULT_OOPS;
    }
    if (error & PF_EC_RSVD) {
        return FAULT_OOPS; /* a reserved bit in a table of ours */
    }
    struct vma *vma = vma_find(mm, address);
    if (!vma || (address < vma->start && !grows(vma, frame, address))) {
        return bad_area(mm, frame, address);
    }
    if (traced) {
        trace_vma(vma);
    }
    if (!access_allowed(vma, error)) {
        return bad_access(mm, frame, address, vma);
    }
    unsigned flags = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE |
                     ((unsigned)error & (PF_EC_W | PF_EC_U | PF_EC_I));
    if (__builtin_expect(mm->bad.kind != BAD_NONE, 0)) {
        flags |= mm->bad.kind == BAD_WAIT ? FAULT_FLAG_TRIED : 0;
        mm->bad.kind = BAD_NONE;
    }
    const enum vm_fault result = mm_handle_fault(vma, address, flags);
    return result == VM_FAULT_DONE ? FAULT_RETRY : not_done(mm, frame, address, result);
}

/* There are two of it, so that without a trace nobody asks for one on the way. */
static inline __attribute__((always_inline)) enum fault_result
resolve(struct mm *mm, const struct trap_frame *frame, uint64_t address, bool traced)
{
    return address >= mm_user_end ? kernel_address(mm, frame, address)
                                  : user_address(mm, frame, address, traced);
}

static __attribute__((noinline)) enum fault_result
resolve_traced(struct mm *mm, const struct trap_frame *frame, uint64_t address)
{
    trace_begin(frame, address, mm);
    const enum fault_result result = resolve(mm, frame, address, true);
    trace_end();
    return result;
}

enum fault_result mm_resolve(struct trap_frame *frame, uint64_t address)
{
    struct mm *mm = cpu_current()->mm;

    if (!mm) {
        return FAULT_NOT_MINE;
    }
    return __builtin_expect(mm_trace.on, 0) ? resolve_traced(mm, frame, address)
                                            : resolve(mm, frame, address, false);
}
