/*
 * wrong.c: see wrong.h.
 */
#include "wrong.h"

#include "x86/memory.h"

static const char *const slips[MODEL_SLIPS] = {
    [MODEL_NEGATED] = "negated", [MODEL_DROPPED] = "dropped", [MODEL_MISPLACED] = "misplaced"};

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
        const char *rest = text_after(at, model_rows[row].name);
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
