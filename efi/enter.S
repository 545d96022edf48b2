/*
 * enter.S: the last instructions in firmware's world, and the first ones back in it.
 */
#include "x86/registers.h"

    .text
/*
 * core_enter: In: rdi transition root, rsi entry (in core), rdx processor's area. System V ABI.
 * The transition root maps everything that firmware's root maps, so this code and the stack stay
 * where they are; CR3's low bits are 0, as CR4.PCIDE may be set again only then.
 */
    .globl core_enter
    .hidden core_enter
    .type core_enter, @function
core_enter:
    endbr64
    pushfq
    pushq $RFLAGS_ONE /* IF=0; NT would make every IRETQ of ours fault */
    popfq
    mov %dr7, %rcx
    mov $DR7_OFF, %eax
    mov %rax, %dr7 /* firmware's breakpoints may sit on any of core's addresses */
    mov %cr3, %rax
    mov %rdi, %cr3
    mov %rax, %rdi
    mov %rsi, %rax
    mov %rdx, %rsi
    mov %rcx, %rdx
    call *%rax
    mov %rax, %cr3
    mov %rdx, %dr7
    popfq
    ret
    .size core_enter, . - core_enter

/* core_load_cs: In: rdi selector. Clobbers rax. */
    .globl core_load_cs
    .hidden core_load_cs
    .type core_load_cs, @function
core_load_cs:
    pop %rax
    push %rdi
    push %rax
    lretq
    .size core_load_cs, . - core_load_cs

    .section .note.GNU-stack, "", @progbits
