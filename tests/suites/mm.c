/*
 * mm.c: what no program can show of memory management: faults of the kernel's own, tasks that die in the kernel
 * alone, pages that come later, allocations that fail, files that hear of each write. After each case everything
 * that mm/ believes is true, and as many frames are in use as before.
 */
#include "fault/cpu.h"
#include "fault/uaccess.h"
#include "mm/fault.h"
#include "mm/pte.h"
#include "mm/vmalloc.h"
#include "mm_programs.h"
#include "os/task.h"
#include "paging/tlb.h"
#include "program_archive.h"
#include "table.h"
#include "tests/harness/machine.h"
#include "tests/harness/program_run.h"
#include "tests/harness/transcript.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define AREA    UINT64_C(0x10000000) /* of user memory in cases without a program */
#define WRITTEN UINT64_C(0x5afe5afe5afe5afe)

/* ---- memory without a program ---------------------------------------------------------------------- */

static struct {
    struct mm *mm;
    uint64_t before; /* frames in use */
} memory_of_case;

/* An empty mm, loaded, whose faults the resolver answers. */
static bool memory_begin(struct trial *trial)
{
    if (!programs_begin(trial, 0)) {
        return false;
    }
    memory_of_case.before = frames_in_use();
    if (mm_create(&memory_of_case.mm)) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    fault_keys_on = false; /* CR4.PKE is off outside of programs */
    cpu_current()->resolver = mm_resolve;
    mm_load(memory_of_case.mm);
    return true;
}

static void memory_end(struct trial *trial)
{
    struct audit audit;

    memory_trace();
    trial_expect(trial, FIELD_AUDIT, 1, AUDIT_GOOD, audit_all(&audit));
    mm_load(NULL);
    cpu_current()->resolver = NULL;
    mm_destroy(memory_of_case.mm);
    memory_judge(trial, memory_of_case.before);
}

/* The leaf of @address, 0 where there is no table. */
static pte_t *leaf_of(vaddr_t address)
{
    return paging_leaf(&memory_of_case.mm->space, address);
}

