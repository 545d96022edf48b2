/*
 * wrong.c: see wrong.h.
 */
#include "wrong.h"

#include "tests/report/sink.h"
#include "x86/memory.h"

static const char *const slips[MODEL_SLIPS] = {
    [MODEL_NEGATED] = "negated", [MODEL_DROPPED] = "dropped", [MODEL_MISPLACED] = "misplaced"};

/* Which of the rows with its number @row is, from 1; *@all: how many there are. */
static unsigned place_of(unsigned row, unsigned *all)
{
    unsigned place = 0;

    *all = 0;
    for (unsigned i = 0; i < model_row_count; i++) {
        if (texts_equal(model_rows[i].number, model_rows[row].number)) {
            *all += 1;
            place += i <= row;
        }
    }
    return place;
}

void model_row_text(unsigned row, char text[ROW_TEXT])
{
    struct buffer_sink out;
    unsigned all, place = place_of(row, &all);

    buffer_sink_init(&out, text, ROW_TEXT - 1);
    sink_text(&out.sink, model_rows[row].number);
    if (all > 1) {
        sink_printf(&out.sink, "#%u", place);
    }
    text[out.length] = '\0';
}

/* What follows @prefix in @text; NULL: it does not begin so. */
static const char *text_after(const char *text, const char *prefix)
{
    while (*prefix) {
        if (*text++ != *prefix++) {
            return NULL;
        }
    }
    return text;
}

bool model_wrong_parse(const char *word, struct model_wrong *wrong)
{
    const char *at = text_after(word, "model:");

    for (unsigned row = 0; at && row < model_row_count; row++) {
        char name[ROW_TEXT];
        model_row_text(row, name);
        const char *rest = text_after(at, name);
        if (!rest || *rest != ':') {
            continue;
        }
        for (unsigned slip = MODEL_NEGATED; slip < MODEL_SLIPS; slip++) {
            bool can = slip != MODEL_MISPLACED || model_rows[row].misplaceable;
            if (texts_equal(rest + 1, slips[slip]) && can) {
                *wrong = (struct model_wrong){.slip = (uint8_t)slip, .row = (uint8_t)row};
                return true;
            }
        }
    }
    return false;
}
