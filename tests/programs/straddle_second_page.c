/*
 * One access over a page boundary where only the second page is bad: the address reported is the second page's
 * first byte, not the operand's, and nothing is written to the first page. Where the first is bad it is the operand's.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static uint64_t read_8(uint64_t address, uint64_t unused)
{
    (void)unused;
    return load64(address) & 0xff;
}

static uint64_t write_8(uint64_t address, uint64_t value)
{
    store64(address, value);
    return value & 0xff;
}

static uint64_t add_8(uint64_t address, uint64_t value)
{
    __asm__ volatile("addq %1, (%0)" : : "r"(address), "r"(value) : "memory");
    return 0;
}

static void log_each(const char *what, uint64_t boundary, bool first_readable)
{
    struct access access;

    say("%s", what);
    access = access_run(read_8, boundary - 3, 0);
    log_access("read", boundary - 3, &access);
    access = access_run(write_8, boundary - 3, 0x8877665544332211);
    log_access("write", boundary - 3, &access);
    access = access_run(write_8, boundary - 7, 0x8877665544332211);
    log_access("write", boundary - 7, &access);
    access = access_run(write_8, boundary - 8, 0x1817161514131211);
    log_access("write", boundary - 8, &access);
    if (first_readable)
        log_bytes("end of the first page", boundary - 9, 9);
}

int program(const struct program_start *start)
{
    int file = file_make("page", 1, 0x10);
    struct access access;

    (void)start;
    map_at(AREA, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(AREA, 1, 0);
    log_each("second page not mapped", AREA + PAGE, true);
    access = access_run(add_8, AREA + PAGE - 4, 1);
    say("add: %s, err without W 0x%lx, cr2 %s", signal_text(access.signal), access.error & ~2UL,
        address_text(access.cr2));

    map_at(AREA + PAGE, 1, PROT_NONE, MAP_PRIVATE);
    log_each("second page PROT_NONE", AREA + PAGE, true);

    must("mprotect", sys_mprotect(AREA + PAGE, PAGE, PROT_READ));
    log_each("second page read-only, untouched", AREA + PAGE, true);
    log_each("second page read-only, present", AREA + PAGE, true);

    file_map(AREA + 16 * PAGE, 2, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    log_each("second page behind the end of a file", AREA + 17 * PAGE, true);

    /* Pages of two kinds, both good: one fault each. */
    map_at(AREA + 32 * PAGE, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    file_map(AREA + 33 * PAGE, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    access = access_run(write_8, AREA + 33 * PAGE - 4, 0x8877665544332211);
    log_access("write", AREA + 33 * PAGE - 4, &access);
    log_bytes("around the boundary", AREA + 33 * PAGE - 6, 12);
    log_file("file", file, 0, 6);

    /* First page bad, second good. */
    map_at(AREA + 49 * PAGE, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    log_each("first page not mapped", AREA + 49 * PAGE, false);
    log_bytes("second page", AREA + 49 * PAGE, 6);
    map_at(AREA + 48 * PAGE, 1, PROT_READ, MAP_PRIVATE);
    access = access_run(write_8, AREA + 49 * PAGE - 4, 1);
    log_access("first page read-only, write", AREA + 49 * PAGE - 4, &access);
    log_bytes("around the boundary", AREA + 49 * PAGE - 4, 8);

    /* An instruction over the boundary: "mov $42, %eax; ret" with 3 bytes on the first page. */
    map_at(AREA + 64 * PAGE, 2, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
    put_code(AREA + 65 * PAGE - 3);
    log_execute(AREA + 65 * PAGE - 3);
    must("mprotect", sys_mprotect(AREA + 65 * PAGE, PAGE, PROT_READ));
    log_execute(AREA + 65 * PAGE - 3);
    must("mprotect", sys_mprotect(AREA + 65 * PAGE, PAGE, PROT_NONE));
    log_execute(AREA + 65 * PAGE - 3);
    must("munmap", sys_munmap(AREA + 65 * PAGE, PAGE));
    log_execute(AREA + 65 * PAGE - 3);
    /* An instruction that ends with the page does not touch the next. */
    put_code(AREA + 65 * PAGE - 6);
    log_execute(AREA + 65 * PAGE - 6);
    return 0;
}
