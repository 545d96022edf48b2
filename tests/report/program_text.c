/*
 * program_text.c: see program_text.h.
 */
#include "program_text.h"

#include "fault/error_code.h"
#include "mm/trace.h"
#include "mm/vma.h"

/* clang-format off */
#define LOOK_ROWS(X)                                             \
    X(LOOK_NOTHING, '.', "untouched", "untouched")               \
    X(LOOK_ZERO, 'z', "zero", "zero page")                       \
    X(LOOK_FILE, 'f', "file", "the file's")                      \
    X(LOOK_RESIDENT, 'a', "resident", "its own")                 \
    X(LOOK_COW, 'c', "copy_on_write", "shared until written")    \
    X(LOOK_DIRTY, 'd', "dirty", "the file's, written")
#define LOOK_LETTER(id, letter, key, name) [id] = (letter),
#define LOOK_KEY(id, letter, key, name)    [id] = (key),
#define LOOK_NAME(id, letter, key, name)   [id] = (name),
#define LOOK_ONE(...)                      +1
/* clang-format on */
const char *const look_names[LOOKS] = {LOOK_ROWS(LOOK_NAME)};
const char *const look_keys[LOOKS] = {LOOK_ROWS(LOOK_KEY)};
const char look_letters[LOOKS + 1] = {LOOK_ROWS(LOOK_LETTER)};
_Static_assert(0 LOOK_ROWS(LOOK_ONE) == LOOKS, "every look has its words");

void text_program(struct sink *sink, const struct annex_program *program)
{
    sink_printf(sink, "%u lines, %lu system calls, %lu minor faults, %lu switches of tasks",
                program->lines, program->system_calls, program->minor_faults, program->switches);
}

void text_rights(struct sink *sink, uint64_t flags)
{
    sink_printf(sink, "%c%c%c%c", flags & VM_READ ? 'r' : '-', flags & VM_WRITE ? 'w' : '-',
                flags & VM_EXEC ? 'x' : '-', flags & VM_MAYSHARE ? 's' : 'p');
}

void text_map(struct sink *sink, const struct maps_row *row)
{
    sink_printf(sink, "%012lx-%012lx ", row->start, row->end);
    text_rights(sink, row->flags);
}

void text_strip(struct sink *sink, const struct maps_row *row)
{
    for (unsigned cell = 0; cell < row->cells; cell++)
        sink_printf(sink, "%c", look_letters[row->strip[cell]]);
}

void text_pages(struct sink *sink, const struct maps_row *row)
{
    const char *separator = "";
    for (unsigned look = LOOKS; look-- > 0;)
        if (row->pages[look] > 0) {
            sink_printf(sink, "%s%u %s", separator, row->pages[look], look_names[look]);
            separator = ", ";
        }
}

void text_mm_trace(struct sink *sink, const struct mm_trace *trace)
{
    char words[ERROR_CODE_TEXT];
    error_code_words(trace->error, words, sizeof(words));
    sink_printf(sink, "task %u at %012lx error %lx (%s) ", trace->task, trace->address,
                trace->error, words);
    if (trace->vma_end > 0) {
        const struct maps_row row = {
            .start = trace->vma_start, .end = trace->vma_end, .flags = trace->vma_flags};
        sink_text(sink, "in ");
        text_map(sink, &row);
    } else {
        sink_text(sink, "no VMA");
    }
    sink_printf(sink, ": %s",
                trace->resolution < RESOLUTION_COUNT ? mm_resolution_names[trace->resolution]
                                                     : "?");
    if (trace->pages > 1)
        sink_printf(sink, " (%u pages)", trace->pages);
    sink_printf(sink, ", %lu ticks", trace->ticks);
}

void text_maps(struct sink *sink, const struct maps_picture *maps)
{
    for (unsigned i = 0; i < maps->rows; i++) {
        const struct maps_row *row = &maps->row[i];
        text_map(sink, row);
        sink_printf(sink, " %s\n    ", row->name);
        text_strip(sink, row);
        sink_text(sink, "  ");
        text_pages(sink, row);
        sink_text(sink, "\n");
    }
    if (maps->vmas > maps->rows)
        sink_printf(sink, "and %u more\n", maps->vmas - maps->rows);
}
