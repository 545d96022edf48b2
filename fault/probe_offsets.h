/*
 * probe_offsets.h: what probe.S knows of struct cpu; probe.c asserts it.
 */
#ifndef FAULT_PROBE_OFFSETS_H
#define FAULT_PROBE_OFFSETS_H

#define CPU_PROBE_EXIT   40
#define CPU_PROBE_RESUME 48
#define CPU_PROBE_RSP    56

#define PROBE_EXIT_FIXUP 1

#endif
