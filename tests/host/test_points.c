/*
 * test_points.c: the axes of the matrix, the ids of points, and what a point is in memory. Entries and
 * addresses are written out by hand from the manuals' pictures.
 */
#include "unit.h"

#include "tests/matrix/point.h"

/* ---- machines -------------------------------------------------------------------------------------- */

static const struct machine everything = {
    .vendor = VENDOR_INTEL, .physical_bits = 40, .levels = 4, .features = ~UINT64_C(0)};
static const struct machine nothing = {.vendor = VENDOR_AMD, .physical_bits = 52, .levels = 4};

static const struct point_ground ground = {
    .table = {{0x1001000, 0x1002000, 0x1003000, 0x1004000, 0},
              {0x1005000, 0x1006000, 0x1007000, 0x1008000, 0}           },
    .frame = {0x17ff000,                                       0x1a00000},
};

static uint64_t dice_state;
static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(dice_state >> 33) % sides;
}

/* A legal point; fails when some axis has no value left. */
static void random_point(const struct space *space, struct point *point)
{
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        uint8_t allowed[256];
        unsigned count = 0;
        for (unsigned value = 0; value < axis_values(axis); value++) {
            if (space->allows(space, point->value, axis, value)) {
                allowed[count++] = (uint8_t)value;
            }
        }
        assert_int_not_equal(count, 0);
        point->value[axis] = allowed[dice(count)];
    }
}

static struct point parse(const char *text)
{
    struct point point;
    const char *word;
    unsigned length;
    const char *problem = point_parse(text, NULL, &point, &word, &length);

    if (problem) {
        fail_msg("%s: %.*s %s", text, (int)length, word, problem);
    }
    return point;
}

/* ---- ids ------------------------------------------------------------------------------------------- */

static void the_default_point_has_a_name(void **state)
{
    char text[POINT_TEXT];
    struct point point = parse("matrix:default");

    (void)state;
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        assert_int_equal(point.value[axis], 0);
    }
    point_text(&point, text);
    assert_string_equal(text, "matrix:default");
}

static void an_id_names_what_differs_in_the_order_of_the_axes(void **state)
{
    char text[POINT_TEXT];
    struct point point = parse("matrix:wp=0,pte.rw=0,access=write,ring=0");

    (void)state;
    assert_int_equal(point.value[AXIS_ACCESS], MATRIX_WRITE);
    assert_int_equal(point.value[axis_of_entry(1, ENTRY_RW)], 1);
    point_text(&point, text);
    assert_string_equal(text, "matrix:access=write,ring=0,pte.rw=0,wp=0");
}

static void every_point_reads_back_from_its_id(void **state)
{
    const struct machine *const machines[] = {&everything, &nothing, NULL};
    char text[POINT_TEXT];

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(machines); i++) {
        struct space space = axes_space(machines[i]);
        for (unsigned round = 0; round < 3000; round++) {
            struct point point, back;
            const char *word;
            unsigned length;
            random_point(&space, &point);
            assert_true(space_legal(&space, point.value));
            point_text(&point, text);
            assert_null(point_parse(text, machines[i], &back, &word, &length));
            assert_memory_equal(&point, &back, sizeof(point));
        }
    }
}

