/*
 * What a dynamic loader does to map a shared library: all of it as a private, executable mapping of the file, a hole
 * without rights between text and data, data over it at a fixed address, zeroed memory behind the data, and the
 * data's beginning read-only in the end. The sizes are those of a real C library.
 */
#include "tests/programs/library/file.h"

#define LENGTH      3926752UL
#define HOLE        0x1b5000UL
#define HOLE_LENGTH 0x200000UL
#define DATA        (HOLE + HOLE_LENGTH)
#define DATA_LENGTH 24576UL
#define TAIL        (DATA + DATA_LENGTH)
#define TAIL_LENGTH 15072UL
#define READ_ONLY   16384UL
#define BASE        0x30000000UL

int program(const struct program_start *start)
{
    int file = file_make_hole("library.so", (HOLE + DATA_LENGTH) / PAGE);
    long before;

    (void)start;
    /* Each page begins with its number; the first has code at 0x100. */
    for (uint64_t page = 0; page < (HOLE + DATA_LENGTH) / PAGE; page++)
        must("pwrite64", sys_pwrite64(file, (uint64_t)&page, sizeof(page), page * PAGE));
    map_at(0x10000000, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    put_code(0x10000000);
    must("pwrite64", sys_pwrite64(file, 0x10000000, 6, 0x100));

    say("mmap of all: %s", result_hex(sys_mmap(BASE, LENGTH, PROT_READ | PROT_EXEC,
                                               MAP_PRIVATE | MAP_DENYWRITE, file, 0)));
    log_maps("all", BASE, BASE + LENGTH);
    say("mprotect of the hole: %s", result_text(sys_mprotect(BASE + HOLE, HOLE_LENGTH, PROT_NONE)));
    log_maps("hole", BASE, BASE + LENGTH);
    say("mmap of the data: %s",
        result_hex(sys_mmap(BASE + DATA, DATA_LENGTH, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, file, HOLE)));
    log_maps("data", BASE, BASE + LENGTH);
    say("mmap of the tail: %s",
        result_hex(sys_mmap(BASE + TAIL, TAIL_LENGTH, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)));
    log_maps("tail", BASE, BASE + LENGTH);

    /* Relocation: the loader writes the data, clears its end, then takes the first pages' write permission. */
    log_execute(BASE + 0x100);
    before = minor_faults();
    for (uint64_t at = 0; at < DATA_LENGTH; at += PAGE)
        store64(BASE + DATA + at, 0x1111 + load64(BASE + DATA + at));
    log_faults("6 pages of data relocated", before);
    fill(BASE + TAIL - PAGE, 1, 0);
    say("mprotect of the data's beginning: %s",
        result_text(sys_mprotect(BASE + DATA, READ_ONLY, PROT_READ)));
    log_maps("read-only", BASE, BASE + LENGTH);

    /* Use of it. */
    log_execute(BASE + 0x100);
    log_read(BASE + 20 * PAGE);
    log_write(BASE + 0x100, 1);
    log_read(BASE + HOLE - 1);
    log_read(BASE + HOLE);
    log_execute(BASE + DATA - 1);
    log_read(BASE + DATA);
    log_write(BASE + DATA, 1);
    log_write(BASE + DATA + READ_ONLY - 1, 1);
    log_write(BASE + DATA + READ_ONLY, 0x42);
    log_execute(BASE + DATA + READ_ONLY);
    log_read(BASE + TAIL);
    log_write(BASE + TAIL + TAIL_LENGTH - 1, 1);
    log_write(BASE + TAIL + TAIL_LENGTH, 2);
    log_read(BASE + TAIL + 4 * PAGE);
    for (uint64_t at = 0; at < DATA_LENGTH; at += PAGE)
        say("data page %lu: 0x%lx, file 0x%lx", at / PAGE, load64(BASE + DATA + at),
            (HOLE + at) / PAGE);
    log_file("file", file, HOLE + READ_ONLY, 4);
    log_residency("data and tail", BASE + DATA, 10);

    /* The loader undoes it at once. */
    say("munmap: %s", result_text(sys_munmap(BASE, LENGTH)));
    log_maps("unmapped", BASE - PAGE, BASE + LENGTH);
    log_read(BASE);

    /* The same where the kernel chooses: addresses relative to it. */
    {
        uint64_t base = (uint64_t)must("mmap", sys_mmap(0, LENGTH, PROT_READ | PROT_EXEC,
                                                        MAP_PRIVATE | MAP_DENYWRITE, file, 0));
        address_base("library", base);
        say("page-aligned: %s", base % PAGE ? "no" : "yes");
        must("mprotect", sys_mprotect(base + HOLE, HOLE_LENGTH, PROT_NONE));
        say("data at %s",
            result_hex(sys_mmap(base + DATA, DATA_LENGTH, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, file, HOLE)));
        log_execute(base + 0x100);
        log_write(base + DATA, 7);
        log_read(base + HOLE);
    }
    return 0;
}
