/*
 * matrix.c: see matrix.h. A part is a source of points; each point is acted out (stage.h), asked of
 * the model, judged, and leaves one small number: the way it failed. Folding begins when all parts are done, one
 * defect after the other.
 *
 *   rows      points of arrays, lists and soaks: their values are kept, one row each
 *   product   the exhaustive sweep: values follow from a point's number, 4 bits are kept of each
 */
#include "matrix.h"

#include "quick.h"
#include "rows.h"
#include "sweep.h"
#include "tests/harness/deviation.h"
#include "tests/matrix/covering.h"
#include "tests/matrix/wrong.h"
#include "tests/report/sink.h"
#include "x86/instructions.h"
#include "x86/memory.h"

/* CR2 before each access: what a #GP has to leave there. */
#define CR2_BEFORE UINT64_C(0x0000123456789abc)

/* The last of each takes all that do not fit, unexplained. */
#define DEFECTS    32u    /* things that are wrong with this machine */
#define WAYS       64u    /* sets of defects that were met together at a point; 0: none */
#define CODES      16u    /* ways that the 4 bits tell apart that the product keeps of a point */
#define FOLD_STEP  20000u /* points that one folding step looks at */
#define ROWS_QUICK 16384u
#define ROWS_FULL  131072u

/* Two points a byte, in whole words. */
#define NIBBLE_BYTES(points) (((points) + 15) / 16 * 8)

struct part_kind {
    const char *name, *title;
    enum covering_state (*next)(struct matrix_part *part, struct point *point);
    void (*begin)(struct matrix_part *part);
    uint32_t cost;   /* of a point, relative to the others: for the remaining time */
    uint32_t points; /* about so many, until the part knows better */
};

static struct {
    const struct machine *m;
    struct model_wrong wrong;
    uint8_t levels; /* of 1 << value of AXIS_LEVELS: which modes are wanted */
    uint64_t seed, soak_ticks;
    struct space everything, space;

    struct matrix_part part[MATRIX_PARTS_MAX];
    const struct part_kind *kind[MATRIX_PARTS_MAX];
    uint32_t parts, begun; /* @begun: parts that have begun */
    uint32_t left_out;     /* 1 << part */
    uint64_t at;           /* in the part that runs */
    unsigned open;         /* levels that the stage is open for, 0: closed */
    struct point current;

    struct rows rows;
    uint32_t chapters; /* of a soak: how often @rows was folded and begun anew */
    bool full;         /* it is being folded */
    uint8_t *nibbles;  /* two points of the product a byte */
    uint64_t product;
    struct covering covering;
    void *covering_memory;

    /*
     * What is wrong, one thing each, and by which entry of deviations[] it is explained: the same
     * difference with and without an explanation is two, so that all points of a fold are known, or none.
     */
    struct defect {
        struct symptom symptom; /* one part of it (symptom_split) */
        uint16_t deviation;     /* as deviation_find_point() */
    } defect[DEFECTS];
    uint32_t defects;
    uint32_t way[WAYS]; /* of 1 << defect */
    uint32_t ways;
    uint8_t code[CODES];
    uint32_t codes;
    uint64_t rule_count[MODEL_ROWS_MAX];
    struct matrix_choice choice[MODEL_ROWS_MAX];

    uint32_t folded; /* the defect of which folds are being made */
    bool folding_begun;
    uint32_t taken; /* of its folds, how many are in @fold */
    uint64_t unfolded;
    struct fold_source source;
    struct folding *folding;
    struct matrix_fold *fold;
    uint32_t folds;
} run;

/* ---- acting out and judging one point -------------------------------------------------------------- */

static void open_stage(unsigned levels)
{
    if (run.open == levels) {
        return;
    }
    if (run.open) {
        stage_close();
    }
    run.open = levels;
    if (levels) {
        stage_open(levels);
    }
}

