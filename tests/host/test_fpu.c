/*
 * test_fpu.c: areas of extended state and Linux's signal frames, as data. Layouts: SDM vol. 1 10.5.1, 13.4;
 * Linux's arch/x86/include/uapi/asm/sigcontext.h.
 */
#include "tests/host/unit.h"

#include "fault/fpu.h"

#define MXCSR_AT     24
#define SOFTWARE_AT  464
#define XSTATE_BV_AT 512
#define XCOMP_BV_AT  520
#define YMM_AT       576
#define PKRU_AT      2688
#define BYTES        2696

static uint8_t area[FPU_BYTES_MAX] __attribute__((aligned(FPU_ALIGN)));
static uint8_t taken[FPU_BYTES_MAX] __attribute__((aligned(FPU_ALIGN)));
static uint8_t frame[FPU_BYTES_MAX + 64] __attribute__((aligned(FPU_ALIGN)));

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

/* A processor with AVX and PKU, as QEMU's: XCR0 207. */
static int with_avx(void **state)
{
    (void)state;
    fpu_format = (struct fpu_format){
        .features = 0x207, .bytes = BYTES, .pkru_at = PKRU_AT, .mxcsr_mask = 0xffff, .xsave = true};
    memset(area, 0xee, sizeof(area));
    memset(taken, 0xee, sizeof(taken));
    memset(frame, 0xee, sizeof(frame));
    fpu_init(area);
    return 0;
}

/* One from before XSAVE. */
static int with_fxsave(void **state)
{
    with_avx(state);
    memset(area, 0xee, sizeof(area));
    fpu_format = (struct fpu_format){.features = 3, .bytes = 512, .mxcsr_mask = 0xffbf};
    fpu_init(area);
    return 0;
}

static void starts_as_on_linux(void **state)
{
    (void)state;
    assert_int_equal(get(area, 2), 0x37f);
    assert_int_equal(get(area + MXCSR_AT, 4), 0x1f80);
    for (unsigned at = 0; at < fpu_format.bytes; at++) {
        if (at >= 2 && (at < MXCSR_AT || at >= MXCSR_AT + 2)) {
            assert_int_equal(area[at], 0);
        }
    }
    assert_int_equal(area[fpu_format.bytes], 0xee);
    assert_true(fpu_area_valid(area));
}

static void every_bit_is_judged(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < BYTES * 8; bit++) {
        unsigned at = bit / 8, feature = bit - XSTATE_BV_AT * 8;
        bool mxcsr = at >= MXCSR_AT + 2 && at < MXCSR_AT + 4;
        bool foreign = at >= XSTATE_BV_AT && at < XCOMP_BV_AT && !(UINT64_C(0x207) >> feature & 1);
        bool zero = at >= XCOMP_BV_AT && at < XCOMP_BV_AT + 16;
        area[at] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(fpu_area_valid(area), !(mxcsr || foreign || zero));
        area[at] ^= (uint8_t)(1 << bit % 8);
    }
}

static void frame_says_what_it_holds(void **state)
{
    (void)state;
    assert_int_equal(fpu_frame_bytes(), BYTES + 4);
    put(area + XSTATE_BV_AT, 4, 8);
    put(area + YMM_AT, 0x1122334455667788, 8);
    fpu_frame_make(frame, area, 0x55555554);
    assert_int_equal(get(frame + SOFTWARE_AT, 4), 0x46505853);
    assert_int_equal(get(frame + SOFTWARE_AT + 4, 4), BYTES + 4);
    assert_int_equal(get(frame + SOFTWARE_AT + 8, 8), 0x207);
    assert_int_equal(get(frame + SOFTWARE_AT + 16, 4), BYTES);
    for (unsigned i = 20; i < 48; i++) {
        assert_int_equal(frame[SOFTWARE_AT + i], 0);
    }
    assert_int_equal(get(frame + BYTES, 4), 0x46505845);
    assert_int_equal(frame[BYTES + 4], 0xee);
    assert_int_equal(get(frame + XSTATE_BV_AT, 8), 0x207);
    assert_int_equal(get(frame + PKRU_AT, 4), 0x55555554);
    assert_int_equal(get(frame + YMM_AT, 8), 0x1122334455667788);
    fpu_frame_make(frame, area, 0);
    assert_int_equal(get(frame + XSTATE_BV_AT, 8), 7);
}

static void frame_comes_back(void **state)
{
    uint32_t pkru = 1;

    (void)state;
    put(area + XSTATE_BV_AT, 7, 8);
    for (unsigned i = 0; i < 256; i++) {
        area[160 + i] = (uint8_t)i;
        area[YMM_AT + i] = (uint8_t)~i;
    }
    fpu_frame_make(frame, area, 0x30);
    assert_true(fpu_frame_take(taken, &pkru, frame));
    assert_int_equal(pkru, 0x30);
    assert_memory_equal(taken, area, PKRU_AT);
    assert_int_equal(get(taken + XSTATE_BV_AT, 8), 7);
}

