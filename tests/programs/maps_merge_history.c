/*
 * Linux 6.1's rule of which histories of anonymous memory go together. A mapping has an anon_vma from its first private
 * page on. A mapping may join a neighbour that has the same one; a mapping without one may join a neighbour whose
 * anon_vma is its own alone (no fork) - but not the other way round, a mapping with one a neighbour without. A
 * new mapping between two that do not go together joins the upper one. Each line: page ranges as in /proc/self/maps.
 */
#include "tests/programs/library/mapped.h"

#define AREA  0x10000000UL
#define PAGES 0x100UL
#define RW    (PROT_READ | PROT_WRITE)

/* "WHAT: rw- 0-2, r-- 2-4": what /proc/self/maps has of the area, in pages from its beginning. */
static void log_area(const char *what)
{
    static struct mapped list[16];
    static char text[512];
    const unsigned count = mapped_list(AREA, AREA + PAGES * PAGE, list, 16);
    unsigned long used = 0;

    for (unsigned i = 0; i < count; i++) {
        const char *piece[2] = {result_text((long)((list[i].start - AREA) / PAGE)),
                                result_text((long)((list[i].end - AREA) / PAGE))};
        text[used++] = ' ';
        for (unsigned k = 0; k < 3; k++)
            text[used++] = list[i].rights[k];
        text[used++] = ' ';
        for (unsigned k = 0; k < 2; k++) {
            for (const char *c = piece[k]; *c; c++)
                text[used++] = *c;
            text[used++] = k ? ',' : '-';
        }
    }
    text[used ? used - 1 : 0] = 0;
    say("%s:%s", what, text);
}

static void map(unsigned long page, unsigned long pages, int protection)
{
    map_at(AREA + page * PAGE, pages, protection, MAP_PRIVATE);
}

static void protect(unsigned long page, unsigned long pages, int protection)
{
    must("mprotect", sys_mprotect(AREA + page * PAGE, pages * PAGE, protection));
}

static void write_page(unsigned long page)
{
    store8(AREA + page * PAGE, (uint8_t)(page + 1));
}

static void clear(void)
{
    must("munmap", sys_munmap(AREA, PAGES * PAGE));
}

int program(const struct program_start *start)
{
    long child;

    (void)start;
    /* A new mapping, which has no anon_vma, and its neighbours. */
    map(0, 2, RW);
    write_page(0);
    map(2, 2, RW);
    log_area("new one behind a written one");
    clear();
    map(2, 2, RW);
    write_page(2);
    map(0, 2, RW);
    log_area("new one before a written one");
    clear();
    map(0, 2, RW);
    map(4, 2, RW);
    write_page(0);
    map(2, 2, RW);
    log_area("new one between a written one and an untouched one");
    clear();
    map(0, 2, RW);
    map(4, 2, RW);
    write_page(4);
    map(2, 2, RW);
    log_area("new one between an untouched one and a written one");
    clear();
    map(0, 2, RW);
    map(4, 2, RW);
    write_page(0);
    write_page(4);
    map(2, 2, RW);
    log_area("new one between two that are written");
    clear();

    /* mprotect makes two equal: the second, the first, the middle one changes. */
    map(0, 2, RW);
    map(2, 2, PROT_READ);
    write_page(0);
    protect(2, 2, RW);
    log_area("untouched one becomes like a written one before it");
    clear();
    map(0, 2, PROT_READ);
    map(2, 2, RW);
    write_page(2);
    protect(0, 2, RW);
    log_area("untouched one becomes like a written one behind it");
    clear();
    map(0, 2, RW);
    map(2, 2, RW | PROT_EXEC);
    write_page(2);
    protect(2, 2, RW);
    log_area("written one becomes like an untouched one before it");
    clear();
    map(0, 2, RW | PROT_EXEC);
    map(2, 2, RW);
    write_page(0);
    protect(0, 2, RW);
    log_area("written one becomes like an untouched one behind it");
    clear();
    map(0, 2, RW);
    map(8, 2, RW | PROT_EXEC);
    write_page(0);
    write_page(8);
    must("mremap", sys_mremap(AREA + 8 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                              AREA + 2 * PAGE));
    protect(2, 2, RW);
    log_area("written one becomes like a written one from elsewhere");
    clear();

    /* A write takes the anon_vma of a neighbour that is alike but for its rights: the two can merge later. */
    map(0, 2, RW);
    map(2, 2, RW | PROT_EXEC);
    write_page(0);
    write_page(2);
    protect(2, 2, RW);
    log_area("written side by side, then alike");
    clear();
    map(0, 2, RW);
    map(2, 2, RW | PROT_EXEC);
    write_page(2);
    write_page(0);
    protect(0, 2, RW | PROT_EXEC);
    log_area("the same, the second written first");
    clear();

    /* Parts of one. */
    map(0, 6, RW);
    protect(2, 2, PROT_READ);
    write_page(0);
    write_page(4);
    protect(2, 2, RW);
    log_area("split while untouched, ends written, middle alike again");
    clear();
    map(0, 6, RW);
    write_page(0);
    protect(2, 2, PROT_READ);
    write_page(5);
    protect(2, 2, RW);
    log_area("written, split, written and alike again");
    clear();

    /* Locking brings pages; unlocked, the parts do not come together. */
    map(0, 8, RW);
    must("mlock", sys_mlock(AREA + 3 * PAGE, PAGE));
    must("munlock", sys_munlock(AREA, 8 * PAGE));
    log_area("one page locked and unlocked");
    clear();
    map(0, 8, RW);
    write_page(0);
    must("mlock", sys_mlock(AREA + 3 * PAGE, PAGE));
    must("munlock", sys_munlock(AREA, 8 * PAGE));
    log_area("the same, written before");
    clear();

    /* In a child the anon_vma is not its own alone: nothing new joins, parts do. */
    map(0, 4, RW);
    map(16, 4, RW);
    write_page(0);
    child = program_fork();
    if (child == 0) {
        map(4, 2, RW);
        map(20, 2, RW);
        log_area("child: new ones behind a written one and behind an untouched one");
        write_page(1);
        write_page(4);
        map(6, 1, RW);
        log_area("child: both written, another new one");
        protect(1, 1, PROT_READ);
        protect(1, 1, RW);
        log_area("child: split and alike again");
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    map(4, 2, RW);
    log_area("parent: new one behind a written one");
    return 0;
}
