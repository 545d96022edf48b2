/*
 * stage.c: see stage.h.
 *
 *   roots   4 levels, 5 levels, and of each the twin without XD. They map what world maps, and two
 *           slots of their own:
 *
 *             top level   | world's ... | walk 0 | walk 1 | ... world's |
 *                                           |        `-> tables of its own -> frame 1
 *                                           `-> tables of its own -> frame 0
 *
 *   a point   state_apply   registers that differ from what they are
 *             walk_lay      entries, INVLPG
 *             cast_find     stretch of code, registers, bytes before and after
 *             memory_lay    the bytes, with guards on both sides
 *             tables_bend   descriptor tables, where the access goes through them
 *             stage_enter   stage.S: IRETQ -> the access -> INT or exception -> stage_seen
 *             memory_wrong  the bytes again
 */
#include "stage.h"

#include "fault/cpu.h"
#include "fault/fpu.h"
#include "fault/paging_mode.h"
#include "fault/tables.h"
#include "fault/world.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "paging/tlb.h"
#include "stage_offsets.h"
#include "tests/harness/target.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

/* ---- what stage.S knows ---------------------------------------------------------------------------- */

struct stage_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(offsetof(struct stage_registers, rax) == STAGE_RAX, "stage.S knows it");
_Static_assert(offsetof(struct stage_registers, rbx) == STAGE_RBX, "stage.S knows it");
_Static_assert(offsetof(struct stage_registers, rcx) == STAGE_RCX, "stage.S knows it");
_Static_assert(offsetof(struct stage_registers, rdx) == STAGE_RDX, "stage.S knows it");
_Static_assert(offsetof(struct stage_registers, rsi) == STAGE_RSI, "stage.S knows it");
_Static_assert(offsetof(struct stage_registers, rdi) == STAGE_RDI, "stage.S knows it");
_Static_assert(offsetof(struct stage_registers, rip) == STAGE_RIP, "stage.S knows it");

struct stage_seen {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, cr2;
    uint32_t vector;
};
_Static_assert(offsetof(struct stage_seen, rax) == SEEN_RAX, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, rbx) == SEEN_RBX, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, rcx) == SEEN_RCX, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, rdx) == SEEN_RDX, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, rsi) == SEEN_RSI, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, rdi) == SEEN_RDI, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, rsp) == SEEN_RSP, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, cr2) == SEEN_CR2, "stage.S knows it");
_Static_assert(offsetof(struct stage_seen, vector) == SEEN_VECTOR, "stage.S knows it");

extern struct stage_seen stage_seen;
extern struct table_register stage_usual_idt;
extern uint32_t stage_armed;
struct stage_seen stage_seen;
struct table_register stage_usual_idt;

void stage_enter(const struct stage_registers *registers);
void stage_vector_load(const void *from, unsigned bytes);
void stage_vector_store(void *to, unsigned bytes);
void stage_vector_rest(void);
extern const char stage_stubs[], stage_page[];
extern const char stage_read[], stage_write[], stage_lock_add[], stage_xchg[], stage_cmpxchg[],
    stage_xadd[], stage_lock_neg[], stage_add[], stage_push[], stage_pop[], stage_call[],
    stage_ret[], stage_movs[], stage_stos[], stage_lods[], stage_fetch[], stage_segment[],
    stage_gate[], stage_rsp0[], stage_pushed[], stage_prefetch[], stage_nop[], stage_invlpg[],
    stage_clflush[], stage_clwb[], stage_wrss[], stage_wruss[];

/* ---- layout ---------------------------------------------------------------------------------------- */

/* For ring 3: the page of stretches, and one for the other side of string copies. */
#define STAGE_CODE (USER_CODE + 2 * PAGE_SIZE)
#define STAGE_DATA (USER_CODE + 3 * PAGE_SIZE)

/*
 * Stacks for exceptions lie at the bottom of this processor's main stack, below everything that
 * runs here: who does not expect one finds his processor from RSP and oopses properly.
 */
#define STAGE_STACK      (CPU_STACK_BOTTOM + 0x2000) /* top of IST STAGE_IST */
#define STAGE_STACK_RSP0 (CPU_STACK_BOTTOM + 0x2800)
#define STAGE_IST_PUSH   5 /* of the gate whose frame is pushed to the page under test */

/* Selectors into tables that lie in the page under test. */
#define SELECTOR_IN_LDT 0x0007u /* its one descriptor */
#define SELECTOR_IN_GDT 0x1803u /* behind our own GDT, PAGE_SIZE + 0x800 */
#define GDT_LIMIT       0x1fffu
#define IDT_BEFORE_EDGE 0x800u /* gates 0 to 127 */
#define IDT_LIMIT       0xfffu
#define TSS_BEFORE_EDGE 0x24u /* up to the IST entries */
#define FRAME_BYTES     40u   /* RIP CS RFLAGS RSP SS */

#define BYTES_MAX 64u /* of an access */
#define GUARD     UINT64_C(0xa7c3a7c3a7c3a7c3)

/* What decides about accesses and is changed here: as it is, or as a point wants it. */
struct state {
    uint64_t cr0, cr3, cr4, efer, u_cet;
    uint32_t pkru, pkrs;
};