/* The frame does not know AVX and PKRU, or says that they are as at the start. */
static void what_is_left_out_starts_afresh(void **state)
{
    uint32_t pkru = 1;

    (void)state;
    put(area + XSTATE_BV_AT, 7, 8);
    area[0] = 0x55;
    area[4] = 0xff;
    area[160] = 0x66;
    fpu_frame_make(frame, area, 0x30);
    put(frame + SOFTWARE_AT + 8, 3, 8);
    assert_true(fpu_frame_take(taken, &pkru, frame));
    assert_int_equal(get(taken + XSTATE_BV_AT, 8), 3);
    assert_int_equal(pkru, 0);
    put(frame + SOFTWARE_AT + 8, 0x207, 8);
    put(frame + XSTATE_BV_AT, 4, 8);
    assert_true(fpu_frame_take(taken, &pkru, frame));
    assert_int_equal(get(taken + XSTATE_BV_AT, 8), 4);
    assert_int_equal(get(taken, 2), 0x37f);
    assert_int_equal(taken[4], 0);
    assert_int_equal(taken[160], 0);
}

static void without_magic_only_fxsave_counts(void **state)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
    } spoilt[] = {
        {SOFTWARE_AT,      4, 0        },
        {SOFTWARE_AT + 16, 4, 575      }, /* no room for a header */
        {SOFTWARE_AT + 16, 4, BYTES + 1}, /* more than there is */
        {SOFTWARE_AT + 4,  4, BYTES - 1}, /* less than the area */
        {BYTES,            4, 0        },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(spoilt); i++) {
        uint32_t pkru = 1;
        put(area + XSTATE_BV_AT, 7, 8);
        area[160] = 0x66;
        fpu_frame_make(frame, area, 0x30);
        put(frame + spoilt[i].at, spoilt[i].value, spoilt[i].bytes);
        put(frame + XCOMP_BV_AT, 1, 8); /* nobody looks */
        assert_true(fpu_frame_take(taken, &pkru, frame));
        assert_int_equal(get(taken + XSTATE_BV_AT, 8), 3);
        assert_int_equal(get(taken + XCOMP_BV_AT, 8), 0);
        assert_int_equal(taken[160], 0x66);
        assert_int_equal(pkru, 0);
        assert_true(fpu_area_valid(taken));
    }
}

/* Whatever a program writes there: refused with nothing changed, or an area that the processor takes. */
static void garbage_never_gets_through(void **state)
{
    unsigned refused = 0, accepted = 0;

    (void)state;
    srand(1);
    for (unsigned i = 0; i < 20000; i++) {
        static const unsigned places[] = {MXCSR_AT, SOFTWARE_AT, XSTATE_BV_AT, XCOMP_BV_AT, BYTES};
        uint32_t pkru = 77;
        fpu_init(taken);
        fpu_frame_make(frame, area, 5);
        for (unsigned changes = (unsigned)rand() % 3; changes < 3; changes++) {
            frame[places[rand() % 5] + (unsigned)rand() % (changes ? 24 : 4)] = (uint8_t)rand();
        }
        if (fpu_frame_take(taken, &pkru, frame)) {
            accepted++;
        } else {
            refused++;
            assert_int_equal(pkru, 77);
            assert_int_equal(get(taken, 2), 0x37f);
        }
        assert_true(fpu_area_valid(taken));
        assert_int_equal(taken[BYTES], 0xee);
    }
    assert_true(refused > 1000 && accepted > 1000);
}

static void before_xsave_a_frame_is_an_area(void **state)
{
    uint32_t pkru = 9;

    (void)state;
    assert_int_equal(fpu_frame_bytes(), 512);
    area[160] = 0x66;
    fpu_frame_make(frame, area, 0x30);
    assert_memory_equal(frame, area, 512);
    assert_int_equal(frame[512], 0xee);
    assert_true(fpu_frame_take(taken, &pkru, frame));
    assert_memory_equal(taken, area, 512);
    assert_int_equal(taken[512], 0xee);
    assert_int_equal(pkru, 9);
    put(frame + MXCSR_AT, 0x40, 4); /* DAZ, which this one lacks */
    assert_false(fpu_frame_take(taken, &pkru, frame));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(starts_as_on_linux, with_avx),
        cmocka_unit_test_setup(starts_as_on_linux, with_fxsave),
        cmocka_unit_test_setup(every_bit_is_judged, with_avx),
        cmocka_unit_test_setup(frame_says_what_it_holds, with_avx),
        cmocka_unit_test_setup(frame_comes_back, with_avx),
        cmocka_unit_test_setup(what_is_left_out_starts_afresh, with_avx),
        cmocka_unit_test_setup(without_magic_only_fxsave_counts, with_avx),
        cmocka_unit_test_setup(garbage_never_gets_through, with_avx),
        cmocka_unit_test_setup(before_xsave_a_frame_is_an_area, with_fxsave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
