/*
 * test_signal.c: signals: what is pending and in which order it is taken, what handlers find on their stack, and the way
 * back from any bytes whatever. Around os/signal.c and os/signal_frame.c everything is played here: some pages of user memory,
 * tasks without memory of their own, and extended state that is only bytes.
 */
#include "tests/host/unit.h"

#include "fault/fpu.h"
#include "fault/ring3.h"
#include "fault/uaccess.h"
#include "fault/uaccess_raw.h"
#include "os/signal_frame.h"
#include "os/system_call.h"
#include "tests/host/signal_abi.h"
#include "x86/exception.h"
#include "x86/registers.h"

/* ---- user memory ---------------------------------------------------------------------------------------- */

#define PAGES 8u
enum page_rights {
    ABSENT,
    READABLE,
    WRITABLE,
};
static struct {
    vaddr_t base;
    enum page_rights rights[PAGES];
    uint8_t bytes[PAGES * PAGE_SIZE];
} user;

/* How many of @bytes from @address on may be accessed before one may not, and where they are. */
static uint64_t user_room(vaddr_t address, uint64_t bytes, enum page_rights wanted, uint8_t **at)
{
    uint64_t offset = address - user.base, room = 0;

    assert_true(uaccess_in_range(address, bytes)); /* who asks has looked */
    *at = user.bytes + (offset < sizeof(user.bytes) ? offset : 0);
    while (room < bytes && offset + room < sizeof(user.bytes) &&
           user.rights[(offset + room) / PAGE_SIZE] >= wanted) {
        uint64_t part = PAGE_SIZE - (offset + room) % PAGE_SIZE;
        room += part < bytes - room ? part : bytes - room;
    }
    return room;
}

uint64_t raw_copy_from_user(void *to, const void *from, uint64_t bytes)
{
    uint8_t *at;
    uint64_t room = user_room((vaddr_t)from, bytes, READABLE, &at);

    memcpy(to, at, room);
    return bytes - room;
}

uint64_t raw_copy_to_user(void *to, const void *from, uint64_t bytes)
{
    uint8_t *at;
    uint64_t room = user_room((vaddr_t)to, bytes, WRITABLE, &at);

    memcpy(at, from, room);
    return bytes - room;
}

uint64_t raw_clear_user(void *to, uint64_t bytes)
{
    (void)to, (void)bytes;
    abort();
}

bool raw_get_user(uint64_t *value, const void *from, uint64_t bytes)
{
    uint64_t got = 0;
    uint8_t *at;

    if (user_room((vaddr_t)from, bytes, READABLE, &at) != bytes) {
        return false;
    }
    memcpy(&got, at, bytes);
    *value = got;
    return true;
}

bool raw_put_user(uint64_t value, void *to, uint64_t bytes)
{
    uint8_t *at;

    if (user_room((vaddr_t)to, bytes, WRITABLE, &at) != bytes) {
        return false;
    }
    memcpy(at, &value, bytes);
    return true;
}

static uint8_t *at(vaddr_t address)
{
    assert_in_range(address, user.base, user.base + sizeof(user.bytes) - 1);
    return user.bytes + (address - user.base);
}

/* ---- objects -------------------------------------------------------------------------------------------- */

static size_t objects;
static bool no_memory;

void *object_alloc(struct object_cache *cache)
{
    if (no_memory) {
        return NULL;
    }
    objects++;
    return calloc(1, cache->bytes);
}

void object_free(struct object_cache *cache, void *object)
{
    (void)cache;
    objects -= object != NULL;
    free(object);
}

/* ---- extended state: registers are an area of their own ------------------------------------------------- */

#define AREA_BYTES 2696u /* with PKRU's place at 2688, as on processors with AVX-512 or MPX */
#define PKRU_AT    2688u

static struct {
    uint8_t area[FPU_BYTES_MAX] __attribute__((aligned(64)));
    uint32_t pkru;
} registers;

struct area {
    uint16_t fcw, fsw;
    uint8_t rest[20];
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16], unused[48];
    struct fpu_software software;
    uint64_t xstate_bv, xcomp_bv, zero[6];
    uint8_t ymm[16][16];
};
_Static_assert(offsetof(struct area, ymm) == 576, "SDM vol. 1 13.4");

static struct area *live(void)
{
    return (struct area *)registers.area;
}

/* Bytes of AVX's part here, and where AVX-512's begin, on processors that have it. */
#define YMM_END 832u

void fpu_save(void *area)
{
    memcpy(area, registers.area, fpu_format.bytes);
}

void fpu_fresh(uint64_t parts)
{
    if (parts & (XCR0_SSE | XCR0_AVX)) {
        live()->mxcsr = FPU_MXCSR_START;
    }
    if (parts & XCR0_X87) {
        live()->fcw = FPU_FCW_START;
        live()->fsw = 0;
        memset(live()->rest, 0, sizeof(live()->rest));
        memset(live()->st, 0, sizeof(live()->st));
    }
    if (parts & XCR0_SSE) {
        memset(live()->xmm, 0, sizeof(live()->xmm));
    }
    if (parts & XCR0_AVX) {
        memset(live()->ymm, 0, sizeof(live()->ymm));
    }
    if (parts & XCR0_PKRU) {
        registers.pkru = 0;
    }
    live()->xstate_bv &= ~parts;
}

void fpu_start(uint32_t pkru)
{
    fpu_fresh(fpu_format.features & ~(uint64_t)XCR0_PKRU);
    registers.pkru = pkru;
}

static bool user_put(vaddr_t to, const void *from, uint64_t bytes)
{
    return raw_copy_to_user((void *)to, from, bytes) == 0;
}

bool raw_fpu_frame_write(vaddr_t to, uint64_t parts, const struct fpu_software *software)
{
    const uint64_t in_use = parts & (live()->xstate_bv | (registers.pkru ? XCR0_PKRU : 0));
    const uint64_t header[8] = {in_use | XCR0_X87 | XCR0_SSE};
    const uint32_t magic2 = FPU_MAGIC2;
    const uint64_t pkru = registers.pkru, at_pkru = fpu_format.pkru_at;
    const uint64_t end = parts & XCR0_AVX512 ? at_pkru ? at_pkru : fpu_format.bytes : YMM_END;

    assert_int_equal(to % FPU_ALIGN, 0);
    assert_int_equal(parts, fpu_format.features);
    return user_put(to, registers.area, FPU_SOFTWARE_AT) &&
           user_put(to + FPU_SOFTWARE_AT, software, sizeof(*software)) &&
           user_put(to + FPU_HEADER_AT, header, sizeof(header)) &&
           user_put(to + 576, live()->ymm, end - 576) &&
           (!at_pkru || user_put(to + at_pkru, &pkru, sizeof(pkru))) &&
           user_put(to + software->xstate_bytes, &magic2, sizeof(magic2));
}

/* As SDM vol. 1 13.8.1 has it. */
bool raw_fpu_xrstor(vaddr_t from, uint64_t parts)
{
    struct area area;
    uint64_t pkru = 0;

    if (from % 64 || raw_copy_from_user(&area, (const void *)from, 576) != 0 ||
        area.xstate_bv & ~fpu_format.features || area.xcomp_bv || area.zero[0] ||
        (parts & (XCR0_SSE | XCR0_AVX) && area.mxcsr & ~fpu_format.mxcsr_mask)) {
        return false;
    }
    uint64_t loaded = parts & area.xstate_bv;
    if (loaded & XCR0_AVX &&
        raw_copy_from_user(area.ymm, (const void *)(from + 576), sizeof(area.ymm)) != 0) {
        return false;
    }
    if (loaded & XCR0_PKRU && !raw_get_user(&pkru, (const void *)(from + fpu_format.pkru_at), 8)) {
        return false;
    }
    uint32_t mxcsr = live()->mxcsr;
    fpu_fresh(parts & ~loaded);
    live()->mxcsr = parts & (XCR0_SSE | XCR0_AVX) ? area.mxcsr : mxcsr;
    if (loaded & XCR0_X87) {
        live()->fcw = area.fcw;
        live()->fsw = area.fsw;
        memcpy(live()->rest, area.rest, sizeof(area.rest));
        memcpy(live()->st, area.st, sizeof(area.st));
    }
    if (loaded & XCR0_SSE) {
        memcpy(live()->xmm, area.xmm, sizeof(area.xmm));
    }
    if (loaded & XCR0_AVX) {
        memcpy(live()->ymm, area.ymm, sizeof(area.ymm));
    }
    if (parts & XCR0_PKRU) {
        registers.pkru = (uint32_t)pkru;
    }
    live()->xstate_bv |= loaded & ~(uint64_t)XCR0_PKRU;
    return true;
}

enum fpu_read raw_fpu_frame_read(vaddr_t from, uint64_t parts, const struct fpu_software *software)
{
    struct fpu_software there;
    uint64_t magic2;

    if (raw_copy_from_user(&there, (const void *)(from + FPU_SOFTWARE_AT), sizeof(there)) != 0) {
        return FPU_READ_FAULT;
    }
    if (memcmp(&there, software, 20) != 0) {
        return FPU_READ_OTHER;
    }
    if (!raw_get_user(&magic2, (const void *)(from + software->xstate_bytes), 4)) {
        return FPU_READ_FAULT;
    }
    if (magic2 != FPU_MAGIC2) {
        return FPU_READ_OTHER;
    }
    return raw_fpu_xrstor(from, parts) ? FPU_READ_GOOD : FPU_READ_FAULT;
}

bool raw_fpu_fxrstor(vaddr_t from)
{
    struct area area;

    if (from % 16 || raw_copy_from_user(&area, (const void *)from, 512) != 0 ||
        area.mxcsr & ~fpu_format.mxcsr_mask) {
        return false;
    }
    live()->fcw = area.fcw;
    live()->fsw = area.fsw;
    live()->mxcsr = area.mxcsr;
    memcpy(live()->rest, area.rest, sizeof(area.rest));
    memcpy(live()->st, area.st, sizeof(area.st));
    memcpy(live()->xmm, area.xmm, sizeof(area.xmm));
    if (fpu_format.xsave) {
        live()->xstate_bv |= XCR0_X87 | XCR0_SSE;
    }
    return true;
}

