/*
 * system_calls_file.c: what Linux looks at before a file is asked (read_write.c, open.c, memfd.c), in its
 * order. Floor: os.
 */
#include "fault/uaccess.h"
#include "image.h"
#include "system_call.h"
#include "x86/memory.h"

#define COUNT_MAX 0x7ffff000u /* bytes of one read or write */
#define PATH_MAX  4096u

#define MFD_CLOEXEC       1u
#define MFD_ALLOW_SEALING 2u
#define MFD_HUGETLB       4u
#define MFD_HUGE_SIZE     (0x3fu << 26)

/* ---- read and write ------------------------------------------------------------------------ */

static int64_t transfer(struct task *task, struct file *file, uint32_t mode, vaddr_t buffer,
                        uint64_t count, uint64_t *position)
{
    const struct file_operations *operations = file->operations;

    if (!(file->mode & mode)) {
        return -EBADF;
    }
    if (mode == FILE_READ ? !operations->read : !operations->write) {
        return -EINVAL;
    }
    if (!user_range(buffer, count)) {
        return -EFAULT;
    }
    if ((int64_t)count < 0 || (operations->seek && (int64_t)(*position + count) < 0)) {
        return -EINVAL;
    }
    if (count > COUNT_MAX) {
        count = COUNT_MAX;
    }
    /* The task's descriptor holds the file: nobody else can close it meanwhile, and an oops loses nothing. */
    return mode == FILE_READ ? operations->read(task, file, buffer, count, position)
                             : operations->write(task, file, buffer, count, position);
}

int64_t sys_read(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count)
{
    struct file *file = files_find(task->files, descriptor);

    return file ? transfer(task, file, FILE_READ, buffer, count, &file->position) : -EBADF;
}

int64_t sys_write(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count)
{
    struct file *file = files_find(task->files, descriptor);

    return file ? transfer(task, file, FILE_WRITE, buffer, count, &file->position) : -EBADF;
}

static int64_t transfer_at(struct task *task, uint64_t descriptor, uint32_t mode, uint64_t buffer,
                           uint64_t count, uint64_t offset)
{
    struct file *file = files_find(task->files, descriptor);

    if ((int64_t)offset < 0) {
        return -EINVAL;
    }
    if (!file) {
        return -EBADF;
    }
    if (!file->operations->seek) {
        return -ESPIPE;
    }
    return transfer(task, file, mode, buffer, count, &offset);
}

int64_t sys_pread64(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count,
                    uint64_t offset)
{
    return transfer_at(task, descriptor, FILE_READ, buffer, count, offset);
}

int64_t sys_pwrite64(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count,
                     uint64_t offset)
{
    return transfer_at(task, descriptor, FILE_WRITE, buffer, count, offset);
}

/* ---- open and close ------------------------------------------------------------------------ */

/* @file becomes a descriptor's, or goes. */
static int64_t install(struct task *task, struct file *file)
{
    if (!file) {
        return -ENOMEM;
    }
    int64_t descriptor = files_add(task->files, file, task->limits[LIMIT_FILES].soft);
    if (descriptor < 0) {
        file_put(file);
    }
    return descriptor;
}

/* The file at the path that @path says, with @mode: there are two. Errors: as open. */
static int64_t open_path(struct task *task, const char *path, uint32_t mode, struct file **file)
{
    if (texts_equal(path, "/proc/self/maps")) {
        *file = maps_open(mode);
    } else if (texts_equal(path, "/proc/self/exe")) {
        if (mode & FILE_WRITE) {
            return -ETXTBSY;
        }
        *file = image_file(task->image);
    } else {
        return -ENOENT;
    }
    return *file ? 0 : -ENOMEM;
}

/* The path at @path, as far as it is one of ours. Errors: -EFAULT, -ENOENT, -ENAMETOOLONG. */
static int64_t path_get(struct task *task, vaddr_t path, char *text, uint64_t room)
{
    for (uint64_t i = 0; i < PATH_MAX; i++) {
        uint64_t byte;
        if (!user_range(path + i, 1) || !get_user(&byte, path + i, 1)) {
            return copy_failed(task);
        }
        text[i < room ? i : room - 1] = (char)byte;
        if (byte == 0) {
            return i > 0 && i < room ? 0 : -ENOENT;
        }
    }
    return -ENAMETOOLONG;
}

int64_t sys_openat(struct task *task, uint64_t folder, uint64_t path, uint64_t flags, uint64_t mode)
{
    const uint32_t access = (uint32_t)flags & O_ACCMODE;
    const uint32_t wanted = access == O_WRONLY ? FILE_WRITE
                            : access == O_RDWR ? FILE_READ | FILE_WRITE
                                               : FILE_READ;
    struct file *file;
    char text[32];

    (void)folder; /* our paths are absolute */
    (void)mode;
    int64_t error = path_get(task, path, text, sizeof(text));
    if (error == 0 && flags & O_DIRECTORY) {
        error = -ENOTDIR;
    }
    if (error == 0) {
        error = open_path(task, text, wanted, &file);
    }
    return error ? error : install(task, file);
}

int64_t sys_open(struct task *task, uint64_t path, uint64_t flags, uint64_t mode)
{
    return sys_openat(task, 0, path, flags, mode);
}

int64_t sys_close(struct task *task, uint64_t descriptor)
{
    return files_close(task->files, descriptor);
}

