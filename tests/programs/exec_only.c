/*
 * PROT_EXEC alone, on a processor with protection keys: the first such mapping takes a key (1) whose PKRU bits deny
 * data accesses. Reads and writes are SEGV_PKUERR with that key; the kernel is denied as well.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static void log_kernel(const char *what, uint64_t address)
{
    static int ends[2];
    int file = file_make("bytes", 1, 0xc3);

    if (!ends[1])
        pipe_make(ends);
    long result = sys_write(ends[1], address, 1);
    if (result == 1)
        pipe_await(ends);
    say("%s: read by the kernel %s, written by it %s", what, result_text(result),
        result_text(sys_pread64(file, address, 1, 0)));
    sys_close(file);
}

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0xc3);
    long key = sys_pkey_alloc(0, 0);

    (void)start;
    if (key < 0)
        program_lacks("protection keys (PKU)");
    must("pkey_free", sys_pkey_free((int)key));

    say("anonymous");
    map_at(AREA, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    put_code(AREA);
    log_read(AREA);
    must("mprotect", sys_mprotect(AREA, 2 * PAGE, PROT_EXEC));
    log_execute(AREA);
    log_read(AREA);
    log_write(AREA, 0xb8);
    log_kernel("with its page", AREA);
    log_read(AREA + PAGE);
    log_write(AREA + PAGE, 0);
    log_residency("page 1", AREA + PAGE, 1);
    log_kernel("untouched", AREA + PAGE);
    log_residency("page 1", AREA + PAGE, 1);

    say("file");
    file_map(AREA + 16 * PAGE, 4, PROT_EXEC, MAP_PRIVATE, file, 0);
    log_read(AREA + 17 * PAGE);
    log_execute(AREA + 16 * PAGE);
    log_read(AREA + 16 * PAGE);
    log_write(AREA + 16 * PAGE, 0);
    log_kernel("private file", AREA + 16 * PAGE);
    file_map(AREA + 32 * PAGE, 4, PROT_EXEC, MAP_SHARED, file, 0);
    log_read(AREA + 32 * PAGE);
    log_kernel("shared file", AREA + 32 * PAGE);
    log_maps("all", AREA, AREA + 64 * PAGE);

    /* The key is taken: a program gets the next one. It goes from a page with the first other protection. */
    say("pkey_alloc: %s", result_text(sys_pkey_alloc(0, 0)));
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_READ));
    log_read(AREA);
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_READ | PROT_EXEC));
    log_read(AREA);
    log_execute(AREA);
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_EXEC));
    log_read(AREA);
    log_execute(AREA);
    say("pkey_free of key 1: %s", result_text(sys_pkey_free(1)));
    say("pkey_mprotect with key 1: %s", result_text(sys_pkey_mprotect(AREA, PAGE, PROT_READ, 1)));
    return 0;
}
