/*
 * test_os_elf.c: what the loader makes of files: Linux's layout to the last byte, every refusal clean.
 * Addresses were worked out by hand from binfmt_elf.c's rules, and the programs elf_start have seen the same on Linux.
 */
#include "tests/host/unit.h"

#include "tests/host/os_fixture.h"

#include "os/elf.h"

static struct mm *mm;
static struct page_cache *image;
static vaddr_t entry, stack;
static const char *const arguments[] = {"test", "two", NULL};
static const char *const environment[] = {"A=1", NULL};

static int setup(void **state)
{
    (void)state;
    fixture_start(FRAMES, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return (int)machine_stop();
}

static int load(const void *file, uint64_t bytes, const char *const *with)
{
    int error = mm_create(&mm);

    mm = error ? NULL : mm;
    image = error ? NULL : image_open("/programs/test", file, bytes);
    if (!image) {
        return -ENOMEM;
    }
    mm_load(mm);
    error = elf_load(mm, image, file, with, environment, &entry, &stack);
    return error;
}

static void unload(void)
{
    mm_load(NULL);
    if (mm) {
        mm_destroy(mm);
    }
    if (image) {
        page_cache_put(image);
    }
    mm = NULL;
    image = NULL;
    assert_int_equal(machine_left(), 0);
}

static uint64_t word(vaddr_t address)
{
    uint64_t value;

    assert_int_equal(user_read(address, &value, sizeof(value)), BAD_NONE);
    return value;
}

static void assert_bytes(vaddr_t address, const void *expected, size_t bytes)
{
    uint8_t got[PAGE];

    assert_true(bytes <= sizeof(got));
    assert_int_equal(user_read(address, got, bytes), BAD_NONE);
    assert_memory_equal(got, expected, bytes);
}

static void assert_maps(const char *expected)
{
    char text[4096] = "", line[MM_MAPS_LINE];

    for (struct vma *vma = vma_first(mm); vma; vma = vma_next(vma)) {
        const size_t bytes = mm_maps_line(vma, line);
        char piece[MM_MAPS_LINE + 1], name[64] = "";
        unsigned long start, end, offset;
        char rights[5];

        memcpy(piece, line, bytes);
        piece[bytes] = 0;
        /* Device and inode are nobody's. */
        assert_true(sscanf(piece, "%lx-%lx %4s %lx %*s %*s %63s", &start, &end, rights, &offset,
                           name) >= 4);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%lx-%lx %s %lx %s\n", start,
                 end, rights, offset, name);
    }
    assert_string_equal(text, expected);
}

/* ---- a good file --------------------------------------------------------------------------------------- */

static void segments_where_they_say(void **state)
{
    struct elf_file file = elf_good();
    uint8_t zero[PAGE] = {0};
    (void)state;

    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_int_equal(entry, 0x401000);
    assert_maps("400000-401000 r--p 0 /programs/test\n"
                "401000-402000 r-xp 1000 /programs/test\n"
                "402000-403000 rw-p 2000 /programs/test\n"
                "403000-405000 rw-p 0 [heap]\n"
                "7ffff7ff9000-7ffff7ffd000 r--p 0 [vvar]\n"
                "7ffff7ffd000-7ffff7fff000 r-xp 0 [vdso]\n"
                "7ffffffde000-7ffffffff000 rw-p 0 [stack]\n");
    const uint8_t *bytes = (const uint8_t *)&file;
    assert_bytes(0x400000, bytes, PAGE);
    assert_bytes(0x401000, bytes + PAGE, PAGE);
    assert_bytes(0x402000, bytes + 2 * PAGE, 0x10 + 0x123);
    assert_bytes(0x402133, zero, PAGE - 0x133);
    assert_bytes(0x403000, zero, PAGE);
    assert_int_equal(mm->brk_start, 0x405000);
    assert_int_equal(mm->brk, 0x405000);
    assert_int_equal(mm->data_bytes, 0x123);
    uint8_t byte = 1;
    assert_int_equal(user_write(0x400000, &byte, 1), BAD_SIGNAL);
    assert_int_equal(user_write(0x402000, &byte, 1), BAD_NONE);
    assert_int_equal(user_fetch(0x401000), BAD_NONE);
    assert_int_equal(user_fetch(0x402000), BAD_SIGNAL);
    assert_int_equal(user_read(0x7ffff7ff9000, &byte, 1), BAD_SIGNAL); /* the place is kept */
    assert_good();
    unload();
}

/* Pages come when they are touched: the loader itself needs that with the end of the data, and the stack. */
static void pages_come_when_touched(void **state)
{
    struct elf_file file = elf_good();
    (void)state;

    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_int_equal(image->pages, 1);
    word(0x400000);
    assert_int_equal(image->pages, 2);
    unload();
}

