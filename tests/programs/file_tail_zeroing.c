/*
 * The last page of a file whose size is no multiple of a page: bytes behind the end read as zero, can be written
 * through a mapping and are seen by others who map it, but are not the file's. Truncation clears what it cuts off.
 */
#include "tests/programs/library/file.h"

#define SHARED  0x10000000UL
#define OTHER   0x20000000UL
#define PRIVATE 0x30000000UL

int program(const struct program_start *start)
{
    int file = file_make("tail", 2, 0x10);

    (void)start;
    file_map(SHARED, 2, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    file_map(OTHER, 2, PROT_READ, MAP_SHARED, file, 0);
    file_map(PRIVATE, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    log_bytes("two whole pages", SHARED + PAGE + 98, 6);

    /* Cut within the page: the rest of it is cleared at once, in every mapping. */
    must("ftruncate", sys_ftruncate(file, PAGE + 100));
    log_bytes("cut at 100, shared", SHARED + PAGE + 98, 6);
    log_bytes("cut at 100, other", OTHER + PAGE + 98, 6);
    log_bytes("cut at 100, private", PRIVATE + PAGE + 98, 6);
    log_file("cut at 100", file, PAGE + 98, 6);

    /* Bytes behind the end, written through a mapping: seen by the others, not by pread64. */
    log_write(SHARED + PAGE + 101, 0xee);
    log_bytes("written behind the end, shared", SHARED + PAGE + 98, 6);
    log_bytes("written behind the end, other", OTHER + PAGE + 98, 6);
    log_bytes("written behind the end, private", PRIVATE + PAGE + 98, 6);
    log_file("written behind the end", file, PAGE + 98, 6);
    log_size("written behind the end", file);

    /* Cut shorter, then longer: everything from the cut on is zero. */
    must("ftruncate", sys_ftruncate(file, PAGE + 99));
    log_bytes("cut at 99", SHARED + PAGE + 98, 6);
    must("ftruncate", sys_ftruncate(file, 2 * PAGE));
    log_bytes("grown to two pages", SHARED + PAGE + 98, 6);
    log_file("grown to two pages", file, PAGE + 98, 6);

    /* A private copy of the page is not cleared by a cut within it. */
    fill(SHARED, 2, 0x44);
    log_bytes("filled anew, private", PRIVATE + PAGE + 98, 6);
    log_write(PRIVATE + PAGE, 0x99);
    must("ftruncate", sys_ftruncate(file, PAGE + 100));
    log_bytes("cut at 100, shared", SHARED + PAGE + 98, 6);
    log_bytes("cut at 100, private copy", PRIVATE + PAGE + 98, 6);
    must("ftruncate", sys_ftruncate(file, 2 * PAGE));
    log_bytes("grown, private copy", PRIVATE + PAGE + 98, 6);

    /* A cut at a page's beginning takes the page away, cut at its second byte it does not. */
    must("ftruncate", sys_ftruncate(file, PAGE + 1));
    log_size("cut at 1", file);
    log_read(SHARED + PAGE);
    must("ftruncate", sys_ftruncate(file, PAGE));
    log_size("cut at 0", file);
    log_read(SHARED + PAGE);
    log_read(SHARED + PAGE - 1);

    /* A hole's page that was never there: growing within it makes none. */
    must("ftruncate", sys_ftruncate(file, PAGE + 10));
    log_size("grown by 10 bytes", file);
    log_bytes("grown by 10 bytes", SHARED + PAGE, 4);
    log_size("read", file);
    return 0;
}
