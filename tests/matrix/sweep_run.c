/*
 * sweep_run.c: the sweep's loop, see sweep.h. For each point: change one entry, INVLPG, access, and compare
 * what was seen with a cell of the line's table; A and D are read, and taken back, in every entry.
 */
#include "sweep.h"

#include "fault/cpu.h"
#include "fault/layout.h"
#include "fault/outcome.h"
#include "fault/probe.h"
#include "fault/tables.h"
#include "paging/phys.h"
#include "paging/tlb.h"
#include "stage.h"
#include "tests/harness/target.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

/*
 * The word at the address serves every access as it is: a landing (jmp *%rsi) in its first bytes, an
 * accessed data descriptor of ring 3 otherwise; and writes write it again.
 */
#define WORD         ((DESCRIPTOR_DATA_RING3 & ~UINT64_C(0xffff)) | PROBE_LANDING)
#define LDT_SELECTOR 7 /* index 0, TI, RPL 3 */

/* What CR2 holds before each access: an address that none of them uses. */
#define CR2_BEFORE UINT64_C(0x00005afe5afe5000)

/* Points between two looks at the clock. */
#define CHUNK 512u

#define EXCEPTIONS 32u
#define STUB_BYTES 32u /* sweep_run.S */
_Static_assert(SEEN_ERROR_SHIFT == 32 && VECTOR_NONE == MODEL_NO_FAULT, "sweep_run.S knows it");

#define PTE_A_SHIFT 5
_Static_assert(PTE_A == BIT(PTE_A_SHIFT) && PTE_D == BIT(PTE_A_SHIFT + 1), "as table.h has them");

/* ---- accesses: sweep_run.S and probe.S ----------------------------------------------------------------- */

struct made {
    uint64_t seen, rip;
};
typedef struct made sweep_access(vaddr_t address, uint64_t operand, uint64_t rip,
                                 uint64_t user_code, uint64_t user_flags);
sweep_access sweep_supervisor_READ, sweep_supervisor_WRITE, sweep_supervisor_LOCK_ADD,
    sweep_supervisor_LDT, sweep_supervisor_FETCH, sweep_user;

extern const char quick_user_READ[], quick_user_WRITE[], quick_user_RMW_LOCKED[],
    quick_user_IMPLICIT_READ[], quick_user_FETCH[], quick_user_passed[], sweep_passed[],
    sweep_stubs[];

/* By number / 2: code in ring 0, and for ring 3 in probe.S's page; the first instruction may fault. */
static const struct {
    sweep_access *supervisor;
    const char *user;
} accesses[SWEEP_ACCESSES / 2] = {
    {sweep_supervisor_READ,     quick_user_READ         },
    {sweep_supervisor_WRITE,    quick_user_WRITE        },
    {sweep_supervisor_LOCK_ADD, quick_user_RMW_LOCKED   },
    {sweep_supervisor_LDT,      quick_user_IMPLICIT_READ},
    {sweep_supervisor_FETCH,    quick_user_FETCH        },
};

/* ---- the loop ------------------------------------------------------------------------------------------ */

static struct sweep_line line;
static struct table table;

/* All that the loop looks at besides. */
static struct {
    struct {
        volatile pte_t *at;
        pte_t value;
    } entry[LEVELS_MAX]; /* from the leaf up */
    const struct table_walk *walk;
    sweep_access *access;
    uint64_t address, operand, rip, user_code, user_flags;
    bool nxe;
    uint32_t differences; /* of the chunk */
    struct difference {
        uint32_t walk;
        bool other_bits, rip_wrong;
        uint64_t seen, cr2;
    } difference[CHUNK];
} loop;

/* What changed in the entries of a walk: A and D of each in a row, two bits an entry; and all bits. */
struct changes {
    uint64_t row, all;
};

static inline __attribute__((always_inline)) void entry_restore(unsigned entry,
                                                                struct changes *changes)
{
    volatile pte_t *at = loop.entry[entry].at;
    pte_t before = loop.entry[entry].value, changed = *at ^ before;

    *at = before;
    changes->row = 4 * changes->row + changed;
    changes->all |= changed;
}

