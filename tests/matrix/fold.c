/*
 * fold.c: see fold.h.
 *
 * A fold is made for the first failing point that none covers yet, in a dialogue:
 *
 *   guess     the cheapest conjunction of the point's own values that no known example speaks against
 *   verify    go through the sweep's points in it; one that does not fail in this way is an example
 *
 * An example says: name one of the axes in which it differs from the point. So a guess is a smallest
 * set that meets all of these sets (a hitting set), and a guess that holds can do without none of
 * its axes: for each there is an example. Usually a dozen examples are enough, and only the last
 * verification goes through everything. It starts beside the point, where examples differ little
 * and so say much.
 *
 * Cheap means: few of a sample of other failing points are outside, then few axes (by weight).
 * Without the sample a sparse sweep such as a covering array would be "explained" by any three values
 * that happen to meet only once.
 */
#include "fold.h"

#include "x86/memory.h"

enum stage {
    STAGE_SEEK,   /* the next failing point that no fold covers */
    STAGE_SAMPLE, /* others of its kind */
    STAGE_GUESS,
    STAGE_VERIFY,
    STAGE_LEFT,   /* count what is left when there are too many folds */
    STAGE_REDUCE, /* take out folds that others together cover */
    STAGE_END,
};

#define SAMPLE_NEAR   32768u /* points behind the first one that are looked through for samples */
#define SAMPLE_FAR    32768u /* points anywhere behind it */
#define SAMPLE_ENOUGH 512u   /* to choose from, so many near, as many far */
#define COST_OF_LOST  4u     /* of a sample that a conjunction leaves out, in weights of axes */
#define CHOICES_MAX   200u   /* steps of the search for the cheapest conjunction ... */
#define CHOICES_LATER 20u    /* ... and when there are many folds */
#define FOLDS_MANY    64u
#define CHOICE_COST   64u /* in points */

/* ---- small things ---------------------------------------------------------------------------------- */

