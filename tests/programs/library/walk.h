/*
 * A walk through what one can do to mappings: pseudo-random system calls on a window of 32 pages, each of which gives
 * a line with its result and all mappings of the window after it. The program mapping_walk takes it on Linux and on
 * Faultline; a host test takes the same steps on a simulated machine, and compares with Linux's log.
 * Whoever includes this supplies what is declared here as walk_...().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/programs/library/random.h"

#define WALK_AREA  0x10000000UL
#define WALK_PAGES 32U
#define WALK_BYTES 4096UL /* of a page */
#define WALK_FILE  20U    /* pages of the file */
#define WALK_STEPS 300U   /* and as many again in a child of a fork */

struct walk_vma {
    uint64_t start, end, offset; /* pages; the offset in the file, bytes */
    char rights[4];              /* as in /proc/self/maps */
};

enum walk_more { WALK_PLAIN, WALK_UNRESERVED, WALK_GROWS_DOWN }; /* MAP_NORESERVE, MAP_GROWSDOWN */
enum walk_kind { WALK_ANONYMOUS, WALK_SHARED, WALK_FILE_PRIVATE, WALK_FILE_SHARED };

static long walk_map(unsigned page, unsigned pages, int prot, enum walk_kind kind,
                     enum walk_more more, unsigned offset);
static long walk_unmap(unsigned page, unsigned pages);
static long walk_protect(unsigned page, unsigned pages, int prot);
static long walk_remap(unsigned page, unsigned old, unsigned pages, int flags, unsigned to);
static long walk_advise(unsigned page, unsigned pages, int advice);
static long walk_lock(unsigned page, unsigned pages, bool lock);
/* 0 to 255: what was read or written; or the signal's code, negated. */
static int walk_touch(unsigned page, bool write, uint8_t value);
/* The mappings in the window, in order; at most WALK_PAGES. */
static unsigned walk_list(struct walk_vma *list);
static void walk_say(const char *line);

static unsigned walk_chance(unsigned below)
{
    return (unsigned)(random_next() >> 24) % below;
}

/* ---- a line ----------------------------------------------------------------------------------------------- */

static char walk_line[1024];
static unsigned walk_used;

static void walk_put(const char *text)
{
    while (*text && walk_used < sizeof(walk_line) - 1)
        walk_line[walk_used++] = *text++;
    walk_line[walk_used] = 0;
}

static void walk_number(long number)
{
    char text[24];
    unsigned at = sizeof(text) - 1;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

    text[at] = 0;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        text[--at] = '-';
    walk_put(text + at);
}

static void walk_range(unsigned page, unsigned pages)
{
    walk_put(" ");
    walk_number((long)page);
    walk_put("+");
    walk_number((long)pages);
}

static void walk_prot(int prot)
{
    walk_put(prot & 1 ? " r" : " -");
    walk_put(prot & 2 ? "w" : "-");
    walk_put(prot & 4 ? "x" : "-");
}

/* An address of the window as its page, other results as they are. */
static void walk_result(long result)
{
    walk_put(": ");
    if (result >= (long)WALK_AREA) {
        walk_put("page ");
        walk_number((result - (long)WALK_AREA) / (long)WALK_BYTES);
    } else {
        walk_number(result);
    }
}

/* "; 0-4rw-p 4-6r--s@2" */
static void walk_end(void)
{
    struct walk_vma list[WALK_PAGES];
    unsigned count = walk_list(list);

    walk_put(";");
    for (unsigned i = 0; i < count; i++) {
        const char rights[5] = {list[i].rights[0], list[i].rights[1], list[i].rights[2],
                                list[i].rights[3], 0};
        walk_put(" ");
        walk_number((long)list[i].start);
        walk_put("-");
        walk_number((long)list[i].end);
        walk_put(rights);
        if (list[i].offset) {
            walk_put("@");
            walk_number((long)(list[i].offset / WALK_BYTES));
        }
    }
    walk_say(walk_line);
}

/* ---- steps ------------------------------------------------------------------------------------------------- */

static const int walk_prots[] = {3, 3, 3, 1, 1, 0, 5, 7};

static int walk_random_prot(void)
{
    return walk_prots[walk_chance(sizeof(walk_prots) / sizeof(walk_prots[0]))];
}

