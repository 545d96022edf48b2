/*
 * fuzz_mm.c: random operations of several processes on their memory, on a simulated machine and on a
 * naive model of it. Each byte string is a program: operations with their arguments, until it ends.
 *
 * After every operation: its result is the model's; audit and TLB are good; every leaf leads to what
 * the model says is there and allows no more than it says. At the end every page is read, everything is
 * given back, and nothing is left.
 *
 * FUZZ_TRACE=1 in the environment prints the operations of an input.
 */
#include "tests/host/fuzz.h"

#include "fault/uaccess.h"
#include "tests/host/machine_simulated.h"
#include "tests/host/mm_model.h"

#define FRAMES 800u
#define STEPS  300u
/* The window: it crosses the boundary of tables of two levels. */
#define BASE (UINT64_C(0x40000000) - 24 * PAGE_SIZE)

enum { FILE_MEMORY, FILE_TRACKED, FILE_DISK, FILES };

static struct model model;
static struct mm *mm[MODEL_PROCESSES];
static struct page_cache *files[FILES];
static unsigned current;
static bool trace;

/* ---- the input ---------------------------------------------------------------------------------------- */

static const uint8_t *input;
static size_t left;

static unsigned take(unsigned limit)
{
    if (left == 0) {
        return 0;
    }
    left--;
    return *input++ % limit;
}

/* A range of the window, often small. */
static void take_range(unsigned *first, unsigned *count)
{
    const unsigned byte = take(256);

    *first = take(MODEL_PAGES);
    *count = 1 + (byte < 128 ? byte % 4 : byte % 20);
    if (*count > MODEL_PAGES - *first) {
        *count = MODEL_PAGES - *first;
    }
}

static vaddr_t address(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (trace) {                                                                               \
            fprintf(stderr, __VA_ARGS__);                                                          \
        }                                                                                          \
    } while (0)

/* ---- files -------------------------------------------------------------------------------------------- */

/* Pages of the disk's file that are under way. */
static struct page *under_way[64];
static unsigned ways;

static void arrive(struct page *page)
{
    unsigned i = 0;

    while (i < ways && under_way[i] != page) {
        i++;
    }
    FUZZ_ASSERT(i < ways);
    under_way[i] = under_way[--ways];
    page_arrived(page, true);
}

static enum vm_fault disk_read(struct page_cache *cache, struct page *page)
{
    (void)cache;
    memset(page_bytes(page), 0, PAGE_SIZE);
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++) {
        const uint64_t value = model_constant((unsigned)page->index, slot);
        memcpy((uint8_t *)page_bytes(page) + model_slot[slot], &value, 8);
    }
    if (page->index % 2) {
        return VM_FAULT_DONE;
    }
    FUZZ_ASSERT(ways < ARRAY_COUNT(under_way));
    under_way[ways++] = page;
    return VM_FAULT_RETRY;
}

static enum vm_fault may_write(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    return VM_FAULT_DONE;
}

static const struct page_cache_operations memory_file, tracked_file = {.page_mkwrite = may_write},
                                                       disk_file = {.read_page = disk_read};

/* ---- what must hold ------------------------------------------------------------------------------------- */

/* Not explored: it is run for every page after every step. */
#define JUDGE __attribute__((no_sanitize("coverage")))

/* The leaf of @va in @space, by a walk of our own. */
JUDGE static pte_t leaf_of(const struct mm *of, vaddr_t va)
{
    paddr_t table = of->space.root;

    for (unsigned shift = of->space.levels == 5 ? 48 : 39;; shift -= 9) {
        const pte_t entry = ((const pte_t *)phys_to_virt(table))[va >> shift & 511];
        if (shift == 12 || !(entry & 1)) {
            return entry;
        }
        table = entry & UINT64_C(0x000ffffffffff000);
    }
}

JUDGE static void check_page(unsigned p, unsigned page)
{
    const struct model_page *at = &model.process[p].page[page];
    const pte_t entry = leaf_of(mm[p], address(page));
    const bool constant = at->mapped && at->file == FILE_DISK;

    if (entry == 0) {
        /* What was written privately is never lost; populating the disk's file may stop early. */
        FUZZ_ASSERT(!at->own || constant);
        return;
    }
    FUZZ_ASSERT(at->mapped);
    FUZZ_ASSERT((entry & 1) == (at->prot != 0));
    FUZZ_ASSERT(!(entry & 2) || (at->prot & MODEL_W));
    FUZZ_ASSERT(!(entry & 2) || at->shared || at->own);
    FUZZ_ASSERT((entry >> 63) == !(at->prot & MODEL_X));
    const uint8_t *bytes = phys_to_virt(entry & UINT64_C(0x000ffffffffff000));
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++) {
        uint64_t value;
        memcpy(&value, bytes + model_slot[slot], 8);
        FUZZ_ASSERT(value == model_value(&model, p, page, slot));
    }
}

