/*
 * access.c: see access.h.
 */
#include "access.h"

#include "fault/cpu.h"
#include "fault/probe.h"
#include "fault/world.h"
#include "machine.h"
#include "target.h"
#include "paging/tlb.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/registers.h"

/* The LDT's one descriptor lies at the target word: any selector into it reads there. */
#define LDT_SELECTOR 7 /* index 0, TI, RPL 3 */

/* RFLAGS that a fault must save as they were; the arithmetic ones depend on the probe's own code.
 */
#define RFLAGS_JUDGED                                                                              \
    (RFLAGS_RF | RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_IOPL | RFLAGS_AC)

static bool is_write(enum access_kind kind)
{
    return kind == ACCESS_WRITE || kind == ACCESS_RMW_LOCKED || kind == ACCESS_RMW_PLAIN ||
           kind == ACCESS_IMPLICIT_WRITE || kind == ACCESS_PUSH;
}

static bool is_implicit(enum access_kind kind)
{
    return kind == ACCESS_IMPLICIT_READ || kind == ACCESS_IMPLICIT_WRITE;
}

/* What the target word holds before the access: what that kind of access has to find there. */
static uint64_t word_before(enum access_kind kind)
{
    switch (kind) {
    case ACCESS_FETCH:
        return (TARGET_WORD & ~UINT64_C(0xffff)) | PROBE_LANDING;
    case ACCESS_IMPLICIT_READ:
        return DESCRIPTOR_DATA_RING3;
    case ACCESS_IMPLICIT_WRITE:
        return DESCRIPTOR_DATA_RING3 & ~DESCRIPTOR_ACCESSED;
    case ACCESS_READ:
    case ACCESS_WRITE:
    case ACCESS_RMW_LOCKED:
    case ACCESS_RMW_PLAIN:
    case ACCESS_PUSH:
    case ACCESS_NONE:
        break;
    }
    return TARGET_WORD;
}

static uint64_t word_after(enum access_kind kind)
{
    switch (kind) {
    case ACCESS_WRITE:
    case ACCESS_PUSH:
        return PROBE_VALUE;
    case ACCESS_IMPLICIT_WRITE:
        return DESCRIPTOR_DATA_RING3;
    case ACCESS_READ:
    case ACCESS_FETCH:
    case ACCESS_RMW_LOCKED:
    case ACCESS_RMW_PLAIN:
    case ACCESS_IMPLICIT_READ:
    case ACCESS_NONE:
        break;
    }
    return word_before(kind);
}

/* ---- CPU state
 * -------------------------------------------------------------------------------------- */

static void cpu_state_enter(const struct access *access)
{
    uint64_t cr4 = read_cr4();

    if (access->cpu & CPU_NXE_OFF) {
        write_cr3(twin_root());
        write_msr(MSR_EFER, read_msr(MSR_EFER) & ~(uint64_t)EFER_NXE);
    }
    if (access->cpu & CPU_WP_OFF) {
        write_cr0(read_cr0() & ~(uint64_t)CR0_WP);
    }
    cr4 |= (access->cpu & CPU_SMEP ? (uint64_t)CR4_SMEP : 0) |
           (access->cpu & CPU_SMAP ? (uint64_t)CR4_SMAP : 0);
    write_cr4(cr4);
    tlb_flush_all(); /* R0.3 */
}

static void cpu_state_leave(const struct access *access)
{
    write_cr4(read_cr4() & ~(uint64_t)(CR4_SMEP | CR4_SMAP));
    write_cr0(read_cr0() | CR0_WP);
    if (access->cpu & CPU_NXE_OFF) {
        write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
        write_cr3(world_root());
    }
    tlb_flush_all();
}

/* ---- the expectation (docs/rules.md, sections 4, 5 and 7)
 * --------------------------------------------- */

