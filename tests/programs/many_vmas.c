/*
 * 100,000 mappings side by side, made by giving every second page other rights: found at once by every fault, refused
 * where they should be, thinned out, filled again and joined.
 */
#include "tests/programs/library/program.h"
#include "tests/programs/library/random.h"

#define AREA  0x100000000UL
#define PAGES 100000UL

static uint64_t page_at(unsigned long page)
{
    return AREA + page * PAGE;
}

/* Residency of all pages, as a count and a sum of places. */
static void log_resident(const char *what)
{
    static uint8_t resident[5000];
    unsigned long count = 0;
    unsigned long gaps = 0;
    uint64_t sum = 0;

    for (unsigned long page = 0; page < PAGES; page += sizeof(resident)) {
        long result = sys_mincore(page_at(page), sizeof(resident) * PAGE, resident);

        if (result == -ENOMEM) {
            gaps++;
            continue;
        }
        must("mincore", result);
        for (unsigned long i = 0; i < sizeof(resident); i++) {
            if (resident[i] & 1) {
                count++;
                sum += page + i;
            }
        }
    }
    say("%s: %lu pages are resident, sum of their places %lu, parts with holes %lu", what, count,
        sum, gaps);
}

int program(const struct program_start *start)
{
    unsigned long wrong = 0;
    unsigned long signals = 0;
    long before;

    (void)start;
    map_at(AREA, PAGES, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
    for (unsigned long page = 0; page < PAGES; page += 2) {
        long result = sys_mprotect(page_at(page), PAGE, PROT_READ | PROT_WRITE);

        if (result == -ENOMEM)
            program_lacks("room for 100,000 mappings (vm.max_map_count)");
        must("mprotect", result);
    }
    say("%lu mappings", PAGES);

    /* Every 16th of the writable ones is written, in a scattered order; then everything is read. */
    before = minor_faults();
    for (unsigned long i = 0; i < PAGES / 32; i++) {
        unsigned long page = i * 7919 % (PAGES / 32) * 32;
        store64(page_at(page), page + 1);
    }
    log_faults("3,125 of them written", before);
    before = minor_faults();
    for (unsigned long page = 0; page < PAGES; page += 32)
        wrong += load64(page_at(page)) != page + 1;
    log_faults("read again", before);
    say("wrong: %lu", wrong);
    for (unsigned i = 0; i < 1000; i++) {
        unsigned long page = random_next() % PAGES;
        struct access access = access_write(page_at(page) + 8, 1);

        signals += access.signal == SIGSEGV && access.code == SEGV_ACCERR &&
                   access.address == page_at(page) + 8 && access.error == 6;
        wrong += (access.signal != 0) != (page % 2);
    }
    say("1,000 random writes: %lu refused, wrong %lu", signals, wrong);
    log_resident("written");

    /* Every third mapping goes, whichever it is. */
    for (unsigned long page = 0; page < PAGES; page += 3)
        must("munmap", sys_munmap(page_at(page), PAGE));
    log_resident("thinned out");
    log_read(page_at(0));
    log_read(page_at(1));
    log_read(page_at(2));
    log_read(page_at(99996)); /* 3 * 33332 */
    log_read(page_at(99998));
    /* And comes back, alike all of them. */
    for (unsigned long page = 0; page < PAGES; page += 3)
        map_at(page_at(page), 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    log_resident("filled");
    log_read(page_at(0));
    log_read(page_at(1));
    log_write(page_at(99999), 1);

    /* One call over all of them: they become few, and their pages stay. */
    say("mprotect of all: %s",
        result_text(sys_mprotect(AREA, PAGES * PAGE, PROT_READ | PROT_WRITE)));
    for (unsigned long page = 32; page < PAGES; page += 32)
        wrong += load64(page_at(page)) != (page % 3 ? page + 1 : 0);
    say("wrong: %lu", wrong);
    say("munmap of all: %s", result_text(sys_munmap(AREA, PAGES * PAGE)));
    log_read(page_at(1));
    return 0;
}
