/*
 * table.h: what the tables of access cases are written with. Columns of CASE: name, rule, sizes,
 * levels, rings, then the fields of struct access that differ from "P RW US everywhere, read".
 */
#ifndef SUITES_TABLE_H
#define SUITES_TABLE_H

#include "suites.h"
#include "tests/harness/access.h"
#include "x86/pte.h"

#define NEEDS(feature) (FEATURE_##feature + 1)

#define ACCESS(...) (&(const struct access){__VA_ARGS__})

#define CASE(name_, rule_, sizes_, levels_, rings_, ...)                                           \
    {                                                                                              \
        .name = name_, .rule = RULE_##rule_, .sizes = SIZES_##sizes_, .levels = LEVELS_##levels_,  \
        .rings = RINGS_##rings_, .run = access_run, .parameter = ACCESS(__VA_ARGS__),              \
    }
/* The same for a case that needs a feature. */
#define CASE_NEEDS(feature, name_, rule_, sizes_, levels_, rings_, ...)                            \
    {                                                                                              \
        .name = name_, .rule = RULE_##rule_, .sizes = SIZES_##sizes_, .levels = LEVELS_##levels_,  \
        .rings = RINGS_##rings_, .needs = {NEEDS(feature)}, .run = access_run,                     \
        .parameter = ACCESS(__VA_ARGS__),                                                          \
    }

#define SUITE(id, title_)                                                                          \
    extern const struct suite id##_suite;                                                          \
    const struct suite id##_suite = {                                                              \
        .name = #id, .title = title_, .cases = cases, .count = ARRAY_COUNT(cases)}

#endif
