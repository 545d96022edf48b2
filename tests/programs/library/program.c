/*
 * The programs' library: see program.h.
 */
#include <stdarg.h>
#include "tests/programs/library/program.h"

/* ---- start and end ------------------------------------------------------------------------------------ */

static const struct auxiliary *auxiliary;
static uint64_t first_stack_pointer;

struct program_header { /* Elf64_Phdr */
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};
#define PT_LOAD    1
#define PT_DYNAMIC 2
#define PF_W       2

uint64_t auxiliary_value(uint64_t type, bool *found)
{
    for (const struct auxiliary *entry = auxiliary; entry->type != AT_NULL; entry++) {
        if (entry->type == type) {
            if (found)
                *found = true;
            return entry->value;
        }
    }
    if (found)
        *found = false;
    return 0;
}

#ifdef __PIE__
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* A static PIE relocates itself: add where it lies to every R_X86_64_RELATIVE. Must not use tables of pointers. */
static void relocate(void)
{
    const struct {
        uint8_t identity[16];
        uint16_t type;
        uint16_t machine;
        uint32_t version;
        uint64_t entry;
        uint64_t headers;
        uint64_t sections;
        uint32_t flags;
        uint16_t size;
        uint16_t header_size;
        uint16_t header_count;
    } *file = (const void *)__ehdr_start;
    uint64_t base = (uint64_t)__ehdr_start;
    const struct program_header *header = (const void *)(base + file->headers);
    const struct auxiliary *dynamic = NULL; /* the same layout: a tag and a value */
    uint64_t table = 0;
    uint64_t size = 0;

    for (int i = 0; i < file->header_count; i++) {
        if (header[i].type == PT_DYNAMIC)
            dynamic = (const void *)(base + header[i].address);
    }
    for (; dynamic && dynamic->type; dynamic++) {
        if (dynamic->type == 7) /* DT_RELA */
            table = base + dynamic->value;
        if (dynamic->type == 8) /* DT_RELASZ */
            size = dynamic->value;
    }
    for (uint64_t at = table; at < table + size; at += 24) {
        uint64_t place = base + load64(at);

        if (load64(at + 8) == 8) /* R_X86_64_RELATIVE */
            store64(place, base + load64(at + 16));
    }
}
#else
static void relocate(void)
{
}
#endif

void warm_up(void)
{
    uint64_t count = auxiliary_value(AT_PHNUM, NULL);
    const struct program_header *header = (const void *)auxiliary_value(AT_PHDR, NULL);
    /* The first segment begins with the file's header, which ends where the program headers begin. */
    uint64_t lowest = ~0UL;
    uint64_t here = (uint64_t)__builtin_frame_address(0) & ~(PAGE - 1);
    uint64_t bias;

    for (uint64_t i = 0; i < count; i++) {
        if (header[i].type == PT_LOAD && header[i].address < lowest)
            lowest = header[i].address;
    }
    bias = ((uint64_t)header & ~(PAGE - 1)) - (lowest & ~(PAGE - 1));
    for (uint64_t i = 0; i < count; i++) {
        if (header[i].type != PT_LOAD)
            continue;
        uint64_t end = bias + header[i].address + header[i].memory_size;
        for (uint64_t at = (bias + header[i].address) & ~(PAGE - 1); at < end; at += PAGE) {
            uint8_t byte = load8(at);
            if (header[i].flags & PF_W)
                store8(at, byte);
        }
    }
    for (uint64_t at = first_stack_pointer & ~(PAGE - 1); at >= here - 16 * PAGE; at -= PAGE)
        store8(at, load8(at));
}

/*
 * Initialised data followed by zeroed data, in every program: a loader that maps the file's part of the segment and
 * forgets to clear the rest of its last page, or the pages beyond, is found out at once.
 */
static volatile uint64_t data_mark = 0x600dda7a600dda7a;
static volatile uint64_t zeroed[PAGE / 4];

static void check_segments(void)
{
    if (data_mark != 0x600dda7a600dda7a)
        say("initialised data is wrong: 0x%lx", data_mark);
    for (unsigned i = 0; i < sizeof(zeroed) / sizeof(zeroed[0]); i++) {
        if (zeroed[i]) {
            say("zeroed data is wrong at %u: 0x%lx", i, zeroed[i]);
            break;
        }
    }
}

extern const uint64_t start_registers[15] __attribute__((visibility("hidden")));

/* Called by _start only. */
_Noreturn void program_begin(uint64_t *stack);

