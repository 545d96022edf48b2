/*
 * entry.S: hop 1 of a fault. 256 stubs that make every vector's stack look the same, and the way
 * back. SDM vol. 3A 6.12, 6.14. The stack picture is in trap_frame.h.
 */
#include "layout.h"
#include "x86/exception.h"
#include "probe_offsets.h"
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
 * In: vector and error code pushed. Calls trap_dispatch(struct cpu, frame); when that returns, the frame is
 * what to continue with. DF may be anything: C wants it clear. GS is not touched: it belongs to programs.
 * A probe armed with PROBE_FIXUP is answered first, before the other registers are even saved: sweeps make
 * millions of them. Gates leave RFLAGS.AC as it was, set by ring 3 or by a user accessor, and with it CR4.SMAP
 * off: it is cleared where there is CLAC (uaccess_smap), and comes back by IRETQ.
 */
    .balign 16
    .type trap_common, @function
trap_common:
    push %rax
    push %rcx
    mov %rsp, %rax
    and $-CPU_AREA, %rax
    cmpl $PROBE_EXIT_FIXUP, CPU_PROBE_EXIT(%rax)
    je probe_answer
trap_save:
    push %rdi
    push %rsi
    push %rdx
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
    cmpb $0, uaccess_smap(%rip)
    je 1f
    clac
1:  mov %rax, %rdi
    mov %rsp, %rsi
    call trap_dispatch
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
    pop %rdx
    pop %rsi
    pop %rdi
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq
    .size trap_common, . - trap_common

/*
 * Hop a: the outcome of an armed probe is the frame itself. In: rax struct cpu, and on the stack
 *
 *      ss rsp rflags cs rip error vector
 *      rax rcx                             of the probe
 *
 * The frame of #DF and one from ring 3 cannot be continued at the probe's resume address: C decides.
 */
#define ANSWER_VECTOR 16
#define ANSWER_ERROR  24
#define ANSWER_RIP    32
#define ANSWER_CS     40
#define ANSWER_RFLAGS 48
#define ANSWER_RSP    56
#define ANSWER_SS     64
    .type probe_answer, @function
probe_answer:
    testb $3, ANSWER_CS(%rsp)
    jne trap_save
    cmpl $VECTOR_DF, ANSWER_VECTOR(%rsp)
    je trap_save
    mov %cr2, %rcx
    mov %rcx, CPU_OUTCOME + OUTCOME_CR2(%rax)
    mov ANSWER_VECTOR(%rsp), %ecx
    mov %cx, CPU_OUTCOME + OUTCOME_VECTOR(%rax)
    mov ANSWER_ERROR(%rsp), %rcx
    mov %rcx, CPU_OUTCOME + OUTCOME_ERROR(%rax)
    mov ANSWER_CS(%rsp), %ecx
    mov %cx, CPU_OUTCOME + OUTCOME_CS(%rax)
    mov ANSWER_RFLAGS(%rsp), %rcx
    mov %rcx, CPU_OUTCOME + OUTCOME_RFLAGS(%rax)
    mov ANSWER_RSP(%rsp), %rcx
    mov %rcx, CPU_OUTCOME + OUTCOME_RSP(%rax)
    mov ANSWER_SS(%rsp), %ecx
    mov %cx, CPU_OUTCOME + OUTCOME_SS(%rax)
    mov ANSWER_RIP(%rsp), %rcx
    mov %rcx, CPU_OUTCOME + OUTCOME_RIP(%rax)
    lea ANSWER_ERROR(%rsp), %rcx
    mov %rcx, CPU_PROBE_PUSHED_AT(%rax)
    mov CPU_PROBE_RESUME(%rax), %rcx
    mov %rcx, ANSWER_RIP(%rsp)
    movq $0, CPU_PROBE_EXIT(%rax)
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq
    .size probe_answer, . - probe_answer

/*
 * SYSCALL enters here with ring 3's stack. This page is mapped once more in every processor's area
 * (CPU_SYSCALL), so that RIP-relative addresses reach that processor's struct cpu without GS.
 * In: rcx RIP, r11 RFLAGS of ring 3; RFLAGS without what SFMASK clears, CS and SS are ours.
 *
 * ring3_run() returns from here, with everything written to its frame directly: CS and SS there stay what
 * they were given as, since SYSCALL does not say. Where a probe is armed, or nobody runs ring 3, builds a trap
 * frame as a gate would, below ring3_run()'s stack.
 */
#define HERE(offset) syscall_page - CPU_SYSCALL + (offset)(%rip)
    .section .syscall_page, "ax", @progbits
    .balign 4096
    .globl syscall_page
syscall_page:
    mov %rsp, HERE(CPU_USER_RSP)
    mov HERE(CPU_KERNEL_RSP), %rsp
    cmpq $0, HERE(CPU_PROBE_EXIT)
    jne syscall_trap
    push %rax
    mov HERE(CPU_USER), %rax
    test %rax, %rax
    je syscall_nobody
    mov %r15, FRAME_R15(%rax)
    mov %r14, FRAME_R14(%rax)
    mov %r13, FRAME_R13(%rax)
    mov %r12, FRAME_R12(%rax)
    mov %rbp, FRAME_RBP(%rax)
    mov %rbx, FRAME_RBX(%rax)
    mov %r11, FRAME_R11(%rax)
    mov %r10, FRAME_R10(%rax)
    mov %r9, FRAME_R9(%rax)
    mov %r8, FRAME_R8(%rax)
    mov %rdx, FRAME_RDX(%rax)
    mov %rsi, FRAME_RSI(%rax)
    mov %rdi, FRAME_RDI(%rax)
    mov %rcx, FRAME_RCX(%rax)
    popq FRAME_RAX(%rax)
    movq $TRAP_VECTOR_SYSCALL, FRAME_VECTOR(%rax)
    movq $0, FRAME_ERROR(%rax)
    mov %rcx, FRAME_RIP(%rax)
    mov %r11, FRAME_RFLAGS(%rax)
    mov HERE(CPU_USER_RSP), %rcx
    mov %rcx, FRAME_RSP(%rax)
    movq $0, HERE(CPU_USER)
    mov $TRAP_VECTOR_SYSCALL, %eax
    add $8, %rsp /* from here on as ring3_exit */
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
syscall_nobody:
    pop %rax
syscall_trap:
    pushq $SELECTOR_USER_DATA
    pushq HERE(CPU_USER_RSP)
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
