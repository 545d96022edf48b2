/*
 * vma.h: the mappings of an address space, in order of address. Floor: mm.
 *
 * A red-black tree (sys/tree.h), each node of which knows the largest gap in front of any VMA below
 * it, so that a fault and a search for room both cost O(log n).
 */
#ifndef MM_VMA_H
#define MM_VMA_H

#include "page_cache.h"

struct mm;

/* Linux's vm_flags, with Linux's values. */
#define VM_READ       UINT64_C(0x00000001)
#define VM_WRITE      UINT64_C(0x00000002)
#define VM_EXEC       UINT64_C(0x00000004)
#define VM_SHARED     UINT64_C(0x00000008)
#define VM_MAYREAD    UINT64_C(0x00000010)
#define VM_MAYWRITE   UINT64_C(0x00000020)
#define VM_MAYEXEC    UINT64_C(0x00000040)
#define VM_MAYSHARE   UINT64_C(0x00000080)
#define VM_GROWSDOWN  UINT64_C(0x00000100)
#define VM_LOCKED     UINT64_C(0x00002000)
#define VM_IO         UINT64_C(0x00004000) /* [vvar]: none of its pages can be given back */
#define VM_SEQ_READ   UINT64_C(0x00008000)
#define VM_RAND_READ  UINT64_C(0x00010000)
#define VM_DONTCOPY   UINT64_C(0x00020000)
#define VM_ACCOUNT    UINT64_C(0x00100000)
#define VM_NORESERVE  UINT64_C(0x00200000)
#define VM_SYNC       UINT64_C(0x00800000) /* MAP_SYNC: only keeps VMAs apart */
#define VM_WIPEONFORK UINT64_C(0x02000000)
#define VM_DONTDUMP   UINT64_C(0x04000000)
#define VM_HUGEPAGE   UINT64_C(0x20000000)
#define VM_NOHUGEPAGE UINT64_C(0x40000000)
#define VM_MERGEABLE  UINT64_C(0x80000000)
#define VM_PKEY_SHIFT 32
#define VM_PKEY       (UINT64_C(15) << VM_PKEY_SHIFT)
/* Of ours: the places that Linux's vvar and vdso have; an access is SIGSEGV. */
#define VM_RESERVED UINT64_C(0x0000100000000000)

#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
/* Never merged, never expanded, never locked (Linux's VM_SPECIAL). */
#define VM_SPECIAL (VM_IO | VM_RESERVED)

struct vma {
    vaddr_t start, end; /* bytes, page-aligned; @end is behind the last one */
    uint64_t flags;     /* VM_* */
    /* Leaf bits of a page here before anything is written to it: vma_prot(), with R/W only in shared mappings whose
     * file does not want to know of the first write. */
    pte_t prot;
    struct mm *mm;
    struct page_cache *cache; /* the file, with a reference, or NULL: anonymous */
    uint64_t page_offset;     /* of @start in the file, pages; anonymous: @start's page number when
                               * it was made, as in Linux: it decides what may merge */
    uint64_t anon_vma;        /* 0: nothing was ever written privately here; else VMAs with the same
                               * number may merge */
    bool anon_shared;         /* the number came from a fork: Linux would have a chain of several */
    RB_ENTRY(vma) node;
    uint64_t gap;             /* bytes that are free in front of it */
    uint64_t largest_gap;     /* of all in this subtree */
    LIST_ENTRY(vma) in_cache; /* of @cache's mappings */
    const char *name; /* of a place that is Linux's own: "[vdso]"; else NULL: see mm_maps_line() */
};

RB_HEAD(vma_tree, vma);

/* The first VMA that ends behind @address (it may begin behind it, too), or NULL. */
struct vma *vma_find(const struct mm *mm, vaddr_t address);

/* The VMA that holds @address, or NULL. */
static inline struct vma *vma_at(const struct mm *mm, vaddr_t address);

struct vma *vma_first(const struct mm *mm);
struct vma *vma_next(struct vma *vma);
struct vma *vma_previous(struct vma *vma);
struct vma *vma_last(const struct mm *mm);

/*
 * The nearest VMA below @vma (NULL: behind all) and above it that has a gap of at least @bytes in
 * front of it, or NULL.
 */
struct vma *vma_previous_with_gap(const struct mm *mm, struct vma *vma, uint64_t bytes);
struct vma *vma_next_with_gap(struct vma *vma, uint64_t bytes);

/*
 * A VMA of @mm with these bounds and flags, in no tree yet; its prot follows from the flags. It takes
 * a reference of @cache, and is in its list from vma_insert on, which must follow. Out: NULL when
 * there is no memory.
 */
