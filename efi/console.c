/*
 * console.c: which text output is what. UEFI specification, sections 10.3 (device paths) and 12.4.
 */
#include "efi/console.h"

#define LOCALS_MAX          8u
#define PATH_NODES_MAX      64u
#define NODE_MESSAGING      0x03
#define NODE_MESSAGING_UART 0x0e
#define NODE_END            0x7f

static SIMPLE_TEXT_OUTPUT_INTERFACE *locals[LOCALS_MAX];
static size_t local_count;
static bool serial_found, from_shell;

static bool path_holds_uart(const EFI_DEVICE_PATH *node)
{
    for (unsigned i = 0; i < PATH_NODES_MAX && node->Type != NODE_END; i++) {
        size_t bytes = (size_t)node->Length[0] | (size_t)node->Length[1] << 8;
        if (node->Type == NODE_MESSAGING && node->SubType == NODE_MESSAGING_UART)
            return true;
        if (bytes < sizeof(*node))
            return false;
        node = (const EFI_DEVICE_PATH *)((const uint8_t *)node + bytes);
    }
    return false;
}

void console_start(void)
{
    static const EFI_GUID text_guid = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
    static const EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
    static const EFI_GUID shell_guid = {
        0x752f3136, 0x4e16, 0x4fdc, {0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca}
    };
    EFI_HANDLE *handles;
    size_t count = firmware_handles(&text_guid, &handles);
    for (size_t i = 0; i < count; i++) {
        SIMPLE_TEXT_OUTPUT_INTERFACE *text = firmware_protocol(handles[i], &text_guid);
        const EFI_DEVICE_PATH *path = firmware_protocol(handles[i], &path_guid);
        if (!text || !path)
            continue; /* no path: one of firmware's own, that stands for several */
        if (path_holds_uart(path))
            serial_found = true;
        else if (local_count < LOCALS_MAX)
            locals[local_count++] = text;
    }
    pool_free(handles);
    if (local_count == 0 && !serial_found && system_table->ConOut)
        locals[local_count++] = system_table->ConOut;
    from_shell = firmware_protocol(image_handle, &shell_guid) != NULL;
}

SIMPLE_TEXT_OUTPUT_INTERFACE *console_local(void)
{
    return local_count ? locals[0] : NULL;
}

bool console_is_shell(void)
{
    return from_shell;
}

bool console_has_serial(void)
{
    return serial_found;
}

static void print_everywhere(CHAR16 *text)
{
    if (from_shell && system_table->ConOut) {
        (void)system_table->ConOut->OutputString(system_table->ConOut, text);
        return;
    }
    for (size_t i = 0; i < local_count; i++)
        (void)locals[i]->OutputString(locals[i], text);
}

void console_print(const char *text, size_t length)
{
    CHAR16 line[128];
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            line[used++] = L'\r';
        line[used++] = (CHAR16)(unsigned char)text[i];
        if (used + 3 > ARRAY_COUNT(line) || i + 1 == length) {
            line[used] = 0;
            print_everywhere(line);
            used = 0;
        }
    }
}

void console_restore(void)
{
    for (size_t i = 0; i < local_count; i++) {
        (void)locals[i]->SetAttribute(locals[i], EFI_TEXT_ATTR(EFI_LIGHTGRAY, EFI_BLACK));
        (void)locals[i]->ClearScreen(locals[i]);
        (void)locals[i]->EnableCursor(locals[i], TRUE);
    }
}
