/*
 * text.c: records in words. Every number is explained where it stands: error codes and entries in
 * the manual's letters, addresses in core with their symbol.
 */
#include "text.h"

#include "fault/symbols.h"
#include "tests/deviations.h"
#include "tests/harness/machine.h"
#include "tests/harness/plan.h"
#include "tests/harness/record_names.h"
#include "tests/harness/rules.h"
#include "x86/registers.h"

#include "matrix_text.h"
#include "program_text.h"

void text_filled(struct sink *sink, unsigned indent, unsigned columns, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t word = 0;
        while (text[word] != '\0' && text[word] != ' ')
            word++;
        if (column > 0 && column + 1 + word > columns) {
            sink_text(sink, "\n");
            column = 0;
        }
        if (column == 0)
            sink_cell(sink, "", column = indent);
        else
            column++, sink_text(sink, " ");
        sink_write(sink, text, word);
        column += word;
        text += word;
        while (*text == ' ')
            text++;
    }
    sink_text(sink, "\n");
}

void text_deviation(struct sink *sink, const struct record *record)
{
    const struct annex_part *part = record_part(record);
    if (part != NULL) {
        sink_printf(sink, "%lu points: the folds tell which", part->known);
        return;
    }
    if (record->deviation == DEVIATION_BASELINE) {
        sink_text(sink, "in the baseline");
        return;
    }
    if (record->deviation == 0 || record->deviation > deviation_count) {
        sink_text(sink, "not in this version's list");
        return;
    }
    const struct deviation *known = &deviations[record->deviation - 1];
    sink_printf(sink, "%s: %s", known->machine, known->sentence);
}

void text_emulator(struct sink *sink)
{
    if (machine.emulator[0] == '\0')
        sink_text(sink, machine_has(FEATURE_HYPERVISOR) ? "unknown hypervisor" : "bare metal");
    else
        sink_printf(sink, "%s%s%s", machine.emulator, machine.emulator_version[0] ? " " : "",
                    machine.emulator_version);
}

void text_model(struct sink *sink)
{
    sink_printf(sink, "fam %u mod %u step %u", machine.family, machine.model, machine.stepping);
}

void text_widths(struct sink *sink)
{
    sink_printf(sink, "%u levels  %u-bit phys", machine.levels, machine.physical_bits);
}

/* Those that decide about page faults; the rest is in report.json. */
static const uint8_t shown_features[] = {FEATURE_NX,   FEATURE_GB_PAGES, FEATURE_SMEP,
                                         FEATURE_SMAP, FEATURE_PKU,      FEATURE_PKS,
                                         FEATURE_LA57, FEATURE_CET_SS,   FEATURE_PCID};

void text_features(struct sink *sink, bool present)
{
    const char *between = present ? "" : "no: ";
    for (size_t i = 0; i < ARRAY_COUNT(shown_features); i++)
        if (machine_has((enum cpu_feature)shown_features[i]) == present) {
            sink_printf(sink, "%s%s", between, feature_names[shown_features[i]]);
            between = " ";
        }
}

void text_firmware(struct sink *sink, const struct machine_facts *facts)
{
    sink_printf(sink, "%.63s (UEFI %u.%u)", facts->firmware_vendor, facts->uefi_revision >> 16,
                (facts->uefi_revision & 0xffff) / 10);
}

static const char *const save_problem_texts[] = {[SAVE_OK] = "",
                                                 [SAVE_NO_VOLUME] = "started from no file system",
                                                 [SAVE_READ_ONLY] = "the stick is write-protected",
                                                 [SAVE_FULL] = "the stick is full",
                                                 [SAVE_FAILED] = "writing to the stick failed"};
_Static_assert(ARRAY_COUNT(save_problem_texts) == SAVE_PROBLEM_COUNT, "a problem has no text");

void text_saved(struct sink *sink, const struct session *session)
{
    if (session->save_problem == SAVE_OK && session->saved_to_stick)
        sink_printf(sink, "\\faultline\\%04u", session->report_number);
    else
        sink_printf(sink, "NOT SAVED: %s",
                    save_problem_texts[session->save_problem == SAVE_OK ||
                                               session->save_problem >= SAVE_PROBLEM_COUNT
                                           ? SAVE_NO_VOLUME
                                           : session->save_problem]);
}

const char *suite_name(unsigned suite)
{
    return suite < suite_count ? suites[suite]->name : "?";
}

const char *const matrix_names[] = {[MATRIX_QUICK] = "quick",
                                    [MATRIX_FULL] = "full",
                                    [MATRIX_SOAK] = "soak",
                                    [MATRIX_NONE] = "none"};

