/*
 * test_model.c: the reference model against examples worked out by hand; and that each of its rows
 * matters: the model with one row wrong differs from the right one somewhere.
 */
#include "tests/host/unit.h"

#include "model_examples.h"
#include "model_words.h"
#include "tests/harness/rules.h"
#include "tests/model/answer.h"
#include "tests/model/model.h"

static uint64_t random_state;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static unsigned random_below(unsigned count)
{
    return (unsigned)(random_bits() >> 33) % count;
}

/* True once in @count. */
static bool once_in(unsigned count)
{
    return random_below(count) == 0;
}

/* ---- the table ------------------------------------------------------------------------------------- */

static void rows_are_complete(void **state)
{
    (void)state;
    assert_in_range(model_row_count, 1, MODEL_ROWS_MAX);
    for (unsigned i = 0; i < model_row_count; i++) {
        const struct model_row *row = &model_rows[i];
        bool known = false;

        assert_true(row->name && row->what && row->what[0]);
        assert_true(row->holds && row->instead);
        assert_int_equal(row->misplaceable, row->misplaced != NULL);
        assert_int_equal(row->same != 0, row->same_because != NULL);
        assert_int_equal(row->choice, row->way[0] && row->way[1]);
        for (unsigned j = 0; j < RULE_COUNT; j++) {
            known = known || !strcmp(rule_texts[j].number, row->number);
        }
        if (!known) {
            fail_msg("%s: docs/rules.md has no rule %s", row->name, row->number);
        }
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(row->name, model_rows[j].name);
        }
    }
}

/* ---- examples -------------------------------------------------------------------------------------- */

static unsigned row_by_name(const char *name)
{
    for (unsigned i = 0; i < model_row_count; i++) {
        if (!strcmp(model_rows[i].name, name)) {
            return i;
        }
    }
    fail_msg("%s: no such row", name);
    return 0;
}

static void ask(const char *words, struct model_question *question, struct model_answer *answer)
{
    const char *wrong = model_words_question(words, question);

    if (wrong) {
        fail_msg("\"%s\": %s is no word", words, wrong);
    }
    model_ask(question, NULL, answer);
}

