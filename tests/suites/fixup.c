/*
 * fixup.c: the exception table and what stands on it, against real faults (R8.2): each handler
 * type, each user accessor at every offset around a page's edge; and ring3_run, which everything
 * about ring 3 stands on.
 */
#include "fault/cpu.h"
#include "fault/probe.h"
#include "fault/ring3.h"
#include "fault/tables.h"
#include "fault/uaccess.h"
#include "fault/uaccess_raw.h"
#include "table.h"
#include "tests/harness/findings.h"
#include "tests/harness/machine.h"
#include "tests/harness/pair.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define SENTINEL UINT64_C(0x1122334455667788)

/* The pair's pages, or false: the check cannot run. */
static bool pages_ready(struct trial *trial, pte_t page0, pte_t page1)
{
    if (pair_start(NULL, 0) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    pair_reset(page0, page1);
    return true;
}

/* How user access runs in a check; SMEP comes with it where it exists. */
static void smap_set(bool on)
{
    uint64_t bits = CR4_SMAP | (machine_has(FEATURE_SMEP) ? (uint64_t)CR4_SMEP : 0);

    write_cr4(on ? read_cr4() | bits : read_cr4() & ~(uint64_t)(CR4_SMAP | CR4_SMEP));
    uaccess_configure(on, machine.levels);
}

/* ---- handler types
 * ------------------------------------------------------------------------------------------ */

static void default_continues_at_fixup(struct trial *trial)
{
    uint64_t present = 0, absent = SENTINEL, expected;

    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_ABSENT)) {
        return;
    }
    memcpy(&expected, pair_byte(PAIR_EDGE - 8), sizeof(expected));
    trial_expect(trial, FIELD_STATUS, 0, true,
                 read_guarded((const void *)(PAIR_EDGE - 8), &present));
    trial_expect(trial, FIELD_VALUE_READ, 0, expected, present);
    trial_expect(trial, FIELD_STATUS, 1, false, read_guarded((const void *)PAIR_EDGE, &absent));
    trial_expect(trial, FIELD_VALUE_READ, 1, SENTINEL, absent);
}

static void fault_hands_over_what_happened(struct trial *trial)
{
    uint64_t error = SENTINEL, address = SENTINEL;

    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_ABSENT)) {
        return;
    }
    trial_expect(trial, FIELD_STATUS, 0, (uint64_t)-1,
                 (uint64_t)read_reporting((const void *)(PAIR_EDGE - 1), &error, &address));
    trial_expect(trial, FIELD_VALUE_READ, 0, SENTINEL, error);
    trial_expect(trial, FIELD_VALUE_READ, 1, SENTINEL, address);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF,
                 (uint64_t)read_reporting((const void *)(PAIR_EDGE + 5), &error, &address));
    trial_expect(trial, FIELD_ERROR_CODE, 0, 0, error);
    trial_expect(trial, FIELD_CR2, 0, PAIR_EDGE + 5, address);
}

static void fault_hands_over_rights(struct trial *trial)
{
    uint64_t error = SENTINEL, address = SENTINEL;

    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_WRITABLE)) {
        return;
    }
    smap_set(true);
    int64_t vector = read_reporting((const void *)PAIR_EDGE, &error, &address);
    smap_set(false);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, (uint64_t)vector);
    trial_expect(trial, FIELD_ERROR_CODE, 0, PF_EC_P, error);
    trial_expect(trial, FIELD_CR2, 0, PAIR_EDGE, address);
}

/* Words from 8 bytes before the edge to the edge itself; the word that begins there is whole. */
static void zeropad_at_each_offset(struct trial *trial)
{
    struct cpu *cpu = cpu_current();

    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_ABSENT)) {
        return;
    }
    for (unsigned offset = 0; offset <= 8; offset++) {
        vaddr_t from = PAIR_EDGE - 8 + offset;
        uint64_t expected = 0, faults = cpu->faults;
        pair_set(1, offset == 8 ? PAIR_WRITABLE : PAIR_ABSENT);
        for (unsigned i = 0; i < 8 && (offset == 8 || i < 8 - offset); i++) {
            expected |= (uint64_t)*pair_byte(from + i) << (8 * i);
        }
        trial_expect(trial, FIELD_VALUE_READ, offset, expected, read_zeropad((const void *)from));
        trial_expect(trial, FIELD_EVENTS, offset, offset > 0 && offset < 8, cpu->faults - faults);
    }
}

