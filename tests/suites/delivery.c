/*
 * delivery.c: how #PF reaches its handler, and what is there afterwards (R5.1, R7.1 to R7.5). The
 * handlers are delivery.S's own: they see registers, flags and stack as the processor left them.
 *
 *   struct trap_frame start -> delivery_go -> stretch of code, in either ring
 *        -> exception -> stub in delivery.S -> delivery_seen -> back behind context_save()
 *
 * The stacks that exceptions use lie in the main stack, below everything that runs here: a vector
 * that is not looked at finds its processor from RSP, and oopses properly.
 */
#include "delivery_offsets.h"
#include "fault/context.h"
#include "fault/cpu.h"
#include "fault/tables.h"

#include "table.h"
#include "tests/harness/findings.h"
#include "tests/harness/pair.h"
#include "tests/harness/target.h"
#include "tests/harness/trial.h"
#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

struct delivery {
    struct trap_frame frame;      /* registers at the handler; error code to SS as pushed */
    uint64_t rsp, rflags, cs, ss; /* at the handler's first instruction */
    uint64_t cr2;
};
_Static_assert(offsetof(struct delivery, rsp) == DELIVERY_RSP, "delivery.S knows it");
_Static_assert(offsetof(struct delivery, rflags) == DELIVERY_RFLAGS, "delivery.S knows it");
_Static_assert(offsetof(struct delivery, cs) == DELIVERY_CS, "delivery.S knows it");
_Static_assert(offsetof(struct delivery, ss) == DELIVERY_SS, "delivery.S knows it");

/* delivery.S fills and uses them. */
extern struct delivery delivery_seen;
extern struct context delivery_context;
struct delivery delivery_seen;
struct context delivery_context;
_Noreturn void delivery_go(struct trap_frame *start);
void delivery_interruptible(void);

extern const char delivery_stubs[], delivery_ignored[], delivery_page[];
extern const char delivery_load[], delivery_store[], delivery_movs[], delivery_stos[],
    delivery_lods[], delivery_cmps[], delivery_scas[], delivery_xadd[], delivery_cmpxchg[],
    delivery_push[], delivery_pop[], delivery_call[], delivery_jump[], delivery_hlt[],
    delivery_ud2[], delivery_exit[], delivery_sti_store[];

static const uint8_t vectors[] = {DELIVERY_VECTORS};

#define STRETCH_BYTES  16 /* from one width's stretch to the next */
#define USER_STRETCHES (USER_CODE + PAGE_SIZE)
#define IST_TEST       4
#define FRAME_BYTES    48 /* error code to SS */

/* An address that a stretch faults on, in page 1; and flags that arithmetic leaves alone. */
#define FAULTING   (PAIR_EDGE + 0x800)
#define ARITHMETIC (RFLAGS_CF | RFLAGS_ZF | 0x894) /* and PF AF SF OF */

/* ---- the bench
 * -------------------------------------------------------------------------------------------- */

static struct {
    struct gate idt[VECTORS];
    struct tss tss;
} straight;

enum stack {
    STACK_INTERRUPTED, /* ring 0's, where no check says otherwise */
    STACK_RSP0,
    STACK_IST,
};

/* The top of a stack in the lower part of this processor's main stack. */
static uint64_t stack_top(enum stack stack)
{
    return (uint64_t)cpu_current() + CPU_STACK_BOTTOM + 0x1000 * ((uint64_t)stack + 1);
}

static void bend_gate(unsigned vector, unsigned type, unsigned ist)
{
    for (unsigned i = 0; i < ARRAY_COUNT(vectors); i++) {
        if (vectors[i] == vector) {
            *tables_gate(vector) =
                gate_make((uint64_t)delivery_stubs + i * DELIVERY_STUB_BYTES, SELECTOR_CODE, type,
                          vector == DELIVERY_EXIT ? 3 : 0, ist);
        }
    }
}

/* Pages as they are to be, stacks, and handlers that look: all of them, or only the way out. */
static bool bench_open(struct trial *trial, pte_t page0, pte_t page1, bool all)
{
    struct tss *tss = cpu_tss(cpu_current());

    if (pair_start(delivery_page, USER_STRETCHES) != STATUS_OK) {
        trial_error(trial, REASON_NO_MEMORY, 0);
        return false;
    }
    pair_reset(page0, page1);
    memcpy(straight.idt, tables_gate(0), sizeof(straight.idt));
    straight.tss = *tss;
    tss->rsp[0] = stack_top(STACK_RSP0);
    tss->ist[IST_TEST - 1] = stack_top(STACK_IST);
    for (unsigned i = 0; i < ARRAY_COUNT(vectors); i++) {
        if (all || vectors[i] == DELIVERY_EXIT) {
            bend_gate(vectors[i], GATE_INTERRUPT, vectors[i] == VECTOR_DF ? IST_DF : 0);
        }
    }
    return true;
}

static void bench_close(void)
{
    memcpy(tables_gate(0), straight.idt, sizeof(straight.idt));
    *cpu_tss(cpu_current()) = straight.tss;
}

static uint64_t code_address(bool user, const char *code)
{
    return user ? USER_STRETCHES + (uint64_t)(code - delivery_page) : (uint64_t)code;
}

/* Every register has a value of its own; the stack is one that nothing but an exception uses. */
static struct trap_frame start_at(const struct trial *trial, const char *code)
{
    bool user = trial->user;

