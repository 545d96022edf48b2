/*
 * elf.c: see elf.h. Floor: os. System V gABI chapters 4 and 5, psABI 3.4; what is refused with which
 * error, and where things go, is Linux 6.1's binfmt_elf.c.
 *
 *   0x400000          segments of ET_EXEC where they say; .bss behind the last one; heap behind that
 *   mmap_base         ET_DYN (static-PIE) is mapped like a file: the highest room below it, with the
 *                     heap behind its .bss; then the room of [vvar] and [vdso] below
 *   0x7ffffffde000    stack: the pages of its contents and 128 KiB more
 *
 * Pages are read when they are touched, out of a page cache on the image.
 */
#include "elf.h"

#include "fault/elf64.h"
#include "fault/fpu.h"
#include "fault/uaccess.h"
#include "x86/cpuid.h"
#include "x86/memory.h"

#define HEADERS_MAX     PAGE_SIZE /* bytes of all program headers: Linux's ELF_MIN_ALIGN */
#define INTERPRETER_MAX 4096u

/* Pages that Linux's vvar and vdso have: nothing is there, but later mappings get Linux's addresses. */
#define VVAR_PAGES 4u
#define VDSO_PAGES 2u

#define STACK_EXTRA     (UINT64_C(128) << 10)
#define ARGUMENT_MAX    (UINT64_C(128) << 10) /* bytes of one string */
#define ARGUMENTS_SHARE 4u                    /* strings and pointers may have 1/4 of the stack */

/* Of a signal frame, besides extended state: AT_MINSIGSTKSZ. */
#define SIGNAL_FRAME_BYTES (440u + 15u + 63u)

/* What a load works on. */
struct load {
    struct mm *mm;
    const char *path;
    const uint8_t *image;
    uint64_t bytes;
    struct elf_header header;
    struct page_cache *cache;
    uint64_t bias; /* memory minus file addresses */
    /* Without the bias, of the segments so far: */
    vaddr_t file_end, memory_end; /* what the file fills, and what memory does: .bss is between */
    vaddr_t data_start, data_end; /* Linux's start_data, end_data */
    vaddr_t headers_at;           /* program headers */
    uint64_t bss_prot;            /* of the segment that ends at @memory_end */
    bool mapped;                  /* the first one is: @bias is known */
    bool stack_executable;        /* PT_GNU_STACK says so */
    vaddr_t strings_at, path_at;  /* on the stack */
    uint64_t argument_count, table_words; /* of the arguments; of all below the auxiliary vector */
};

/* ---- headers ------------------------------------------------------------------------------- */

static void segment_get(const struct load *load, unsigned number, struct elf_segment *segment)
{
    memcpy(segment, load->image + load->header.program_headers + number * sizeof(*segment),
           sizeof(*segment));
}

static int interpreter_check(const struct load *load, const struct elf_segment *segment)
{
    if (segment->file_bytes > INTERPRETER_MAX || segment->file_bytes < 2) {
        return -ENOEXEC;
    }
    if ((int64_t)segment->offset < 0) {
        return -EINVAL;
    }
    if (segment->offset > load->bytes || segment->file_bytes > load->bytes - segment->offset) {
        return -EIO;
    }
    /* There are no other files. */
    return load->image[segment->offset + segment->file_bytes - 1] ? -ENOEXEC : -ENOENT;
}

/* All that is looked at before anything is mapped. */
static int headers_read(struct load *load)
{
    struct elf_header *header = &load->header;
    struct elf_segment segment;

    if (load->bytes < sizeof(*header)) {
        return -ENOEXEC;
    }
    memcpy(header, load->image, sizeof(*header));
    if (memcmp(header->ident, "\177ELF", 4) != 0 ||
        (header->type != ET_EXEC && header->type != ET_DYN) || header->machine != EM_X86_64 ||
        header->program_header_bytes != sizeof(segment)) {
        return -ENOEXEC;
    }
    const uint64_t bytes = header->program_header_count * sizeof(segment);
    if (bytes == 0 || bytes > HEADERS_MAX || header->program_headers > load->bytes ||
        bytes > load->bytes - header->program_headers) {
        return -ENOEXEC;
    }
    for (unsigned i = 0; i < header->program_header_count; i++) {
        segment_get(load, i, &segment);
        if (segment.type == PT_INTERP) {
            return interpreter_check(load, &segment);
        }
        if (segment.type == PT_GNU_STACK) {
            load->stack_executable = segment.flags & PF_X;
        }
    }
    return 0;
}

