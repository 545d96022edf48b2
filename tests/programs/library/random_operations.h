/*
 * Operations chosen by a generator of random-looking numbers, on a small region, so that they meet in ways that nobody
 * thinks of: each is a line with its result and its faults, and from time to time the state of all pages. The
 * sequence is the same in every run and on every system, since nothing is chosen by what a system answers.
 */
#pragma once

#include "tests/programs/library/program.h"
#include "tests/programs/library/random.h"

#define REGION       0x10000000UL
#define REGION_PAGES 24UL
#define FILE_PAGES   16UL

enum random_kind {
    RANDOM_ANONYMOUS = 1,
    RANDOM_FILE = 2,
    RANDOM_FORK = 4,
    RANDOM_LOCK = 8,
    RANDOM_CORNERS = 16 /* what do_corner() does, and the mappings after every tenth operation */
};

static unsigned kinds; /* of random_kind: what may happen */
static int file;
static unsigned depth; /* of processes */

static uint64_t random_below(uint64_t limit)
{
    return (random_next() >> 16) % limit;
}

static uint64_t page_at(uint64_t page)
{
    return REGION + page * PAGE;
}

static const char *rights_text(int rights)
{
    static const char *const texts[] = {"---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"};

    return texts[rights & 7];
}

static int random_rights(void)
{
    static const int rights[] = {PROT_READ | PROT_WRITE,
                                 PROT_READ | PROT_WRITE,
                                 PROT_READ | PROT_WRITE,
                                 PROT_READ,
                                 PROT_NONE,
                                 PROT_READ | PROT_EXEC};

    return rights[random_below(sizeof(rights) / sizeof(rights[0]))];
}

/* A range of up to @limit pages within the region. */
static uint64_t random_range(uint64_t limit, uint64_t *count)
{
    uint64_t first = random_below(REGION_PAGES);

    *count = 1 + random_below(limit);
    if (*count > REGION_PAGES - first)
        *count = REGION_PAGES - first;
    return first;
}

static void told(const char *what, uint64_t first, uint64_t count, const char *more, long result,
                 long before)
{
    long faults = minor_faults() - before;

    say("%s %lu+%lu%s%s: %s, %ld", what, first, count, *more ? " " : "", more,
        result == (long)page_at(first) ? "there" : result_text(result), faults);
}

static void do_map(void)
{
    uint64_t count;
    uint64_t first = random_range(8, &count);
    int rights = random_rights();
    bool shared = random_below(2);
    bool of_file = (kinds & RANDOM_FILE) && (!(kinds & RANDOM_ANONYMOUS) || random_below(2));
    bool populate = random_below(8) == 0;
    uint64_t offset = random_below(FILE_PAGES);
    int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | (populate ? MAP_POPULATE : 0);
    long before = minor_faults();
    long result =
        sys_mmap(page_at(first), count * PAGE, rights, flags | (of_file ? 0 : MAP_ANONYMOUS),
                 of_file ? file : -1, of_file ? offset * PAGE : 0);
    long faults = minor_faults() - before;

    say("map %lu+%lu %s%c %s%lu%s: %s, %ld", first, count, rights_text(rights), shared ? 's' : 'p',
        of_file ? "file " : "anonymous ", of_file ? offset : 0, populate ? " populate" : "",
        result == (long)page_at(first) ? "there" : result_text(result), faults);
}

static void do_access(bool write)
{
    /* Every other one in the first byte, which show_state() shows. */
    uint64_t at = page_at(random_below(REGION_PAGES)) + random_below(2) * random_below(8) * 512;
    uint8_t value = (uint8_t)random_below(256);
    struct access access = write ? access_write(at, value) : access_read(at);

    if (access.signal)
        say("%s 0x%lx: %s err 0x%lx, %ld", write ? "write" : "read", at - REGION,
            code_text(access.signal, access.code), access.error, access.faults);
    else
        say("%s 0x%lx: %02lx, %ld", write ? "write" : "read", at - REGION, access.value,
            access.faults);
}

