/*
 * Protection keys: allocation, pages with a key, PKRU written by the program, SEGV_PKUERR with the key, EFAULT where
 * the key denies the kernel, and what PKRU is in a handler and behind sigreturn.
 */
#include "tests/programs/library/file.h"

#define AREA 0x10000000UL

static uint32_t read_pkru(void)
{
    uint32_t value;

    __asm__ volatile("rdpkru" : "=a"(value) : "c"(0) : "edx");
    return value;
}

static void write_pkru(uint32_t value)
{
    __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

static uint32_t denied(int key, uint32_t rights)
{
    return (read_pkru() & ~(3U << 2 * key)) | rights << 2 * key;
}

static uint32_t pkru_in_handler;
static struct signal_info info_in_handler;

static void handler(int signal, struct signal_info *info, struct signal_context *context)
{
    (void)signal;
    pkru_in_handler = read_pkru();
    info_in_handler = *info;
    /* The handler's own change of PKRU is lost: sigreturn brings back what the frame holds. */
    write_pkru(0);
    (void)context;
    must("mprotect", sys_pkey_mprotect(AREA, PAGE, PROT_READ | PROT_WRITE, 0));
}

static void log_kernel(const char *what, int file, uint64_t address)
{
    static int ends[2];

    if (!ends[1])
        pipe_make(ends);
    long result = sys_write(ends[1], address, 1);
    if (result == 1)
        pipe_await(ends);
    say("%s: read by the kernel %s, written by it %s", what, result_text(result),
        result_text(sys_pread64(file, address, 1, 0)));
}

int program(const struct program_start *start)
{
    int file = file_make("pages", 4, 0x10);
    int key;
    int denying;
    long child;

    (void)start;
    key = (int)sys_pkey_alloc(0, 0);
    if (key < 0)
        program_lacks("protection keys (PKU)");
    say("PKRU: 0x%x", read_pkru() & ~(3U << 2 * key));
    say("pkey_alloc: %d", key);
    say("PKRU of key %d: %u", key, read_pkru() >> 2 * key & 3);
    denying = (int)sys_pkey_alloc(0, PKEY_DISABLE_ACCESS);
    say("pkey_alloc denying access: %d, PKRU %u", denying, read_pkru() >> 2 * denying & 3);
    say("pkey_alloc with flags 1: %s", result_text(sys_pkey_alloc(1, 0)));
    say("pkey_alloc with rights 4: %s", result_text(sys_pkey_alloc(0, 4)));

    map_at(AREA, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    store8(AREA, 0x11);
    say("pkey_mprotect: %s",
        result_text(sys_pkey_mprotect(AREA, 2 * PAGE, PROT_READ | PROT_WRITE, key)));
    log_read(AREA);
    log_write(AREA, 0x12);
    say("write denied");
    write_pkru(denied(key, PKEY_DISABLE_WRITE));
    log_read(AREA);
    log_write(AREA, 0x13);
    log_read(AREA + PAGE);
    log_write(AREA + PAGE, 1);
    log_kernel("page 0", file, AREA);
    say("access denied");
    write_pkru(denied(key, PKEY_DISABLE_ACCESS));
    log_read(AREA);
    log_write(AREA, 0x14);
    log_kernel("page 0", file, AREA);
    log_residency("pages 0 and 1", AREA, 2);
    log_read(AREA + 2 * PAGE);
    say("untouched, access denied");
    must("madvise", sys_madvise(AREA, 2 * PAGE, MADV_DONTNEED));
    log_read(AREA + PAGE);
    log_write(AREA + PAGE, 1);
    log_residency("pages 0 and 1", AREA, 2);
    log_kernel("page 1", file, AREA + PAGE);
    say("MADV_POPULATE_READ: %s", result_text(sys_madvise(AREA, 2 * PAGE, MADV_POPULATE_READ)));

    /* Not allowed for two reasons: the key comes first. */
    say("read-only and access denied");
    must("pkey_mprotect", sys_pkey_mprotect(AREA, PAGE, PROT_READ, key));
    log_write(AREA, 1);
    write_pkru(denied(key, 0));
    log_read(AREA);
    log_write(AREA, 1);
    write_pkru(denied(key, PKEY_DISABLE_WRITE));
    log_write(AREA, 1);
    say("PROT_NONE and access denied");
    write_pkru(denied(key, PKEY_DISABLE_ACCESS));
    must("pkey_mprotect", sys_pkey_mprotect(AREA, PAGE, PROT_NONE, key));
    log_read(AREA);
    say("nothing there");
    log_read(AREA + 16 * PAGE);

    /* Execution does not ask the key; mprotect keeps it, pkey_mprotect with -1 as well. */
    say("execution");
    write_pkru(denied(key, 0));
    must("pkey_mprotect", sys_pkey_mprotect(AREA, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, key));
    put_code(AREA);
    write_pkru(denied(key, PKEY_DISABLE_ACCESS));
    log_execute(AREA);
    must("mprotect", sys_mprotect(AREA, PAGE, PROT_READ));
    log_read(AREA);
    say("pkey_mprotect with key -1: %s",
        result_text(sys_pkey_mprotect(AREA, PAGE, PROT_READ | PROT_WRITE, -1)));
    log_read(AREA);
    say("pkey_mprotect with key 0: %s", result_text(sys_pkey_mprotect(AREA, PAGE, PROT_READ, 0)));
    log_read(AREA);

    /* Files. */
    say("file");
    file_map(AREA + 32 * PAGE, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must("pkey_mprotect",
         sys_pkey_mprotect(AREA + 32 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, denying));
    log_read(AREA + 32 * PAGE);
    log_kernel("file", file, AREA + 32 * PAGE);

    /* In a handler PKRU is Linux's first value, which denies all keys but 0; sigreturn brings back the old one. */
    say("handler");
    must("pkey_mprotect", sys_pkey_mprotect(AREA, PAGE, PROT_READ | PROT_WRITE, key));
    must("rt_sigaction", signal_install(SIGSEGV, handler, 0, 0));
    store8(AREA, 0x77);
    say("%s si_pkey %u si_addr %s", code_text(SIGSEGV, info_in_handler.code), info_in_handler.pkey,
        address_text(info_in_handler.address));
    say("PKRU in the handler: 0x%x", pkru_in_handler);
    say("PKRU of key %d afterwards: %u", key, read_pkru() >> 2 * key & 3);
    log_read(AREA);

    /* A child has the parent's keys and PKRU. */
    child = program_fork();
    if (child == 0) {
        say("PKRU of keys %d and %d in the child: %u %u", key, denying, read_pkru() >> 2 * key & 3,
            read_pkru() >> 2 * denying & 3);
        log_read(AREA + 32 * PAGE);
        say("pkey_free in the child: %s", result_text(sys_pkey_free(key)));
        program_exit(0);
    }
    log_wait("child", wait_for(child));

    /* Freed keys stay in pages and in PKRU. Errors. */
    say("pkey_free: %s", result_text(sys_pkey_free(denying)));
    log_read(AREA + 32 * PAGE);
    say("pkey_free again: %s", result_text(sys_pkey_free(denying)));
    say("pkey_mprotect with a freed key: %s",
        result_text(sys_pkey_mprotect(AREA, PAGE, PROT_READ, denying)));
    say("pkey_mprotect with key 16: %s", result_text(sys_pkey_mprotect(AREA, PAGE, PROT_READ, 16)));
    say("pkey_mprotect with key -2: %s", result_text(sys_pkey_mprotect(AREA, PAGE, PROT_READ, -2)));
    say("pkey_mprotect where nothing is: %s",
        result_text(sys_pkey_mprotect(AREA + 16 * PAGE, PAGE, PROT_READ, key)));
    say("pkey_free of 0: %s", result_text(sys_pkey_free(0)));
    say("pkey_free of 0 again: %s", result_text(sys_pkey_free(0)));
    say("pkey_free of -1: %s", result_text(sys_pkey_free(-1)));
    say("pkey_free of 16: %s", result_text(sys_pkey_free(16)));
    say("pkey_alloc: %s", result_text(sys_pkey_alloc(0, 0)));
    for (int i = 0; i < 20; i++) {
        long result = sys_pkey_alloc(0, 0);
        if (result < 0) {
            say("pkey_alloc until none is left: %d more, then %s", i, result_text(result));
            break;
        }
    }
    return 0;
}