/* From the first segment's first page to the last one's end: what ET_DYN needs in one piece. */
static uint64_t segments_span(const struct load *load)
{
    uint64_t first = UINT64_MAX, end = 0;
    struct elf_segment segment;

    for (unsigned i = 0; i < load->header.program_header_count; i++) {
        segment_get(load, i, &segment);
        if (segment.type == PT_LOAD) {
            const uint64_t start = ALIGN_DOWN(segment.address, PAGE_SIZE);
            const uint64_t behind = segment.address + segment.memory_bytes;
            first = start < first ? start : first;
            end = behind > end ? behind : end;
        }
    }
    return end > first ? end - first : 0;
}

/* ---- segments ------------------------------------------------------------------------------ */

/* A copy to the new program's memory failed: not for want of a mapping. */
static int store_failed(const struct load *load)
{
    return load->mm->bad.kind == BAD_OOM ? -ENOMEM : -EFAULT;
}

/*
 * From where the file ends to where memory does: whole pages of zeros, and the heap begins behind them.
 * The rest of the file's last page is the caller's.
 */
static int bss_map(struct load *load)
{
    const vaddr_t start = ALIGN_UP(load->file_end + load->bias, PAGE_SIZE);
    const vaddr_t end = ALIGN_UP(load->memory_end + load->bias, PAGE_SIZE);

    if (end > start) {
        int64_t at = mm_mmap(load->mm, start, end - start,
                             PROT_READ | PROT_WRITE | (load->bss_prot & PROT_EXEC),
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, 0);
        if (at < 0) {
            return (int)at;
        }
    }
    load->mm->brk_start = load->mm->brk = end;
    return 0;
}

/* Zero the file's last page from its end on. Out: false: it is not there, or nobody may write it. */
static bool tail_clear(const struct load *load, uint64_t most)
{
    const vaddr_t at = load->file_end + load->bias;
    const uint64_t bytes = ALIGN_UP(at, PAGE_SIZE) - at;

    return clear_user(at, bytes < most ? bytes : most) == 0;
}

/* Map what the file has of @segment. Out: where, page-aligned, or an error. */
static int64_t segment_map(struct load *load, const struct elf_segment *segment, uint64_t prot)
{
    const uint64_t in_page = segment->address % PAGE_SIZE;
    const uint64_t bytes = ALIGN_UP(segment->file_bytes + in_page, PAGE_SIZE);
    const uint64_t offset = segment->offset - in_page;
    const vaddr_t at = load->bias + segment->address - in_page;
    uint64_t flags = MAP_PRIVATE;
    uint64_t span = bytes;

    if (segment->file_bytes > UINT64_MAX - 2 * PAGE_SIZE) {
        return -EINVAL;
    }
    if (load->mapped) {
        flags |= MAP_FIXED;
    } else if (load->header.type == ET_EXEC) {
        flags |= MAP_FIXED_NOREPLACE;
    } else {
        span = ALIGN_UP(segments_span(load), PAGE_SIZE);
        if (span == 0 || span < bytes) {
            return -EINVAL;
        }
    }
    if (bytes == 0) {
        return (int64_t)at; /* all of it is .bss */
    }
    if (offset % PAGE_SIZE) {
        return -EINVAL;
    }
    /* All of an ET_DYN first, so that there is room for what follows; the rest is given back. */
    int64_t got = mm_mmap(load->mm, at, span, prot, flags, load->cache,
                          VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC, offset);
    if (got >= 0 && span > bytes) {
        int64_t error = mm_munmap(load->mm, (vaddr_t)got + bytes, span - bytes);
        if (error) {
            return error;
        }
    }
    return got;
}

