/*
 * uaccess.S: the instructions that may fault, each with its entry in the exception table.
 * System V ABI. SDM vol. 2B MOVS: RCX counts the elements that are left when one faults.
 */
#include "extable.h"

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
.macro copy_user user
    user_access_begin
    mov \user, %rcx
    neg %rcx
    and $7, %ecx
    cmp %rdx, %rcx
    cmova %rdx, %rcx
    sub %rcx, %rdx
1:  rep movsb
    mov %rdx, %rcx
    and $7, %edx
    shr $3, %rcx
2:  rep movsq
    mov %edx, %ecx
3:  rep movsb
4:  user_access_end
    mov %rcx, %rax
    ret
5:  add %rdx, %rcx
    jmp 4b
6:  lea (%rdx, %rcx, 8), %rcx
    jmp 4b
    EXTABLE(1b, 5b, EX_UACCESS)
    EXTABLE(2b, 6b, EX_UACCESS)
    EXTABLE(3b, 4b, EX_UACCESS)
.endm
function raw_copy_from_user
    copy_user %rsi
end_function raw_copy_from_user
function raw_copy_to_user
    copy_user %rdi
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

/* raw_get_user: rdi value (8 bytes), rsi from, rdx 1 2 4 8. Out: rax 1, or 0 and *value untouched. */
function raw_get_user
    user_access_begin
    cmp $2, %edx
    jb 1f
    je 2f
    cmp $4, %edx
    je 4f
8:  mov (%rsi), %rax
    jmp 5f
1:  movzbl (%rsi), %eax
    jmp 5f
2:  movzwl (%rsi), %eax
    jmp 5f
4:  mov (%rsi), %eax
5:  mov %rax, (%rdi)
    user_access_end
    mov $1, %eax
    ret
6:  user_access_end
    xor %eax, %eax
    ret
    EXTABLE(8b, 6b, EX_UACCESS)
    EXTABLE(1b, 6b, EX_UACCESS)
    EXTABLE(2b, 6b, EX_UACCESS)
    EXTABLE(4b, 6b, EX_UACCESS)
end_function raw_get_user

/* raw_put_user: rdi value, rsi to, rdx 1 2 4 8. Out: rax 1, or 0 and nothing written. */
function raw_put_user
    user_access_begin
    cmp $2, %edx
    jb 1f
    je 2f
    cmp $4, %edx
    je 4f
8:  mov %rdi, (%rsi)
    jmp 5f
1:  mov %dil, (%rsi)
    jmp 5f
2:  mov %di, (%rsi)
    jmp 5f
4:  mov %edi, (%rsi)
5:  user_access_end
    mov $1, %eax
    ret
6:  user_access_end
    xor %eax, %eax
    ret
    EXTABLE(8b, 6b, EX_UACCESS)
    EXTABLE(1b, 6b, EX_UACCESS)
    EXTABLE(2b, 6b, EX_UACCESS)
    EXTABLE(4b, 6b, EX_UACCESS)
end_function raw_put_user

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
