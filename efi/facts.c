/*
 * facts.c: the memory map, SMBIOS, MP services, Secure Boot, clocks. UEFI specification, sections
 * 3.3, 4.6, 7.2, 8.3; PI specification vol. 2, 13.4; SMBIOS specification, 5.2, 6.1 and 7.2.
 */
#include "efi/facts.h"

#include "efi/firmware.h"
#include "tests/report/sink.h"
#include "x86/instructions.h"
#include "x86/memory.h"

#define PAGE_BYTES     4096u
#define STALL_MICROS   5000u
#define STRUCTURES_MAX 4096u
#define SMBIOS_SYSTEM  1 /* structure type "System Information" */
#define SMBIOS_END     127
#define SYSTEM_MAKER   4 /* offsets in it: numbers of strings */
#define SYSTEM_PRODUCT 5

/* MP services: gnu-efi has no header for it. Only the first of its functions is called. */
struct mp_services {
    EFI_STATUS(EFIAPI *get_number_of_processors)(struct mp_services *, UINTN *all, UINTN *enabled);
    void *others[6];
};

static uint64_t memory_bytes(void)
{
    UINTN bytes = 0, key, step = 0;
    UINT32 version;
    uint64_t pages = 0;
    if (boot_services->GetMemoryMap(&bytes, NULL, &key, &step, &version) != EFI_BUFFER_TOO_SMALL ||
        step == 0)
        return 0;
    bytes += 8 * step; /* allocating the buffer splits entries */
    uint8_t *map = pool_allocate(bytes);
    if (map && !EFI_ERROR(boot_services->GetMemoryMap(&bytes, (EFI_MEMORY_DESCRIPTOR *)map, &key,
                                                      &step, &version)))
        for (UINTN at = 0; at + step <= bytes; at += step) {
            const EFI_MEMORY_DESCRIPTOR *range = (const EFI_MEMORY_DESCRIPTOR *)(map + at);
            bool is_memory =
                range->Type != EfiReservedMemoryType && range->Type != EfiMemoryMappedIO &&
                range->Type != EfiMemoryMappedIOPortSpace && range->Type != EfiUnusableMemory;
            pages += is_memory ? range->NumberOfPages : 0;
        }
    pool_free(map);
    return pages * PAGE_BYTES;
}

static uint32_t processors(void)
{
    static const EFI_GUID mp_guid = {
        0x3fdda605, 0xa76e, 0x4f46, {0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08}
    };
    struct mp_services *mp = firmware_any_protocol(&mp_guid);
    UINTN all, enabled;
    if (!mp || EFI_ERROR(mp->get_number_of_processors(mp, &all, &enabled)) || enabled == 0)
        return 1;
    return (uint32_t)enabled;
}

static char secure_boot(void)
{
    static EFI_GUID global_guid = EFI_GLOBAL_VARIABLE;
    uint8_t value = 0;
    UINTN bytes = sizeof(value);
    EFI_STATUS status =
        runtime_services->GetVariable(L"SecureBoot", &global_guid, NULL, &bytes, &value);
    if (status == EFI_NOT_FOUND)
        return 'n';
    return EFI_ERROR(status) ? '?' : value ? 'y' : 'n';
}

/* ---- SMBIOS -----------------------------------------------------------------------------------
 */

/* A structure: @bytes of fixed fields, then its strings, each with its NUL, and one more NUL. */
struct structure {
    const uint8_t *fields;
    size_t bytes;  /* fixed fields, as the structure says */
    size_t length; /* with the strings */
};

static uint64_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

