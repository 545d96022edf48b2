/*
 * sweep_run.S: one access of the sweep, and the shortest way back from it, whatever comes of it.
 *
 *     C --call--> ring 0: the access --------------- went through -------------> ret
 *         \                  '- exception -> gate: the frame's RSP again ------> ret
 *          \----> ring 3: SYSRET, the access, SYSCALL --------------------------> ret
 *                            '- exception -> gate: RSP0, the frame's RSP again -> ret
 *
 * The frame is never returned through: RSP in it is that of the call, also in ring 3, which needs none
 * of its own. All other registers are as the caller left them, because the only instruction in between
 * is ours.
 *
 * In:   rdi address, rsi operand (the word to write, a selector, where the landing goes on), rdx the
 *       RIP that a fault must report; ring 3: rcx where its code is, r8 its RFLAGS
 * Out:  rax what was seen (table.h: error code and vector), rdx RIP of the exception, else as it was
 * Clobbers rcx r11.
 */
#include "fault/probe_offsets.h"
#include "x86/exception.h"

/* As table.h has it; sweep_run.c asserts it. */
#define SEEN_ERROR_SHIFT 32

    .text

.macro supervisor_access name, body:vararg
    .globl sweep_supervisor_\name, sweep_supervisor_\name\()_at
    .type sweep_supervisor_\name, @function
    .balign 16
sweep_supervisor_\name:
sweep_supervisor_\name\()_at:
    \body
    mov $OUTCOME_NONE, %eax
    ret
    .size sweep_supervisor_\name, . - sweep_supervisor_\name
.endm

supervisor_access READ, mov (%rdi), %rax
supervisor_access WRITE, mov %rsi, (%rdi)
supervisor_access LOCK_ADD, lock addq $0, (%rdi)
supervisor_access LDT, mov %esi, %fs
supervisor_access FETCH, jmp *%rdi

/* Ring 3's way in: its code is in probe.S, so that it has a page of its own. */
    .globl sweep_user
    .type sweep_user, @function
    .balign 16
sweep_user:
    mov %r8, %r11
    sysretq
    .size sweep_user, . - sweep_user

/* Where ring 0's landing goes on, and what LSTAR names: RSP is still that of the call. */
    .globl sweep_passed
    .type sweep_passed, @function
    .balign 16
sweep_passed:
    mov $OUTCOME_NONE, %eax
    ret
    .size sweep_passed, . - sweep_passed

/*
 * What the gates of vectors 0 to 31 name, SWEEP_STUB bytes each:
 *
 *      ss rsp rflags cs rip error
 */
#define STUB_RIP 8
#define STUB_RSP 32
    .balign 32
    .globl sweep_stubs
sweep_stubs:
    .set vector, 0
    .rept 32
    .balign 32
    .if !((VECTORS_WITH_ERROR_CODE >> vector) & 1)
    pushq $0
    .endif
    mov (%rsp), %eax
    mov STUB_RIP(%rsp), %rdx
    shl $SEEN_ERROR_SHIFT, %rax
    mov STUB_RSP(%rsp), %rsp
    or $vector, %rax
    ret
    .set vector, vector + 1
    .endr

    .section .note.GNU-stack, "", @progbits
