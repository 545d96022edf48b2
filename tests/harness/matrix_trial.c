/*
 * matrix_trial.c: see matrix_trial.h.
 */
#include "matrix_trial.h"

#include "deviation.h"
#include "machine.h"
#include "tests/deviations.h"
#include "x86/exception.h"
#include "x86/memory.h"

_Static_assert(MODEL_NO_FAULT == VECTOR_NONE, "both say that an access went through");
_Static_assert(MODEL_LEVELS == LEVELS_MAX, "both count entries alike");

unsigned matrix_rule_of_row(unsigned row)
{
    for (unsigned rule = 1; row < model_row_count && rule < RULE_COUNT; rule++) {
        if (texts_equal(rule_texts[rule].number, model_rows[row].number)) {
            return rule;
        }
    }
    return RULE_NONE;
}

/* ---- what is compared ------------------------------------------------------------------------------ */

/* The page whose walk the model calls walk[@walk]: that of the first byte, then the next. */
static unsigned page_of(const struct matrix_case *result, unsigned walk)
{
    return walk == 0 ? result->scene.first : 1;
}

/* May @walk be looked at? Behind the page above the edge there is none. */
static bool walk_exists(const struct matrix_case *result, unsigned walk)
{
    unsigned page = page_of(result, walk);

    return result->scene.used[page] && !(walk == 1 && result->scene.first);
}

static void compare_entry(struct trial *trial, const struct matrix_case *result, unsigned walk,
                          unsigned level, const struct model_bits *allowed)
{
    unsigned page = page_of(result, walk), place = level - 1;
    pte_t before = result->scene.entry[page][place], mask = ~(pte_t)(PTE_A | PTE_D);
    pte_t expected = before & mask;

    if ((allowed->accessed_mask >> place) & 1) {
        mask |= PTE_A;
        expected |= (allowed->accessed >> place) & 1 ? PTE_A : 0;
    }
    if ((allowed->dirty_mask >> place) & 1) {
        mask |= PTE_D;
        expected |= (allowed->dirty >> place) & 1 ? PTE_D : 0;
    }
    trial_compare(trial, walk ? FIELD_ENTRY_ABOVE : FIELD_ENTRY, level, expected, mask,
                  result->got.after[page][place]);
}

/* What was seen, against one allowed outcome. */
static void compare_outcome(struct trial *trial, const struct matrix_case *result,
                            const struct model_outcome *allowed)
{
    trial_compare(trial, FIELD_VECTOR, 0, allowed->vector, 0xffff, result->seen.vector);
    if (allowed->vector == result->seen.vector && allowed->vector != MODEL_NO_FAULT) {
        trial_compare(trial, FIELD_ERROR_CODE, 0, allowed->error, allowed->error_mask,
                      result->seen.error);
        trial_compare(trial, FIELD_CR2, 0, allowed->cr2, allowed->cr2_mask, result->seen.cr2);
    }
    for (unsigned walk = 0; walk < 2; walk++) {
        for (unsigned level = result->scene.levels;
             walk_exists(result, walk) && level >= result->scene.leaf; level--) {
            compare_entry(trial, result, walk, level, &allowed->walk[walk]);
        }
    }
    trial_expect(trial, FIELD_RIP_ASTRAY, 0, 0, result->got.rip_wrong);
    trial_expect(trial, FIELD_DATA_WRONG, 0, 0, result->got.memory_wrong);
}

static unsigned count_differences(const struct trial *trial)
{
    unsigned count = 0;

    for (unsigned i = 0; i < trial->comparisons; i++) {
        count += comparison_differs(&trial->comparison[i]);
    }
    return count;
}

/*
 * Compare with the outcome that was met, or with the nearest. The model's word is final: where the
 * comparisons see it otherwise, that is one more difference, in the number of allowed outcomes met.
 */
static void compare(struct trial *trial, const struct matrix_case *result)
{
    unsigned outcome = result->nearest;

    for (unsigned i = 0; result->allowed && i < result->answer.count; i++) {
        trial->comparisons = 0;
        compare_outcome(trial, result, &result->answer.outcome[i]);
        if (!count_differences(trial)) {
            return;
        }
    }
    trial->comparisons = 0;
    compare_outcome(trial, result, &result->answer.outcome[outcome]);
    if (result->allowed) {
        trial->comparisons = 0;
        trial_expect(trial, FIELD_EVENTS, 0, 1, 1);
    } else if (!count_differences(trial)) {
        trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
    }
}

