/*
 * maps.h: a picture of a program's memory as plain data: its VMAs, what of each page is there, and a strip of
 * each VMA for the eye. Taken when the program has ended and before its memory goes.
 */
#ifndef HARNESS_MAPS_H
#define HARNESS_MAPS_H

#include "x86/types.h"

/* How a page looks. The letter is what reports show (record_names.h); rarer and more telling ones come last. */
enum page_look {
    LOOK_NOTHING,  /* promised, never touched */
    LOOK_ZERO,     /* the zero page: read, never written */
    LOOK_FILE,     /* a file's page, as the file has it */
    LOOK_RESIDENT, /* a page of its own */
    LOOK_COW,      /* a private page that others have, too: the next write copies it */
    LOOK_DIRTY,    /* a file's page that was written */
    LOOKS
};

#define MAPS_ROWS  16u
#define MAPS_CELLS 32u
#define MAPS_NAME  40u

struct maps_row {
    uint64_t start, end, flags; /* of the VMA: VM_* (mm/vma.h) */
    uint32_t pages[LOOKS];
    char name[MAPS_NAME]; /* NUL-terminated; empty: anonymous */
    uint8_t
        strip[MAPS_CELLS]; /* enum page_look, what most of the pages of a cell are that are there */
    uint8_t cells;         /* of the strip that are in use: one a page where that fits */
    uint8_t pad[7];
};

struct maps_picture {
    uint32_t rows; /* of @row: the VMAs of most pages that are there, in order of address */
    uint32_t vmas; /* in all, but for places that are only kept free */
    struct maps_row row[MAPS_ROWS];
};

struct mm;
void maps_take(const struct mm *mm, struct maps_picture *picture);

/* May everything that shows @picture use it? */
bool maps_valid(const struct maps_picture *picture) MUST_CHECK;

#endif
