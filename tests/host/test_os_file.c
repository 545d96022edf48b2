/*
 * test_os_file.c: descriptors and what they stand for, as system calls see them: partial counts, errors and their order,
 * hostile arguments. Expectations are Linux 6.1's: read_write.c, pipe.c, shmem.c, open.c, memfd.c.
 */
#include "tests/host/unit.h"

#include "tests/host/os_fixture.h"

#include "x86/registers.h"

#define BAD      P(100) /* nothing is there */
#define READABLE P(50)  /* one page that may not be written */

static struct task *task;
static char shown[16384];
static size_t shown_bytes;

static void show(void *context, const char *bytes, size_t count)
{
    (void)context;
    assert_true(shown_bytes + count <= sizeof(shown));
    memcpy(shown + shown_bytes, bytes, count);
    shown_bytes += count;
}

static int setup(void **state)
{
    static const struct os_console console = {.write = show};
    static const uint8_t nothing[16];
    (void)state;

    fixture_start(FRAMES, 4);
    shown_bytes = 0;
    console_set(&console);
    task = task_first("/programs/test");
    assert_non_null(task);
    task->image = image_open("/programs/test", nothing, sizeof(nothing));
    assert_non_null(task->image);
    cpu_current()->task = task;
    loaded = task;
    simulated.pkru = 0;
    mm_load(task->mm);
    /* 40 pages of memory, then nothing; and one page to read alone. */
    assert_int_equal(mm_mmap(task->mm, P(0), 40 * PAGE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0),
                     P(0));
    assert_int_equal(mm_mmap(task->mm, READABLE, PAGE, PROT_READ,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0),
                     READABLE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_good();
    cpu_current()->task = NULL;
    mm_load(NULL);
    task_discard(task);
    return (int)machine_stop();
}

/* ---- short words for calls --------------------------------------------------------------------------- */

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    task->frame.rax = number;
    task->frame.rdi = a;
    task->frame.rsi = b;
    task->frame.rdx = c;
    task->frame.r10 = d;
    task->frame.rip = 0x1000;
    system_call(task);
    if (task->frame.rip != 0x1000) {
        assert_int_equal(task->frame.rip, 0x1000 - SYSCALL_BYTES);
        assert_int_equal(task->frame.rax, number);
        return -ERESTART;
    }
    return (int64_t)task->frame.rax;
}

/* What waited is made again, as os_run() does it. */
static int64_t again(void)
{
    task->frame.rip += SYSCALL_BYTES;
    system_call(task);
    return task->frame.rip == 0x1000 ? (int64_t)task->frame.rax : -ERESTART;
}

static int64_t do_read(int64_t fd, vaddr_t to, uint64_t count)
{
    return call(0, (uint64_t)fd, to, count, 0);
}

static int64_t do_write(int64_t fd, vaddr_t from, uint64_t count)
{
    return call(1, (uint64_t)fd, from, count, 0);
}

static int64_t do_pread(int64_t fd, vaddr_t to, uint64_t count, uint64_t offset)
{
    return call(17, (uint64_t)fd, to, count, offset);
}

static int64_t do_pwrite(int64_t fd, vaddr_t from, uint64_t count, uint64_t offset)
{
    return call(18, (uint64_t)fd, from, count, offset);
}

static int64_t do_close(int64_t fd)
{
    return call(3, (uint64_t)fd, 0, 0, 0);
}

static int64_t do_seek(int64_t fd, int64_t offset, unsigned whence)
{
    return call(8, (uint64_t)fd, (uint64_t)offset, whence, 0);
}

static int64_t do_truncate(int64_t fd, uint64_t bytes)
{
    return call(77, (uint64_t)fd, bytes, 0, 0);
}

static int64_t do_allocate(int64_t fd, unsigned mode, uint64_t offset, uint64_t bytes)
{
    return call(285, (uint64_t)fd, mode, offset, bytes);
}

static void put(vaddr_t at, const void *bytes, size_t count)
{
    assert_int_equal(user_write(at, bytes, count), BAD_NONE);
}

static void put_text(vaddr_t at, const char *text)
{
    put(at, text, strlen(text) + 1);
}

static int64_t memory_file(const char *name)
{
    put_text(P(39), name);
    return call(319, P(39), 0, 0, 0);
}

static struct file_status status_of(int64_t fd)
{
    struct file_status status;

    assert_int_equal(call(5, (uint64_t)fd, P(38), 0, 0), 0);
    assert_int_equal(user_read(P(38), &status, sizeof(status)), BAD_NONE);
    return status;
}

static void make_pipe(int32_t ends[2])
{
    assert_int_equal(call(22, P(38), 0, 0, 0), 0);
    assert_int_equal(user_read(P(38), ends, 8), BAD_NONE);
}