static void expect_error_code(struct trial *trial, const struct access *access, uint64_t got)
{
    bool fetch = access->kind == ACCESS_FETCH;
    bool nxe = machine_has(FEATURE_NX) && !(access->cpu & CPU_NXE_OFF);
    bool smep = access->cpu & CPU_SMEP;
    uint64_t expected = 0, mask = 0xffffffff; /* bits 63:32 are recorded, not judged */

    if (access->expect != EXPECT_NOT_PRESENT) {
        expected |= PF_EC_P;
    }
    if (access->expect == EXPECT_RESERVED) {
        expected |= PF_EC_RSVD;
    }
    if (is_write(access->kind)) {
        expected |= PF_EC_W;
    }
    if (trial->user && !is_implicit(access->kind)) {
        expected |= PF_EC_U;
    }
    if (fetch && (nxe || smep)) {
        expected |= PF_EC_I;
        /* R4 I/D: AMD either; whose processor it is, a hypervisor may only pretend. */
        if (!nxe && (machine.vendor == VENDOR_AMD || machine_has(FEATURE_HYPERVISOR))) {
            mask &= ~(uint64_t)PF_EC_I;
        }
    }
    /* A descriptor is read before its accessed bit is written; a plain rmw may be reported as a
     * read. */
    if (access->kind == ACCESS_RMW_PLAIN ||
        (access->kind == ACCESS_IMPLICIT_WRITE && access->expect != EXPECT_FORBIDDEN)) {
        mask &= ~(uint64_t)PF_EC_W;
    }
    trial_compare(trial, FIELD_ERROR_CODE, 0, expected, mask, got);
}

static void expect_frame(struct trial *trial, const struct access *access,
                         const struct target *target, const struct outcome *got)
{
    bool user = trial->user;
    uint64_t flags = RFLAGS_RF | (access->cpu & CPU_AC ? RFLAGS_AC : 0);

    expect_error_code(trial, access, got->error);
    /* R5.1: of a descriptor, any byte. */
    trial_compare(trial, FIELD_CR2, 0, target->address,
                  is_implicit(access->kind) ? ~UINT64_C(7) : ~UINT64_C(0), got->cr2);
    trial_expect(trial, FIELD_RIP, 0,
                 probe_expected_rip(access->kind, target->address, user ? USER_CODE : 0), got->rip);
    trial_compare(trial, FIELD_RFLAGS, 0, flags, RFLAGS_JUDGED, got->rflags);
    trial_expect(trial, FIELD_CS, 0, user ? SELECTOR_USER_CODE : SELECTOR_CODE, got->cs);
    trial_expect(trial, FIELD_SS, 0, user ? SELECTOR_USER_DATA : SELECTOR_DATA, got->ss);
    trial_expect(trial, FIELD_RSP, 0,
                 !user                         ? probe_supervisor_rsp()
                 : access->kind == ACCESS_PUSH ? target->address + 8
                                               : USER_STACK,
                 got->rsp);
}

/*
 * A and D (R5.2, R5.3). After success A is set in every entry and D in the leaf of a write. After a
 * fault nothing changes at and below the entry that stopped the walk; above it, and everywhere
 * after a complete walk, A may be set. D never changes.
 */
static void expect_entries(struct trial *trial, const struct access *access,
                           const struct target *target, unsigned stop)
{
    for (unsigned level = target->levels; level >= target->leaf; level--) {
        pte_t before = trial->scene.before[level - 1], after = trial->scene.after[level - 1];
        pte_t expected = before, mask = ~UINT64_C(0);
        if (access->expect == EXPECT_SUCCESS) {
            expected |= PTE_A;
            if (level == target->leaf && is_write(access->kind)) {
                expected |= PTE_D;
            }
        } else if (access->expect == EXPECT_FORBIDDEN || level > stop) {
            mask &= ~PTE_A;
        }
        trial_compare(trial, FIELD_ENTRY, level, expected, mask, after);
    }
}

