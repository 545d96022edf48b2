/*
 * options.h: the one option grammar, whichever way the words arrived (docs/options.md).
 *
 * Three carriers, weakest first: faultline.cfg on the stick, the shell's command line or load
 * options, QEMU's fw_cfg. An option of a later carrier replaces the same option of an earlier one;
 * repeats within one carrier add up (--only, --skip) or the last one wins (the rest).
 * The text is words separated by blanks. "..." keeps blanks in a word. In faultline.cfg a word that
 * begins with '#' starts a comment, which runs to the end of the line. On the command line a first
 * word that does not begin with '-' is the program's own name. A value follows its option as
 * "--seed 7" or "--seed=7". Pure: no allocation, no pointers into the text are kept.
 */
#ifndef HARNESS_OPTIONS_H
#define HARNESS_OPTIONS_H

#include "x86/types.h"

#define OPTION_GLOBS     32u
#define OPTION_ID        704u   /* a glob or an id: the matrix has long ones (matrix/axes.h) */
#define OPTION_TEXT      96u    /* any other text */
#define OPTION_LINE      4096   /* bytes that one carrier may hold */
#define OPTION_CANONICAL 16384u /* bytes that options_write never exceeds */

#define OPTION_CPUS_ALL 0u
#define OPTION_CPUS_BSP 1u

/* Unless said. */
#define OPTION_SOAK_SECONDS    20u
#define OPTION_DEBUG_EXIT_PORT 0xf4u
#define OPTION_BASELINE        "\\faultline\\baseline.txt"

enum option_carrier { CARRIER_FILE, CARRIER_COMMAND_LINE, CARRIER_FW_CFG, CARRIER_COUNT };

enum option_matrix { MATRIX_QUICK, MATRIX_FULL, MATRIX_SOAK, MATRIX_NONE };

/* Which paging modes the matrix covers; the standard suites run in the one that firmware uses. */
enum option_levels {
    LEVELS_AS_FOUND, /* not said: every mode that the processor has */
    LEVELS_4,
    LEVELS_5,
    LEVELS_BOTH
};

enum option_at_end {
    AT_END_RETURN, /* to firmware or the shell */
    AT_END_POWEROFF,
    AT_END_REBOOT,
    AT_END_DEBUG_EXIT /* port, see debug_exit_port */
};

struct option_globs {
    uint32_t count;
    char glob[OPTION_GLOBS][OPTION_ID];
};

struct options {
    struct option_globs only, skip;
    char explain[OPTION_ID];    /* empty: none */
    char baseline[OPTION_TEXT]; /* path on the stick of what is accepted, empty: nothing */
    char emulator[OPTION_TEXT]; /* NAME-VERSION, empty: not said */
    char sabotage[OPTION_TEXT]; /* test-only: what to leave wrong or provoke, empty: nothing */
    uint64_t seed;              /* 1 unless said */
    uint32_t repeat;            /* 1 unless said */
    uint32_t cpus;              /* OPTION_CPUS_ALL, OPTION_CPUS_BSP (unless said), N that many */
    uint32_t soak_seconds;      /* with MATRIX_SOAK; 20 unless said */
    uint32_t mode_width, mode_height; /* pixels; 0: firmware's choice */
    uint32_t debug_exit_port;         /* 0xf4 unless said */
    uint8_t matrix, levels, at_end;
    bool list;
    bool no_wait;
    bool help;
    bool mm_trace;       /* a line for each fault of programs: mm/trace.h */
    bool old_stack_rule; /* programs' stacks: mm/fault.h, stack_historic_rule */
    bool wait_debugger;  /* --debug-wait: print the image base and wait until gdb changes a variable
                         */
};

/* Where the parse failed. */
struct option_error {
    bool failed;
    enum option_carrier carrier;
    char word[OPTION_TEXT];   /* the word, cut with "..." when longer */
    char reason[OPTION_TEXT]; /* what follows the word: "is not an option" */
};

/* Defaults: what holds while no carrier says anything. */
void options_init(struct options *options);

/*
 * Read @length bytes of @text of one carrier into @options (initialised, earlier carriers read).
 * Out: true; or false with @error naming the word, and @options must not be used. A @length above
 * OPTION_LINE is refused without a look at the text (its @error->word is empty).
 */
bool options_parse(struct options *options, enum option_carrier carrier, const char *text,
                   size_t length, struct option_error *error) MUST_CHECK;

/* Does @glob ('*' any run, '?' one character) match the whole of @id? Linear in practice, no
 * recursion. */
bool glob_match(const char *glob, const char *id) MUST_CHECK;

/* Write @options as words that options_parse reads back to the same; what is default is left out.
 */
struct sink;
void options_write(const struct options *options, struct sink *sink);

/* One line an option, for --help and docs/options.md; NULL after the last. */
const char *options_help_line(unsigned index);

#endif
