/*
 * When mappings become one and when they fall into parts, as /proc/self/maps shows it: neighbours with equal rights,
 * flags, file and offset merge - unless their pages have different histories (maps_merge_history).
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL
#define END  (AREA + 0x100000)
#define RW   (PROT_READ | PROT_WRITE)

static void log_area(const char *what)
{
    log_maps(what, AREA, END);
}

static void clear(void)
{
    must("munmap", sys_munmap(AREA, END - AREA));
}

static void protect(unsigned long page, unsigned long pages, int protection)
{
    must("mprotect", sys_mprotect(AREA + page * PAGE, pages * PAGE, protection));
}

static uint64_t map(unsigned long page, unsigned long pages, int protection, int flags)
{
    return map_at(AREA + page * PAGE, pages, protection, flags);
}

static void with_anonymous_memory(void)
{
    map(0, 8, RW, MAP_PRIVATE);
    log_area("8 pages");
    protect(3, 2, PROT_READ);
    log_area("3 and 4 read-only");
    protect(3, 1, RW);
    log_area("3 as before");
    protect(4, 1, RW);
    log_area("4 as before");
    protect(0, 1, PROT_NONE);
    protect(7, 1, PROT_NONE);
    log_area("first and last without rights");
    protect(0, 8, PROT_READ);
    log_area("all read-only at once");
    protect(0, 8, RW);
    must("munmap", sys_munmap(AREA + 2 * PAGE, 2 * PAGE));
    log_area("2 and 3 unmapped");
    map(2, 2, RW, MAP_PRIVATE);
    log_area("2 and 3 mapped again");
    protect(2, 2, PROT_READ);
    protect(2, 2, PROT_NONE);
    protect(2, 1, RW);
    log_area("2 and 3 read-only, then without rights, 2 as before");
    clear();

    map(0, 2, RW, MAP_PRIVATE);
    map(2, 2, RW, MAP_PRIVATE);
    log_area("side by side");
    map(4, 1, PROT_READ, MAP_PRIVATE);
    map(5, 1, RW, MAP_PRIVATE | MAP_NORESERVE);
    map(6, 1, RW, MAP_SHARED);
    map(7, 1, RW, MAP_SHARED);
    map(8, 1, RW, MAP_PRIVATE | MAP_GROWSDOWN);
    map(9, 1, RW, MAP_PRIVATE);
    map(10, 1, RW, MAP_PRIVATE);
    log_area("read-only, unreserved, two shared, growing, two as at first");
    /* MAP_FIXED over all of it. */
    must("mmap",
         sys_mmap(AREA + PAGE, 9 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    log_area("MAP_FIXED over 1 to 9");
    must("mmap", sys_mmap(AREA + 3 * PAGE, 20 * PAGE, PROT_READ,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    log_area("MAP_FIXED over 3 to 22");
    clear();
}

static void with_files(void)
{
    int file = file_make("pages", 16, 0x10);
    int other = file_make("other", 16, 0x10);
    uint64_t at = AREA;

    file_map(at, 2, PROT_READ, MAP_SHARED, file, 0);
    file_map(at + 2 * PAGE, 2, PROT_READ, MAP_SHARED, file, 2);
    log_area("pages 0 to 3 in two steps");
    file_map(at + 4 * PAGE, 2, PROT_READ, MAP_SHARED, file, 5);
    file_map(at + 6 * PAGE, 2, PROT_READ, MAP_PRIVATE, file, 7);
    file_map(at + 8 * PAGE, 2, PROT_READ, MAP_PRIVATE, other, 9);
    log_area("from page 5, private, another file");
    protect(1, 1, RW);
    log_area("page 1 writable");
    protect(1, 1, PROT_READ);
    log_area("page 1 as before");
    must("munmap", sys_munmap(at + 7 * PAGE, PAGE));
    log_area("page 7 unmapped");
    file_map(at + 7 * PAGE, 1, PROT_READ, MAP_PRIVATE, file, 8);
    log_area("page 7 as before");
    must("mmap",
         sys_mmap(at + PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    log_area("anonymous memory over pages 1 and 2");
    must("mmap", sys_mmap(at + PAGE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, PAGE));
    log_area("the file again");
    sys_close(file);
    protect(0, 2, RW);
    log_area("closed, pages 0 and 1 writable");
    clear();
}

static void with_advice_and_locks(void)
{
    map(0, 8, RW, MAP_PRIVATE);
    must("madvise", sys_madvise(AREA + PAGE, PAGE, MADV_DONTFORK));
    log_area("MADV_DONTFORK of 1");
    must("madvise", sys_madvise(AREA + 3 * PAGE, PAGE, MADV_WIPEONFORK));
    log_area("MADV_WIPEONFORK of 3");
    must("madvise", sys_madvise(AREA + 5 * PAGE, PAGE, MADV_DONTNEED));
    log_area("MADV_DONTNEED of 5");
    must("madvise", sys_madvise(AREA, 8 * PAGE, MADV_DOFORK));
    must("madvise", sys_madvise(AREA, 8 * PAGE, MADV_KEEPONFORK));
    log_area("undone");
    must("madvise", sys_madvise(AREA, 2 * PAGE, MADV_RANDOM));
    must("madvise", sys_madvise(AREA + 2 * PAGE, 2 * PAGE, MADV_SEQUENTIAL));
    log_area("MADV_RANDOM of 0 and 1, MADV_SEQUENTIAL of 2 and 3");
    must("madvise", sys_madvise(AREA, 4 * PAGE, MADV_NORMAL));
    log_area("undone");
    /* Locking brings the pages, of all of it and then of a part. */
    must("mlock", sys_mlock(AREA, 8 * PAGE));
    log_area("mlock");
    must("munlock", sys_munlock(AREA + 2 * PAGE, 2 * PAGE));
    log_area("munlock of 2 and 3");
    must("munlock", sys_munlock(AREA, 8 * PAGE));
    log_area("munlock");
    clear();
}

static void with_mremap(void)
{
    map(0, 2, RW, MAP_PRIVATE);
    must("mremap", sys_mremap(AREA, 2 * PAGE, 4 * PAGE, 0, 0));
    log_area("grown to 4");
    map(6, 2, RW, MAP_PRIVATE);
    must("mremap", sys_mremap(AREA, 4 * PAGE, 6 * PAGE, 0, 0));
    log_area("grown up to the next mapping");
    must("mremap", sys_mremap(AREA + 2 * PAGE, 2 * PAGE, PAGE, 0, 0));
    log_area("2 pages in the middle shrunk to 1");
    must("mremap", sys_mremap(AREA, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + 3 * PAGE));
    log_area("page 0 moved into the hole");
    store8(AREA + PAGE, 1);
    must("mremap",
         sys_mremap(AREA + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + 16 * PAGE));
    map(17, 1, RW, MAP_PRIVATE);
    log_area("a written page moved to 16, untouched memory behind it");
    clear();
}

int program(const struct program_start *start)
{
    (void)start;
    with_anonymous_memory();
    with_files();
    with_advice_and_locks();
    with_mremap();
    return 0;
}
