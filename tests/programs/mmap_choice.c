/*
 * Which address the kernel chooses: the highest gap that is large enough, and its upper end; a hint where it fits;
 * away from the 256 pages below a growing mapping. All relative to an arena without rights that is made first.
 */
#include "tests/programs/library/file.h"

/* In pages; below 2 MiB, from where on newer kernels align what is made. */
#define ARENA 0x1f0UL

static uint64_t arena;

static long map(uint64_t address, unsigned long pages, int flags)
{
    return sys_mmap(address, pages * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void log_choice(const char *what, uint64_t address, unsigned long pages, int flags)
{
    say("%s: %s", what, result_hex(map(address, pages, flags)));
}

static uint64_t page(unsigned long number)
{
    return arena + number * PAGE;
}

static void hole(unsigned long first, unsigned long pages)
{
    must("munmap", sys_munmap(page(first), pages * PAGE));
}

/* All of the arena without rights again. */
static void make_arena(void)
{
    must("mmap",
         sys_mmap(arena, ARENA * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

int program(const struct program_start *start)
{
    (void)start;
    arena = (uint64_t)must(
        "mmap", sys_mmap(0, ARENA * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    address_base("arena", arena);

    /* Nothing above it is free: the next goes below. */
    {
        long below = must("mmap", map(0, 16, 0));
        say("16 pages: %ld pages below the arena", (long)(arena - (uint64_t)below) / (long)PAGE);
        long next = must("mmap", map(0, 3, 0));
        say("3 pages: %ld pages below those", (below - next) / (long)PAGE);
        must("munmap", sys_munmap((uint64_t)below, 16 * PAGE));
        say("16 pages again: %s", map(0, 16, 0) == below ? "the same place" : "another place");
        must("munmap", sys_munmap((uint64_t)below, 16 * PAGE));
        say("10 pages: the upper end of that gap: %s",
            map(0, 10, 0) == below + 6 * (long)PAGE ? "yes" : "no");
        must("munmap", sys_munmap((uint64_t)next, 19 * PAGE));
    }

    /* Gaps of 8, 4, 2 and 1 pages, the largest at the bottom. */
    hole(0x10, 8);
    hole(0x40, 4);
    hole(0x80, 2);
    hole(0xc0, 1);
    log_choice("1 page", 0, 1, 0);
    log_choice("1 page", 0, 1, 0);
    log_choice("3 pages", 0, 3, 0);
    log_choice("1 page", 0, 1, 0);
    log_choice("1 page", 0, 1, 0);
    log_choice("5 pages", 0, 5, 0);
    log_choice("3 pages", 0, 3, 0);
    make_arena();

    /* Gaps side by side with mappings between them that go: they become one. */
    hole(0x20, 2);
    hole(0x23, 2);
    log_choice("2 pages of two gaps", 0, 2, 0);
    hole(0x22, 3);
    log_choice("5 pages of the joined gap", 0, 5, 0);
    make_arena();

    /* Hints. */
    hole(0x100, 16);
    hole(0x180, 16);
    log_choice("hint in the lower gap", page(0x104), 2, 0);
    log_choice("hint within a page", page(0x108) + 0x123, 1, 0);
    log_choice("hint that is taken", page(0x104), 2, 0);
    log_choice("hint too near to the gap's end", page(0x10f), 2, 0);
    log_choice("hint at a mapping of the arena", page(0x150), 1, 0);
    log_choice("hint in the kernel's half", 0xffff800000000000UL, 1, 0);
    log_choice("hint that is not canonical", 0x0000900000000000UL, 1, 0);
    log_choice("hint at the end of the user's half", 0x00007ffffffff000UL, 1, 0);
    log_choice("hint -1", ~0UL, 1, 0);
    say("hint of 1: %s", result_hex(map(1, 1, 0)));
    say("hint of 0x8000: %s", result_hex(map(0x8000, 1, 0)));
    say("hint of 0x20000000: %s", result_hex(map(0x20000000, 4, 0)));
    say("hint of 0x20004fff: %s", result_hex(map(0x20004fff, 4, 0)));
    make_arena();

    /* MAP_FIXED_NOREPLACE. */
    hole(0x100, 16);
    log_choice("MAP_FIXED_NOREPLACE in a gap", page(0x100), 4, MAP_FIXED_NOREPLACE);
    log_choice("the same again", page(0x100), 4, MAP_FIXED_NOREPLACE);
    log_choice("over the first page", page(0xff), 2, MAP_FIXED_NOREPLACE);
    log_choice("over the last page", page(0x103), 4, MAP_FIXED_NOREPLACE);
    log_choice("just behind", page(0x104), 4, MAP_FIXED_NOREPLACE);
    log_choice("within a page", page(0x108) + 1, 1, MAP_FIXED_NOREPLACE);
    log_choice("in the kernel's half", 0xffff800000000000UL, 1, MAP_FIXED_NOREPLACE);
    log_choice("with MAP_FIXED, over a mapping", page(0x100), 1, MAP_FIXED_NOREPLACE | MAP_FIXED);
    log_choice("MAP_FIXED over a mapping", page(0x100), 1, MAP_FIXED);
    make_arena();

    /* The gap below a growing mapping: 300 pages are free, 256 of them are kept free. */
    hole(0x80, 302);
    must("mmap", sys_mmap(page(0x80 + 300), 2 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0));
    hole(0x20, 50);
    log_choice("45 pages", 0, 45, 0);
    log_choice("44 pages", 0, 44, 0);
    log_choice("5 pages", 0, 5, 0);
    must("munmap", sys_munmap(page(0x80), 44 * PAGE));
    log_choice("hint that leaves 256 pages", page(0x80 + 43), 1, 0);
    log_choice("hint that leaves 255 pages", page(0x80 + 44), 1, 0);
    log_choice("hint of 3 pages that leaves 255 pages", page(0x80 + 42), 3, 0);
    log_choice("MAP_FIXED_NOREPLACE 1 page below", page(0x80 + 299), 1, MAP_FIXED_NOREPLACE);
    return 0;
}