    return (struct trap_frame){
        .rax = 0xa0a0a0a0a0a0a0a0,
        .rcx = 0xc1c1c1c1c1c1c1c1,
        .rdx = 0xd2d2d2d2d2d2d2d2,
        .rbx = 0xb3b3b3b3b3b3b3b3,
        .rbp = 0xb5b5b5b5b5b5b5b5,
        .rsi = 0x5656565656565656,
        .rdi = FAULTING,
        .r8 = 0x0808080808080808,
        .r9 = 0x0909090909090909,
        .r10 = 0x1010101010101010,
        .r11 = 0x1111111111111111,
        .r12 = 0x1212121212121212,
        .r13 = 0x1313131313131313,
        .r14 = 0x1414141414141414,
        .r15 = 0x1515151515151515,
        .rip = code_address(user, code),
        .cs = user ? SELECTOR_USER_CODE : SELECTOR_CODE,
        .rflags = RFLAGS_ONE,
        .rsp = user ? PAIR_EDGE - 64 : stack_top(STACK_INTERRUPTED),
        .ss = user ? SELECTOR_USER_DATA : SELECTOR_DATA,
    };
}

/* Out: delivery_seen. */
static __attribute__((noinline)) void deliver(const struct trap_frame *start)
{
    struct trap_frame frame = *start;

    memset(&delivery_seen, 0, sizeof(delivery_seen));
    if (context_save(&delivery_context) == 0) {
        delivery_go(&frame);
    }
    delivery_seen.cr2 = read_cr2();
}

/* ---- R7.1: restart
 * ---------------------------------------------------------------------------------------- */

static void expect_registers(struct findings *findings, const struct trap_frame *start)
{
    const struct trap_frame *seen = &delivery_seen.frame;
    const uint64_t registers[16][2] = {
        {start->rax, seen->rax},
        {start->rcx, seen->rcx},
        {start->rdx, seen->rdx},
        {start->rbx, seen->rbx},
        {start->rsp, seen->rsp},
        {start->rbp, seen->rbp},
        {start->rsi, seen->rsi},
        {start->rdi, seen->rdi},
        {start->r8,  seen->r8 },
        {start->r9,  seen->r9 },
        {start->r10, seen->r10},
        {start->r11, seen->r11},
        {start->r12, seen->r12},
        {start->r13, seen->r13},
        {start->r14, seen->r14},
        {start->r15, seen->r15},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
        find(findings, FIELD_REGISTER, i, registers[i][0], registers[i][1]);
    }
}

/* The parameter is the stretch. */
static void registers_unchanged(struct trial *trial)
{
    struct findings findings = {.trial = trial};

    if (!bench_open(trial, PAIR_WRITABLE, PAIR_ABSENT, true)) {
        return;
    }
    struct trap_frame start = start_at(trial, trial->test_case->parameter);
    start.rflags |= ARITHMETIC | RFLAGS_AC;
    if (trial->test_case->parameter == delivery_push) {
        start.rsp = PAIR_EDGE + 8;
    }
    deliver(&start);
    bench_close();
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, delivery_seen.frame.vector);
    trial_expect(trial, FIELD_RIP, 0, start.rip, delivery_seen.frame.rip);
    /* RF has a check of its own. */
    trial_compare(trial, FIELD_RFLAGS, 0, start.rflags, ~(uint64_t)RFLAGS_RF,
                  delivery_seen.frame.rflags);
    expect_registers(&findings, &start);
    findings_conclude(&findings);
}

static void saved_rflags_has_rf(struct trial *trial)
{
    if (!bench_open(trial, PAIR_WRITABLE, PAIR_ABSENT, true)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_store);
    deliver(&start);
    bench_close();
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, delivery_seen.frame.vector);
    trial_expect(trial, FIELD_RFLAGS, 0, start.rflags | RFLAGS_RF, delivery_seen.frame.rflags);
}

struct string_op {
    const char *code; /* four widths */
    bool source_bad;  /* which operand faults */
    bool has_source, has_destination;
};

/* The failing element: @good elements went before it, @split of its bytes lie beyond the edge. */
struct element {
    unsigned log_width, good, split;
    bool down;
};

static struct trap_frame string_start(const struct trial *trial, const struct string_op *op,
                                      const struct element *e, vaddr_t *failing)
{
    struct trap_frame start = start_at(trial, op->code + e->log_width * STRETCH_BYTES);
    uint64_t before = (uint64_t)e->good << e->log_width;
    vaddr_t bad = e->down ? PAIR_EDGE - 1 - e->split : PAIR_EDGE - e->split;
    vaddr_t fine = e->down ? PAIR_EDGE + 0xc00 : PAIR_EDGE - 0xc00;

    *failing = bad;
    bad = e->down ? bad + before : bad - before;
    start.rsi = op->has_source ? (op->source_bad ? bad : fine) : start.rsi;
    start.rdi = op->source_bad ? fine : bad;
    start.rcx = e->good + 5;
    start.rax = 0x5a5a5a5a5a5a5a5a; /* what SCAS compares with, STOS stores, LODS loads */
    start.rflags |= RFLAGS_CF | 0x890 | (e->down ? RFLAGS_DF : 0); /* CF AF SF OF, not ZF PF */
    return start;
}

/* Pages full of one value, so that REPE goes on; the one that is met later is absent. */
static bool strings_open(struct trial *trial)
{
    if (!bench_open(trial, PAIR_WRITABLE, PAIR_WRITABLE, true)) {
        return false;
    }
    memset(pair_byte(PAIR_EDGE - PAGE_SIZE), 0x5a, PAGE_SIZE);
    memset(pair_byte(PAIR_EDGE), 0x5a, PAGE_SIZE);
    return true;
}

static void strings_direction(bool down)
{
    pair_set(0, down ? PAIR_ABSENT : PAIR_WRITABLE);
    pair_set(1, down ? PAIR_WRITABLE : PAIR_ABSENT);
}

