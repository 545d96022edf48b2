/*
 * Every system call with wild arguments, one at a time in place of a good one: each is answered with an error or does
 * something harmless, the same as on Linux, and the program goes on unharmed. "ok": a result that is no error.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

enum kind { NUMBER, POINTER, LENGTH, OFFSET, FILE_NUMBER, FLAGS, NONE };

static const uint64_t wild_numbers[] = {
    77, ~0UL, 0x7fffffff, 0x80000000UL, 0x8000000000000000UL, 0x12345678};
static const uint64_t wild_pointers[] = {1,
                                         0x20000,
                                         ~0UL,
                                         0x7ffffffff000UL,
                                         0x800000000000UL,
                                         0xffff800000000000UL,
                                         0x8000000000000000UL,
                                         AREA + 4 * PAGE,
                                         AREA + 4 * PAGE - 1};
static const uint64_t wild_lengths[] = {
    0, 1, ~0UL, 0x7fffffffffffffffUL, 0x8000000000000000UL, 0x7ffffffff000UL, 0xffffffffffff0000UL};
static const uint64_t wild_offsets[] = {1, ~0UL, 0x8000000000000000UL, 0x7fffffffffffffffUL};
static const uint64_t wild_files[] = {99, ~0UL, 0x7fffffff, 0x80000000UL, 0x1000000ffUL};
static const uint64_t wild_flags[] = {0x40, ~0UL, 0x7fffffff, 0x40000000};

struct set {
    const uint64_t *values;
    unsigned count;
};
#define SET(values)                                                                                \
    {                                                                                              \
        values, sizeof(values) / sizeof((values)[0])                                               \
    }
static const struct set sets[NONE] = {SET(wild_numbers), SET(wild_pointers), SET(wild_lengths),
                                      SET(wild_offsets), SET(wild_files),    SET(wild_flags)};

/* The good arguments that are not known before the program runs. */
#define A_FILE 0xf11e0001UL
#define A_PIPE 0xf11e0002UL /* the end that is written to */
#define ME     0xf11e0003UL

struct call {
    const char *name;
    long number;
    uint64_t good[6];
    enum kind kinds[6]; /* NONE: it stays good */
};

#define RW      (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE)

