/*
 * probe_offsets.h: what probe.S and entry.S know of struct cpu and struct outcome; probe.c asserts
 * it.
 */
#ifndef FAULT_PROBE_OFFSETS_H
#define FAULT_PROBE_OFFSETS_H

#define CPU_PROBE_EXIT   40
#define CPU_PROBE_RESUME 48
#define CPU_PROBE_RSP    56

#define CPU_OUTCOME         64
#define CPU_PROBE_PUSHED_AT 112

#define OUTCOME_VECTOR 0
#define OUTCOME_CS     2
#define OUTCOME_SS     4
#define OUTCOME_ERROR  8
#define OUTCOME_CR2    16
#define OUTCOME_RIP    24
#define OUTCOME_RFLAGS 32
#define OUTCOME_RSP    40

#define OUTCOME_NONE 0xffff

#define PROBE_EXIT_FIXUP 1

#endif
