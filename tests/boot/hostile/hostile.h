/*
 * hostile.h: a test-only UEFI application that puts the processor into every state that a firmware
 * could hand over, starts Faultline in it, and verifies afterwards that each is as before.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "efi/firmware.h"
#include "x86/cpuid.h"

/*
 * What is verified: a row has the name, what reads it, what writes it (registers.c). All of it is
 * code of its own: nothing of fault/world_read.c, so that a slip there cannot hide. The last rows
 * are no registers, but follow from what no instruction reads, or are memory of firmware's:
 * checksums of the tables (of the root without A), where an interrupt through our TSS's IST lands,
 * whether the stack is XD, and the armed watchdog's period in 100 ns.
 */
#define REGISTERS(X)                                                                               \
    X(CR0, read_cr0(), write_cr0(value))                                                           \
    X(CR2, read_cr2(), write_cr2(value))                                                           \
    X(CR3, read_cr3(), write_cr3(value))                                                           \
    X(CR4, read_cr4(), write_cr4(value))                                                           \
    X(CR8, read_cr8(), write_cr8(value))                                                           \
    X(EFER, msr_read(FEATURE_COUNT, MSR_EFER), write_msr(MSR_EFER, value))                         \
    X(PAT, msr_read(FEATURE_PAT, MSR_PAT), write_msr(MSR_PAT, value))                              \
    X(APIC_BASE, msr_read(FEATURE_APIC, MSR_APIC_BASE), write_msr(MSR_APIC_BASE, value))           \
    X(XCR0, xcr0_read(), xcr0_write(value))                                                        \
    X(PKRU, pkru_read(), pkru_write(value))                                                        \
    X(PKRS, msr_read(FEATURE_PKS, MSR_PKRS), write_msr(MSR_PKRS, value))                           \
    X(GDT_BASE, store_gdt().base, READ_ONLY)                                                       \
    X(GDT_LIMIT, store_gdt().limit, READ_ONLY)                                                     \
    X(IDT_BASE, store_idt().base, READ_ONLY)                                                       \
    X(IDT_LIMIT, store_idt().limit, READ_ONLY)                                                     \
    X(LDTR, store_ldt(), load_ldt((uint16_t)value))                                                \
    X(TR, store_tr(), READ_ONLY)                                                                   \
    X(CS, read_cs(), hostile_load_cs(value))                                                       \
    X(SS, read_ss(), write_ss((uint16_t)value))                                                    \
    X(DS, read_ds(), write_ds((uint16_t)value))                                                    \
    X(ES, read_es(), write_es((uint16_t)value))                                                    \
    X(FS, read_fs(), selector_write(write_fs, MSR_FS_BASE, value))                                 \
    X(GS, read_gs(), selector_write(write_gs, MSR_GS_BASE, value))                                 \
    X(FS_BASE, msr_read(FEATURE_COUNT, MSR_FS_BASE), write_msr(MSR_FS_BASE, value))                \
    X(GS_BASE, msr_read(FEATURE_COUNT, MSR_GS_BASE), write_msr(MSR_GS_BASE, value))                \
    X(KERNEL_GS_BASE, msr_read(FEATURE_COUNT, MSR_KERNEL_GS_BASE),                                 \
      write_msr(MSR_KERNEL_GS_BASE, value))                                                        \
    X(STAR, msr_read(FEATURE_COUNT, MSR_STAR), write_msr(MSR_STAR, value))                         \
    X(LSTAR, msr_read(FEATURE_COUNT, MSR_LSTAR), write_msr(MSR_LSTAR, value))                      \
    X(CSTAR, msr_read(FEATURE_COUNT, MSR_CSTAR), write_msr(MSR_CSTAR, value))                      \
    X(SFMASK, msr_read(FEATURE_COUNT, MSR_SFMASK), write_msr(MSR_SFMASK, value))                   \
    X(SYSENTER_CS, msr_read(FEATURE_SYSENTER, MSR_SYSENTER_CS), write_msr(MSR_SYSENTER_CS, value)) \
    X(SYSENTER_ESP, msr_read(FEATURE_SYSENTER, MSR_SYSENTER_ESP),                                  \
      write_msr(MSR_SYSENTER_ESP, value))                                                          \
    X(SYSENTER_EIP, msr_read(FEATURE_SYSENTER, MSR_SYSENTER_EIP),                                  \
      write_msr(MSR_SYSENTER_EIP, value))                                                          \
    X(TSC_AUX, msr_read(FEATURE_RDTSCP, MSR_TSC_AUX), write_msr(MSR_TSC_AUX, value))               \
    X(DR0, read_dr0(), write_dr0(value))                                                           \
    X(DR1, read_dr1(), write_dr1(value))                                                           \
    X(DR2, read_dr2(), write_dr2(value))                                                           \
    X(DR3, read_dr3(), write_dr3(value))                                                           \
    X(DR6, read_dr6(), write_dr6(value))                                                           \
    X(DR7, read_dr7(), write_dr7(value))                                                           \
    X(MXCSR, read_mxcsr(), write_mxcsr((uint32_t)value))                                           \
    X(FCW, read_fcw(), write_fcw((uint16_t)value))                                                 \
    X(RFLAGS, read_rflags() & RFLAGS_KEPT, write_rflags(value | (read_rflags() & ~RFLAGS_KEPT)))   \
    X(GDT_BYTES, checksum(store_gdt().base, store_gdt().limit + 1u, ~UINT64_C(0)), READ_ONLY)      \
    X(IDT_BYTES, checksum(store_idt().base, store_idt().limit + 1u, ~UINT64_C(0)), READ_ONLY)      \
    X(ROOT_BYTES, checksum(read_cr3() & PTE_ADDRESS, PAGE_SIZE, ~PTE_A), READ_ONLY)                \
    X(IST_STACK, ist_stack(), READ_ONLY)                                                           \
    X(STACK_XD, stack_xd(), READ_ONLY)                                                             \
    X(WATCHDOG, watchdog_period(), READ_ONLY)