/* ---- descriptors ---------------------------------------------------------------------------------------- */

static void lowest_descriptor_first(void **state)
{
    (void)state;
    assert_int_equal(memory_file("a"), 3);
    assert_int_equal(memory_file("b"), 4);
    assert_int_equal(memory_file("c"), 5);
    assert_int_equal(do_close(4), 0);
    assert_int_equal(do_close(4), -EBADF);
    assert_int_equal(memory_file("d"), 4);
    assert_int_equal(do_close(0), 0);
    assert_int_equal(memory_file("e"), 0);
    assert_int_equal(do_close(INT64_C(0x100000003)), 0); /* the upper half is not looked at */
    assert_int_equal(do_close(3), -EBADF);
    assert_int_equal(do_close(-1), -EBADF);
    assert_int_equal(do_close(FILES_MAX), -EBADF);
    assert_int_equal(do_close(1000), -EBADF);
}

static void limit_of_descriptors(void **state)
{
    int32_t before[2] = {-7, -7}, ends[2];
    (void)state;

    task->limits[LIMIT_FILES].soft = 5;
    assert_int_equal(memory_file("a"), 3);
    assert_int_equal(memory_file("b"), 4);
    assert_int_equal(memory_file("c"), -EMFILE);
    assert_int_equal(do_close(4), 0);
    put(P(38), before, sizeof(before));
    assert_int_equal(call(22, P(38), 0, 0, 0), -EMFILE); /* one of two would fit */
    assert_int_equal(user_read(P(38), ends, 8), BAD_NONE);
    assert_memory_equal(ends, before, sizeof(ends));
    assert_int_equal(memory_file("b"), 4);
    task->limits[LIMIT_FILES].soft = FILES_MAX;
    for (int64_t fd = 5; fd < 700; fd++) {
        assert_int_equal(memory_file("more"), fd);
    }
}

static void bad_descriptors_and_modes(void **state)
{
    int32_t ends[2];
    (void)state;

    make_pipe(ends);
    assert_int_equal(do_read(7, P(0), 1), -EBADF);
    assert_int_equal(do_read(ends[1], P(0), 1), -EBADF); /* the end to write to */
    assert_int_equal(do_write(ends[0], P(0), 1), -EBADF);
    assert_int_equal(do_pread(ends[0], P(0), 1, 0), -ESPIPE);
    assert_int_equal(do_pread(7, P(0), 1, UINT64_MAX), -EINVAL); /* before the descriptor */
    assert_int_equal(do_pread(7, P(0), 1, 0), -EBADF);
    assert_int_equal(do_seek(ends[0], 0, SEEK_SET), -ESPIPE);
    assert_int_equal(do_seek(1, 0, SEEK_SET), -ESPIPE);
    assert_int_equal(do_seek(1, 0, 5), -EINVAL);
    assert_int_equal(do_truncate(ends[1], 0), -EINVAL);
    assert_int_equal(do_truncate(7, 0), -EBADF);
    assert_int_equal(do_truncate(7, UINT64_MAX), -EINVAL);
    assert_int_equal(do_allocate(ends[1], 0, 0, 1), -ESPIPE);
    assert_int_equal(do_allocate(ends[0], 0, 0, 1), -EBADF);
    assert_int_equal(do_allocate(1, 0, 0, 1), -ENODEV);
    task->frame.r8 = 7;
    assert_int_equal(call(9, 0, 0, PROT_READ, MAP_SHARED), -EBADF); /* before the length */
    task->frame.r8 = (uint64_t)ends[0];
    assert_int_equal(call(9, 0, 0, PROT_READ, MAP_SHARED), -EINVAL);
    assert_int_equal(call(9, 0, PAGE, PROT_READ, MAP_SHARED), -ENODEV);
    task->frame.r8 = (uint64_t)ends[1];
    assert_int_equal(call(9, 0, PAGE, PROT_READ, MAP_SHARED), -EACCES);
}

/* ---- console ----------------------------------------------------------------------------------------- */

static void console(void **state)
{
    static char text[6000];
    (void)state;

    memset(text, 'a', sizeof(text));
    put(P(0), text, sizeof(text));
    assert_int_equal(do_write(1, P(0), 6000), 6000);
    assert_int_equal(do_write(2, P(0), 1), 1);
    assert_int_equal(shown_bytes, 6001);
    assert_int_equal(do_read(0, P(0), 100), 0);
    assert_int_equal(do_write(1, P(40), 1), -EFAULT);
    assert_int_equal(do_write(1, P(40) - 2048, 4096), 2048); /* Linux takes 2048 at a time */
    assert_int_equal(do_write(1, P(40) - 2047, 4096), -EFAULT);
    assert_int_equal(shown_bytes, 6001 + 2048);
    assert_int_equal(do_write(1, P(0), 0), 0);
    assert_int_equal(status_of(1).mode, STATUS_CHARACTER | 0600);
}

