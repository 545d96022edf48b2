/*
 * See fpu.h.
 */

    .text

/* fpu_load: all of x87, SSE and AVX from the image at RDI. Clobbers nothing else. */
    .globl fpu_load
    .type fpu_load, @function
fpu_load:
    fxrstor64 (%rdi)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vinsertf128 $1, 512 + 16 * \n(%rdi), %ymm\n, %ymm\n
    .endr
    ret
    .size fpu_load, . - fpu_load

/* fpu_store: all of it to the image at RDI. Clobbers nothing else. */
    .globl fpu_store
    .type fpu_store, @function
fpu_store:
    fxsave64 (%rdi)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vextractf128 $1, %ymm\n, 512 + 16 * \n(%rdi)
    .endr
    ret
    .size fpu_store, . - fpu_store

/* fpu_has_avx: AL = 1 or 0. */
    .globl fpu_has_avx
    .type fpu_has_avx, @function
fpu_has_avx:
    pushq   %rbx
    movl    $1, %eax
    cpuid
    andl    $0x18000000, %ecx
    cmpl    $0x18000000, %ecx
    jne     1f
    xorl    %ecx, %ecx
    xgetbv
    andl    $6, %eax
    cmpl    $6, %eax
1:  sete    %al
    popq    %rbx
    ret
    .size fpu_has_avx, . - fpu_has_avx

    .section .note.GNU-stack, "", @progbits