/*
 * The heart of it: walks from @from to before @to, at most CHUNK. The entries are as the walk before,
 * or as @from itself. Compiled once for each number of entries.
 */
static inline __attribute__((always_inline)) void loop_run(uint32_t from, uint32_t to,
                                                           const unsigned entries)
{
    for (uint32_t i = from; i < to; i++) {
        const struct table_walk *walk = &loop.walk[i];
        unsigned step = walk->step;
        pte_t value = line.combo[0][step]; /* [entry][combo], as one row */

        loop.entry[step / COMBOS].value = value;
        *loop.entry[step / COMBOS].at = value;
        tlb_flush_page(loop.address);
        struct made made =
            loop.access(loop.address, loop.operand, loop.rip, loop.user_code, loop.user_flags);
        uint64_t cr2 = read_cr2();
        if (cr2 != CR2_BEFORE) {
            write_cr2(CR2_BEFORE);
        }
        struct changes changes = {0, 0};
        if (entries > 4) {
            entry_restore(4, &changes);
        }
        if (entries > 3) {
            entry_restore(3, &changes);
        }
        if (entries > 2) {
            entry_restore(2, &changes);
        }
        entry_restore(1, &changes);
        entry_restore(0, &changes);
        uint64_t seen = made.seen | changes.row << (SEEN_ENTRY_SHIFT - PTE_A_SHIFT);
        uint64_t other = changes.all & ~(PTE_A | PTE_D), moved = made.rip ^ loop.rip;
        if (table_differs(&table.cell[walk_class(walk, loop.nxe)], seen, cr2) | other | moved) {
            loop.difference[loop.differences++] = (struct difference){
                .walk = i,
                .other_bits = other != 0,
                .rip_wrong = moved != 0,
                .seen = seen,
                .cr2 = cr2,
            };
        }
    }
}

static __attribute__((noinline)) void loop_2(uint32_t from, uint32_t to)
{
    loop_run(from, to, 2);
}

static __attribute__((noinline)) void loop_3(uint32_t from, uint32_t to)
{
    loop_run(from, to, 3);
}

static __attribute__((noinline)) void loop_4(uint32_t from, uint32_t to)
{
    loop_run(from, to, 4);
}

static __attribute__((noinline)) void loop_5(uint32_t from, uint32_t to)
{
    loop_run(from, to, 5);
}

/* ---- what the loop needs of the processor -------------------------------------------------------------- */

/* Gates of exceptions: ours, but for the vectors that have a stack of their own and no way back. */
static struct gate gates[EXCEPTIONS];

/* What is the sweep's own while the stage is open, and what it was before. */
static struct {
    unsigned levels; /* 0: not open */
    unsigned state;  /* number; SWEEP_STATES: as stage_open() left it */
    struct table_register idt;
    uint64_t lstar;
} open;

static void gates_make(void)
{
    const struct gate *usual = (const struct gate *)open.idt.base;

    for (unsigned vector = 0; vector < EXCEPTIONS; vector++) {
        bool own_stack = vector == VECTOR_NMI || vector == VECTOR_DF || vector == VECTOR_MC;
        gates[vector] = own_stack ? usual[vector]
                                  : gate_make((uint64_t)sweep_stubs + vector * STUB_BYTES,
                                              SELECTOR_CODE, GATE_INTERRUPT, 0, 0);
    }
}

static void sweep_close(void)
{
    if (open.levels) {
        write_msr(MSR_LSTAR, open.lstar);
        write_ss(SELECTOR_DATA); /* null since ring 3 faulted */
        stage_close();
        open.levels = 0;
    }
}

/* For the paging mode of @number. */
static void sweep_open(const struct machine *m, uint64_t number)
{
    struct point point;

    sweep_point(m, number, &point);
    if (open.levels == point_levels(&point)) {
        return;
    }
    sweep_close();
    stage_open(point_levels(&point));
    open.levels = point_levels(&point);
    open.state = SWEEP_STATES;
    open.idt = store_idt();
    open.lstar = read_msr(MSR_LSTAR);
    write_msr(MSR_LSTAR, (uint64_t)sweep_passed);
    gates_make();
}

