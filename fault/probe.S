/*
 * probe.S: see probe.h. One stretch of code an access and ring; the labelled instruction is the one
 * that may fault.
 */
#include "layout.h"
#include "probe_offsets.h"

    .text

/*
 * Ring 0: In: rdi address, rsi operand. Out: rax value read. Clobbers rcx rsi r8.
 * Arms the probe of this processor for "continue at 9", makes the access; whoever answers disarms, and so
 * does going through. The outcome is "none" until somebody answers.
 */
.macro supervisor_probe name, body:vararg
    .globl probe_supervisor_\name, probe_supervisor_\name\()_at
    .type probe_supervisor_\name, @function
    .balign 16
probe_supervisor_\name:
    mov %rsp, %rcx
    and $-CPU_AREA, %rcx
    movq $9f, CPU_PROBE_RESUME(%rcx)
    mov %rsp, CPU_PROBE_RSP(%rcx)
    movw $OUTCOME_NONE, CPU_OUTCOME + OUTCOME_VECTOR(%rcx)
    movq $PROBE_EXIT_FIXUP, CPU_PROBE_EXIT(%rcx)
probe_supervisor_\name\()_at:
    \body
9:  movq $0, CPU_PROBE_EXIT(%rcx)
    ret
    .size probe_supervisor_\name, . - probe_supervisor_\name
.endm

supervisor_probe READ, mov (%rdi), %rax
supervisor_probe WRITE, mov %rsi, (%rdi)
supervisor_probe RMW_LOCKED, lock addq $0, (%rdi)
supervisor_probe RMW_PLAIN, addq $0, (%rdi)
supervisor_probe IMPLICIT_READ, mov %esi, %fs
supervisor_probe IMPLICIT_WRITE, mov %esi, %fs

/* The landing jumps to rsi. */
    .globl probe_supervisor_FETCH, probe_supervisor_FETCH_at
    .type probe_supervisor_FETCH, @function
    .balign 16
probe_supervisor_FETCH:
    mov %rsp, %rcx
    and $-CPU_AREA, %rcx
    mov $9f, %rsi
    movq $9f, CPU_PROBE_RESUME(%rcx)
    mov %rsp, CPU_PROBE_RSP(%rcx)
    movw $OUTCOME_NONE, CPU_OUTCOME + OUTCOME_VECTOR(%rcx)
    movq $PROBE_EXIT_FIXUP, CPU_PROBE_EXIT(%rcx)
probe_supervisor_FETCH_at:
    jmp *%rdi
9:  movq $0, CPU_PROBE_EXIT(%rcx)
    ret
    .size probe_supervisor_FETCH, . - probe_supervisor_FETCH

/*
 * RSP is 8 above the address for one instruction. If that faults in ring 0 without a change of
 * stack, the frame is pushed there as well: callers use it only where that is meant.
 */
    .globl probe_supervisor_PUSH, probe_supervisor_PUSH_at
    .type probe_supervisor_PUSH, @function
    .balign 16
probe_supervisor_PUSH:
    mov %rsp, %rcx
    and $-CPU_AREA, %rcx
    mov %rsp, %r8
    movq $9f, CPU_PROBE_RESUME(%rcx)
    mov %rsp, CPU_PROBE_RSP(%rcx)
    movw $OUTCOME_NONE, CPU_OUTCOME + OUTCOME_VECTOR(%rcx)
    movq $PROBE_EXIT_FIXUP, CPU_PROBE_EXIT(%rcx)
    lea 8(%rdi), %rsp
probe_supervisor_PUSH_at:
    push %rsi
9:  mov %r8, %rsp
    movq $0, CPU_PROBE_EXIT(%rcx)
    ret
    .size probe_supervisor_PUSH, . - probe_supervisor_PUSH

/* INT n; RET for every n, 4 bytes each. */
    .globl probe_interrupts
    .balign 16
probe_interrupts:
    .set vector, 0
    .rept 256
    .byte 0xcd, vector, 0xc3, 0xcc
    .set vector, vector + 1
    .endr

/*
 * Ring 3: a page of its own, position-independent. In: rdi address, rsi operand, rdx where a landing
 * goes on. Comes back by INT 0x80.
 */
    .section .user_page, "ax", @progbits
    .balign 4096
    .globl probe_user_page
probe_user_page:

.macro user_probe name, body:vararg
    .globl probe_user_\name\()_at
    .balign 16
probe_user_\name\()_at:
    \body
    int $0x80
.endm

user_probe READ, mov (%rdi), %rax
user_probe WRITE, mov %rsi, (%rdi)
user_probe RMW_LOCKED, lock addq $0, (%rdi)
user_probe RMW_PLAIN, addq $0, (%rdi)
user_probe IMPLICIT_READ, mov %esi, %fs
user_probe IMPLICIT_WRITE, mov %esi, %fs
user_probe PUSH, push %rsi
user_probe FETCH, jmp *%rdi

/*
 * The same, back by SYSCALL: for whoever sends LSTAR where he wants to go on and needs no frame of an
 * access that went through (tests/matrix/sweep_run.S). quick_user_passed: where a landing goes on.
 */
.macro quick_user name, body:vararg
    .globl quick_user_\name
    .balign 16
quick_user_\name:
    \body
    syscall
.endm

quick_user READ, mov (%rdi), %rax
quick_user WRITE, mov %rsi, (%rdi)
quick_user RMW_LOCKED, lock addq $0, (%rdi)
quick_user IMPLICIT_READ, mov %esi, %fs
quick_user FETCH, jmp *%rdi
quick_user passed

/* Small programs for the suites: see their users for what they expect in registers. */
    .globl probe_user_landing, probe_user_syscall, probe_user_spin
    .balign 16
probe_user_landing:
    int $0x80
    .balign 16
probe_user_syscall:
    syscall
    int $0x80
    .balign 16
probe_user_spin:
    jmp probe_user_spin
    /* For the bench: reads from rcx pages, the first at rdi; makes system calls. */
    .globl probe_user_touch, probe_user_calls
    .balign 16
probe_user_touch:
    mov (%rdi), %rax
    add $4096, %rdi
    dec %rcx
    jne probe_user_touch
    int $0x80
    .balign 16
probe_user_calls:
    syscall
    jmp probe_user_calls
    /* Extended state: 1.0 on x87's stack, ones in XMM3, and where rdi says that there is AVX in YMM9. */
    .globl probe_user_extended
    .balign 16
probe_user_extended:
    fld1
    pcmpeqd %xmm3, %xmm3
    test %edi, %edi
    je 1f
    vcmptrueps %ymm0, %ymm0, %ymm9
1:  int $0x80
    .balign 4096

    .section .note.GNU-stack, "", @progbits
