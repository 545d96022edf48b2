/*
 * fuzz_system_calls.c: a program that makes random system calls, with arguments of all kinds, on a simulated
 * machine. No argument whatever may harm the system: no sanitizer has anything to say, audit and TLB are good
 * after each call, ring 3 is never entered with rights that it may not have, and when the program is killed
 * nothing of it is left. What calls answer is the business of other tests.
 *
 * An input is a sequence of acts: a call, an access, an exception, memory that runs out.
 * FUZZ_TRACE=1 in the environment prints them.
 */
#include "tests/host/fuzz.h"

#include "fault/tables.h"
#include "fault/uaccess.h"
#include "tests/host/os_played.h"
#include "x86/exception.h"

#define FRAMES   600u
#define ACTS     200u
#define PROGRAMS 8u /* one after the other, as long as there is input: most are killed early */

static const uint8_t *input;
static size_t left;
static unsigned acts;
static bool trace;

static unsigned take(void)
{
    if (left == 0) {
        return 0;
    }
    left--;
    return *input++;
}

static uint64_t take_64(void)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        value = value << 8 | take();
    }
    return value;
}

/* ---- the program ------------------------------------------------------------------------------------------ */

#define TEXT UINT64_C(0x400000)
#define DATA UINT64_C(0x402000)
#define AREA UINT64_C(0x10000000)
#define P(n) ((vaddr_t)(n)*PAGE_SIZE)

static uint8_t image[2 * PAGE_SIZE];

static void put(size_t at, uint64_t value, unsigned bytes)
{
    memcpy(image + at, &value, bytes);
}

static void put_segment(unsigned at, unsigned flags, uint64_t offset, uint64_t address,
                        uint64_t in_file, uint64_t in_memory)
{
    put(at, 1, 4);
    put(at + 4, flags, 4);
    put(at + 8, offset, 8);
    put(at + 16, address, 8);
    put(at + 32, in_file, 8);
    put(at + 40, in_memory, 8);
    put(at + 48, PAGE_SIZE, 8);
}

/* What calls find at DATA: struct sigaction, a path, stack_t. */
#define ACTION   DATA
#define PATH     (DATA + 256)
#define STACK    (DATA + 384)
#define PATH_EXE (DATA + 448)

/* An ELF64 file: a page that may be executed, and data with .bss. */
static void image_make(void)
{
    memcpy(image, "\177ELF\2\1\1", 7);
    put(16, 2, 2);  /* ET_EXEC */
    put(18, 62, 2); /* x86-64 */
    put(20, 1, 4);
    put(24, TEXT + 0x200, 8);
    put(32, 64, 8); /* program headers */
    put(52, 64, 2);
    put(54, 56, 2);
    put(56, 2, 2);
    put_segment(64, 5, 0, TEXT, PAGE_SIZE, PAGE_SIZE);
    put_segment(120, 6, PAGE_SIZE, DATA, 512, 3 * PAGE_SIZE);
    put(PAGE_SIZE, TEXT + 0x300, 8);
    put(PAGE_SIZE + 8, 0x0c000004, 8); /* SA_RESTORER, SA_ONSTACK, SA_SIGINFO */
    put(PAGE_SIZE + 16, TEXT + 0x310, 8);
    memcpy(image + PAGE_SIZE + 256, "/proc/self/maps", 16);
    memcpy(image + PAGE_SIZE + 448, "/proc/self/exe", 15);
    put(PAGE_SIZE + 384, AREA, 8);
    put(PAGE_SIZE + 400, 16 * PAGE_SIZE, 8);
}

/* ---- arguments ---------------------------------------------------------------------------------------------- */

static uint64_t results[8]; /* of the last calls: addresses, descriptors */
static unsigned result_count;

