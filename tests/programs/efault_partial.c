/*
 * System calls whose buffer is good at first and bad then: files transfer what was good and say how much, a pipe takes
 * whole pages or nothing, and reading a pipe loses nothing. Lengths of zero, lengths that wrap, the kernel's half.
 */
#include "tests/programs/library/file.h"

#define AREA   0x10000000UL /* two good pages, then one that is bad */
#define BAD    (AREA + 2 * PAGE)
#define KERNEL 0xffff888000000000UL

static int file;
static int ends[2];

static void make_bad(const char *how, int protection)
{
    say("%s", how);
    if (protection < 0)
        must("munmap", sys_munmap(BAD, PAGE));
    else
        must("mprotect", sys_mprotect(BAD, PAGE, protection));
}

/* Write @count bytes from @from, and look at what arrived in a file that held "11" all over. */
static void log_write_to_file(uint64_t offset, uint64_t from, unsigned long count)
{
    static uint8_t bytes[3 * PAGE];
    unsigned long changed = 0;
    long result;

    fill(AREA, 2, 0x11);
    for (unsigned long i = 0; i < 3; i++)
        must("pwrite64", sys_pwrite64(file, AREA, PAGE, i * PAGE));
    fill(AREA, 2, 0x22);
    result = sys_pwrite64(file, from, count, offset);
    must("pread64", sys_pread64(file, (uint64_t)bytes, sizeof(bytes), 0));
    for (unsigned long i = 0; i < sizeof(bytes); i++)
        changed += bytes[i] == 0x22;
    say("  pwrite64 of %lu bytes from bad%s%ld at offset %lu: %s, %lu bytes are new", count,
        from > BAD ? "+" : "-", from > BAD ? (long)(from - BAD) : (long)(BAD - from), offset,
        result_text(result), changed);
}

static void log_read_from_file(uint64_t offset, uint64_t to, unsigned long count)
{
    unsigned long changed = 0;
    long result;

    fill(AREA, 2, 0x33);
    result = sys_pread64(file, to, count, offset);
    for (unsigned long i = 0; i < 2 * PAGE; i++)
        changed += load8(AREA + i) != 0x33;
    say("  pread64 of %lu bytes to bad-%lu at offset %lu: %s, %lu bytes are new", count, BAD - to,
        offset, result_text(result), changed);
}

static void log_files(void)
{
    log_write_to_file(0, BAD - 100, 50);
    log_write_to_file(0, BAD - 100, 100);
    log_write_to_file(0, BAD - 100, 200);
    log_write_to_file(4000, BAD - 100, 200);
    log_write_to_file(1, BAD - 4196, 5000);
    log_write_to_file(4096, BAD - 8192, 8200);
    log_write_to_file(0, BAD, 10);
    log_write_to_file(0, BAD - 1, 2);
    log_read_from_file(0, BAD - 100, 100);
    log_read_from_file(0, BAD - 100, 200);
    log_read_from_file(4000, BAD - 100, 200);
    log_read_from_file(1, BAD - 4196, 5000);
    log_read_from_file(0, BAD, 10);
    log_read_from_file(0, BAD - 1, 2);
}

/* What is in the pipe, made sure of by a last byte ff. */
static void log_pipe(const char *what)
{
    static uint8_t bytes[2 * PAGE];
    static const uint8_t mark = 0xff;
    long got = 0;

    must("write to pipe", sys_write(ends[1], (uint64_t)&mark, 1));
    while (got == 0 || bytes[got - 1] != 0xff)
        got += must("read from pipe", sys_read(ends[0], (uint64_t)bytes + (uint64_t)got,
                                               sizeof(bytes) - (uint64_t)got));
    say("%s: %ld bytes were in the pipe", what, got - 1);
}

static void log_pipes(void)
{
    static const uint8_t four[] = {1, 2, 3, 4};

    fill(AREA, 2, 0x44);
    say("  write of 10 bytes, 10 good: %s", result_text(sys_write(ends[1], BAD - 10, 10)));
    log_pipe("  then");
    say("  write of 20 bytes, 10 good: %s", result_text(sys_write(ends[1], BAD - 10, 20)));
    log_pipe("  then");
    say("  write of 5000 bytes, 4096 good: %s", result_text(sys_write(ends[1], BAD - 4096, 5000)));
    log_pipe("  then");
    say("  write of 5000 bytes, 4200 good: %s", result_text(sys_write(ends[1], BAD - 4200, 5000)));
    log_pipe("  then");
    say("  write of 10 bytes, none good: %s", result_text(sys_write(ends[1], BAD, 10)));
    log_pipe("  then");
    must("write to pipe", sys_write(ends[1], (uint64_t)four, 4));
    say("  read of 4 bytes, 2 good: %s", result_text(sys_read(ends[0], BAD - 2, 4)));
    log_bytes("  before the bad page", BAD - 4, 4);
    say("  read of 2 bytes, 2 good: %s", result_text(sys_read(ends[0], BAD - 2, 2)));
    log_bytes("  before the bad page", BAD - 4, 4);
    log_pipe("  then");
}

static void log_moving(const char *what, long result)
{
    say("%s: %s, offset %s", what, result_text(result), result_text(sys_lseek(file, 0, SEEK_CUR)));
}