static int segment_load(struct load *load, const struct elf_segment *segment)
{
    const uint64_t prot = (segment->flags & PF_R ? PROT_READ : 0u) |
                          (segment->flags & PF_W ? PROT_WRITE : 0u) |
                          (segment->flags & PF_X ? PROT_EXEC : 0u);
    const struct elf_header *header = &load->header;

    if (load->memory_end > load->file_end) { /* the one before has .bss */
        int error = bss_map(load);
        if (error) {
            return error;
        }
        if ((load->file_end + load->bias) % PAGE_SIZE &&
            !tail_clear(load, load->memory_end - load->file_end)) {
            load->mm->bad.kind = BAD_NONE; /* Linux does not mind */
        }
    }
    if (!load->mapped && header->type == ET_DYN) {
        load->bias = 0 - ALIGN_DOWN(segment->address, PAGE_SIZE);
    }
    int64_t at = segment_map(load, segment, prot);
    if ((vaddr_t)at >= TASK_SIZE) { /* an error, or what the file says of a segment without bytes */
        return at < 0 && at > -(int64_t)PAGE_SIZE ? (int)at : -EINVAL;
    }
    if (!load->mapped && header->type == ET_DYN) {
        load->bias += (vaddr_t)at - ALIGN_DOWN(load->bias + segment->address, PAGE_SIZE);
    }
    load->mapped = true;
    if (segment->offset <= header->program_headers &&
        header->program_headers - segment->offset < segment->file_bytes) {
        load->headers_at = header->program_headers - segment->offset + segment->address;
    }
    if (segment->address >= TASK_SIZE || segment->file_bytes > segment->memory_bytes ||
        segment->memory_bytes > TASK_SIZE || TASK_SIZE - segment->memory_bytes < segment->address) {
        return -EINVAL;
    }
    const vaddr_t file_end = segment->address + segment->file_bytes;
    const vaddr_t memory_end = segment->address + segment->memory_bytes;
    load->data_start = segment->address > load->data_start ? segment->address : load->data_start;
    load->data_end = file_end > load->data_end ? file_end : load->data_end;
    load->file_end = file_end > load->file_end ? file_end : load->file_end;
    if (memory_end > load->memory_end) {
        load->memory_end = memory_end;
        load->bss_prot = prot;
    }
    return 0;
}

static int segments_load(struct load *load)
{
    struct elf_segment segment;

    for (unsigned i = 0; i < load->header.program_header_count; i++) {
        segment_get(load, i, &segment);
        int error = segment.type == PT_LOAD ? segment_load(load, &segment) : 0;
        if (error) {
            return error;
        }
    }
    int error = bss_map(load);
    if (error) {
        return error;
    }
    if (load->file_end != load->memory_end && (load->file_end + load->bias) % PAGE_SIZE &&
        !tail_clear(load, PAGE_SIZE)) {
        return store_failed(load);
    }
    load->mm->data_bytes = load->data_end - load->data_start;
    return load->header.entry + load->bias >= TASK_SIZE ? -EINVAL : 0;
}

/* ---- vvar and vdso ------------------------------------------------------------------------- */

static int reserve(struct mm *mm, vaddr_t at, unsigned pages, uint64_t flags, const char *name)
{
    struct vma *vma =
        vma_create(mm, at, at + pages * PAGE_SIZE, flags | VM_RESERVED, NULL, at / PAGE_SIZE);

    if (!vma) {
        return -ENOMEM;
    }
    vma->name = name;
    vma_insert(mm, vma);
    return 0;
}

static int vdso_reserve(struct mm *mm)
{
    const uint64_t bytes = (VVAR_PAGES + VDSO_PAGES) * PAGE_SIZE;
    int64_t at = mm_mmap(mm, 0, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0, 0);

    if (at < 0) {
        return (int)at;
    }
    int64_t error = mm_munmap(mm, (vaddr_t)at, bytes);
    if (error) {
        return (int)error;
    }
    int result = reserve(mm, (vaddr_t)at, VVAR_PAGES, VM_READ | VM_MAYREAD | VM_IO, "[vvar]");
    if (result == 0) {
        result = reserve(mm, (vaddr_t)at + VVAR_PAGES * PAGE_SIZE, VDSO_PAGES,
                         VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC, "[vdso]");
    }
    return result;
}