static void act(const struct point *point, struct matrix_case *c)
{
    unsigned nearest = 0;

    c->point = run.current = *point;
    c->missing = 0;
    open_stage(point_levels(point));
    point_scene(point, stage_ground(point_levels(point)), &c->scene);
    point_question(point, run.m, &c->scene, CR2_BEFORE, &c->question);
    model_ask(&c->question, &run.wrong, &c->answer);
    stage_run(point, &c->scene, CR2_BEFORE, &c->got);
    stage_as_model_sees(&c->scene, &c->got, &c->seen);
    c->allowed = model_allows(&c->answer, &c->seen) && !c->got.rip_wrong && !c->got.memory_wrong;
    c->symptom = (struct symptom){0};
    if (!c->allowed) {
        symptom_of(&c->answer, &c->seen, c->got.rip_wrong, c->got.memory_wrong, &c->symptom,
                   &nearest);
    }
    c->nearest = (uint8_t)nearest;
}

/* What a point needs and this machine lacks: enum cpu_feature + 1, 0: nothing. */
static unsigned missing_feature(const struct point *point)
{
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        unsigned missing = axis_missing(axis, point->value[axis], run.m);
        if (missing) {
            return missing;
        }
    }
    return 0;
}

void matrix_point(const struct point *point, struct matrix_case *result)
{
    result->point = *point;
    result->missing = missing_feature(point);
    if (!result->missing) {
        act(point, result);
        open_stage(0);
    }
}

const struct point *matrix_current(void)
{
    return &run.current;
}

void matrix_recover(void)
{
    run.open = 0;
}

/* ---- results --------------------------------------------------------------------------------------- */

/* @values: of the point, FOLD_AXES of them. */
static uint32_t find_defect(const struct symptom *part, const uint8_t *values)
{
    uint16_t deviation = deviation_find_point(part, values, run.m);

    for (uint32_t i = 0; i < run.defects; i++) {
        if (run.defect[i].deviation == deviation && symptom_equal(&run.defect[i].symptom, part)) {
            return i;
        }
    }
    if (run.defects == DEFECTS - 1) {
        return DEFECTS - 1;
    }
    run.defect[run.defects] = (struct defect){*part, deviation};
    return run.defects++;
}

static uint8_t find_way(const struct symptom *symptom, const uint8_t *values)
{
    struct symptom part[SYMPTOM_PARTS];
    unsigned parts = symptom_split(symptom, part);
    uint32_t set = 0;

    for (unsigned i = 0; i < parts; i++) {
        set |= 1u << find_defect(&part[i], values);
    }
    for (uint32_t i = 1; i < run.ways; i++) {
        if (run.way[i] == set) {
            return (uint8_t)i;
        }
    }
    if (run.ways == WAYS - 1) {
        run.way[WAYS - 1] |= 1u << (DEFECTS - 1);
        return WAYS - 1;
    }
    run.way[run.ways] = set;
    return (uint8_t)run.ways++;
}

/* Is all that is wrong explained? */
static bool way_known(uint8_t way)
{
    for (uint32_t set = run.way[way]; set; set &= set - 1) {
        if (!run.defect[__builtin_ctz(set)].deviation) {
            return false;
        }
    }
    return true;
}

static void note_answer(const struct matrix_case *c)
{
    for (uint64_t rules = c->answer.rules; rules; rules &= rules - 1) {
        run.rule_count[__builtin_ctzll(rules)]++;
    }
    for (uint64_t choices = c->answer.choices; choices; choices &= choices - 1) {
        unsigned row = (unsigned)__builtin_ctzll(choices);
        struct matrix_choice *choice = &run.choice[row];
        unsigned way = model_way(&c->question, row, &c->seen);
        choice->open++;
        if (way < MODEL_WAYS) {
            choice->taken[way]++;
        }
    }
}

static void count_failure(struct matrix_part *part, uint8_t way)
{
    if (way_known(way)) {
        part->known++;
    } else {
        part->failed++;
    }
}

/* Points of later chapters that pass where an earlier one had only failing ones. */
static void count_against(const uint8_t *values)
{
    for (uint32_t i = 0; i < run.folds; i++) {
        run.fold[i].against += conjunction_matches(&run.fold[i].where, values, FOLD_AXES);
    }
}

