/*
 * session.h: the one structure that both worlds see. efi/ fills the upper part, asks for one step
 * after the other, and moves bytes; core fills the lower part. Physically contiguous, mapped at
 * SESSION_BASE in ours and identically in firmware's world. No pointers: only offsets and values.
 *
 *   efi/: fill facts, options, journal text
 *     -> step(SESSION_START)          core parses options, makes the plan
 *     -> step(SESSION_RUN) ...        a few tens of milliseconds of checks each; between two of
 *                                     them efi/ moves the streams' bytes, draws, reads keys
 *     -> step(SESSION_FINISH)         totals, closing lines of the reports
 *   A step never runs longer than its budget, unless a single check does.
 */
#ifndef HARNESS_SESSION_H
#define HARNESS_SESSION_H

#include "fault/world.h"
#include "options.h"
#include "record.h"

#define SESSION_ABI 3u

enum session_request {
    SESSION_START,  /* options and facts are in place: parse, plan, print headers; asked for once
                     * more after SESSION_WANTS_BASELINE
                     */
    SESSION_RUN,    /* go on with the plan for about budget_ticks */
    SESSION_FINISH, /* Esc or end: close the reports with what there is, in as many steps as that
                     * takes: a matrix that Esc has ended is folded, and what follows it runs
                     */
    SESSION_KEY,    /* redraw the screen for the key in @key */
};

enum session_state {
    SESSION_BAD_OPTIONS, /* nothing ran; the error is in the console stream and in option_error */
    SESSION_RUNNING,     /* ask for SESSION_RUN again */
    SESSION_PLAN_DONE,   /* every check ran: ask for SESSION_FINISH */
    SESSION_FINISHED,    /* reports are complete, exit_status is final */
    SESSION_WANTS_BASELINE, /* options.baseline names a file: its bytes, then SESSION_START again */
    SESSION_LISTED, /* --list, --explain, --help: text is in the console stream; SESSION_RUN until
                     * no more comes and @done is @planned
                     */
};

enum session_key {
    KEY_NONE,
    KEY_UP,
    KEY_DOWN,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_HOME,
    KEY_END,
};

/* A stream of bytes out of core. efi/ takes all of them after a step and sets @length to 0. */
enum session_stream {
    STREAM_CONSOLE, /* serial console: TAP lines, or --list/--explain text */
    STREAM_TAP,     /* report.tap: equals the console's TAP */
    STREAM_XML,
    STREAM_JSON,
    STREAM_BASELINE, /* baseline.txt: what a later run may accept (baseline.h) */
    STREAM_JOURNAL,  /* bytes to append to the journal file */
    STREAM_COUNT
};
struct stream {
    uint32_t offset;   /* of its bytes, from the start of struct session */
    uint32_t capacity; /* bytes */
    uint32_t length;   /* bytes waiting */
    uint32_t overflow; /* bytes that did not fit: a bug, reported as ERROR */
};

/* The screen is a grid of cells; efi/ draws those that changed. */
#define SCREEN_COLUMNS_MAX 160u
#define SCREEN_ROWS_MAX    100u
enum screen_colour {
    COLOUR_NORMAL,
    COLOUR_DIM,
    COLOUR_BRIGHT,
    COLOUR_PASS,
    COLOUR_FAIL,
    COLOUR_KNOWN,
    COLOUR_BAR,          /* the progress bar */
    COLOUR_VERDICT_PASS, /* inverse: the one unmistakable line */
    COLOUR_VERDICT_FAIL,
    COLOUR_MAP_ZERO, /* pages in the strips of a program's memory: dark on bright, too */
    COLOUR_MAP_FILE,
    COLOUR_MAP_RESIDENT,
    COLOUR_MAP_COW,
    COLOUR_MAP_DIRTY,
    COLOUR_COUNT
};
struct cell {
    uint8_t glyph; /* ASCII 0x20..0x7e */
    uint8_t colour;
};