static void examples_are_answered(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (unsigned i = 0; i < model_example_count; i++) {
        const struct model_example *example = &model_examples[i];
        struct model_question question;
        struct model_answer answer;
        char text[MODEL_WORDS_ANSWER];

        ask(example->question, &question, &answer);
        model_words_answer(&question, &answer, text);
        if (strcmp(text, example->answer)) {
            print_message("\"%s\"\n  expected %s\n  got      %s\n", example->question,
                          example->answer, text);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* And the rows are in force, or not, as each example says; each row is in one that it is in force. */
static void examples_show_their_rows(void **state)
{
    (void)state;
    uint64_t shown = 0;

    for (unsigned i = 0; i < model_example_count; i++) {
        const struct model_example *example = &model_examples[i];
        bool expected = example->row[0] != '!';
        unsigned row = row_by_name(example->row + !expected);
        struct model_question question;
        struct model_answer answer;

        ask(example->question, &question, &answer);
        uint64_t in_force = model_rows[row].choice ? answer.choices : answer.rules;
        if (((in_force >> row) & 1) != expected) {
            fail_msg("\"%s\": row %s %s", example->question, model_rows[row].name,
                     expected ? "has no effect" : "has an effect");
        }
        shown |= expected ? BIT(row) : 0;
    }
    for (unsigned row = 0; row < model_row_count; row++) {
        if (!((shown >> row) & 1)) {
            fail_msg("no example shows row %s", model_rows[row].name);
        }
    }
}

static void story_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        struct model_story story;
    } rows[] = {
        {"read",                   {MODEL_COMPLETE, 0, true, false, false}      },
        {"pml4e-U ring0",          {MODEL_COMPLETE, 0, false, false, false}     },
        {"pml4e-U",                {MODEL_COMPLETE, 0, false, true, false}      },
        {"write pte-W",            {MODEL_COMPLETE, 0, true, true, true}        },
        {"pke pkru=1",             {MODEL_COMPLETE, 0, true, true, false}       },
        {"pde-P",                  {MODEL_ABSENT, 2, false, false, false}       },
        {"5 pml5e+PS",             {MODEL_RESERVED, 5, false, false, false}     },
        {"at=800000000800",        {MODEL_NOT_CANONICAL, 0, false, false, false}},
        {"write pte-U pte-W",      {MODEL_COMPLETE, 0, false, true, false}      },
        {"write ring0 pke pkru=2", {MODEL_COMPLETE, 0, true, true, true}        },
        {"cross 2pte-P",           {MODEL_ABSENT, 1, false, false, false}       },
        {"cross pte-U 2pte-P",     {MODEL_COMPLETE, 0, false, true, false}      },
        {"nothing pte-P",          {MODEL_ABSENT, 1, false, false, false}       },
        {"nothing pte-U",          {MODEL_COMPLETE, 0, false, true, false}      },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct model_story *expected = &rows[i].story, *got;
        struct model_question question;
        struct model_answer answer;

        ask(rows[i].question, &question, &answer);
        got = &answer.story;
        if (got->end != expected->end || got->level != expected->level ||
            got->user_address != expected->user_address || got->forbidden != expected->forbidden ||
            got->write_only != expected->write_only) {
            fail_msg("\"%s\": end %u level %u user %u forbidden %u write only %u", rows[i].question,
                     got->end, got->level, got->user_address, got->forbidden, got->write_only);
        }
    }
}

/* ---- ways ------------------------------------------------------------------------------------------ */

/* clang-format off */
/* What a machine did: an allowed outcome, and with it bits that are open in its error code, A and D. */
static const struct {
    const char *row, *question;
    uint8_t outcome;
    uint32_t error;
    uint8_t cr2;
    uint8_t accessed[2], dirty[2];
    const char *way; /* NULL: none */
} ways[] = {
    {"bit_8_either", "unknown pml4e+8", .outcome = 0, .way = "ignored"},
    {"bit_8_either", "unknown pml4e+8", .outcome = 1, .way = "reserved"},
    {"bit_8_either", "amd pml4e+8", .way = NULL},
    {"frame_either", "frame write smap ac", .outcome = 0, .way = "excused"},
    {"frame_either", "frame write smap ac", .outcome = 1, .way = "not excused"},
    {"plain_either", "rmw pte-P", .error = 2, .way = "as a write"},
    {"plain_either", "rmw pte-P", .error = 0, .way = "as a read"},
    {"plain_either", "rmw cross 2pte-P", .outcome = 1, .way = "as a read"},
    {"plain_either", "rmw pte-W", .way = NULL},
    {"plain_either", "unknown rmw pml4e+8", .outcome = 0, .way = NULL}, /* no fault tells nothing */
    {"error_i_either", "amd fetch nxe=0 smep pte-P", .error = 16, .way = "1"},
    {"error_i_either", "amd fetch nxe=0 smep pte-P", .error = 0, .way = "0"},
    {"error_i_either", "amd fetch nxe=0 smep pte-P", .error = 2, .way = NULL}, /* not allowed */
    {"error_pk_either", "pks pkrs=1 pte-U", .error = 32, .way = "1"},
    {"error_pk_either", "pks pkrs=1 pte-U", .error = 0, .way = "0"},
    {"hole_either", "at=7ffffffffffc pte-P", .outcome = 0, .way = "#PF"},
    {"hole_either", "at=7ffffffffffc pte-P", .outcome = 1, .way = "#GP or #SS"},
    {"both_either", "cross pte-P 2pte-P", .outcome = 0, .way = "the lower"},
    {"both_either", "cross pte-P 2pte-P", .outcome = 1, .way = "the upper"},
    {"any_byte", "parts pte-P", .cr2 = 0, .way = "the first byte"},
    {"any_byte", "parts pte-P", .cr2 = 3, .way = "another"},
    {"any_byte", "parts cross 2pte-P", .cr2 = 0, .way = "the first byte"},
    {"any_byte", "parts cross 2pte-P", .cr2 = 1, .way = "another"},
    {"valid_a_either", "pte-P", .way = "clear"},
    {"valid_a_either", "pte-P", .accessed = {0xe}, .way = "set"},
    {"valid_a_either", "pte-P", .accessed = {8}, .way = "some set"},
    {"valid_a_either", "2m pde-W write pml4e+A", .accessed = {4 | 2}, .way = "set"},
    {"valid_a_either", "write cross 2pte-W", .accessed = {0, 15}, .way = "set"},
    {"passed_either", "write cross 2pte-W", .accessed = {0, 15}, .way = "clear"},
    {"passed_either", "write cross 2pte-W", .accessed = {15}, .way = "some set"},
    {"passed_either", "write cross 2pte-W", .accessed = {15}, .dirty = {1}, .way = "set"},
    {"passed_either", "at=7ffffffffffc", .accessed = {15}, .way = "set"},
    {"passed_either", "at=ffff7ffffffffffc", .accessed = {0, 15}, .way = "set"},
    {"nothing_a_either", "nothing", .way = "clear"},
    {"nothing_a_either", "1g nothing", .accessed = {12}, .way = "set"},
    {"nothing_a_either", "nothing pde-P", .accessed = {8}, .way = "some set"},
};
/* clang-format on */

static void ways_are_told(void **state)
{
    (void)state;
    uint64_t seen = 0;

    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        unsigned row = row_by_name(ways[i].row), way;
        struct model_question question;
        struct model_answer answer;

        ask(ways[i].question, &question, &answer);
        assert_true(ways[i].outcome < answer.count);
        const struct model_outcome *outcome = &answer.outcome[ways[i].outcome];
        struct model_got got = {.vector = outcome->vector,
                                .error = (outcome->error & outcome->error_mask) | ways[i].error,
                                .cr2 = outcome->cr2 + ways[i].cr2};
        for (unsigned walk = 0; walk < 2; walk++) {
            got.walk[walk] = outcome->walk[walk];
            got.walk[walk].accessed |= ways[i].accessed[walk];
            got.walk[walk].dirty |= ways[i].dirty[walk];
        }
        way = model_way(&question, row, &got);
        if (way > MODEL_WAYS || (way == MODEL_WAYS) != !ways[i].way ||
            (ways[i].way && strcmp(model_rows[row].way[way], ways[i].way))) {
            fail_msg("\"%s\": %s went way %u", ways[i].question, ways[i].row, way);
        }
        seen |= BIT(row);
        got.other_bits = true;
        assert_int_equal(model_way(&question, row, &got), MODEL_WAYS);
    }
    for (unsigned row = 0; row < model_row_count; row++) {
        assert_int_equal(model_rows[row].choice, (seen >> row) & 1);
    }
}