static void walk_step_map(unsigned page, unsigned pages)
{
    static const char *const names[] = {"anonymous", "shared", "file", "shared file"};
    static const unsigned char kinds[] = {WALK_ANONYMOUS, WALK_ANONYMOUS,    WALK_ANONYMOUS,
                                          WALK_SHARED,    WALK_FILE_PRIVATE, WALK_FILE_SHARED};
    const enum walk_kind kind = (enum walk_kind)kinds[walk_chance(sizeof(kinds))];
    const int prot = walk_random_prot();
    const unsigned odd = walk_chance(12);
    const enum walk_more more = odd == 0 ? WALK_UNRESERVED : odd < 3 ? WALK_GROWS_DOWN : WALK_PLAIN;
    /* Most of the time where neighbours would have it. */
    const unsigned offset = kind < WALK_FILE_PRIVATE ? 0 : walk_chance(4) ? page : walk_chance(8);

    walk_put("map ");
    walk_put(names[kind]);
    walk_range(page, pages);
    walk_prot(prot);
    if (offset) {
        walk_put(" @");
        walk_number((long)offset);
    }
    walk_put(more == WALK_UNRESERVED   ? " unreserved"
             : more == WALK_GROWS_DOWN ? " growing down"
                                       : "");
    walk_result(walk_map(page, pages, prot, kind, more, offset));
}

static void walk_step_protect(unsigned page, unsigned pages)
{
    const int prot = walk_random_prot();
    const bool down = walk_chance(6) == 0; /* PROT_GROWSDOWN */

    walk_put("protect");
    walk_range(page, pages);
    walk_prot(prot);
    walk_put(down ? " down" : "");
    walk_result(walk_protect(page, pages, prot | (down ? 0x01000000 : 0)));
}

/* In place, or to a place that is given, but not where the kernel likes. */
static void walk_step_remap(unsigned page, unsigned pages)
{
    static const int flags[] = {0, 0, 3, 3, 3, 7};
    const int flag = flags[walk_chance(sizeof(flags) / sizeof(flags[0]))];
    const unsigned more = walk_chance(4);
    const unsigned to = walk_chance(WALK_PAGES - 4);
    const unsigned old = flag != 7 && walk_chance(10) == 0 ? 0 : pages;
    unsigned size = flag == 7 ? pages : walk_chance(2) ? pages + more : (pages + 1) / 2;

    if (flag && to + size > WALK_PAGES)
        size = flag == 7 ? size : WALK_PAGES - to;
    if (!flag && page + size > WALK_PAGES)
        size = WALK_PAGES - page;
    walk_put(flag == 0 ? "remap" : flag == 3 ? "move" : "move and keep");
    walk_range(page, old);
    walk_put(" to");
    walk_range(flag ? to : page, size);
    if (flag == 7 && to + size > WALK_PAGES)
        walk_put(": not done");
    else
        walk_result(walk_remap(page, old, size, flag, to));
}

static void walk_step_advise(unsigned page, unsigned pages)
{
    /* DONTNEED FREE REMOVE NORMAL SEQUENTIAL RANDOM WILLNEED DONTFORK DOFORK WIPEONFORK KEEPONFORK DONTDUMP DODUMP
     * HUGEPAGE NOHUGEPAGE POPULATE_READ POPULATE_WRITE DONTNEED_LOCKED */
    static const unsigned char advices[] = {4,  4,  8,  9,  0,  2,  1,  3,  10, 11, 11,
                                            18, 19, 19, 16, 17, 17, 14, 15, 22, 23, 24};
    const int advice = advices[walk_chance(sizeof(advices))];

    walk_put("advise");
    walk_range(page, pages);
    walk_put(" ");
    walk_number(advice);
    walk_result(walk_advise(page, pages, advice));
}

static void walk_step_touch(unsigned page, uint8_t value)
{
    const bool write = walk_chance(3) != 0;

    walk_put(write ? "write " : "read ");
    walk_number((long)page);
    walk_result(walk_touch(page, write, value));
}

/* @seed: of this part of the walk; not 0. */
static void walk(uint64_t seed)
{
    random_state = seed;
    for (unsigned step = 1; step <= WALK_STEPS; step++) {
        const unsigned page = walk_chance(WALK_PAGES);
        unsigned pages = 1 + walk_chance(walk_chance(3) ? 4 : 12);

        pages = page + pages > WALK_PAGES ? WALK_PAGES - page : pages;
        walk_used = 0;
        walk_number((long)step);
        walk_put(" ");
        switch (walk_chance(20)) {
        case 0:
        case 1:
        case 2:
        case 3:
            walk_step_map(page, pages);
            break;
        case 4:
            walk_put("unmap");
            walk_range(page, pages);
            walk_result(walk_unmap(page, pages));
            break;
        case 5:
        case 6:
        case 7:
        case 8:
            walk_step_protect(page, pages);
            break;
        case 9:
        case 10:
        case 11:
            walk_step_remap(page, pages);
            break;
        case 12:
        case 13:
        case 14:
            walk_step_advise(page, pages);
            break;
        case 15: {
            const bool lock = walk_chance(2);
            walk_put(lock ? "lock" : "unlock");
            walk_range(page, pages);
            walk_result(walk_lock(page, pages, lock));
            break;
        }
        default:
            walk_step_touch(page, (uint8_t)step);
            break;
        }
        walk_end();
    }
}