static void fill_scene(struct trial *trial, const struct access *access,
                       const struct target *target)
{
    bool twin = access->cpu & CPU_NXE_OFF;

    trial->scene = (struct scene){
        .present = 1,
        .levels = (uint8_t)target->levels,
        .leaf = (uint8_t)target->leaf,
        .ring = trial->user ? 3 : 0,
        .access = (uint8_t)access->kind,
        .width = access->kind == ACCESS_FETCH ? 2 : 8,
        .address = target->address,
        .cr0 = read_cr0(),
        .cr4 = read_cr4(),
        .efer = read_msr(MSR_EFER),
        .rflags = access->cpu & (CPU_AC | CPU_STAC) ? RFLAGS_AC | RFLAGS_ONE : RFLAGS_ONE,
    };
    for (unsigned level = target->leaf; level <= target->levels; level++) {
        trial->scene.before[level - 1] = target_entry(target, level, twin);
    }
}

/* The descriptor table that lies at the target; the GDT itself stays out of it, delivery needs it.
 */
static void ldt_load(const struct target *target)
{
    uint64_t *gdt = cpu_gdt(cpu_current());

    /* Type 2: LDT; the other fields are a TSS descriptor's. */
    gdt[SELECTOR_SCRATCH / 8] =
        (tss_descriptor_low(target->address, 7) & ~(UINT64_C(0xf) << 40)) | UINT64_C(2) << 40;
    gdt[SELECTOR_SCRATCH / 8 + 1] = tss_descriptor_high(target->address);
    load_ldt(SELECTOR_SCRATCH);
}

void access_run(struct trial *trial)
{
    const struct access *access = trial->test_case->parameter;
    unsigned stop = trial->level ? trial->level : trial->leaf;
    bool twin = access->cpu & CPU_NXE_OFF, ac = access->cpu & CPU_AC;
    struct target target;
    struct outcome got;

    target_build(&target, trial->leaf);
    *target_word(&target) = word_before(access->kind);
    for (unsigned level = target.levels; level >= target.leaf; level--) {
        pte_t entry = (target_entry(&target, level, false) | access->set_all) & ~access->clear_all;
        if (level == stop) {
            entry = (entry | access->set) & ~access->clear;
            if (access->set_variant) {
                entry |= BIT(trial->ref.variant);
            }
        } else if (level < stop) {
            entry = (entry | access->set_below) & ~access->clear_below;
        }
        target_set_entry(&target, level, entry);
    }
    if (is_implicit(access->kind)) {
        ldt_load(&target);
    }
    cpu_state_enter(access);
    fill_scene(trial, access, &target);
    if (access->cpu & CPU_STAC) {
        stac();
    }
    uint64_t value = trial->user
                         ? probe_user(access->kind, target.address, LDT_SELECTOR, ac, USER_CODE,
                                      USER_STACK, &got)
                         : probe_supervisor(access->kind, target.address, LDT_SELECTOR, ac, &got);
    if (access->cpu & CPU_STAC) {
        clac();
    }
    for (unsigned level = target.leaf; level <= target.levels; level++) {
        trial->scene.after[level - 1] = target_entry(&target, level, twin);
    }
    cpu_state_leave(access);
    if (is_implicit(access->kind)) {
        write_fs(0);
        load_ldt(0);
    }
    target_remove(&target);
    trial->scene.got = got;

    bool faults = access->expect != EXPECT_SUCCESS;
    trial_expect(trial, FIELD_VECTOR, 0, faults ? VECTOR_PF : VECTOR_NONE, got.vector);
    if (faults && got.vector == VECTOR_PF) {
        expect_frame(trial, access, &target, &got);
    }
    if (!faults && access->kind == ACCESS_READ) {
        trial_expect(trial, FIELD_VALUE_READ, 0, TARGET_WORD, value);
    }
    expect_entries(trial, access, &target, stop);
    trial_expect(trial, FIELD_MEMORY, TARGET_OFFSET,
                 faults ? word_before(access->kind) : word_after(access->kind),
                 *target_word(&target));
    trial_expect(trial, FIELD_OTHER_MEMORY, 0, 0, target_damage(&target));
}
