/*
 * pe_finish.c: on the build machine: the last step of the application. objcopy leaves a time stamp
 * and no DllCharacteristics; and it drops, without a word, a section that it was not told of.
 * usage: pe_finish FILE.efi SECTION... (those that must be there, and no others, in this order)
 * Out: FILE with NX_COMPAT set and the time stamp and checksum zero; or an error and exit 1 when a
 * section is missing, unknown, both writable and executable, unaligned, overlapping or outside the
 * file. PE/COFF specification, sections 2 to 4.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PE_OFFSET        0x3c /* in the DOS header: where "PE\0\0" is */
#define COFF_SECTIONS    2
#define COFF_TIME        4
#define COFF_OPTIONAL    16 /* size of the optional header */
#define COFF_BYTES       20
#define PE32_PLUS        0x20b
#define OPTIONAL_ENTRY   16
#define OPTIONAL_ALIGN   32
#define OPTIONAL_IMAGE   56
#define OPTIONAL_HEADERS 60
#define OPTIONAL_SUM     64
#define OPTIONAL_SYSTEM  68
#define OPTIONAL_DLL     70
#define OPTIONAL_RELOC   152 /* data directory 5: base relocations, address and size */
#define EFI_APPLICATION  10
#define NX_COMPAT        0x100
#define SECTION_BYTES    40
#define SECTION_CODE     0x00000020
#define SECTION_EXECUTE  0x20000000
#define SECTION_WRITE    0x80000000
#define PAGE             4096

static const char *file_name = "pe_finish";
static uint8_t image[16 << 20];
static size_t image_bytes;

static _Noreturn void fail(const char *what, const char *reason)
{
    fprintf(stderr, "pe_finish: %s: %s: %s\n", file_name, what, reason);
    exit(1);
}

/* The @count bytes at @offset as a little-endian number. */
static uint32_t get(size_t offset, unsigned count)
{
    if (offset > image_bytes || count > image_bytes - offset)
        fail("headers", "are cut short");
    uint32_t value = 0;
    for (unsigned i = count; i-- > 0;)
        value = value << 8 | image[offset + i];
    return value;
}

static void set(size_t offset, unsigned count, uint32_t value)
{
    (void)get(offset, count);
    for (unsigned i = 0; i < count; i++)
        image[offset + i] = (uint8_t)(value >> (8 * i));
}

/* Check the section header at @at, which must be called @name and begin at @next or behind it.
 * Out: where its pages end. */
static uint32_t check_section(size_t at, const char *name, uint32_t next)
{
    char found[9] = "";
    (void)get(at, SECTION_BYTES);
    memcpy(found, image + at, 8);
    uint32_t bytes = get(at + 8, 4), address = get(at + 12, 4);
    uint32_t raw_bytes = get(at + 16, 4), raw = get(at + 20, 4), rights = get(at + 36, 4);
    if (strcmp(found, name) != 0)
        fail(found, "is not the section expected here; see the list in efi.mk");
    if ((rights & SECTION_EXECUTE) && (rights & SECTION_WRITE))
        fail(name, "is both writable and executable");
    if (address % PAGE || address < next)
        fail(name, "is not on a page of its own");
    if (raw_bytes && (raw > image_bytes || raw_bytes > image_bytes - raw))
        fail(name, "reaches beyond the file");
    if (!bytes)
        fail(name, "is empty");
    return (address + bytes + PAGE - 1) / PAGE * PAGE;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage", "pe_finish FILE.efi SECTION...");
    file_name = argv[1];
    FILE *file = fopen(file_name, "rb+");
    if (!file)
        fail("file", "cannot be opened");
    image_bytes = fread(image, 1, sizeof(image), file);

    size_t pe = get(PE_OFFSET, 4);
    if (get(0, 2) != 0x5a4d || get(pe, 4) != 0x4550)
        fail("headers", "are not those of a PE file");
    size_t coff = pe + 4, optional = coff + COFF_BYTES;
    if (get(optional, 2) != PE32_PLUS || get(optional + OPTIONAL_SYSTEM, 2) != EFI_APPLICATION)
        fail("headers", "are not those of a 64-bit EFI application");
    if (get(optional + OPTIONAL_ALIGN, 4) != PAGE)
        fail("headers", "do not align sections to pages");

    size_t section = optional + get(coff + COFF_OPTIONAL, 2);
    uint32_t next = PAGE;
    if (get(coff + COFF_SECTIONS, 2) != (uint32_t)(argc - 2))
        fail("headers", "hold more or fewer sections than efi.mk lists");
    for (int i = 2; i < argc; i++, section += SECTION_BYTES) {
        next = check_section(section, argv[i], next);
        if (strcmp(argv[i], ".reloc") == 0 &&
            get(optional + OPTIONAL_RELOC, 4) != get(section + 12, 4))
            fail(".reloc", "is not what the data directory names");
    }
    if (get(optional + OPTIONAL_IMAGE, 4) < next)
        fail("headers", "give an image size that does not hold every section");
    if (section > get(optional + OPTIONAL_HEADERS, 4))
        fail("headers", "give a header size that does not hold the section table");

    set(coff + COFF_TIME, 4, 0);
    set(optional + OPTIONAL_SUM, 4, 0); /* only drivers' checksums are ever looked at */
    set(optional + OPTIONAL_DLL, 2, get(optional + OPTIONAL_DLL, 2) | NX_COMPAT);
    rewind(file);
    if (fwrite(image, 1, image_bytes, file) != image_bytes || fclose(file) != 0)
        fail("file", "cannot be written");
    return 0;
}