/* Across an edge between two present pages nothing is padded. */
static void zeropad_leaves_whole_words_alone(struct trial *trial)
{
    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_WRITABLE)) {
        return;
    }
    for (unsigned offset = 0; offset <= 8; offset++) {
        vaddr_t from = PAIR_EDGE - 8 + offset;
        uint64_t expected = 0;
        for (unsigned i = 0; i < 8; i++) {
            expected |= (uint64_t)*pair_byte(from + i) << (8 * i);
        }
        trial_expect(trial, FIELD_VALUE_READ, offset, expected, read_zeropad((const void *)from));
    }
}

static void msr_that_exists(struct trial *trial)
{
    uint64_t value = 0;

    trial_expect(trial, FIELD_STATUS, 0, true, read_msr_guarded(MSR_EFER, &value));
    trial_expect(trial, FIELD_VALUE_READ, 0, read_msr(MSR_EFER), value);
    trial_expect(trial, FIELD_STATUS, 1, true, write_msr_guarded(MSR_CSTAR, SENTINEL >> 32));
    trial_expect(trial, FIELD_VALUE_READ, 1, SENTINEL >> 32, read_msr(MSR_CSTAR));
    write_msr(MSR_CSTAR, 0);
}

/*
 * Bits 63:32 of IA32_PKRS are reserved, and without PKS the whole MSR is: either way #GP. A
 * hypervisor may answer reads of an MSR that nobody has with 0: recorded there, judged elsewhere.
 */
static void msr_that_refuses(struct trial *trial)
{
    uint64_t value = SENTINEL, judged = machine_has(FEATURE_HYPERVISOR) ? 0 : ~UINT64_C(0);

    trial_expect(trial, FIELD_STATUS, 0, false, write_msr_guarded(MSR_PKRS, BIT(63)));
    bool read = read_msr_guarded(0x4000ffff, &value);
    trial_compare(trial, FIELD_STATUS, 1, false, judged, read);
    trial_compare(trial, FIELD_VALUE_READ, 1, SENTINEL, read ? judged : ~UINT64_C(0), value);
}

/* ---- user accessors: every offset around the edge, every length
 * ------------------------------------------------ */

#define WINDOW      128u /* bytes on either side of the edge that are looked at */
#define REACH       24u  /* the first byte lies this far before the edge, or less behind it */
#define LENGTH_MAX  64u
#define KERNEL_FILL 0xee

struct accessor {
    /* Out: bytes left. Reads from or writes to @kernel. */
    uint64_t (*call)(vaddr_t user, uint8_t *kernel, uint64_t bytes);
    bool writes, clears;
    bool whole; /* 1, 2, 4 or 8 bytes, all of them or none */
};

static uint64_t call_copy_from(vaddr_t user, uint8_t *kernel, uint64_t bytes)
{
    return copy_from_user(kernel, user, bytes);
}

static uint64_t call_copy_to(vaddr_t user, uint8_t *kernel, uint64_t bytes)
{
    return copy_to_user(user, kernel, bytes);
}

static uint64_t call_clear(vaddr_t user, uint8_t *kernel, uint64_t bytes)
{
    (void)kernel;
    return clear_user(user, bytes);
}

/* The value is zero-extended, and 0 when it cannot be read: anything else shows in @kernel. */
static uint64_t call_get(vaddr_t user, uint8_t *kernel, uint64_t bytes)
{
    uint64_t value = SENTINEL;
    bool got = get_user(&value, user, (unsigned)bytes);

    if (got ? bytes < 8 && value >> (8 * bytes) : value != 0) {
        kernel[bytes] ^= 0xff;
    }
    if (got) {
        memcpy(kernel, &value, bytes);
    }
    return got ? 0 : bytes;
}