static void what_is_no_id_is_named(void **state)
{
    static const struct {
        const char *text, *word, *problem;
    } bad[] = {
        {"",                           "",                   "is no point of the matrix"                   },
        {"matri",                      "matri",              "is no point of the matrix"                   },
        {"matrix.pairs",               "matrix.pairs",       "is no point of the matrix"                   },
        {"matrix:",                    "",                   "names no axis of the matrix"                 },
        {"matrix:wp=0,,ac=1",          "",                   "names no axis of the matrix"                 },
        {"matrix:wp=0,",               "",                   "names no axis of the matrix"                 },
        {"matrix:default,wp=0",        "default",            "names no axis of the matrix"                 },
        {"matrix:pte.q=0",             "pte.q=0",            "names no axis of the matrix"                 },
        {"matrix:wp",                  "wp",                 "has a value that its axis does not"          },
        {"matrix:wp=",                 "wp=",                "has a value that its axis does not"          },
        {"matrix:wp=2",                "wp=2",               "has a value that its axis does not"          },
        {"matrix:wp=01",               "wp=01",              "has a value that its axis does not"          },
        {"matrix:wp=0,wp=1",           "wp=1",               "names an axis twice"                         },
        {"matrix:size=2m,pte.p=0",     "pte.p=0",            "does not go together with the axes before it"},
        {"matrix:pml5e.p=0",           "pml5e.p=0",          "does not go together with the axes before it"},
        {"matrix:size=1g,place=both",  "place=both",         "does not go together with the axes before it"},
        {"matrix:rbit=50",             "rbit=50",            "does not go together with the axes before it"},
        {"matrix:rsvd=pte,rbit=7",     "rbit=7",             "does not go together with the axes before it"},
        {"matrix:wp=0,cet=1",          "cet=1",              "does not go together with the axes before it"},
        {"matrix:access=push,width=4", "width=4",            "does not go together with the axes before it"},
        {"matrix:place=both,width=1",  "width=1",            "does not go together with the axes before it"},
        {"matrix:access=wrss",         "matrix:access=wrss",
         "does not go together with the axes before it"                                                    },
        {"matrix:pkrs=ad",             "pkrs=ad",            "does not go together with the axes before it"},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(bad); i++) {
        struct point point;
        const char *word;
        unsigned length;
        const char *problem = point_parse(bad[i].text, NULL, &point, &word, &length);
        if (!problem) {
            fail_msg("%s is taken for a point", bad[i].text);
        }
        assert_string_equal(problem, bad[i].problem);
        assert_int_equal(length, strlen(bad[i].word));
        assert_memory_equal(word, bad[i].word, length);
    }
}

static void what_this_machine_cannot_have_is_told_from_what_it_lacks(void **state)
{
    struct point point;
    const char *word;
    unsigned length;

    (void)state;
    /* 40 physical bits: bit 39 is an address bit. */
    assert_string_equal(point_parse("matrix:rsvd=pte,rbit=39", &everything, &point, &word, &length),
                        "is nothing that this machine can have");
    assert_memory_equal(word, "rbit=39", length);
    /* A missing feature is no mistake: the check is skipped by name. */
    assert_null(point_parse("matrix:levels=5", &nothing, &point, &word, &length));
    assert_int_equal(axis_missing(AXIS_LEVELS, LEVELS_IS_5, &nothing), FEATURE_LA57 + 1);
}

/* ---- the space ------------------------------------------------------------------------------------- */

static void every_value_has_a_legal_point(void **state)
{
    struct space space = axes_space(NULL);
    static bool seen[AXIS_COUNT][256];

    (void)state;
    dice_state = 7;
    for (unsigned round = 0; round < 60000; round++) {
        struct point point;
        random_point(&space, &point);
        for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
            seen[axis][point.value[axis]] = true;
        }
    }
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        for (unsigned value = 0; value < axis_values(axis); value++) {
            if (!seen[axis][value]) {
                fail_msg("%s=%s is never legal", axis_name(axis), axis_value(axis, value));
            }
        }
    }
}

static void a_machine_that_lacks_a_feature_has_no_point_with_it(void **state)
{
    static const struct {
        unsigned axis, value, feature;
    } needs[] = {
        {AXIS_LEVELS, LEVELS_IS_5,    FEATURE_LA57    },
        {AXIS_SIZE,   SIZE_IS_1G,     FEATURE_GB_PAGES},
        {AXIS_NXE,    0,              FEATURE_NX      },
        {AXIS_SMEP,   1,              FEATURE_SMEP    },
        {AXIS_SMAP,   1,              FEATURE_SMAP    },
        {AXIS_PKE,    1,              FEATURE_PKU     },
        {AXIS_PKRU,   KEY_AD,         FEATURE_PKU     },
        {AXIS_PKS,    1,              FEATURE_PKS     },
        {AXIS_PKRS,   KEY_AD,         FEATURE_PKS     },
        {AXIS_CET,    1,              FEATURE_CET_SS  },
        {AXIS_LAM,    1,              FEATURE_LAM     },
        {AXIS_WIDTH,  WIDTH_IS_32,    FEATURE_AVX     },
        {AXIS_WIDTH,  WIDTH_IS_64,    FEATURE_AVX512F },
        {AXIS_ACCESS, MATRIX_CLFLUSH, FEATURE_CLFSH   },
        {AXIS_ACCESS, MATRIX_CLWB,    FEATURE_CLWB    },
        {AXIS_ACCESS, MATRIX_WRSS,    FEATURE_CET_SS  },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(needs); i++) {
        struct machine without = everything;
        without.features &= ~BIT(needs[i].feature);
        assert_int_equal(axis_missing(needs[i].axis, needs[i].value, &without),
                         needs[i].feature + 1);
        assert_int_equal(axis_missing(needs[i].axis, needs[i].value, &everything), 0);
        struct space space = axes_space(&without);
        for (unsigned round = 0; round < 300; round++) {
            struct point point;
            random_point(&space, &point);
            assert_int_not_equal(point.value[needs[i].axis], needs[i].value);
        }
    }
}

