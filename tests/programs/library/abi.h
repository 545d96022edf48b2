/*
 * Linux's binary interface on x86-64, as far as the programs use it: numbers of system calls, constants and the
 * layouts of structures, from the manual pages (syscalls(2), mmap(2), sigaction(2) ...) and the psABI. Of its own
 * on purpose: it shares nothing with os/, so that one slip cannot hide in both.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL

enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_OPEN = 2,
    SYS_CLOSE = 3,
    SYS_FSTAT = 5,
    SYS_LSEEK = 8,
    SYS_MMAP = 9,
    SYS_MPROTECT = 10,
    SYS_MUNMAP = 11,
    SYS_BRK = 12,
    SYS_RT_SIGACTION = 13,
    SYS_RT_SIGPROCMASK = 14,
    SYS_RT_SIGRETURN = 15,
    SYS_PREAD64 = 17,
    SYS_PWRITE64 = 18,
    SYS_PIPE = 22,
    SYS_MREMAP = 25,
    SYS_MSYNC = 26,
    SYS_MINCORE = 27,
    SYS_MADVISE = 28,
    SYS_GETPID = 39,
    SYS_FORK = 57,
    SYS_EXIT = 60,
    SYS_WAIT4 = 61,
    SYS_KILL = 62,
    SYS_UNAME = 63,
    SYS_FTRUNCATE = 77,
    SYS_GETRUSAGE = 98,
    SYS_SIGALTSTACK = 131,
    SYS_MLOCK = 149,
    SYS_MUNLOCK = 150,
    SYS_ARCH_PRCTL = 158,
    SYS_CLOCK_GETTIME = 228,
    SYS_EXIT_GROUP = 231,
    SYS_FALLOCATE = 285,
    SYS_PRLIMIT64 = 302,
    SYS_MEMFD_CREATE = 319,
    SYS_PKEY_MPROTECT = 329,
    SYS_PKEY_ALLOC = 330,
    SYS_PKEY_FREE = 331,
};

/* mmap, mprotect, mremap, msync, madvise */
#define PROT_NONE           0x0
#define PROT_READ           0x1
#define PROT_WRITE          0x2
#define PROT_EXEC           0x4
#define PROT_GROWSDOWN      0x01000000
#define PROT_GROWSUP        0x02000000
#define MAP_SHARED          0x01
#define MAP_PRIVATE         0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_GROWSDOWN       0x0100
#define MAP_DENYWRITE       0x0800
#define MAP_LOCKED          0x2000
#define MAP_NORESERVE       0x4000
#define MAP_POPULATE        0x8000
#define MAP_STACK           0x20000
#define MAP_FIXED_NOREPLACE 0x100000
#define MREMAP_MAYMOVE      1
#define MREMAP_FIXED        2
#define MREMAP_DONTUNMAP    4
#define MS_ASYNC            1
#define MS_INVALIDATE       2
#define MS_SYNC             4
#define MADV_NORMAL         0
#define MADV_RANDOM         1
#define MADV_SEQUENTIAL     2
#define MADV_WILLNEED       3
#define MADV_DONTNEED       4
#define MADV_REMOVE         9
#define MADV_DONTFORK       10
#define MADV_DOFORK         11
#define MADV_WIPEONFORK     18
#define MADV_KEEPONFORK     19
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23

/* Files */
#define O_RDONLY             0
#define SEEK_SET             0
#define SEEK_CUR             1
#define SEEK_END             2
#define SEEK_DATA            3
#define SEEK_HOLE            4
#define MFD_CLOEXEC          1
#define MFD_ALLOW_SEALING    2
#define FALLOC_FL_KEEP_SIZE  1
#define FALLOC_FL_PUNCH_HOLE 2

struct file_status { /* struct stat */
    uint64_t device;
    uint64_t inode;
    uint64_t links;
    uint32_t mode;
    uint32_t user;
    uint32_t group;
    uint32_t padding;
    uint64_t special_device;
    int64_t size;
    int64_t block_size;
    int64_t blocks; /* of 512 bytes */
    int64_t times[6];
    int64_t reserved[3];
};
_Static_assert(sizeof(struct file_status) == 144, "struct stat");

/* Signals */
#define SIGHUP  1
#define SIGINT  2
#define SIGQUIT 3
#define SIGILL  4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS  7
#define SIGFPE  8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19

#define SIGNAL_BIT(number) (1UL << ((number)-1))

#define SIG_DFL ((signal_handler *)0)
#define SIG_IGN ((signal_handler *)1)

#define SA_NOCLDSTOP 0x00000001UL
#define SA_NOCLDWAIT 0x00000002UL
#define SA_SIGINFO   0x00000004UL
#define SA_RESTORER  0x04000000UL
#define SA_ONSTACK   0x08000000UL
#define SA_RESTART   0x10000000UL
#define SA_NODEFER   0x40000000UL
#define SA_RESETHAND 0x80000000UL

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM (1U << 31)
#define MINSIGSTKSZ   2048UL

