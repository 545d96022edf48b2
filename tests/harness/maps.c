/*
 * maps.c: see maps.h.
 */
#include "maps.h"

#include "mm/mm.h"
#include "mm/pte.h"
#include "x86/memory.h"

static enum page_look look_at(const struct vma *vma, pte_t entry)
{
    if (!pte_has_page(entry)) {
        return LOOK_NOTHING;
    }
    const struct page *page = pte_page(entry);
    if (!page) {
        return LOOK_ZERO;
    }
    if (page->flags & PAGE_ANONYMOUS) {
        return page->mapcount > 1 ? LOOK_COW : LOOK_RESIDENT;
    }
    /* A private mapping of a file never dirties it: its next write copies. */
    return page->flags & PAGE_DIRTY && vma->flags & VM_SHARED ? LOOK_DIRTY : LOOK_FILE;
}

static void take_name(const struct mm *mm, const struct vma *vma, char name[MAPS_NAME])
{
    const char *from = "";
    size_t i = 0;

    if (vma->cache && vma->cache->name) {
        from = vma->cache->name;
    } else if (vma->start <= mm->brk && vma->end >= mm->brk_start && mm->brk > mm->brk_start) {
        from = "[heap]";
    } else if (vma->start <= mm->stack_start && vma->end > mm->stack_start) {
        from = "[stack]";
    } else if (vma->cache) {
        from = "shared";
    }
    for (; from[i] && i < MAPS_NAME - 1; i++) {
        name[i] = from[i];
    }
    name[i] = '\0';
}

/* Count each page of @vma, and draw the strip. */
static void take_row(const struct mm *mm, const struct vma *vma, struct maps_row *row)
{
    uint32_t seen[MAPS_CELLS][LOOKS] = {0};
    uint64_t pages = (vma->end - vma->start) / PAGE_SIZE;
    uint64_t per_cell = (pages + MAPS_CELLS - 1) / MAPS_CELLS;
    vaddr_t end;

    *row = (struct maps_row){.start = vma->start, .end = vma->end, .flags = vma->flags};
    take_name(mm, vma, row->name);
    row->cells = (uint8_t)((pages + per_cell - 1) / per_cell);
    for (vaddr_t at = vma->start; at < vma->end;) {
        const pte_t *leaf = paging_leaf_within(&mm->space, at, &end);
        end = end && end < vma->end ? end : vma->end;
        for (; leaf && at < end; at += PAGE_SIZE, leaf++) {
            enum page_look look = look_at(vma, *leaf);
            row->pages[look]++;
            seen[(at - vma->start) / PAGE_SIZE / per_cell][look]++;
        }
        at = end;
    }
    uint64_t there = 0;
    for (unsigned look = LOOK_NOTHING + 1; look < LOOKS; look++) {
        there += row->pages[look];
    }
    pages -= there;
    row->pages[LOOK_NOTHING] = pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
    for (unsigned cell = 0; cell < row->cells; cell++) {
        unsigned most = LOOK_NOTHING;
        for (unsigned look = LOOK_NOTHING + 1; look < LOOKS; look++) {
            bool more =
                most == LOOK_NOTHING ? seen[cell][look] > 0 : seen[cell][look] >= seen[cell][most];
            most = more ? look : most;
        }
        row->strip[cell] = (uint8_t)most;
    }
}

static bool has_pages(const struct maps_row *row)
{
    uint64_t pages = (row->end - row->start) / PAGE_SIZE;

    return row->pages[LOOK_NOTHING] < pages;
}

void maps_take(const struct mm *mm, struct maps_picture *picture)
{
    memset(picture, 0, sizeof(*picture));
    for (struct vma *vma = vma_first(mm); vma; vma = vma_next(vma)) {
        picture->vmas += !(vma->flags & VM_RESERVED);
    }
    for (struct vma *vma = vma_first(mm); vma && picture->rows < MAPS_ROWS; vma = vma_next(vma)) {
        struct maps_row *row = &picture->row[picture->rows];
        if (vma->flags & VM_RESERVED) {
            continue;
        }
        take_row(mm, vma, row);
        picture->rows += picture->vmas <= MAPS_ROWS || has_pages(row);
    }
}

bool maps_valid(const struct maps_picture *picture)
{
    if (picture->rows > MAPS_ROWS) {
        return false;
    }
    for (unsigned i = 0; i < picture->rows; i++) {
        const struct maps_row *row = &picture->row[i];
        if (row->cells > MAPS_CELLS || row->name[MAPS_NAME - 1] || row->end < row->start) {
            return false;
        }
        for (unsigned cell = 0; cell < row->cells; cell++) {
            if (row->strip[cell] >= LOOKS) {
                return false;
            }
        }
    }
    return true;
}