/* ---- what was done --------------------------------------------------------------------------------- */

/* The nearest of the kinds that the suites know. */
static uint8_t access_of(const struct point *point)
{
    static const uint8_t kinds[] = {
        [MODEL_READ] = ACCESS_READ,           [MODEL_WRITE] = ACCESS_WRITE,
        [MODEL_FETCH] = ACCESS_FETCH,         [MODEL_RMW_LOCKED] = ACCESS_RMW_LOCKED,
        [MODEL_RMW_PLAIN] = ACCESS_RMW_PLAIN, [MODEL_NOTHING] = ACCESS_NONE,
        [MODEL_SHADOW_READ] = ACCESS_READ,    [MODEL_SHADOW_WRITE] = ACCESS_WRITE,
    };
    const struct access_row *access = &access_rows[point->value[AXIS_ACCESS]];

    if (point->value[AXIS_ACCESS] == MATRIX_PUSH) {
        return ACCESS_PUSH;
    }
    if (access->implicit) {
        return access->kind == MODEL_READ ? ACCESS_IMPLICIT_READ : ACCESS_IMPLICIT_WRITE;
    }
    return kinds[access->kind];
}

static void fill_scene(struct scene *scene, const struct matrix_case *result)
{
    const struct stage_got *got = &result->got;
    unsigned page = result->scene.first;

    *scene = (struct scene){
        .present = 1,
        .levels = (uint8_t)result->scene.levels,
        .leaf = (uint8_t)result->scene.leaf,
        .ring = result->point.value[AXIS_RING] == RING_IS_3 ? 3 : 0,
        .access = access_of(&result->point),
        .width = (uint8_t)result->scene.bytes,
        .address = result->scene.address,
        .cr0 = got->cr0,
        .cr4 = got->cr4,
        .efer = got->efer,
        .rflags = got->rflags,
        .pkru = got->pkru,
        .pkrs = got->pkrs,
        .got = got->outcome,
    };
    memcpy(scene->before, result->scene.entry[page], sizeof(scene->before));
    memcpy(scene->after, got->after[page], sizeof(scene->after));
}

static void fill_annex(struct annex_point *annex, const struct matrix_case *result)
{
    *annex = (struct annex_point){
        .rules = result->answer.rules,
        .choices = result->answer.choices,
        .address = result->scene.address,
        .cr2 = result->question.cr2,
        .got_cr2 = result->seen.cr2,
        .got_error = result->seen.error,
        .got_vector = result->seen.vector,
        .outcomes = result->answer.count,
        .nearest = result->nearest,
        .levels = (uint8_t)result->scene.levels,
        .leaf = (uint8_t)result->scene.leaf,
        .bytes = (uint8_t)result->scene.bytes,
        .first = (uint8_t)result->scene.first,
        .used = (uint8_t)((result->scene.used[0] ? 1 : 0) | (result->scene.used[1] ? 2 : 0)),
        .flags = POINT_RAN,
        .point = result->point,
    };
    memcpy(annex->before, result->scene.entry, sizeof(annex->before));
    memcpy(annex->after, result->got.after, sizeof(annex->after));
    memcpy(annex->outcome, result->answer.outcome, sizeof(annex->outcome));
    memset(annex->where.value, FOLD_ANY, sizeof(annex->where.value));
    if (!result->allowed) {
        annex_symptom_from(&result->symptom, &annex->symptom);
    }
}

static void use_annex(struct trial *trial, const struct annex_point *annex)
{
    trial->annex = ANNEX_POINT;
    trial->annex_data = annex;
}

/* ---- which rule ------------------------------------------------------------------------------------ */

/* Of the rights that the model found missing, the last: rows that only prepare the judgement come first. */
static unsigned rule_of_right(uint64_t rules)
{
    unsigned rule = RULE_NONE;

    for (; rules; rules &= rules - 1) {
        unsigned row = (unsigned)__builtin_ctzll(rules);
        bool general = texts_equal(model_rows[row].name, "keys_data") ||
                       texts_equal(model_rows[row].name, "key_of_leaf");
        unsigned of_row = matrix_rule_of_row(row);
        if (!general && of_row >= RULE_3_1 && of_row <= RULE_3_10) {
            rule = of_row;
        }
    }
    return rule;
}

