/*
 * mm.h: one program's memory, and what system calls do to it. Floor: mm.
 *
 * Functions that a system call ends in take its arguments as they came, judge them as Linux does,
 * and return its result: a value, or an error number negated. Whatever fails leaves the memory as
 * Linux leaves it. No locks: one processor, IF=0.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "errno.h"
#include "paging/table.h"
#include "vma.h"

/* Linux's layout of x86-64 with 47-bit addresses, without randomisation. */
#define TASK_SIZE        UINT64_C(0x00007ffffffff000)
#define STACK_TOP        TASK_SIZE
#define STACK_GUARD_GAP  (UINT64_C(256) * PAGE_SIZE) /* bytes below a GROWSDOWN VMA */
#define MMAP_MIN_ADDRESS UINT64_C(65536)
#define MAP_COUNT_MAX    262144u /* vm.max_map_count: that of the machine that logs are recorded on */
#define MM_STACK_LIMIT   (UINT64_C(8) << 20) /* RLIMIT_STACK, unless it is set */
#define MM_NO_LIMIT      (~UINT64_C(0))      /* RLIM_INFINITY */

#define PROT_READ      1
#define PROT_WRITE     2
#define PROT_EXEC      4
#define PROT_NONE      0
#define PROT_GROWSDOWN 0x01000000
#define PROT_GROWSUP   0x02000000

#define MAP_SHARED          0x01
#define MAP_PRIVATE         0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE            0x0f
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_32BIT           0x40
#define MAP_GROWSDOWN       0x0100
#define MAP_DENYWRITE       0x0800
#define MAP_EXECUTABLE      0x1000
#define MAP_LOCKED          0x2000
#define MAP_NORESERVE       0x4000
#define MAP_POPULATE        0x8000
#define MAP_NONBLOCK        0x10000
#define MAP_STACK           0x20000
#define MAP_HUGETLB         0x40000
#define MAP_SYNC            0x80000
#define MAP_FIXED_NOREPLACE 0x100000

/* What came of a fault that mm_resolve() did not answer by a retry: for os/. */
struct bad_fault {
    enum bad_kind {
        BAD_NONE,
        BAD_SIGNAL, /* @signal is to be delivered */
        BAD_WAIT,   /* @page is under way: wait for it, then execute again */
        BAD_OOM,    /* no memory: the task has to go */
    } kind;
    int signal, code; /* SIGSEGV or SIGBUS; SEGV_MAPERR ... */
    unsigned key;     /* with SEGV_PKUERR */
    vaddr_t address;
    uint64_t error; /* the error code as a program may see it */
    struct page *page;
};

struct mm {
    struct address_space space;
    struct vma_tree tree;
    struct bad_fault bad;
    uint64_t min_flt, maj_flt; /* of the task that owns it */
    /* Of all VMAs (Linux's total_vm, locked_vm, data_vm: private, writable, no stack): vma.c's. */
    uint64_t pages_total, pages_locked, pages_data;
    uint32_t map_count;
    uint32_t keys;        /* protection keys in use, a bit each; 0 always */
    int execute_only_key; /* or -1 */
    int deny_key; /* out of mmap and mprotect: the caller's PKRU is to deny data accesses with this key, as
                   * Linux sets it for execute-only memory; -1: nothing to do. Whoever does it sets -1 */
    vaddr_t mmap_base; /* search for room from here downwards */
    vaddr_t brk_start, brk;
    uint64_t data_bytes; /* of the program's own data, which count for data_limit with the heap */
    vaddr_t stack_start; /* rsp at the start: names [stack] */
    uint64_t stack_limit, data_limit, address_limit, lock_limit; /* RLIMIT_STACK ..., bytes */
    uint32_t task; /* its owner's number: for traces */
    LIST_ENTRY(mm) in_all;
};

/* An empty address space: the kernel's half as in mm_reference, nothing below. Errors: -ENOMEM. */
MUST_CHECK int mm_create(struct mm **mm);

/*
 * The child's half of fork: a copy of @from, private pages shared for copy-on-write.
 * Errors: -ENOMEM, and then nothing has changed but that pages of @from may be write-protected.
 */
MUST_CHECK int mm_fork(struct mm *from, struct mm **to);

/* Everything goes. @mm is not loaded and not NULL. */
void mm_destroy(struct mm *mm);

