/*
 * context.S: see context.h. System V ABI. Offsets are those of struct context.
 */
#include "layout.h"
    .text

/* In: rdi context. Out: rax 0. Clobbers rdx. */
    .globl context_save
    .type context_save, @function
context_save:
    mov (%rsp), %rdx
    mov %rbx, 0(%rdi)
    mov %rbp, 8(%rdi)
    mov %r12, 16(%rdi)
    mov %r13, 24(%rdi)
    mov %r14, 32(%rdi)
    mov %r15, 40(%rdi)
    lea 8(%rsp), %rax
    mov %rax, 48(%rdi)
    mov %rdx, 56(%rdi)
    pushfq
    popq 64(%rdi)
    xor %eax, %eax
    ret
    .size context_save, . - context_save

/* In: rdi context, rsi value. Does not return. */
    .globl context_resume
    .type context_resume, @function
context_resume:
    mov %rsi, %rax
    mov 0(%rdi), %rbx
    mov 8(%rdi), %rbp
    mov 16(%rdi), %r12
    mov 24(%rdi), %r13
    mov 32(%rdi), %r14
    mov 40(%rdi), %r15
    /* IRETQ sets RIP, CS, RFLAGS, RSP and SS in one go, and unblocks NMIs after one of them. */
    pushq $SELECTOR_DATA
    pushq 48(%rdi)
    pushq 64(%rdi)
    pushq $SELECTOR_CODE
    pushq 56(%rdi)
    iretq
    .size context_resume, . - context_resume

    .section .note.GNU-stack, "", @progbits
