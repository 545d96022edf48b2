/*
 * stage.S: the accesses of the matrix, the way to them and the way back. See stage.c.
 */
#include "fault/layout.h"
#include "stage_offsets.h"
#include "x86/registers.h"

    .text
/*
 * stage_enter: In: rdi struct stage_registers. Starts in either ring with them, and returns when an
 * exception or an INT of ours comes: stage_seen then holds what there was. System V ABI.
 *
 *      return address
 *      rbx rbp r12 r13 r14 r15
 *   <- stage_rsp
 *
 * RSP is the frame for IRETQ, and then anything: every gate but one has a stack of its own.
 */
    .globl stage_enter
    .type stage_enter, @function
stage_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, stage_rsp(%rip)
    lea STAGE_RIP(%rdi), %rsp
    mov STAGE_RAX(%rdi), %rax
    mov STAGE_RBX(%rdi), %rbx
    mov STAGE_RCX(%rdi), %rcx
    mov STAGE_RDX(%rdi), %rdx
    mov STAGE_RSI(%rdi), %rsi
    mov STAGE_RDI(%rdi), %rdi
    movl $1, stage_armed(%rip)
    iretq
    .size stage_enter, . - stage_enter

/*
 * Gates of the stage. In: what the processor left, with its stack wherever that is: it is not used,
 * for it may lie in the page under test. An exception in code of ours, outside stage_enter, goes
 * the usual way, with the usual IDT: its gates push to the stack in use, not once more to this one.
 */
.macro stub vector
    .balign STAGE_STUB_BYTES
    cmpl $0, stage_armed(%rip)
    je 1f
    movl $\vector, stage_seen + SEEN_VECTOR(%rip)
    jmp stage_leave
1:  lidt stage_usual_idt(%rip)
    jmp trap_stubs + \vector * 16
.endm

    .balign STAGE_STUB_BYTES
    .globl stage_stubs
stage_stubs:
    .set vector, 0
    .rept 32
    stub vector
    .set vector, vector + 1
    .endr
    stub STAGE_EXIT
    stub STAGE_GATE
    stub STAGE_RSP0
    stub STAGE_PUSH

    .balign 16
    .type stage_leave, @function
stage_leave:
    mov %rax, stage_seen + SEEN_RAX(%rip)
    mov %rbx, stage_seen + SEEN_RBX(%rip)
    mov %rcx, stage_seen + SEEN_RCX(%rip)
    mov %rdx, stage_seen + SEEN_RDX(%rip)
    mov %rsi, stage_seen + SEEN_RSI(%rip)
    mov %rdi, stage_seen + SEEN_RDI(%rip)
    mov %rsp, stage_seen + SEEN_RSP(%rip)
    mov %cr2, %rax
    mov %rax, stage_seen + SEEN_CR2(%rip)
    mov stage_rsp(%rip), %rsp
    mov $SELECTOR_DATA, %eax
    mov %eax, %ss /* null after a change of ring */
    movl $0, stage_armed(%rip)
    pushq $RFLAGS_ONE
    popfq
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size stage_leave, . - stage_leave

/* stage_vector_load, _store: In: rdi 64 bytes, rsi how many of them: 16, 32 or 64; in vector register 0. */
.macro vector_function name, sse, avx, avx512
    .globl \name
    .type \name, @function
\name:
    cmp $32, %esi
    je 1f
    ja 2f
    \sse
    ret
1:  \avx
    ret
2:  \avx512
    ret
    .size \name, . - \name
.endm
vector_function stage_vector_load, "movups (%rdi), %xmm0", "vmovups (%rdi), %ymm0", "vmovups (%rdi), %zmm0"
vector_function stage_vector_store, "movups %xmm0, (%rdi)", "vmovups %ymm0, (%rdi)", "vmovups %zmm0, (%rdi)"

/* stage_vector_rest: the upper halves are what they were after reset. Needs AVX. */
    .globl stage_vector_rest
    .type stage_vector_rest, @function
