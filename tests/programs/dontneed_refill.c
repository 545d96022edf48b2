/*
 * MADV_DONTNEED drops pages: private anonymous ones come back as zeros, a private copy of a file's page as the file's
 * contents, shared ones as they were. And what it refuses.
 */
#include "tests/programs/library/program.h"

#define AREA   0x10000000UL
#define FILE   0x20000000UL
#define SHARED 0x30000000UL
#define PAGES  8

static void drop(const char *what, uint64_t address, unsigned long length)
{
    long before = minor_faults();

    say("drop %s: %s", what, result_text(sys_madvise(address, length, MADV_DONTNEED)));
    log_faults("  dropping", before);
}

int program(const struct program_start *start)
{
    static const char text[] = "what the file holds";
    long before;
    int file;

    (void)start;
    map_at(AREA, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, PAGES, 0x33);
    drop("pages 2 to 4", AREA + 2 * PAGE, 3 * PAGE);
    log_residency("dropped", AREA, PAGES);
    log_read(AREA + 2 * PAGE);
    log_write(AREA + 3 * PAGE, 0x44);
    before = minor_faults();
    log_contents("refilled", AREA, PAGES);
    log_faults("reading all", before);

    drop("a part of a page, which is all of it", AREA, 1);
    log_read(AREA);
    log_read(AREA + PAGE);
    drop("nothing", AREA + PAGE, 0);
    drop("from within a page", AREA + PAGE + 1, PAGE);
    log_read(AREA + PAGE);
    must("munmap", sys_munmap(AREA + 4 * PAGE, PAGE));
    drop("over a hole", AREA + 3 * PAGE, 5 * PAGE);
    log_read(AREA + 3 * PAGE);
    log_read(AREA + 5 * PAGE);
    log_read(AREA + 7 * PAGE);
    drop("where nothing is", AREA + 4 * PAGE, PAGE);
    drop("around the end of all addresses", ~0UL << 12, 2 * PAGE);
    must("mlock", sys_mlock(AREA + 5 * PAGE, PAGE));
    store8(AREA + 5 * PAGE, 0x55);
    drop("a locked page", AREA + 5 * PAGE, PAGE);
    log_read(AREA + 5 * PAGE);
    must("munlock", sys_munlock(AREA + 5 * PAGE, PAGE));
    drop("it when it is no longer locked", AREA + 5 * PAGE, PAGE);
    log_read(AREA + 5 * PAGE);
    must("mprotect", sys_mprotect(AREA + 6 * PAGE, PAGE, PROT_NONE));
    drop("a page without rights", AREA + 6 * PAGE, PAGE);
    must("mprotect", sys_mprotect(AREA + 6 * PAGE, PAGE, PROT_READ));
    log_read(AREA + 6 * PAGE);

    file = (int)must("memfd_create", sys_memfd_create("dontneed", 0));
    must("ftruncate", sys_ftruncate(file, 2 * PAGE));
    must("pwrite", sys_pwrite64(file, (uint64_t)text, sizeof(text), 0));
    must("mmap", sys_mmap(FILE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
                          file, 0));
    log_write(FILE, 'W');
    log_bytes("private copy", FILE, 5);
    drop("the private copy", FILE, 2 * PAGE);
    log_bytes("the file's page", FILE, 5);

    must("mmap", sys_mmap(SHARED, 2 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0));
    log_write(SHARED, 'Z');
    drop("a shared page", SHARED, 2 * PAGE);
    log_residency("it is in the page cache", SHARED, 2);
    log_bytes("shared page", SHARED, 5);
    log_bytes("and through the private mapping", FILE, 5);
    return 0;
}
