/*
 * image.c: the file of a program that lies in memory already: a page cache that copies its pages out of there
 * as they are wanted, and /proc/self/exe. Floor: os.
 */
#include "image.h"

#include "system_call.h"
#include "x86/memory.h"

struct image {
    const uint8_t *bytes;
};

static struct object_cache images = OBJECT_CACHE("image", struct image);
static uint64_t inodes;

static enum vm_fault read_page(struct page_cache *cache, struct page *page)
{
    const struct image *image = cache->owner;
    const uint64_t at = page->index * PAGE_SIZE, left = cache->bytes - at;
    const uint64_t bytes = left < PAGE_SIZE ? left : PAGE_SIZE;

    memcpy(page_bytes(page), image->bytes + at, bytes);
    memset((char *)page_bytes(page) + bytes, 0, PAGE_SIZE - bytes);
    return VM_FAULT_DONE;
}

static void cache_release(struct page_cache *cache)
{
    object_free(&images, cache->owner);
}

static const struct page_cache_operations cache_operations = {
    .read_page = read_page,
    .release = cache_release,
};

struct page_cache *image_open(const char *path, const void *bytes, uint64_t count)
{
    struct image *image = object_alloc(&images);
    struct page_cache *cache;

    if (!image) {
        return NULL;
    }
    image->bytes = bytes;
    if (!(cache = page_cache_create(&cache_operations, path, image))) {
        object_free(&images, image);
        return NULL;
    }
    page_cache_truncate(cache, count);
    cache->inode = ++inodes;
    return cache;
}

/* ---- as a file ----------------------------------------------------------------------------- */

static void status(const struct file *file, struct file_status *status)
{
    status->device = 1;
    status->inode = file->cache->inode;
    status->links = 1;
    status->mode = STATUS_REGULAR | 0755;
    status->bytes = (int64_t)file->cache->bytes;
    status->block_bytes = PAGE_SIZE;
}

static int64_t seek(struct file *file, int64_t offset, uint32_t whence)
{
    const bool inside = offset >= 0 && (uint64_t)offset < file->cache->bytes;

    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        if (!inside) {
            return -ENXIO;
        }
        offset = whence == SEEK_DATA ? offset : (int64_t)file->cache->bytes;
        whence = SEEK_SET;
    }
    return file_seek(file, offset, whence, file->cache->bytes);
}

static void release(struct file *file)
{
    page_cache_put(file->cache);
}

static const struct file_operations operations = {
    .read = file_read,
    .seek = seek,
    .status = status,
    .release = release,
};

struct file *image_file(struct page_cache *cache)
{
    struct file *file = file_create(&operations, FILE_READ, NULL);

    if (file) {
        file->cache = cache;
        page_cache_get(cache);
    }
    return file;
}
