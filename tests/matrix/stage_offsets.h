/*
 * stage_offsets.h: what stage.S and stage.c both know; C asserts it.
 */
#ifndef MATRIX_STAGE_OFFSETS_H
#define MATRIX_STAGE_OFFSETS_H

/* Vectors: out of a stretch; and of deliveries: through a gate that lies in the page, on RSP0, on an IST. */
#define STAGE_EXIT 0x20
#define STAGE_GATE 0x90
#define STAGE_RSP0 0x91
#define STAGE_PUSH 0x92

/* Every exception of the processor's, then these four. */
#define STAGE_STUB_BYTES 64

/* From one stretch to the next, and from its start to INT STAGE_EXIT. */
#define STRETCH_BYTES 32
#define STRETCH_EXIT  16
#define INT_BYTES     2
#define CALL_BYTES    5

/* struct stage_registers; RIP to SS are what IRETQ wants. */
#define STAGE_RAX 0
#define STAGE_RBX 8
#define STAGE_RCX 16
#define STAGE_RDX 24
#define STAGE_RSI 32
#define STAGE_RDI 40
#define STAGE_RIP 48

/* struct stage_seen. */
#define SEEN_RAX    0
#define SEEN_RBX    8
#define SEEN_RCX    16
#define SEEN_RDX    24
#define SEEN_RSI    32
#define SEEN_RDI    40
#define SEEN_RSP    48
#define SEEN_CR2    56
#define SEEN_VECTOR 64

#endif