/* No instruction for it is certain, and the compiler's substitute is in a library. */
static uint32_t bits_set(uint64_t bits)
{
    bits -= (bits >> 1) & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + ((bits >> 2) & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)((bits * UINT64_C(0x0101010101010101)) >> 56);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool is_subset(const struct axis_set *small, const struct axis_set *large)
{
    uint64_t outside = 0;

    for (uint32_t i = 0; i < ARRAY_COUNT(small->word); i++) {
        outside |= small->word[i] & ~large->word[i];
    }
    return outside == 0;
}

static bool axis_set_empty(const struct axis_set *set)
{
    struct axis_set none = {{0}};

    return is_subset(set, &none);
}

/* The axes in which two points differ. */
static struct axis_set differing(const uint8_t *one, const uint8_t *other, uint32_t axes)
{
    struct axis_set set = {{0}};

    for (uint32_t axis = 0; axis < axes; axis++) {
        if (one[axis] != other[axis]) {
            axis_set_add(&set, axis);
        }
    }
    return set;
}

/* Does @values have the values of @where on the axes @named? */
static bool matches(const struct conjunction *where, const struct axis_set *named,
                    const uint8_t *values)
{
    for (uint32_t i = 0; i < ARRAY_COUNT(named->word); i++) {
        for (uint64_t rest = named->word[i]; rest; rest &= rest - 1) {
            uint32_t axis = i * 64 + (uint32_t)__builtin_ctzll(rest);
            if (where->value[axis] != values[axis]) {
                return false;
            }
        }
    }
    return true;
}

/* Does a fold other than number @but cover a point? */
static bool is_covered(const struct folding *f, const uint8_t *values, uint8_t symptom,
                       uint32_t but)
{
    for (uint32_t i = 0; i < f->count; i++) {
        if (i != but && !f->gone[i] && f->fold[i].symptom == symptom &&
            matches(&f->fold[i].where, &f->named[i], values)) {
            return true;
        }
    }
    return false;
}

/* The values of a point that fails and that no fold covers. Out: false: it is none. */
static bool is_open(struct folding *f, uint64_t number, uint8_t symptom, uint8_t *values)
{
    if (symptom < SYMPTOM_FIRST) {
        return false;
    }
    f->source->values(f->source->context, number, values);
    return !is_covered(f, values, symptom, FOLDS_MAX);
}

static uint8_t symptom_of_point(struct folding *f, uint64_t number)
{
    f->looked++;
    return f->source->symptom(f->source->context, number);
}

/* ---- scans ----------------------------------------------------------------------------------------- */

/* Go through all points that match @where, those from @start on first. */
static void scan_begin(struct folding *f, uint64_t start)
{
    f->position = start;
    f->wrapped = false;
    f->points = 0;
    f->witness_size = ~0u;
}

/* The next point that may match. Out: false: that was all; @start as in scan_begin(). */
static bool scan_next(struct folding *f, const struct conjunction *where, uint64_t start,
                      uint64_t *number)
{
    const struct fold_source *source = f->source;

    while (true) {
        uint64_t end = f->wrapped ? start : source->points;
        uint64_t at = f->position;
        if (at < end && source->next) {
            at = source->next(source->context, where, at);
        }
        if (at < end) {
            *number = at;
            f->position = at + 1;
            return true;
        }
        if (f->wrapped) {
            return false;
        }
        f->wrapped = true;
        f->position = 0;
    }
}

/* ---- samples --------------------------------------------------------------------------------------- */

/* The point that a fold is to be made for is @at. */
static void begin_fold(struct folding *f)
{
    f->random = f->at;
    f->sampled = f->samples_seen = 0;
    f->far = false;
    memset(f->lost, 0, sizeof(f->lost));
    f->aparts = 0;
    f->dropping = false;
    f->stage = STAGE_SAMPLE;
}

/* Every sample so far has the same chance to stay. */
static void take_sample(struct folding *f, const uint8_t *values)
{
    uint64_t place = f->samples_seen++;

    if (place >= FOLD_SAMPLES) {
        place = next_random(&f->random) % f->samples_seen;
    }
    if (place >= FOLD_SAMPLES) {
        return;
    }
    for (uint32_t axis = 0; axis < f->source->axes; axis++) {
        uint64_t *lost = &f->lost[axis][place / 64];
        *lost &= ~BIT(place % 64);
        *lost |= values[axis] != f->values[axis] ? BIT(place % 64) : 0;
    }
}

static void add_example(struct folding *f, const uint8_t *values);

static void end_samples(struct folding *f)
{
    f->stage = STAGE_GUESS;
    for (uint32_t i = 0; i < f->examples && i < FOLD_EXAMPLES; i++) {
        if (f->example_symptom[i] != f->symptom) {
            add_example(f, f->example[i]);
        }
    }
}

/* One point more: first those right behind the one in question, then any behind it. */
static void sample(struct folding *f)
{
    uint64_t rest = f->source->points - f->at - 1, number = f->at + 1;
    uint8_t values[SPACE_AXES];

    if (!f->far && (f->sampled == SAMPLE_NEAR || f->samples_seen >= SAMPLE_ENOUGH)) {
        f->far = true;
        f->sampled = 0;
    }
    if (f->far ? f->sampled == SAMPLE_FAR || f->samples_seen >= 2 * SAMPLE_ENOUGH
               : f->sampled == rest) {
        end_samples(f);
        return;
    }
    number += f->far ? next_random(&f->random) % rest : f->sampled;
    f->sampled++;
    if (symptom_of_point(f, number) == f->symptom && is_open(f, number, f->symptom, values)) {
        take_sample(f, values);
    }
}

/* ---- examples -------------------------------------------------------------------------------------- */

static void begin_dropping(struct folding *f);

/*
 * A point with @values is not to be covered. Of two reasons one of which includes the other, the
 * smaller is enough. When there are too many, the search goes another way.
 */
static void add_example(struct folding *f, const uint8_t *values)
{
    struct axis_set apart = differing(values, f->values, f->source->axes);
    uint32_t kept = 0;

    if (axis_set_empty(&apart)) {
        return; /* nothing can be done about it; the verification will come to it */
    }
    for (uint32_t i = 0; i < f->aparts; i++) {
        if (is_subset(&f->apart[i], &apart)) {
            return;
        }
    }
    for (uint32_t i = 0; i < f->aparts; i++) {
        if (!is_subset(&apart, &f->apart[i])) {
            f->apart[kept++] = f->apart[i];
        }
    }
    f->aparts = kept;
    if (kept < FOLD_APART) {
        f->apart[f->aparts++] = apart;
    } else if (!f->dropping) {
        begin_dropping(f);
    }
}

static void remember_example(struct folding *f, const uint8_t *values, uint8_t symptom)
{
    uint32_t place = f->examples++ % FOLD_EXAMPLES;

    memcpy(f->example[place], values, f->source->axes);
    f->example_symptom[place] = symptom;
}

/* ---- the cheapest conjunction ---------------------------------------------------------------------- */

static uint32_t weight_of(const struct folding *f, uint32_t axis)
{
    return f->source->weight ? f->source->weight[axis] : 1;
}

/* What naming @axis adds to the cost. */
static uint32_t price(const struct folding *f, const struct fold_choice *choice, uint32_t axis)
{
    uint32_t lost = 0;

    for (uint32_t i = 0; i < FOLD_SAMPLES / 64; i++) {
        lost += bits_set(f->lost[axis][i] & ~choice->lost[i]);
    }
    return lost * COST_OF_LOST + weight_of(f, axis);
}

/* @next is @choice with @axis named. */
static void name_axis(const struct folding *f, const struct fold_choice *choice, uint32_t axis,
                      struct fold_choice *next)
{
    next->chosen = choice->chosen;
    next->excluded = choice->excluded;
    axis_set_add(&next->chosen, axis);
    next->cost = choice->cost + price(f, choice, axis);
    for (uint32_t i = 0; i < FOLD_SAMPLES / 64; i++) {
        next->lost[i] = choice->lost[i] | f->lost[axis][i];
    }
    for (uint32_t i = 0; i < FOLD_APART / 64; i++) {
        next->unmet[i] = choice->unmet[i];
    }
    for (uint32_t i = 0; i < f->aparts; i++) {
        if (axis_set_has(&f->apart[i], axis)) {
            next->unmet[i / 64] &= ~BIT(i % 64);
        }
    }
}

/*
 * Among the reasons not met yet, the one whose cheapest axis costs most: something of it must be
 * named. *@least: what that costs at least. Out: its number, or @aparts: all are met.
 */
static uint32_t hardest_reason(const struct folding *f, const struct fold_choice *choice,
                               const uint32_t *prices, uint32_t *least)
{
    uint32_t hardest = f->aparts, fewest = 0;

    *least = 0;
    for (uint32_t i = 0; i < f->aparts; i++) {
        if (!((choice->unmet[i / 64] >> (i % 64)) & 1)) {
            continue;
        }
        uint32_t cheapest = ~0u, count = 0;
        for (uint32_t word = 0; word < ARRAY_COUNT(f->apart[i].word); word++) {
            uint64_t rest = f->apart[i].word[word] & ~choice->excluded.word[word];
            for (; rest; rest &= rest - 1) {
                uint32_t axis = word * 64 + (uint32_t)__builtin_ctzll(rest);
                cheapest = prices[axis] < cheapest ? prices[axis] : cheapest;
                count++;
            }
        }
        if (hardest == f->aparts || cheapest > *least || (cheapest == *least && count < fewest)) {
            hardest = i;
            *least = cheapest;
            fewest = count;
        }
    }
    return hardest;
}

/* What to try at this step: the axes of the hardest reason, cheapest first. Out: false: nothing. */
static bool open_choice(const struct folding *f, struct fold_choice *choice, uint32_t best)
{
    uint32_t prices[SPACE_AXES], least;

    choice->count = choice->tried = 0;
    for (uint32_t axis = 0; axis < f->source->axes; axis++) {
        prices[axis] = price(f, choice, axis);
    }
    uint32_t reason = hardest_reason(f, choice, prices, &least);
    if (least == ~0u || choice->cost + least >= best) {
        return false;
    }
    for (uint32_t axis = 0; axis < f->source->axes; axis++) {
        if (axis_set_has(&f->apart[reason], axis) && !axis_set_has(&choice->excluded, axis)) {
            uint32_t at = choice->count++;
            for (; at && prices[choice->axis[at - 1]] > prices[axis]; at--) {
                choice->axis[at] = choice->axis[at - 1];
            }
            choice->axis[at] = (uint8_t)axis;
        }
    }
    return true;
}

/*
 * The cheapest set of axes that meets all reasons, by branch and bound; within CHOICES_MAX steps: the
 * first descent always arrives. Out: steps that it took.
 */
static uint32_t guess(struct folding *f)
{
    uint32_t limit = f->count < FOLDS_MANY ? CHOICES_MAX : CHOICES_LATER;
    uint32_t depth = 0, steps = 0, best = ~0u;
    struct fold_choice *root = &f->choice[0];

    *root = (struct fold_choice){0};
    for (uint32_t i = 0; i < f->aparts; i++) {
        root->unmet[i / 64] |= BIT(i % 64);
    }
    f->candidate = root->chosen;
    if (!f->aparts || !open_choice(f, root, best)) {
        return 1;
    }
    while (true) {
        struct fold_choice *choice = &f->choice[depth], *next = choice + 1;
        if (choice->tried == choice->count || (best != ~0u && steps >= limit)) {
            if (!depth) {
                return steps + 1;
            }
            depth--;
            continue;
        }
        uint32_t axis = choice->axis[choice->tried++];
        uint64_t unmet = 0;
        name_axis(f, choice, axis, next);
        axis_set_add(&choice->excluded, axis); /* sets with it are behind us then */
        steps++;
        for (uint32_t i = 0; i < FOLD_APART / 64; i++) {
            unmet |= next->unmet[i];
        }
        if (next->cost >= best) {
            continue;
        }
        if (!unmet) {
            best = next->cost;
            f->candidate = next->chosen;
        } else if (open_choice(f, next, best)) {
            depth++;
        }
    }
}

/* The way out when there are too many reasons: name everything, then leave out what can be. */
static void begin_dropping(struct folding *f)
{
    struct fold_choice none = {0};

    f->dropping = true;
    f->kept = (struct axis_set){{0}};
    f->drops = 0;
    for (uint32_t axis = 0; axis < f->source->axes; axis++) {
        uint32_t at = axis;
        axis_set_add(&f->kept, axis);
        for (; at && price(f, &none, f->drop_order[at - 1]) < price(f, &none, axis); at--) {
            f->drop_order[at] = f->drop_order[at - 1];
        }
        f->drop_order[at] = (uint8_t)axis;
    }
}

/* Is there a known reason against @set? */
static bool is_refuted(const struct folding *f, const struct axis_set *set)
{
    for (uint32_t i = 0; i < f->aparts; i++) {
        if (!axis_set_meets(&f->apart[i], set)) {
            return true;
        }
    }
    return false;
}

/* The search may have ended early: an axis that no reason asks for goes. */
static void prune(struct folding *f)
{
    for (uint32_t axis = f->source->axes; axis--;) {
        struct axis_set without = f->candidate;
        axis_set_remove(&without, axis);
        if (axis_set_has(&f->candidate, axis) && !is_refuted(f, &without)) {
            f->candidate = without;
        }
    }
}

/* The next candidate of this way: without one axis more, or at its end what was kept. */
static void drop_next(struct folding *f)
{
    f->candidate = f->kept;
    while (f->drops < f->source->axes) {
        axis_set_remove(&f->candidate, f->drop_order[f->drops++]);
        if (!is_refuted(f, &f->candidate)) {
            return;
        }
        f->candidate = f->kept;
    }
    f->drops++; /* the last one */
}

static void begin_verify(struct folding *f)
{
    memset(f->where.value, FOLD_ANY, sizeof(f->where.value));
    for (uint32_t axis = 0; axis < f->source->axes; axis++) {
        if (axis_set_has(&f->candidate, axis)) {
            f->where.value[axis] = f->values[axis];
        }
    }
    scan_begin(f, f->at);
    f->stage = STAGE_VERIFY;
}

/* ---- verification ---------------------------------------------------------------------------------- */

static void count_point(struct folding *f, uint64_t number, const uint8_t *values)
{
    uint32_t size = 0;

    for (uint32_t axis = 0; axis < f->source->real; axis++) {
        size += values[axis] != 0;
    }
    f->points++;
    if (size < f->witness_size || (size == f->witness_size && number < f->witness)) {
        f->witness_size = size;
        f->witness = number;
    }
}

static void add_fold(struct folding *f)
{
    f->named[f->count] = f->candidate;
    f->start[f->count] = f->at;
    f->gone[f->count] = false;
    f->fold[f->count++] = (struct fold){
        .where = f->where, .symptom = f->symptom, .points = f->points, .witness = f->witness};
    f->at++;
    f->stage = STAGE_SEEK;
}

/* The candidate covers all that it should and nothing else. */
static void candidate_holds(struct folding *f)
{
    if (f->dropping && f->drops <= f->source->axes) {
        f->kept = f->candidate;
        f->stage = STAGE_GUESS;
        return;
    }
    add_fold(f);
}

/* A point with @values is in the candidate and should not be. */
static void candidate_fails(struct folding *f, const uint8_t *values, uint8_t symptom)
{
    struct axis_set apart = differing(values, f->values, f->source->axes);

    f->stage = STAGE_GUESS;
    if (axis_set_empty(&apart)) {
        f->left++; /* the very same values, another symptom */
        f->at++;
        f->stage = STAGE_SEEK;
        return;
    }
    if (!f->dropping) {
        remember_example(f, values, symptom);
        add_example(f, values);
    }
}

static void verify(struct folding *f)
{
    uint8_t values[SPACE_AXES];
    uint64_t number;

    if (!scan_next(f, &f->where, f->at, &number)) {
        candidate_holds(f);
        return;
    }
    uint8_t symptom = symptom_of_point(f, number);
    if (symptom == SYMPTOM_NOT_RUN) {
        return;
    }
    f->source->values(f->source->context, number, values);
    if (!matches(&f->where, &f->candidate, values)) {
        return;
    }
    if (symptom == f->symptom) {
        count_point(f, number, values);
    } else {
        candidate_fails(f, values, symptom);
    }
}

/* ---- seeking, reducing, counting ------------------------------------------------------------------- */

/* Folds with few points first. */
static void begin_reduce(struct folding *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t at = i;
        for (; at && f->fold[f->reduce[at - 1]].points > f->fold[i].points; at--) {
            f->reduce[at] = f->reduce[at - 1];
        }
        f->reduce[at] = (uint8_t)i;
    }
    f->reduced = 0;
    f->stage = STAGE_REDUCE;
    if (f->count) {
        scan_begin(f, f->start[f->reduce[0]]);
    }
}

