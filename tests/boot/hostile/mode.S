/*
 * mode.S: what C cannot say: the way to another number of paging levels, far returns, an interrupt
 * that tells where it landed. SDM vol. 3A 4.1.2, 9.8.5.4.
 */
#include "x86/registers.h"

#define SELECTOR_CODE32 0x08
#define SELECTOR_CODE64 0x10
#define SELECTOR_DATA   0x18

    .text
/*
 * hostile_set_levels: CR4.LA57 can only change outside long mode. In: rdi CR3 and rsi CR4 to load
 * with, CR4.PCIDE 0 in both. Code, stack and both roots lie below 4 GiB, where code and stack are
 * mapped identically. System V ABI.
 *
 *      return address
 *      RFLAGS rbx rbp CS SS
 *      GDTR of the caller, 16 bytes
 *   rsp -> GDTR of ours, 16 bytes
 */
    .globl hostile_set_levels
    .hidden hostile_set_levels
    .type hostile_set_levels, @function
hostile_set_levels:
    pushfq
    cli
    push %rbx
    push %rbp
    mov %cs, %eax
    push %rax
    mov %ss, %eax
    push %rax
    sub $32, %rsp
    sgdt 16(%rsp)
    lea levels_gdt(%rip), %rax
    movw $levels_gdt_end - levels_gdt - 1, (%rsp)
    mov %rax, 2(%rsp)
    lgdt (%rsp)
    mov $SELECTOR_DATA, %eax
    mov %eax, %ss
    lea 2f(%rip), %ebp
    lea 1f(%rip), %rax
    pushq $SELECTOR_CODE32
    push %rax
    lretq
    .code32
1:  mov %cr0, %eax
    mov %eax, %ebx
    and $~CR0_PG, %eax
    mov %eax, %cr0
    mov %esi, %cr4
    mov %edi, %cr3
    mov %ebx, %cr0
    pushl $SELECTOR_CODE64
    push %ebp
    lretl
    .code64
2:  mov %esp, %esp
    lgdt 16(%rsp)
    add $32, %rsp
    pop %rax
    mov %eax, %ss
    pop %rdi
    call hostile_load_cs
    pop %rbp
    pop %rbx
    popfq
    ret
    .size hostile_set_levels, . - hostile_set_levels

/* hostile_load_cs: In: rdi selector of a 64-bit code segment. Clobbers rax. */
    .globl hostile_load_cs
    .hidden hostile_load_cs
    .type hostile_load_cs, @function
hostile_load_cs:
    pop %rax
    push %rdi
    push %rax
    lretq
    .size hostile_load_cs, . - hostile_load_cs

/* hostile_interrupt_stack: Out: rax RSP in the handler of vector 82H. */
    .globl hostile_interrupt_stack
    .hidden hostile_interrupt_stack
    .type hostile_interrupt_stack, @function
hostile_interrupt_stack:
    int $0x82
    ret
    .size hostile_interrupt_stack, . - hostile_interrupt_stack

    .globl hostile_interrupt
    .hidden hostile_interrupt
    .type hostile_interrupt, @function
hostile_interrupt:
    mov %rsp, %rax
    iretq
    .size hostile_interrupt, . - hostile_interrupt

    .section .data
    .balign 8
levels_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 32-bit code */
    .quad 0x00af9b000000ffff /* 64-bit code */
    .quad 0x00cf93000000ffff /* data */
levels_gdt_end:

    .section .note.GNU-stack, "", @progbits
