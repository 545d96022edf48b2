/*
 * memory.S: the four functions a freestanding compiler may call (GCC manual, "Language Standards").
 * System V ABI: rdi destination, rsi source or byte, rdx bytes; rax out. DF is clear.
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
    mov %esi, %eax
    mov %rdx, %rcx
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