/* ---- memfd ------------------------------------------------------------------------------------------- */

static void memory_file_reads_and_writes(void **state)
{
    char got[20] = "";
    int64_t fd = memory_file("x");
    (void)state;

    put(P(0), "0123456789", 10);
    assert_int_equal(do_read(fd, P(1), 10), 0); /* at its end */
    assert_int_equal(do_write(fd, P(0), 10), 10);
    assert_int_equal(do_seek(fd, 0, SEEK_CUR), 10);
    assert_int_equal(do_seek(fd, -4, SEEK_END), 6);
    assert_int_equal(do_read(fd, P(1), 100), 4);
    assert_int_equal(user_read(P(1), got, 4), BAD_NONE);
    assert_string_equal(got, "6789");
    assert_int_equal(do_pwrite(fd, P(0), 10, 2 * PAGE - 5),
                     10);                           /* over a page's end, behind a hole */
    assert_int_equal(do_seek(fd, 0, SEEK_CUR), 10); /* where it was */
    struct file_status status = status_of(fd);
    assert_int_equal(status.bytes, 2 * PAGE + 5);
    assert_int_equal(status.blocks, 3 * 8);
    assert_int_equal(status.mode, STATUS_REGULAR | 0777);
    assert_int_equal(do_pread(fd, P(1), 3 * PAGE, 5), 2 * PAGE);
    assert_int_equal(user_read(P(1) + 2 * PAGE - 10, got, 10), BAD_NONE);
    assert_string_equal(got, "0123456789");
    assert_int_equal(do_seek(fd, -1, SEEK_SET), -EINVAL);
    assert_int_equal(do_seek(fd, INT64_MIN, SEEK_CUR), -EINVAL);
}

static void holes(void **state)
{
    int64_t fd = memory_file("x");
    (void)state;

    put(P(0), "0123456789", 10);
    assert_int_equal(do_truncate(fd, 10 * PAGE), 0);
    assert_int_equal(do_read(fd, P(1), 10 * PAGE), 10 * PAGE);
    assert_int_equal(status_of(fd).blocks, 0); /* reading makes no page */
    assert_int_equal(do_seek(fd, 0, SEEK_DATA), -ENXIO);
    assert_int_equal(do_seek(fd, 5, SEEK_HOLE), 5);
    assert_int_equal(do_pwrite(fd, P(0), 1, 3 * PAGE + 7), 1);
    assert_int_equal(do_seek(fd, 0, SEEK_DATA), 3 * PAGE);
    assert_int_equal(do_seek(fd, 3 * PAGE + 9, SEEK_DATA), 3 * PAGE + 9);
    assert_int_equal(do_seek(fd, 3 * PAGE + 9, SEEK_HOLE), 4 * PAGE);
    assert_int_equal(do_seek(fd, 10 * PAGE, SEEK_HOLE), -ENXIO);
    assert_int_equal(do_seek(fd, -1, SEEK_HOLE), -ENXIO);
    /* What fallocate makes counts as blocks, but is a hole until it is touched. */
    assert_int_equal(do_allocate(fd, 0, 5 * PAGE, 2 * PAGE), 0);
    assert_int_equal(status_of(fd).blocks, 3 * 8);
    assert_int_equal(do_seek(fd, 4 * PAGE, SEEK_DATA), -ENXIO);
    assert_int_equal(do_pwrite(fd, P(0), 1, 6 * PAGE), 1);
    assert_int_equal(do_seek(fd, 4 * PAGE, SEEK_DATA), 6 * PAGE);
    assert_int_equal(do_allocate(fd, FALLOCATE_KEEP_SIZE, 20 * PAGE, PAGE), 0);
    assert_int_equal(status_of(fd).bytes, 10 * PAGE);
    assert_int_equal(status_of(fd).blocks, 4 * 8);
    assert_good();
    assert_int_equal(do_allocate(fd, FALLOCATE_PUNCH_HOLE | FALLOCATE_KEEP_SIZE, 0, 100 * PAGE), 0);
    assert_int_equal(status_of(fd).blocks, 0);
    assert_int_equal(do_allocate(fd, 0, 9 * PAGE, 2 * PAGE), 0);
    assert_int_equal(status_of(fd).bytes, 11 * PAGE);
}