static struct {
    bool started, open;
    unsigned world_levels, levels;
    struct point_ground ground[2]; /* for 4 and for 5 levels */
    paddr_t root[2][2];            /* the same; world, twin */
    uint64_t *data;                /* STAGE_DATA */
    struct state base, now;
    uint64_t xcr0, cr4; /* before open */
    vaddr_t ldt;        /* base of the LDT that is loaded; 0: none */
    struct laid_walk {
        vaddr_t page;
        unsigned leaf;                  /* 0: nothing was laid */
        volatile pte_t *at[LEVELS_MAX]; /* the entries; index 0 = PTE */
        volatile pte_t *twin;           /* the top one once more */
    } walk[2];
} stage;

static struct gate stage_idt[VECTORS] __attribute__((aligned(PAGE_SIZE)));

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

/* In world and twin, from where stage_open() copies them. */
static enum status user_pages_map(void)
{
    paddr_t data;
    struct walk code;
    enum status status = table_alloc(&data);
    pte_t xd = machine_has(FEATURE_NX) ? PTE_XD : 0;
    pte_t flags = PTE_P | PTE_US | PTE_A, more = PTE_RW | PTE_D | (pte_t)CORE_KEY << PTE_KEY_SHIFT;

    (void)paging_walk(world_root(), stage.world_levels, (vaddr_t)stage_page, &code);
    for (unsigned twin = 0; twin < 2 && status == STATUS_OK; twin++) {
        struct address_space space = {twin ? twin_root() : world_root(), stage.world_levels,
                                      TABLE_FLAGS, &check_frames};
        status = paging_map(&space, STAGE_CODE, code.address, PAGE_SIZE, 1, flags);
        if (status == STATUS_OK) {
            status =
                paging_map(&space, STAGE_DATA, data, PAGE_SIZE, 1, flags | more | (twin ? 0 : xd));
        }
    }
    stage.data = status == STATUS_OK ? phys_to_virt(data) : NULL;
    return status;
}

enum status stage_start(const struct boot_info *boot)
{
    enum status status = stage.started ? STATUS_OK : paging_mode_start(&check_frames);