static void keep_row(uint32_t part, const struct matrix_case *c)
{
    uint8_t values[FOLD_AXES], way = 0;

    memcpy(values, c->point.value, AXIS_COUNT);
    point_derived(&c->point, &c->answer, values + AXIS_COUNT);
    run.part[part].run++;
    if (c->allowed) {
        run.part[part].passed++;
        count_against(values);
    } else {
        way = find_way(&c->symptom, values);
        count_failure(&run.part[part], way);
    }
    rows_add(&run.rows, values, way, part);
}

static uint8_t product_way(uint64_t number)
{
    return run.code[(run.nibbles[number / 2] >> (number % 2 * 4)) & 0xf];
}

static void set_product_way(uint64_t number, uint8_t way)
{
    uint8_t *at = &run.nibbles[number / 2];
    unsigned shift = number % 2 * 4, code = 0;

    while (code < run.codes && run.code[code] != way) {
        code++;
    }
    if (code == run.codes && code < CODES - 1) {
        run.code[run.codes++] = way;
    }
    *at = (uint8_t)((*at & ~(0xfu << shift)) | code << shift);
}

/* ---- parts: where points come from ----------------------------------------------------------------- */

static bool wanted_allows(const struct space *space, const uint8_t *point, uint32_t axis,
                          uint32_t value)
{
    (void)space;
    return !(axis == AXIS_LEVELS && !((run.levels >> value) & 1)) &&
           run.everything.allows(&run.everything, point, axis, value);
}

static void begin_array(struct matrix_part *part, uint32_t strength)
{
    covering_begin(&run.covering, &run.space, strength, run.seed, run.covering_memory);
    for (uint32_t i = 0; i < run.rows.count; i++) {
        uint8_t values[FOLD_AXES];
        rows_values(&run.rows, i, values);
        covering_take(&run.covering, values);
    }
    part->tuples = run.covering.tuples;
}

static void begin_pairs(struct matrix_part *part)
{
    begin_array(part, 2);
}

static void begin_triples(struct matrix_part *part)
{
    begin_array(part, 3);
}

static enum covering_state next_of_array(struct matrix_part *part, struct point *point)
{
    enum covering_state state = covering_next(&run.covering, point->value);

    part->tuples_covered = run.covering.covered;
    part->tuples_here = run.covering.tuples - run.covering.illegal;
    /* So many combinations does a point cover in the end, on machines of every kind. */
    uint64_t about = part->tuples_here / (run.covering.strength == 2 ? 18 : 58);
    part->planned = state == COVERING_DONE ? part->run : about > part->run ? about : part->run + 1;
    return state;
}

static void begin_needed(struct matrix_part *part)
{
    part->planned = quick_needed_count;
}

/*
 * Points that this machine cannot run are counted; those of the array are not run twice. Most are
 * written for 4 levels and EFER.NXE=1: a run of nothing but 5 takes them with 5, and a processor
 * without NX with NXE=0.
 */
static enum covering_state next_needed(struct matrix_part *part, struct point *point)
{
    const char *word;
    unsigned length;

    while (run.at < quick_needed_count) {
        const char *problem = point_parse(quick_needed[run.at++], NULL, point, &word, &length);
        part->total++;
        if (run.levels == 1u << LEVELS_IS_5) {
            point->value[AXIS_LEVELS] = LEVELS_IS_5;
        }
        if (axis_missing(AXIS_NXE, 0, run.m)) {
            point->value[AXIS_NXE] = 1;
        }
        if (problem || !((run.levels >> point->value[AXIS_LEVELS]) & 1)) {
            part->planned--;
            continue; /* test_quick.c proves that all of them parse */
        }
        part->legal++;
        if (!space_legal(&run.space, point->value)) {
            part->skipped++;
            part->planned--;
        } else if (rows_have(&run.rows, point)) {
            part->planned--;
        } else {
            return COVERING_ROW;
        }
    }
    return COVERING_DONE;
}

/* A number that follows from the seed and a count: any point can be made again by itself. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/*
 * Each axis has its default in half of all points, an entry's P R/W U/S XD in seven of eight: else
 * nearly every walk would end at an absent entry.
 */
