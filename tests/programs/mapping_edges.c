/*
 * Corners of memory's system calls: MREMAP_DONTUNMAP next to itself, of a part that is locked and of what moved before;
 * a stack that cannot grow and its history; locked memory that grows or becomes writable; a hole through a mapping for
 * reading; MADV_FREE; the kernel's own places.
 */
#include "tests/programs/library/file.h"
#include "tests/programs/library/program.h"

#define AREA  0x10000000UL
#define PAGES 64UL
#define RW    (PROT_READ | PROT_WRITE)

#define MAP_SYNC  0x80000
#define MADV_FREE 8

static uint64_t at(unsigned long page)
{
    return AREA + page * PAGE;
}

static void map(unsigned long page, unsigned long pages, int protection)
{
    map_at(at(page), pages, protection, MAP_PRIVATE);
}

static void keep(unsigned long from, unsigned long pages, unsigned long to)
{
    must("mremap", sys_mremap(at(from), pages * PAGE, pages * PAGE,
                              MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, at(to)));
}

static void log_area(const char *what)
{
    log_maps(what, AREA, at(PAGES));
}

static void clear(void)
{
    must("munmap", sys_munmap(AREA, PAGES * PAGE));
}

/* What nobody wrote to may become one mapping with the place that it leaves. */
static void keep_next_to_itself(void)
{
    map(0, 4, RW);
    keep(1, 1, 4);
    log_area("a page to behind its mapping");
    clear();
    map(4, 4, RW);
    log_read(at(5));
    keep(4, 4, 0);
    log_area("all of it to before itself");
    log_residency("its pages", at(0), 8);
    log_write(at(1), 1);
    log_write(at(5), 2);
    log_contents("its pages", at(0), 8);
    clear();
    map(0, 2, RW);
    fill(at(0), 2, 3);
    keep(0, 2, 2);
    log_area("written, to behind itself");
    clear();
}

/* All of the old mapping loses its lock. */
static void keep_locked(void)
{
    map(0, 3, RW);
    fill(at(0), 3, 4);
    must("mlock", sys_mlock(at(0), 3 * PAGE));
    keep(1, 1, 10);
    log_area("a locked page is kept");
    say("drop the one before it: %s", result_text(sys_madvise(at(0), PAGE, MADV_DONTNEED)));
    say("drop the one behind it: %s", result_text(sys_madvise(at(2), PAGE, MADV_DONTNEED)));
    say("drop the new one: %s", result_text(sys_madvise(at(10), PAGE, MADV_DONTNEED)));
    log_residency("old pages", at(0), 3);
    clear();

    map(0, 4, RW);
    must("mlock", sys_mlock(at(0), 4 * PAGE));
    must("munlock", sys_munlock(at(0), PAGE));
    log_area("all but the first are locked");
    keep(2, 1, 10);
    log_area("one of them is kept");
    must("mlock", sys_mlock(at(0), PAGE));
    log_area("the first is locked again");
    clear();
}

/* A place that is kept still has the offset that it came with. */
static void keep_moved(void)
{
    map(0, 1, RW);
    store8(at(0), 5);
    must("mremap", sys_mremap(at(0), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(10)));
    keep(10, 1, 20);
    map(11, 1, RW);
    map(9, 1, RW);
    log_area("neighbours of what moved, and is kept");
    log_write(at(10), 6);
    log_contents("new", at(20), 1);
    clear();
    map(0, 2, RW);
    fill(at(0), 2, 7);
    keep(0, 2, 10);
    map(2, 1, RW);
    log_area("a neighbour of what is kept where it always was");
    clear();
}

/* To try to grow is to have a history, whatever comes of it. */
static void grow_in_vain(void)
{
    map_at(at(0), 2, RW, MAP_PRIVATE | MAP_GROWSDOWN);
    map_at(at(2), 2, RW | PROT_EXEC, MAP_PRIVATE | MAP_GROWSDOWN);
    store8(at(2), 8);
    must("mprotect", sys_mprotect(at(2), 2 * PAGE, RW));
    log_area("a written one becomes like an untouched one before it");
    clear();
    map_at(at(0), 2, RW, MAP_PRIVATE | MAP_GROWSDOWN);
    map_at(at(2), 2, RW | PROT_EXEC, MAP_PRIVATE | MAP_GROWSDOWN);
    store8(at(2), 8);
    log_write(AREA - 0x2000000, 9);
    must("mprotect", sys_mprotect(at(2), 2 * PAGE, RW));
    log_area("the same, after it tried to grow");
    clear();
}