/* Accesses that fault: all of memory is as it is before them, and may be another one behind. */
static uint64_t read_word(vaddr_t address)
{
    uint64_t value;

    __asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static void write_word(vaddr_t address, uint64_t value)
{
    __asm__ volatile("mov %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

/* ---- the kernel's own faults ----------------------------------------------------------------------- */

static pte_t *top_entry(paddr_t root, vaddr_t address)
{
    return (pte_t *)phys_to_virt(root) + level_index(address, mm_reference.levels);
}

/* vmalloc memory is in the reference table alone; another root gets the entry at the first touch. */
static void vmalloc_entry_is_copied_at_first_touch(struct trial *trial)
{
    if (!memory_begin(trial)) {
        return;
    }
    vaddr_t address = (vaddr_t)vmalloc(2 * PAGE_SIZE);
    if (!address) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        memory_end(trial);
        return;
    }
    const pte_t *own = top_entry(memory_of_case.mm->space.root, address);
    uint64_t faults = cpu_current()->faults;
    trial_expect(trial, FIELD_ENTRY, mm_reference.levels, 0, *own);
    trial_expect(trial, FIELD_VALUE_READ, 0, 0, read_word(address));
    trial_expect(trial, FIELD_ENTRY, mm_reference.levels,
                 *top_entry(mm_reference.root, address) & PTE_ADDRESS, *own & PTE_ADDRESS);
    trial_expect(trial, FIELD_EVENTS, 0, 1, cpu_current()->faults - faults);
    write_word(address + PAGE_SIZE, WRITTEN);
    trial_expect(trial, FIELD_EVENTS, 0, 1, cpu_current()->faults - faults);
    vfree((void *)address);
    memory_end(trial);
}

/* Where nothing was given out the area is nobody's: the exception table answers. */
static void vmalloc_hole_has_no_resolution(struct trial *trial)
{
    uint64_t value;

    if (!memory_begin(trial)) {
        return;
    }
    uint8_t *page = vmalloc(PAGE_SIZE);
    if (page) {
        trial_expect(trial, FIELD_STATUS, 0, true, read_guarded(page, &value));
        trial_expect(trial, FIELD_STATUS, 0, false, read_guarded(page + PAGE_SIZE, &value));
        trial_expect(trial, FIELD_STATUS, 0, false, read_guarded(page - PAGE_SIZE, &value));
        vfree(page);
        trial_expect(trial, FIELD_STATUS, 0, false, read_guarded(page, &value));
    } else {
        trial_error(trial, REASON_NO_MEMORY, 0);
    }
    memory_end(trial);
}

/*
 * Another processor makes a page writable between our fault and its resolution: the tables allow the write by then,
 * though the error code says that they did not.
 */
static struct {
    pte_t *leaf;
    uint64_t times;
    enum fault_result result;
} race;

static enum fault_result resolve_behind(struct trap_frame *frame, uint64_t address)
{
    *race.leaf |= PTE_RW;
    race.times++;
    race.result = mm_resolve(frame, address);
    return race.result;
}

/* The leaf of a kernel page in the reference table. */
static pte_t *kernel_leaf(vaddr_t address)
{
    struct walk walk;

    paging_walk(mm_reference.root, mm_reference.levels, address, &walk);
    return walk.end == WALK_LEAF && walk.last == 1 ? walk.at[0] : NULL;
}

static void spurious_kernel_fault_is_retried(struct trial *trial)
{
    if (!memory_begin(trial)) {
        return;
    }
    vaddr_t word = (vaddr_t)vmalloc(PAGE_SIZE);
    race.times = 0;
    race.leaf = word ? kernel_leaf(word) : NULL;
    if (race.leaf) {
        trial_expect(trial, FIELD_VALUE_READ, 0, 0,
                     read_word(word)); /* the entry is copied, the leaf cached */
        *race.leaf &= ~PTE_RW;
        tlb_flush_page(word);
        cpu_current()->resolver = resolve_behind;
        write_word(word, WRITTEN);
        trial_expect(trial, FIELD_EVENTS, 0, 1, race.times);
        trial_expect(trial, FIELD_STATUS, 0, FAULT_RETRY, race.result);
        trial_expect(trial, FIELD_VALUE_READ, 0, WRITTEN, read_word(word));
    } else {
        trial_error(trial, REASON_NO_MEMORY, 0);
    }
    vfree((void *)word);
    memory_end(trial);
}

/* A page of ring 3's, written by the kernel for it. */
static void spurious_user_fault_is_retried(struct trial *trial)
{
    if (!memory_begin(trial)) {
        return;
    }
    struct mm *mm = memory_of_case.mm;
    trial_expect(trial, FIELD_STATUS, 0, AREA,
                 (uint64_t)mm_mmap(mm, AREA, PAGE_SIZE, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0));
    trial_expect(trial, FIELD_STATUS, 0, true, put_user(1, AREA, 8));
    race.leaf = leaf_of(AREA);
    race.times = 0;
    *race.leaf &= ~PTE_RW;
    tlb_flush_page(AREA);
    cpu_current()->resolver = resolve_behind;
    trial_expect(trial, FIELD_STATUS, 0, true, put_user(WRITTEN, AREA, 8));
    trial_expect(trial, FIELD_EVENTS, 0, 1, race.times);
    trial_expect(trial, FIELD_STATUS, 0, FAULT_RETRY, race.result);
    memory_end(trial);
}

/* ---- a task that dies in the kernel ---------------------------------------------------------------- */

/* What the kernel does for the task whose bytes it takes, and should not. */
enum misdeed { READ_NOTHING, READ_USER, READ_UNTOUCHED, READ_EXCUSED, FETCH_USER, FETCH_ABSENT };

static const struct misdeed_row {
    uint64_t address, error;
} misdeeds[] = {
    [READ_NOTHING] = {0x10,          0                },
    [READ_USER] = {TINY_BASE,     PF_EC_P          },
    [READ_UNTOUCHED] = {READER_MEMORY, 0                },
    [READ_EXCUSED] = {READER_MEMORY, 0                },
    [FETCH_USER] = {TINY_BASE,     PF_EC_P | PF_EC_I},
    [FETCH_ABSENT] = {READER_MEMORY, PF_EC_I          },
};

static void misbehave(void *context, const char *bytes, size_t count)
{
    const struct misdeed_row *row = context;

    (void)bytes, (void)count;
    if (row->address == READER_MEMORY &&
        mm_mmap(task_current()->mm, row->address, PAGE_SIZE, PROT_READ | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0) < 0) {
        return; /* then nothing happens, and that is compared */
    }
    if (row->error & PF_EC_I) {
        ((void (*)(void))row->address)();
    } else if (row == &misdeeds[READ_EXCUSED]) {
        uint64_t value; /* in the exception table, but no accessor of user memory */
        (void)!read_guarded((const void *)row->address, &value);
    } else {
        (void)*(volatile uint64_t *)row->address;
    }
}

static void task_dies_alone(struct trial *trial)
{
    static struct program_run run;
    const struct misdeed_row *row = trial->test_case->parameter;

    if (trial->step == 0) {
        run = (struct program_run){
            .name = "forker",
            .image = tiny_forker,
            .bytes = (uint64_t)(tiny_forker_end - tiny_forker),
            .console = {.write = misbehave, .context = (void *)(uintptr_t)row},
        };
    }
    if (!program_run(trial, &run)) {
        return;
    }
    const struct oops *oops = &run.result.oops;
    trial_expect(trial, FIELD_TASK_OOPSES, 0, 1, run.result.oopses);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, oops->vector);
    trial_expect(trial, FIELD_ERROR_CODE, 0, row->error, oops->error);
    trial_expect(trial, FIELD_CR2, 0, row->address, oops->cr2);
    trial_expect(trial, FIELD_WAIT_STATUS, 0, SIGKILL << 8, (uint32_t)run.result.status);
    trial->oops = NULL; /* as it should be */
    program_run_end(trial, &run);
}

/* ---- pages that come later ------------------------------------------------------------------------- */

#define LATE_MAX 64u
static struct {
    const struct page_cache_operations *others; /* who can read them; NULL: they hold their index */
    struct page *page[LATE_MAX];
    unsigned count;
    uint64_t asked;
} late;

static enum vm_fault read_later(struct page_cache *cache, struct page *page)
{
    (void)cache;
    if (late.count == LATE_MAX) {
        return VM_FAULT_SIGBUS;
    }
    late.asked++;
    late.page[late.count++] = page;
    return VM_FAULT_RETRY;
}

static const struct page_cache_operations late_operations = {.read_page = read_later};

/* A batch later: all that was asked for is there. */
static void late_pages_come(void)
{
    for (unsigned i = 0; i < late.count; i++) {
        struct page *page = late.page[i];
        bool good = true;
        if (late.others) {
            good = late.others->read_page(page->cache, page) == VM_FAULT_DONE;
        } else {
            memset(page_bytes(page), (int)('a' + page->index), PAGE_SIZE);
        }
        page_arrived(page, good);
    }
    late.count = 0;
}

static char heard[16]; /* what the reader wrote */
static size_t heard_bytes;

static void hear(void *context, const char *bytes, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count && heard_bytes < sizeof(heard); i++) {
        heard[heard_bytes++] = bytes[i];
    }
}

