/*
 * maps.c: /proc/self/maps, read as Linux's seq_file gives it out: whole lines are made until there are as
 * many bytes as were asked for, or a page of them; what is left of the last one comes first the next time.
 * Floor: os.
 */
#include "fault/uaccess.h"
#include "system_call.h"
#include "x86/memory.h"

struct maps {
    vaddr_t next;       /* lines of VMAs that end behind it are still to come */
    uint64_t position;  /* of the first byte that was not read yet */
    uint32_t at, bytes; /* of @line: not read yet */
    char line[MM_MAPS_LINE];
};

static struct object_cache maps_objects = OBJECT_CACHE("maps", struct maps);

/* The next line. Out: false: there is none. */
static bool line_make(const struct mm *mm, struct maps *maps)
{
    const struct vma *vma = vma_find(mm, maps->next);

    if (!vma) {
        return false;
    }
    maps->at = 0;
    maps->bytes = (uint32_t)mm_maps_line(vma, maps->line);
    maps->next = vma->end;
    return true;
}

/* From the first line on to byte @position. */
static void rewind_to(const struct mm *mm, struct maps *maps, uint64_t position)
{
    uint64_t at = 0;

    maps->next = 0;
    maps->at = maps->bytes = 0;
    while (at < position && line_make(mm, maps)) {
        const uint64_t skip = position - at < maps->bytes ? position - at : maps->bytes;
        at += skip;
        maps->at += (uint32_t)skip;
        maps->bytes -= (uint32_t)skip;
    }
    maps->position = position;
}

static int64_t read(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                    uint64_t *position)
{
    struct maps *maps = file->owner;
    uint64_t done = 0, made = 0;

    if (*position != maps->position) {
        rewind_to(task->mm, maps, *position);
    }
    while (done < count) {
        if (maps->bytes == 0) {
            const vaddr_t before = maps->next;
            if (!line_make(task->mm, maps)) {
                break;
            }
            if (made + maps->bytes >= PAGE_SIZE) {
                maps->next = before; /* the page is full */
                maps->bytes = 0;
                break;
            }
            made += maps->bytes;
        }
        const uint64_t bytes = count - done < maps->bytes ? count - done : maps->bytes;
        if (copy_to_user(buffer + done, maps->line + maps->at, bytes)) {
            int64_t error = copy_failed(task);
            if (error == -ERESTART || done == 0) {
                rewind_to(task->mm, maps, *position);
                return error;
            }
            break;
        }
        done += bytes;
        maps->at += (uint32_t)bytes;
        maps->bytes -= (uint32_t)bytes;
    }
    *position += done;
    maps->position = *position;
    return (int64_t)done;
}

static int64_t seek(struct file *file, int64_t offset, uint32_t whence)
{
    return whence > SEEK_CUR ? -EINVAL : file_seek(file, offset, whence, 0);
}

static void status(const struct file *file, struct file_status *status)
{
    (void)file;
    status->device = 1;
    status->inode = 1;
    status->links = 1;
    status->mode = STATUS_REGULAR | 0444;
    status->block_bytes = 1024;
}

static void release(struct file *file)
{
    object_free(&maps_objects, file->owner);
}

static const struct file_operations operations = {
    .read = read, .seek = seek, .status = status, .release = release};

struct file *maps_open(uint32_t mode)
{
    struct maps *maps = object_alloc(&maps_objects);
    struct file *file = maps ? file_create(&operations, mode, maps) : NULL;

    if (!file) {
        object_free(&maps_objects, maps);
    }
    return file;
}
