/*
 * fpu_offsets.h: what assembly knows of extended state in signal frames; fpu.h says what it is, and asserts it.
 */
#ifndef FAULT_FPU_OFFSETS_H
#define FAULT_FPU_OFFSETS_H

#define FPU_SOFTWARE_AT           464
#define FPU_SOFTWARE_XSTATE_BYTES 16
#define FPU_HEADER_AT             512
#define FPU_MAGIC2                0x46505845

#endif
