/*
 * registers.h: bits of the control registers, EFER and RFLAGS; MSR numbers. SDM vol. 3A 2.3, 2.5,
 * vol. 4. Shared with assembly, so plain numbers only.
 */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_EM 0x00000004
#define CR0_TS 0x00000008
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_AM 0x00040000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000

#define CR4_TSD        0x00000004
#define CR4_DE         0x00000008
#define CR4_PAE        0x00000020
#define CR4_MCE        0x00000040
#define CR4_PGE        0x00000080
#define CR4_OSFXSR     0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define CR4_UMIP       0x00000800
#define CR4_LA57       0x00001000
#define CR4_VMXE       0x00002000
#define CR4_SMXE       0x00004000
#define CR4_FSGSBASE   0x00010000
#define CR4_PCIDE      0x00020000
#define CR4_OSXSAVE    0x00040000
#define CR4_SMEP       0x00100000
#define CR4_SMAP       0x00200000
#define CR4_PKE        0x00400000
#define CR4_CET        0x00800000
#define CR4_PKS        0x01000000

#define CR3_LAM_U57 0x2000000000000000 /* bits 62:57 of user addresses are the program's */
#define CR3_LAM_U48 0x4000000000000000 /* bits 62:48 */

#define XCR0_X87    0x01
#define XCR0_SSE    0x02
#define XCR0_AVX    0x04
#define XCR0_AVX512 0xe0
#define XCR0_PKRU   0x200

#define CET_SH_STK_EN   0x1 /* of U_CET and S_CET */
#define CET_WR_SHSTK_EN 0x2

#define RFLAGS_CF   0x00000001
#define RFLAGS_ONE  0x00000002 /* always set */
#define RFLAGS_PF   0x00000004
#define RFLAGS_AF   0x00000010
#define RFLAGS_ZF   0x00000040
#define RFLAGS_SF   0x00000080
#define RFLAGS_TF   0x00000100
#define RFLAGS_IF   0x00000200
#define RFLAGS_DF   0x00000400
#define RFLAGS_OF   0x00000800
#define RFLAGS_IOPL 0x00003000
#define RFLAGS_NT   0x00004000
#define RFLAGS_RF   0x00010000
#define RFLAGS_AC   0x00040000

#define DR6_BS  0x4000 /* single step */
#define DR7_OFF 0x400  /* no breakpoint on; the bit is always set */

#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NXE 0x800
#define EFER_TCE 0x8000

#define MSR_APIC_BASE      0x0000001b
#define MSR_SYSENTER_CS    0x00000174
#define MSR_SYSENTER_ESP   0x00000175
#define MSR_SYSENTER_EIP   0x00000176
#define MSR_PAT            0x00000277
#define MSR_U_CET          0x000006a0
#define MSR_S_CET          0x000006a2
#define MSR_PL0_SSP        0x000006a4
#define MSR_PL3_SSP        0x000006a7
#define MSR_SSP_TABLE      0x000006a8
#define MSR_TSC_DEADLINE   0x000006e0
#define MSR_PKRS           0x000006e1
#define MSR_X2APIC         0x00000800 /* and the register's offset divided by 16 */
#define MSR_XSS            0x00000da0
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103
#define MSR_AMD_SYSCFG     0xc0010010

#define SYSCFG_MEM_ENCRYPT 0x00800000 /* SME is on; exists where CPUID 8000001FH does */

#endif