    if (!stage.started && status == STATUS_OK) {
        stage.world_levels = boot->levels;
        status = ground_alloc();
        if (status == STATUS_OK) {
            status = user_pages_map();
        }
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

/* ---- the processor's state ------------------------------------------------------------------------- */

/* PKRU can be written only with CR4.PKE=1. */
static void pkru_apply(uint32_t pkru)
{
    if (stage.now.pkru != pkru) {
        if (!(stage.now.cr4 & CR4_PKE)) {
            write_cr4(stage.now.cr4 | CR4_PKE);
        }
        write_pkru(pkru);
        if (!(stage.now.cr4 & CR4_PKE)) {
            write_cr4(stage.now.cr4);
        }
        stage.now.pkru = pkru;
    }
}

static void cr0_apply(uint64_t cr0)
{
    if (stage.now.cr0 != cr0) {
        write_cr0(cr0);
        stage.now.cr0 = cr0;
    }
}

static void cr4_apply(uint64_t cr4)
{
    if (stage.now.cr4 != cr4) {
        write_cr4(cr4);
        stage.now.cr4 = cr4;
    }
}

static void cr3_apply(uint64_t cr3)
{
    if (stage.now.cr3 != cr3) {
        write_cr3(cr3);
        stage.now.cr3 = cr3;
    }
}

static void efer_apply(uint64_t efer)
{
    if (stage.now.efer != efer) {
        write_msr(MSR_EFER, efer);
        stage.now.efer = efer;
    }
}

static void state_apply(const struct state *want)
{
    pkru_apply(want->pkru);
    if (stage.now.pkrs != want->pkrs) {
        write_msr(MSR_PKRS, want->pkrs);
        stage.now.pkrs = want->pkrs;
    }
    if (stage.now.u_cet != want->u_cet) {
        write_msr(MSR_U_CET, want->u_cet);
        stage.now.u_cet = want->u_cet;
    }
    /* CR4.CET=1 wants CR0.WP=1 at every moment. */
    if (want->cr0 & CR0_WP) {
        cr0_apply(want->cr0);
        cr4_apply(want->cr4);
    } else {
        cr4_apply(want->cr4);
        cr0_apply(want->cr0);
    }
    /* A root with XD wants NXE=1 at every moment. */
    if (want->efer & EFER_NXE) {
        efer_apply(want->efer);
        cr3_apply(want->cr3);
    } else {
        cr3_apply(want->cr3);
        efer_apply(want->efer);
    }
}

static void state_of(const struct point *point, struct state *want)
{
    static const uint64_t lam[] = {0, CR3_LAM_U48, CR3_LAM_U57};
    const uint8_t *v = point->value;

    *want = stage.base;
    want->cr0 &= v[AXIS_WP] ? ~(uint64_t)CR0_WP : ~UINT64_C(0);
    want->cr4 |= (v[AXIS_SMEP] ? (uint64_t)CR4_SMEP : 0) | (v[AXIS_SMAP] ? (uint64_t)CR4_SMAP : 0) |
                 (v[AXIS_PKE] ? (uint64_t)CR4_PKE : 0) | (v[AXIS_PKS] ? (uint64_t)CR4_PKS : 0) |
                 (v[AXIS_CET] ? (uint64_t)CR4_CET : 0);
    want->cr3 = stage_root(stage.levels, v[AXIS_NXE]) | lam[v[AXIS_LAM]];
    want->efer &= v[AXIS_NXE] ? ~(uint64_t)EFER_NXE : ~UINT64_C(0);
    want->u_cet = v[AXIS_ACCESS] == MATRIX_WRSS ? CET_SH_STK_EN | CET_WR_SHSTK_EN : 0;
    want->pkru = machine_has(FEATURE_PKU) ? point_key_rights(point, false) : 0;
    want->pkrs = machine_has(FEATURE_PKS) ? point_key_rights(point, true) : 0;
}

/* As firmware's world gave it to ours, and what vectors need. */
static void state_begin(void)
{
    stage.cr4 = read_cr4() & ~(uint64_t)CR4_LA57;
    if (machine_has(FEATURE_CET_SS)) {
        write_msr(MSR_PL3_SSP, 0); /* IRETQ to ring 3 loads it while WRSS is allowed there */
    }
    if (machine_has(FEATURE_XSAVE)) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        stage.xcr0 = read_xcr0();
    }
    /* Vectors are the firmware's until then. Where they do not fit what saves them, takeover will say so. */
    bool saved = fpu_begin(cpu_current());
    (void)saved;
    if (machine_has(FEATURE_XSAVE)) {
        uint64_t want = XCR0_X87 | XCR0_SSE;
        want |= machine_has(FEATURE_AVX) ? XCR0_AVX : 0;
        want |= machine_has(FEATURE_AVX512F) ? XCR0_AVX512 : 0;
        write_xcr0(want);
    }
    stage.base = (struct state){
        .cr0 = read_cr0(),
        .cr3 = stage_root(stage.levels, false),
        .cr4 = read_cr4(),
        .efer = read_msr(MSR_EFER),
    };
    stage.now = stage.base;
    /* Registers that only features have: whatever they are, make them 0. */
    stage.now.pkru = machine_has(FEATURE_PKU);
    stage.now.pkrs = machine_has(FEATURE_PKS);
    stage.now.u_cet = machine_has(FEATURE_CET_SS);
    state_apply(&stage.base);
}

static void state_end(void)
{
    state_apply(&stage.base);
    if (machine_has(FEATURE_AVX)) {
        stage_vector_rest();
    }
    if (machine_has(FEATURE_XSAVE)) {
        write_xcr0(stage.xcr0);
        write_cr4(stage.cr4 | (read_cr4() & CR4_LA57));
    }
}

/* ---- walks ----------------------------------------------------------------------------------------- */

static void walk_take_out(struct laid_walk *walk)
{
    if (walk->leaf) {
        *walk->at[stage.levels - 1] = 0;
        *walk->twin = 0;
        tlb_flush_page(walk->page);
        walk->leaf = 0;
    }
}

/* Where the entries of the page are. An old walk goes first: a page must not change its size (R6.6). */
static void walk_place(unsigned number, const struct point_scene *scene)
{
    struct laid_walk *walk = &stage.walk[number];
    vaddr_t page = scene->page[number];

    if (walk->page == page && walk->leaf == scene->leaf) {
        return;
    }
    walk_take_out(walk);
    walk->page = page;
    walk->leaf = scene->leaf;
    for (unsigned level = 1; level <= stage.levels; level++) {
        pte_t *table = phys_to_virt(stage_ground(stage.levels)->table[number][level - 1]);
        walk->at[level - 1] = table + level_index(page, level);
    }
    pte_t *twin = phys_to_virt(stage_root(stage.levels, true));
    walk->twin = twin + level_index(page, stage.levels);
}

static void walk_lay(unsigned number, const struct point_scene *scene)
{
    struct laid_walk *walk = &stage.walk[number];

    walk_place(number, scene);
    for (unsigned level = scene->leaf; level <= scene->levels; level++) {
        *walk->at[level - 1] = scene->entry[number][level - 1];
    }
    *walk->twin = scene->entry[number][scene->levels - 1];
    tlb_flush_page(walk->page);
}

static void walk_read(unsigned number, const struct point_scene *scene, bool twin, pte_t *after)
{
    struct laid_walk *walk = &stage.walk[number];

    for (unsigned level = scene->leaf; level <= scene->levels; level++) {
        after[level - 1] = *walk->at[level - 1];
    }
    if (twin) {
        after[scene->levels - 1] = *walk->twin;
    }
}

/* PLACE_OVER has no second page, PLACE_HOLE none at all. */
static unsigned walks_there(const struct point *point)
{
    unsigned place = point->value[AXIS_PLACE];

    return place == PLACE_HOLE ? 0 : place == PLACE_OVER ? 1 : 2;
}

/* ---- what an access is made of --------------------------------------------------------------------- */

/* How an access is acted out. */
struct cast {
    const char *code; /* its stretch, where it is linked */
    struct stage_registers registers;
    unsigned success;     /* the vector that says so */
    vaddr_t rip;          /* that a fault has to report */
    vaddr_t also;         /* or this one */
    vaddr_t rip_after;    /* that success reports */
    unsigned offset;      /* of the first byte in its page */
    unsigned walk;        /* of the first byte */
    unsigned here, there; /* bytes of ours in that page, and in page 1 behind it */
    bool torn;            /* parts may have been stored when it faults */
    uint8_t before[BYTES_MAX], after[BYTES_MAX]; /* after: when it goes through */
};

static uint64_t word_mask(unsigned bytes)
{
    return bytes >= 8 ? ~UINT64_C(0) : BIT(8 * bytes) - 1;
}

static void put_word(uint8_t *to, uint64_t word)
{
    memcpy(to, &word, sizeof(word));
}

/* No two bytes that are compared are the same. */
static void patterns(uint8_t *bytes, unsigned count, uint64_t first)
{
    for (unsigned i = 0; i < count; i += 8) {
        put_word(bytes + i, first + i * UINT64_C(0x0101010101010101));
    }
}
#define PATTERN_BEFORE UINT64_C(0x1817161514131211)
#define PATTERN_VALUE  UINT64_C(0xa8a7a6a5a4a3a2a1)

static const char *const stretches[MATRIX_ACCESS_COUNT] = {
    [MATRIX_READ] = stage_read,
    [MATRIX_WRITE] = stage_write,
    [MATRIX_FETCH] = stage_fetch,
    [MATRIX_LOCK_ADD] = stage_lock_add,
    [MATRIX_XCHG] = stage_xchg,
    [MATRIX_CMPXCHG] = stage_cmpxchg,
    [MATRIX_CMPXCHG_FAILS] = stage_cmpxchg,
    [MATRIX_XADD] = stage_xadd,
    [MATRIX_LOCK_NEG] = stage_lock_neg,
    [MATRIX_ADD] = stage_add,
    [MATRIX_PUSH] = stage_push,
    [MATRIX_POP] = stage_pop,
    [MATRIX_CALL] = stage_call,
    [MATRIX_RET] = stage_ret,
    [MATRIX_MOVS_LOAD] = stage_movs,
    [MATRIX_MOVS_STORE] = stage_movs,
    [MATRIX_STOS] = stage_stos,
    [MATRIX_LODS] = stage_lods,
    [MATRIX_LDT] = stage_segment,
    [MATRIX_LDT_ACCESSED] = stage_segment,
    [MATRIX_GDT] = stage_segment,
    [MATRIX_GDT_ACCESSED] = stage_segment,
    [MATRIX_IDT] = stage_gate,
    [MATRIX_TSS] = stage_rsp0,
    [MATRIX_FRAME] = stage_rsp0,
    [MATRIX_PREFETCH] = stage_prefetch,
    [MATRIX_NOP] = stage_nop,
    [MATRIX_INVLPG] = stage_invlpg,
    [MATRIX_CLFLUSH] = stage_clflush,
    [MATRIX_CLWB] = stage_clwb,
    [MATRIX_WRSS] = stage_wrss,
    [MATRIX_WRUSS] = stage_wruss,
};

static struct gate stub_gate(unsigned vector, unsigned dpl, unsigned ist)
{
    unsigned stub = vector < 32            ? vector
                    : vector == STAGE_EXIT ? 32
                    : vector == STAGE_GATE ? 33
                    : vector == STAGE_RSP0 ? 34
                                           : 35;