static void reserved_bits_follow_level_size_and_machine(void **state)
{
    static const struct {
        const char *point;
        bool everything, nothing; /* legal there? */
    } cases[] = {
        {"matrix:rsvd=pte",                   true,  false}, /* bit 51; 52 bits leave nothing */
        {"matrix:rsvd=pml4e,rbit=40",         true,  false}, /* the first one above 40 bits */
        {"matrix:rsvd=pml4e,rbit=39",         false, false},
        {"matrix:rsvd=pml4e,rbit=7",          true,  true },
        {"matrix:rsvd=pml4e,rbit=8",          true,  true },
        {"matrix:rsvd=pdpte,rbit=7",          false, true }, /* reserved without 1-GiB pages alone */
        {"matrix:size=2m,rsvd=pde,rbit=13",   true,  true },
        {"matrix:size=2m,rsvd=pde,rbit=20",   true,  true },
        {"matrix:size=1g,rsvd=pdpte,rbit=29", true,  false}, /* no 1-GiB pages */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        struct point point = parse(cases[i].point);
        struct machine no_nx = nothing;
        no_nx.features |= BIT(FEATURE_NX);
        struct space rich = axes_space(&everything), poor = axes_space(&no_nx);
        assert_int_equal(space_legal(&rich, point.value), cases[i].everything);
        assert_int_equal(space_legal(&poor, point.value), cases[i].nothing);
    }
}

/* ---- entries and addresses ------------------------------------------------------------------------- */

static struct point_scene scene_of(const char *text)
{
    struct point_scene scene;
    struct point point = parse(text);

    point_scene(&point, &ground, &scene);
    return scene;
}

static void the_default_walk_allows_everything(void **state)
{
    struct point_scene scene = scene_of("matrix:default");
    const pte_t walk[] = {0x17ff007, 0x1001007, 0x1002007, 0x1003007, 0};

    (void)state;
    assert_memory_equal(scene.entry[0], walk, sizeof(walk));
    assert_int_equal(scene.page[0], 0x407ffffff000);
    assert_int_equal(scene.page[1], 0x408000000000);
    assert_int_equal(scene.address, 0x407ffffff800);
    assert_int_equal(scene.bytes, 8);
    assert_true(scene.used[0] && !scene.used[1] && scene.first == 0);
}

