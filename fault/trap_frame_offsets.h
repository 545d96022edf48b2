/*
 * trap_frame_offsets.h: what assembly knows of struct cpu and struct trap_frame; C asserts it.
 */
#ifndef FAULT_TRAP_FRAME_OFFSETS_H
#define FAULT_TRAP_FRAME_OFFSETS_H

#define CPU_KERNEL_RSP 16
#define CPU_USER_RSP   24
#define CPU_USER       32
#define CPU_LOOP_COUNT 752

#define TRAP_VECTOR_SYSCALL 256

#define FRAME_R15    0
#define FRAME_R14    8
#define FRAME_R13    16
#define FRAME_R12    24
#define FRAME_RBP    32
#define FRAME_RBX    40
#define FRAME_R11    48
#define FRAME_R10    56
#define FRAME_R9     64
#define FRAME_R8     72
#define FRAME_RAX    112
#define FRAME_RCX    104
#define FRAME_RDX    80
#define FRAME_RSI    88
#define FRAME_RDI    96
#define FRAME_VECTOR 120
#define FRAME_ERROR  128
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SS     168

#endif
