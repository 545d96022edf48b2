/*
 * kprobe.S: code to put probes into. System V ABI.
 */
    .text

.macro target name
    .globl kprobe_\name, kprobe_\name\()_at, kprobe_\name\()_behind
    .type kprobe_\name, @function
    .balign 16
kprobe_\name:
.endm

/* kprobe_add: rdi + 5. */
    target add
    mov %rdi, %rax
kprobe_add_at:
    add $5, %rax
kprobe_add_behind:
    ret

/* kprobe_inner: rdi * 2; for handlers to call. */
    target inner
kprobe_inner_at:
    lea (%rdi,%rdi), %rax
kprobe_inner_behind:
    ret

/*
 * kprobe_registers: rdi: 15 words: rax rcx rdx rbx rbp rsi rdi r8..r15 before the probed instruction, and
 * there again what they are behind it.
 */
    target registers
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi
    mov 0(%rdi), %rax
    mov 8(%rdi), %rcx
    mov 16(%rdi), %rdx
    mov 24(%rdi), %rbx
    mov 32(%rdi), %rbp
    mov 40(%rdi), %rsi
    mov 56(%rdi), %r8
    mov 64(%rdi), %r9
    mov 72(%rdi), %r10
    mov 80(%rdi), %r11
    mov 88(%rdi), %r12
    mov 96(%rdi), %r13
    mov 104(%rdi), %r14
    mov 112(%rdi), %r15
    mov 48(%rdi), %rdi
kprobe_registers_at:
    xchg %rax, %r15
kprobe_registers_behind:
    xchg %rdi, (%rsp)
    mov %rax, 0(%rdi)
    mov %rcx, 8(%rdi)
    mov %rdx, 16(%rdi)
    mov %rbx, 24(%rdi)
    mov %rbp, 32(%rdi)
    mov %rsi, 40(%rdi)
    mov %r8, 56(%rdi)
    mov %r9, 64(%rdi)
    mov %r10, 72(%rdi)
    mov %r11, 80(%rdi)
    mov %r12, 88(%rdi)
    mov %r13, 96(%rdi)
    mov %r14, 104(%rdi)
    mov %r15, 112(%rdi)
    pop 48(%rdi)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

/* kprobe_flags: the RFLAGS that PUSHF pushes. */
    target flags
kprobe_flags_at:
    pushfq
kprobe_flags_behind:
    pop %rax
    ret

/* kprobe_call: rdi * 2 + 1. */
    target call
kprobe_call_at:
    call kprobe_inner
kprobe_call_behind:
    inc %rax
    ret

/* kprobe_branch: 1 when rdi is not 0, else 2. */
    target branch
    mov $1, %eax
    test %rdi, %rdi
kprobe_branch_at:
    jne 1f
kprobe_branch_behind:
    mov $2, %eax
1:  ret

/* kprobe_return: rdi. */
    target return
    mov %rdi, %rax
kprobe_return_at:
    ret
kprobe_return_behind:

/* kprobe_fill: rsi bytes from rdi on become 0. */
    target fill
    mov %rsi, %rcx
    xor %eax, %eax
kprobe_fill_at:
    rep stosb
kprobe_fill_behind:
    ret

/* Instructions that cannot be stepped; nothing runs them. */
    .globl kprobe_refused, kprobe_refused_end
    .balign 16
kprobe_refused:
    popfq
    .balign 16, 0x90
    iretq
    .balign 16, 0x90
    int $0x80
    .balign 16, 0x90
    int3
    .balign 16, 0x90
    hlt
    .balign 16, 0x90
    sti
    .balign 16, 0x90
    syscall
    .balign 16, 0x90
    sysretq
    .balign 16, 0x90
    mov %eax, %ss
    .balign 16, 0x90
    lretq
    .balign 16, 0x90
    .byte 0x66
    popfw
    .balign 16, 0x90
kprobe_refused_end:

    .section .note.GNU-stack, "", @progbits