/* Registers that differ from each other and from what programs start with. */
static void registers_fill(uint8_t seed)
{
    memset(registers.area, 0, sizeof(registers.area));
    live()->fcw = 0x27f;
    live()->fsw = 0x3800;
    live()->mxcsr = 0x1fa0;
    live()->xstate_bv = fpu_format.features & ~(uint64_t)XCR0_PKRU;
    for (unsigned i = 0; i < 256; i++) {
        live()->st[i / 32][i % 16] = (uint8_t)(seed + i);
        live()->xmm[i / 16][i % 16] = (uint8_t)(seed + 3 * i);
        live()->ymm[i / 16][i % 16] = (uint8_t)(seed + 5 * i);
    }
    registers.pkru = 0x55555550u + seed;
}

static bool registers_fresh(void)
{
    return live()->fcw == FPU_FCW_START && live()->mxcsr == FPU_MXCSR_START &&
           live()->xstate_bv == 0 && registers.pkru == PKRU_START;
}

/* ---- tasks ---------------------------------------------------------------------------------------------- */

struct task_list all_tasks;
static struct task tasks[3];
static struct mm memories[3];
static uint8_t areas[3][FPU_BYTES_MAX] __attribute__((aligned(64)));
static struct task *const task = &tasks[0], *const child = &tasks[1], *const other = &tasks[2];
static struct task *current; /* the one that runs */
static unsigned interrupts;
static bool restarts;

struct task *task_current(void)
{
    return current;
}

struct task *task_find(uint64_t pid)
{
    for (unsigned i = 0; i < ARRAY_COUNT(tasks); i++) {
        if (tasks[i].pid == pid) {
            return &tasks[i];
        }
    }
    return NULL;
}

void task_save(struct task *of)
{
    fpu_save(of->fpu);
    of->pkru = registers.pkru;
}

void task_interrupt(struct task *of, bool restart)
{
    (void)of;
    interrupts++;
    restarts = restart;
}

void task_exit(struct task *of, int status)
{
    assert_int_not_equal(of->state, TASK_ZOMBIE);
    of->state = TASK_ZOMBIE;
    of->exit_status = status;
    signal_release(&of->signals);
}

#define STACK_TOP_HERE (user.base + 4 * PAGE_SIZE - 0x123)
#define RESTORER       UINT64_C(0x401000)
#define HANDLER        UINT64_C(0x402000)

static void fill_frame(struct trap_frame *frame)
{
    *frame = (struct trap_frame){
        .r15 = 15,
        .r14 = 14,
        .r13 = 13,
        .r12 = 12,
        .rbp = 5,
        .rbx = 3,
        .r11 = 11,
        .r10 = 10,
        .r9 = 9,
        .r8 = 8,
        .rdx = 2,
        .rsi = 6,
        .rdi = 7,
        .rcx = 1,
        .rax = 0xa0,
        .rip = 0x400123,
        .cs = SELECTOR_USER_CODE,
        .rflags = 0x10646,
        .rsp = STACK_TOP_HERE,
        .ss = SELECTOR_USER_DATA,
    };
}

static int start(void **state)
{
    (void)state;
    objects = 0;
    no_memory = false;
    interrupts = 0;
    current = task;
    user.base = UINT64_C(0x7ffffffde000);
    for (unsigned i = 0; i < PAGES; i++) {
        user.rights[i] = WRITABLE;
    }
    memset(user.bytes, 0xcc, sizeof(user.bytes));
    fpu_format = (struct fpu_format){.features = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_PKRU,
                                     .bytes = AREA_BYTES,
                                     .pkru_at = PKRU_AT,
                                     .mxcsr_mask = 0xffff,
                                     .xsave = true};
    TAILQ_INIT(&all_tasks);
    for (unsigned i = 0; i < ARRAY_COUNT(tasks); i++) {
        memories[i] = (struct mm){0};
        tasks[i] = (struct task){
            .pid = 100 + i, .parent = i ? task : NULL, .fpu = areas[i], .mm = &memories[i]};
        signal_init(&tasks[i].signals);
        fpu_init(areas[i]);
        fill_frame(&tasks[i].frame);
        TAILQ_INSERT_TAIL(&all_tasks, &tasks[i], node);
    }
    registers_fill(7);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(tasks); i++) {
        signal_release(&tasks[i].signals);
    }
    return objects != 0;
}

/* ---- short words ----------------------------------------------------------------------------------------- */

#define SET(signal) BIT((signal)-1)

static void handle(struct task *of, int signal, uint64_t flags, uint64_t mask)
{
    of->signals.action[signal - 1] =
        (struct signal_action){HANDLER + (uint64_t)signal, flags | SA_RESTORER, RESTORER, mask};
}

static void send(struct task *to, int signal)
{
    signal_send(to, &(struct signal_info){.signal = signal, .code = SI_USER, .pid = 77});
}

static void fault(struct task *of, int signal)
{
    signal_force(of,
                 &(struct signal_info){.signal = signal, .code = SEGV_MAPERR, .address = 0x1234},
                 VECTOR_PF, 6, 0x1234);
}

static struct signal_frame *frame_of(const struct task *of)
{
    return (struct signal_frame *)at(of->frame.rsp);
}

/* What the program's handler does at its end: RET, and the restorer's SYSCALL. */
static int64_t handler_returns(struct task *of)
{
    of->frame.rsp += 8;
    of->frame.rip = RESTORER;
    return sys_rt_sigreturn(of);
}

/* The signal whose handler @of has just entered, or 0. */
static int entered(const struct task *of)
{
    return of->frame.rip > HANDLER && of->frame.rip <= HANDLER + SIGNALS
               ? (int)(of->frame.rip - HANDLER)
               : 0;
}

/* ---- layouts ---------------------------------------------------------------------------------------------- */

#define REGISTER(field) offsetof(struct signal_registers, field)
#define CONTEXT(field)  offsetof(struct signal_context, field)
#define INFO(field)     offsetof(struct signal_info_frame, field)
#define ACTION(field)   offsetof(struct signal_action, field)

static void layouts_are_the_kernels(void **state)
{
    /* In the order of signal_abi.c. */
    /* clang-format off */
    static const uint64_t ours[] = {
        REGISTER(r8), REGISTER(r9), REGISTER(r10), REGISTER(r11), REGISTER(r12), REGISTER(r13), REGISTER(r14),
        REGISTER(r15), REGISTER(rdi), REGISTER(rsi), REGISTER(rbp), REGISTER(rbx), REGISTER(rdx),
        REGISTER(rax), REGISTER(rcx), REGISTER(rsp), REGISTER(rip), REGISTER(rflags), REGISTER(cs),
        REGISTER(gs), REGISTER(fs), REGISTER(ss), REGISTER(error_code), REGISTER(trap_number), REGISTER(old_mask),
        REGISTER(cr2), REGISTER(extended_state), REGISTER(reserved), sizeof(struct signal_registers),
        CONTEXT(flags), CONTEXT(link), CONTEXT(stack), CONTEXT(registers),
        CONTEXT(mask), sizeof(struct signal_context),
        offsetof(struct signal_stack, base), offsetof(struct signal_stack, flags),
        offsetof(struct signal_stack, bytes), sizeof(struct signal_stack),
        INFO(signal), INFO(error), INFO(code), INFO(process.pid), INFO(process.uid), INFO(process.status),
        INFO(fault.address), INFO(fault.key), sizeof(struct signal_info_frame),
        ACTION(handler), ACTION(flags), ACTION(restorer), ACTION(mask), sizeof(struct signal_action),
        offsetof(struct area, mxcsr), FPU_SOFTWARE_AT, FPU_HEADER_AT, sizeof(struct fpu_software),
        offsetof(struct fpu_software, extended_bytes), offsetof(struct fpu_software, features),
        offsetof(struct fpu_software, xstate_bytes),
        FPU_MAGIC1, FPU_MAGIC2, UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS,
        SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND,
        SS_ONSTACK, SS_DISABLE, SS_AUTODISARM, MINSIGSTKSZ, SI_USER, SI_KERNEL,
        SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGSYS, SIGRTMIN,
        ILL_ILLOPN, FPE_INTDIV, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV, SEGV_MAPERR,
        SEGV_ACCERR, SEGV_PKUERR, BUS_ADRALN, BUS_ADRERR, TRAP_BRKPT, TRAP_TRACE, TRAP_HWBKPT, CLD_EXITED,
        CLD_KILLED, CLD_DUMPED, CLD_STOPPED, CLD_CONTINUED,
    };
    /* clang-format on */
    (void)state;
    assert_int_equal(ARRAY_COUNT(ours), signal_abi_count);
    for (size_t i = 0; i < ARRAY_COUNT(ours); i++) {
        if (ours[i] != signal_abi[i]) {
            fail_msg("number %zu: %lu, the kernel's %lu", i, (unsigned long)ours[i],
                     (unsigned long)signal_abi[i]);
        }
    }
}

/*
 * The kernel of the build machine writes a frame; a task with the registers, stack and extended state that are in it makes
 * the very same bytes, at the same place.
 */
static void frame_is_what_the_kernel_writes(void **state)
{
    static uint8_t theirs[16384];
    uint64_t rsp, size = signal_abi_frame(theirs, sizeof(theirs), &rsp);
    struct signal_frame *frame = (struct signal_frame *)theirs, *made;
    const struct signal_registers *from = &frame->context.registers;
    struct trap_frame *to = &task->frame;
    uint64_t state_at = from->extended_state - rsp;
    struct area *area = (struct area *)(theirs + state_at);

    (void)state;
    assert_int_not_equal(size, 0);
    if (area->software.xstate_bytes > FPU_BYTES_MAX) {
        skip();
    }
    user.base = ALIGN_DOWN(rsp - PAGE_SIZE, PAGE_SIZE);
    fpu_format.features = area->software.features;
    fpu_format.bytes = area->software.xstate_bytes;
    fpu_format.pkru_at = 0;
    if (fpu_format.features & XCR0_PKRU) {
        fpu_format.pkru_at = PKRU_AT;
        memcpy(&registers.pkru, theirs + state_at + PKRU_AT, 4);
    }
    memcpy(registers.area, area, fpu_format.bytes);
    live()->xstate_bv &= ~(uint64_t)XCR0_PKRU;
    *to = (struct trap_frame){.r8 = from->r8,
                              .r9 = from->r9,
                              .r10 = from->r10,
                              .r11 = from->r11,
                              .r12 = from->r12,
                              .r13 = from->r13,
                              .r14 = from->r14,
                              .r15 = from->r15,
                              .rdi = from->rdi,
                              .rsi = from->rsi,
                              .rbp = from->rbp,
                              .rbx = from->rbx,
                              .rdx = from->rdx,
                              .rax = from->rax,
                              .rcx = from->rcx,
                              .rsp = from->rsp,
                              .rip = from->rip,
                              .rflags = from->rflags};
    task->signals.blocked = frame->context.mask;
    task->signals.stack.base = frame->context.stack.base;
    task->signals.stack.bytes = frame->context.stack.bytes;
    task->signals.stack.flags = frame->context.stack.flags;
    task->signals.action[SIGSEGV - 1] =
        (struct signal_action){HANDLER, SA_SIGINFO | SA_RESTORER, frame->restorer, 0};
    signal_force(task, &(struct signal_info){.signal = SIGSEGV, .code = SEGV_MAPERR, .address = 16},
                 VECTOR_PF, 4, 16);
    assert_true(signal_deliver(task));
    assert_int_equal(to->rsp, rsp);
    made = frame_of(task);
    /* These the kernel leaves as they were. */
    memcpy(frame->context.registers.reserved, made->context.registers.reserved,
           sizeof(made->context.registers.reserved));
    frame->context.stack.padding = 0;
    assert_memory_equal(made, frame, sizeof(*frame));
    assert_memory_equal((uint8_t *)made + state_at, area, size - state_at);
}

