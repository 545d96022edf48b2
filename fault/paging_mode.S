/*
 * paging_mode.S: the instructions between two paging modes; see paging_mode.h.
 */
#include "paging_mode_offsets.h"
#include "x86/registers.h"

    .text
/*
 * paging_mode_change: In: rdi CR4 and rsi CR3 to load with, rdx the page with the GDT, rcx
 * paging_mode_32, both where addresses are physical. Out: the other mode, on rsi, with CS of that
 * GDT, which stays loaded. System V ABI, except that all registers pass through 32-bit mode, where
 * their upper halves may be lost: what must live is on the stack, and the stack's address in memory.
 * Until 64-bit code runs again no stack is used.
 */
    .balign 256 /* both halves in one page */
    .globl paging_mode_change
    .type paging_mode_change, @function
paging_mode_change:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, mode_rsp(%rip)
    lgdt MODE_GDTR(%rdx)
    pushq $MODE_CODE32
    push %rcx
    lretq
    .code32
    .globl paging_mode_32
paging_mode_32:
    mov %cr0, %eax
    mov %eax, %ebx
    and $~CR0_PG, %eax
    mov %eax, %cr0
    mov %edi, %cr4
    mov %esi, %cr3
    mov %ebx, %cr0
    ljmpl *%cs:MODE_FAR(%edx) /* CS, for DS may be null */
    .code64
    .globl paging_mode_64
paging_mode_64:
    mov $1f, %rax
    jmp *%rax /* to where core is linked */
1:  mov mode_rsp(%rip), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size paging_mode_change, . - paging_mode_change
    .if . - paging_mode_change > 256
    .error "paging_mode_change may run over the end of its page"
    .endif

    .section .bss
    .balign 8
mode_rsp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
