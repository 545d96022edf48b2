/*
 * sabotage.c: see sabotage.h. Each wrong value is one that firmware survives: a test wants to see
 * the report on it.
 */
#include "sabotage.h"

#include "fault/world.h"
#include "machine.h"
#include "tests/matrix/wrong.h"
#include "x86/memory.h"
#include "x86/registers.h"

/* XORed to what was saved; 0: any change would end the machine or cannot be made. */
static const uint64_t wrong_bits[WORLD_ITEM_COUNT] = {
    [WORLD_CR0] = CR0_MP,
    [WORLD_CR4] = CR4_TSD, /* not DE: EDK II's interrupt handlers set that */
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
    [WORLD_APIC_SVR] = 0x10,
    [WORLD_APIC_DIVIDE] = 1,
    [WORLD_APIC_TIMER] = 0x20000, /* periodic */
    [WORLD_APIC_LINT0] = 0x2000,  /* active low */
    [WORLD_APIC_LINT1] = 0x2000,
    [WORLD_FX] = 1,
};

/* Items that only some processors have. */
static const struct {
    enum world_item item;
    enum cpu_feature needs;
} optional_items[] = {
    {WORLD_XCR0,         FEATURE_XSAVE   },
    {WORLD_PKRU,         FEATURE_PKU     },
    {WORLD_PKRS,         FEATURE_PKS     },
    {WORLD_U_CET,        FEATURE_CET_SS  },
    {WORLD_TSC_AUX,      FEATURE_RDTSCP  },
    {WORLD_SYSENTER_CS,  FEATURE_SYSENTER},
    {WORLD_SYSENTER_ESP, FEATURE_SYSENTER},
    {WORLD_SYSENTER_EIP, FEATURE_SYSENTER},
};

/* Words that are no plain item. */
static const struct {
    const char *word;
    enum world_wrong what;
} words[] = {
    {"gdt-byte",       WRONG_GDT_BYTE},
    {"idt-byte",       WRONG_IDT_BYTE},
    {"world:CS",       WRONG_CS      },
    {"world:GDT_BASE", WRONG_GDT_BASE},
    {"world:IDT_BASE", WRONG_IDT_BASE},
    {"world:RFLAGS",   WRONG_NOTHING }, /* efi/core.c does it */
    {"leak-page",      WRONG_NOTHING }, /* efi/core.c does it */
};

static const struct {
    const char *word;
    enum memory_wrong what;
} memory_words[] = {
    {"mm:keep-writable", MEMORY_KEEP_WRITABLE},
    {"mm:lose-page",     MEMORY_LOSE_PAGE    },
    {"mm:stray-leaf",    MEMORY_STRAY_LEAF   },
};
enum memory_wrong sabotage_memory;

static bool item_exists(enum world_item item)
{
    for (unsigned i = 0; i < ARRAY_COUNT(optional_items); i++) {
        if (optional_items[i].item == item) {
            return machine_has(optional_items[i].needs);
        }
    }
    return true;
}

bool sabotage_set(const char *word)
{
    static const char prefix[] = "world:";
    struct model_wrong wrong;

    world_sabotage(WRONG_NOTHING, WORLD_ITEM_COUNT, 0);
    sabotage_memory = MEMORY_RIGHT;
    for (unsigned i = 0; i < ARRAY_COUNT(memory_words); i++) {
        if (texts_equal(word, memory_words[i].word)) {
            sabotage_memory = memory_words[i].what;
            return true;
        }
    }
    if (word[0] == '\0' || model_wrong_parse(word, &wrong)) { /* matrix/matrix.c does the latter */
        return true;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
        if (texts_equal(word, words[i].word)) {
            world_sabotage(words[i].what, WORLD_ITEM_COUNT, 0);
            return true;
        }
    }
    for (unsigned item = 0; item < WORLD_ITEM_COUNT; item++) {
        if (memcmp(word, prefix, sizeof(prefix) - 1) == 0 && wrong_bits[item] &&
            item_exists((enum world_item)item) &&
            texts_equal(word + sizeof(prefix) - 1, world_item_names[item])) {
            world_sabotage(WRONG_ITEM, (enum world_item)item, wrong_bits[item]);
            return true;
        }
    }
    return false;
}