/* All widths, both directions, 0 to 3 elements before the failing one, which lies anyhow. */
static void string_stops_at_element(struct trial *trial)
{
    const struct string_op *op = trial->test_case->parameter;
    struct findings findings = {.trial = trial};

    if (!strings_open(trial)) {
        return;
    }
    for (unsigned down = 0; down < 2; down++) {
        strings_direction(down);
        for (unsigned run = 0; run < 4 * 4 * 8; run++) {
            struct element e = {run & 3, run >> 2 & 3, run >> 4, down};
            vaddr_t failing;
            if (e.split >= 1u << e.log_width) {
                continue;
            }
            struct trap_frame start = string_start(trial, op, &e, &failing);
            deliver(&start);
            const struct trap_frame *seen = &delivery_seen.frame;
            uint64_t moved = (uint64_t)e.good << e.log_width;
            moved = down ? -moved : moved;
            unsigned where = down << 8 | run;
            find(&findings, FIELD_VECTOR, where, VECTOR_PF, seen->vector);
            find(&findings, FIELD_RIP, where, start.rip, seen->rip);
            find(&findings, FIELD_REGISTER, 1, start.rcx - e.good, seen->rcx);
            find(&findings, FIELD_REGISTER, 6, start.rsi + (op->has_source ? moved : 0), seen->rsi);
            find(&findings, FIELD_REGISTER, 7, start.rdi + (op->has_destination ? moved : 0),
                 seen->rdi);
            /* R5.1: the element; fast strings: its page. */
            find_masked(&findings, FIELD_CR2, where, down ? failing : PAIR_EDGE, ~(PAGE_SIZE - 1),
                        delivery_seen.cr2);
        }
    }
    bench_close();
    findings_conclude(&findings);
}

static void string_flags_restored(struct trial *trial)
{
    const struct string_op *op = trial->test_case->parameter;

    if (!strings_open(trial)) {
        return;
    }
    for (unsigned run = 0; run < 8; run++) {
        struct element e = {run & 3, 2, 0, run >> 2};
        vaddr_t failing;
        strings_direction(e.down);
        struct trap_frame start = string_start(trial, op, &e, &failing);
        deliver(&start);
        trial_expect(trial, FIELD_VECTOR, run, VECTOR_PF, delivery_seen.frame.vector);
        trial_compare(trial, FIELD_RFLAGS, run, start.rflags, ARITHMETIC | RFLAGS_DF,
                      delivery_seen.frame.rflags);
    }
    bench_close();
}

static void count_0_accesses_nothing(struct trial *trial)
{
    static const char *const strings[] = {delivery_movs, delivery_stos, delivery_lods,
                                          delivery_cmps, delivery_scas};
    struct findings findings = {.trial = trial};

    if (!bench_open(trial, PAIR_ABSENT, PAIR_ABSENT, true)) {
        return;
    }
    for (unsigned run = 0; run < 8 * ARRAY_COUNT(strings); run++) {
        struct trap_frame start = start_at(trial, strings[run >> 3] + (run & 3) * STRETCH_BYTES);
        start.rsi = FAULTING + 0x100;
        start.rcx = 0;
        start.rflags |= RFLAGS_CF | (run & 4 ? RFLAGS_DF : 0);
        deliver(&start);
        find(&findings, FIELD_VECTOR, run, DELIVERY_EXIT, delivery_seen.frame.vector);
        find(&findings, FIELD_RFLAGS, run, start.rflags, delivery_seen.frame.rflags);
        expect_registers(&findings, &start);
    }
    bench_close();
    findings_conclude(&findings);
}

/*
 * Every access of 2, 4 and 8 bytes that the edge splits, with one page bad, or both. Two checks of
 * one stimulus: what memory holds (R7.1), what CR2 names (R5.1).
 */
struct split {
    const char *code;
    pte_t bad; /* flags of the bad page */
};

static void split_access(struct trial *trial, bool judge_memory, unsigned bad_pages)
{
    const struct split *split = trial->test_case->parameter;
    struct findings findings = {.trial = trial};
    bool bad[2] = {bad_pages & 1, bad_pages & 2};

    if (!bench_open(trial, bad[0] ? split->bad : PAIR_WRITABLE, bad[1] ? split->bad : PAIR_WRITABLE,
                    true)) {
        return;
    }
    for (unsigned log_width = 1; log_width <= 3; log_width++) {
        for (unsigned before = 1; before < 1u << log_width; before++) {
            struct trap_frame start = start_at(trial, split->code + log_width * STRETCH_BYTES);
            vaddr_t first = PAIR_EDGE - before, expected = bad[0] ? first : PAIR_EDGE;
            start.rdi = first;
            start.rsp = trial->user ? 0 : start.rsp; /* its page may be the bad one */
            deliver(&start);
            find(&findings, FIELD_VECTOR, before, VECTOR_PF, delivery_seen.frame.vector);
            if (!judge_memory) {
                /* Both bad: the lower expected, the other recorded. */
                if (bad[0] && bad[1] && delivery_seen.cr2 == PAIR_EDGE) {
                    expected = PAIR_EDGE;
                }
                find(&findings, FIELD_CR2, before, expected, delivery_seen.cr2);
                continue;
            }
            for (vaddr_t at = PAIR_EDGE - 16; at < PAIR_EDGE + 16; at++) {
                find(&findings, FIELD_MEMORY, at & (PAGE_SIZE - 1), pair_pattern(at),
                     *pair_byte(at));
            }
        }
    }
    bench_close();
    findings_conclude(&findings);
}

static void split_memory_second_bad(struct trial *trial)
{
    split_access(trial, true, 2);
}

static void split_memory_first_bad(struct trial *trial)
{
    split_access(trial, true, 1);
}

static void split_cr2_second_bad(struct trial *trial)
{
    split_access(trial, false, 2);
}

static void split_cr2_first_bad(struct trial *trial)
{
    split_access(trial, false, 1);
}

