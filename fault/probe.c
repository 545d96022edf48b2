/*
 * probe.c: see probe.h.
 */
#include "probe.h"

#include "cpu.h"
#include "probe_offsets.h"
#include "ring3.h"
#include "tables.h"
#include "x86/instructions.h"
#include "x86/registers.h"

_Static_assert(offsetof(struct cpu, probe.exit) == CPU_PROBE_EXIT, "probe.S knows it");
_Static_assert(offsetof(struct cpu, probe.resume) == CPU_PROBE_RESUME, "probe.S knows it");
_Static_assert(offsetof(struct cpu, probe.rsp) == CPU_PROBE_RSP, "probe.S knows it");
_Static_assert(offsetof(struct cpu, probe.outcome) == CPU_OUTCOME, "entry.S knows it");
_Static_assert(offsetof(struct cpu, probe.pushed_at) == CPU_PROBE_PUSHED_AT, "entry.S knows it");
_Static_assert(offsetof(struct outcome, cs) == OUTCOME_CS, "entry.S knows it");
_Static_assert(offsetof(struct outcome, ss) == OUTCOME_SS, "entry.S knows it");
_Static_assert(offsetof(struct outcome, error) == OUTCOME_ERROR, "entry.S knows it");
_Static_assert(offsetof(struct outcome, cr2) == OUTCOME_CR2, "entry.S knows it");
_Static_assert(offsetof(struct outcome, rip) == OUTCOME_RIP, "entry.S knows it");
_Static_assert(offsetof(struct outcome, rflags) == OUTCOME_RFLAGS, "entry.S knows it");
_Static_assert(offsetof(struct outcome, rsp) == OUTCOME_RSP, "entry.S knows it");
_Static_assert(VECTOR_NONE == OUTCOME_NONE, "probe.S knows it");
_Static_assert(PROBE_FIXUP == PROBE_EXIT_FIXUP, "probe.S knows it");

#define X(id, name)                                                                                \
    uint64_t probe_supervisor_##id(vaddr_t address, uint64_t operand);                             \
    extern const char probe_supervisor_##id##_at[], probe_user_##id##_at[];
ACCESS_KINDS(X)
#undef X
extern const char probe_user_landing[];

static const struct {
    uint64_t (*supervisor)(vaddr_t address, uint64_t operand);
    const char *supervisor_at, *user_at;
} probes[ACCESS_NONE] = {
#define X(id, name)                                                                                \
    [ACCESS_##id] = {probe_supervisor_##id, probe_supervisor_##id##_at, probe_user_##id##_at},
    ACCESS_KINDS(X)
#undef X
};

static uint64_t operand_for(enum access_kind kind, uint64_t operand)
{
    return kind == ACCESS_WRITE || kind == ACCESS_PUSH ? PROBE_VALUE : operand;
}

uint64_t probe_make(enum access_kind kind, vaddr_t address, uint64_t operand)
{
    return probes[kind].supervisor(address, operand);
}

const struct outcome *probe_outcome(void)
{
    return &cpu_current()->probe.outcome;
}

uint64_t probe_supervisor(enum access_kind kind, vaddr_t address, uint64_t operand, bool ac,
                          struct outcome *outcome)
{
    uint64_t flags = read_rflags();

    if (ac) {
        write_rflags(flags | RFLAGS_AC);
    }
    uint64_t value = probe_make(kind, address, operand_for(kind, operand));
    if (ac) {
        write_rflags(flags);
    }
    *outcome = *probe_outcome();
    return value;
}

uint64_t probe_user(enum access_kind kind, vaddr_t address, uint64_t operand, bool ac, vaddr_t code,
                    vaddr_t stack, struct outcome *outcome)
{
    struct trap_frame user =
        ring3_frame(code + (uint64_t)(probes[kind].user_at - probe_user_page), stack);

    user.rdi = address;
    user.rsi = kind == ACCESS_FETCH ? code + (uint64_t)(probe_user_landing - probe_user_page)
                                    : operand_for(kind, operand);
    if (kind == ACCESS_PUSH) {
        user.rsp = address + 8;
    }
    if (ac) {
        user.rflags |= RFLAGS_AC;
    }
    uint64_t vector = ring3_run(&user);
    *outcome = (struct outcome){
        .vector = vector == VECTOR_USER_EXIT ? VECTOR_NONE : (uint16_t)vector,
        .cs = (uint16_t)user.cs,
        .ss = (uint16_t)user.ss,
        .error = user.error,
        .cr2 = read_cr2(),
        .rip = user.rip,
        .rflags = user.rflags,
        .rsp = user.rsp,
    };
    return user.rax;
}

uint64_t probe_expected_rip(enum access_kind kind, vaddr_t address, vaddr_t code)
{
    if (kind == ACCESS_FETCH) {
        return address;
    }
    return code ? code + (uint64_t)(probes[kind].user_at - probe_user_page)
                : (uint64_t)probes[kind].supervisor_at;
}

uint64_t probe_supervisor_rsp(void)
{
    return cpu_current()->probe.rsp;
}

_Noreturn void probe_unwind(struct cpu *cpu, const struct trap_frame *frame)
{
    struct probe *probe = &cpu->probe;

    probe->exit = PROBE_IDLE;
    probe->outcome = (struct outcome){
        .vector = (uint16_t)frame->vector,
        .cs = (uint16_t)frame->cs,
        .ss = (uint16_t)frame->ss,
        .error = frame->error,
        .cr2 = read_cr2(),
        .rip = frame->rip,
        .rflags = frame->rflags,
        .rsp = frame->rsp,
    };
    probe->pushed_at = (uint64_t)&frame->error;
    context_resume(&probe->context, 1);
}