static void each_axis_sets_its_bit(void **state)
{
    static const struct {
        const char *point;
        unsigned level;
        pte_t entry;
    } cases[] = {
        {"matrix:pte.p=0",                    1, 0x17ff006         },
        {"matrix:pte.rw=0",                   1, 0x17ff005         },
        {"matrix:pte.us=0",                   1, 0x17ff003         },
        {"matrix:pte.xd=1",                   1, 0x80000000017ff007},
        {"matrix:pte.a=1",                    1, 0x17ff027         },
        {"matrix:d=1",                        1, 0x17ff047         },
        {"matrix:g=1",                        1, 0x17ff107         },
        {"matrix:pat=1",                      1, 0x17ff087         },
        {"matrix:key=15",                     1, 0x78000000017ff007},
        {"matrix:key=15",                     2, 0x1001007         },
        {"matrix:cache=pcd",                  3, 0x1002017         },
        {"matrix:cache=pwt",                  1, 0x17ff00f         },
        {"matrix:pde.rw=0",                   2, 0x1001005         },
        {"matrix:pdpte.us=0",                 3, 0x1002003         },
        {"matrix:pml4e.xd=1",                 4, 0x8000000001003007},
        {"matrix:levels=5,pml5e.p=0",         5, 0x1004006         },
        {"matrix:size=2m",                    2, 0x1600087         },
        {"matrix:size=2m,pat=1",              2, 0x1601087         },
        {"matrix:size=2m,d=1",                2, 0x16000c7         },
        {"matrix:size=1g",                    3, 0x87              },
        {"matrix:rsvd=pte",                   1, 0x80000017ff007   },
        {"matrix:rsvd=pde,rbit=45",           2, 0x200001001007    },
        {"matrix:rsvd=pml4e,rbit=7",          4, 0x1003087         },
        {"matrix:rsvd=pml4e,rbit=8",          4, 0x1003107         },
        {"matrix:size=2m,rsvd=pde,rbit=13",   2, 0x1602087         },
        {"matrix:size=1g,rsvd=pdpte,rbit=29", 3, 0x20000087        },
        {"matrix:ignored=6",                  1, 0x17ff007         },
        {"matrix:ignored=6",                  2, 0x1001047         },
        {"matrix:ignored=8",                  1, 0x17ff007         },
        {"matrix:ignored=8",                  3, 0x1002107         },
        {"matrix:ignored=8",                  4, 0x1003007         },
        {"matrix:ignored=9",                  1, 0x17ff207         },
        {"matrix:ignored=58",                 1, 0x4000000017ff007 },
        {"matrix:ignored=59",                 1, 0x17ff007         },
        {"matrix:ignored=59",                 4, 0x800000001003007 },
        {"matrix:upperkey=3",                 1, 0x17ff007         },
        {"matrix:upperkey=3",                 2, 0x1800000001001007},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        struct point_scene scene = scene_of(cases[i].point);
        if (scene.entry[0][cases[i].level - 1] != cases[i].entry) {
            fail_msg("%s: level %u is %llx", cases[i].point, cases[i].level,
                     (unsigned long long)scene.entry[0][cases[i].level - 1]);
        }
    }
}

static void places_and_accesses_have_their_addresses(void **state)
{
    static const struct {
        const char *point;
        vaddr_t address;
        unsigned bytes, first;
        bool used[2];
    } cases[] = {
        {"matrix:width=64",                         0x407ffffff800,     64, 0, {true, false} },
        {"matrix:place=both",                       0x407ffffffffc,     8,  0, {true, true}  },
        {"matrix:place=first,width=2",              0x407fffffffff,     2,  0, {true, true}  },
        {"matrix:place=second,access=fetch",        0x407fffffffff,     2,  0, {true, true}  },
        {"matrix:place=hole",                       0x800000000800,     8,  0, {false, false}},
        {"matrix:place=over",                       0x7ffffffffffc,     8,  0, {true, false} },
        {"matrix:levels=5",                         0x1fffffffff800,    8,  0, {true, false} },
        {"matrix:levels=5,place=both",              0x1fffffffffffc,    8,  0, {true, true}  },
        {"matrix:levels=5,place=hole",              0x100000000000800,  8,  0, {false, false}},
        {"matrix:levels=5,place=over,access=fetch", 0xffffffffffffff,   2,  0, {true, false} },
        {"matrix:access=gdt",                       0x408000000800,     8,  1, {false, true} },
        {"matrix:access=idt",                       0x408000000100,     16, 1, {false, true} },
        {"matrix:access=tss",                       0x407fffffffe0,     8,  0, {true, false} },
        {"matrix:access=frame",                     0x407ffffff808,     40, 0, {true, false} },
        {"matrix:size=2m",                          0x407ffffff800,     8,  0, {true, false} },
        {"matrix:size=1g",                          0x407fc17ff800,     8,  0, {true, false} },
        {"matrix:lam=57",                           0x2a00407ffffff800, 8,  0, {true, false} },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
        struct point_scene scene = scene_of(cases[i].point);
        if (scene.address != cases[i].address || scene.bytes != cases[i].bytes ||
            scene.first != cases[i].first || scene.used[0] != cases[i].used[0] ||
            scene.used[1] != cases[i].used[1]) {
            fail_msg("%s: %llx, %u bytes, first %u, used %d %d", cases[i].point,
                     (unsigned long long)scene.address, scene.bytes, scene.first, scene.used[0],
                     scene.used[1]);
        }
    }
}

