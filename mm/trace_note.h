/*
 * trace_note.h: how the handlers tell the trace what they did. Floor: mm.
 */
#ifndef MM_TRACE_NOTE_H
#define MM_TRACE_NOTE_H

#include "trace.h"

/* The fault under way, while tracing is on; fault.c keeps and writes it. */
extern struct mm_trace trace_current;

static inline void trace_resolved(enum mm_resolution resolution, unsigned pages)
{
    if (__builtin_expect(mm_trace.on, 0)) {
        trace_current.resolution = (uint16_t)resolution;
        trace_current.pages = (uint16_t)pages;
    }
}

#endif
