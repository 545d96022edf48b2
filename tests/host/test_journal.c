/*
 * test_journal.c: a journal round trip, its torn tails at every byte, and garbage.
 */
#include "tests/host/report_fixture.h"

#include "tests/harness/journal.h"
#include "tests/harness/record_log.h"

#define PLAN_LEVELS 5u
#define PLAN_CASES  2u

static _Alignas(8) char bytes[1 << 20];
static struct buffer_sink carrier;
static struct journal journal;
static const struct journal_header header = {
    .build_id = {1, 2, 3},
      .planned = 10, .options_hash = 0x1234567890abcdef, .report_number = 3
};

/* The plan: two cases of write_protect at five levels each. */
static bool plan_next(struct check_ref *check)
{
    if (check->level < PLAN_LEVELS) {
        check->level++;
        return true;
    }
    check->level = 1;
    return ++check->test_case < PLAN_CASES;
}

static void begin(enum journal_carrier kind, size_t room_bytes)
{
    memset(bytes, 0xa5, sizeof(bytes));
    buffer_sink_init(&carrier, bytes, sizeof(bytes));
    journal_begin(&journal, &carrier.sink, kind, room_bytes, plan_next, &header);
}

/* The check at @place of the plan: the sixth fails, the eighth is skipped, the rest pass. */
static struct record *planned_record(unsigned place)
{
    struct record *r = place == 7 ? record_start(0, 0, VERDICT_SKIP)
                                  : write_record(place == 5 ? VERDICT_FAIL : VERDICT_PASS);
    if (place == 7)
        r->reason = REASON_PHYSICAL_WIDTH;
    r->check.test_case = (uint16_t)(place / PLAN_LEVELS);
    r->check.level = (uint8_t)(place % PLAN_LEVELS + 1);
    r->rule = check_case(&r->check)->rule;
    return r;
}

static void write_run(unsigned checks)
{
    for (unsigned i = 0; i < checks; i++) {
        if (i % PLAN_LEVELS == 0)
            journal_about(&journal, &planned_record(i)->check);
        journal_check(&journal, planned_record(i));
    }
}

/* What is read back, in order; the number of checks. */
static unsigned read_back(struct journal_reader *reader, bool full_details)
{
    struct journal_entry entry;
    unsigned checks = 0;
    while (journal_read(reader, &entry))
        if (entry.kind == RECORD_HEADER) {
            assert_memory_equal(&entry.header, &header, sizeof(header));
        } else if (entry.kind == RECORD_ABOUT) {
            assert_true(check_ref_equal(&entry.about, &planned_record(checks)->check));
        } else if (entry.kind == RECORD_CHECK) {
            const struct record *wanted = planned_record(checks++);
            assert_true(check_ref_equal(&entry.record->check, &wanted->check));
            assert_int_equal(entry.record->verdict, wanted->verdict);
            assert_int_equal(entry.record->rule, wanted->rule);
            assert_int_equal(entry.record->reason, wanted->reason);
            if (full_details || wanted->verdict == VERDICT_FAIL)
                assert_memory_equal(entry.record, wanted, wanted->bytes);
            else
                assert_int_equal(entry.record->lost, 1);
        }
    return checks;
}

static struct journal_reader reader_of(size_t length)
{
    struct journal_reader reader;
    journal_read_begin(&reader, bytes, length, plan_next);
    return reader;
}

static void a_file_brings_back_every_byte(void **state)
{
    (void)state;
    begin(JOURNAL_FILE, sizeof(bytes));
    write_run(10);
    journal_end(&journal);
    struct journal_reader reader = reader_of(carrier.length);
    assert_int_equal(read_back(&reader, true), 10);
    assert_int_equal(reader.at, carrier.length);
    assert_int_equal(journal.unrecorded, 0);
}

