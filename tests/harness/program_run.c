/*
 * program_run.c: see program_run.h.
 */
#include "program_run.h"

#include "fault/boot_info.h"
#include "fault/layout.h"
#include "fault/world.h"
#include "machine.h"
#include "mm/audit.h"
#include "mm/pte.h"
#include "mm/trace.h"
#include "mm/vmalloc.h"
#include "sabotage.h"
#include "session.h"
#include "spare.h"
#include "tests/report/program_text.h"
#include "tests/report/report.h"
#include "tests/report/stream.h"
#include "x86/instructions.h"

/* Programs touch little, and each audit looks at every frame: what needs more says so. Less may do, too. */
#define FRAMES_USUAL    (UINT64_C(24) << 20)
#define FRAMES_AT_LEAST (UINT64_C(6) << 20)
#define WAITS_MAX       1000u /* steps in a row in which nobody can go on */

static struct session *const session = (struct session *)SESSION_BASE;
static const struct boot_info *const boot = (const struct boot_info *)BOOT_INFO_BASE;

bool programs_begin(struct trial *trial, uint64_t needs)
{
    static uint64_t bytes; /* that os_start() was told */
    uint64_t wanted = needs > FRAMES_USUAL ? needs : FRAMES_USUAL;

    /* Linux's logs know of NX, and so do the leaves that mm/ makes. */
    if (!machine_has(FEATURE_NX)) {
        trial_skip(trial, REASON_FEATURE, FEATURE_NX);
        return false;
    }
    if (spare.bytes < FRAMES_AT_LEAST || spare.bytes < needs) {
        trial_skip(trial, REASON_NO_MEMORY, (unsigned)(spare.bytes >> 20));
        return false;
    }
    wanted = wanted < spare.bytes ? wanted : spare.bytes;
    if (spare.owner == SPARE_PROGRAMS) {
        mm_last_look = NULL; /* of a check that an exception or Esc ended */
        os_stop();
        if (bytes == wanted) {
            return true;
        }
    }
    bytes = wanted;
    os_ticks_per_millisecond = session->ticks_per_second / 1000;
    if (os_start(spare.base, bytes, world_root(), boot->levels) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    spare.owner = SPARE_PROGRAMS;
    vfree(vmalloc(PAGE_SIZE)); /* its tables stay, so they are no part of what a check takes */
    return true;
}

void programs_leave(void)
{
    if (spare.owner == SPARE_PROGRAMS) {
        mm_last_look = NULL;
        os_stop();
        spare.owner = SPARE_NOBODY;
    }
}

uint64_t frames_in_use(void)
{
    return memory.frames.frames - memory.frames.free;
}

/* @moment: 0 when everything was given back, 1 while it was there. */
static void audit_judge(struct trial *trial, unsigned moment, const struct audit *audit)
{
    trial_expect(trial, FIELD_AUDIT, moment, AUDIT_GOOD, audit->finding);
    if (audit->finding != AUDIT_GOOD) {
        trial_expect(trial, FIELD_AUDIT_AT, moment, 0, audit->address);
        trial_expect(trial, FIELD_AUDIT_COUNT, moment, audit->expected, audit->got);
    }
}

void memory_judge(struct trial *trial, uint64_t before)
{
    struct audit audit;

    (void)audit_all(&audit);
    audit_judge(trial, 0, &audit);
    trial_expect(trial, FIELD_FRAMES, 0, before, frames_in_use());
    if (audit.finding != AUDIT_GOOD || frames_in_use() != before) {
        spare.owner = SPARE_NOBODY; /* the next one begins with a new memory */
    }
}

/* ---- --mm-trace ------------------------------------------------------------------------------------ */

#define TRACE_SLICES                                                                               \
    2000u /* a second: in so little time there are fewer faults than the ring has room for */

void memory_trace(void)
{
    static uint64_t told;
    bool explained = session->options.explain[0] != 0;
    struct stream_sink out =
        stream_sink(session, STREAM_CONSOLE, explained ? STREAM_CONSOLE : STREAM_TAP);

    if (!session->options.mm_trace) {
        return;
    }
    if (!mm_trace.on) {
        mm_trace.on = true;
        told = mm_trace.written;
    }
    if (mm_trace.written - told > MM_TRACE_RECORDS) {
        sink_printf(&out.sink, "# mm: %lu faults are not shown\n",
                    mm_trace.written - told - MM_TRACE_RECORDS);
        told = mm_trace.written - MM_TRACE_RECORDS;
    }
    for (; told < mm_trace.written; told++) {
        sink_text(&out.sink, "# mm: ");
        text_mm_trace(&out.sink, &mm_trace.record[told % MM_TRACE_RECORDS]);
        sink_text(&out.sink, "\n");
    }
}

/* os_run() until @until, in slices that leave time to tell of each fault. */
static enum os_state run_traced(uint64_t until)
{
    enum os_state state = OS_RUNNING;

    if (!session->options.mm_trace) {
        mm_trace.on = false;
        return os_run(until);
    }
    for (uint64_t now = read_tsc(); state == OS_RUNNING && now < until && report_space(session);
         now = read_tsc()) {
        memory_trace();
        state = os_run(now + session->ticks_per_second / TRACE_SLICES);
        memory_trace();
    }
    return state;
}

/* ---- a run ----------------------------------------------------------------------------------------- */

/* The run that mm_destroy() tells of. */
static struct program_run *looking;

/* --sabotage mm:*: the first leaf that will do is made wrong, so that a test sees the audit find it. */
static void sabotage_leaf(const struct mm *mm)
{
    const struct vma *behind;

    for (struct vma *vma = vma_first(mm); vma; vma = vma_next(vma)) {
        for (vaddr_t at = vma->start; at < vma->end && vma_is_private(vma); at += PAGE_SIZE) {
            pte_t *leaf = paging_leaf(&mm->space, at);
            struct page *page = leaf && *leaf & PTE_P ? pte_page(*leaf) : NULL;
            if (!page) {
                continue;
            }
            behind = vma_find(mm, vma->end);
            bool shared = page->count > 1, free = !behind || behind->start > vma->end;
            if (sabotage_memory == MEMORY_KEEP_WRITABLE && shared && vma->flags & VM_WRITE) {
                *leaf |= PTE_RW;
                return;
            }
            if (sabotage_memory == MEMORY_LOSE_PAGE && !shared) {
                page_get(page);
                return;
            }
            if (sabotage_memory == MEMORY_STRAY_LEAF && at + PAGE_SIZE == vma->end && free &&
                vma->end % PAGE_SIZE_2M) {
                leaf[1] = *leaf;
                return;
            }
        }
    }
}

static void take_maps(const struct mm *mm)
{
    if (mm->task == looking->task) {
        if (sabotage_memory != MEMORY_RIGHT) {
            sabotage_leaf(mm);
        }
        (void)audit_all(&looking->audit);
        looking->audited = true;
        if (looking->maps) {
            maps_take(mm, looking->maps);
        }
    }
}

/* The program's memory is the only one by now. */
static void look_for_its_end(struct program_run *run)
{
    run->task = LIST_FIRST(&all_mms)->task;
    if (run->maps) {
        *run->maps = (struct maps_picture){0};
    }
    looking = run;
    mm_last_look = take_maps;
}

int program_start(struct program_run *run)
{
    const char *const arguments[] = {run->name, NULL}, *const environment[] = {NULL};
    static char path[80];
    struct buffer_sink out;
    uint64_t seconds = run->seconds ? run->seconds : PROGRAM_SECONDS;

    buffer_sink_init(&out, path, sizeof(path) - 1);
    sink_printf(&out.sink, "/programs/%s", run->name);
    path[out.length] = '\0';
    run->frames_before = frames_in_use();
    memory_trace(); /* loading faults, too */
    run->started = read_tsc();
    int error = os_program(path, run->image, run->bytes, arguments, environment, &run->console,
                           seconds * session->ticks_per_second);
    if (!error) {
        look_for_its_end(run);
        run->loaded = true;
    }
    return error;
}

bool program_load(struct trial *trial, struct program_run *run)
{
    if (!programs_begin(trial, run->needs)) {
        return false;
    }
    int error = program_start(run);
    if (error == -ENODEV) {
        trial_skip(trial, REASON_NO_PROGRAMS, 0);
    } else if (error) {
        trial_expect(trial, FIELD_STATUS, 0, 0, (uint64_t)error);
    }
    if (error) {
        program_run_end(trial, run);
    }
    return !error;
}

bool program_run(struct trial *trial, struct program_run *run)
{
    if (!run->loaded && !program_load(trial, run)) {
        return false;
    }
    switch (run_traced(run->at_once ? UINT64_MAX : trial->until)) {
    case OS_RUNNING:
        run->waits = 0;
        trial_again(trial);
        return false;
    case OS_WAITING:
        if (run->waits++ < WAITS_MAX) {
            trial_again(trial);
            return false;
        }
        break; /* for ever: the result says who */
    case OS_DONE:
        break;
    case OS_IDLE:
    case OS_UNABLE:
        trial_skip(trial, REASON_NO_PROGRAMS, 0);
        program_run_end(trial, run);
        return false;
    }
    run->ticks = read_tsc() - run->started;
    os_result(&run->result);
    if (run->result.oopses) {
        trial->oops = &run->result.oops;
    }
    return true;
}

bool program_stop(struct program_run *run)
{
    struct audit audit;

    os_stop();
    mm_last_look = NULL;
    return (!run->audited || run->audit.finding == AUDIT_GOOD) && audit_all(&audit) == AUDIT_GOOD &&
           frames_in_use() == run->frames_before;
}

void program_run_end(struct trial *trial, struct program_run *run)
{
    os_stop();
    mm_last_look = NULL;
    if (run->audited && !trial->skipped) {
        audit_judge(trial, 1, &run->audit);
    }
    if (!trial->skipped) {
        memory_judge(trial, run->frames_before);
    }
}