_Noreturn void program_begin(uint64_t *stack)
{
    struct program_start start;
    char **environment;

    relocate();
    start.argument_count = (long)stack[0];
    start.arguments = (char **)(stack + 1);
    start.environment = environment = start.arguments + start.argument_count + 1;
    while (*environment)
        environment++;
    start.auxiliary = auxiliary = (const struct auxiliary *)(environment + 1);
    start.stack_pointer = first_stack_pointer = (uint64_t)stack;
    start.registers = start_registers;
    warm_up();
    check_segments();
    program_exit(program(&start));
}

_Noreturn void program_exit(int status)
{
    log_flush();
    for (;;)
        sys_exit_group(status);
}

long must(const char *step, long result)
{
    if (result < 0 && result >= -4095) {
        say("%s: %s, which was not planned", step, result_text(result));
        program_exit(1);
    }
    return result;
}

_Noreturn void program_lacks(const char *feature)
{
    say("lacks %s", feature);
    program_exit(0);
}

/* ---- log ---------------------------------------------------------------------------------------------- */

static char log_text[8192];
static unsigned long log_used;

void log_flush(void)
{
    unsigned long done = 0;

    while (done < log_used) {
        long written = sys_write(1, (uint64_t)log_text + done, log_used - done);
        if (written <= 0)
            break; /* nobody listens: nothing else could be done about it */
        done += (unsigned long)written;
    }
    log_used = 0;
}

/* Where text goes; what does not fit is cut off. */
struct text {
    char *to;
    unsigned long room;
};

static void put(struct text *text, char c)
{
    if (text->room > 1) {
        *text->to++ = c;
        text->room--;
    }
}

static void put_padded(struct text *text, const char *word, unsigned long length,
                       unsigned long width, bool left, char pad)
{
    for (unsigned long i = length; !left && i < width; i++)
        put(text, pad);
    for (unsigned long i = 0; i < length; i++)
        put(text, word[i]);
    for (unsigned long i = length; left && i < width; i++)
        put(text, ' ');
}

static unsigned long text_length(const char *word)
{
    unsigned long length = 0;

    while (word[length])
        length++;
    return length;
}

static void put_number(struct text *text, uint64_t number, unsigned base, bool minus,
                       unsigned long width, bool left, char pad)
{
    char digits[24];
    unsigned at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    if (minus)
        digits[--at] = '-';
    put_padded(text, digits + at, sizeof(digits) - at, width, left, pad);
}

static void format_list(struct text *text, const char *format, va_list list)
{
    for (; *format; format++) {
        bool left = false;
        bool wide = false;
        char pad = ' ';
        unsigned long width = 0;

        if (*format != '%') {
            put(text, *format);
            continue;
        }
        for (format++; *format == '-' || *format == '0'; format++) {
            left |= *format == '-';
            if (*format == '0')
                pad = '0';
        }
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (unsigned long)(*format - '0');
        for (; *format == 'l'; format++)
            wide = true;
        if (*format == 's') {
            const char *word = va_arg(list, const char *);
            put_padded(text, word, text_length(word), width, left, ' ');
        } else if (*format == 'c') {
            put(text, (char)va_arg(list, int));
        } else if (*format == 'd') {
            long value = wide ? va_arg(list, long) : va_arg(list, int);
            put_number(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0, width,
                       left, pad);
        } else if (*format == 'u' || *format == 'x') {
            unsigned long value = wide ? va_arg(list, unsigned long) : va_arg(list, unsigned);
            put_number(text, value, *format == 'x' ? 16 : 10, false, width, left, pad);
        } else {
            put(text, *format);
        }
    }
}

void say(const char *format, ...)
{
    va_list list;
    struct text text;

    if (sizeof(log_text) - log_used < 2048)
        log_flush();
    text.to = log_text + log_used;
    text.room = sizeof(log_text) - log_used;
    va_start(list, format);
    format_list(&text, format, list);
    va_end(list);
    *text.to++ = '\n';
    log_used = (unsigned long)(text.to - log_text);
}

/* One of 8 rooms for texts, in turn. */
static char *room(void)
{
    static char rooms[8][64];
    static unsigned next;

    return rooms[next++ % 8];
}

static const char *make_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *make_text(const char *format, ...)
{
    char *result = room();
    struct text text = {result, 64};
    va_list list;

    va_start(list, format);
    format_list(&text, format, list);
    va_end(list);
    *text.to = 0;
    return result;
}