static void a_variable_is_short(void **state)
{
    (void)state;
    begin(JOURNAL_VARIABLE, 32768);
    write_run(10);
    journal_end(&journal);
    struct journal_reader reader = reader_of(carrier.length);
    assert_int_equal(read_back(&reader, false), 10);
    assert_int_equal(reader.at, carrier.length);
    /* One failure in full, the rest in four runs. */
    assert_in_range(carrier.length, 100, planned_record(5)->bytes + 500);

    begin(JOURNAL_FILE, sizeof(bytes));
    write_run(10);
    assert_in_range(carrier.length, 3000, sizeof(bytes));
}

/* Only checks that follow each other in the plan share a run. */
static void a_run_has_no_holes(void **state)
{
    static const unsigned places[] = {0, 1, 3, 4, 9, 2};
    (void)state;
    begin(JOURNAL_VARIABLE, 32768);
    for (unsigned i = 0; i < ARRAY_COUNT(places); i++)
        journal_check(&journal, planned_record(places[i]));
    journal_flush(&journal);
    struct journal_reader reader = reader_of(carrier.length);
    struct journal_entry entry;
    assert_true(journal_read(&reader, &entry));
    for (unsigned i = 0; i < ARRAY_COUNT(places); i++) {
        assert_true(journal_read(&reader, &entry));
        assert_true(check_ref_equal(&entry.record->check, &planned_record(places[i])->check));
    }
    assert_false(journal_read(&reader, &entry));
}

static void about_comes_after_what_ran_before(void **state)
{
    (void)state;
    begin(JOURNAL_VARIABLE, 32768);
    journal_check(&journal, planned_record(0));
    journal_check(&journal, planned_record(1));
    struct check_ref about = planned_record(2)->check;
    about.test_case = JOURNAL_WHOLE_SUITE;
    journal_about(&journal, &about);

    struct journal_reader reader = reader_of(carrier.length);
    struct journal_entry entry;
    enum record_kind kinds[] = {RECORD_HEADER, RECORD_CHECK, RECORD_CHECK, RECORD_ABOUT};
    for (unsigned i = 0; i < 4; i++) {
        assert_true(journal_read(&reader, &entry));
        assert_int_equal(entry.kind, kinds[i]);
    }
    assert_int_equal(entry.about.test_case, JOURNAL_WHOLE_SUITE);
    assert_false(journal_read(&reader, &entry));
}

/* Wherever the bytes end, what is read is a beginning of what was written, and writing can go on.
 */
