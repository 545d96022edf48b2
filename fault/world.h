/*
 * world.h: the whole privileged state that decides what memory access means. There are two, the
 * firmware's and ours; this is the list that is saved, restored and compared
 * (docs/architecture.md).
 */
#ifndef FAULT_WORLD_H
#define FAULT_WORLD_H

#include "x86/types.h"

/*
 * One row an item: name, what a comparison looks at. The first six are in the order that
 * world_switch.S restores them from. Order and names are an interface: reports show them; append
 * only. RFLAGS: IF DF NT AC IOPL; arithmetic flags are nobody's promise. APIC_*: the local APIC, where it
 * is on; delivery status and the like come and go. The count may be written, and a deadline pass, in any of
 * the firmware's interrupts: they are given back and not compared. FX: a checksum of x87 and SSE registers;
 * what is given back of them is fpu.h's.
 */
#define WORLD_ITEMS(X)                                                                             \
    X(CR0, ~UINT64_C(0))                                                                           \
    X(CR4, ~UINT64_C(0))                                                                           \
    X(EFER, ~UINT64_C(0))                                                                          \
    X(CS, ~UINT64_C(0))                                                                            \
    X(SS, ~UINT64_C(0))                                                                            \
    X(CR3, ~UINT64_C(0))                                                                           \
    X(CR2, ~UINT64_C(0))                                                                           \
    X(CR8, ~UINT64_C(0))                                                                           \
    X(PAT, ~UINT64_C(0))                                                                           \
    X(XCR0, ~UINT64_C(0))                                                                          \
    X(XSS, ~UINT64_C(0))                                                                           \
    X(GDT_BASE, ~UINT64_C(0))                                                                      \
    X(GDT_LIMIT, ~UINT64_C(0))                                                                     \
    X(IDT_BASE, ~UINT64_C(0))                                                                      \
    X(IDT_LIMIT, ~UINT64_C(0))                                                                     \
    X(LDTR, ~UINT64_C(0))                                                                          \
    X(TR, ~UINT64_C(0))                                                                            \
    X(DS, ~UINT64_C(0))                                                                            \
    X(ES, ~UINT64_C(0))                                                                            \
    X(FS, ~UINT64_C(0))                                                                            \
    X(GS, ~UINT64_C(0))                                                                            \
    X(FS_BASE, ~UINT64_C(0))                                                                       \
    X(GS_BASE, ~UINT64_C(0))                                                                       \
    X(KERNEL_GS_BASE, ~UINT64_C(0))                                                                \
    X(STAR, ~UINT64_C(0))                                                                          \
    X(LSTAR, ~UINT64_C(0))                                                                         \
    X(CSTAR, ~UINT64_C(0))                                                                         \
    X(SFMASK, ~UINT64_C(0))                                                                        \
    X(SYSENTER_CS, ~UINT64_C(0))                                                                   \
    X(SYSENTER_ESP, ~UINT64_C(0))                                                                  \
    X(SYSENTER_EIP, ~UINT64_C(0))                                                                  \
    X(TSC_AUX, ~UINT64_C(0))                                                                       \
    X(PKRU, ~UINT64_C(0))                                                                          \
    X(PKRS, ~UINT64_C(0))                                                                          \
    X(U_CET, ~UINT64_C(0))                                                                         \
    X(S_CET, ~UINT64_C(0))                                                                         \
    X(PL0_SSP, ~UINT64_C(0))                                                                       \
    X(PL3_SSP, ~UINT64_C(0))                                                                       \
    X(SSP_TABLE, ~UINT64_C(0))                                                                     \
    X(DR0, ~UINT64_C(0))                                                                           \
    X(DR1, ~UINT64_C(0))                                                                           \
    X(DR2, ~UINT64_C(0))                                                                           \
    X(DR3, ~UINT64_C(0))                                                                           \
    X(DR6, ~UINT64_C(0))                                                                           \
    X(DR7, ~UINT64_C(0))                                                                           \
    X(MXCSR, ~UINT64_C(0))                                                                         \
    X(FCW, ~UINT64_C(0))                                                                           \
    X(RFLAGS, UINT64_C(0x47600))                                                                   \
    X(APIC_SVR, UINT64_C(0x13ff))                                                                  \
    X(APIC_DIVIDE, ~UINT64_C(0))                                                                   \
    X(APIC_TIMER, UINT64_C(0x700ff))                                                               \
    X(APIC_COUNT, UINT64_C(0))                                                                     \
    X(TSC_DEADLINE, UINT64_C(0))                                                                   \
    X(APIC_LINT0, UINT64_C(0x1a7ff))                                                               \
    X(APIC_LINT1, UINT64_C(0x1a7ff))                                                               \
    X(FX, ~UINT64_C(0))

enum world_item {
#define X(name, mask) WORLD_##name,
    WORLD_ITEMS(X)
#undef X
        WORLD_ITEM_COUNT
};

struct world {
    uint64_t item[WORLD_ITEM_COUNT];
};

/*
 * Read every item of the running processor into @world; items that this processor lacks read as 0.
 * Position-independent and without tables of pointers: efi/ runs the same code in firmware's world.
 * CR4.PKE and CR4.OSXSAVE are set for the moment of reading what they guard. @apic: where the local
 * APIC's registers are mapped; NULL: nowhere, and only x2APIC's can be read.
 */
void world_read(struct world *world, const volatile uint8_t *apic);

/* Which bits of an item a comparison looks at. */
uint64_t world_item_mask(enum world_item item);

struct boot_info;
struct cpu;

extern const char *const world_item_names[WORLD_ITEM_COUNT];

/*
 * The one way in, called by efi/enter.S: world_switch.S. Runs batch_run() in our world and comes
 * back with every item as it was. In: firmware's CR3 and DR7, this processor's area; transition
 * root loaded, no breakpoint on, RFLAGS clear. Out: what only firmware's code may load: a
 * breakpoint on ours would hit firmware's IDT.
 */
struct world_back {
    uint64_t cr3, dr7;
};
struct world_back world_entry(uint64_t firmware_cr3, struct cpu *cpu, uint64_t firmware_dr7);

/* Our world's own CR3 values, for probes that change roots. */
uint64_t world_root(void);
uint64_t twin_root(void);

/*
 * How programs are run, as Linux does: SMEP, SMAP, UMIP, PKE and FSGSBASE where CPUID has them, CR0.MP
 * and AM set, TS and EM clear, and uaccess.h told so; PKRU is 0 until a task's is loaded. Off: as our world
 * runs otherwise; the batch's end switches it off by itself. Translations are invalidated.
 */
void world_protect(bool on);

/*
 * Test-only: what to leave wrong on the way back. Items: @wrong is XORed to what was saved. Tables:
 * the last byte is inverted.
 */
enum world_wrong {
    WRONG_NOTHING,
    WRONG_ITEM,
    WRONG_CS,       /* another selector with the same descriptor */
    WRONG_GDT_BASE, /* the same table elsewhere */
    WRONG_IDT_BASE,
    WRONG_GDT_BYTE,
    WRONG_IDT_BYTE,
};
void world_sabotage(enum world_wrong what, enum world_item item, uint64_t wrong);

#endif
