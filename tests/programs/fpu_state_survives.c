/*
 * The state of x87, SSE and AVX survives page faults, signals with handlers, system calls, fork and switches to
 * another process that has a different one. A handler begins with a fresh state, may change its own, and may change
 * what the interrupted code gets back through the frame.
 */
#include "tests/programs/library/fpu.h"
#include "tests/programs/library/program.h"

#define AREA   0x10000000UL
#define ABSENT 0x20000000UL

static struct fpu_image before;
static struct fpu_image after;
static struct fpu_image in_handler;
static bool change_frame;

/* A state that is a function of @seed, different in every byte that can be chosen. */
static void make(struct fpu_image *image, uint8_t seed)
{
    fpu_store(image); /* for MXCSR_MASK and the reserved parts */
    image->control =
        (uint16_t)(0x037f & ~(uint16_t)((seed & 3) << 10)); /* rounding is the seed's */
    image->control |= (uint16_t)((seed & 3) << 10);
    image->status = 0;
    image->tags = 0xff;
    image->mxcsr = 0x1f80 | (uint32_t)(seed & 3) << 13;
    for (unsigned n = 0; n < 8; n++) {
        for (unsigned i = 0; i < 8; i++)
            image->st[n][i] = (uint8_t)(seed + 11 * n + i);
        image->st[n][7] |= 0x80; /* a normal number */
        image->st[n][8] = (uint8_t)(seed + n);
        image->st[n][9] = 0x3f;
    }
    for (unsigned n = 0; n < 16; n++) {
        for (unsigned i = 0; i < 16; i++) {
            image->xmm[n][i] = (uint8_t)(seed * 3 + 17 * n + i);
            image->upper[n][i] = (uint8_t)(seed * 5 + 29 * n + i + 1);
        }
    }
}

static bool same_bytes(const uint8_t *one, const uint8_t *other, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (one[i] != other[i])
            return false;
    }
    return true;
}

static void compare(const char *what)
{
    unsigned bad = 0;

    if (before.control != after.control || before.status != after.status ||
        before.tags != after.tags) {
        say("%s: x87 words %04x %04x %02x, not %04x %04x %02x", what, after.control, after.status,
            after.tags, before.control, before.status, before.tags);
        bad++;
    }
    if (before.mxcsr != after.mxcsr) {
        say("%s: MXCSR %08x, not %08x", what, after.mxcsr, before.mxcsr);
        bad++;
    }
    for (unsigned n = 0; n < 8; n++) {
        if (!same_bytes(before.st[n], after.st[n], 10)) {
            say("%s: ST%u has changed", what, n);
            bad++;
        }
    }
    for (unsigned n = 0; n < 16; n++) {
        if (!same_bytes(before.xmm[n], after.xmm[n], 16)) {
            log_bytes("now", (uint64_t)after.xmm[n], 16);
            say("%s: XMM%u has changed", what, n);
            bad++;
        }
        if (!same_bytes(before.upper[n], after.upper[n], 16)) {
            say("%s: the upper half of YMM%u has changed", what, n);
            bad++;
        }
    }
    if (!bad)
        say("%s: x87, SSE and AVX as before", what);
}

static uint64_t write_function(uint64_t address, uint64_t value)
{
    store8(address, (uint8_t)value);
    return value;
}

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)signal;
    (void)info;
    fpu_store(&in_handler);
    struct fpu_image other;
    make(&other, 0x91);
    fpu_load(&other);
    if (change_frame) {
        struct fpu_image *frame = (struct fpu_image *)context->fpu_state;
        frame->xmm[3][0] = 0xee;
        frame->mxcsr = 0x1fc0; /* denormals are zeros */
    }
}

/* The state goes round @count times between two processes; each has its own. */
static void take_turns(const int mine[2], const int other[2], uint8_t seed, const char *who,
                       unsigned count)
{
    make(&before, seed);
    fpu_load(&before);
    for (unsigned i = 0; i < count; i++) {
        pipe_signal(other);
        pipe_await(mine);
    }
    fpu_store(&after);
    compare(who);
}

int program(const struct program_start *start)
{
    int to_child[2];
    int to_parent[2];
    struct access access;
    long pid;

    (void)start;
    if (!fpu_has_avx())
        program_lacks("AVX");
    fpu_store(&after);
    say("at the beginning: FCW %04x FSW %04x tags %02x MXCSR %08x", after.control, after.status,
        after.tags, after.mxcsr);
    log_bytes("XMM0", (uint64_t)after.xmm[0], 16);
    log_bytes("upper half of YMM15", (uint64_t)after.upper[15], 16);

    map_at(AREA, 16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    make(&before, 0x11);
    fpu_load(&before);
    for (uint64_t page = 0; page < 16; page++)
        store8(AREA + page * PAGE, 1);
    fpu_store(&after);
    compare("16 page faults");

    make(&before, 0x22);
    fpu_load(&before);
    access = access_run(write_function, ABSENT, 0);
    fpu_store(&after);
    log_access("write", ABSENT, &access);
    compare("a signal for a fault");

    must("rt_sigaction", signal_install(SIGUSR1, handler, 0, 0));
    make(&before, 0x33);
    fpu_load(&before);
    sys_kill(sys_getpid(), SIGUSR1);
    fpu_store(&after);
    compare("a handler that has a state of its own");
    say("the handler began with FCW %04x FSW %04x tags %02x MXCSR %08x", in_handler.control,
        in_handler.status, in_handler.tags, in_handler.mxcsr);
    log_bytes("its XMM3", (uint64_t)in_handler.xmm[3], 16);
    log_bytes("its upper half of YMM3", (uint64_t)in_handler.upper[3], 16);

    change_frame = true;
    fpu_load(&before);
    sys_kill(sys_getpid(), SIGUSR1);
    fpu_store(&after);
    change_frame = false;
    before.xmm[3][0] = 0xee;
    before.mxcsr = 0x1fc0;
    compare("a handler that changed XMM3 and MXCSR in its frame");

    pipe_make(to_child);
    pipe_make(to_parent);
    make(&before, 0x44);
    fpu_load(&before);
    pid = program_fork();
    fpu_store(&after);
    if (pid == 0) {
        compare("in the child, what the parent had");
        pipe_await(to_child);
        take_turns(to_child, to_parent, 0x55, "child after 20 turns", 20);
        program_exit(0);
    }
    compare("in the parent after fork");
    take_turns(to_parent, to_child, 0x66, "parent after 20 turns", 20);
    pipe_signal(to_child);
    log_wait("child", wait_for(pid));
    return 0;
}
