/*
 * volume.c: Simple File System and File protocols. UEFI specification, sections 13.4 and 13.5.
 */
#include "efi/volume.h"

#define INFO_BYTES  1024u   /* file names are at most 255 characters */
#define ENTRIES_MAX 100000u /* a directory that does not end */

static EFI_FILE_HANDLE root; /* NULL: no volume */

static EFI_FILE_HANDLE open_root(EFI_HANDLE handle)
{
    static const EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_FILE_IO_INTERFACE *file_system = firmware_protocol(handle, &file_system_guid);
    EFI_FILE_HANDLE opened = NULL;
    if (!file_system || EFI_ERROR(file_system->OpenVolume(file_system, &opened)))
        return NULL;
    return opened;
}

static bool holds_options(EFI_FILE_HANDLE directory)
{
    EFI_FILE_HANDLE file;
    if (EFI_ERROR(directory->Open(directory, &file, L"\\faultline.cfg", EFI_FILE_MODE_READ, 0)))
        return false;
    (void)file->Close(file);
    return true;
}

/* The first volume with \faultline.cfg, or NULL. */
static EFI_FILE_HANDLE find_options(void)
{
    static const EFI_GUID file_system_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_FILE_HANDLE found = NULL;
    EFI_HANDLE *handles;
    size_t count = firmware_handles(&file_system_guid, &handles);
    for (size_t i = 0; i < count && !found; i++) {
        found = open_root(handles[i]);
        if (found && !holds_options(found)) {
            (void)found->Close(found);
            found = NULL;
        }
    }
    pool_free(handles);
    return found;
}

/* What the volume tells about itself. Out: false when it does not tell; writing will. */
static bool volume_info(EFI_FILE_SYSTEM_INFO *info, UINTN bytes)
{
    static EFI_GUID file_system_info_guid = EFI_FILE_SYSTEM_INFO_ID;
    return !EFI_ERROR(root->GetInfo(root, &file_system_info_guid, &bytes, info));
}

/*
 * May an entry be made? To be asked before, not learnt from the error: EDK II, when there is no
 * block left for a new folder, leaves an entry behind that points at the root, a file system that
 * never ends.
 */
static enum save_problem entry_problem(void)
{
    _Alignas(8) uint8_t buffer[INFO_BYTES];
    EFI_FILE_SYSTEM_INFO *info = (EFI_FILE_SYSTEM_INFO *)buffer;
    if (!root)
        return SAVE_NO_VOLUME;
    if (!volume_info(info, sizeof(buffer)))
        return SAVE_OK;
    if (info->ReadOnly)
        return SAVE_READ_ONLY;
    return info->FreeSpace < UINT64_C(2) * info->BlockSize ? SAVE_FULL : SAVE_OK;
}

bool volume_has_room(uint64_t wanted)
{
    _Alignas(8) uint8_t buffer[INFO_BYTES];
    EFI_FILE_SYSTEM_INFO *info = (EFI_FILE_SYSTEM_INFO *)buffer;
    return root && (!volume_info(info, sizeof(buffer)) || info->FreeSpace >= wanted);
}

enum save_problem volume_start(void)
{
    root = loaded_image ? open_root(loaded_image->DeviceHandle) : NULL;
    if (!root || !holds_options(root)) {
        EFI_FILE_HANDLE other = find_options();
        if (other && root)
            (void)root->Close(root);
        if (other)
            root = other;
    }
    /* Whether it is full shows when something is written; it may be large enough to go on with. */
    enum save_problem problem = entry_problem();
    return problem == SAVE_FULL ? SAVE_OK : problem;
}

void volume_end(void)
{
    if (root)
        (void)root->Close(root);
    root = NULL;
}

