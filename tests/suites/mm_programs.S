/*
 * mm_programs.S: see mm_programs.h. System V gABI, chapters 4 and 5; system calls as in Linux's syscall_64.tbl.
 *
 *   ELF header | one program header | code        all of it one segment, R and X, at TINY_BASE
 */
#include "mm_programs.h"

#define SYS_WRITE 1
#define SYS_FORK  57
#define SYS_EXIT  60
#define SYS_WAIT4 61
#define SYS_NONE  399

    .macro tiny name
    .balign 16
    .globl \name, \name\()_end
\name:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0
    .zero 8
    .short 2, 62 /* ET_EXEC, EM_X86_64 */
    .long 1
    .quad TINY_BASE + 64 + 56 /* entry */
    .quad 64, 0               /* program headers; no sections */
    .long 0
    .short 64, 56, 1, 64, 0, 0
    .long 1, 5 /* PT_LOAD, R and X */
    .quad 0, TINY_BASE, TINY_BASE, \name\()_end - \name, \name\()_end - \name, 4096
    .endm

    .section .rodata.mm_programs, "a"

    tiny tiny_forker
    mov $SYS_FORK, %eax
    syscall
    test %eax, %eax
    jz 1f
    mov %eax, %edi
    lea -16(%rsp), %rsi
    xor %edx, %edx
    xor %r10d, %r10d
    mov $SYS_WAIT4, %eax
    syscall
    mov -16(%rsp), %edi
    and $0x7f, %edi
    mov $SYS_EXIT, %eax
    syscall
1:  mov $1, %edi
    lea 1b(%rip), %rsi
    mov $1, %edx
    mov $SYS_WRITE, %eax
    syscall
    mov $99, %edi
    mov $SYS_EXIT, %eax
    syscall
tiny_forker_end:

    tiny tiny_reader
    mov $READER_MEMORY, %ebx
    mov (%rbx), %r12
    mov $1, %edi
    lea READER_PAGE(%rbx), %rsi
    mov $8, %edx
    mov $SYS_WRITE, %eax
    syscall
    mov %r12d, %edi
    and $0xff, %edi
    mov $SYS_EXIT, %eax
    syscall
tiny_reader_end:

    tiny tiny_spinner
1:  jmp 1b
tiny_spinner_end:

    tiny tiny_caller
    mov $SYS_NONE, %eax
    syscall
    mov $SYS_NONE, %eax
    syscall
    mov %eax, %edi
    neg %edi
    mov $SYS_EXIT, %eax
    syscall
tiny_caller_end:

    .section .note.GNU-stack, "", @progbits