static void a_torn_tail_is_dropped(void **state)
{
    (void)state;
    for (unsigned kind = JOURNAL_FILE; kind <= JOURNAL_VARIABLE; kind++) {
        begin((enum journal_carrier)kind, sizeof(bytes));
        write_run(10);
        journal_flush(&journal);
        size_t length = carrier.length;
        unsigned before = 0;
        for (size_t cut = 0; cut <= length; cut++) {
            struct journal_reader reader = reader_of(cut);
            unsigned checks = read_back(&reader, kind == JOURNAL_FILE);
            assert_in_range(checks, before, before + 5);
            assert_in_range(cut - reader.at, 0, 2000);
            before = checks;
        }
        assert_int_equal(before, 10);
    }
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    begin(JOURNAL_VARIABLE, sizeof(bytes));
    write_run(6);
    journal_flush(&journal);
    for (size_t bit = 0; bit < carrier.length * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        struct journal_reader reader = reader_of(carrier.length);
        struct journal_entry entry;
        while (journal_read(&reader, &entry))
            ;
        assert_in_range(reader.at, 0, bit / 8);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
}

static void it_goes_on_where_it_was_torn(void **state)
{
    (void)state;
    begin(JOURNAL_FILE, sizeof(bytes));
    write_run(10);
    struct journal_reader reader = reader_of(carrier.length - 7);
    assert_int_equal(read_back(&reader, true), 9);

    carrier.length = reader.at;
    journal_begin(&journal, &carrier.sink, JOURNAL_FILE, 10000, plan_next, NULL);
    journal.sequence = reader.sequence;
    journal_check(&journal, planned_record(9));
    struct journal_reader again = reader_of(carrier.length);
    assert_int_equal(read_back(&again, true), 10);
    assert_int_equal(again.at, carrier.length);
}

/* The end of a longer, older journal behind a new one is not part of it. */
static void leftovers_are_not_read(void **state)
{
    (void)state;
    begin(JOURNAL_FILE, sizeof(bytes));
    for (unsigned i = 0; i < 10; i++)
        journal_check(&journal, planned_record(0));
    size_t old = carrier.length;
    carrier.length = 0;
    journal_begin(&journal, &carrier.sink, JOURNAL_FILE, sizeof(bytes), plan_next, &header);
    journal_flush(&journal);
    struct journal_entry entry;
    /* The old units after the header would follow; a unit left out makes them strangers. */
    memmove(bytes + carrier.length, bytes + carrier.length + planned_record(0)->bytes + 24,
            old - carrier.length - planned_record(0)->bytes - 24);
    struct journal_reader reader = reader_of(old);
    assert_true(journal_read(&reader, &entry));
    assert_false(journal_read(&reader, &entry));
    assert_int_equal(reader.at, carrier.length);
}

static void a_nearly_full_carrier_keeps_the_verdicts(void **state)
{
    (void)state;
    for (size_t room_bytes = 0; room_bytes < 9000; room_bytes += 40) {
        begin(JOURNAL_FILE, room_bytes);
        write_run(10);
        journal_about(&journal, &planned_record(0)->check);
        journal_end(&journal);
        assert_in_range(carrier.length, 0, room_bytes);
        struct journal_reader reader = reader_of(carrier.length);
        struct journal_entry entry;
        unsigned checks = 0, ends = 0;
        while (journal_read(&reader, &entry)) {
            checks += entry.kind == RECORD_CHECK;
            ends += entry.kind == RECORD_END;
        }
        assert_int_equal(checks + journal.unrecorded, 10);
        if (room_bytes >= 1000) {
            assert_int_equal(checks, 10);
            assert_int_equal(ends, 1);
        }
    }
}

static void no_carrier_takes_nothing(void **state)
{
    (void)state;
    begin(JOURNAL_NONE, sizeof(bytes));
    write_run(10);
    journal_end(&journal);
    assert_int_equal(carrier.length, 0);
    assert_int_equal(journal.unrecorded, 10);
}

static void records_are_checked_before_use(void **state)
{
    (void)state;
    struct record *r = oops_record();
    assert_true(record_valid(r, r->bytes));
    assert_false(record_valid(r, r->bytes - 8));
    assert_false(record_valid(r, 0));
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        r = oops_record();                                                                         \
        struct oops *oops = (struct oops *)&r->comparison[r->comparisons];                         \
        (void)oops;                                                                                \
        size_t length = r->bytes;                                                                  \
        change;                                                                                    \
        assert_false(record_valid(r, length));                                                     \
    } while (0)
    REFUSED(r->kind = 0);
    REFUSED(r->kind = RECORD_DIED + 1);
    REFUSED(r->verdict = VERDICT_COUNT);
    REFUSED(r->rule = RULE_COUNT);
    REFUSED(r->reason = REASON_COUNT);
    REFUSED(r->check.level = 6);
    REFUSED(r->check.size = 7);
    REFUSED(r->check.ring = 3);
    REFUSED(r->comparisons++);
    REFUSED(r->has_oops = 0);
    REFUSED(r->has_oops = 2);
    REFUSED(r->comparison[0].field = FIELD_COUNT);
    REFUSED((r->scene.present = 1, r->scene.levels = 6, r->scene.leaf = 1));
    REFUSED((r->scene.present = 1, r->scene.levels = 4, r->scene.leaf = 0));
    REFUSED(oops->code_count = OOPS_CODE + 1);
    REFUSED(oops->trace_count = OOPS_TRACE + 1);
    REFUSED(oops->cr2_walk.levels = 6);
    REFUSED(oops->reason = OOPS_REASON_COUNT);
}

