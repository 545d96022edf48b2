/*
 * record_names.c: one table for each kind of number in a record. Rows are named by their constant,
 * and each list's length is compared with the enum: a row that is twice there does not compile
 * (-Woverride-init), and neither does one that is missing.
 */
#include "record_names.h"

#include "annex.h"
#include "fault/error_code.h"
#include "fault/extable.h"
#include "fault/world.h"
#include "machine.h"
#include "mm/audit.h"
#include "os/os.h"
#include "tests/model/model.h"
#include "transcript.h"
#include "x86/exception.h"

#define ROW_NAME(id, key, text) [id] = (text),
#define ROW_KEY(id, key, text)  [id] = (key),
#define ROW_ONE(...)            +1
#define NONE_MISSING(list, count)                                                                  \
    _Static_assert(0 list(ROW_ONE) == (count), #list " must name every value of its enum")

#define VERDICTS(X)                                                                                \
    X(VERDICT_PASS, "pass", "PASS")                                                                \
    X(VERDICT_SKIP, "skip", "SKIP")                                                                \
    X(VERDICT_KNOWN, "known", "KNOWN")                                                             \
    X(VERDICT_FAIL, "fail", "FAIL")                                                                \
    X(VERDICT_ERROR, "error", "ERROR")
const char *const verdict_names[VERDICT_COUNT] = {VERDICTS(ROW_NAME)};
const char *const verdict_keys[VERDICT_COUNT] = {VERDICTS(ROW_KEY)};
NONE_MISSING(VERDICTS, VERDICT_COUNT);

#define ACCESSES(X)                                                                                \
    X(ACCESS_READ, "read", "read")                                                                 \
    X(ACCESS_WRITE, "write", "write")                                                              \
    X(ACCESS_FETCH, "fetch", "instruction fetch")                                                  \
    X(ACCESS_RMW_LOCKED, "rmw_locked", "locked read-modify-write")                                 \
    X(ACCESS_RMW_PLAIN, "rmw_plain", "plain read-modify-write")                                    \
    X(ACCESS_IMPLICIT_READ, "implicit_read", "implicit supervisor read")                           \
    X(ACCESS_IMPLICIT_WRITE, "implicit_write", "implicit supervisor write")                        \
    X(ACCESS_PUSH, "push", "push")                                                                 \
    X(ACCESS_NONE, "none", "no access")
const char *const access_names[ACCESS_NONE + 1] = {ACCESSES(ROW_NAME)};
const char *const access_keys[ACCESS_NONE + 1] = {ACCESSES(ROW_KEY)};
NONE_MISSING(ACCESSES, ACCESS_NONE + 1);

#define REASONS(X)                                                                                 \
    X(REASON_NONE, "none", "")                                                                     \
    X(REASON_FEATURE, "feature", "the processor has no")                                           \
    X(REASON_PHYSICAL_WIDTH, "physical_width",                                                     \
      "all 52 physical-address bits exist here, none is reserved")                                 \
    X(REASON_NO_MEMORY, "no_memory", "not enough memory")                                          \
    X(REASON_OOPS, "oops", "an unexpected exception ended the check")                              \
    X(REASON_SILENT, "silent", "the check compared nothing")                                       \
    X(REASON_RESET, "reset", "it reset or hung this machine")                                      \
    X(REASON_RULE_UNTESTED, "rule_untested", "no check exercised this rule")                       \
    X(REASON_LEAF_ABSENT, "leaf_absent", "this level does not exist for this page size here")      \
    X(REASON_SETUP, "setup", "the processor refused the state that the check needs")               \
    X(REASON_NO_RESOURCE, "no_resource", "firmware does not offer what the check needs")           \
    X(REASON_ENDED, "ended", "Esc ended the matrix before")                                        \
    X(REASON_NOT_WHOLE, "not_whole", "only a part of the matrix ran")                              \
    X(REASON_UNCOVERED, "uncovered", "the points do not cover what they should")                   \
    X(REASON_NO_POINTS, "no_points", "none of its points exists on this machine")                  \
    X(REASON_BAD_LOG, "bad_log", "Linux's log of it does not say how it ended")                    \
    X(REASON_NO_PKRU, "no_pkru",                                                                   \
      "XSAVE has no place for PKRU, so programs get no protection keys")                           \
    X(REASON_FOUR_LEVELS, "four_levels", "Linux's log of it is of 4 levels of paging")             \
    X(REASON_NO_PROGRAMS, "no_programs", "this machine has no timer that bounds programs")
const char *const reason_texts[REASON_COUNT] = {REASONS(ROW_NAME)};
const char *const reason_keys[REASON_COUNT] = {REASONS(ROW_KEY)};
NONE_MISSING(REASONS, REASON_COUNT);

#define OOPS_REASONS(X)                                                                            \
    X(OOPS_NONE, "", "no exception")                                                               \
    X(OOPS_EXCEPTION, "", "an exception that nothing was waiting for")                             \
    X(OOPS_NO_FIXUP, "", "a page fault in ring 0 that nothing explains")                           \
    X(OOPS_STACK_OVERFLOW, "", "a stack ran into its guard page")                                  \
    X(OOPS_DOUBLE_FAULT, "", "a fault while a fault was delivered")                                \
    X(OOPS_FAULT_LOOP, "", "the same fault came back without end")                                 \
    X(OOPS_ASSERTION, "", "a broken invariant of Faultline's own")
const char *const oops_reason_texts[OOPS_REASON_COUNT] = {OOPS_REASONS(ROW_NAME)};
NONE_MISSING(OOPS_REASONS, OOPS_REASON_COUNT);

const char *const register_names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
_Static_assert(ARRAY_COUNT(register_names) == REGISTER_COUNT, "a register has no name");

static const char *const handler_names[] = {[EX_DEFAULT] = "default",
                                            [EX_FAULT] = "fault",
                                            [EX_UACCESS] = "user access",
                                            [EX_ZEROPAD] = "zero-pad read",
                                            [EX_MSR] = "msr"};
_Static_assert(ARRAY_COUNT(handler_names) == EX_TYPES, "a fixup handler has no name");

/* How the value of a field is printed, and what its detail adds to the name. */
enum value_format {
    AS_VECTOR,
    AS_ERROR_CODE,
    AS_ADDRESS,  /* 16 hexadecimal digits */
    AS_SELECTOR, /* 4 hexadecimal digits */
    AS_BYTE,
    AS_ENTRY,
    AS_HANDLER,
    AS_COUNT, /* decimal */
    AS_SIGNED,
    AS_LINE,    /* a text of the annex */
    AS_CULPRIT, /* the name of the task that spun */
    AS_WAIT_STATUS,
    AS_AUDIT,
    AS_HEX
};
enum detail_format {
    NO_DETAIL,
    DETAIL_LEVEL, /* "PDE afterwards" */
    DETAIL_BYTE,  /* "memory at byte 12" */
    DETAIL_REGISTER,
    DETAIL_WORLD,
    DETAIL_NUMBER, /* "line 12" */
    DETAIL_ROW,    /* "rule R3.5: a supervisor fetch from a user page" */
};

#define FIELDS(X)                                                                                  \
    X(FIELD_VECTOR, "vector", "vector", AS_VECTOR, NO_DETAIL)                                      \
    X(FIELD_ERROR_CODE, "error_code", "error code", AS_ERROR_CODE, NO_DETAIL)                      \
    X(FIELD_CR2, "cr2", "CR2", AS_ADDRESS, NO_DETAIL)                                              \
    X(FIELD_RIP, "rip", "RIP", AS_ADDRESS, NO_DETAIL)                                              \
    X(FIELD_RFLAGS, "rflags", "RFLAGS", AS_ADDRESS, NO_DETAIL)                                     \
    X(FIELD_CS, "cs", "CS", AS_SELECTOR, NO_DETAIL)                                                \
    X(FIELD_SS, "ss", "SS", AS_SELECTOR, NO_DETAIL)                                                \
    X(FIELD_RSP, "rsp", "RSP", AS_ADDRESS, NO_DETAIL)                                              \
    X(FIELD_ENTRY, "entry", "afterwards", AS_ENTRY, DETAIL_LEVEL)                                  \
    X(FIELD_MEMORY, "memory", "memory", AS_HEX, DETAIL_BYTE)                                       \
    X(FIELD_OTHER_MEMORY, "other_memory", "other memory", AS_HEX, DETAIL_BYTE)                     \
    X(FIELD_VALUE_READ, "value_read", "value read", AS_ADDRESS, NO_DETAIL)                         \
    X(FIELD_REGISTER, "register", "register", AS_ADDRESS, DETAIL_REGISTER)                         \
    X(FIELD_COUNT_LEFT, "count_left", "bytes not copied", AS_COUNT, NO_DETAIL)                     \
    X(FIELD_HANDLER, "handler", "fixup handler", AS_HANDLER, NO_DETAIL)                            \
    X(FIELD_WORLD, "world", "firmware's", AS_ADDRESS, DETAIL_WORLD)                                \
    X(FIELD_TABLE_BYTE, "table_byte", "descriptor table", AS_BYTE, DETAIL_BYTE)                    \
    X(FIELD_PAGES, "pages", "pages of our memory type", AS_COUNT, NO_DETAIL)                       \
    X(FIELD_EVENTS, "events", "events", AS_COUNT, NO_DETAIL)                                       \
    X(FIELD_STATUS, "status", "status", AS_SIGNED, NO_DETAIL)                                      \
    X(FIELD_TICKS, "ticks", "TSC ticks", AS_COUNT, NO_DETAIL)                                      \
    X(FIELD_ENTRY_ABOVE, "entry_above", "above afterwards", AS_ENTRY, DETAIL_LEVEL)                \
    X(FIELD_RIP_ASTRAY, "rip_astray", "reported from elsewhere", AS_COUNT, NO_DETAIL)              \
    X(FIELD_DATA_WRONG, "data_wrong", "wrong data", AS_COUNT, NO_DETAIL)                           \
    X(FIELD_POINTS, "points", "points that passed", AS_COUNT, NO_DETAIL)                           \
    X(FIELD_TUPLES, "tuples", "combinations covered", AS_COUNT, NO_DETAIL)                         \
    X(FIELD_RULE_ROW, "rule_row", "rule", AS_COUNT, DETAIL_ROW)                                    \
    X(FIELD_LINES, "lines", "lines as on Linux", AS_COUNT, NO_DETAIL)                              \
    X(FIELD_LINE, "line", "line of the log", AS_LINE, DETAIL_NUMBER)                               \
    X(FIELD_WAIT_STATUS, "wait_status", "end", AS_WAIT_STATUS, NO_DETAIL)                          \
    X(FIELD_TASK_OOPSES, "task_oopses", "tasks that died in the kernel", AS_COUNT, NO_DETAIL)      \
    X(FIELD_TIMED_OUT, "timed_out", "over the time limit", AS_CULPRIT, NO_DETAIL)                  \
    X(FIELD_SYSTEM_CALL, "system_call", "unknown system call", AS_COUNT, DETAIL_NUMBER)            \
    X(FIELD_STALE, "stale", "accepted differences not met", AS_COUNT, NO_DETAIL)                   \
    X(FIELD_AUDIT, "audit", "audit", AS_AUDIT, NO_DETAIL)                                          \
    X(FIELD_AUDIT_AT, "audit_at", "audit's address", AS_ADDRESS, NO_DETAIL)                        \
    X(FIELD_AUDIT_COUNT, "audit_count", "audit's count", AS_COUNT, NO_DETAIL)                      \
    X(FIELD_FRAMES, "frames", "frames in use", AS_COUNT, NO_DETAIL)

#define FIELD_KEY(id, key, name, format, detail) [id] = (key),
#define FIELD_ROW(id, key, name, format, detail) [id] = {name, format, detail},
static const struct {
    const char *name;
    uint8_t format; /* enum value_format */
    uint8_t detail; /* enum detail_format */
} fields[FIELD_COUNT] = {FIELDS(FIELD_ROW)};
const char *const field_keys[FIELD_COUNT] = {FIELDS(FIELD_KEY)};
NONE_MISSING(FIELDS, FIELD_COUNT);

static const char *const vector_names[32] = {
    [VECTOR_DE] = "#DE", [VECTOR_DB] = "#DB", [VECTOR_NMI] = "NMI", [VECTOR_BP] = "#BP",
    [4] = "#OF",         [5] = "#BR",         [VECTOR_UD] = "#UD",  [7] = "#NM",
    [VECTOR_DF] = "#DF", [VECTOR_TS] = "#TS", [VECTOR_NP] = "#NP",  [VECTOR_SS] = "#SS",
    [VECTOR_GP] = "#GP", [VECTOR_PF] = "#PF", [16] = "#MF",         [VECTOR_AC] = "#AC",
    [VECTOR_MC] = "#MC", [19] = "#XM",        [20] = "#VE",         [VECTOR_CP] = "#CP",
    [28] = "#HV",        [29] = "#VC",        [30] = "#SX"};

void print_vector(struct sink *sink, uint64_t vector)
{
    if (vector == VECTOR_NONE)
        sink_text(sink, "no exception");
    else if (vector < ARRAY_COUNT(vector_names) && vector_names[vector] != NULL)
        sink_text(sink, vector_names[vector]);
    else
        sink_printf(sink, "vector %lu", vector);
}

void print_error_code(struct sink *sink, uint64_t vector, uint64_t error)
{
    if (vector == VECTOR_PF) {
        char words[ERROR_CODE_TEXT];
        error_code_words(error, words, sizeof(words));
        sink_printf(sink, "%lx (%s)", error, words);
    } else if (vector == VECTOR_NONE) {
        sink_text(sink, "none");
    } else {
        sink_printf(sink, "%lx", error);
    }
}

const char *entry_name(unsigned level)
{
    static const char *const names[LEVELS_MAX] = {"PTE", "PDE", "PDPTE", "PML4E", "PML5E"};
    return level - 1 < LEVELS_MAX ? names[level - 1] : "entry";
}

void print_entry(struct sink *sink, pte_t entry, unsigned level)
{
    static const struct {
        pte_t bit;
        const char *word;
    } flags[] = {
        {PTE_PWT, " PWT"},
        {PTE_PCD, " PCD"},
        {PTE_A,   " A"  },
        {PTE_D,   " D"  }
    };

    sink_printf(sink, "%016lx %s %s %s", entry, entry & PTE_P ? "P" : "--",
                entry & PTE_RW ? "RW" : "--", entry & PTE_US ? "US" : "--");
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
        if (entry & flags[i].bit)
            sink_text(sink, flags[i].word);
    if (entry & PTE_PS)
        sink_text(sink, level == 1 ? " PAT" : " PS");
    if (entry & PTE_G)
        sink_text(sink, " G");
    if (entry & PTE_KEY)
        sink_printf(sink, " key%u", (unsigned)((entry & PTE_KEY) >> PTE_KEY_SHIFT));
    if (entry & PTE_XD)
        sink_text(sink, " XD");
    /* Bit 12 of a large leaf is PAT, no part of the address. */
    bool large = level > 1 && (entry & PTE_PS);
    sink_printf(sink, " %013lx", entry & PTE_ADDRESS & ~(large ? PTE_PAT_LARGE : 0));
}

void print_world_item(struct sink *sink, unsigned item)
{
#define X(name, mask) [WORLD_##name] = #name,
    static const char *const names[WORLD_ITEM_COUNT] = {WORLD_ITEMS(X)};
#undef X
    if (item < WORLD_ITEM_COUNT)
        sink_text(sink, names[item]);
    else
        sink_printf(sink, "item %u", item);
}

void print_field(struct sink *sink, const struct comparison *comparison)
{
    if (comparison->field >= FIELD_COUNT) {
        sink_printf(sink, "field %u", comparison->field);
        return;
    }
    const char *name = fields[comparison->field].name;
    unsigned detail = comparison->detail;
    switch ((enum detail_format)fields[comparison->field].detail) {
    case NO_DETAIL:
        sink_text(sink, name);
        break;
    case DETAIL_LEVEL:
        sink_printf(sink, "%s %s", entry_name(detail), name);
        break;
    case DETAIL_BYTE:
        sink_printf(sink, "%s at byte %u", name, detail);
        break;
    case DETAIL_REGISTER:
        sink_printf(sink, "%s %s", name, detail < REGISTER_COUNT ? register_names[detail] : "?");
        break;
    case DETAIL_WORLD:
        sink_printf(sink, "%s ", name);
        print_world_item(sink, detail);
        break;
    case DETAIL_NUMBER:
        sink_printf(sink, "%s %u", name, detail);
        break;
    case DETAIL_ROW:
        if (detail < model_row_count)
            sink_printf(sink, "%s %s: %s", name, model_rows[detail].number,
                        model_rows[detail].what);
        else
            sink_printf(sink, "%s row %u", name, detail);
        break;
    }
}

/* The vector on the same side of @record's comparisons: #PF unless they say otherwise. */
static uint64_t side_vector(const struct record *record, enum side side)
{
    for (unsigned i = 0; i < record->comparisons; i++) {
        const struct comparison *c = &record->comparison[i];
        if (c->field == FIELD_VECTOR)
            return side == SIDE_EXPECTED ? c->expected : c->got;
    }
    return VECTOR_PF;
}

/* Of a program: the line that differs. */
static void print_line(struct sink *sink, const struct annex_program *program, enum side side)
{
    bool has =
        program != NULL && (side == SIDE_EXPECTED ? program->has_expected : program->has_got);
    if (has)
        sink_printf(sink, "\"%s\"", side == SIDE_EXPECTED ? program->expected : program->got);
    else
        sink_text(sink, program != NULL ? "no such line" : "a line whose text is lost");
}

void print_value(struct sink *sink, const struct record *record,
                 const struct comparison *comparison, enum side side)
{
    const struct annex_program *program = record_program(record);
    /* Bits outside the mask are not expected to be anything. */
    uint64_t value =
        side == SIDE_EXPECTED ? comparison->expected & comparison->mask : comparison->got;
    enum value_format format = comparison->field < FIELD_COUNT
                                   ? (enum value_format)fields[comparison->field].format
                                   : AS_HEX;
    switch (format) {
    case AS_VECTOR:
        print_vector(sink, value);
        break;
    case AS_ERROR_CODE:
        print_error_code(sink, side_vector(record, side), value);
        break;
    case AS_ADDRESS:
        sink_printf(sink, "%016lx", value);
        break;
    case AS_SELECTOR:
        sink_printf(sink, "%04lx", value);
        break;
    case AS_BYTE:
        sink_printf(sink, "%02lx", value);
        break;
    case AS_ENTRY:
        print_entry(sink, value, comparison->detail);
        break;
    case AS_HANDLER:
        if (value < EX_TYPES)
            sink_text(sink, handler_names[value]);
        else
            sink_printf(sink, "type %lu", value);
        break;
    case AS_COUNT:
        sink_printf(sink, "%lu", value);
        break;
    case AS_SIGNED:
        sink_printf(sink, "%ld", (int64_t)value);
        break;
    case AS_LINE:
        print_line(sink, program, side);
        break;
    case AS_CULPRIT:
        sink_text(sink, value == OS_NOT_CUT ? "no"
                        : value == OS_SPUN  ? "yes"
                                            : "no, all wait for each other");
        if (value != OS_NOT_CUT && program != NULL)
            sink_printf(sink, ": task \"%s\"", program->culprit);
        break;
    case AS_WAIT_STATUS:
        print_wait_status(sink, value);
        break;
    case AS_AUDIT:
        sink_text(sink, value < AUDIT_FINDINGS ? audit_words((enum audit_finding)value) : "?");
        break;
    case AS_HEX:
        sink_printf(sink, "%lx", value);
        break;
    }
}

void print_mask(struct sink *sink, const struct comparison *comparison)
{
    static const uint64_t whole[] = {
        [AS_VECTOR] = UINT16_MAX,   [AS_ERROR_CODE] = UINT32_MAX, [AS_ADDRESS] = UINT64_MAX,
        [AS_SELECTOR] = UINT16_MAX, [AS_BYTE] = UINT8_MAX,        [AS_ENTRY] = UINT64_MAX,
        [AS_HANDLER] = UINT32_MAX,  [AS_COUNT] = UINT32_MAX,      [AS_SIGNED] = UINT32_MAX,
        [AS_LINE] = UINT64_MAX,     [AS_CULPRIT] = UINT8_MAX,     [AS_WAIT_STATUS] = UINT16_MAX,
        [AS_AUDIT] = UINT8_MAX,     [AS_HEX] = UINT64_MAX};
    enum value_format format = (enum value_format)fields[comparison->field].format;
    uint64_t either = whole[format] & ~comparison->mask;
    if (either == 0)
        return;
    if (format == AS_ENTRY && (either & ~(PTE_A | PTE_D)) == 0)
        sink_printf(sink, " (%s%s either)", either & PTE_A ? "A" : "",
                    either == (PTE_A | PTE_D) ? " D"
                    : either & PTE_D          ? "D"
                                              : "");
    else
        sink_printf(sink, " (bits %lx)", comparison->mask);
}

void print_reason(struct sink *sink, const struct record *record)
{
    if (record->reason >= REASON_COUNT) {
        sink_printf(sink, "reason %u", record->reason);
        return;
    }
    sink_text(sink, reason_texts[record->reason]);
    if (record->reason == REASON_FEATURE)
        sink_printf(sink, " %s",
                    record->reason_detail < FEATURE_COUNT ? feature_names[record->reason_detail]
                                                          : "such feature");
    else if (record->reason == REASON_NO_MEMORY && record->reason_detail)
        sink_printf(sink, ": %u MiB are left", record->reason_detail);
    else if (record->reason == REASON_SETUP)
        sink_printf(sink, " (item %u)", record->reason_detail);
    else if (record->reason == REASON_RESET && record->reason_detail)
        sink_text(sink, " (this check or a later one of its suite)");
}
