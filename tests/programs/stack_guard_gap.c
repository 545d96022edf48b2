/*
 * Growth keeps a gap of 256 pages to an accessible mapping below; PROT_NONE and other growing mappings below may be
 * touched. What else is at the bottom: a write that is not allowed there still grows the mapping.
 */
#include "tests/programs/library/file.h"

#define NEIGHBOUR 0x20000000UL /* ends here */
#define PAGES     300UL        /* between it and the growing mapping */
#define TOP       (NEIGHBOUR + (PAGES + 2) * PAGE)

/* Touch page after page downwards until it is refused: how many pages are left between. */
static void log_growth(const char *what)
{
    struct access access = {0};
    uint64_t page = TOP - 2 * PAGE;

    while (page > NEIGHBOUR) {
        access = access_write(page - PAGE, 1);
        if (access.signal)
            break;
        page -= PAGE;
    }
    say("%s: %lu pages are left", what, (page - NEIGHBOUR) / PAGE);
    if (access.signal)
        log_access("  then write", page - PAGE, &access);
}

static void make_stack(int protection)
{
    map_at(TOP - 2 * PAGE, 2, protection, MAP_PRIVATE | MAP_GROWSDOWN);
}

static void clear(void)
{
    must("munmap", sys_munmap(NEIGHBOUR - 0x100000, TOP - NEIGHBOUR + 0x100000));
}

int program(const struct program_start *start)
{
    static const struct {
        const char *what;
        int protection;
        int flags;
    } neighbours[] = {
        {"rw-, private",       PROT_READ | PROT_WRITE, MAP_PRIVATE                },
        {"r--, private",       PROT_READ,              MAP_PRIVATE                },
        {"--x, private",       PROT_EXEC,              MAP_PRIVATE                },
        {"rw-, shared",        PROT_READ | PROT_WRITE, MAP_SHARED                 },
        {"---, private",       PROT_NONE,              MAP_PRIVATE                },
        {"rw-, MAP_GROWSDOWN", PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN},
        {"r--, MAP_GROWSDOWN", PROT_READ,              MAP_PRIVATE | MAP_GROWSDOWN},
    };
    int file = file_make("page", 1, 0x10);

    (void)start;
    for (unsigned i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
        map_at(NEIGHBOUR - PAGE, 1, neighbours[i].protection, neighbours[i].flags);
        make_stack(PROT_READ | PROT_WRITE);
        log_growth(neighbours[i].what);
        clear();
    }
    file_map(NEIGHBOUR - PAGE, 1, PROT_READ, MAP_PRIVATE, file, 0);
    make_stack(PROT_READ | PROT_WRITE);
    log_growth("a file");
    clear();

    /* All at once: too far is refused, and the mapping stays as it was. */
    map_at(NEIGHBOUR - PAGE, 1, PROT_READ, MAP_PRIVATE);
    make_stack(PROT_READ | PROT_WRITE);
    log_write(NEIGHBOUR + 255 * PAGE, 1);
    log_maps("refused", NEIGHBOUR, TOP);
    log_write(NEIGHBOUR + 256 * PAGE, 1);
    log_maps("grown", NEIGHBOUR, TOP);
    /* A neighbour that becomes accessible later, or goes. */
    must("mprotect", sys_mprotect(NEIGHBOUR - PAGE, PAGE, PROT_NONE));
    log_write(NEIGHBOUR + 100 * PAGE, 1);
    must("mprotect", sys_mprotect(NEIGHBOUR - PAGE, PAGE, PROT_READ));
    log_write(NEIGHBOUR + 99 * PAGE, 1);
    log_write(NEIGHBOUR + 100 * PAGE, 2);
    must("munmap", sys_munmap(NEIGHBOUR - PAGE, PAGE));
    log_write(NEIGHBOUR + 99 * PAGE, 1);
    clear();

    /* A mapping that is put into the gap by MAP_FIXED_NOREPLACE: allowed, and growth ends. */
    make_stack(PROT_READ | PROT_WRITE);
    map_at(TOP - 5 * PAGE, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_write(TOP - 3 * PAGE, 1);
    log_write(TOP - 5 * PAGE, 1);
    log_maps("a mapping in the gap", NEIGHBOUR, TOP);
    clear();

    /* A growing mapping below is met and does not become one with it. */
    map_at(TOP - 6 * PAGE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
    make_stack(PROT_READ | PROT_WRITE);
    log_write(TOP - 3 * PAGE, 1);
    log_write(TOP - 4 * PAGE, 1);
    log_maps("side by side", NEIGHBOUR, TOP);
    log_write(TOP - 7 * PAGE, 1);
    log_maps("the lower one grows", NEIGHBOUR, TOP);
    clear();

    /* Accesses that are not allowed in it: the mapping grows all the same, and nothing is brought. */
    make_stack(PROT_READ);
    log_write(TOP - 10 * PAGE, 1);
    log_maps("r--, written at page -10", NEIGHBOUR, TOP);
    log_residency("page -10", TOP - 10 * PAGE, 1);
    log_read(TOP - 10 * PAGE);
    clear();
    make_stack(PROT_NONE);
    log_read(TOP - 12 * PAGE);
    log_maps("---, read at page -12", NEIGHBOUR, TOP);
    log_execute(TOP - 13 * PAGE);
    log_maps("---, executed at page -13", NEIGHBOUR, TOP);
    clear();
    return 0;
}
