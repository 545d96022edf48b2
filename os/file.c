/*
 * file.c: descriptor tables and the files in them. Floor: os.
 */
#include "fault/uaccess.h"
#include "system_call.h"

#define CHUNK_FILES  256u /* pointers in half a page */
#define FILES_CHUNKS (FILES_MAX / CHUNK_FILES)

struct file_chunk {
    struct file *file[CHUNK_FILES];
};

struct files {
    struct file_chunk *chunk[FILES_CHUNKS]; /* NULL: none of them is open */
};

static struct object_cache file_objects = OBJECT_CACHE("file", struct file);
static struct object_cache files_objects = OBJECT_CACHE("files", struct files);
static struct object_cache chunk_objects = OBJECT_CACHE("file_chunk", struct file_chunk);

struct file *file_create(const struct file_operations *operations, uint32_t mode, void *owner)
{
    struct file *file = object_alloc(&file_objects);

    if (file) {
        file->operations = operations;
        file->count = 1;
        file->mode = mode;
        file->owner = owner;
    }
    return file;
}

void file_put(struct file *file)
{
    if (--file->count) {
        return;
    }
    if (file->operations->release) {
        file->operations->release(file);
    }
    object_free(&file_objects, file);
}

struct files *files_create(void)
{
    struct files *files = object_alloc(&files_objects);
    struct file *console;

    if (!files) {
        return NULL;
    }
    if (!(console = console_open())) {
        files_put(files);
        return NULL;
    }
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        if (files_add(files, console, FILES_MAX) < 0) {
            file_put(console);
            files_put(files);
            return NULL;
        }
        console->count++;
    }
    file_put(console);
    return files;
}

struct files *files_copy(const struct files *from)
{
    struct files *files = object_alloc(&files_objects);

    for (unsigned i = 0; files && i < FILES_CHUNKS; i++) {
        if (!from->chunk[i]) {
            continue;
        }
        if (!(files->chunk[i] = object_alloc(&chunk_objects))) {
            files_put(files);
            return NULL;
        }
        *files->chunk[i] = *from->chunk[i];
        for (unsigned slot = 0; slot < CHUNK_FILES; slot++) {
            if (files->chunk[i]->file[slot]) {
                files->chunk[i]->file[slot]->count++;
            }
        }
    }
    return files;
}

void files_put(struct files *files)
{
    for (unsigned i = 0; i < FILES_CHUNKS; i++) {
        for (unsigned slot = 0; files->chunk[i] && slot < CHUNK_FILES; slot++) {
            if (files->chunk[i]->file[slot]) {
                file_put(files->chunk[i]->file[slot]);
            }
        }
        object_free(&chunk_objects, files->chunk[i]);
    }
    object_free(&files_objects, files);
}

struct file *files_find(const struct files *files, uint64_t descriptor)
{
    const uint32_t number = (uint32_t)descriptor;

    if (number >= FILES_MAX || !files->chunk[number / CHUNK_FILES]) {
        return NULL;
    }
    return files->chunk[number / CHUNK_FILES]->file[number % CHUNK_FILES];
}

int64_t files_add(struct files *files, struct file *file, uint64_t limit)
{
    for (uint32_t number = 0; number < FILES_MAX && number < limit; number++) {
        struct file_chunk **chunk = &files->chunk[number / CHUNK_FILES];

        if (!*chunk && !(*chunk = object_alloc(&chunk_objects))) {
            return -ENOMEM;
        }
        if (!(*chunk)->file[number % CHUNK_FILES]) {
            (*chunk)->file[number % CHUNK_FILES] = file;
            return number;
        }
    }
    return -EMFILE;
}

int64_t files_close(struct files *files, uint64_t descriptor)
{
    const uint32_t number = (uint32_t)descriptor;
    struct file *file = files_find(files, descriptor);

    if (!file) {
        return -EBADF;
    }
    files->chunk[number / CHUNK_FILES]->file[number % CHUNK_FILES] = NULL;
    file_put(file);
    return 0;
}

int files_mapping(struct files *files, uint64_t descriptor, struct page_cache **cache,
                  uint64_t *may)
{
    const struct file *file = files_find(files, descriptor);

    if (!file) {
        return -EBADF;
    }
    *cache = file->cache ? file->cache : &mm_unmappable;
    *may = VM_MAYEXEC | (file->mode & FILE_READ ? VM_MAYREAD : 0) |
           (file->mode & FILE_WRITE ? VM_MAYWRITE : 0);
    return 0;
}

/* ---- page caches as files ------------------------------------------------------------------ */

/* Copy from one page. Out: bytes, 0 for a fault at once, or an error. */
static int64_t read_piece(struct task *task, struct page_cache *cache, uint64_t at, vaddr_t to,
                          uint64_t bytes)
{
    const uint64_t index = at / PAGE_SIZE;
    struct page *page = page_cache_find(cache, index);
    uint64_t left;

    if (!cache->operations->read_page && (!page || page->flags & PAGE_RESERVED)) {
        left = clear_user(to, bytes); /* a hole stays one */
    } else {
        switch (page_cache_fetch(cache, index, &page)) {
        case VM_FAULT_DONE:
            break;
        case VM_FAULT_RETRY:
            task->waits_for = page;
            task->state = TASK_WAITS_PAGE;
            return -ERESTART;
        case VM_FAULT_OOM:
            return -ENOMEM;
        case VM_FAULT_SIGBUS:
        case VM_FAULT_SIGSEGV:
            return -EIO;
        }
        left = copy_to_user(to, (char *)page_bytes(page) + at % PAGE_SIZE, bytes);
        page_put(page);
    }
    int64_t error = left ? copy_failed(task) : 0;
    return error == -ERESTART || left == bytes ? error : (int64_t)(bytes - left);
}

int64_t file_read(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                  uint64_t *position)
{
    const uint64_t end = file->cache->bytes;
    uint64_t done = 0;

    while (done < count && *position + done < end) {
        const uint64_t at = *position + done;
        uint64_t bytes = PAGE_SIZE - at % PAGE_SIZE;

        bytes = bytes < count - done ? bytes : count - done;
        bytes = bytes < end - at ? bytes : end - at;
        int64_t result = read_piece(task, file->cache, at, buffer + done, bytes);
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

int64_t file_seek(struct file *file, int64_t offset, uint32_t whence, uint64_t bytes)
{
    const uint64_t from = whence == SEEK_CUR ? file->position : whence == SEEK_END ? bytes : 0;
    const int64_t to = (int64_t)(from + (uint64_t)offset);

    if (whence > SEEK_END || to < 0) {
        return -EINVAL;
    }
    file->position = (uint64_t)to;
    return to;
}