static void end_reduce(struct folding *f)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < f->count; i++) {
        if (!f->gone[i]) {
            f->fold[kept] = f->fold[i];
            f->named[kept] = f->named[i];
            f->start[kept++] = f->start[i];
        }
    }
    memset(f->gone, 0, sizeof(f->gone));
    f->count = kept;
    f->stage = STAGE_END;
}

static void reduce(struct folding *f)
{
    uint8_t values[SPACE_AXES];
    uint64_t number;

    if (f->reduced == f->count) {
        end_reduce(f);
        return;
    }
    uint32_t i = f->reduce[f->reduced];
    bool more = scan_next(f, &f->fold[i].where, f->start[i], &number), needed = false;
    if (more && symptom_of_point(f, number) == f->fold[i].symptom) {
        f->source->values(f->source->context, number, values);
        needed = matches(&f->fold[i].where, &f->named[i], values) &&
                 !is_covered(f, values, f->fold[i].symptom, i);
    }
    if (!more || needed) {
        f->gone[i] = !needed;
        if (++f->reduced < f->count) {
            scan_begin(f, f->start[f->reduce[f->reduced]]);
        }
    }
}

/* From @at on to a point that may fail. */
static void skip_to_failing(struct folding *f)
{
    if (f->source->failing && f->at < f->source->points) {
        f->at = f->source->failing(f->source->context, f->at);
    }
}

