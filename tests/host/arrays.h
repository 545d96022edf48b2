/*
 * arrays.h: what test_covering.c and prove_covering.c share: building an array row by row while
 * looking at what covering.c promises, counting what is missing, and the machines to do it for.
 */
#ifndef HOST_ARRAYS_H
#define HOST_ARRAYS_H

#include "unit.h"

#include "tests/matrix/axes.h"
#include "tests/matrix/covering.h"

#define ROWS_MAX 60000u

/* An array, row after row. */
struct array {
    const struct space *space;
    uint8_t *rows;
    uint32_t count;
    struct covering covering;
    uint64_t most_work; /* of one call */
};

static inline void build(struct array *array, const struct space *space, uint32_t strength,
                         uint64_t seed, const uint8_t *taken)
{
    void *memory = malloc(covering_bytes(space, strength));
    struct covering *c = &array->covering;
    enum covering_state state;

    assert_non_null(memory);
    memset(memory, 0xa5, covering_bytes(space, strength));
    *array = (struct array){.space = space, .rows = malloc((size_t)ROWS_MAX * space->axes)};
    assert_non_null(array->rows);
    covering_begin(c, space, strength, seed, memory);
    if (taken) {
        covering_take(c, taken);
    }
    do {
        uint64_t work = c->work;
        uint8_t *row = array->rows + (size_t)array->count * space->axes;
        assert_true(array->count < ROWS_MAX);
        state = covering_next(c, row);
        array->most_work = c->work - work > array->most_work ? c->work - work : array->most_work;
        if (state == COVERING_ROW) {
            assert_true(space_legal(space, row));
            array->count++;
        }
        assert_int_equal(c->rows, array->count);
    } while (state != COVERING_DONE);
    assert_int_equal(covering_next(c, array->rows), COVERING_DONE);
    assert_true(c->covered + c->illegal == c->tuples);
    free(memory);
}

static inline uint64_t missing(const struct array *array, uint32_t strength)
{
    void *memory = malloc(covering_missing_bytes(array->space, array->count));
    assert_non_null(memory);
    uint64_t result = covering_missing(array->space, strength, array->rows, array->count, memory);
    free(memory);
    return result;
}

/* The most rows that any two (three) axes ask for by themselves. */
static inline uint64_t lower_bound(const struct space *space, uint32_t strength)
{
    uint32_t most[3] = {1, 1, 1};

    for (uint32_t axis = 0; axis < space->axes; axis++) {
        uint32_t values = space->values[axis];
        for (uint32_t i = 0; i < strength; i++) {
            if (values > most[i]) {
                uint32_t smaller = most[i];
                most[i] = values;
                values = smaller;
            }
        }
    }
    return (uint64_t)most[0] * most[1] * most[2];
}

static inline void report(const char *name, const struct array *array)
{
    const struct covering *c = &array->covering;

    print_message("%s, strength %u: %u rows (largest axes alone: %llu), %llu of %llu combinations, "
                  "%llu illegal; at most %llu steps a call\n",
                  name, c->strength, array->count,
                  (unsigned long long)lower_bound(array->space, c->strength),
                  (unsigned long long)c->covered, (unsigned long long)c->tuples,
                  (unsigned long long)c->illegal, (unsigned long long)array->most_work);
    assert_true(array->most_work < 100000);
}

static const struct {
    const char *name;
    struct machine machine;
} machines[] __attribute__((unused)) = {
    {"everything",     {.vendor = VENDOR_INTEL, .physical_bits = 32, .levels = 5, .features = ~0ull}},
    {"QEMU, -cpu max",
     {.vendor = VENDOR_AMD,
      .physical_bits = 40,
      .levels = 5,
      .features = BIT(FEATURE_NX) | BIT(FEATURE_GB_PAGES) | BIT(FEATURE_LA57) | BIT(FEATURE_SMEP) |
                  BIT(FEATURE_SMAP) | BIT(FEATURE_PKU) | BIT(FEATURE_PKS) | BIT(FEATURE_AVX) |
                  BIT(FEATURE_CX16) | BIT(FEATURE_HYPERVISOR)}                                      },
    {"little",         {.vendor = VENDOR_INTEL, .physical_bits = 36, .levels = 4, .features = 0}    },
};

#endif