static uint64_t argument(const struct trap_frame *user)
{
    static const uint64_t edges[] = {
        0,
        UINT64_MAX,
        INT64_MAX,
        (uint64_t)INT64_MIN,
        UINT32_MAX,
        0x80000000,
        0x7fffffff,
        TASK_SIZE,
        TASK_SIZE - 1,
        TASK_SIZE - 8,
        TASK_SIZE - PAGE_SIZE,
        TASK_SIZE + PAGE_SIZE,
        UINT64_C(0xffff800000000000),
        UINT64_C(0xffffffff80000000),
        UINT64_C(0xfffffffffffff000),
        VMALLOC_BASE_4,
        DIRECT_BASE,
        PAGE_SIZE,
        PAGE_SIZE - 1,
        UINT64_C(1) << 30,
        UINT64_C(1) << 40,
        UINT64_C(0xffffffffffffffda),
    };
    const unsigned kind = take();

    switch (kind % 12) {
    case 0:
    case 1:
        return take();
    case 2:
        return take() % 16;
    case 3:
        return UINT64_C(1) << take() % 64;
    case 4:
        return edges[take() % ARRAY_COUNT(edges)];
    case 5:
        return DATA + take() * 16;
    case 6:
        return DATA + 3 * PAGE_SIZE - take() % 64; /* up to where nothing is */
    case 7:
        return AREA + take() % 64 * PAGE_SIZE;
    case 8:
        return take() * PAGE_SIZE;
    case 9:
        return user->rsp + take() * 8;
    case 10:
        return results[take() % ARRAY_COUNT(results)];
    default:
        return take_64();
    }
}

/* ---- acts --------------------------------------------------------------------------------------------------- */

/*
 * Each call with the shapes of arguments that make sense, so that it gets somewhere: descriptor, buffer,
 * number of bytes, address of a page, size in pages, integer, offset, flags of mmap; 8: the size of a
 * set of signals.
 */
static const struct {
    uint16_t number;
    const char *shapes;
} known[] = {
    {0,   "fbn"   },
    {1,   "fbn"   },
    {2,   "bii"   },
    {3,   "f"     },
    {5,   "fb"    },
    {8,   "foi"   },
    {9,   "apimfp"},
    {10,  "api"   },
    {11,  "ap"    },
    {12,  "b"     },
    {13,  "ibb8"  },
    {14,  "ibb8"  },
    {15,  ""      },
    {17,  "fbno"  },
    {18,  "fbno"  },
    {22,  "b"     },
    {24,  ""      },
    {25,  "appia" },
    {26,  "api"   },
    {27,  "apb"   },
    {28,  "api"   },
    {39,  ""      },
    {57,  ""      },
    {60,  "i"     },
    {61,  "ibib"  },
    {62,  "ii"    },
    {63,  "b"     },
    {77,  "fo"    },
    {98,  "ib"    },
    {110, ""      },
    {131, "bb"    },
    {149, "ap"    },
    {150, "ap"    },
    {158, "cb"    },
    {186, ""      },
    {228, "ib"    },
    {231, "i"     },
    {257, "ibii"  },
    {285, "fipp"  },
    {293, "bi"    },
    {302, "iibb"  },
    {319, "bi"    },
    {329, "apii"  },
    {330, "ii"    },
    {331, "i"     },
};
#define X(number, name, count) +1
_Static_assert(ARRAY_COUNT(known) == 0 SYSTEM_CALLS(X), "a call is missing");
#undef X

static uint64_t shaped(char shape, const struct trap_frame *user)
{
    const unsigned byte = take();

    switch (shape) {
    case 'f':
        return byte % 8;
    case 'b':
        return byte % 4 ? DATA + byte * 32 : AREA + byte * (PAGE_SIZE / 4) - byte;
    case 'n':
        return byte % 4 ? byte : byte * byte;
    case 'a':
        return AREA + byte % 64 * PAGE_SIZE;
    case 'p':
        return (byte < 240 ? byte % 20 : (byte - 239) * 128) * PAGE_SIZE;
    case 'i':
        return byte & 128 ? byte % 32 : byte % 4;
    case 'o':
        return byte * 300;
    case 'm':
        return (1 + byte % 2) | (byte & 4 ? MAP_FIXED : 0) | (byte & 8 ? MAP_ANONYMOUS : 0) |
               (byte & 16 ? MAP_POPULATE : 0) | (byte & 32 ? MAP_LOCKED : 0) |
               (byte & 64 ? MAP_GROWSDOWN : 0);
    case 'c':
        return 0x1001 + byte % 8;
    case '8':
        return 8;
    default:
        return argument(user);
    }
}

