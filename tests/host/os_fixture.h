/*
 * os_fixture.h: what tests of os/ have in common: the simulated machine, with what only a processor has replaced, and
 * programs of a few steps in place of ring 3's code. A step is as long as SYSCALL, so that a call that is made
 * again is the same step again. A broken invariant ends the test program.
 */
#ifndef HOST_OS_FIXTURE_H
#define HOST_OS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/die.h"
#include "fault/fpu.h"
#include "fault/ring3.h"
#include "fault/timer.h"
#include "fault/uaccess.h"
#include "mm/vmalloc.h"
#include "os/image.h"
#include "os/processor.h"
#include "os/system_call.h"
#include "tests/host/fpu_played.h"
#include "tests/host/machine_simulated.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define PAGE   PAGE_SIZE
#define AREA   UINT64_C(0x10000000)
#define P(n)   (AREA + (vaddr_t)(n)*PAGE)
#define FRAMES 3000

/* ---- what is not a processor's ----------------------------------------------------------------------- */

/*
 * The vmalloc area cannot be reached from here: its memory is the C library's. A page of the pool stands for each piece, so
 * that it is counted, and can fail.
 */
struct piece {
    struct page *page;
    uint8_t pad[64 - sizeof(struct page *)];
};

static size_t pieces;

void *vmalloc(uint64_t bytes)
{
    struct page *page = page_alloc(PAGE_KERNEL);

    if (!page) {
        return NULL;
    }
    struct piece *piece = aligned_alloc(64, ALIGN_UP(sizeof(*piece) + bytes, 64u));
    MUST(piece);
    memset(piece, 0, sizeof(*piece) + bytes);
    piece->page = page;
    pieces++;
    return piece + 1;
}

void vfree(void *at)
{
    if (at) {
        struct piece *piece = (struct piece *)at - 1;
        page_put(piece->page);
        pieces--;
        free(piece);
    }
}

void vmalloc_start(void)
{
}

void vmalloc_stop(void)
{
    MUST(pieces == 0);
}

bool vmalloc_holds(vaddr_t address)
{
    (void)address;
    return false;
}

bool vmalloc_synchronise(paddr_t root, vaddr_t address)
{
    (void)root, (void)address;
    return false;
}

/* Extended state is four bytes, and whoever is loaded has them. */
static uint32_t live_state;
static const struct task *loaded;

bool processor_begin(struct cpu *cpu)
{
    cpu->resolver = mm_resolve;
    return true;
}

void processor_end(struct cpu *cpu)
{
    cpu->resolver = NULL;
    loaded = NULL;
}

uint64_t processor_debug_status(void)
{
    return 0;
}

void task_save(struct task *task)
{
    MUST(task == loaded);
    memcpy(task->fpu, &live_state, sizeof(live_state));
    task->pkru = simulated.pkru;
}

void task_load(struct task *task)
{
    loaded = task;
    memcpy(&live_state, task->fpu, sizeof(live_state));
    simulated.pkru = task->pkru;
}

void fpu_save(void *area)
{
    (void)area;
}

bool fpu_restore(const void *area)
{
    (void)area;
    return true;
}

static bool armed;

void timer_arm(uint64_t ticks)
{
    armed = ticks > 0;
}

void timer_stop(void)
{
    armed = false;
}

uint64_t context_save(struct context *context)
{
    (void)context;
    return 0;
}

void context_resume(const struct context *context, uint64_t value)
{
    (void)context, (void)value;
    abort();
}

void die_assertion(const char *what)
{
    fprintf(stderr, "assertion: %s\n", what);
    abort();
}

/* ---- ring 3 ------------------------------------------------------------------------------------------- */

enum step_kind {
    STEP_CALL,    /* SYSCALL: @value is the number; an argument RBX is what KEEP kept */
    STEP_EXPECT,  /* the last result is @value */
    STEP_KEEP,    /* it is kept in rbx */
    STEP_IF_ZERO, /* and if it is 0, go on at step @value */
    STEP_GOTO,
    STEP_NOTE,  /* @value, a letter, goes to the log */
    STEP_COMES, /* ring 3 comes back with vector @value */
};
#define RBX UINT64_C(0xbbbbbbbbbbbbbbbb)

