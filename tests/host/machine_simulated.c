/*
 * machine_simulated.c: see machine_simulated.h. The functions of fault/uaccess.S are here, too, so that
 * core's own uaccess.c runs above them.
 */
#include "tests/host/machine_simulated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/fixup.h"
#include "fault/layout.h"
#include "fault/uaccess.h"
#include "fault/uaccess_raw.h"
#include "mm/vmalloc.h"
#include "x86/exception.h"

struct machine simulated;

static struct cpu simulated_cpu;
static uint8_t *arena;
static size_t arena_bytes;

struct cpu *cpu_current(void)
{
    return &simulated_cpu;
}

uint32_t pkru_simulated(void)
{
    return simulated.pkru;
}

/* Something that only a broken test or simulation can come to. */
static void stop(const char *why)
{
    fprintf(stderr, "simulated machine: %s\n", why);
    abort();
}

void machine_start(size_t frames, unsigned levels)
{
    const size_t bytes = (frames + 1) * PAGE_SIZE;

    if (bytes != arena_bytes) {
        free(arena);
        arena = aligned_alloc(PAGE_SIZE, bytes);
        if (!arena) {
            stop("no memory");
        }
        memset(arena, 0xa5, bytes);
        arena_bytes = bytes;
    }
    /* The reference root is nobody's frame: world's own lies outside the programs' pool, too. */
    memset(arena, 0, PAGE_SIZE);
    phys_set(MACHINE_BASE, bytes, (uintptr_t)arena);
    simulated_cpu = (struct cpu){.self = &simulated_cpu, .resolver = mm_resolve};
    simulated = (struct machine){.rsp = 0x7fffffffe000, .rip = 0x401000};
    fault_keys_on = true;
    uaccess_configure(true, levels);
    tlb_simulated_start(MACHINE_BASE, levels);
    if (memory_init(MACHINE_BASE + PAGE_SIZE, bytes - PAGE_SIZE) != STATUS_OK ||
        mm_start(MACHINE_BASE, levels) != STATUS_OK) {
        stop("it does not start");
    }
}

size_t machine_left(void)
{
    /* The zero page stays. */
    return memory.frames.frames - memory.frames.free - 1 + !LIST_EMPTY(&all_mms) +
           !LIST_EMPTY(&all_page_caches);
}

size_t machine_stop(void)
{
    mm_load(NULL);
    vmalloc_stop();
    return machine_left();
}

const char *machine_wrong(void)
{
    static char text[200];
    struct audit audit;

    if (audit_all(&audit) != AUDIT_GOOD) {
        snprintf(text, sizeof(text), "%s: address %#lx frame %#lx expected %#lx got %#lx",
                 audit_words(audit.finding), (unsigned long)audit.address,
                 (unsigned long)audit.frame, (unsigned long)audit.expected,
                 (unsigned long)audit.got);
        return text;
    }
    if (tlb_simulated_harmful()) {
        return "a stale translation allows what the tables forbid";
    }
    return NULL;
}

/* ---- accesses ------------------------------------------------------------------------------------ */

/* fault/fixup.c's: the only instruction of the kernel's that may touch user memory. */
bool fixup_exists(uint64_t rip)
{
    return rip == SIMULATED_ACCESSOR;
}

/* A fault as fault/page_fault.c handles it. Out: whether the access is to be made again. */
static bool fault(vaddr_t address, uint64_t error, bool user)
{
    struct trap_frame frame = {
        .vector = VECTOR_PF,
        .error = error,
        .rip = user ? simulated.rip : SIMULATED_ACCESSOR,
        .cs = user ? SELECTOR_USER_CODE : SELECTOR_CODE,
        .ss = user ? SELECTOR_USER_DATA : SELECTOR_DATA,
        .rsp = user ? simulated.rsp : 0xffffffffb000b000,
        .rflags = user ? RFLAGS_ONE | RFLAGS_IF : RFLAGS_ONE | RFLAGS_AC,
    };

    simulated.faults++;
    simulated.error = error;
    simulated.address = address;
    simulated.last = simulated_cpu.resolver ? simulated_cpu.resolver(&frame, address) : FAULT_OOPS;
    return simulated.last == FAULT_RETRY;
}

