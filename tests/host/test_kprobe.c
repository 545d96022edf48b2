/*
 * test_kprobe.c: kprobes as a state machine, on text that is an array; the test plays the processor. The
 * suite kprobe has the real one.
 */
#include "tests/host/unit.h"

#include "fault/cpu.h"
#include "fault/kprobe.h"
#include "fault/text.h"
#include "x86/exception.h"
#include "x86/registers.h"

#define INT3 0xcc
#define NOP  0x90

static uint8_t code[64];
static uint8_t linked[sizeof(code)];
static struct cpu cpu;
static unsigned before, after, faults;

struct cpu *cpu_current(void)
{
    return &cpu;
}

/* The first 16 bytes are what handles probes. */
bool text_holds(vaddr_t address)
{
    return address >= (vaddr_t)&code[16] && address < (vaddr_t)&code[sizeof(code)];
}

void text_poke(vaddr_t address, uint8_t byte)
{
    *(uint8_t *)address = byte;
}

static bool count_before(struct kprobe *probe, struct trap_frame *frame)
{
    assert_int_equal(frame->rip, probe->address);
    assert_int_equal(text_peek(probe->address), INT3);
    before++;
    return false;
}

static void count_after(struct kprobe *probe, struct trap_frame *frame)
{
    assert_int_equal(text_peek(probe->address), INT3);
    assert_int_equal(frame->rflags & RFLAGS_TF, 0);
    after++;
}

static bool count_fault(struct kprobe *probe, struct trap_frame *frame, unsigned vector)
{
    assert_int_equal(frame->rip, probe->address);
    assert_int_equal(vector, VECTOR_PF);
    faults++;
    return false;
}

static struct kprobe probe, other;

static int setup(void **state)
{
    (void)state;
    kprobe_remove_all();
    memset(&cpu, 0, sizeof(cpu));
    memset(code, NOP, sizeof(code));
    memcpy(linked, code, sizeof(code));
    before = after = faults = 0;
    probe = (struct kprobe){.address = (vaddr_t)&code[20],
                            .pre_handler = count_before,
                            .post_handler = count_after,
                            .fault_handler = count_fault};
    other = probe;
    other.address = (vaddr_t)&code[30];
    return 0;
}

/* The processor runs into INT3 at @at. */
static struct trap_frame hit(const uint8_t *at)
{
    assert_int_equal(*at, INT3);
    return (struct trap_frame){.vector = VECTOR_BP, .rip = (vaddr_t)at + 1, .rflags = RFLAGS_ONE};
}

/* It has run the one instruction at @frame's RIP, of @bytes. */
static void run(struct trap_frame *frame, unsigned bytes)
{
    assert_int_not_equal(frame->rflags & RFLAGS_TF, 0);
    assert_int_not_equal(text_peek(frame->rip), INT3);
    frame->vector = VECTOR_DB;
    frame->rip += bytes;
}

static void hit_step_go_on(void **state)
{
    (void)state;
    assert_int_equal(kprobe_register(&probe), STATUS_OK);
    for (unsigned i = 1; i <= 3; i++) {
        struct trap_frame frame = hit(&code[20]);
        assert_true(kprobe_breakpoint(&frame));
        assert_int_equal(before, i);
        run(&frame, 1);
        assert_true(kprobe_step(&frame));
        assert_int_equal(after, i);
        assert_int_equal(frame.rip, (vaddr_t)&code[21]);
        assert_int_equal(frame.rflags, RFLAGS_ONE);
    }
    assert_int_equal(kprobe_unregister(&probe), STATUS_OK);
    assert_memory_equal(code, linked, sizeof(code));
}

static void others_traps_are_not_ours(void **state)
{
    struct trap_frame frame = {.vector = VECTOR_BP, .rip = (vaddr_t)&code[26]};

    (void)state;
    assert_int_equal(kprobe_register(&probe), STATUS_OK);
    assert_false(kprobe_breakpoint(&frame));
    frame.vector = VECTOR_DB;
    assert_false(kprobe_step(&frame));
    frame.vector = VECTOR_PF;
    assert_false(kprobe_fault(&frame));
    assert_int_equal(before + after + faults, 0);
}

static void fault_ends_the_step(void **state)
{
    (void)state;
    assert_int_equal(kprobe_register(&probe), STATUS_OK);
    struct trap_frame frame = hit(&code[20]);
    assert_true(kprobe_breakpoint(&frame));
    struct trap_frame elsewhere = frame;
    elsewhere.rip = (vaddr_t)&code[40];
    elsewhere.vector = VECTOR_PF;
    assert_false(kprobe_fault(&elsewhere)); /* of a handler of that fault, say */
    assert_int_equal(code[20], NOP);
    frame.vector = VECTOR_PF;
    assert_false(kprobe_fault(&frame));
    assert_int_equal(faults, 1);
    assert_int_equal(frame.rip, (vaddr_t)&code[20]);
    assert_int_equal(frame.rflags, RFLAGS_ONE);
    assert_int_equal(code[20], INT3);
    /* Retried: all of it again. */
    frame = hit(&code[20]);
    assert_true(kprobe_breakpoint(&frame));
    run(&frame, 1);
    assert_true(kprobe_step(&frame));
    assert_int_equal(before, 2);
    assert_int_equal(after, 1);
}

