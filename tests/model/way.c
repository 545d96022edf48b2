/*
 * way.c: which way a machine went where the architecture leaves it a choice.
 */
#include "row.h"

#define ENTRY_A (UINT64_C(1) << 5)
#define ENTRY_D (UINT64_C(1) << 6)

#define VECTOR_PF 14

/* The outcome that allows what the machine did. */
static const struct model_outcome *allowed_by(const struct model_answer *answer,
                                              const struct model_got *got)
{
    for (unsigned i = 0; i < answer->count; i++) {
        struct model_answer one = {.count = 1, .outcome = {answer->outcome[i]}};
        if (model_allows(&one, got)) {
            return &answer->outcome[i];
        }
    }
    return 0;
}

/* Of a way that the access is judged by: is what the machine did allowed without it, or with it? */
static unsigned way_judged(const struct model_question *question, unsigned way,
                           const struct model_got *got)
{
    struct model_answer without, with;

    model_ask_ways(question, 0, way, 0, &without);
    model_ask_ways(question, 0, way, way, &with);
    bool is_without = model_allows(&without, got), is_with = model_allows(&with, got);
    return is_without == is_with ? MODEL_WAYS : is_with;
}

/* Does CR2 lie in the second page? */
static bool cr2_in_second(const struct model_question *question, const struct model_got *got)
{
    return ((got->cr2 ^ question->access.address) >> 12) & 1;
}

static unsigned way_of_byte(const struct model_question *question, const struct model_got *got)
{
    uint64_t first = cr2_in_second(question, got) ? 0 : question->access.address & 0xfff;

    return (got->cr2 & 0xfff) != first;
}

/* The page whose fault it is: of a #PF CR2's, else the one that has no walk. */
static unsigned deciding_page(const struct model_question *question,
                              const struct model_outcome *outcome, const struct model_got *got)
{
    if (got->vector == VECTOR_PF) {
        return cr2_in_second(question, got);
    }
    return outcome->walk[0].dirty_mask != 0;
}

/* Of the bits that are open in a walk, if there is one: none, all, or some set. */
static unsigned way_of_bits(const struct model_question *question, unsigned walk, bool with_dirty,
                            const struct model_outcome *outcome, const struct model_got *got)
{
    const struct model_bits *allowed = &outcome->walk[walk], *after = &got->walk[walk];
    unsigned open = 0, set = 0;

    for (unsigned i = 0; i < question->cpu.levels && allowed->dirty_mask; i++) {
        uint64_t entry = question->walk[walk].entry[i];
        if (!entry) {
            continue; /* below the leaf */
        }
        if (!(entry & ENTRY_A) && !((allowed->accessed_mask >> i) & 1)) {
            open++;
            set += (after->accessed >> i) & 1;
        }
        if (with_dirty && !(entry & ENTRY_D) && !((allowed->dirty_mask >> i) & 1)) {
            open++;
            set += (after->dirty >> i) & 1;
        }
    }
    return open == 0 ? MODEL_WAYS : set == 0 ? 0 : set == open ? 1 : 2;
}

unsigned model_way(const struct model_question *question, uint32_t row, const struct model_got *got)
{
    struct model_answer answer;
    const struct model_outcome *outcome;

    model_ask(question, 0, &answer);
    outcome = allowed_by(&answer, got);
    if (!outcome || got->other_bits || !((answer.choices >> row) & 1)) {
        return MODEL_WAYS;
    }
    unsigned page = deciding_page(question, outcome, got);
    bool faults = got->vector != MODEL_NO_FAULT, page_fault = got->vector == VECTOR_PF;
    switch ((int)row) {
    case ROW_bit_8_either:
        return way_judged(question, WAY_BIT_8, got);
    case ROW_frame_either:
        return way_judged(question, WAY_FRAME, got);
    case ROW_plain_either:
        return page_fault ? way_judged(question, WAY_READ_FIRST, got) : MODEL_WAYS;
    case ROW_error_i_either:
        return page_fault ? (got->error >> 4) & 1 : MODEL_WAYS;
    case ROW_error_pk_either:
        return page_fault ? (got->error >> 5) & 1 : MODEL_WAYS;
    case ROW_hole_either:
        return !page_fault;
    case ROW_both_either:
        return page_fault ? page : MODEL_WAYS;
    case ROW_any_byte:
        return page_fault ? way_of_byte(question, got) : MODEL_WAYS;
    case ROW_valid_a_either:
        return page_fault ? way_of_bits(question, page, false, outcome, got) : MODEL_WAYS;
    case ROW_passed_either:
        return faults ? way_of_bits(question, !page, true, outcome, got) : MODEL_WAYS;
    case ROW_nothing_a_either:
        return way_of_bits(question, 0, false, outcome, got);
    default:
        return MODEL_WAYS;
    }
}
