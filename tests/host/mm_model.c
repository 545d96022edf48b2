/*
 * mm_model.c: see mm_model.h. Linux 6.1's rules, page by page.
 */
#include "tests/host/mm_model.h"

#include <stddef.h>
#include <string.h>

#define PAGE 4096u

enum { SIGNAL_BUS = 7, SIGNAL_SEGV = 11 };
enum { CODE_MAPERR = 1, CODE_ACCERR = 2, CODE_ADRERR = 2 };
enum {
    ADVICE_DONTNEED = 4,
    ADVICE_FREE = 8,
    ADVICE_REMOVE = 9,
    ADVICE_DONTFORK = 10,
    ADVICE_DOFORK = 11,
    ADVICE_WIPEONFORK = 18,
    ADVICE_KEEPONFORK = 19,
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
};

const unsigned model_slot[MODEL_SLOTS] = {0, 1000, 2048, 4088};

uint64_t model_constant(unsigned index, unsigned slot)
{
    return (index + 1) * 1000003u + slot * 7919u;
}

void model_start(struct model *model)
{
    memset(model, 0, sizeof(*model));
    model->process[0].used = true;
    model->process[0].brk = MODEL_BRK_START * PAGE;
}

static unsigned size_pages(const struct model_file *file)
{
    return (unsigned)((file->bytes + PAGE - 1) / PAGE);
}

static uint64_t file_value(const struct model_file *file, unsigned index, unsigned slot)
{
    return file->constant ? model_constant(index, slot) : file->page[index].value[slot];
}

uint64_t model_value(const struct model *model, unsigned p, unsigned page, unsigned slot)
{
    const struct model_page *at = &model->process[p].page[page];

    return at->own                     ? at->value[slot]
           : at->file == MODEL_NO_FILE ? 0
                                       : file_value(&model->file[at->file], at->index, slot);
}

/* What a fault that is allowed does. False: behind the file's end. */
static bool bring(struct model *model, unsigned p, unsigned page, bool write)
{
    struct model_page *at = &model->process[p].page[page];

    if (at->own) {
        return true; /* no business of the file's any more */
    }
    if (at->file != MODEL_NO_FILE) {
        struct model_file *file = &model->file[at->file];
        if (at->index >= size_pages(file)) {
            return false;
        }
        file->page[at->index].present = true;
        if (write && at->shared) {
            file->page[at->index].dirty = true;
        }
    }
    if (write && !at->shared) {
        for (unsigned slot = 0; slot < MODEL_SLOTS; slot++) {
            at->value[slot] = model_value(model, p, page, slot);
        }
        at->own = true;
    }
    return true;
}

int model_touch(struct model *model, unsigned p, unsigned page, enum model_access access,
                unsigned slot, uint64_t *value, int *code)
{
    struct model_page *at = &model->process[p].page[page];

    *code = CODE_MAPERR;
    if (!at->mapped) {
        return SIGNAL_SEGV;
    }
    *code = CODE_ACCERR;
    if (at->prot == 0 || (access == MODEL_WRITE && !(at->prot & MODEL_W))) {
        return SIGNAL_SEGV;
    }
    if (!bring(model, p, page, access == MODEL_WRITE)) {
        *code = CODE_ADRERR;
        return SIGNAL_BUS;
    }
    /* A fetch brings the page first, and is refused then. */
    if (access == MODEL_FETCH && !(at->prot & MODEL_X)) {
        return SIGNAL_SEGV;
    }
    *code = 0;
    if (access == MODEL_READ) {
        *value = model_value(model, p, page, slot);
    } else if (access == MODEL_WRITE) {
        if (at->shared) {
            model->file[at->file].page[at->index].value[slot] = *value;
        } else {
            at->value[slot] = *value;
        }
    }
    return 0;
}

/* As MAP_POPULATE and mlock do: up to the first page that cannot be brought. */
static bool populate(struct model *model, unsigned p, unsigned first, unsigned count)
{
    for (unsigned page = first; page < first + count; page++) {
        const struct model_page *at = &model->process[p].page[page];
        if (at->prot == 0 || !bring(model, p, page, (at->prot & MODEL_W) && !at->shared)) {
            return false;
        }
    }
    return true;
}

/* ---- mappings ---------------------------------------------------------------------------------------- */

