/*
 * model.h: the reference model: what the architecture allows one memory access to do. Written from
 * the manuals alone (docs/rules.md); shares no code and no constant with paging/ or x86/, so that
 * one slip cannot hide in both. Pure: plain values in, plain values out.
 *
 *   struct model_question   entries of the walk, CPU state, access
 *     -> model_ask
 *     -> struct model_answer  up to four allowed outcomes, and the rules that took part
 *   model_allows says whether what a machine did is one of them.
 *
 * Each rule is one row of a table (model.c). model_wrong makes one row wrong on purpose: the host
 * tests prove with it that each rule matters, and a test-only option that a run finds it.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_LEVELS   5
#define MODEL_OUTCOMES 4
#define MODEL_NO_FAULT 0xffff /* the vector of an access that goes through */
#define MODEL_WAYS     3      /* of an "either", at most */

enum model_kind {
    MODEL_READ,
    MODEL_WRITE,
    MODEL_FETCH,
    MODEL_RMW_LOCKED,  /* a write, even when nothing new is stored */
    MODEL_RMW_PLAIN,   /* a read, then a write: also a descriptor whose accessed bit is to be set */
    MODEL_NOTHING,     /* PREFETCHh, NOP m, INVLPG: never faults, may set A */
    MODEL_SHADOW_READ, /* these two: with CR4.CET=1 only */
    MODEL_SHADOW_WRITE, /* WRSS, and WRUSS as @user_shadow */
};

/* Who made the processor: parameters of R2.4 and R4. UNKNOWN: a hypervisor may only pretend. */
enum model_vendor { MODEL_VENDOR_UNKNOWN, MODEL_VENDOR_INTEL, MODEL_VENDOR_AMD };

struct model_cpu {
    uint8_t levels;        /* of paging: 4 or 5 */
    uint8_t physical_bits; /* MAXPHYADDR */
    uint8_t vendor;        /* enum model_vendor */
    uint8_t lam;           /* LAM of user addresses: 0 off, 48, 57 */
    bool gb_pages;         /* PDPTEs may map 1 GiB */
    bool wp, nxe, smep, smap, ac, pke, pks, cet;
    uint32_t pkru, pkrs;
    uint64_t encryption_mask; /* bits of an entry that are neither address nor reserved (C-bit) */
};

struct model_access {
    uint8_t kind; /* enum model_kind */
    uint8_t cpl;
    bool implicit;    /* descriptor tables, TSS: supervisor accesses at every CPL */
    bool frame;       /* the processor pushes an exception frame: R3.7's last sentence */
    bool user_shadow; /* WRUSS */
    bool stack;       /* through the stack segment: #SS instead of #GP */
    bool any_byte; /* several parts: CR2 may be any byte of it in the failing page (R5.1), and, as
                         a mask says it, of the smallest aligned block that holds these */
    bool partial;  /* several writes or parts; as every access of two pages: D of what passed is
                         either (R5.3) */
    uint64_t address; /* linear, first byte */
    uint32_t bytes;   /* 1 or more; may run into the next 4-KiB page */
};

/* One translation: entry[0] is the PTE ... entry[levels - 1] the top. Below a leaf: 0. */
struct model_walk {
    uint64_t entry[MODEL_LEVELS];
};

struct model_question {
    struct model_cpu cpu;
    struct model_access access;
    /* Of the 4-KiB page that holds the first byte, and of the next one (used when it gets there). */
    struct model_walk walk[2];
    uint64_t cr2; /* before the access */
};

/* Bit (level - 1) of @accessed and @dirty stands for the entry of that level. */
struct model_bits {
    uint8_t accessed, accessed_mask;
    uint8_t dirty, dirty_mask;
};

/* A value and a mask: what differs in bits of a mask is not this outcome. */
struct model_outcome {
    uint16_t vector; /* or MODEL_NO_FAULT; always judged */
    uint32_t error, error_mask;
    uint64_t cr2, cr2_mask;
    struct model_bits walk[2]; /* the state of A and D afterwards */
};

/* How a walk ends. */
enum model_end { MODEL_COMPLETE, MODEL_ABSENT, MODEL_RESERVED, MODEL_NOT_CANONICAL };

/* About the page that decides: the first that faults, else the first. For people and folds. */
struct model_story {
    uint8_t end;       /* enum model_end */
    uint8_t level;     /* of the entry that ended the walk; 0: complete, or not canonical */
    bool user_address; /* complete walks: U/S=1 in every entry */
    bool forbidden;    /* complete walks: some right is missing */
    bool write_only;   /* the same, and a read would not be forbidden */
};

struct model_answer {
    uint8_t count; /* of outcomes, at least 1 */
    struct model_outcome outcome[MODEL_OUTCOMES];
    uint64_t rules;   /* BIT(row of model_rows) for each that took effect */
    uint64_t choices; /* BIT(row) for each "either" that is open here: its choice is recorded */
    struct model_story story;
};

/* What a machine did. */
struct model_got {
    uint16_t vector;
    uint32_t error;
    uint64_t cr2;
    struct model_bits walk[2]; /* masks unused */
    bool other_bits;           /* an entry changed in another bit than A and D (R5.4) */
};

struct model_situation; /* model.c's own: how far the judging of an access has come */

/* One row a rule, as fine as it can be wrong by itself. */
struct model_row {
    const char *name;            /* "pkru_wd": a word that no other row has */
    const char *number;          /* "R3.4" of docs/rules.md, "R4.I" of its section 4 */
    const char *what;            /* a few words: "a user fetch from a supervisor address" */
    const char *misplaced;       /* what MODEL_MISPLACED does; NULL: it means nothing here */
    bool misplaceable;           /* @misplaced is not NULL */
    bool choice;                 /* an "either": it opens a choice instead of demanding something */
    const char *way[MODEL_WAYS]; /* what a machine may choose: model_way(); unused ones NULL */
    bool host_only;              /* needs a feature that no emulator here has */
    /*
     * BIT(slip) of slips that are no model of their own, because another slip of the row gives the
     * same answers; and why that is so.
     */
    uint8_t same;
    const char *same_because;
    /* The rule's condition, and a realistic slip of whoever writes an emulator. */
    bool (*holds)(const struct model_situation *situation);
    bool (*instead)(const struct model_situation *situation);
};
#define MODEL_ROWS_MAX 64
extern const struct model_row model_rows[];
extern const uint32_t model_row_count; /* at most MODEL_ROWS_MAX */

/* What can be wrong with a row. */
enum model_slip { MODEL_RIGHT, MODEL_NEGATED, MODEL_DROPPED, MODEL_MISPLACED, MODEL_SLIPS };
struct model_wrong {
    uint8_t slip; /* enum model_slip; MODEL_RIGHT: nothing is wrong */
    uint8_t row;
};

/* In: a question whose fields are in range; @wrong NULL: the model as it is. Total, no errors. */
void model_ask(const struct model_question *question, const struct model_wrong *wrong,
               struct model_answer *answer);

/* Is @got one of the allowed outcomes? */
bool model_allows(const struct model_answer *answer, const struct model_got *got);

/*
 * Which way a machine went where @row left it a choice: an index of model_row.way. MODEL_WAYS: the
 * choice was not open, what the machine did is not allowed, or it does not tell.
 */
unsigned model_way(const struct model_question *question, uint32_t row,
                   const struct model_got *got);

/* Are there outcomes that one allows and the other does not? */
bool model_differs(const struct model_answer *one, const struct model_answer *other);

#endif