static void fallocate_refuses(void **state)
{
    int64_t fd = memory_file("x");
    (void)state;

    assert_int_equal(do_allocate(9, 0, 0, 0), -EBADF);
    assert_int_equal(do_allocate(fd, 0, 0, 0), -EINVAL);
    assert_int_equal(do_allocate(fd, 0, UINT64_MAX, 1), -EINVAL);
    assert_int_equal(do_allocate(fd, 0, 0, UINT64_MAX), -EINVAL);
    assert_int_equal(do_allocate(fd, 0, INT64_MAX, 1), -EFBIG);
    assert_int_equal(do_allocate(fd, FALLOCATE_PUNCH_HOLE, 0, PAGE), -EOPNOTSUPP);
    assert_int_equal(do_allocate(fd, 0x80, 0, PAGE), -EOPNOTSUPP);
    assert_int_equal(do_allocate(fd, FALLOCATE_COLLAPSE | FALLOCATE_KEEP_SIZE, 0, PAGE), -EINVAL);
    assert_int_equal(do_allocate(fd, FALLOCATE_COLLAPSE, 0, PAGE), -EOPNOTSUPP);
    assert_int_equal(do_allocate(fd, 0, 0, INT64_MAX), -ENOSPC); /* before anything is made */
    assert_int_equal(status_of(fd).blocks, 0);
    /* What does not fit in memory is taken back, also what an earlier one made and nobody touched. */
    assert_int_equal(do_allocate(fd, 0, 0, PAGE), 0);
    assert_int_equal(do_allocate(fd, 0, 0, (memory.frames.free + 10) * PAGE), -ENOMEM);
    assert_int_equal(status_of(fd).blocks, 0);
    assert_int_equal(status_of(fd).bytes, PAGE);
}

static void partial_counts(void **state)
{
    int64_t fd = memory_file("x");
    (void)state;

    put(P(38), "0123456789", 10);
    /* Writing from where only the first bytes can be read: they count, and no others. */
    assert_int_equal(do_write(fd, P(40) - 100, 200), 100);
    assert_int_equal(status_of(fd).bytes, 100);
    assert_int_equal(do_write(fd, P(40), 200), -EFAULT);
    assert_int_equal(status_of(fd).bytes, 100);
    assert_int_equal(status_of(fd).blocks, 8);
    assert_int_equal(do_pwrite(fd, P(40), 1, 50 * PAGE), -EFAULT); /* makes nothing */
    assert_int_equal(status_of(fd).bytes, 100);
    assert_int_equal(status_of(fd).blocks, 8);
    assert_int_equal(do_seek(fd, 0, SEEK_CUR), 100);
    /* Reading likewise. */
    assert_int_equal(do_truncate(fd, 3 * PAGE), 0);
    assert_int_equal(do_pread(fd, P(40) - 10, 100, 0), 10);
    assert_int_equal(do_pread(fd, P(40) - PAGE - 10, 3 * PAGE, 0), PAGE + 10);
    assert_int_equal(do_pread(fd, P(40), 100, 0), -EFAULT);
    assert_int_equal(do_pread(fd, READABLE, 100, 0), -EFAULT);
    assert_int_equal(do_pread(fd, READABLE, 0, 0), 0);
}

static void hostile_buffers(void **state)
{
    static const uint64_t addresses[] = {
        0x7ffffffff000,     0x7fffffffffff,     0x800000000000, 0xffff800000000000,
        0xffffffff80000000, 0xffffffffffffffff, 0x7fffffffeff8,
    };
    int64_t fd = memory_file("x");
    (void)state;

    assert_int_equal(do_truncate(fd, PAGE), 0);
    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
        const uint64_t at = addresses[i];
        assert_int_equal(do_pread(fd, at, 16, 0), -EFAULT);
        assert_int_equal(do_pwrite(fd, at, 16, 0), -EFAULT);
        assert_int_equal(do_write(1, at, 16), -EFAULT);
        assert_int_equal(call(5, 1, at, 0, 0), -EFAULT);            /* fstat */
        assert_int_equal(call(63, at, 0, 0, 0), -EFAULT);           /* uname */
        assert_int_equal(call(98, 0, at, 0, 0), -EFAULT);           /* getrusage */
        assert_int_equal(call(228, 0, at, 0, 0), -EFAULT);          /* clock_gettime */
        assert_int_equal(call(302, 0, 3, at, 0), -EFAULT);          /* prlimit64, new */
        assert_int_equal(call(302, 0, 3, 0, at), -EFAULT);          /* old */
        assert_int_equal(call(22, at, 0, 0, 0), -EFAULT);           /* pipe */
        assert_int_equal(call(319, at, 0, 0, 0), -EFAULT);          /* memfd_create */
        assert_int_equal(call(2, at, 0, 0, 0), -EFAULT);            /* open */
        assert_int_equal(call(158, 0x1003, at, 0, 0), -EFAULT);     /* arch_prctl GET_FS */
        assert_int_equal(call(27, P(0), PAGE * 2, at, 0), -EFAULT); /* mincore */
    }
    assert_int_equal(files_find(task->files, 4) == NULL, true); /* no pipe was left open */
    /* Counts beyond all measure. */
    assert_int_equal(do_read(fd, P(0), UINT64_MAX), -EFAULT);
    assert_int_equal(do_read(fd, 0, UINT64_C(0x7ffffffff000)), -EFAULT);
    assert_int_equal(do_pread(fd, P(0), 16, INT64_MAX), -EINVAL);
    assert_int_equal(do_pwrite(fd, P(0), 16, INT64_MAX), -EINVAL);
    assert_int_equal(do_pwrite(fd, P(0), 0, INT64_MAX), -EFBIG);
    assert_int_equal(do_pwrite(fd, P(0), 16, INT64_MAX - 16), 16);
}