static const struct call calls[] = {
    {"read",                      SYS_READ,         {A_FILE, AREA, 16},                                                  {FILE_NUMBER, POINTER, LENGTH, NONE, NONE, NONE}},
    {"write",                     SYS_WRITE,        {A_FILE, AREA, 16},                                                  {FILE_NUMBER, POINTER, LENGTH, NONE, NONE, NONE}},
    {"write to a pipe",           SYS_WRITE,        {A_PIPE, AREA, 16},                                                  {NONE, POINTER, NONE, NONE, NONE, NONE}         },
    {"close",                     SYS_CLOSE,        {99},                                                                {FILE_NUMBER, NONE, NONE, NONE, NONE, NONE}     },
    {"fstat",                     SYS_FSTAT,        {A_FILE, AREA},                                                      {FILE_NUMBER, POINTER, NONE, NONE, NONE, NONE}  },
    {"lseek",                     SYS_LSEEK,        {A_FILE, 0, SEEK_SET},                                               {FILE_NUMBER, OFFSET, NUMBER, NONE, NONE, NONE} },
    {"mmap",
     SYS_MMAP,                                      {AREA, PAGE, RW, PRIVATE, ~0UL, 0},
     {POINTER, LENGTH, NONE, NONE, NUMBER, OFFSET}                                                                                                                       },
    {"mmap of a file",
     SYS_MMAP,                                      {AREA, PAGE, RW, MAP_SHARED | MAP_FIXED, A_FILE, 0},
     {POINTER, LENGTH, NONE, NONE, FILE_NUMBER, OFFSET}                                                                                                                  },
    {"mprotect",                  SYS_MPROTECT,     {AREA, PAGE, RW},                                                    {POINTER, LENGTH, FLAGS, NONE, NONE, NONE}      },
    {"munmap",                    SYS_MUNMAP,       {AREA, PAGE},                                                        {POINTER, LENGTH, NONE, NONE, NONE, NONE}       },
    {"rt_sigaction",
     SYS_RT_SIGACTION,                              {SIGUSR1, 0, AREA, 8},
     {NUMBER, POINTER, POINTER, LENGTH, NONE, NONE}                                                                                                                      },
    {"rt_sigprocmask",
     SYS_RT_SIGPROCMASK,                            {SIG_BLOCK, AREA + PAGE, AREA, 8},
     {NUMBER, POINTER, POINTER, LENGTH, NONE, NONE}                                                                                                                      },
    {"pread64",
     SYS_PREAD64,                                   {A_FILE, AREA, 16, 0},
     {FILE_NUMBER, POINTER, LENGTH, OFFSET, NONE, NONE}                                                                                                                  },
    {"pwrite64",
     SYS_PWRITE64,                                  {A_FILE, AREA, 16, 0},
     {FILE_NUMBER, POINTER, LENGTH, OFFSET, NONE, NONE}                                                                                                                  },
    {"pipe",                      SYS_PIPE,         {AREA},                                                              {POINTER, NONE, NONE, NONE, NONE, NONE}         },
    {"mremap",                    SYS_MREMAP,       {AREA, PAGE, PAGE, 0, 0},                                            {POINTER, LENGTH, NONE, FLAGS, NONE, NONE}      },
    {"mremap to a fixed address",
     SYS_MREMAP,                                    {AREA, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + 64 * PAGE},
     {POINTER, LENGTH, NONE, NONE, POINTER, NONE}                                                                                                                        },
    {"msync",                     SYS_MSYNC,        {AREA, PAGE, MS_SYNC},                                               {POINTER, LENGTH, FLAGS, NONE, NONE, NONE}      },
    {"mincore",                   SYS_MINCORE,      {AREA, PAGE, AREA},                                                  {POINTER, LENGTH, POINTER, NONE, NONE, NONE}    },
    {"madvise",
     SYS_MADVISE,                                   {AREA, PAGE, MADV_DONTNEED},
     {POINTER, LENGTH, FLAGS, NONE, NONE, NONE}                                                                                                                          },
    {"kill",                      SYS_KILL,         {ME, 0},                                                             {NONE, NUMBER, NONE, NONE, NONE, NONE}          },
    {"wait4",                     SYS_WAIT4,        {77, AREA, 0, AREA},                                                 {NUMBER, POINTER, FLAGS, POINTER, NONE, NONE}   },
    {"uname",                     SYS_UNAME,        {AREA},                                                              {POINTER, NONE, NONE, NONE, NONE, NONE}         },
    {"ftruncate",                 SYS_FTRUNCATE,    {A_FILE, 4 * PAGE},                                                  {FILE_NUMBER, OFFSET, NONE, NONE, NONE, NONE}   },
    {"getrusage",                 SYS_GETRUSAGE,    {0, AREA},                                                           {NUMBER, POINTER, NONE, NONE, NONE, NONE}       },
    {"sigaltstack",               SYS_SIGALTSTACK,  {0, AREA},                                                           {POINTER, POINTER, NONE, NONE, NONE, NONE}      },
    {"mlock",                     SYS_MLOCK,        {AREA, PAGE},                                                        {POINTER, LENGTH, NONE, NONE, NONE, NONE}       },
    {"munlock",                   SYS_MUNLOCK,      {AREA, PAGE},                                                        {POINTER, LENGTH, NONE, NONE, NONE, NONE}       },
    {"arch_prctl",                SYS_ARCH_PRCTL,   {ARCH_GET_FS, AREA},                                                 {NUMBER, POINTER, NONE, NONE, NONE, NONE}       },
    {"clock_gettime",
     SYS_CLOCK_GETTIME,                             {CLOCK_MONOTONIC, AREA},
     {NONE, POINTER, NONE, NONE, NONE, NONE}                                                                                                                             },
    {"fallocate",
     SYS_FALLOCATE,                                 {A_FILE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE},
     {FILE_NUMBER, FLAGS, OFFSET, LENGTH, NONE, NONE}                                                                                                                    },
    {"prlimit64",
     SYS_PRLIMIT64,                                 {0, RLIMIT_STACK, 0, AREA},
     {NONE, NUMBER, POINTER, POINTER, NONE, NONE}                                                                                                                        },
    {"memfd_create",              SYS_MEMFD_CREATE, {AREA, 0},                                                           {POINTER, FLAGS, NONE, NONE, NONE, NONE}        },
    {"pkey_mprotect",
     SYS_PKEY_MPROTECT,                             {AREA, PAGE, RW, ~0UL},
     {POINTER, LENGTH, FLAGS, NONE, NONE, NONE}                                                                                                                          },
};

