/*
 * rules.c: the sentences of docs/rules.md, for reports and --explain. A host test compares the two.
 */
#include "rules.h"

#define NEEDS(feature) (FEATURE_##feature + 1)

/* clang-format off */
const struct rule_text rule_texts[RULE_COUNT] = {
    [RULE_NONE] =
    {"-", "own harness",
     "This check tests Faultline itself, not the machine.",
     "docs/suites.md", 0, 0},
    [RULE_0_1] =
    {"R0.1", "features that change the rules stay off",
     "FRED, LASS, linear-address masking (LAM, UAI), user interrupts, CET and alignment "
     "checks (CR0.AM) are off unless a check is about them.",
     "SDM vol. 3A 2.5", 0, 0},
    [RULE_0_2] =
    {"R0.2", "no absent memory, no page-size change",
     "No valid entry points at memory that is absent, and the page size of a live mapping "
     "changes only together with an invalidation, unless a check is named for it.",
     "SDM vol. 3A 4.10.4", 0, 0},
    [RULE_0_3] =
    {"R0.3", "invalidate after control-register changes",
     "After every change of CR4 or EFER the translations are invalidated, unless a check "
     "is about cached translations.",
     "SDM vol. 3A 4.10.4.1", 0, 0},
    [RULE_1_1] =
    {"R1.1", "non-canonical data address",
     "A data access to a non-canonical address (bits 63:47 not all equal with 4-level "
     "paging, 63:56 with 5-level paging) raises #GP(0), or #SS(0) when it goes through the "
     "stack segment; CR2 keeps its value.",
     "SDM vol. 1 3.3.7.1; APM vol. 2 5.3.1", 0, 0},
    [RULE_1_2] =
    {"R1.2", "loaded addresses use the supported width",
     "Addresses that are loaded into base registers and MSRs (FS and GS base, GDTR, IDTR, "
     "LSTAR and the like) or named by INVLPG and INVPCID are judged by the supported "
     "linear width (57 bits where LA57 exists), whatever CR4.LA57 is.",
     "SDM vol. 3A 4.5", 0, 0},
    [RULE_1_3] =
    {"R1.3", "invalidating a non-canonical address",
     "INVLPG of a non-canonical address does nothing; INVPCID type 0 of one raises #GP.",
     "SDM vol. 2A INVLPG, INVPCID", 0, 0},
    [RULE_1_4] =
    {"R1.4", "branch to a non-canonical address",
     "A branch to a non-canonical target raises #GP; Intel processors save the RIP of the "
     "branch, for AMD processors, SYSRET and IRET the saved RIP is recorded, not judged.",
     "SDM vol. 1 3.3.7.1; APM vol. 2 5.3.1", 0, 0},
    [RULE_2_1] =
    {"R2.1", "not-present entry",
     "An entry with P=0 (present bit clear) ends the walk with #PF whose error code has "
     "P=0; no other bit of that entry counts, reserved bits included, and no lower entry "
     "is looked at.",
     "SDM vol. 3A 4.5, 4.7; APM vol. 2 5.4.1, 8.4.2", 1, 0},
    [RULE_2_2] =
    {"R2.2", "reserved bit in a present entry",
     "An entry with P=1 that has a reserved bit set raises #PF with both RSVD=1 and P=1 in "
     "the error code, whatever the access rights are.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 1, 0},
    [RULE_2_3] =
    {"R2.3", "bits reserved in every present entry",
     "In every present entry the address bits from 51 down to MAXPHYADDR (CPUID 80000008H "
     "EAX[7:0]) are reserved, and so is bit 63 (XD) while EFER.NXE=0.",
     "SDM vol. 3A 4.1.4, 4.5; APM vol. 2 5.4.1, 7.10", 1, 0},
    [RULE_2_4] =
    {"R2.4", "bits reserved by level",
     "Reserved are bit 7 of a PML5E and of a PML4E, bit 7 of a PDPTE when 1-GiB pages are "
     "not supported, bits 29:13 of a 1-GiB leaf and bits 20:13 of a 2-MiB leaf; on AMD and "
     "Hygon processors also bit 8 of a PML5E and of a PML4E.",
     "SDM vol. 3A 4.5; APM vol. 2 5.3, 5.4.1", 1, 0},
    [RULE_2_5] =
    {"R2.5", "ignored bits",
     "Ignored, never reserved, are bits 11:9 of every entry, bits 6 and 62:52 of non-leaf "
     "entries, bits 58:52 of leaves, bits 62:59 of leaves while neither PKE nor PKS is on, "
     "and the caching bits PWT, PCD and PAT.",
     "SDM vol. 3A 4.5; APM vol. 2 5.4.1", 0, 0},
    [RULE_2_6] =
    {"R2.6", "the first failing entry decides",
     "The first entry from the top that is not present or has a reserved bit set decides "
     "the fault; access rights are judged only after a complete walk.",
     "SDM vol. 3A 4.7", 0, 0},
    [RULE_2_7] =
    {"R2.7", "tables are read physically",
     "The processor reads and updates paging structures by physical address: the rights of "
     "any mapping of the tables themselves do not matter.",
     "SDM vol. 3A 4.5", 0, 0},
    [RULE_3_1] =
    {"R3.1", "user access to a supervisor page",
     "An explicit access at CPL 3 faults unless U/S=1 (user) in every entry of the walk.",
     "SDM vol. 3A 4.6.1; APM vol. 2 5.6", 1, 0},
    [RULE_3_2] =
    {"R3.2", "user write",
     "A user write faults unless R/W=1 (writable) in every entry of the walk, whatever "
     "CR0.WP is.",
     "SDM vol. 3A 4.6.1; APM vol. 2 5.6", 1, 0},
    [RULE_3_3] =
    {"R3.3", "supervisor write",
     "With CR0.WP=1 a supervisor write faults unless R/W=1 (writable) in every entry of "
     "the walk; with CR0.WP=0 supervisor code may write to any page.",
     "SDM vol. 3A 4.6.1; APM vol. 2 5.6", 1, 0},
    [RULE_3_4] =
    {"R3.4", "instruction fetch",
     "With EFER.NXE=1 an instruction fetch faults unless XD=0 (execute-disable clear) in "
     "every entry of the walk; a user fetch also needs U/S=1 in every entry.",
     "SDM vol. 3A 4.6.1, 5.13; APM vol. 2 5.6", 1, NEEDS(NX)},
    [RULE_3_5] =
    {"R3.5", "SMEP",
     "With CR4.SMEP=1 a supervisor fetch from a user-mode address (U/S=1 in every entry) "
     "always faults, also with EFER.NXE=0 and with CR0.WP=0.",
     "SDM vol. 3A 4.6.1; APM vol. 2 5.6", 1, NEEDS(SMEP)},
    [RULE_3_6] =
    {"R3.6", "SMAP",
     "With CR4.SMAP=1 a supervisor data access to a user-mode address (U/S=1 in every "
     "entry) faults when EFLAGS.AC=0 or when the access is implicit; instruction fetches "
     "are not concerned.",
     "SDM vol. 3A 4.6.1; APM vol. 2 5.6", 1, NEEDS(SMAP)},
    [RULE_3_7] =
    {"R3.7", "implicit accesses",
     "Accesses to the descriptor tables and the TSS are implicit supervisor accesses at "
     "every CPL: the error code says U/S=0, EFLAGS.AC never excuses them from SMAP, and "
     "those that set an accessed or busy bit are writes.",
     "SDM vol. 3A 4.6, 4.6.1", 1, 0},
    [RULE_3_8] =
    {"R3.8", "user protection keys",
     "With CR4.PKE=1 a data access to a user-mode address with key i faults when "
     "PKRU.AD[i]=1, a user write also when PKRU.WD[i]=1, and a supervisor write when "
     "PKRU.WD[i]=1 and CR0.WP=1; fetches are never concerned.",
     "SDM vol. 3A 4.6.2; APM vol. 2 5.6", 0, NEEDS(PKU)},
    [RULE_3_9] =
    {"R3.9", "supervisor protection keys",
     "With CR4.PKS=1 a data access to a supervisor-mode address with key i faults when "
     "IA32_PKRS.AD[i]=1, and a write when IA32_PKRS.WD[i]=1 and CR0.WP=1; fetches are "
     "never concerned.",
     "SDM vol. 3A 4.6.2", 0, NEEDS(PKS)},
    [RULE_3_10] =
    {"R3.10", "shadow stacks",
     "With CR4.CET=1 a shadow-stack access needs a shadow-stack page (leaf with R/W=0 and "
     "D=1, R/W=1 in all entries above) of the same mode as the access; an ordinary write "
     "to such a page is a write to a read-only page.",
     "SDM vol. 3A 4.6, 4.8", 0, NEEDS(CET_SS)},
    [RULE_4_P] =
    {"R4.P", "bit 0, P: present",
     "P is 1 when the walk was complete or stopped at a reserved bit, and 0 when it "
     "stopped at an entry that is not present.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 1, 0},
    [RULE_4_W] =
    {"R4.W", "bit 1, W/R: write",
     "W/R is 1 when the access was a write; XCHG, CMPXCHG of any width, XADD and locked "
     "instructions count as writes even when nothing new is stored.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 1, 0},
    [RULE_4_U] =
    {"R4.U", "bit 2, U/S: user",
     "U/S is 1 when the access was a user-mode access; implicit supervisor accesses at CPL "
     "3 give 0.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 1, 0},
    [RULE_4_RSVD] =
    {"R4.RSVD", "bit 3, RSVD: reserved bit",
     "RSVD is 1 exactly when a present entry of the walk had a reserved bit set.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 1, 0},
    [RULE_4_I] =
    {"R4.I", "bit 4, I/D: instruction fetch",
     "I/D is 1 for an instruction fetch while EFER.NXE=1 or CR4.SMEP=1, and 0 for data "
     "accesses and for fetches while both are off.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 1, 0},
    [RULE_4_PK] =
    {"R4.PK", "bit 5, PK: protection key",
     "PK is 1 when P=1, RSVD=0, the access is a data access and a protection key forbids "
     "it, also when something else forbids it as well.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 0, NEEDS(PKU)},
    [RULE_4_SS] =
    {"R4.SS", "bit 6, SS: shadow stack",
     "SS is 1 when the access was a shadow-stack access, whatever the cause of the fault, "
     "not-present entries included.",
     "SDM vol. 3A 4.7", 0, NEEDS(CET_SS)},
    [RULE_4_OTHER] =
    {"R4.other", "all other bits",
     "The other bits of the error code's lower half are 0 here: HLAT (7), SGX (15) and RMP "
     "(31), and those that have no name.",
     "SDM vol. 3A 4.7; APM vol. 2 8.4.2", 0, 0},
    [RULE_5_1] =
    {"R5.1", "CR2",
     "CR2 holds the linear address of the first byte that could not be accessed: for an "
     "access across a page boundary with only the second page bad, that page's first byte.",
     "SDM vol. 3A 4.7, 6.15; APM vol. 2 8.2", 1, 0},
    [RULE_5_2] =
    {"R5.2", "accessed and dirty after success",
     "A successful access leaves A=1 (accessed) in every entry it used and a successful "
     "write leaves D=1 (dirty) in the leaf, provided the translation was invalidated since "
     "software last cleared that bit.",
     "SDM vol. 3A 4.8; APM vol. 2 5.4.2", 1, 0},
    [RULE_5_3] =
    {"R5.3", "accessed and dirty after a fault",
     "D (dirty) is not set by reads, by fetches or by a write within one page that faults; "
     "A (accessed) stays 0 at and below an entry that is not present or has a reserved bit "
     "set.",
     "SDM vol. 3A 4.8; APM vol. 2 5.4.2", 1, 0},
    [RULE_5_4] =
    {"R5.4", "atomic updates",
     "The processor updates A and D atomically and changes no other bit of an entry.",
     "SDM vol. 3A 4.8", 0, 0},
    [RULE_6_1] =
    {"R6.1", "raising rights",
     "Making an entry present or clearing a reserved bit needs no invalidation; raising "
     "rights (R/W 0 to 1, XD 1 to 0, U/S 0 to 1 for user accesses) without one causes at "
     "most one spurious fault per page touched on Intel processors and none on AMD's.",
     "SDM vol. 3A 4.10.4.3; APM vol. 2 5.5", 0, 0},
    [RULE_6_2] =
    {"R6.2", "lowering rights",
     "After rights were lowered or P was cleared without invalidation, the old or the new "
     "entry may be used; after INVLPG of any address in the page, whatever its size, only "
     "the new one.",
     "SDM vol. 3A 4.10.4.1, 4.10.4.4; APM vol. 2 5.5", 0, 0},
    [RULE_6_3] =
    {"R6.3", "writes to control registers that invalidate",
     "MOV to CR3 drops the non-global translations of the loaded PCID, unless CR4.PCIDE=1 "
     "and bit 63 of the value is set; a change of CR4.PGE, CR4.PCIDE 1 to 0 and CR0.PG 1 "
     "to 0 drop everything.",
     "SDM vol. 3A 4.10.4.1; APM vol. 2 5.5", 0, 0},
    [RULE_6_4] =
    {"R6.4", "INVPCID",
     "INVPCID drops one address (type 0), one PCID (1), everything (2), or everything but "
     "globals (3); a type above 3, reserved descriptor bits or a PCID other than 0 while "
     "CR4.PCIDE=0 raise #GP.",
     "SDM vol. 2A INVPCID; SDM vol. 3A 4.10.4.1", 0, NEEDS(INVPCID)},
    [RULE_6_5] =
    {"R6.5", "changes that act at once",
     "A change of PKRU, PKRS, EFLAGS.AC, CR0.WP or CR4.SMAP, CR4.SMEP 0 to 1, and CR4.PKE "
     "or CR4.PKS 1 to 0 act on the next access, whatever is cached.",
     "SDM vol. 3A 4.10.2, 4.10.4", 0, 0},
    [RULE_6_6] =
    {"R6.6", "page-size change of a live mapping",
     "Changing the page size of a live mapping without invalidation can machine-check or "
     "hang real processors; it is done only by name.",
     "SDM vol. 3A 4.10.2.3", 0, 0},
    [RULE_6_7] =
    {"R6.7", "what caching may and may not do",
     "Any cached translation may vanish and any valid one may be cached at any time, so a "
     "stale one is never required; translations of another PCID are never used, except "
     "globals.",
     "SDM vol. 3A 4.10.1, 4.10.2; APM vol. 2 5.5", 0, 0},
    [RULE_7_1] =
    {"R7.1", "#PF is a fault",
     "The RIP that #PF saves is that of the faulting instruction, registers are unchanged, "
     "and RF=1 in the saved RFLAGS; a REP string instruction stops with RCX, RSI and RDI "
     "at the failing element.",
     "SDM vol. 3A 6.5, 6.6, 6.15; APM vol. 2 8.2", 1, 0},
    [RULE_7_2] =
    {"R7.2", "the frame",
     "Delivery aligns RSP down to 16 and pushes SS, RSP, RFLAGS, CS, RIP and the error "
     "code; on a change of CPL the stack comes from RSP0 or the IST and SS becomes null "
     "with RPL = the new CPL, without one SS stays.",
     "SDM vol. 3A 6.14; APM vol. 2 8.9", 1, 0},
    [RULE_7_3] =
    {"R7.3", "flags at the handler",
     "An interrupt gate clears IF, a trap gate leaves it; both clear TF, NT, RF and VM and "
     "do not touch AC.",
     "SDM vol. 3A 6.12.1, 6.14; APM vol. 2 8.9", 1, 0},
    [RULE_7_4] =
    {"R7.4", "double fault",
     "#DF with error code 0 follows when delivering #PF meets #PF or a contributory "
     "exception (#DE #TS #NP #SS #GP #CP), or delivering a contributory one meets another; "
     "a #PF met while delivering a contributory or benign event is delivered as #PF.",
     "SDM vol. 3A 6.15; APM vol. 2 8.2", 1, 0},
    [RULE_7_5] =
    {"R7.5", "fault during delivery",
     "A #PF met while an exception is being delivered has U/S=0, and W/R=1 when a push of "
     "the frame met it.",
     "SDM vol. 3A 4.6.1, 4.7", 1, 0},
    [RULE_7_6] =
    {"R7.6", "order of exceptions",
     "An instruction meets first a code breakpoint, then faults of its fetch, then of its "
     "decoding (#UD, more than 15 bytes), then of its execution, whose order among "
     "themselves depends on the processor and is recorded.",
     "SDM vol. 3A 6.9; APM vol. 2 8.5", 0, 0},
    [RULE_7_7] =
    {"R7.7", "instructions that do not fault or only read",
     "PREFETCH of any kind, LEA, NOP with a memory operand and INVLPG never fault; "
     "CLFLUSH, CLFLUSHOPT, CLWB and MONITOR act as reads of a byte; CMOVcc with a memory "
     "operand always reads.",
     "SDM vol. 2A, 2B of each instruction", 0, 0},
    [RULE_GIVE_BACK] =
    {"R8.1", "giving back",
     "After every batch the firmware's registers, descriptor tables and memory are as they "
     "were before it, and at the end nothing of ours is left.",
     "docs/architecture.md", 1, 0},
    [RULE_FIXUP] =
    {"R8.2", "exception table and user accessors",
     "A faulting instruction that the exception table lists continues at its fixup with "
     "what its handler type promises, and a copy to or from user memory returns the exact "
     "count of bytes it did not copy.",
     "docs/architecture.md", 1, 0},
    [RULE_LINUX] =
    {"R8.3", "as on Linux",
     "A program that runs here writes what it writes on Linux 6.1 and ends as it ends there, "
     "but for the differences that tests/programs/README.md accepts.",
     "tests/programs/README.md", 1, NEEDS(NX)},
    [RULE_MEMORY] =
    {"R8.4", "memory management keeps its word",
     "After every case and program each page is held exactly by what leads to it, no frame is "
     "lost, and a fault that nobody can resolve ends its task alone.",
     "docs/mm.md", 1, NEEDS(NX)},
};
/* clang-format on */
