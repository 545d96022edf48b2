/*
 * memory.h: the prototypes of memory.S, which on the build machine are libc's, and comparing texts.
 */
#ifndef X86_MEMORY_H
#define X86_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *destination, const void *source, size_t bytes);
void *memmove(void *destination, const void *source, size_t bytes);
void *memset(void *destination, int byte, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);

/* Are two NUL-terminated texts the same? */
static inline bool texts_equal(const char *left, const char *right)
{
    while (*left && *left == *right) {
        left++;
        right++;
    }
    return *left == *right;
}

#endif