static void split_cr2_both_bad(struct trial *trial)
{
    split_access(trial, false, 3);
}

/* An instruction of two bytes, one in each page: CR2 is the byte that is missing, RIP the first. */
static void split_fetch_cr2(struct trial *trial)
{
    if (!bench_open(trial, PAIR_EXECUTABLE, PAIR_ABSENT, true)) {
        return;
    }
    *pair_byte(PAIR_EDGE - 1) = 0xff; /* of jmp *%rsi, ff e6 */
    struct trap_frame start = start_at(trial, delivery_jump);
    start.rdi = PAIR_EDGE - 1;
    deliver(&start);
    bench_close();
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, delivery_seen.frame.vector);
    trial_expect(trial, FIELD_CR2, 0, PAIR_EDGE, delivery_seen.cr2);
    trial_expect(trial, FIELD_RIP, 0, PAIR_EDGE - 1, delivery_seen.frame.rip);
}

/* ---- R7.1: retry. The ordinary #PF handler, with a resolver that makes the page present
 * ------------------------- */

static unsigned repairs;

static enum fault_result repair(struct trap_frame *frame, uint64_t address)
{
    (void)frame;
    if (address - (PAIR_EDGE - PAGE_SIZE) >= 2 * PAGE_SIZE) {
        return FAULT_NOT_MINE;
    }
    repairs++;
    pair_set(address >= PAIR_EDGE, PAIR_WRITABLE);
    return FAULT_RETRY;
}

/* Both pages absent, @start's instruction, repaired @expected times until it went through. */
static void retry(struct trial *trial, const struct trap_frame *start, unsigned expected)
{
    struct cpu *cpu = cpu_current();

    repairs = 0;
    cpu->resolver = repair;
    deliver(start);
    cpu->resolver = NULL;
    bench_close();
    trial_expect(trial, FIELD_VECTOR, 0, DELIVERY_EXIT, delivery_seen.frame.vector);
    trial_expect(trial, FIELD_EVENTS, 1, expected, repairs);
}

static uint64_t pair_word(vaddr_t address)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)*pair_byte(address + i) << (8 * i);
    }
    return word;
}

static void retried_read(struct trial *trial)
{
    if (!bench_open(trial, PAIR_ABSENT, PAIR_ABSENT, false)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_load + 3 * STRETCH_BYTES);
    retry(trial, &start, 1);
    start.rax = pair_word(FAULTING);
    struct findings findings = {.trial = trial};
    expect_registers(&findings, &start);
    findings_conclude(&findings);
}

static void retried_store_across_the_edge(struct trial *trial)
{
    if (!bench_open(trial, PAIR_ABSENT, PAIR_ABSENT, false)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_store + 3 * STRETCH_BYTES);
    start.rdi = PAIR_EDGE - 3;
    retry(trial, &start, 2);
    trial_expect(trial, FIELD_MEMORY, PAGE_SIZE - 3, start.rsi, pair_word(PAIR_EDGE - 3));
    trial_expect(trial, FIELD_OTHER_MEMORY, PAGE_SIZE - 4, pair_pattern(PAIR_EDGE - 4),
                 *pair_byte(PAIR_EDGE - 4));
    trial_expect(trial, FIELD_OTHER_MEMORY, 5, pair_pattern(PAIR_EDGE + 5),
                 *pair_byte(PAIR_EDGE + 5));
}

static void retried_locked_add(struct trial *trial)
{
    if (!bench_open(trial, PAIR_ABSENT, PAIR_ABSENT, false)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_xadd);
    uint64_t before = pair_word(FAULTING);
    retry(trial, &start, 1);
    trial_expect(trial, FIELD_MEMORY, FAULTING & (PAGE_SIZE - 1), before + start.rsi,
                 pair_word(FAULTING));
    trial_expect(trial, FIELD_REGISTER, 6, before, delivery_seen.frame.rsi);
}

static void retried_push(struct trial *trial)
{
    if (!bench_open(trial, PAIR_ABSENT, PAIR_ABSENT, false)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_push);
    start.rsp = FAULTING;
    retry(trial, &start, 1);
    trial_expect(trial, FIELD_MEMORY, (FAULTING - 8) & (PAGE_SIZE - 1), start.rsi,
                 pair_word(FAULTING - 8));
    trial_expect(trial, FIELD_RSP, 0, FAULTING - 8, delivery_seen.frame.rsp);
}

/* From page 0 to page 1, over both of their edges' ends: two faults, and each byte once. */
static void retried_string_copy(struct trial *trial)
{
    struct findings findings = {.trial = trial};
    const unsigned bytes = 100;

    if (!bench_open(trial, PAIR_ABSENT, PAIR_ABSENT, false)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_movs);
    start.rsi = PAIR_EDGE - bytes;
    start.rcx = bytes;
    retry(trial, &start, 2);
    start.rsi += bytes;
    start.rdi += bytes;
    start.rcx = 0;
    expect_registers(&findings, &start);
    for (vaddr_t at = FAULTING - 8; at < FAULTING + bytes + 8; at++) {
        bool copied = at >= FAULTING && at < FAULTING + bytes;
        find(&findings, FIELD_MEMORY, at & (PAGE_SIZE - 1),
             pair_pattern(copied ? at - FAULTING + PAIR_EDGE - bytes : at), *pair_byte(at));
    }
    findings_conclude(&findings);
}

/* ---- R7.2: the frame, R7.3: flags at the handler
 * ------------------------------------------------------------ */

/* Which stack the gate of a check uses. */
enum frame_stack {
    FRAME_ORDINARY, /* the interrupted one, or RSP0 */
    FRAME_IST,
};