enum reg {
#define X(name, read, write) REG_##name,
    REGISTERS(X)
#undef X
        REG_COUNT
};

extern const char *const register_names[REG_COUNT];

bool cpu_has(enum cpu_feature feature);
const char *cpu_feature_name(enum cpu_feature feature);

uint64_t register_read(enum reg reg);
void register_write(enum reg reg, uint64_t value);

/* Do TR and the IDT lead to our TSS? */
bool own_task_loaded(void);

/*
 * What takes more than a value in a register. set_ returns NULL, or why it cannot be done here and
 * then nothing has changed; undo_ follows every set_ that could.
 */
const char *set_supervisor_only(void); /* nothing to set: firmware must have no user pages */
const char *set_no_nx(void); /* firmware's tables once more, without XD, where they use it */
void undo_no_nx(void);
const char *set_breakpoints(void); /* on what the image that is about to start will use */
void undo_breakpoints(void);
const char *set_levels5(void);
void undo_levels5(void);
const char *set_x2apic(void); /* stays on, as firmware understands it */
void spoil_x2apic(void);
const char *set_own_tables(void); /* GDT and IDT of ours, firmware's entries at their places */
void undo_own_tables(void);
const char *set_task(void); /* a TSS in TR, its descriptor busy */
void undo_task(void);
const char *set_available_task(void); /* the same in a GDT that shows it as available */
const char *set_stale_task(void);     /* the same in a GDT that shows something else there */
const char *set_read_only_task(void); /* the same, and the GDT's page is read-only */
void undo_read_only_task(void);
const char *set_nx_stack(void); /* nothing to set: firmware must have done it */
void spoil_nx_stack(void);
void undo_nx_stack(void);
const char *set_watchdog(void);
void undo_watchdog(void);
void spoil_watchdog(void); /* arm it again */

/* The leaf entry that maps @address now, and where it is; NULL when there is none. */
uint64_t *leaf_entry(uint64_t address, unsigned *level);

/* The image that is about to start: set_breakpoints looks for core's entry in it. */
extern const EFI_LOADED_IMAGE *started_image;

/* Selectors in our GDT, behind firmware's. */
#define OWN_TSS  0x100
#define OWN_LDT  0x110
#define OWN_DATA 0x120
#define OWN_CODE 0x128

#endif
