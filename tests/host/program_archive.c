/*
 * program_archive.c: the archive's names without what is in it, which is assembly: enough for plans and ids.
 */
#include "tests/suites/program_archive.h"

#define PROGRAM(name_)             {.name = #name_},
#define PROGRAM_WITHOUT_LOG(name_) {.name = #name_},
#define BENCH(name_)               {.name = #name_},
const struct archived_program program_archive[ARCHIVED_PROGRAMS] = {
#include "program_list.h"
};
