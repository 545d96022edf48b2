/*
 * program_archive.S: the files, byte for byte, and the table of them (program_archive.h).
 */
#define PROGRAM(name)             one_program name, 1
#define PROGRAM_WITHOUT_LOG(name) one_program name, 0
#define BENCH(name)               one_program name, 0

    .macro one_program name, has_log
    .section .rodata.programs, "a"
    .balign 16
.Limage_\name:
    .incbin "programs/\name"
.Limage_end_\name:
.Llog_\name:
    .if \has_log
    .incbin "tests/programs/logs/\name\().log"
    .endif
.Llog_end_\name:
.Ltext_\name:
    .asciz "\name"

    .section .rodata.program_archive, "a"
    .balign 8
    .quad .Ltext_\name, .Limage_\name, .Limage_end_\name, .Llog_\name, .Llog_end_\name
    .endm

    .section .rodata.program_archive, "a"
    .balign 8
    .globl program_archive
program_archive:
#include "program_list.h"

    .section .note.GNU-stack, "", @progbits
