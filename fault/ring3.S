/*
 * ring3.S: see ring3.h. IRETQ in, gate or SYSCALL (entry.S) out; the kernel stack of the way back begins
 * right below ring3_run()'s own frame. Not SYSRET: it saves no instruction, and would fault in ring 0, on
 * ring 3's stack, where RIP is not canonical (SDM vol. 2B).
 */
#include "extable.h"
#include "layout.h"
#include "trap_frame_offsets.h"

/* Offset of rsp[0] in the TSS. */
#define TSS_RSP0 4

    .text
/*
 * ring3_run: In: rdi user frame. Out: rax vector.
 *
 *      return address
 *      rbx rbp r12 r13 r14 r15
 *      (8 bytes: alignment)
 *   <- kernel_rsp, TSS.RSP0: multiple of 16
 *      ss rsp rflags cs rip of ring 3, for IRETQ
 */
    .globl ring3_run
    .type ring3_run, @function
ring3_run:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $8, %rsp
    mov %rsp, %rax
    and $-CPU_AREA, %rax
    mov %rsp, CPU_KERNEL_RSP(%rax)
    mov %rsp, CPU_TSS + TSS_RSP0(%rax)
    mov %rdi, CPU_USER(%rax)
    movl $0, CPU_LOOP_COUNT(%rax) /* whoever was here in between has changed something */
    pushq FRAME_SS(%rdi)
    pushq FRAME_RSP(%rdi)
    pushq FRAME_RFLAGS(%rdi)
    pushq FRAME_CS(%rdi)
    pushq FRAME_RIP(%rdi)
    mov FRAME_R15(%rdi), %r15
    mov FRAME_R14(%rdi), %r14
    mov FRAME_R13(%rdi), %r13
    mov FRAME_R12(%rdi), %r12
    mov FRAME_RBP(%rdi), %rbp
    mov FRAME_RBX(%rdi), %rbx
    mov FRAME_R11(%rdi), %r11
    mov FRAME_R10(%rdi), %r10
    mov FRAME_R9(%rdi), %r9
    mov FRAME_R8(%rdi), %r8
    mov FRAME_RAX(%rdi), %rax
    mov FRAME_RCX(%rdi), %rcx
    mov FRAME_RDX(%rdi), %rdx
    mov FRAME_RSI(%rdi), %rsi
    mov FRAME_RDI(%rdi), %rdi
.Liret:
    iretq
    EXTABLE(.Liret, .Lbad_frame, EX_DEFAULT)
.Lbad_frame:
    mov %rsp, %rdi
    and $-CPU_AREA, %rdi
    mov CPU_KERNEL_RSP(%rdi), %rdi
    mov $257, %esi
    jmp ring3_exit
    .size ring3_run, . - ring3_run

/*
 * ring3_exit: return from ring3_run. In: rdi kernel_rsp, rsi its result. CS is ours by the gate; SS
 * is null by the change of ring; RFLAGS may hold ring 3's AC.
 */
    .globl ring3_exit
    .type ring3_exit, @function
ring3_exit:
    mov %rdi, %rsp
    mov $SELECTOR_DATA, %eax
    mov %eax, %ss
    pushq $2
    popfq
    mov %rsi, %rax
    add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size ring3_exit, . - ring3_exit

    .section .note.GNU-stack, "", @progbits
