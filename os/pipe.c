/*
 * pipe.c: a pipe as Linux has it: 16 buffers of a page, each filled by one write or by the ends of
 * several, so that what fits in depends on how it is written. Floor: os.
 *
 *      tail                      head
 *   | [..####] [########] [##..] |      a small write is added behind the last bytes if all of it fits
 *   read takes from the tail            into that page; any other begins a new page
 *
 * The pages are those of a page cache nobody maps: buffer n of the ring is its page n. One that is read
 * empty goes.
 */
#include "fault/uaccess.h"
#include "system_call.h"

#define PIPE_BUFFERS 16u

struct pipe {
    struct page_cache *cache;
    uint32_t readers, writers; /* open files */
    uint64_t head, tail;       /* buffers ever begun and ever emptied; number modulo PIPE_BUFFERS */
    struct {
        uint32_t offset, bytes;
    } buffer[PIPE_BUFFERS];
    uint64_t inode;
};

static struct object_cache pipes = OBJECT_CACHE("pipe", struct pipe);
static uint64_t inodes;

/* Whoever waits for a pipe looks again whether it is for this one. */
static void wake(void)
{
    struct task *task;

    TAILQ_FOREACH (task, &all_tasks, node) {
        if (task->state == TASK_WAITS_PIPE) {
            task->state = TASK_READY;
        }
    }
}

static int64_t wait(struct task *task, const struct file *file)
{
    if (file->flags & O_NONBLOCK) {
        return task->done ? (int64_t)task->done : -EAGAIN;
    }
    task->state = TASK_WAITS_PIPE;
    return -ERESTART;
}

/* A copy fell short: what was moved before counts. */
static int64_t cut_short(struct task *task)
{
    int64_t error = copy_failed(task);

    return error == -EFAULT && task->done ? (int64_t)task->done : error;
}

static void buffer_drop(struct pipe *pipe)
{
    page_cache_punch(pipe->cache, pipe->tail % PIPE_BUFFERS * PAGE_SIZE, PAGE_SIZE);
    pipe->tail++;
}

static int64_t read(struct task *task, struct file *file, vaddr_t to, uint64_t count,
                    uint64_t *position)
{
    struct pipe *pipe = file->owner;

    (void)position;
    if (count == 0) {
        return 0;
    }
    while (pipe->tail != pipe->head) {
        const unsigned number = pipe->tail % PIPE_BUFFERS;
        const uint64_t left = count - task->done, held = pipe->buffer[number].bytes;
        const uint64_t bytes = left < held ? left : held;
        struct page *page = page_cache_find(pipe->cache, number);

        /* A buffer that was begun and not filled, as its write failed, has no bytes. */
        if (bytes && copy_to_user(to + task->done,
                                  (char *)page_bytes(page) + pipe->buffer[number].offset, bytes)) {
            return cut_short(task);
        }
        pipe->buffer[number].offset += (uint32_t)bytes;
        pipe->buffer[number].bytes -= (uint32_t)bytes;
        task->done += bytes;
        if (pipe->buffer[number].bytes == 0) {
            buffer_drop(pipe);
            wake();
        }
        if (task->done == count) {
            break;
        }
    }
    if (task->done || !pipe->writers) {
        return (int64_t)task->done;
    }
    return wait(task, file);
}

static int64_t broken(struct task *task)
{
    const struct signal_info info = {
        .signal = SIGPIPE, .code = SI_USER, .pid = task->pid, .own = true};

    signal_send(task, &info);
    return task->done ? (int64_t)task->done : -EPIPE;
}

/* Add what is beyond whole pages behind the last bytes. Out: 0: there is no room; or an error. */
static int64_t write_behind(struct task *task, struct pipe *pipe, vaddr_t from, uint64_t count)
{
    const uint64_t bytes = count % PAGE_SIZE;
    const unsigned number = (pipe->head - 1) % PIPE_BUFFERS;
    const uint64_t end = pipe->buffer[number].offset + pipe->buffer[number].bytes;

    if (pipe->head == pipe->tail || bytes == 0 || end + bytes > PAGE_SIZE) {
        return 0;
    }
    struct page *page = page_cache_find(pipe->cache, number);
    if (copy_from_user((char *)page_bytes(page) + end, from, bytes)) {
        return copy_failed(task);
    }
    pipe->buffer[number].bytes += (uint32_t)bytes;
    return (int64_t)bytes;
}

