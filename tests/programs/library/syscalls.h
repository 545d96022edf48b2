/*
 * Raw system calls: arguments go to the kernel as they are, and what it returns comes back as it is - a value, or
 * -errno. Only what points into the program's own memory has a type.
 */
#pragma once

#include "tests/programs/library/abi.h"

static inline long syscall6(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                            uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long syscall3(long number, uint64_t a, uint64_t b, uint64_t c)
{
    return syscall6(number, a, b, c, 0, 0, 0);
}

/* ---- memory: addresses are numbers, since the kernel's view of them is what is tested ---------------- */

static inline long sys_mmap(uint64_t address, uint64_t length, int protection, int flags, int file,
                            uint64_t offset)
{
    return syscall6(SYS_MMAP, address, length, (uint64_t)protection, (uint64_t)flags,
                    (uint64_t)file, offset);
}

static inline long sys_munmap(uint64_t address, uint64_t length)
{
    return syscall3(SYS_MUNMAP, address, length, 0);
}

static inline long sys_mprotect(uint64_t address, uint64_t length, int protection)
{
    return syscall3(SYS_MPROTECT, address, length, (uint64_t)protection);
}

static inline long sys_madvise(uint64_t address, uint64_t length, int advice)
{
    return syscall3(SYS_MADVISE, address, length, (uint64_t)advice);
}

static inline long sys_mremap(uint64_t old, uint64_t old_length, uint64_t length, int flags,
                              uint64_t address)
{
    return syscall6(SYS_MREMAP, old, old_length, length, (uint64_t)flags, address, 0);
}

static inline long sys_msync(uint64_t address, uint64_t length, int flags)
{
    return syscall3(SYS_MSYNC, address, length, (uint64_t)flags);
}

static inline long sys_mincore(uint64_t address, uint64_t length, uint8_t *pages)
{
    return syscall3(SYS_MINCORE, address, length, (uint64_t)pages);
}

static inline long sys_brk(uint64_t end)
{
    return syscall3(SYS_BRK, end, 0, 0);
}

static inline long sys_mlock(uint64_t address, uint64_t length)
{
    return syscall3(SYS_MLOCK, address, length, 0);
}

static inline long sys_munlock(uint64_t address, uint64_t length)
{
    return syscall3(SYS_MUNLOCK, address, length, 0);
}

static inline long sys_pkey_alloc(uint64_t flags, uint64_t rights)
{
    return syscall3(SYS_PKEY_ALLOC, flags, rights, 0);
}

static inline long sys_pkey_mprotect(uint64_t address, uint64_t length, int protection, int key)
{
    return syscall6(SYS_PKEY_MPROTECT, address, length, (uint64_t)protection, (uint64_t)key, 0, 0);
}

static inline long sys_pkey_free(int key)
{
    return syscall3(SYS_PKEY_FREE, (uint64_t)key, 0, 0);
}

/* ---- signals ------------------------------------------------------------------------------------------ */

static inline long sys_rt_sigaction(int signal, const struct signal_action *action,
                                    struct signal_action *old)
{
    return syscall6(SYS_RT_SIGACTION, (uint64_t)signal, (uint64_t)action, (uint64_t)old, 8, 0, 0);
}

static inline long sys_rt_sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
    return syscall6(SYS_RT_SIGPROCMASK, (uint64_t)how, (uint64_t)set, (uint64_t)old, 8, 0, 0);
}

static inline long sys_sigaltstack(const struct signal_stack *stack, struct signal_stack *old)
{
    return syscall3(SYS_SIGALTSTACK, (uint64_t)stack, (uint64_t)old, 0);
}

static inline long sys_kill(long pid, int signal)
{
    return syscall3(SYS_KILL, (uint64_t)pid, (uint64_t)signal, 0);
}

/* ---- tasks -------------------------------------------------------------------------------------------- */

static inline long sys_getpid(void)
{
    return syscall3(SYS_GETPID, 0, 0, 0);
}

