/*
 * A read fault on a file mapping maps the cached pages around it as well ("fault-around"): the aligned window of 16
 * pages by address, cut by the mapping, by the page table and by the end of the file. Which pages a fault brought
 * is found by touching each of them in turn in a fresh mapping: '#' touched first, '+' mapped along, '.' not, 'B' SIGBUS.
 */
#include "tests/programs/library/file.h"

#define AREA      0x10000000UL
#define MOST      96UL
#define HOLE_PAGE 200UL
#define RET       0xc3 /* each page can be called */

enum touch { TOUCH_READ, TOUCH_WRITE, TOUCH_EXECUTE, TOUCH_KERNEL };

static int file;
static int ends[2];

struct window {
    const char *what;
    uint64_t address;
    unsigned long pages;
    unsigned long offset;
    int flags;
    int advice;
    enum touch touch;
};

static void touch_page(enum touch how, uint64_t address)
{
    switch (how) {
    case TOUCH_READ:
        load8(address);
        break;
    case TOUCH_WRITE:
        store8(address, RET);
        break;
    case TOUCH_EXECUTE:
        access_execute(address);
        break;
    case TOUCH_KERNEL:
        must("write to pipe", sys_write(ends[1], address, 1));
        pipe_await(ends);
        break;
    }
}

static void map(const struct window *w)
{
    int protection = PROT_READ;

    if (w->touch == TOUCH_WRITE)
        protection |= PROT_WRITE;
    if (w->touch == TOUCH_EXECUTE)
        protection |= PROT_EXEC;
    file_map(w->address, w->pages, protection, w->flags, file, w->offset);
    if (w->advice != MADV_NORMAL)
        must("madvise", sys_madvise(w->address, w->pages * PAGE, w->advice));
}

static void log_window(const struct window *w, unsigned long touched)
{
    static char picture[MOST + 1];

    for (unsigned long page = 0; page < w->pages; page++) {
        struct access access;

        map(w);
        touch_page(w->touch, w->address + touched * PAGE);
        access = access_read(w->address + page * PAGE);
        if (page == touched)
            picture[page] = '#';
        else if (access.signal)
            picture[page] = access.signal == SIGBUS ? 'B' : '?';
        else
            picture[page] = access.faults == 0 ? '+' : '.';
        must("munmap", sys_munmap(w->address, w->pages * PAGE));
    }
    picture[w->pages] = 0;
    say("%-38s page %2lu  %s", w->what, touched, picture);
}

static void log_all(const char *what, uint64_t first, long step, unsigned long pages)
{
    long before = minor_faults();

    for (unsigned long i = 0; i < pages; i++)
        load8(first + (uint64_t)((long)i * step) * PAGE);
    log_faults(what, before);
}

