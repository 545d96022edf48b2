/*
 * object.c: see object.h. Floor: mm.
 *
 *   a frame of objects:  head (64 bytes) | object | object | ...      free ones are a list through
 *                                                                     their first words
 */
#include "object.h"

#include "x86/memory.h"

struct object_frame {
    LIST_ENTRY(object_frame) link; /* of the frames with room */
    void *free;
    size_t used;
};

#define HEAD_BYTES 64u
_Static_assert(sizeof(struct object_frame) <= HEAD_BYTES, "the head has this room");

static struct object_frame *frame_of(void *object)
{
    return (struct object_frame *)ALIGN_DOWN((uintptr_t)object, PAGE_SIZE);
}

static size_t object_room(const struct object_cache *cache)
{
    return ALIGN_UP(cache->bytes, (size_t)8);
}

/* A new frame, all of it free objects, the lowest first. */
static struct object_frame *frame_make(struct object_cache *cache)
{
    const size_t room = object_room(cache);
    struct page *page = page_alloc(PAGE_OBJECTS);

    if (!page) {
        return NULL;
    }
    char *bytes = page_bytes(page);
    struct object_frame *frame = (struct object_frame *)bytes;
    *frame = (struct object_frame){0};
    size_t at = HEAD_BYTES + (PAGE_SIZE - HEAD_BYTES) / room * room;
    do { /* one fits at least */
        at -= room;
        *(void **)(bytes + at) = frame->free;
        frame->free = bytes + at;
    } while (at > HEAD_BYTES);
    LIST_INSERT_HEAD(&cache->partial, frame, link);
    cache->frames++;
    return frame;
}

void *object_alloc(struct object_cache *cache)
{
    if (memory.frames.fail_in && --memory.frames.fail_in == 0) {
        return NULL;
    }
    if (cache->starts != memory.starts) {
        cache->starts = memory.starts;
        cache->in_use = cache->frames = 0;
        LIST_INIT(&cache->partial);
    }
    struct object_frame *frame = LIST_FIRST(&cache->partial);
    if (!frame && !(frame = frame_make(cache))) {
        return NULL;
    }
    void *object = frame->free;
    frame->free = *(void **)object;
    frame->used++;
    if (!frame->free) {
        LIST_REMOVE(frame, link);
    }
    cache->in_use++;
    return memset(object, 0, cache->bytes);
}

void object_free(struct object_cache *cache, void *object)
{
    if (!object) {
        return;
    }
    struct object_frame *frame = frame_of(object);
    if (!frame->free) {
        LIST_INSERT_HEAD(&cache->partial, frame, link);
    }
    *(void **)object = frame->free;
    frame->free = object;
    cache->in_use--;
    if (--frame->used == 0) {
        LIST_REMOVE(frame, link);
        cache->frames--;
        page_put(page_of(virt_to_phys(frame)));
    }
}