static bool frame_open(struct trial *trial)
{
    const enum frame_stack *stack = trial->test_case->parameter;

    if (!bench_open(trial, PAIR_WRITABLE, PAIR_ABSENT, true)) {
        return false;
    }
    bend_gate(VECTOR_PF, GATE_INTERRUPT, *stack == FRAME_IST ? IST_TEST : 0);
    return true;
}

/* The stack that delivery starts from: the interrupted RSP, RSP0 or the IST's, in all 16 places. */
static void frame_is_aligned(struct trial *trial)
{
    const enum frame_stack *stack = trial->test_case->parameter;
    struct tss *tss = cpu_tss(cpu_current());

    if (!frame_open(trial)) {
        return;
    }
    for (unsigned off = 0; off < 16; off++) {
        struct trap_frame start = start_at(trial, delivery_load);
        uint64_t top;
        if (*stack == FRAME_IST) {
            top = tss->ist[IST_TEST - 1] = stack_top(STACK_IST) - off;
        } else if (trial->user) {
            top = tss->rsp[0] = stack_top(STACK_RSP0) - off;
        } else {
            top = start.rsp -= off;
        }
        deliver(&start);
        trial_expect(trial, FIELD_RSP, off, (top & ~UINT64_C(15)) - FRAME_BYTES, delivery_seen.rsp);
        trial_expect(trial, FIELD_RSP, off, start.rsp, delivery_seen.frame.rsp);
    }
    bench_close();
}

static void frame_holds_what_was_interrupted(struct trial *trial)
{
    if (!frame_open(trial)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_store);
    start.rsp -= 5;
    start.rflags |= ARITHMETIC | RFLAGS_AC | RFLAGS_DF | RFLAGS_NT | RFLAGS_IOPL;
    deliver(&start);
    bench_close();
    const struct trap_frame *frame = &delivery_seen.frame;
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, frame->vector);
    trial_compare(trial, FIELD_ERROR_CODE, 0, PF_EC_W | (trial->user ? PF_EC_U : 0), 0xffffffff,
                  frame->error);
    trial_expect(trial, FIELD_RIP, 0, start.rip, frame->rip);
    trial_expect(trial, FIELD_CS, 0, start.cs, frame->cs);
    trial_expect(trial, FIELD_RFLAGS, 0, start.rflags | RFLAGS_RF, frame->rflags);
    trial_expect(trial, FIELD_RSP, 0, start.rsp, frame->rsp);
    trial_expect(trial, FIELD_SS, 0, start.ss, frame->ss);
    trial_expect(trial, FIELD_CS, 1, SELECTOR_CODE, delivery_seen.cs);
}

static void ss_at_the_handler(struct trial *trial)
{
    if (!frame_open(trial)) {
        return;
    }
    struct trap_frame start = start_at(trial, delivery_load);
    deliver(&start);
    bench_close();
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, delivery_seen.frame.vector);
    trial_expect(trial, FIELD_SS, 0, start.ss, delivery_seen.frame.ss);
    trial_expect(trial, FIELD_SS, 1, trial->user ? 0 : SELECTOR_DATA, delivery_seen.ss);
}

/*
 * While ring 0 runs an instruction with IF=1: nothing may come. What waits stays pending, and comes
 * when firmware's world has its masks again.
 */
static struct {
    uint8_t master, slave;
    uint64_t priority;
} interrupts;
#define PIC_MASTER 0x21
#define PIC_SLAVE  0xa1

/*
 * A local APIC that had asked for an interrupt before its priority was raised sends its spurious
 * vector at the next IF=1 instead (SDM vol. 3A, "Spurious Interrupt"). It may come now, where it
 * does no harm; it wants no EOI. Firmware chose the vector: 15 or one that is no exception's.
 */
static void let_spurious_interrupt_pass(void)
{
    static struct gate before[VECTORS];

    memcpy(before, tables_gate(0), sizeof(before));
    for (unsigned vector = 15; vector < VECTORS; vector++) {
        if (vector == 15 || vector >= 31) {
            *tables_gate(vector) =
                gate_make((uint64_t)delivery_ignored, SELECTOR_CODE, GATE_INTERRUPT, 0, 0);
        }
    }
    delivery_interruptible();
    memcpy(tables_gate(0), before, sizeof(before));
}

static void interrupts_mask(void)
{
    interrupts.master = read_port8(PIC_MASTER);
    interrupts.slave = read_port8(PIC_SLAVE);
    interrupts.priority = read_cr8();
    write_port8(PIC_MASTER, 0xff);
    write_port8(PIC_SLAVE, 0xff);
    write_cr8(15);
    let_spurious_interrupt_pass();
}

static void interrupts_unmask(void)
{
    write_cr8(interrupts.priority);
    write_port8(PIC_SLAVE, interrupts.slave);
    write_port8(PIC_MASTER, interrupts.master);
}

struct flags_case {
    unsigned gate;
    bool interrupts; /* IF=1 when the fault comes */
};

static void flags_at_the_handler(struct trial *trial)
{
    const struct flags_case *c = trial->test_case->parameter;

    if (!bench_open(trial, PAIR_WRITABLE, PAIR_ABSENT, true)) {
        return;
    }
    bend_gate(VECTOR_PF, c->gate, 0);
    struct trap_frame start = start_at(trial, c->interrupts ? delivery_sti_store : delivery_store);
    /* TF would trap behind STI, which is no fault; IOPL lets ring 3 execute STI. */
    start.rflags |= ARITHMETIC | RFLAGS_AC | RFLAGS_DF | RFLAGS_NT | RFLAGS_IOPL |
                    (c->interrupts ? 0 : RFLAGS_TF | RFLAGS_RF);
    interrupts_mask();
    deliver(&start);
    interrupts_unmask();
    bench_close();
    uint64_t interrupted = start.rflags | RFLAGS_RF | (c->interrupts ? RFLAGS_IF : 0);
    uint64_t cleared = RFLAGS_TF | RFLAGS_NT | RFLAGS_RF;
    if (c->gate == GATE_INTERRUPT) {
        cleared |= RFLAGS_IF;
    }
    trial_expect(trial, FIELD_VECTOR, 0, VECTOR_PF, delivery_seen.frame.vector);
    trial_expect(trial, FIELD_RFLAGS, 0, interrupted, delivery_seen.frame.rflags);
    trial_expect(trial, FIELD_RFLAGS, 1, interrupted & ~cleared, delivery_seen.rflags);
}