enum save_problem volume_problem(EFI_STATUS status)
{
    switch (status) {
    case EFI_SUCCESS:
        return SAVE_OK;
    case EFI_WRITE_PROTECTED:
    case EFI_ACCESS_DENIED:
    case EFI_UNSUPPORTED:
        return SAVE_READ_ONLY;
    case EFI_VOLUME_FULL:
        return SAVE_FULL;
    default:
        return SAVE_FAILED;
    }
}

EFI_FILE_HANDLE volume_open(CHAR16 *path)
{
    EFI_FILE_HANDLE file;
    if (!root)
        return NULL;
    if (!EFI_ERROR(root->Open(root, &file, path, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0)) ||
        !EFI_ERROR(root->Open(root, &file, path, EFI_FILE_MODE_READ, 0)))
        return file;
    return NULL;
}

uint64_t volume_read(CHAR16 *path, void *buffer, size_t room)
{
    EFI_FILE_HANDLE file = volume_open(path);
    UINT64 bytes = 0;
    UINTN got = room;
    if (!file)
        return 0;
    if (EFI_ERROR(file->Read(file, &got, buffer)))
        got = 0;
    /* The end of the file is position 2^64 - 1. */
    if (got == room && (EFI_ERROR(file->SetPosition(file, UINT64_MAX)) ||
                        EFI_ERROR(file->GetPosition(file, &bytes))))
        bytes = 0;
    (void)file->Close(file);
    return bytes > got ? bytes : got;
}

enum save_problem volume_create(CHAR16 *path, EFI_FILE_HANDLE *file)
{
    if (root && !volume_delete(path))
        return SAVE_FAILED;
    enum save_problem problem = entry_problem();
    if (problem != SAVE_OK)
        return problem;
    return volume_problem(root->Open(
        root, file, path, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE, 0));
}

enum save_problem volume_make_folder(CHAR16 *path)
{
    EFI_FILE_HANDLE folder = volume_open(path);
    if (folder) {
        (void)folder->Close(folder);
        return SAVE_OK;
    }
    enum save_problem problem = entry_problem();
    if (problem != SAVE_OK)
        return problem;
    EFI_STATUS status = root->Open(root, &folder, path,
                                   EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE,
                                   EFI_FILE_DIRECTORY);
    if (!EFI_ERROR(status))
        (void)folder->Close(folder);
    return volume_problem(status);
}

enum save_problem volume_write(EFI_FILE_HANDLE file, const void *bytes, size_t length)
{
    UINTN written = length;
    EFI_STATUS status = file->Write(file, &written, (void *)(uintptr_t)bytes);
    if (!EFI_ERROR(status) && written != length)
        return SAVE_FULL;
    return volume_problem(status);
}

bool volume_delete(CHAR16 *path)
{
    EFI_FILE_HANDLE file = volume_open(path);
    /* Delete succeeds with a warning when it only closed the file. */
    return !file || file->Delete(file) == EFI_SUCCESS;
}

/* A name of four or five digits as a number; else 0. */
static uint32_t name_number(const CHAR16 *name)
{
    uint32_t number = 0, digits = 0;
    for (; name[digits] >= L'0' && name[digits] <= L'9' && digits < 6; digits++)
        number = number * 10 + (uint32_t)(name[digits] - L'0');
    return digits >= 4 && name[digits] == 0 ? number : 0;
}

uint16_t volume_highest_number(CHAR16 *path)
{
    _Alignas(8) uint8_t buffer[INFO_BYTES];
    EFI_FILE_INFO *info = (EFI_FILE_INFO *)buffer;
    EFI_FILE_HANDLE folder = volume_open(path);
    uint32_t highest = 0;
    for (unsigned i = 0; folder && i < ENTRIES_MAX; i++) {
        UINTN bytes = sizeof(buffer);
        if (EFI_ERROR(folder->Read(folder, &bytes, info)) || bytes == 0)
            break;
        uint32_t number = name_number(info->FileName);
        if (number > highest && number <= UINT16_MAX)
            highest = number;
    }
    if (folder)
        (void)folder->Close(folder);
    return (uint16_t)highest;
}