static void first_stack(void **state)
{
    static const uint64_t keys[21] = {1,  51, 16, 6,  17, 3,  4,  5,  7,  8, 9,
                                      11, 12, 13, 14, 23, 25, 26, 31, 15, 0};
    struct elf_file file = elf_good();
    (void)state;

    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_int_equal(stack, 0x7fffffffee30);
    assert_int_equal(mm->stack_start, stack);
    const uint64_t table[] = {2, 0x7fffffffefdc, 0x7fffffffefe1, 0, 0x7fffffffefe5, 0};
    assert_bytes(stack, table, sizeof(table));
    for (unsigned i = 0; i < 21; i++) {
        const vaddr_t at = stack + sizeof(table) + i * 16;
        const uint64_t value = word(at + 8);
        assert_int_equal(word(at), keys[i]);
        switch (keys[i]) {
        case 3: /* AT_PHDR */
            assert_int_equal(value, 0x400040);
            break;
        case 4:
            assert_int_equal(value, 56);
            break;
        case 5:
            assert_int_equal(value, 4);
            break;
        case 6:
            assert_int_equal(value, 4096);
            break;
        case 9:
            assert_int_equal(value, 0x401000);
            break;
        case 15: /* AT_PLATFORM */
            assert_int_equal(value, 0x7fffffffefc9);
            assert_bytes(value, "x86_64", 7);
            break;
        case 17:
            assert_int_equal(value, 100);
            break;
        case 25: /* AT_RANDOM */
            assert_int_equal(value, 0x7fffffffefb9);
            break;
        case 31: /* AT_EXECFN */
            assert_int_equal(value, 0x7fffffffefe9);
            break;
        case 0:
        case 1:
        case 7:
        case 8:
        case 11:
        case 12:
        case 13:
        case 14:
        case 23:
            assert_int_equal(value, 0);
            break;
        default: /* the processor's, and the signal frame's */
            break;
        }
    }
    assert_bytes(0x7fffffffefdc, "test\0two\0A=1\0/programs/test\0\0\0\0\0\0\0\0", 36);
    assert_int_equal(stack % 16, 0);
    unload();
}

static void no_arguments_are_one(void **state)
{
    static const char *const nothing[] = {NULL};
    struct elf_file file = elf_good();
    (void)state;

    assert_int_equal(load(&file, sizeof(file), nothing), 0);
    assert_int_equal(word(stack), 1);
    assert_bytes(word(stack + 8), "", 1);
    unload();
}

/* Strings of more than a page, and the stack is 128 KiB below them still. */
static void long_arguments(void **state)
{
    static char text[100000];
    const char *const with[] = {text, text, NULL};
    struct elf_file file = elf_good();
    (void)state;

    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(load(&file, sizeof(file), with), 0);
    assert_int_equal(word(stack), 2);
    assert_bytes(word(stack + 16) + 99990, "xxxxxxxxx", 10);
    assert_int_equal(vma_at(mm, stack)->start,
                     ((word(stack + 8)) & ~(PAGE - 1)) - (UINT64_C(128) << 10));
    unload();
}

static void too_long_arguments(void **state)
{
    static char text[140000];
    static const char *with[40000];
    struct elf_file file = elf_good();
    (void)state;

    memset(text, 'x', sizeof(text) - 1);
    with[0] = text;
    with[1] = NULL;
    assert_int_equal(load(&file, sizeof(file), with), -E2BIG); /* one string */
    unload();
    text[100] = 0;
    for (int i = 0; i < 39999; i++) {
        with[i] = text;
    }
    assert_int_equal(load(&file, sizeof(file), with), -E2BIG); /* all of them */
    unload();
}

static void static_pie(void **state)
{
    struct elf_file file = elf_good();
    (void)state;

    file.header.type = 3;
    file.header.entry -= 0x400000;
    for (int i = 0; i < 3; i++) {
        file.segment[i].address -= 0x400000;
    }
    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    /* Five pages right below mmap_base, as a file would be mapped; vvar and vdso below them. */
    assert_int_equal(entry, 0x7ffff7ffb000);
    assert_maps("7ffff7ff4000-7ffff7ff8000 r--p 0 [vvar]\n"
                "7ffff7ff8000-7ffff7ffa000 r-xp 0 [vdso]\n"
                "7ffff7ffa000-7ffff7ffb000 r--p 0 /programs/test\n"
                "7ffff7ffb000-7ffff7ffc000 r-xp 1000 /programs/test\n"
                "7ffff7ffc000-7ffff7ffd000 rw-p 2000 /programs/test\n"
                "7ffff7ffd000-7ffff7fff000 rw-p 0 [heap]\n"
                "7ffffffde000-7ffffffff000 rw-p 0 [stack]\n");
    assert_int_equal(mm->brk_start, 0x7ffff7fff000);
    assert_good();
    unload();
}