MUST_CHECK struct vma *vma_create(struct mm *mm, vaddr_t start, vaddr_t end, uint64_t flags,
                                  struct page_cache *cache, uint64_t page_offset);

/*
 * Into the tree, the counts of maps and pages in @mm, the file's list; out of all that again, and free
 * it. Those counts are kept here for every change of bounds and flags: nobody else adds to them.
 */
void vma_insert(struct mm *mm, struct vma *vma);
void vma_remove(struct mm *mm, struct vma *vma);

/* Move one of @vma's bounds, where no other VMA is in the way. Page tables are the caller's. */
void vma_set_bounds(struct vma *vma, vaddr_t start, vaddr_t end, uint64_t page_offset);

/* Change flags and prot. */
void vma_set_flags(struct vma *vma, uint64_t flags);

/*
 * Split @vma at @address, inside it: it keeps the lower part, *@upper is the other. Errors: -ENOMEM
 * when there is no memory; the limit of maps is the caller's part.
 */
MUST_CHECK int vma_split(struct vma *vma, vaddr_t address, struct vma **upper);

/*
 * May @vma be prolonged by what follows it (after) or precedes it (before), with these flags, this
 * anon_vma number or 0, this file, and @page_offset at its start (after) or behind its end (before)?
 */
bool vma_may_merge_after(const struct vma *vma, uint64_t flags, uint64_t anon_vma,
                         const struct page_cache *cache, uint64_t page_offset);
bool vma_may_merge_before(const struct vma *vma, uint64_t flags, uint64_t anon_vma,
                          const struct page_cache *cache, uint64_t page_offset);

/*
 * @vma grows to [@start, @end): VMAs inside go, one that reaches in gives way. It has what merging lets it have of
 * their anon_vma.
 */
void vma_take(struct vma *vma, vaddr_t start, vaddr_t end);

/*
 * Linux's vma_merge: [@start, @end), unmapped or inside one VMA, is to have @flags; @previous is the
 * last VMA that begins below @start, or NULL. Where a neighbour can take the range over, it does: bounds move,
 * and VMAs that are swallowed go. Page tables are the caller's. Out: who holds the range now, or NULL:
 * nothing changed.
 */
struct vma *vma_merge(struct mm *mm, struct vma *previous, vaddr_t start, vaddr_t end,
                      uint64_t flags, uint64_t anon_vma, struct page_cache *cache,
                      uint64_t page_offset);

/*
 * Give [@start, @end) of @vma these @flags, as mprotect, madvise and mlock do: by merging, or else by
 * splitting. @previous as for vma_merge; @vma itself when @start is inside it. Out: *@changed holds the
 * range, with @flags; -ENOMEM: too many maps, or no memory, and splits that were made stay.
 */
MUST_CHECK int vma_change_flags(struct vma *vma, struct vma *previous, vaddr_t start, vaddr_t end,
                                uint64_t flags, struct vma **changed);

/* Does the leaf of a page that nobody may write yet look so: P or PROTNONE, U/S, XD, key. */
pte_t vma_prot(uint64_t flags);

/* Where @vma shows its writes to others and its file wants to know of each page's first one. */
static inline bool vma_tracks_writes(const struct vma *vma)
{
    return (vma->flags & VM_SHARED) && vma->cache && vma->cache->operations->page_mkwrite;
}

/* Private: what is written here becomes a copy of its own. */
static inline bool vma_is_private(const struct vma *vma)
{
    return (vma->flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

static inline unsigned vma_key(const struct vma *vma)
{
    return (unsigned)(vma->flags >> VM_PKEY_SHIFT) & 15;
}

/* Give @vma an anon_vma number before its first private page: a mergeable neighbour's, or a new one. */
void vma_choose_anon(struct vma *vma);
static inline void vma_prepare_anon(struct vma *vma)
{
    if (!vma->anon_vma) {
        vma_choose_anon(vma);
    }
}

/* fork: the number of @child, the copy of @parent, whose flags are set. */
void vma_fork_anon(struct vma *child, const struct vma *parent);

/* The index in the file of the page at @address. */
static inline uint64_t vma_index(const struct vma *vma, vaddr_t address)
{
    return vma->page_offset + (address - vma->start) / PAGE_SIZE;
}

static inline struct vma *vma_at(const struct mm *mm, vaddr_t address)
{
    struct vma *vma = vma_find(mm, address);

    return vma && vma->start <= address ? vma : NULL;
}

#endif