/* ---- rt_sigaction, rt_sigprocmask -------------------------------------------------------------------------- */

#define ACTION_AT (user.base + 0x100)
#define OLD_AT    (user.base + 0x200)

static int64_t sigaction_with(uint64_t signal, struct signal_action action)
{
    memcpy(at(ACTION_AT), &action, sizeof(action));
    return sys_rt_sigaction(task, signal, ACTION_AT, OLD_AT, 8);
}

static void sigaction_keeps_what_linux_keeps(void **state)
{
    const struct signal_action everything = {0x1111, ~UINT64_C(0), 0x2222, ~UINT64_C(0)};
    const struct signal_action kept = {0x1111, 0xdc000807, 0x2222, ~(SET(SIGKILL) | SET(SIGSTOP))};
    const struct signal_action none = {0};

    (void)state;
    for (uint64_t signal = 1; signal <= SIGNALS; signal++) {
        bool refused = signal == SIGKILL || signal == SIGSTOP;
        assert_int_equal(sigaction_with(signal, everything), refused ? -EINVAL : 0);
        assert_int_equal(sys_rt_sigaction(task, signal, 0, OLD_AT, 8), 0);
        assert_memory_equal(at(OLD_AT), refused ? &none : &kept, sizeof(kept));
    }
    assert_int_equal(sigaction_with(SIGUSR1, none), 0);
    assert_memory_equal(at(OLD_AT), &kept, sizeof(kept));
}

static void sigaction_errors_in_linuxs_order(void **state)
{
    (void)state;
    assert_int_equal(sys_rt_sigaction(task, SIGUSR1, 1, 1, 4), -EINVAL); /* size before addresses */
    assert_int_equal(sys_rt_sigaction(task, 0, 1, 0, 8), -EFAULT);       /* address before number */
    assert_int_equal(sigaction_with(0, (struct signal_action){0}), -EINVAL);
    assert_int_equal(sigaction_with(65, (struct signal_action){0}), -EINVAL);
    assert_int_equal(sigaction_with((uint64_t)-1, (struct signal_action){0}), -EINVAL);
    assert_int_equal(sys_rt_sigaction(task, BIT(32) | SIGUSR1, 0, OLD_AT, 8), 0); /* an int */
    assert_int_equal(sys_rt_sigaction(task, SIGKILL, 0, OLD_AT, 8), 0);
    assert_int_equal(sys_rt_sigaction(task, SIGUSR1, 0, 0, 8), 0);
    /* The old one cannot be written: the new one is in force all the same. */
    memcpy(at(ACTION_AT), &(struct signal_action){0x77, 0, 0, 0}, sizeof(struct signal_action));
    assert_int_equal(sys_rt_sigaction(task, SIGUSR1, ACTION_AT, 8, 8), -EFAULT);
    assert_int_equal(task->signals.action[SIGUSR1 - 1].handler, 0x77);
}

/* What mm says may be of an access before: a page that has come is nothing to wait for, for ever. */
static void only_a_page_under_way_is_waited_for(void **state)
{
    struct page page = {.flags = PAGE_UPTODATE};

    (void)state;
    task->mm->bad = (struct bad_fault){.kind = BAD_WAIT, .page = &page};
    assert_int_equal(sys_rt_sigaction(task, SIGUSR1, 8, 0, 8), -EFAULT);
    assert_int_equal(task->state, TASK_READY);
    page.flags = PAGE_LOCKED;
    assert_int_equal(sys_rt_sigaction(task, SIGUSR1, 8, 0, 8), -ERESTART);
    assert_int_equal(task->state, TASK_WAITS_PAGE);
    assert_ptr_equal(task->waits_for, &page);
}

static void ignoring_discards_what_is_pending(void **state)
{
    (void)state;
    task->signals.blocked = SET(SIGUSR1) | SET(SIGCHLD) | SET(40);
    send(task, SIGUSR1);
    send(task, SIGCHLD);
    send(task, 40);
    send(task, 40);
    assert_int_equal(objects, 4);
    assert_int_equal(sigaction_with(SIGUSR1, (struct signal_action){SIG_DFL, 0, 0, 0}), 0);
    assert_int_equal(objects, 4); /* its default is not to be ignored */
    assert_int_equal(sigaction_with(SIGUSR1, (struct signal_action){SIG_IGN, 0, 0, 0}), 0);
    assert_int_equal(sigaction_with(SIGCHLD, (struct signal_action){SIG_DFL, 0, 0, 0}), 0);
    assert_int_equal(sigaction_with(40, (struct signal_action){SIG_IGN, 0, 0, 0}), 0);
    assert_int_equal(signal_pending_set(&task->signals), 0);
    assert_int_equal(objects, 0);
}

static void sigprocmask_by_the_book(void **state)
{
    static const struct {
        uint64_t how, before, set, after;
        int64_t result;
    } rows[] = {
        {0,            0x30, 0x0f,         0x3f,                           0      },
        {1,            0x33, 0x0f,         0x30,                           0      },
        {2,            0x33, 0x0f,         0x0f,                           0      },
        {3,            0x33, 0x0f,         0x33,                           -EINVAL},
        {(uint64_t)-1, 0x33, 0x0f,         0x33,                           -EINVAL},
        {BIT(32),      0x30, 0x0f,         0x3f,                           0      }, /* an int */
        {0,            0,    ~UINT64_C(0), ~(SET(SIGKILL) | SET(SIGSTOP)), 0      },
        {2,            0,    ~UINT64_C(0), ~(SET(SIGKILL) | SET(SIGSTOP)), 0      },
    };
    uint64_t old;

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        task->signals.blocked = rows[i].before;
        memcpy(at(ACTION_AT), &rows[i].set, 8);
        assert_int_equal(sys_rt_sigprocmask(task, rows[i].how, ACTION_AT, OLD_AT, 8),
                         rows[i].result);
        assert_int_equal(task->signals.blocked, rows[i].after);
        if (!rows[i].result) {
            memcpy(&old, at(OLD_AT), 8);
            assert_int_equal(old, rows[i].before);
        }
    }
    task->signals.blocked = 5;
    assert_int_equal(sys_rt_sigprocmask(task, 0, 1, 1, 16), -EINVAL);
    assert_int_equal(sys_rt_sigprocmask(task, 9, 1, 0, 8), -EFAULT);
    assert_int_equal(sys_rt_sigprocmask(task, 9, 0, OLD_AT, 8), 0); /* nobody looks at how */
    assert_int_equal(sys_rt_sigprocmask(task, 2, ACTION_AT, 1, 8), -EFAULT);
    assert_int_equal(task->signals.blocked, ~(SET(SIGKILL) | SET(SIGSTOP))); /* and yet it is set */
}

/* ---- sigaltstack -------------------------------------------------------------------------------------------- */

static int64_t altstack(uint64_t base, uint32_t flags, uint64_t bytes)
{
    memcpy(at(ACTION_AT), &(struct signal_stack){base, flags, 0xffffffff, bytes},
           sizeof(struct signal_stack));
    return sys_sigaltstack(task, ACTION_AT, OLD_AT);
}

static void assert_old_stack(uint64_t base, uint32_t flags, uint64_t bytes)
{
    const struct signal_stack expected = {base, flags, 0, bytes};

    assert_memory_equal(at(OLD_AT), &expected, sizeof(expected));
}

static void altstack_states(void **state)
{
    (void)state;
    assert_int_equal(altstack(0x10000, 0, 2048), 0);
    assert_old_stack(0, SS_DISABLE, 0);
    assert_int_equal(altstack(0x20000, SS_ONSTACK, 4096), 0); /* the flag is let pass */
    assert_old_stack(0x10000, 0, 2048);
    assert_int_equal(altstack(0x20000, 0, 2047), -ENOMEM);
    assert_int_equal(altstack(0x20000, 4, 4096), -EINVAL);
    assert_int_equal(altstack(0x20000, SS_DISABLE | SS_ONSTACK, 4096), -EINVAL);
    assert_int_equal(altstack(0x30000, SS_DISABLE | SS_AUTODISARM, 1), 0);
    assert_old_stack(0x20000, 0, 4096);
    assert_int_equal(altstack(0x40000, SS_AUTODISARM, 8192), 0);
    assert_old_stack(0, SS_DISABLE | SS_AUTODISARM, 0);
    assert_int_equal(sys_sigaltstack(task, 0, OLD_AT), 0);
    assert_old_stack(0x40000, SS_AUTODISARM, 8192);
    /* One that disarms itself is never in use. */
    task->frame.rsp = 0x40010;
    assert_int_equal(altstack(0x50000, 0, 4096), 0);
    assert_old_stack(0x40000, SS_AUTODISARM, 8192);
    assert_int_equal(sys_sigaltstack(task, 0, 0), 0);
    assert_int_equal(sys_sigaltstack(task, 1, 0), -EFAULT);
    assert_int_equal(sys_sigaltstack(task, 0, 1), -EFAULT);
}

