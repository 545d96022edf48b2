/*
 * world.c: from firmware's world into ours and back (docs/architecture.md, "The switch").
 * world_switch.S calls world_main() on our stack, with the transition root still loaded.
 */
#include "world.h"

#include "boot_info.h"
#include "cpu.h"
#include "fpu.h"
#include "paging/table.h"
#include "paging_mode.h"
#include "tables.h"
#include "timer.h"
#include "uaccess.h"
#include "x86/apic.h"
#include "x86/cpuid.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

_Static_assert(WORLD_CR0 == 0 && WORLD_CR4 == 1 && WORLD_EFER == 2 && WORLD_CS == 3 &&
                   WORLD_SS == 4 && WORLD_CR3 == 5,
               "world_switch.S knows the first six");

const char *const world_item_names[WORLD_ITEM_COUNT] = {
#define X(name, mask) [WORLD_##name] = #name,
    WORLD_ITEMS(X)
#undef X
};

/* As the processor comes out of reset: index 0 is write-back, the only one our tables use. */
#define PAT_RESET UINT64_C(0x0007040600070406)

static struct boot_info *const boot = (struct boot_info *)BOOT_INFO_BASE;
static struct {
    enum world_wrong what;
    enum world_item item;
    uint64_t bits;
} wrong;

uint64_t world_root(void)
{
    return boot->world_root;
}

uint64_t twin_root(void)
{
    return boot->twin_root;
}

/* Bits of CR4 that Linux runs programs with, each where CPUID leaf 7 has its feature. */
static uint64_t protections(void)
{
    if (cpuid(0, 0).eax < 7) {
        return 0;
    }
    struct cpuid_result leaf = cpuid(7, 0);
    return (leaf.ebx & BIT(0) ? CR4_FSGSBASE : 0) | (leaf.ebx & BIT(7) ? CR4_SMEP : 0) |
           (leaf.ebx & BIT(20) ? CR4_SMAP : 0) | (leaf.ecx & BIT(2) ? CR4_UMIP : 0) |
           (leaf.ecx & BIT(3) ? CR4_PKE : 0);
}

void world_protect(bool on)
{
    const uint64_t all = CR4_FSGSBASE | CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_PKE;
    uint64_t bits = on ? protections() : 0;
    uint64_t cr0 = read_cr0() & ~(uint64_t)(CR0_TS | CR0_EM | CR0_AM);

    write_cr0(cr0 | CR0_MP | (on ? CR0_AM : 0));
    write_cr4((read_cr4() & ~all) | bits);
    if (bits & CR4_PKE) {
        write_pkru(0);
    }
    uaccess_configure(bits & CR4_SMAP, boot->levels);
    /* What is cached may have been judged by other rules. */
    write_cr3(read_cr3());
}

void world_sabotage(enum world_wrong what, enum world_item item, uint64_t bits)
{
    wrong.what = what;
    wrong.item = item;
    wrong.bits = bits;
}

/* Firmware's own tables may be read-only, and are mapped in the transition only. */
static void table_byte_invert(uint64_t base, uint64_t limit)
{
    uint64_t cr0 = read_cr0();

    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    *(volatile uint8_t *)(base + limit) ^= 0xff;
    write_cr0(cr0);
}