/* Most arguments have the shape that they should have. */
static void shape_arguments(struct trap_frame *user, const char *shapes)
{
    uint64_t *const registers[] = {&user->rdi, &user->rsi, &user->rdx,
                                   &user->r10, &user->r8,  &user->r9};
    const unsigned odd = take(); /* bits: this one has not */

    for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
        const char shape = *shapes ? *shapes++ : 0;
        if (shape) {
            *registers[i] = odd & 128 && odd >> i & 1 ? argument(user) : shaped(shape, user);
        }
    }
}

static uint64_t call(struct trap_frame *user)
{
    const unsigned which = take();

    if (which < 180) {
        user->rax = known[which % ARRAY_COUNT(known)].number;
        shape_arguments(user, known[which % ARRAY_COUNT(known)].shapes);
    } else {
        user->rax = which < 250 ? known[which % ARRAY_COUNT(known)].number : argument(user);
        shape_arguments(user, "xxxxxx");
    }
    if (trace) {
        fprintf(stderr, "call %lu: %lx %lx %lx %lx %lx %lx\n", (unsigned long)user->rax,
                (unsigned long)user->rdi, (unsigned long)user->rsi, (unsigned long)user->rdx,
                (unsigned long)user->r10, (unsigned long)user->r8, (unsigned long)user->r9);
    }
    user->rcx = user->rip += SYSCALL_BYTES;
    user->r11 = user->rflags;
    return user->vector = VECTOR_SYSCALL;
}