static void altstack_in_use_is_not_changed(void **state)
{
    static const struct {
        int64_t rsp; /* from the stack's base */
        bool in_use;
    } rows[] = {
        {0,    false},
        {1,    true },
        {4095, true },
        {4096, true },
        {4097, false},
        {-1,   false}
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        start(NULL);
        assert_int_equal(altstack(0x20000, 0, 4096), 0);
        task->frame.rsp = 0x20000 + (uint64_t)rows[i].rsp;
        assert_int_equal(altstack(0x20000, 0, 4096), rows[i].in_use ? -EPERM : 0);
        assert_int_equal(altstack(0x20000, 4, 4096), rows[i].in_use ? -EPERM : -EINVAL);
        assert_int_equal(sys_sigaltstack(task, 0, OLD_AT), 0);
        assert_old_stack(0x20000, rows[i].in_use ? SS_ONSTACK : 0, 4096);
    }
}

/* ---- kill, what is pending ----------------------------------------------------------------------------------- */

static void kill_finds_whom_linux_finds(void **state)
{
    static const struct {
        int64_t pid, signal, result;
        unsigned reached; /* bit 0: the task, 1: child, 2: other */
    } rows[] = {
        {100,                  SIGUSR1,              0,       1},
        {101,                  SIGUSR1,              0,       2},
        {0,                    SIGUSR1,              0,       7},
        {-1,                   SIGUSR1,              0,       6},
        {100,                  0,                    0,       0},
        {-1,                   0,                    0,       0},
        {0,                    0,                    0,       0},
        {99,                   SIGUSR1,              -ESRCH,  0},
        {99,                   99,                   -ESRCH,  0}, /* whom before what */
        {-100,                 SIGUSR1,              -ESRCH,  0},
        {-2147483648,          SIGUSR1,              -ESRCH,  0},
        {100,                  65,                   -EINVAL, 0},
        {100,                  -1,                   -EINVAL, 0},
        {-1,                   65,                   -EINVAL, 0},
        {0,                    65,                   -EINVAL, 0},
        {100,                  64,                   0,       1},
        {INT64_C(0x100000064), SIGUSR1,              0,       1}, /* ints */
        {100,                  INT64_C(0x10000000a), 0,       1},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        unsigned reached = 0;
        start(NULL);
        assert_int_equal(sys_kill(task, (uint64_t)rows[i].pid, (uint64_t)rows[i].signal),
                         rows[i].result);
        for (unsigned j = 0; j < ARRAY_COUNT(tasks); j++) {
            reached |= signal_pending_set(&tasks[j].signals) ? 1u << j : 0;
        }
        assert_int_equal(reached, rows[i].reached);
        end(NULL);
    }
    start(NULL);
    task_exit(child, 0);
    assert_int_equal(sys_kill(task, 101, SIGUSR1), 0); /* a zombie is there, and feels nothing */
    assert_int_equal(objects, 0);
}

static void kill_says_who(void **state)
{
    struct signal_frame *frame;

    (void)state;
    handle(child, SIGUSR1, SA_SIGINFO, 0);
    assert_int_equal(sys_kill(task, 101, SIGUSR1), 0);
    assert_true(signal_deliver(child));
    frame = frame_of(child);
    assert_int_equal(frame->info.signal, SIGUSR1);
    assert_int_equal(frame->info.code, SI_USER);
    assert_int_equal(frame->info.process.pid, 100);
    for (unsigned i = 1; i < ARRAY_COUNT(frame->info.words); i++) {
        assert_int_equal(frame->info.words[i], 0);
    }
}

static void standard_signals_are_there_once_and_others_count(void **state)
{
    (void)state;
    task->signals.blocked = ~UINT64_C(0);
    for (unsigned i = 0; i < 3; i++) {
        send(task, SIGUSR1);
        send(task, 31);
        send(task, 32);
        send(task, 64);
    }
    assert_int_equal(objects, 2 + 6);
    for (int signal = 1; signal <= SIGNALS; signal++) {
        handle(task, signal, SA_NODEFER, 0);
    }
    task->signals.blocked = 0;
    user.base -= 3 * PAGE_SIZE; /* room for eight frames */
    assert_true(signal_deliver(task));
    assert_int_equal(objects, 0);
    /* The last one taken is the first that runs: 31 was first, since it is a synchronous one's number. */
    static const int order[] = {64, 64, 64, 32, 32, 32, SIGUSR1, 31};
    for (unsigned i = 0; i < ARRAY_COUNT(order); i++) {
        assert_int_equal(entered(task), order[i]);
        assert_int_equal(task->frame.rdi, order[i]);
        handler_returns(task);
    }
    assert_int_equal(task->frame.rip, 0x400123);
    assert_int_equal(task->frame.rsp, user.base + 7 * PAGE_SIZE - 0x123);
}

static void a_fault_comes_first(void **state)
{
    (void)state;
    for (int signal = 1; signal <= SIGNALS; signal++) {
        handle(task, signal, 0, 0);
    }
    send(task, SIGHUP);
    send(task, SIGILL); /* sent, but a synchronous one's number */
    fault(task, SIGSEGV);
    assert_true(signal_deliver(task));
    assert_int_equal(entered(task), SIGHUP);
    handler_returns(task);
    assert_int_equal(entered(task), SIGILL);
    handler_returns(task);
    assert_int_equal(entered(task), SIGSEGV);
    assert_int_equal(frame_of(task)->context.registers.rip, 0x400123);
}

static void signals_without_memory_come_without_cause(void **state)
{
    (void)state;
    no_memory = true;
    handle(task, SIGUSR1, SA_SIGINFO, 0);
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_int_equal(entered(task), SIGUSR1);
    assert_int_equal(frame_of(task)->info.process.pid, 0);
    assert_true(signal_deliver(task));
    /* And no program makes us keep more than so many. */
    no_memory = false;
    task->signals.blocked = ~UINT64_C(0);
    for (unsigned i = 0; i < 5000; i++) {
        send(task, 50);
    }
    assert_in_range(objects, 1000, 4096);
}

static void fork_inherits_all_but_what_is_pending(void **state)
{
    struct signals copy;

    (void)state;
    handle(task, SIGUSR1, SA_NODEFER, 5);
    altstack(0x20000, 0, 4096);
    task->signals.blocked = SET(SIGUSR2) | SET(50);
    send(task, SIGUSR2);
    send(task, 50);
    signal_fork(&task->signals, &copy);
    assert_int_equal(copy.blocked, SET(SIGUSR2) | SET(50));
    assert_int_equal(signal_pending_set(&copy), 0);
    assert_int_equal(copy.stack.bytes, 4096);
    assert_int_equal(copy.action[SIGUSR1 - 1].handler, HANDLER + SIGUSR1);
    signal_release(&copy);
    assert_int_equal(objects, 2);
}

/* ---- what a signal does ---------------------------------------------------------------------------------------- */

static void default_actions(void **state)
{
    (void)state;
    for (int signal = 1; signal <= SIGNALS; signal++) {
        bool nothing = signal == SIGCHLD || signal == SIGCONT || signal == SIGURG ||
                       signal == SIGWINCH || signal == SIGTSTP || signal == SIGTTIN ||
                       signal == SIGTTOU;
        start(NULL);
        send(child, signal);
        assert_int_equal(signal_deliver(child), nothing);
        if (signal == SIGSTOP) {
            assert_int_equal(child->state, TASK_STOPPED);
        } else if (!nothing) {
            assert_int_equal(child->state, TASK_ZOMBIE);
            assert_int_equal(child->exit_status, signal); /* no core was dumped */
        }
        /* Ignored: nothing, for all but two. */
        start(NULL);
        child->signals.action[signal - 1].handler = SIG_IGN;
        if (signal != SIGKILL && signal != SIGSTOP) {
            send(child, signal);
            assert_int_equal(signal_pending_set(&child->signals), 0);
            assert_true(signal_deliver(child));
        }
        /* Blocked: pending, and then as before. */
        start(NULL);
        child->signals.blocked = SET(signal);
        if (signal != SIGKILL && signal != SIGSTOP) {
            send(child, signal);
            assert_int_equal(signal_pending_set(&child->signals), SET(signal));
            assert_true(signal_deliver(child));
            child->signals.blocked = 0;
            assert_int_equal(signal_deliver(child), nothing);
        }
        end(NULL);
    }
}

/* A death that needs no core dump is decided when it is sent, unless the task has something to take first. */
static void fatal_signals_overtake(void **state)
{
    static const struct {
        int first, second, status, status_while_it_runs;
    } rows[] = {
        {SIGTERM, SIGKILL, SIGTERM, SIGTERM},
        {SIGABRT, SIGKILL, SIGKILL, SIGKILL},
        {SIGABRT, SIGTERM, SIGABRT, SIGTERM},
        {SIGTERM, SIGABRT, SIGTERM, SIGTERM},
        {SIGQUIT, SIGABRT, SIGQUIT, SIGQUIT},
        {SIGABRT, SIGQUIT, SIGQUIT, SIGQUIT},
        {SIGSEGV, SIGQUIT, SIGSEGV, SIGSEGV},
        {64,      SIGHUP,  64,      64     },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        for (unsigned runs = 0; runs < 2; runs++) {
            start(NULL);
            current = runs ? child : task;
            send(child, rows[i].first);
            send(child, rows[i].second);
            assert_false(signal_deliver(child));
            assert_int_equal(child->exit_status,
                             runs ? rows[i].status_while_it_runs : rows[i].status);
            end(NULL);
        }
    }
}

/* What the thread itself did comes before what it was sent, whatever the numbers, and each of them once. */
static void own_signals_come_first(void **state)
{
    const struct signal_info pipe = {.signal = SIGPIPE, .code = SI_USER, .pid = 100, .own = true};
    static const int order[] = {SIGPIPE, SIGSEGV, SIGUSR1, SIGPIPE};
    static const uint32_t senders[] = {100, 77, 77, 77};

    (void)state;
    handle(task, SIGPIPE, SA_SIGINFO, UINT64_MAX);
    handle(task, SIGUSR1, SA_SIGINFO, UINT64_MAX);
    handle(task, SIGSEGV, SA_SIGINFO, UINT64_MAX);
    task->signals.blocked = UINT64_MAX;
    for (unsigned twice = 0; twice < 2; twice++) {
        send(task, SIGUSR1);
        send(task, SIGSEGV);
        send(task, SIGPIPE);
        signal_send(task, &pipe);
    }
    assert_int_equal(objects, 4);
    task->signals.blocked = 0;
    for (unsigned i = 0; i < ARRAY_COUNT(order); i++) {
        assert_true(signal_pending(&task->signals));
        assert_true(signal_deliver(task));
        assert_int_equal(entered(task), order[i]);
        assert_int_equal(frame_of(task)->info.process.pid, senders[i]);
        handler_returns(task);
    }
    assert_false(signal_pending(&task->signals));
    task->signals.blocked = UINT64_MAX;
    send(task, SIGPIPE);
    signal_send(task, &pipe);
    assert_int_equal(sigaction_with(SIGPIPE, (struct signal_action){SIG_IGN, 0, 0, 0}), 0);
    assert_int_equal(objects, 0);
    assert_int_equal(signal_pending_set(&task->signals), 0);
}

