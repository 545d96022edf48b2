/*
 * Three generations on the same frames: each writes some pages, at each level; what a process sees is what was there
 * when it began and what it wrote itself.
 */
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 8

/* Page @n is written by generation g when bit g of n is set. */
static void write_own(const char *who, unsigned generation)
{
    long before = minor_faults();

    for (uint64_t page = 0; page < PAGES; page++) {
        if (page >> generation & 1)
            store8(AREA + page * PAGE + generation, (uint8_t)(0xa0 + generation));
    }
    log_faults(who, before);
}

static void show(const char *who)
{
    say("%s:", who);
    for (uint64_t page = 0; page < PAGES; page++)
        log_bytes("  page", AREA + page * PAGE, 4);
}

int program(const struct program_start *start)
{
    long child;
    long grandchild;

    (void)start;
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, PAGES, 0x11);
    child = program_fork();
    if (child == 0) {
        write_own("child writes", 0);
        grandchild = program_fork();
        if (grandchild == 0) {
            show("grandchild at its beginning");
            write_own("grandchild writes", 1);
            show("grandchild");
            long last = program_fork();
            if (last == 0) {
                write_own("great-grandchild writes", 2);
                show("great-grandchild");
                program_exit(3);
            }
            log_wait("great-grandchild", wait_for(last));
            write_own("grandchild writes again", 1);
            program_exit(2);
        }
        log_wait("grandchild", wait_for(grandchild));
        write_own("child writes again", 0);
        write_own("child writes other pages", 2);
        show("child");
        program_exit(1);
    }
    log_wait("child", wait_for(child));
    show("parent");
    write_own("parent writes", 1);
    show("parent at the end");

    /* Many children at once on one page. */
    for (unsigned i = 0; i < 5; i++) {
        long pid = program_fork();
        if (pid == 0) {
            log_read(AREA + 3);
            log_write(AREA + 3, (uint8_t)(0xc0 + i));
            program_exit((int)i);
        }
        log_wait("one of five", wait_for(pid));
    }
    log_write(AREA + 3, 0xaa);
    return 0;
}
