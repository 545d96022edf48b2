/*
 * os.h: the small system that programs live in, as whoever runs it sees it. Floor: os.
 *
 * Programs run in bounded batches: os_run() goes on until its deadline, and is called again in the next batch. Between
 * two batches nothing of it is loaded. One processor, IF=0 in ring 0; switches happen at system calls and faults only.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include "fault/oops.h"
#include "mm/mm.h"

/* What os/ needs of whoever runs it. */
struct os_console {
    void (*write)(void *context, const char *bytes, size_t count); /* descriptors 1 and 2 */
    void *context;
};

enum os_state {
    OS_IDLE,    /* no program was started */
    OS_RUNNING, /* call os_run() again */
    OS_WAITING, /* every task waits for a page that is under way: serve it, then call again */
    OS_DONE,    /* the first program and all its children are gone: os_result() */
    OS_UNABLE, /* this machine cannot run programs: no timer to bound them, or too much extended state */
};

/* Who ends a program that does not end itself; in reports as a number. */
enum os_cut {
    OS_NOT_CUT,
    OS_SPUN,  /* its time is over; @culprit was running */
    OS_STUCK, /* all of its tasks wait for each other, @culprit first */
};

/* How the first program ended. */
struct os_result {
    int status;      /* as wait4 gives it: exit code << 8, or the signal's number */
    uint32_t oopses; /* tasks that died in the kernel; @oops is the first of them */
    struct oops oops;
    enum os_cut cut;
    char culprit[16];
    uint64_t min_flt, system_calls, switches;
    uint32_t unknown_count; /* system calls that do not exist, each named once */
    uint16_t unknown[16];
};

/* Ticks of the TSC in a millisecond, for clock_gettime and getrusage; 1,000,000 until somebody knows better. */
extern uint64_t os_ticks_per_millisecond;

/*
 * Take over @bytes of frames from @base on (page tables, pages, objects: all from there). Once a run.
 * Errors: as memory_init.
 */
MUST_CHECK enum status os_start(paddr_t base, uint64_t bytes, paddr_t reference_root,
                                unsigned levels);

/*
 * Load the ELF64 file of @bytes at @image (static or static-PIE) as the first task; @name is its path, as
 * /proc/self/maps shows it. @name and @image stay where they are until os_stop(). Its pages come from the page cache,
 * a page at a time as they are touched. @arguments, @environment: NULL-terminated. @limit: TSC ticks that its
 * tasks may run in ring 3, all together. Out: 0 or a negative error number, as execve; -EBUSY: another one is not
 * stopped yet.
 */
MUST_CHECK int os_program(const char *name, const void *image, uint64_t bytes,
                          const char *const *arguments, const char *const *environment,
                          const struct os_console *console, uint64_t limit);

/* Go on until @deadline (TSC). Loads fpu, timer, protection of ring 3 and puts them back itself. */
MUST_CHECK enum os_state os_run(uint64_t deadline);
void os_result(struct os_result *result);

/*
 * Kill everything that runs, and give all of it back. After it audit_all() must find nothing in use; if it does, an oops
 * has cost something, and os_start() begins anew.
 */
void os_stop(void);

#endif