static void executable_stack(void **state)
{
    struct elf_file file = elf_good();
    (void)state;

    file.segment[3].flags |= ELF_X;
    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_true(vma_at(mm, stack)->flags & VM_EXEC);
    unload();
    file.segment[3].type = 0; /* says nothing: not on x86-64 */
    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_false(vma_at(mm, stack)->flags & VM_EXEC);
    unload();
}

/* A segment without bytes in the file is .bss alone; one that ends at a page's end has no tail. */
static void only_bss(void **state)
{
    struct elf_file file = elf_good();
    (void)state;

    file.segment[2].address = 0x402000;
    file.segment[2].offset = 2 * PAGE;
    file.segment[2].file_bytes = PAGE;
    file.segment[2].memory_bytes = 2 * PAGE;
    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_bytes(0x402000, (const uint8_t *)&file + 2 * PAGE, PAGE);
    assert_int_equal(word(0x403000), 0);
    unload();
    file.segment[2].file_bytes = 0;
    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_int_equal(word(0x402000), 0);
    assert_int_equal(mm->brk, 0x404000);
    unload();
}

/* Beyond the end of the file there is memory, but no page: Linux loads such a file as well. */
static void segment_beyond_the_file(void **state)
{
    struct elf_file file = elf_good();
    uint8_t byte;
    (void)state;

    file.segment[1].offset = 16 * PAGE;
    assert_int_equal(load(&file, sizeof(file), arguments), 0);
    assert_int_equal(user_read(0x401000, &byte, 1), BAD_SIGNAL);
    assert_int_equal(mm->bad.signal, SIGBUS);
    unload();
}

/* ---- bad files ----------------------------------------------------------------------------------------- */

enum field {
    MAGIC,
    TYPE,
    MACHINE,
    HEADER_BYTES,
    HEADERS,
    HEADERS_AT,
    ENTRY,
    SEGMENT_TYPE,
    ADDRESS,
    OFFSET,
    FILE_BYTES,
    MEMORY_BYTES,
    FLAGS,
};

static void change(struct elf_file *file, enum field field, uint64_t value, unsigned segment)
{
    switch (field) {
    case MAGIC:
        file->header.ident[value] ^= 1;
        break;
    case TYPE:
        file->header.type = (uint16_t)value;
        break;
    case MACHINE:
        file->header.machine = (uint16_t)value;
        break;
    case HEADER_BYTES:
        file->header.program_header_bytes = (uint16_t)value;
        break;
    case HEADERS:
        file->header.program_header_count = (uint16_t)value;
        break;
    case HEADERS_AT:
        file->header.program_headers = value;
        break;
    case ENTRY:
        file->header.entry = value;
        break;
    case SEGMENT_TYPE:
        file->segment[segment].type = (uint32_t)value;
        break;
    case ADDRESS:
        file->segment[segment].address = value;
        break;
    case OFFSET:
        file->segment[segment].offset = value;
        break;
    case FILE_BYTES:
        file->segment[segment].file_bytes = value;
        break;
    case MEMORY_BYTES:
        file->segment[segment].memory_bytes = value;
        break;
    case FLAGS:
        file->segment[segment].flags = (uint32_t)value;
        break;
    }
}