JUDGE static void check(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
    for (unsigned p = 0; p < MODEL_PROCESSES; p++) {
        for (unsigned page = 0; mm[p] && page < MODEL_PAGES; page++) {
            check_page(p, page);
        }
    }
    for (int file = 0; file < FILES; file++) {
        FUZZ_ASSERT(files[file]->bytes == model.file[file].bytes);
        FUZZ_ASSERT(file == FILE_DISK || files[file]->pages == model_file_pages(&model, file));
    }
}

/* ---- operations ------------------------------------------------------------------------------------------ */

static enum bad_kind user_access(vaddr_t at, enum model_access access, uint64_t *value)
{
    return access == MODEL_FETCH   ? user_fetch(at)
           : access == MODEL_WRITE ? user_write(at, value, 8)
                                   : user_read(at, value, 8);
}

static void touch_page(unsigned page, enum model_access access, unsigned slot, uint64_t value)
{
    const vaddr_t at = address(page) + model_slot[slot];
    uint64_t got = value, expected = value;
    int code;
    const int signal = model_touch(&model, current, page, access, slot, &expected, &code);
    enum bad_kind bad;

    SAY("%u: touch page %u kind %d slot %u -> signal %d code %d\n", current, page, access, slot,
        signal, code);
    while ((bad = user_access(at, access, &got)) == BAD_WAIT) {
        arrive(mm[current]->bad.page);
    }
    if (signal == 0) {
        FUZZ_ASSERT(bad == BAD_NONE);
        FUZZ_ASSERT(got == expected || access != MODEL_READ);
        return;
    }
    FUZZ_ASSERT(bad == BAD_SIGNAL);
    FUZZ_ASSERT(mm[current]->bad.signal == signal);
    FUZZ_ASSERT(mm[current]->bad.code == code);
    FUZZ_ASSERT(mm[current]->bad.address == at);
}

static uint64_t fresh_value(void)
{
    static uint64_t counter;

    return ++counter << 8 | 1;
}

static void op_touch(void)
{
    const unsigned page = take(MODEL_PAGES), how = take(3 * MODEL_SLOTS);

    touch_page(page, (enum model_access)(how / MODEL_SLOTS), how % MODEL_SLOTS, fresh_value());
}

static void op_touch_many(void)
{
    unsigned first, count;

    take_range(&first, &count);
    const enum model_access access = take(2) ? MODEL_WRITE : MODEL_READ;
    for (unsigned page = first; page < first + count; page++) {
        touch_page(page, access, page % MODEL_SLOTS, fresh_value());
    }
}

/* The kernel's accessors: the same, without signals. */
static void op_kernel_touch(void)
{
    const unsigned page = take(MODEL_PAGES), how = take(2 * MODEL_SLOTS);
    const unsigned slot = how % MODEL_SLOTS;
    const bool write = how / MODEL_SLOTS;
    const vaddr_t at = address(page) + model_slot[slot];
    uint64_t expected = fresh_value(), got = expected;
    int code;
    const int signal = model_touch(&model, current, page, write ? MODEL_WRITE : MODEL_READ, slot,
                                   &expected, &code);
    uint64_t missing;

    SAY("%u: kernel %s page %u -> %d\n", current, write ? "write" : "read", page, signal);
    for (;;) {
        mm[current]->bad.kind = BAD_NONE;
        missing = write ? copy_to_user(at, &got, 8) : copy_from_user(&got, at, 8);
        if (mm[current]->bad.kind != BAD_WAIT) {
            break;
        }
        arrive(mm[current]->bad.page);
    }
    FUZZ_ASSERT(missing == (signal ? 8u : 0u));
    FUZZ_ASSERT(signal || write || got == expected);
}