static void random_point(uint64_t number, struct point *point)
{
    uint64_t random = mix(run.seed ^ mix(number));

    *point = (struct point){0};
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        bool rare = axis >= AXIS_ENTRY && axis < AXIS_D;
        uint64_t dice = random = mix(random);
        if ((dice & (rare ? 7 : 1)) != 0 && run.space.allows(&run.space, point->value, axis, 0)) {
            continue;
        }
        uint8_t allowed[256];
        unsigned count = 0;
        for (unsigned value = 0; value < axis_values(axis); value++) {
            if (run.space.allows(&run.space, point->value, axis, value)) {
                allowed[count++] = (uint8_t)value;
            }
        }
        point->value[axis] = allowed[(dice >> 8) % count];
    }
}

static void begin_soak(struct matrix_part *part)
{
    part->planned = 0;
}

static enum covering_state next_of_soak(struct matrix_part *part, struct point *point)
{
    part->planned = part->run + 1;
    if (part->run && part->ticks > part->run && part->ticks < run.soak_ticks) {
        part->planned = run.soak_ticks / (part->ticks / part->run);
    }
    if (part->ticks >= run.soak_ticks) {
        part->planned = part->run;
        return COVERING_DONE;
    }
    random_point(run.at++, point);
    return COVERING_ROW;
}

static void begin_sweep(struct matrix_part *part)
{
    part->planned = run.product;
}

static const struct part_kind pairs = {
    "pairs", "every pair of values", next_of_array, begin_pairs, 8, 900};
static const struct part_kind needed = {
    "needed", "what pairs may miss", next_needed, begin_needed, 8, 70};
static const struct part_kind exhaustive = {
    "exhaustive", "every right of every two levels", NULL, begin_sweep, 1, 0};
static const struct part_kind triples = {
    "triples", "every three values", next_of_array, begin_triples, 300, 15600};
static const struct part_kind soak = {
    "random", "random points from the seed", next_of_soak, begin_soak, 8, 0};

static const struct part_kind *const plans[][MATRIX_PARTS_MAX] = {
    [MATRIX_QUICK] = {&pairs,    &needed},
    [MATRIX_FULL] = {&pairs,         &needed, &exhaustive, &triples},
    [MATRIX_SOAK] = {&soak},
    [MATRIX_NONE] = {NULL}, /* points by themselves */
};

/* ---- folds ----------------------------------------------------------------------------------------- */

static void source_values(void *context, uint64_t number, uint8_t *values)
{
    (void)context;
    if (number < run.rows.count) {
        rows_values(&run.rows, (uint32_t)number, values);
    } else {
        sweep_values(run.m, number - run.rows.count, values);
    }
}

/* Does a point that failed that way have the defect that is being folded? */
static bool fails(uint8_t way)
{
    return (run.way[way] >> run.folded) & 1;
}

/* Where another vector came than should have, nothing else can be seen. */
static bool hides(uint8_t way)
{
    for (uint32_t set = run.way[way]; set; set &= set - 1) {
        const struct symptom *symptom = &run.defect[__builtin_ctz(set)].symptom;
        if (symptom->vector_expected != symptom->vector_got) {
            return true;
        }
    }
    return false;
}

static uint8_t source_symptom(void *context, uint64_t number)
{
    (void)context;
    uint8_t way = number < run.rows.count ? (uint8_t)rows_way(&run.rows, (uint32_t)number)
                                          : product_way(number - run.rows.count);

    if (fails(way)) {
        return SYMPTOM_FIRST;
    }
    return (uint8_t)(hides(way) ? SYMPTOM_NOT_RUN : SYMPTOM_PASS);
}

static uint64_t source_next(void *context, const struct conjunction *where, uint64_t from)
{
    (void)context;
    if (from < run.rows.count) {
        from = rows_next(&run.rows, where, (uint32_t)from);
    }
    if (from < run.rows.count || !run.product) {
        return from;
    }
    return run.rows.count + sweep_next(run.m, where, from - run.rows.count);
}

