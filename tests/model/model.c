/*
 * model.c: see model.h.
 */
#include "model.h"

const struct model_row model_rows[] = {
    {.number = "R2.1", .what = "an entry with P=0 ends the walk"},
};
const uint32_t model_row_count = sizeof model_rows / sizeof *model_rows;

void model_ask(const struct model_question *question, const struct model_wrong *wrong,
               struct model_answer *answer)
{
    (void)wrong;
    *answer = (struct model_answer){
        .count = 1,
        .outcome = {{.vector = MODEL_NO_FAULT, .cr2 = question->cr2, .cr2_mask = UINT64_MAX}},
    };
}

bool model_allows(const struct model_answer *answer, const struct model_got *got)
{
    for (unsigned i = 0; i < answer->count; i++) {
        if (answer->outcome[i].vector == got->vector) {
            return true;
        }
    }
    return false;
}

bool model_differs(const struct model_answer *one, const struct model_answer *other)
{
    return one->outcome[0].vector != other->outcome[0].vector;
}
