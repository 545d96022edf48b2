/*
 * report_fixture.h: a run that never was, for the tests of the reports: suites, a deviation, a model
 * and records of every verdict. It replaces suites.c, deviations.c, model.c and symbols.c in the
 * program.
 */
#ifndef HOST_REPORT_FIXTURE_H
#define HOST_REPORT_FIXTURE_H

#include "tests/host/unit.h"

#include "fault/symbols.h"
#include "tests/deviations.h"
#include "tests/harness/annex.h"
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/rules.h"
#include "tests/report/report.h"
#include "x86/exception.h"
#include "x86/registers.h"

/* ---- what replaces core ---------------------------------------------------------------------- */

static const struct test_case protect_cases[] = {
    {.name = "user_write_faults", .rule = RULE_3_2},
    {.name = "wp_protects",       .rule = RULE_3_3}
};
static const struct test_case reserved_cases[] = {
    {.name = "bit_faults", .rule = RULE_2_3}
};
static const struct test_case takeover_cases[] = {
    {.name = "gives_back", .rule = RULE_GIVE_BACK}
};
static const struct test_case matrix_cases[] = {
    {.name = "pairs",                .flags = CASE_MATRIX, .matrix = 0xff},
    {.name = "needed",               .flags = CASE_MATRIX, .matrix = 0xff},
    {.name = "every_rule_exercised", .flags = CASE_MATRIX, .matrix = 0xff},
};
static const struct test_case point_case = {.name = "point", .flags = CASE_ALONE};
static const struct test_case fold_case = {.name = "fold"};

#define SUITE_OF(name_, title_, cases_)                                                            \
    .name = name_, .title = title_, .cases = cases_, .count = ARRAY_COUNT(cases_)
static const struct suite protect = {SUITE_OF("write_protect", "R/W=0", protect_cases)};
static const struct suite reserved = {SUITE_OF("reserved", "reserved bits", reserved_cases)};
static const struct suite takeover = {SUITE_OF("takeover", "<what> \"is\" & was", takeover_cases)};
static const struct suite matrix = {SUITE_OF("matrix", "the access matrix", matrix_cases),
                                    .point = &point_case, .fold = &fold_case};
const struct suite *const suites[] = {&protect, &reserved, &takeover, &matrix};
const uint32_t suite_count = 4;
#define MATRIX_SUITE 3u

const struct deviation deviations[] = {
    {.machine = "QEMU TCG",
     .versions = "7.2 to 11.1",
     .rule = RULE_2_2,
     .sentence = "a reserved bit is reported # without P, \"as\" <if> R2.2 \\ said so"}
};
const uint32_t deviation_count = 1;

/* clang-format off */
const struct model_row model_rows[] = {
    {.name = "absent",         .number = "R2.1", .what = "an entry with P=0 ends the walk"},
    {.name = "physical",       .number = "R2.3", .what = "an address bit that does not exist"},
    {.name = "user_write",     .number = "R3.2", .what = "R/W=1 in \"every\" entry <all> # of \\ them"},
    {.name = "smep",           .number = "R3.5", .what = "a supervisor fetch from a user page"},
    {.name = "error_i_either", .number = "R4.I", .what = "I/D without NXE: either", .choice = true,
     .way = {"clear", "set"}},
};
/* clang-format on */
const uint32_t model_row_count = ARRAY_COUNT(model_rows);

const char *symbol_find(uint64_t address, uint64_t *offset)
{
    *offset = address & 0xfff;
    return address >> 12 == 0xffffffff80001 ? "probe_write" : NULL;
}

/* ---- records --------------------------------------------------------------------------------- */

#define RECORD_ROOM 65536u
union room {
    struct record record;
    uint8_t bytes[RECORD_ROOM];
};
static union room room;

static inline struct record *record_start(unsigned suite, unsigned test_case, enum verdict verdict)
{
    memset(&room, 0, sizeof(room));
    room.record.bytes = (uint32_t)sizeof(struct record);
    room.record.kind = RECORD_CHECK;
    room.record.verdict = (uint8_t)verdict;
    room.record.check = (struct check_ref){.suite = (uint16_t)suite,
                                           .test_case = (uint16_t)test_case,
                                           .size = SIZE_4K,
                                           .level = 1,
                                           .ring = RING_USER,
                                           .variant = NO_VARIANT};
    room.record.rule = check_case(&room.record.check)->rule;
    return &room.record;
}