/* A file for shared anonymous memory: one that nobody maps. The first three are real files. */
static int anonymous_file(const struct model *model)
{
    for (int file = 3; file < MODEL_FILES; file++) {
        bool mapped = false;
        for (unsigned p = 0; p < MODEL_PROCESSES; p++) {
            for (unsigned page = 0; page < MODEL_PAGES; page++) {
                const struct model_page *at = &model->process[p].page[page];
                mapped |= at->mapped && at->file == file;
            }
        }
        if (!mapped) {
            return file;
        }
    }
    return MODEL_NO_FILE;
}

bool model_can_map(struct model *model, const struct model_mapping *mapping)
{
    return mapping->file != MODEL_NO_FILE || !mapping->shared ||
           anonymous_file(model) != MODEL_NO_FILE;
}

void model_munmap(struct model *model, unsigned p, unsigned first, unsigned count)
{
    memset(&model->process[p].page[first], 0, count * sizeof(struct model_page));
}

void model_mmap(struct model *model, unsigned p, const struct model_mapping *mapping)
{
    int file = mapping->file;
    unsigned index = mapping->index;

    model_munmap(model, p, mapping->first, mapping->count);
    if (file == MODEL_NO_FILE && mapping->shared) {
        file = anonymous_file(model);
        index = 0;
        memset(&model->file[file], 0, sizeof(model->file[file]));
        model->file[file].used = true;
        model->file[file].bytes = (uint64_t)mapping->count * PAGE;
    }
    for (unsigned i = 0; i < mapping->count; i++) {
        model->process[p].page[mapping->first + i] = (struct model_page){
            .mapped = true,
            .shared = mapping->shared,
            .locked = mapping->locked,
            .prot = mapping->prot,
            .file = file,
            .index = file == MODEL_NO_FILE ? 0 : index + i,
        };
    }
    if (mapping->locked || mapping->populate) {
        (void)populate(model, p, mapping->first, mapping->count);
    }
}

int model_mprotect(struct model *model, unsigned p, unsigned first, unsigned count, unsigned prot)
{
    for (unsigned page = first; page < first + count; page++) {
        struct model_page *at = &model->process[p].page[page];
        if (!at->mapped) {
            return MODEL_ENOMEM;
        }
        const bool becomes_writable = !(at->prot & MODEL_W) && (prot & MODEL_W);
        at->prot = prot;
        if (at->locked && !at->shared && becomes_writable) {
            (void)bring(model, p, page, true);
        }
    }
    return 0;
}

static int advise(struct model *model, unsigned p, unsigned page, int advice)
{
    struct model_page *at = &model->process[p].page[page];

    switch (advice) {
    case ADVICE_DONTNEED:
        if (at->locked) {
            return MODEL_EINVAL;
        }
        at->own = false;
        return 0;
    case ADVICE_FREE: /* nothing is ever short enough */
        return at->locked || at->file != MODEL_NO_FILE ? MODEL_EINVAL : 0;
    case ADVICE_REMOVE:
        if (at->locked || at->file == MODEL_NO_FILE) {
            return MODEL_EINVAL;
        }
        if (!at->shared) {
            return MODEL_EACCES;
        }
        model_punch(model, at->file, (uint64_t)at->index * PAGE, PAGE);
        return 0;
    case ADVICE_DONTFORK:
    case ADVICE_DOFORK:
        at->dont_fork = advice == ADVICE_DONTFORK;
        return 0;
    case ADVICE_WIPEONFORK:
        if (at->file != MODEL_NO_FILE) {
            return MODEL_EINVAL;
        }
        at->wipe_on_fork = true;
        return 0;
    case ADVICE_KEEPONFORK:
        at->wipe_on_fork = false;
        return 0;
    case ADVICE_POPULATE_READ:
    case ADVICE_POPULATE_WRITE:
        if (!(at->prot & (advice == ADVICE_POPULATE_READ ? MODEL_R : MODEL_W))) {
            return MODEL_EINVAL;
        }
        return bring(model, p, page, advice == ADVICE_POPULATE_WRITE) ? 0 : MODEL_EFAULT;
    default:
        return MODEL_EINVAL;
    }
}

int model_madvise(struct model *model, unsigned p, unsigned first, unsigned count, int advice)
{
    int hole = 0;

    for (unsigned page = first; page < first + count; page++) {
        if (!model->process[p].page[page].mapped) {
            hole = MODEL_ENOMEM;
            continue;
        }
        const int result = advise(model, p, page, advice);
        if (result) {
            return result;
        }
    }
    return hole;
}