static void op_mmap(void)
{
    struct model_mapping mapping;
    const unsigned kind = take(8);
    uint64_t flags = MAP_FIXED;

    take_range(&mapping.first, &mapping.count);
    mapping.prot = take(8);
    mapping.index = take(18);
    const unsigned how = take(8);
    mapping.locked = how == 1;
    mapping.populate = how == 2;
    mapping.shared = kind == 1 || kind == 3 || kind == 5;
    mapping.file = kind <= 1   ? MODEL_NO_FILE
                   : kind <= 3 ? FILE_MEMORY
                   : kind <= 5 ? FILE_TRACKED
                   : kind == 6 ? FILE_DISK
                               : MODEL_NO_FILE;
    if (!model_can_map(&model, &mapping)) {
        return;
    }
    flags |= mapping.shared ? MAP_SHARED : MAP_PRIVATE;
    flags |= mapping.file == MODEL_NO_FILE ? MAP_ANONYMOUS : 0;
    flags |= mapping.locked ? MAP_LOCKED : mapping.populate ? MAP_POPULATE : 0;
    SAY("%u: mmap %u+%u prot %u %s file %d index %u flags %lx\n", current, mapping.first,
        mapping.count, mapping.prot, mapping.shared ? "shared" : "private", mapping.file,
        mapping.index, (unsigned long)flags);
    model_mmap(&model, current, &mapping);
    FUZZ_ASSERT(mm_mmap(mm[current], address(mapping.first), mapping.count * PAGE_SIZE,
                        mapping.prot, flags,
                        mapping.file == MODEL_NO_FILE ? NULL : files[mapping.file],
                        VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
                        mapping.file == MODEL_NO_FILE ? 0 : mapping.index * PAGE_SIZE) ==
                (int64_t)address(mapping.first));
}

static void op_munmap(void)
{
    unsigned first, count;

    take_range(&first, &count);
    SAY("%u: munmap %u+%u\n", current, first, count);
    model_munmap(&model, current, first, count);
    FUZZ_ASSERT(mm_munmap(mm[current], address(first), count * PAGE_SIZE) == 0);
}

static void op_mprotect(void)
{
    unsigned first, count;

    take_range(&first, &count);
    const unsigned prot = take(8);
    const int expected = model_mprotect(&model, current, first, count, prot);
    SAY("%u: mprotect %u+%u prot %u -> %d\n", current, first, count, prot, expected);
    FUZZ_ASSERT(mm_mprotect(mm[current], address(first), count * PAGE_SIZE, prot, -1) == expected);
}

/* A system call that waits for a page is made again. */
static int64_t waited(int64_t (*call)(unsigned first, unsigned count, unsigned what),
                      unsigned first, unsigned count, unsigned what)
{
    int64_t result;

    while ((result = call(first, count, what)) == -EAGAIN && mm[current]->bad.kind == BAD_WAIT) {
        arrive(mm[current]->bad.page);
    }
    return result;
}

static int64_t call_madvise(unsigned first, unsigned count, unsigned advice)
{
    return mm_madvise(mm[current], address(first), count * PAGE_SIZE, advice);
}

static void op_madvise(void)
{
    static const uint8_t advices[] = {4, 9, 10, 11, 18, 19, 22, 23, 8};
    unsigned first, count;

    take_range(&first, &count);
    const unsigned advice = advices[take(ARRAY_COUNT(advices))];
    const int expected = model_madvise(&model, current, first, count, (int)advice);
    SAY("%u: madvise %u+%u %u -> %d\n", current, first, count, advice, expected);
    FUZZ_ASSERT(waited(call_madvise, first, count, advice) == expected);
}

static int64_t call_mlock(unsigned first, unsigned count, unsigned lock)
{
    return lock ? mm_mlock(mm[current], address(first), count * PAGE_SIZE)
                : mm_munlock(mm[current], address(first), count * PAGE_SIZE);
}

static void op_mlock(void)
{
    unsigned first, count;

    take_range(&first, &count);
    const unsigned lock = take(2);
    const int expected = model_mlock(&model, current, first, count, lock);
    SAY("%u: %s %u+%u -> %d\n", current, lock ? "mlock" : "munlock", first, count, expected);
    FUZZ_ASSERT(waited(call_mlock, first, count, lock) == expected);
}

static void op_brk(void)
{
    const uint64_t end = (MODEL_BRK_START + take(14)) * PAGE_SIZE + take(4) * 8;
    const uint64_t expected = model_brk(&model, current, end);

    SAY("%u: brk %lx -> %lx\n", current, (unsigned long)end, (unsigned long)expected);
    FUZZ_ASSERT(mm_brk(mm[current], BASE + end) == (int64_t)(BASE + expected));
}