static void stop_and_continue(void **state)
{
    (void)state;
    handle(task, SIGCHLD, SA_SIGINFO, 0);
    handle(child, SIGUSR1, 0, 0);
    send(child, SIGCONT); /* nothing to continue */
    assert_int_equal(signal_pending_set(&task->signals), 0);
    send(child, SIGSTOP);
    assert_false(signal_deliver(child));
    assert_int_equal(child->state, TASK_STOPPED);
    assert_true(signal_deliver(task));
    assert_int_equal(frame_of(task)->info.code, CLD_STOPPED);
    assert_int_equal(frame_of(task)->info.process.pid, 101);
    assert_int_equal(frame_of(task)->info.process.status, SIGSTOP);
    handler_returns(task);
    assert_int_equal(child->news, STATUS_STOPPED(SIGSTOP));
    send(child, SIGUSR1);
    send(child, SIGTERM);
    assert_int_equal(child->state, TASK_STOPPED); /* it takes them when it goes on */
    send(child, SIGSTOP);
    send(child, SIGCONT);
    assert_int_equal(signal_pending_set(&child->signals) & (SET(SIGSTOP) | SET(SIGCONT)), 0);
    assert_int_equal(child->state, TASK_READY);
    assert_true(signal_deliver(task));
    assert_int_equal(frame_of(task)->info.code, CLD_CONTINUED);
    assert_int_equal(frame_of(task)->info.process.status, SIGCONT);
    handler_returns(task);
    task->signals.action[SIGCHLD - 1].flags |= SA_NOCLDSTOP;
    assert_false(signal_deliver(child));
    assert_int_equal(child->exit_status, SIGTERM);
    send(other, SIGSTOP);
    assert_false(signal_deliver(other));
    assert_int_equal(signal_pending_set(&task->signals), 0);
    send(other, SIGKILL);
    assert_int_equal(other->news, 0);
    assert_int_equal(other->state, TASK_READY);
    assert_false(signal_deliver(other));
    assert_int_equal(other->exit_status, SIGKILL);
}

static void waiting_tasks_wake_for_what_they_take(void **state)
{
    static const enum task_state waits[] = {TASK_WAITS_CHILD, TASK_WAITS_PIPE, TASK_WAITS_PAGE};

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(waits); i++) {
        bool wakes = waits[i] != TASK_WAITS_PAGE;
        start(NULL);
        task->state = waits[i];
        send(task, SIGCHLD); /* ignored */
        task->signals.blocked = SET(SIGUSR1);
        send(task, SIGUSR1);
        assert_int_equal(task->state, waits[i]);
        handle(task, SIGUSR2, 0, 0);
        send(task, SIGUSR2);
        assert_int_equal(task->state, wakes ? TASK_READY : waits[i]);
        task->state = waits[i];
        send(task, SIGKILL);
        assert_int_equal(task->state, wakes ? TASK_READY : waits[i]);
        end(NULL);
    }
}

static void handlers_interrupt_system_calls(void **state)
{
    (void)state;
    handle(task, SIGUSR1, 0, 0);
    handle(task, SIGUSR2, SA_RESTART, 0);
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_int_equal(interrupts, 1);
    assert_false(restarts);
    send(task, SIGUSR2);
    assert_true(signal_deliver(task));
    assert_int_equal(interrupts, 2);
    assert_true(restarts);
    send(task, SIGCHLD);
    assert_true(signal_deliver(task)); /* no handler: the call goes on waiting */
    assert_int_equal(interrupts, 2);
}

static struct signal_frame *in_handler(void);

/* ---- into the handler, and back ---------------------------------------------------------------------------------- */

static void handler_is_entered_as_linux_does(void **state)
{
    struct trap_frame before = task->frame;
    struct area *area;
    struct signal_frame *frame;
    uint64_t magic2 = 0, pkru;
    uint8_t xstate[AREA_BYTES];

    (void)state;
    memcpy(xstate, registers.area, sizeof(xstate));
    handle(task, SIGSEGV, SA_SIGINFO, SET(SIGUSR1) | SET(50));
    task->signals.blocked = SET(SIGUSR2);
    fault(task, SIGSEGV);
    assert_true(signal_pending(&task->signals));
    assert_true(signal_deliver(task));
    assert_false(signal_pending(&task->signals));
    frame = frame_of(task);

    assert_int_equal(task->frame.rip, HANDLER + SIGSEGV);
    assert_int_equal(task->frame.rdi, SIGSEGV);
    assert_int_equal(task->frame.rsi, task->frame.rsp + 312);
    assert_int_equal(task->frame.rdx, task->frame.rsp + 8);
    assert_int_equal(task->frame.rax, 0);
    assert_int_equal(task->frame.rsp % 16, 8);
    assert_int_equal(task->frame.rflags, 0x246); /* RF and DF are gone */
    assert_int_equal(task->frame.cs, SELECTOR_USER_CODE);
    assert_int_equal(task->frame.ss, SELECTOR_USER_DATA);
    assert_int_equal(task->frame.rbx, before.rbx);
    assert_int_equal(task->signals.blocked, SET(SIGUSR1) | SET(SIGUSR2) | SET(50) | SET(SIGSEGV));
    assert_true(registers_fresh());

    assert_int_equal(frame->restorer, RESTORER);
    assert_int_equal(frame->context.flags, 7);
    assert_int_equal(frame->context.link, 0);
    assert_int_equal(frame->context.stack.flags, SS_DISABLE);
    assert_int_equal(frame->context.mask, SET(SIGUSR2));
    assert_int_equal(frame->context.registers.old_mask, SET(SIGUSR2));
    assert_int_equal(frame->context.registers.rip, before.rip);
    assert_int_equal(frame->context.registers.rsp, before.rsp);
    assert_int_equal(frame->context.registers.rflags, before.rflags);
    assert_int_equal(frame->context.registers.cs, 0x33);
    assert_int_equal(frame->context.registers.ss, 0x2b);
    assert_int_equal(frame->context.registers.fs, 0);
    assert_int_equal(frame->context.registers.gs, 0);
    assert_int_equal(frame->context.registers.error_code, 6);
    assert_int_equal(frame->context.registers.trap_number, VECTOR_PF);
    assert_int_equal(frame->context.registers.cr2, 0x1234);
    assert_int_equal(frame->info.signal, SIGSEGV);
    assert_int_equal(frame->info.error, 0);
    assert_int_equal(frame->info.code, SEGV_MAPERR);
    assert_int_equal(frame->info.fault.address, 0x1234);
    for (unsigned i = 1; i < ARRAY_COUNT(frame->info.words); i++) {
        assert_int_equal(frame->info.words[i], 0);
    }

    /* The red zone is left alone; the state lies on its multiple of 64, with its magic numbers. */
    area = (struct area *)at(frame->context.registers.extended_state);
    assert_int_equal(frame->context.registers.extended_state % 64, 0);
    assert_in_range(frame->context.registers.extended_state + AREA_BYTES + 4, before.rsp - 128 - 63,
                    before.rsp - 128);
    for (unsigned i = 1; i <= 128; i++) {
        assert_int_equal(*at(before.rsp - i), 0xcc);
    }
    assert_memory_equal(area, xstate, FPU_SOFTWARE_AT);
    assert_int_equal(area->software.magic1, 0x46505853);
    assert_int_equal(area->software.extended_bytes, AREA_BYTES + 4);
    assert_int_equal(area->software.xstate_bytes, AREA_BYTES);
    assert_int_equal(area->software.features, 0x207);
    assert_int_equal(area->xstate_bv, 0x207);
    assert_memory_equal(area->ymm, ((struct area *)xstate)->ymm, sizeof(area->ymm));
    memcpy(&pkru, (uint8_t *)area + PKRU_AT, 8);
    assert_int_equal(pkru, 0x55555557);
    memcpy(&magic2, (uint8_t *)area + AREA_BYTES, 4);
    assert_int_equal(magic2, 0x46505845);

    /* And back. The handler has used its registers. */
    registers_fill(99);
    task->frame.rbx = 4711;
    task->frame.rflags |= RFLAGS_CF;
    assert_int_equal(handler_returns(task), before.rax);
    assert_memory_equal(&task->frame, &before, sizeof(before));
    assert_int_equal(task->signals.blocked, SET(SIGUSR2));
    assert_memory_equal(registers.area, xstate, sizeof(xstate));
    assert_int_equal(registers.pkru, 0x55555557);
    assert_true(signal_deliver(task));
    assert_memory_equal(&task->frame, &before, sizeof(before));
}

static void causes_fill_what_belongs_to_them(void **state)
{
    static const struct {
        struct signal_info info;
        uint64_t words[3];
    } rows[] = {
        {{.signal = SIGSEGV, .code = SEGV_PKUERR, .address = 0x5000, .key = 3},     {0x5000, 0, 3}               },
        {{.signal = SIGCHLD, .code = CLD_KILLED, .pid = 9, .uid = 8, .status = 11},
         {UINT64_C(0x800000009), 11, 0}                                                                          },
        {{.signal = SIGSEGV, .code = SI_USER, .pid = 9, .uid = 8},                  {UINT64_C(0x800000009), 0, 0}},
        {{.signal = SIGBUS, .code = BUS_ADRERR, .address = 0x6000},                 {0x6000, 0, 0}               },
        {{.signal = SIGSEGV, .code = SI_KERNEL},                                    {0, 0, 0}                    },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        struct signal_info_frame *info;
        start(NULL);
        handle(task, rows[i].info.signal, SA_SIGINFO, 0);
        signal_send(task, &rows[i].info);
        assert_true(signal_deliver(task));
        info = &frame_of(task)->info;
        assert_int_equal(info->signal, rows[i].info.signal);
        assert_int_equal(info->code, rows[i].info.code);
        for (unsigned j = 0; j < ARRAY_COUNT(info->words); j++) {
            assert_int_equal(info->words[j], j < 3 ? rows[i].words[j] : 0);
        }
        end(NULL);
    }
    /* Without SA_SIGINFO nobody writes there. */
    start(NULL);
    handle(task, SIGUSR1, 0, 0);
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_int_equal(frame_of(task)->info.words[13], UINT64_C(0xcccccccccccccccc));
}