static void seek(struct folding *f)
{
    skip_to_failing(f);
    if (f->at == f->source->points) {
        begin_reduce(f);
        return;
    }
    uint8_t symptom = symptom_of_point(f, f->at);
    if (!is_open(f, f->at, symptom, f->values)) {
        f->at++;
        return;
    }
    if (f->count == FOLDS_MAX) {
        f->full = true;
        f->stage = STAGE_LEFT;
        return;
    }
    f->symptom = symptom;
    begin_fold(f);
}

static void count_left(struct folding *f)
{
    uint8_t values[SPACE_AXES];

    skip_to_failing(f);
    if (f->at == f->source->points) {
        begin_reduce(f);
        return;
    }
    f->left += is_open(f, f->at, symptom_of_point(f, f->at), values);
    f->at++;
}

/* ---- the way in ------------------------------------------------------------------------------------ */

void folding_begin(struct folding *f, const struct fold_source *source)
{
    memset(f, 0, sizeof(*f));
    f->source = source;
    f->stage = STAGE_SEEK;
}

enum fold_state folding_step(struct folding *f, uint64_t budget)
{
    uint64_t spent = 0;

    while (spent < budget && f->stage != STAGE_END) {
        uint64_t cost = 1;
        switch ((enum stage)f->stage) {
        case STAGE_SEEK:
            seek(f);
            break;
        case STAGE_SAMPLE:
            sample(f);
            break;
        case STAGE_GUESS:
            if (f->dropping) {
                drop_next(f);
            } else {
                cost = guess(f) * CHOICE_COST;
                prune(f);
            }
            begin_verify(f);
            break;
        case STAGE_VERIFY:
            verify(f);
            break;
        case STAGE_LEFT:
            count_left(f);
            break;
        case STAGE_REDUCE:
            reduce(f);
            break;
        case STAGE_END:
            break;
        }
        spent += cost;
    }
    if (f->stage != STAGE_END) {
        return FOLD_MORE;
    }
    return f->full ? FOLD_TOO_MANY : FOLD_DONE;
}
