/*
 * oops.h: an exception that nobody expected, as plain data. It ends the batch; the report on it is
 * written later, outside (tests/report/).
 */
#ifndef FAULT_OOPS_H
#define FAULT_OOPS_H

#include "x86/pte.h"
#include "x86/types.h"

#define OOPS_TRACE 16u
#define OOPS_CODE  16u

enum oops_reason {
    OOPS_NONE,
    OOPS_EXCEPTION,      /* a vector that nothing was waiting for */
    OOPS_NO_FIXUP,       /* a page fault in ring 0 that neither probe, resolver nor exception table
                            explains */
    OOPS_STACK_OVERFLOW, /* #DF with CR2 in a guard page of a stack */
    OOPS_DOUBLE_FAULT,
    OOPS_FAULT_LOOP, /* the same fault came back OOPS_LOOP_LIMIT times */
    OOPS_ASSERTION,  /* a broken invariant of ours; registers[0] holds the text's address */
    OOPS_REASON_COUNT
};

/* How often one instruction may fault on one address in a row before that is a loop. */
#define OOPS_LOOP_LIMIT 1000u

struct walk_picture {
    uint8_t levels; /* 4 or 5; 0: not walked */
    uint8_t last;   /* level where the walk ended: leaf, not present or unreadable */
    uint8_t pad[6];
    pte_t entry[LEVELS_MAX]; /* index 0 = PTE; those below @last are zero */
};

struct oops {
    uint32_t reason; /* enum oops_reason */
    uint16_t vector, cpu;
    uint64_t error;
    uint64_t registers[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8..r15: the encoding's order */
    uint64_t rip, rflags;
    uint16_t cs, ss, pad[2];
    uint64_t cr0, cr2, cr3, cr4, efer;
    struct walk_picture cr2_walk, rip_walk;
    uint8_t code[OOPS_CODE]; /* bytes at RIP */
    uint8_t code_count;      /* how many of them could be read */
    uint8_t trace_count;
    uint8_t pad2[6];
    uint64_t trace[OOPS_TRACE]; /* return addresses, innermost first */
};

#endif
