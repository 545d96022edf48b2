/*
 * entry.S: hop 1 of a fault. 256 stubs that make every vector's stack look the same, and the way
 * back. SDM vol. 3A 6.12, 6.14. The stack picture is in trap_frame.h.
 */
#include "layout.h"
#include "x86/exception.h"
#include "trap_frame_offsets.h"

    .text

/*
 * In: the processor's frame. Out: jumps to trap_common with vector and error code pushed.
 * 16 bytes a stub: tables.c computes their addresses.
 */
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept VECTORS
    .balign 16
    .if vector > 31 || !((VECTORS_WITH_ERROR_CODE >> (vector & 31)) & 1)
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

/*
 * In: vector and error code pushed. Calls trap_dispatch(frame); when that returns, the frame is
 * what to continue with. DF may be anything: C wants it clear. GS is not touched: it belongs to programs.
 */
    .balign 16
    .type trap_common, @function
trap_common:
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    call trap_dispatch
    .globl trap_return
trap_return:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    add $16, %rsp
    iretq
    .size trap_common, . - trap_common

/*
 * SYSCALL enters here with ring 3's stack. This page is mapped once more in every processor's area
 * (CPU_SYSCALL), so that RIP-relative addresses reach that processor's struct cpu without GS.
 * In: rcx RIP, r11 RFLAGS of ring 3. Builds a trap frame as a gate would, below ring3_run()'s stack.
 */
    .section .syscall_page, "ax", @progbits
    .balign 4096
    .globl syscall_page
syscall_page:
    mov %rsp, syscall_page - CPU_SYSCALL + CPU_USER_RSP(%rip)
    mov syscall_page - CPU_SYSCALL + CPU_KERNEL_RSP(%rip), %rsp
    pushq $SELECTOR_USER_DATA
    pushq syscall_page - CPU_SYSCALL + CPU_USER_RSP(%rip)
    push %r11
    pushq $SELECTOR_USER_CODE
    push %rcx
    pushq $0
    pushq $TRAP_VECTOR_SYSCALL
    /* Absolute: this copy of the page runs far from where it was linked. */
    push %rax
    mov $trap_common, %rax
    xchg %rax, (%rsp)
    ret
    .balign 4096

    .section .note.GNU-stack, "", @progbits
