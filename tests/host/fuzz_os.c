/*
 * fuzz_os.c: any ELF header, and any system calls with any arguments, by any number of tasks. An input is a file's changed
 * header bytes, an allocation that fails, and the steps of a program (os_fixture.h).
 *
 * Whatever comes of it: audit and TLB are good before each turn of a task, nothing waits that could run, and when all of
 * it has been stopped, nothing is left.
 */
#include "tests/host/fuzz.h"

#include "tests/host/os_fixture.h"
#include "x86/exception.h"

#define STEPS_MAX 48u
#define DATA      UINT64_C(0x403000)

/* What arguments are made of: numbers that mean something somewhere, and addresses good, bad and at edges. */
static const uint64_t values[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    9,
    11,
    17,
    19,
    32,
    64,
    100,
    0x1002,
    0x1003,
    PAGE,
    2 * PAGE,
    5000,
    16 * PAGE,
    65536,
    MAP_PRIVATE | MAP_ANONYMOUS,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN,
    0x400000,
    STEPS_AT,
    STEPS_AT + 20,
    0x402000,
    DATA,
    DATA + 64,
    DATA + PAGE - 8,
    0x404000,
    0x405000,
    0x500000,
    P(0),
    P(4),
    0x7ffff7ff9000,
    0x7ffff7ffd000,
    0x7ffffffdd000,
    0x7ffffffde000,
    0x7fffffffe000,
    0x7fffffffeff8,
    0x7ffffffff000,
    0x800000000000,
    INT64_MAX,
    UINT64_C(1) << 63,
    0xffffffff80000000,
    UINT64_MAX,
    UINT64_MAX - 99,
    RBX,
};

#define X(number, name, arguments) number,
static const uint16_t numbers[] = {SYSTEM_CALLS(X) 4, 56, 59, 500};
#undef X

static const uint8_t vectors[] = {VECTOR_DE, VECTOR_BP, VECTOR_UD, VECTOR_SS,
                                  VECTOR_GP, VECTOR_AC, 0x80,      TIMER_VECTOR};

static const uint8_t *input;
static size_t left;

static unsigned take(void)
{
    return left ? left--, *input++ : 0;
}

static struct elf_file file;

static void take_file(void)
{
    file = elf_good();
    for (unsigned changes = take() % 8; changes; changes--) {
        const unsigned at = take() | (take() & 1) << 8;
        ((uint8_t *)&file)[at % (64 + 4 * 56)] = (uint8_t)take();
    }
}

static struct step take_step(void)
{
    const unsigned kind = take();
    struct step step = {STEP_CALL, 0, {0}};

    switch (kind % 16) {
    case 0:
        return (struct step){STEP_KEEP, 0, {0}};
    case 1:
        return (struct step){STEP_IF_ZERO, take() % STEPS_MAX, {0}};
    case 2:
        return (struct step){STEP_GOTO, take() % STEPS_MAX, {0}};
    case 3:
        return (struct step){STEP_COMES, vectors[take() % ARRAY_COUNT(vectors)], {0}};
    default:
        step.value = numbers[take() % ARRAY_COUNT(numbers)];
        for (unsigned i = 0; i < 6; i++) {
            step.argument[i] = values[take() % ARRAY_COUNT(values)];
        }
        return step;
    }
}

/* Memory that calls find something in: a handler's description, a path, limits. */
static void fill_data(void)
{
    static const uint64_t words[] = {STEPS_AT + 8, 0x14000004, STEPS_AT + 16, 0};
    const struct task *task = TAILQ_FIRST(&all_tasks);

    cpu_current()->resolver = mm_resolve;
    mm_load(task->mm);
    (void)user_write(DATA, words, sizeof(words));
    (void)user_write(DATA + 64, "/proc/self/maps", 16);
    mm_load(NULL);
    cpu_current()->resolver = NULL;
}

static void look(void)
{
    if (rounds % 64 == 0) {
        assert_good();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const arguments[] = {"fuzz", NULL}, *const environment[] = {NULL};
    static struct step script[STEPS_MAX];

    input = data;
    left = size;
    fixture_start(700, 4);
    rounds_max = 300;
    step_count = STEPS_MAX;
    watch = look;
    steps = script;
    take_file();
    const unsigned fail = take();
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        script[i] = left ? take_step() : (struct step){STEP_CALL, 60, {0}};
    }
    memory_fail_at(fail < 128 ? 0 : fail - 127);
    int error =
        os_program("/programs/fuzz", &file, sizeof(file), arguments, environment, NULL, UINT64_MAX);
    FUZZ_ASSERT(error <= 0 && error > -4096);
    if (error == 0) {
        fill_data();
        for (unsigned batch = 0; batch < 4 && os_run(UINT64_MAX) == OS_RUNNING; batch++) {
        }
    }
    memory_fail_at(0);
    os_stop();
    FUZZ_ASSERT(TAILQ_EMPTY(&all_tasks));
    assert_good();
    FUZZ_ASSERT(machine_stop() == 0);
    return 0;
}