static void do_advise(void)
{
    static const struct {
        const char *name;
        int advice;
        uint64_t limit;
    } advices[] = {
        {"dontneed",       MADV_DONTNEED,       8},
        {"dontneed",       MADV_DONTNEED,       8},
        {"remove",         MADV_REMOVE,         3},
        {"populate read",  MADV_POPULATE_READ,  1},
        {"populate write", MADV_POPULATE_WRITE, 1},
        {"dontfork",       MADV_DONTFORK,       2},
        {"dofork",         MADV_DOFORK,         8},
        {"wipeonfork",     MADV_WIPEONFORK,     2},
        {"keeponfork",     MADV_KEEPONFORK,     8},
    };
    uint64_t which = random_below(sizeof(advices) / sizeof(advices[0]));
    uint64_t count;
    uint64_t first = random_range(advices[which].limit, &count);
    long before = minor_faults();

    told("advise", first, count, advices[which].name,
         sys_madvise(page_at(first), count * PAGE, advices[which].advice), before);
}

/* One page only: a longer range may lie in several VMAs, and kernels differ in whether that can move. */
static void do_remap(void)
{
    uint64_t first = random_below(REGION_PAGES);
    uint64_t to = random_below(REGION_PAGES);
    uint64_t count = random_below(4) == 0 && first < REGION_PAGES - 1 ? 2 : 1;
    bool move = random_below(3) != 0;
    long before = minor_faults();
    long result;

    if (move) {
        result = sys_mremap(page_at(first), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page_at(to));
        long faults = minor_faults() - before;
        say("move %lu to %lu: %s, %ld", first, to,
            result == (long)page_at(to) ? "there" : result_text(result), faults);
    } else {
        result = sys_mremap(page_at(first), PAGE, count * PAGE, 0, 0);
        told("resize", first, count, "", result, before);
    }
}

static void log_region(void)
{
    log_maps("maps", REGION - REGION_PAGES * PAGE, page_at(REGION_PAGES));
}

static void corner_map(void)
{
    static const struct {
        const char *name;
        int flags;
    } more[] = {
        {"growing",    MAP_GROWSDOWN},
        {"locked",     MAP_LOCKED   },
        {"unreserved", MAP_NORESERVE}
    };
    static const int rights[] = {PROT_EXEC, PROT_WRITE, PROT_READ | PROT_WRITE};
    uint64_t count;
    uint64_t first = random_range(6, &count);
    uint64_t which = random_below(3);
    int right = rights[random_below(3)];
    long before = minor_faults();

    told(more[which].name, first, count, rights_text(right),
         sys_mmap(page_at(first), count * PAGE, right,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | more[which].flags, -1, 0),
         before);
}

/* Moves of several pages, with or without what they leave. */
static void corner_remap(void)
{
    uint64_t count;
    uint64_t first = random_range(3, &count);
    uint64_t to = random_below(REGION_PAGES);
    bool keep = random_below(3) == 0;
    uint64_t pages = keep || random_below(3) ? count : 1 + random_below(4);
    long before = minor_faults();
    long result =
        sys_mremap(page_at(first), count * PAGE, pages * PAGE,
                   MREMAP_MAYMOVE | MREMAP_FIXED | (keep ? MREMAP_DONTUNMAP : 0), page_at(to));
    long faults = minor_faults() - before;

    say("%s %lu+%lu to %lu+%lu: %s, %ld", keep ? "keep" : "move", first, count, to, pages,
        result == (long)page_at(to) ? "there" : result_text(result), faults);
}

static void corner_advise(void)
{
    /* MADV_FREE, COLD, DONTNEED_LOCKED, RANDOM, NORMAL, SEQUENTIAL, DONTDUMP, DODUMP, WILLNEED */
    static const uint8_t advices[] = {8, 8, 8, 20, 24, 1, 0, 2, 16, 17, 3};
    uint64_t advice = advices[random_below(sizeof(advices))];
    uint64_t count;
    uint64_t first = random_range(8, &count);
    long before = minor_faults();

    told("advise", first, count, result_text((long)advice),
         sys_madvise(page_at(first), count * PAGE, (int)advice), before);
}