/* The rule that speaks of what differs. */
static unsigned rule_of_symptom(const struct symptom *symptom, const struct model_answer *answer)
{
    static const uint8_t error_bits[] = {RULE_4_P, RULE_4_W,  RULE_4_U, RULE_4_RSVD,
                                         RULE_4_I, RULE_4_PK, RULE_4_SS};
    unsigned bit = symptom->error_differs ? (unsigned)__builtin_ctz(symptom->error_differs) : 0;

    if (symptom->vector_expected != symptom->vector_got) {
        if (symptom->vector_expected == VECTOR_GP || symptom->vector_expected == VECTOR_SS) {
            return RULE_1_1;
        }
        return answer->story.end == MODEL_ABSENT     ? RULE_2_1
               : answer->story.end == MODEL_RESERVED ? RULE_2_2
               : answer->story.forbidden             ? rule_of_right(answer->rules)
                                                     : RULE_NONE;
    }
    if (symptom->error_differs) {
        return bit < ARRAY_COUNT(error_bits) ? error_bits[bit] : RULE_4_OTHER;
    }
    return symptom->cr2_differs                       ? RULE_5_1
           : symptom->a_missing || symptom->d_missing ? RULE_5_2
           : symptom->a_extra || symptom->d_extra     ? RULE_5_3
           : symptom->other_bits                      ? RULE_5_4
           : symptom->rip || symptom->memory          ? RULE_7_1
                                                      : RULE_NONE;
}

/* Of a known deviation, the rule that it violates; else of what differs; else the model's first. */
static void choose_rule(struct trial *trial, const struct symptom *symptom,
                        const struct model_answer *answer)
{
    unsigned rule = trial->deviation && trial->deviation <= deviation_count
                        ? deviations[trial->deviation - 1].rule
                        : rule_of_symptom(symptom, answer);

    if (rule == RULE_NONE && answer->rules) {
        rule = matrix_rule_of_row((unsigned)__builtin_ctzll(answer->rules));
    }
    trial->rule = (uint8_t)rule;
}

/* ---- points and folds ------------------------------------------------------------------------------ */

static void fill(struct trial *trial, const struct matrix_case *result, struct annex_point *annex)
{
    fill_scene(&trial->scene, result);
    compare(trial, result);
    fill_annex(annex, result);
    use_annex(trial, annex);
}

/* The first of the entries that explain all that differs, one thing at a time; 0: something is news. */
static uint16_t explain(const struct matrix_case *result)
{
    struct symptom part[SYMPTOM_PARTS];
    unsigned parts = symptom_split(&result->symptom, part);
    uint8_t values[FOLD_AXES];
    uint16_t first = 0;

    annex_values(&result->point, &result->answer, values);
    for (unsigned i = 0; i < parts; i++) {
        uint16_t found = deviation_find_point(&part[i], values, &machine);
        if (!found) {
            return 0;
        }
        first = first ? first : found;
    }
    return first;
}

void matrix_trial_point(struct trial *trial, const struct matrix_case *result,
                        struct annex_point *annex)
{
    if (result->missing) {
        trial_skip(trial, REASON_FEATURE, result->missing - 1);
        return;
    }
    fill(trial, result, annex);
    trial->deviation = result->allowed ? 0 : explain(result);
    choose_rule(trial, &result->symptom, &result->answer);
}

void matrix_trial_fold(struct trial *trial, const struct matrix_fold *fold,
                       struct annex_point *annex)
{
    fill(trial, &fold->witness, annex);
    if (!count_differences(trial)) { /* alone, the witness did nothing wrong; in the sweep it did */
        trial_expect(trial, FIELD_POINTS, 0, fold->points, 0);
    }
    annex->points = fold->points;
    annex->where = fold->where;
    annex->flags |= fold->repeats ? POINT_REPEATS : 0;
    annex_symptom_from(&fold->symptom, &annex->symptom);
    trial->deviation = fold->deviation
                           ? fold->deviation
                           : deviation_find_fold(&fold->symptom, &fold->where, &machine);
    choose_rule(trial, &fold->symptom, &fold->witness.answer);
}

void matrix_trial_unfinished(struct trial *trial, const struct point *point,
                             struct annex_point *annex)
{
    *annex = (struct annex_point){.point = *point};
    memset(annex->where.value, FOLD_ANY, sizeof(annex->where.value));
    use_annex(trial, annex);
}