/* Would locked pages stay behind? Whose lock goes then is VMAs' business. */
static bool any_locked(unsigned first, unsigned count)
{
    for (unsigned page = first; page < first + count; page++) {
        if (model.process[current].page[page].locked) {
            return true;
        }
    }
    return false;
}

static void op_mremap(void)
{
    struct model_remap remap;
    uint64_t flags = 0;

    take_range(&remap.old, &remap.old_count);
    take_range(&remap.to, &remap.new_count);
    const unsigned how = take(4);
    remap.fixed = how >= 2;
    remap.keep = how == 3;
    remap.new_count = remap.keep || take(4) == 0 ? remap.old_count : remap.new_count;
    const unsigned start = remap.fixed ? remap.to : remap.old;
    if (remap.new_count > MODEL_PAGES - start) {
        remap.new_count = MODEL_PAGES - start;
    }
    if (remap.keep &&
        (remap.new_count != remap.old_count || any_locked(remap.old, remap.old_count))) {
        return;
    }
    flags = remap.fixed ? 3 : 0;
    flags |= remap.keep ? 4 : 0;
    const int64_t result =
        mm_mremap(mm[current], address(remap.old), remap.old_count * PAGE_SIZE,
                  remap.new_count * PAGE_SIZE, flags, remap.fixed ? address(remap.to) : 0);
    SAY("%u: mremap %u+%u to %u+%u flags %lu -> %lx\n", current, remap.old, remap.old_count, start,
        remap.new_count, (unsigned long)flags, (unsigned long)result);
    const int as_page = result < 0 ? (int)result : (int)(((vaddr_t)result - BASE) / PAGE_SIZE);
    FUZZ_ASSERT(model_mremap(&model, current, &remap, as_page));
}

static void op_fork(void)
{
    const unsigned to = take(MODEL_PROCESSES);

    if (mm[to]) {
        return;
    }
    SAY("%u: fork %u\n", current, to);
    model_fork(&model, current, to);
    FUZZ_ASSERT(mm_fork(mm[current], &mm[to]) == 0);
}

static void op_switch(void)
{
    const unsigned to = take(MODEL_PROCESSES);

    if (mm[to]) {
        SAY("switch to %u\n", to);
        current = to;
        mm_load(mm[to]);
    }
}

static void op_exit(void)
{
    const unsigned who = take(MODEL_PROCESSES);

    if (mm[who] && who != current) {
        SAY("exit %u\n", who);
        model_exit(&model, who);
        mm_destroy(mm[who]);
        mm[who] = NULL;
    }
}

static uint64_t take_place(void)
{
    static const uint16_t within[] = {0, 8, 1000, 1008, 2048, 4088};
    const uint64_t page = take(MODEL_FILE_PAGES - 1);

    return page * PAGE_SIZE + within[take(ARRAY_COUNT(within))];
}

static void op_truncate(void)
{
    const unsigned file = take(2);
    const uint64_t bytes = take_place();

    SAY("truncate %u to %lu\n", file, (unsigned long)bytes);
    model_truncate(&model, (int)file, bytes);
    page_cache_truncate(files[file], bytes);
}

static void op_punch(void)
{
    const unsigned file = take(2);
    const uint64_t from = take_place(), bytes = take_place();

    SAY("punch %u at %lu + %lu\n", file, (unsigned long)from, (unsigned long)bytes);
    model_punch(&model, (int)file, from, bytes);
    page_cache_punch(files[file], from, bytes);
}

static void op_pwrite(void)
{
    const unsigned file = take(2), index = take(MODEL_FILE_PAGES), slot = take(MODEL_SLOTS);
    const uint64_t value = fresh_value(), end = index * PAGE_SIZE + model_slot[slot] + 8;
    struct page *page;

    SAY("pwrite %u page %u slot %u\n", file, index, slot);
    model_pwrite(&model, (int)file, index, slot, value);
    files[file]->bytes = end > files[file]->bytes ? end : files[file]->bytes;
    FUZZ_ASSERT(page_cache_fetch(files[file], index, &page) == VM_FAULT_DONE);
    memcpy((uint8_t *)page_bytes(page) + model_slot[slot], &value, 8);
    page->flags |= PAGE_DIRTY;
    page_put(page);
}

