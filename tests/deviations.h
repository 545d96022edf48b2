/*
 * deviations.h: known deviations, each with the sentence it violates. An entry matches a rule, a
 * positively identified emulator or processor, and the exact wrong outcome; never an id.
 */
#ifndef TESTS_DEVIATIONS_H
#define TESTS_DEVIATIONS_H

#include "tests/harness/record.h"
#include "tests/harness/rules.h"
#include "tests/matrix/symptom.h"

struct deviation {
    const char *machine;  /* as machine_emulator() names it: "QEMU TCG", "Bochs" */
    const char *versions; /* shown: "7.2 to 11.1", where it was seen */
    uint8_t vendors;      /* of 1 << enum vendor: whose processor it shows; 0: anybody's */
    uint8_t rule;         /* enum rule: the one it violates */
    uint8_t shown_by[6];  /* enum rule of the checks that meet it; none: those of @rule alone */
    bool everywhere; /* met by checks of any rule; listed last: what else is wrong comes first */
    /* The conjunction of axis values it occurs under; masks, 0: any. */
    uint16_t accesses; /* of 1 << enum access_kind */
    uint8_t rings;     /* of 1 << enum axis_ring */
    uint8_t sizes;     /* of 1 << enum axis_size */
    /* The exact wrong outcome: each of these fields differs in exactly these bits, and no other
     * field differs. */
    struct {
        uint16_t field;         /* enum field */
        uint64_t differs;       /* (expected ^ got) & mask */
        uint64_t got, got_mask; /* and got & got_mask == got */
    } wrong[3];
    uint8_t wrongs; /* rows used; 0: no check of the suites meets it */
    /*
     * In the matrix: the points that meet it, and how these differ from what is allowed. A point is
     * explained when all that differs in it belongs to entries that it meets.
     */
    struct {
        const char *where;      /* as matrix/literals.h reads it: "walk=reserved"; NULL: none */
        struct symptom symptom; /* vectors: both 0 where they do not differ */
    } points[4];
    const char *sentence; /* what is wrong, in one line, for people */
};

extern const struct deviation deviations[];
extern const uint32_t deviation_count;

#endif
