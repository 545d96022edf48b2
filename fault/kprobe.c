/*
 * kprobe.c: see kprobe.h. A state machine; what changes code is text.c.
 *
 *   IDLE --#BP--> HANDLING --pre_handler--> STEPPING --#DB--> HANDLING --post_handler--> IDLE
 *                    |                         `--fault--> HANDLING --fault_handler--> IDLE
 *                    `--#BP of a probe that a handler ran into--> MISSED --#DB or fault--> HANDLING
 */
#include "kprobe.h"

#include "cpu.h"
#include "text.h"
#include "x86/registers.h"

#define INT3 0xcc
/* The longest run of prefixes that the decoding below follows: an instruction has 15 bytes. */
#define PREFIXES_MAX 14u

static struct kprobe *probes; /* all that are in, on every processor */

static struct kprobe *find(vaddr_t address)
{
    struct kprobe *probe = probes;

    while (probe && probe->address != address) {
        probe = probe->next;
    }
    return probe;
}

/* ---- putting in and taking out ------------------------------------------------------------------- */

static bool is_prefix(uint8_t byte)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};
    bool rex = (byte & 0xf0) == 0x40;

    for (size_t i = 0; i < ARRAY_COUNT(prefixes) && !rex; i++) {
        rex = byte == prefixes[i];
    }
    return rex;
}

/* The opcode's first byte, behind prefixes; in *@second the next one. */
static uint8_t opcode(vaddr_t address, uint8_t first, uint8_t *second)
{
    uint8_t byte = first;

    for (unsigned i = 0; i < PREFIXES_MAX && is_prefix(byte); i++) {
        byte = text_peek(++address);
    }
    *second = text_peek(address + 1);
    return byte;
}

/*
 * Stepping wants #DB right behind the instruction, in ring 0, and RFLAGS that are ours: not what loads
 * RFLAGS or SS, raises an interrupt, changes rings, halts.
 */
static bool can_be_stepped(vaddr_t address)
{
    static const uint8_t refused[] = {0x17, 0x8e, 0x9d, 0xca, 0xcb, 0xcc,
                                      0xcd, 0xcf, 0xf1, 0xf4, 0xfb};
    static const uint8_t refused_behind_0f[] = {0x05, 0x07, 0x34, 0x35, 0xb2};
    uint8_t second, first = opcode(address, text_peek(address), &second);

    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        if (first == refused[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(refused_behind_0f); i++) {
        if (first == 0x0f && second == refused_behind_0f[i]) {
            return false;
        }
    }
    return true;
}

enum status kprobe_register(struct kprobe *probe)
{
    if (!text_holds(probe->address)) {
        return STATUS_RANGE;
    }
    if (find(probe->address)) {
        return STATUS_EXISTS;
    }
    if (!can_be_stepped(probe->address)) {
        return STATUS_UNSUPPORTED;
    }
    probe->missed = 0;
    probe->original = text_peek(probe->address);
    probe->next = probes;
    probes = probe;
    text_poke(probe->address, INT3);
    return STATUS_OK;
}

enum status kprobe_unregister(struct kprobe *probe)
{
    struct kprobe **link = &probes;

    while (*link && *link != probe) {
        link = &(*link)->next;
    }
    if (!*link) {
        return STATUS_NOT_MAPPED;
    }
    *link = probe->next;
    text_poke(probe->address, probe->original);
    return STATUS_OK;
}

void kprobe_remove_all(void)
{
    kprobe_forget();
    for (; probes; probes = probes->next) {
        text_poke(probes->address, probes->original);
    }
}

/* ---- hits ---------------------------------------------------------------------------------------- */

static struct kprobe_control *control(void)
{
    return &cpu_current()->kprobe;
}

static void step_begin(struct kprobe_control *now, enum kprobe_state state,
                       struct trap_frame *frame)
{
    now->state = state;
    now->flags = frame->rflags & (RFLAGS_TF | RFLAGS_IF);
    frame->rflags = (frame->rflags & ~(uint64_t)RFLAGS_IF) | RFLAGS_TF;
    frame->rip = now->probe->address;
    text_poke(now->probe->address, now->probe->original);
}

static void step_end(const struct kprobe_control *now, struct trap_frame *frame)
{
    text_poke(now->probe->address, INT3);
    frame->rflags = (frame->rflags & ~(uint64_t)RFLAGS_TF) | now->flags;
}

static bool stepping(const struct kprobe_control *now)
{
    return now->state == KPROBE_STEPPING || now->state == KPROBE_MISSED;
}

/* Back to the handler that ran into it. */
static void missed_end(struct kprobe_control *now)
{
    now->state = KPROBE_HANDLING;
    now->probe = now->outer.probe;
    now->flags = now->outer.flags;
    if (now->outer.stepping) {
        now->state = KPROBE_STEPPING;
    }
}

bool kprobe_breakpoint(struct trap_frame *frame)
{
    struct kprobe_control *now = control();
    struct kprobe *probe = find(frame->rip - 1);

    if (!probe || now->state == KPROBE_MISSED) {
        return false;
    }
    if (now->state != KPROBE_IDLE) {
        probe->missed++;
        now->outer.probe = now->probe;
        now->outer.flags = now->flags;
        now->outer.stepping = now->state == KPROBE_STEPPING;
        now->probe = probe;
        step_begin(now, KPROBE_MISSED, frame);
        return true;
    }
    now->state = KPROBE_HANDLING;
    now->probe = probe;
    frame->rip = probe->address;
    if (probe->pre_handler && probe->pre_handler(probe, frame)) {
        now->state = KPROBE_IDLE;
        return true;
    }
    step_begin(now, KPROBE_STEPPING, frame);
    return true;
}

/* PUSHF pushed the step's TF. */
static void flags_on_stack(const struct kprobe_control *now, const struct trap_frame *frame)
{
    uint8_t second;

    if (opcode(now->probe->address, now->probe->original, &second) == 0x9c) {
        uint64_t *pushed = (uint64_t *)frame->rsp;
        *pushed = (*pushed & ~(uint64_t)(RFLAGS_TF | RFLAGS_IF)) | now->flags;
    }
}

bool kprobe_step(struct trap_frame *frame)
{
    struct kprobe_control *now = control();

    if (!stepping(now)) {
        return false;
    }
    flags_on_stack(now, frame);
    step_end(now, frame);
    if (now->state == KPROBE_MISSED) {
        missed_end(now);
        return true;
    }
    now->state = KPROBE_HANDLING;
    if (now->probe->post_handler) {
        now->probe->post_handler(now->probe, frame);
    }
    now->state = KPROBE_IDLE;
    return true;
}

bool kprobe_fault(struct trap_frame *frame)
{
    struct kprobe_control *now = control();
    bool handled = false;

    if (!stepping(now) || frame->rip != now->probe->address) {
        return false;
    }
    step_end(now, frame);
    if (now->state == KPROBE_MISSED) {
        missed_end(now);
        return false;
    }
    now->state = KPROBE_HANDLING;
    if (now->probe->fault_handler) {
        handled = now->probe->fault_handler(now->probe, frame, (unsigned)frame->vector);
    }
    now->state = KPROBE_IDLE;
    return handled;
}

void kprobe_forget(void)
{
    struct kprobe_control *now = control();

    if (stepping(now)) {
        text_poke(now->probe->address, INT3);
    }
    if (now->state == KPROBE_MISSED && now->outer.stepping) {
        text_poke(now->outer.probe->address, INT3);
    }
    *now = (struct kprobe_control){.state = KPROBE_IDLE};
}