static void flags_of_handlers(void **state)
{
    (void)state;
    handle(task, SIGUSR1, SA_NODEFER, SET(SIGHUP));
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_int_equal(task->signals.blocked, SET(SIGHUP));
    handle(task, SIGUSR2, SA_RESETHAND, 0);
    send(task, SIGUSR2);
    assert_true(signal_deliver(task));
    assert_int_equal(entered(task), SIGUSR2);
    assert_int_equal(task->signals.action[SIGUSR2 - 1].handler, SIG_DFL);
    assert_int_equal(task->signals.blocked, SET(SIGHUP) | SET(SIGUSR2));
    handler_returns(task);
    send(task, SIGUSR2);
    assert_false(signal_deliver(task));
    assert_int_equal(task->exit_status, SIGUSR2);
}

#define ALT_AT    (user.base + 0x1000)
#define ALT_BYTES 0x2000u

static void handlers_on_the_alternate_stack(void **state)
{
    uint64_t first;

    (void)state;
    assert_int_equal(altstack(ALT_AT, 0, ALT_BYTES), 0);
    handle(task, SIGUSR1, SA_ONSTACK, 0);
    handle(task, SIGUSR2, SA_ONSTACK, 0);
    handle(task, SIGHUP, 0, 0);
    send(task, SIGHUP);
    assert_true(signal_deliver(task));
    assert_in_range(task->frame.rsp, ALT_AT + ALT_BYTES, STACK_TOP_HERE); /* did not ask for it */
    handler_returns(task);
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    first = task->frame.rsp;
    assert_int_equal(first,
                     ALIGN_DOWN(ALIGN_DOWN(ALT_AT + ALT_BYTES - AREA_BYTES - 4, 64) - 440, 16) - 8);
    assert_int_equal(frame_of(task)->context.stack.base, ALT_AT);
    assert_int_equal(frame_of(task)->context.stack.bytes, ALT_BYTES);
    assert_int_equal(frame_of(task)->context.stack.flags, 0);
    /* The next one goes below it, not to the top again. */
    send(task, SIGUSR2);
    assert_true(signal_deliver(task));
    assert_in_range(task->frame.rsp, ALT_AT + 1, first - 440);
    handler_returns(task);
    /* A third of them does not fit: that is SIGSEGV, whose handler would not either. */
    handle(task, SIGSEGV, SA_ONSTACK, 0);
    task->frame.rsp = ALT_AT + 0x400;
    send(task, SIGUSR2);
    assert_false(signal_deliver(task));
    assert_int_equal(task->exit_status, SIGSEGV);
}

/* Within 128 bytes of its base the red zone leads below the stack, and the frame goes to its top: Linux's way. */
static void at_the_alternate_stacks_base(void **state)
{
    (void)state;
    assert_int_equal(altstack(ALT_AT, 0, ALT_BYTES), 0);
    handle(task, SIGUSR1, SA_ONSTACK, 0);
    task->frame.rsp = ALT_AT + 100;
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_in_range(task->frame.rsp, ALT_AT + ALT_BYTES - AREA_BYTES - 4 - 440 - 16 - 64,
                    ALT_AT + ALT_BYTES);
}

static void alternate_stack_too_small_for_a_frame(void **state)
{
    (void)state;
    assert_int_equal(altstack(ALT_AT, 0, MINSIGSTKSZ), 0);
    handle(task, SIGUSR1, SA_ONSTACK, 0);
    handle(task, SIGSEGV, SA_SIGINFO, 0); /* on the normal stack */
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_int_equal(entered(task), SIGSEGV);
    assert_int_equal(frame_of(task)->info.code, SI_KERNEL);
    assert_int_equal(frame_of(task)->info.fault.address, 0);
    assert_int_equal(frame_of(task)->context.registers.rip, 0x400123);
    assert_int_equal(task->signals.blocked, SET(SIGSEGV)); /* SIGUSR1 was never delivered */
}

static void alternate_stack_that_disarms_itself(void **state)
{
    (void)state;
    assert_int_equal(altstack(ALT_AT, SS_AUTODISARM, ALT_BYTES), 0);
    handle(task, SIGUSR1, SA_ONSTACK, 0);
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_in_range(task->frame.rsp, ALT_AT, ALT_AT + ALT_BYTES);
    assert_int_equal(task->signals.stack.bytes, 0);
    assert_int_equal(task->signals.stack.flags, SS_DISABLE);
    assert_int_equal(frame_of(task)->context.stack.flags, SS_AUTODISARM);
    assert_int_equal(altstack(0x70000, 0, 4096), 0);
    handler_returns(task); /* the frame brings it back */
    in_handler()->context.stack.flags = 0;
    handler_returns(task);
    assert_int_equal(task->signals.stack.flags, 0);
    in_handler()->context.stack.flags = SS_AUTODISARM;
    handler_returns(task);
    assert_int_equal(task->signals.stack.base, ALT_AT);
    assert_int_equal(task->signals.stack.flags, SS_AUTODISARM);
}

static void frames_that_cannot_be_written(void **state)
{
    (void)state;
    for (unsigned hole = 0; hole < 3; hole++) {
        for (unsigned segv = 0; segv < 3; segv++) {
            start(NULL);
            struct trap_frame before = task->frame;
            handle(task, SIGUSR1, 0, 0);
            if (hole == 0) {
                user.rights[2] = READABLE; /* where all of it goes */
                user.rights[3] = READABLE;
            } else if (hole == 1) {
                task->signals.action[SIGUSR1 - 1].flags = 0; /* no restorer */
            } else {
                task->frame.rsp = UINT64_C(0xffff800000000000) + PAGE_SIZE; /* the kernel's half */
            }
            if (segv) {
                handle(task, SIGSEGV, SA_ONSTACK, 0);
                assert_int_equal(altstack(user.base + 5 * PAGE_SIZE, 0, 2 * PAGE_SIZE), 0);
            }
            if (segv == 2) {
                task->signals.blocked = SET(SIGSEGV);
            }
            send(task, SIGUSR1);
            assert_int_equal(signal_deliver(task), segv == 1);
            if (segv == 1) {
                assert_int_equal(entered(task), SIGSEGV);
                assert_int_equal(frame_of(task)->context.registers.rip, before.rip);
                assert_memory_equal(&frame_of(task)->context.registers.rax, &before.rax, 8);
            } else {
                assert_int_equal(task->exit_status, SIGSEGV);
            }
            end(NULL);
        }
    }
}

static void faults_that_are_blocked_or_ignored_kill(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        start(NULL);
        handle(task, SIGSEGV, 0, 0);
        if (i == 1) {
            task->signals.blocked = SET(SIGSEGV);
        } else if (i == 2) {
            task->signals.action[SIGSEGV - 1].handler = SIG_IGN;
        } else if (i == 3) {
            task->signals.action[SIGSEGV - 1].handler = SIG_DFL;
        }
        fault(task, SIGSEGV);
        assert_int_equal(signal_deliver(task), i == 0);
        assert_int_equal(task->exit_status, i ? SIGSEGV : 0);
        end(NULL);
    }
}

/* ---- the way back ----------------------------------------------------------------------------------------------- */

/* Enter a handler of SIGUSR1; its frame. */
static struct signal_frame *in_handler(void)
{
    handle(task, SIGUSR1, SA_SIGINFO, 0);
    send(task, SIGUSR1);
    assert_true(signal_deliver(task));
    assert_int_equal(entered(task), SIGUSR1);
    return frame_of(task);
}

static void flags_and_masks_are_sanitised(void **state)
{
    struct signal_frame *frame = in_handler();

    (void)state;
    frame->context.registers.rflags = ~UINT64_C(0);
    frame->context.mask = ~UINT64_C(0);
    task->frame.rflags = 0x202;
    handler_returns(task);
    assert_int_equal(task->frame.rflags, 0x202 | 0x50dd5);
    assert_int_equal(task->signals.blocked, ~(SET(SIGKILL) | SET(SIGSTOP)));
    assert_true(signal_deliver(task));

    start(NULL);
    frame = in_handler();
    frame->context.registers.rflags = 0;
    task->frame.rflags = 0x3202 | 0x50dd5 | RFLAGS_NT;
    handler_returns(task);
    assert_int_equal(task->frame.rflags, 0x3202 | RFLAGS_NT);
}

static void selectors_that_nobody_has_are_gp(void **state)
{
    static const struct {
        uint16_t cs, ss;
        uint64_t flags;
        uint64_t error; /* of #GP; 1: none */
    } rows[] = {
        {0x33,   0x2b, 7, 1     },
        {0x30,   0x28, 7, 1     },
        {0x33,   0x53, 3, 1     },
        {0x33,   0,    3, 1     },
        {0x33,   0x53, 7, 0x50  },
        {0x33,   0,    7, 0     },
        {0x10,   0x2b, 7, 0x10  },
        {0,      0x2b, 7, 0     },
        {0x13,   0x53, 3, 0x10  },
        {0xffff, 0x2b, 7, 0xfffc},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        struct signal_frame *frame;
        start(NULL);
        handle(task, SIGSEGV, SA_SIGINFO, 0);
        frame = in_handler();
        task->signals.cr2 = 0x999;
        frame->context.registers.cs = rows[i].cs;
        frame->context.registers.ss = rows[i].ss;
        frame->context.flags = rows[i].flags;
        handler_returns(task);
        assert_true(signal_deliver(task));
        assert_int_equal(task->frame.cs, SELECTOR_USER_CODE);
        assert_int_equal(task->frame.ss, SELECTOR_USER_DATA);
        if (rows[i].error == 1) {
            assert_int_equal(task->frame.rip, 0x400123);
            continue;
        }
        assert_int_equal(entered(task), SIGSEGV);
        frame = frame_of(task);
        assert_int_equal(frame->info.code, SI_KERNEL);
        assert_int_equal(frame->context.registers.trap_number, VECTOR_GP);
        assert_int_equal(frame->context.registers.error_code, rows[i].error);
        assert_int_equal(frame->context.registers.cr2, 0x999); /* #GP has none of its own */
        assert_int_equal(frame->context.registers.cs, rows[i].cs | 3);
        assert_int_equal(frame->context.registers.rip, 0x400123);
        assert_int_equal(frame->context.flags & UC_STRICT_RESTORE_SS,
                         (rows[i].cs | 3) == 0x33 ? 4 : 0);
        end(NULL);
    }
}