/* ---- R7.4, R7.5: an exception whose delivery meets another
 * ----------------------------------------------------- */

/* What is in the way of the first exception. */
enum obstacle {
    STACK_ABSENT,        /* its frame lies in page 0, which is absent */
    STACK_READ_ONLY,     /* or read-only */
    STACK_NOT_CANONICAL, /* or nowhere */
    GATE_ABSENT,         /* its gate lies in page 1, which is absent */
    GATE_NOT_PRESENT,    /* #NP */
    GATE_NULL_SELECTOR,  /* #GP */
    GATE_BAD_TYPE,       /* #GP */
    TSS_TOO_SHORT,       /* #TS: its stack pointer lies beyond the limit */
};

struct collision {
    const char *code; /* raises @first; delivery_exit: INT 128 */
    unsigned first;
    enum obstacle obstacle;
    unsigned arrives; /* the vector that reaches a handler */
    uint64_t error;
    uint64_t cr2, cr2_mask;
};

#define GATE_PAGE_FIRST(first) ((first) == DELIVERY_EXIT ? VECTOR_PF + 1 : (first))
#define NOT_CANONICAL          BIT(62)

/* An IDT whose gates from @first on lie in page 1; those before it work. */
static void idt_move(unsigned first)
{
    vaddr_t base = PAIR_EDGE - first * sizeof(struct gate);
    const uint8_t *bytes = (const uint8_t *)tables_gate(0);

    for (uint64_t i = 0; i < VECTORS * sizeof(struct gate); i++) {
        *pair_byte(base + i) = bytes[i];
    }
    load_idt((struct table_register){.limit = VECTORS * sizeof(struct gate) - 1, .base = base});
}

/* TR with a TSS of @bytes; those behind its stack pointers are not used here. */
static void tss_resize(uint32_t bytes)
{
    struct cpu *cpu = cpu_current();

    cpu_gdt(cpu)[SELECTOR_TSS / 8] = tss_descriptor_low((uint64_t)cpu_tss(cpu), bytes - 1);
    load_tr(SELECTOR_TSS);
}

static void stack_set(const struct trial *trial, struct trap_frame *start, uint64_t top)
{
    if (trial->user) {
        cpu_tss(cpu_current())->rsp[0] = top;
    } else {
        start->rsp = top;
    }
}

static void obstacle_place(const struct trial *trial, const struct collision *c,
                           struct trap_frame *start)
{
    struct gate *gate = tables_gate(c->first);

    switch (c->obstacle) {
    case STACK_ABSENT:
    case STACK_READ_ONLY:
        pair_set(0, c->obstacle == STACK_ABSENT ? PAIR_ABSENT : PAIR_READ_ONLY);
        stack_set(trial, start, PAIR_EDGE);
        break;
    case STACK_NOT_CANONICAL:
        stack_set(trial, start, NOT_CANONICAL);
        break;
    case GATE_ABSENT:
        idt_move(GATE_PAGE_FIRST(c->first));
        break;
    case GATE_NOT_PRESENT:
        gate->low &= ~BIT(47);
        break;
    case GATE_NULL_SELECTOR:
        gate->low &= ~(UINT64_C(0xffff) << 16);
        break;
    case GATE_BAD_TYPE:
        gate->low &= ~(UINT64_C(0xf) << 40);
        break;
    case TSS_TOO_SHORT:
        /* The last IST entry is cut off; #DF's is the first. */
        bend_gate(c->first, GATE_INTERRUPT, 7);
        tss_resize(offsetof(struct tss, ist[6]));
        break;
    }
}

static void delivery_collides(struct trial *trial)
{
    const struct collision *c = trial->test_case->parameter;
    struct table_register idt = store_idt();
    uint64_t handler_top = stack_top(STACK_IST);

    if (!bench_open(trial, PAIR_WRITABLE, PAIR_ABSENT, true)) {
        return;
    }
    struct trap_frame start = start_at(trial, c->code);
    if (c->first != VECTOR_PF) {
        bend_gate(VECTOR_PF, GATE_INTERRUPT, IST_TEST); /* so that the second one arrives */
    }
    obstacle_place(trial, c, &start);
    deliver(&start);
    load_idt(idt);
    if (c->obstacle == TSS_TOO_SHORT) {
        tss_resize(sizeof(struct tss));
    }
    bench_close();
    const struct trap_frame *frame = &delivery_seen.frame;
    trial_expect(trial, FIELD_VECTOR, 0, c->arrives, frame->vector);
    trial_compare(trial, FIELD_ERROR_CODE, 0, c->error, 0xffffffff, frame->error);
    trial_compare(trial, FIELD_CR2, 0, c->cr2, c->cr2_mask, delivery_seen.cr2);
    if (c->arrives == VECTOR_DF) {
        handler_top = (uint64_t)cpu_current() + CPU_STACK_DF_TOP;
    } else {
        /* What was interrupted is still the first one's instruction. */
        trial_expect(trial, FIELD_RIP, 0, start.rip, frame->rip);
        trial_expect(trial, FIELD_CS, 0, start.cs, frame->cs);
        trial_expect(trial, FIELD_SS, 0, start.ss, frame->ss);
        trial_expect(trial, FIELD_RSP, 1, start.rsp, frame->rsp);
    }
    trial_expect(trial, FIELD_RSP, 0, handler_top - FRAME_BYTES, delivery_seen.rsp);
}