static uint64_t call_put(vaddr_t user, uint8_t *kernel, uint64_t bytes)
{
    uint64_t value;

    memcpy(&value, kernel, sizeof(value));
    return put_user(value, user, (unsigned)bytes) ? 0 : bytes;
}

static const struct accessor copy_from = {.call = call_copy_from};
static const struct accessor copy_to = {.call = call_copy_to, .writes = true};
static const struct accessor clear = {.call = call_clear, .writes = true, .clears = true};
static const struct accessor get = {.call = call_get, .whole = true};
static const struct accessor put = {.call = call_put, .writes = true, .whole = true};

struct sweep {
    const struct accessor *accessor; /* NULL: strings */
    pte_t page[2];
    bool smap;
};

/* From @address on, how many bytes may be accessed before one may not. */
static uint64_t accessible(const struct sweep *sweep, vaddr_t address, uint64_t bytes, bool write)
{
    pte_t wanted = write ? PTE_P | PTE_RW : PTE_P;
    uint64_t before = address < PAIR_EDGE ? PAIR_EDGE - address : 0;

    if (before && (sweep->page[0] & wanted) != wanted) {
        return 0;
    }
    if (before < bytes && (sweep->page[1] & wanted) != wanted) {
        return before;
    }
    return bytes;
}

static uint8_t kernel_pattern(uint64_t at)
{
    return (uint8_t)(0x80 + at * 5);
}

/*
 * One call; everything it may touch is as expected afterwards, and as before when this returns.
 * Out: whether it had to fault.
 */
static bool sweep_one(struct findings *findings, const struct sweep *sweep, vaddr_t user,
                      uint64_t bytes)
{
    const struct accessor *a = sweep->accessor;
    uint8_t kernel[LENGTH_MAX + 8];
    uint64_t done = accessible(sweep, user, bytes, a->writes);
    bool faults = done < bytes;
    /* Where: the start in the high byte as it lies to the edge, the length in the low one. */
    uint64_t where = (user - PAIR_EDGE) << 8 | bytes;

    if (a->whole && faults) {
        done = 0;
    }
    for (uint64_t i = 0; i < sizeof(kernel); i++) {
        kernel[i] = a->writes ? kernel_pattern(i) : KERNEL_FILL;
    }
    find(findings, FIELD_COUNT_LEFT, where, bytes - done, a->call(user, kernel, bytes));
    find(findings, FIELD_RFLAGS, where, 0, read_rflags() & RFLAGS_AC);
    for (uint64_t i = 0; i < sizeof(kernel); i++) {
        uint8_t expected = a->writes  ? kernel_pattern(i)
                           : i < done ? pair_pattern(user + i)
                                      : KERNEL_FILL;
        find(findings, FIELD_OTHER_MEMORY, i, expected, kernel[i]);
    }
    for (vaddr_t at = PAIR_EDGE - WINDOW; at < PAIR_EDGE + WINDOW; at++) {
        bool written = a->writes && at >= user && at < user + done;
        uint8_t expected = !written ? pair_pattern(at) : a->clears ? 0 : kernel_pattern(at - user);
        uint8_t *byte = pair_byte(at);
        find(findings, FIELD_MEMORY, at & (PAGE_SIZE - 1), expected, *byte);
        *byte = pair_pattern(at);
    }
    return faults;
}

/* A string whose NUL lies @length bytes behind its start, into a buffer of LENGTH_MAX / 2. The
 * same out. */
