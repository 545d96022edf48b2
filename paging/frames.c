/*
 * frames.c: a bitmap for each pool. Floor: paging.
 */
#include "frames.h"

static bool is_used(const struct frame_pool *pool, size_t frame)
{
    return pool->used[frame / FRAME_WORD_BITS] >> frame % FRAME_WORD_BITS & 1;
}

static void set_used(struct frame_pool *pool, size_t first, size_t count)
{
    for (size_t frame = first; frame < first + count; frame++) {
        pool->used[frame / FRAME_WORD_BITS] |= BIT(frame % FRAME_WORD_BITS);
    }
    pool->free -= count;
}

enum status frame_pool_init(struct frame_pool *pool, const char *name, paddr_t base, size_t frames,
                            uint64_t *storage)
{
    const paddr_t limit = PTE_ADDRESS + PAGE_SIZE;
    if (base % PAGE_SIZE) {
        return STATUS_UNALIGNED;
    }
    if (base > limit || frames > (limit - base) / PAGE_SIZE) {
        return STATUS_RANGE;
    }
    *pool = (struct frame_pool){
        .name = name, .base = base, .frames = frames, .free = frames, .used = storage};
    for (size_t word = 0; word < FRAME_POOL_WORDS(frames); word++) {
        storage[word] = 0;
    }
    return STATUS_OK;
}

enum status frame_alloc(struct frame_pool *pool, paddr_t *frame)
{
    const size_t number = frame_take(pool);

    if (number == NO_FRAME) {
        return STATUS_NO_FRAMES;
    }
    *frame = pool->base + number * PAGE_SIZE;
    return STATUS_OK;
}

/* The lowest frame from @from on whose address is a multiple of @align. */
static size_t next_aligned(const struct frame_pool *pool, size_t from, uint64_t align)
{
    return (ALIGN_UP(pool->base + from * PAGE_SIZE, align) - pool->base) / PAGE_SIZE;
}

enum status frame_alloc_run(struct frame_pool *pool, size_t count, uint64_t align, paddr_t *first)
{
    if (align < PAGE_SIZE || (align & (align - 1))) {
        return STATUS_UNALIGNED;
    }
    if (count == 0) {
        return STATUS_RANGE;
    }
    size_t start = next_aligned(pool, pool->lowest, align);
    while (start < pool->frames && count <= pool->frames - start) {
        /* Look from the run's end: the last used frame in it is the farthest step forward. */
        size_t end = start + count;
        while (end > start && !is_used(pool, end - 1)) {
            end--;
        }
        if (end == start) {
            set_used(pool, start, count);
            *first = pool->base + start * PAGE_SIZE;
            return STATUS_OK;
        }
        start = next_aligned(pool, end, align);
    }
    return STATUS_NO_FRAMES;
}

enum status frame_free(struct frame_pool *pool, paddr_t frame)
{
    return frame_free_run(pool, frame, 1);
}

enum status frame_free_run(struct frame_pool *pool, paddr_t first, size_t count)
{
    if (first % PAGE_SIZE) {
        return STATUS_UNALIGNED;
    }
    size_t start = (first - pool->base) / PAGE_SIZE;
    if (!frame_pool_owns(pool, first) || count > pool->frames - start) {
        return STATUS_RANGE;
    }
    for (size_t frame = start; frame < start + count; frame++) {
        if (!is_used(pool, frame)) {
            return STATUS_FREE;
        }
    }
    for (size_t frame = start; frame < start + count; frame++) {
        pool->used[frame / FRAME_WORD_BITS] &= ~BIT(frame % FRAME_WORD_BITS);
    }
    pool->free += count;
    if (start < pool->lowest) {
        pool->lowest = start;
    }
    return STATUS_OK;
}
