/*
 * world_switch.S: between firmware's world and ours (docs/architecture.md, "The switch").
 *
 * Both sides of this file run on the transition root, where firmware's memory and core are mapped,
 * and on firmware's stack. Until EFER.NXE is known to be 1, nothing of core but its text may be
 * touched: its data is mapped with XD, which would be a reserved bit, and the fault a triple fault.
 */
#include "layout.h"
#include "x86/registers.h"

/* What our world keeps of firmware's CR4. Everything else is off: CET, PCIDE, PGE, keys, LASS, FRED ... */
#define CR4_KEEP (CR4_DE | CR4_PAE | CR4_MCE | CR4_LA57 | CR4_VMXE | CR4_SMXE | CR4_OSXSAVE)
#define CR4_OURS (CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)
#define CR0_KEEP (CR0_CD | CR0_NW | 0x10 /* ET */)
#define CR0_OURS (CR0_PG | CR0_PE | CR0_NE | CR0_MP | CR0_WP)

    .text
/*
 * world_entry: In: rdi firmware's CR3, rsi this processor's area, rdx firmware's DR7, which is off
 * already. Out: rax CR3 and rdx DR7 to load.
 * Clobbers what the System V ABI allows.
 *
 *      return address
 *      rbx rbp r12 r13 r14 r15
 *   rsp -> (rbp keeps it while we are away)
 */
    .globl world_entry
    .type world_entry, @function
world_entry:
    endbr64 /* firmware may run with IBT */
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rbp
    mov %rdi, %r12
    mov %rsi, %r13
    mov %rdx, %r10
    mov %cr4, %r14
    mov %cr0, %r15

    /* CET goes first: SSP then stays where it is until CR4.CET comes back, and WP may be changed. */
    mov %r14, %rax
    and $CR4_KEEP, %eax
    or $CR4_OURS, %eax
    mov %rax, %cr4
    mov %r15, %rax
    mov $CR0_KEEP, %ecx
    and %rcx, %rax
    mov $CR0_OURS, %ecx
    or %rcx, %rax
    mov %rax, %cr0

    /* NXE where there is NX: without it the loader built every root without XD. */
    mov $0x80000001, %eax
    cpuid
    mov %edx, %r8d
    mov $MSR_EFER, %ecx
    rdmsr
    mov %rdx, %r9
    shl $32, %r9
    or %rax, %r9 /* firmware's EFER */
    and $~EFER_TCE, %eax
    or $EFER_SCE, %eax
    bt $20, %r8d
    jnc 1f
    or $EFER_NXE, %eax
1:  wrmsr

    lea CPU_STACK_TOP(%r13), %rsp
    mov %r13, %rdi
    mov %r12, %rsi
    mov %r14, %rdx
    mov %r15, %rcx
    mov %r9, %r8
    mov %r10, %r9
    call world_main /* rax: the items to restore, in the order of WORLD_ITEMS; rdx DR7 */

    mov %rbp, %rsp
    mov 0(%rax), %r14  /* CR0 */
    mov 8(%rax), %r15  /* CR4 */
    mov 16(%rax), %rdi /* EFER */
    mov 24(%rax), %r12 /* CS */
    mov 32(%rax), %r13 /* SS */
    mov 40(%rax), %rsi /* CR3 */
    mov %rdx, %r8
    mov %r13d, %ss
    pushq %r12
    lea 2f(%rip), %rax
    pushq %rax
    lretq
2:  mov %rdi, %rdx
    shr $32, %rdx
    mov %edi, %eax
    mov $MSR_EFER, %ecx
    wrmsr /* from here on nothing but text and firmware's stack */
    mov %r14, %cr0
    mov %r15, %cr4
    mov %rsi, %rax
    mov %r8, %rdx
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size world_entry, . - world_entry

/*
 * code_segment_load: reload CS from the GDT. In: di selector. Clobbers rax.
 */
    .globl code_segment_load
    .type code_segment_load, @function
code_segment_load:
    pop %rax
    movzwl %di, %edi
    push %rdi
    push %rax
    lretq
    .size code_segment_load, . - code_segment_load

    .section .note.GNU-stack, "", @progbits