    return gate_make((uint64_t)stage_stubs + stub * STAGE_STUB_BYTES, SELECTOR_CODE, GATE_INTERRUPT,
                     dpl, ist);
}

/* Where the access lies, and what of it is in memory of ours. */
static void cast_place(const struct point *point, const struct point_scene *scene,
                       struct cast *cast)
{
    unsigned place = point->value[AXIS_PLACE];

    cast->walk = scene->first;
    cast->offset = (unsigned)(scene->address & (PAGE_SIZE - 1));
    unsigned left = (unsigned)PAGE_SIZE - cast->offset;
    cast->here = place == PLACE_HOLE ? 0 : scene->bytes < left ? scene->bytes : left;
    cast->there = place == PLACE_HOLE || place == PLACE_OVER ? 0 : scene->bytes - cast->here;
}

/* RSP, where that is the address. */
static void cast_stack(unsigned access, uint64_t address, struct cast *cast)
{
    switch (access) {
    case MATRIX_PUSH:
    case MATRIX_CALL:
        cast->registers.rsp = address + 8;
        break;
    case MATRIX_POP:
    case MATRIX_RET:
        cast->registers.rsp = address;
        break;
    default:
        break;
    }
}

/* The bytes that an access finds, those that it leaves, and its operands. */
static void cast_bytes(const struct point *point, unsigned bytes, struct cast *cast)
{
    struct stage_registers *r = &cast->registers;
    uint64_t before = PATTERN_BEFORE, value = PATTERN_VALUE, after;

    patterns(cast->before, bytes, before);
    patterns(cast->after, bytes, before);
    r->rsi = value;
    r->rax = ~before;
    switch (point->value[AXIS_ACCESS]) {
    case MATRIX_WRITE:
        patterns(cast->after, bytes, value);
        cast->torn = bytes > 8;
        if (bytes > 8) {
            stage_vector_load(cast->after, bytes);
        }
        return;
    case MATRIX_CMPXCHG:
        r->rax = before;
        r->rdx = before + UINT64_C(0x0808080808080808);
        r->rbx = value;
        r->rcx = value + UINT64_C(0x0808080808080808);
        patterns(cast->after, bytes, value);
        return;
    case MATRIX_CMPXCHG_FAILS:
        r->rdx = before;
        r->rbx = r->rcx = value;
        return;
    case MATRIX_FETCH:
        before = after = 0xcd | STAGE_EXIT << 8;
        break;
    case MATRIX_XCHG:
    case MATRIX_PUSH:
    case MATRIX_MOVS_STORE:
    case MATRIX_WRSS:
    case MATRIX_WRUSS:
        after = value;
        break;
    case MATRIX_STOS:
        after = r->rax = value;
        break;
    case MATRIX_XADD:
    case MATRIX_ADD:
        after = before + value;
        break;
    case MATRIX_LOCK_NEG:
        after = -before;
        break;
    case MATRIX_CALL:
        after = r->rip + CALL_BYTES;
        break;
    case MATRIX_RET:
        before = after = r->rip + STRETCH_EXIT;
        break;
    case MATRIX_LDT:
    case MATRIX_GDT:
        before = after = DESCRIPTOR_DATA_RING3;
        break;
    case MATRIX_LDT_ACCESSED:
    case MATRIX_GDT_ACCESSED:
        before = DESCRIPTOR_DATA_RING3 & ~DESCRIPTOR_ACCESSED;
        after = DESCRIPTOR_DATA_RING3;
        break;
    case MATRIX_TSS:
        before = after = (uint64_t)cpu_current() + STAGE_STACK_RSP0;
        break;
    case MATRIX_IDT: {
        struct gate gate = stub_gate(STAGE_GATE, 3, STAGE_IST);
        memcpy(cast->before, &gate, sizeof(gate));
        memcpy(cast->after, &gate, sizeof(gate));
        return;
    }
    default:
        return;
    }
    put_word(cast->before, before);
    put_word(cast->after, after);
}

/* In: cast_place() was there. */
static void cast_find(const struct point *point, const struct point_scene *scene, struct cast *cast)
{
    const uint8_t *v = point->value;
    unsigned access = v[AXIS_ACCESS];
    bool user = v[AXIS_RING] == RING_IS_3;
    struct stage_registers *r = &cast->registers;

    cast->code = stretches[access] + v[AXIS_WIDTH] * STRETCH_BYTES;
    cast->success = STAGE_EXIT;
    if (access == MATRIX_FRAME && !user) {
        cast->code = stage_pushed;
        cast->success = STAGE_PUSH;
    } else if (access == MATRIX_FRAME || access == MATRIX_TSS) {
        cast->success = STAGE_RSP0;
    } else if (access == MATRIX_IDT) {
        cast->success = STAGE_GATE;
    }
    *r = (struct stage_registers){
        .rip = user ? STAGE_CODE + (uint64_t)(cast->code - stage_page) : (uint64_t)cast->code,
        .cs = user ? SELECTOR_USER_CODE : SELECTOR_CODE,
        .rflags = RFLAGS_ONE | (v[AXIS_AC] ? RFLAGS_AC : 0),
        .rsp = user ? USER_STACK : (uint64_t)cpu_current() + STAGE_STACK_RSP0,
        .ss = user ? SELECTOR_USER_DATA : SELECTOR_DATA,
        .rdi = scene->address,
    };
    cast_stack(access, scene->address, cast);
    cast_bytes(point, scene->bytes, cast);
    cast->rip = cast->also = r->rip;
    cast->rip_after = r->rip + (cast->success == STAGE_EXIT ? STRETCH_EXIT + INT_BYTES : INT_BYTES);
    switch (access) {
    case MATRIX_FETCH:
        /* R1.4: of a target that is not canonical, the branch's RIP, or, off Intel's, the target's. */
        cast->rip = scene->address;
        cast->rip_after = scene->address + INT_BYTES;
        cast->also = v[AXIS_PLACE] == PLACE_HOLE || v[AXIS_LAM] ? r->rip : scene->address;
        break;
    case MATRIX_LDT:
    case MATRIX_LDT_ACCESSED:
        r->rsi = SELECTOR_IN_LDT;
        break;
    case MATRIX_GDT:
    case MATRIX_GDT_ACCESSED:
        r->rsi = SELECTOR_IN_GDT;
        break;
    case MATRIX_MOVS_LOAD:
    case MATRIX_LODS:
        r->rsi = scene->address;
        break;
    default:
        break;
    }
    if (access == MATRIX_MOVS_LOAD || access == MATRIX_MOVS_STORE) {
        uint64_t other = user ? STAGE_DATA : (uint64_t)stage.data;
        *(access == MATRIX_MOVS_LOAD ? &r->rdi : &r->rsi) = other;
        *stage.data = PATTERN_VALUE;
    }
}

/* ---- bytes ----------------------------------------------------------------------------------------- */

static uint8_t *frame_at(unsigned walk, unsigned offset)
{
    return (uint8_t *)phys_to_virt(stage_ground(stage.levels)->frame[walk]) + offset;
}

/* The bytes right before and right behind the access; those behind are NULL where nothing is. */
static void guards_at(const struct cast *cast, uint8_t **front, uint8_t **back)
{
    unsigned end = cast->offset + cast->here;

    *front = frame_at(cast->walk, cast->offset - 8);
    *back = cast->there            ? frame_at(1, cast->there)
            : end + 8 <= PAGE_SIZE ? frame_at(cast->walk, end)
                                   : NULL;
}

static void memory_lay(const struct cast *cast)
{
    uint8_t *front, *back;

    if (!cast->here) {
        return;
    }
    guards_at(cast, &front, &back);
    put_word(front, GUARD);
    if (back) {
        put_word(back, GUARD);
    }
    memcpy(frame_at(cast->walk, cast->offset), cast->before, cast->here);
    memcpy(frame_at(1, 0), cast->before + cast->here, cast->there);
}

static bool is_word(const uint8_t *bytes, uint64_t word)
{
    return memcmp(bytes, &word, sizeof(word)) == 0;
}

/* Each byte as before or as after; several may be stored one after the other (R7.1). */
static bool torn_wrong(const struct cast *cast, const uint8_t *bytes, unsigned from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (bytes[i] != cast->before[from + i] && bytes[i] != cast->after[from + i]) {
            return true;
        }
    }
    return false;
}

