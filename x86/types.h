/*
 * types.h: the scalars of the machine, and nothing else. Everybody's first include.
 */
#ifndef X86_TYPES_H
#define X86_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t pte_t;   /* one paging-structure entry of any level */
typedef uint64_t paddr_t; /* physical address, bytes */
typedef uint64_t vaddr_t; /* linear address, bytes */

#define MUST_CHECK            __attribute__((warn_unused_result))
#define ARRAY_COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define BIT(number)           (UINT64_C(1) << (number))
#define ALIGN_UP(value, to)   (((value) + (to)-1) & ~((__typeof__(value))(to)-1))
#define ALIGN_DOWN(value, to) ((value) & ~((__typeof__(value))(to)-1))

#endif