/* Ring 3's own fault, and a copy that the kernel makes in a system call: both wait and begin again. */
static void pages_may_come_later(struct trial *trial)
{
    static struct program_run run;
    static struct page_cache *cache;

    if (trial->step == 0) {
        late.others = NULL;
        late.count = 0;
        late.asked = heard_bytes = 0;
        run = (struct program_run){
            .name = "reader",
            .image = tiny_reader,
            .bytes = (uint64_t)(tiny_reader_end - tiny_reader),
            .console = {.write = hear},
        };
        if (!program_load(trial, &run)) {
            return;
        }
        struct mm *mm = TAILQ_FIRST(&all_tasks)->mm;
        cache = page_cache_create(&late_operations, "late", NULL);
        if (cache) {
            page_cache_truncate(cache, 2 * PAGE_SIZE);
            trial_expect(trial, FIELD_STATUS, 0, READER_MEMORY,
                         (uint64_t)mm_mmap(mm, READER_MEMORY, 2 * PAGE_SIZE, PROT_READ,
                                           MAP_SHARED | MAP_FIXED, cache, VM_MAYREAD, 0));
            page_cache_put(cache); /* the mapping has it */
        }
    }
    late_pages_come();
    if (!program_run(trial, &run)) {
        return;
    }
    trial_expect(trial, FIELD_EVENTS, 0, 2, late.asked);
    trial_expect(trial, FIELD_WAIT_STATUS, 0, 'a' << 8, (uint32_t)run.result.status);
    trial_expect(trial, FIELD_COUNT_LEFT, 0, 0, 8 - heard_bytes);
    trial_expect(trial, FIELD_VALUE_READ, 0, 0x6262626262626262, *(const uint64_t *)heard);
    program_run_end(trial, &run);
}

