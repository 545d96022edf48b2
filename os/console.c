/*
 * console.c: descriptors 0, 1 and 2, as a program sees a terminal that nobody types on: reads are at the
 * end, what is written goes to whoever runs the program. Floor: os.
 */
#include "fault/uaccess.h"
#include "system_call.h"

#define DEVICE_CONSOLE 0x501u /* 5:1 */
#define CONSOLE_PIECE  2048u  /* as Linux takes it off a terminal's writer */

static struct os_console console;

void console_set(const struct os_console *to)
{
    console = to ? *to : (struct os_console){0};
}

static int64_t read(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                    uint64_t *position)
{
    (void)task;
    (void)file;
    (void)buffer;
    (void)count;
    (void)position;
    return 0;
}

/* A piece that cannot be read whole is not written at all; task->done counts those before it. */
static int64_t write(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                     uint64_t *position)
{
    char piece[CONSOLE_PIECE];

    (void)file;
    (void)position;
    while (task->done < count) {
        const uint64_t left = count - task->done;
        const uint64_t bytes = left < sizeof(piece) ? left : sizeof(piece);

        if (copy_from_user(piece, buffer + task->done, bytes)) {
            int64_t error = copy_failed(task);
            return error == -EFAULT && task->done ? (int64_t)task->done : error;
        }
        if (console.write) {
            console.write(console.context, piece, bytes);
        }
        task->done += bytes;
    }
    return (int64_t)count;
}

static void status(const struct file *file, struct file_status *status)
{
    (void)file;
    status->device = 1;
    status->inode = 1;
    status->links = 1;
    status->mode = STATUS_CHARACTER | 0600;
    status->special_device = DEVICE_CONSOLE;
    status->block_bytes = PAGE_SIZE;
}

static const struct file_operations operations = {.read = read, .write = write, .status = status};

struct file *console_open(void)
{
    return file_create(&operations, FILE_READ | FILE_WRITE, NULL);
}