int model_mlock(struct model *model, unsigned p, unsigned first, unsigned count, bool lock)
{
    for (unsigned page = first; page < first + count; page++) {
        struct model_page *at = &model->process[p].page[page];
        if (!at->mapped) {
            return MODEL_ENOMEM;
        }
        at->locked = lock;
    }
    return !lock || populate(model, p, first, count) ? 0 : MODEL_ENOMEM;
}

uint64_t model_brk(struct model *model, unsigned p, uint64_t end)
{
    struct model_process *process = &model->process[p];
    const unsigned from = (unsigned)((process->brk + PAGE - 1) / PAGE);
    const unsigned to = (unsigned)((end + PAGE - 1) / PAGE);

    if (end < (uint64_t)MODEL_BRK_START * PAGE) {
        return process->brk;
    }
    if (to > from) {
        /* A page more than what is wanted has to be free. */
        for (unsigned page = from; page <= to && page < MODEL_PAGES; page++) {
            if (process->page[page].mapped) {
                return process->brk;
            }
        }
        for (unsigned page = from; page < to; page++) {
            process->page[page] = (struct model_page){
                .mapped = true, .prot = MODEL_R | MODEL_W, .file = MODEL_NO_FILE};
        }
    } else if (to < from) {
        bool any = false;
        for (unsigned page = to; page < from; page++) {
            any |= process->page[page].mapped;
        }
        if (!any) {
            return process->brk;
        }
        model_munmap(model, p, to, from - to);
    }
    process->brk = end;
    return end;
}

void model_fork(struct model *model, unsigned from, unsigned to)
{
    struct model_process *child = &model->process[to];

    *child = model->process[from];
    for (unsigned page = 0; page < MODEL_PAGES; page++) {
        struct model_page *at = &child->page[page];
        if (at->dont_fork) {
            memset(at, 0, sizeof(*at));
        }
        at->locked = false;
        at->own &= !at->wipe_on_fork;
    }
}

void model_exit(struct model *model, unsigned p)
{
    memset(&model->process[p], 0, sizeof(model->process[p]));
}

/* ---- mremap ------------------------------------------------------------------------------------------ */

/* Might one VMA hold these pages? */
static bool may_be_one(const struct model_page *page, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!page[i].mapped || page[i].shared != page[0].shared ||
            page[i].locked != page[0].locked || page[i].prot != page[0].prot ||
            page[i].file != page[0].file || page[i].dont_fork != page[0].dont_fork ||
            page[i].wipe_on_fork != page[0].wipe_on_fork ||
            (page[0].file != MODEL_NO_FILE && page[i].index != page[0].index + i)) {
            return false;
        }
    }
    return true;
}

/* Pages that come behind the old ones when a mapping grows: like the last one, and untouched. */
static void extend(struct model *model, unsigned p, const struct model_page *last, unsigned first,
                   unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct model_page *at = &model->process[p].page[first + i];
        *at = *last;
        at->own = false;
        at->index = last->file == MODEL_NO_FILE ? 0 : last->index + i + 1;
    }
    if (last->locked) {
        (void)populate(model, p, first, count);
    }
}

static bool remap_fixed(struct model *model, unsigned p, const struct model_remap *remap,
                        int result)
{
    struct model_page *page = model->process[p].page, moved[MODEL_PAGES];
    unsigned old_count = remap->old_count;

    if (remap->old + old_count > remap->to && remap->to + remap->new_count > remap->old) {
        return result == MODEL_EINVAL;
    }
    model_munmap(model, p, remap->to, remap->new_count);
    if (old_count > remap->new_count) {
        model_munmap(model, p, remap->old + remap->new_count, old_count - remap->new_count);
        old_count = remap->new_count;
    }
    if (result < 0) {
        return result == MODEL_EFAULT && (old_count > 1 || !page[remap->old].mapped);
    }
    if (result != (int)remap->to || !may_be_one(&page[remap->old], old_count)) {
        return false;
    }
    memcpy(moved, &page[remap->old], old_count * sizeof(*moved));
    for (unsigned i = 0; i < old_count; i++) {
        struct model_page *left = &page[remap->old + i];
        if (remap->keep) {
            left->own = left->locked = false;
        } else {
            memset(left, 0, sizeof(*left));
        }
    }
    memcpy(&page[remap->to], moved, old_count * sizeof(*moved));
    extend(model, p, &moved[old_count - 1], remap->to + old_count, remap->new_count - old_count);
    return true;
}