static struct transcript transcript;

static void write_transcript(void *context, const char *bytes, size_t count)
{
    transcript_write(context, bytes, count);
}

/* All of a program's own file comes late; it notices nothing. */
static void program_may_come_later(struct trial *trial)
{
    static struct program_run run;
    static struct page_cache_operations operations;
    const struct archived_program *program = trial->test_case->parameter;

    if (trial->step == 0) {
        transcript_begin(&transcript, program->name, program->log,
                         (size_t)(program->log_end - program->log), NULL, 0, NULL);
        late.count = 0;
        late.asked = 0;
        run = (struct program_run){
            .name = program->name,
            .image = program->image,
            .bytes = (uint64_t)(program->image_end - program->image),
            .console = {.write = write_transcript, .context = &transcript},
        };
        if (!program_load(trial, &run)) {
            return;
        }
        struct page_cache *cache = vma_first(TAILQ_FIRST(&all_tasks)->mm)->cache;
        late.others = cache->operations;
        operations = *cache->operations;
        operations.read_page = read_later;
        cache->operations = &operations;
    }
    late_pages_come();
    if (!program_run(trial, &run)) {
        return;
    }
    transcript_end(&transcript);
    trial_expect(trial, FIELD_EVENTS, 0, true, late.asked > 2);
    trial_expect(trial, FIELD_LINES, 0, transcript.lines, transcript.matched);
    program_run_end(trial, &run);
}

/* ---- allocations that fail ------------------------------------------------------------------------- */

static void ignore(void *context, const char *bytes, size_t count)
{
    (void)context, (void)bytes, (void)count;
}

/*
 * The program runs again and again, each time with the next allocation failing, until it has no more of them. Whatever
 * becomes of the program (without the child that it could not make it may wait for ever, and is ended), nothing else
 * may happen, and none may spin.
 */
static void each_allocation_may_fail(struct trial *trial)
{
    static struct program_run run;
    static uint64_t number, oopses, bad; /* bad: a @number, or 0 */
    bool spun;
    const struct archived_program *program = trial->test_case->parameter;
    const struct program_run fresh = {
        .name = program->name,
        .image = program->image,
        .bytes = (uint64_t)(program->image_end - program->image),
        .console = {.write = ignore},
    };

    if (trial->step == 0) {
        number = 1;
        oopses = bad = 0;
        run = fresh;
        if (!programs_begin(trial, 0)) {
            return;
        }
    }
    for (;;) {
        bool ended = false;
        if (!run.loaded) {
            run.frames_before = frames_in_use();
            memory_fail_at(number);
            ended = program_start(&run) != 0;
        }
        if (!ended && !program_run(trial, &run)) {
            return;
        }
        bool failed = memory_failed(), good = program_stop(&run);
        memory_fail_at(0);
        oopses += run.result.oopses;
        spun = run.result.cut == OS_SPUN;
        bad = !good || spun ? number : 0;
        trial->oops = NULL;
        if (!failed || bad) {
            break;
        }
        number++;
        run = fresh;
        if (read_tsc() >= trial->until) {
            trial_again(trial);
            return;
        }
    }
    trial_expect(trial, FIELD_TASK_OOPSES, 0, 0, oopses);
    trial_expect(trial, FIELD_EVENTS, 0, true, number > 30); /* it did allocate */
    trial_expect(trial, FIELD_EVENTS, 1, 0, bad);
    trial_expect(trial, FIELD_TIMED_OUT, 0, false, spun);
    memory_judge(trial, run.frames_before);
}

