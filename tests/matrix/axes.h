/*
 * axes.h: everything that decides what one memory access does, as axes with few values. A point is one
 * value of each; its id names only what differs from the default point, which is a plain 8-byte read
 * from ring 3 of a 4-KiB page that everybody may do everything with (docs/matrix.md).
 *
 * Order and names are interfaces: append values at an axis' end and axes at the list's end; value 0
 * is the default and stays it.
 */
#ifndef MATRIX_AXES_H
#define MATRIX_AXES_H

#include "space.h"
#include "tests/harness/machine.h"
#include "x86/pte.h"

/*
 *   levels .. rbit   structure: what else there is depends on these
 *   pte.* .. pml5e.* P, R/W, U/S, XD and A of each entry, five axes a level
 *   d .. upperkey    what else may be in an entry
 *   wp .. lam        the processor's state
 */
enum axis {
    AXIS_LEVELS,
    AXIS_SIZE,
    AXIS_PLACE,
    AXIS_ACCESS,
    AXIS_RING,
    AXIS_WIDTH,
    AXIS_RSVD, /* which entry has a reserved bit set */
    AXIS_RBIT, /* which bit that is */
    AXIS_ENTRY, /* five a level, PTE first: AXIS_ENTRY + (level - 1) * ENTRY_AXES + enum entry_axis */
    AXIS_D = AXIS_ENTRY + 5 * 5,
    AXIS_G,
    AXIS_PAT,
    AXIS_CACHE,
    AXIS_KEY,
    AXIS_IGNORED, /* which ignored bit is set, in every entry where it is ignored */
    AXIS_UPPER_KEY,
    AXIS_WP,
    AXIS_NXE,
    AXIS_SMEP,
    AXIS_SMAP,
    AXIS_AC,
    AXIS_PKE,
    AXIS_PKRU,
    AXIS_PKRU_OTHER,
    AXIS_PKS,
    AXIS_PKRS,
    AXIS_PKRS_OTHER,
    AXIS_CET,
    AXIS_LAM,
    AXIS_COUNT
};
enum entry_axis { ENTRY_P, ENTRY_RW, ENTRY_US, ENTRY_XD, ENTRY_A, ENTRY_AXES };
#define AXES_STRUCTURAL AXIS_ENTRY /* allowances depend on these only, and cet on wp */

/* Values that code asks for by name; the rest are the texts in axes.c. */
enum { LEVELS_IS_4, LEVELS_IS_5 };
enum { SIZE_IS_4K, SIZE_IS_2M, SIZE_IS_1G };
/*
 * Where the access lies. The page before the edge and the page behind it have walks of their own,
 * from the top level down (point.h).
 */
enum place {
    PLACE_IN,     /* within one page */
    PLACE_FIRST,  /* across the edge; the first page is the one under test, the second harmless */
    PLACE_SECOND, /* the other way round */
    PLACE_BOTH,   /* both pages are under test, with the same entries */
    PLACE_HOLE,   /* at a non-canonical address */
    PLACE_OVER,   /* from the last canonical page over the boundary */
    PLACE_END,    /* within one page, its last bytes; the page behind it is absent */
    PLACE_COUNT
};
enum matrix_access {
    MATRIX_READ,
    MATRIX_WRITE,
    MATRIX_FETCH,
    MATRIX_LOCK_ADD, /* of 0 */
    MATRIX_XCHG,
    MATRIX_CMPXCHG,       /* lock cmpxchg that succeeds */
    MATRIX_CMPXCHG_FAILS, /* and one that does not: a write as well */
    MATRIX_XADD,
    MATRIX_LOCK_NEG,
    MATRIX_ADD, /* plain read-modify-write */
    MATRIX_PUSH,
    MATRIX_POP,
    MATRIX_CALL,
    MATRIX_RET,
    MATRIX_MOVS_LOAD,  /* movs whose source is the page under test */
    MATRIX_MOVS_STORE, /* whose destination is */
    MATRIX_STOS,
    MATRIX_LODS,
    MATRIX_LDT,          /* segment load from a descriptor in the LDT: an implicit read */
    MATRIX_LDT_ACCESSED, /* the same with the accessed bit clear: an implicit read and write */
    MATRIX_GDT,
    MATRIX_GDT_ACCESSED,
    MATRIX_IDT,   /* INT n through a gate in the page */
    MATRIX_TSS,   /* INT n from ring 3, RSP0 in the page */
    MATRIX_FRAME, /* INT n, the frame is pushed to the page */
    MATRIX_PREFETCH,
    MATRIX_NOP,
    MATRIX_INVLPG,
    MATRIX_CLFLUSH,
    MATRIX_CLWB,
    MATRIX_WRSS,  /* ring 3: a user shadow-stack write */
    MATRIX_WRUSS, /* ring 0: a user shadow-stack write */
    MATRIX_ACCESS_COUNT
};
enum { RING_IS_3, RING_IS_0 };
enum { WIDTH_IS_8, WIDTH_IS_1, WIDTH_IS_2, WIDTH_IS_4, WIDTH_IS_16, WIDTH_IS_32, WIDTH_IS_64 };
/* Of a key: AXIS_PKRU, AXIS_PKRS and the others. */
enum { KEY_FREE, KEY_AD, KEY_WD, KEY_AD_WD };

