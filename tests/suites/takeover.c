/*
 * takeover.c: what we took is ours, and what we gave back is as it was. Firmware's side of the
 * comparison is made in efi/core.c around every step; these checks judge what it saw.
 */
#include "table.h"

#include "fault/cpu.h"
#include "fault/layout.h"
#include "fault/probe.h"
#include "fault/tables.h"
#include "fault/world.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "tests/harness/machine.h"
#include "tests/harness/session.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"

static const struct session *const session = (const struct session *)SESSION_BASE;

/* ---- given back
 * -------------------------------------------------------------------------------------- */

static void world_given_back(struct trial *trial)
{
    const uint64_t *before = session->hand_back.before.world.item;
    const uint64_t *after = session->hand_back.after.world.item;

    for (unsigned item = 0; item < WORLD_ITEM_COUNT; item++) {
        /* TR cannot be loaded with null: a firmware without a TSS gets the tombstone. */
        uint64_t expected =
            item == WORLD_TR && before[item] == 0 ? SELECTOR_TOMBSTONE : before[item];
        trial_compare(trial, FIELD_WORLD, item, expected, world_item_mask((enum world_item)item),
                      after[item]);
    }
    trial_expect(trial, FIELD_EVENTS, 0, 1, session->hand_back.steps > 0);
}

/* The number of bytes that differ, and the first of them. */
static void compare_bytes(struct trial *trial, const uint8_t *before, const uint8_t *after,
                          uint32_t bytes)
{
    uint32_t differ = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        if (before[i] != after[i] && differ++ == 0) {
            trial_expect(trial, FIELD_TABLE_BYTE, i, before[i], after[i]);
        }
    }
    trial_expect(trial, FIELD_EVENTS, 0, 0, differ);
}

static void gdt_given_back(struct trial *trial)
{
    const struct hand_back *seen = &session->hand_back;

    trial_expect(trial, FIELD_WORLD, WORLD_GDT_LIMIT, seen->before.gdt_bytes,
                 seen->after.gdt_bytes);
    compare_bytes(trial, seen->before.gdt, seen->after.gdt, seen->before.gdt_bytes);
}

static void idt_given_back(struct trial *trial)
{
    const struct hand_back *seen = &session->hand_back;

    trial_expect(trial, FIELD_WORLD, WORLD_IDT_LIMIT, seen->before.idt_bytes,
                 seen->after.idt_bytes);
    compare_bytes(trial, seen->before.idt, seen->after.idt, seen->before.idt_bytes);
}

static void pages_given_back(struct trial *trial)
{
    trial_expect(trial, FIELD_PAGES, 0, session->hand_back.pages_expected,
                 session->hand_back.pages_after);
}

/* Its clock goes on, also after steps that had the local APIC's timer for themselves (suite ring3). */
static void firmware_ticks(struct trial *trial)
{
    trial_expect(trial, FIELD_EVENTS, 0, 1, session->hand_back.ticking);
    trial_expect(trial, FIELD_EVENTS, 1, 0, session->hand_back.ticks_wanted);
}

/* ---- ours
 * ---------------------------------------------------------------------------------------------- */

static void tables_are_ours(struct trial *trial)
{
    struct cpu *cpu = cpu_current();
    unsigned foreign = 0;

    trial_expect(trial, FIELD_WORLD, WORLD_GDT_BASE, (uint64_t)cpu_gdt(cpu), store_gdt().base);
    trial_expect(trial, FIELD_WORLD, WORLD_IDT_BASE, (uint64_t)tables_gate(0), store_idt().base);
    trial_expect(trial, FIELD_WORLD, WORLD_IDT_LIMIT, VECTORS * sizeof(struct gate) - 1,
                 store_idt().limit);
    trial_expect(trial, FIELD_WORLD, WORLD_TR, SELECTOR_TSS, store_tr());
    trial_expect(trial, FIELD_WORLD, WORLD_CS, SELECTOR_CODE, read_cs());
    trial_expect(trial, FIELD_WORLD, WORLD_CR3, world_root(), read_cr3());
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        foreign += gate_offset(*tables_gate(vector)) < CORE_BASE;
    }
    trial_expect(trial, FIELD_EVENTS, 0, 0, foreign);
}

/*
 * INT n for every vector whose gate pushes no error code by itself: a software interrupt never
 * pushes one, and the stubs of the others expect it.
 */
static void every_vector_arrives(struct trial *trial)
{
    extern const char probe_interrupts[]; /* probe.S: 4 bytes each: INT n; RET */
    struct probe *probe = &cpu_current()->probe;
    unsigned wrong = 0;

    for (unsigned vector = 0; vector < VECTORS; vector++) {
        if (vector < 32 && ((uint32_t)VECTORS_WITH_ERROR_CODE >> (vector & 31)) & 1) {
            continue;
        }
        uint64_t at = (uint64_t)probe_interrupts + vector * 4;
        probe->outcome.vector = VECTOR_NONE;
        probe->resume = at + 2;
        probe->exit = PROBE_FIXUP;
        ((void (*)(void))at)();
        if ((probe->outcome.vector != vector || probe->outcome.rip != at + 2) && wrong++ == 0) {
            trial_expect(trial, FIELD_VECTOR, vector, vector, probe->outcome.vector);
        }
    }
    probe->exit = PROBE_IDLE;
    trial_expect(trial, FIELD_EVENTS, 0, 0, wrong);
}