void text_matrix(struct sink *sink, const struct options *options)
{
    if (options->matrix == MATRIX_NONE) {
        sink_text(sink, "standard suites");
        return;
    }
    sink_printf(sink, "matrix %s", matrix_names[options->matrix]);
    if (options->matrix == MATRIX_SOAK)
        sink_printf(sink, " %u s", options->soak_seconds);
}

void text_walk_entry(struct sink *sink, pte_t entry, unsigned level)
{
    sink_cell(sink, entry_name(level), 6);
    print_entry(sink, entry, level);
}

void text_access(struct sink *sink, const struct scene *scene)
{
    if (scene->ring != 0 || scene->access < ACCESS_IMPLICIT_READ)
        sink_printf(sink, "ring %u ", scene->ring);
    sink_text(sink, access_names[scene->access <= ACCESS_NONE ? scene->access : ACCESS_NONE]);
    if (scene->width > 1)
        sink_printf(sink, " of %u bytes", scene->width);
    sink_printf(sink, " at %016lx", scene->address);
}

void text_state(struct sink *sink, const struct scene *scene)
{
    const struct {
        const char *name;
        uint64_t is_set;
    } bits[] = {
        {"CR0.WP", scene->cr0 & CR0_WP      },
        {" SMEP",  scene->cr4 & CR4_SMEP    },
        {" SMAP",  scene->cr4 & CR4_SMAP    },
        {" PKE",   scene->cr4 & CR4_PKE     },
        {" PKS",   scene->cr4 & CR4_PKS     },
        {" NXE",   scene->efer & EFER_NXE   },
        {" AC",    scene->rflags & RFLAGS_AC}
    };
    for (size_t i = 0; i < ARRAY_COUNT(bits); i++)
        sink_printf(sink, "%s=%u", bits[i].name, bits[i].is_set != 0);
    if (scene->cr4 & CR4_PKE)
        sink_printf(sink, " PKRU=%08x", scene->pkru);
    if (scene->cr4 & CR4_PKS)
        sink_printf(sink, " PKRS=%08x", scene->pkrs);
}

static bool any_differs(const struct record *record)
{
    for (unsigned i = 0; i < record->comparisons; i++)
        if (comparison_differs(&record->comparison[i]))
            return true;
    return false;
}

#define SIDE_FIELDS 3u /* enough for vector, error code and CR2 */
void text_side(struct sink *sink, const struct record *record, unsigned side)
{
    bool differing = any_differs(record);
    unsigned printed = 0;
    for (unsigned i = 0; i < record->comparisons && printed < SIDE_FIELDS; i++) {
        const struct comparison *c = &record->comparison[i];
        if (differing && !comparison_differs(c))
            continue;
        sink_text(sink, printed++ > 0 ? ", " : "");
        print_field(sink, c);
        sink_text(sink, " ");
        print_value(sink, record, c, (enum side)side);
    }
}

/* An address in core with its symbol. */
static void print_code_address(struct sink *sink, uint64_t address)
{
    uint64_t offset;
    const char *symbol = symbol_find(address, &offset);
    sink_printf(sink, "%016lx", address);
    if (symbol != NULL)
        sink_printf(sink, " %.64s+0x%lx", symbol, offset);
}

static void print_walk_picture(struct sink *sink, const char *name, uint64_t address,
                               const struct walk_picture *walk)
{
    sink_printf(sink, "  walk of %s %016lx%s\n", name, address,
                walk->levels == 0 ? ": not possible" : "");
    for (unsigned level = walk->levels; level >= 1 && level >= walk->last; level--) {
        sink_text(sink, "    ");
        text_walk_entry(sink, walk->entry[level - 1], level);
        sink_text(sink, "\n");
    }
}

