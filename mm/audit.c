/*
 * audit.c: see audit.h. Floor: mm.
 *
 * First the trees of VMAs, because all else is looked up in them; then every leaf, which leaves a mark
 * on its page; then the page caches and the vmalloc area, which leave others; then each frame of the
 * pool against its marks.
 */
#include "audit.h"

#include "pte.h"
#include "vmalloc.h"

/* Marks in struct page's @seen; the lower bits count PTEs. */
#define SEEN_PTES    UINT32_C(0x0fffffff)
#define SEEN_TABLE   UINT32_C(0x10000000)
#define SEEN_CACHED  UINT32_C(0x20000000)
#define SEEN_VMALLOC UINT32_C(0x40000000)

struct scan {
    struct audit *audit;
    struct mm *mm;
    struct vma *vma;      /* the first that ends behind the leaf that is looked at */
    uint64_t file_vmas;   /* found in trees */
    uint64_t listed_vmas; /* found in page caches' lists */
};

const char *audit_words(enum audit_finding finding)
{
    static const char *const words[AUDIT_FINDINGS] = {
        [AUDIT_GOOD] = "good",
        [AUDIT_COUNT] = "a page's count is not what holds it",
        [AUDIT_MAPCOUNT] = "a page's mapcount is not its PTEs",
        [AUDIT_OUTSIDE_VMA] = "a leaf lies in no VMA",
        [AUDIT_WRITABLE] = "a private page is writable or exclusive, and has several holders",
        [AUDIT_CLEAN] = "a clean page of a file that tracks writes is writable",
        [AUDIT_RIGHTS] = "a leaf's rights are not its VMA's",
        [AUDIT_FOREIGN] = "a leaf leads to what is not a page of its VMA's",
        [AUDIT_TREE] = "VMAs are not as the tree believes",
        [AUDIT_CACHE] = "a page cache and its pages or mappings disagree",
        [AUDIT_TABLE] = "a page table is shared, free, or serves no VMA",
        [AUDIT_LEAK] = "a frame is in use that nobody has",
    };

    return words[finding];
}

/* Keep the first finding. Out: false, so that a check can end with it. */
static bool found(struct scan *scan, enum audit_finding finding, vaddr_t address, paddr_t frame,
                  uint64_t expected, uint64_t got)
{
    *scan->audit = (struct audit){.finding = finding,
                                  .mm = scan->mm,
                                  .address = address,
                                  .frame = frame,
                                  .expected = expected,
                                  .got = got};
    return false;
}

static bool frame_used(paddr_t frame)
{
    const size_t number = (frame - memory.frames.base) / PAGE_SIZE;

    return memory.frames.used[number / 64] >> (number % 64) & 1;
}

/* Is @frame one that somebody may have? */
static bool frame_valid(paddr_t frame)
{
    return frame % PAGE_SIZE == 0 && frame_pool_owns(&memory.frames, frame) && frame_used(frame);
}

/* ---- VMAs ---------------------------------------------------------------------------------------- */

/* Check the subtree at @vma: order of keys by RB's own links, and the largest gap. */
static bool check_subtree(struct scan *scan, struct vma *vma, uint64_t *largest)
{
    struct vma *left = RB_LEFT(vma, node), *right = RB_RIGHT(vma, node);
    uint64_t gap = vma->gap, below;

    if (left) {
        if (RB_PARENT(left, node) != vma || left->start >= vma->start) {
            return found(scan, AUDIT_TREE, left->start, 0, vma->start, left->start);
        }
        if (!check_subtree(scan, left, &below)) {
            return false;
        }
        gap = below > gap ? below : gap;
    }
    if (right) {
        if (RB_PARENT(right, node) != vma || right->start <= vma->start) {
            return found(scan, AUDIT_TREE, right->start, 0, vma->start, right->start);
        }
        if (!check_subtree(scan, right, &below)) {
            return false;
        }
        gap = below > gap ? below : gap;
    }
    *largest = gap;
    return vma->largest_gap == gap || found(scan, AUDIT_TREE, vma->start, 0, gap, vma->largest_gap);
}