/* ---- many questions -------------------------------------------------------------------------------- */

static void random_cpu(struct model_cpu *cpu)
{
    uint64_t bits = random_bits();

    *cpu = (struct model_cpu){
        .levels = once_in(2) ? 5 : 4,
        .physical_bits = (uint8_t)(32 + random_below(21)),
        .vendor = (uint8_t)random_below(3),
        .lam = once_in(8) ? (once_in(2) ? 48 : 57) : 0,
        .gb_pages = bits & 1,
        .wp = bits & 2,
        .nxe = bits & 4 || bits & 8,
        .smep = bits & 16,
        .smap = bits & 32,
        .ac = bits & 64,
        .pke = bits & 128,
        .pks = bits & 256,
        .cet = bits & 512,
        .pkru = (uint32_t)random_bits(),
        .pkrs = (uint32_t)random_bits(),
        .encryption_mask = once_in(8) ? BIT(47) : 0,
    };
}

static void random_access(struct model_access *access)
{
    uint64_t bits = random_bits();

    *access = (struct model_access){
        .kind = (uint8_t)random_below(MODEL_SHADOW_WRITE + 1),
        .cpl = bits & 1 ? 3 : 0,
        .stack = bits & 2,
        .any_byte = bits & 4,
        .partial = bits & 8,
        .address = UINT64_C(0x400000000800) + random_below(256),
        .bytes = 1u << random_below(7),
    };
    if (access->kind == MODEL_READ || access->kind == MODEL_RMW_PLAIN) {
        access->implicit = once_in(3);
    }
    if (access->kind == MODEL_WRITE) {
        access->frame = once_in(3);
    }
    if (access->kind == MODEL_SHADOW_WRITE && access->cpl == 0) {
        access->user_shadow = bits & 16;
    }
}

/* Rights of every entry from the four bits of @rights: P, R/W, U/S, XD. */
static uint64_t entry_with(unsigned rights)
{
    return UINT64_C(0x12345000) | (rights & 7) | (rights & 8 ? BIT(63) : 0);
}