static bool memory_wrong(const struct cast *cast, bool through)
{
    const uint8_t *expected = through ? cast->after : cast->before;
    uint8_t *front, *back;

    if (!cast->here) {
        return false;
    }
    guards_at(cast, &front, &back);
    if (!is_word(front, GUARD) || (back && !is_word(back, GUARD))) {
        return true;
    }
    const uint8_t *here = frame_at(cast->walk, cast->offset), *there = frame_at(1, 0);
    if (!through && cast->torn) {
        return torn_wrong(cast, here, 0, cast->here) ||
               torn_wrong(cast, there, cast->here, cast->there);
    }
    return memcmp(here, expected, cast->here) != 0 ||
           memcmp(there, expected + cast->here, cast->there) != 0;
}

/* ---- memory types -----------------------------------------------------------------------------------*/

#define CACHE_LINE 64u /* every 64-bit processor's */

static void flush_bytes(const uint8_t *from, unsigned bytes)
{
    for (const uint8_t *line = from; line < from + bytes + CACHE_LINE - 1; line += CACHE_LINE) {
        clflush(line);
    }
}

static bool through_tables(unsigned access)
{
    return access == MATRIX_GDT || access == MATRIX_GDT_ACCESSED || access == MATRIX_IDT ||
           access == MATRIX_TSS;
}