static inline void add_comparison(struct record *record, enum field field, unsigned detail,
                                  uint64_t expected, uint64_t mask, uint64_t got)
{
    assert_true(record->bytes + sizeof(struct comparison) <= RECORD_ROOM);
    record->comparison[record->comparisons++] = (struct comparison){.field = (uint16_t)field,
                                                                    .detail = (uint16_t)detail,
                                                                    .expected = expected,
                                                                    .mask = mask,
                                                                    .got = got};
    record->bytes += (uint32_t)sizeof(struct comparison);
}

/* A ring-3 write to a read-only page, which faulted as it must, or did not. */
static inline struct record *write_record(enum verdict verdict)
{
    struct record *r = record_start(0, 0, verdict);
    bool faulted = verdict == VERDICT_PASS;
    struct scene *s = &r->scene;
    *s = (struct scene){
        .present = 1,
        .levels = 4,
        .leaf = 1,
        .ring = 3,
        .access = ACCESS_WRITE,
        .width = 8,
        .address = 0x400000001ff8,
        .before = {0x12345025, 0x2027, 0x3027, 0x4027},
        .after = {0x12345065, 0x2027, 0x3027, 0x4027},
        .cr0 = CR0_PG | CR0_PE,
        .cr4 = CR4_PAE | CR4_SMEP | CR4_PKE,
        .efer = EFER_NXE | EFER_LMA,
        .pkru = 0x55555554
    };
    s->got = (struct outcome){.vector = faulted ? VECTOR_PF : VECTOR_NONE,
                              .cs = 0x33,
                              .ss = 0x2b,
                              .error = faulted ? 7 : 0,
                              .cr2 = 0x400000001ff8,
                              .rip = 0xffffffff80001012,
                              .rflags = 0x10202,
                              .rsp = 0x7ffe0};
    add_comparison(r, FIELD_VECTOR, 0, VECTOR_PF, 0xffff, s->got.vector);
    add_comparison(r, FIELD_ERROR_CODE, 0, 7, 0xffffffff, s->got.error);
    add_comparison(r, FIELD_CR2, 0, 0x400000001ff8, UINT64_MAX, 0x400000001ff8);
    add_comparison(r, FIELD_ENTRY, 1, 0x12345025, ~(PTE_A | (faulted ? PTE_D : 0)), 0x12345065);
    return r;
}

static inline struct record *skip_record(void)
{
    struct record *r = record_start(1, 0, VERDICT_SKIP);
    r->reason = REASON_FEATURE;
    r->reason_detail = FEATURE_LA57;
    return r;
}

static inline struct record *known_record(void)
{
    struct record *r = write_record(VERDICT_KNOWN);
    r->check.suite = 1;
    r->check.test_case = 0;
    r->rule = RULE_2_2;
    r->deviation = 1;
    return r;
}

static inline struct record *oops_record(void)
{
    struct record *r = record_start(2, 0, VERDICT_ERROR);
    add_comparison(r, FIELD_WORLD, 2, 0xd01, UINT64_MAX, 0x501);
    r->reason = REASON_OOPS;
    r->has_oops = 1;
    struct oops *o = (struct oops *)&r->comparison[r->comparisons];
    *o = (struct oops){
        .reason = OOPS_NO_FIXUP,
        .vector = VECTOR_PF,
        .cpu = 1,
        .error = 2,
        .rip = 0xffffffff80001012,
        .rflags = 0x10002,
        .cs = 0x10,
        .ss = 0x18,
        .cr0 = 0x80010033,
        .cr2 = 0xdead000,
        .cr3 = 0x5000,
        .cr4 = 0x668,
        .efer = 0xd00,
        .cr2_walk = {.levels = 4, .last = 2, .entry = {0, 0x6026, 0x3027, 0x4027}},
        .code = {0x48,           0x89,                 0x07},
        .code_count = 3,
        .trace_count = 2,
        .trace = {0xffffffff80001100,       0x1234}
    };
    for (unsigned i = 0; i < 16; i++)
        o->registers[i] = UINT64_C(0x1111111111111111) * i;
    r->bytes += (uint32_t)sizeof(*o);
    return r;
}