struct machine_facts { /* from firmware, strings are ASCII, NUL-terminated */
    char firmware_vendor[64];
    uint32_t firmware_revision, uefi_revision;
    uint32_t processors;
    char secure_boot; /* 'y' 'n' '?' */
    char pad[3];
    uint64_t memory_bytes;
    char board[64]; /* SMBIOS type 1 manufacturer and product; empty: unknown */
};

/* The whole firmware world at one moment, and the bytes of its tables (GDT: the first page of it).
 */
struct world_picture {
    struct world world;
    uint32_t gdt_bytes, idt_bytes;
    uint8_t gdt[4096], idt[4096];
};
/* What efi/ saw around the last step; once something differs it stays as it is. */
struct hand_back {
    uint32_t steps; /* compared so far */
    uint32_t differs;
    uint64_t pages_expected, pages_after; /* of our memory type, in firmware's memory map */
    struct world_picture before, after;
    /* Do the firmware's timer events still come? Looked at after the first step, and after one that asks. */
    uint32_t ticks_wanted; /* core sets it, efi/ clears it */
    uint32_t ticking;      /* of the last look: 1 when they do */
};

struct session {
    uint32_t abi, bytes; /* SESSION_ABI, sizeof(struct session) without the stream buffers */

    /* efi/ -> core */
    uint32_t request;          /* enum session_request */
    uint32_t key;              /* enum session_key */
    uint64_t budget_ticks;     /* TSC ticks that a SESSION_RUN may take */
    uint64_t ticks_per_second; /* of the TSC, measured by efi/ */
    char option_text[CARRIER_COUNT][OPTION_LINE];
    uint32_t option_length[CARRIER_COUNT];
    struct machine_facts facts;
    uint16_t columns, rows; /* of the screen in cells; 80 x 25 at least */
    uint8_t saved_to_stick; /* report files can be written */
    uint8_t save_problem;   /* 0 none, else enum save_problem for the screen */
    uint16_t report_number; /* NNNN */
    uint32_t journal_in_offset,
        journal_in_length;    /* bytes of an unfinished run's journal, 0: none */
    uint32_t journal_cause;   /* enum journal_carrier it came from */
    uint32_t journal_carrier; /* enum journal_carrier that this run's journal is on now */
    uint32_t journal_room;    /* bytes that this carrier can take in all */
    uint32_t baseline_offset; /* where the bytes of --baseline's file go */
    uint32_t baseline_capacity, baseline_length;
    uint32_t baseline_state; /* enum baseline_state */
    uint32_t cpu;            /* which processor runs this */
    uint64_t wall_clock;     /* seconds since 1970, 0: unknown; reports only */
    struct hand_back hand_back;

    /* core -> efi/ */
    uint32_t state;       /* enum session_state */
    uint32_t exit_status; /* 0, 1 or 2, valid when SESSION_FINISHED or SESSION_BAD_OPTIONS */
    uint32_t flush;       /* 1: what the streams hold must be on the stick before the next step */
    uint32_t screen_changed;
    uint32_t totals[VERDICT_COUNT]; /* by enum verdict */
    uint32_t planned, done;         /* checks */
    struct options options;
    struct option_error option_error;
    struct cell screen[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
    struct stream stream[STREAM_COUNT];
};

enum save_problem {
    SAVE_OK,
    SAVE_NO_VOLUME, /* booted from something that is no file system */
    SAVE_READ_ONLY,
    SAVE_FULL,
    SAVE_FAILED, /* any other error of the firmware's */
    SAVE_PROBLEM_COUNT
};

enum baseline_state {
    BASELINE_NOT_ASKED, /* nobody has looked for the file yet */
    BASELINE_READ,
    BASELINE_MISSING,
    BASELINE_TOO_LARGE,
};

enum journal_carrier {
    JOURNAL_NONE, /* no way to remember a reset: the report says so */
    JOURNAL_FILE,
    JOURNAL_VARIABLE,
};

#endif
