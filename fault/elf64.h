/*
 * elf64.h: ELF64 files as far as loaders and call traces look at them: core's own, and programs'. Floor: fault. System V gABI
 * chapters 4 and 5, psABI 4.
 */
#ifndef FAULT_ELF64_H
#define FAULT_ELF64_H

#include "x86/types.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers; /* the latter two: offsets in the file */
    uint32_t flags;
    uint16_t header_bytes, program_header_bytes, program_header_count, section_header_bytes,
        section_header_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

#define ET_EXEC   2u
#define ET_DYN    3u
#define EM_X86_64 62u

/* What a program header says. */
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, align;
};
_Static_assert(sizeof(struct elf_segment) == 56, "Elf64_Phdr");

#define PT_LOAD      1u
#define PT_INTERP    3u
#define PT_GNU_STACK 0x6474e551u

#define PF_X 1u
#define PF_W 2u
#define PF_R 4u

struct elf_section {
    uint32_t name, type;
    uint64_t flags, address, offset, bytes;
    uint32_t link, info;
    uint64_t align, entry_bytes;
};
_Static_assert(sizeof(struct elf_section) == 64, "Elf64_Shdr");

#define SHT_SYMTAB 2u

struct elf_symbol {
    uint32_t name; /* offset into the string table, 0: none */
    uint8_t info;  /* binding << 4 | type */
    uint8_t other;
    uint16_t section; /* 0: undefined, 0xff00 and above: no section */
    uint64_t value, bytes;
};
_Static_assert(sizeof(struct elf_symbol) == 24, "Elf64_Sym");

enum { STT_NOTYPE, STT_OBJECT, STT_FUNC };

#endif