static bool string_one(struct findings *findings, const struct sweep *sweep, vaddr_t user,
                       uint64_t length)
{
    uint64_t capacity = LENGTH_MAX / 2;
    char kernel[LENGTH_MAX];
    uint64_t wanted = length < capacity ? length + 1 : capacity; /* bytes that must be read */
    uint64_t done = accessible(sweep, user, wanted, false);
    bool faults = done < wanted;
    uint64_t where = (user - PAIR_EDGE) << 8 | length;
    int64_t expected = faults ? UACCESS_FAULT : (int64_t)(length < capacity ? length : capacity);

    memset(kernel, KERNEL_FILL, sizeof(kernel));
    *pair_byte(user + length) = 0;
    find(findings, FIELD_STATUS, where, (uint64_t)expected,
         (uint64_t)strncpy_from_user(kernel, user, capacity));
    for (uint64_t i = 0; i < sizeof(kernel); i++) {
        uint8_t byte = i >= done ? KERNEL_FILL : i == length ? 0 : pair_pattern(user + i);
        find(findings, FIELD_OTHER_MEMORY, i, byte, (uint8_t)kernel[i]);
    }
    *pair_byte(user + length) = pair_pattern(user + length);
    return faults;
}

/*
 * All starts within REACH of the edge, all lengths. Out of thousands of calls come three numbers:
 * how many values were wrong, how many faults the processor took, how many it had to take.
 */
static void user_access(struct trial *trial)
{
    const struct sweep *sweep = trial->test_case->parameter;
    struct findings findings = {.trial = trial};

    if (!pages_ready(trial, sweep->page[0], sweep->page[1])) {
        return;
    }
    if (sweep->smap) {
        smap_set(true);
    }
    uint64_t faults = cpu_current()->faults, due = 0;
    for (vaddr_t user = PAIR_EDGE - REACH; user <= PAIR_EDGE + REACH; user++) {
        for (uint64_t bytes = 0; bytes <= LENGTH_MAX; bytes++) {
            if (!sweep->accessor) {
                due += string_one(&findings, sweep, user, bytes);
            } else if (!sweep->accessor->whole || bytes == 1 || bytes == 2 || bytes == 4 ||
                       bytes == 8) {
                due += sweep_one(&findings, sweep, user, bytes);
            }
        }
    }
    faults = cpu_current()->faults - faults;
    smap_set(false);
    findings_conclude(&findings);
    trial_expect(trial, FIELD_EVENTS, 1, due, faults);
}

/* Ranges that are not user memory, or not only: refused before anything is accessed. */
static void ranges_refused(struct trial *trial)
{
    uint64_t end = machine.levels == 5 ? BIT(56) : BIT(47), value = SENTINEL;
    const struct {
        vaddr_t address;
        uint64_t bytes;
    } ranges[] = {
        {end,              1           },
        {end - 1,          2           },
        {end - 8,          16          },
        {0,                end + 1     },
        {CPU_BASE,         8           }, /* kernel memory that is there */
        {(vaddr_t)&value,  8           },
        {BIT(63),          8           }, /* not canonical */
        {~end,             8           },
        {~UINT64_C(0),     1           },
        {~UINT64_C(0) - 3, 8           }, /* over the end of all addresses */
        {PAIR_EDGE - 8,    ~UINT64_C(0)},
        {PAIR_EDGE - 8,    -PAIR_EDGE  },
    };
    uint8_t kernel[16] = {0};
    struct findings findings = {.trial = trial};

    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_WRITABLE)) {
        return;
    }
    uint64_t faults = cpu_current()->faults;
    for (unsigned i = 0; i < ARRAY_COUNT(ranges); i++) {
        vaddr_t at = ranges[i].address;
        uint64_t bytes = ranges[i].bytes;
        find(&findings, FIELD_COUNT_LEFT, i, bytes, copy_from_user(kernel, at, bytes));
        find(&findings, FIELD_COUNT_LEFT, i, bytes, copy_to_user(at, kernel, bytes));
        find(&findings, FIELD_COUNT_LEFT, i, bytes, clear_user(at, bytes));
        if (at >= end) {
            uint64_t got = 0;
            char string[4];
            find(&findings, FIELD_STATUS, i, false, get_user(&got, at, 8));
            find(&findings, FIELD_STATUS, i, false, put_user(0, at, 8));
            find(&findings, FIELD_STATUS, i, (uint64_t)UACCESS_FAULT,
                 (uint64_t)strncpy_from_user(string, at, sizeof(string)));
        }
    }
    faults = cpu_current()->faults - faults;
    findings_conclude(&findings);
    trial_expect(trial, FIELD_EVENTS, 1, 0, faults);
    trial_expect(trial, FIELD_VALUE_READ, 0, SENTINEL, value);
    /* The last user byte is user memory: asked for, absent, left. */
    faults = cpu_current()->faults;
    trial_expect(trial, FIELD_COUNT_LEFT, 0, 1, copy_from_user(kernel, end - 1, 1));
    trial_expect(trial, FIELD_EVENTS, 2, 1, cpu_current()->faults - faults);
}

