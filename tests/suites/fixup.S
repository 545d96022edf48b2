/*
 * fixup.S: is what a function must keep kept?
 */
    .text

/*
 * ring3_run_watched: ring3_run(rdi) with known values in the registers that a function keeps.
 * In:  rsi: where rbx rbp r12 r13 r14 r15 go as ring3_run() left them; before, each held its own
 *      number in that list. Out: what ring3_run() returned.
 */
    .globl ring3_run_watched
    .type ring3_run_watched, @function
ring3_run_watched:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rsi
    xor %ebx, %ebx
    mov $1, %ebp
    mov $2, %r12d
    mov $3, %r13d
    mov $4, %r14d
    mov $5, %r15d
    call ring3_run
    pop %rsi
    mov %rbx, 0(%rsi)
    mov %rbp, 8(%rsi)
    mov %r12, 16(%rsi)
    mov %r13, 24(%rsi)
    mov %r14, 32(%rsi)
    mov %r15, 40(%rsi)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size ring3_run_watched, . - ring3_run_watched

    .section .note.GNU-stack, "", @progbits
