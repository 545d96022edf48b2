/*
 * memory_file.c: files that are nothing but their page cache, with a name that nobody else can find
 * (memfd_create). Floor: os. The order of what is looked at is Linux's shmem.c, file.c and open.c.
 */
#include "fault/uaccess.h"
#include "mm/range.h"
#include "system_call.h"
#include "x86/memory.h"

#define FILE_BYTES_MAX INT64_MAX

static const char prefix[] = "/memfd:", suffix[] = " (deleted)";

struct memory_file {
    char name[sizeof(prefix) + MEMORY_FILE_NAME + sizeof(suffix)];
};

static struct object_cache memory_files = OBJECT_CACHE("memory_file", struct memory_file);
static uint64_t inodes;

/* The last descriptor and the last mapping are gone. */
static void cache_release(struct page_cache *cache)
{
    object_free(&memory_files, cache->owner);
}

static const struct page_cache_operations cache_operations = {.release = cache_release};

/* One piece within a page. Out: bytes written, or an error. */
static int64_t write_piece(struct task *task, struct page_cache *cache, uint64_t at, vaddr_t from,
                           uint64_t bytes)
{
    const uint64_t before = cache->bytes;
    uint64_t left, first;
    struct page *page;

    /* Nothing may become of a write that cannot even begin. */
    if (!get_user(&first, from, 1)) {
        return copy_failed(task);
    }
    if (at + bytes > before) {
        page_cache_truncate(cache, at + bytes);
    }
    if (page_cache_fetch(cache, at / PAGE_SIZE, &page) != VM_FAULT_DONE) {
        page_cache_truncate(cache, before);
        return -ENOMEM;
    }
    left = copy_from_user((char *)page_bytes(page) + at % PAGE_SIZE, from, bytes);
    page->flags |= PAGE_DIRTY;
    page_put(page);
    if (left == 0) {
        return (int64_t)bytes;
    }
    int64_t error = copy_failed(task);
    if (at + bytes > before) {
        const uint64_t end = at + bytes - left;
        page_cache_truncate(cache, end > before ? end : before);
    }
    return error == -EFAULT ? (int64_t)(bytes - left) : error;
}

static int64_t write(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                     uint64_t *position)
{
    struct page_cache *cache = file->cache;
    uint64_t done = 0;

    if (*position >= FILE_BYTES_MAX) {
        return -EFBIG;
    }
    if (count > FILE_BYTES_MAX - *position) {
        count = FILE_BYTES_MAX - *position;
    }
    while (done < count) {
        const uint64_t at = *position + done;
        uint64_t bytes = PAGE_SIZE - at % PAGE_SIZE;

        bytes = bytes < count - done ? bytes : count - done;
        int64_t result = write_piece(task, cache, at, buffer + done, bytes);
        if (result < 0 && (result == -ERESTART || done == 0)) {
            return result;
        }
        if (result < 0) {
            break;
        }
        done += (uint64_t)result;
    }
    *position += done;
    return (int64_t)done;
}

/* The next page from @index on with bytes of its own: reserved ones are holes yet. */
static struct page *data_from(const struct page_cache *cache, uint64_t index)
{
    struct page *page = page_cache_first(cache, index);

    while (page && page->flags & PAGE_RESERVED) {
        page = page_cache_next(page);
    }
    return page;
}

/* The next offset from @offset on where a page is (@data) or is not; -ENXIO behind the end. */
static int64_t seek_kind(const struct page_cache *cache, uint64_t offset, bool data)
{
    const struct page *page;
    uint64_t index = offset / PAGE_SIZE, to = offset;

    if (offset >= cache->bytes) {
        return -ENXIO;
    }
    if (data) {
        page = data_from(cache, index);
        if (page && page->index > index) {
            to = page->index * PAGE_SIZE;
        }
        return page && to < cache->bytes ? (int64_t)to : -ENXIO;
    }
    while ((page = data_from(cache, index)) && page->index == index) {
        to = ++index * PAGE_SIZE;
    }
    return (int64_t)(to < cache->bytes ? to : cache->bytes);
}