static const char *error_name(long number)
{
    static const char *const names[] = {
        [1] = "EPERM",   [2] = "ENOENT",     [3] = "ESRCH",       [4] = "EINTR",
        [5] = "EIO",     [6] = "ENXIO",      [7] = "E2BIG",       [8] = "ENOEXEC",
        [9] = "EBADF",   [10] = "ECHILD",    [11] = "EAGAIN",     [12] = "ENOMEM",
        [13] = "EACCES", [14] = "EFAULT",    [15] = "ENOTBLK",    [16] = "EBUSY",
        [17] = "EEXIST", [18] = "EXDEV",     [19] = "ENODEV",     [20] = "ENOTDIR",
        [21] = "EISDIR", [22] = "EINVAL",    [23] = "ENFILE",     [24] = "EMFILE",
        [25] = "ENOTTY", [26] = "ETXTBSY",   [27] = "EFBIG",      [28] = "ENOSPC",
        [29] = "ESPIPE", [30] = "EROFS",     [31] = "EMLINK",     [32] = "EPIPE",
        [33] = "EDOM",   [34] = "ERANGE",    [35] = "EDEADLK",    [36] = "ENAMETOOLONG",
        [38] = "ENOSYS", [75] = "EOVERFLOW", [95] = "EOPNOTSUPP",
    };

    if (number < (long)(sizeof(names) / sizeof(names[0])) && names[number])
        return names[number];
    return make_text("E%ld", number);
}

const char *result_text(long result)
{
    if (result < 0 && result >= -4095)
        return make_text("-%s", error_name(-result));
    return make_text("%ld", result);
}

const char *result_hex(long result)
{
    if (result < 0 && result >= -4095)
        return make_text("-%s", error_name(-result));
    return address_text((uint64_t)result);
}

static struct {
    const char *name;
    uint64_t base;
} bases[8];

void address_base(const char *name, uint64_t base)
{
    for (unsigned i = 0; i < 8; i++) {
        if (!bases[i].name || bases[i].name == name) {
            bases[i].name = name;
            bases[i].base = base;
            return;
        }
    }
    say("more than 8 bases");
    program_exit(1);
}

const char *address_text(uint64_t address)
{
    int nearest = -1;

    for (int i = 0; i < 8 && bases[i].name; i++) {
        if (address >= bases[i].base && address - bases[i].base < 1UL << 30 &&
            (nearest < 0 || bases[i].base >= bases[nearest].base))
            nearest = i;
    }
    if (nearest >= 0)
        return make_text("%s+0x%lx", bases[nearest].name, address - bases[nearest].base);
    return make_text("0x%lx", address);
}

const char *signal_text(int number)
{
    static const char *const names[] = {
        "none",    "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP", "SIGABRT",
        "SIGBUS",  "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE",
        "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",
    };

    if (number >= 0 && number < (int)(sizeof(names) / sizeof(names[0])))
        return names[number];
    return make_text("signal %d", number);
}

const char *code_text(int signal, int code)
{
    static const char *const segv[] = {NULL, "SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR",
                                       "SEGV_PKUERR"};
    static const char *const bus[] = {NULL, "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"};
    static const char *const child[] = {NULL, "CLD_EXITED", "CLD_KILLED", "CLD_DUMPED",
                                        "CLD_TRAPPED"};

    if (code == SI_KERNEL)
        return "SI_KERNEL";
    if (code == SI_USER)
        return "SI_USER";
    if (signal == SIGSEGV && code > 0 && code < 5)
        return segv[code];
    if (signal == SIGBUS && code > 0 && code < 4)
        return bus[code];
    if (signal == SIGCHLD && code > 0 && code < 5)
        return child[code];
    return make_text("code %d", code);
}

/* ---- memory ------------------------------------------------------------------------------------------- */

uint64_t map_at(uint64_t address, unsigned long pages, int protection, int flags)
{
    long result = must("mmap", sys_mmap(address, pages * PAGE, protection,
                                        flags | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));

    if ((uint64_t)result != address) {
        say("mmap went to 0x%lx, not to 0x%lx", (uint64_t)result, address);
        program_exit(1);
    }
    return address;
}

void fill(uint64_t address, unsigned long pages, uint8_t value)
{
    uint64_t count = pages * PAGE;

    __asm__ volatile("rep stosb" : "+D"(address), "+c"(count) : "a"(value) : "memory");
}