/* Append an annex of @bytes at @data. */
static inline void add_annex(struct record *record, enum record_annex annex, const void *data)
{
    size_t bytes = annex_size(annex);

    assert_true(record->bytes + bytes <= RECORD_ROOM);
    memcpy(room.bytes + record->bytes, data, bytes);
    record->annex = (uint8_t)annex;
    record->bytes += (uint32_t)bytes;
}

/*
 * A point of the matrix, made alone: a write from ring 0 across an edge whose second page has a
 * reserved bit; P is missing in the error code.
 */
static inline struct record *point_record(enum verdict verdict)
{
    struct annex_point point = {
        .rules = BIT(1) | BIT(2),
        .address = 0x40807ffffffc,
        .cr2 = 0x1234,
        .got_cr2 = 0x408080000000,
        .symptom = {.vector_expected = VECTOR_PF, .vector_got = VECTOR_PF, .error_differs = 1},
        .got_error = verdict == VERDICT_PASS ? 0xb : 0xa,
        .got_vector = VECTOR_PF,
        .outcomes = 2,
        .levels = 4,
        .leaf = 1,
        .bytes = 8,
        .used = 3,
        .flags = POINT_RAN,
    };
    static const pte_t walks[2][LEVELS_MAX] = {
        {0x5063,          0x2063, 0x3063, 0x4063},
        {0x8000000005063, 0x6063, 0x7063, 0x8063}
    };
    struct record *r = record_start(MATRIX_SUITE, 0, verdict);

    memcpy(point.before, walks, sizeof(walks));
    memcpy(point.after, walks, sizeof(walks));
    point.outcome[0] = (struct model_outcome){.vector = VECTOR_PF,
                                              .error = 0xb,
                                              .error_mask = UINT32_MAX,
                                              .cr2 = 0x408080000000,
                                              .cr2_mask = UINT64_MAX};
    point.outcome[0].walk[0] = (struct model_bits){.accessed = 0xe, .accessed_mask = 0xe};
    point.outcome[1] = point.outcome[0];
    point.outcome[1].error = 9;
    point.outcome[1].cr2_mask = ~UINT64_C(0xfff);
    point.outcome[1].walk[1] =
        (struct model_bits){.accessed = 8, .accessed_mask = 9, .dirty_mask = 1};
    point.after[0][0] |= PTE_PAT;
    memset(point.where.value, FOLD_ANY, sizeof(point.where.value));
    point.point.value[AXIS_PLACE] = PLACE_SECOND;
    point.point.value[AXIS_ACCESS] = MATRIX_WRITE;
    point.point.value[AXIS_RING] = RING_IS_0;
    point.point.value[AXIS_RSVD] = 1;
    r->check = (struct check_ref){.suite = MATRIX_SUITE,
                                  .test_case = CASE_POINT,
                                  .size = SIZE_NONE,
                                  .ring = RING_NONE,
                                  .variant = NO_VARIANT};
    r->rule = RULE_2_3;
    r->scene = (struct scene){
        .present = 1,
        .levels = 4,
        .leaf = 1,
        .access = ACCESS_WRITE,
        .width = 8,
        .address = point.address,
        .cr0 = CR0_PG | CR0_PE | CR0_WP,
        .cr4 = CR4_PAE,
        .efer = EFER_NXE | EFER_LMA,
        .got = {.vector = VECTOR_PF, .error = point.got_error}
    };
    memcpy(r->scene.before, point.before[0], sizeof(r->scene.before));
    memcpy(r->scene.after, point.after[0], sizeof(r->scene.after));
    add_comparison(r, FIELD_VECTOR, 0, VECTOR_PF, 0xffff, VECTOR_PF);
    add_comparison(r, FIELD_ERROR_CODE, 0, 0xb, UINT32_MAX, point.got_error);
    add_annex(r, ANNEX_POINT, &point);
    return r;
}

/* The same as the witness of a fold of 123456 points. */
static inline struct record *fold_record(enum verdict verdict)
{
    struct record *r = point_record(verdict);
    struct annex_point *fold = (struct annex_point *)(uintptr_t)record_point(r);

    r->check.test_case = CASE_FOLD;
    r->deviation = verdict == VERDICT_KNOWN;
    fold->points = 123456;
    fold->flags |= POINT_REPEATS;
    fold->where.value[AXIS_COUNT + DERIVED_WALK] = MODEL_RESERVED;
    return r;
}