/* ---- files that hear of each write ----------------------------------------------------------------- */

static uint64_t mkwrites;
static enum vm_fault mkwrite_answer;

static enum vm_fault count_mkwrite(struct page_cache *cache, struct page *page)
{
    (void)cache, (void)page;
    mkwrites++;
    return mkwrite_answer;
}

static const struct page_cache_operations hearing_operations = {.page_mkwrite = count_mkwrite};

static struct page_cache *map_hearing_file(struct trial *trial)
{
    struct page_cache *cache = page_cache_create(&hearing_operations, "hearing", NULL);

    mkwrites = 0;
    mkwrite_answer = VM_FAULT_DONE;
    if (!cache) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return NULL;
    }
    page_cache_truncate(cache, 4 * PAGE_SIZE);
    trial_expect(trial, FIELD_STATUS, 0, AREA,
                 (uint64_t)mm_mmap(memory_of_case.mm, AREA, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_FIXED, cache, VM_MAYREAD | VM_MAYWRITE, 0));
    return cache;
}

/* Is the page at @address there, and writable? */
static void leaf_must_be(struct trial *trial, vaddr_t address, bool writable)
{
    const pte_t *leaf = leaf_of(address);

    trial_compare(trial, FIELD_ENTRY, 1, PTE_P | (writable ? PTE_RW : 0), PTE_P | PTE_RW,
                  leaf ? *leaf : 0);
}

static void file_hears_of_each_first_write(struct trial *trial)
{
    uint64_t value;

    if (!memory_begin(trial)) {
        return;
    }
    struct page_cache *cache = map_hearing_file(trial);
    if (cache) {
        trial_expect(trial, FIELD_STATUS, 0, true, get_user(&value, AREA, 8));
        leaf_must_be(trial, AREA, false);
        trial_expect(trial, FIELD_EVENTS, 0, 0, mkwrites);
        trial_expect(trial, FIELD_STATUS, 0, true, put_user(WRITTEN, AREA, 8));
        leaf_must_be(trial, AREA, true);
        trial_expect(trial, FIELD_STATUS, 0, true, put_user(WRITTEN, AREA + 8, 8));
        trial_expect(trial, FIELD_EVENTS, 0, 1, mkwrites);
        trial_expect(trial, FIELD_STATUS, 0, true, put_user(WRITTEN, AREA + 2 * PAGE_SIZE, 8));
        trial_expect(trial, FIELD_EVENTS, 0, 2, mkwrites);
        /* Written back: both are clean, and the next write is heard again. */
        trial_expect(trial, FIELD_EVENTS, 1, 2, page_cache_clean(cache, 0, 3));
        leaf_must_be(trial, AREA, false);
        leaf_must_be(trial, AREA + 2 * PAGE_SIZE, false);
        trial_expect(trial, FIELD_STATUS, 0, true, put_user(WRITTEN, AREA + 16, 8));
        trial_expect(trial, FIELD_EVENTS, 0, 3, mkwrites);
        trial_expect(trial, FIELD_EVENTS, 1, 1, page_cache_clean(cache, 0, 3));
        trial_expect(trial, FIELD_EVENTS, 1, 0, page_cache_clean(cache, 0, 3));
        page_cache_put(cache);
    }
    memory_end(trial);
}

static void file_may_refuse_a_write(struct trial *trial)
{
    if (!memory_begin(trial)) {
        return;
    }
    struct page_cache *cache = map_hearing_file(trial);
    if (cache) {
        mkwrite_answer = VM_FAULT_SIGBUS;
        trial_expect(trial, FIELD_STATUS, 0, false, put_user(WRITTEN, AREA, 8));
        trial_expect(trial, FIELD_EVENTS, 0, BAD_SIGNAL, memory_of_case.mm->bad.kind);
        trial_expect(trial, FIELD_EVENTS, 0, SIGBUS, (uint64_t)memory_of_case.mm->bad.signal);
        trial_expect(trial, FIELD_EVENTS, 1, 0, page_cache_clean(cache, 0, 3));
        page_cache_put(cache);
    }
    memory_end(trial);
}

/* ---- programs that go too far ---------------------------------------------------------------------- */