static void names_and_flags(void **state)
{
    char name[300], line[MM_MAPS_LINE];
    int64_t fd;
    (void)state;

    memset(name, 'n', sizeof(name));
    name[249] = 0;
    fd = memory_file(name);
    assert_int_equal(fd, 3);
    name[249] = 'n';
    name[250] = 0;
    assert_int_equal(memory_file(name), -EINVAL);
    assert_int_equal(call(319, P(39), 8, 0, 0), -EINVAL);
    assert_int_equal(call(319, P(39), 4, 0, 0), -EINVAL); /* the name comes first */
    put_text(P(39), "h");
    assert_int_equal(call(319, P(39), 4, 0, 0), -ENOSYS);
    assert_int_equal(call(319, P(39), 3, 0, 0), 4);
    put(P(40) - 3, "abc", 3); /* no NUL before the end of memory */
    assert_int_equal(call(319, P(40) - 3, 0, 0, 0), -EFAULT);
    put_text(P(39), "a b");
    fd = call(319, P(39), 0, 0, 0);
    task->frame.r8 = (uint64_t)fd;
    task->frame.r9 = 0;
    assert_int_equal(call(9, 0, PAGE, PROT_READ, MAP_SHARED) > 0, true);
    const struct vma *vma = vma_at(task->mm, task->frame.rax);
    line[mm_maps_line(vma, line) - 1] = 0;
    assert_non_null(strstr(line, "/memfd:a b (deleted)"));
    /* The mapping keeps the file; the name is its own. */
    assert_int_equal(do_close(fd), 0);
    assert_good();
}

/* ---- pipes ------------------------------------------------------------------------------------------- */

static void pipe_in_order(void **state)
{
    char got[32] = "";
    int32_t ends[2];
    (void)state;

    make_pipe(ends);
    put(P(0), "0123456789", 10);
    assert_int_equal(do_write(ends[1], P(0), 10), 10);
    assert_int_equal(do_write(ends[1], P(0), 3), 3);
    assert_int_equal(do_read(ends[0], P(1), 4), 4);
    assert_int_equal(do_read(ends[0], P(1) + 4, 100), 9);
    assert_int_equal(user_read(P(1), got, 13), BAD_NONE);
    assert_string_equal(got, "0123456789012");
    assert_int_equal(do_read(ends[0], P(1), 0), 0);
    assert_int_equal(do_read(ends[0], P(1), 1), -ERESTART);
    assert_int_equal(task->state, TASK_WAITS_PIPE);
    assert_int_equal(do_close(ends[1]), 0);
    assert_int_equal(task->state, TASK_READY); /* the end wakes readers */
    assert_int_equal(status_of(ends[0]).mode, STATUS_FIFO | 0600);
}

static void pipe_ends(void **state)
{
    int32_t ends[2];
    (void)state;

    make_pipe(ends);
    assert_int_equal(do_write(ends[1], P(0), 10), 10);
    assert_int_equal(do_close(ends[1]), 0);
    assert_int_equal(do_read(ends[0], P(0), 100), 10);
    assert_int_equal(do_read(ends[0], P(0), 100), 0);
    assert_int_equal(do_close(ends[0]), 0);
    make_pipe(ends);
    assert_int_equal(do_close(ends[0]), 0);
    assert_int_equal(do_write(ends[1], P(0), 0), 0); /* nothing can be written anywhere */
    assert_int_equal(signal_pending_set(&task->signals), 0);
    assert_int_equal(do_write(ends[1], P(0), 1), -EPIPE);
    assert_int_equal(signal_pending_set(&task->signals), BIT(SIGPIPE - 1));
}

