/*
 * extable.h: the exception table: where a faulting instruction of ours continues. Hop c on the way
 * of a fault. Shared with assembly.
 *
 *   .extable   +-------------+-------------+----------------------+
 *              | instruction | fixup       | register << 8 | type |   12 bytes, sorted by
 *              +-------------+-------------+----------------------+   instruction
 *                 both relative to the field that holds them
 *
 * Offsets are self-relative, so the table needs no relocation and can be read-only.
 */
#ifndef FAULT_EXTABLE_H
#define FAULT_EXTABLE_H

/* What the handler does besides going on at the fixup. Plain numbers: the assembler sees them. */
#define EX_DEFAULT 0 /* nothing */
#define EX_FAULT   1 /* hands over vector, error code and address */
#define EX_UACCESS 2 /* user access: a non-canonical or kernel address is not fixed up */
#define EX_ZEROPAD 3 /* a word read, into EX_REGISTER: what lies in a missing page is zeros */
#define EX_MSR     4 /* RDMSR or WRMSR that raised #GP */
#define EX_TYPES   5

/* The instruction's data register, by its number in the encoding: rax 0, rcx 1, ... r15 15. */
#define EX_REGISTER(number) ((number) << 8)

/*
 * EXTABLE(from, to, what): an exception at @from continues at @to; @what is a type, with
 * EX_REGISTER added where the type wants one. The same name in both languages:
 *   .S:  1: mov (%rdi), %rax ...     EXTABLE(1b, 2f, EX_DEFAULT)
 *   C:   __asm__("1: ...\n2:\n"      EXTABLE("1b", "2b", EX_ZEROPAD + EX_REGISTER(0)) ...)
 */
#ifdef __ASSEMBLER__

/* clang-format off */
#define EXTABLE(from, to, what)                                                                    \
    .pushsection .extable, "a"; .balign 4;                                                         \
    .long (from) - .; .long (to) - .; .long what;                                                  \
    .popsection
/* clang-format on */

#else

#include "x86/types.h"

#define EXTABLE_TEXT_(what) #what
#define EXTABLE_TEXT(what)  EXTABLE_TEXT_(what)
#define EXTABLE(from, to, what)                                                                    \
    ".pushsection .extable, \"a\"\n.balign 4\n"                                                    \
    ".long (" from ") - .\n.long (" to ") - .\n.long " EXTABLE_TEXT(what) "\n"                     \
                                                                          ".popsection\n"

struct extable_entry {
    int32_t instruction, fixup;
    uint32_t what;
};
_Static_assert(sizeof(struct extable_entry) == 12, "EXTABLE writes three longs");

static inline uint64_t extable_instruction(const struct extable_entry *entry)
{
    return (uintptr_t)&entry->instruction + (uint64_t)(int64_t)entry->instruction;
}

static inline uint64_t extable_fixup(const struct extable_entry *entry)
{
    return (uintptr_t)&entry->fixup + (uint64_t)(int64_t)entry->fixup;
}

static inline unsigned extable_type(const struct extable_entry *entry)
{
    return entry->what & 0xff;
}

static inline unsigned extable_register(const struct extable_entry *entry)
{
    return entry->what >> 8 & 0xf;
}

/*
 * Sort @count entries by instruction, in place. Their offsets change as they move. The linker puts
 * most in order already, so little moves.
 */
void extable_sort(struct extable_entry *first, size_t count);

/* Whether each instruction lies above the one before it: sorted, and none has two entries. */
bool extable_is_sorted(const struct extable_entry *first, size_t count);

/* The entry for the instruction at @rip, or NULL. The table is sorted. */
const struct extable_entry *extable_find(const struct extable_entry *first, size_t count,
                                         uint64_t rip);

#endif
#endif
