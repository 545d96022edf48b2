/*
 * Arguments that mremap refuses, and odd ones that it takes.
 */
#include "tests/programs/library/file.h"

#define AREA  0x10000000UL
#define OTHER 0x20000000UL
#define RW    (PROT_READ | PROT_WRITE)

static void log_mremap(const char *what, uint64_t old, uint64_t old_length, uint64_t length,
                       int flags, uint64_t address)
{
    say("%s: %s", what, result_hex(sys_mremap(old, old_length, length, flags, address)));
}

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0x10);
    int move = MREMAP_MAYMOVE | MREMAP_FIXED;

    (void)start;
    map_at(AREA, 4, RW, MAP_PRIVATE);
    map_at(AREA + 4 * PAGE, 2, PROT_READ, MAP_PRIVATE);
    store8(AREA, 1);
    log_mremap("within a page", AREA + 1, PAGE, PAGE, 0, 0);
    log_mremap("new length 0", AREA, PAGE, 0, 0, 0);
    log_mremap("nothing there", AREA + 8 * PAGE, PAGE, PAGE, 0, 0);
    log_mremap("old length over the mapping's end", AREA, 5 * PAGE, 5 * PAGE, 0, 0);
    log_mremap("old length over the mapping's end, larger", AREA, 5 * PAGE, 6 * PAGE,
               MREMAP_MAYMOVE, 0);
    log_mremap("unknown flag", AREA, PAGE, PAGE, 8, 0);
    log_mremap("MREMAP_FIXED alone", AREA, PAGE, PAGE, MREMAP_FIXED, OTHER);
    log_mremap("new address within a page", AREA, PAGE, PAGE, move, OTHER + 1);
    log_mremap("new address in the kernel's half", AREA, PAGE, PAGE, move, 0xffff800000000000UL);
    log_mremap("new address at the end of the user's half", AREA, PAGE, 2 * PAGE, move,
               0x00007fffffffe000UL);
    log_mremap("new range over the old one's end", AREA, 2 * PAGE, 2 * PAGE, move, AREA + PAGE);
    log_mremap("new range over the old one's beginning", AREA + PAGE, 2 * PAGE, 2 * PAGE, move,
               AREA);
    log_mremap("new range is the old one", AREA, 2 * PAGE, 2 * PAGE, move, AREA);
    log_mremap("no room to grow", AREA, 4 * PAGE, 5 * PAGE, 0, 0);
    log_mremap("a part in the middle grows in place", AREA + PAGE, PAGE, 2 * PAGE, 0, 0);
    log_mremap("length -4096", AREA, PAGE, ~4095UL, MREMAP_MAYMOVE, 0);
    log_mremap("length -1", AREA, PAGE, ~0UL, MREMAP_MAYMOVE, 0);
    log_mremap("old length 0 of private memory", AREA, 0, PAGE, MREMAP_MAYMOVE, 0);
    log_mremap("MREMAP_DONTUNMAP without MAYMOVE", AREA, PAGE, PAGE, MREMAP_DONTUNMAP, 0);
    log_mremap("MREMAP_DONTUNMAP with another length", AREA, PAGE, 2 * PAGE,
               MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    log_maps("as before", AREA, AREA + 16 * PAGE);
    log_maps("nothing moved", OTHER, OTHER + 16 * PAGE);

    log_mremap("same lengths", AREA, 4 * PAGE, 4 * PAGE, 0, 0);
    log_mremap("lengths within pages", AREA, 4 * PAGE - 1, 4 * PAGE - 4095, 0, 0);
    log_mremap("shrink", AREA, 4 * PAGE, 3 * PAGE, 0, 0);
    log_mremap("grow where there is room", AREA, 3 * PAGE, 4 * PAGE, 0, 0);
    log_mremap("shrink over two mappings", AREA, 6 * PAGE, 2 * PAGE, 0, 0);
    log_maps("shrunk", AREA, AREA + 16 * PAGE);

    /* Moves: shrinking, growing, over another mapping, out of the middle. */
    map_at(AREA + 8 * PAGE, 4, RW, MAP_PRIVATE);
    for (unsigned long i = 0; i < 4; i++)
        fill(AREA + (8 + i) * PAGE, 1, (uint8_t)(0x80 + i));
    log_mremap("moved and shrunk", AREA + 8 * PAGE, 4 * PAGE, 3 * PAGE, move, OTHER);
    log_contents("moved", OTHER, 3);
    log_read(AREA + 8 * PAGE);
    log_read(AREA + 11 * PAGE);
    log_mremap("moved and grown", OTHER, 3 * PAGE, 5 * PAGE, move, OTHER + 16 * PAGE);
    log_contents("moved", OTHER + 16 * PAGE, 5);
    map_at(OTHER + 32 * PAGE, 4, PROT_READ, MAP_SHARED);
    log_mremap("the middle moved over another mapping", OTHER + 17 * PAGE, PAGE, PAGE, move,
               OTHER + 33 * PAGE);
    log_maps("moved", OTHER, OTHER + 64 * PAGE);
    log_read(OTHER + 33 * PAGE);
    log_read(OTHER + 17 * PAGE);
    log_mremap("refused, but the target is gone", OTHER + 17 * PAGE, PAGE, PAGE, move,
               OTHER + 32 * PAGE);
    log_maps("target", OTHER + 32 * PAGE, OTHER + 33 * PAGE);

    /* MREMAP_DONTUNMAP leaves an empty mapping; an old length of 0 duplicates shared memory. */
    log_mremap("MREMAP_DONTUNMAP", OTHER + 18 * PAGE, PAGE, PAGE, move | MREMAP_DONTUNMAP,
               AREA + 0x100000);
    log_read(AREA + 0x100000);
    log_read(OTHER + 18 * PAGE);
    file_map(AREA + 0x200000, 2, RW, MAP_SHARED, file, 1);
    log_mremap("old length 0 of a shared file", AREA + 0x200000, 0, 2 * PAGE, move,
               AREA + 0x300000);
    log_contents("first", AREA + 0x200000, 2);
    log_contents("second", AREA + 0x300000, 2);
    store8(AREA + 0x200000, 0x77);
    log_read(AREA + 0x300000);
    log_mremap("grown behind the file's end", AREA + 0x300000, 2 * PAGE, 5 * PAGE, 0, 0);
    log_read(AREA + 0x302000);
    log_read(AREA + 0x303000);
    log_maps("file", AREA + 0x200000, AREA + 0x400000);
    log_mremap("MREMAP_DONTUNMAP of a shared file", AREA + 0x200000, 2 * PAGE, 2 * PAGE,
               move | MREMAP_DONTUNMAP, AREA + 0x400000);
    log_read(AREA + 0x200000);
    log_read(AREA + 0x400000);
    return 0;
}