/* Where @address lies in the arena for this access, or NULL when its fault was not resolved. */
static uint8_t *reach(vaddr_t address, enum access_kind kind, bool user)
{
    const struct access access = {.kind = kind, .user = user, .pkru = simulated.pkru};
    paddr_t at;
    uint64_t error;

    for (unsigned round = 0; !tlb_simulated_touch(address, access, &at, &error); round++) {
        if (round >= 10) {
            stop("a fault was resolved ten times, and is not");
        }
        if (!fault(address, error, user)) {
            return NULL;
        }
        simulated.retries++;
    }
    return phys_to_virt(at);
}

/* How many of @bytes at @address lie in its page. */
static size_t in_page(vaddr_t address, size_t bytes)
{
    const size_t room = PAGE_SIZE - address % PAGE_SIZE;

    return bytes < room ? bytes : room;
}

/* Out: how many bytes were not read (written). */
static size_t read_bytes(vaddr_t address, void *to, size_t bytes, bool user)
{
    while (bytes) {
        const size_t part = in_page(address, bytes);
        const uint8_t *from = reach(address, ACCESS_READ, user);
        if (!from) {
            return bytes;
        }
        memcpy(to, from, part);
        to = (uint8_t *)to + part;
        address += part;
        bytes -= part;
    }
    return 0;
}

/* @from NULL: zeros. */
static size_t write_bytes(vaddr_t address, const void *from, size_t bytes, bool user)
{
    while (bytes) {
        const size_t part = in_page(address, bytes);
        uint8_t *to = reach(address, ACCESS_WRITE, user);
        if (!to) {
            return bytes;
        }
        if (from) {
            memcpy(to, from, part);
            from = (const uint8_t *)from + part;
        } else {
            memset(to, 0, part);
        }
        address += part;
        bytes -= part;
    }
    return 0;
}

static enum bad_kind outcome(bool done)
{
    const struct mm *mm = simulated_cpu.mm;

    if (done) {
        return BAD_NONE;
    }
    return simulated.last == FAULT_LEAVE && mm ? mm->bad.kind : BAD_OOPS;
}

enum bad_kind user_read(vaddr_t address, void *to, size_t bytes)
{
    return outcome(read_bytes(address, to, bytes, true) == 0);
}

enum bad_kind user_write(vaddr_t address, const void *from, size_t bytes)
{
    return outcome(write_bytes(address, from, bytes, true) == 0);
}

enum bad_kind user_fetch(vaddr_t address)
{
    return outcome(reach(address, ACCESS_FETCH, true) != NULL);
}

bool kernel_read(vaddr_t address, void *to, size_t bytes)
{
    return read_bytes(address, to, bytes, false) == 0;
}

bool kernel_write(vaddr_t address, const void *from, size_t bytes)
{
    return write_bytes(address, from, bytes, false) == 0;
}

void machine_take_keys(void)
{
    struct mm *mm = simulated_cpu.mm;

    if (mm && mm->deny_key >= 0) {
        simulated.pkru |= UINT32_C(1) << (2 * mm->deny_key);
        mm->deny_key = -1;
    }
}

/* ---- fault/uaccess.S ------------------------------------------------------------------------------ */

uint64_t raw_copy_from_user(void *to, const void *from, uint64_t bytes)
{
    return read_bytes((uintptr_t)from, to, bytes, false);
}

uint64_t raw_copy_to_user(void *to, const void *from, uint64_t bytes)
{
    return write_bytes((uintptr_t)to, from, bytes, false);
}

uint64_t raw_clear_user(void *to, uint64_t bytes)
{
    return write_bytes((uintptr_t)to, NULL, bytes, false);
}

bool raw_get_user(uint64_t *value, const void *from, uint64_t bytes)
{
    uint64_t read = 0;

    if (read_bytes((uintptr_t)from, &read, bytes, false)) {
        return false;
    }
    *value = read;
    return true;
}

bool raw_put_user(uint64_t value, void *to, uint64_t bytes)
{
    return write_bytes((uintptr_t)to, &value, bytes, false) == 0;
}
