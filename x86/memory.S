/*
 * memory.S: the four functions a freestanding compiler may call (GCC manual, "Language Standards").
 * System V ABI: rdi destination, rsi source or byte, rdx bytes; rax out. DF is clear.
 * By words, for where the processor has no fast strings an iteration costs the same for 8 bytes as for one.
 */
    .text
    .globl memcpy, memmove, memset, memcmp

/* memmove: backwards when the destination starts inside the source. Clobbers rcx rsi rdi. */
    .type memmove, @function
memmove:
    mov %rdi, %rax
    mov %rdi, %rcx
    sub %rsi, %rcx
    cmp %rdx, %rcx
    jb 1f
    .size memmove, . - memmove
    .type memcpy, @function
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    shr $3, %rcx
    rep movsq
    mov %edx, %ecx
    and $7, %ecx
    rep movsb
    ret
1:  lea -1(%rsi, %rdx), %rsi
    lea -1(%rdi, %rdx), %rdi
    mov %rdx, %rcx
    std
    rep movsb
    cld
    ret
    .size memcpy, . - memcpy

    .type memset, @function
memset:
    mov %rdi, %r8
    movzbl %sil, %esi
    mov $0x0101010101010101, %rax
    imul %rsi, %rax
    mov %rdx, %rcx
    shr $3, %rcx
    rep stosq
    mov %edx, %ecx
    and $7, %ecx
    rep stosb
    mov %r8, %rax
    ret
    .size memset, . - memset

    .type memcmp, @function
memcmp:
    xor %eax, %eax
    mov %rdx, %rcx
    cmp %rcx, %rcx /* equal when there is nothing to compare */
    repe cmpsb
    je 2f
    movzbl -1(%rsi), %ecx
    movzbl -1(%rdi), %eax
    sub %ecx, %eax
2:  ret
    .size memcmp, . - memcmp

    .section .note.GNU-stack, "", @progbits
