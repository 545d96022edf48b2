/*
 * stage.c: see stage.h.
 *
 *   roots   4 levels, 5 levels, and of each the twin without XD. They map what world maps, and two
 *           slots of their own:
 *
 *             top level   | world's ... | walk 0 | walk 1 | ... world's |
 *                                           |        `-> tables of its own -> frame 1
 *                                           `-> tables of its own -> frame 0
 */
#include "stage.h"

#include "fault/cpu.h"
#include "fault/paging_mode.h"
#include "fault/tables.h"
#include "fault/world.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "tests/harness/target.h"
#include "x86/instructions.h"
#include "x86/memory.h"

/*
 * Stacks for exceptions lie at the bottom of this processor's main stack, below everything that
 * runs here: who does not expect one finds his processor from RSP and oopses properly.
 */
#define STAGE_STACK (CPU_STACK_BOTTOM + 0x2000) /* top of IST STAGE_IST */

static struct {
    bool started, open;
    unsigned world_levels;
    struct point_ground ground[2]; /* for 4 and for 5 levels */
    paddr_t root[2][2];            /* the same; world, twin */
} stage;

/* ---- ground ---------------------------------------------------------------------------------------- */

static enum status table_alloc(paddr_t *table)
{
    enum status status = frame_alloc(&check_frames, table);

    if (status == STATUS_OK) {
        memset(phys_to_virt(*table), 0, PAGE_SIZE);
    }
    return status;
}

/* The last 4 KiB of one 2-MiB region and the first of another; the rest stays free. */
static enum status frames_alloc(paddr_t frame[2])
{
    paddr_t region;
    enum status status =
        frame_alloc_run(&check_frames, PAGE_SIZE_2M / PAGE_SIZE, PAGE_SIZE_2M, &region);

    if (status == STATUS_OK) {
        frame[0] = region + PAGE_SIZE_2M - PAGE_SIZE;
        status = frame_free_run(&check_frames, region, PAGE_SIZE_2M / PAGE_SIZE - 1);
    }
    if (status == STATUS_OK) {
        status = frame_alloc_run(&check_frames, 1, PAGE_SIZE_2M, &frame[1]);
    }
    return status;
}

static enum status ground_alloc(void)
{
    struct point_ground *four = &stage.ground[0], *five = &stage.ground[1];
    enum status status = frames_alloc(five->frame);

    for (unsigned i = 0; i < 2; i++) {
        for (unsigned level = 1; level < LEVELS_MAX && status == STATUS_OK; level++) {
            status = table_alloc(&five->table[i][level - 1]);
        }
        for (unsigned twin = 0; twin < 2 && status == STATUS_OK; twin++) {
            status = table_alloc(&stage.root[i][twin]);
        }
    }
    *four = *five;
    for (unsigned walk = 0; walk < 2; walk++) {
        four->table[walk][3] = stage.root[0][0];
        five->table[walk][4] = stage.root[1][0];
    }
    return status;
}

enum status stage_start(const struct boot_info *boot)
{
    enum status status = stage.started ? STATUS_OK : paging_mode_start(&check_frames);

    if (!stage.started && status == STATUS_OK) {
        stage.world_levels = boot->levels;
        status = ground_alloc();
        stage.started = status == STATUS_OK;
    }
    return status;
}

const struct point_ground *stage_ground(unsigned levels)
{
    return &stage.ground[levels == 5];
}

paddr_t stage_root(unsigned levels, bool twin)
{
    return stage.root[levels == 5][twin];
}

/* ---- roots ----------------------------------------------------------------------------------------- */

static const pte_t *table_below(const pte_t *table, unsigned index)
{
    return phys_to_virt(table[index] & PTE_ADDRESS);
}

/* In a PML5, the first and the last entry lead to what 4 levels reach. */
static void root_write(bool twin)
{
    paddr_t ours = twin ? twin_root() : world_root();
    const pte_t *world = phys_to_virt(ours);
    pte_t *four = phys_to_virt(stage.root[0][twin]), *five = phys_to_virt(stage.root[1][twin]);
    const unsigned half = TABLE_ENTRIES / 2, last = TABLE_ENTRIES - 1;

    if (stage.world_levels == 4) {
        memcpy(four, world, PAGE_SIZE);
        memset(five, 0, PAGE_SIZE);
        five[0] = ours | TABLE_FLAGS;
        five[last] = ours | (TABLE_FLAGS & ~PTE_US);
    } else {
        memcpy(five, world, PAGE_SIZE);
        memcpy(four, table_below(world, 0), PAGE_SIZE / 2);
        memcpy(four + half, table_below(world, last) + half, PAGE_SIZE / 2);
    }
}

/* ---- open and close -------------------------------------------------------------------------------- */

bool stage_can_open(unsigned levels)
{
    return stage.started && (levels == stage.world_levels || paging_mode_can_change());
}

void stage_recover(void)
{
    stage.open = false;
}

void stage_open(unsigned levels)
{
    struct cpu *cpu = cpu_current();

    stage_recover();
    root_write(false);
    root_write(true);
    paging_mode_set(levels, stage_root(levels, false));
    cpu_tss(cpu)->ist[STAGE_IST - 1] = (uint64_t)cpu + STAGE_STACK;
    stage.open = true;
}

void stage_close(void)
{
    if (!stage.open) {
        return;
    }
    paging_mode_set(stage.world_levels, world_root());
    tables_load(cpu_current());
    stage.open = false;
}
