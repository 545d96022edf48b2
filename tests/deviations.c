/*
 * deviations.c: see deviations.h. Found by running, explained by the manuals.
 *
 * Causes in Bochs 2.7: its page walk asks for EFLAGS.AC alone, whoever accesses, reserves the same
 * bits for every vendor, asks PKRU.AD of user accesses only and PKRU of every page (cpu/paging.cc);
 * each element of a string instruction sets the flags for good (cpu/cpu.cc, repeat_ZF); a step is
 * decided by the TF that SYSCALL found, not by the one that it leaves (XSA-204 was the same mistake of
 * another emulator's). Of the two entries for bit 8 the second is what a write adds.
 */
#include "deviations.h"

#include "fault/layout.h"
#include "fault/probe.h"
#include "tests/harness/machine.h"
#include "tests/harness/target.h"
#include "x86/exception.h"
#include "x86/registers.h"

/* Rows of .wrong: no fault where one was expected; @bits set in an entry that has @had; a store. */
#define WENT_THROUGH            FIELD_VECTOR, VECTOR_PF ^ VECTOR_NONE, VECTOR_NONE, 0xffff
#define SET_IN_ENTRY(bits, had) FIELD_ENTRY, (bits), (bits) | (had), (bits) | (had)
#define WRITTEN                 FIELD_MEMORY, TARGET_WORD ^ PROBE_VALUE, PROBE_VALUE, ~UINT64_C(0)

/* By hand: clang-format 14 dies of this table. */
/* clang-format off */

/* For .points: no fault where a #PF was expected; the accesses that are implicit. */
#define NO_PF    {.vector_expected = VECTOR_PF, .vector_got = VECTOR_NONE}
#define NO_PK    {.error_differs = PF_EC_PK}
#define IMPLICIT "ldt|ldt-accessed|gdt|gdt-accessed|idt|tss"
#define AD_OF_USER_PAGE "pke=1,pkru=ad|adwd,page=user"

