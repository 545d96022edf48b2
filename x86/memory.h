/*
 * memory.h: the prototypes of memory.S, which on the build machine are libc's.
 */
#ifndef X86_MEMORY_H
#define X86_MEMORY_H

#include <stddef.h>

void *memcpy(void *destination, const void *source, size_t bytes);
void *memmove(void *destination, const void *source, size_t bytes);
void *memset(void *destination, int byte, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);

#endif