static void corner_protect(void)
{
    uint64_t count;
    uint64_t first = random_range(6, &count);
    int rights = random_below(2) ? PROT_EXEC : random_rights();
    bool down = random_below(2);
    long before = minor_faults();

    told(down ? "protect downwards" : "protect", first, count, rights_text(rights),
         sys_mprotect(page_at(first), count * PAGE, rights | (down ? 0x01000000 : 0)), before);
}

/* Often none; else hardly more than what the program has anyway. */
static void corner_limit(void)
{
    static const struct {
        const char *name;
        int resource;
        uint64_t least, span; /* pages */
    } limits[] = {
        {"RLIMIT_AS",    RLIMIT_AS,    120, 24},
        {"RLIMIT_DATA",  RLIMIT_DATA,  90,  24},
        {"RLIMIT_STACK", RLIMIT_STACK, 0,   12}
    };
    uint64_t which = random_below(3);
    struct resource_limit limit = {~0UL, ~0UL};

    if (random_below(3) == 0)
        limit.current = (limits[which].least + random_below(limits[which].span)) * PAGE;
    say("%s 0x%lx: %s", limits[which].name, limit.current,
        result_text(sys_prlimit64(0, limits[which].resource, &limit, 0)));
}

static void corner_brk(void)
{
    static uint64_t base; /* a child's is its parent's */
    uint64_t to, end;

    if (!base)
        base = (uint64_t)sys_brk(0);
    to = base + random_below(12) * PAGE + random_below(4) * 512;
    end = (uint64_t)sys_brk(to);
    say("brk 0x%lx: 0x%lx", to - base, end - base);
    if (end > base && random_below(2)) {
        uint64_t at = base + random_below(end - base);
        struct access access = access_write(at, 1);
        say("heap 0x%lx: %s, %ld", at - base, access.signal ? "no" : "written", access.faults);
    }
    if (random_below(4) == 0) {
        uint64_t first = random_below(10);
        say("unmap %lu of the heap: %s", first,
            result_text(sys_munmap(((base + PAGE - 1) & ~(PAGE - 1)) + first * PAGE, PAGE)));
    }
}

static void do_corner(void)
{
    static void (*const corners[])(void) = {corner_map,     corner_map,    corner_remap,
                                            corner_remap,   corner_advise, corner_advise,
                                            corner_protect, corner_limit,  corner_brk};

    corners[random_below(sizeof(corners) / sizeof(corners[0]))]();
}

static void do_file(void)
{
    static uint8_t buffer[3 * PAGE];
    uint64_t offset = random_below(FILE_PAGES * 8) * 512;
    uint64_t count = random_below(3) ? 1 + random_below(64) : 1 + random_below(3 * PAGE);
    uint8_t value = (uint8_t)random_below(256);
    uint64_t what = random_below(8);
    uint64_t at = page_at(random_below(REGION_PAGES)) + random_below(8) * 512;
    uint64_t sum = 0;
    long before = minor_faults();
    long result;

    if (what < 2) {
        for (uint64_t i = 0; i < count; i++)
            buffer[i] = value;
        result = sys_pwrite64(file, (uint64_t)buffer, count, offset);
        say("pwrite 0x%lx+%lu: %s", offset, count, result_text(result));
    } else if (what < 4) {
        result = sys_pread64(file, (uint64_t)buffer, count, offset);
        for (long i = 0; i < result; i++)
            sum = sum * 31 + buffer[i];
        say("pread 0x%lx+%lu: %s, sum %lx", offset, count, result_text(result), sum);
    } else if (what == 4) {
        /* Between the file and the region itself: 64 bytes, so that none of it is a partial count. */
        result = random_below(2) ? sys_pread64(file, at, 64, offset)
                                 : sys_pwrite64(file, at, 64, offset);
        long faults = minor_faults() - before;
        say("file 0x%lx and region 0x%lx: %s, %ld", offset, at - REGION, result_text(result),
            faults);
    } else if (what == 5) {
        say("ftruncate 0x%lx: %s", offset, result_text(sys_ftruncate(file, offset)));
    } else if (what == 6) {
        result = sys_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
        say("punch 0x%lx+%lu: %s", offset, count, result_text(result));
    } else {
        say("ftruncate 0x%lx: %s", FILE_PAGES * PAGE,
            result_text(sys_ftruncate(file, FILE_PAGES * PAGE)));
    }
}

