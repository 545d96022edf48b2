/*
 * test_baseline.c: what is written as a baseline is accepted later, and nothing else is.
 */
#include "tests/host/report_fixture.h"

#include "tests/harness/annex.h"
#include "tests/harness/baseline.h"

static char text[4096];
static struct buffer_sink out;

/* A baseline of @records, NULL-ended; it stays in @text. */
static void write_baseline(const struct record *const *records)
{
    char id[CHECK_ID_TEXT];

    buffer_sink_init(&out, text, sizeof(text) - 1);
    baseline_begin(&out.sink);
    for (; *records; records++) {
        record_id(*records, id);
        baseline_record(&out.sink, *records, id);
    }
    baseline_end(&out.sink);
    text[out.length] = '\0';
}

static bool accepts(const struct record *record)
{
    char id[CHECK_ID_TEXT];

    record_id(record, id);
    return baseline_accepts(record, id);
}

static void read_text(const char *from)
{
    const char *problem = baseline_read(from, strlen(from));

    if (problem) {
        fail_msg("%s: %s", problem, from);
    }
}

/* A failing write, the @number-th of its kind. */
static const struct record *failure(unsigned number)
{
    static union room rooms[8];
    struct record *record = write_record(VERDICT_FAIL);

    record->check.level = (uint8_t)(number + 1);
    memcpy(&rooms[number], record, record->bytes);
    return &rooms[number].record;
}

static void what_failed_is_accepted_once_listed(void **state)
{
    (void)state;
    const struct record *const records[] = {failure(0), failure(1), failure(3), NULL};
    write_baseline(records);
    baseline_none();
    assert_false(accepts(failure(0)));
    read_text(text);
    /* In any order, again and again. */
    static const unsigned order[] = {3, 0, 1, 0, 3};
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        assert_true(accepts(failure(order[i])));
    }
    assert_false(accepts(failure(2)));
    assert_true(accepts(failure(1)));
}

static void another_difference_is_news(void **state)
{
    (void)state;
    const struct record *const records[] = {failure(0), NULL};
    write_baseline(records);
    read_text(text);
    struct record *record = write_record(VERDICT_FAIL);
    assert_true(accepts(record));
    record->comparison[2].got ^= 0x1000; /* CR2, too */
    assert_false(accepts(record));
    record = write_record(VERDICT_FAIL);
    record->comparison[3].got ^= PTE_G; /* another bit of the PTE */
    assert_false(accepts(record));
    record = write_record(VERDICT_FAIL);
    record->comparison[3].expected ^= PTE_A; /* a bit that nobody looks at */
    assert_true(accepts(record));
}

static void only_failures_are_written(void **state)
{
    (void)state;
    struct record *known = known_record();
    const struct record *const records[] = {known, NULL};
    write_baseline(records);
    assert_string_equal(text, "faultline baseline 1 " VERSION "\nend\n");
    known->deviation = DEVIATION_BASELINE; /* it stays on the list of the next run */
    write_baseline(records);
    assert_non_null(strstr(text, "\ncheck reserved.bit_faults/4k.l1.user "));
    static const enum verdict others[] = {VERDICT_PASS, VERDICT_SKIP, VERDICT_ERROR};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        const struct record *const one[] = {write_record(others[i]), NULL};
        write_baseline(one);
        assert_string_equal(text, "faultline baseline 1 " VERSION "\nend\n");
    }
}

/* ---- folds ----------------------------------------------------------------------------------------- */

static const struct symptom no_p = {
    .vector_expected = VECTOR_PF, .vector_got = VECTOR_PF, .error_differs = 1};

static struct record *fold_of(const char *where)
{
    struct record *record = fold_record(VERDICT_FAIL);
    struct annex_point *fold = (struct annex_point *)(uintptr_t)record_point(record);

    assert_true(conjunction_parse(where, strlen(where), &fold->where));
    annex_symptom_from(&no_p, &fold->symptom);
    return record;
}

static bool accepts_fold(const struct symptom *symptom, const char *where)
{
    struct conjunction conjunction;

    assert_true(conjunction_parse(where, strlen(where), &conjunction));
    return baseline_accepts_fold(symptom, &conjunction);
}

static void folds_within_a_listed_one_are_accepted(void **state)
{
    (void)state;
    const struct record *const records[] = {fold_of("walk=reserved"), NULL};
    write_baseline(records);
    assert_non_null(strstr(text, "\nfold walk=reserved 14:14 1:0 0\n"));
    read_text(text);
    assert_true(accepts_fold(&no_p, "walk=reserved"));
    assert_true(accepts_fold(&no_p, "nxe=0,walk=reserved"));
    assert_false(accepts_fold(&no_p, "walk=absent"));
    assert_false(accepts_fold(&no_p, "everything"));
    struct symptom other = no_p;
    other.a_extra = true;
    assert_false(accepts_fold(&other, "walk=reserved"));
    /* The record of a fold is accepted by its fold, never by its witness' id. */
    assert_false(accepts(fold_of("walk=reserved")));

    uint8_t values[FOLD_AXES] = {0};
    values[AXIS_COUNT + DERIVED_WALK] = MODEL_RESERVED;
    assert_true(baseline_accepts_point(&no_p, values));
    assert_false(baseline_accepts_point(&other, values));
    values[AXIS_COUNT + DERIVED_WALK] = MODEL_ABSENT;
    assert_false(baseline_accepts_point(&no_p, values));
    baseline_none();
    assert_false(accepts_fold(&no_p, "walk=reserved"));
}