static bool check_vmas(struct scan *scan)
{
    struct mm *mm = scan->mm;
    uint64_t count = 0, pages = 0, locked = 0, data = 0, largest;
    vaddr_t end = 0;

    for (struct vma *vma = vma_first(mm); vma; vma = vma_next(vma)) {
        const bool bounds = vma->start >= end && vma->start < vma->end && vma->end <= TASK_SIZE &&
                            (vma->start | vma->end) % PAGE_SIZE == 0;
        if (!bounds || vma->mm != mm) {
            return found(scan, AUDIT_TREE, vma->start, 0, end, vma->end);
        }
        if ((vma->prot ^ vma_prot(vma->flags)) & ~PTE_RW) {
            return found(scan, AUDIT_RIGHTS, vma->start, 0, vma_prot(vma->flags), vma->prot);
        }
        if (vma->gap != vma->start - end) {
            return found(scan, AUDIT_TREE, vma->start, 0, vma->start - end, vma->gap);
        }
        const uint64_t these = (vma->end - vma->start) / PAGE_SIZE;
        const uint64_t kind = vma->flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN);
        end = vma->end;
        count++;
        pages += these;
        locked += vma->flags & VM_LOCKED ? these : 0;
        data += kind == VM_WRITE ? these : 0;
        scan->file_vmas += vma->cache != NULL;
    }
    if (count != mm->map_count) {
        return found(scan, AUDIT_TREE, 0, 0, count, mm->map_count);
    }
    if (pages != mm->pages_total) {
        return found(scan, AUDIT_TREE, 0, 0, pages, mm->pages_total);
    }
    if (locked != mm->pages_locked) {
        return found(scan, AUDIT_TREE, 0, 0, locked, mm->pages_locked);
    }
    if (data != mm->pages_data) {
        return found(scan, AUDIT_TREE, 0, 0, data, mm->pages_data);
    }
    return RB_EMPTY(&mm->tree) || check_subtree(scan, RB_ROOT(&mm->tree), &largest);
}

/* ---- leaves -------------------------------------------------------------------------------------- */

/* A page that a private VMA's leaf may lead to: its own, with or without a file's behind it. */
static bool check_private(struct scan *scan, vaddr_t address, pte_t entry, const struct page *page)
{
    const struct vma *vma = scan->vma;

    if (!(page->flags & PAGE_ANONYMOUS)) {
        if (!vma->cache || page->cache != vma->cache || page->index != vma_index(vma, address)) {
            return found(scan, AUDIT_FOREIGN, address, page_frame(page), vma_index(vma, address),
                         page->index);
        }
    } else if (page->cache) {
        return found(scan, AUDIT_CACHE, address, page_frame(page), 0, page->index);
    } else if (!vma->anon_vma) {
        return found(scan, AUDIT_TREE, address, page_frame(page), 1, 0);
    }
    /* The counts themselves are judged later. */
    const bool alone = page->count == 1 && page->flags & PAGE_ANONYMOUS;
    if (!alone && (entry & PTE_RW || page->flags & PAGE_EXCLUSIVE)) {
        return found(scan, AUDIT_WRITABLE, address, page_frame(page), 1, page->count);
    }
    return true;
}

static bool check_shared(struct scan *scan, vaddr_t address, pte_t entry, const struct page *page)
{
    const struct vma *vma = scan->vma;

    if (page->cache != vma->cache || page->index != vma_index(vma, address)) {
        return found(scan, AUDIT_FOREIGN, address, page_frame(page), vma_index(vma, address),
                     page->index);
    }
    if (entry & PTE_RW && vma_tracks_writes(vma) && !(page->flags & PAGE_DIRTY)) {
        return found(scan, AUDIT_CLEAN, address, page_frame(page), PAGE_DIRTY, page->flags);
    }
    return true;
}

static bool check_leaf(struct scan *scan, vaddr_t address, pte_t entry)
{
    const paddr_t frame = entry & PTE_ADDRESS;
    const pte_t prot_bits = PTE_P | PTE_PROTNONE | PTE_US | PTE_XD | PTE_KEY;

    while (scan->vma && scan->vma->end <= address) {
        scan->vma = vma_next(scan->vma);
    }
    const struct vma *vma = scan->vma;
    if (!vma || vma->start > address) {
        return found(scan, AUDIT_OUTSIDE_VMA, address, frame, 0, entry);
    }
    if (!pte_has_page(entry) || !frame_valid(frame)) {
        return found(scan, AUDIT_FOREIGN, address, frame, 0, entry);
    }
    if ((entry ^ vma->prot) & prot_bits || (entry & PTE_RW && !(vma->flags & VM_WRITE))) {
        return found(scan, AUDIT_RIGHTS, address, frame, vma->prot, entry);
    }
    if (frame == memory.zero) {
        return vma->cache       ? found(scan, AUDIT_FOREIGN, address, frame, 0, entry)
               : entry & PTE_RW ? found(scan, AUDIT_WRITABLE, address, frame, 0, entry)
                                : true;
    }
    struct page *page = page_of(frame);
    page->seen++;
    if (page->flags & PAGE_OBJECTS || page->seen & SEEN_TABLE) {
        return found(scan, AUDIT_FOREIGN, address, frame, 0, page->flags);
    }
    return vma->flags & VM_SHARED ? check_shared(scan, address, entry, page)
                                  : check_private(scan, address, entry, page);
}

