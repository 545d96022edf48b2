/*
 * A long pseudo-random walk of mmap, munmap, mprotect, mremap, madvise, mlock and accesses on a window of 32 pages,
 * with all of the window's mappings in each line: what merges and splits, what is refused and what was done before,
 * what an access finds. Half of it happens in a child, whose anonymous memory has a history that may not merge.
 */
#include "tests/programs/library/file.h"
#include "tests/programs/library/mapped.h"
#include "tests/programs/library/walk.h"

static int file;

static uint64_t address_of(unsigned page)
{
    return WALK_AREA + page * PAGE;
}

static long walk_map(unsigned page, unsigned pages, int prot, enum walk_kind kind,
                     enum walk_more more, unsigned offset)
{
    const bool is_file = kind == WALK_FILE_PRIVATE || kind == WALK_FILE_SHARED;
    const bool shared = kind == WALK_SHARED || kind == WALK_FILE_SHARED;

    return sys_mmap(address_of(page), pages * PAGE, prot,
                    MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE) |
                        (is_file ? 0 : MAP_ANONYMOUS) |
                        (more == WALK_UNRESERVED   ? MAP_NORESERVE
                         : more == WALK_GROWS_DOWN ? MAP_GROWSDOWN
                                                   : 0),
                    is_file ? file : -1, offset * PAGE);
}

static long walk_unmap(unsigned page, unsigned pages)
{
    return sys_munmap(address_of(page), pages * PAGE);
}

static long walk_protect(unsigned page, unsigned pages, int prot)
{
    return sys_mprotect(address_of(page), pages * PAGE, prot);
}

static long walk_remap(unsigned page, unsigned old, unsigned pages, int flags, unsigned to)
{
    return sys_mremap(address_of(page), old * PAGE, pages * PAGE, flags, address_of(to));
}

static long walk_advise(unsigned page, unsigned pages, int advice)
{
    return sys_madvise(address_of(page), pages * PAGE, advice);
}

static long walk_lock(unsigned page, unsigned pages, bool lock)
{
    return lock ? sys_mlock(address_of(page), pages * PAGE)
                : sys_munlock(address_of(page), pages * PAGE);
}

static int walk_touch(unsigned page, bool write, uint8_t value)
{
    struct access access =
        write ? access_write(address_of(page), value) : access_read(address_of(page));

    return access.signal ? -access.code : write ? value : (int)access.value;
}

static unsigned walk_list(struct walk_vma *list)
{
    static struct mapped mapped[WALK_PAGES];
    const unsigned count =
        mapped_list(WALK_AREA, WALK_AREA + WALK_PAGES * PAGE, mapped, WALK_PAGES);

    for (unsigned i = 0; i < count; i++) {
        list[i].start = (mapped[i].start - WALK_AREA) / PAGE;
        list[i].end = (mapped[i].end - WALK_AREA) / PAGE;
        list[i].offset = mapped[i].offset;
        __builtin_memcpy(list[i].rights, mapped[i].rights, sizeof(list[i].rights));
    }
    return count;
}

static void walk_say(const char *line)
{
    say("%s", line);
}

int program(const struct program_start *start)
{
    long child;

    (void)start;
    file = file_make("walk", WALK_FILE, 0x80);
    walk(0x9e3779b97f4a7c15);
    child = program_fork();
    if (child == 0) {
        walk(0xd1b54a32d192ed03);
        program_exit(0);
    }
    log_wait("child", wait_for(child));
    return 0;
}
