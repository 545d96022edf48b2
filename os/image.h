/*
 * image.h: the file of a program. Floor: os.
 */
#ifndef OS_IMAGE_H
#define OS_IMAGE_H

#include "file.h"

/*
 * The page cache of the @count bytes at @bytes, known as @path; both stay where they are for as long as it lives. Out: NULL
 * when there is no memory; else one reference, the caller's.
 */
MUST_CHECK struct page_cache *image_open(const char *path, const void *bytes, uint64_t count);

/* The file once more, opened for reading, with a reference of its own. Out: NULL when there is no memory. */
MUST_CHECK struct file *image_file(struct page_cache *cache);

#endif