/* Called by mm_destroy while all of it is still there, unless NULL: for pictures in reports. */
extern void (*mm_last_look)(const struct mm *mm);

/* mm_create's counterpart: @mm has no VMA and no table but its root, which goes with it. */
void mm_free(struct mm *mm);

/* Load @mm's page tables, and let the resolver answer for it; NULL: world's own root. */
void mm_load(struct mm *mm);

/*
 * Where the kernel's own top-level entries are, and how deep tables are: mm_start(), once; it is
 * kept in mm_reference, whose new tables come from memory.frames. Frames are memory_init()'s.
 */
extern struct address_space mm_reference;
extern vaddr_t mm_user_end; /* behind what programs may have, with as many levels as there are */
MUST_CHECK enum status mm_start(paddr_t reference_root, unsigned levels);

/* Stands for a file that nobody can map, a pipe say: what else is wrong with the call is said first, as in Linux. */
extern struct page_cache mm_unmappable;

/* mmap.c. @cache with mmap only: the file's, or NULL for anonymous memory. @may: VM_MAYREAD ... that the
 * descriptor's mode allows. @offset in bytes. */
int64_t mm_mmap(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t prot, uint64_t flags,
                struct page_cache *cache, uint64_t may, uint64_t offset);
int64_t mm_munmap(struct mm *mm, vaddr_t address, uint64_t bytes);
int64_t mm_brk(struct mm *mm, vaddr_t end);
int64_t mm_mprotect(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t prot, int key);
int64_t mm_mremap(struct mm *mm, vaddr_t address, uint64_t old_bytes, uint64_t new_bytes,
                  uint64_t flags, vaddr_t new_address);
int64_t mm_madvise(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t advice);
int64_t mm_msync(struct mm *mm, vaddr_t address, uint64_t bytes, uint64_t flags);
int64_t mm_mlock(struct mm *mm, vaddr_t address, uint64_t bytes);
int64_t mm_munlock(struct mm *mm, vaddr_t address, uint64_t bytes);
/*
 * One byte a page into @vector, kernel memory of @pages bytes: 1: resident. Out: how many pages, not beyond the VMA
 * that holds @address: Linux's mincore goes on from there, having given these to the program, and checks the ranges
 * before it begins. -ENOMEM: a hole; -EINVAL: not page-aligned.
 */
int64_t mm_mincore(struct mm *mm, vaddr_t address, uint64_t pages, uint8_t *vector);
/*
 * Protection keys. @rights of a new key are the caller's part: they are PKRU's. mm_has_keys: whether
 * CR4.PKE is on (set by os/); else none can be had.
 */
extern bool mm_has_keys;
int64_t mm_pkey_alloc(struct mm *mm, uint64_t flags, uint64_t rights);
int64_t mm_pkey_free(struct mm *mm, int key);

/* Might a program that is known to @mm use @key? */
bool mm_key_is_allocated(const struct mm *mm, int key);

/* The key of execute-only memory (mm->deny_key says it, too), or 0: there is none to be had. */
int mm_execute_only_key(struct mm *mm);

/* Where the search for room begins under a stack that may have @stack_limit bytes. */
vaddr_t mm_mmap_base(uint64_t stack_limit);

/*
 * maps.c: the line of /proc/self/maps for @vma, with its newline, no NUL. @line has MM_MAPS_LINE bytes, which are
 * enough for the names that files may have. Out: its length.
 */
#define MM_MAPS_LINE 384u
size_t mm_maps_line(const struct vma *vma, char *line);

/*
 * Fault in every page of [@address, @address + @bytes), page-aligned, as MAP_POPULATE, mlock and
 * MADV_POPULATE do; pages that are there already cost no fault.
 * Errors: -ENOMEM: a hole, or no memory; -EFAULT: SIGBUS; what the VMA or a protection
 * key forbids is -EFAULT as well, -EINVAL with POPULATE_READ and POPULATE_WRITE; -EAGAIN: a page is
 * under way, mm->bad.page.
 */
enum populate {
    POPULATE_AS_MAPPED, /* write to private writable VMAs, so that nothing is left to copy; else read */
    POPULATE_READ,
    POPULATE_WRITE,
};
MUST_CHECK int64_t mm_populate(struct mm *mm, vaddr_t address, uint64_t bytes,
                               enum populate populate);

#endif