static void random_walk(const struct model_cpu *cpu, struct model_walk *walk)
{
    unsigned leaf = once_in(4) ? 2 + random_below(2) : 1;

    *walk = (struct model_walk){0};
    for (unsigned level = leaf; level <= cpu->levels; level++) {
        uint64_t entry = entry_with(7);
        entry ^= once_in(12) ? BIT(0) : 0;
        entry ^= once_in(6) ? BIT(1) : 0;
        entry ^= once_in(6) ? BIT(2) : 0;
        entry ^= once_in(8) ? BIT(63) : 0;
        entry ^= once_in(24) ? BIT(random_below(63)) : 0;
        entry ^= once_in(4) ? BIT(5) : 0;
        entry ^= once_in(4) ? BIT(6) : 0;
        entry ^= once_in(4) ? (uint64_t)random_below(16) << 59 : 0;
        if (level == leaf && leaf > 1) {
            entry = (entry & ~UINT64_C(0x3fffe000)) | BIT(7);
            entry ^= once_in(4) ? BIT(12 + random_below(18)) : 0;
        }
        walk->entry[level - 1] = entry;
    }
}

static void random_question(struct model_question *question)
{
    static const uint64_t places[] = {
        UINT64_C(0x7ffffffff000),     UINT64_C(0x800000000000),   UINT64_C(0xffff7ffffffff000),
        UINT64_C(0xffff800000000000), UINT64_C(0xfffffffff00000), UINT64_C(0x2a00400000000000),
    };

    random_cpu(&question->cpu);
    random_access(&question->access);
    random_walk(&question->cpu, &question->walk[0]);
    random_walk(&question->cpu, &question->walk[1]);
    question->cr2 = random_bits();
    if (once_in(8)) {
        question->access.address = places[random_below(sizeof places / sizeof *places)];
    }
    if (once_in(4)) {
        question->access.address =
            (question->access.address | 0xfff) - random_below(question->access.bytes + 2);
    }
    if (question->access.kind >= MODEL_SHADOW_READ) {
        question->cpu.cet = question->cpu.wp = true;
        if (once_in(2)) {
            question->walk[0].entry[0] = (question->walk[0].entry[0] & ~BIT(1)) | BIT(6);
        }
    }
}

/*
 * Questions by number, always the same: the examples; P, R/W, U/S and XD of every pair of levels, each
 * by every access, in a state drawn by lot; and a good many drawn altogether.
 */
#define PAIRS     16u /* of 4 levels 6, of 5 levels 10 */
#define ACCESSES  20u
#define PAIRED    (PAIRS * 256u * ACCESSES)
#define DRAWN     60000u
#define QUESTIONS (model_example_count + PAIRED + DRAWN)

static void paired_question(unsigned number, struct model_question *question)
{
    unsigned access = number % ACCESSES, rights = number / ACCESSES % 256;
    unsigned pair = number / ACCESSES / 256, levels = pair < 6 ? 4 : 5, upper = 1, lower = 0;

    pair -= pair < 6 ? 0 : 6;
    for (; pair > 0; pair--) {
        if (++lower == upper) {
            upper++;
            lower = 0;
        }
    }
    random_cpu(&question->cpu);
    question->cpu.levels = (uint8_t)levels;
    question->cpu.lam = 0;
    question->access = (struct model_access){
        .kind = (uint8_t)(access / 2 % 8),
        .cpl = access & 1 ? 3 : 0,
        .address = UINT64_C(0x400000000800),
        .bytes = 8,
    };
    if (access >= 16) {
        question->access.kind = access < 18 ? MODEL_RMW_PLAIN : MODEL_WRITE;
        question->access.implicit = access < 18;
        question->access.frame = access >= 18;
    }
    if (question->access.kind >= MODEL_SHADOW_READ) {
        question->cpu.cet = question->cpu.wp = true;
    }
    question->walk[0] = question->walk[1] = (struct model_walk){0};
    for (unsigned i = 0; i < levels; i++) {
        question->walk[0].entry[i] = entry_with(i == upper   ? rights >> 4
                                                : i == lower ? rights & 15
                                                             : 7);
    }
    question->cr2 = random_bits();
}