bool model_mremap(struct model *model, unsigned p, const struct model_remap *remap, int result)
{
    struct model_page *page = model->process[p].page;

    if (remap->new_count == 0 || (remap->keep && remap->old_count != remap->new_count)) {
        return result == MODEL_EINVAL;
    }
    if (!page[remap->old].mapped) {
        return result == MODEL_EFAULT;
    }
    if (remap->fixed) {
        return remap_fixed(model, p, remap, result);
    }
    if (remap->new_count <= remap->old_count) {
        model_munmap(model, p, remap->old + remap->new_count, remap->old_count - remap->new_count);
        return result == (int)remap->old;
    }
    /* It grows, where it is. */
    if (result == MODEL_EFAULT) {
        return remap->old_count > 1;
    }
    if (!may_be_one(&page[remap->old], remap->old_count)) {
        return false;
    }
    if (result == MODEL_ENOMEM) {
        return true; /* no room, or a neighbour that does not merge */
    }
    for (unsigned i = remap->old_count; i < remap->new_count; i++) {
        if (page[remap->old + i].mapped) {
            return false;
        }
    }
    const struct model_page last = page[remap->old + remap->old_count - 1];
    extend(model, p, &last, remap->old + remap->old_count, remap->new_count - remap->old_count);
    return result == (int)remap->old;
}

/* ---- files ------------------------------------------------------------------------------------------- */

static void drop(struct model_file *file, unsigned index)
{
    memset(&file->page[index], 0, sizeof(file->page[index]));
}

/* Zero what lies in [@from, @to) of a page. */
static void zero_part(struct model_file *file, unsigned index, unsigned from, unsigned to)
{
    if (!file->page[index].present) {
        return;
    }
    file->page[index].dirty = true;
    for (unsigned slot = 0; slot < MODEL_SLOTS; slot++) {
        if (model_slot[slot] >= from && model_slot[slot] < to) {
            file->page[index].value[slot] = 0;
        }
    }
}

void model_truncate(struct model *model, int number, uint64_t bytes)
{
    struct model_file *file = &model->file[number];
    const uint64_t old = file->bytes;

    file->bytes = bytes;
    if (bytes > old) {
        return;
    }
    const unsigned behind = size_pages(file);
    for (unsigned index = behind; index < MODEL_FILE_PAGES; index++) {
        drop(file, index);
    }
    for (unsigned p = 0; p < MODEL_PROCESSES; p++) {
        for (unsigned page = 0; page < MODEL_PAGES; page++) {
            struct model_page *at = &model->process[p].page[page];
            if (at->mapped && at->file == number && at->index >= behind) {
                at->own = false;
            }
        }
    }
    if (bytes % PAGE) {
        zero_part(file, (unsigned)(bytes / PAGE), bytes % PAGE, PAGE);
    }
}

void model_punch(struct model *model, int number, uint64_t from, uint64_t bytes)
{
    struct model_file *file = &model->file[number];
    const uint64_t to = from + bytes;

    for (unsigned index = 0; index < MODEL_FILE_PAGES; index++) {
        const uint64_t start = (uint64_t)index * PAGE, end = start + PAGE;
        const uint64_t first = from > start ? from : start, last = to < end ? to : end;
        if (first >= last) {
            continue;
        }
        if (first == start && last == end) {
            drop(file, index);
        } else {
            zero_part(file, index, (unsigned)(first - start), (unsigned)(last - start));
        }
    }
}

void model_pwrite(struct model *model, int number, unsigned index, unsigned slot, uint64_t value)
{
    struct model_file *file = &model->file[number];
    const uint64_t end = (uint64_t)index * PAGE + model_slot[slot] + 8;

    file->bytes = end > file->bytes ? end : file->bytes;
    file->page[index].present = file->page[index].dirty = true;
    file->page[index].value[slot] = value;
}

unsigned model_clean(struct model *model, int number, unsigned first, unsigned last)
{
    struct model_file *file = &model->file[number];
    unsigned count = 0;

    for (unsigned index = first; index <= last && index < MODEL_FILE_PAGES; index++) {
        count += file->page[index].dirty;
        file->page[index].dirty = false;
    }
    return count;
}

unsigned model_file_pages(const struct model *model, int number)
{
    unsigned count = 0;

    for (unsigned index = 0; index < MODEL_FILE_PAGES; index++) {
        count += model->file[number].page[index].present;
    }
    return count;
}
