/*
 * options.c: see options.h. UEFI specification, section 9.1 (load options); QEMU,
 * docs/specs/fw_cfg.
 */
#include "efi/options.h"

#include "efi/console.h"
#include "efi/volume.h"
#include "x86/cpuid.h"
#include "x86/instructions.h"
#include "x86/memory.h"

#define FW_CFG_SELECTOR   0x510 /* 16-bit port, then data at the next one */
#define FW_CFG_DATA       0x511
#define FW_CFG_SIGNATURE  0x0000
#define FW_CFG_DIRECTORY  0x0019
#define FW_CFG_NAME_BYTES 56u
#define FW_CFG_FILES_MAX  1024u
#define CPUID_HYPERVISOR  BIT(31) /* leaf 1, ecx */

/* A reader puts at most OPTION_LINE bytes at @text. Out: how many the carrier holds. */
typedef uint64_t (*carrier_reader)(char *text);

static uint64_t read_file(char *text)
{
    return volume_read(L"\\faultline.cfg", text, OPTION_LINE);
}

/* Does the word of @length characters end in ".efi"? Then it is the program, not an option. */
static bool is_program(const char *word, size_t length)
{
    static const char suffix[] = ".efi";
    if (length < sizeof(suffix) - 1)
        return false;
    for (size_t i = 0; i < sizeof(suffix) - 1; i++)
        if ((word[length - sizeof(suffix) + 1 + i] | 0x20) != (suffix[i] | 0x20))
            return false;
    return true;
}

/* Boot entries may carry data that is meant for nobody: only text can be options. */
static bool is_text(const CHAR16 *from, size_t length)
{
    size_t plain = 0;
    while (plain < length && from[plain] >= L' ' && from[plain] <= L'~')
        plain++;
    return plain == length;
}

/* Load options: the shell puts the program's name before them; boot entries and -append do not. */
static uint64_t read_command_line(char *text)
{
    if (!loaded_image || !loaded_image->LoadOptions)
        return 0;
    const CHAR16 *from = loaded_image->LoadOptions;
    size_t count = loaded_image->LoadOptionsSize / sizeof(CHAR16), length = 0;
    while (length < count && from[length])
        length++;
    if (!console_is_shell() && !is_text(from, length))
        return 0;
    if (length >= OPTION_LINE)
        return OPTION_LINE + 1;
    length = text_narrow_counted(text, OPTION_LINE, from, length);

    size_t start = text[0] == '"', end = start;
    while (end < length && (start ? text[end] != '"' : text[end] != ' '))
        end++;
    if (!console_is_shell() && !is_program(text + start, end - start))
        return length;
    end += end < length; /* the blank or the quotation mark behind it */
    memmove(text, text + end, length - end);
    return length - end;
}

static void fw_cfg_read(void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = read_port8(FW_CFG_DATA);
}

static void fw_cfg_select(uint16_t item)
{
    __asm__ volatile("outw %0, %1" : : "a"(item), "Nd"((uint16_t)FW_CFG_SELECTOR));
}

static uint32_t big_endian(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Only where there is a hypervisor and it signs as QEMU: on real machines the ports are anybody's.
 */
static uint64_t read_fw_cfg(char *text)
{
    static const char wanted[] = "opt/faultline/options";
    uint8_t number[4];
    struct {
        uint8_t bytes[4], item[2], reserved[2];
        char name[FW_CFG_NAME_BYTES];
    } entry;

    if (!(cpuid(1, 0).ecx & CPUID_HYPERVISOR))
        return 0;
    fw_cfg_select(FW_CFG_SIGNATURE);
    fw_cfg_read(number, sizeof(number));
    if (memcmp(number, "QEMU", sizeof(number)) != 0)
        return 0;

    fw_cfg_select(FW_CFG_DIRECTORY);
    fw_cfg_read(number, sizeof(number));
    uint32_t files = big_endian(number, 4);
    for (uint32_t i = 0; i < files && i < FW_CFG_FILES_MAX; i++) {
        fw_cfg_read(&entry, sizeof(entry));
        if (memcmp(entry.name, wanted, sizeof(wanted)) != 0)
            continue;
        uint32_t bytes = big_endian(entry.bytes, 4);
        fw_cfg_select((uint16_t)big_endian(entry.item, 2));
        fw_cfg_read(text, bytes < OPTION_LINE ? bytes : OPTION_LINE);
        return bytes;
    }
    return 0;
}

bool options_read(struct session *session, const char **carrier)
{
    static const struct {
        const char *name;
        carrier_reader read;
    } carriers[CARRIER_COUNT] = {
        [CARRIER_FILE] = {"faultline.cfg",                read_file        },
        [CARRIER_COMMAND_LINE] = {"the command line",             read_command_line},
        [CARRIER_FW_CFG] = {"fw_cfg opt/faultline/options", read_fw_cfg      },
    };
    for (size_t i = 0; i < CARRIER_COUNT; i++) {
        uint64_t bytes = carriers[i].read(session->option_text[i]);
        *carrier = carriers[i].name;
        if (bytes > OPTION_LINE)
            return false;
        session->option_length[i] = (uint32_t)bytes;
    }
    return true;
}
