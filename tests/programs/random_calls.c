/*
 * Random system calls on memory and files, most of them with good arguments and some with wild ones: each is a line
 * with its result and its faults; every 25 calls all mappings are shown.
 */
#include "tests/programs/library/file.h"
#include "tests/programs/library/mapped.h"
#include "tests/programs/library/random.h"

#define AREA         0x10000000UL
#define PAGES        24UL
#define FROM         (AREA - 0x1000000UL)
#define TO           (AREA + 0x2000000UL)
#define STEPS        1500U
#define VECTOR       0x30000000UL /* where mincore may write */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int files[4]; /* three memfds, and the writing end of a pipe, which cannot be mapped */

static uint64_t below(uint64_t limit)
{
    return (random_next() >> 20) % limit;
}

/* ---- arguments ------------------------------------------------------------------------------------------- */

static uint64_t random_address(void)
{
    static const uint64_t wild[] = {0,
                                    1,
                                    0x1000,
                                    0x10000,
                                    0x7ffffffff000,
                                    0x7fffffffe000,
                                    0x800000000000,
                                    0xffff800000000000,
                                    ~0UL,
                                    ~0UL << 12,
                                    AREA + 1,
                                    AREA + 5 * PAGE + 7};

    if (below(5))
        return AREA + below(PAGES) * PAGE;
    return below(3) ? AREA + below(PAGES * 8) * 512 : wild[below(COUNT(wild))];
}

/* None so large that the call would reach the program itself. */
static uint64_t random_length(void)
{
    static const uint64_t wild[] = {0,          1,         0xfff,     0x1001,    ~0UL,
                                    ~0UL << 12, 1UL << 47, 1UL << 48, 1UL << 63, ~0UL >> 1};

    if (below(5))
        return (1 + below(8)) * PAGE;
    return below(3) ? 1 + below(40000) : wild[below(COUNT(wild))];
}

static uint64_t random_offset(void)
{
    static const uint64_t wild[] = {1, 0x800, ~0UL, ~0UL << 12, 1UL << 63, (1UL << 63) - PAGE};

    if (below(6))
        return below(20) * PAGE;
    return below(2) ? below(80000) : wild[below(COUNT(wild))];
}

static uint64_t random_file(void)
{
    static const uint64_t wild[] = {~0UL, 99, 0x100000003}; /* the upper half does not count */

    return below(6) ? (uint64_t)files[below(4)] : wild[below(COUNT(wild))];
}

