/*
 * matrix-cells.c: which combinations of page rights, access and processor state fault, and why, as the
 * reference model says: JSON for tools/matrix-picture. Runs on the build machine.
 *
 *   block   a state of the processor
 *   row     what all entries of the walk allow together, or where the walk ends
 *   column  ring and kind of access
 *   cell    whether the access may go through, the error codes that it may raise, the rules that forbid it
 */
#include "tests/model/model.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Bits of an entry, error code and keys in the picture: what the model is asked with. */
#define P         UINT64_C(1)
#define RW        UINT64_C(2)
#define US        UINT64_C(4)
#define XD        (UINT64_C(1) << 63)
#define RESERVED  (UINT64_C(1) << 51) /* of 46 physical-address bits */
#define KEY_1     (UINT64_C(1) << 59)
#define KEY_1_AD  4u
#define KEY_1_WD  8u
#define VECTOR_PF 14

/* clang-format off */
static const struct {
    const char *name;
    uint64_t leaf; /* all entries above it allow everything */
} rows[] = {
    {"user rwx",       P | RW | US},
    {"user rw-",       P | RW | US | XD},
    {"user r-x",       P | US},
    {"user r--",       P | US | XD},
    {"supervisor rwx", P | RW},
    {"supervisor rw-", P | RW | XD},
    {"supervisor r-x", P},
    {"supervisor r--", P | XD},
    {"not present",    0},
    {"reserved bit",   P | RW | US | RESERVED},
};

static const struct {
    const char *group, *name;
    struct model_access access;
} columns[] = {
    {"ring 3",   "read",  {.kind = MODEL_READ, .cpl = 3}},
    {"ring 3",   "write", {.kind = MODEL_WRITE, .cpl = 3}},
    {"ring 3",   "fetch", {.kind = MODEL_FETCH, .cpl = 3}},
    {"ring 0",   "read",  {.kind = MODEL_READ}},
    {"ring 0",   "write", {.kind = MODEL_WRITE}},
    {"ring 0",   "fetch", {.kind = MODEL_FETCH}},
    {"implicit", "table", {.kind = MODEL_READ, .cpl = 3, .implicit = true}},
    {"implicit", "frame", {.kind = MODEL_WRITE, .cpl = 3, .frame = true}},
};

/* The first is what the others are compared with. */
static const struct {
    const char *name, *note;
    struct model_cpu cpu;
} blocks[] = {
    {"WP=1 NXE=1", "what the other tables are compared with", {.wp = true, .nxe = true}},
    {"WP=0", "ring 0 may write to read-only pages", {.nxe = true}},
    {"NXE=0", "XD is a reserved bit, and no error code tells of a fetch", {.wp = true}},
    {"SMEP=1", "ring 0 may not fetch from user pages", {.wp = true, .nxe = true, .smep = true}},
    {"SMAP=1 AC=0", "ring 0 may not touch user pages", {.wp = true, .nxe = true, .smap = true}},
    {"SMAP=1 AC=1", "AC excuses that, but no table's read; a frame's push: either", {.wp = true, .nxe = true, .smap = true, .ac = true}},
    {"PKE=1 PKRU.AD", "a user page's key denies all data accesses", {.wp = true, .nxe = true, .pke = true, .pkru = KEY_1_AD}},
    {"PKS=1 PKRS.AD", "the same for supervisor pages, in ring 0", {.wp = true, .nxe = true, .pks = true, .pkrs = KEY_1_AD}},
    {"PKE=1 PKRU.WD", "a user page's key denies writes", {.wp = true, .nxe = true, .pke = true, .pkru = KEY_1_WD}},
    {"PKS=1 PKRS.WD", "the same for supervisor pages, in ring 0", {.wp = true, .nxe = true, .pks = true, .pkrs = KEY_1_WD}},
    {"PKRU.WD PKRS.WD WP=0", "ring 0 minds WD only while WP=1",
     {.nxe = true, .pke = true, .pks = true, .pkru = KEY_1_WD, .pkrs = KEY_1_WD}},
    {"SMEP=1 SMAP=1 AC=0", "what operating systems set today", {.wp = true, .nxe = true, .smep = true, .smap = true}},
};
/* clang-format on */

/*
 * Rows of the model that forbid, in the order of the model. The others say what is a write, a user
 * access, an error code, or where a machine may choose.
 */
