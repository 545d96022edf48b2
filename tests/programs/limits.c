/*
 * prlimit64: reading and setting limits, what it refuses, and inheritance by fork. (What the stack's limit does is
 * another program's subject.)
 */
#include "tests/programs/library/program.h"

static void show(const char *what, int resource)
{
    struct resource_limit limit = {0, 0};

    say("%s: %s", what, result_text(sys_prlimit64(0, resource, NULL, &limit)));
    if (limit.current == RLIM_INFINITY)
        say("  current: none");
    else
        say("  current: %lu", limit.current);
}

static void set(const char *what, int resource, uint64_t current, uint64_t maximum)
{
    const struct resource_limit limit = {current, maximum};

    say("%s: %s", what, result_text(sys_prlimit64(0, resource, &limit, NULL)));
}

int program(const struct program_start *start)
{
    struct resource_limit limit;
    struct resource_limit old;
    long pid;

    (void)start;
    show("stack", RLIMIT_STACK);
    show("core", RLIMIT_CORE);
    must("prlimit64", sys_prlimit64(0, RLIMIT_STACK, NULL, &limit));
    set("current above maximum", RLIMIT_DATA, 2 * PAGE, PAGE);
    say("a resource that there is not: %s", result_text(sys_prlimit64(0, 16, NULL, &limit)));
    say("a negative resource: %s", result_text(sys_prlimit64(0, -1, NULL, &limit)));
    say("from no page: %s",
        result_text(sys_prlimit64(0, RLIMIT_STACK, (const struct resource_limit *)8, NULL)));
    say("to no page: %s",
        result_text(sys_prlimit64(0, RLIMIT_STACK, NULL, (struct resource_limit *)8)));
    say("nothing at all: %s", result_text(sys_prlimit64(0, RLIMIT_STACK, NULL, NULL)));
    say("a process that there is not: %s",
        result_text(sys_prlimit64(0x3fffffff, RLIMIT_STACK, NULL, &limit)));
    say("by its own number: %s",
        result_text(sys_prlimit64(sys_getpid(), RLIMIT_STACK, NULL, &limit)));

    limit.current = 1 << 20;
    say("set and get the old: %s", result_text(sys_prlimit64(0, RLIMIT_STACK, &limit, &old)));
    say("the old one: %lu", old.current);
    show("stack", RLIMIT_STACK);
    pid = program_fork();
    if (pid == 0) {
        show("child", RLIMIT_STACK);
        limit.current = 2 << 20;
        must("prlimit64", sys_prlimit64(0, RLIMIT_STACK, &limit, NULL));
        show("child", RLIMIT_STACK);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    show("parent", RLIMIT_STACK);

    /* The address space's limit is looked at by mmap, mremap and brk. */
    set("address space of 64 pages", RLIMIT_AS, 64 * PAGE, RLIM_INFINITY);
    say("mmap: %s", result_hex(sys_mmap(0x10000000, 64 * PAGE, PROT_READ,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
    set("without a limit", RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
    say("mmap: %s", result_hex(sys_mmap(0x10000000, 64 * PAGE, PROT_READ,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
    set("address space of 64 pages, which are in use", RLIMIT_AS, 64 * PAGE, RLIM_INFINITY);
    say("mremap, larger: %s", result_hex(sys_mremap(0x10000000, 64 * PAGE, 65 * PAGE, 0, 0)));
    say("mremap, smaller: %s", result_hex(sys_mremap(0x10000000, 64 * PAGE, 60 * PAGE, 0, 0)));
    uint64_t end = (uint64_t)sys_brk(0);
    say("brk: %s", (uint64_t)sys_brk(end + PAGE) == end ? "refused" : "done");
    say("mmap over itself: %s",
        result_hex(sys_mmap(0x10000000, 60 * PAGE, PROT_READ,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
    return 0;
}