void report_oops(struct sink *sink, const struct oops *oops)
{
    sink_printf(sink, "  oops on processor %u: %s\n  ", oops->cpu,
                oops_reason_texts[oops->reason < OOPS_REASON_COUNT ? oops->reason : OOPS_NONE]);
    print_vector(sink, oops->vector);
    sink_text(sink, ", error code ");
    print_error_code(sink, oops->vector, oops->error);
    sink_text(sink, "\n  RIP ");
    print_code_address(sink, oops->rip);
    sink_printf(sink, "\n  CS %04x  SS %04x  RFLAGS %016lx\n", oops->cs, oops->ss, oops->rflags);
    for (unsigned i = 0; i < REGISTER_COUNT; i++)
        sink_printf(sink, "  %-3s %016lx%s", register_names[i], oops->registers[i],
                    i % 3 == 2 || i == REGISTER_COUNT - 1 ? "\n" : "");
    sink_printf(sink, "  CR0 %016lx  CR2 %016lx  CR3 %016lx\n  CR4 %016lx  EFER %lx\n", oops->cr0,
                oops->cr2, oops->cr3, oops->cr4, oops->efer);
    print_walk_picture(sink, "CR2", oops->cr2, &oops->cr2_walk);
    print_walk_picture(sink, "RIP", oops->rip, &oops->rip_walk);
    sink_text(sink, "  code at RIP");
    for (unsigned i = 0; i < oops->code_count && i < OOPS_CODE; i++)
        sink_printf(sink, " %02x", oops->code[i]);
    sink_text(sink, oops->code_count == 0 ? ": not readable\n" : "\n");
    sink_text(sink, oops->trace_count == 0 ? "  no call trace\n" : "  called from\n");
    for (unsigned i = 0; i < oops->trace_count && i < OOPS_TRACE; i++) {
        sink_text(sink, "    ");
        print_code_address(sink, oops->trace[i]);
        sink_text(sink, "\n");
    }
}

static void print_rule(struct sink *sink, const struct record *record, unsigned columns)
{
    const struct rule_text *rule = &rule_texts[record->rule];
    if (record->rule != RULE_NONE)
        text_filled(sink, 3, columns, rule->sentence);
}

/* The entries of one walk; of a point of the matrix, of both pages where both count. */
static void print_entries(struct sink *sink, const struct record *record)
{
    const struct scene *scene = &record->scene;
    const struct annex_point *point = record_point(record);
    for (unsigned i = 0; point != NULL && i < point_entries(point); i++) {
        sink_text(sink, "   ");
        text_point_entry(sink, point, i, false);
        sink_text(sink, "\n");
    }
    for (unsigned level = scene->levels; point == NULL && level >= scene->leaf; level--) {
        sink_text(sink, "   ");
        text_walk_entry(sink, scene->before[level - 1], level);
        sink_text(sink, "\n");
    }
}

static void print_scene(struct sink *sink, const struct record *record)
{
    print_entries(sink, record);
    sink_text(sink, "   ");
    if (record_point(record) != NULL)
        text_point_access(sink, record_point(record));
    else
        text_access(sink, &record->scene);
    sink_text(sink, "\n   ");
    text_state(sink, &record->scene);
    sink_text(sink, "\n");
}

/* What the model allows, and by which rules. */
static void print_allowed(struct sink *sink, const struct annex_point *point)
{
    for (unsigned i = 0; i < point->outcomes; i++) {
        sink_text(sink, i == 0 ? "   allowed  " : "        or  ");
        text_point_allowed(sink, point, i);
        sink_text(sink, "\n");
    }
    sink_text(sink, "   got      ");
    text_point_got(sink, point);
    sink_text(sink, "\n");
    for (unsigned row = 0; row < model_row_count; row++)
        if ((point->rules >> row) & 1) {
            sink_text(sink, "   by ");
            text_row(sink, row);
            sink_text(sink, "\n");
        }
}

/* What a record of the matrix says beside what was compared. */
static void print_annex(struct sink *sink, const struct record *record)
{
    const struct annex_point *point = record_point(record);
    const struct annex_part *part = record_part(record);
    if (point != NULL && point->points > 0) {
        sink_text(sink, "   fold: ");
        text_fold(sink, point);
        sink_text(sink, "\n   in each: ");
        text_symptom(sink, &point->symptom);
        sink_text(sink, "\n");
    }
    if (point != NULL && point->flags & POINT_RAN)
        print_allowed(sink, point);
    if (part != NULL) {
        sink_text(sink, "   ");
        text_part(sink, part);
        sink_text(sink, "\n");
    }
    if (part != NULL && part->tuples + part->total > 0) {
        sink_text(sink, "   ");
        text_part_from(sink, part);
        sink_text(sink, "\n");
    }
}

/* The frame in the order in which the processor pushes it, then CR2. */
static void print_frame(struct sink *sink, const struct outcome *got)
{
    sink_text(sink, "   got ");
    print_vector(sink, got->vector);
    sink_text(sink, "\n");
    if (got->vector == VECTOR_NONE)
        return;
    sink_printf(sink, "   frame  SS %04x  RSP %016lx  RFLAGS %016lx\n", got->ss, got->rsp,
                got->rflags);
    sink_printf(sink, "          CS %04x  RIP ", got->cs);
    print_code_address(sink, got->rip);
    sink_text(sink, "\n          error code ");
    print_error_code(sink, got->vector, got->error);
    sink_printf(sink, "  CR2 %016lx\n", got->cr2);
}

