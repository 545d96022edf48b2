/*
 * memory_file.c: files that are nothing but their page cache, with a name that nobody else can find
 * (memfd_create). Floor: os. The order of what is looked at is Linux's shmem.c, file.c and open.c.
 */
#include "fault/uaccess.h"
#include "system_call.h"
#include "x86/memory.h"

#define FILE_BYTES_MAX INT64_MAX

static const char prefix[] = "/memfd:", suffix[] = " (deleted)";

struct memory_file {
    struct page_cache *cache;
    char name[sizeof(prefix) + MEMORY_FILE_NAME + sizeof(suffix)];
};

static struct object_cache memory_files = OBJECT_CACHE("memory_file", struct memory_file);
static uint64_t inodes;

static struct page_cache *cache_of(const struct file *file)
{
    return ((struct memory_file *)file->owner)->cache;
}

/* The last descriptor and the last mapping are gone. */
static void cache_release(struct page_cache *cache)
{
    object_free(&memory_files, cache->owner);
}

static const struct page_cache_operations cache_operations = {.release = cache_release};

static int64_t read(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                    uint64_t *position)
{
    struct page_cache *cache = cache_of(file);
    uint64_t done = 0;

    while (done < count && *position + done < cache->bytes) {
        const uint64_t at = *position + done, offset = at % PAGE_SIZE;
        uint64_t bytes = PAGE_SIZE - offset, left;
        struct page *page = page_cache_find(cache, at / PAGE_SIZE);

        bytes = bytes < count - done ? bytes : count - done;
        bytes = bytes < cache->bytes - at ? bytes : cache->bytes - at;
        if (page) {
            page_get(page);
            left = copy_to_user(buffer + done, (char *)page_bytes(page) + offset, bytes);
            page_put(page);
        } else {
            left = clear_user(buffer + done, bytes); /* a hole stays one */
        }
        done += bytes - left;
        if (left) {
            int64_t error = copy_failed(task);
            if (error == -ERESTART || done == 0) {
                return error;
            }
            break;
        }
    }
    *position += done;
    return (int64_t)done;
}

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
    struct page_cache *cache = cache_of(file);
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

/* The next offset from @offset on where a page is (@data) or is not; -ENXIO behind the end. */
static int64_t seek_kind(const struct page_cache *cache, uint64_t offset, bool data)
{
    if (offset >= cache->bytes) {
        return -ENXIO;
    }
    uint64_t index = offset / PAGE_SIZE;
    struct page *page = page_cache_first(cache, index);
    if (data) {
        if (!page || page->index * PAGE_SIZE >= cache->bytes) {
            return -ENXIO;
        }
        return page->index == index ? (int64_t)offset : (int64_t)(page->index * PAGE_SIZE);
    }
    if (!page || page->index != index) {
        return (int64_t)offset;
    }
    for (; page && page->index == index; page = page_cache_next(page)) {
        index++;
    }
    index *= PAGE_SIZE;
    return (int64_t)(index < cache->bytes ? index : cache->bytes);
}

static int64_t seek(struct file *file, int64_t offset, uint32_t whence)
{
    const struct page_cache *cache = cache_of(file);
    int64_t to = offset;

    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        to = (int64_t)(file->position + (uint64_t)offset);
        break;
    case SEEK_END:
        to = (int64_t)(cache->bytes + (uint64_t)offset);
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        to = offset < 0 ? -ENXIO : seek_kind(cache, (uint64_t)offset, whence == SEEK_DATA);
        if (to < 0) {
            return to;
        }
        break;
    default:
        return -EINVAL;
    }
    if (to < 0) {
        return -EINVAL;
    }
    file->position = (uint64_t)to;
    return to;
}

static int64_t truncate(struct file *file, uint64_t bytes)
{
    page_cache_truncate(cache_of(file), bytes);
    return 0;
}

/* Make all pages of [@offset, @end), or none. */
static int64_t allocate_pages(struct page_cache *cache, uint64_t offset, uint64_t end)
{
    const uint64_t first = offset / PAGE_SIZE, behind = (end - 1) / PAGE_SIZE + 1;
    uint64_t index;

    if (behind - first > memory.frames.frames) {
        return -ENOSPC;
    }
    for (index = first; index < behind; index++) {
        struct page *page = page_cache_find(cache, index);
        if (page) {
            continue;
        }
        if (page_cache_fetch(cache, index, &page) != VM_FAULT_DONE) {
            break;
        }
        page->flags |= PAGE_DIRTY;
        page->flags &= ~(uint32_t)PAGE_UPTODATE; /* ours, should it come to giving back */
        page_put(page);
    }
    const bool good = index == behind;
    for (struct page *page = page_cache_first(cache, first); page && page->index < behind;) {
        struct page *next = page_cache_next(page);
        if (!(page->flags & PAGE_UPTODATE)) {
            page->flags |= PAGE_UPTODATE;
            if (!good) {
                page_cache_punch(cache, page->index * PAGE_SIZE, PAGE_SIZE);
            }
        }
        page = next;
    }
    return good ? 0 : -ENOMEM;
}

static int64_t allocate(struct file *file, uint32_t mode, uint64_t offset, uint64_t bytes)
{
    struct page_cache *cache = cache_of(file);
    const uint64_t before = cache->bytes;
    uint64_t end = offset + bytes;

    if (mode & ~(FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE)) {
        return -EOPNOTSUPP;
    }
    if (mode & FALLOCATE_PUNCH_HOLE) {
        page_cache_punch(cache, offset, bytes);
        return 0;
    }
    if (mode & FALLOCATE_KEEP_SIZE && end > before) {
        end = before; /* behind the end nobody could tell whether there is a page */
    }
    if (offset >= end) {
        return 0;
    }
    if (end > before) {
        page_cache_truncate(cache, end);
    }
    int64_t result = allocate_pages(cache, offset, end);
    if (result < 0 && end > before) {
        page_cache_truncate(cache, before);
    }
    return result;
}

static void status(const struct file *file, struct file_status *status)
{
    const struct page_cache *cache = cache_of(file);

    status->device = 1;
    status->inode = cache->inode;
    status->mode = STATUS_REGULAR | 0777;
    status->bytes = (int64_t)cache->bytes;
    status->block_bytes = PAGE_SIZE;
    status->blocks = (int64_t)(cache->pages * (PAGE_SIZE / 512));
}

static void release(struct file *file)
{
    page_cache_put(cache_of(file));
}

static const struct file_operations operations = {
    .read = read,
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
    memory_file->cache = page_cache_create(&cache_operations, memory_file->name, memory_file);
    if (!memory_file->cache) {
        object_free(&memory_files, memory_file);
        return NULL;
    }
    memory_file->cache->inode = ++inodes;
    struct file *file = file_create(&operations, FILE_READ | FILE_WRITE, memory_file);
    if (!file) {
        page_cache_put(memory_file->cache);
    }
    return file;
}

struct page_cache *memory_file_cache(const struct file *file)
{
    return file->operations == &operations ? cache_of(file) : NULL;
}
