/*
 * frames.h: named pools of 4-KiB frames. Floor: paging.
 *
 * A pool hands out the frames of one physical range, lowest first, and knows of each whether it is
 * out: a frame that is given back twice, or that belongs to somebody else, is refused. Frames are
 * not cleared. A pool has no lock; it belongs to one processor or its owner has one.
 */
#ifndef PAGING_FRAMES_H
#define PAGING_FRAMES_H

#include "status.h"
#include "x86/pte.h"

struct frame_pool {
    const char *name;
    paddr_t base;
    size_t frames;    /* in all */
    size_t free;      /* of them */
    size_t lowest;    /* every frame below this one is out */
    uint64_t *used;   /* one bit a frame */
    uint64_t fail_in; /* test-only: this allocation from now on fails; 0: none */
};

/* Words of storage that a pool of @frames needs. */
#define FRAME_WORD_BITS          64u
#define FRAME_POOL_WORDS(frames) (((frames) + FRAME_WORD_BITS - 1) / FRAME_WORD_BITS)

/*
 * Make @pool of @frames free frames from @base on. @storage holds FRAME_POOL_WORDS(@frames) words
 * and, like @name, belongs to the pool from now on.
 * Errors: UNALIGNED; RANGE when the frames go beyond 52 physical-address bits.
 */
MUST_CHECK enum status frame_pool_init(struct frame_pool *pool, const char *name, paddr_t base,
                                       size_t frames, uint64_t *storage);

/*
 * Take the lowest free frame. Out: its number in the pool, or NO_FRAME, also when it is @fail_in's turn. A part of
 * every fault that allocates, and so in here.
 */
#define NO_FRAME SIZE_MAX
MUST_CHECK static inline size_t frame_take(struct frame_pool *pool)
{
    if (pool->free == 0 || (pool->fail_in && --pool->fail_in == 0)) {
        return NO_FRAME;
    }
    /* As one is free, the search ends before the bits behind the last frame. */
    size_t word = pool->lowest / FRAME_WORD_BITS;
    while (pool->used[word] == ~UINT64_C(0)) {
        word++;
    }
    const unsigned bit = (unsigned)__builtin_ctzll(~pool->used[word]);
    pool->used[word] |= BIT(bit);
    pool->free--;
    pool->lowest = word * FRAME_WORD_BITS + bit + 1;
    return pool->lowest - 1;
}

/* The same. Errors: NO_FRAMES. */
MUST_CHECK enum status frame_alloc(struct frame_pool *pool, paddr_t *frame);

/*
 * Take the lowest run of @count frames whose physical address is a multiple of @align bytes, a
 * power of two of at least PAGE_SIZE: 512 frames at PAGE_SIZE_2M back a large page.
 * Errors: NO_FRAMES when no such run is free; UNALIGNED for another @align; RANGE when @count is 0.
 */
MUST_CHECK enum status frame_alloc_run(struct frame_pool *pool, size_t count, uint64_t align,
                                       paddr_t *first);

/*
 * Give back one frame, or @count from @first on: all of them or none.
 * Errors: UNALIGNED; RANGE for frames of somebody else; FREE when one of them is not out.
 */
MUST_CHECK enum status frame_free(struct frame_pool *pool, paddr_t frame);
MUST_CHECK enum status frame_free_run(struct frame_pool *pool, paddr_t first, size_t count);

/* Whether @frame lies in @pool's range, out or not. */
static inline bool frame_pool_owns(const struct frame_pool *pool, paddr_t frame)
{
    return frame >= pool->base && (frame - pool->base) / PAGE_SIZE < pool->frames;
}

#endif
