/*
 * sweep.c: the sweep of the access matrix against the stage, which acts out the same points one at a
 * time. By name only; what emulators do in ways of their own must come out in the same way in both.
 */
#include "table.h"

#include "fault/boot_info.h"
#include "fault/layout.h"
#include "tests/harness/machine.h"
#include "tests/harness/trial.h"
#include "tests/matrix/stage.h"
#include "tests/matrix/sweep.h"
#include "x86/instructions.h"
#include "x86/memory.h"

#define CR2_BEFORE UINT64_C(0x1234000)

/* Places in the product, spread evenly, and points from each on: less than a chunk of the sweep. */
#define PLACES 200u
#define POINTS 16u

/* TSC ticks: too few for more, but enough to begin. */
#define AT_LEAST_A_CHUNK 2000000u

/* What the sweep said of the points from @first on. */
struct heard {
    uint64_t first;
    bool differs[POINTS], rip_wrong[POINTS];
    struct model_got got[POINTS];
};

static void hear(void *context, const struct sweep_difference *difference)
{
    struct heard *heard = context;
    uint64_t at = difference->number - heard->first;

    if (at < POINTS) {
        heard->differs[at] = true;
        heard->rip_wrong[at] = difference->rip_wrong;
        heard->got[at] = difference->got;
    }
}

/* A may be set in any valid entry at any time, so it is not compared. */
static bool same(const struct model_got *one, const struct model_got *other)
{
    bool fault = one->vector != MODEL_NO_FAULT;

    return one->vector == other->vector && one->error == other->error &&
           (!fault || one->cr2 == other->cr2) && one->walk[0].dirty == other->walk[0].dirty &&
           one->other_bits == other->other_bits;
}

static unsigned stage_levels; /* that it is open for; 0: closed */

static void stage_for(unsigned levels)
{
    if (stage_levels != levels) {
        stage_close();
        if (levels) {
            stage_open(levels);
        }
        stage_levels = levels;
    }
}

/* Act out the point of @number by itself. Out: it did as the sweep said. */
static bool agrees(uint64_t number, const struct model_wrong *wrong, const struct heard *heard,
                   bool *differs)
{
    static struct model_question question;
    static struct model_answer answer;
    static struct stage_got got;
    uint64_t at = number - heard->first;
    struct point point;
    struct point_scene scene;
    struct model_got seen;

    sweep_point(&machine, number, &point);
    point_scene(&point, stage_ground(point_levels(&point)), &scene);
    point_question(&point, &machine, &scene, CR2_BEFORE, &question);
    model_ask(&question, wrong, &answer);
    stage_for(point_levels(&point));
    stage_run(&point, &scene, CR2_BEFORE, &got);
    stage_as_model_sees(&scene, &got, &seen);
    *differs = !model_allows(&answer, &seen) || got.rip_wrong || got.memory_wrong;
    return heard->differs[at] == *differs &&
           (!*differs || (same(&heard->got[at], &seen) && heard->rip_wrong[at] == got.rip_wrong));
}

static bool ready(struct trial *trial)
{
    if (stage_start((const struct boot_info *)BOOT_INFO_BASE) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    return true;
}

/* Both all over the product. Judged: they agree; with @something, that there was something to see. */
static void compare(struct trial *trial, const struct model_wrong *wrong, bool something)
{
    static struct heard heard;
    uint64_t points = sweep_points(&machine);
    unsigned disagree = 0, differing = 0, compared = 0, misled = 0;

    if (!ready(trial)) {
        return;
    }
    stage_levels = 0; /* an exception may have ended the last check */
    for (unsigned i = 0; i < PLACES; i++) {
        uint64_t number = points / PLACES * i + i % 7;
        memset(&heard, 0, sizeof(heard));
        heard.first = number;
        sweep_model(wrong);
        bool more = sweep_run(&machine, &number, read_tsc() + AT_LEAST_A_CHUNK, hear, &heard);
        misled += more != (number < points);
        sweep_model(NULL);
        for (uint64_t at = heard.first; at < number && at < heard.first + POINTS; at++) {
            bool differs;
            disagree += !agrees(at, wrong, &heard, &differs);
            differing += differs;
            compared++;
        }
        stage_for(0);
    }
    trial_expect(trial, FIELD_EVENTS, 0, 0, disagree);
    trial_expect(trial, FIELD_EVENTS, 1, 1, compared > PLACES * POINTS / 2);
    trial_expect(trial, FIELD_EVENTS, 2, 0, misled);
    if (something) {
        trial_expect(trial, FIELD_EVENTS, 3, 1, differing > compared / 100);
    }
}

static void agrees_with_stage(struct trial *trial)
{
    compare(trial, NULL, false);
}

/* One that no class of walks can tell (table.h): U/S of the leaf alone makes a supervisor address. */
static struct model_wrong wrong_rule(void)
{
    struct model_wrong wrong = {.slip = MODEL_MISPLACED};

    while (!texts_equal(model_rows[wrong.row].name, "supervisor_address")) {
        wrong.row++;
    }
    return wrong;
}

static void finds_a_wrong_rule(struct trial *trial)
{
    struct model_wrong wrong = wrong_rule();

    compare(trial, &wrong, true);
}

/* The numbers of all differences before @end. */
struct tally {
    uint64_t end, last, count, sum;
    unsigned again; /* numbers that are no higher than the last */
};

static void tally_up(void *context, const struct sweep_difference *difference)
{
    struct tally *tally = context;

    if (difference->number < tally->end) {
        tally->again += tally->count && difference->number <= tally->last;
        tally->last = difference->number;
        tally->count++;
        tally->sum += difference->number;
    }
}

/* From @number to tally->end, in runs of @ticks. Out: how many. */
static unsigned tally_all(uint64_t number, uint64_t ticks, struct tally *tally)
{
    unsigned runs = 0;

    while (number < tally->end &&
           sweep_run(&machine, &number, read_tsc() + ticks, tally_up, tally)) {
        runs++;
    }
    return runs;
}

/* Ended after each chunk and not before the end, the sweep finds the same. */
static void goes_on_where_it_ended(struct trial *trial)
{
    struct model_wrong wrong = wrong_rule();
    uint64_t first = sweep_points(&machine) / 3;
    struct tally small = {.end = first + 20000}, large = small;

    if (!ready(trial)) {
        return;
    }
    sweep_model(&wrong);
    unsigned runs = tally_all(first, AT_LEAST_A_CHUNK, &small);
    (void)tally_all(first, 30 * AT_LEAST_A_CHUNK, &large);
    sweep_model(NULL);
    trial_expect(trial, FIELD_EVENTS, 0, 1, runs > 2);
    trial_expect(trial, FIELD_EVENTS, 1, 1, small.count > 100);
    trial_expect(trial, FIELD_EVENTS, 2, large.count, small.count);
    trial_expect(trial, FIELD_EVENTS, 3, large.sum, small.sum);
    trial_expect(trial, FIELD_EVENTS, 4, 0, small.again + large.again);
}

static const struct test_case cases[] = {
    {.name = "agrees_with_stage",      .flags = CASE_BY_NAME, .run = agrees_with_stage     },
    {.name = "finds_a_wrong_rule",     .flags = CASE_BY_NAME, .run = finds_a_wrong_rule    },
    {.name = "goes_on_where_it_ended", .flags = CASE_BY_NAME, .run = goes_on_where_it_ended},
};

SUITE(sweep, "the matrix' sweep against its stage");