#define SI_USER   0
#define SI_KERNEL 0x80

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_PKUERR 4
#define BUS_ADRALN  1
#define BUS_ADRERR  2
#define BUS_OBJERR  3

struct signal_info { /* siginfo_t */
    int32_t signal;
    int32_t error;
    int32_t code;
    int32_t padding;
    union {
        struct { /* kill, SIGCHLD */
            int32_t pid;
            uint32_t user;
            int32_t status;
        };
        struct { /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
            uint64_t address;
            uint64_t low_bits_or_type;
            uint32_t pkey;
        };
        uint8_t rest[112];
    };
};
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t");

struct signal_stack { /* stack_t */
    uint64_t base;
    int32_t flags;
    int32_t padding;
    uint64_t size;
};

/* Indices into signal_context.registers (gregs): REG_R8 ... REG_CR2 */
enum {
    REG_R8,
    REG_R9,
    REG_R10,
    REG_R11,
    REG_R12,
    REG_R13,
    REG_R14,
    REG_R15,
    REG_RDI,
    REG_RSI,
    REG_RBP,
    REG_RBX,
    REG_RDX,
    REG_RAX,
    REG_RCX,
    REG_RSP,
    REG_RIP,
    REG_EFL,
    REG_CSGSFS,
    REG_ERR,
    REG_TRAPNO,
    REG_OLDMASK,
    REG_CR2,
    REGISTERS,
};

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

struct signal_context { /* ucontext_t */
    uint64_t flags;
    uint64_t link;
    struct signal_stack stack;
    uint64_t registers[REGISTERS];
    uint64_t fpu_state; /* address of the XSAVE image, or 0 */
    uint64_t reserved[8];
    uint64_t mask;
};
_Static_assert(offsetof(struct signal_context, fpu_state) == 224, "ucontext_t");
_Static_assert(offsetof(struct signal_context, mask) == 296, "ucontext_t");

typedef void signal_handler(int signal, struct signal_info *info, struct signal_context *context);

struct signal_action { /* struct sigaction of the system call */
    signal_handler *handler;
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* Tasks */
#define WNOHANG             1
#define WEXITED_STATUS(s)   (((s) >> 8) & 0xff)
#define WTERMINATING(s)     ((s)&0x7f) /* the signal, 0: it exited */
#define WCORE_DUMPED(s)     (((s)&0x80) != 0)
#define RUSAGE_SELF         0
#define RUSAGE_CHILDREN     (-1)
#define RUSAGE_THREAD       1
#define RLIMIT_DATA         2
#define RLIMIT_STACK        3
#define RLIMIT_CORE         4
#define RLIMIT_MEMLOCK      8
#define RLIMIT_AS           9
#define RLIM_INFINITY       (~0UL)
#define CLOCK_REALTIME      0
#define CLOCK_MONOTONIC     1
#define ARCH_SET_GS         0x1001
#define ARCH_SET_FS         0x1002
#define ARCH_GET_FS         0x1003
#define ARCH_GET_GS         0x1004
#define PKEY_DISABLE_ACCESS 1
#define PKEY_DISABLE_WRITE  2

struct time_value { /* struct timeval, struct timespec */
    int64_t seconds;
    int64_t fraction; /* micro- or nanoseconds */
};

struct resource_usage { /* struct rusage */
    struct time_value user;
    struct time_value system;
    int64_t max_resident; /* KiB */
    int64_t unused_sizes[3];
    int64_t minor_faults;
    int64_t major_faults;
    int64_t swaps;
    int64_t rest[7];
};
_Static_assert(sizeof(struct resource_usage) == 144, "struct rusage");

struct resource_limit { /* struct rlimit64 */
    uint64_t current;
    uint64_t maximum;
};

struct system_name { /* struct utsname */
    char system[65];
    char node[65];
    char release[65];
    char version[65];
    char machine[65];
    char domain[65];
};

/* The auxiliary vector */
#define AT_NULL         0
#define AT_PHDR         3
#define AT_PHENT        4
#define AT_PHNUM        5
#define AT_PAGESZ       6
#define AT_BASE         7
#define AT_FLAGS        8
#define AT_ENTRY        9
#define AT_UID          11
#define AT_EUID         12
#define AT_GID          13
#define AT_EGID         14
#define AT_PLATFORM     15
#define AT_HWCAP        16
#define AT_CLKTCK       17
#define AT_SECURE       23
#define AT_RANDOM       25
#define AT_HWCAP2       26
#define AT_EXECFN       31
#define AT_SYSINFO_EHDR 33

struct auxiliary {
    uint64_t type;
    uint64_t value;
};

/* Errors: numbers, for comparisons; result_text() has all the names. */
enum {
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    EBADF = 9,
    ECHILD = 10,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    EINVAL = 22,
    ENOTTY = 25,
    EFBIG = 27,
    ENOSPC = 28,
    ESPIPE = 29,
    EPIPE = 32,
    ENOSYS = 38,
    EOPNOTSUPP = 95,
};
