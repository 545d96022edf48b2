/*
 * Execution of pages that are not there yet, without PROT_EXEC: Linux looks at the instruction bit only when the
 * page is present, so it first brings the page and the second fault is the one that kills (0x15); PROT_NONE is
 * refused at once (0x14).
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static void log_page(const char *what, uint64_t address)
{
    say("%s", what);
    log_residency("before", address, 1);
    log_execute(address);
    log_residency("after", address, 1);
    log_execute(address + 1);
}

int program(const struct program_start *start)
{
    static const int protections[] = {PROT_READ, PROT_READ | PROT_WRITE, PROT_WRITE, PROT_NONE};
    static const char *const names[] = {"r--", "rw-", "-w-", "---"};
    int file = file_make("pages", 40, 0xc3);
    int hole = file_make_hole("hole", 2);
    uint64_t at = AREA;

    (void)start;
    for (unsigned i = 0; i < 4; i++) {
        say("%s", names[i]);
        log_page("private anonymous", map_at(at, 1, protections[i], MAP_PRIVATE));
        log_page("shared anonymous", map_at(at + 2 * PAGE, 1, protections[i], MAP_SHARED));
        log_page("private file", file_map(at + 4 * PAGE, 1, protections[i], MAP_PRIVATE, file, 0));
        log_page("shared file", file_map(at + 6 * PAGE, 1, protections[i], MAP_SHARED, file, 0));
        at += 0x1000000;
    }

    /* The first fault does all that a read does: fault-around, a page for a hole, SIGBUS behind the end. */
    say("a file's window");
    file_map(at, 32, PROT_READ, MAP_PRIVATE, file, 0);
    log_execute(at + 3 * PAGE);
    log_read(at + 9 * PAGE);
    log_read(at + 16 * PAGE);
    at += 0x1000000;
    say("a hole");
    file_map(at, 4, PROT_READ | PROT_WRITE, MAP_SHARED, hole, 0);
    log_execute(at + PAGE);
    log_size("hole", hole);
    log_execute(at + 3 * PAGE);
    at += 0x1000000;

    /* With PROT_EXEC it is one fault; zeroed memory is "add %al, (%rax)". */
    say("r-x");
    map_at(at, 1, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
    put_code(at);
    must("mprotect", sys_mprotect(at, PAGE, PROT_READ | PROT_EXEC));
    log_execute(at);
    must("mprotect", sys_mprotect(at, PAGE, PROT_READ));
    log_execute(at);
    log_read(at);
    return 0;
}
