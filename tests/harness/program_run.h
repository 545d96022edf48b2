/*
 * program_run.h: one ring-3 program from its start to its end, over as many steps of a check as it needs.
 *
 *   if (!program_run(trial, &run)) return;      called again in the next step
 *   ... judge run.result ...
 *   program_run_end(trial, &run);               everything is given back, and that is judged
 */
#ifndef HARNESS_PROGRAM_RUN_H
#define HARNESS_PROGRAM_RUN_H

#include "maps.h"
#include "mm/audit.h"
#include "os/os.h"
#include "trial.h"

#define PROGRAM_SECONDS 60u /* that a program may run, unless said */

struct program_run {
    const char *name; /* of an ELF file of @bytes at @image */
    const void *image;
    uint64_t bytes;
    struct os_console console;
    uint64_t seconds; /* time limit; 0: PROGRAM_SECONDS */
    uint64_t needs;   /* bytes of frames; with less it is skipped */
    bool at_once;     /* in one step, however long: no firmware between two looks at the clock */

    struct maps_picture *maps; /* of its memory when it ends; NULL: nobody wants it */

    /* While it runs. */
    bool loaded;
    uint32_t task; /* its number */
    bool audited;  /* @audit is there: of all memory, just before the program's went */
    struct audit audit;
    uint64_t started, frames_before;
    uint32_t waits;

    /* When it has ended. */
    uint64_t ticks; /* of the TSC, from its start, what was between the steps included */
    struct os_result result;
};

/* Frames for mm/ and os/, empty. Out: false: there are not enough; @trial says so. */
bool programs_begin(struct trial *trial, uint64_t needs) MUST_CHECK;

/* The frames are somebody else's from now on: what a check left that did not come to its end is stopped. */
void programs_leave(void);

/*
 * Load @run's program, which program_run does as well when nobody has done it. Out: false: it could not be loaded; @trial
 * knows why.
 */
bool program_load(struct trial *trial, struct program_run *run) MUST_CHECK;

/* The same without a word, after programs_begin: for tries that may fail. Out: 0 or a negative error number. */
int program_start(struct program_run *run) MUST_CHECK;

/*
 * Go on with @run. Out: true: it has ended, @run->result says how, and what it left in memory is still there.
 * False: it needs another step, or could not run; @trial knows which.
 */
bool program_run(struct trial *trial, struct program_run *run) MUST_CHECK;

/* Give everything back; audit, and frames in use as before, are compared. */
void program_run_end(struct trial *trial, struct program_run *run);

/* With --mm-trace: tell of the faults since the last time. */
void memory_trace(void);

/* The same without a word. Out: is all of it good? */
bool program_stop(struct program_run *run) MUST_CHECK;

/* Frames of mm/'s pool that are in use; compare what mm/ believes and that with @before. */
uint64_t frames_in_use(void);
void memory_judge(struct trial *trial, uint64_t before);

#endif
