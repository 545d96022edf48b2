/*
 * test_fpu.c: areas of extended state as data. Layouts: SDM vol. 1 10.5.1, 13.4.
 */
#include "tests/host/unit.h"

#include "fault/fpu.h"

#define MXCSR_AT     24
#define XSTATE_BV_AT 512
#define XCOMP_BV_AT  520
#define PKRU_AT      2688
#define BYTES        2696

static uint8_t area[FPU_BYTES_MAX] __attribute__((aligned(FPU_ALIGN)));

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

static void frame_has_room_for_the_second_magic(void **state)
{
    (void)state;
    assert_int_equal(fpu_frame_bytes(), BYTES + 4);
}

static void frame_without_a_header_has_none(void **state)
{
    (void)state;
    assert_int_equal(fpu_frame_bytes(), 512);
}

/* DAZ is a reserved bit of the MXCSR of a processor that lacks it. */
static void old_mxcsr_is_narrower(void **state)
{
    (void)state;
    assert_true(fpu_area_valid(area));
    area[MXCSR_AT] ^= 0x40;
    assert_false(fpu_area_valid(area));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(starts_as_on_linux, with_avx),
        cmocka_unit_test_setup(starts_as_on_linux, with_fxsave),
        cmocka_unit_test_setup(every_bit_is_judged, with_avx),
        cmocka_unit_test_setup(frame_has_room_for_the_second_magic, with_avx),
        cmocka_unit_test_setup(frame_without_a_header_has_none, with_fxsave),
        cmocka_unit_test_setup(old_mxcsr_is_narrower, with_fxsave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
