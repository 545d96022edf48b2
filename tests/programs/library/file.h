/*
 * Files in memory for the programs: made, mapped and measured. Every step must go well, or the program ends.
 */
#pragma once

#include "tests/programs/library/program.h"

/* A memfd of @pages pages: all of page i is the byte @first + i. Returns its descriptor. */
static inline int file_make(const char *name, unsigned long pages, uint8_t first)
{
    static uint8_t page[PAGE];
    int file = (int)must("memfd_create", sys_memfd_create(name, 0));

    for (unsigned long i = 0; i < pages; i++) {
        fill((uint64_t)page, 1, (uint8_t)(first + i));
        must("pwrite64", sys_pwrite64(file, (uint64_t)page, PAGE, i * PAGE));
    }
    return file;
}

/* A memfd of @pages pages that is one hole. */
static inline int file_make_hole(const char *name, unsigned long pages)
{
    int file = (int)must("memfd_create", sys_memfd_create(name, 0));

    must("ftruncate", sys_ftruncate(file, pages * PAGE));
    return file;
}

/* Map @pages pages of @file from page @offset on at exactly @address, where nothing may be; returns @address. */
static inline uint64_t file_map(uint64_t address, unsigned long pages, int protection, int flags,
                                int file, unsigned long offset)
{
    long result = must("mmap", sys_mmap(address, pages * PAGE, protection,
                                        flags | MAP_FIXED_NOREPLACE, file, offset * PAGE));

    if ((uint64_t)result != address) {
        say("mmap went to 0x%lx, not to 0x%lx", (uint64_t)result, address);
        program_exit(1);
    }
    return address;
}

/* "WHAT: 8192 bytes, 16 blocks" of 512 bytes. */
static inline void log_size(const char *what, int file)
{
    static struct file_status status;

    must("fstat", sys_fstat(file, &status));
    say("%s: %ld bytes, %ld blocks", what, status.size, status.blocks);
}

/* "WHAT: file bytes 00 01": @count bytes (at most 64) from @offset on by pread64, or its result when it is short. */
static inline void log_file(const char *what, int file, uint64_t offset, unsigned long count)
{
    static uint8_t bytes[64];
    long got = sys_pread64(file, (uint64_t)bytes, count, offset);

    if (got < 0 || (unsigned long)got != count)
        say("%s: pread64 %s", what, result_text(got));
    if (got > 0)
        log_bytes(what, (uint64_t)bytes, (unsigned long)got);
}

/* Write the byte @value @count times (at most 64) from @offset on by pwrite64. */
static inline void file_put(int file, uint64_t offset, unsigned long count, uint8_t value)
{
    static uint8_t bytes[64];

    for (unsigned long i = 0; i < count; i++)
        bytes[i] = value;
    must("pwrite64", sys_pwrite64(file, (uint64_t)bytes, count, offset));
}