/* Calls as programs make them, so that others find something to work on. Files: a memfd, the program, a pipe's ends 3 and 4. */
static uint64_t good_call(struct trap_frame *user)
{
    static const uint64_t calls[][7] = {
        {9,   AREA,         P(16),       3,         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,                 UINT64_MAX,   0},
        {9,   AREA + P(16), P(16),       3,         MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,                  0,            0},
        {9,   AREA + P(32), P(16),       3,         MAP_SHARED | MAP_FIXED,                                  3,            0},
        {9,   AREA + P(48), P(16),       3,         MAP_PRIVATE | MAP_FIXED,                                 3,            0},
        {9,   AREA + P(50), P(4),        1,         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,       0,            0},
        {9,   AREA + P(60), P(2),        3,         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, 0,            0},
        {9,   0,            P(4),        3,         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,              0,            0},
        {9,   AREA,         P(1024),     3,         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,                 0,            0},
        {25,  AREA,         P(4),        P(20),     1,                                                       0,            0},
        {25,  AREA,         P(4),        P(4),      3,                                                       AREA + P(40), 0},
        {25,  AREA + P(16), P(4),        P(8),      3,                                                       AREA + P(2),  0},
        {27,  AREA,         P(600),      DATA,      0,                                                       0,            0},
        {28,  AREA,         P(64),       4,         0,                                                       0,            0},
        {319, PATH,         0,           0,         0,                                                       0,            0},
        {77,  3,            P(10),       0,         0,                                                       0,            0},
        {285, 3,            3,           P(1),      P(4),                                                    0,            0},
        {285, 3,            0,           P(2),      P(4),                                                    0,            0},
        {8,   3,            0,           SEEK_DATA, 0,                                                       0,            0},
        {8,   3,            P(1),        SEEK_HOLE, 0,                                                       0,            0},
        {8,   3,            100,         SEEK_SET,  0,                                                       0,            0},
        {2,   PATH,         0,           0,         0,                                                       0,            0},
        {2,   PATH_EXE,     0,           0,         0,                                                       0,            0},
        {0,   3,            DATA,        3000,      0,                                                       0,            0},
        {0,   3,            AREA,        20000,     0,                                                       0,            0},
        {1,   3,            DATA,        3000,      0,                                                       0,            0},
        {1,   4,            AREA,        5000,      0,                                                       0,            0},
        {1,   4,            DATA,        3000,      0,                                                       0,            0},
        {1,   4,            DATA,        P(20),     0,                                                       0,            0},
        {18,  3,            DATA,        3000,      4000,                                                    0,            0},
        {3,   3,            0,           0,         0,                                                       0,            0},
        {3,   4,            0,           0,         0,                                                       0,            0},
        {22,  DATA + 1024,  0,           0,         0,                                                       0,            0},
        {293, DATA + 1024,  O_NONBLOCK,  0,         0,                                                       0,            0},
        {57,  0,            0,           0,         0,                                                       0,            0},
        {57,  0,            0,           0,         0,                                                       0,            0},
        {24,  0,            0,           0,         0,                                                       0,            0},
        {61,  UINT64_MAX,   DATA + 64,   0,         DATA + 128,                                              0,            0},
        {61,  UINT64_MAX,   DATA + 64,   11,        0,                                                       0,            0},
        {13,  SIGSEGV,      ACTION,      0,         8,                                                       0,            0},
        {13,  SIGBUS,       ACTION,      0,         8,                                                       0,            0},
        {13,  SIGUSR1,      ACTION,      0,         8,                                                       0,            0},
        {62,  2,            SIGUSR1,     0,         0,                                                       0,            0},
        {62,  3,            SIGSTOP,     0,         0,                                                       0,            0},
        {62,  3,            SIGCONT,     0,         0,                                                       0,            0},
        {131, STACK,        0,           0,         0,                                                       0,            0},
        {158, 0x1002,       AREA,        0,         0,                                                       0,            0},
        {302, 0,            LIMIT_SPACE, STACK,     0,                                                       0,            0},
        {330, 0,            0,           0,         0,                                                       0,            0},
        {329, AREA,         P(8),        3,         1,                                                       0,            0},
    };
    const uint64_t *good = calls[take() % ARRAY_COUNT(calls)];

    user->rax = good[0];
    user->rdi = good[1];
    user->rsi = good[2];
    user->rdx = good[3];
    user->r10 = good[4];
    user->r8 = good[5];
    user->r9 = good[6];
    if (trace) {
        fprintf(stderr, "good call %lu\n", (unsigned long)user->rax);
    }
    user->rcx = user->rip += SYSCALL_BYTES;
    user->r11 = user->rflags;
    return user->vector = VECTOR_SYSCALL;
}

/* Out: VECTOR_PF, or 0: done. */
static uint64_t access_memory(struct trap_frame *user)
{
    uint8_t bytes[32];
    const unsigned how = take() % 4;
    const vaddr_t at = argument(user);
    enum bad_kind bad;

    if ((at + (UINT64_C(1) << 47)) >> 48) {
        user->error = 0; /* not canonical */
        return user->vector = VECTOR_GP;
    }
    if (how == 0) {
        bad = user_fetch(at);
    } else if (how == 1) {
        bad = user_read(at, bytes, sizeof(bytes));
    } else {
        for (unsigned i = 0; i < sizeof(bytes); i += 8) {
            const uint64_t word = argument(user);
            memcpy(bytes + i, &word, 8);
        }
        bad = user_write(at, bytes, sizeof(bytes));
    }
    if (trace) {
        fprintf(stderr, "access %u at %lx: %d\n", how, (unsigned long)at, bad);
    }
    if (bad == BAD_NONE) {
        return 0;
    }
    user->error = simulated.error;
    return user->vector = VECTOR_PF;
}

