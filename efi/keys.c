/*
 * keys.c: the console's input, by the extended protocol where there is one. UEFI specification,
 * sections 12.2 and 12.3.
 */
#include "efi/keys.h"

#include "efi/firmware.h"
#include "tests/harness/session.h"

/* UEFI specification, table "EFI Scan Codes". */
#define SCAN_UP_KEY        0x01
#define SCAN_DOWN_KEY      0x02
#define SCAN_HOME_KEY      0x05
#define SCAN_END_KEY       0x06
#define SCAN_PAGE_UP_KEY   0x09
#define SCAN_PAGE_DOWN_KEY 0x0a
#define SCAN_ESCAPE_KEY    0x17

#define TYPED_AHEAD_MAX 64u /* keys read at one go: a stuck key must not hold the run */

static const struct {
    uint16_t scan;
    CHAR16 character;
    enum key_action action;
    enum session_key key;
} keys[] = {
    {SCAN_UP_KEY,        0,    ACTION_SCROLL,    KEY_UP       },
    {SCAN_DOWN_KEY,      0,    ACTION_SCROLL,    KEY_DOWN     },
    {SCAN_PAGE_UP_KEY,   0,    ACTION_SCROLL,    KEY_PAGE_UP  },
    {SCAN_PAGE_DOWN_KEY, 0,    ACTION_SCROLL,    KEY_PAGE_DOWN},
    {SCAN_HOME_KEY,      0,    ACTION_SCROLL,    KEY_HOME     },
    {SCAN_END_KEY,       0,    ACTION_SCROLL,    KEY_END      },
    {SCAN_ESCAPE_KEY,    0,    ACTION_LEAVE,     KEY_NONE     },
    {0,                  0x1b, ACTION_LEAVE,     KEY_NONE     }, /* some terminals' Escape */
    {0,                  'r',  ACTION_RUN_AGAIN, KEY_NONE     },
    {0,                  'R',  ACTION_RUN_AGAIN, KEY_NONE     },
};

static SIMPLE_INPUT_INTERFACE *input;
static EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL *input_ex;

/* One key stroke, if there is one. */
static bool read_stroke(EFI_INPUT_KEY *stroke)
{
    if (input_ex) {
        EFI_KEY_DATA data;
        if (EFI_ERROR(input_ex->ReadKeyStrokeEx(input_ex, &data)))
            return false;
        *stroke = data.Key;
        return true;
    }
    return input && !EFI_ERROR(input->ReadKeyStroke(input, stroke));
}

bool keys_start(void)
{
    static const EFI_GUID input_ex_guid = EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL_GUID;
    EFI_INPUT_KEY stroke;
    input = system_table->ConIn;
    input_ex = firmware_protocol(system_table->ConsoleInHandle, &input_ex_guid);
    for (unsigned i = 0; i < TYPED_AHEAD_MAX && read_stroke(&stroke); i++)
        ;
    return system_table->ConsoleInHandle && (input || input_ex);
}

enum key_action keys_read(uint32_t *key)
{
    EFI_INPUT_KEY stroke;
    for (unsigned i = 0; i < TYPED_AHEAD_MAX && read_stroke(&stroke); i++)
        for (size_t row = 0; row < ARRAY_COUNT(keys); row++)
            if (stroke.ScanCode == keys[row].scan && stroke.UnicodeChar == keys[row].character) {
                *key = keys[row].key;
                return keys[row].action;
            }
    *key = KEY_NONE;
    return ACTION_NONE;
}

enum key_action keys_wait(uint32_t *key)
{
    for (;;) {
        enum key_action action = keys_read(key);
        UINTN index;
        if (action != ACTION_NONE)
            return action;
        EFI_EVENT event = input_ex ? input_ex->WaitForKeyEx : input->WaitForKey;
        if (EFI_ERROR(boot_services->WaitForEvent(1, &event, &index)))
            (void)boot_services->Stall(20000);
    }
}
