/*
 * elf.h: a program's file becomes memory and a first stack. Floor: os.
 */
#ifndef OS_ELF_H
#define OS_ELF_H

#include "mm/mm.h"

/*
 * Load the ELF64 file @cache, all of whose bytes are at @image, into @mm, which is empty and loaded, with the resolver
 * set: segments, .bss, heap, stack with @arguments, @environment and auxiliary vector; Linux's layout without
 * randomisation. Out: 0, where to start and with which stack pointer; or execve's error, and then @mm is to be
 * destroyed: -ENOEXEC no such file, -EINVAL a segment that cannot be, -ENOMEM, -E2BIG, -EEXIST segments that overlap
 * the stack, -EFAULT .bss that cannot be written, -ENOENT an interpreter is asked for, -EIO its name is not in the file.
 */
MUST_CHECK int elf_load(struct mm *mm, struct page_cache *cache, const void *image,
                        const char *const *arguments, const char *const *environment,
                        vaddr_t *entry, vaddr_t *stack);

#endif