#define REFUSED_POINT(change)                                                                      \
    do {                                                                                           \
        r = fold_record(VERDICT_FAIL);                                                             \
        struct annex_point *point = (struct annex_point *)(uintptr_t)record_point(r);              \
        (void)point;                                                                               \
        size_t length = r->bytes;                                                                  \
        change;                                                                                    \
        assert_false(record_valid(r, length));                                                     \
    } while (0)

#define REFUSED_PROGRAM(change)                                                                    \
    do {                                                                                           \
        r = program_record(VERDICT_FAIL);                                                          \
        struct annex_program *program = (struct annex_program *)(uintptr_t)record_program(r);      \
        struct maps_row *row = &program->maps.row[1];                                              \
        (void)row;                                                                                 \
        change;                                                                                    \
        assert_false(record_valid(r, r->bytes));                                                   \
    } while (0)

static void annexes_of_programs_are_checked_before_use(void **state)
{
    (void)state;
    struct record *r = program_record(VERDICT_FAIL);
    assert_true(record_valid(r, r->bytes));
    REFUSED_PROGRAM(memset(program->expected, 'x', PROGRAM_LINE));
    REFUSED_PROGRAM(memset(program->got, 'x', PROGRAM_LINE));
    REFUSED_PROGRAM(memset(program->culprit, 'x', sizeof(program->culprit)));
    REFUSED_PROGRAM(program->unknown_count = PROGRAM_UNKNOWNS + 1);
    REFUSED_PROGRAM(program->maps.rows = MAPS_ROWS + 1);
    REFUSED_PROGRAM(row->cells = MAPS_CELLS + 1);
    REFUSED_PROGRAM(row->strip[0] = LOOKS);
    REFUSED_PROGRAM(row->end = row->start - 1);
    REFUSED_PROGRAM(memset(row->name, 'x', MAPS_NAME));
}

static void annexes_are_checked_before_use(void **state)
{
    (void)state;
    struct record *r = fold_record(VERDICT_FAIL);
    assert_true(record_valid(r, r->bytes));
    assert_true(record_point(r)->points == 123456);
    assert_null(record_part(r));
    REFUSED_POINT(r->annex = ANNEX_NONE);
    REFUSED_POINT(r->annex = ANNEX_PART);
    REFUSED_POINT(r->annex = ANNEX_COUNT);
    REFUSED_POINT(r->annex = 0xff);
    REFUSED_POINT(point->point.value[AXIS_WP] = 2);
    REFUSED_POINT(point->point.value[AXIS_ACCESS] = MATRIX_ACCESS_COUNT);
    REFUSED_POINT(point->where.value[AXIS_COUNT + DERIVED_WALK] = 4);
    REFUSED_POINT(point->where.value[AXIS_COUNT + DERIVED_WALK] = 0xfe);
    REFUSED_POINT(point->where.value[0] = 9);
    REFUSED_POINT(point->levels = 6);
    REFUSED_POINT(point->levels = 3);
    REFUSED_POINT(point->leaf = 0);
    REFUSED_POINT(point->leaf = 4);
    REFUSED_POINT(point->outcomes = 5);
    REFUSED_POINT(point->outcomes = 0);
    REFUSED_POINT(point->nearest = 2);
    REFUSED_POINT(point->first = 2);
    r = fold_record(VERDICT_FAIL);
    struct annex_point *point = (struct annex_point *)(uintptr_t)record_point(r);
    point->flags = 0; /* of what never ran only the point counts */
    point->levels = point->outcomes = 0;
    assert_true(record_valid(r, r->bytes));

    r = part_record(VERDICT_PASS, 0);
    assert_true(record_valid(r, r->bytes));
    assert_true(record_part(r)->run == 72123);
    r = rules_record(VERDICT_PASS);
    assert_true(record_valid(r, r->bytes));
    assert_true(record_rules(r)->count[1] == 4711);
}