static void extended_state_on_the_way_back(void **state)
{
    (void)state;
    enum {
        ABSENT_STATE,
        NO_MAGIC1,
        NO_MAGIC2,
        SMALL,
        LARGE,
        LARGER_THAN_ALL,
        LEFT_OUT,
        NOT_WANTED,
        NOT_ALIGNED,
        LEGACY_NOT_ALIGNED,
        LEGACY_ALIGNED_TO_16,
        RESERVED_BV,
        COMPACTED,
        RESERVED_HEADER,
        RESERVED_MXCSR,
        UNREADABLE,
        UNREADABLE_END,
        KERNEL,
        WAYS
    };
    /*
     * What becomes of it: 'x' AVX is fresh, 'l' so is MXCSR, since XRSTOR counts it to AVX as well, 'f' everything is,
     * 's' SIGSEGV and everything is.
     */
    static const char becomes[WAYS + 1] = "flllllxfssl"
                                          "sssssss";

    for (unsigned way = 0; way < WAYS; way++) {
        struct signal_frame *frame;
        struct area *area;
        uint8_t xmm[256];
        uint64_t at_64;
        start(NULL);
        memcpy(xmm, live()->xmm, sizeof(xmm));
        frame = in_handler();
        at_64 = frame->context.registers.extended_state;
        area = (struct area *)at(at_64);
        registers_fill(200);
        switch (way) {
        case ABSENT_STATE:
            frame->context.registers.extended_state = 0;
            break;
        case NO_MAGIC1:
            area->software.magic1 ^= 1;
            break;
        case NO_MAGIC2:
            *((uint8_t *)area + AREA_BYTES) ^= 1;
            break;
        case SMALL:
            area->software.xstate_bytes = 575;
            memcpy((uint8_t *)area + 575, &(uint32_t){FPU_MAGIC2}, 4);
            break;
        case LARGE:
            area->software.xstate_bytes = AREA_BYTES + 1;
            area->software.extended_bytes = AREA_BYTES + 5;
            memcpy((uint8_t *)area + AREA_BYTES + 1, &(uint32_t){FPU_MAGIC2}, 4);
            break;
        case LARGER_THAN_ALL:
            area->software.extended_bytes = AREA_BYTES - 1;
            break;
        case LEFT_OUT:
            area->xstate_bv = XCR0_X87 | XCR0_SSE;
            break;
        case NOT_WANTED:
            area->software.features = 0;
            break;
        case NOT_ALIGNED:
            memmove((uint8_t *)area + 16, area, AREA_BYTES + 4);
            frame->context.registers.extended_state += 16;
            break;
        case LEGACY_NOT_ALIGNED:
            area->software.magic1 = 0;
            memmove((uint8_t *)area + 8, area, AREA_BYTES + 4);
            frame->context.registers.extended_state += 8;
            break;
        case LEGACY_ALIGNED_TO_16:
            area->software.magic1 = 0;
            memmove((uint8_t *)area + 16, area, AREA_BYTES + 4);
            frame->context.registers.extended_state += 16;
            break;
        case RESERVED_BV:
            area->xstate_bv |= BIT(62);
            break;
        case COMPACTED:
            area->xcomp_bv = BIT(63);
            break;
        case RESERVED_HEADER:
            area->zero[0] = 1;
            break;
        case RESERVED_MXCSR:
            area->mxcsr = 0x10000;
            break;
        case UNREADABLE:
            frame->context.registers.extended_state = user.base + sizeof(user.bytes) - 256;
            break;
        case UNREADABLE_END: /* all but the second magic number */
            memmove(user.bytes + sizeof(user.bytes) - AREA_BYTES - 56, area, AREA_BYTES);
            frame->context.registers.extended_state =
                user.base + sizeof(user.bytes) - AREA_BYTES - 56;
            user.rights[PAGES - 1] = ABSENT;
            break;
        case KERNEL:
            frame->context.registers.extended_state = UINT64_C(0xffffffff80000000);
            break;
        default:
            abort();
        }
        handler_returns(task);
        bool bad = becomes[way] == 's', fresh = bad || becomes[way] == 'f';
        assert_int_equal(task->signals.forced.signal, bad ? SIGSEGV : 0);
        if (fresh) {
            assert_int_equal(live()->fcw, FPU_FCW_START);
            assert_int_equal(live()->mxcsr, FPU_MXCSR_START);
        } else {
            assert_int_equal(live()->mxcsr, becomes[way] == 'x' ? 0x1fa0 : FPU_MXCSR_START);
            assert_memory_equal(live()->xmm, xmm, sizeof(xmm));
        }
        assert_int_equal(live()->ymm[3][3], 0);
        /* Afresh by XRSTOR is 0, afresh by the kernel is what a program starts with. */
        assert_int_equal(registers.pkru, way == ABSENT_STATE || bad ? PKRU_START : 0);
        end(NULL);
    }
}

/* PKRU of the frame, whatever the program made of it. */
static void pkru_comes_from_the_frame(void **state)
{
    struct signal_frame *frame = in_handler();
    uint8_t *area = at(frame->context.registers.extended_state);
    uint32_t pkru = 0xfffffff0;

    (void)state;
    memcpy(area + PKRU_AT, &pkru, 4);
    handler_returns(task);
    assert_int_equal(registers.pkru, 0xfffffff0);

    /* One that is 0 is not in use. */
    start(NULL);
    registers.pkru = 0;
    frame = in_handler();
    assert_int_equal(((struct area *)at(frame->context.registers.extended_state))->xstate_bv, 7);
    assert_int_equal(registers.pkru, PKRU_START);
    handler_returns(task);
    assert_int_equal(registers.pkru, 0);
}

static void processors_without_xsave(void **state)
{
    struct signal_frame *frame;
    uint8_t xmm[256];

    (void)state;
    fpu_format = (struct fpu_format){
        .features = XCR0_X87 | XCR0_SSE, .bytes = 512, .mxcsr_mask = 0xffff, .xsave = false};
    live()->xstate_bv = 0;
    memcpy(xmm, live()->xmm, sizeof(xmm));
    frame = in_handler();
    assert_int_equal(frame->context.flags, 6);
    assert_int_equal(frame->context.registers.extended_state,
                     ALIGN_DOWN(STACK_TOP_HERE - 128 - 512, 64));
    assert_memory_equal(((struct area *)at(frame->context.registers.extended_state))->xmm, xmm,
                        sizeof(xmm));
    registers_fill(200);
    handler_returns(task);
    assert_memory_equal(live()->xmm, xmm, sizeof(xmm));
    assert_int_equal(live()->mxcsr, 0x1fa0);
    /* And with reserved bits in MXCSR. */
    frame = in_handler();
    ((struct area *)at(frame->context.registers.extended_state))->mxcsr = 0x10000;
    handler_returns(task);
    assert_int_equal(task->signals.forced.signal, SIGSEGV);
    assert_int_equal(live()->mxcsr, FPU_MXCSR_START);
}

static void bad_frames_are_sigsegv(void **state)
{
    static const struct {
        uint64_t rsp; /* from the user's base */
        bool absolute;
    } rows[] = {
        {8 + PAGES * PAGE_SIZE - 100,  false},
        {8 + PAGES * PAGE_SIZE,        false},
        {8 + 5 * PAGE_SIZE - 200,      false}, /* runs into an absent page */
        {0,                            true },
        {8,                            true },
        {UINT64_C(0x7fffffffffff),     true },
        {UINT64_C(0xffffffff80000000), true },
        {UINT64_C(0x8000000000000000), true },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        struct trap_frame before;
        start(NULL);
        user.rights[5] = ABSENT;
        handle(task, SIGSEGV, SA_SIGINFO | SA_ONSTACK, 0);
        assert_int_equal(altstack(user.base + 2 * PAGE_SIZE, 0, PAGE_SIZE), 0);
        task->frame.rsp = rows[i].absolute ? rows[i].rsp : user.base + rows[i].rsp;
        task->signals.trap_number = 3;
        task->signals.error_code = 4;
        task->signals.cr2 = 5;
        before = task->frame;
        assert_int_equal(sys_rt_sigreturn(task), 0);
        task->frame.rax = 0;
        assert_true(signal_deliver(task));
        assert_int_equal(entered(task), SIGSEGV);
        struct signal_frame *frame = frame_of(task);
        assert_int_equal(frame->info.code, SI_KERNEL);
        assert_int_equal(frame->info.words[0], 0);
        /* No exception happened: what the last one left is still there. */
        assert_int_equal(frame->context.registers.trap_number, 3);
        assert_int_equal(frame->context.registers.error_code, 4);
        assert_int_equal(frame->context.registers.cr2, 5);
        assert_int_equal(frame->context.registers.rsp, before.rsp);
        assert_int_equal(frame->context.registers.rip, before.rip);
        assert_int_equal(frame->context.registers.rax, 0);
        end(NULL);
    }
}

/* What comes behind the extended state is not looked at when that is bad. */
static void a_bad_frames_stack_does_not_count(void **state)
{
    struct signal_frame *frame;

    (void)state;
    assert_int_equal(altstack(ALT_AT, 0, ALT_BYTES), 0);
    for (unsigned bad = 0; bad < 2; bad++) {
        frame = in_handler();
        frame->context.stack.base = 0x70000;
        frame->context.stack.bytes = 4096 + bad;
        frame->context.registers.extended_state += bad;
        handler_returns(task);
        assert_int_equal(task->signals.stack.bytes, 4096);
    }
}

/* A frame whose mask blocks SIGSEGV and whose state is bad: the mask counts already. */
static void a_bad_frames_mask_counts(void **state)
{
    struct signal_frame *frame;

    (void)state;
    handle(task, SIGSEGV, 0, 0);
    frame = in_handler();
    frame->context.mask = ~UINT64_C(0);
    frame->context.registers.extended_state = 1;
    handler_returns(task);
    assert_false(signal_deliver(task));
    assert_int_equal(task->exit_status, SIGSEGV);
}

static uint64_t random_state = 88172645463325252;
static uint64_t random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/*
 * Any bytes whatever: the task is dead, or has registers that ring 3 may have. Half of the frames are good ones of which
 * some words were changed, since a frame of random words alone seldom gets far.
 */
