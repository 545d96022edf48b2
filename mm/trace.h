/*
 * trace.h: what --mm-trace shows of each fault: plain records in a ring, written by fault.c, made into lines by
 * tests/report/. Floor: mm.
 */
#ifndef MM_TRACE_H
#define MM_TRACE_H

#include "x86/types.h"

/* How a fault was resolved, or was not. The order is that of mm_resolution_names. */
enum mm_resolution {
    RESOLVED_ZERO_PAGE,    /* anonymous read */
    RESOLVED_ANONYMOUS,    /* a zeroed page */
    RESOLVED_REUSE,        /* write-protected, sole owner */
    RESOLVED_COPY,         /* write-protected, copied */
    RESOLVED_FILE_AROUND,  /* file read, neighbours mapped with it */
    RESOLVED_FILE_READ,    /* file read, one page */
    RESOLVED_FILE_PRIVATE, /* private write to a file's page: copied at once */
    RESOLVED_SHARED,       /* shared write */
    RESOLVED_MKWRITE,      /* shared, write-protected: page_mkwrite, dirty */
    RESOLVED_SPURIOUS,     /* the tables allowed it already */
    RESOLVED_VMALLOC,      /* a top-level entry of the kernel's copied */
    RESOLVED_WAITS,        /* the page is under way */
    RESOLVED_SIGSEGV,
    RESOLVED_SIGBUS,
    RESOLVED_OOM,
    RESOLVED_KERNEL, /* ring 0, nothing there: the exception table, or an oops */
    RESOLUTION_COUNT
};

struct mm_trace {
    uint64_t address, error, rip;
    uint64_t vma_start, vma_end, vma_flags; /* 0: no VMA */
    uint64_t ticks;                         /* of the TSC, from the resolver's start to its end */
    uint32_t task;
    uint16_t resolution; /* enum mm_resolution */
    uint16_t pages;      /* mapped by it */
};

#define MM_TRACE_RECORDS 1024u
struct mm_trace_ring {
    bool on;
    uint64_t
        written; /* records since it was switched on; the last MM_TRACE_RECORDS of them are in the ring */
    struct mm_trace record[MM_TRACE_RECORDS];
};
extern struct mm_trace_ring mm_trace;
extern const char *const mm_resolution_names[RESOLUTION_COUNT];

#endif