static void refusals(void **state)
{
    static const struct {
        enum field field;
        uint64_t value;
        unsigned segment;
        int expected;
    } bad[] = {
        {MAGIC,        0,                  0, -ENOEXEC},
        {MAGIC,        3,                  0, -ENOEXEC},
        {TYPE,         1,                  0, -ENOEXEC},
        {TYPE,         4,                  0, -ENOEXEC},
        {MACHINE,      3,                  0, -ENOEXEC},
        {HEADER_BYTES, 55,                 0, -ENOEXEC},
        {HEADER_BYTES, 64,                 0, -ENOEXEC},
        {HEADERS,      0,                  0, -ENOEXEC},
        {HEADERS,      73,                 0, 0       }, /* 4088 bytes */
        {HEADERS,      74,                 0, -ENOEXEC}, /* more than a page */
        {HEADERS,      400,                0, -ENOEXEC}, /* behind the file's end */
        {HEADERS_AT,   UINT64_MAX,         0, -ENOEXEC},
        {HEADERS_AT,   UINT64_MAX - 100,   0, -ENOEXEC},
        {HEADERS_AT,   0x7fffffffffffffff, 0, -ENOEXEC},
        {SEGMENT_TYPE, ELF_INTERPRETER,    3, -ENOEXEC}, /* no name */
        {ADDRESS,      0x7ffffffff000,     0, -ENOMEM }, /* where nothing may be */
        {ADDRESS,      0x7fffffffe000,     0, -EEXIST }, /* on the stack */
        {ADDRESS,      UINT64_MAX - 0xfff, 0, -ENOMEM },
        {ADDRESS,      0x8000000000000000, 1, -ENOMEM },
        {OFFSET,       1,                  0, -EINVAL }, /* not the address's place in its page */
        {FILE_BYTES,   0x201,              0, -EINVAL }, /* more than in memory */
        {FILE_BYTES,   UINT64_MAX,         0, -EINVAL },
        {MEMORY_BYTES, UINT64_MAX,         2, -EINVAL },
        {MEMORY_BYTES, 0x7ffffffff001,     2, -EINVAL },
        {MEMORY_BYTES, 0x7fffff000000,     2, -ENOMEM },
        {FLAGS,        ELF_R,              2, -EFAULT }, /* .bss that cannot be cleared */
        {ENTRY,        0x7ffffffff000,     0, -EINVAL },
        {ENTRY,        0xffffffff80000000, 0, -EINVAL },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct elf_file file = elf_good();

        change(&file, bad[i].field, bad[i].value, bad[i].segment);
        const int error = load(&file, sizeof(file), arguments);
        if (error != bad[i].expected) {
            fail_msg("case %zu: %d, not %d", i, error, bad[i].expected);
        }
        assert_good();
        unload();
    }
}

static void interpreter(void **state)
{
    struct elf_file file = elf_good();
    (void)state;

    file.segment[3] = (struct elf_segment){
        ELF_INTERPRETER, ELF_R, offsetof(struct elf_file, rest), 0, 0, 6, 6, 1};
    memcpy(file.rest, "/ld.so", 6);
    assert_int_equal(load(&file, sizeof(file), arguments), -ENOEXEC); /* no NUL */
    unload();
    memcpy(file.rest, "/ld.s", 6);
    assert_int_equal(load(&file, sizeof(file), arguments), -ENOENT);
    unload();
    file.segment[3].offset = sizeof(file) - 5;
    assert_int_equal(load(&file, sizeof(file), arguments), -EIO);
    unload();
    file.segment[3].offset = UINT64_MAX - 2;
    assert_int_equal(load(&file, sizeof(file), arguments), -EINVAL);
    unload();
    file.segment[3].file_bytes = 4097;
    assert_int_equal(load(&file, sizeof(file), arguments), -ENOEXEC);
    unload();
}

static void short_files(void **state)
{
    struct elf_file file = elf_good();
    (void)state;

    for (uint64_t bytes = 0; bytes < 64 + 4 * 56; bytes++) {
        assert_int_equal(load(&file, bytes, arguments), -ENOEXEC);
        unload();
    }
    /* Its pages are missed when they are touched, and the loader touches the end of the data. */
    assert_int_equal(load(&file, 64 + 4 * 56, arguments), -EFAULT);
    unload();
    assert_int_equal(load(&file, 2 * PAGE + 1, arguments), 0);
    unload();
}

static void each_allocation_fails(void **state)
{
    struct elf_file file = elf_good();
    uint64_t number = 0;
    (void)state;

    for (;;) {
        memory_fail_at(++number);
        const int error = load(&file, sizeof(file), arguments);
        const bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_good();
        unload();
    }
    assert_true(number > 15);
    unload();
}

/* Whatever the headers hold, the answer is a number, and nothing is left. */
static void any_headers(void **state)
{
    uint64_t random = 0x9e3779b97f4a7c15;
    unsigned good = 0;
    (void)state;

    for (unsigned round = 0; round < 4000; round++) {
        struct elf_file file = elf_good();
        uint8_t *bytes = (uint8_t *)&file;

        for (unsigned i = 0; i <= round % 4; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            /* Behind what decides that it is a file at all, mostly. */
            const uint64_t at = (random >> 8) % (64 + 4 * 56);
            bytes[at < 20 ? 24 + at : at] = (uint8_t)(random >> 40);
        }
        const int error = load(&file, sizeof(file), arguments);
        assert_true(error <= 0 && error > -4096);
        good += error == 0;
        if (round % 64 == 0) {
            assert_good();
        }
        unload();
    }
    assert_in_range(good, 100, 3900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(segments_where_they_say),
        TEST(pages_come_when_touched),
        TEST(first_stack),
        TEST(no_arguments_are_one),
        TEST(long_arguments),
        TEST(too_long_arguments),
        TEST(static_pie),
        TEST(executable_stack),
        TEST(only_bss),
        TEST(segment_beyond_the_file),
        TEST(refusals),
        TEST(interpreter),
        TEST(short_files),
        TEST(each_allocation_fails),
        TEST(any_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