/* Shows that the copies above did need their STAC: the same copy without it is refused by SMAP. */
static void smap_refuses_without_stac(struct trial *trial)
{
    uint8_t kernel[16];
    struct outcome got;

    if (!pages_ready(trial, PAIR_WRITABLE, PAIR_WRITABLE)) {
        return;
    }
    memset(kernel, KERNEL_FILL, sizeof(kernel));
    smap_set(true);
    uint64_t open = copy_from_user(kernel, PAIR_EDGE - 8, sizeof(kernel));
    uaccess_configure(false, machine.levels);
    uint64_t from = copy_from_user(kernel, PAIR_EDGE - 8, sizeof(kernel));
    uint64_t to = copy_to_user(PAIR_EDGE - 8, kernel, sizeof(kernel));
    (void)probe_supervisor(ACCESS_READ, PAIR_EDGE - 8, 0, false, &got);
    smap_set(false);
    trial_expect(trial, FIELD_COUNT_LEFT, 0, 0, open);
    trial_expect(trial, FIELD_COUNT_LEFT, 1, sizeof(kernel), from);
    trial_expect(trial, FIELD_COUNT_LEFT, 2, sizeof(kernel), to);
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, got.vector);
    trial_compare(trial, FIELD_ERROR_CODE, 0, PF_EC_P, 0xffffffff, got.error);
    trial_expect(trial, FIELD_CR2, 0, PAIR_EDGE - 8, got.cr2);
}

/* ---- ring 3
 * -------------------------------------------------------------------------------------------------
 */

uint64_t ring3_run_watched(struct trap_frame *user, uint64_t kept[6]); /* fixup.S */
extern const char probe_user_landing[], probe_user_syscall[], probe_user_READ_at[];

/* Arithmetic flags, DF and AC: what ring 3 may have set without harm. */
#define USER_FLAGS (RFLAGS_ONE | 0x8d5 | RFLAGS_DF | RFLAGS_AC)

struct way_back {
    const char *code;
    uint64_t vector;
    uint64_t length; /* RIP behind the instruction: this much further */
    bool state;      /* with SMEP and SMAP on */
};

static struct trap_frame user_frame(const char *code)
{
    struct trap_frame user =
        ring3_frame(USER_CODE + (uint64_t)(code - probe_user_page), USER_STACK);
    uint64_t *const registers[] = {&user.rax, &user.rcx, &user.rdx, &user.rbx, &user.rbp,
                                   &user.rsi, &user.r8,  &user.r9,  &user.r10, &user.r11,
                                   &user.r12, &user.r13, &user.r14, &user.r15};

    for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
        *registers[i] = SENTINEL * (2 * i + 1);
    }
    user.rdi = PAIR_EDGE;
    user.rsp = USER_STACK - 12345; /* any value: nothing uses it */
    user.rflags = USER_FLAGS;
    return user;
}

static void expect_registers(struct trial *trial, const struct trap_frame *expected,
                             const struct trap_frame *got)
{
    const struct {
        uint64_t expected, got;
    } registers[16] = {
  /* in the encoding's order, as FIELD_REGISTER numbers them */
        {expected->rax, got->rax},
        {expected->rcx, got->rcx},
        {expected->rdx, got->rdx},
        {expected->rbx, got->rbx},
        {expected->rsp, got->rsp},
        {expected->rbp, got->rbp},
        {expected->rsi, got->rsi},
        {expected->rdi, got->rdi},
        {expected->r8,  got->r8 },
        {expected->r9,  got->r9 },
        {expected->r10, got->r10},
        {expected->r11, got->r11},
        {expected->r12, got->r12},
        {expected->r13, got->r13},
        {expected->r14, got->r14},
        {expected->r15, got->r15},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
        trial_expect(trial, FIELD_REGISTER, i, registers[i].expected, registers[i].got);
    }
}

