/*
 * page.c: see page.h. Floor: mm.
 *
 *   the range:  struct pages, one a frame | the pool's bitmap | frames
 */
#include "page.h"

#include "x86/memory.h"

struct memory memory;

static bool armed; /* memory_fail_at() waits for an allocation */

/* Frames that are left when what describes them is taken off the range's start. */
static uint64_t frames_behind(uint64_t bytes, uint64_t *head)
{
    const uint64_t all = bytes / PAGE_SIZE;

    *head =
        ALIGN_UP(all * sizeof(struct page) + FRAME_POOL_WORDS(all) * sizeof(uint64_t), PAGE_SIZE);
    return *head < bytes ? (bytes - *head) / PAGE_SIZE : 0;
}

enum status memory_init(paddr_t base, uint64_t bytes)
{
    uint64_t head, frames = frames_behind(bytes, &head);

    if (frames < 2) {
        return STATUS_NO_FRAMES;
    }
    memory = (struct memory){.pages = phys_to_virt(base), .starts = memory.starts + 1};
    memset(memory.pages, 0, frames * sizeof(struct page));
    uint64_t *bitmap = (uint64_t *)(memory.pages + frames);
    enum status status = frame_pool_init(&memory.frames, "programs", base + head, frames, bitmap);
    if (status == STATUS_OK) {
        status = frame_alloc(&memory.frames, &memory.zero);
    }
    if (status == STATUS_OK) {
        page_clear(phys_to_virt(memory.zero));
    }
    return status;
}

static inline struct page *take(uint32_t flags)
{
    const size_t number = frame_take(&memory.frames);

    if (number == NO_FRAME) {
        return NULL;
    }
    struct page *page = &memory.pages[number];
    page->count = 1;
    page->mapcount = 0;
    page->flags = flags; /* no cache, as at the start, or since page_free */
    return page;
}

struct page *page_alloc(uint32_t flags)
{
    return take(flags);
}

struct page *page_alloc_zeroed(uint32_t flags)
{
    struct page *page = take(flags);

    if (page) {
        page_clear(page_bytes(page));
    }
    return page;
}

void page_free(struct page *page)
{
    page->flags = 0;
    page->cache = NULL;
    if (frame_free(&memory.frames, page_frame(page)) != STATUS_OK) {
        __builtin_trap(); /* given back twice: memory is no longer what we believe */
    }
}

/* Eight bytes at a time: where the processor has no fast strings that is what counts. */
void page_clear(void *page)
{
    uint64_t words = PAGE_SIZE / 8;

    __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0) : "memory");
}

void page_copy(void *to, const void *from)
{
    uint64_t words = PAGE_SIZE / 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

void memory_fail_at(uint64_t number)
{
    armed = number != 0;
    memory.frames.fail_in = number;
}

bool memory_failed(void)
{
    return armed && memory.frames.fail_in == 0;
}
