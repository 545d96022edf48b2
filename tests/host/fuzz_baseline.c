/*
 * fuzz_baseline.c: any bytes as a baseline, and behind a right first line, so that its lines are read.
 * What is refused accepts nothing.
 */
#include "tests/host/fuzz.h"

#include "tests/harness/baseline.h"
#include "tests/matrix/literals.h"

static const struct symptom symptom = {.vector_expected = 14, .vector_got = 14, .error_differs = 1};

static void read_whole(const char *text, size_t length)
{
    struct record record = {.kind = RECORD_CHECK, .verdict = VERDICT_FAIL};
    uint8_t values[FOLD_AXES] = {0};
    struct conjunction everything;

    FUZZ_ASSERT(conjunction_parse("everything", 10, &everything));
    const char *problem = baseline_read(text, length);
    bool check = baseline_accepts(&record, "a.b");
    bool fold = baseline_accepts_fold(&symptom, &everything);
    bool point = baseline_accepts_point(&symptom, values);
    FUZZ_ASSERT(!problem || !(check || fold || point));
    FUZZ_ASSERT(!fold || point); /* a fold of everything holds every point */
    baseline_none();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "faultline baseline 1 " VERSION "\n", end[] = "\nend\n";
    size_t length = sizeof(head) - 1 + size + sizeof(end) - 1;
    /* Exactly so many bytes, as the sanitizer wants to see them. */
    char *copy = malloc(size + 1), *whole = malloc(length);

    FUZZ_ASSERT(copy && whole);
    memcpy(copy, data, size);
    read_whole(copy, size);
    memcpy(whole, head, sizeof(head) - 1);
    memcpy(whole + sizeof(head) - 1, data, size);
    memcpy(whole + sizeof(head) - 1 + size, end, sizeof(end) - 1);
    read_whole(whole, length);
    free(copy);
    free(whole);
    return 0;
}
