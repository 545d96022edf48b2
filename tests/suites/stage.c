/*
 * stage.c: the stage of the access matrix by itself: the way between 4 and 5 levels of paging, and
 * what is left when a check dies there. By name only; tests/boot/ knows what has to come of it.
 */
#include "fault/cpu.h"
#include "fault/die.h"
#include "fault/paging_mode.h"
#include "fault/tables.h"
#include "fault/world.h"
#include "table.h"
#include "paging/phys.h"
#include "tests/harness/trial.h"
#include "tests/matrix/stage.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define TIMES           100u
#define CR2_BEFORE      UINT64_C(0x1234)
#define POINTS_AT_LEAST 300u
#define STATES_AT_LEAST 96u /* of a processor with WP and AC alone; most have thousands */

static const struct boot_info *const boot = (const struct boot_info *)BOOT_INFO_BASE;

static bool begin(struct trial *trial, unsigned levels)
{
    if (stage_start(boot) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    if (!stage_can_open(levels)) {
        trial_error(trial, REASON_SETUP, 0);
        return false;
    }
    return true;
}

static unsigned other_levels(void)
{
    return machine.levels == 5 ? 4 : 5;
}

/* Where a push lands: the stack is mapped, and core runs on. */
static uint64_t cr4_seen(void)
{
    volatile uint64_t cr4 = read_cr4();

    return cr4;
}

static void levels_there_and_back(struct trial *trial)
{
    uint64_t before = cr4_seen();
    unsigned wrong = 0;

    if (!begin(trial, other_levels())) {
        return;
    }
    for (unsigned i = 0; i < TIMES; i++) {
        stage_open(other_levels());
        wrong += !((cr4_seen() ^ before) & CR4_LA57) ||
                 read_cr3() != stage_root(other_levels(), false) || !(read_cr0() & CR0_PG);
        stage_close();
        wrong += cr4_seen() != before || read_cr3() != world_root();
    }
    trial_expect(trial, FIELD_EVENTS, 0, 0, wrong);
    trial_expect(trial, FIELD_WORLD, WORLD_CS, SELECTOR_CODE, read_cs());
    trial_expect(trial, FIELD_WORLD, WORLD_GDT_BASE, (uint64_t)cpu_gdt(cpu_current()),
                 store_gdt().base);
    trial_expect(trial, FIELD_WORLD, WORLD_IDT_BASE, (uint64_t)tables_gate(0), store_idt().base);
}

/* An address that only 5 levels reach. */
static void high_address(struct trial *trial)
{
    const vaddr_t at = UINT64_C(0x0002000000000000);

    if (!begin(trial, 5)) {
        return;
    }
    const struct point_ground *ground = stage_ground(5);
    stage_open(5);
    for (unsigned level = 1; level <= 5; level++) {
        pte_t to = level == 1 ? ground->frame[1] : ground->table[1][level - 2];
        pte_t *table = phys_to_virt(ground->table[1][level - 1]);
        table[level_index(at, level)] = to | PTE_P | PTE_RW;
    }
    volatile uint64_t *word = (volatile uint64_t *)at;
    *word = 0x5afe5afe;
    uint64_t landed = *(volatile uint64_t *)phys_to_virt(ground->frame[1]);
    stage_close();
    trial_expect(trial, FIELD_MEMORY, 0, 0x5afe5afe, landed);
}

/* ---- points ---------------------------------------------------------------------------------------- */

static struct point_scene scene;
static struct stage_got got;

/* Act out @point and ask the model. Out: it did what it may. */
static bool as_the_model_says(const struct point *point)
{
    static struct model_question question;
    static struct model_answer answer;
    struct model_got seen;

    point_scene(point, stage_ground(point_levels(point)), &scene);
    point_question(point, &machine, &scene, CR2_BEFORE, &question);
    model_ask(&question, NULL, &answer);
    stage_run(point, &scene, CR2_BEFORE, &got);
    stage_as_model_sees(&scene, &got, &seen);
    return model_allows(&answer, &seen) && !got.rip_wrong && !got.memory_wrong;
}

/*
 * Every access from every ring, of every width, everywhere where there is a page, in pages of every
 * size, with the values that @point has besides. What emulators do in ways of their own is the
 * matrix' business: accesses that @skip names are left out. Out: how many; *@wrong: how many went
 * another way than they may.
 */
static unsigned every_access(struct point *point, uint64_t skip, unsigned *wrong)
{
    struct space space = axes_space(&machine);
    static const uint8_t axes[] = {AXIS_SIZE, AXIS_PLACE, AXIS_ACCESS, AXIS_RING, AXIS_WIDTH};
    unsigned count = 0, axis;

    do {
        uint8_t place = point->value[AXIS_PLACE];
        bool left_out =
            place == PLACE_HOLE || place == PLACE_OVER || (skip >> point->value[AXIS_ACCESS]) & 1;
        if (!left_out && space_legal(&space, point->value)) {
            count++;
            *wrong += !as_the_model_says(point);
        }
        for (axis = 0; axis < ARRAY_COUNT(axes); axis++) {
            uint8_t *value = &point->value[axes[axis]];
            *value = (uint8_t)((*value + 1u) % space.values[axes[axis]]);
            if (*value) {
                break;
            }
        }
    } while (axis < ARRAY_COUNT(axes));
    return count;
}

/*
 * A read, a write and a fetch from both rings in every state of the processor, in pages of all
 * rights, whose key is not our own memory's. Two things are left to the matrix, for an emulator has a
 * way of its own there: reserved bits, and PKRU where it should not matter.
 */
static unsigned every_state(unsigned *wrong)
{
    static const struct {
        uint8_t axis, values;
    } axes[] = {
        {AXIS_ACCESS,           3},
        {AXIS_RING,             2},
        {AXIS_ENTRY + ENTRY_RW, 2},
        {AXIS_ENTRY + ENTRY_US, 2},
        {AXIS_ENTRY + ENTRY_XD, 2},
        {AXIS_WP,               2},
        {AXIS_NXE,              2},
        {AXIS_SMEP,             2},
        {AXIS_SMAP,             2},
        {AXIS_AC,               2},
        {AXIS_PKE,              2},
        {AXIS_PKRU,             3},
        {AXIS_PKS,              2},
        {AXIS_PKRS,             3},
        {AXIS_CET,              2},
    };
    struct space space = axes_space(&machine);
    struct point point = {.value[AXIS_KEY] = 1};
    unsigned count = 0, i;

    do {
        const uint8_t *v = point.value;
        bool reserved = v[AXIS_ENTRY + ENTRY_XD] && v[AXIS_NXE];
        bool left_out = v[AXIS_PKE] && (v[AXIS_RING] == RING_IS_0 || v[AXIS_ENTRY + ENTRY_US]);
        if (!left_out && !reserved && space_legal(&space, v)) {
            count++;
            *wrong += !as_the_model_says(&point);
        }
        for (i = 0; i < ARRAY_COUNT(axes); i++) {
            uint8_t *value = &point.value[axes[i].axis];
            *value = (uint8_t)((*value + 1u) % axes[i].values);
            if (*value) {
                break;
            }
        }
    } while (i < ARRAY_COUNT(axes));
    return count;
}

static void states_decide(struct trial *trial)
{
    unsigned wrong = 0;

    if (begin(trial, 4)) {
        stage_open(4);
        unsigned count = every_state(&wrong);
        stage_close();
        trial_expect(trial, FIELD_EVENTS, 0, 0, wrong);
        trial_expect(trial, FIELD_EVENTS, 1, 1, count >= STATES_AT_LEAST);
    }
}

/* every_access() with 4 and, where it can be, 5 levels. */
static void with_all_levels(struct trial *trial, enum entry_axis which, uint64_t skip)
{
    for (unsigned levels = 4; levels <= 5; levels++) {
        struct point point = {.value[AXIS_NXE] = !machine_has(FEATURE_NX)};
        unsigned wrong = 0;
        if (!stage_can_open(levels)) {
            continue;
        }
        stage_open(levels);
        point.value[AXIS_LEVELS] = levels == 5 ? LEVELS_IS_5 : LEVELS_IS_4;
        if (which < ENTRY_AXES) {
            point.value[axis_of_entry(levels, which)] = 1;
        }
        unsigned count = every_access(&point, skip, &wrong);
        stage_close();
        trial_expect(trial, FIELD_EVENTS, levels, 0, wrong);
        trial_expect(trial, FIELD_EVENTS, levels, 1, count > POINTS_AT_LEAST);
    }
}

#define LINE_FLUSHES (BIT(MATRIX_CLFLUSH) | BIT(MATRIX_CLWB))
#define LOCKED                                                                                     \
    (BIT(MATRIX_LOCK_ADD) | BIT(MATRIX_XCHG) | BIT(MATRIX_CMPXCHG) | BIT(MATRIX_CMPXCHG_FAILS) |   \
     BIT(MATRIX_XADD) | BIT(MATRIX_LOCK_NEG))

static void accesses_go_through(struct trial *trial)
{
    if (begin(trial, machine.levels)) {
        with_all_levels(trial, ENTRY_AXES, LINE_FLUSHES);
    }
}

static void accesses_fault(struct trial *trial)
{
    if (begin(trial, machine.levels)) {
        with_all_levels(trial, ENTRY_P, LINE_FLUSHES | LOCKED);
    }
}

static void point_of(const char *id, struct point *point)
{
    const char *word;
    unsigned length;

    ASSERT(!point_parse(id, &machine, point, &word, &length));
    point_scene(point, stage_ground(point_levels(point)), &scene);
}

/* With entries that lead to the other frame, the stage has to miss what it looks for. */
static bool missed(const char *id)
{
    struct point point;

    point_of(id, &point);
    scene.entry[0][0] ^= stage_ground(4)->frame[0] ^ stage_ground(4)->frame[1];
    stage_run(&point, &scene, CR2_BEFORE, &got);
    return got.memory_wrong;
}

static void what_is_wrong_is_seen(struct trial *trial)
{
    static const char *const ids[] = {
        "matrix:default",
        "matrix:access=write",
        "matrix:access=push,ring=0",
        "matrix:access=xchg",
        "matrix:access=cmpxchg",
        "matrix:access=movs-load",
        "matrix:access=add",
        "matrix:access=write,width=16",
        "matrix:width=16",
        "matrix:place=first",
        "matrix:place=both,access=write",
    };
    struct point point;

    if (!begin(trial, 4)) {
        return;
    }
    stage_open(4);
    for (unsigned i = 0; i < ARRAY_COUNT(ids); i++) {
        trial_expect(trial, FIELD_MEMORY, i, true, missed(ids[i]));
    }
    /* A landing that is not the one which the stage has written: INT comes a byte later. */
    static const uint8_t later[] = {0x90, 0xcd, 0x20};
    point_of("matrix:access=fetch", &point);
    memcpy((uint8_t *)phys_to_virt(stage_ground(4)->frame[1]) + (scene.address & 0xfff), later,
           sizeof(later));
    trial_expect(trial, FIELD_RIP, 0, false, got.rip_wrong);
    scene.entry[0][0] ^= stage_ground(4)->frame[0] ^ stage_ground(4)->frame[1];
    stage_run(&point, &scene, CR2_BEFORE, &got);
    trial_expect(trial, FIELD_RIP, 1, true, got.rip_wrong);
    stage_close();
}

/* ---- dying ----------------------------------------------------------------------------------------- */

/* Nothing expects it: the batch ends there, and firmware must not see the other mode. */
static void dies_in_other_levels(struct trial *trial)
{
    if (!begin(trial, other_levels())) {
        return;
    }
    stage_open(other_levels());
    ASSERT(trial->comparisons != 0);
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

/* A fault of ours while the stage's gates are loaded: not the access' own, so it goes the usual way. */
static void dies_by_a_fault(struct trial *trial)
{
    const volatile uint64_t *volatile absent = (const volatile uint64_t *)UINT64_C(0x10);

    if (begin(trial, machine.levels)) {
        stage_open(machine.levels);
        trial_expect(trial, FIELD_VALUE_READ, 0, 0, *absent);
    }
}

/* An exception while GDT and IDT lie in pages that only the stage maps, and WP and NXE are clear. */
static void die_bent(struct trial *trial, unsigned levels)
{
    const struct point point = {
        .value[AXIS_LEVELS] = levels == 5 ? LEVELS_IS_5 : LEVELS_IS_4,
        .value[AXIS_ACCESS] = MATRIX_WRITE,
        .value[AXIS_WP] = 1,
        .value[AXIS_NXE] = 1,
    };

    if (!begin(trial, levels)) {
        return;
    }
    stage_open(levels);
    ASSERT(as_the_model_says(&point));
    memcpy((void *)scene.page[0], cpu_gdt(cpu_current()), GDT_BYTES);
    memcpy((void *)scene.page[1], tables_gate(0), VECTORS * sizeof(struct gate));
    load_gdt((struct table_register){.limit = GDT_BYTES - 1, .base = scene.page[0]});
    load_idt((struct table_register){.limit = PAGE_SIZE - 1, .base = scene.page[1]});
    __asm__ volatile("ud2");
    trial_expect(trial, FIELD_EVENTS, 0, 1, 0);
}

static void dies_with_all_bent(struct trial *trial)
{
    die_bent(trial, machine.levels);
}

static void dies_with_all_bent_in_other_levels(struct trial *trial)
{
    die_bent(trial, other_levels());
}

/* clang-format off */
#define BY_NAME(name_) {.name = #name_, .flags = CASE_BY_NAME, .run = name_}
#define LA57(name_)    {.name = #name_, .flags = CASE_BY_NAME, .needs = {NEEDS(LA57)}, .run = name_}

static const struct test_case cases[] = {
    LA57(levels_there_and_back),
    LA57(high_address),
    BY_NAME(accesses_go_through),
    BY_NAME(accesses_fault),
    BY_NAME(states_decide),
    BY_NAME(what_is_wrong_is_seen),
    LA57(dies_in_other_levels),
    BY_NAME(dies_by_a_fault),
    BY_NAME(dies_with_all_bent),
    LA57(dies_with_all_bent_in_other_levels),
};
/* clang-format on */

SUITE(stage, "where the matrix is acted out");