struct step {
    enum step_kind kind;
    int64_t value;
    uint64_t argument[6];
};
#define CALL(number, ...)                                                                          \
    {                                                                                              \
        STEP_CALL, number,                                                                         \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define EXPECT(value)                                                                              \
    {                                                                                              \
        STEP_EXPECT, value,                                                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define KEEP                                                                                       \
    {                                                                                              \
        STEP_KEEP, 0,                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define IF_ZERO(step)                                                                              \
    {                                                                                              \
        STEP_IF_ZERO, step,                                                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define GOTO(step)                                                                                 \
    {                                                                                              \
        STEP_GOTO, step,                                                                           \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define NOTE(letter)                                                                               \
    {                                                                                              \
        STEP_NOTE, letter,                                                                         \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define COMES(vector)                                                                              \
    {                                                                                              \
        STEP_COMES, vector,                                                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define STEPS_AT UINT64_C(0x401000)

static const struct step *steps;
static uint64_t step_count;
static char notes[256];
static unsigned long rounds, rounds_max;

static uint64_t argument(const struct trap_frame *frame, const struct step *step, unsigned number)
{
    return step->argument[number] == RBX ? frame->rbx : step->argument[number];
}

/* Called before each of a task's turns, if not NULL. */
static void (*watch)(void);

uint64_t ring3_run(struct trap_frame *frame)
{
    /* Whatever it was about to do, when it has gone astray or does not come to an end. */
    static const struct step last = {STEP_CALL, 60, {1}};

    MUST(armed); /* or a program that spins would never come back */
    MUST(task_current() == loaded);
    MUST(frame->cs == PROGRAM_CODE);
    MUST(frame->ss == PROGRAM_DATA);
    if (watch) {
        watch();
    }
    for (;;) {
        const uint64_t number = (frame->rip - STEPS_AT) / SYSCALL_BYTES;
        const bool over = number >= step_count || ++rounds >= rounds_max;
        const struct step *step = over ? &last : &steps[number];
        frame->rip += SYSCALL_BYTES;
        switch (step->kind) {
        case STEP_CALL:
            frame->rax = (uint64_t)step->value;
            frame->rdi = argument(frame, step, 0);
            frame->rsi = argument(frame, step, 1);
            frame->rdx = argument(frame, step, 2);
            frame->r10 = argument(frame, step, 3);
            frame->r8 = argument(frame, step, 4);
            frame->r9 = argument(frame, step, 5);
            frame->vector = VECTOR_SYSCALL;
            return VECTOR_SYSCALL;
        case STEP_EXPECT:
            if ((int64_t)frame->rax != step->value) {
                fprintf(stderr, "step %lu: %ld, not %ld\n", (unsigned long)number, (long)frame->rax,
                        (long)step->value);
                abort();
            }
            break;
        case STEP_KEEP:
            frame->rbx = frame->rax;
            break;
        case STEP_IF_ZERO:
            frame->rip = frame->rax ? frame->rip : STEPS_AT + (uint64_t)step->value * SYSCALL_BYTES;
            break;
        case STEP_GOTO:
            frame->rip = STEPS_AT + (uint64_t)step->value * SYSCALL_BYTES;
            break;
        case STEP_NOTE:
            notes[strlen(notes)] = (char)step->value;
            break;
        case STEP_COMES:
            armed = armed && step->value != TIMER_VECTOR; /* one shot */
            frame->vector = (uint64_t)step->value;
            return (uint64_t)step->value;
        }
    }
}

/* ---- an ELF file -------------------------------------------------------------------------------------- */

struct elf_file {
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, program_headers, section_headers;
        uint32_t flags;
        uint16_t header_bytes, program_header_bytes, program_header_count, section_bytes,
            section_count, section_names;
    } header;
    struct elf_segment {
        uint32_t type, flags;
        uint64_t offset, address, physical, file_bytes, memory_bytes, align;
    } segment[4];
    uint8_t rest[4 * PAGE];
};

enum {
    ELF_R = 4,
    ELF_W = 2,
    ELF_X = 1,
    ELF_LOAD = 1,
    ELF_INTERPRETER = 3,
    ELF_STACK = 0x6474e551,
};

/* Text of a page at 0x400000, code at 0x401000, data of 0x123 bytes with .bss up to 0x404567. */
static __attribute__((unused)) struct elf_file elf_good(void)
{
    struct elf_file file = {
        .header = {.ident = "\177ELF\2\1\1",
                   .type = 2,
                   .machine = 62,
                   .version = 1,
                   .entry = STEPS_AT,
                   .program_headers = offsetof(struct elf_file, segment),
                   .header_bytes = 64,
                   .program_header_bytes = 56,
                   .program_header_count = 4},
        .segment = {{ELF_LOAD, ELF_R, 0, 0x400000, 0x400000, 0x200, 0x200, PAGE},
                   {ELF_LOAD, ELF_R | ELF_X, PAGE, 0x401000, 0x401000, 0x800, 0x800, PAGE},
                   {ELF_LOAD, ELF_R | ELF_W, 2 * PAGE + 0x10, 0x402010, 0x402010, 0x123, 0x2557,
                     PAGE},
                   {ELF_STACK, ELF_R | ELF_W, 0, 0, 0, 0, 0, 16}},
    };

    for (size_t i = 0; i < sizeof(file.rest); i++) {
        file.rest[i] = (uint8_t)(i * 7 + 1);
    }
    return file;
}

/* ---- the machine -------------------------------------------------------------------------------------- */

static void fixture_start(size_t frames, unsigned levels)
{
    machine_start(frames, levels);
    fpu_format.bytes = 576;
    fpu_format.features = 3;
    live_state = 0;
    loaded = NULL;
    rounds = 0;
    rounds_max = 100000;
    step_count = 1000;
    memset(notes, 0, sizeof(notes));
}

static __attribute__((unused)) void assert_good(void)
{
    const char *wrong = machine_wrong();

    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
}

#endif
