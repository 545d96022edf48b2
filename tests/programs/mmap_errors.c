/*
 * Arguments that mmap, munmap, mprotect, madvise, mlock and brk refuse, and odd ones that they take.
 */
#include "tests/programs/library/file.h"

#define AREA    0x10000000UL
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW      (PROT_READ | PROT_WRITE)
#define USER    0x00007ffffffff000UL /* the end of the user's half */

static void log_result(const char *what, long result)
{
    say("%s: %s", what, result_text(result));
}

/* A mapping that is made, or not; where it came to lie does not matter. */
static void log_map(const char *what, long result)
{
    say("%s: %s", what, result < 0 && result >= -4095 ? result_text(result) : "mapped");
}

static void refuse_mmap(int file, const int ends[2])
{
    int reading = (int)must("open", sys_open("/proc/self/exe", O_RDONLY));

    log_map("length 0", sys_mmap(0, 0, PROT_READ, PRIVATE, -1, 0));
    log_map("length -1", sys_mmap(0, ~0UL, PROT_READ, PRIVATE, -1, 0));
    log_map("length -4096", sys_mmap(0, ~4095UL, PROT_READ, PRIVATE, -1, 0));
    log_map("length of the user's half",
            sys_mmap(0, USER, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0));
    log_map("length of 2^62", sys_mmap(0, 1UL << 62, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0));
    log_map("neither shared nor private", sys_mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    log_map("shared and private, anonymous",
            sys_mmap(0, PAGE, PROT_READ, 3 | MAP_ANONYMOUS, -1, 0));
    log_map("MAP_SHARED_VALIDATE of a file",
            sys_mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE, file, 0));
    log_map("MAP_SHARED_VALIDATE with an unknown flag",
            sys_mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x8000000, file, 0));
    log_map("MAP_PRIVATE with an unknown flag",
            sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE | 0x8000000, file, 0));
    log_map("type 4", sys_mmap(0, PAGE, PROT_READ, 4 | MAP_ANONYMOUS, -1, 0));
    log_map("protection with unknown bits",
            sys_mmap(AREA, PAGE, PROT_READ | 0x40, PRIVATE | MAP_FIXED, -1, 0));
    log_map("offset within a page", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, file, 1));
    log_map("offset within a page, anonymous", sys_mmap(0, PAGE, PROT_READ, PRIVATE, -1, 1));
    log_map("offset of a page, anonymous", sys_mmap(0, PAGE, PROT_READ, PRIVATE, -1, PAGE));
    log_map("offset of -4096", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, file, ~4095UL));
    log_map("offset of -4096, two pages",
            sys_mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, file, ~4095UL));
    log_map("offset of 2^63", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, file, 1UL << 63));
    log_map("offset far behind the end",
            sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, file, 1UL << 40));
    log_map("no file", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
    log_map("file 99", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
    log_map("file -1, anonymous", sys_mmap(0, PAGE, PROT_READ, PRIVATE, -1, 0));
    log_map("file 99, anonymous", sys_mmap(0, PAGE, PROT_READ, PRIVATE, 99, 0));
    log_map("no file and length 0", sys_mmap(0, 0, PROT_READ, MAP_PRIVATE, -1, 0));
    log_map("a pipe", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0));
    log_map("a pipe's writing end", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, ends[1], 0));
    /* What else is wrong with the call is said first. There is a mapping at AREA by now. */
    for (int i = 0; i < 2; i++) {
        const int end = ends[i];
        say("%s end of a pipe", i ? "writing" : "reading");
        log_map("  length 0", sys_mmap(0, 0, PROT_READ, MAP_PRIVATE, end, 0));
        log_map("  length -1", sys_mmap(0, ~0UL, PROT_READ, MAP_PRIVATE, end, 0));
        log_map("  length 2^62", sys_mmap(0, 1UL << 62, PROT_READ, MAP_PRIVATE, end, 0));
        log_map("  MAP_FIXED within a page",
                sys_mmap(AREA + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, end, 0));
        log_map("  MAP_FIXED_NOREPLACE over a mapping",
                sys_mmap(AREA, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, end, 0));
        log_map("  MAP_FIXED over the end of the user's half",
                sys_mmap(USER - PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, end, 0));
        log_map("  offset of -4096, two pages",
                sys_mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, end, ~4095UL));
        log_map("  offset of 2^63", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, end, 1UL << 63));
        log_map("  offset within a page", sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, end, 1));
        log_map("  neither shared nor private", sys_mmap(0, PAGE, PROT_READ, 0, end, 0));
        log_map("  MAP_SHARED_VALIDATE with an unknown flag",
                sys_mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x8000000, end, 0));
        log_map("  shared, writable", sys_mmap(0, PAGE, RW, MAP_SHARED, end, 0));
        log_map("  MAP_GROWSDOWN",
                sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, end, 0));
    }
    log_map("opened for reading: shared, writable", sys_mmap(0, PAGE, RW, MAP_SHARED, reading, 0));
    log_map("opened for reading: private, writable",
            sys_mmap(0, PAGE, RW, MAP_PRIVATE, reading, 0));
    {
        long shared = must("mmap", sys_mmap(0, PAGE, PROT_READ, MAP_SHARED, reading, 0));
        log_result("opened for reading: shared, mprotect to writable",
                   sys_mprotect((uint64_t)shared, PAGE, RW));
    }
    log_map("MAP_FIXED within a page",
            sys_mmap(AREA + 1, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    log_map("MAP_FIXED over the end of the user's half",
            sys_mmap(USER - PAGE, 2 * PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    log_map("MAP_FIXED in the kernel's half",
            sys_mmap(0xffff800000000000UL, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    log_map("MAP_FIXED at the last page of all",
            sys_mmap(~4095UL, PAGE, PROT_READ, PRIVATE | MAP_FIXED, -1, 0));
    log_map("MAP_GROWSDOWN of a file",
            sys_mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, file, 0));
    log_map("MAP_GROWSDOWN, shared",
            sys_mmap(0, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
    sys_close(reading);
}

static void refuse_munmap(void)
{
    log_result("munmap: within a page", sys_munmap(AREA + 1, PAGE));
    log_result("munmap: length 0", sys_munmap(AREA, 0));
    log_result("munmap: length 1", sys_munmap(AREA, 1));
    log_result("munmap: nothing there", sys_munmap(AREA, PAGE));
    log_result("munmap: holes between", sys_munmap(AREA, 0x1000000));
    log_result("munmap: length -1", sys_munmap(AREA, ~0UL));
    log_result("munmap: up to the end of the user's half", sys_munmap(USER - PAGE, 2 * PAGE));
    log_result("munmap: in the kernel's half", sys_munmap(0xffff800000000000UL, PAGE));
    log_result("munmap: at the end of the user's half", sys_munmap(USER, PAGE));
}

static void refuse_mprotect(int file)
{
    map_at(AREA, 4, RW, MAP_PRIVATE);
    file_map(AREA + 16 * PAGE, 4, PROT_READ, MAP_SHARED, file, 0);
    log_result("mprotect: within a page", sys_mprotect(AREA + 1, PAGE, PROT_READ));
    log_result("mprotect: length 0", sys_mprotect(AREA, 0, PROT_READ));
    log_result("mprotect: length 0, nothing there", sys_mprotect(AREA + 8 * PAGE, 0, PROT_READ));
    log_result("mprotect: nothing there", sys_mprotect(AREA + 8 * PAGE, PAGE, PROT_READ));
    log_result("mprotect: length -1", sys_mprotect(AREA, ~0UL, PROT_READ));
    log_result("mprotect: length -4096", sys_mprotect(AREA, ~4095UL, PROT_READ));
    log_result("mprotect: unknown bits", sys_mprotect(AREA, PAGE, 0x40));
    log_result("mprotect: in the kernel's half",
               sys_mprotect(0xffff800000000000UL, PAGE, PROT_READ));
    log_maps("as before", AREA, AREA + 32 * PAGE);
    /* It goes up to the hole, and what it has done stays. */
    log_result("mprotect: a hole at the end", sys_mprotect(AREA + 2 * PAGE, 8 * PAGE, PROT_READ));
    log_maps("up to the hole", AREA, AREA + 32 * PAGE);
    log_result("mprotect: a hole at the beginning",
               sys_mprotect(AREA + 8 * PAGE, 16 * PAGE, PROT_NONE));
    log_maps("as before", AREA, AREA + 32 * PAGE);
    log_result("mprotect: half a page", sys_mprotect(AREA, PAGE / 2, PROT_NONE));
    log_maps("a page", AREA, AREA + 32 * PAGE);
    must("munmap", sys_munmap(AREA, 32 * PAGE));
}

static void refuse_madvise(int file)
{
    static const struct {
        const char *name;
        int advice;
    } advices[] = {
        {"MADV_NORMAL",         MADV_NORMAL        },
        {"MADV_RANDOM",         MADV_RANDOM        },
        {"MADV_SEQUENTIAL",     MADV_SEQUENTIAL    },
        {"MADV_WILLNEED",       MADV_WILLNEED      },
        {"MADV_DONTNEED",       MADV_DONTNEED      },
        {"MADV_REMOVE",         MADV_REMOVE        },
        {"MADV_DONTFORK",       MADV_DONTFORK      },
        {"MADV_DOFORK",         MADV_DOFORK        },
        {"MADV_WIPEONFORK",     MADV_WIPEONFORK    },
        {"MADV_KEEPONFORK",     MADV_KEEPONFORK    },
        {"MADV_POPULATE_READ",  MADV_POPULATE_READ },
        {"MADV_POPULATE_WRITE", MADV_POPULATE_WRITE},
        {"5",                   5                  },
        {"-1",                  -1                 },
    };

    map_at(AREA, 4, RW, MAP_PRIVATE);
    map_at(AREA + 8 * PAGE, 4, RW, MAP_SHARED);
    file_map(AREA + 16 * PAGE, 4, RW, MAP_PRIVATE, file, 0);
    file_map(AREA + 24 * PAGE, 4, RW, MAP_SHARED, file, 0);
    map_at(AREA + 32 * PAGE, 4, PROT_NONE, MAP_PRIVATE);
    map_at(AREA + 40 * PAGE, 4, PROT_READ, MAP_PRIVATE);
    must("mlock", sys_mlock(AREA + 2 * PAGE, PAGE));
    for (unsigned i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        static const struct {
            const char *what;
            uint64_t address;
            uint64_t length;
        } cases[] = {
            {"private",                  AREA,                 PAGE    },
            {"private, one page locked", AREA,                 4 * PAGE},
            {"shared",                   AREA + 8 * PAGE,      PAGE    },
            {"private file",             AREA + 16 * PAGE,     PAGE    },
            {"shared file",              AREA + 24 * PAGE,     PAGE    },
            {"PROT_NONE",                AREA + 32 * PAGE,     PAGE    },
            {"read-only",                AREA + 40 * PAGE,     PAGE    },
            {"over a hole",              AREA + 40 * PAGE,     8 * PAGE},
            {"nothing there",            AREA + 44 * PAGE,     PAGE    },
            {"length 0, nothing there",  AREA + 44 * PAGE,     0       },
            {"within a page",            AREA + 1,             PAGE    },
            {"length -1",                AREA,                 ~0UL    },
            {"length -4096",             AREA,                 ~4095UL },
            {"kernel's half",            0xffff800000000000UL, PAGE    },
        };

        for (unsigned k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
            say("%s, %s: %s", advices[i].name, cases[k].what,
                result_text(sys_madvise(cases[k].address, cases[k].length, advices[i].advice)));
    }
    must("munmap", sys_munmap(AREA, 64 * PAGE));
}

static void refuse_mlock(void)
{
    map_at(AREA, 4, RW, MAP_PRIVATE);
    map_at(AREA + 8 * PAGE, 1, PROT_NONE, MAP_PRIVATE);
    log_result("mlock: within a page", sys_mlock(AREA + 1, 1));
    log_residency("it rounds", AREA, 4);
    log_result("mlock: over the page's end", sys_mlock(AREA + 2 * PAGE - 1, 2));
    log_residency("it rounds", AREA, 4);
    log_result("mlock: length 0", sys_mlock(AREA, 0));
    log_result("mlock: nothing there", sys_mlock(AREA + 5 * PAGE, PAGE));
    log_result("mlock: over a hole", sys_mlock(AREA + 3 * PAGE, 4 * PAGE));
    log_residency("up to the hole", AREA, 4);
    log_result("mlock: PROT_NONE", sys_mlock(AREA + 8 * PAGE, PAGE));
    log_result("mlock: length -1", sys_mlock(AREA, ~0UL));
    log_result("munlock: nothing there", sys_munlock(AREA + 5 * PAGE, PAGE));
    log_result("munlock: length 0", sys_munlock(AREA, 0));
    log_result("munlock: not locked", sys_munlock(AREA, 4 * PAGE));
    log_result("munlock: length -1", sys_munlock(AREA, ~0UL));
    must("munmap", sys_munmap(AREA, 16 * PAGE));
}

static void refuse_brk(void)
{
    uint64_t end = (uint64_t)sys_brk(0);

    address_base("break", end);
    say("brk of 1: %s", address_text((uint64_t)sys_brk(1)));
    say("brk of -1: %s", address_text((uint64_t)sys_brk(~0UL)));
    say("brk in the kernel's half: %s", address_text((uint64_t)sys_brk(0xffff800000000000UL)));
    say("brk below its beginning: %s", address_text((uint64_t)sys_brk(end - PAGE)));
    say("brk by 1: %s", address_text((uint64_t)sys_brk(end + 1)));
    log_write(end, 1);
    say("brk by 2 pages and 5: %s", address_text((uint64_t)sys_brk(end + 2 * PAGE + 5)));
    /* A mapping in its way. */
    map_at((end + 0x10000) & ~(PAGE - 1), 1, PROT_READ, MAP_PRIVATE);
    say("brk over a mapping: %s", address_text((uint64_t)sys_brk(end + 0x20000)));
    say("brk: %s", address_text((uint64_t)sys_brk(0)));
    say("brk to its beginning: %s", address_text((uint64_t)sys_brk(end)));
}

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0x10);
    int ends[2];

    (void)start;
    pipe_make(ends);
    refuse_mmap(file, ends);
    must("munmap", sys_munmap(AREA, PAGE));
    refuse_munmap();
    refuse_mprotect(file);
    refuse_madvise(file);
    refuse_mlock();
    refuse_brk();
    return 0;
}