int program(const struct program_start *start)
{
    int hole = file_make_hole("hole", 4);
    unsigned long good;
    long result;

    (void)start;
    file = file_make("pages", 3, 0);
    pipe_make(ends);
    map_at(AREA, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, 2, 0x10);

    make_bad("PROT_NONE", PROT_NONE);
    log_files();
    log_pipes();
    make_bad("read-only, which is bad for reads into it alone", PROT_READ);
    log_files();
    log_pipes();
    make_bad("nothing there", -1);
    log_files();
    log_pipes();
    say("behind the end of a file");
    file_map(BAD, 1, PROT_READ | PROT_WRITE, MAP_SHARED, hole, 100);
    log_files();
    log_pipes();

    /* A hole reads as zeros, as far as the buffer is good. */
    fill(AREA, 2, 0x33);
    result = sys_pread64(hole, BAD - 96, 200, 0);
    for (good = 0; good < 96 && load8(BAD - 96 + good) == 0; good++)
        ;
    say("pread64 of 200 bytes of a hole to bad-96: %s, %lu are zero", result_text(result), good);

    /* Offsets move by what was transferred. */
    log_moving("write of 50 bytes from bad-20", sys_write(file, BAD - 20, 50));
    log_moving("read of 50 bytes to bad-20", sys_read(file, BAD - 20, 50));
    log_moving("read of 50 bytes to bad", sys_read(file, BAD, 50));
    /* A file that has only its first bytes: the rest of the buffer may be bad. */
    must("ftruncate", sys_ftruncate(file, 10));
    say("pread64 of 100 bytes of a file of 10 to bad-10: %s",
        result_text(sys_pread64(file, BAD - 10, 100, 0)));
    say("pread64 at the file's end to bad: %s", result_text(sys_pread64(file, BAD, 100, 10)));
    say("pread64 behind the file's end to bad: %s", result_text(sys_pread64(file, BAD, 100, 5000)));
    say("pwrite64 from bad behind the end: %s", result_text(sys_pwrite64(file, BAD, 100, 5000)));
    must("ftruncate", sys_ftruncate(file, 10)); /* Linux 6.18 grows it all the same */

    /* Length 0. */
    say("length 0, nothing there: read %s write %s pread64 %s pwrite64 %s, pipe %s",
        result_text(sys_read(file, 0, 0)), result_text(sys_write(file, 0, 0)),
        result_text(sys_pread64(file, 0, 0, 0)), result_text(sys_pwrite64(file, 0, 0, 0)),
        result_text(sys_write(ends[1], 0, 0)));
    say("length 0, read of an empty pipe: %s", result_text(sys_read(ends[0], 0, 0)));

    /* The kernel's half, and lengths that wrap or are negative. */
    say("kernel: pread64 %s pwrite64 %s, pipe write %s",
        result_text(sys_pread64(file, KERNEL, 1, 0)), result_text(sys_pwrite64(file, KERNEL, 1, 0)),
        result_text(sys_write(ends[1], KERNEL, 1)));
    say("up to the kernel's half: pread64 %s pwrite64 %s",
        result_text(sys_pread64(file, AREA, KERNEL - AREA, 0)),
        result_text(sys_pwrite64(file, AREA, KERNEL - AREA, 0)));
    say("-8, 16 bytes: pread64 %s pwrite64 %s", result_text(sys_pread64(file, ~7UL, 16, 0)),
        result_text(sys_pwrite64(file, ~7UL, 16, 0)));
    say("length -1: pread64 %s pwrite64 %s", result_text(sys_pread64(file, AREA, ~0UL, 0)),
        result_text(sys_pwrite64(file, AREA, ~0UL, 0)));
    say("length 2^63: pread64 %s pwrite64 %s", result_text(sys_pread64(file, AREA, 1UL << 63, 0)),
        result_text(sys_pwrite64(file, AREA, 1UL << 63, 0)));
    say("length 2^46 of a file of 10 bytes: pread64 %s",
        result_text(sys_pread64(file, AREA, 1UL << 46, 0)));
    say("offset -1: pread64 %s pwrite64 %s", result_text(sys_pread64(file, AREA, 1, ~0UL)),
        result_text(sys_pwrite64(file, AREA, 1, ~0UL)));
    say("offset 2^63-1: pread64 %s pwrite64 %s", result_text(sys_pread64(file, AREA, 1, ~0UL >> 1)),
        result_text(sys_pwrite64(file, AREA, 1, ~0UL >> 1)));

    /* The wrong kind of file. */
    say("pipe: pread64 %s pwrite64 %s lseek %s ftruncate %s",
        result_text(sys_pread64(ends[0], AREA, 1, 0)),
        result_text(sys_pwrite64(ends[1], AREA, 1, 0)),
        result_text(sys_lseek(ends[0], 0, SEEK_SET)), result_text(sys_ftruncate(ends[0], 0)));
    say("pipe, the wrong end: read %s write %s", result_text(sys_read(ends[1], AREA, 1)),
        result_text(sys_write(ends[0], AREA, 1)));
    say("no file: read %s write %s pread64 %s pwrite64 %s", result_text(sys_read(99, AREA, 1)),
        result_text(sys_write(-1, AREA, 1)), result_text(sys_pread64(99, KERNEL, 1, ~0UL)),
        result_text(sys_pwrite64(-1, KERNEL, 1, 0)));
    return 0;
}