/* What PROT_EXEC alone means depends on the processor's protection keys: exec_only shows it. */
static uint64_t random_protection(void)
{
    const uint64_t protection = below(8) ? below(8) : below(64);

    return (protection & 7) == PROT_EXEC ? protection | PROT_READ : protection;
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

struct call {
    const char *name;
    long number;
    uint64_t a[6];
};

static struct call random_mmap(void)
{
    static const uint64_t more[] = {0,
                                    0,
                                    0,
                                    MAP_GROWSDOWN,
                                    MAP_NORESERVE,
                                    MAP_POPULATE,
                                    MAP_LOCKED,
                                    MAP_STACK,
                                    MAP_DENYWRITE,
                                    0x1000000 /* none */};
    struct call call = {
        "mmap", SYS_MMAP, {random_address(), random_length()}
    };
    uint64_t flags = below(8) ? 1 + below(2) : below(4);

    flags |= below(3) ? MAP_FIXED : below(2) ? MAP_FIXED_NOREPLACE : 0;
    flags |= more[below(COUNT(more))] | (below(2) ? MAP_ANONYMOUS : 0);
    call.a[2] = random_protection();
    call.a[3] = flags;
    call.a[4] = random_file();
    call.a[5] = random_offset();
    return call;
}

static struct call random_mremap(void)
{
    struct call call = {
        "mremap", SYS_MREMAP, {random_address(), random_length(), random_length()}
    };

    call.a[3] = below(8);
    call.a[4] = random_address();
    if (!(call.a[3] & MREMAP_FIXED)) /* where the kernel likes is elsewhere on each */
        call.a[3] &= ~(uint64_t)MREMAP_MAYMOVE;
    return call;
}

static struct call random_madvise(void)
{
    /* Not those about reclaim, huge pages and merging, nor what takes memory away for ever. */
    static const uint64_t advices[] = {0,  1,  2,  3,  4,  4,  8,  9, 10,  11,
                                       16, 17, 18, 19, 22, 23, 24, 5, 4711};

    return (struct call){
        "madvise",
        SYS_MADVISE,
        {random_address(), random_length(), advices[below(COUNT(advices))]}
    };
}

static struct call random_transfer(void)
{
    const bool write = below(2);
    struct call call = {
        write ? "pwrite64" : "pread64",
        write ? SYS_PWRITE64 : SYS_PREAD64,
        {random_file(), random_address(), random_length(), random_offset()}
    };

    if (write && (call.a[2] > 100000 || call.a[3] > 100000)) { /* files stay small */
        call.a[2] = 10;
        call.a[3] = 70000;
    }
    return call;
}

static struct call random_size(void)
{
    struct call call = {
        "ftruncate", SYS_FTRUNCATE, {random_file(), random_offset()}
    };

    if (below(2)) {
        call = (struct call){
            "lseek", SYS_LSEEK, {random_file(), random_offset(), below(7)}
        };
    } else if (below(2)) {
        call = (struct call){
            "fallocate", SYS_FALLOCATE, {random_file(), below(3) ? 3 : below(4)}
        };
        call.a[2] = random_offset() % 100000;
        call.a[3] = random_length() % 100000;
    }
    return call;
}

static struct call random_call(void)
{
    switch (below(18)) {
    case 0:
        return (struct call){
            "munmap", SYS_MUNMAP, {random_address(), random_length()}
        };
    case 1:
    case 2:
        return (struct call){
            "mprotect",
            SYS_MPROTECT,
            {random_address(), random_length(),
              random_protection() | (below(12) ? 0 : PROT_GROWSDOWN)}
        };
    case 3:
    case 4:
        return random_mremap();
    case 5:
    case 6:
        return random_madvise();
    case 7:
        return (struct call){
            "msync", SYS_MSYNC, {random_address(), random_length(), below(16)}
        };
    case 8:
        return (struct call){
            "mincore",
            SYS_MINCORE,
            {random_address(), random_length(), below(4) ? VECTOR : random_address()}
        };
    case 9:
        return (struct call){
            "mlock", SYS_MLOCK, {random_address(), random_length()}
        };
    case 10:
        return (struct call){
            "munlock", SYS_MUNLOCK, {random_address(), random_length()}
        };
    case 11:
    case 12:
        return random_size();
    case 13:
    case 14:
        return random_transfer();
    default:
        return random_mmap();
    }
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

static void show_mappings(void)
{
    static struct mapped list[100];
    const unsigned count = mapped_list(FROM, TO, list, 100);

    for (unsigned i = 0; i < count; i++)
        say("  %lx-%lx %c%c%c%c %lx", list[i].start, list[i].end, list[i].rights[0],
            list[i].rights[1], list[i].rights[2], list[i].rights[3], list[i].offset);
}

static void make_call(unsigned step)
{
    const struct call call = random_call();
    const uint64_t *a = call.a;
    long before = minor_faults();
    long result = syscall6(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    long faults = minor_faults() - before;
    const char *text = result_hex(result);

    if (call.number == SYS_MMAP && (uint64_t)result != a[0] && result > 0 &&
        ((uint64_t)result < FROM ||
         (uint64_t)result >= TO)) { /* an address that the kernel chose */
        sys_munmap((uint64_t)result, (a[1] + PAGE - 1) & ~(PAGE - 1));
        text = "elsewhere";
    }
    say("%u %s %lx %lx %lx %lx %lx %lx: %s, %ld", step, call.name, a[0], a[1], a[2], a[3], a[4],
        a[5], text, faults);
}

static void make_access(unsigned step)
{
    const uint64_t at = AREA + below(PAGES * 8) * 512;
    const bool write = below(2);
    struct access access = write ? access_write(at, (uint8_t)step) : access_read(at);

    log_access(write ? "write" : "read", at, &access);
}

int program(const struct program_start *start)
{
    int ends[2];

    (void)start;
    random_state = 0x1b873593;
    for (unsigned i = 0; i < 3; i++)
        files[i] = file_make("file", 16, (uint8_t)(i * 16));
    map_at(VECTOR, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    pipe_make(ends);
    files[3] = ends[1];
    for (unsigned step = 0; step < STEPS; step++) {
        if (below(9))
            make_call(step);
        else
            make_access(step);
        if (step % 25 == 24)
            show_mappings();
    }
    return 0;
}