/* Mark the table at @frame. */
static bool mark_table(struct scan *scan, vaddr_t address, paddr_t frame)
{
    if (!frame_valid(frame) || page_of(frame)->seen || page_of(frame)->count) {
        return found(scan, AUDIT_TABLE, address, frame, 0,
                     frame_valid(frame) ? page_of(frame)->seen : 0);
    }
    page_of(frame)->seen = SEEN_TABLE;
    scan->audit->tables++;
    return true;
}

/* The tables below the one at @frame, of @level, and their leaves. */
static bool check_table(struct scan *scan, paddr_t frame, unsigned level, vaddr_t base,
                        unsigned entries)
{
    const pte_t *table = phys_to_virt(frame);

    for (unsigned i = 0; i < entries; i++) {
        const vaddr_t address = base + i * level_span(level);
        if (table[i] == 0) {
            continue;
        }
        if (level == 1) {
            if (!check_leaf(scan, address, table[i])) {
                return false;
            }
            continue;
        }
        const struct vma *vma = vma_find(scan->mm, address);
        if (!(table[i] & PTE_P) || table[i] & PTE_PS || !vma ||
            vma->start >= address + level_span(level)) {
            return found(scan, AUDIT_TABLE, address, table[i] & PTE_ADDRESS, 0, table[i]);
        }
        if (!mark_table(scan, address, table[i] & PTE_ADDRESS) ||
            !check_table(scan, table[i] & PTE_ADDRESS, level - 1, address, TABLE_ENTRIES)) {
            return false;
        }
    }
    return true;
}

/* The upper half is the reference's; what vmalloc added since may be missing. */
static bool check_kernel_half(struct scan *scan)
{
    const pte_t *ours = phys_to_virt(scan->mm->space.root);
    const pte_t *reference = phys_to_virt(mm_reference.root);
    const vaddr_t vmalloc_base = mm_reference.levels == 5 ? VMALLOC_BASE_5 : VMALLOC_BASE_4;

    for (unsigned i = TABLE_ENTRIES / 2; i < TABLE_ENTRIES; i++) {
        const bool may_miss = i == level_index(vmalloc_base, mm_reference.levels);
        if ((ours[i] ^ reference[i]) & ~PTE_A && !(may_miss && ours[i] == 0)) {
            return found(scan, AUDIT_TABLE, i, ours[i] & PTE_ADDRESS, reference[i], ours[i]);
        }
    }
    return true;
}

static bool check_mm(struct scan *scan)
{
    const struct address_space *space = &scan->mm->space;

    scan->vma = vma_first(scan->mm);
    return mark_table(scan, 0, space->root) && check_kernel_half(scan) &&
           check_table(scan, space->root, space->levels, 0, TABLE_ENTRIES / 2);
}

/* ---- page caches, vmalloc -------------------------------------------------------------------------- */

static bool check_cached_page(struct scan *scan, const struct page_cache *cache, struct page *page,
                              uint64_t least_index)
{
    const uint32_t state = page->flags & (PAGE_UPTODATE | PAGE_LOCKED | PAGE_ERROR | PAGE_RESERVED);
    const bool behind = page->index >= page_cache_size_pages(cache); /* only reserved ones may be */

    if (!frame_valid(page_frame(page)) || page->cache != cache || page->index < least_index ||
        (behind && state != PAGE_RESERVED) || (state & (state - 1)) || !state ||
        page->flags & (PAGE_ANONYMOUS | PAGE_EXCLUSIVE | PAGE_OBJECTS | PAGE_KERNEL)) {
        return found(scan, AUDIT_CACHE, page->index * PAGE_SIZE, page_frame(page),
                     page_cache_size_pages(cache), page->flags);
    }
    if (page->seen & (SEEN_TABLE | SEEN_CACHED)) {
        return found(scan, AUDIT_CACHE, page->index * PAGE_SIZE, page_frame(page), 0, page->seen);
    }
    page->seen |= SEEN_CACHED;
    return true;
}

static bool check_cache(struct scan *scan, struct page_cache *cache)
{
    uint64_t pages = 0, least_index = 0, mappings = 0;

    for (struct page *page = page_cache_first(cache, 0); page; page = page_cache_next(page)) {
        if (!check_cached_page(scan, cache, page, least_index)) {
            return false;
        }
        least_index = page->index + 1;
        pages++;
    }
    if (pages != cache->pages) {
        return found(scan, AUDIT_CACHE, 0, 0, pages, cache->pages);
    }
    const struct vma *vma;
    LIST_FOREACH (vma, &cache->mappings, in_cache) {
        if (vma->cache != cache) {
            return found(scan, AUDIT_CACHE, vma->start, 0, 0, 0);
        }
        mappings++;
    }
    scan->listed_vmas += mappings;
    if (cache->count == 0 || cache->count < mappings) {
        return found(scan, AUDIT_CACHE, 0, 0, mappings, cache->count);
    }
    return true;
}