/*
 * Write back what lies in the caches of entries and bytes: a page or a table that the point makes
 * uncacheable is read from memory, and we write through the direct map, which is cached.
 */
static void caches_flush(const struct point *point, const struct point_scene *scene,
                         const struct cast *cast)
{
    bool whole = through_tables(point->value[AXIS_ACCESS]);

    if ((!point->value[AXIS_CACHE] && !point->value[AXIS_PAT]) || !machine_has(FEATURE_CLFSH)) {
        return;
    }
    for (unsigned i = 0; i < walks_there(point); i++) {
        for (unsigned level = scene->leaf; level <= scene->levels; level++) {
            clflush(stage.walk[i].at[level - 1]);
        }
        clflush(stage.walk[i].twin);
        if (whole) {
            flush_bytes(frame_at(i, 0), (unsigned)PAGE_SIZE);
        }
    }
    if (!whole) {
        flush_bytes(frame_at(cast->walk, cast->offset), cast->here);
        flush_bytes(frame_at(1, 0), cast->there);
    }
}

/* ---- descriptor tables ----------------------------------------------------------------------------- */

static void ldt_bend(vaddr_t base)
{
    uint64_t *gdt = cpu_gdt(cpu_current());

    if (stage.ldt != base) {
        /* Type 2: LDT; the other fields are a TSS descriptor's. */
        gdt[SELECTOR_SCRATCH / 8] =
            (tss_descriptor_low(base, 7) & ~(UINT64_C(0xf) << 40)) | UINT64_C(2) << 40;
        gdt[SELECTOR_SCRATCH / 8 + 1] = tss_descriptor_high(base);
        load_ldt(SELECTOR_SCRATCH);
        stage.ldt = base;
    }
}

static void task_register_bend(vaddr_t base)
{
    uint64_t *gdt = cpu_gdt(cpu_current());

    gdt[SELECTOR_TSS / 8] = tss_descriptor_low(base, sizeof(struct tss) - 1);
    gdt[SELECTOR_TSS / 8 + 1] = tss_descriptor_high(base);
    load_tr(SELECTOR_TSS);
}

/* Copies of what the processor needs besides what is under test go to the frames. */
static void tables_bend(const struct point *point, const struct point_scene *scene,
                        const struct cast *cast)
{
    struct cpu *cpu = cpu_current();

    switch (point->value[AXIS_ACCESS]) {
    case MATRIX_LDT:
    case MATRIX_LDT_ACCESSED:
        write_fs(0);
        ldt_bend(scene->address);
        break;
    case MATRIX_GDT:
    case MATRIX_GDT_ACCESSED:
        write_fs(0);
        memcpy(frame_at(0, GDT_OURS), (const uint8_t *)cpu_gdt(cpu) + GDT_OURS,
               GDT_BYTES - GDT_OURS);
        load_gdt((struct table_register){.limit = GDT_LIMIT, .base = scene->page[0]});
        break;
    case MATRIX_IDT:
        memcpy(frame_at(0, PAGE_SIZE - IDT_BEFORE_EDGE), stage_idt,
               (STAGE_EXIT + 1) * sizeof(struct gate));
        load_idt(
            (struct table_register){.limit = IDT_LIMIT, .base = scene->page[1] - IDT_BEFORE_EDGE});
        break;
    case MATRIX_TSS:
        memcpy(frame_at(1, 0), (const uint8_t *)cpu_tss(cpu) + TSS_BEFORE_EDGE,
               sizeof(struct tss) - TSS_BEFORE_EDGE);
        task_register_bend(scene->page[1] - TSS_BEFORE_EDGE);
        break;
    case MATRIX_FRAME:
        cpu_tss(cpu)->rsp[0] = cpu_tss(cpu)->ist[STAGE_IST_PUSH - 1] =
            scene->page[0] + cast->offset + FRAME_BYTES;
        break;
    default:
        break;
    }
}