/* 16 buffers of a page, however little is in them. */
static void pipe_capacity(void **state)
{
    int32_t ends[2];
    (void)state;

    make_pipe(ends);
    assert_int_equal(do_write(ends[1], P(0), 65536), 65536);
    assert_int_equal(do_write(ends[1], P(0), 1), -ERESTART);
    assert_int_equal(task->done, 0);
    assert_int_equal(do_read(ends[0], P(20), 4095), 4095);
    task->state = TASK_READY;
    assert_int_equal(do_write(ends[1], P(0), 1), -ERESTART); /* a byte is left in the first page */
    assert_int_equal(do_read(ends[0], P(20), 1), 1);
    assert_int_equal(task->state, TASK_READY);
    assert_int_equal(do_write(ends[1], P(0), 1), 1);
    assert_int_equal(do_write(ends[1], P(0), 4095), 4095); /* behind it */
    task->state = TASK_READY;
    assert_int_equal(do_write(ends[1], P(0), 1), -ERESTART);
    assert_int_equal(do_close(ends[0]), 0);
    assert_int_equal(do_close(ends[1]), 0);

    /* 4000 bytes do not fit behind 4000: a page for each. */
    make_pipe(ends);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(do_write(ends[1], P(0), 4000), 4000);
    }
    assert_int_equal(do_write(ends[1], P(0), 97), -ERESTART);
    assert_int_equal(do_write(ends[1], P(0), 96), 96);
}

/* A write that is larger than the pipe goes on where it was, and nothing is written twice. */
static void pipe_write_waits(void **state)
{
    static uint8_t bytes[100000], got[100000];
    size_t read = 0;
    int32_t ends[2];
    (void)state;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 31 + i / 4096);
    }
    make_pipe(ends);
    put(P(0), bytes, sizeof(bytes));
    assert_int_equal(do_write(ends[1], P(0), sizeof(bytes)), -ERESTART);
    assert_int_equal(task->done, 65536);
    const struct trap_frame parked = task->frame;
    const uint64_t done = task->done;
    /* Another task reads; its registers are its own. */
    task->system_call = SYSTEM_CALL_NONE;
    assert_int_equal(do_read(ends[0], P(30), 20000), 20000);
    assert_int_equal(task->state, TASK_READY);
    assert_int_equal(user_read(P(30), got, 20000), BAD_NONE);
    read = 20000;
    task->frame = parked;
    task->done = done;
    task->system_call = 1;
    assert_int_equal(again(), -ERESTART); /* four whole pages are free */
    assert_int_equal(task->done, 65536 + 16384);
    struct trap_frame parked2 = task->frame;
    const uint64_t done2 = task->done;
    task->system_call = SYSTEM_CALL_NONE;
    assert_int_equal(do_read(ends[0], P(30), 30000), 30000);
    assert_int_equal(user_read(P(30), got + read, 30000), BAD_NONE);
    read += 30000;
    task->frame = parked2;
    task->done = done2;
    task->system_call = 1;
    assert_int_equal(again(), 100000);
    while (read < sizeof(got)) {
        int64_t count = do_read(ends[0], P(30), 10000);
        assert_true(count > 0);
        assert_int_equal(user_read(P(30), got + read, (size_t)count), BAD_NONE);
        read += (size_t)count;
    }
    assert_memory_equal(got, bytes, sizeof(got));
    /* A signal that comes while it waits: what was written counts. */
    assert_int_equal(do_write(ends[1], P(0), sizeof(bytes)), -ERESTART);
    task_interrupt(task, true);
    assert_int_equal(task->frame.rip, 0x1000);
    assert_int_equal(task->frame.rax, 65536);
    task->state = TASK_READY;
    assert_int_equal(do_write(ends[1], P(0), 5), -ERESTART);
    task_interrupt(task, false);
    assert_int_equal(task->frame.rax, -EINTR);
    assert_int_equal(task->frame.rip, 0x1000);
}

static void pipe_bad_buffers(void **state)
{
    int32_t ends[2];
    (void)state;

    make_pipe(ends);
    assert_int_equal(do_write(ends[1], P(40) - 100, 200),
                     -EFAULT); /* all of a page or none of it */
    assert_int_equal(do_write(ends[1], P(40) - PAGE - 100, 2 * PAGE), PAGE);
    assert_int_equal(do_write(ends[1], P(0), 10), 10);
    assert_int_equal(do_read(ends[0], P(40) - 100, 200), -EFAULT);
    assert_int_equal(do_read(ends[0], P(40) - PAGE, 2 * PAGE), PAGE);
    assert_int_equal(do_read(ends[0], P(0), 2 * PAGE), 10);
}

static void pipe_flags(void **state)
{
    int32_t ends[2];
    (void)state;

    assert_int_equal(call(293, P(38), 1, 0, 0), -EINVAL);
    assert_int_equal(call(293, P(38), O_NONBLOCK | O_CLOEXEC, 0, 0), 0);
    assert_int_equal(user_read(P(38), ends, 8), BAD_NONE);
    assert_int_equal(do_read(ends[0], P(0), 1), -EAGAIN);
    assert_int_equal(do_write(ends[1], P(0), 70000), 65536);
    assert_int_equal(do_write(ends[1], P(0), 1), -EAGAIN);
    assert_int_equal(task->state, TASK_READY);
}