static void nested_in_a_step(void **state)
{
    (void)state;
    assert_int_equal(kprobe_register(&probe), STATUS_OK);
    assert_int_equal(kprobe_register(&other), STATUS_OK);
    struct trap_frame outer = hit(&code[20]);
    assert_true(kprobe_breakpoint(&outer));
    /* The stepped instruction faults, and who resolves that runs into the other probe. */
    struct trap_frame inner = hit(&code[30]);
    assert_true(kprobe_breakpoint(&inner));
    assert_int_equal(other.missed, 1);
    assert_int_equal(before, 1);
    struct trap_frame third = {.vector = VECTOR_BP, .rip = (vaddr_t)&code[31]};
    assert_false(kprobe_breakpoint(&third)); /* two deep is all there is */
    run(&inner, 1);
    assert_true(kprobe_step(&inner));
    assert_int_equal(after, 0);
    assert_int_equal(code[30], INT3);
    run(&outer, 1);
    assert_true(kprobe_step(&outer));
    assert_int_equal(after, 1);
    assert_int_equal(code[20], INT3);
}

/* Whatever the state: forgotten, every byte is INT3 or as it was; taken out, all are as they were. */
static void forgotten_and_removed(void **state)
{
    (void)state;
    for (unsigned depth = 0; depth < 3; depth++) {
        setup(state);
        assert_int_equal(kprobe_register(&probe), STATUS_OK);
        assert_int_equal(kprobe_register(&other), STATUS_OK);
        struct trap_frame frame = hit(&code[20]), inner = hit(&code[30]);
        if (depth > 0) {
            assert_true(kprobe_breakpoint(&frame));
        }
        if (depth > 1) {
            assert_true(kprobe_breakpoint(&inner));
        }
        kprobe_forget();
        assert_int_equal(code[20], INT3);
        assert_int_equal(code[30], INT3);
        assert_int_equal(cpu.kprobe.state, KPROBE_IDLE);
        kprobe_remove_all();
        assert_memory_equal(code, linked, sizeof(code));
        assert_int_equal(kprobe_unregister(&probe), STATUS_NOT_MAPPED);
    }
}

/* One byte sequence each, as SDM vol. 2 encodes it; and whether it can be stepped. */
static void instructions(void **state)
{
    static const struct {
        uint8_t bytes[6];
        bool steps;
    } rows[] = {
        {{0x48, 0x89, 0xd8},       true }, /* mov %rbx, %rax */
        {{0x9c},                   true }, /* pushfq */
        {{0x9d},                   false}, /* popfq */
        {{0x66, 0x9d},             false}, /* popfw */
        {{0x48, 0xcf},             false}, /* iretq */
        {{0xcc},                   false}, /* int3 */
        {{0xcd, 0x80},             false}, /* int $0x80 */
        {{0xf4},                   false}, /* hlt */
        {{0xfa},                   true }, /* cli */
        {{0xfb},                   false}, /* sti */
        {{0x8e, 0xd0},             false}, /* mov %eax, %ss */
        {{0x0f, 0x05},             false}, /* syscall */
        {{0x48, 0x0f, 0x07},       false}, /* sysretq */
        {{0x0f, 0xb2, 0x00},       false}, /* lss (%rax), %eax */
        {{0x0f, 0x1f, 0x05},       true }, /* a long nop whose third byte says nothing */
        {{0xf3, 0x48, 0xab},       true }, /* rep stosq */
        {{0xf0, 0x48, 0x0f, 0xb1}, true }, /* lock cmpxchg */
        {{0x0f, 0x01, 0xca},       true }, /* clac */
        {{0x48, 0xcb},             false}, /* lretq */
        {{0x64, 0x66, 0x48, 0x8e}, false}, /* behind prefixes */
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        setup(state);
        memcpy(&code[20], rows[i].bytes, sizeof(rows[i].bytes));
        memcpy(linked, code, sizeof(code));
        assert_int_equal(kprobe_register(&probe), rows[i].steps ? STATUS_OK : STATUS_UNSUPPORTED);
        kprobe_remove_all();
        assert_memory_equal(code, linked, sizeof(code));
    }
}

static void places(void **state)
{
    (void)state;
    assert_int_equal(kprobe_register(&probe), STATUS_OK);
    assert_int_equal(kprobe_register(&probe), STATUS_EXISTS);
    other.address = (vaddr_t)&code[8];
    assert_int_equal(kprobe_register(&other), STATUS_RANGE);
    assert_int_equal(kprobe_unregister(&other), STATUS_NOT_MAPPED);
    assert_int_equal(kprobe_unregister(&probe), STATUS_OK);
    assert_int_equal(kprobe_unregister(&probe), STATUS_NOT_MAPPED);
    assert_memory_equal(code, linked, sizeof(code));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hit_step_go_on, setup),
        cmocka_unit_test_setup(others_traps_are_not_ours, setup),
        cmocka_unit_test_setup(fault_ends_the_step, setup),
        cmocka_unit_test_setup(nested_in_a_step, setup),
        cmocka_unit_test_setup(forgotten_and_removed, setup),
        cmocka_unit_test_setup(instructions, setup),
        cmocka_unit_test_setup(places, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
