/*
 * What the kernel's loader made of the file: argument, auxiliary vector, stack, and the rights and contents of each
 * segment. The program of elf_start.c and elf_start_static_pie.c, which are linked differently.
 */
#pragma once

#include "tests/programs/library/program.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _start[] __attribute__((visibility("hidden")));
extern const char end[] __attribute__((visibility("hidden")));

struct elf_header { /* Elf64_Ehdr */
    uint8_t identity[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_headers;
    uint64_t section_headers;
    uint32_t flags;
    uint16_t header_size;
    uint16_t program_header_size;
    uint16_t program_header_count;
};

struct elf_program_header { /* Elf64_Phdr */
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};

static const char in_rodata[] = "read-only";
static volatile uint64_t in_data = 0x1122334455667788;
static volatile uint64_t in_bss[3 * PAGE / 8];

static const char *yes(bool what)
{
    return what ? "yes" : "no";
}

static void look_at_vector(const struct program_start *start)
{
    const struct elf_header *file = (const void *)__ehdr_start;
    uint64_t base = file->type == 3 ? (uint64_t)file : 0; /* ET_DYN */
    const char *path = (const char *)auxiliary_value(AT_EXECFN, NULL);
    const char *platform = (const char *)auxiliary_value(AT_PLATFORM, NULL);
    uint64_t random = auxiliary_value(AT_RANDOM, NULL);
    const char *name = start->arguments[0];
    unsigned long path_length = 0;
    unsigned long name_length = 0;
    uint8_t together = 0;

    say("arguments: %ld", start->argument_count);
    say("behind them is a null: %s", yes(!start->arguments[start->argument_count]));
    say("environment is empty: %s", yes(!start->environment[0]));
    say("the stack pointer is aligned to 16: %s", yes(start->stack_pointer % 16 == 0));
    say("strings are above the vector: %s", yes((uint64_t)name > (uint64_t)start->auxiliary));
    say("AT_PHDR: %s",
        yes(auxiliary_value(AT_PHDR, NULL) == (uint64_t)file + file->program_headers));
    say("AT_PHENT: %lu", auxiliary_value(AT_PHENT, NULL));
    say("AT_PHNUM: %s", yes(auxiliary_value(AT_PHNUM, NULL) == file->program_header_count));
    say("AT_PAGESZ: %lu", auxiliary_value(AT_PAGESZ, NULL));
    say("AT_BASE: %lu", auxiliary_value(AT_BASE, NULL));
    say("AT_FLAGS: %lu", auxiliary_value(AT_FLAGS, NULL));
    say("AT_ENTRY: %s", yes(auxiliary_value(AT_ENTRY, NULL) == base + file->entry &&
                            base + file->entry == (uint64_t)_start));
    say("AT_CLKTCK: %lu", auxiliary_value(AT_CLKTCK, NULL));
    say("AT_SECURE: %lu", auxiliary_value(AT_SECURE, NULL));
    say("AT_UID is AT_EUID: %s",
        yes(auxiliary_value(AT_UID, NULL) == auxiliary_value(AT_EUID, NULL)));
    say("AT_GID is AT_EGID: %s",
        yes(auxiliary_value(AT_GID, NULL) == auxiliary_value(AT_EGID, NULL)));
    say("AT_PLATFORM: %s", platform ? platform : "none");
    for (unsigned i = 0; random && i < 16; i++)
        together |= load8(random + i);
    say("AT_RANDOM has 16 bytes that are not all zero: %s", yes(together != 0));
    while (path && path[path_length])
        path_length++;
    while (name[name_length])
        name_length++;
    bool same = path && path_length > name_length && path[path_length - name_length - 1] == '/';
    for (unsigned long i = 1; same && i <= name_length; i++)
        same = path[path_length - i] == name[name_length - i];
    say("AT_EXECFN ends in the name: %s", yes(same));
}

static uint64_t selector(unsigned which)
{
    uint64_t value = 0;

    switch (which) {
    case 0:
        __asm__("mov %%cs, %0" : "=r"(value));
        break;
    case 1:
        __asm__("mov %%ss, %0" : "=r"(value));
        break;
    case 2:
        __asm__("mov %%ds, %0" : "=r"(value));
        break;
    case 3:
        __asm__("mov %%es, %0" : "=r"(value));
        break;
    case 4:
        __asm__("mov %%fs, %0" : "=r"(value));
        break;
    default:
        __asm__("mov %%gs, %0" : "=r"(value));
        break;
    }
    return value;
}

static void look_at_registers(const struct program_start *start)
{
    static const char *const names[] = {"CS", "SS", "DS", "ES", "FS", "GS"};
    uint64_t base = 1;
    uint64_t together = 0;

    for (unsigned i = 0; i < 15; i++)
        together |= start->registers[i];
    say("all registers but the stack pointer are 0: %s", yes(together == 0));
    for (unsigned i = 0; i < 6; i++)
        say("%s %lx", names[i], selector(i));
    must("arch_prctl", sys_arch_prctl(ARCH_GET_FS, (uint64_t)&base));
    say("FS base %lx", base);
    base = 1;
    must("arch_prctl", sys_arch_prctl(ARCH_GET_GS, (uint64_t)&base));
    say("GS base %lx", base);
}

/* One byte of a segment by every access; writes put back what was there. */
static void look_at_segment(const char *name, uint64_t address)
{
    struct access access = access_read(address);
    uint8_t byte = (uint8_t)access.value;

    say("%s: read: %s", name, access.signal ? "refused" : "done");
    access = access_write(address, byte);
    say("%s: write: %s err 0x%lx", name,
        access.signal ? code_text(access.signal, access.code) : "done", access.error);
}

static int look(const struct program_start *start)
{
    const struct elf_header *file = (const void *)__ehdr_start;
    const struct elf_program_header *header = (const void *)auxiliary_value(AT_PHDR, NULL);
    uint64_t bss_end = (uint64_t)end;
    struct access access;
    unsigned loads = 0;
    bool zero = true;
    long pid;

    look_at_vector(start);
    look_at_registers(start);
    for (unsigned i = 0; i < file->program_header_count; i++) {
        if (header[i].type != 1)
            continue;
        say("segment %u: %c%c%c, offset and address agree: %s", loads++,
            header[i].flags & 4 ? 'r' : '-', header[i].flags & 2 ? 'w' : '-',
            header[i].flags & 1 ? 'x' : '-',
            yes(header[i].offset % PAGE == header[i].address % PAGE));
        if (header[i].flags & 2) {
            say("  it is larger in memory by more than a page: %s",
                yes(header[i].memory_size > header[i].file_size + PAGE));
        }
    }
    look_at_segment("header", (uint64_t)file);
    look_at_segment("text", (uint64_t)_start);
    look_at_segment("rodata", (uint64_t)in_rodata);
    look_at_segment("data", (uint64_t)&in_data);
    look_at_segment("bss", (uint64_t)in_bss);
    access = access_execute((uint64_t)in_rodata);
    say("execute rodata: %s err 0x%lx", code_text(access.signal, access.code), access.error);
    access = access_execute((uint64_t)in_bss);
    say("execute bss: %s err 0x%lx", code_text(access.signal, access.code), access.error);
    access = access_execute(start->stack_pointer);
    say("execute the stack: %s err 0x%lx", code_text(access.signal, access.code), access.error);

    say("data: %016lx", in_data);
    for (unsigned i = 0; i < sizeof(in_bss) / 8; i++)
        zero &= in_bss[i] == 0;
    say("bss is zero: %s", yes(zero));
    zero = true;
    for (uint64_t at = bss_end; at % PAGE; at++)
        zero &= load8(at) == 0;
    say("the rest of its last page is zero: %s", yes(zero));

    /* Data is private: a child's writes stay with it, and the file keeps what it has. */
    pid = program_fork();
    if (pid == 0) {
        in_data = 1;
        in_bss[0] = 2;
        in_bss[1024] = 3;
        say("child: %lx %lx %lx", in_data, in_bss[0], in_bss[1024]);
        program_exit(0);
    }
    log_wait("child", wait_for(pid));
    say("parent: %lx %lx %lx", in_data, in_bss[0], in_bss[1024]);

    /* Text is a private mapping of the file as well, and may be made writable: a copy. */
    uint64_t page = (uint64_t)in_rodata & ~(PAGE - 1);
    say("mprotect rodata: %s", result_text(sys_mprotect(page, PAGE, PROT_READ | PROT_WRITE)));
    access = access_write((uint64_t)in_rodata, 'R');
    say("write rodata: %s, %ld fault", access.signal ? "refused" : "done", access.faults);
    log_bytes("rodata", (uint64_t)in_rodata, 4);
    say("drop it: %s", result_text(sys_madvise(page, PAGE, MADV_DONTNEED)));
    log_bytes("rodata", (uint64_t)in_rodata, 4);
    return 0;
}
