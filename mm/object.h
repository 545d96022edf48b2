/*
 * object.h: kernel objects of one size each, cut from frames (Linux's slab). Floor: mm.
 *
 * A frame whose last object is given back goes back to the pool, so that what is in use can be
 * counted by anybody.
 */
#ifndef MM_OBJECT_H
#define MM_OBJECT_H

#include "page.h"

#include <bsd/sys/queue.h>

struct object_frame;

struct object_cache {
    const char *name;
    size_t bytes; /* of an object: at most half a page */
    size_t in_use, frames;
    uint64_t starts; /* memory.starts when it was last used: frames of an earlier time are gone */
    LIST_HEAD(, object_frame) partial; /* frames with room */
};
#define OBJECT_CACHE(text, type)                                                                   \
    {                                                                                              \
        .name = (text), .bytes = sizeof(type)                                                      \
    }

/* An object of zeros, aligned to 8 bytes (64 when its size is a multiple of 64). Out: NULL when
 * there is no memory. */
MUST_CHECK void *object_alloc(struct object_cache *cache);

/* @object is NULL or came from @cache. */
void object_free(struct object_cache *cache, void *object);

#endif
