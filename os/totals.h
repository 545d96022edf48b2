/*
 * totals.h: what os_result() is going to say of the program that runs, as far as it is known. Floor: os.
 */
#ifndef OS_TOTALS_H
#define OS_TOTALS_H

#include "x86/types.h"

extern struct os_totals {
    uint32_t first_pid; /* of the first task */
    int status;         /* how it ended */
    uint64_t min_flt;   /* of all tasks that have ended */
} os_totals;

#endif