static void garbage_frames_do_no_harm(void **state)
{
    unsigned dead = 0, handled = 0, fine = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        start(NULL);
        for (int signal = 1; signal <= SIGNALS; signal++) {
            if (random_word() % 2) {
                handle(task, signal, random_word() & (SA_SIGINFO | SA_ONSTACK | SA_NODEFER),
                       random_word() & ~(SET(SIGKILL) | SET(SIGSTOP)));
            }
        }
        if (random_word() % 2) {
            (void)altstack(user.base + random_word() % 0x1000, 0,
                           MINSIGSTKSZ + random_word() % 0x1000);
        }
        handle(task, SIGUSR1, SA_SIGINFO | SA_RESTORER, 0);
        send(task, SIGUSR1);
        assert_true(signal_deliver(task));
        uint8_t *bytes = at(task->frame.rsp);
        uint64_t size = (uint64_t)(user.bytes + 4 * PAGE_SIZE - bytes);
        unsigned changes = round % 2 ? (unsigned)(size / 8) : (unsigned)(random_word() % 12);
        for (unsigned i = 0; i < changes; i++) {
            uint64_t word = random_word();
            uint64_t offset = round % 2 ? i * 8u : word % (i % 2 ? size - 8 : 440);
            word = random_word();
            if (word % 3 == 0) {
                word = user.base + random_word() % sizeof(user.bytes);
            }
            memcpy(bytes + offset, &word, 8);
        }
        task->frame.rax = (uint64_t)handler_returns(task);
        if (!signal_deliver(task)) {
            assert_in_set((unsigned long)task->state,
                          ((unsigned long[]){TASK_ZOMBIE, TASK_STOPPED}), 2);
            dead++;
            end(NULL);
            continue;
        }
        entered(task) ? handled++ : fine++;
        assert_int_equal(task->frame.cs, SELECTOR_USER_CODE);
        assert_int_equal(task->frame.ss, SELECTOR_USER_DATA);
        assert_int_equal(task->frame.rflags & ~UINT64_C(0x50dd5), 0x202);
        assert_int_equal(task->signals.blocked & (SET(SIGKILL) | SET(SIGSTOP)), 0);
        assert_int_equal(task->signals.code_selector, LINUX_USER_CS);
        assert_int_equal(task->signals.stack_selector, LINUX_USER_DS);
        assert_int_equal(live()->mxcsr & ~fpu_format.mxcsr_mask, 0);
        assert_int_equal(live()->xstate_bv & ~fpu_format.features, 0);
        assert_false(signal_pending(&task->signals));
        end(NULL);
    }
    /* The mixture is one: each end is reached often. */
    assert_true(dead > 1000 && handled > 1000 && fine > 1000);
}

/* ---- exceptions ---------------------------------------------------------------------------------------------------- */

static void exceptions_become_linuxs_signals(void **state)
{
    static const struct {
        uint64_t vector, error, dr6;
        int signal, code;
        bool at_rip;
        uint64_t trap, shown; /* in the ucontext */
    } rows[] = {
        {VECTOR_DE,       0,    0,      SIGFPE,  FPE_INTDIV,  true,  0,  0   },
        {VECTOR_DB,       0,    0x4000, SIGTRAP, TRAP_TRACE,  true,  1,  0   },
        {VECTOR_DB,       0,    0x1,    SIGTRAP, TRAP_HWBKPT, true,  1,  0   },
        {VECTOR_DB,       0,    0,      SIGTRAP, TRAP_BRKPT,  true,  1,  0   },
        {VECTOR_BP,       0,    0,      SIGTRAP, SI_KERNEL,   false, 3,  0   },
        {VECTOR_UD,       0,    0,      SIGILL,  ILL_ILLOPN,  true,  6,  0   },
        {VECTOR_NP,       0x18, 0,      SIGBUS,  SI_KERNEL,   false, 11, 0x18},
        {VECTOR_SS,       0,    0,      SIGBUS,  SI_KERNEL,   false, 12, 0   },
        {VECTOR_GP,       0x42, 0,      SIGSEGV, SI_KERNEL,   false, 13, 0x42},
        {VECTOR_AC,       0,    0,      SIGBUS,  BUS_ADRALN,  false, 17, 0   },
        {RING3_BAD_FRAME, 0x77, 0,      SIGSEGV, SI_KERNEL,   false, 13, 0   },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        struct signal_frame *frame;
        start(NULL);
        task->signals.cr2 = 0x4444;
        handle(task, rows[i].signal, SA_SIGINFO, 0);
        assert_true(signal_exception(task, rows[i].vector, rows[i].error, rows[i].dr6));
        assert_true(signal_deliver(task));
        assert_int_equal(entered(task), rows[i].signal);
        frame = frame_of(task);
        assert_int_equal(frame->info.code, rows[i].code);
        assert_int_equal(frame->info.fault.address, rows[i].at_rip ? 0x400123 : 0);
        assert_int_equal(frame->context.registers.trap_number, rows[i].trap);
        assert_int_equal(frame->context.registers.error_code, rows[i].shown);
        assert_int_equal(frame->context.registers.cr2, 0x4444);
        end(NULL);
    }
    assert_false(signal_exception(task, VECTOR_NMI, 0, 0));
    assert_false(signal_exception(task, VECTOR_DF, 0, 0));
    assert_false(signal_exception(task, VECTOR_PF, 0, 0));
    assert_false(signal_exception(task, VECTOR_MC, 0, 0));
    assert_false(signal_exception(task, 0xf4, 0, 0));
}

static void floating_point_says_what_is_wrong(void **state)
{
    static const struct {
        uint32_t flag;
        int code;
    } rows[] = {
        {1,    FPE_FLTINV},
        {2,    FPE_FLTUND},
        {4,    FPE_FLTDIV},
        {8,    FPE_FLTOVF},
        {16,   FPE_FLTUND},
        {32,   FPE_FLTRES},
        {0x24, FPE_FLTDIV},
        {0,    0         }
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        for (unsigned sse = 0; sse < 2; sse++) {
            start(NULL);
            /* All flags are up, but those that are not the row's are masked. */
            live()->fsw = 0x3f;
            live()->fcw = (uint16_t)(0x37f & ~rows[i].flag);
            live()->mxcsr = 0x3f | (0x1f80 & ~(rows[i].flag << 7));
            handle(task, SIGFPE, SA_SIGINFO, 0);
            assert_true(signal_exception(task, sse ? VECTOR_XM : VECTOR_MF, 0, 0));
            assert_true(signal_deliver(task));
            assert_int_equal(entered(task), rows[i].code ? SIGFPE : 0);
            if (rows[i].code) {
                assert_int_equal(frame_of(task)->info.code, rows[i].code);
                assert_int_equal(frame_of(task)->context.registers.trap_number, sse ? 19 : 16);
            }
            end(NULL);
        }
    }
}

/* SIGCHLD that is ignored is not even pending where it is blocked. */
static void parents_are_told_what_they_want_to_hear(void **state)
{
    static const struct {
        uint64_t handler, flags;
        bool stops, ends;
    } rows[] = {
        {SIG_DFL, 0,            true,  true },
        {SIG_IGN, 0,            false, false},
        {HANDLER, 0,            true,  true },
        {HANDLER, SA_NOCLDSTOP, false, true },
        {HANDLER, SA_NOCLDWAIT, true,  true },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        for (unsigned ended = 0; ended < 2; ended++) {
            start(NULL);
            handle(task, SIGCHLD, rows[i].flags, 0);
            task->signals.action[SIGCHLD - 1].handler = rows[i].handler;
            task->signals.blocked = SET(SIGCHLD);
            task->state = TASK_WAITS_CHILD;
            signal_parent(child, ended ? CLD_EXITED : CLD_STOPPED, 5);
            assert_int_equal(task->state, TASK_READY); /* wait4 looks again in any case */
            assert_int_equal(signal_pending_set(&task->signals),
                             (ended ? rows[i].ends : rows[i].stops) ? SET(SIGCHLD) : 0);
            end(NULL);
        }
    }
    signal_parent(task, CLD_EXITED, 0); /* nobody's child */
}

static void children_are_reaped_where_nobody_asks(void **state)
{
    (void)state;
    assert_false(signal_reaps_children(&task->signals));
    handle(task, SIGCHLD, SA_NOCLDWAIT, 0);
    assert_true(signal_reaps_children(&task->signals));
    handle(task, SIGCHLD, 0, 0);
    assert_false(signal_reaps_children(&task->signals));
    task->signals.action[SIGCHLD - 1].handler = SIG_IGN;
    assert_true(signal_reaps_children(&task->signals));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(layouts_are_the_kernels),
        TEST(frame_is_what_the_kernel_writes),
        TEST(sigaction_keeps_what_linux_keeps),
        TEST(sigaction_errors_in_linuxs_order),
        TEST(only_a_page_under_way_is_waited_for),
        TEST(ignoring_discards_what_is_pending),
        TEST(sigprocmask_by_the_book),
        TEST(altstack_states),
        TEST(altstack_in_use_is_not_changed),
        TEST(kill_finds_whom_linux_finds),
        TEST(kill_says_who),
        TEST(standard_signals_are_there_once_and_others_count),
        TEST(a_fault_comes_first),
        TEST(signals_without_memory_come_without_cause),
        TEST(fork_inherits_all_but_what_is_pending),
        TEST(default_actions),
        TEST(fatal_signals_overtake),
        TEST(own_signals_come_first),
        TEST(stop_and_continue),
        TEST(waiting_tasks_wake_for_what_they_take),
        TEST(handlers_interrupt_system_calls),
        TEST(handler_is_entered_as_linux_does),
        TEST(causes_fill_what_belongs_to_them),
        TEST(flags_of_handlers),
        TEST(handlers_on_the_alternate_stack),
        TEST(at_the_alternate_stacks_base),
        TEST(alternate_stack_too_small_for_a_frame),
        TEST(alternate_stack_that_disarms_itself),
        TEST(frames_that_cannot_be_written),
        TEST(faults_that_are_blocked_or_ignored_kill),
        TEST(flags_and_masks_are_sanitised),
        TEST(selectors_that_nobody_has_are_gp),
        TEST(extended_state_on_the_way_back),
        TEST(pkru_comes_from_the_frame),
        TEST(processors_without_xsave),
        TEST(bad_frames_are_sigsegv),
        TEST(a_bad_frames_stack_does_not_count),
        TEST(a_bad_frames_mask_counts),
        TEST(garbage_frames_do_no_harm),
        TEST(exceptions_become_linuxs_signals),
        TEST(floating_point_says_what_is_wrong),
        TEST(parents_are_told_what_they_want_to_hear),
        TEST(children_are_reaped_where_nobody_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
