/*
 * fallocate(PUNCH_HOLE) and MADV_REMOVE take whole pages out of the cache and clear parts of pages, under all
 * mappings; private copies stay, other than with truncation.
 */
#include "tests/programs/library/file.h"

#define PRIVATE 0x10000000UL
#define SHARED  0x20000000UL
#define LONE    0x30000000UL

int program(const struct program_start *start)
{
    int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int file = file_make("pages", 12, 0x10);

    (void)start;
    file_map(PRIVATE, 12, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    file_map(SHARED, 12, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    log_contents("private, read", PRIVATE, 12);
    log_contents("shared, read", SHARED, 12);
    fill(PRIVATE + 2 * PAGE, 1, 0xa2);
    log_size("before", file);

    say("punch pages 1 to 3: %s", result_text(sys_fallocate(file, punch, PAGE, 3 * PAGE)));
    log_size("punched", file);
    log_residency("shared", SHARED, 12);
    log_read(SHARED + PAGE);
    log_contents("private", PRIVATE, 5);
    log_contents("shared", SHARED, 5);
    log_size("read", file);

    /* From the middle of page 5 to the middle of page 7. */
    say("punch parts: %s", result_text(sys_fallocate(file, punch, 5 * PAGE + 8, 2 * PAGE)));
    log_size("punched", file);
    log_bytes("shared page 5", SHARED + 5 * PAGE + 4, 8);
    log_read(SHARED + 6 * PAGE);
    log_bytes("shared page 7", SHARED + 7 * PAGE + 4, 8);
    log_bytes("private page 7", PRIVATE + 7 * PAGE + 4, 8);
    log_file("file", file, 7 * PAGE + 4, 8);
    log_size("read", file);

    /* Within one page. */
    say("punch 4 bytes: %s", result_text(sys_fallocate(file, punch, 8 * PAGE + 2, 4)));
    log_bytes("shared page 8", SHARED + 8 * PAGE, 8);

    /* By madvise: in a shared mapping alone. */
    say("MADV_REMOVE shared 9 to 10: %s",
        result_text(sys_madvise(SHARED + 9 * PAGE, 2 * PAGE, MADV_REMOVE)));
    log_size("removed", file);
    log_read(SHARED + 9 * PAGE);
    log_read(PRIVATE + 10 * PAGE);
    log_size("read", file);
    say("MADV_REMOVE private: %s", result_text(sys_madvise(PRIVATE, PAGE, MADV_REMOVE)));
    must("mprotect", sys_mprotect(SHARED, 12 * PAGE, PROT_READ));
    say("MADV_REMOVE of a shared, read-only mapping: %s",
        result_text(sys_madvise(SHARED + 11 * PAGE, PAGE, MADV_REMOVE)));
    log_size("removed", file);
    map_at(LONE, 2, PROT_READ | PROT_WRITE, MAP_SHARED);
    fill(LONE, 2, 0x55);
    say("MADV_REMOVE of shared anonymous memory: %s",
        result_text(sys_madvise(LONE, PAGE, MADV_REMOVE)));
    log_contents("shared anonymous", LONE, 2);
    map_at(LONE + 8 * PAGE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    say("MADV_REMOVE of private anonymous memory: %s",
        result_text(sys_madvise(LONE + 8 * PAGE, PAGE, MADV_REMOVE)));

    /* Behind the end nothing happens; the size stays. Without KEEP_SIZE fallocate makes pages and may grow. */
    say("punch behind the end: %s", result_text(sys_fallocate(file, punch, 20 * PAGE, PAGE)));
    log_size("punched", file);
    say("fallocate of 13 and 14: %s", result_text(sys_fallocate(file, 0, 13 * PAGE, 2 * PAGE)));
    log_size("fallocate", file);
    say("fallocate of 20 with KEEP_SIZE: %s",
        result_text(sys_fallocate(file, FALLOC_FL_KEEP_SIZE, 20 * PAGE, PAGE)));
    log_size("fallocate", file);
    say("punch all: %s", result_text(sys_fallocate(file, punch, 0, 100 * PAGE)));
    log_size("punched", file);
    log_contents("private", PRIVATE, 12);

    say("PUNCH_HOLE without KEEP_SIZE: %s",
        result_text(sys_fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, PAGE)));
    say("length 0: %s", result_text(sys_fallocate(file, punch, 0, 0)));
    say("offset -1: %s", result_text(sys_fallocate(file, punch, ~0UL, PAGE)));
    say("length -1: %s", result_text(sys_fallocate(file, punch, 0, ~0UL)));
    say("offset and length too large: %s",
        result_text(sys_fallocate(file, punch, ~0UL >> 1, ~0UL >> 1)));
    say("unknown mode: %s", result_text(sys_fallocate(file, 0x4000, 0, PAGE)));
    say("file -1: %s", result_text(sys_fallocate(-1, punch, 0, PAGE)));
    return 0;
}
