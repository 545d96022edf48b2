/*
 * uaccess.S: the instructions that may fault, each with its entry in the exception table.
 * System V ABI. SDM vol. 2B MOVS: RCX counts the elements that are left when one faults.
 */
#include "extable.h"
#include "fpu_offsets.h"

    .text

/* Open and close user access where SMAP is on; STAC does not exist where it is not. */
.macro user_access_begin
    cmpb $0, uaccess_smap(%rip)
    je 77f
    stac
77:
.endm
.macro user_access_end
    cmpb $0, uaccess_smap(%rip)
    je 78f
    clac
78:
.endm

/* Leave with @result. */
.macro user_access_return result
    user_access_end
    mov $\result, %eax
    ret
.endm

.macro function name
    .globl \name
    .type \name, @function
    .balign 16
\name:
.endm
.macro end_function name
    .size \name, . - \name
.endm

/*
 * raw_copy_from_user, raw_copy_to_user: rdi to, rsi from, rdx bytes. Out: rax bytes left. In words that are aligned on the
 * program's side, so that none is half in a page that is missing.
 */
.macro copy_user user, low_byte
    user_access_begin
    test $7, \low_byte
    jnz 7f
8:  mov %rdx, %rcx
    and $7, %edx
    shr $3, %rcx
2:  rep movsq
    mov %edx, %ecx
3:  rep movsb
4:  user_access_end
    mov %rcx, %rax
    ret
7:  mov \user, %rcx
    neg %rcx
    and $7, %ecx
    cmp %rdx, %rcx
    cmova %rdx, %rcx
    sub %rcx, %rdx
1:  rep movsb
    jmp 8b
5:  add %rdx, %rcx
    jmp 4b
6:  lea (%rdx, %rcx, 8), %rcx
    jmp 4b
    EXTABLE(1b, 5b, EX_UACCESS)
    EXTABLE(2b, 6b, EX_UACCESS)
    EXTABLE(3b, 4b, EX_UACCESS)
.endm
function raw_copy_from_user
    copy_user %rsi, %sil
end_function raw_copy_from_user
function raw_copy_to_user
    copy_user %rdi, %dil
end_function raw_copy_to_user

/* raw_clear_user: rdi to, rsi bytes. Out: rax bytes left. */
function raw_clear_user
    user_access_begin
    mov %rsi, %rcx
    xor %eax, %eax
1:  rep stosb
2:  user_access_end
    mov %rcx, %rax
    ret
    EXTABLE(1b, 2b, EX_UACCESS)
end_function raw_clear_user

/* One of four instructions by the number of bytes in edx, of which all that fault continue at 6. */
.macro by_bytes one, two, four, eight
    cmp $2, %edx
    jb 1f
    je 2f
    cmp $4, %edx
    je 4f
8:  \eight
    jmp 5f
1:  \one
    jmp 5f
2:  \two
    jmp 5f
4:  \four
5:
    .irp from, 1b, 2b, 4b, 8b
    EXTABLE(\from, 6f, EX_UACCESS)
    .endr
.endm

/* raw_get_user: rdi value (8 bytes), rsi from, rdx 1 2 4 8. Out: rax 1, or 0 and *value untouched. */
function raw_get_user
    user_access_begin
    by_bytes "movzbl (%rsi), %eax", "movzwl (%rsi), %eax", "mov (%rsi), %eax", "mov (%rsi), %rax"
    mov %rax, (%rdi)
    user_access_return 1
6:  user_access_return 0
end_function raw_get_user

/* raw_put_user: rdi value, rsi to, rdx 1 2 4 8. Out: rax 1, or 0 and nothing written. */
function raw_put_user
    user_access_begin
    by_bytes "mov %dil, (%rsi)", "mov %di, (%rsi)", "mov %edi, (%rsi)", "mov %rdi, (%rsi)"
    user_access_return 1
6:  user_access_return 0
end_function raw_put_user

/*
 * raw_fpu_frame_write: rdi to, rsi parts of XCR0, rdx struct fpu_software. Out: rax 1, or 0 when something could not
 * be written. XSAVE reads and writes XSTATE_BV, and leaves the rest of the header as it is.
 */
function raw_fpu_frame_write
    user_access_begin
    mov %rdx, %r8
    xor %eax, %eax
    .irp offset, 0, 8, 16, 24, 32, 40, 48, 56
1:  mov %rax, FPU_HEADER_AT + \offset(%rdi)
    EXTABLE(1b, 9f, EX_UACCESS)
    .endr
    .irp offset, 24, 32, 40 /* padding of struct fpu_software */