/* The same table elsewhere: in our memory, which firmware maps at its physical address. */
static uint64_t table_copy(uint64_t base, uint64_t limit)
{
    static uint8_t copy[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    struct walk walk;

    memcpy(copy, (const void *)base, limit < PAGE_SIZE ? limit + 1 : PAGE_SIZE);
    paging_walk(boot->world_root, boot->levels, (vaddr_t)copy, &walk);
    return walk.address;
}

/* Firmware's CS descriptor once more, in its GDT's last slot, and CS with that selector. */
static void descriptor_copy(uint64_t *item)
{
    uint64_t last = (item[WORLD_GDT_LIMIT] + 1) / 8 - 1, cr0 = read_cr0();
    uint64_t *gdt = (uint64_t *)item[WORLD_GDT_BASE];

    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    gdt[last] = gdt[item[WORLD_CS] / 8];
    write_cr0(cr0);
    item[WORLD_CS] = last * 8;
}

/* In: transition root. The saved item is changed, so that all of it is restored the one usual way.
 */
static void sabotage(uint64_t *item)
{
    switch (wrong.what) {
    case WRONG_NOTHING:
        break;
    case WRONG_ITEM:
        item[wrong.item] ^= wrong.bits;
        if (wrong.item ==
            WORLD_FX) { /* of which that is only a checksum; firmware calls may change XMM5 */
            __asm__ volatile("pcmpeqb %xmm4, %xmm4; pxor %xmm4, %xmm5");
        }
        break;
    case WRONG_CS:
        descriptor_copy(item);
        break;
    case WRONG_GDT_BASE:
        item[WORLD_GDT_BASE] = table_copy(item[WORLD_GDT_BASE], item[WORLD_GDT_LIMIT]);
        break;
    case WRONG_IDT_BASE:
        item[WORLD_IDT_BASE] = table_copy(item[WORLD_IDT_BASE], item[WORLD_IDT_LIMIT]);
        break;
    case WRONG_GDT_BYTE:
        table_byte_invert(item[WORLD_GDT_BASE], item[WORLD_GDT_LIMIT]);
        break;
    case WRONG_IDT_BYTE:
        table_byte_invert(item[WORLD_IDT_BASE], item[WORLD_IDT_LIMIT]);
        break;
    }
}

static void world_install(struct cpu *cpu)
{
    const uint64_t *firmware = cpu->firmware.item;

    tables_install(cpu, (struct table_register){.limit = (uint16_t)firmware[WORLD_GDT_LIMIT],
                                                .base = firmware[WORLD_GDT_BASE]});
    if (firmware[WORLD_PAT]) {
        write_msr(MSR_PAT, PAT_RESET);
    }
    write_msr(MSR_STAR, (uint64_t)SELECTOR_USER32 << 48 | (uint64_t)SELECTOR_CODE << 32);
    write_msr(MSR_LSTAR, (uint64_t)cpu + CPU_SYSCALL);
    write_msr(MSR_SFMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL);
    if (read_cr4() & CR4_OSFXSR) {
        write_mxcsr(0x1f80);
    }
    write_fcw(0x37f);
    write_cr3(boot->world_root);
}

/* Is it a present TSS, available or busy? */
static bool is_tss(const volatile uint64_t *descriptor)
{
    return (*descriptor >> 40 & 0x9d) == 0x89;
}

/*
 * TR cannot be loaded with null, and LTR wants an available TSS. Firmware's descriptor is busy, in
 * a page that may be read-only: clear the bit with CR0.WP off for LTR, then put it back as it was
 * (firmware may have moved its GDT since it loaded TR). Where firmware's TR names no TSS (beyond
 * the limit, as ours does after an earlier run, or something else in a new GDT), the selector comes
 * back by a tombstone at that place of our GDT; null gets SELECTOR_TOMBSTONE.
 */
static void task_register_restore(struct cpu *cpu, struct table_register gdt, uint16_t tr)
{
    volatile uint64_t *descriptor = (volatile uint64_t *)(gdt.base + (tr & ~7u));
    size_t last_byte = (size_t)(tr & ~7) + 15;

    if (tr == 0 || last_byte > gdt.limit || !is_tss(descriptor)) {
        uint16_t selector = tr == 0 || last_byte >= GDT_BYTES ? SELECTOR_TOMBSTONE : tr;
        tombstone_write(cpu, selector);
        load_tr(selector);
        load_gdt(gdt);
        return;
    }
    load_gdt(gdt);
    uint64_t cr0 = read_cr0();
    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    uint64_t before = *descriptor;
    *descriptor = before & ~DESCRIPTOR_TSS_BUSY;
    load_tr(tr);
    *descriptor = before;
    write_cr0(cr0);
}

/*
 * The local APIC's registers that changed. In this order: the timer starts when its count is written, a
 * deadline only counts in its mode, and what the 8259 waits with comes when LINT0 is open.
 */
static void apic_restore(const uint64_t *item, const uint64_t *now)
{
    static const struct {
        uint32_t offset;
        enum world_item item;
    } registers[] = {
        {APIC_SVR,    WORLD_APIC_SVR   },
        {APIC_DIVIDE, WORLD_APIC_DIVIDE},
        {APIC_TIMER,  WORLD_APIC_TIMER },
        {APIC_COUNT,  WORLD_APIC_COUNT },
        {APIC_LINT0,  WORLD_APIC_LINT0 },
        {APIC_LINT1,  WORLD_APIC_LINT1 },
    };
    volatile uint8_t *page = timer_apic_page(boot);

    for (size_t i = 0; i < ARRAY_COUNT(registers); i++) {
        enum world_item which = registers[i].item;
        /* Where there is none that we reach, both are 0. */
        if (now[which] != item[which]) {
            apic_write(page, registers[i].offset, (uint32_t)item[which]);
        }
    }
    if ((item[WORLD_APIC_TIMER] & APIC_TIMER_MODES) == APIC_TSC_DEADLINE &&
        now[WORLD_TSC_DEADLINE] != item[WORLD_TSC_DEADLINE]) {
        write_msr(MSR_TSC_DEADLINE, item[WORLD_TSC_DEADLINE]);
    }
}

/* Everything that world_switch.S does not restore itself. In: any state that a check may have left.
 */
static void world_remove(struct cpu *cpu)
{
    const struct world *firmware = &cpu->firmware;
    const uint64_t *item = firmware->item;

    /* A check may have left NXE clear with a root without XD loaded. */
    if (cpuid(0x80000001, 0).edx & BIT(20)) {
        write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE | EFER_SCE);
    }
    write_cr0(read_cr0() | CR0_WP);
    write_cr4(
        (read_cr4() & (CR4_PAE | CR4_MCE | CR4_LA57 | CR4_VMXE | CR4_SMXE | CR4_OSXSAVE | CR4_DE)) |
        CR4_OSFXSR | CR4_OSXMMEXCPT);
    /* GDT and IDT may lie in pages of the check's, and transition has none of them. */
    tables_load(cpu);
    timer_end(cpu);
    fpu_end(cpu);
    /* LA57 cannot be restored with the other bits of CR4. */
    paging_mode_restore();
    write_cr3(boot->transition_root);
    sabotage(cpu->firmware.item);

    if (item[WORLD_XCR0]) {
        uint64_t cr4 = read_cr4();
        write_cr4(cr4 | CR4_OSXSAVE);
        write_xcr0(item[WORLD_XCR0]);
        write_cr4(cr4);
    }
    if (cpuid(0, 0).eax >= 7 && cpuid(7, 0).ecx & BIT(3)) {
        uint64_t cr4 = read_cr4();
        write_cr4(cr4 | CR4_PKE);
        write_pkru((uint32_t)item[WORLD_PKRU]);
        write_cr4(cr4);
    }
    if (cpuid(0, 0).eax >= 7 && cpuid(7, 0).ecx & BIT(31)) {
        write_msr(MSR_PKRS, item[WORLD_PKRS]);
    }
    if (item[WORLD_PAT]) {
        write_msr(MSR_PAT, item[WORLD_PAT]);
    }
    write_cr2(item[WORLD_CR2]);
    write_cr8(item[WORLD_CR8]);
    if (read_cr4() & CR4_OSFXSR) {
        write_mxcsr((uint32_t)item[WORLD_MXCSR]);
    }
    write_fcw((uint16_t)item[WORLD_FCW]);

    /* IDT before GDT: firmware's gates find their selectors in either GDT, ours only in ours. */
    load_idt((struct table_register){.limit = (uint16_t)item[WORLD_IDT_LIMIT],
                                     .base = item[WORLD_IDT_BASE]});
    task_register_restore(cpu,
                          (struct table_register){.limit = (uint16_t)item[WORLD_GDT_LIMIT],
                                                  .base = item[WORLD_GDT_BASE]},
                          (uint16_t)item[WORLD_TR]);
    load_ldt((uint16_t)item[WORLD_LDTR]);
    write_ds((uint16_t)item[WORLD_DS]);
    write_es((uint16_t)item[WORLD_ES]);
    write_fs((uint16_t)item[WORLD_FS]);
    write_gs((uint16_t)item[WORLD_GS]);

    static const struct {
        uint32_t msr;
        enum world_item item;
    } msrs[] = {
        {MSR_FS_BASE,        WORLD_FS_BASE       },
        {MSR_GS_BASE,        WORLD_GS_BASE       },
        {MSR_KERNEL_GS_BASE, WORLD_KERNEL_GS_BASE},
        {MSR_STAR,           WORLD_STAR          },
        {MSR_LSTAR,          WORLD_LSTAR         },
        {MSR_CSTAR,          WORLD_CSTAR         },
        {MSR_SFMASK,         WORLD_SFMASK        },
    };
    for (size_t i = 0; i < ARRAY_COUNT(msrs); i++) {
        write_msr(msrs[i].msr, item[msrs[i].item]);
    }
    static const struct {
        uint32_t msr;
        enum world_item item;
    } optional_msrs[] = {
        {MSR_SYSENTER_CS,  WORLD_SYSENTER_CS },
        {MSR_SYSENTER_ESP, WORLD_SYSENTER_ESP},
        {MSR_SYSENTER_EIP, WORLD_SYSENTER_EIP},
        {MSR_TSC_AUX,      WORLD_TSC_AUX     },
        {MSR_XSS,          WORLD_XSS         },
        {MSR_U_CET,        WORLD_U_CET       },
        {MSR_S_CET,        WORLD_S_CET       },
        {MSR_PL0_SSP,      WORLD_PL0_SSP     },
        {MSR_PL3_SSP,      WORLD_PL3_SSP     },
        {MSR_SSP_TABLE,    WORLD_SSP_TABLE   },
    };
    struct world now = {0}; /* world_read fills all of it, which analyzers do not see */
    world_read(&now, timer_apic_page(boot));
    for (size_t i = 0; i < ARRAY_COUNT(optional_msrs); i++) {
        /* Only where it changed: where the MSR does not exist both are 0. */
        if (now.item[optional_msrs[i].item] != item[optional_msrs[i].item]) {
            write_msr(optional_msrs[i].msr, item[optional_msrs[i].item]);
        }
    }
    apic_restore(item, now.item);
    write_dr7(DR7_OFF); /* firmware's comes back in efi/enter.S: its breakpoints may sit on core */
    write_dr0(item[WORLD_DR0]);
    write_dr1(item[WORLD_DR1]);
    write_dr2(item[WORLD_DR2]);
    write_dr3(item[WORLD_DR3]);
    write_dr6(item[WORLD_DR6]);
}