/* ---- /proc/self ----------------------------------------------------------------------------------------- */

static void maps_in_pieces(void **state)
{
    static char whole[20000], pieces_text[20000];
    size_t used = 0, bytes = 0;
    (void)state;

    for (unsigned i = 0; i < 110; i++) { /* more than a page of text */
        assert_true(mm_mmap(task->mm, P(200 + 2 * i), PAGE, PROT_READ,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0) > 0);
    }
    for (struct vma *vma = vma_first(task->mm); vma; vma = vma_next(vma)) {
        char line[MM_MAPS_LINE];
        size_t count = mm_maps_line(vma, line);
        memcpy(whole + bytes, line, count);
        bytes += count;
    }
    assert_true(bytes < sizeof(whole) - 1);
    put_text(P(39), "/proc/self/maps");
    int64_t fd = call(2, P(39), 0, 0, 0);
    assert_int_equal(fd, 3);
    for (int64_t got; (got = do_read(fd, P(0), 100)) > 0; used += (size_t)got) {
        assert_int_equal(user_read(P(0), pieces_text + used, (size_t)got), BAD_NONE);
    }
    assert_int_equal(used, bytes);
    assert_memory_equal(pieces_text, whole, bytes);
    /* Whole lines, and no more than a page of them. */
    assert_int_equal(do_seek(fd, 0, SEEK_SET), 0);
    int64_t got = do_read(fd, P(0), 20000);
    assert_true(got > 4096 - 80 && got < 4096);
    assert_int_equal(whole[got - 1], '\n');
    assert_int_equal(do_pread(fd, P(0), 50, 10), 50);
    assert_int_equal(user_read(P(0), pieces_text, 50), BAD_NONE);
    assert_memory_equal(pieces_text, whole + 10, 50);
    assert_int_equal(do_read(fd, BAD, 10), -EFAULT);
    assert_int_equal(do_read(fd, P(0), 50), 50);
    assert_int_equal(user_read(P(0), pieces_text, 50), BAD_NONE);
    assert_memory_equal(pieces_text, whole + got, 50); /* nothing was lost by the bad one */
    assert_int_equal(do_write(fd, P(0), 1), -EBADF);
}

static void paths(void **state)
{
    static char text[5000];
    (void)state;

    put_text(P(39), "");
    assert_int_equal(call(2, P(39), 0, 0, 0), -ENOENT);
    put_text(P(39), "/proc/self/map");
    assert_int_equal(call(2, P(39), 0, 0, 0), -ENOENT);
    memset(text, 'x', sizeof(text));
    text[4999] = 0;
    put(P(36), text, sizeof(text));
    assert_int_equal(call(2, P(36), 0, 0, 0), -ENAMETOOLONG);
    put_text(P(39), "/proc/self/exe");
    assert_int_equal(call(257, (uint64_t)-100, P(39), 0, 0), 3);
    assert_int_equal(call(2, P(39), O_RDWR, 0, 0), -ETXTBSY);
    assert_int_equal(status_of(3).bytes, 16);
    assert_int_equal(do_read(3, P(0), 100), 16);
    assert_int_equal(do_seek(3, 0, SEEK_HOLE), 16);
    task->frame.r8 = 3;
    assert_int_equal(call(9, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED), -EACCES);
}

/* ---- the rest ------------------------------------------------------------------------------------------- */