/* There with everything, back with everything; and nothing of the kernel's is lost on the way. */
static void ring3_round_trip(struct trial *trial)
{
    const struct way_back *back = trial->test_case->parameter;
    uint64_t kept[6] = {0};

    if (!pages_ready(trial, PAIR_ABSENT, PAIR_ABSENT)) {
        return;
    }
    struct trap_frame expected = user_frame(back->code), user = expected;
    expected.rip += back->length;
    if (back->vector == VECTOR_SYSCALL) {
        expected.rcx = expected.rip;
        expected.r11 = expected.rflags;
    }
    if (back->state) {
        smap_set(true);
    }
    uint64_t vector = ring3_run_watched(&user, kept);
    uint64_t cr2 = read_cr2();
    smap_set(false);
    trial_expect(trial, FIELD_STATUS, 0, back->vector, vector);
    trial_expect(trial, FIELD_RIP, 0, expected.rip, user.rip);
    /* RF is R7.1's */
    trial_compare(trial, FIELD_RFLAGS, 0, expected.rflags, ~(uint64_t)RFLAGS_RF, user.rflags);
    trial_expect(trial, FIELD_CS, 0, SELECTOR_USER_CODE, user.cs);
    trial_expect(trial, FIELD_SS, 0, SELECTOR_USER_DATA, user.ss);
    expect_registers(trial, &expected, &user);
    if (back->vector == VECTOR_PF) {
        trial_compare(trial, FIELD_ERROR_CODE, 0, PF_EC_U, 0xffffffff, user.error);
        trial_expect(trial, FIELD_CR2, 0, PAIR_EDGE, cr2);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(kept); i++) {
        trial_expect(trial, FIELD_VALUE_READ, i, i, kept[i]);
    }
    trial_expect(trial, FIELD_RFLAGS, 1, 0,
                 read_rflags() & (RFLAGS_AC | RFLAGS_DF | RFLAGS_IF | RFLAGS_NT));
}

static void ring3_refuses_null_cs(struct trial *trial)
{
    struct trap_frame user = user_frame(probe_user_landing);
    uint64_t kept[6] = {0};

    user.cs = 0;
    trial_expect(trial, FIELD_STATUS, 0, RING3_BAD_FRAME, ring3_run_watched(&user, kept));
    for (unsigned i = 0; i < ARRAY_COUNT(kept); i++) {
        trial_expect(trial, FIELD_VALUE_READ, i, i, kept[i]);
    }
}

/* R1.4: whether IRETQ itself refuses, or the fetch behind it does in ring 3: recorded. */
static void ring3_refuses_noncanonical_rip(struct trial *trial)
{
    struct trap_frame user = user_frame(probe_user_landing);
    uint64_t kept[6] = {0};

    user.rip = BIT(62);
    uint64_t reason = ring3_run_watched(&user, kept);
    trial_expect(trial, FIELD_STATUS, 0, reason == VECTOR_GP ? VECTOR_GP : RING3_BAD_FRAME, reason);
    for (unsigned i = 0; i < ARRAY_COUNT(kept); i++) {
        trial_expect(trial, FIELD_VALUE_READ, i, i, kept[i]);
    }
}