/* A line that is made piece by piece. */
static char line[1536];
static struct text line_begin(const char *what)
{
    struct text text = {line, sizeof(line)};

    put_padded(&text, what, text_length(what), 0, true, ' ');
    return text;
}

static void line_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void line_add(struct text *text, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    format_list(text, format, list);
    va_end(list);
}

static void line_end(struct text *text)
{
    *text->to = 0;
    say("%s", line);
}

void log_contents(const char *what, uint64_t address, unsigned long pages)
{
    struct text text = line_begin(what);

    line_add(&text, ": contents");
    for (unsigned long page = 0; page < pages; page++) {
        uint64_t first = address + page * PAGE;
        uint8_t byte = load8(first);
        unsigned long same = 1;

        while (same < PAGE && load8(first + same) == byte)
            same++;
        if (same == PAGE)
            line_add(&text, " %02x", byte);
        else
            line_add(&text, " mixed");
    }
    line_end(&text);
}

void log_bytes(const char *what, uint64_t address, unsigned long count)
{
    struct text text = line_begin(what);

    line_add(&text, ": bytes");
    for (unsigned long i = 0; i < count; i++)
        line_add(&text, " %02x", load8(address + i));
    line_end(&text);
}

void log_residency(const char *what, uint64_t address, unsigned long pages)
{
    static uint8_t resident[512];
    struct text text = line_begin(what);
    long result = sys_mincore(address, pages * PAGE, resident);

    if (result < 0) {
        line_add(&text, ": mincore %s", result_text(result));
    } else {
        line_add(&text, ": residency ");
        for (unsigned long i = 0; i < pages && i < sizeof(resident); i++)
            put(&text, resident[i] & 1 ? '1' : '.');
    }
    line_end(&text);
}

static uint64_t parse_hex(const char **at)
{
    uint64_t value = 0;

    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return value;
    }
}

void log_maps(const char *what, uint64_t from, uint64_t to)
{
    static char piece[512];
    static char one[512];
    unsigned long length = 0;
    long file = must("open /proc/self/maps", sys_open("/proc/self/maps", O_RDONLY));
    long got;

    say("%s: maps", what);
    while ((got = must("read /proc/self/maps",
                       sys_read((int)file, (uint64_t)piece, sizeof(piece)))) > 0) {
        for (long i = 0; i < got; i++) {
            if (piece[i] != '\n') {
                if (length < sizeof(one) - 1)
                    one[length++] = piece[i];
                continue;
            }
            one[length] = 0;
            length = 0;
            const char *at = one;
            uint64_t start = parse_hex(&at);
            at++; /* the hyphen */
            uint64_t end = parse_hex(&at);
            if (start < to && end > from)
                say("  %s", one);
        }
    }
    sys_close((int)file);
}

/* ---- one access, and what became of it ------------------------------------------------------------------ */

uint64_t access_enter(access_function *function, uint64_t a, uint64_t b);
extern const char access_recover[] __attribute__((visibility("hidden")));
extern uint64_t access_stack __attribute__((visibility("hidden")));

static struct access seen;
static bool armed;

static void access_handler(int signal, struct signal_info *info, struct signal_context *context)
{
    if (!armed) {
        say("%s in the library, which was not planned", signal_text(signal));
        program_exit(1);
    }
    armed = false;
    seen.signal = signal;
    seen.code = info->code;
    seen.address = info->address;
    seen.error = context->registers[REG_ERR];
    seen.trap = context->registers[REG_TRAPNO];
    seen.cr2 = context->registers[REG_CR2];
    seen.pkey = signal == SIGSEGV && info->code == SEGV_PKUERR ? info->pkey : 0;
    /* The access may have been made through a bad stack pointer, which not every processor lets IRET load. */
    context->registers[REG_RSP] = access_stack;
    context->registers[REG_RIP] = (uint64_t)access_recover;
}

struct access access_run(access_function *function, uint64_t a, uint64_t b)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    static struct signal_action before[5];
    const struct signal_action action = {access_handler, SA_SIGINFO | SA_RESTORER | SA_ONSTACK,
                                         signal_restorer, 0};
    long faults;

    seen = (struct access){0};
    for (unsigned i = 0; i < 5; i++)
        must("rt_sigaction", sys_rt_sigaction(signals[i], &action, &before[i]));
    faults = minor_faults();
    armed = true;
    seen.value = access_enter(function, a, b);
    armed = false;
    seen.faults = minor_faults() - faults;
    for (unsigned i = 0; i < 5; i++)
        must("rt_sigaction", sys_rt_sigaction(signals[i], &before[i], NULL));
    return seen;
}

