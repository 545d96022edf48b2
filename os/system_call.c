/*
 * system_call.c: see system_call.h.
 */
#include "system_call.h"

#include "fault/cpu.h"

struct system_call_totals system_call_totals;

/* A function of one type for each row: all six arguments stay in their registers. */
#define CALL_0(name) sys_##name(task)
#define CALL_1(name) sys_##name(task, a)
#define CALL_2(name) sys_##name(task, a, b)
#define CALL_3(name) sys_##name(task, a, b, c)
#define CALL_4(name) sys_##name(task, a, b, c, d)
#define CALL_5(name) sys_##name(task, a, b, c, d, e)
#define CALL_6(name) sys_##name(task, a, b, c, d, e, f)
#define X(number, name, count)                                                                     \
    static int64_t call_##name(struct task *task, uint64_t a, uint64_t b, uint64_t c, uint64_t d,  \
                               uint64_t e, uint64_t f)                                             \
    {                                                                                              \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;                                      \
        return CALL_##count(name);                                                                 \
    }
SYSTEM_CALLS(X)
#undef X

static int64_t (*const table[])(struct task *task, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                uint64_t e, uint64_t f) = {
#define X(number, name, count) [number] = call_##name,
    SYSTEM_CALLS(X)
#undef X
};

static void note_unknown(uint32_t number)
{
    struct system_call_totals *totals = &system_call_totals;
    uint16_t noted = number > UINT16_MAX ? UINT16_MAX : (uint16_t)number;

    for (uint32_t i = 0; i < totals->unknown_count; i++) {
        if (totals->unknown[i] == noted) {
            return;
        }
    }
    if (totals->unknown_count < ARRAY_COUNT(totals->unknown)) {
        totals->unknown[totals->unknown_count++] = noted;
    }
}

void system_call(struct task *task)
{
    struct trap_frame *frame = &task->frame;
    uint32_t number = (uint32_t)frame->rax;
    int64_t result;

    if (task->system_call == SYSTEM_CALL_NONE) {
        task->done = 0;
    }
    task->system_call = SYSTEM_CALL_NONE;
    if (!task->waits_for) {
        task->mm->bad.kind = BAD_NONE; /* else it says that this is the second try */
    }
    task->waits_for = NULL;
    system_call_totals.calls++;
    if (number < ARRAY_COUNT(table) && table[number]) {
        result = table[number](task, frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8,
                               frame->r9);
    } else {
        note_unknown(number);
        result = -ENOSYS;
    }
    if (cpu_current()->task != task) {
        return; /* it has ended, and may not even be there any more */
    }
    if (result == -ERESTART) {
        task->system_call = number;
        frame->rip -= SYSCALL_BYTES;
    } else {
        frame->rax = (uint64_t)result;
    }
}
