/*
 * status.h: what can go wrong below, in one list. Every function that returns it is MUST_CHECK.
 */
#ifndef PAGING_STATUS_H
#define PAGING_STATUS_H

enum status {
    STATUS_OK,
    STATUS_NO_FRAMES,  /* the pool named in the call is empty */
    STATUS_EXISTS,     /* something is mapped there already */
    STATUS_NOT_MAPPED, /* nothing is mapped there */
    STATUS_UNALIGNED,  /* address or size is not a multiple of the leaf's size */
    STATUS_RANGE, /* outside what this function serves: not canonical, beyond the block, wraps */
    STATUS_LEAF_SIZE,   /* a larger leaf is in the way, or this leaf size does not exist here */
    STATUS_FREE,        /* the frame is free already */
    STATUS_UNSUPPORTED, /* this machine, or this place, cannot have it */
};

#endif