static int file;
static int ends[2];

static uint64_t good_value(uint64_t value)
{
    if (value == A_FILE)
        return (uint64_t)file;
    if (value == A_PIPE)
        return (uint64_t)ends[1];
    if (value == ME)
        return (uint64_t)sys_getpid();
    return value;
}

/* The area, the file and the pipe as every call finds them. */
static void prepare(void)
{
    must("mmap", sys_mmap(AREA, 4 * PAGE, RW, PRIVATE, -1, 0));
    must("munmap", sys_munmap(AREA + 4 * PAGE, 0x100000));
    must("ftruncate", sys_ftruncate(file, 4 * PAGE));
    must("lseek", sys_lseek(file, 0, SEEK_SET));
}

/* A page of our own that nothing above may touch, and registers that survive: is all well? */
static uint64_t check_sum(void)
{
    static uint64_t witness[512];
    uint64_t sum = 0;

    for (unsigned i = 0; i < 512; i++) {
        if (witness[i] == 0)
            witness[i] = i * 0x9e3779b97f4a7c15UL + 1;
        sum = sum * 31 + witness[i];
    }
    return sum;
}

static void undo(const struct call *call, long result)
{
    static uint8_t bytes[64];
    static const uint64_t no_signals;

    if (result < 0 && result >= -4095)
        return;
    if (call->number == SYS_MMAP)
        sys_munmap((uint64_t)result, PAGE);
    if (call->number == SYS_MREMAP)
        sys_munmap((uint64_t)result, PAGE);
    if (call->number == SYS_MEMFD_CREATE)
        sys_close((int)result);
    if (call->number == SYS_PIPE) {
        sys_close(*(int *)AREA);
        sys_close(*(int *)(AREA + 4));
    }
    if (call->number == SYS_WRITE && call->good[0] == A_PIPE && result > 0)
        sys_read(ends[0], (uint64_t)bytes, (uint64_t)result);
    if (call->number == SYS_RT_SIGPROCMASK)
        sys_rt_sigprocmask(SIG_SETMASK, &no_signals, NULL);
}

static const char *name_of(long result)
{
    return result < 0 && result >= -4095 ? result_text(result) : "ok";
}

static char line[400];
static unsigned long used;

static void add(const char *text)
{
    while (*text && used < sizeof(line) - 1)
        line[used++] = *text++;
    line[used] = 0;
}

int program(const struct program_start *start)
{
    uint64_t sum = check_sum();

    (void)start;
    file = file_make("pages", 4, 0x10);
    pipe_make(ends);
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        const struct call *call = &calls[i];

        for (unsigned at = 0; at < 6; at++) {
            if (call->kinds[at] == NONE)
                continue;
            used = 0;
            for (unsigned k = 0; k < sets[call->kinds[at]].count; k++) {
                uint64_t arguments[6];
                long result;

                prepare();
                for (unsigned n = 0; n < 6; n++)
                    arguments[n] = good_value(call->good[n]);
                arguments[at] = sets[call->kinds[at]].values[k];
                result = syscall6(call->number, arguments[0], arguments[1], arguments[2],
                                  arguments[3], arguments[4], arguments[5]);
                add(" ");
                add(name_of(result));
                undo(call, result);
            }
            say("%s, argument %u:%s", call->name, at + 1, line);
        }
    }
    say("unharmed: %s", check_sum() == sum ? "yes" : "no");
    log_file("file", file, 2 * PAGE, 4);
    return 0;
}
