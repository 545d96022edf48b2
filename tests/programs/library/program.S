/*
 * The parts of the programs' library that C cannot say: the first instruction, the return from a signal handler,
 * the way back out of a faulting access, and what the compiler calls by itself (memset, memcpy).
 */

    .text

/*
 * _start: the kernel's entry (psABI, "Process initialization").
 * In:  RSP -> argc, argv..., 0, envp..., 0, auxv...
 * The C stack begins at the next page boundary below. start_registers keeps what the registers were, in the order of
 * syscall_registers.
 */
    .globl _start
    .type _start, @function
_start:
    movq    %rax, start_registers + 0(%rip)
    movq    %rbx, start_registers + 8(%rip)
    movq    %rcx, start_registers + 16(%rip)
    movq    %rdx, start_registers + 24(%rip)
    movq    %rsi, start_registers + 32(%rip)
    movq    %rdi, start_registers + 40(%rip)
    movq    %rbp, start_registers + 48(%rip)
    movq    %r8, start_registers + 56(%rip)
    movq    %r9, start_registers + 64(%rip)
    movq    %r10, start_registers + 72(%rip)
    movq    %r11, start_registers + 80(%rip)
    movq    %r12, start_registers + 88(%rip)
    movq    %r13, start_registers + 96(%rip)
    movq    %r14, start_registers + 104(%rip)
    movq    %r15, start_registers + 112(%rip)
    xorl    %ebp, %ebp
    movq    %rsp, %rdi
    andq    $-4096, %rsp
    call    program_begin
    ud2
    .size _start, . - _start

/* signal_restorer: handlers return here with RSP at the frame's ucontext. */
    .globl signal_restorer
    .type signal_restorer, @function
signal_restorer:
    movl    $15, %eax
    syscall
    ud2
    .size signal_restorer, . - signal_restorer

/*
 * access_enter: call the function in RDI with RSI and RDX as its arguments.
 * Out: RAX as the function left it, or 0 when the handler sent the function to access_recover.
 * Keeps access_stack at:   | r15 r14 r13 r12 rbp rbx | return address
 */
    .globl access_enter
    .type access_enter, @function
access_enter:
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, access_stack(%rip)
    subq    $8, %rsp
    movq    %rdi, %rax
    movq    %rsi, %rdi
    movq    %rdx, %rsi
    call    *%rax
    jmp     1f
    .globl access_recover
access_recover:
    xorl    %eax, %eax
1:  cld
    movq    access_stack(%rip), %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret
    .size access_enter, . - access_enter

/*
 * syscall_registers: see program.h. Stack at the system call: | array | r15 r14 r13 r12 rbp rbx | return address
 */
    .globl syscall_registers
    .type syscall_registers, @function
syscall_registers:
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    pushq   %rdi
    movq    0(%rdi), %rax
    movq    8(%rdi), %rbx
    movq    24(%rdi), %rdx
    movq    32(%rdi), %rsi
    movq    48(%rdi), %rbp
    movq    56(%rdi), %r8
    movq    64(%rdi), %r9
    movq    72(%rdi), %r10
    movq    88(%rdi), %r12
    movq    96(%rdi), %r13
    movq    104(%rdi), %r14
    movq    112(%rdi), %r15
    movq    40(%rdi), %rdi
    syscall
    xchgq   %rdi, (%rsp)
    movq    %rax, 0(%rdi)
    movq    %rbx, 8(%rdi)
    movq    %rcx, 16(%rdi)
    movq    %rdx, 24(%rdi)
    movq    %rsi, 32(%rdi)
    movq    %rbp, 48(%rdi)
    movq    %r8, 56(%rdi)
    movq    %r9, 64(%rdi)
    movq    %r10, 72(%rdi)
    movq    %r11, 80(%rdi)
    movq    %r12, 88(%rdi)
    movq    %r13, 96(%rdi)
    movq    %r14, 104(%rdi)
    movq    %r15, 112(%rdi)
    popq    %rax
    movq    %rax, 40(%rdi)
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret
    .size syscall_registers, . - syscall_registers

    .globl memset
    .type memset, @function
memset:
    movq    %rdi, %r8
    movl    %esi, %eax
    movq    %rdx, %rcx
    rep stosb
    movq    %r8, %rax
    ret
    .size memset, . - memset

    .globl memcpy
    .type memcpy, @function
memcpy:
    movq    %rdi, %rax
    movq    %rdx, %rcx
    rep movsb
    ret
    .size memcpy, . - memcpy

    .bss
    .balign 8
    .globl start_registers
    .hidden start_registers
start_registers:
    .fill   15, 8, 0
    .globl access_stack
    .hidden access_stack
access_stack:
    .quad   0

    .section .note.GNU-stack, "", @progbits