/* The part @number, of which 31 points are known or fail. */
static inline struct record *part_record(enum verdict verdict, unsigned number)
{
    bool all_passed = verdict == VERDICT_PASS;
    const struct annex_part part = {.planned = 72123,
                                    .run = 72123,
                                    .passed = all_passed ? 72123 : 72092,
                                    .known = verdict == VERDICT_KNOWN ? 31 : 0,
                                    .failed = verdict == VERDICT_FAIL ? 31 : 0,
                                    .tuples = 30000,
                                    .tuples_legal = 21000,
                                    .tuples_here = 20000,
                                    .tuples_covered = 20000,
                                    .ticks = 4000,
                                    .folds = !all_passed};
    struct record *r = record_start(MATRIX_SUITE, number, verdict);

    r->check.size = SIZE_NONE;
    r->check.level = 0;
    r->check.ring = RING_NONE;
    add_comparison(r, FIELD_POINTS, 0, part.run, UINT64_MAX, part.passed);
    add_annex(r, ANNEX_PART, &part);
    return r;
}

/* A program of suite takeover whose third line is another one than on Linux. */
static inline struct record *program_record(enum verdict verdict)
{
    struct annex_program program = {
        .expected = "read 0x1000: SIGSEGV \"quoted\"",
        .got = "read 0x1000: 00, 1 fault",
        .culprit = "spinner",
        .ticks = 4000,
        .minor_faults = 45,
        .system_calls = 312,
        .switches = 3,
        .lines = 96,
        .unknown_count = 1,
        .unknown = {334       },
        .has_expected = 1,
        .has_got = 1,
        .maps = { .rows = 3, .vmas = 5},
    };
    program.maps.row[0] = (struct maps_row){
        .start = 0x400000,
        .end = 0x403000,
        .flags = 0x75,
        .pages = {1,         0,            2        },
        .name = "/programs/sample",
        .strip = {LOOK_FILE, LOOK_NOTHING, LOOK_FILE},
        .cells = 3
    };
    program.maps.row[1] = (struct maps_row){
        .start = 0x10000000,
        .end = 0x10004000,
        .flags = 0x73,
        .pages = {0, 1,            0,         2,        1},
        .strip = {LOOK_RESIDENT, LOOK_ZERO, LOOK_COW, LOOK_RESIDENT},
        .cells = 4
    };
    program.maps.row[2] = (struct maps_row){
        .start = 0x20000000,
        .end = 0x20001000,
        .flags = 0xfb,
        .pages = {0,  0, 0, 0, 0, 1},
        .name = "/memfd:x (deleted)",
        .strip = {LOOK_DIRTY},
        .cells = 1
    };
    struct record *r = record_start(2, 0, verdict);
    bool bad = verdict == VERDICT_FAIL;

    r->check.size = SIZE_NONE;
    r->check.level = 0;
    r->check.ring = RING_NONE;
    add_comparison(r, FIELD_LINES, 0, 20, UINT64_MAX, bad ? 19 : 20);
    if (bad)
        add_comparison(r, FIELD_LINE, 10, 0, UINT64_MAX, 1);
    add_comparison(r, FIELD_WAIT_STATUS, 0, 0, UINT64_MAX, bad ? 11 : 0);
    add_comparison(r, FIELD_TIMED_OUT, 0, 0, UINT64_MAX, bad);
    add_comparison(r, FIELD_SYSTEM_CALL, 334, 0, UINT64_MAX, bad);
    add_comparison(r, FIELD_AUDIT, 0, 0, UINT64_MAX, bad ? 3 : 0);
    add_annex(r, ANNEX_PROGRAM, &program);
    return r;
}

/* What the model's rows met. */
static inline struct record *rules_record(enum verdict verdict)
{
    struct annex_rules rules = {.digest = 0x123456789abcdef0};
    struct record *r = record_start(MATRIX_SUITE, 2, verdict);

    r->check.size = SIZE_NONE;
    r->check.level = 0;
    r->check.ring = RING_NONE;
    for (unsigned row = 0; row < model_row_count; row++)
        rules.count[row] = row == 3 ? 0 : 4710 + row;
    rules.choice[4] = (struct matrix_choice){
        .open = 900, .taken = {898, 2}
    };
    for (unsigned row = 0; row < model_row_count; row++)
        if (row != 3 || verdict == VERDICT_ERROR)
            add_comparison(r, FIELD_RULE_ROW, row, 1, UINT64_MAX, rules.count[row] > 0);
    r->reason = verdict == VERDICT_ERROR ? REASON_RULE_UNTESTED : REASON_NONE;
    add_annex(r, ANNEX_RULES, &rules);
    return r;
}

