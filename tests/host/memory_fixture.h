/*
 * memory_fixture.h: what tests of mm/'s system calls have in common: a simulated machine with one program's
 * memory and two files, and a short way to say what is mapped.
 */
#ifndef HOST_MEMORY_FIXTURE_H
#define HOST_MEMORY_FIXTURE_H

#include "tests/host/unit.h"

#include "mm/pte.h"
#include "tests/host/machine_simulated.h"

#define PAGE   PAGE_SIZE
#define AREA   UINT64_C(0x10000000) /* where tests map things */
#define P(n)   (AREA + (vaddr_t)(n)*PAGE)
#define R      PROT_READ
#define RW     (PROT_READ | PROT_WRITE)
#define RX     (PROT_READ | PROT_EXEC)
#define MAY    (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define ANON   (MAP_PRIVATE | MAP_ANONYMOUS)
#define FIXED  (ANON | MAP_FIXED)
#define FRAMES 1500

static struct {
    struct mm *mm;
    struct page_cache *file,
        *tracked; /* of 16 pages; the second one wants to know of first writes */
    unsigned long mkwrites;
} s;

static enum vm_fault fixture_mkwrite(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    s.mkwrites++;
    return VM_FAULT_DONE;
}
static const struct page_cache_operations memory_file,
    tracking_file = {.page_mkwrite = fixture_mkwrite};

static void assert_good(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        fail_msg("%s", wrong);
    }
}

static int setup(void **state)
{
    (void)state;
    machine_start(FRAMES, 4);
    assert_int_equal(mm_create(&s.mm), 0);
    s.file = page_cache_create(&memory_file, "/memfd:file (deleted)", NULL);
    s.tracked = page_cache_create(&tracking_file, "/tracked", NULL);
    assert_true(s.file && s.tracked);
    s.file->bytes = s.tracked->bytes = 16 * PAGE;
    s.file->inode = 7;
    s.mkwrites = 0;
    mm_load(s.mm);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_good();
    mm_load(NULL);
    mm_destroy(s.mm);
    page_cache_put(s.file);
    page_cache_put(s.tracked);
    assert_int_equal(machine_left(), 0);
    assert_int_equal(machine_stop(), 0);
    return 0;
}
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* mmap of anonymous memory or of @cache from page @offset on; @flags with MAP_FIXED or without. */
static __attribute__((unused)) int64_t map(vaddr_t at, unsigned pages, uint64_t prot,
                                           uint64_t flags)
{
    return mm_mmap(s.mm, at, pages * PAGE, prot, flags, NULL, 0, 0);
}

static __attribute__((unused)) int64_t map_file(vaddr_t at, unsigned pages, uint64_t prot,
                                                uint64_t flags, struct page_cache *cache,
                                                unsigned offset)
{
    return mm_mmap(s.mm, at, pages * PAGE, prot, flags | MAP_FIXED, cache, MAY, offset * PAGE);
}

/* Pages @from to @to of the test's area: anonymous, private, there. */
static __attribute__((unused)) void lay(unsigned from, unsigned to, uint64_t prot)
{
    assert_int_equal(map(P(from), to - from, prot, FIXED), P(from));
}

static __attribute__((unused)) bool write_at(vaddr_t address, uint8_t byte)
{
    return user_write(address, &byte, 1) == BAD_NONE;
}

static __attribute__((unused)) bool reads(vaddr_t address, uint8_t byte)
{
    uint8_t got = (uint8_t)~byte;

    return user_read(address, &got, 1) == BAD_NONE && got == byte;
}

/* The access ends in a signal with that code. */
static __attribute__((unused)) bool refused(bool write, vaddr_t address, int code)
{
    uint8_t byte = 0;
    enum bad_kind kind = write ? user_write(address, &byte, 1) : user_read(address, &byte, 1);

    return kind == BAD_SIGNAL && s.mm->bad.code == code;
}

static __attribute__((unused)) bool is_present(vaddr_t address)
{
    uint8_t resident = 9;

    assert_int_equal(mm_mincore(s.mm, address, 1, &resident), 1);
    return resident == 1;
}

/*
 * What is mapped in the test's area (pages 0 to 4095), and nothing else: "4rw .2 3r-x": pages and rights; s: shared;
 * L: locked; @9: page 9 of a file; !: behind an offset that is not its address's; .2: a hole.
 */
static __attribute__((unused)) const char *layout(void)
{
    static char text[512];
    size_t used = 0;
    vaddr_t end = AREA;

    text[0] = 0;
    for (struct vma *vma = vma_find(s.mm, AREA); vma && vma->start < P(4096); vma = vma_next(vma)) {
        if (vma->start > end) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, ".%u ",
                                     (unsigned)((vma->start - end) / PAGE));
        }
        used += (size_t)snprintf(
            text + used, sizeof(text) - used, "%u%s%s%s%s%s",
            (unsigned)((vma->end - vma->start) / PAGE), vma->flags & VM_READ ? "r" : "-",
            vma->flags & VM_WRITE ? "w" : "", vma->flags & VM_EXEC ? "x" : "",
            vma->flags & VM_MAYSHARE ? "s" : "", vma->flags & VM_LOCKED ? "L" : "");
        if (vma->cache) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "@%u",
                                     (unsigned)vma->page_offset);
        } else if (vma->page_offset != vma->start / PAGE) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "!");
        }
        used += (size_t)snprintf(text + used, sizeof(text) - used, " ");
        end = vma->end;
    }
    if (used) {
        text[used - 1] = 0;
    }
    return text;
}

/*
 * Let each allocation of @operation fail in turn, until it has what it needs. Each time: -ENOMEM or @instead, and
 * nothing is wrong. @again puts things back as they were before.
 */
static __attribute__((unused)) unsigned fail_in_turn(int64_t (*operation)(void), int64_t instead,
                                                     void (*again)(void))
{
    for (unsigned number = 1;; number++) {
        assert_in_range(number, 1, 100);
        memory_fail_at(number);
        const int64_t result = operation();
        const bool failed = memory_failed();
        memory_fail_at(0);
        assert_good();
        if (!failed) {
            assert_true(result >= 0);
            return number - 1;
        }
        if (result < 0 && result != instead) {
            assert_int_equal(result, -ENOMEM);
        }
        again();
    }
}

#endif