static uint64_t source_failing(void *context, uint64_t from)
{
    (void)context;
    while (from < run.rows.count && !fails((uint8_t)rows_way(&run.rows, (uint32_t)from))) {
        from++;
    }
    /* Sixteen points of the product at a time: 0 is the code of those that passed. */
    while (from >= run.rows.count && from < run.source.points) {
        uint64_t number = from - run.rows.count, sixteen;
        memcpy(&sixteen, &run.nibbles[number / 16 * 8], sizeof(sixteen));
        if (sixteen == 0) {
            from = run.rows.count + (number / 16 + 1) * 16;
        } else if (!fails(product_way(number))) {
            from++;
        } else {
            break;
        }
    }
    return from < run.source.points ? from : run.source.points;
}

static uint32_t part_of(uint64_t number)
{
    for (uint32_t i = 0; number >= run.rows.count && i < run.parts; i++) {
        if (run.kind[i] == &exhaustive) {
            return i;
        }
    }
    return rows_part(&run.rows, (uint32_t)number);
}

/* Is @part among what is wrong with @c? */
static bool shows(const struct matrix_case *c, const struct symptom *part)
{
    struct symptom parts[SYMPTOM_PARTS];
    unsigned count = c->allowed ? 0 : symptom_split(&c->symptom, parts);

    for (unsigned i = 0; i < count; i++) {
        if (symptom_equal(&parts[i], part)) {
            return true;
        }
    }
    return false;
}

/* Act the fold's witness out once more. */
static void conclude_fold(const struct fold *from, struct matrix_fold *fold)
{
    struct point point;
    uint8_t values[FOLD_AXES];

    source_values(NULL, from->witness, values);
    memcpy(point.value, values, AXIS_COUNT);
    fold->where = from->where;
    fold->defect = (uint8_t)run.folded;
    fold->against = 0;
    fold->symptom = run.defect[run.folded].symptom;
    fold->deviation = run.defect[run.folded].deviation;
    fold->points = from->points;
    fold->part = (uint16_t)part_of(from->witness);
    matrix_point(&point, &fold->witness);
    fold->repeats = shows(&fold->witness, &fold->symptom);
}

/* A fold that an earlier chapter found, too, is the same one. */
static void take_fold(const struct fold *fold)
{
    for (uint32_t i = 0; i < run.folds; i++) {
        if (run.fold[i].defect == run.folded &&
            memcmp(run.fold[i].where.value, fold->where.value, FOLD_AXES) == 0) {
            run.fold[i].points += fold->points;
            return;
        }
    }
    if (run.folds < FOLDS_MAX) {
        conclude_fold(fold, &run.fold[run.folds]);
        run.folds++;
    } else {
        run.unfolded += fold->points;
    }
}

static bool before(const struct matrix_fold *one, const struct matrix_fold *other)
{
    if (!one->deviation != !other->deviation) {
        return !one->deviation;
    }
    return one->points > other->points;
}

static void sort_folds(void)
{
    for (uint32_t i = 1; i < run.folds; i++) {
        for (uint32_t j = i; j && before(&run.fold[j], &run.fold[j - 1]); j--) {
            struct matrix_fold swapped = run.fold[j];
            run.fold[j] = run.fold[j - 1];
            run.fold[j - 1] = swapped;
        }
    }
}

/* What a point means to the model explains more than the values that it comes from. */
static const uint8_t *fold_weights(void)
{
    static uint8_t weights[FOLD_AXES];

    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        weights[axis] = axis < AXIS_COUNT ? 2 : 1;
    }
    return weights;
}

static void begin_folding(void)
{
    run.source = (struct fold_source){
        .points = run.rows.count + run.product,
        .axes = FOLD_AXES,
        .real = AXIS_COUNT,
        .weight = fold_weights(),
        .values = source_values,
        .symptom = source_symptom,
        .next = source_next,
        .failing = source_failing,
    };
    folding_begin(run.folding, &run.source);
    run.taken = 0;
    run.folding_begun = true;
}

/* Folds of one defect. Out: true: they are complete. */
static bool fold_some(uint64_t until)
{
    if (!run.folding_begun) {
        begin_folding();
    }
    while (folding_step(run.folding, FOLD_STEP) == FOLD_MORE) {
        if (read_tsc() >= until) {
            return false;
        }
    }
    while (run.taken < run.folding->count) {
        take_fold(&run.folding->fold[run.taken++]);
        if (read_tsc() >= until) {
            return false;
        }
    }
    run.unfolded += run.folding->left;
    run.folding_begun = false;
    return true;
}