/* Find the first structure of @type. Never reads outside the table. */
static bool find_structure(uint8_t type, struct structure *found)
{
    static const EFI_GUID smbios3_guid = SMBIOS3_TABLE_GUID, smbios_guid = SMBIOS_TABLE_GUID;
    const uint8_t *entry = firmware_table(&smbios3_guid), *at;
    size_t left;
    if (entry && memcmp(entry, "_SM3_", 5) == 0) {
        left = (size_t)little_endian(entry + 12, 4);
        at = (const uint8_t *)(uintptr_t)little_endian(entry + 16, 8);
    } else if ((entry = firmware_table(&smbios_guid)) && memcmp(entry, "_SM_", 4) == 0) {
        left = (size_t)little_endian(entry + 22, 2);
        at = (const uint8_t *)(uintptr_t)little_endian(entry + 24, 4);
    } else {
        return false;
    }
    for (unsigned i = 0; at && i < STRUCTURES_MAX && left >= 4; i++) {
        size_t length = at[1];
        if (length < 4)
            return false;
        while (length + 2 <= left && (at[length] || at[length + 1]))
            length++;
        if (length + 2 > left)
            return false;
        length += 2;
        *found = (struct structure){at, at[1], length};
        if (at[0] == type)
            return true;
        if (at[0] == SMBIOS_END)
            return false;
        at += length;
        left -= length;
    }
    return false;
}

/* The string whose number is in the field at @offset; "" when there is none. */
static const char *structure_text(const struct structure *structure, size_t offset)
{
    const char *text = (const char *)structure->fields + structure->bytes;
    const char *end = (const char *)structure->fields + structure->length - 1;
    unsigned number = offset < structure->bytes ? structure->fields[offset] : 0;
    for (unsigned i = 1; i < number && text < end; i++) {
        while (*text)
            text++;
        text++;
    }
    return number && text < end ? text : "";
}

/* "QEMU Standard PC (i440FX + PIIX, 1996)". */
static void board_read(char *board, size_t room)
{
    struct structure system;
    struct buffer_sink sink;
    buffer_sink_init(&sink, board, room - 1);
    if (find_structure(SMBIOS_SYSTEM, &system)) {
        const char *maker = structure_text(&system, SYSTEM_MAKER);
        const char *product = structure_text(&system, SYSTEM_PRODUCT);
        sink_printf(&sink.sink, "%s%s%s", maker, *maker && *product ? " " : "", product);
    }
    board[sink.length] = '\0';
    for (size_t i = 0; i < sink.length; i++)
        if (board[i] < ' ' || board[i] > '~')
            board[i] = '?';
}

uint32_t facts_fingerprint(void)
{
    struct structure system;
    UINT32 crc = 0;
    if (!find_structure(SMBIOS_SYSTEM, &system) ||
        EFI_ERROR(
            boot_services->CalculateCrc32((void *)(uintptr_t)system.fields, system.length, &crc)))
        return 0;
    return crc;
}

void facts_read(struct machine_facts *facts)
{
    (void)text_narrow(facts->firmware_vendor, sizeof(facts->firmware_vendor),
                      system_table->FirmwareVendor);
    facts->firmware_revision = system_table->FirmwareRevision;
    facts->uefi_revision = system_table->Hdr.Revision;
    facts->processors = processors();
    facts->secure_boot = secure_boot();
    facts->memory_bytes = memory_bytes();
    board_read(facts->board, sizeof(facts->board));
}

/* ---- clocks -----------------------------------------------------------------------------------
 */

uint64_t facts_ticks_per_second(void)
{
    uint64_t start = read_tsc();
    (void)boot_services->Stall(STALL_MICROS);
    uint64_t ticks = (read_tsc() - start) * (1000000 / STALL_MICROS);
    return ticks ? ticks : 1000000000; /* a counter that stands still: any figure will do */
}

uint64_t facts_wall_clock(void)
{
    EFI_TIME time;
    if (EFI_ERROR(runtime_services->GetTime(&time, NULL)) || time.Year < 1970 || time.Month < 1 ||
        time.Month > 12)
        return 0;
    /* Years that begin in March make the leap day the last one; 719468 days lead from year 0 to
     * 1970. */
    uint64_t month = (time.Month + 9u) % 12;
    uint64_t year = time.Year - (time.Month < 3 ? 1u : 0u);
    uint64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 +
                    time.Day - 1 - 719468;
    int64_t seconds = (int64_t)(((days * 24 + time.Hour) * 60 + time.Minute) * 60 + time.Second);
    if (time.TimeZone >= -1440 && time.TimeZone <= 1440)
        seconds +=
            time.TimeZone * 60; /* local time = UTC - TimeZone; 2047: not said, taken as UTC */
    return (uint64_t)seconds;
}