/* ---- the stack ----------------------------------------------------------------------------- */

/*
 *   0x7fffffffefff
 *     8 bytes of 0
 *     path            AT_EXECFN
 *     environment     strings, the last one highest
 *     arguments       likewise                          <- start of the strings
 *     to 16 bytes
 *     "x86_64"        AT_PLATFORM
 *     16 bytes        AT_RANDOM
 *     auxiliary vector, ended by AT_NULL
 *     environment pointers, 0
 *     argument pointers, 0
 *     argument count                                    <- rsp, a multiple of 16
 */
static const char platform[] = "x86_64";
static const char *const no_arguments[] = {"", NULL};

#define RANDOM_BYTES 16u

static uint64_t text_bytes(const char *text)
{
    uint64_t bytes = 1;

    while (*text++) {
        bytes++;
    }
    return bytes;
}

/* Bytes of all strings, and their number. Out: false: one is too long. */
static bool texts_measure(const char *const *texts, uint64_t *bytes, uint64_t *count)
{
    for (*count = 0; texts[*count]; ++*count) {
        const uint64_t one = text_bytes(texts[*count]);
        if (one > ARGUMENT_MAX) {
            return false;
        }
        *bytes += one;
    }
    return true;
}

/* Where the next thing goes, upwards; @good until something could not be stored. */
struct writer {
    vaddr_t at;
    bool good;
};

static void store(struct writer *writer, const void *from, uint64_t bytes)
{
    writer->good = writer->good && copy_to_user(writer->at, from, bytes) == 0;
    writer->at += bytes;
}

static void store_word(struct writer *writer, uint64_t word)
{
    store(writer, &word, sizeof(word));
}

static void store_pair(struct writer *writer, uint64_t first, uint64_t second)
{
    store_word(writer, first);
    store_word(writer, second);
}

/* Strings at @strings, and pointers to them at @pointers, 0 behind. */
static void store_texts(struct writer *pointers, struct writer *strings, const char *const *texts)
{
    for (; *texts; texts++) {
        store_word(pointers, strings->at);
        store(strings, *texts, text_bytes(*texts));
    }
    store_word(pointers, 0);
}

enum auxiliary {
    AT_NULL,
    AT_IGNORE,
    AT_PHDR = 3,
    AT_PHENT,
    AT_PHNUM,
    AT_PAGESZ,
    AT_BASE,
    AT_FLAGS,
    AT_ENTRY,
    AT_UID = 11,
    AT_EUID,
    AT_GID,
    AT_EGID,
    AT_PLATFORM,
    AT_HWCAP,
    AT_CLKTCK,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_HWCAP2,
    AT_EXECFN = 31,
    AT_MINSIGSTKSZ = 51,
};
#define AUXILIARY_WORDS 42u /* AT_NULL included */

#define HWCAP2_FSGSBASE 2u

/* In Linux's order. The place of AT_SYSINFO_EHDR is kept, as there is no vdso. */
static void store_auxiliary(struct writer *writer, const struct load *load, vaddr_t random,
                            vaddr_t text)
{
    const bool fsgsbase = cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ebx & BIT(0));

    store_pair(writer, AT_IGNORE, 0);
    store_pair(writer, AT_MINSIGSTKSZ, ALIGN_UP(SIGNAL_FRAME_BYTES + fpu_frame_bytes(), 16u));
    store_pair(writer, AT_HWCAP, cpuid(1, 0).edx);
    store_pair(writer, AT_PAGESZ, PAGE_SIZE);
    store_pair(writer, AT_CLKTCK, 100);
    store_pair(writer, AT_PHDR, load->headers_at + load->bias);
    store_pair(writer, AT_PHENT, sizeof(struct elf_segment));
    store_pair(writer, AT_PHNUM, load->header.program_header_count);
    store_pair(writer, AT_BASE, 0);
    store_pair(writer, AT_FLAGS, 0);
    store_pair(writer, AT_ENTRY, load->header.entry + load->bias);
    store_pair(writer, AT_UID, 0);
    store_pair(writer, AT_EUID, 0);
    store_pair(writer, AT_GID, 0);
    store_pair(writer, AT_EGID, 0);
    store_pair(writer, AT_SECURE, 0);
    store_pair(writer, AT_RANDOM, random);
    store_pair(writer, AT_HWCAP2, fsgsbase ? HWCAP2_FSGSBASE : 0);
    store_pair(writer, AT_EXECFN, load->path_at);
    store_pair(writer, AT_PLATFORM, text);
    store_pair(writer, AT_NULL, 0);
}

