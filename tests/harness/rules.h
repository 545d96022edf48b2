/*
 * rules.h: the rules of docs/rules.md by number. The sentences are in rules.c; check that quotes a
 * rule names it, and a report prints its sentence.
 */
#ifndef HARNESS_RULES_H
#define HARNESS_RULES_H

#include "x86/cpuid.h"

/* clang-format off */
/* Section and number of docs/rules.md, in its order. RULE_NONE: a check of our own harness. */
enum rule {
    RULE_NONE,
    RULE_0_1, RULE_0_2, RULE_0_3,
    RULE_1_1, RULE_1_2, RULE_1_3, RULE_1_4,
    RULE_2_1, RULE_2_2, RULE_2_3, RULE_2_4, RULE_2_5, RULE_2_6, RULE_2_7,
    RULE_3_1, RULE_3_2, RULE_3_3, RULE_3_4, RULE_3_5, RULE_3_6, RULE_3_7, RULE_3_8, RULE_3_9, RULE_3_10,
    RULE_4_P, RULE_4_W, RULE_4_U, RULE_4_RSVD, RULE_4_I, RULE_4_PK, RULE_4_SS, RULE_4_OTHER,
    RULE_5_1, RULE_5_2, RULE_5_3, RULE_5_4,
    RULE_6_1, RULE_6_2, RULE_6_3, RULE_6_4, RULE_6_5, RULE_6_6, RULE_6_7,
    RULE_7_1, RULE_7_2, RULE_7_3, RULE_7_4, RULE_7_5, RULE_7_6, RULE_7_7,
    RULE_GIVE_BACK, /* DESIGN: the firmware's world is handed back as it was */
    RULE_FIXUP,     /* the contracts of the exception table and the user accessors */
    RULE_LINUX,     /* what programs see is what Linux shows them */
    RULE_MEMORY,    /* what mm/ believes is true, and what fails leaves nothing behind */
    RULE_COUNT
};
/* clang-format on */

struct rule_text {
    const char *number;   /* "R2.1", "R4.P" */
    const char *title;    /* a few words: "not-present entries" */
    const char *sentence; /* the rule's sentence(s), plain ASCII */
    const char *source;   /* manual and section */
    uint8_t judged; /* 1: the standard suites judge it; then at least one check must exercise it */
    uint8_t needs;  /* enum cpu_feature + 1 without which nothing can exercise it; 0: none */
};

extern const struct rule_text rule_texts[RULE_COUNT];

#endif