static void tables_straighten(const struct point *point)
{
    struct cpu *cpu = cpu_current();

    switch (point->value[AXIS_ACCESS]) {
    case MATRIX_GDT:
    case MATRIX_GDT_ACCESSED:
        load_gdt((struct table_register){.limit = GDT_BYTES - 1, .base = (uint64_t)cpu_gdt(cpu)});
        break;
    case MATRIX_IDT:
        load_idt(
            (struct table_register){.limit = sizeof(stage_idt) - 1, .base = (uint64_t)stage_idt});
        break;
    case MATRIX_TSS:
        task_register_bend((uint64_t)cpu_tss(cpu));
        break;
    case MATRIX_FRAME:
        cpu_tss(cpu)->rsp[0] = cpu_tss(cpu)->ist[STAGE_IST_PUSH - 1] =
            (uint64_t)cpu + STAGE_STACK_RSP0;
        break;
    default:
        break;
    }
}

static void tables_open(void)
{
    struct cpu *cpu = cpu_current();

    memcpy(stage_idt, tables_gate(0), sizeof(stage_idt));
    stage_usual_idt =
        (struct table_register){.limit = sizeof(stage_idt) - 1, .base = (uint64_t)tables_gate(0)};
    for (unsigned vector = 0; vector < 32; vector++) {
        if (vector != VECTOR_NMI && vector != VECTOR_MC) {
            stage_idt[vector] = stub_gate(vector, 0, vector == VECTOR_DF ? IST_DF : STAGE_IST);
        }
    }
    stage_idt[STAGE_EXIT] = stub_gate(STAGE_EXIT, 3, STAGE_IST);
    stage_idt[STAGE_GATE] = stub_gate(STAGE_GATE, 3, STAGE_IST);
    stage_idt[STAGE_RSP0] = stub_gate(STAGE_RSP0, 3, 0);
    stage_idt[STAGE_PUSH] = stub_gate(STAGE_PUSH, 3, STAGE_IST_PUSH);
    cpu_tss(cpu)->ist[STAGE_IST - 1] = (uint64_t)cpu + STAGE_STACK;
    cpu_tss(cpu)->rsp[0] = cpu_tss(cpu)->ist[STAGE_IST_PUSH - 1] = (uint64_t)cpu + STAGE_STACK_RSP0;
    load_idt((struct table_register){.limit = sizeof(stage_idt) - 1, .base = (uint64_t)stage_idt});
    stage.ldt = 0;
}

static void tables_close(void)
{
    struct cpu *cpu = cpu_current();

    write_fs(0);
    load_ldt(0);
    tables_load(cpu);
    cpu_tss(cpu)->rsp[0] = (uint64_t)cpu + CPU_STACK_TOP;
    cpu_tss(cpu)->ist[STAGE_IST - 1] = cpu_tss(cpu)->ist[STAGE_IST_PUSH - 1] = 0;
}

void stage_state(const struct point *point)
{
    struct state want;

    state_of(point, &want);
    state_apply(&want);
    tlb_flush_all(); /* R0.3 */
}

/* ---- what came of it ------------------------------------------------------------------------------- */

/* The frame that was pushed: error code (or not), RIP CS RFLAGS RSP SS. */
static void outcome_read(const struct cast *cast, unsigned access, struct outcome *outcome)
{
    bool software = stage_seen.vector >= STAGE_EXIT;
    bool error = !software && ((uint32_t)VECTORS_WITH_ERROR_CODE >> stage_seen.vector) & 1;
    /* In the page under test nothing is read through the page. */
    bool pushed = access == MATRIX_FRAME && stage_seen.vector == cast->success;
    const uint64_t *frame = pushed ? (const uint64_t *)(uintptr_t)frame_at(cast->walk, cast->offset)
                                   : (const uint64_t *)stage_seen.rsp;

    *outcome = (struct outcome){
        .vector = stage_seen.vector == cast->success ? VECTOR_NONE : (uint16_t)stage_seen.vector,
        .error = error ? *frame++ : 0,
        .cr2 = stage_seen.cr2,
    };
    outcome->rip = frame[0];
    outcome->cs = (uint16_t)frame[1];
    outcome->rflags = frame[2];
    outcome->rsp = frame[3];
    outcome->ss = (uint16_t)frame[4];
}

/* What an access that went through brought into registers is what lay there. */
static bool result_wrong(const struct point *point, const struct cast *cast, uint64_t *value)
{
    unsigned width = point_width(point);
    uint64_t before, mask = word_mask(width);

    memcpy(&before, cast->before, sizeof(before));
    switch (point->value[AXIS_ACCESS]) {
    case MATRIX_READ:
        if (width > 8) {
            uint8_t got[BYTES_MAX];
            stage_vector_store(got, width);
            memcpy(value, got, sizeof(*value));
            return memcmp(got, cast->before, width) != 0;
        }
        *value = stage_seen.rax & mask;
        break;
    case MATRIX_POP:
    case MATRIX_LODS:
        *value = stage_seen.rax & mask;
        break;
    case MATRIX_XCHG:
    case MATRIX_XADD:
        *value = stage_seen.rsi & mask;
        break;
    case MATRIX_CMPXCHG:
    case MATRIX_CMPXCHG_FAILS:
        *value = stage_seen.rax & mask;
        if (width > 8 && memcmp(&stage_seen.rdx, cast->before + 8, 8) != 0) {
            return true;
        }
        break;
    case MATRIX_MOVS_LOAD:
        *value = *stage.data & mask;
        break;
    case MATRIX_LDT:
    case MATRIX_LDT_ACCESSED:
    case MATRIX_GDT:
    case MATRIX_GDT_ACCESSED:
        *value = before;
        return read_fs() != cast->registers.rsi;
    default:
        return false;
    }
    return *value != (before & mask);
}

