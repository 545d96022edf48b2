/*
 * program_archive.h: the programs of tests/programs/ and Linux's logs of them, inside core.
 */
#ifndef SUITES_PROGRAM_ARCHIVE_H
#define SUITES_PROGRAM_ARCHIVE_H

#include "x86/types.h"

struct archived_program {
    const char *name;
    const uint8_t *image, *image_end; /* the ELF file that runs on Linux, too */
    const char *log, *log_end;        /* tests/programs/logs/NAME.log; empty: there is none */
};

/*
 * One a line of program_list.h, which make writes: PROGRAM(name), PROGRAM_WITHOUT_LOG(name) where Linux's is not
 * recorded yet, or BENCH(name), which has none.
 */
enum archive_place {
#define PROGRAM(name)             ARCHIVE_##name,
#define PROGRAM_WITHOUT_LOG(name) ARCHIVE_##name,
#define BENCH(name)               ARCHIVE_##name,
#include "program_list.h"
#undef PROGRAM
#undef PROGRAM_WITHOUT_LOG
#undef BENCH
    ARCHIVED_PROGRAMS
};

/* A case whose parameter is the program: run it, compare with its log. Of a bench: its lines become comments. */
struct trial;
void run_archived_program(struct trial *trial);
#define PROGRAM_CASE(name_, program_, flags_)                                                      \
    {                                                                                              \
        .name = name_, .rule = RULE_LINUX, .flags = (flags_), .run = run_archived_program,         \
        .parameter = &program_archive[ARCHIVE_##program_],                                         \
    }

extern const struct archived_program program_archive[ARCHIVED_PROGRAMS];

#endif