/* What an access is; one row each. */
struct access_row {
    const char *name;
    uint8_t kind;   /* enum model_kind */
    uint8_t rings;  /* of 1 << value of AXIS_RING */
    uint8_t widths; /* of 1 << value of AXIS_WIDTH */
    uint8_t places; /* of 1 << enum place */
    uint8_t needs;  /* enum cpu_feature + 1; 0: none */
    bool implicit, frame, stack, any_byte, partial;
    uint8_t bytes; /* 0: as the width says */
};
extern const struct access_row access_rows[MATRIX_ACCESS_COUNT];

struct point {
    uint8_t value[AXIS_COUNT];
};

/* "pte.rw"; "0". */
const char *axis_name(unsigned axis);
const char *axis_value(unsigned axis, unsigned value);
/* How many values @axis has, here and on other machines. */
unsigned axis_values(unsigned axis);

/*
 * The space of all points for a machine. @m NULL: of a machine that has everything (52 - 20 physical
 * bits, no reserved bit left out).
 */
struct space axes_space(const struct machine *m);

/* Why @value of @axis is never allowed on @m: enum cpu_feature + 1; 0: nothing is missing. */
unsigned axis_missing(unsigned axis, unsigned value, const struct machine *m);

/* Bit of an entry that a value of AXIS_RBIT or AXIS_IGNORED stands for; AXIS_IGNORED 0: none, 255. */
unsigned axis_bit(unsigned axis, unsigned value);

/* Bytes of an access: 1 to 64. */
static inline unsigned point_width(const struct point *point)
{
    static const uint8_t bytes[] = {8, 1, 2, 4, 16, 32, 64};
    return bytes[point->value[AXIS_WIDTH]];
}
static inline unsigned point_levels(const struct point *point)
{
    return point->value[AXIS_LEVELS] == LEVELS_IS_5 ? 5 : 4;
}
static inline unsigned point_leaf(const struct point *point)
{
    return point->value[AXIS_SIZE] + 1u;
}
static inline unsigned axis_of_entry(unsigned level, enum entry_axis which)
{
    return AXIS_ENTRY + (level - 1) * ENTRY_AXES + which;
}

/*
 * The id, NUL-terminated: "matrix:default", "matrix:access=write,pte.rw=0". POINT_TEXT is enough for
 * any point.
 */
#define POINT_TEXT 704u
void point_text(const struct point *point, char text[POINT_TEXT]);

/*
 * Read an id. Out: NULL, or why it is none: "names no axis", "is no value of its axis", "does not go
 * together with what is before it"; @word then is where in @text, @length how long. With @m: also "is not on this machine".
 */
const char *point_parse(const char *text, const struct machine *m, struct point *point,
                        const char **word, unsigned *length);

#endif