/* A frame that went to the page under test is all there. */
static bool frame_wrong(const struct cast *cast, const struct outcome *outcome)
{
    const struct stage_registers *r = &cast->registers;

    return outcome->cs != r->cs || outcome->ss != r->ss || outcome->rsp != r->rsp ||
           (outcome->rflags ^ r->rflags) & (RFLAGS_AC | RFLAGS_IF | RFLAGS_TF);
}

static bool rip_wrong(const struct cast *cast, const struct outcome *outcome)
{
    if (outcome->vector == VECTOR_NONE) {
        return outcome->rip != cast->rip_after;
    }
    if (cast->also != cast->rip && outcome->vector == VECTOR_GP) {
        /* A hypervisor may only pretend to be Intel's. */
        bool intel = machine.vendor == VENDOR_INTEL && !machine_has(FEATURE_HYPERVISOR);
        return outcome->rip != cast->also && (intel || outcome->rip != cast->rip);
    }
    return outcome->rip != cast->rip;
}

/* ---- a point --------------------------------------------------------------------------------------- */

void stage_run(const struct point *point, const struct point_scene *scene, uint64_t cr2,
               struct stage_got *got)
{
    static struct cast cast;
    unsigned access = point->value[AXIS_ACCESS], walks = walks_there(point);
    bool twin = point->value[AXIS_NXE];
    struct state want;

    state_of(point, &want);
    state_apply(&want);
    for (unsigned i = 0; i < walks; i++) {
        walk_lay(i, scene);
    }
    cast.torn = false;
    cast_place(point, scene, &cast);
    cast_find(point, scene, &cast);
    tables_bend(point, scene, &cast);
    memory_lay(&cast);
    caches_flush(point, scene, &cast);
    write_cr2(cr2);
    stage_enter(&cast.registers);
    caches_flush(point, scene, &cast);

    *got = (struct stage_got){
        .cr0 = want.cr0,
        .cr4 = want.cr4,
        .efer = want.efer,
        .rflags = cast.registers.rflags,
        .pkru = want.pkru,
        .pkrs = want.pkrs,
    };
    outcome_read(&cast, access, &got->outcome);
    for (unsigned i = 0; i < walks; i++) {
        walk_read(i, scene, twin, got->after[i]);
    }
    bool through = got->outcome.vector == VECTOR_NONE;
    got->rip_wrong = rip_wrong(&cast, &got->outcome);
    if (access == MATRIX_FRAME) {
        got->memory_wrong = through && frame_wrong(&cast, &got->outcome);
    } else {
        got->memory_wrong =
            memory_wrong(&cast, through) || (through && result_wrong(point, &cast, &got->value));
    }
    tables_straighten(point);
}

void stage_as_model_sees(const struct point_scene *scene, const struct stage_got *got,
                         struct model_got *seen)
{
    const struct outcome *outcome = &got->outcome;

    *seen = (struct model_got){
        .vector = outcome->vector == VECTOR_NONE ? MODEL_NO_FAULT : outcome->vector,
        .error = (uint32_t)outcome->error,
        .cr2 = outcome->cr2,
    };
    for (unsigned i = 0; i + scene->first < 2; i++) {
        unsigned walk = i + scene->first;
        struct model_bits *bits = &seen->walk[i];
        for (unsigned level = scene->leaf; level <= scene->levels; level++) {
            pte_t before = scene->entry[walk][level - 1];
            /* What the access does not concern, the model does not know: TSS and GDT need both. */
            pte_t after = scene->used[walk] ? got->after[walk][level - 1] : before;
            pte_t may = PTE_A | (level == scene->leaf ? PTE_D : 0);
            bits->accessed |= (uint8_t)(after & PTE_A ? 1u << (level - 1) : 0);
            bits->dirty |= (uint8_t)(after & PTE_D ? 1u << (level - 1) : 0);
            seen->other_bits = seen->other_bits || (before ^ after) & ~may;
        }
    }
}

/* ---- open and close -------------------------------------------------------------------------------- */

bool stage_can_open(unsigned levels)
{
    return stage.started && (levels == stage.world_levels || paging_mode_can_change());
}

void stage_recover(void)
{
    stage_armed = 0;
    stage.open = false;
}

void stage_open(unsigned levels)
{
    stage_recover();
    root_write(false);
    root_write(true);
    paging_mode_set(levels, stage_root(levels, false));
    stage.levels = levels;
    stage.walk[0].leaf = stage.walk[1].leaf = 0;
    state_begin();
    tables_open();
    stage.open = true;
}

void stage_close(void)
{
    if (!stage.open) {
        return;
    }
    tables_close();
    state_end();
    paging_mode_set(stage.world_levels, world_root());
    stage.open = false;
}