static void op_clean(void)
{
    const unsigned first = take(MODEL_FILE_PAGES), last = first + take(MODEL_FILE_PAGES);
    const unsigned expected = model_clean(&model, FILE_TRACKED, first, last);

    SAY("clean %u to %u -> %u\n", first, last, expected);
    FUZZ_ASSERT(page_cache_clean(files[FILE_TRACKED], first, last) == expected);
}

/* The next allocation fails: fork and munmap leave everything as it was, and so does a fault. */
static void op_no_memory(void)
{
    const unsigned what = take(3), number = 1 + take(12);
    unsigned first, count;

    take_range(&first, &count);
    memory_fail_at(number);
    if (what == 0) {
        struct mm *child = NULL;
        const int result = mm_fork(mm[current], &child);
        FUZZ_ASSERT(result == (memory_failed() ? -ENOMEM : 0));
        memory_fail_at(0);
        if (result == 0) {
            check();
            mm_destroy(child);
        }
    } else if (what == 1) {
        const int64_t result = mm_munmap(mm[current], address(first), count * PAGE_SIZE);
        FUZZ_ASSERT(result == (memory_failed() ? -ENOMEM : 0));
        if (result == 0) {
            model_munmap(&model, current, first, count);
        }
    } else {
        /* Whatever comes of it, but for the disk's pages: then once more with memory. */
        uint64_t value = 0;
        const enum bad_kind bad = user_read(address(first), &value, 8);
        FUZZ_ASSERT(bad != BAD_OOM || memory_failed());
        memory_fail_at(0);
        if (bad == BAD_WAIT) {
            arrive(mm[current]->bad.page);
        }
        touch_page(first, MODEL_READ, 0, 0);
    }
    memory_fail_at(0);
    SAY("%u: no memory, %u, allocation %u\n", current, what, number);
}

static void (*const operations[])(void) = {
    op_touch, op_touch,  op_touch,    op_touch_many, op_kernel_touch, op_mmap,
    op_mmap,  op_munmap, op_mprotect, op_mprotect,   op_madvise,      op_mlock,
    op_brk,   op_mremap, op_fork,     op_switch,     op_exit,         op_truncate,
    op_punch, op_pwrite, op_clean,    op_no_memory,
};

/* ---- one input --------------------------------------------------------------------------------------------- */

static void machine_of(unsigned levels)
{
    machine_start(FRAMES, levels);
    mm_has_keys = false;
    model_start(&model);
    files[FILE_MEMORY] = page_cache_create(&memory_file, "memory", NULL);
    files[FILE_TRACKED] = page_cache_create(&tracked_file, "tracked", NULL);
    files[FILE_DISK] = page_cache_create(&disk_file, "disk", NULL);
    for (int file = 0; file < FILES; file++) {
        model.file[file].used = true;
        model.file[file].tracked = file == FILE_TRACKED;
        model.file[file].constant = file == FILE_DISK;
        files[file]->bytes = model.file[file].bytes = 10 * PAGE_SIZE + 1000;
    }
    current = 0;
    ways = 0;
    FUZZ_ASSERT(mm_create(&mm[0]) == 0);
    mm[0]->brk_start = mm[0]->brk = address(MODEL_BRK_START);
    mm_load(mm[0]);
}

/* Every page of every process, once. */
static void read_all(void)
{
    for (current = 0; current < MODEL_PROCESSES; current++) {
        for (unsigned page = 0; mm[current] && page < MODEL_PAGES; page++) {
            mm_load(mm[current]);
            touch_page(page, MODEL_READ, page % MODEL_SLOTS, 0);
        }
    }
    check();
}

static void give_back(void)
{
    mm_load(NULL);
    for (unsigned p = 0; p < MODEL_PROCESSES; p++) {
        if (mm[p]) {
            mm_destroy(mm[p]);
            mm[p] = NULL;
        }
    }
    while (ways) {
        page_arrived(under_way[--ways], true);
    }
    for (int file = 0; file < FILES; file++) {
        page_cache_put(files[file]);
    }
    FUZZ_ASSERT(machine_stop() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    trace = getenv("FUZZ_TRACE") != NULL;
    machine_of(take(4) == 0 ? 5 : 4);
    for (unsigned step = 0; left && step < STEPS; step++) {
        operations[take(ARRAY_COUNT(operations))]();
        check();
    }
    read_all();
    give_back();
    return 0;
}