static uint64_t read_function(uint64_t address, uint64_t unused)
{
    (void)unused;
    return load8(address);
}

static uint64_t write_function(uint64_t address, uint64_t value)
{
    store8(address, (uint8_t)value);
    return value;
}

struct access access_read(uint64_t address)
{
    return access_run(read_function, address, 0);
}

struct access access_write(uint64_t address, uint8_t value)
{
    return access_run(write_function, address, value);
}

struct access access_execute(uint64_t address)
{
    return access_run((access_function *)address, 0, 0);
}

void put_code(uint64_t address)
{
    static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3};

    for (unsigned i = 0; i < sizeof(code); i++)
        store8(address + i, code[i]);
}

void log_access_uncounted(const char *kind, uint64_t address, const struct access *access)
{
    struct access copy = *access;

    copy.faults = -1;
    log_access(kind, address, &copy);
}

void log_access(const char *kind, uint64_t address, const struct access *access)
{
    struct text text = line_begin(kind);

    line_add(&text, " %s: ", address_text(address));
    if (access->signal) {
        line_add(&text, "%s %s si_addr %s", signal_text(access->signal),
                 code_text(access->signal, access->code), address_text(access->address));
        if (access->signal == SIGSEGV && access->code == SEGV_PKUERR)
            line_add(&text, " si_pkey %u", access->pkey);
        line_add(&text, " err 0x%lx trapno %lu cr2 %s", access->error, access->trap,
                 address_text(access->cr2));
    } else {
        line_add(&text, "%02lx", access->value);
    }
    if (access->faults >= 0)
        line_add(&text, ", %ld fault%s", access->faults, access->faults == 1 ? "" : "s");
    line_end(&text);
}

struct access log_read(uint64_t address)
{
    struct access access = access_read(address);

    log_access("read", address, &access);
    return access;
}

struct access log_write(uint64_t address, uint8_t value)
{
    struct access access = access_write(address, value);

    log_access("write", address, &access);
    return access;
}

struct access log_execute(uint64_t address)
{
    struct access access = access_execute(address);

    log_access("execute", address, &access);
    return access;
}

void need_zero_page(void)
{
    uint64_t page = map_at(0x7000000, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    struct access access = access_read(page);

    access = access_write(page, 1);
    if (access.faults == 0)
        program_lacks("a shared zero page");
    must("munmap", sys_munmap(page, PAGE));
}

/* ---- counting faults ------------------------------------------------------------------------------------ */

long minor_faults(void)
{
    static struct resource_usage usage;

    must("getrusage", sys_getrusage(RUSAGE_SELF, &usage));
    return usage.minor_faults;
}

void log_faults(const char *what, long before)
{
    long count = minor_faults() - before;

    say("%s: %ld fault%s", what, count, count == 1 ? "" : "s");
}

/* ---- signals and children ------------------------------------------------------------------------------- */

long signal_install(int number, signal_handler *handler, uint64_t flags, uint64_t mask)
{
    const struct signal_action action = {handler, flags | SA_SIGINFO | SA_RESTORER, signal_restorer,
                                         mask};

    return sys_rt_sigaction(number, &action, NULL);
}

long program_fork(void)
{
    log_flush();
    long pid = must("fork", sys_fork());
    warm_up();
    return pid;
}

int wait_for(long pid)
{
    int status = -1;
    long result = sys_wait4(pid, &status, 0, NULL);

    if (result != pid) {
        say("wait4: %s, which was not planned", result_text(result));
        program_exit(1);
    }
    return status;
}

void log_wait(const char *what, int status)
{
    if (WTERMINATING(status))
        say("%s: killed by %s", what, signal_text(WTERMINATING(status)));
    else
        say("%s: exit status %d", what, WEXITED_STATUS(status));
}

void pipe_make(int ends[2])
{
    must("pipe", sys_pipe(ends));
}

void pipe_signal(const int ends[2])
{
    static const char byte = 1;

    log_flush();
    must("write to pipe", sys_write(ends[1], (uint64_t)&byte, 1));
}

void pipe_await(const int ends[2])
{
    static char byte;

    if (must("read from pipe", sys_read(ends[0], (uint64_t)&byte, 1)) != 1) {
        say("the pipe is at its end, which was not planned");
        program_exit(1);
    }
}
