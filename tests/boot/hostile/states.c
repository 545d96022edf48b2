/*
 * states.c: the states that take more than a value in a register. Firmware maps memory identically,
 * and its own tables may be read-only: they are changed with CR0.WP off.
 */
#include "hostile.h"

#include "fault/cpu.h"
#include "x86/descriptors.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/pte.h"
#include "x86/registers.h"

#define FOUR_GIB (UINT64_C(1) << 32)

const EFI_LOADED_IMAGE *started_image;

static EFI_PHYSICAL_ADDRESS page_below_4g(void)
{
    EFI_PHYSICAL_ADDRESS at = FOUR_GIB - 1;
    if (EFI_ERROR(boot_services->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &at)))
        return 0;
    memset((void *)at, 0, PAGE_SIZE);
    return at;
}

/* ---- firmware's page tables
 * ---------------------------------------------------------------------- */

static unsigned levels(void)
{
    return read_cr4() & CR4_LA57 ? 5 : 4;
}

static bool is_leaf(pte_t entry, unsigned level)
{
    return level == 1 || (level <= LEVEL_LEAF_MAX && entry & PTE_PS);
}

uint64_t *leaf_entry(uint64_t address, unsigned *level)
{
    pte_t table = read_cr3();
    for (*level = levels(); *level; --*level) {
        pte_t *entry = (pte_t *)(table & PTE_ADDRESS) + level_index(address, *level);
        if (!(*entry & PTE_P))
            return NULL;
        if (is_leaf(*entry, *level))
            return entry;
        table = *entry;
    }
    return NULL;
}

/* Does any present entry under @table have one of @bits? Bounded by the levels. */
static bool tables_have(pte_t table, unsigned level, pte_t bits)
{
    const pte_t *entry = (const pte_t *)(table & PTE_ADDRESS);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (!(entry[i] & PTE_P))
            continue;
        if (entry[i] & bits)
            return true;
        if (!is_leaf(entry[i], level) && tables_have(entry[i], level - 1, bits))
            return true;
    }
    return false;
}

static void entry_write(pte_t *entry, pte_t value)
{
    uint64_t flags = read_rflags(), cr0 = read_cr0();
    __asm__ volatile("cli");
    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    *(volatile pte_t *)entry = value;
    write_cr0(cr0);
    write_cr3(read_cr3());
    write_rflags(flags);
}

const char *set_supervisor_only(void)
{
    return tables_have(read_cr3(), levels(), PTE_US) ? "firmware's pages are user pages" : NULL;
}

/* Pages that a copy of the tables under @table takes. */
static uint64_t tables_count(pte_t table, unsigned level)
{
    const pte_t *entry = (const pte_t *)(table & PTE_ADDRESS);
    uint64_t count = 1;
    for (unsigned i = 0; level > 1 && i < TABLE_ENTRIES; i++)
        if (entry[i] & PTE_P && !is_leaf(entry[i], level))
            count += tables_count(entry[i], level - 1);
    return count;
}

/* Copy the tables under @table to @to and on, without XD. Out: the entry that points at the copy.
 */
static pte_t tables_copy(pte_t table, unsigned level, EFI_PHYSICAL_ADDRESS *to)
{
    const pte_t *entry = (const pte_t *)(table & PTE_ADDRESS);
    pte_t *copy = (pte_t *)*to, made = *to | (table & ~(PTE_ADDRESS | PTE_XD));
    *to += PAGE_SIZE;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        copy[i] = entry[i] & PTE_P ? entry[i] & ~PTE_XD : 0;
        if (entry[i] & PTE_P && !is_leaf(entry[i], level))
            copy[i] = tables_copy(entry[i], level - 1, to);
    }
    return made;
}

static EFI_PHYSICAL_ADDRESS copied_tables; /* 0: firmware's own have no XD */
static uint64_t copied_pages, copied_from;

const char *set_no_nx(void)
{
    copied_tables = 0;
    copied_from = read_cr3();
    if (!tables_have(copied_from, levels(), PTE_XD))
        return NULL;
    EFI_PHYSICAL_ADDRESS at = FOUR_GIB - 1;
    copied_pages = tables_count(copied_from, levels());
    if (EFI_ERROR(boot_services->AllocatePages(AllocateMaxAddress, EfiBootServicesData,
                                               copied_pages, &at)))
        return "firmware's page tables use XD, and there is no memory for a copy without it";
    copied_tables = at;
    write_cr3(tables_copy(copied_from, levels(), &at));
    return NULL;
}

void undo_no_nx(void)
{
    if (!copied_tables)
        return;
    write_cr3(copied_from);
    (void)boot_services->FreePages(copied_tables, copied_pages);
}

static pte_t *spoilt_entry;

const char *set_nx_stack(void)
{
    return register_read(REG_STACK_XD) ? NULL : "firmware's stack is executable";
}

void spoil_nx_stack(void)
{
    unsigned level;
    spoilt_entry = leaf_entry(read_rsp(), &level);
    entry_write(spoilt_entry, *spoilt_entry & ~PTE_XD);
}