static void print_comparison(struct sink *sink, const struct record *record,
                             const struct comparison *c)
{
    char name[80];
    struct buffer_sink buffer;
    buffer_sink_init(&buffer, name, sizeof(name) - 1);
    print_field(&buffer.sink, c);
    name[buffer.length] = '\0';

    bool differs = comparison_differs(c);
    sink_printf(sink, " %c %-20s %s", differs ? '!' : ' ', name, differs ? "expected " : "");
    print_value(sink, record, c, SIDE_EXPECTED);
    print_mask(sink, c);
    if (differs) {
        sink_printf(sink, "\n   %-20s got      ", "");
        print_value(sink, record, c, SIDE_GOT);
    }
    sink_text(sink, "\n");
}

/* What stands below the first line: why, what differed, what else is known. */
static void print_findings(struct sink *sink, const struct record *record, unsigned columns,
                           bool all)
{
    unsigned shown = 0, differing = 0;
    all = all && record->comparisons <= REPORT_COMPARISONS;
    for (unsigned i = 0; i < record->comparisons; i++) {
        bool differs = comparison_differs(&record->comparison[i]);
        differing += differs;
        if ((all || differs) && shown++ < REPORT_COMPARISONS)
            print_comparison(sink, record, &record->comparison[i]);
    }
    if (shown > REPORT_COMPARISONS)
        sink_printf(sink, "   and more: %u fields differ\n", differing);
    if (record->lost)
        sink_text(sink, "   details were lost: the journal was short\n");
    if (record->reason != REASON_NONE) {
        sink_text(sink, "   ");
        print_reason(sink, record);
        sink_text(sink, "\n");
    }
    if (record->deviation == DEVIATION_BASELINE)
        sink_text(sink, "   known: it is in the baseline\n");
    if (record->deviation != 0 && record->deviation <= deviation_count) {
        const struct deviation *known = &deviations[record->deviation - 1];
        sink_printf(sink, "   known deviation of %s (seen in %s):\n", known->machine,
                    known->versions);
        text_filled(sink, 3, columns, known->sentence);
    }
    if (record_oops(record) != NULL)
        report_oops(sink, record_oops(record));
}

void report_explain(struct sink *sink, const struct record *record)
{
    const unsigned columns = 80;
    char id[CHECK_ID_TEXT];
    record_id(record, id);
    sink_printf(sink, "%s\n   verdict %s\n", id, verdict_names[record->verdict]);
    if (record->rule != RULE_NONE)
        sink_printf(sink, "\nRule %s, %s (%s)\n", rule_texts[record->rule].number,
                    rule_texts[record->rule].title, rule_texts[record->rule].source);
    print_rule(sink, record, columns);
    if (record->scene.present) {
        sink_text(sink, "\nThe walk before, the access, the state of the processor\n");
        print_scene(sink, record);
        sink_text(sink, "\nWhat the processor reported\n");
        print_frame(sink, &record->scene.got);
    }
    if (record_program(record) != NULL) {
        sink_text(sink, "\nThe program, and its memory when it ended\n   ");
        text_program(sink, record_program(record));
        sink_text(sink, "\n");
        text_maps(sink, &record_program(record)->maps);
    } else if (record->annex != ANNEX_NONE) {
        sink_text(sink, "\nThe matrix\n");
        print_annex(sink, record);
    }
    sink_printf(sink, "\nCompared: %u fields\n", record->comparisons);
    print_findings(sink, record, columns, true);
}

void report_failure(struct sink *sink, const struct record *record, unsigned columns)
{
    char id[CHECK_ID_TEXT];
    record_id(record, id);
    const char *rule = record->rule != RULE_NONE ? rule_texts[record->rule].number : "";
    uint64_t start = sink->written;
    sink_printf(sink, " %s ", id);
    uint64_t used = sink->written - start, wanted = columns - sizeof("KNOWN  rule R3.10 ");
    sink_cell(sink, "", used < wanted ? wanted - used : 0);
    sink_printf(sink, " %-5s  %s%s\n", verdict_names[record->verdict],
                record->rule != RULE_NONE ? "rule " : "", rule);
    print_rule(sink, record, columns);
    if (record->scene.present)
        print_scene(sink, record);
    print_annex(sink, record);
    print_findings(sink, record, columns, false);
    sink_printf(sink, "   again: --only %s\n", id);
}