stage_vector_rest:
    vzeroupper
    ret
    .size stage_vector_rest, . - stage_vector_rest

    .section .bss
    .balign 8
stage_rsp:
    .skip 8
    .globl stage_armed
stage_armed: /* between IRETQ and what comes of it; C clears it after an exception that went elsewhere */
    .skip 4

/*
 * One page for both rings, position-independent: ring 0 runs it where it is linked, ring 3 where the
 * stage maps it. The first instruction of a stretch is the access; INT STAGE_EXIT tells that it went
 * through. Widths in the order of AXIS_WIDTH: 8 1 2 4 16 32 64.
 */
    .section .user_page, "ax", @progbits
    .balign 4096
    .globl stage_page
stage_page:

.macro stretch body:vararg
    .balign STRETCH_BYTES
1:  \body
    .org 1b + STRETCH_EXIT, 0x90
    int $STAGE_EXIT
.endm
.macro stretch_name name
    .globl stage_\name
    .balign STRETCH_BYTES
stage_\name:
.endm
.macro stretches name, bodies:vararg
    stretch_name \name
    .irp body, \bodies
    stretch \body
    .endr
.endm

stretches read, "mov (%rdi), %rax", "mov (%rdi), %al", "mov (%rdi), %ax", "mov (%rdi), %eax", \
    "movups (%rdi), %xmm0", "vmovups (%rdi), %ymm0", "vmovups (%rdi), %zmm0"
stretches write, "mov %rsi, (%rdi)", "mov %sil, (%rdi)", "mov %si, (%rdi)", "mov %esi, (%rdi)", \
    "movups %xmm0, (%rdi)", "vmovups %ymm0, (%rdi)", "vmovups %zmm0, (%rdi)"
stretches lock_add, "lock addq $0, (%rdi)", "lock addb $0, (%rdi)", "lock addw $0, (%rdi)", \
    "lock addl $0, (%rdi)"
stretches xchg, "xchg %rsi, (%rdi)", "xchg %sil, (%rdi)", "xchg %si, (%rdi)", "xchg %esi, (%rdi)"
stretches cmpxchg, "lock cmpxchg %rsi, (%rdi)", "lock cmpxchg %sil, (%rdi)", \
    "lock cmpxchg %si, (%rdi)", "lock cmpxchg %esi, (%rdi)", "lock cmpxchg16b (%rdi)"
stretches xadd, "lock xadd %rsi, (%rdi)", "lock xadd %sil, (%rdi)", "lock xadd %si, (%rdi)", \
    "lock xadd %esi, (%rdi)"
stretches lock_neg, "lock negq (%rdi)", "lock negb (%rdi)", "lock negw (%rdi)", "lock negl (%rdi)"
stretches add, "add %rsi, (%rdi)", "add %sil, (%rdi)", "add %si, (%rdi)", "add %esi, (%rdi)"
stretches push, "push %rsi"
stretches pop, "pop %rax"
stretch_name call
    stretch call 1b + STRETCH_EXIT
stretches ret, "ret"
stretches movs, "movsq", "movsb", "movsw", "movsl"
stretches stos, "stosq", "stosb", "stosw", "stosl"
stretches lods, "lodsq", "lodsb", "lodsw", "lodsl"
stretches fetch, "jmp *%rdi"
stretches segment, "mov %esi, %fs"
stretch_name gate
    stretch int $STAGE_GATE
stretch_name rsp0
    stretch int $STAGE_RSP0
stretch_name pushed
    stretch int $STAGE_PUSH
stretches prefetch, "prefetcht0 (%rdi)"
stretches nop, "nopl (%rdi)"
stretches invlpg, "invlpg (%rdi)"
stretches clflush, "clflush (%rdi)"
stretches clwb, "clwb (%rdi)"
stretches wrss, "wrssq %rsi, (%rdi)"
stretches wruss, "wrussq %rsi, (%rdi)"
    .balign 4096

    .section .note.GNU-stack, "", @progbits
