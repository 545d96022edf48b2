/*
 * layout.h: where things are in our world's address space. Shared with assembly and the linker
 * script's comments; fixed, so that gdb, reports and readers always see the same addresses.
 *
 *   0000000000000000  lower half: nothing, except what a test or a program maps
 *   ffffff0000000000  DIRECT_BASE    our block of frames but core's image; writable, never executed
 *   ffffffff80000000  CORE_BASE      core: text R-X, rodata R--, data RW-; absent pages between
 *   ffffffff9f000000  BOOT_INFO_BASE one page from efi/
 *   ffffffff9f010000  LOCAL_APIC     its registers, uncached; absent in x2APIC mode
 *   ffffffffa0000000  SESSION_BASE   the structure shared with efi/
 *   ffffffffb0000000  CPU_BASE       one CPU_AREA a processor; guard pages between the stacks
 */
#ifndef FAULT_LAYOUT_H
#define FAULT_LAYOUT_H

#define CORE_BASE      0xffffffff80000000
#define BOOT_INFO_BASE 0xffffffff9f000000
#define LOCAL_APIC     0xffffffff9f010000
#define SESSION_BASE   0xffffffffa0000000
#define CPU_BASE       0xffffffffb0000000

/*
 * One processor's area, aligned to its own size: any stack pointer in it, rounded down, is the
 * address of struct cpu. Offsets; each stack ends where the next absent page begins.
 *
 *   00000 struct cpu   01000 GDT   02000 TSS   03000 absent
 *   04000 main stack (32 KiB)    0c000 absent   0d000 #DF stack    0f000 absent
 *   10000 NMI stack  12000 absent  13000 #MC stack  15000 absent  1f000 SYSCALL entry (R-X)
 */
#define CPU_AREA             0x20000
#define CPU_GDT              0x01000
#define CPU_TSS              0x02000
#define CPU_STACK_BOTTOM     0x04000
#define CPU_STACK_TOP        0x0c000
#define CPU_STACK_DF_BOTTOM  0x0d000
#define CPU_STACK_DF_TOP     0x0f000
#define CPU_STACK_NMI_BOTTOM 0x10000
#define CPU_STACK_NMI_TOP    0x12000
#define CPU_STACK_MC_BOTTOM  0x13000
#define CPU_STACK_MC_TOP     0x15000
#define CPU_SYSCALL          0x1f000

/* IST numbers, 1 to 7. */
#define IST_DF  1
#define IST_NMI 2
#define IST_MC  3

/*
 * Protection key of all our own pages. Checks take the rights of other keys only: our pages are
 * supervisor-mode addresses, which PKRU should leave alone and PKRS does not.
 */
#define CORE_KEY 4

/*
 * Selectors. The GDT is one page: firmware's descriptors keep their places at its start, so that an
 * NMI in the middle of the switch still finds the selector of firmware's gates; ours are at its
 * end. The order is what SYSCALL and SYSRET want of STAR.
 */
#define GDT_BYTES          0x1000
#define GDT_OURS           0xf80
#define SELECTOR_CODE      0xf80
#define SELECTOR_DATA      0xf88
#define SELECTOR_USER32    0xf93 /* only STAR's base for SYSRET */
#define SELECTOR_USER_DATA 0xf9b
#define SELECTOR_USER_CODE 0xfa3
#define SELECTOR_TSS       0xfb0
#define SELECTOR_SCRATCH   0xfd0 /* for tests: loaded by nobody else */
#define SELECTOR_TOMBSTONE 0xff0 /* TR points here when we leave a firmware that had none */

#endif
