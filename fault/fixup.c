/*
 * fixup.c: see fixup.h. One handler a type, in a table by type.
 */
#include "fixup.h"

#include "boot_info.h"
#include "cpu.h"
#include "die.h"
#include "extable.h"
#include "uaccess.h"
#include "x86/exception.h"
#include "x86/memory.h"
#include "x86/registers.h"

extern struct extable_entry extable_first[], extable_end[]; /* core.lds */

void fixup_start(void)
{
    size_t count = (size_t)(extable_end - extable_first);

    extable_sort(extable_first, count);
    ASSERT(extable_is_sorted(extable_first, count)); /* no instruction has two entries */
}

/* The register that the encoding numbers @number. */
static uint64_t *frame_register(struct trap_frame *frame, unsigned number)
{
    uint64_t *const registers[16] = {
        &frame->rax, &frame->rcx, &frame->rdx, &frame->rbx, &frame->rsp, &frame->rbp,
        &frame->rsi, &frame->rdi, &frame->r8,  &frame->r9,  &frame->r10, &frame->r11,
        &frame->r12, &frame->r13, &frame->r14, &frame->r15,
    };

    return registers[number];
}

typedef bool fixup_handler(const struct extable_entry *, struct trap_frame *, uint64_t address);

/* Hands over in rax, rdx, rcx: vector, error code, address. */
static bool fixup_fault(const struct extable_entry *entry, struct trap_frame *frame,
                        uint64_t address)
{
    (void)entry;
    frame->rax = frame->vector;
    frame->rdx = frame->error;
    frame->rcx = address;
    return true;
}

/* #GP from a user accessor means a non-canonical address: a check was forgotten, do not hide it. */
static bool fixup_uaccess(const struct extable_entry *entry, struct trap_frame *frame,
                          uint64_t address)
{
    (void)entry;
    return frame->vector == VECTOR_PF && uaccess_in_range(address, 1);
}

/*
 * The load was of 8 bytes at the address in @entry's register's place: rdi. Its first bytes lie in
 * a present page (that is the user's promise), so the aligned word around them does too.
 */
static bool fixup_zeropad(const struct extable_entry *entry, struct trap_frame *frame,
                          uint64_t address)
{
    uint64_t from = frame->rdi, offset = from & 7, word;

    if (frame->vector != VECTOR_PF || address <= from || address - from >= 8) {
        return false;
    }
    memcpy(&word, (const void *)(from - offset), sizeof(word));
    *frame_register(frame, extable_register(entry)) = word >> (8 * offset);
    return true;
}

/* rax: false to the caller. */
static bool fixup_msr(const struct extable_entry *entry, struct trap_frame *frame, uint64_t address)
{
    (void)entry;
    (void)address;
    return frame->vector == VECTOR_GP;
}

/*
 * The entry for @rip, or NULL. Instructions fault again and again (a copy loop, a probe): the last
 * find of each of MEMO slots is kept, since bisecting costs more than all the rest of a fixup.
 */
#define MEMO 64u
static const struct extable_entry *memo[MEMO] = {[0 ... MEMO - 1] = extable_first};

static __attribute__((noinline)) const struct extable_entry *find_again(uint64_t rip)
{
    const struct extable_entry *entry =
        extable_find(extable_first, (size_t)(extable_end - extable_first), rip);

    if (entry) {
        memo[rip / 2 % MEMO] = entry;
    }
    return entry;
}

static inline const struct extable_entry *find(uint64_t rip)
{
    const struct extable_entry *entry = memo[rip / 2 % MEMO];

    return extable_instruction(entry) == rip ? entry : find_again(rip);
}

bool fixup_exists(uint64_t rip)
{
    return find(rip) != NULL;
}

bool fixup_exception(struct trap_frame *frame, uint64_t address)
{
    static fixup_handler *const handlers[EX_TYPES] = {
        [EX_DEFAULT] = NULL, /* nothing but going on at the fixup */
        [EX_FAULT] = fixup_fault,     [EX_UACCESS] = fixup_uaccess,
        [EX_ZEROPAD] = fixup_zeropad, [EX_MSR] = fixup_msr,
    };
    const struct extable_entry *entry = find(frame->rip);

    if (!entry || extable_type(entry) >= EX_TYPES) {
        return false;
    }
    fixup_handler *handler = handlers[extable_type(entry)];
    if (handler && !handler(entry, frame, address)) {
        return false;
    }
    frame->rip = extable_fixup(entry);
    /* The accessor may have been interrupted with user access allowed. */
    frame->rflags &= ~(uint64_t)RFLAGS_AC;
    return true;
}
