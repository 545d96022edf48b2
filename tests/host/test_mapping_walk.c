/*
 * test_mapping_walk.c: the walk of the program mapping_walk, step by step on a simulated machine, with everything
 * audited after each; every line must be that of Linux's log.
 */
#include "tests/host/memory_fixture.h"

#include "tests/programs/library/walk.h"

static FILE *linux_log;
static unsigned lines;

static long walk_map(unsigned page, unsigned pages, int prot, enum walk_kind kind,
                     enum walk_more more, unsigned offset)
{
    const bool is_file = kind == WALK_FILE_PRIVATE || kind == WALK_FILE_SHARED;
    const bool shared = kind == WALK_SHARED || kind == WALK_FILE_SHARED;
    const int flags = MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE) |
                      (is_file ? 0 : MAP_ANONYMOUS) |
                      (more == WALK_UNRESERVED   ? MAP_NORESERVE
                       : more == WALK_GROWS_DOWN ? MAP_GROWSDOWN
                                                 : 0);

    return mm_mmap(cpu_current()->mm, P(page), pages * PAGE, (uint64_t)prot, (uint64_t)flags,
                   is_file ? s.file : NULL, MAY, offset * PAGE);
}

static long walk_unmap(unsigned page, unsigned pages)
{
    return mm_munmap(cpu_current()->mm, P(page), pages * PAGE);
}

static long walk_protect(unsigned page, unsigned pages, int prot)
{
    return mm_mprotect(cpu_current()->mm, P(page), pages * PAGE, (uint64_t)prot, -1);
}

static long walk_remap(unsigned page, unsigned old, unsigned pages, int flags, unsigned to)
{
    return mm_mremap(cpu_current()->mm, P(page), old * PAGE, pages * PAGE, (uint64_t)flags, P(to));
}

static long walk_advise(unsigned page, unsigned pages, int advice)
{
    return mm_madvise(cpu_current()->mm, P(page), pages * PAGE, (uint64_t)advice);
}

static long walk_lock(unsigned page, unsigned pages, bool lock)
{
    return lock ? mm_mlock(cpu_current()->mm, P(page), pages * PAGE)
                : mm_munlock(cpu_current()->mm, P(page), pages * PAGE);
}

static int walk_touch(unsigned page, bool write, uint8_t value)
{
    const enum bad_kind kind =
        write ? user_write(P(page), &value, 1) : user_read(P(page), &value, 1);
    const struct mm *mm = cpu_current()->mm;

    if (kind == BAD_NONE) {
        return value;
    }
    assert_int_equal(kind, BAD_SIGNAL);
    return -mm->bad.code;
}

static unsigned walk_list(struct walk_vma *list)
{
    unsigned count = 0;

    for (struct vma *vma = vma_find(cpu_current()->mm, AREA); vma && vma->start < P(WALK_PAGES);
         vma = vma_next(vma)) {
        char line[MM_MAPS_LINE];
        unsigned long start, end, offset;
        struct walk_vma *walk_vma = &list[count++];

        line[mm_maps_line(vma, line) - 1] = 0;
        assert_int_equal(sscanf(line, "%lx-%lx %4c %lx", &start, &end, walk_vma->rights, &offset),
                         4);
        walk_vma->start = (start - AREA) / PAGE;
        walk_vma->end = (end - AREA) / PAGE;
        walk_vma->offset = offset;
    }
    return count;
}

static void walk_say(const char *line)
{
    char expected[1024];

    assert_good();
    do {
        assert_non_null(fgets(expected, sizeof(expected), linux_log));
    } while (expected[0] == '#');
    expected[strcspn(expected, "\n")] = 0;
    lines++;
    if (strcmp(line, expected) != 0) {
        fail_msg("line %u\n  Linux: %s\n  here:  %s", lines, expected, line);
    }
}

static void every_step_is_as_on_linux(void **state)
{
    struct mm *child;

    (void)state;
    linux_log = fopen("tests/programs/logs/mapping_walk.log", "r");
    assert_non_null(linux_log);
    s.file->bytes = WALK_FILE * PAGE;
    for (unsigned i = 0; i < WALK_FILE; i++) {
        struct page *page;
        assert_int_equal(page_cache_fetch(s.file, i, &page), VM_FAULT_DONE);
        memset(page_bytes(page), (int)(0x80 + i), PAGE);
        page_put(page);
    }
    walk(0x9e3779b97f4a7c15);
    assert_int_equal(lines, WALK_STEPS);
    assert_int_equal(mm_fork(s.mm, &child), 0);
    mm_load(child);
    walk(0xd1b54a32d192ed03);
    assert_int_equal(lines, 2 * WALK_STEPS);
    mm_load(s.mm);
    mm_destroy(child);
    fclose(linux_log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_step_is_as_on_linux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