/* clang-format off */
#define RESTART(name_, rings_, stretch)                                                               \
    {.name = name_ "_leaves_registers", .rule = RULE_7_1, .rings = RINGS_##rings_,                    \
     .run = registers_unchanged, .parameter = delivery_##stretch}
#define STRING(name_, run_, stretch, source_bad, source, destination)                                 \
    {.name = name_, .rule = RULE_7_1, .rings = RINGS_BOTH, .run = run_,                               \
     .parameter = &(const struct string_op){delivery_##stretch, source_bad, source, destination}}
#define SPLIT(name_, rule_, run_, stretch, bad)                                                       \
    {.name = name_, .rule = RULE_##rule_, .rings = RINGS_BOTH, .run = run_,                           \
     .parameter = &(const struct split){delivery_##stretch, PAIR_##bad}}
#define PLAIN(name_, rings_)                                                                          \
    {.name = #name_, .rule = RULE_7_1, .rings = RINGS_##rings_, .run = name_}
#define FRAME(name_, rings_, run_, stack)                                                             \
    {.name = name_, .rule = RULE_7_2, .rings = RINGS_##rings_, .run = run_,                           \
     .parameter = &(const enum frame_stack){stack}}
#define FLAGS(name_, gate, interrupts)                                                                \
    {.name = name_, .rule = RULE_7_3, .rings = RINGS_BOTH, .run = flags_at_the_handler,               \
     .parameter = &(const struct flags_case){GATE_##gate, interrupts}}
/* What goes wrong here on a processor that is wrong is a triple fault. */
#define COLLISION(name_, rule_, rings_, ...)                                                          \
    {.name = name_, .rule = RULE_##rule_, .rings = RINGS_##rings_, .flags = CASE_DANGEROUS,           \
     .run = delivery_collides, .parameter = &(const struct collision){__VA_ARGS__}}

#define PAGE_0      PAIR_EDGE - PAGE_SIZE, ~(PAGE_SIZE - 1)
#define GATE_14     PAIR_EDGE, ~UINT64_C(15)
#define GATE_128    PAIR_EDGE + (DELIVERY_EXIT - VECTOR_PF - 1) * sizeof(struct gate), ~UINT64_C(15)
#define FIRST_FAULT FAULTING, ~UINT64_C(0)
#define NO_CR2      0, 0

static const struct test_case cases[] = {
    RESTART("read",           BOTH, load),
    RESTART("write",          BOTH, store),
    RESTART("locked_xadd",    BOTH, xadd),
    RESTART("locked_cmpxchg", BOTH, cmpxchg),
    RESTART("push",           USER, push),
    RESTART("pop_to_memory",  BOTH, pop),
    RESTART("call",           BOTH, call),

    PLAIN(saved_rflags_has_rf, BOTH),

    STRING("rep_movs_stops_at_source",      string_stops_at_element, movs, true,  true,  true),
    STRING("rep_movs_stops_at_destination", string_stops_at_element, movs, false, true,  true),
    STRING("rep_stos_stops_at_element",     string_stops_at_element, stos, false, false, true),
    STRING("rep_lods_stops_at_element",     string_stops_at_element, lods, true,  true,  false),
    STRING("repe_cmps_stops_at_source",     string_stops_at_element, cmps, true,  true,  true),
    STRING("repe_cmps_stops_at_destination", string_stops_at_element, cmps, false, true, true),
    STRING("repe_scas_stops_at_element",    string_stops_at_element, scas, false, false, true),
    STRING("repe_cmps_restores_flags",      string_flags_restored,   cmps, true,  true,  true),
    STRING("repe_scas_restores_flags",      string_flags_restored,   scas, false, false, true),
    PLAIN(count_0_accesses_nothing, BOTH),

    SPLIT("split_store_second_page_absent",    7_1, split_memory_second_bad, store, ABSENT),
    SPLIT("split_store_first_page_absent",     7_1, split_memory_first_bad,  store, ABSENT),
    SPLIT("split_store_second_page_read_only", 7_1, split_memory_second_bad, store, READ_ONLY),
    SPLIT("split_store_first_page_read_only",  7_1, split_memory_first_bad,  store, READ_ONLY),
    SPLIT("cr2_of_split_read_second_page",     5_1, split_cr2_second_bad,    load,  ABSENT),
    SPLIT("cr2_of_split_read_first_page",      5_1, split_cr2_first_bad,     load,  ABSENT),
    SPLIT("cr2_of_split_read_both_pages",      5_1, split_cr2_both_bad,      load,  ABSENT),
    SPLIT("cr2_of_split_write_second_page",    5_1, split_cr2_second_bad,    store, ABSENT),
    SPLIT("cr2_of_split_write_first_page",     5_1, split_cr2_first_bad,     store, ABSENT),
    SPLIT("cr2_of_split_write_both_pages",     5_1, split_cr2_both_bad,      store, ABSENT),
    SPLIT("cr2_of_split_write_read_only",      5_1, split_cr2_second_bad,    store, READ_ONLY),
    {.name = "cr2_of_split_fetch", .rule = RULE_5_1, .rings = RINGS_BOTH, .run = split_fetch_cr2},

    PLAIN(retried_read,                  BOTH),
    PLAIN(retried_store_across_the_edge, BOTH),
    PLAIN(retried_locked_add,            BOTH),
    PLAIN(retried_push,                  USER),
    PLAIN(retried_string_copy,           BOTH),

    FRAME("frame_is_aligned",                        BOTH, frame_is_aligned,                 FRAME_ORDINARY),
    FRAME("frame_on_ist_is_aligned",                 BOTH, frame_is_aligned,                 FRAME_IST),
    FRAME("frame_holds_what_was_interrupted",        BOTH, frame_holds_what_was_interrupted, FRAME_ORDINARY),
    FRAME("frame_on_ist_holds_what_was_interrupted", BOTH, frame_holds_what_was_interrupted, FRAME_IST),
    FRAME("ss_becomes_null",                         USER, ss_at_the_handler,                FRAME_ORDINARY),
    FRAME("ss_becomes_null_with_ist",                USER, ss_at_the_handler,                FRAME_IST),
    FRAME("ss_stays",                                SUPERVISOR, ss_at_the_handler,          FRAME_ORDINARY),
    FRAME("ss_stays_with_ist",                       SUPERVISOR, ss_at_the_handler,          FRAME_IST),

    FLAGS("interrupt_gate_clears_flags", INTERRUPT, false),
    FLAGS("interrupt_gate_clears_if",    INTERRUPT, true),
    FLAGS("trap_gate_clears_flags",      TRAP,      false),
    FLAGS("trap_gate_leaves_if",         TRAP,      true),

    CASE("error_code_tells_absent",   4_P, 4K, LEAF, BOTH, .kind = ACCESS_READ, .clear = PTE_P,
         .expect = EXPECT_NOT_PRESENT),
    CASE("error_code_tells_present",  4_P, 4K, LEAF, USER, .kind = ACCESS_READ, .clear = PTE_US,
         .expect = EXPECT_FORBIDDEN),
    CASE("error_code_tells_ring",     4_U, 4K, LEAF, BOTH, .kind = ACCESS_WRITE, .clear = PTE_RW,
         .expect = EXPECT_FORBIDDEN),
    CASE("error_code_of_implicit_access_tells_supervisor", 4_U, 4K, LEAF, BOTH,
         .kind = ACCESS_IMPLICIT_READ, .clear = PTE_P, .expect = EXPECT_NOT_PRESENT),
    /* A bit that is reserved on every processor. */
    {.name = "error_code_tells_reserved", .rule = RULE_4_RSVD, .sizes = 1u << SIZE_2M,
     .levels = LEVELS_LEAF, .rings = RINGS_BOTH, .run = access_run,
     .parameter = ACCESS(.kind = ACCESS_READ, .set = BIT(13), .expect = EXPECT_RESERVED)},
    CASE("dirty_stays_clear_after_faulting_write", 5_3, ALL, LEAF, USER, .kind = ACCESS_WRITE,
         .clear = PTE_RW, .expect = EXPECT_FORBIDDEN),
    CASE("accessed_stays_clear_behind_absent_entry", 5_3, ALL, ALL, BOTH, .kind = ACCESS_READ,
         .clear = PTE_P, .expect = EXPECT_NOT_PRESENT),

    COLLISION("pf_meets_absent_stack",        7_4, BOTH, delivery_load, VECTOR_PF, STACK_ABSENT,        VECTOR_DF, 0, PAGE_0),
    COLLISION("pf_meets_read_only_stack",     7_4, BOTH, delivery_load, VECTOR_PF, STACK_READ_ONLY,     VECTOR_DF, 0, PAGE_0),
    COLLISION("pf_meets_absent_gate",         7_4, BOTH, delivery_load, VECTOR_PF, GATE_ABSENT,         VECTOR_DF, 0, GATE_14),
    COLLISION("pf_meets_gate_not_present",    7_4, BOTH, delivery_load, VECTOR_PF, GATE_NOT_PRESENT,    VECTOR_DF, 0, FIRST_FAULT),
    COLLISION("pf_meets_gate_null_selector",  7_4, BOTH, delivery_load, VECTOR_PF, GATE_NULL_SELECTOR,  VECTOR_DF, 0, FIRST_FAULT),
    COLLISION("pf_meets_gate_of_bad_type",    7_4, BOTH, delivery_load, VECTOR_PF, GATE_BAD_TYPE,       VECTOR_DF, 0, FIRST_FAULT),
    COLLISION("pf_meets_noncanonical_stack",  7_4, BOTH, delivery_load, VECTOR_PF, STACK_NOT_CANONICAL, VECTOR_DF, 0, FIRST_FAULT),
    COLLISION("pf_meets_short_tss",           7_4, BOTH, delivery_load, VECTOR_PF, TSS_TOO_SHORT,       VECTOR_DF, 0, FIRST_FAULT),
    COLLISION("gp_meets_gate_not_present",    7_4, USER, delivery_hlt,  VECTOR_GP, GATE_NOT_PRESENT,    VECTOR_DF, 0, NO_CR2),
    COLLISION("gp_meets_absent_stack",        7_4, USER, delivery_hlt,  VECTOR_GP, STACK_ABSENT,        VECTOR_PF, PF_EC_W, PAGE_0),
    COLLISION("ud_meets_absent_stack",        7_4, BOTH, delivery_ud2,  VECTOR_UD, STACK_ABSENT,        VECTOR_PF, PF_EC_W, PAGE_0),
    COLLISION("int_meets_absent_stack",       7_5, BOTH, delivery_exit, DELIVERY_EXIT, STACK_ABSENT,    VECTOR_PF, PF_EC_W, PAGE_0),
    COLLISION("int_meets_read_only_stack",    7_5, BOTH, delivery_exit, DELIVERY_EXIT, STACK_READ_ONLY, VECTOR_PF, PF_EC_P | PF_EC_W, PAGE_0),
    COLLISION("int_meets_absent_gate",        7_5, BOTH, delivery_exit, DELIVERY_EXIT, GATE_ABSENT,     VECTOR_PF, 0, GATE_128),
};
/* clang-format on */

SUITE(delivery, "how #PF reaches its handler");