static bool check_caches(struct scan *scan)
{
    struct page_cache *cache;

    scan->mm = NULL;
    LIST_FOREACH (cache, &all_page_caches, in_all) {
        if (!check_cache(scan, cache)) {
            return false;
        }
    }
    return scan->file_vmas == scan->listed_vmas ||
           found(scan, AUDIT_CACHE, 0, 0, scan->file_vmas, scan->listed_vmas);
}

/* The vmalloc area's tables below @entry, which is of @level + 1, and its pages. */
static bool check_vmalloc(struct scan *scan, pte_t entry, unsigned level)
{
    const paddr_t frame = entry & PTE_ADDRESS;

    if (!(entry & PTE_P)) {
        return entry == 0 || found(scan, AUDIT_TABLE, 0, frame, 0, entry);
    }
    if (level == 0) {
        if (!frame_valid(frame) || page_of(frame)->seen) {
            return found(scan, AUDIT_FOREIGN, 0, frame, 0, entry);
        }
        page_of(frame)->seen = SEEN_VMALLOC;
        return true;
    }
    if (!mark_table(scan, 0, frame)) {
        return false;
    }
    const pte_t *table = phys_to_virt(frame);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (!check_vmalloc(scan, table[i], level - 1)) {
            return false;
        }
    }
    return true;
}

static bool check_vmalloc_area(struct scan *scan)
{
    const vaddr_t base = mm_reference.levels == 5 ? VMALLOC_BASE_5 : VMALLOC_BASE_4;
    const pte_t *root = phys_to_virt(mm_reference.root);

    return check_vmalloc(scan, root[level_index(base, mm_reference.levels)],
                         mm_reference.levels - 1);
}

/* ---- frames ---------------------------------------------------------------------------------------- */

/* @page against what the scan has found of it. */
static bool check_page(struct scan *scan, const struct page *page)
{
    const uint32_t ptes = page->seen & SEEN_PTES;
    const bool cached = page->seen & SEEN_CACHED;
    const uint32_t holders = ptes + cached + ((page->seen & SEEN_VMALLOC) != 0) +
                             ((page->flags & PAGE_LOCKED) != 0) +
                             ((page->flags & (PAGE_KERNEL | PAGE_OBJECTS)) != 0);
    const paddr_t frame = page_frame(page);

    if (page->seen & SEEN_TABLE) {
        return true;
    }
    if (holders == 0) {
        return found(scan, AUDIT_LEAK, 0, frame, 0, page->count);
    }
    if (page->count != holders) {
        return found(scan, AUDIT_COUNT, 0, frame, holders, page->count);
    }
    if (page->mapcount != ptes) {
        return found(scan, AUDIT_MAPCOUNT, 0, frame, ptes, page->mapcount);
    }
    if (!cached && page->cache) {
        return found(scan, AUDIT_CACHE, page->index * PAGE_SIZE, frame, 0, page->flags);
    }
    scan->audit->object_frames += (page->flags & PAGE_OBJECTS) != 0;
    scan->audit->pages += !(page->flags & PAGE_OBJECTS);
    return true;
}

static bool check_frames(struct scan *scan)
{
    const struct frame_pool *pool = &memory.frames;
    size_t used = 0;

    for (size_t i = 0; i < pool->frames; i++) {
        const struct page *page = &memory.pages[i];
        const paddr_t frame = page_frame(page);
        if (frame_used(frame)) {
            used++;
            if (frame != memory.zero && !check_page(scan, page)) {
                return false;
            }
        } else if (page->count || page->mapcount || page->flags || page->seen) {
            return found(scan, AUDIT_COUNT, 0, frame, 0, page->count);
        }
    }
    return used == pool->frames - pool->free ||
           found(scan, AUDIT_LEAK, 0, 0, used, pool->frames - pool->free);
}

enum audit_finding audit_all(struct audit *audit)
{
    struct scan scan = {.audit = audit};
    bool good = true;

    *audit = (struct audit){.finding = AUDIT_GOOD};
    for (size_t i = 0; i < memory.frames.frames; i++) {
        memory.pages[i].seen = 0;
    }
    LIST_FOREACH (scan.mm, &all_mms, in_all) {
        good = good && check_vmas(&scan);
    }
    LIST_FOREACH (scan.mm, &all_mms, in_all) {
        good = good && check_mm(&scan);
    }
    (void)(good && check_caches(&scan) && check_vmalloc_area(&scan) && check_frames(&scan));
    return audit->finding;
}
