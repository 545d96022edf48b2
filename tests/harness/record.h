/*
 * record.h: what a check leaves behind: plain data, indices instead of pointers, so that the same
 * bytes can be reported on, written to the journal, and read back after a reset.
 */
#ifndef HARNESS_RECORD_H
#define HARNESS_RECORD_H

#include "fault/oops.h"
#include "fault/outcome.h"
#include "fault/probe.h"
#include "x86/pte.h"
#include "x86/types.h"

/* The worst wins; the order is the order of badness. */
enum verdict {
    VERDICT_PASS,
    VERDICT_SKIP,
    VERDICT_KNOWN, /* a FAIL that matches a listed deviation */
    VERDICT_FAIL,
    VERDICT_ERROR,
    VERDICT_COUNT
};

/*
 * One check: a case of a suite at one point of its axes. Its printed id is
 * suite.case[/size.level.ring][.variant] with the axes that the case uses (plan.h makes the text).
 */
enum axis_size { SIZE_4K, SIZE_2M, SIZE_1G, SIZE_NONE };
enum axis_ring { RING_SUPERVISOR, RING_USER, RING_NONE };
struct check_ref {
    uint16_t suite, test_case; /* rows of suites[] and of its cases[] */
    uint8_t size;              /* enum axis_size */
    uint8_t level;             /* 1 to 5, 0: the case has no level axis */
    uint8_t ring;              /* enum axis_ring */
    uint8_t variant;           /* bit number, or 0xff: the case has no variant axis */
};
#define NO_VARIANT 0xff

/* What was set up, and what came of it. Index 0 of the walks is the PTE (level 1). */
struct scene {
    uint8_t present; /* 0: this check has no single access to show */
    uint8_t levels;  /* 4 or 5 */
    uint8_t leaf;    /* level of the leaf: 1 to 3 */
    uint8_t ring;    /* 0 or 3 */
    uint8_t access;  /* enum access_kind */
    uint8_t width;   /* bytes accessed */
    uint64_t address;
    pte_t before[LEVELS_MAX], after[LEVELS_MAX];
    uint64_t cr0, cr4, efer, rflags;
    uint32_t pkru, pkrs;
    struct outcome got;
};

/*
 * What can be compared. Names and print formats are in record_names.c, one row each.
 * @detail of a comparison tells which: level for ENTRY_*, byte or item number elsewhere.
 */
enum field {
    FIELD_VECTOR,
    FIELD_ERROR_CODE,
    FIELD_CR2,
    FIELD_RIP,
    FIELD_RFLAGS,
    FIELD_CS,
    FIELD_SS,
    FIELD_RSP,
    FIELD_ENTRY,        /* a paging-structure entry after the access; detail: level */
    FIELD_MEMORY,       /* what the frame holds afterwards; detail: byte offset */
    FIELD_OTHER_MEMORY, /* a frame that nothing should have touched; detail: byte offset */
    FIELD_VALUE_READ,   /* what a read returned */
    FIELD_REGISTER,     /* detail: number in push order, record_names.c */
    FIELD_COUNT_LEFT,   /* bytes not copied */
    FIELD_HANDLER,      /* which fixup type ran */
    FIELD_WORLD,        /* an item of the firmware's world; detail: enum world_item */
    FIELD_TABLE_BYTE,   /* a byte of GDT or IDT; detail: offset */
    FIELD_PAGES,        /* pages of our memory type */
    FIELD_EVENTS,       /* how often something happened */
    FIELD_STATUS,       /* a function's return value */
    FIELD_TICKS,        /* of the TSC, recorded; detail: how many rounds */
    FIELD_ENTRY_ABOVE,  /* as FIELD_ENTRY, of the page above the edge (matrix/point.h) */
    FIELD_RIP_ASTRAY,   /* 1: the fault was reported from elsewhere than the access */
    FIELD_DATA_WRONG,   /* 1: something else was read or stored than should have been */
    FIELD_POINTS,       /* of the matrix that passed */
    FIELD_TUPLES,       /* combinations of axis values that were covered */
    FIELD_RULE_ROW,     /* how often a row of the model took effect (1: some time); detail: row */
    FIELD_LINES,        /* of Linux's log that a program wrote here, too */
    FIELD_LINE,         /* the first one that differs, hashes; detail: its number; texts: annex.h */
    FIELD_WAIT_STATUS,  /* how a program ended, as wait4 gives it */
    FIELD_TASK_OOPSES,  /* tasks that died in the kernel */
    FIELD_TIMED_OUT,    /* enum os_cut */
    FIELD_SYSTEM_CALL,  /* 1: Linux has it, we do not; detail: its number */
    FIELD_STALE,        /* accepted differences that were not met */
    FIELD_AUDIT,        /* enum audit_finding (mm/audit.h) */
    FIELD_AUDIT_AT,     /* where that was found */
    FIELD_AUDIT_COUNT,  /* what should have been counted there, and what was */
    FIELD_FRAMES,       /* of mm/'s pool, in use */
    FIELD_COUNT
};