void undo_nx_stack(void)
{
    if (spoilt_entry)
        entry_write(spoilt_entry, *spoilt_entry | PTE_XD);
    spoilt_entry = NULL;
}

/* ---- breakpoints on core
 * -------------------------------------------------------------------------- */

/*
 * The rest of DR0-3 and DR7 are values in the table of hostile.c. Core's entry point stands in the
 * header of the ELF file that the application embeds.
 */
const char *set_breakpoints(void)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0};
    const uint8_t *image = started_image->ImageBase;
    for (uint64_t at = 0; at + 64 <= started_image->ImageSize; at += 8) {
        if (memcmp(image + at, magic, sizeof(magic)) == 0) {
            write_dr0(*(const uint64_t *)(image + at + 24));
            return NULL;
        }
    }
    return "the application embeds no core";
}

void undo_breakpoints(void)
{
    write_dr0(0);
}

/* ---- 5 levels
 * --------------------------------------------------------------------------------------- */

void hostile_set_levels(uint64_t cr3, uint64_t cr4); /* mode.S */

static EFI_PHYSICAL_ADDRESS pml5;
static uint64_t root4;

const char *set_levels5(void)
{
    root4 = read_cr3();
    if (levels() == 5)
        return "firmware already runs with 5 levels";
    if (read_cr4() & CR4_PCIDE)
        return "CR4.PCIDE is set";
    if (root4 >= FOUR_GIB || read_rsp() >= FOUR_GIB || (uint64_t)hostile_set_levels >= FOUR_GIB)
        return "firmware put its root, the stack or the image above 4 GiB";
    pml5 = page_below_4g();
    if (!pml5)
        return "no page below 4 GiB is left";
    *(pte_t *)pml5 = (root4 & PTE_ADDRESS) | PTE_P | PTE_RW;
    hostile_set_levels(pml5, read_cr4() | CR4_LA57);
    return NULL;
}

void undo_levels5(void)
{
    hostile_set_levels(root4, read_cr4() & ~(uint64_t)CR4_LA57);
    (void)boot_services->FreePages(pml5, 1);
}

/* ---- tables of ours
 * ---------------------------------------------------------------------------------- */

#define INTERRUPT_VECTOR 0x82
#define OWN_GDT_BYTES    (OWN_CODE + 8)

void hostile_interrupt(void); /* mode.S */

static struct gate own_idt[256] __attribute__((aligned(4096)));
static struct tss own_tss;
static uint8_t own_ist[4096] __attribute__((aligned(16)));
static uint64_t *own_gdt; /* a page */
static struct table_register firmware_gdt, firmware_idt;
static unsigned table_users, task_users;

bool own_task_loaded(void)
{
    return task_users && store_idt().base == (uint64_t)own_idt && store_tr() == OWN_TSS &&
           (own_gdt[OWN_TSS / 8] & DESCRIPTOR_TSS_BUSY);
}

const char *set_own_tables(void)
{
    if (table_users++)
        return NULL;
    firmware_gdt = store_gdt();
    firmware_idt = store_idt();
    own_gdt = (uint64_t *)page_below_4g();
    if (!own_gdt || firmware_gdt.limit >= OWN_TSS || firmware_idt.limit >= sizeof(own_idt)) {
        table_users = 0;
        return "firmware's tables leave no room for ours";
    }
    memcpy(own_gdt, (const void *)firmware_gdt.base, firmware_gdt.limit + 1u);
    own_gdt[OWN_TSS / 8] = tss_descriptor_low((uint64_t)&own_tss, sizeof(own_tss) - 1);
    own_gdt[OWN_TSS / 8 + 1] = tss_descriptor_high((uint64_t)&own_tss);
    /* An LDT differs from a TSS only in its type, 2. */
    own_gdt[OWN_LDT / 8] = tss_descriptor_low((uint64_t)own_gdt, 7) ^ UINT64_C(0xb) << 40;
    own_gdt[OWN_LDT / 8 + 1] = tss_descriptor_high((uint64_t)own_gdt);
    own_gdt[OWN_DATA / 8] = DESCRIPTOR_DATA_RING0;
    own_gdt[OWN_CODE / 8] = DESCRIPTOR_CODE64_RING0;
    own_tss.ist[0] = (uint64_t)own_ist + sizeof(own_ist);
    own_tss.io_map_base = sizeof(own_tss);

    memcpy(own_idt, (const void *)firmware_idt.base, firmware_idt.limit + 1u);
    own_idt[INTERRUPT_VECTOR] =
        gate_make((uint64_t)hostile_interrupt, read_cs(), GATE_INTERRUPT, 0, 1);
    load_gdt((struct table_register){.limit = OWN_GDT_BYTES - 1, .base = (uint64_t)own_gdt});
    load_idt((struct table_register){.limit = sizeof(own_idt) - 1, .base = (uint64_t)own_idt});
    return NULL;
}