/* All that is kept now. Out: true: it is done. */
static bool fold_all(uint64_t until)
{
    for (; run.folded < DEFECTS; run.folded++) {
        bool met = run.folded < run.defects || run.way[WAYS - 1];
        if (met && !fold_some(until)) {
            return false;
        }
    }
    run.folded = 0;
    return true;
}

enum matrix_progress matrix_conclude(uint64_t until)
{
    if (!fold_all(until)) {
        return MATRIX_MORE;
    }
    sort_folds();
    return MATRIX_DONE;
}

uint32_t matrix_fold_count(void)
{
    return run.folds;
}

const struct matrix_fold *matrix_fold(uint32_t fold)
{
    return &run.fold[fold];
}

uint64_t matrix_unfolded(void)
{
    return run.unfolded;
}

/* ---- running --------------------------------------------------------------------------------------- */

static void sweep_failed(void *context, const struct sweep_difference *difference)
{
    uint32_t part = (uint32_t)(uintptr_t)context;
    struct symptom symptom;
    uint8_t values[FOLD_AXES];
    unsigned nearest;

    symptom_of(difference->answer, &difference->got, difference->rip_wrong, false, &symptom,
               &nearest);
    sweep_values(run.m, difference->number, values);
    uint8_t way = find_way(&symptom, values);
    set_product_way(difference->number, way);
    count_failure(&run.part[part], way);
}

static bool run_sweep(uint32_t part, uint64_t until)
{
    struct matrix_part *p = &run.part[part];
    bool more = sweep_run(run.m, &run.at, until, sweep_failed, (void *)(uintptr_t)part);

    p->run = run.at;
    p->passed = p->run - p->failed - p->known;
    return more;
}

/* The rows are full. Out: false: there is no room for more points of this part. */
static bool make_room(uint32_t part, uint64_t until)
{
    if (run.kind[part] != &soak) {
        return false;
    }
    run.full = true;
    if (fold_all(until)) {
        run.full = false;
        run.rows.count = 0;
        run.chapters++;
    }
    return true;
}

static bool run_points(uint32_t part, uint64_t until)
{
    static struct matrix_case c;
    struct point point;
    bool more = true;

    do {
        if (run.full || run.rows.count == run.rows.max) {
            more = make_room(part, until);
            continue;
        }
        enum covering_state state = run.kind[part]->next(&run.part[part], &point);
        if (state == COVERING_ROW) {
            act(&point, &c);
            note_answer(&c);
            keep_row(part, &c);
        }
        more = state != COVERING_DONE;
    } while (more && read_tsc() < until);
    open_stage(0);
    return more;
}

enum matrix_progress matrix_run(uint32_t part, uint64_t until)
{
    uint64_t from = read_tsc();

    if (run.begun <= part) {
        run.begun = part + 1;
        run.at = 0;
        run.kind[part]->begin(&run.part[part]);
    }
    bool more = run.kind[part]->next ? run_points(part, until) : run_sweep(part, until);
    run.part[part].ticks += read_tsc() - from;
    return more ? MATRIX_MORE : MATRIX_DONE;
}

void matrix_leave_out(uint32_t part)
{
    run.left_out |= 1u << part;
}

void matrix_done(uint64_t *done, uint64_t *planned)
{
    *done = *planned = 0;
    for (uint32_t i = 0; i < run.parts; i++) {
        const struct matrix_part *part = &run.part[i];
        if ((run.left_out >> i) & 1) {
            continue;
        }
        if (run.kind[i] == &soak) {
            *done += part->ticks;
            *planned += run.soak_ticks;
            continue;
        }
        *done += part->run * run.kind[i]->cost;
        *planned += part->planned * run.kind[i]->cost;
    }
}

uint32_t matrix_part_count(void)
{
    return run.parts;
}

const struct matrix_part *matrix_part(uint32_t part)
{
    return &run.part[part];
}