static void grow_locked(void)
{
    map_at(at(8), 2, RW, MAP_PRIVATE | MAP_GROWSDOWN | MAP_LOCKED);
    log_residency("a locked stack", at(8), 2);
    log_write(at(4), 10);
    log_area("grown");
    log_residency("grown", at(4), 6);
    say("drop one: %s", result_text(sys_madvise(at(4), PAGE, MADV_DONTNEED)));
    clear();
}

static void holes_in_files(void)
{
    int file = file_make("edges", 4, 0x20);
    uint64_t shared = (uint64_t)must(
        "mmap", sys_mmap(AREA, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0));

    log_read(shared + PAGE);
    say("a hole through a mapping for reading: %s",
        result_text(sys_madvise(shared + PAGE, PAGE, MADV_REMOVE)));
    log_read(shared + PAGE);
    clear();
}

static void free_pages(void)
{
    map(0, 2, RW);
    fill(at(0), 2, 11);
    say("free: %s", result_text(sys_madvise(at(0), 2 * PAGE, MADV_FREE)));
    store8(at(1), 12);
    must("mprotect", sys_mprotect(at(0), 2 * PAGE, PROT_READ));
    must("mprotect", sys_mprotect(at(0), 2 * PAGE, RW));
    log_write(at(0), 13);
    log_write(at(1), 13);
    log_bytes("the first", at(0) + 1, 2);
    clear();
}

static void flags_keep_apart(void)
{
    map_at(at(0), 1, RW, MAP_PRIVATE);
    map_at(at(1), 1, RW, MAP_PRIVATE | MAP_SYNC);
    map_at(at(2), 1, RW, MAP_PRIVATE | MAP_SYNC);
    log_area("MAP_SYNC, which means nothing here");
    clear();
}

static void locked_becomes_writable(void)
{
    long before;

    map(0, 4, PROT_READ);
    must("mlock", sys_mlock(at(0), 3 * PAGE));
    before = minor_faults();
    must("mprotect", sys_mprotect(at(1), 3 * PAGE, RW));
    log_faults("three pages, two of them locked, become writable", before);
    log_write(at(1), 1);
    log_write(at(3), 1);
    clear();
    map(0, 2, PROT_NONE);
    say("lock what nobody may touch: %s", result_text(sys_mlock(at(0), 2 * PAGE)));
    before = minor_faults();
    must("mprotect", sys_mprotect(at(0), 2 * PAGE, RW));
    log_faults("it becomes writable", before);
    say("drop it: %s", result_text(sys_madvise(at(0), PAGE, MADV_DONTNEED)));
    clear();
}

/* Where [vdso] begins, of /proc/self/maps; 0: there is none. */
static uint64_t vdso_start(void)
{
    static char maps[8192];
    unsigned long length = 0;
    uint64_t start = 0;
    long file = must("open", sys_open("/proc/self/maps", O_RDONLY));
    long got;

    while ((got = must("read", sys_read((int)file, (uint64_t)maps + length,
                                        sizeof(maps) - 1 - length))) > 0)
        length += (unsigned long)got;
    sys_close((int)file);
    for (const char *at = maps; *at; at++) {
        if (at == maps || at[-1] == '\n') {
            start = 0;
            for (; *at != '-'; at++)
                start = start * 16 + (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
        }
        if (at[0] == '[' && at[1] == 'v' && at[2] == 'd')
            return start;
    }
    return 0;
}

/* Places that are there without anybody's asking for them. */
static void kernels_own(void)
{
    const uint64_t vdso = vdso_start(), vvar = vdso - PAGE;

    say("lock [vvar], [vdso]: %s", result_text(sys_mlock(vvar, 2 * PAGE)));
    log_residency("[vvar], [vdso]", vvar, 2);
    say("populate [vvar]: %s", result_text(sys_madvise(vvar, PAGE, MADV_POPULATE_READ)));
    say("drop [vvar]: %s", result_text(sys_madvise(vvar, PAGE, MADV_DONTNEED)));
    say("drop [vdso]: %s", result_text(sys_madvise(vdso, PAGE, MADV_DONTNEED)));
    say("let a child have [vvar]: %s", result_text(sys_madvise(vvar, PAGE, MADV_DOFORK)));
    say("let a child have [vdso]: %s", result_text(sys_madvise(vdso, PAGE, MADV_DOFORK)));
    say("make [vvar] writable: %s", result_text(sys_mprotect(vvar, PAGE, RW)));
    say("let [vvar] grow: %s", result_text(sys_mremap(vvar, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0)));
}

int program(const struct program_start *start)
{
    (void)start;
    keep_next_to_itself();
    keep_locked();
    keep_moved();
    grow_in_vain();
    grow_locked();
    holes_in_files();
    locked_becomes_writable();
    free_pages();
    flags_keep_apart();
    kernels_own();
    return 0;
}