/* Apart from its caller: nothing but the saved context lives across an unwind. */
static __attribute__((noinline)) void batch_or_unwind(struct cpu *cpu)
{
    if (context_save(&cpu->batch) == 0) {
        cpu->in_batch = 1;
        batch_run(boot);
    }
    cpu->in_batch = 0;
    cpu->probe.exit = PROBE_IDLE;
    cpu->resolver = NULL;
    cpu->recover = NULL;
    cpu->user = NULL;
    kprobe_remove_all();
    uaccess_configure(false, boot->levels); /* CR4 is world_remove's */
}

/*
 * Called by world_switch.S. In: IF=0, transition root, firmware's tables and the values it already
 * changed. Out: the items it restores (rax), and DR7 (rdx).
 */
struct world_restore {
    const uint64_t *item;
    uint64_t dr7;
};
struct world_restore world_main(struct cpu *cpu, uint64_t cr3, uint64_t cr4, uint64_t cr0,
                                uint64_t efer, uint64_t dr7);
struct world_restore world_main(struct cpu *cpu, uint64_t cr3, uint64_t cr4, uint64_t cr0,
                                uint64_t efer, uint64_t dr7)
{
    uint64_t *item = cpu->firmware.item;

    cpu->self = cpu;
    world_read(&cpu->firmware, timer_apic_page(boot));
    item[WORLD_CR3] = cr3;
    item[WORLD_CR4] = cr4;
    item[WORLD_CR0] = cr0;
    item[WORLD_EFER] = efer;
    item[WORLD_DR7] = dr7;
    world_install(cpu);
    batch_or_unwind(cpu);
    world_remove(cpu);
    return (struct world_restore){item, item[WORLD_DR7]};
}