1:  mov %rax, FPU_SOFTWARE_AT + \offset(%rdi)
    EXTABLE(1b, 9f, EX_UACCESS)
    .endr
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
2:  xsave64 (%rdi)
3:  orl $3, FPU_HEADER_AT(%rdi)
    .irp offset, 0, 8, 16
    mov \offset(%r8), %rax
4:  mov %rax, FPU_SOFTWARE_AT + \offset(%rdi)
    EXTABLE(4b, 9f, EX_UACCESS)
    .endr
    mov FPU_SOFTWARE_XSTATE_BYTES(%r8), %eax
5:  movl $FPU_MAGIC2, (%rdi, %rax)
    user_access_return 1
9:  user_access_return 0
    EXTABLE(2b, 9b, EX_UACCESS)
    EXTABLE(3b, 9b, EX_UACCESS)
    EXTABLE(5b, 9b, EX_UACCESS)
end_function raw_fpu_frame_write

/*
 * raw_fpu_frame_read: rdi from, rsi parts of XCR0, rdx struct fpu_software. Out: rax 1: restored; 0: a page is missing, or what
 * is there is not good (#GP); 2: the frame says otherwise of itself, and nothing was done.
 */
function raw_fpu_frame_read
    user_access_begin
    mov (%rdx), %rax
1:  cmp FPU_SOFTWARE_AT(%rdi), %rax
    jne 8f
    mov 8(%rdx), %rax
2:  cmp FPU_SOFTWARE_AT + 8(%rdi), %rax
    jne 8f
    mov FPU_SOFTWARE_XSTATE_BYTES(%rdx), %eax
3:  cmp FPU_SOFTWARE_AT + FPU_SOFTWARE_XSTATE_BYTES(%rdi), %eax
    jne 8f
4:  cmpl $FPU_MAGIC2, (%rdi, %rax)
    jne 8f
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
5:  xrstor64 (%rdi)
    user_access_return 1
8:  user_access_return 2
9:  user_access_return 0
    EXTABLE(1b, 9b, EX_UACCESS)
    EXTABLE(2b, 9b, EX_UACCESS)
    EXTABLE(3b, 9b, EX_UACCESS)
    EXTABLE(4b, 9b, EX_UACCESS)
    EXTABLE(5b, 9b, EX_DEFAULT)
end_function raw_fpu_frame_read

/* raw_fpu_xrstor: rdi from, rsi parts. Out: rax 1 or 0: a page is missing, or what is there is not good (#GP). */
function raw_fpu_xrstor
    user_access_begin
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
1:  xrstor64 (%rdi)
    user_access_return 1
2:  user_access_return 0
    EXTABLE(1b, 2b, EX_DEFAULT)
end_function raw_fpu_xrstor

/* raw_fpu_fxrstor: rdi from. Out: likewise. */
function raw_fpu_fxrstor
    user_access_begin
1:  fxrstor64 (%rdi)
    user_access_return 1
2:  user_access_return 0
    EXTABLE(1b, 2b, EX_DEFAULT)
end_function raw_fpu_fxrstor

/* read_zeropad: rdi from. Out: rax. The handler takes the address from rdi and writes rax (0). */
function read_zeropad
1:  mov (%rdi), %rax
2:  ret
    EXTABLE(1b, 2b, EX_ZEROPAD + EX_REGISTER(0))
end_function read_zeropad

/* read_guarded: rdi from, rsi value. Out: rax 1, or 0 and *value untouched. */
function read_guarded
1:  mov (%rdi), %rax
    mov %rax, (%rsi)
    mov $1, %eax
    ret
2:  xor %eax, %eax
    ret
    EXTABLE(1b, 2b, EX_DEFAULT)
end_function read_guarded

/* read_reporting: rdi from, rsi error, rdx address. Out: rax vector, or -1. Handler: rax rdx rcx. */
function read_reporting
    mov %rdx, %r8
1:  movzbl (%rdi), %eax
    mov $-1, %rax
    ret
2:  mov %rdx, (%rsi)
    mov %rcx, (%r8)
    ret
    EXTABLE(1b, 2b, EX_FAULT)
end_function read_reporting

/* read_msr_guarded: edi msr, rsi value. Out: rax 1, or 0 and *value untouched. */
function read_msr_guarded
    mov %edi, %ecx
1:  rdmsr
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, (%rsi)
    mov $1, %eax
    ret
2:  xor %eax, %eax
    ret
    EXTABLE(1b, 2b, EX_MSR)
end_function read_msr_guarded

/* write_msr_guarded: edi msr, rsi value. Out: rax 1 or 0. */
function write_msr_guarded
    mov %edi, %ecx
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
1:  wrmsr
    mov $1, %eax
    ret
2:  xor %eax, %eax
    ret
    EXTABLE(1b, 2b, EX_MSR)
end_function write_msr_guarded

    .section .note.GNU-stack, "", @progbits
