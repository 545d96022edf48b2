/*
 * exception.h: vectors and error codes, SDM vol. 3A sections 4.7 and 6.3. Shared with assembly.
 */
#ifndef X86_EXCEPTION_H
#define X86_EXCEPTION_H

#define VECTOR_DE  0
#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_BP  3
#define VECTOR_OF  4
#define VECTOR_BR  5
#define VECTOR_UD  6
#define VECTOR_DF  8
#define VECTOR_TS  10
#define VECTOR_NP  11
#define VECTOR_SS  12
#define VECTOR_GP  13
#define VECTOR_PF  14
#define VECTOR_MF  16
#define VECTOR_AC  17
#define VECTOR_MC  18
#define VECTOR_XM  19
#define VECTOR_CP  21
#define VECTORS    256

/* Vectors that push an error code: 8 10-14 17 21 29 30 (SDM table 6-1, APM 8.4.2). */
#define VECTORS_WITH_ERROR_CODE 0x60227d00

/* The page-fault error code, SDM figure 4-12. */
#define PF_EC_P    (1 << 0)
#define PF_EC_W    (1 << 1)
#define PF_EC_U    (1 << 2)
#define PF_EC_RSVD (1 << 3)
#define PF_EC_I    (1 << 4)
#define PF_EC_PK   (1 << 5)
#define PF_EC_SS   (1 << 6)
#define PF_EC_HLAT (1 << 7)
#define PF_EC_SGX  (1 << 15)
#define PF_EC_RMP  0x80000000

#endif
