/*
 * Truncation takes away all pages behind the new end, private copies as well: SIGBUS, and when the file grows again
 * it is zeroed file that is there, not the copy. A copy below the end stays.
 */
#include "tests/programs/library/file.h"

#define PRIVATE 0x10000000UL
#define SHARED  0x20000000UL

int program(const struct program_start *start)
{
    int file = file_make("pages", 6, 0x10);
    long child;

    (void)start;
    file_map(PRIVATE, 6, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    file_map(SHARED, 6, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    for (unsigned long i = 0; i < 6; i += 2)
        log_write(PRIVATE + i * PAGE, (uint8_t)(0xa0 + i));
    log_read(PRIVATE + 3 * PAGE);
    log_read(SHARED + 5 * PAGE);

    must("ftruncate", sys_ftruncate(file, 3 * PAGE));
    log_size("cut to 3 pages", file);
    log_read(PRIVATE);
    log_read(PRIVATE + 2 * PAGE);
    for (unsigned long i = 3; i < 6; i++)
        log_read(PRIVATE + i * PAGE);
    log_write(PRIVATE + 4 * PAGE, 1);
    log_read(SHARED + 5 * PAGE);
    log_residency("private", PRIVATE, 6);

    must("ftruncate", sys_ftruncate(file, 6 * PAGE));
    log_size("grown to 6 pages", file);
    for (unsigned long i = 0; i < 6; i++)
        log_read(PRIVATE + i * PAGE);
    log_size("read", file);
    log_write(PRIVATE + 4 * PAGE, 0xb4);
    log_read(SHARED + 4 * PAGE);

    /* Copies that a child holds go as well; so do those behind PROT_NONE. */
    must("mprotect", sys_mprotect(PRIVATE, 6 * PAGE, PROT_NONE));
    child = program_fork();
    if (child == 0) {
        must("mprotect", sys_mprotect(PRIVATE, 6 * PAGE, PROT_READ | PROT_WRITE));
        log_read(PRIVATE);
        must("ftruncate", sys_ftruncate(file, 0));
        log_read(PRIVATE);
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    must("mprotect", sys_mprotect(PRIVATE, 6 * PAGE, PROT_READ | PROT_WRITE));
    log_read(PRIVATE);
    log_write(PRIVATE + 4 * PAGE, 1);
    must("ftruncate", sys_ftruncate(file, PAGE));
    log_read(PRIVATE);
    log_write(PRIVATE, 0xc0);
    log_read(PRIVATE + PAGE);
    log_size("end", file);
    return 0;
}