/* A word for each page: '-' not mapped, '.' not resident, '!' resident but not readable, or its first byte. */
static void show_state(void)
{
    for (uint64_t row = 0; row < REGION_PAGES; row += 8) {
        char text[8 * 3 + 1];
        unsigned used = 0;

        for (uint64_t page = row; page < row + 8; page++) {
            uint8_t resident;
            long result = sys_mincore(page_at(page), PAGE, &resident);
            text[used++] = ' ';
            if (result < 0) {
                text[used++] = '-';
            } else if (!(resident & 1)) {
                text[used++] = '.';
            } else {
                struct access access = access_read(page_at(page));
                if (access.signal) {
                    text[used++] = '!';
                } else {
                    text[used++] = "0123456789abcdef"[access.value >> 4 & 15];
                    text[used++] = "0123456789abcdef"[access.value & 15];
                }
            }
        }
        text[used] = 0;
        say("state%s", text);
    }
}

static void operate(unsigned count);

static void do_fork(unsigned count)
{
    long pid = program_fork();

    if (pid == 0) {
        depth++;
        random_state = random_state * 6364136223846793005 + 1442695040888963407;
        say("begin of child %u", depth);
        show_state();
        operate(count);
        show_state();
        say("end of child %u", depth);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
}

static void operate(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t choice = random_below(100);
        uint64_t pages;
        uint64_t first;
        long before = minor_faults();

        if (kinds & RANDOM_CORNERS && random_below(3) == 0) {
            do_corner();
        } else if (choice < 15) {
            do_map();
        } else if (choice < 18) {
            first = random_range(4, &pages);
            told("unmap", first, pages, "", sys_munmap(page_at(first), pages * PAGE), before);
        } else if (choice < 26) {
            int rights = random_rights();
            first = random_range(8, &pages);
            told("protect", first, pages, rights_text(rights),
                 sys_mprotect(page_at(first), pages * PAGE, rights), before);
        } else if (choice < 34) {
            do_advise();
        } else if (choice < 38) {
            do_remap();
        } else if (choice < 42 && kinds & RANDOM_LOCK) {
            bool lock = random_below(2);
            first = random_range(4, &pages);
            told(lock ? "lock" : "unlock", first, pages, "",
                 lock ? sys_mlock(page_at(first), pages * PAGE)
                      : sys_munlock(page_at(first), pages * PAGE),
                 before);
        } else if (choice < 52 && kinds & RANDOM_FILE) {
            do_file();
        } else if (choice < 55 && kinds & RANDOM_FORK && depth < 3) {
            do_fork(10 + (unsigned)random_below(20));
        } else {
            do_access(choice < 80);
        }
        if (kinds & RANDOM_CORNERS && i % 10 == 9)
            log_region();
        if (i % 50 == 49)
            show_state();
    }
}

static int random_program(uint64_t seed, unsigned what, unsigned count)
{
    need_zero_page();
    kinds = what;
    random_state = seed;
    file = (int)must("memfd_create", sys_memfd_create("random", 0));
    must("ftruncate", sys_ftruncate(file, FILE_PAGES * PAGE));
    operate(count);
    show_state();
    return 0;
}