/* ---- what the machine chose ------------------------------------------------------------------------ */

uint64_t matrix_rule_count(uint32_t row)
{
    return run.rule_count[row] + (run.product ? sweep_rule_count(row) : 0);
}

const struct matrix_choice *matrix_choice(uint32_t row)
{
    return &run.choice[row];
}

static uint64_t hash(uint64_t state, const char *text)
{
    for (; *text; text++) {
        state = (state ^ (uint8_t)*text) * UINT64_C(0x100000001b3); /* FNV-1a */
    }
    return state;
}

/* Over which ways were taken, not how often: the same machine has the same digest with any seed. */
uint64_t matrix_digest(void)
{
    uint64_t state = UINT64_C(0xcbf29ce484222325);

    for (uint32_t row = 0; row < model_row_count; row++) {
        const struct matrix_choice *choice = &run.choice[row];
        if (!choice->open) {
            continue;
        }
        state = hash(state, model_rows[row].name);
        for (unsigned way = 0; way < ARRAY_COUNT(choice->taken); way++) {
            state = hash(state, choice->taken[way] ? "1" : "0");
        }
    }
    return state;
}

/* ---- starting -------------------------------------------------------------------------------------- */

struct carver {
    uint8_t *at;
    size_t left, wanted;
};

static void *carve(struct carver *carver, size_t bytes)
{
    void *taken = carver->at;

    bytes = (bytes + 7) & ~(size_t)7;
    carver->wanted += bytes;
    if (bytes > carver->left) {
        return NULL;
    }
    carver->at += bytes;
    carver->left -= bytes;
    return taken;
}

const char *matrix_start(const struct options *options, const struct machine *m, void *memory,
                         size_t bytes, uint64_t ticks_per_second)
{
    struct carver carver = {.at = memory, .left = bytes};
    bool full = options->matrix == MATRIX_FULL;
    uint32_t rows;

    memset(&run, 0, sizeof(run));
    run.m = m;
    run.seed = options->seed;
    run.soak_ticks = options->soak_seconds * ticks_per_second;
    run.levels = options->levels == LEVELS_4 ? 1 : options->levels == LEVELS_5 ? 2 : 3;
    run.everything = axes_space(m);
    run.space = run.everything;
    run.space.allows = wanted_allows;
    run.ways = 1;
    if (!model_wrong_parse(options->sabotage, &run.wrong)) {
        run.wrong = (struct model_wrong){.slip = MODEL_RIGHT};
    }
    sweep_model(run.wrong.slip == MODEL_RIGHT ? NULL : &run.wrong);
    sweep_levels(run.levels);
    for (; run.parts < MATRIX_PARTS_MAX && plans[options->matrix][run.parts]; run.parts++) {
        const struct part_kind *kind = plans[options->matrix][run.parts];
        run.kind[run.parts] = kind;
        run.part[run.parts] =
            (struct matrix_part){.name = kind->name, .title = kind->title, .planned = kind->points};
        if (kind == &exhaustive) {
            run.part[run.parts].planned = sweep_points(m);
        }
    }
    run.fold = carve(&carver, FOLDS_MAX * sizeof(*run.fold));
    run.folding = carve(&carver, sizeof(*run.folding));
    if (options->matrix != MATRIX_SOAK) {
        run.covering_memory = carve(&carver, covering_bytes(&run.space, full ? 3 : 2));
    }
    if (full) {
        run.product = sweep_points(m);
        run.nibbles = carve(&carver, NIBBLE_BYTES(run.product));
        rows = ROWS_FULL;
    } else if (options->matrix == MATRIX_SOAK) {
        rows = (uint32_t)(carver.left / sizeof(struct row));
    } else {
        rows = ROWS_QUICK;
    }
    rows_begin(&run.rows, carve(&carver, rows * sizeof(struct row)), rows);
    if (carver.wanted > bytes) {
        return "needs more memory than there is below 4 GiB";
    }
    if (full) {
        run.code[CODES - 1] = WAYS - 1;
        run.codes = 1;
        memset(run.nibbles, 0, NIBBLE_BYTES(run.product));
    }
    return NULL;
}