static void unknown_calls(void **state)
{
    (void)state;
    memset(&system_call_totals, 0, sizeof(system_call_totals));
    assert_int_equal(call(4, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(call(4, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(call(59, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(call(UINT64_MAX, 0, 0, 0, 0), -ENOSYS);
    assert_int_equal(call(UINT64_C(0x100000027), 0, 0, 0, 0), task->pid); /* getpid: EAX counts */
    assert_int_equal(system_call_totals.unknown_count, 3);
    assert_int_equal(system_call_totals.unknown[0], 4);
    assert_int_equal(system_call_totals.unknown[1], 59);
    for (uint64_t number = 400; number < 450; number++) {
        assert_int_equal(call(number, 0, 0, 0, 0), -ENOSYS);
    }
    assert_int_equal(system_call_totals.unknown_count, 16);
}

static void limits(void **state)
{
    struct task_limit limit = {1 << 20, 4 << 20};
    (void)state;

    put(P(0), &limit, sizeof(limit));
    assert_int_equal(call(302, 0, LIMIT_STACK, P(0), P(1)), 0);
    assert_int_equal(task->mm->stack_limit, 1 << 20);
    assert_int_equal(user_read(P(1), &limit, sizeof(limit)), BAD_NONE);
    assert_int_equal(limit.soft, 8 << 20);
    limit = (struct task_limit){2, 1};
    put(P(0), &limit, sizeof(limit));
    assert_int_equal(call(302, 0, LIMIT_STACK, P(0), 0), -EINVAL);
    assert_int_equal(call(302, 0, 16, 0, 0), -EINVAL);
    assert_int_equal(call(302, 77, LIMIT_STACK, 0, 0), -ESRCH);
    limit = (struct task_limit){1, UINT64_C(1) << 21};
    put(P(0), &limit, sizeof(limit));
    assert_int_equal(call(302, 0, LIMIT_FILES, P(0), 0), -EPERM);
}

/* Two clocks count what the task had of the processor. */
static void clocks(void **state)
{
    uint64_t time[2];
    (void)state;

    task->ticks = 3 * os_ticks_per_millisecond + os_ticks_per_millisecond * 5000;
    for (unsigned clock = 0; clock < 8; clock++) {
        const bool own = clock == 2 || clock == 3;
        assert_int_equal(call(228, clock, P(0), 0, 0), 0);
        assert_int_equal(user_read(P(0), time, sizeof(time)), BAD_NONE);
        assert_int_equal(time[0] == 5 && time[1] == 3000000, own);
    }
    assert_int_equal(call(228, 8, P(0), 0, 0), -EINVAL);
}

static void bases(void **state)
{
    (void)state;
    task->segments.fs = task->segments.gs = 0x2b;
    assert_int_equal(call(158, 0x1002, 0x7fffffffefff, 0, 0), 0);
    assert_int_equal(task->segments.fs_base, 0x7fffffffefff);
    assert_int_equal(task->segments.fs, 0);
    assert_int_equal(task->segments.gs, 0x2b);
    assert_int_equal(call(158, 0x1002, 0x7ffffffff000, 0, 0), -EPERM);
    assert_int_equal(call(158, 0x1001, UINT64_MAX, 0, 0), -EPERM);
    assert_int_equal(call(158, 0x1001, 5, 0, 0), 0);
    assert_int_equal(call(158, 0x1003, P(0), 0, 0), 0);
    assert_int_equal(call(158, 0x1004, P(0) + 8, 0, 0), 0);
    uint64_t got[2];
    assert_int_equal(user_read(P(0), got, sizeof(got)), BAD_NONE);
    assert_int_equal(got[0], 0x7fffffffefff);
    assert_int_equal(got[1], 5);
    assert_int_equal(call(158, 0x1000, 5, 0, 0), -EINVAL);
}

/* Calls with any arguments: whatever comes of them, the system's books are right. */
static void any_arguments(void **state)
{
    static const uint64_t values[] = {
        0,         1,        2,     3,     4,   5,    64,       4096,           P(0),
        P(1) + 8,  P(39),    P(40), P(50), BAD, ~0ul, ~0ul / 2, 0x7ffffffff000, 0x800000000000,
        1ul << 32, PAGE * 7,
    };
    uint64_t random = 88172645463325252;
    (void)state;

    for (unsigned round = 0; round < 30000; round++) {
        uint64_t a[7];
        for (unsigned i = 0; i < 7; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            a[i] = (random >> 5) % 8 ? values[(random >> 20) % ARRAY_COUNT(values)] : random;
        }
        uint64_t number = a[6] % 335;
        if (number == 57 || number == 60 || number == 231 || number == 61 || number == 15) {
            continue; /* fork, exit, wait4, sigreturn: test_os_task.c */
        }
        task->frame.r8 = a[4];
        task->frame.r9 = a[5];
        (void)call(number, a[0], a[1], a[2], a[3]);
        task->state = TASK_READY;
        task->system_call = SYSTEM_CALL_NONE;
        if (round % 500 == 0) {
            assert_good();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(lowest_descriptor_first),
        TEST(limit_of_descriptors),
        TEST(bad_descriptors_and_modes),
        TEST(console),
        TEST(memory_file_reads_and_writes),
        TEST(holes),
        TEST(fallocate_refuses),
        TEST(partial_counts),
        TEST(hostile_buffers),
        TEST(names_and_flags),
        TEST(pipe_in_order),
        TEST(pipe_ends),
        TEST(pipe_capacity),
        TEST(pipe_write_waits),
        TEST(pipe_bad_buffers),
        TEST(pipe_flags),
        TEST(maps_in_pieces),
        TEST(paths),
        TEST(unknown_calls),
        TEST(limits),
        TEST(bases),
        TEST(clocks),
        TEST(any_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
