/*
 * system_call.h: from a number in RAX to a function, and what those functions share. Floor: os.
 *
 * A system call either does all that it can and returns, or it must wait: then it has changed nothing
 * but what task->done counts, has said in task->state what it waits for, and returns -ERESTART. Programs
 * never see that number.
 */
#ifndef OS_SYSTEM_CALL_H
#define OS_SYSTEM_CALL_H

#include "task.h"

#define ERESTART      512
#define SYSCALL_BYTES 2 /* of the instruction: 0f 05 */

/* Every call that there is: number, name, how many arguments. In order of number. */
#define SYSTEM_CALLS(X)                                                                            \
    X(0, read, 3)                                                                                  \
    X(1, write, 3)                                                                                 \
    X(2, open, 3)                                                                                  \
    X(3, close, 1)                                                                                 \
    X(5, fstat, 2)                                                                                 \
    X(8, lseek, 3)                                                                                 \
    X(9, mmap, 6)                                                                                  \
    X(10, mprotect, 3)                                                                             \
    X(11, munmap, 2)                                                                               \
    X(12, brk, 1)                                                                                  \
    X(13, rt_sigaction, 4)                                                                         \
    X(14, rt_sigprocmask, 4)                                                                       \
    X(15, rt_sigreturn, 0)                                                                         \
    X(17, pread64, 4)                                                                              \
    X(18, pwrite64, 4)                                                                             \
    X(22, pipe, 1)                                                                                 \
    X(24, sched_yield, 0)                                                                          \
    X(25, mremap, 5)                                                                               \
    X(26, msync, 3)                                                                                \
    X(27, mincore, 3)                                                                              \
    X(28, madvise, 3)                                                                              \
    X(39, getpid, 0)                                                                               \
    X(57, fork, 0)                                                                                 \
    X(60, exit, 1)                                                                                 \
    X(61, wait4, 4)                                                                                \
    X(62, kill, 2)                                                                                 \
    X(63, uname, 1)                                                                                \
    X(77, ftruncate, 2)                                                                            \
    X(98, getrusage, 2)                                                                            \
    X(110, getppid, 0)                                                                             \
    X(131, sigaltstack, 2)                                                                         \
    X(149, mlock, 2)                                                                               \
    X(150, munlock, 2)                                                                             \
    X(158, arch_prctl, 2)                                                                          \
    X(186, gettid, 0)                                                                              \
    X(228, clock_gettime, 2)                                                                       \
    X(231, exit_group, 1)                                                                          \
    X(257, openat, 4)                                                                              \
    X(285, fallocate, 4)                                                                           \
    X(293, pipe2, 2)                                                                               \
    X(302, prlimit64, 4)                                                                           \
    X(319, memfd_create, 2)                                                                        \
    X(329, pkey_mprotect, 4)                                                                       \
    X(330, pkey_alloc, 2)                                                                          \
    X(331, pkey_free, 1)

/* What was called since the first program started. */
struct system_call_totals {
    uint64_t calls;
    uint32_t unknown_count;
    uint16_t unknown[16]; /* numbers that do not exist, the first 16 of them, each once */
};
extern struct system_call_totals system_call_totals;

/*
 * Do what @task's frame asks for: number in rax, arguments in rdi rsi rdx r10 r8 r9. The frame gets the
 * result, or is put back to the call when it must wait. @task may be gone afterwards: task_current().
 */
void system_call(struct task *task);

/* Linux's access_ok: does all of it lie where programs may have memory? */
static inline bool user_range(vaddr_t address, uint64_t bytes)
{
    return bytes <= TASK_SIZE && address <= TASK_SIZE - bytes;
}

/* A copy from or to @task's memory fell short. Out: -EFAULT, or -ERESTART: its page is under way. */
static inline int64_t copy_failed(struct task *task)
{
    return task_waits_for_page(task) ? -ERESTART : -EFAULT;
}

/* system_calls_memory.c */
int64_t sys_mmap(struct task *task, uint64_t address, uint64_t bytes, uint64_t prot, uint64_t flags,
                 uint64_t descriptor, uint64_t offset);
int64_t sys_mprotect(struct task *task, uint64_t address, uint64_t bytes, uint64_t prot);
int64_t sys_munmap(struct task *task, uint64_t address, uint64_t bytes);
int64_t sys_brk(struct task *task, uint64_t end);
int64_t sys_mremap(struct task *task, uint64_t address, uint64_t old_bytes, uint64_t new_bytes,
                   uint64_t flags, uint64_t new_address);
int64_t sys_msync(struct task *task, uint64_t address, uint64_t bytes, uint64_t flags);
int64_t sys_mincore(struct task *task, uint64_t address, uint64_t bytes, uint64_t vector);
int64_t sys_madvise(struct task *task, uint64_t address, uint64_t bytes, uint64_t advice);
int64_t sys_mlock(struct task *task, uint64_t address, uint64_t bytes);
int64_t sys_munlock(struct task *task, uint64_t address, uint64_t bytes);
int64_t sys_pkey_mprotect(struct task *task, uint64_t address, uint64_t bytes, uint64_t prot,
                          uint64_t key);
int64_t sys_pkey_alloc(struct task *task, uint64_t flags, uint64_t rights);
int64_t sys_pkey_free(struct task *task, uint64_t key);

/* system_calls_file.c */
int64_t sys_read(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count);
int64_t sys_write(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count);
int64_t sys_pread64(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count,
                    uint64_t offset);
int64_t sys_pwrite64(struct task *task, uint64_t descriptor, uint64_t buffer, uint64_t count,
                     uint64_t offset);
int64_t sys_open(struct task *task, uint64_t path, uint64_t flags, uint64_t mode);
int64_t sys_openat(struct task *task, uint64_t folder, uint64_t path, uint64_t flags,
                   uint64_t mode);
int64_t sys_close(struct task *task, uint64_t descriptor);
int64_t sys_fstat(struct task *task, uint64_t descriptor, uint64_t status);
int64_t sys_lseek(struct task *task, uint64_t descriptor, uint64_t offset, uint64_t whence);
int64_t sys_ftruncate(struct task *task, uint64_t descriptor, uint64_t bytes);
int64_t sys_fallocate(struct task *task, uint64_t descriptor, uint64_t mode, uint64_t offset,
                      uint64_t bytes);
int64_t sys_memfd_create(struct task *task, uint64_t name, uint64_t flags);
int64_t sys_pipe(struct task *task, uint64_t ends);
int64_t sys_pipe2(struct task *task, uint64_t ends, uint64_t flags);

/* system_calls_task.c */
int64_t sys_sched_yield(struct task *task);
int64_t sys_getpid(struct task *task);
int64_t sys_getppid(struct task *task);
int64_t sys_gettid(struct task *task);
int64_t sys_fork(struct task *task);
int64_t sys_exit(struct task *task, uint64_t status);
int64_t sys_exit_group(struct task *task, uint64_t status);
int64_t sys_wait4(struct task *task, uint64_t pid, uint64_t status, uint64_t options,
                  uint64_t usage);
int64_t sys_uname(struct task *task, uint64_t name);
int64_t sys_getrusage(struct task *task, uint64_t who, uint64_t usage);
int64_t sys_prlimit64(struct task *task, uint64_t pid, uint64_t resource, uint64_t new_limit,
                      uint64_t old_limit);
int64_t sys_clock_gettime(struct task *task, uint64_t clock, uint64_t time);
int64_t sys_arch_prctl(struct task *task, uint64_t code, uint64_t address);

#endif