/* Measure what goes there, and make room for it. Errors: -E2BIG, those of mm_mmap. */
static int stack_map(struct load *load, const char *const *arguments,
                     const char *const *environment)
{
    const uint64_t path_bytes = text_bytes(load->path);
    uint64_t bytes = 0, argument_count, environment_count;

    if (!texts_measure(arguments, &bytes, &argument_count) ||
        !texts_measure(environment, &bytes, &environment_count) || path_bytes > ARGUMENT_MAX) {
        return -E2BIG;
    }
    load->argument_count = argument_count;
    load->table_words = argument_count + environment_count + 3; /* the count and two 0 */
    if (bytes + path_bytes + load->table_words * 8 > load->mm->stack_limit / ARGUMENTS_SHARE) {
        return -E2BIG;
    }
    load->path_at = STACK_TOP - 8 - path_bytes;
    load->strings_at = load->path_at - bytes;
    const vaddr_t start = ALIGN_DOWN(load->strings_at, PAGE_SIZE) - STACK_EXTRA;
    int64_t at =
        mm_mmap(load->mm, start, STACK_TOP - start,
                PROT_READ | PROT_WRITE | (load->stack_executable ? PROT_EXEC : 0u),
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, NULL, 0, 0);
    return at < 0 ? (int)at : 0;
}

static int stack_fill(struct load *load, const char *const *arguments,
                      const char *const *environment)
{
    const vaddr_t text_at = ALIGN_DOWN(load->strings_at, 16) - sizeof(platform);
    const vaddr_t random_at = text_at - RANDOM_BYTES;
    struct writer strings = {load->strings_at, true}, rest = {random_at, true};
    struct writer words = {
        ALIGN_DOWN(random_at - (AUXILIARY_WORDS + load->table_words) * 8, 16),
        true,
    };
    uint8_t random[RANDOM_BYTES];

    load->mm->stack_start = words.at;
    store_word(&words, load->argument_count);
    store_texts(&words, &strings, arguments);
    store_texts(&words, &strings, environment);
    store(&strings, load->path, text_bytes(load->path));
    store_auxiliary(&words, load, random_at, text_at);
    for (unsigned i = 0; i < RANDOM_BYTES; i++) {
        random[i] = (uint8_t)(0x5a + 0x65 * i); /* runs are to be alike */
    }
    store(&rest, random, sizeof(random));
    store(&rest, platform, sizeof(platform));
    /* All of it is mapped and writable: what is missing is memory. */
    return words.good && strings.good && rest.good ? 0 : -ENOMEM;
}

/* In Linux's order. */
static int all_load(struct load *load, const char *const *arguments, const char *const *environment)
{
    int error = stack_map(load, arguments, environment);

    if (error == 0) {
        error = segments_load(load);
    }
    if (error == 0) {
        error = vdso_reserve(load->mm);
    }
    return error == 0 ? stack_fill(load, arguments, environment) : error;
}

int elf_load(struct mm *mm, struct page_cache *cache, const void *image,
             const char *const *arguments, const char *const *environment, vaddr_t *entry,
             vaddr_t *stack)
{
    struct load load = {
        .mm = mm, .cache = cache, .path = cache->name, .image = image, .bytes = cache->bytes};
    int error = headers_read(&load);

    if (error) {
        return error;
    }
    error = all_load(&load, arguments[0] ? arguments : no_arguments, environment);
    *entry = load.header.entry + load.bias;
    *stack = mm->stack_start;
    return error;
}
