/*
 * firmware.c: protocols, pool memory and texts of firmware. UEFI specification, section 7.
 */
#include "efi/firmware.h"

#include "x86/memory.h"

EFI_HANDLE image_handle;
EFI_SYSTEM_TABLE *system_table;
EFI_BOOT_SERVICES *boot_services;
EFI_RUNTIME_SERVICES *runtime_services;
EFI_LOADED_IMAGE *loaded_image;

void firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    static const EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    image_handle = image;
    system_table = table;
    boot_services = table->BootServices;
    runtime_services = table->RuntimeServices;
    /* An error means that there is no watchdog to be afraid of. */
    (void)boot_services->SetWatchdogTimer(0, 0, 0, NULL);
    loaded_image = firmware_protocol(image, &loaded_image_guid);
}

/* Firmware's prototypes know no const; these parameters are only read. */
static EFI_GUID *plain(const EFI_GUID *guid)
{
    return (EFI_GUID *)(uintptr_t)guid;
}

void *firmware_protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
    void *protocol = NULL;
    if (!handle || EFI_ERROR(boot_services->HandleProtocol(handle, plain(guid), &protocol)))
        return NULL;
    return protocol;
}

void *firmware_any_protocol(const EFI_GUID *guid)
{
    void *protocol = NULL;
    if (EFI_ERROR(boot_services->LocateProtocol(plain(guid), NULL, &protocol)))
        return NULL;
    return protocol;
}

size_t firmware_handles(const EFI_GUID *guid, EFI_HANDLE **handles)
{
    UINTN count = 0;
    *handles = NULL;
    if (EFI_ERROR(
            boot_services->LocateHandleBuffer(ByProtocol, plain(guid), NULL, &count, handles))) {
        *handles = NULL;
        return 0;
    }
    return count;
}

const void *firmware_table(const EFI_GUID *guid)
{
    for (UINTN i = 0; i < system_table->NumberOfTableEntries; i++)
        if (memcmp(&system_table->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)) == 0)
            return system_table->ConfigurationTable[i].VendorTable;
    return NULL;
}

void *pool_allocate(size_t bytes)
{
    void *memory = NULL;
    if (EFI_ERROR(boot_services->AllocatePool(EfiLoaderData, bytes, &memory)))
        return NULL;
    return memory;
}

void pool_free(void *memory)
{
    if (memory)
        (void)boot_services->FreePool(memory);
}

size_t text_narrow_counted(char *to, size_t room, const CHAR16 *from, size_t count)
{
    size_t length = 0;
    for (; length < count && length + 1 < room && from[length]; length++) {
        bool plain_text = (from[length] >= ' ' && from[length] <= '~') || from[length] == '\n' ||
                          from[length] == '\r' || from[length] == '\t';
        to[length] = plain_text ? (char)from[length] : '?';
    }
    if (room)
        to[length] = '\0';
    return length;
}

size_t text_narrow(char *to, size_t room, const CHAR16 *from)
{
    if (!from)
        from = L"";
    return text_narrow_counted(to, room, from, room);
}