const struct deviation deviations[] = {
    {
     .machine = "QEMU TCG",
     .versions = "7.2 to 11.1",
     .rule = RULE_2_2,
     .shown_by = {RULE_2_2, RULE_2_3, RULE_2_4, RULE_2_6, RULE_4_I, RULE_4_RSVD},
     .wrong = {{FIELD_ERROR_CODE, PF_EC_P, PF_EC_RSVD, PF_EC_RSVD | PF_EC_P}},
     .wrongs = 1,
     .points = {{"walk=reserved", {.error_differs = PF_EC_P}}},
     .sentence = "a reserved-bit fault comes without P in its error code",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2 to 11.1",
     .rule = RULE_4_W,
     .accesses = 1 << ACCESS_RMW_LOCKED,
     .wrong = {{FIELD_ERROR_CODE, PF_EC_W, 0, PF_EC_W}},
     .wrongs = 1,
     /* And then PKRU.WD and PKRS.WD, which forbid writes, do not count. */
     .points = {{"kind=locked", {.error_differs = PF_EC_W}},
                {"kind=locked,refused=any", {.error_differs = PF_EC_PK}}},
     .sentence = "a locked read-modify-write faults as a read",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2 to 11.1",
     .rule = RULE_3_7,
     .accesses = 1 << ACCESS_IMPLICIT_READ,
     .rings = 1 << RING_SUPERVISOR,
     .wrong = {{FIELD_VECTOR, VECTOR_PF ^ VECTOR_NONE, VECTOR_NONE, 0xffff}},
     .wrongs = 1,
     .points = {{"access=" IMPLICIT ",smap=1,ac=1", NO_PF}},
     .sentence = "EFLAGS.AC excuses an implicit supervisor access from SMAP",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2",
     .rule = RULE_5_3,
     .shown_by = {RULE_2_4},
     .wrong = {{FIELD_ENTRY, PTE_A, PTE_A, PTE_A}},
     .wrongs = 1,
     .points = {{"at=pdpte,reserved=low|7", {.a_extra = true}}},
     .sentence = "a PDPTE with a reserved bit gets its A bit set although it cannot be used",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2",
     .rule = RULE_7_1,
     .wrong = {{FIELD_RFLAGS, 0x8d5, RFLAGS_ZF | 0x4, 0x8d5}},
     .wrongs = 1,
     .sentence = "a fault in REPE CMPS or SCAS saves the flags of its last element",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_7_1,
     .wrong = {{FIELD_RFLAGS, 0x8d5, RFLAGS_ZF | 0x4, 0x8d5}},
     .wrongs = 1,
     .sentence = "a fault in REPE CMPS or SCAS saves the flags of its last element",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_3_7,
     .accesses = 1 << ACCESS_IMPLICIT_READ,
     .wrong = {{WENT_THROUGH}},
     .wrongs = 1,
     .points = {{"access=" IMPLICIT ",smap=1,ac=1,page=user", NO_PF}},
     .sentence = "EFLAGS.AC excuses an implicit supervisor access from SMAP",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .vendors = 1 << VENDOR_AMD,
     .rule = RULE_2_4,
     .wrong = {{WENT_THROUGH}, {SET_IN_ENTRY(PTE_A, BIT(8))}, {SET_IN_ENTRY(PTE_A, 0)}},
     .wrongs = 3,
     /* The walk goes on: it ends well, or in another fault. */
     .points = {{"at=pml4e,reserved=8", NO_PF},
                {"at=pml4e,reserved=8", {.error_differs = PF_EC_RSVD}},
                {"at=pml4e,reserved=8", {.error_differs = PF_EC_P}},
                {"at=pml4e,reserved=8", {.a_extra = true}}},
     .sentence = "bit 8 of a PML4E is not reserved in an AMD processor",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .vendors = 1 << VENDOR_AMD,
     .rule = RULE_2_4,
     .accesses = 1 << ACCESS_WRITE,
     .wrong = {{WENT_THROUGH}, {SET_IN_ENTRY(PTE_A | PTE_D, 0)}, {WRITTEN}},
     .wrongs = 3,
     .sentence = "bit 8 of a PML4E is not reserved in an AMD processor",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_5_1,
     .shown_by = {RULE_LINUX},
     /* programs.straddle_second_page: 3 of its lines, by cpu/icache.cc, boundaryFetch. */
     .wrong = {{FIELD_LINES, 47 ^ 44, 44, ~UINT64_C(0)},
               {FIELD_LINE, UINT64_C(0x7ee4d4e8389c3644), UINT64_C(0xd79e42f901f45e83), ~UINT64_C(0)}},
     .wrongs = 2,
     .sentence = "a fetch across a page boundary reports a CR2 behind the second page's first byte",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_LINUX,
     /* programs.single_step_system_call: #DB comes in ring 0, on the program's stack, and ends as #DF. */
     .wrong = {{FIELD_LINES, 8 ^ 0, 0, ~UINT64_C(0)},
               {FIELD_LINE, UINT64_C(0x138fe66ff741d931), UINT64_C(0x43b5ac55aa7923c0), ~UINT64_C(0)},
               {FIELD_TASK_OOPSES, 1, 1, ~UINT64_C(0)}},
     .wrongs = 3,
     .sentence = "a step over SYSCALL traps in ring 0 although IA32_FMASK has cleared TF",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_3_8,
     /* Also where something else forbids the access: then only PK is missing. */
     .points = {{"ring=0," AD_OF_USER_PAGE, NO_PF},
                {"access=frame|" IMPLICIT "," AD_OF_USER_PAGE, NO_PF},
                {"ring=0," AD_OF_USER_PAGE, NO_PK},
                {"access=frame|" IMPLICIT "," AD_OF_USER_PAGE, NO_PK}},
     .sentence = "PKRU.AD does not deny supervisor accesses to user-mode addresses",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_3_8,
     .points = {{"wp=1,pke=1,pkru=wd|adwd,walk=complete,page=supervisor",
                 {.vector_expected = VECTOR_NONE, .vector_got = VECTOR_PF}}},
     .sentence = "PKRU.WD denies supervisor writes to supervisor-mode addresses",
    },
    {
     .machine = "Bochs",
     .versions = "2.7",
     .rule = RULE_4_PK,
     .points = {{"pke=1,pkru=ad|wd|adwd,walk=complete,page=supervisor",
                 {.error_differs = PF_EC_PK, .error_got = PF_EC_PK}}},
     .sentence = "PK is set where PKRU denies the key of a supervisor-mode address",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2 to 11.1",
     .rule = RULE_7_7,
     .points = {{"access=clflush|clwb", NO_PF},
                {"access=clflush|clwb", {.vector_expected = VECTOR_GP, .vector_got = VECTOR_NONE}},
                {"access=clflush|clwb", {.a_missing = true}}},
     .sentence = "CLFLUSH and CLWB access nothing: they never fault and set no A bit",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2 to 11.1",
     .rule = RULE_1_1,
     .points = {{"access=push|pop|call|ret",
                 {.vector_expected = VECTOR_SS, .vector_got = VECTOR_GP}}},
     .sentence = "a stack access to an address that is not canonical raises #GP instead of #SS",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2",
     .rule = RULE_7_2,
     .rings = 1 << RING_SUPERVISOR,
     .wrong = {{FIELD_SS, SELECTOR_DATA, 0, 0xffff}},
     .wrongs = 1,
     .sentence = "a gate with IST makes SS null also without a change of CPL",
    },
    {
     .machine = "QEMU TCG",
     .versions = "7.2",
     .rule = RULE_7_1,
     .everywhere = true,
     .wrong = {{FIELD_RFLAGS, RFLAGS_RF, 0, RFLAGS_RF}},
     .wrongs = 1,
     .sentence = "the RFLAGS that #PF pushes have RF clear",
    },
};
/* clang-format on */
const uint32_t deviation_count = ARRAY_COUNT(deviations);
