/*
 * What a private file mapping shows of later changes of the file: pages that were not written follow the file, also
 * when they had been read before; a copied page no longer does, wherever the change comes from.
 */
#include "tests/programs/library/file.h"

#define PRIVATE 0x10000000UL
#define SHARED  0x20000000UL

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0x10);
    int ends[2];
    long child;

    (void)start;
    file_map(PRIVATE, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    file_map(SHARED, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    log_read(PRIVATE + PAGE); /* page 1: read before the change */
    log_write(PRIVATE, 0xa0); /* page 0: copied before the change */
    log_bytes("page 0", PRIVATE, 2);

    for (unsigned long i = 0; i < 3; i++) {
        file_put(file, i * PAGE + 1, 1, 0x51);
        store8(SHARED + i * PAGE + 2, 0x52);
    }
    log_bytes("page 0, copied", PRIVATE, 4);
    log_bytes("page 1, read", PRIVATE + PAGE, 4);
    log_bytes("page 2, untouched", PRIVATE + 2 * PAGE, 4);
    log_bytes("file, page 0", SHARED, 4);

    /* The kernel writes into the private mapping: a copy as well. */
    say("pread64 of page 3 into page 2: %s",
        result_text(sys_pread64(file, PRIVATE + 2 * PAGE, 4, 3 * PAGE)));
    store8(SHARED + 2 * PAGE + 4, 0x53);
    log_bytes("page 2, copied by the kernel", PRIVATE + 2 * PAGE, 6);
    log_bytes("file, page 2", SHARED + 2 * PAGE, 6);

    /* A write of the value that is there already copies, too. */
    log_write(PRIVATE + PAGE, load8(PRIVATE + PAGE));
    store8(SHARED + PAGE + 3, 0x54);
    log_bytes("page 1, written with its own value", PRIVATE + PAGE, 5);

    /* A child has copies of its own; the file's pages stay common. */
    pipe_make(ends);
    child = program_fork();
    if (child == 0) {
        log_bytes("child's page 0", PRIVATE, 4);
        log_write(PRIVATE + 3, 0xc0);
        pipe_await(ends);
        log_bytes("child's page 0", PRIVATE, 5);
        log_bytes("child's page 3", PRIVATE + 3 * PAGE, 3);
        program_exit(0);
    }
    store8(PRIVATE + 4, 0xd0);
    store8(SHARED + 3 * PAGE + 1, 0xd1);
    pipe_signal(ends);
    log_wait("child", wait_for(child));
    log_bytes("parent's page 0", PRIVATE, 5);

    /* Two private mappings do not see each other's copies. */
    file_map(0x30000000, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    log_write(0x30000000, 0xe0);
    log_bytes("second private mapping", 0x30000000, 5);
    log_bytes("first private mapping", PRIVATE, 5);
    log_bytes("file", SHARED, 5);

    /* A copy goes with its mapping. */
    must("munmap", sys_munmap(PRIVATE, 4 * PAGE));
    file_map(PRIVATE, 4, PROT_READ, MAP_PRIVATE, file, 0);
    log_bytes("mapped anew", PRIVATE, 5);
    return 0;
}