static void question_by_number(unsigned number, struct model_question *question)
{
    random_state = (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    (void)random_bits();
    if (number < model_example_count) {
        (void)model_words_question(model_examples[number].question, question);
    } else if (number < model_example_count + PAIRED) {
        paired_question(number - model_example_count, question);
    } else {
        random_question(question);
    }
}

/* ---- mutants --------------------------------------------------------------------------------------- */

static const char *const slip_names[MODEL_SLIPS] = {
    [MODEL_RIGHT] = "right",
    [MODEL_NEGATED] = "negated",
    [MODEL_DROPPED] = "dropped",
    [MODEL_MISPLACED] = "misplaced",
};

static bool slip_exists(const struct model_row *row, unsigned slip)
{
    return slip == MODEL_NEGATED || slip == MODEL_DROPPED ||
           (slip == MODEL_MISPLACED && row->misplaceable);
}

/*
 * What is left to be seen of a row: bit (a * MODEL_SLIPS + b) while no question told slip a from b;
 * MODEL_RIGHT is the right model.
 */
static uint16_t to_be_told[MODEL_ROWS_MAX];

static uint16_t pair_bit(unsigned a, unsigned b)
{
    return (uint16_t)(1u << (a * MODEL_SLIPS + b));
}

static void look_at(const struct model_question *question, unsigned row,
                    const struct model_answer *right)
{
    struct model_answer answer[MODEL_SLIPS];
    uint16_t needed = 0;

    for (unsigned a = 0; a < MODEL_SLIPS; a++) {
        for (unsigned b = a + 1; b < MODEL_SLIPS; b++) {
            if (to_be_told[row] & pair_bit(a, b)) {
                needed |= (uint16_t)(1u << a | 1u << b);
            }
        }
    }
    answer[MODEL_RIGHT] = *right;
    for (uint8_t slip = MODEL_NEGATED; slip < MODEL_SLIPS; slip++) {
        if ((needed >> slip) & 1) {
            struct model_wrong wrong = {.slip = slip, .row = (uint8_t)row};
            model_ask(question, &wrong, &answer[slip]);
        }
    }
    for (unsigned a = 0; a < MODEL_SLIPS; a++) {
        for (unsigned b = a + 1; b < MODEL_SLIPS; b++) {
            if (to_be_told[row] & pair_bit(a, b) && model_differs(&answer[a], &answer[b])) {
                to_be_told[row] &= (uint16_t)~pair_bit(a, b);
            }
        }
    }
}

/* How many slips no question has told from the right model. */
static unsigned slips_unseen(void)
{
    unsigned count = 0;

    for (unsigned row = 0; row < model_row_count; row++) {
        for (unsigned slip = MODEL_NEGATED; slip < MODEL_SLIPS; slip++) {
            count += to_be_told[row] & pair_bit(MODEL_RIGHT, slip) ? 1 : 0;
        }
    }
    return count;
}

/*
 * Each wrong model is another one than the right model, and than the other wrong ones of its row,
 * unless the row says that it is the same as what the row dropped gives.
 */
static void every_slip_shows(void **state)
{
    (void)state;
    unsigned mutants = 0, host_only = 0, same = 0, failures = 0;

    for (unsigned row = 0; row < model_row_count; row++) {
        for (unsigned a = 0; a < MODEL_SLIPS; a++) {
            for (unsigned b = a + 1; b < MODEL_SLIPS; b++) {
                bool there = (a == MODEL_RIGHT || slip_exists(&model_rows[row], a)) &&
                             slip_exists(&model_rows[row], b);
                to_be_told[row] |= there ? pair_bit(a, b) : 0;
            }
        }
    }
    for (unsigned number = 0; number < QUESTIONS; number++) {
        struct model_question question;
        struct model_answer right;

        if (number == model_example_count) {
            assert_int_equal(slips_unseen(), 0); /* the examples alone do */
        }
        question_by_number(number, &question);
        model_ask(&question, NULL, &right);
        for (unsigned row = 0; row < model_row_count; row++) {
            if (to_be_told[row]) {
                look_at(&question, row, &right);
            }
        }
    }
    for (unsigned row = 0; row < model_row_count; row++) {
        const struct model_row *r = &model_rows[row];
        uint16_t expected =
            r->same & 1u << MODEL_NEGATED ? pair_bit(MODEL_NEGATED, MODEL_DROPPED) : 0;
        assert_int_equal(r->same & ~(1u << MODEL_NEGATED), 0);
        for (unsigned slip = MODEL_NEGATED; slip < MODEL_SLIPS; slip++) {
            bool counts = slip_exists(r, slip) && !((r->same >> slip) & 1);
            mutants += counts;
            host_only += counts && r->host_only;
            same += slip_exists(r, slip) && !counts;
        }
        if (to_be_told[row] != expected) {
            for (unsigned a = 0; a < MODEL_SLIPS; a++) {
                for (unsigned b = a + 1; b < MODEL_SLIPS; b++) {
                    if ((to_be_told[row] ^ expected) & pair_bit(a, b)) {
                        print_message("row %s: %s and %s %s\n", r->name, slip_names[a],
                                      slip_names[b],
                                      expected & pair_bit(a, b) ? "differ" : "do not differ");
                    }
                }
            }
            failures++;
        }
    }
    print_message("# %u rows, %u mutants, %u of them of features that no emulator here has; "
                  "%u more are the same as another\n",
                  model_row_count, mutants, host_only, same);
    assert_int_equal(failures, 0);
    assert_true(mutants - host_only >= 80);
}

/* ---- answers --------------------------------------------------------------------------------------- */

static void got_of(const struct model_outcome *outcome, struct model_got *got)
{
    *got =
        (struct model_got){.vector = outcome->vector, .error = outcome->error, .cr2 = outcome->cr2};
    got->walk[0] = outcome->walk[0];
    got->walk[1] = outcome->walk[1];
}

/* Everything that is judged, one bit at a time. */
#define GOT_BITS (16 + 32 + 64 + 4 * 5)
static void flip(struct model_got *got, unsigned bit)
{
    if (bit < 16) {
        got->vector ^= (uint16_t)(1u << bit);
    } else if (bit < 48) {
        got->error ^= 1u << (bit - 16);
    } else if (bit < 112) {
        got->cr2 ^= BIT(bit - 48);
    } else {
        struct model_bits *bits = &got->walk[(bit - 112) / 10];
        uint8_t *byte = (bit - 112) / 5 % 2 ? &bits->dirty : &bits->accessed;
        *byte ^= (uint8_t)(1u << (bit - 112) % 5);
    }
}

static bool judged(const struct model_outcome *outcome, unsigned bit)
{
    struct model_outcome mask = {
        .vector = 0xffff, .error = outcome->error_mask, .cr2 = outcome->cr2_mask};
    struct model_got all;

    for (unsigned i = 0; i < 2; i++) {
        mask.walk[i].accessed = outcome->walk[i].accessed_mask;
        mask.walk[i].dirty = outcome->walk[i].dirty_mask;
    }
    got_of(&mask, &all);
    struct model_got flipped = all;
    flip(&flipped, bit);
    return flipped.vector < all.vector || flipped.error < all.error || flipped.cr2 < all.cr2 ||
           flipped.walk[0].accessed < all.walk[0].accessed ||
           flipped.walk[0].dirty < all.walk[0].dirty ||
           flipped.walk[1].accessed < all.walk[1].accessed ||
           flipped.walk[1].dirty < all.walk[1].dirty;
}

static bool some_outcome_allows(const struct model_answer *answer, const struct model_got *got)
{
    for (unsigned i = 0; i < answer->count; i++) {
        struct model_answer one = {.count = 1, .outcome = {answer->outcome[i]}};
        if (model_allows(&one, got)) {
            return true;
        }
    }
    return false;
}

/* An allowed outcome is allowed; with one judged bit different it is not, unless as another one. */
static void judged_bits_are_judged(void **state)
{
    (void)state;
    for (unsigned i = 0; i < model_example_count; i++) {
        struct model_question question;
        struct model_answer answer;

        ask(model_examples[i].question, &question, &answer);
        for (unsigned j = 0; j < answer.count; j++) {
            struct model_answer one = {.count = 1, .outcome = {answer.outcome[j]}};
            struct model_got got;
            got_of(&answer.outcome[j], &got);
            assert_true(model_allows(&answer, &got));
            got.other_bits = true; /* R5.4 */
            assert_false(model_allows(&answer, &got));
            got.other_bits = false;
            for (unsigned bit = 0; bit < GOT_BITS; bit++) {
                flip(&got, bit);
                if (model_allows(&one, &got) == judged(&answer.outcome[j], bit)) {
                    fail_msg("\"%s\": bit %u", model_examples[i].question, bit);
                }
                assert_int_equal(model_allows(&answer, &got), some_outcome_allows(&answer, &got));
                flip(&got, bit);
            }
        }
    }
}

/* Outcomes over eight bits of got, so that all 256 can be tried. */
static const uint8_t few_bits[8] = {16, 17, 20, 48, 59, 112, 117, 122};

static void few(unsigned value, struct model_got *got)
{
    *got = (struct model_got){.vector = 14};
    for (unsigned i = 0; i < 8; i++) {
        if ((value >> i) & 1) {
            flip(got, few_bits[i]);
        }
    }
}

static void random_outcome(struct model_outcome *outcome)
{
    unsigned value = random_below(256), mask = random_below(256) | random_below(256);
    struct model_got got, all;

    few(value & mask, &got);
    few(mask, &all);
    *outcome = (struct model_outcome){
        .vector = 14,
        .error = got.error,
        .error_mask = all.error,
        .cr2 = got.cr2,
        .cr2_mask = all.cr2,
    };
    for (unsigned i = 0; i < 2; i++) {
        outcome->walk[i] = (struct model_bits){got.walk[i].accessed, all.walk[i].accessed,
                                               got.walk[i].dirty, all.walk[i].dirty};
    }
}

static unsigned allowed_of_few(const struct model_answer *answer, uint8_t allowed[256])
{
    unsigned count = 0;

    for (unsigned value = 0; value < 256; value++) {
        struct model_got got;
        few(value, &got);
        allowed[value] = model_allows(answer, &got);
        count += allowed[value];
    }
    return count;
}

/* model_differs against trying every outcome. */
static void differs_is_exact(void **state)
{
    (void)state;
    unsigned equal = 0;

    random_state = 1;
    for (unsigned i = 0; i < 20000; i++) {
        struct model_answer one = {.count = (uint8_t)(1 + random_below(4))}, other;
        uint8_t allowed[2][256];

        for (unsigned j = 0; j < one.count; j++) {
            random_outcome(&one.outcome[j]);
        }
        /* Rarely the same by chance: so the other is the first one in another order, mostly. */
        other = one;
        if (once_in(4)) {
            random_outcome(&other.outcome[random_below(one.count)]);
        }
        other.outcome[0] = one.outcome[one.count - 1];
        other.outcome[one.count - 1] = one.outcome[0];
        (void)allowed_of_few(&one, allowed[0]);
        (void)allowed_of_few(&other, allowed[1]);
        bool same = !memcmp(allowed[0], allowed[1], 256);
        equal += same;
        assert_int_equal(model_differs(&one, &other), !same);
        assert_int_equal(model_differs(&other, &one), !same);
        assert_false(model_differs(&one, &one));
    }
    assert_in_range(equal, 1000, 19000);
}

/* answer_add allows what it allowed and the new outcome, exactly while there is room, else at least. */
static void adding_loses_nothing(void **state)
{
    (void)state;
    unsigned grown = 0, relaxed = 0;

    random_state = 2;
    for (unsigned i = 0; i < 5000; i++) {
        struct model_answer answer = {0};

        for (unsigned j = 0; j < 8; j++) {
            struct model_answer one = {.count = 1};
            uint8_t before[256], add[256], after[256];
            unsigned had, has, wanted = 0;

            random_outcome(&one.outcome[0]);
            had = allowed_of_few(&answer, before);
            (void)allowed_of_few(&one, add);
            bool news = answer_add(&answer, &one.outcome[0]);
            has = allowed_of_few(&answer, after);
            for (unsigned value = 0; value < 256; value++) {
                assert_true(after[value] || !(before[value] || add[value]));
                wanted += before[value] || add[value];
            }
            assert_true(answer.count <= MODEL_OUTCOMES);
            assert_true(news || has == had);
            if (answer.count < MODEL_OUTCOMES) {
                assert_int_equal(has, wanted);
                assert_int_equal(news, has != had || news);
            }
            grown += news;
            relaxed += has > wanted;
        }
    }
    assert_true(grown > 5000 && relaxed > 0);
}

/* ---- properties of every answer -------------------------------------------------------------------- */

#define SAMPLE 5 /* one question in so many */

static bool outcome_is_tidy(const struct model_outcome *outcome)
{
    uint8_t beyond = 0xe0;

    for (unsigned i = 0; i < 2; i++) {
        if ((outcome->walk[i].accessed_mask | outcome->walk[i].dirty_mask |
             outcome->walk[i].accessed | outcome->walk[i].dirty) &
            beyond) {
            return false;
        }
    }
    if (outcome->vector == MODEL_NO_FAULT || outcome->vector == 12 || outcome->vector == 13) {
        return outcome->error == 0 && outcome->error_mask == UINT32_MAX &&
               outcome->cr2_mask == UINT64_MAX;
    }
    return outcome->vector == 14 && !(outcome->error >> 7) &&
           outcome->error_mask >> 7 == UINT32_MAX >> 7;
}

/* What holds of every answer, whatever the rules are. */
static void answers_are_sound(void **state)
{
    (void)state;
    unsigned faults = 0, most = 0;

    for (unsigned number = 0; number < QUESTIONS; number += SAMPLE) {
        static const struct model_wrong nothing_wrong = {.slip = MODEL_RIGHT};
        struct model_question question;
        struct model_answer answer, again;

        question_by_number(number, &question);
        model_ask(&question, NULL, &answer);
        assert_in_range(answer.count, 1, MODEL_OUTCOMES);
        for (unsigned i = 0; i < answer.count; i++) {
            if (!outcome_is_tidy(&answer.outcome[i])) {
                fail_msg("question %u, outcome %u", number, i);
            }
            /* No bit that was set is cleared (R5.2, R5.3). */
            for (unsigned walk = 0; walk < 2; walk++) {
                const struct model_bits *bits = &answer.outcome[i].walk[walk];
                for (unsigned level = 0; level < MODEL_LEVELS; level++) {
                    uint64_t entry = question.walk[walk].entry[level];
                    bool a = (bits->accessed_mask >> level) & 1 && !((bits->accessed >> level) & 1);
                    bool d = (bits->dirty_mask >> level) & 1 && !((bits->dirty >> level) & 1);
                    assert_false(a && entry & BIT(5));
                    assert_false(d && entry & BIT(6));
                }
            }
        }
        for (unsigned row = 0; row < model_row_count; row++) {
            assert_true(model_rows[row].choice || !((answer.choices >> row) & 1));
        }
        assert_int_equal(answer.choices & ~answer.rules, 0);
        faults += answer.outcome[0].vector != MODEL_NO_FAULT;
        most = answer.count > most ? answer.count : most;

        model_ask(&question, &nothing_wrong, &again);
        assert_false(model_differs(&answer, &again));
        assert_true(answer.rules == again.rules && answer.choices == again.choices);
    }
    assert_in_range(faults, QUESTIONS / SAMPLE / 10, QUESTIONS / SAMPLE * 9 / 10);
    assert_true(most >= 3);
}

/* An entry is asked about its reserved bits only where it can have one: that leaves nothing out. */
static void no_entry_is_passed_over(void **state)
{
    (void)state;
    const struct model_wrong elsewhere = {.slip = MODEL_DROPPED,
                                          .row = (uint8_t)row_by_name("wruss")};

    for (unsigned number = 0; number < QUESTIONS; number += SAMPLE) {
        struct model_question question;
        struct model_answer answer, again;

        question_by_number(number, &question);
        if (!question.access.user_shadow) {
            model_ask(&question, NULL, &answer);
            model_ask(&question, &elsewhere, &again);
            assert_false(model_differs(&answer, &again));
            assert_true(answer.rules == again.rules && answer.choices == again.choices);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(examples_are_answered),
        cmocka_unit_test(examples_show_their_rows),
        cmocka_unit_test(story_is_told),
        cmocka_unit_test(ways_are_told),
        cmocka_unit_test(every_slip_shows),
        cmocka_unit_test(judged_bits_are_judged),
        cmocka_unit_test(differs_is_exact),
        cmocka_unit_test(adding_loses_nothing),
        cmocka_unit_test(answers_are_sound),
        cmocka_unit_test(no_entry_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
