/*
 * The first process of the system that tools/record boots: runs each program that /list names, by itself and in
 * turn, and says on the serial line what came of it:
 *
 *   @@ version Linux version 6.1.0 ...
 *   @@ begin NAME
 *   (what the program wrote)
 *   @@ end NAME 0        the wait status, in decimal
 *   @@ done
 *
 * On the programs' library, with the few system calls more that only a first process needs.
 */
#include "tests/programs/library/program.h"

enum {
    SYS_EXECVE = 59,
    SYS_MKDIR = 83,
    SYS_MOUNT = 165,
    SYS_REBOOT = 169,
};
#define O_WRONLY 1

static uint64_t number(const void *pointer)
{
    return (uint64_t)pointer;
}

/* Write @text to the file @path of /proc/sys. */
static void set(const char *path, const char *text)
{
    uint64_t length = 0;
    int file = (int)must(path, sys_open(path, O_WRONLY));

    while (text[length])
        length++;
    must(path, sys_write(file, number(text), length));
    sys_close(file);
}

/* Read all of the small file @path into @text, as a string. */
static void get(const char *path, char *text, unsigned long size)
{
    int file = (int)must(path, sys_open(path, O_RDONLY));
    unsigned long used = 0;
    long got;

    while (used < size - 1 &&
           (got = must(path, sys_read(file, number(text) + used, size - 1 - used))) > 0)
        used += (unsigned long)got;
    text[used] = 0;
    sys_close(file);
}

static void run(const char *name)
{
    static char path[128];
    const char *arguments[] = {name, NULL};
    const char *environment[] = {NULL};
    const char folder[] = "/programs/";
    unsigned long length = sizeof(folder) - 1;
    int status;

    for (unsigned long i = 0; i < length; i++)
        path[i] = folder[i];
    for (unsigned long i = 0; name[i] && length < sizeof(path) - 1; i++)
        path[length++] = name[i];
    path[length] = 0;
    say("@@ begin %s", name);
    long pid = program_fork();
    if (pid == 0) {
        long result = syscall3(SYS_EXECVE, number(path), number(arguments), number(environment));
        say("execve %s: %s", path, result_text(result));
        program_exit(127);
    }
    status = wait_for(pid);
    /* Orphans are ours now: they end before the next program begins. */
    while (sys_wait4(-1, NULL, 0, NULL) > 0)
        continue;
    say("@@ end %s %d", name, status);
    log_flush();
}

int program(const struct program_start *start)
{
    static char text[8192];
    char *word = text;

    (void)start;
    must("mkdir /proc", syscall3(SYS_MKDIR, number("/proc"), 0555, 0));
    must("mount /proc",
         syscall6(SYS_MOUNT, number("proc"), number("/proc"), number("proc"), 0, 0, 0));
    set("/proc/sys/vm/max_map_count", "262144");
    get("/proc/version", text, sizeof(text));
    say("@@ version %s", text); /* has a line end of its own */
    get("/list", text, sizeof(text));
    for (char *at = text; *at; at++) {
        if (*at == '\n') {
            *at = 0;
            run(word);
            word = at + 1;
        }
    }
    say("@@ done");
    log_flush();
    syscall6(SYS_REBOOT, 0xfee1dead, 672274793, 0x01234567, 0, 0, 0);
    return 1; /* the kernel panics when its first process ends: visible, and never the case */
}