static void expect_absent(struct trial *trial, vaddr_t address, unsigned detail)
{
    struct outcome got;

    probe_supervisor(ACCESS_READ, address, 0, false, &got);
    trial_expect(trial, FIELD_VECTOR, detail, VECTOR_PF, got.vector);
    trial_compare(trial, FIELD_ERROR_CODE, detail, 0, 0xffffffff, got.error);
    trial_expect(trial, FIELD_CR2, detail, address, got.cr2);
}

static void null_page_absent(struct trial *trial)
{
    expect_absent(trial, 0, 0);
    expect_absent(trial, PAGE_SIZE - 8, 1);
}

static void guard_pages_absent(struct trial *trial)
{
    static const uint32_t bottoms[] = {CPU_STACK_BOTTOM, CPU_STACK_DF_BOTTOM, CPU_STACK_NMI_BOTTOM,
                                       CPU_STACK_MC_BOTTOM};

    for (unsigned i = 0; i < ARRAY_COUNT(bottoms); i++) {
        expect_absent(trial, CPU_BASE + bottoms[i] - 8, i);
    }
    expect_absent(trial, CPU_BASE + CPU_STACK_MC_TOP, ARRAY_COUNT(bottoms));
}

static void firmware_out_of_reach(struct trial *trial)
{
    expect_absent(trial, session->hand_back.before.world.item[WORLD_GDT_BASE], 0);
    expect_absent(trial, session->hand_back.before.world.item[WORLD_IDT_BASE], 1);
}

static void text_not_writable(struct trial *trial)
{
    struct outcome got;

    probe_supervisor(ACCESS_WRITE, (vaddr_t)text_not_writable & ~UINT64_C(7), 0, false, &got);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, got.vector);
    trial_compare(trial, FIELD_ERROR_CODE, 0, PF_EC_P | PF_EC_W, 0xffffffff, got.error);
}

static void data_not_executable(struct trial *trial)
{
    static uint16_t landing = PROBE_LANDING;
    struct outcome got;

    probe_supervisor(ACCESS_FETCH, (vaddr_t)&landing, 0, false, &got);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, got.vector);
    trial_compare(trial, FIELD_ERROR_CODE, 0, PF_EC_P | PF_EC_I, 0xffffffff, got.error);
}

/* Every leaf of our world: how many are writable and executable; and how many there are at all. */
static void count_leaves(paddr_t table, unsigned level, pte_t rights, uint32_t *both, uint32_t *all)
{
    const pte_t *entries = phys_to_virt(table);

    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        pte_t entry = entries[i];
        if (!(entry & PTE_P)) {
            continue;
        }
        pte_t here = (rights & entry & PTE_RW) | ((rights | entry) & PTE_XD);
        if (level > 1 && !(level <= LEVEL_LEAF_MAX && entry & PTE_PS)) {
            count_leaves(entry & PTE_ADDRESS, level - 1, here, both, all);
            continue;
        }
        *all += 1;
        *both += (here & PTE_RW) && !(here & PTE_XD);
    }
}

static void write_xor_execute(struct trial *trial)
{
    uint32_t both = 0, all = 0;

    count_leaves(world_root(), machine.levels, PTE_RW, &both, &all);
    trial_expect(trial, FIELD_PAGES, 0, 0, both);
    trial_expect(trial, FIELD_EVENTS, 0, 1, all > 1000); /* the walk did see our world */
}

/* clang-format off */
static const struct test_case cases[] = {
    {.name = "world_given_back",      .rule = RULE_GIVE_BACK, .run = world_given_back},
    {.name = "gdt_given_back",        .rule = RULE_GIVE_BACK, .run = gdt_given_back},
    {.name = "idt_given_back",        .rule = RULE_GIVE_BACK, .run = idt_given_back},
    {.name = "pages_given_back",      .rule = RULE_GIVE_BACK, .run = pages_given_back},
    {.name = "firmware_ticks",        .rule = RULE_GIVE_BACK, .run = firmware_ticks},
    {.name = "tables_are_ours",       .run = tables_are_ours},
    {.name = "every_vector_arrives",  .run = every_vector_arrives},
    {.name = "null_page_absent",      .run = null_page_absent},
    {.name = "guard_pages_absent",    .run = guard_pages_absent},
    {.name = "firmware_out_of_reach", .run = firmware_out_of_reach},
    {.name = "text_not_writable",     .run = text_not_writable},
    {.name = "data_not_executable",   .needs = {NEEDS(NX)}, .run = data_not_executable},
    {.name = "write_xor_execute",     .needs = {NEEDS(NX)}, .run = write_xor_execute},
};
/* clang-format on */

SUITE(takeover, "ours, and given back");
