/*
 * A memfd as a file: offsets, lseek with data and holes, sizes and blocks, what ftruncate, fallocate and memfd_create
 * refuse, and the offset that parent and child share.
 */
#include "tests/programs/library/program.h"

static int file;

static void show(const char *what)
{
    struct file_status status;

    must("fstat", sys_fstat(file, &status));
    say("%s: size %ld, %ld blocks of 512", what, status.size, status.blocks);
}

static void seek(const char *what, int64_t offset, int whence)
{
    say("lseek %s %ld: %s", what, offset, result_text(sys_lseek(file, offset, whence)));
}

int program(const struct program_start *start)
{
    static char buffer[3 * PAGE];
    static char name[300];
    struct file_status status;
    long pid;

    (void)start;
    file = (int)must("memfd_create", sys_memfd_create("calls", MFD_CLOEXEC));
    must("fstat", sys_fstat(file, &status));
    say("a regular file: %s", (status.mode & 0170000) == 0100000 ? "yes" : "no");
    say("mode %lx, links %lu, block size %ld", (unsigned long)status.mode & 07777, status.links,
        status.block_size);
    show("new");
    say("read at the end: %s", result_text(sys_read(file, (uint64_t)buffer, 10)));
    say("write: %s", result_text(sys_write(file, (uint64_t) "hello", 5)));
    seek("current", 0, SEEK_CUR);
    say("read at the end: %s", result_text(sys_read(file, (uint64_t)buffer, 10)));
    seek("set", 1, SEEK_SET);
    say("read: %s", result_text(sys_read(file, (uint64_t)buffer, 10)));
    log_bytes("read", (uint64_t)buffer, 5);
    show("written");

    seek("end", 10 * (int64_t)PAGE, SEEK_END);
    say("write far behind the end: %s", result_text(sys_write(file, (uint64_t) "x", 1)));
    show("sparse");
    seek("data", 0, SEEK_DATA);
    seek("data", 5, SEEK_DATA);
    seek("data", PAGE, SEEK_DATA);
    seek("hole", 0, SEEK_HOLE);
    seek("hole", 2 * PAGE, SEEK_HOLE);
    seek("hole", 10 * (int64_t)PAGE, SEEK_HOLE);
    seek("data behind the end", 20 * (int64_t)PAGE, SEEK_DATA);
    seek("hole behind the end", 20 * (int64_t)PAGE, SEEK_HOLE);
    seek("set", -1, SEEK_SET);
    seek("current", -10000000, SEEK_CUR);
    seek("in a way that there is not", 0, 17);
    say("pread of a hole: %s", result_text(sys_pread64(file, (uint64_t)buffer, PAGE, 3 * PAGE)));
    show("after reading a hole");
    say("pread across the end: %s",
        result_text(sys_pread64(file, (uint64_t)buffer, 3 * PAGE, 9 * PAGE)));
    say("pread behind the end: %s",
        result_text(sys_pread64(file, (uint64_t)buffer, 1, 100 * PAGE)));
    say("pread at a negative offset: %s",
        result_text(sys_pread64(file, (uint64_t)buffer, 1, ~0UL)));
    say("pwrite at a negative offset: %s",
        result_text(sys_pwrite64(file, (uint64_t)buffer, 1, ~0UL)));

    say("ftruncate: %s", result_text(sys_ftruncate(file, 3)));
    show("truncated");
    say("ftruncate: %s", result_text(sys_ftruncate(file, 5)));
    say("pread: %s", result_text(sys_pread64(file, (uint64_t)buffer, 10, 0)));
    log_bytes("what was cut off is zero", (uint64_t)buffer, 5);
    say("ftruncate to a negative length: %s", result_text(sys_ftruncate(file, ~0UL)));
    say("ftruncate of no file: %s", result_text(sys_ftruncate(99, 0)));

    say("fallocate: %s", result_text(sys_fallocate(file, 0, PAGE, 2 * PAGE)));
    show("allocated");
    say("fallocate, keeping the size: %s",
        result_text(sys_fallocate(file, FALLOC_FL_KEEP_SIZE, 4 * PAGE, PAGE)));
    show("allocated behind the end");
    say("punch without keeping the size: %s",
        result_text(sys_fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, PAGE)));
    say("punch: %s", result_text(sys_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                               PAGE - 10, PAGE + 20)));
    show("punched");
    say("fallocate of nothing: %s", result_text(sys_fallocate(file, 0, 0, 0)));
    say("fallocate at a negative offset: %s", result_text(sys_fallocate(file, 0, ~0UL, PAGE)));
    say("fallocate in a way that there is not: %s",
        result_text(sys_fallocate(file, 0x100, 0, PAGE)));

    /* One offset for parent and child. */
    seek("set", 0, SEEK_SET);
    pid = program_fork();
    if (pid == 0) {
        must("write", sys_write(file, (uint64_t) "from child", 10));
        say("child closes it: %s", result_text(sys_close(file)));
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    seek("current", 0, SEEK_CUR);
    must("write", sys_write(file, (uint64_t) "parent", 6));
    must("pread", sys_pread64(file, (uint64_t)buffer, 16, 0));
    log_bytes("both", (uint64_t)buffer, 16);

    say("memfd_create with flags that there are not: %s",
        result_text(sys_memfd_create("x", 0x1000)));
    for (unsigned i = 0; i < sizeof(name) - 1; i++)
        name[i] = 'n';
    say("a name of 299: %s", result_text(sys_memfd_create(name, 0)));
    name[249] = 0;
    say("a name of 249: %s", sys_memfd_create(name, 0) >= 0 ? "done" : "refused");
    name[249] = 'n';
    name[250] = 0;
    say("a name of 250: %s", result_text(sys_memfd_create(name, 0)));
    say("the same name twice: %s", sys_memfd_create("calls", 0) >= 0 ? "done" : "refused");
    say("an empty name: %s", sys_memfd_create("", 0) >= 0 ? "done" : "refused");
    say("no name: %s", result_text(sys_memfd_create((const char *)8, 0)));
    say("close: %s", result_text(sys_close(file)));
    say("fstat of what is closed: %s", result_text(sys_fstat(file, &status)));
    say("close of no file: %s", result_text(sys_close(-1)));
    return 0;
}
