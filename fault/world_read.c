/*
 * world_read.c: see world.h. Linked into core and into the PE: no pointers in tables, no state.
 */
#include "world.h"

#include "x86/apic.h"
#include "x86/cpuid.h"
#include "x86/instructions.h"
#include "x86/registers.h"

static bool has(uint32_t leaf, uint32_t subleaf, unsigned reg, unsigned bit)
{
    if (cpuid(leaf & 0x80000000, 0).eax < leaf) {
        return false;
    }
    struct cpuid_result r = cpuid(leaf, subleaf);
    uint32_t value = reg == 0 ? r.eax : reg == 1 ? r.ebx : reg == 2 ? r.ecx : r.edx;
    return (value >> bit) & 1;
}
enum { EAX, EBX, ECX, EDX };

static void apic_items(uint64_t *item, const volatile uint8_t *apic)
{
    enum apic_mode mode = apic_mode();

    if (mode == APIC_NONE || (mode == APIC_XAPIC && !apic)) {
        return;
    }
    const volatile uint8_t *page = mode == APIC_XAPIC ? apic : NULL;
    item[WORLD_APIC_SVR] = apic_read(page, APIC_SVR);
    item[WORLD_APIC_DIVIDE] = apic_read(page, APIC_DIVIDE);
    item[WORLD_APIC_TIMER] = apic_read(page, APIC_TIMER);
    item[WORLD_APIC_COUNT] = apic_read(page, APIC_COUNT);
    item[WORLD_APIC_LINT0] = apic_read(page, APIC_LINT0);
    item[WORLD_APIC_LINT1] = apic_read(page, APIC_LINT1);
    if (has(1, 0, ECX, 24)) {
        item[WORLD_TSC_DEADLINE] = read_msr(MSR_TSC_DEADLINE);
    }
}

/*
 * x87 and SSE registers as one number (FNV-1a); not FOP, FIP and FDP, which some processors save only
 * after an exception.
 */
static uint64_t fx_checksum(void)
{
    uint8_t area[512] __attribute__((aligned(16))) = {0}; /* not all of it is written */
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    fxsave(area);
    for (unsigned i = 0; i < 416; i++) { /* to XMM15's end */
        bool compared = i < 5 || (i >= 24 && i < 28) || i >= 32;
        sum = (sum ^ (compared ? area[i] : 0)) * UINT64_C(0x100000001b3);
    }
    return sum;
}

void world_read(struct world *world, const volatile uint8_t *apic)
{
    uint64_t *item = world->item;
    uint64_t cr4 = read_cr4();
    struct table_register gdt = store_gdt();
    struct table_register idt = store_idt();
    bool xsave = has(1, 0, ECX, 26);
    bool pku = has(7, 0, ECX, 3);
    bool cet = has(7, 0, ECX, 7);

    for (unsigned i = 0; i < WORLD_ITEM_COUNT; i++) {
        item[i] = 0;
    }
    item[WORLD_RFLAGS] = read_rflags();
    item[WORLD_CR0] = read_cr0();
    item[WORLD_CR2] = read_cr2();
    item[WORLD_CR3] = read_cr3();
    item[WORLD_CR4] = cr4;
    item[WORLD_CR8] = read_cr8();
    item[WORLD_EFER] = read_msr(MSR_EFER);
    if (has(1, 0, EDX, 16)) {
        item[WORLD_PAT] = read_msr(MSR_PAT);
    }
    if (xsave) {
        write_cr4(cr4 | CR4_OSXSAVE);
        item[WORLD_XCR0] = read_xcr0();
        if (has(13, 1, EAX, 3)) {
            item[WORLD_XSS] = read_msr(MSR_XSS);
        }
        write_cr4(cr4);
    }
    if (pku) {
        /* PKRU acts only on user pages, of which our own code has none. */
        write_cr4(cr4 | CR4_PKE);
        item[WORLD_PKRU] = read_pkru();
        write_cr4(cr4);
    }
    if (has(7, 0, ECX, 31)) {
        item[WORLD_PKRS] = read_msr(MSR_PKRS);
    }
    if (cet || has(7, 0, EDX, 20)) {
        item[WORLD_U_CET] = read_msr(MSR_U_CET);
        item[WORLD_S_CET] = read_msr(MSR_S_CET);
    }
    if (cet) {
        item[WORLD_PL0_SSP] = read_msr(MSR_PL0_SSP);
        item[WORLD_PL3_SSP] = read_msr(MSR_PL3_SSP);
        item[WORLD_SSP_TABLE] = read_msr(MSR_SSP_TABLE);
    }
    item[WORLD_GDT_BASE] = gdt.base;
    item[WORLD_GDT_LIMIT] = gdt.limit;
    item[WORLD_IDT_BASE] = idt.base;
    item[WORLD_IDT_LIMIT] = idt.limit;
    item[WORLD_LDTR] = store_ldt();
    item[WORLD_TR] = store_tr();
    item[WORLD_CS] = read_cs();
    item[WORLD_DS] = read_ds();
    item[WORLD_ES] = read_es();
    item[WORLD_FS] = read_fs();
    item[WORLD_GS] = read_gs();
    item[WORLD_SS] = read_ss();
    item[WORLD_FS_BASE] = read_msr(MSR_FS_BASE);
    item[WORLD_GS_BASE] = read_msr(MSR_GS_BASE);
    item[WORLD_KERNEL_GS_BASE] = read_msr(MSR_KERNEL_GS_BASE);
    item[WORLD_STAR] = read_msr(MSR_STAR);
    item[WORLD_LSTAR] = read_msr(MSR_LSTAR);
    item[WORLD_CSTAR] = read_msr(MSR_CSTAR);
    item[WORLD_SFMASK] = read_msr(MSR_SFMASK);
    if (has(1, 0, EDX, 11)) {
        item[WORLD_SYSENTER_CS] = read_msr(MSR_SYSENTER_CS);
        item[WORLD_SYSENTER_ESP] = read_msr(MSR_SYSENTER_ESP);
        item[WORLD_SYSENTER_EIP] = read_msr(MSR_SYSENTER_EIP);
    }
    if (has(0x80000001, 0, EDX, 27)) {
        item[WORLD_TSC_AUX] = read_msr(MSR_TSC_AUX);
    }
    item[WORLD_DR0] = read_dr0();
    item[WORLD_DR1] = read_dr1();
    item[WORLD_DR2] = read_dr2();
    item[WORLD_DR3] = read_dr3();
    item[WORLD_DR6] = read_dr6();
    item[WORLD_DR7] = read_dr7();
    if (cr4 & CR4_OSFXSR) {
        item[WORLD_MXCSR] = read_mxcsr();
    }
    item[WORLD_FCW] = read_fcw();
    if (cr4 & CR4_OSFXSR && !(item[WORLD_CR0] & (CR0_TS | CR0_EM))) {
        item[WORLD_FX] = fx_checksum();
    }
    apic_items(item, apic);
}

uint64_t world_item_mask(enum world_item item)
{
    static const uint64_t masks[WORLD_ITEM_COUNT] = {
#define X(name, mask) [WORLD_##name] = (mask),
        WORLD_ITEMS(X)
#undef X
    };

    return masks[item];
}