int program(const struct program_start *start)
{
    static const struct window plain = {"64 pages",  AREA,        64,        0,
                                        MAP_PRIVATE, MADV_NORMAL, TOUCH_READ};
    static const struct window others[] = {
        {"shared",                            AREA,            64, 0, MAP_SHARED,  MADV_NORMAL,     TOUCH_READ   },
        {"executed",                          AREA,            64, 0, MAP_PRIVATE, MADV_NORMAL,     TOUCH_EXECUTE},
        {"read by the kernel",                AREA,            64, 0, MAP_PRIVATE, MADV_NORMAL,     TOUCH_KERNEL },
        {"written, private",                  AREA,            64, 0, MAP_PRIVATE, MADV_NORMAL,     TOUCH_WRITE  },
        {"written, shared",                   AREA,            64, 0, MAP_SHARED,  MADV_NORMAL,     TOUCH_WRITE  },
        {"MADV_RANDOM",                       AREA,            64, 0, MAP_PRIVATE, MADV_RANDOM,     TOUCH_READ   },
        {"MADV_SEQUENTIAL",                   AREA,            64, 0, MAP_PRIVATE, MADV_SEQUENTIAL, TOUCH_READ   },
        {"from page 3 of the file",           AREA,            64, 3, MAP_PRIVATE, MADV_NORMAL,     TOUCH_READ   },
        {"begins at page 5 of a window",      AREA + 5 * PAGE, 40, 0, MAP_PRIVATE, MADV_NORMAL,
         TOUCH_READ                                                                                              },
        {"the same, from page 9 of the file", AREA + 5 * PAGE, 40, 9, MAP_PRIVATE, MADV_NORMAL,
         TOUCH_READ                                                                                              },
        {"26 pages",                          AREA,            26, 0, MAP_PRIVATE, MADV_NORMAL,     TOUCH_READ   },
    };
    static const unsigned long touched[] = {0, 5, 11, 15, 16, 21, 25};
    static const struct window table_end = {"8 pages before the end of a page table",
                                            0x10200000UL - 8 * PAGE,
                                            24,
                                            0,
                                            MAP_PRIVATE,
                                            MADV_NORMAL,
                                            TOUCH_READ};
    static const struct window end = {
        "file of 70 pages, 90 mapped", AREA, 90, 0, MAP_PRIVATE, MADV_NORMAL, TOUCH_READ};
    static const struct window hole = {
        "hole from page 70 to 200", AREA, 40, 60, MAP_PRIVATE, MADV_NORMAL, TOUCH_READ};
    long before;

    (void)start;
    pipe_make(ends);
    file = file_make("pages", 70, 0xc3);
    for (unsigned long i = 0; i < 70; i++)
        file_put(file, i * PAGE, 1, RET);

    for (unsigned long i = 0; i < 64; i += i == 0 ? 5 : 10)
        log_window(&plain, i);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        for (unsigned k = 0; k < sizeof(touched) / sizeof(touched[0]); k++)
            log_window(&others[i], touched[k]);
    }
    for (unsigned long i = 0; i < 24; i += 5)
        log_window(&table_end, i);
    for (unsigned long i = 60; i < 70; i += 3)
        log_window(&end, i);

    /* Neighbours that are mapped already stay as they are. */
    file_map(AREA, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    log_write(AREA + 3 * PAGE, 0x33);
    log_read(AREA + 8 * PAGE);
    log_read(AREA + 3 * PAGE);
    log_all("the 16 pages, of which 3 and 8 had been touched", AREA, 1, 16);
    must("munmap", sys_munmap(AREA, 16 * PAGE));

    /* How many faults it takes to read everything. */
    file_map(AREA, 64, PROT_READ, MAP_PRIVATE, file, 0);
    log_all("64 pages upwards", AREA, 1, 64);
    must("madvise", sys_madvise(AREA, 64 * PAGE, MADV_DONTNEED));
    log_all("64 pages downwards", AREA + 63 * PAGE, -1, 64);
    must("madvise", sys_madvise(AREA, 64 * PAGE, MADV_DONTNEED));
    log_all("each fourth page", AREA, 4, 16);
    must("munmap", sys_munmap(AREA, 64 * PAGE));
    file_map(AREA, 64, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    before = minor_faults();
    for (unsigned long i = 0; i < 64; i++)
        access_execute(AREA + i * PAGE);
    log_faults("64 pages executed upwards", before);
    must("munmap", sys_munmap(AREA, 64 * PAGE));

    /* Pages that are not in the cache are not brought along, nor are they made. */
    must("ftruncate", sys_ftruncate(file, (HOLE_PAGE + 1) * PAGE));
    file_map(AREA, 40, PROT_READ, MAP_PRIVATE, file, 60);
    log_read(AREA);
    log_read(AREA + 9 * PAGE);
    log_residency("60 to 99", AREA, 40);
    log_read(AREA + 12 * PAGE);
    log_residency("60 to 99", AREA, 40);
    must("munmap", sys_munmap(AREA, 40 * PAGE));
    log_window(&hole, 3);
    return 0;
}