void undo_own_tables(void)
{
    if (--table_users)
        return;
    load_idt(firmware_idt);
    load_gdt(firmware_gdt);
    (void)boot_services->FreePages((EFI_PHYSICAL_ADDRESS)own_gdt, 1);
}

const char *set_task(void)
{
    const char *problem = set_own_tables();
    if (!problem && task_users++ == 0)
        load_tr(OWN_TSS);
    return problem;
}

/* What a firmware leaves that makes its GDT anew when TR is loaded. */
const char *set_available_task(void)
{
    const char *problem = set_task();
    if (!problem)
        own_gdt[OWN_TSS / 8] &= ~DESCRIPTOR_TSS_BUSY;
    return problem;
}

const char *set_stale_task(void)
{
    const char *problem = set_task();
    if (!problem)
        own_gdt[OWN_TSS / 8] = DESCRIPTOR_DATA_RING0 & ~DESCRIPTOR_TSS_BUSY;
    return problem;
}

/* TR cannot go back to null; what it points at is nothing of ours any more. */
void undo_task(void)
{
    if (--task_users == 0) {
        own_gdt[OWN_TSS / 8] = tss_descriptor_low(0, sizeof(own_tss) - 1);
        own_gdt[OWN_TSS / 8 + 1] = tss_descriptor_high(0);
        load_tr(OWN_TSS);
    }
    undo_own_tables();
}

static pte_t *gdt_entry, gdt_entry_before;
static EFI_PHYSICAL_ADDRESS gdt_split; /* 0: it was a 4-KiB page */

const char *set_read_only_task(void)
{
    const char *problem = set_task();
    unsigned level;

    if (problem)
        return problem;
    gdt_entry = leaf_entry((uint64_t)own_gdt, &level);
    gdt_split = gdt_entry && level == 2 ? page_below_4g() : 0;
    if (!gdt_entry || level > 2 || (level == 2 && !gdt_split)) {
        undo_task();
        return "firmware maps the page by a page too large to split here";
    }
    gdt_entry_before = *gdt_entry;
    if (level == 1) {
        entry_write(gdt_entry, gdt_entry_before & ~PTE_RW);
        return NULL;
    }
    pte_t *table = (pte_t *)gdt_split;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        table[i] = (gdt_entry_before & ~PTE_PS) + i * PAGE_SIZE;
    table[level_index((uint64_t)own_gdt, 1)] &= ~PTE_RW;
    entry_write(gdt_entry, gdt_split | PTE_P | PTE_RW | (gdt_entry_before & PTE_US));
    return NULL;
}

void undo_read_only_task(void)
{
    entry_write(gdt_entry, gdt_entry_before);
    if (gdt_split)
        (void)boot_services->FreePages(gdt_split, 1);
    undo_task();
}

/* ---- interrupts and the watchdog
 * ------------------------------------------------------------------------ */

#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

/* What a local APIC forgets when it is switched off: offsets of SVR, the LVT, timer divisor, count.
 */
static const uint16_t apic_registers[] = {0xf0,  0x80,  0x320, 0x340, 0x350,
                                          0x360, 0x370, 0x3e0, 0x380};
static uint32_t apic_values[ARRAY_COUNT(apic_registers)];

static volatile uint32_t *apic_register(size_t i)
{
    return (volatile uint32_t *)((read_msr(MSR_APIC_BASE) & PTE_ADDRESS) + apic_registers[i]);
}

const char *set_x2apic(void)
{
    if (read_msr(MSR_APIC_BASE) & APIC_BASE_X2APIC)
        return NULL;
    for (size_t i = 0; i < ARRAY_COUNT(apic_registers); i++)
        apic_values[i] = *apic_register(i);
    write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
    return NULL;
}

/* The only way back is by "off", SDM vol. 3A 10.12.5, from which not every processor comes back. */
void spoil_x2apic(void)
{
    uint64_t base = read_msr(MSR_APIC_BASE) & ~(APIC_BASE_X2APIC | APIC_BASE_ENABLE);
    uint64_t flags = read_rflags();
    __asm__ volatile("cli");
    write_msr(MSR_APIC_BASE, base);
    write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    for (size_t i = 0; i < ARRAY_COUNT(apic_registers); i++)
        *apic_register(i) = apic_values[i];
    write_rflags(flags);
}

#define WATCHDOG_SECONDS 30u
#define WATCHDOG_CODE    0x10000u /* below are firmware's own */

const char *set_watchdog(void)
{
    if (EFI_ERROR(boot_services->SetWatchdogTimer(WATCHDOG_SECONDS, WATCHDOG_CODE, 0, NULL)))
        return "firmware has no watchdog";
    if (register_read(REG_WATCHDOG) == 0) {
        undo_watchdog();
        return "firmware lets nobody read its watchdog";
    }
    return NULL;
}

void undo_watchdog(void)
{
    (void)boot_services->SetWatchdogTimer(0, 0, 0, NULL);
}

void spoil_watchdog(void)
{
    (void)boot_services->SetWatchdogTimer(WATCHDOG_SECONDS, WATCHDOG_CODE, 0, NULL);
}
