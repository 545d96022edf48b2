/*
 * sabotage.c: see sabotage.h. Each wrong value is one that firmware survives: a test wants to see
 * the report on it.
 */
#include "sabotage.h"

#include "fault/world.h"
#include "x86/memory.h"
#include "x86/registers.h"

/* XORed to what was saved; 0: any change would end the machine or cannot be made. */
static const uint64_t wrong_bits[WORLD_ITEM_COUNT] = {
    [WORLD_CR0] = CR0_MP,
    [WORLD_CR4] = CR4_DE,
    [WORLD_EFER] = EFER_SCE,
    [WORLD_SS] = 0x8 ^ 0x30,
    [WORLD_CR3] = 0x8, /* PWT */
    [WORLD_CR2] = 0x1000,
    [WORLD_CR8] = 1,
    [WORLD_PAT] = UINT64_C(1) << 56,
    [WORLD_XCR0] = 2,
    [WORLD_GDT_LIMIT] = 0x80,
    [WORLD_IDT_LIMIT] = 0x1000,
    [WORLD_LDTR] = 3, /* a null selector with an RPL */
    [WORLD_DS] = 0x8 ^ 0x30,
    [WORLD_ES] = 0x8 ^ 0x30,
    [WORLD_FS] = 0x8 ^ 0x30,
    [WORLD_GS] = 0x8 ^ 0x30,
    [WORLD_FS_BASE] = 0x1000,
    [WORLD_GS_BASE] = 0x1000,
    [WORLD_KERNEL_GS_BASE] = 0x1000,
    [WORLD_STAR] = UINT64_C(8) << 32,
    [WORLD_LSTAR] = 0x1000,
    [WORLD_CSTAR] = 0x1000,
    [WORLD_SFMASK] = RFLAGS_IF,
    [WORLD_SYSENTER_CS] = 8,
    [WORLD_SYSENTER_ESP] = 0x1000,
    [WORLD_SYSENTER_EIP] = 0x1000,
    [WORLD_TSC_AUX] = 7,
    [WORLD_PKRU] = 4,
    [WORLD_PKRS] = 4,
    [WORLD_U_CET] = 1,
    [WORLD_DR0] = 0x1000,
    [WORLD_DR1] = 0x1000,
    [WORLD_DR2] = 0x1000,
    [WORLD_DR3] = 0x1000,
    [WORLD_DR6] = 1,
    [WORLD_DR7] = 0x100, /* LE: without effect */
    [WORLD_MXCSR] = 0x8000,
    [WORLD_FCW] = 0x100,
};

/* What efi/core.c leaves wrong itself, after the step. */
static const char *const by_firmware_side[] = {"world:RFLAGS", "leak-page"};

bool sabotage_set(const char *word)
{
    static const char prefix[] = "world:";
    unsigned at = 0;

    world_sabotage(WRONG_NOTHING, WORLD_ITEM_COUNT, 0);
    if (word[0] == '\0') {
        return true;
    }
    if (texts_equal(word, "gdt-byte") || texts_equal(word, "idt-byte")) {
        world_sabotage(word[0] == 'g' ? WRONG_GDT_BYTE : WRONG_IDT_BYTE, WORLD_ITEM_COUNT, 0);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(by_firmware_side); i++) {
        if (texts_equal(word, by_firmware_side[i])) {
            return true;
        }
    }
    while (prefix[at] && word[at] == prefix[at]) {
        at++;
    }
    for (unsigned item = 0; !prefix[at] && item < WORLD_ITEM_COUNT; item++) {
        if (wrong_bits[item] && texts_equal(word + at, world_item_names[item])) {
            world_sabotage(WRONG_ITEM, (enum world_item)item, wrong_bits[item]);
            return true;
        }
    }
    return false;
}