int64_t sys_memfd_create(struct task *task, uint64_t name, uint64_t flags)
{
    char text[MEMORY_FILE_NAME + 1] = {0};

    uint32_t known = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    if (flags & MFD_HUGETLB) {
        known |= MFD_HUGETLB | MFD_HUGE_SIZE;
    }
    if ((uint32_t)flags & ~known) {
        return -EINVAL;
    }
    int64_t length = strncpy_from_user(text, name, sizeof(text));
    if (length == UACCESS_FAULT) {
        return copy_failed(task);
    }
    if (length == sizeof(text)) {
        return -EINVAL;
    }
    if (flags & MFD_HUGETLB) {
        return -ENOSYS; /* as a kernel without hugetlbfs */
    }
    return install(task, memory_file_open(text));
}

int64_t sys_pipe2(struct task *task, uint64_t ends, uint64_t flags)
{
    struct file *file[2];
    int64_t descriptor[2];

    flags = (uint32_t)flags;
    if (flags & ~(uint64_t)(O_NONBLOCK | O_CLOEXEC)) {
        return -EINVAL; /* O_DIRECT, which Linux has, is one of them */
    }
    if (pipe_open(file, (uint32_t)flags) != 0) {
        return -ENFILE;
    }
    descriptor[0] = install(task, file[0]);
    if (descriptor[0] < 0) {
        file_put(file[1]);
        return descriptor[0];
    }
    descriptor[1] = install(task, file[1]);
    if (descriptor[1] < 0) {
        files_close(task->files, (uint64_t)descriptor[0]);
        return descriptor[1];
    }
    const uint32_t numbers[2] = {(uint32_t)descriptor[0], (uint32_t)descriptor[1]};
    if (user_range(ends, sizeof(numbers)) && !copy_to_user(ends, numbers, sizeof(numbers))) {
        return 0;
    }
    int64_t error = copy_failed(task);
    files_close(task->files, numbers[0]);
    files_close(task->files, numbers[1]);
    return error;
}

int64_t sys_pipe(struct task *task, uint64_t ends)
{
    return sys_pipe2(task, ends, 0);
}

/* ---- what is known of a file, and its size --------------------------------------------------- */

int64_t sys_fstat(struct task *task, uint64_t descriptor, uint64_t status)
{
    const struct file *file = files_find(task->files, descriptor);
    struct file_status known = {0};

    if (!file) {
        return -EBADF;
    }
    file->operations->status(file, &known);
    if (!user_range(status, sizeof(known)) || copy_to_user(status, &known, sizeof(known))) {
        return copy_failed(task);
    }
    return 0;
}

int64_t sys_lseek(struct task *task, uint64_t descriptor, uint64_t offset, uint64_t whence)
{
    struct file *file = files_find(task->files, descriptor);

    if (!file) {
        return -EBADF;
    }
    if ((uint32_t)whence > SEEK_HOLE) {
        return -EINVAL;
    }
    return file->operations->seek ? file->operations->seek(file, (int64_t)offset, (uint32_t)whence)
                                  : -ESPIPE;
}

int64_t sys_ftruncate(struct task *task, uint64_t descriptor, uint64_t bytes)
{
    struct file *file = files_find(task->files, descriptor);

    if ((int64_t)bytes < 0) {
        return -EINVAL;
    }
    if (!file) {
        return -EBADF;
    }
    if (!file->operations->truncate || !(file->mode & FILE_WRITE)) {
        return -EINVAL;
    }
    return file->operations->truncate(file, bytes);
}

/* Which modes there are, and go together (vfs_fallocate). Errors: -EOPNOTSUPP, -EINVAL. */
static int64_t fallocate_mode(uint32_t mode)
{
    const uint32_t punch_zero = FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO;

    if (mode & ~FALLOCATE_KNOWN || (mode & punch_zero) == punch_zero ||
        (mode & FALLOCATE_PUNCH_HOLE && !(mode & FALLOCATE_KEEP_SIZE))) {
        return -EOPNOTSUPP;
    }
    if ((mode & FALLOCATE_COLLAPSE && mode & ~FALLOCATE_COLLAPSE) ||
        (mode & FALLOCATE_INSERT && mode & ~FALLOCATE_INSERT) ||
        (mode & FALLOCATE_UNSHARE && mode & ~(FALLOCATE_UNSHARE | FALLOCATE_KEEP_SIZE))) {
        return -EINVAL;
    }
    return 0;
}

int64_t sys_fallocate(struct task *task, uint64_t descriptor, uint64_t mode, uint64_t offset,
                      uint64_t bytes)
{
    struct file *file = files_find(task->files, descriptor);

    if (!file) {
        return -EBADF;
    }
    if ((int64_t)offset < 0 || (int64_t)bytes <= 0) {
        return -EINVAL;
    }
    int64_t error = fallocate_mode((uint32_t)mode);
    if (error) {
        return error;
    }
    if (!(file->mode & FILE_WRITE)) {
        return -EBADF;
    }
    if (file_is_pipe(file)) {
        return -ESPIPE;
    }
    if (!file->operations->allocate) {
        return -ENODEV;
    }
    if ((int64_t)(offset + bytes) < 0) {
        return -EFBIG;
    }
    return file->operations->allocate(file, (uint32_t)mode, offset, bytes);
}