static void all_of_a_symptom_is_kept(void **state)
{
    (void)state;
    struct symptom every = {.vector_expected = VECTOR_PF,
                            .vector_got = VECTOR_NONE,
                            .error_differs = 0x25,
                            .error_got = 0x21,
                            .cr2_differs = true,
                            .other_bits = true,
                            .rip = true,
                            .memory = true,
                            .a_missing = true,
                            .a_extra = true,
                            .d_missing = true,
                            .d_extra = true};
    struct record *record = fold_of("everything");
    annex_symptom_from(&every, &((struct annex_point *)(uintptr_t)record_point(record))->symptom);
    const struct record *const records[] = {record, NULL};
    write_baseline(records);
    read_text(text);
    assert_true(accepts_fold(&every, "everything"));
    bool *const flags[] = {&every.cr2_differs, &every.other_bits, &every.rip,       &every.memory,
                           &every.a_missing,   &every.a_extra,    &every.d_missing, &every.d_extra};
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        *flags[i] = false;
        assert_false(accepts_fold(&every, "everything"));
        *flags[i] = true;
    }
    every.error_got = 0x20;
    assert_false(accepts_fold(&every, "everything"));
}

static void a_point_alone_is_accepted_by_its_id(void **state)
{
    (void)state;
    const struct record *const records[] = {point_record(VERDICT_FAIL), NULL};
    write_baseline(records);
    assert_non_null(strstr(text, "\ncheck matrix:"));
    read_text(text);
    assert_true(accepts(point_record(VERDICT_FAIL)));
}

/* ---- what cannot be read --------------------------------------------------------------------------- */

#define HEAD "faultline baseline 1 " VERSION "\n"

static void bad_files_are_named(void **state)
{
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"",                                                   "is no baseline"                             },
        {"{\"schema\": \"faultline-report\"}",                 "is no baseline"                             },
        {"faultline baseline \nend\n",                         "is no baseline"                             },
        {"faultline baseline 2 " VERSION "\nend\n",            "was written by another version of Faultline"},
        {"faultline baseline 1 " VERSION ".1\nend\n",
         "was written by another version of Faultline"                                                      },
        {"faultline baseline 1 99.0\nend\n",                   "was written by another version of Faultline"},
        {HEAD,                                                 "is not whole: it lacks its last line"       },
        {HEAD "check a.b 0123456789abcdef\n",                  "is not whole: it lacks its last line"       },
        {HEAD "check a.b 0123456789abcde\nend\n",              "has a damaged line"                         },
        {HEAD "check a.b 0123456789abcdefg\nend\n",            "has a damaged line"                         },
        {HEAD "check  0123456789abcdef\nend\n",                "has a damaged line"                         },
        {HEAD "chick a.b 0123456789abcdef\nend\n",             "has a damaged line"                         },
        {HEAD "fold walk=reserved 14:14 1:0\nend\n",           "has a damaged line"                         },
        {HEAD "fold walk=reserved 14:14 1:0 0 \nend\n",        "has a damaged line"                         },
        {HEAD "fold walk=nothing 14:14 1:0 0\nend\n",          "has a damaged line"                         },
        {HEAD "fold walk=reserved 14:99999 1:0 0\nend\n",      "has a damaged line"                         },
        {HEAD "fold walk=reserved 14:14 100000000:0 0\nend\n", "has a damaged line"                         },
        {HEAD "endless\n",                                     "has a damaged line"                         },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *problem = baseline_read(rows[i].text, strlen(rows[i].text));
        if (!problem || strcmp(problem, rows[i].problem) != 0) {
            fail_msg("%s\n%s instead of %s", rows[i].text, problem, rows[i].problem);
        }
        assert_false(accepts(failure(0)));
    }
}

static void too_many_folds_are_refused(void **state)
{
    static char many[BASELINE_FOLDS * 40];
    (void)state;
    int length = snprintf(many, sizeof(many), HEAD);
    for (unsigned i = 0; i < BASELINE_FOLDS; i++) {
        length +=
            snprintf(many + length, sizeof(many) - (size_t)length, "fold nxe=0 14:14 1:0 0\n");
    }
    snprintf(many + length, sizeof(many) - (size_t)length, "end\n");
    read_text(many);
    snprintf(many + length, sizeof(many) - (size_t)length, "fold nxe=0 14:14 1:0 0\nend\n");
    assert_string_equal(baseline_read(many, strlen(many)), "lists too many folds");
}

/* An editor's line ends, remarks, and what stands behind the end. */
static void people_may_edit_it(void **state)
{
    (void)state;
    const struct record *const records[] = {failure(0), NULL};
    char edited[4096];
    write_baseline(records);
    char *line = strstr(text, "check ");
    snprintf(edited, sizeof(edited), "%s\r\n# known since spring\r\n\r\n%.*s\r\nend\r\nanything",
             "faultline baseline 1 " VERSION, (int)strcspn(line, "\n"), line);
    read_text(edited);
    assert_true(accepts(failure(0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_is_accepted_once_listed),
        cmocka_unit_test(another_difference_is_news),
        cmocka_unit_test(only_failures_are_written),
        cmocka_unit_test(folds_within_a_listed_one_are_accepted),
        cmocka_unit_test(all_of_a_symptom_is_kept),
        cmocka_unit_test(a_point_alone_is_accepted_by_its_id),
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(too_many_folds_are_refused),
        cmocka_unit_test(people_may_edit_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