struct comparison {
    uint16_t field, detail;
    uint32_t reserved;
    uint64_t expected, mask, got; /* differs when (expected ^ got) & mask */
};

enum record_kind {
    RECORD_CHECK = 1,  /* a verdict */
    RECORD_ABOUT = 2,  /* journal only: about to run this check (or all of its suite) */
    RECORD_HEADER = 3, /* journal only: build id, options, which report directory */
    RECORD_END = 4,    /* journal only: the run ended properly */
    RECORD_DIED = 5,   /* journal only: an earlier start died in this part of the matrix */
};

/* Why a check was skipped or could not tell; text in record_names.c. */
enum reason {
    REASON_NONE,
    REASON_FEATURE,        /* detail: enum cpu_feature that is missing */
    REASON_PHYSICAL_WIDTH, /* nothing reserved: the processor has 52 physical-address bits */
    REASON_NO_MEMORY,      /* a pool was empty; detail: MiB that there are, or 0 */
    REASON_OOPS,           /* an oops follows the comparisons */
    REASON_SILENT,         /* the check compared nothing */
    REASON_RESET, /* the machine reset or hung; detail 1: or in a later check of the suite */
    REASON_RULE_UNTESTED, /* a rule whose feature is here was exercised by no check */
    REASON_LEAF_ABSENT,   /* the level axis does not exist for this leaf size or paging mode */
    REASON_SETUP,         /* the processor refused the state that the check needs; detail: item */
    REASON_NO_RESOURCE,   /* firmware has none of what the check needs (names in detail) */
    REASON_ENDED,         /* Esc ended the matrix before this part's first point */
    REASON_NOT_WHOLE,     /* only a part of the matrix ran: rules may be missing in it */
    REASON_UNCOVERED,     /* combinations of axis values that an array should have covered */
    REASON_NO_POINTS,     /* none of a part's points exists here */
    REASON_BAD_LOG,       /* Linux's log of a program does not say how it ended */
    REASON_NO_PROGRAMS,   /* nothing bounds a program's time, or its state is too large */
    REASON_FOUR_LEVELS,   /* Linux's log of a program is of 4 levels of paging, and it shows */
    REASON_NO_PKRU,       /* there are protection keys, but XSAVE has no place for PKRU */
    REASON_COUNT
};

/* What else a record carries (annex.h): of the matrix, of a program. */
enum record_annex { ANNEX_NONE, ANNEX_POINT, ANNEX_PART, ANNEX_RULES, ANNEX_PROGRAM, ANNEX_COUNT };

/* record.deviation of what --baseline lists. */
#define DEVIATION_BASELINE 0xffffu

struct record {
    uint32_t bytes;  /* of the whole record, all that follows included; multiple of 8 */
    uint8_t kind;    /* enum record_kind */
    uint8_t verdict; /* enum verdict */
    uint8_t rule;    /* enum rule */
    uint8_t reason;  /* enum reason */
    uint16_t reason_detail;
    uint16_t deviation; /* row of deviations[] + 1, or DEVIATION_BASELINE; 0: none */
    uint16_t comparisons;
    uint8_t has_oops;
    uint8_t lost;  /* 1: details were dropped (read back from a short journal) */
    uint8_t annex; /* enum record_annex */
    uint8_t pad[7];
    struct check_ref check;
    struct scene scene;
    struct comparison comparison[];
    /* struct oops follows the last comparison when has_oops, and then the annex */
};

static inline const struct oops *record_oops(const struct record *record)
{
    return record->has_oops ? (const struct oops *)&record->comparison[record->comparisons] : NULL;
}

static inline const void *record_annex(const struct record *record)
{
    return (const uint8_t *)&record->comparison[record->comparisons] +
           (record->has_oops ? sizeof(struct oops) : 0);
}

static inline bool comparison_differs(const struct comparison *c)
{
    return ((c->expected ^ c->got) & c->mask) != 0;
}

#endif