static void spinning_program_is_ended_by_name(struct trial *trial)
{
    static struct program_run run;

    if (trial->step == 0) {
        run = (struct program_run){
            .name = "spinner",
            .image = tiny_spinner,
            .bytes = (uint64_t)(tiny_spinner_end - tiny_spinner),
            .console = {.write = ignore},
            .seconds = 1,
        };
    }
    if (!program_run(trial, &run)) {
        return;
    }
    trial_expect(trial, FIELD_TIMED_OUT, 0, OS_SPUN, run.result.cut);
    trial_expect(trial, FIELD_STATUS, 0, true, texts_equal(run.result.culprit, "spinner"));
    trial_expect(trial, FIELD_WAIT_STATUS, 0, SIGKILL, (uint32_t)run.result.status);
    program_run_end(trial, &run);
}

static void unknown_system_call_is_named_once(struct trial *trial)
{
    static struct program_run run;

    if (trial->step == 0) {
        run = (struct program_run){
            .name = "caller",
            .image = tiny_caller,
            .bytes = (uint64_t)(tiny_caller_end - tiny_caller),
            .console = {.write = ignore},
        };
    }
    if (!program_run(trial, &run)) {
        return;
    }
    trial_expect(trial, FIELD_WAIT_STATUS, 0, ENOSYS << 8, (uint32_t)run.result.status);
    trial_expect(trial, FIELD_EVENTS, 0, 1, run.result.unknown_count);
    trial_expect(trial, FIELD_EVENTS, 0, 399, run.result.unknown[0]);
    program_run_end(trial, &run);
}

/* clang-format off */
#define MEMORY(name_)              {.name = #name_, .rule = RULE_MEMORY, .run = name_}
#define DIES(name_, misdeed_, ...) {.name = name_, .rule = RULE_MEMORY, .run = task_dies_alone, \
                                    .parameter = &misdeeds[misdeed_], .needs = {__VA_ARGS__}}
#define WITH(name_, run_, program_, ...) {.name = name_, .rule = RULE_MEMORY, .run = run_, \
                                     .parameter = &program_archive[ARCHIVE_##program_], ##__VA_ARGS__}

static const struct test_case cases[] = {
    MEMORY(vmalloc_entry_is_copied_at_first_touch),
    MEMORY(vmalloc_hole_has_no_resolution),
    MEMORY(spurious_kernel_fault_is_retried),
    MEMORY(spurious_user_fault_is_retried),
    DIES("kernel_read_of_nothing_kills_its_task", READ_NOTHING),
    DIES("kernel_read_of_user_page_kills_its_task", READ_USER, NEEDS(SMAP)),
    DIES("kernel_read_of_untouched_user_page_kills_its_task", READ_UNTOUCHED),
    DIES("exception_table_excuses_no_smap_violation", READ_EXCUSED, NEEDS(SMAP)),
    DIES("kernel_fetch_from_user_page_kills_its_task", FETCH_USER, NEEDS(SMEP)),
    DIES("kernel_fetch_from_untouched_page_kills_its_task", FETCH_ABSENT, NEEDS(NX)),
    MEMORY(pages_may_come_later),
    WITH("program_may_come_later", program_may_come_later, anon_write),
    /* Up to seconds each. */
    WITH("allocations_may_fail_in_mixture", each_allocation_may_fail, mixture, .flags = CASE_BY_NAME),
    WITH("allocations_may_fail_in_fork", each_allocation_may_fail, cow_child_copies, .flags = CASE_BY_NAME),
    WITH("allocations_may_fail_in_mremap", each_allocation_may_fail, mremap_cow, .flags = CASE_BY_NAME),
    WITH("allocations_may_fail_in_nested_fork", each_allocation_may_fail, cow_nested_fork, .flags = CASE_BY_NAME),
    WITH("allocations_may_fail_in_pipes", each_allocation_may_fail, pipes, .flags = CASE_BY_NAME),
    MEMORY(file_hears_of_each_first_write),
    MEMORY(file_may_refuse_a_write),
    MEMORY(spinning_program_is_ended_by_name),
    MEMORY(unknown_system_call_is_named_once),
};
/* clang-format on */

SUITE(mm, "faults that no program can show");