/* As much in one record as the largest can have: everything differs, everything is long. */
static inline struct record *huge_record(void)
{
    struct record *r = write_record(VERDICT_ERROR);
    r->scene.levels = 5;
    for (unsigned i = 0; i < LEVELS_MAX; i++)
        r->scene.before[i] = UINT64_MAX;
    while (r->comparisons < 1000)
        add_comparison(r, FIELD_ENTRY, 4, UINT64_MAX, UINT64_MAX - 1 - PTE_A, 0);
    r->reason = REASON_OOPS;
    r->deviation = 1;
    r->has_oops = 1;
    struct oops *o = (struct oops *)&r->comparison[r->comparisons];
    memset(o, 0xff, sizeof(*o));
    o->reason = OOPS_NO_FIXUP;
    o->code_count = OOPS_CODE;
    o->trace_count = OOPS_TRACE;
    o->cr2_walk.levels = o->rip_walk.levels = 5;
    o->cr2_walk.last = o->rip_walk.last = 1;
    o->vector = VECTOR_PF;
    for (unsigned i = 0; i < OOPS_TRACE; i++)
        o->trace[i] = 0xffffffff80001fff;
    r->bytes += (uint32_t)sizeof(*o);
    return r;
}

/* ---- a session ------------------------------------------------------------------------------- */

#define STREAM_BYTES (2u << 20)
static struct {
    struct session session; /* first: streams are found by their offset from it */
    char streams[STREAM_COUNT][STREAM_BYTES];
} all;
static struct session *const session = &all.session;
static struct report report;
static uint64_t log_memory[1 << 18];

static inline void session_start(unsigned columns, unsigned rows, unsigned planned)
{
    memset(&all, 0, sizeof(all));
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        session->stream[i] = (struct stream){
            .offset = (uint32_t)((char *)all.streams[i] - (char *)&all), .capacity = STREAM_BYTES};
    session->columns = (uint16_t)columns;
    session->rows = (uint16_t)rows;
    session->planned = planned;
    session->state = SESSION_RUNNING;
    session->ticks_per_second = 1000;
    session->saved_to_stick = 1;
    session->journal_carrier = JOURNAL_FILE;
    session->report_number = 3;
    session->wall_clock = 1795426278;
    options_init(&session->options);
    session->facts = (struct machine_facts){.firmware_vendor = "EDK II",
                                            .firmware_revision = 0x10000,
                                            .uefi_revision = 2 << 16 | 70,
                                            .processors = 4,
                                            .secure_boot = 'n',
                                            .memory_bytes = 1 << 27,
                                            .board = "QEMU Standard PC"};
    machine = (struct machine){.vendor_text = "AuthenticAMD",
                               .brand = "AMD EPYC 7B12",
                               .physical_bits = 48,
                               .linear_bits = 48,
                               .levels = 4,
                               .family = 23,
                               .model = 49,
                               .features = BIT(FEATURE_NX) | BIT(FEATURE_SMEP) | BIT(FEATURE_SMAP),
                               .emulator = "QEMU TCG",
                               .emulator_version = "7.2"};
}

/* Six checks in three suites: two pass, one fails, one is known, one skipped, one an error. */
#define SAMPLE_CHECKS 6u
static inline void sample_run(void)
{
    report_begin(&report, session, log_memory, sizeof(log_memory));
    report_check(&report, write_record(VERDICT_PASS));
    report_check(&report, write_record(VERDICT_PASS));
    report_check(&report, write_record(VERDICT_FAIL));
    assert_true(report_suite_end(&report));
    report_check(&report, skip_record());
    report_check(&report, known_record());
    assert_true(report_suite_end(&report));
    report_check(&report, oops_record());
    assert_true(report_suite_end(&report));
}

static inline const char *stream_text(enum session_stream stream)
{
    all.streams[stream][session->stream[stream].length] = '\0';
    return all.streams[stream];
}

#endif