/*
 * As a handler returns: over the frame that it was entered with, if it was, of which a few words have
 * become something else. Out: VECTOR_SYSCALL.
 */
static uint64_t return_from_handler(struct trap_frame *user)
{
    for (unsigned changes = take() % 4; changes; changes--) {
        const vaddr_t at = user->rsp + take() % 128 * 8;
        const uint64_t word = argument(user);
        if (user_range(at, 8)) {
            (void)!copy_to_user(at, &word, 8);
        }
    }
    if (trace) {
        fprintf(stderr, "return from a handler, rsp %lx\n", (unsigned long)user->rsp);
    }
    user->rsp += 8;
    user->rax = 15;
    user->rcx = user->rip += SYSCALL_BYTES;
    user->r11 = user->rflags;
    return user->vector = VECTOR_SYSCALL;
}

/* What an instruction of the program's can raise. */
static uint64_t exception(struct trap_frame *user)
{
    static const uint16_t vectors[] = {VECTOR_DE,  VECTOR_DB,    VECTOR_BP,       VECTOR_OF,
                                       VECTOR_BR,  VECTOR_UD,    VECTOR_NP,       VECTOR_SS,
                                       VECTOR_GP,  VECTOR_MF,    VECTOR_AC,       VECTOR_XM,
                                       VECTOR_NMI, TIMER_VECTOR, VECTOR_USER_EXIT};

    user->error = take() % 2 ? argument(user) & 0xffff : 0;
    return user->vector = vectors[take() % ARRAY_COUNT(vectors)];
}

static uint64_t ring3_plays(struct trap_frame *user)
{
    os_played_good();
    if (acts) {
        results[result_count++ % ARRAY_COUNT(results)] = user->rax;
        if (trace) {
            fprintf(stderr, "  %u: rax %lx\n", task_current()->pid, (unsigned long)user->rax);
        }
    }
    memory_fail_at(0);
    while (left && ++acts < ACTS) {
        uint64_t vector = 0;
        switch (take() % 8) {
        case 0:
            vector = good_call(user);
            break;
        case 1:
            vector = access_memory(user);
            break;
        case 2:
            if (take() % 2) {
                vector = return_from_handler(user);
            } else {
                user->rsp = argument(user);
            }
            break;
        case 3:
            if (take() % 4 == 0) {
                vector = exception(user);
                break;
            }
            memory_fail_at(1 + take() % 16);
            vector = call(user);
            break;
        default:
            vector = call(user);
        }
        if (vector) {
            return vector;
        }
    }
    user->rax = 231; /* exit_group: there is nothing left to do */
    return user->vector = VECTOR_SYSCALL;
}

/* ---- one input ---------------------------------------------------------------------------------------------- */

static void written(void *context, const char *bytes, size_t count)
{
    unsigned *sum = context;

    for (size_t i = 0; i < count; i++) {
        *sum += (unsigned char)bytes[i]; /* all of it can be read */
    }
}

static void run_program(const struct os_console *console)
{
    static const char *const arguments[] = {"program", "argument", NULL};
    static const char *const environment[] = {"A=b", NULL};
    enum os_state state;

    result_count = 0;
    memset(results, 0, sizeof(results));
    FUZZ_ASSERT(os_program("/program", image, sizeof(image), arguments, environment, console,
                           UINT64_MAX) == 0);
    do {
        state = os_run(UINT64_MAX);
    } while (state == OS_RUNNING);
    FUZZ_ASSERT(state == OS_DONE);
    memory_fail_at(0);
    os_played_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    const struct os_console console = {written, &sum};

    input = data;
    left = size;
    acts = 0;
    trace = getenv("FUZZ_TRACE") != NULL;
    image_make();
    os_played_start(FRAMES);
    for (unsigned program = 0; program < PROGRAMS && left && acts < ACTS; program++) {
        run_program(&console);
    }
    return 0;
}