/* Begin a buffer. One whose page cannot be filled stays, empty, as on Linux. */
static int64_t write_buffer(struct task *task, struct pipe *pipe, vaddr_t from, uint64_t count)
{
    const unsigned number = pipe->head % PIPE_BUFFERS;
    const uint64_t bytes = count < PAGE_SIZE ? count : PAGE_SIZE;
    struct page *page;

    if (page_cache_fetch(pipe->cache, number, &page) != VM_FAULT_DONE) {
        return -ENOMEM;
    }
    uint64_t left = copy_from_user(page_bytes(page), from, bytes);
    page_put(page);
    int64_t error = left ? copy_failed(task) : 0;
    if (error == -ERESTART) {
        page_cache_punch(pipe->cache, number * PAGE_SIZE, PAGE_SIZE);
        return error;
    }
    pipe->buffer[number].offset = 0;
    pipe->buffer[number].bytes = left ? 0 : (uint32_t)bytes;
    pipe->head++;
    return error ? error : (int64_t)bytes;
}

static int64_t write(struct task *task, struct file *file, vaddr_t from, uint64_t count,
                     uint64_t *position)
{
    struct pipe *pipe = file->owner;

    (void)position;
    if (count == 0) {
        return 0;
    }
    if (!pipe->readers) {
        return broken(task);
    }
    int64_t moved = task->done ? 0 : write_behind(task, pipe, from, count);
    while (moved >= 0) {
        if (moved) {
            task->done += (uint64_t)moved;
            wake();
        }
        if (task->done == count) {
            return (int64_t)count;
        }
        if (pipe->head - pipe->tail == PIPE_BUFFERS) {
            return wait(task, file);
        }
        moved = write_buffer(task, pipe, from + task->done, count - task->done);
    }
    return moved != -ERESTART && task->done ? (int64_t)task->done : moved;
}

static void status(const struct file *file, struct file_status *status)
{
    status->device = 1;
    status->inode = ((const struct pipe *)file->owner)->inode;
    status->links = 1;
    status->mode = STATUS_FIFO | 0600;
    status->block_bytes = PAGE_SIZE;
}

static void release(struct file *file)
{
    struct pipe *pipe = file->owner;

    if (file->mode & FILE_READ) {
        pipe->readers--;
    } else {
        pipe->writers--;
    }
    wake();
    if (!pipe->readers && !pipe->writers) {
        page_cache_put(pipe->cache);
        object_free(&pipes, pipe);
    }
}

static const struct file_operations operations = {
    .read = read, .write = write, .status = status, .release = release};

bool file_is_pipe(const struct file *file)
{
    return file->operations == &operations;
}

int pipe_open(struct file *ends[2], uint32_t flags)
{
    static const struct page_cache_operations pages = {0};
    struct pipe *pipe = object_alloc(&pipes);

    if (!pipe) {
        return -ENOMEM;
    }
    if (!(pipe->cache = page_cache_create(&pages, "pipe", pipe))) {
        object_free(&pipes, pipe);
        return -ENOMEM;
    }
    page_cache_truncate(pipe->cache, PIPE_BUFFERS * PAGE_SIZE);
    pipe->inode = ++inodes;
    pipe->readers = pipe->writers = 1;
    ends[0] = file_create(&operations, FILE_READ, pipe);
    ends[1] = file_create(&operations, FILE_WRITE, pipe);
    for (int end = 0; end < 2; end++) {
        if (ends[end]) {
            ends[end]->flags = flags & O_NONBLOCK;
        }
    }
    if (ends[0] && ends[1]) {
        return 0;
    }
    if (!ends[0] && !ends[1]) {
        page_cache_put(pipe->cache);
        object_free(&pipes, pipe);
    } else { /* the release of the end that is there frees the pipe, as it is the only one */
        pipe->readers = ends[0] != NULL;
        pipe->writers = ends[1] != NULL;
        file_put(ends[0] ? ends[0] : ends[1]);
    }
    return -ENOMEM;
}