/* Programs call program_fork(), which keeps the log in order. */
static inline long sys_fork(void)
{
    return syscall3(SYS_FORK, 0, 0, 0);
}

static inline long sys_wait4(long pid, int *status, int options, struct resource_usage *usage)
{
    return syscall6(SYS_WAIT4, (uint64_t)pid, (uint64_t)status, (uint64_t)options, (uint64_t)usage,
                    0, 0);
}

/* Programs call program_exit(), which writes the log out. */
static inline void sys_exit(int status)
{
    syscall3(SYS_EXIT, (uint64_t)status, 0, 0);
}

static inline void sys_exit_group(int status)
{
    syscall3(SYS_EXIT_GROUP, (uint64_t)status, 0, 0);
}

static inline long sys_getrusage(int who, struct resource_usage *usage)
{
    return syscall3(SYS_GETRUSAGE, (uint64_t)who, (uint64_t)usage, 0);
}

static inline long sys_prlimit64(long pid, int resource, const struct resource_limit *limit,
                                 struct resource_limit *old)
{
    return syscall6(SYS_PRLIMIT64, (uint64_t)pid, (uint64_t)resource, (uint64_t)limit,
                    (uint64_t)old, 0, 0);
}

static inline long sys_uname(struct system_name *name)
{
    return syscall3(SYS_UNAME, (uint64_t)name, 0, 0);
}

static inline long sys_clock_gettime(int clock, struct time_value *time)
{
    return syscall3(SYS_CLOCK_GETTIME, (uint64_t)clock, (uint64_t)time, 0);
}

static inline long sys_arch_prctl(int code, uint64_t address)
{
    return syscall3(SYS_ARCH_PRCTL, (uint64_t)code, address, 0);
}

/* ---- files: buffers are addresses, too, since bad ones are given on purpose ---------------------------- */

static inline long sys_open(const char *path, int flags)
{
    return syscall3(SYS_OPEN, (uint64_t)path, (uint64_t)flags, 0);
}

static inline long sys_read(int file, uint64_t buffer, uint64_t count)
{
    return syscall3(SYS_READ, (uint64_t)file, buffer, count);
}

static inline long sys_write(int file, uint64_t buffer, uint64_t count)
{
    return syscall3(SYS_WRITE, (uint64_t)file, buffer, count);
}

static inline long sys_pread64(int file, uint64_t buffer, uint64_t count, uint64_t offset)
{
    return syscall6(SYS_PREAD64, (uint64_t)file, buffer, count, offset, 0, 0);
}

static inline long sys_pwrite64(int file, uint64_t buffer, uint64_t count, uint64_t offset)
{
    return syscall6(SYS_PWRITE64, (uint64_t)file, buffer, count, offset, 0, 0);
}

static inline long sys_close(int file)
{
    return syscall3(SYS_CLOSE, (uint64_t)file, 0, 0);
}

static inline long sys_fstat(int file, struct file_status *status)
{
    return syscall3(SYS_FSTAT, (uint64_t)file, (uint64_t)status, 0);
}

static inline long sys_lseek(int file, int64_t offset, int whence)
{
    return syscall3(SYS_LSEEK, (uint64_t)file, (uint64_t)offset, (uint64_t)whence);
}

static inline long sys_ftruncate(int file, uint64_t length)
{
    return syscall3(SYS_FTRUNCATE, (uint64_t)file, length, 0);
}

static inline long sys_fallocate(int file, int mode, uint64_t offset, uint64_t length)
{
    return syscall6(SYS_FALLOCATE, (uint64_t)file, (uint64_t)mode, offset, length, 0, 0);
}

static inline long sys_memfd_create(const char *name, unsigned flags)
{
    return syscall3(SYS_MEMFD_CREATE, (uint64_t)name, flags, 0);
}

static inline long sys_pipe(int ends[2])
{
    return syscall3(SYS_PIPE, (uint64_t)ends, 0, 0);
}