static int64_t seek(struct file *file, int64_t offset, uint32_t whence)
{
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        offset =
            offset < 0 ? -ENXIO : seek_kind(file->cache, (uint64_t)offset, whence == SEEK_DATA);
        if (offset < 0) {
            return offset;
        }
        whence = SEEK_SET;
    }
    return file_seek(file, offset, whence, file->cache->bytes);
}

static int64_t truncate(struct file *file, uint64_t bytes)
{
    page_cache_truncate(file->cache, bytes);
    return 0;
}

/*
 * Make all pages of [@offset, @end), also behind the file's end. When that cannot be, those go that nobody has
 * touched yet, as on Linux.
 */
static int64_t allocate_pages(struct page_cache *cache, uint64_t offset, uint64_t end)
{
    const uint64_t first = offset / PAGE_SIZE, behind = (end - 1) / PAGE_SIZE + 1;
    uint64_t index;

    if (behind - first > memory.frames.frames) {
        return -ENOSPC;
    }
    for (index = first; index < behind; index++) {
        if (page_cache_reserve(cache, index) != VM_FAULT_DONE) {
            break;
        }
    }
    if (index == behind) {
        return 0;
    }
    for (struct page *page = page_cache_first(cache, first), *next; page && page->index < index;
         page = next) {
        next = page_cache_next(page);
        if (page->flags & PAGE_RESERVED) {
            page_cache_punch(cache, page->index * PAGE_SIZE, PAGE_SIZE);
        }
    }
    return -ENOMEM;
}

static int64_t allocate(struct file *file, uint32_t mode, uint64_t offset, uint64_t bytes)
{
    struct page_cache *cache = file->cache;
    const uint64_t end = offset + bytes;

    if (mode & ~(FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE)) {
        return -EOPNOTSUPP;
    }
    if (mode & FALLOCATE_PUNCH_HOLE) {
        if (end < PAGE_SIZE) {
            /* As in shmem: the end, rounded down, less 1, wraps, so all from the next page on is unmapped, to be
             * faulted in again. Only the count of faults shows it. */
            range_unmap_file(cache, offset ? 1 : 0, UINT64_MAX, ZAP_FILE);
        }
        page_cache_punch(cache, offset, bytes);
        return 0;
    }
    int64_t result = allocate_pages(cache, offset, end);
    if (result == 0 && !(mode & FALLOCATE_KEEP_SIZE) && end > cache->bytes) {
        page_cache_truncate(cache, end);
    }
    return result;
}

static void status(const struct file *file, struct file_status *status)
{
    const struct page_cache *cache = file->cache;

    status->device = 1;
    status->inode = cache->inode;
    status->mode = STATUS_REGULAR | 0777;
    status->bytes = (int64_t)cache->bytes;
    status->block_bytes = PAGE_SIZE;
    status->blocks = (int64_t)(cache->pages * (PAGE_SIZE / 512));
}

static void release(struct file *file)
{
    page_cache_put(file->cache);
}

static const struct file_operations operations = {
    .read = file_read,
    .write = write,
    .seek = seek,
    .truncate = truncate,
    .allocate = allocate,
    .status = status,
    .release = release,
};

static char *append(char *to, const char *text)
{
    while (*text) {
        *to++ = *text++;
    }
    return to;
}

struct file *memory_file_open(const char *name)
{
    struct memory_file *memory_file = object_alloc(&memory_files);

    if (!memory_file) {
        return NULL;
    }
    append(append(append(memory_file->name, prefix), name), suffix); /* all zeros behind it */
    struct page_cache *cache = page_cache_create(&cache_operations, memory_file->name, memory_file);
    if (!cache) {
        object_free(&memory_files, memory_file);
        return NULL;
    }
    cache->inode = ++inodes;
    struct file *file = file_create(&operations, FILE_READ | FILE_WRITE, memory_file);
    if (!file) {
        page_cache_put(cache);
        return NULL;
    }
    file->cache = cache;
    return file;
}
