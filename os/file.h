/*
 * file.h: what a descriptor stands for. Floor: os.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "mm/page_cache.h"

#define FILES_MAX 1024u /* descriptors of one task (RLIMIT_NOFILE) */

struct task;
struct file;

struct files; /* a task's descriptors */

/* fork copies them, and the files' references; exit puts them. Out: NULL when there is no memory. */
MUST_CHECK struct files *files_create(void);
MUST_CHECK struct files *files_copy(const struct files *from);
void files_put(struct files *files);

/* The page cache that @descriptor can be mapped from, and what its mode allows of VM_MAYREAD, VM_MAYWRITE, VM_MAYEXEC. Errors:
 * -EBADF, -EACCES, -ENODEV. */
MUST_CHECK int files_mapping(struct files *files, uint64_t descriptor, struct page_cache **cache,
                             uint64_t *may);

#endif