static const char *const forbidding[] = {
    "absent",           "reserved",     "user_data", "user_fetch", "user_write",
    "supervisor_write", "fetch_xd",     "smep",      "smap",       "smap_implicit",
    "pkru_ad",          "pkru_wd_user", "pkru_wd",   "pkrs_ad",    "pkrs_wd",
};

static bool forbids(const struct model_row *row)
{
    for (size_t i = 0; i < COUNT(forbidding); i++) {
        if (strcmp(forbidding[i], row->name) == 0) {
            return true;
        }
    }
    return false;
}

static struct model_question question_of(size_t block, size_t row, size_t column)
{
    struct model_question question = {
        .cpu = blocks[block].cpu,
        .access = columns[column].access,
    };

    question.cpu.levels = 4;
    question.cpu.physical_bits = 46;
    question.cpu.gb_pages = true;
    question.access.address = 0x1000;
    question.access.bytes = 1;
    question.walk[0].entry[0] = rows[row].leaf | KEY_1;
    for (unsigned level = 2; level <= question.cpu.levels; level++) {
        question.walk[0].entry[level - 1] = P | RW | US;
    }
    return question;
}

/* Every error code that the outcome stands for. */
static void print_errors(const struct model_outcome *outcome, const char **separator,
                         uint64_t *seen)
{
    uint32_t open = ~outcome->error_mask;

    /* All subsets of the bits that are open; the codes of the picture have bits 5 to 0. */
    for (uint32_t more = 0;; more = (more - open) & open) {
        uint32_t error = (outcome->error & ~open) | more;
        if (error < 64 && !((*seen >> error) & 1)) {
            *seen |= UINT64_C(1) << error;
            printf("%s%u", *separator, error);
            *separator = ", ";
        }
        if (more == open) {
            break;
        }
    }
}

static void print_cell(size_t block, size_t row, size_t column)
{
    struct model_question question = question_of(block, row, column);
    struct model_answer answer;
    const char *separator = "";
    uint64_t seen = 0;
    bool passes = false;

    model_ask(&question, NULL, &answer);
    printf("%s\n    {\"errors\": [", column ? "," : "");
    for (unsigned i = 0; i < answer.count; i++) {
        if (answer.outcome[i].vector == VECTOR_PF) {
            print_errors(&answer.outcome[i], &separator, &seen);
        } else {
            passes |= answer.outcome[i].vector == MODEL_NO_FAULT;
        }
    }
    printf("], \"passes\": %s, \"rules\": [", passes ? "true" : "false");
    separator = "";
    for (uint32_t i = 0; i < model_row_count; i++) {
        if ((answer.rules >> i) & 1 && forbids(&model_rows[i])) {
            printf("%s\"%s\"", separator, model_rows[i].name);
            separator = ", ";
        }
    }
    printf("]}");
}

int main(void)
{
    printf("{\"rules\": {");
    const char *separator = "";
    for (uint32_t i = 0; i < model_row_count; i++) {
        if (forbids(&model_rows[i])) {
            printf("%s\n  \"%s\": [\"%s\", \"%s\"]", separator, model_rows[i].name,
                   model_rows[i].number, model_rows[i].what);
            separator = ",";
        }
    }
    printf("},\n \"columns\": [");
    for (size_t column = 0; column < COUNT(columns); column++) {
        printf("%s[\"%s\", \"%s\"]", column ? ", " : "", columns[column].group,
               columns[column].name);
    }
    printf("],\n \"rows\": [");
    for (size_t row = 0; row < COUNT(rows); row++) {
        printf("%s\"%s\"", row ? ", " : "", rows[row].name);
    }
    printf("],\n \"blocks\": [");
    for (size_t block = 0; block < COUNT(blocks); block++) {
        printf("%s\n  {\"name\": \"%s\", \"note\": \"%s\", \"cells\": [", block ? "," : "",
               blocks[block].name, blocks[block].note);
        for (size_t row = 0; row < COUNT(rows); row++) {
            printf("%s\n   [", row ? "," : "");
            for (size_t column = 0; column < COUNT(columns); column++) {
                print_cell(block, row, column);
            }
            printf("]");
        }
        printf("]}");
    }
    printf("]}\n");
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