/* The LDT's one descriptor is the word at @address. */
static void ldt_load(vaddr_t address)
{
    uint64_t *gdt = cpu_gdt(cpu_current());

    /* Type 2: LDT; the other fields are a TSS descriptor's. */
    gdt[SELECTOR_SCRATCH / 8] =
        (tss_descriptor_low(address, 7) & ~(UINT64_C(0xf) << 40)) | UINT64_C(2) << 40;
    gdt[SELECTOR_SCRATCH / 8 + 1] = tss_descriptor_high(address);
    load_ldt(SELECTOR_SCRATCH);
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static const struct model_wrong *wrong;
static uint64_t rule_counts[MODEL_ROWS_MAX];

void sweep_model(const struct model_wrong *now)
{
    wrong = now;
}

uint64_t sweep_rule_count(uint32_t row)
{
    return rule_counts[row];
}

/* Where a piece of probe.S's page is for ring 3. */
static uint64_t user_address(const char *code)
{
    return USER_CODE + (uint64_t)(code - probe_user_page);
}

static uint64_t operand(bool user)
{
    switch (line.point.value[AXIS_ACCESS]) {
    case MATRIX_LDT:
        return LDT_SELECTOR;
    case MATRIX_FETCH: /* where the landing goes on */
        return user ? user_address(quick_user_passed) : (uint64_t)sweep_passed;
    default:
        return WORD;
    }
}

/* The line of @number; with the model wrong no cell matches, so that each point is asked for. */
static uint32_t line_begin(const struct machine *m, uint64_t number)
{
    static const struct table_cell never = {.value = UINT64_MAX, .mask = UINT64_MAX};
    const struct point_ground *ground = stage_ground(open.levels);
    uint32_t from = sweep_line(m, number, ground, CR2_BEFORE, &line);
    bool user = line.point.value[AXIS_RING] == RING_IS_3;
    uint64_t code = user ? user_address(accesses[line.access / 2].user)
                         : (uint64_t)accesses[line.access / 2].supervisor;

    table_compile(&line.question, line.leaf, line.entries, line.combo, &table);
    for (unsigned class = 0; wrong && class < TABLE_CLASSES; class ++) {
        table.cell[class] = never;
    }
    loop.walk = line.walk;
    loop.nxe = line.question.cpu.nxe;
    loop.access = user ? sweep_user : accesses[line.access / 2].supervisor;
    loop.address = line.scene.address;
    loop.operand = operand(user);
    loop.rip = line.point.value[AXIS_ACCESS] == MATRIX_FETCH ? loop.address : code;
    loop.user_code = code;
    loop.user_flags = RFLAGS_ONE | (line.question.cpu.ac ? RFLAGS_AC : 0);
    for (unsigned i = 0; i < line.entries; i++) {
        unsigned level = line.leaf + i;
        /* The top is in whichever root is loaded; the others belong to both. */
        paddr_t at =
            level == line.levels ? stage_root(line.levels, !loop.nxe) : ground->table[0][level - 1];
        loop.entry[i].at = (pte_t *)phys_to_virt(at) + level_index(loop.address, level);
    }
    *(uint64_t *)phys_to_virt(ground->frame[0] + (loop.address & (PAGE_SIZE - 1))) = WORD;
    ldt_load(loop.address);
    if (open.state != line.state) {
        stage_state(&line.point);
        open.state = line.state;
    }
    return from;
}

/* Run walks @from to before @to of the line; what differs is in loop.difference. */
static void chunk_run(uint32_t from, uint32_t to)
{
    uint64_t flags = read_rflags();

    for (unsigned i = 0; i < line.entries; i++) {
        loop.entry[i].value = line.combo[i][walk_combo(&loop.walk[from], i)];
        *loop.entry[i].at = loop.entry[i].value;
    }
    loop.differences = 0;
    load_idt((struct table_register){.limit = sizeof(gates) - 1, .base = (uint64_t)gates});
    write_cr2(CR2_BEFORE);
    write_rflags(loop.user_flags);
    switch (line.entries) {
    case 2:
        loop_2(from, to);
        break;
    case 3:
        loop_3(from, to);
        break;
    case 4:
        loop_4(from, to);
        break;
    default:
        loop_5(from, to);
        break;
    }
    write_rflags(flags);
    load_idt(open.idt);
}

/* The model's own answer for a walk: wrong, or with several outcomes, which no cell can say. */
static const struct model_answer *answer_for(const struct table_walk *walk)
{
    static struct model_answer answer;
    struct model_question question = line.question;

    if (!wrong) {
        return &table.answer[walk_class(walk, loop.nxe)];
    }
    for (unsigned i = 0; i < line.entries; i++) {
        question.walk[0].entry[line.leaf + i - 1] = line.combo[i][walk_combo(walk, i)];
    }
    model_ask(&question, wrong, &answer);
    return &answer;
}

static void chunk_report(uint64_t first, sweep_differs *differs, void *context)
{
    for (uint32_t i = 0; i < loop.differences; i++) {
        const struct difference *found = &loop.difference[i];
        struct sweep_difference difference = {
            .number = first + found->walk,
            .answer = answer_for(&loop.walk[found->walk]),
            .rip_wrong = found->rip_wrong,
        };
        table_unpack(found->seen, found->cr2, found->other_bits, line.leaf, &difference.got);
        /* The cell of a class with one outcome has judged already. */
        bool judged = !wrong && difference.answer->count == 1;
        if (judged || found->rip_wrong || !model_allows(difference.answer, &difference.got)) {
            differs(context, &difference);
        }
    }
}

/* How many of the walks from @from to before @to are of each class; whole lines are all the same. */
static const uint32_t *walks_by_class(uint32_t from, uint32_t to)
{
    static uint32_t whole[LEVELS_MAX + 1][2][TABLE_CLASSES], part[TABLE_CLASSES];
    bool all = from == 0 && to == line.walks;
    uint32_t *walks = all ? whole[line.entries][loop.nxe] : part;

    if (!all) {
        memset(part, 0, sizeof(part));
    } else if (walks[CLASS_ABSENT]) {
        return walks;
    }
    for (uint32_t i = from; i < to; i++) {
        walks[walk_class(&loop.walk[i], loop.nxe)]++;
    }
    return walks;
}

/* All points of a class exercise the same rules. */
static void rules_count(uint32_t from, uint32_t to)
{
    const uint32_t *walks = walks_by_class(from, to);

    for (unsigned class = 0; class < TABLE_CLASSES; class ++) {
        for (uint64_t rules = walks[class] ? table.answer[class].rules : 0; rules;
             rules &= rules - 1) {
            rule_counts[__builtin_ctzll(rules)] += walks[class];
        }
    }
}

bool sweep_run(const struct machine *m, uint64_t *number, uint64_t until, sweep_differs *differs,
               void *context)
{
    uint64_t points = sweep_points(m);

    open.levels = 0; /* the last run may have ended by an exception */
    while (*number < points && read_tsc() < until) {
        sweep_open(m, *number);
        uint32_t from = line_begin(m, *number), at = from;
        uint64_t first = *number - from;
        while (at < line.walks && (at == from || read_tsc() < until)) {
            uint32_t to = line.walks - at > CHUNK ? at + CHUNK : line.walks;
            chunk_run(at, to);
            chunk_report(first, differs, context);
            at = to;
        }
        rules_count(from, at);
        *number = first + at;
    }
    sweep_close();
    return *number < points;
}

void sweep_measure(const struct machine *m, uint64_t number, const struct table_walk *walk,
                   uint32_t count, struct sweep_measured *measured)
{
    open.levels = 0;
    sweep_open(m, number);
    (void)line_begin(m, number);
    loop.walk = walk;
    for (uint32_t at = 0, to; at < count; at = to) {
        to = count - at > CHUNK ? at + CHUNK : count;
        uint64_t start = read_tsc();
        chunk_run(at, to);
        measured->ticks += read_tsc() - start;
        measured->differences += loop.differences;
    }
    sweep_close();
    for (uint32_t i = 0; i < count; i++) {
        unsigned class = walk_class(&walk[i], loop.nxe);
        measured->faults += table.answer[class].outcome[0].vector != MODEL_NO_FAULT;
    }
    measured->checks += count;
    measured->user += loop.access == sweep_user ? count : 0;
}