/* clang-format off */
#define SWEEP(...) .rule = RULE_FIXUP, .run = user_access, .parameter = &(const struct sweep){__VA_ARGS__}
/* Each sweep without and with SMAP. */
#define SWEEPS(name_, accessor, page0, page1)                                                          \
    {.name = name_, SWEEP(accessor, {PAIR_##page0, PAIR_##page1}, false)},                             \
    {.name = name_ "_with_smap", .needs = {NEEDS(SMAP)},                                               \
     SWEEP(accessor, {PAIR_##page0, PAIR_##page1}, true)}
#define ROUND_TRIP(...) .run = ring3_round_trip, .parameter = &(const struct way_back){__VA_ARGS__}
#define ROUND_TRIPS(name_, ...)                                                                        \
    {.name = name_, ROUND_TRIP(__VA_ARGS__, false)},                                                   \
    {.name = name_ "_with_smep_and_smap", .needs = {NEEDS(SMEP), NEEDS(SMAP)},                         \
     ROUND_TRIP(__VA_ARGS__, true)}

static const struct test_case cases[] = {
    {.name = "default_continues_at_fixup",       .rule = RULE_FIXUP, .run = default_continues_at_fixup},
    {.name = "fault_hands_over_what_happened",   .rule = RULE_FIXUP, .run = fault_hands_over_what_happened},
    {.name = "fault_hands_over_rights",          .rule = RULE_FIXUP, .run = fault_hands_over_rights,
     .needs = {NEEDS(SMAP)}},
    {.name = "zeropad_at_each_offset",           .rule = RULE_FIXUP, .run = zeropad_at_each_offset},
    {.name = "zeropad_leaves_whole_words_alone", .rule = RULE_FIXUP, .run = zeropad_leaves_whole_words_alone},
    {.name = "msr_that_exists",                  .rule = RULE_FIXUP, .run = msr_that_exists},
    {.name = "msr_that_refuses",                 .rule = RULE_FIXUP, .run = msr_that_refuses},

    SWEEPS("copy_from_user_next_absent",      &copy_from, WRITABLE,  ABSENT),
    SWEEPS("copy_from_user_previous_absent",  &copy_from, ABSENT,    WRITABLE),
    SWEEPS("copy_from_user_read_only",        &copy_from, READ_ONLY, READ_ONLY),
    SWEEPS("copy_to_user_next_absent",        &copy_to,   WRITABLE,  ABSENT),
    SWEEPS("copy_to_user_previous_absent",    &copy_to,   ABSENT,    WRITABLE),
    SWEEPS("copy_to_user_next_read_only",     &copy_to,   WRITABLE,  READ_ONLY),
    SWEEPS("copy_to_user_previous_read_only", &copy_to,   READ_ONLY, WRITABLE),
    SWEEPS("clear_user_next_absent",          &clear,     WRITABLE,  ABSENT),
    SWEEPS("clear_user_previous_absent",      &clear,     ABSENT,    WRITABLE),
    SWEEPS("clear_user_next_read_only",       &clear,     WRITABLE,  READ_ONLY),
    SWEEPS("strncpy_from_user_next_absent",   NULL,       WRITABLE,  ABSENT),
    SWEEPS("strncpy_from_user_previous_absent", NULL,     ABSENT,    WRITABLE),
    SWEEPS("get_user_next_absent",            &get,       WRITABLE,  ABSENT),
    SWEEPS("get_user_previous_absent",        &get,       ABSENT,    WRITABLE),
    SWEEPS("put_user_next_absent",            &put,       WRITABLE,  ABSENT),
    SWEEPS("put_user_previous_absent",        &put,       ABSENT,    WRITABLE),
    SWEEPS("put_user_next_read_only",         &put,       WRITABLE,  READ_ONLY),
    {.name = "ranges_refused",                .rule = RULE_FIXUP, .run = ranges_refused},
    {.name = "smap_refuses_without_stac",     .rule = RULE_FIXUP, .run = smap_refuses_without_stac,
     .needs = {NEEDS(SMAP)}},

    ROUND_TRIPS("ring3_back_by_gate",    probe_user_landing, VECTOR_USER_EXIT, 2),
    ROUND_TRIPS("ring3_back_by_fault",   probe_user_READ_at, VECTOR_PF, 0),
    ROUND_TRIPS("ring3_back_by_syscall", probe_user_syscall, VECTOR_SYSCALL, 2),
    {.name = "ring3_refuses_null_cs",          .run = ring3_refuses_null_cs},
    {.name = "ring3_refuses_noncanonical_rip", .rule = RULE_1_4, .run = ring3_refuses_noncanonical_rip},
};
/* clang-format on */

SUITE(fixup, "exception table, user access, ring 3");
