/*
 * file.h: descriptors, and what they stand for. Floor: os.
 *
 *   struct files    descriptor -> struct file     a task's own; fork copies it
 *   struct file     what open made: operations, mode, position; shared by whoever has a descriptor of it
 *
 * Kinds of files, one source each: console.c, memory_file.c (memfd), pipe.c, maps.c, image.c.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include "mm/page_cache.h"

#define FILES_MAX 4096u /* descriptors of one task at most (RLIMIT_NOFILE's hard limit) */

struct task;
struct file;
struct files;
struct os_console;

#define FILE_READ  1u
#define FILE_WRITE 2u

#define O_ACCMODE   00000003u
#define O_WRONLY    00000001u
#define O_RDWR      00000002u
#define O_NONBLOCK  00004000u
#define O_DIRECT    00040000u
#define O_DIRECTORY 00200000u
#define O_CLOEXEC   02000000u

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

/* fallocate's modes. */
#define FALLOCATE_KEEP_SIZE  0x01u
#define FALLOCATE_PUNCH_HOLE 0x02u
#define FALLOCATE_COLLAPSE   0x08u
#define FALLOCATE_ZERO       0x10u
#define FALLOCATE_INSERT     0x20u
#define FALLOCATE_UNSHARE    0x40u
#define FALLOCATE_KNOWN                                                                            \
    (FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE | FALLOCATE_COLLAPSE | FALLOCATE_ZERO |            \
     FALLOCATE_INSERT | FALLOCATE_UNSHARE)

/* Linux's struct stat. */
struct file_status {
    uint64_t device, inode, links;
    uint32_t mode, user, group, padding;
    uint64_t special_device;
    int64_t bytes, block_bytes, blocks;
    uint64_t access[2], modification[2], change[2];
    int64_t reserved[3];
};
_Static_assert(sizeof(struct file_status) == 144, "struct stat");

#define STATUS_FIFO      0010000u
#define STATUS_CHARACTER 0020000u
#define STATUS_REGULAR   0100000u

/*
 * What a kind of file can do. Read and write have looked at mode, buffer and count already; they return
 * bytes moved, or an error when that is none, and may wait (system_call.h). @position is the file's own,
 * or pread64's; NULL pointers are what Linux says of such files:
 */
struct file_operations {
    int64_t (*read)(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                    uint64_t *position); /* -EINVAL */
    int64_t (*write)(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                     uint64_t *position); /* -EINVAL */
    int64_t (*seek)(struct file *file, int64_t offset,
                    uint32_t whence);                       /* -ESPIPE, for pread64 as well */
    int64_t (*truncate)(struct file *file, uint64_t bytes); /* -EINVAL */
    int64_t (*allocate)(struct file *file, uint32_t mode, uint64_t offset,
                        uint64_t bytes); /* -ENODEV, -ESPIPE for a FIFO */
    void (*status)(const struct file *file, struct file_status *status);
    void (*release)(struct file *file); /* the last reference went; NULL: nothing to do */
};

struct file {
    const struct file_operations *operations;
    uint32_t count; /* descriptors of all tasks, and whoever works on it */
    uint32_t mode;  /* FILE_READ, FILE_WRITE */
    uint32_t flags; /* O_NONBLOCK */
    uint64_t position;
    struct page_cache *cache; /* that it can be mapped from, or NULL; the kind has a reference */
    void *owner;              /* of the kind */
};

/* A file with one reference, the caller's. Out: NULL when there is no memory. */
MUST_CHECK struct file *file_create(const struct file_operations *operations, uint32_t mode,
                                    void *owner);
void file_put(struct file *file);

/* Operations of files that are a page cache: reading, holes as zeros; and setting the position, in a file of @bytes. */
int64_t file_read(struct task *task, struct file *file, vaddr_t buffer, uint64_t count,
                  uint64_t *position);
int64_t file_seek(struct file *file, int64_t offset, uint32_t whence, uint64_t bytes);

/* A first task's descriptors: 0, 1 and 2 are the console. Out: NULL when there is no memory. */
MUST_CHECK struct files *files_create(void);

/* fork copies them, and the files' references; exit puts them. Out: NULL when there is no memory. */
MUST_CHECK struct files *files_copy(const struct files *from);
void files_put(struct files *files);

/* The file of @descriptor (its lower 32 bits), or NULL. No reference is taken. */
struct file *files_find(const struct files *files, uint64_t descriptor);

/*
 * The lowest descriptor below @limit that is free becomes @file's, with the caller's reference. Errors:
 * -EMFILE, -ENOMEM; the reference stays the caller's then.
 */
MUST_CHECK int64_t files_add(struct files *files, struct file *file, uint64_t limit);

/* Take @descriptor back. Errors: -EBADF. */
int64_t files_close(struct files *files, uint64_t descriptor);

/* The page cache that @descriptor can be mapped from, or mm_unmappable, and what its mode allows of VM_MAYREAD, VM_MAYWRITE,
 * VM_MAYEXEC: mm_mmap() refuses what cannot be. Errors: -EBADF. */
MUST_CHECK int files_mapping(struct files *files, uint64_t descriptor, struct page_cache **cache,
                             uint64_t *may);

/* console.c: where descriptors 1 and 2 write to; NULL: nowhere. */
void console_set(const struct os_console *console);
MUST_CHECK struct file *console_open(void);

/* memory_file.c. @name as in memfd_create; it is copied. */
#define MEMORY_FILE_NAME 249u /* bytes at most */
MUST_CHECK struct file *memory_file_open(const char *name);

/* pipe.c. Errors: -ENOMEM. */
MUST_CHECK int pipe_open(struct file *ends[2], uint32_t flags);
bool file_is_pipe(const struct file *file);

/* maps.c: /proc/self/maps of whoever reads it. */
MUST_CHECK struct file *maps_open(uint32_t mode);

#endif
