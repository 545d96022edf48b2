/*
 * All four kinds of mapping side by side in one process, the same pages of one file among them, and a child that
 * writes to each: who sees what.
 */
#include "tests/programs/library/program.h"

#define PRIVATE      0x10000000UL
#define PRIVATE_FILE (PRIVATE + 4 * PAGE)
#define SHARED       (PRIVATE + 8 * PAGE)
#define SHARED_FILE  (PRIVATE + 12 * PAGE)
#define END          (PRIVATE + 16 * PAGE)

static void show(const char *who)
{
    say("%s:", who);
    log_contents("  private anonymous", PRIVATE, 4);
    log_contents("  private file", PRIVATE_FILE, 4);
    log_contents("  shared anonymous", SHARED, 4);
    log_contents("  shared file", SHARED_FILE, 4);
}

static void write_all(uint64_t page, uint8_t value)
{
    for (uint64_t area = PRIVATE; area < END; area += 4 * PAGE) {
        struct access access = access_write(area + page * PAGE, value);
        log_access("write", area + page * PAGE, &access);
        fill(area + page * PAGE, 1, value);
    }
}

int program(const struct program_start *start)
{
    int file = (int)must("memfd_create", sys_memfd_create("mixture", 0));
    static uint8_t byte;
    long pid;
    long before;

    (void)start;
    must("ftruncate", sys_ftruncate(file, 4 * PAGE));
    map_at(PRIVATE, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(PRIVATE, 4, 0x10);
    must("pwrite", sys_pwrite64(file, PRIVATE, 4 * PAGE, 0));
    must("mmap", sys_mmap(PRIVATE_FILE, 4 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0));
    map_at(SHARED, 4, PROT_READ | PROT_WRITE, MAP_SHARED);
    must("mmap", sys_mmap(SHARED_FILE, 4 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0));
    log_maps("mapped", PRIVATE, END);
    show("at the beginning");
    write_all(0, 0x21);
    show("parent has written page 0");

    pid = program_fork();
    if (pid == 0) {
        show("child at its beginning");
        write_all(1, 0x31);
        write_all(0, 0x32);
        show("child has written pages 1 and 0");
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    show("parent");
    for (uint64_t page = 0; page < 4; page++) {
        must("pread", sys_pread64(file, (uint64_t)&byte, 1, page * PAGE));
        say("the file's page %lu: %02x", page, byte);
    }

    /* One mprotect over all four, and one munmap across two of them. */
    say("mprotect: %s", result_text(sys_mprotect(PRIVATE, 16 * PAGE, PROT_READ)));
    log_maps("read-only", PRIVATE, END);
    for (uint64_t area = PRIVATE; area < END; area += 4 * PAGE) {
        log_write(area + 2 * PAGE, 0x41);
        log_read(area + 2 * PAGE);
    }
    say("mprotect: %s", result_text(sys_mprotect(PRIVATE, 16 * PAGE, PROT_READ | PROT_WRITE)));
    write_all(2, 0x42);
    before = minor_faults();
    say("munmap: %s", result_text(sys_munmap(PRIVATE + 3 * PAGE, 6 * PAGE)));
    log_faults("munmap", before);
    log_maps("a hole over three of them", PRIVATE, END);
    for (uint64_t area = PRIVATE; area < END; area += 4 * PAGE) {
        log_read(area);
        log_read(area + 3 * PAGE);
    }
    say("madvise over the holes: %s", result_text(sys_madvise(PRIVATE, 16 * PAGE, MADV_DONTNEED)));
    log_read(PRIVATE);
    log_read(SHARED + PAGE);
    log_read(SHARED_FILE);
    return 0;
}