/* An oops and an annex in one record, each found. */
static void an_annex_follows_the_oops(void **state)
{
    (void)state;
    struct annex_part part = {.run = 99};
    struct record *r = oops_record();
    add_annex(r, ANNEX_PART, &part);
    assert_true(record_valid(r, r->bytes));
    assert_int_equal(record_oops(r)->reason, OOPS_NO_FIXUP);
    assert_true(record_part(r)->run == 99);
}

/* On a small carrier, too, the matrix keeps what its records are. */
static void the_matrix_keeps_its_details(void **state)
{
    static union room kept[4];
    (void)state;
    begin(JOURNAL_VARIABLE, 32768);
    journal_check(&journal, part_record(VERDICT_PASS, 0));
    memcpy(&kept[0], &room, room.record.bytes);
    journal_check(&journal, fold_record(VERDICT_KNOWN));
    memcpy(&kept[1], &room, room.record.bytes);
    journal_died(&journal, &kept[0].record.check);
    struct journal_reader reader = reader_of(carrier.length);
    struct journal_entry entry;
    assert_true(journal_read(&reader, &entry));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(journal_read(&reader, &entry));
        assert_int_equal(entry.kind, RECORD_CHECK);
        assert_memory_equal(entry.record, &kept[i], kept[i].record.bytes);
    }
    assert_true(journal_read(&reader, &entry));
    assert_int_equal(entry.kind, RECORD_DIED);
    assert_true(check_ref_equal(&entry.about, &kept[0].record.check));
    assert_false(journal_read(&reader, &entry));
    assert_int_equal(reader.at, carrier.length);
}

static void the_log_finds_the_newest(void **state)
{
    struct record_log log;
    (void)state;
    record_log_init(&log, log_memory, sizeof(log_memory));
    assert_null(record_log_next(&log, NULL));
    for (unsigned i = 0; i < 10; i++)
        assert_true(record_log_append(&log, planned_record(i)));
    assert_true(record_log_append(&log, planned_record(3)));
    unsigned count = 0;
    for (const struct record *r = record_log_next(&log, NULL); r; r = record_log_next(&log, r))
        count++;
    assert_int_equal(count, 11);
    assert_int_equal(log.totals[VERDICT_PASS], 9);
    assert_int_equal(log.totals[VERDICT_FAIL], 1);
    assert_int_equal(log.suite_totals[0][VERDICT_SKIP], 1);
    const struct record *found = record_log_find(&log, &planned_record(3)->check);
    assert_non_null(found);
    assert_null(record_log_next(&log, found));
    struct check_ref stranger = planned_record(3)->check;
    stranger.suite = 2;
    assert_null(record_log_find(&log, &stranger));
}

static void hashes_are_the_published_ones(void **state)
{
    (void)state;
    assert_int_equal(journal_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(journal_crc32(journal_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_true(journal_hash(0, "foobar", 6) == 0x85944171f73967e8);
    assert_true(journal_hash(journal_hash(0, "foo", 3), "bar", 3) == 0x85944171f73967e8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_brings_back_every_byte),
        cmocka_unit_test(a_variable_is_short),
        cmocka_unit_test(a_run_has_no_holes),
        cmocka_unit_test(about_comes_after_what_ran_before),
        cmocka_unit_test(a_torn_tail_is_dropped),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(it_goes_on_where_it_was_torn),
        cmocka_unit_test(leftovers_are_not_read),
        cmocka_unit_test(a_nearly_full_carrier_keeps_the_verdicts),
        cmocka_unit_test(no_carrier_takes_nothing),
        cmocka_unit_test(records_are_checked_before_use),
        cmocka_unit_test(annexes_are_checked_before_use),
        cmocka_unit_test(annexes_of_programs_are_checked_before_use),
        cmocka_unit_test(an_annex_follows_the_oops),
        cmocka_unit_test(the_matrix_keeps_its_details),
        cmocka_unit_test(the_log_finds_the_newest),
        cmocka_unit_test(hashes_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
