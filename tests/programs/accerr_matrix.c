/*
 * Every access to every protection: read, write and execute by the program, reads and writes by the kernel, on all
 * kinds of mapping, untouched and with its page there. One line for each protection, state and kind of mapping;
 * "ACCERR 7": SIGSEGV SEGV_ACCERR with that error code. Memory that nothing was written to holds zeros. They are code
 * as well, "add %al, (%rax)", which writes to the beginning of its own page, up to a RET on the next page; where an
 * executable page may not be written, that write is what is refused. What PROT_EXEC alone allows depends on the
 * processor's protection keys: exec_only shows it, and data accesses to it are left out here.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

enum kind { PRIVATE_ANONYMOUS, SHARED_ANONYMOUS, PRIVATE_FILE, SHARED_FILE, KINDS };
enum state { UNTOUCHED, READ_BEFORE, WRITTEN_BEFORE, STATES };

static const char *const kinds[KINDS] = {"private anonymous", "shared anonymous", "private file",
                                         "shared file"};
static const char *const states[STATES] = {"untouched", "read", "written"};
static int file;
static int ends[2];
static int sink;

/* A page of that kind whose history is @state and whose protection now is @protection. */
static void make(enum kind kind, enum state state, int protection)
{
    int first = state == UNTOUCHED ? protection : PROT_READ | PROT_WRITE;
    bool private = kind == PRIVATE_ANONYMOUS || kind == PRIVATE_FILE;

    if (kind == PRIVATE_ANONYMOUS || kind == SHARED_ANONYMOUS)
        map_at(AREA, 1, first, private ? MAP_PRIVATE : MAP_SHARED);
    else
        file_map(AREA, 1, first, private ? MAP_PRIVATE : MAP_SHARED, file, 0);
    if (state == READ_BEFORE)
        load8(AREA);
    if (state == WRITTEN_BEFORE)
        put_code(AREA);
    if (state != UNTOUCHED)
        must("mprotect", sys_mprotect(AREA, PAGE, protection));
}

static const char *outcome(const struct access *access)
{
    static char texts[4][16];
    static unsigned next;
    char *text = texts[next++ % 4];
    const char *word = code_text(access->signal, access->code) + 5; /* behind "SEGV_" */
    unsigned i;

    if (access->signal == 0)
        return "ok";
    if (access->signal != SIGSEGV || access->address != access->cr2 || access->trap != 14 ||
        access->address != AREA)
        return "strange";
    for (i = 0; word[i] && i < 8; i++)
        text[i] = word[i];
    text[i++] = ' ';
    if (access->error > 15)
        text[i++] = (char)('0' + access->error / 16);
    text[i++] = "0123456789abcdef"[access->error % 16];
    text[i] = 0;
    return text;
}

static const char *kernel_read(void)
{
    long result = sys_write(ends[1], AREA, 1);

    if (result == 1)
        pipe_await(ends);
    return result == 1 ? "ok" : result_text(result);
}

static const char *kernel_write(void)
{
    long result = sys_pread64(sink, AREA, 1, 0);

    return result == 1 ? "ok" : result_text(result);
}

int program(const struct program_start *start)
{
    (void)start;
    file = file_make("pages", 1, 0xc3); /* ret: it can be called */
    sink = file_make("code", 1, 0xc3);
    pipe_make(ends);
    store8(map_at(AREA + PAGE, 1, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE), 0xc3);
    must("mprotect", sys_mprotect(AREA + PAGE, PAGE, PROT_READ | PROT_EXEC));
    for (int kind = 0; kind < KINDS; kind++) {
        for (int state = 0; state < STATES; state++) {
            for (int protection = 0; protection < 8; protection++) {
                bool execute_only = protection == PROT_EXEC;
                const char *by_kernel[2];
                struct access read = {0};
                struct access write;
                struct access execute = {0};

                /* A fresh page for each of them: one access must not prepare the next. */
                if (!execute_only) {
                    make((enum kind)kind, (enum state)state, protection);
                    read = access_read(AREA);
                    must("munmap", sys_munmap(AREA, PAGE));
                }
                make((enum kind)kind, (enum state)state, protection);
                write = execute_only ? (struct access){0} : access_write(AREA, 0xc3);
                must("munmap", sys_munmap(AREA, PAGE));
                make((enum kind)kind, (enum state)state, protection);
                if (execute_only && state != WRITTEN_BEFORE &&
                    (kind == PRIVATE_ANONYMOUS || kind == SHARED_ANONYMOUS))
                    execute.signal = -1;
                else
                    execute = access_execute(AREA);
                must("munmap", sys_munmap(AREA, PAGE));
                make((enum kind)kind, (enum state)state, protection);
                by_kernel[0] = execute_only ? "-" : kernel_read();
                must("munmap", sys_munmap(AREA, PAGE));
                make((enum kind)kind, (enum state)state, protection);
                by_kernel[1] = kernel_write();
                must("munmap", sys_munmap(AREA, PAGE));

                say("%-17s %-9s %c%c%c  read %-9s  write %-9s  execute %-9s  kernel read %-7s  "
                    "write %s",
                    kinds[kind], states[state], protection & PROT_READ ? 'r' : '-',
                    protection & PROT_WRITE ? 'w' : '-', protection & PROT_EXEC ? 'x' : '-',
                    execute_only ? "-" : outcome(&read), execute_only ? "-" : outcome(&write),
                    execute.signal < 0 ? "-" : outcome(&execute), by_kernel[0], by_kernel[1]);
            }
        }
    }
    return 0;
}