static void the_page_that_is_not_tested_is_harmless(void **state)
{
    const pte_t user[] = {0x2000000001a00007, 0x1005007, 0x1006007, 0x1007007, 0};
    const pte_t supervisor[] = {0x2000000001a00003, 0x1005003, 0x1006003, 0x1007003, 0};
    struct point_scene scene = scene_of("matrix:place=first,pde.p=0,wp=0");

    (void)state;
    assert_memory_equal(scene.entry[1], user, sizeof(user));
    assert_int_equal(scene.entry[0][1], 0x1001006);
    scene = scene_of("matrix:place=first,ring=0,pde.p=0,smap=1");
    assert_memory_equal(scene.entry[1], supervisor, sizeof(supervisor));
    /* What the GDT's first page needs is ring 0's, whoever loads the segment. */
    scene = scene_of("matrix:access=gdt,pte.p=0");
    assert_int_equal(scene.entry[0][0], 0x20000000017ff003);
    assert_int_equal(scene.entry[1][0], 0x1a00006);
    scene = scene_of("matrix:place=end");
    assert_int_equal(scene.entry[0][3], 0x1003007);
    assert_int_equal(scene.entry[1][3], 0);
    scene = scene_of("matrix:place=both,pde.p=0");
    assert_int_equal(scene.entry[0][1], 0x1001006);
    assert_int_equal(scene.entry[1][1], 0x1005006);
}

static void the_question_says_what_the_point_says(void **state)
{
    struct point point =
        parse("matrix:place=both,access=push,ring=0,key=2,wp=0,nxe=0,smep=1,smap=1,"
              "ac=1,pke=1,pkru=wd,pkru.other=ad,pks=1,pkrs=adwd");
    struct point_scene scene;
    struct model_question q;

    (void)state;
    point_scene(&point, &ground, &scene);
    point_question(&point, &everything, &scene, 0x1234, &q);
    assert_int_equal(q.cpu.levels, 4);
    assert_int_equal(q.cpu.physical_bits, 40);
    assert_int_equal(q.cpu.vendor, MODEL_VENDOR_UNKNOWN); /* its hypervisor bit is set */
    assert_true(!q.cpu.wp && !q.cpu.nxe && q.cpu.smep && q.cpu.smap && q.cpu.ac && q.cpu.pke &&
                q.cpu.pks && !q.cpu.cet);
    assert_int_equal(q.cpu.pkru, 2u << 4 | 1u << 6); /* WD of key 2, AD of key 3 */
    assert_int_equal(q.cpu.pkrs, 3u << 4);
    assert_int_equal(q.access.kind, MODEL_WRITE);
    assert_int_equal(q.access.cpl, 0);
    assert_true(q.access.stack && !q.access.implicit);
    assert_int_equal(q.access.bytes, 8);
    assert_int_equal(q.cr2, 0x1234);
    assert_memory_equal(q.walk[0].entry, scene.entry[0], sizeof(scene.entry[0]));
    assert_memory_equal(q.walk[1].entry, scene.entry[1], sizeof(scene.entry[1]));

    point = parse("matrix:access=idt,pte.us=0");
    point_scene(&point, &ground, &scene);
    struct machine intel = everything;
    intel.features &= ~BIT(FEATURE_HYPERVISOR);
    point_question(&point, &intel, &scene, 0, &q);
    assert_int_equal(q.cpu.vendor, MODEL_VENDOR_INTEL);
    assert_true(q.access.implicit && q.access.any_byte);
    assert_int_equal(q.access.cpl, 3);
    assert_memory_equal(q.walk[0].entry, scene.entry[1], sizeof(scene.entry[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_point_has_a_name),
        cmocka_unit_test(an_id_names_what_differs_in_the_order_of_the_axes),
        cmocka_unit_test(every_point_reads_back_from_its_id),
        cmocka_unit_test(what_is_no_id_is_named),
        cmocka_unit_test(what_this_machine_cannot_have_is_told_from_what_it_lacks),
        cmocka_unit_test(every_value_has_a_legal_point),
        cmocka_unit_test(a_machine_that_lacks_a_feature_has_no_point_with_it),
        cmocka_unit_test(reserved_bits_follow_level_size_and_machine),
        cmocka_unit_test(the_default_walk_allows_everything),
        cmocka_unit_test(each_axis_sets_its_bit),
        cmocka_unit_test(places_and_accesses_have_their_addresses),
        cmocka_unit_test(the_page_that_is_not_tested_is_harmless),
        cmocka_unit_test(the_question_says_what_the_point_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
