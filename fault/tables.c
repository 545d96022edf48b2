/*
 * tables.c: see tables.h. SDM vol. 3A 3.4.5, 6.14, 8.7.
 */
#include "tables.h"

#include "x86/exception.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/pte.h"

/* One IDT serves every processor: its gates name no processor. */
static struct gate idt[VECTORS] __attribute__((aligned(PAGE_SIZE)));

/* entry.S: stub n is at trap_stubs + n * TRAP_STUB_BYTES. */
extern const char trap_stubs[];
#define TRAP_STUB_BYTES 16

struct gate *tables_gate(unsigned vector)
{
    return &idt[vector];
}

static void gdt_write(struct cpu *cpu, struct table_register firmware)
{
    uint64_t *gdt = cpu_gdt(cpu);
    size_t copied = (size_t)firmware.limit + 1;

    if (copied > GDT_OURS) {
        copied = GDT_OURS;
    }
    memset(gdt, 0, GDT_BYTES);
    memcpy(gdt, (const void *)firmware.base, copied);
    gdt[SELECTOR_CODE / 8] = DESCRIPTOR_CODE64_RING0;
    gdt[SELECTOR_DATA / 8] = DESCRIPTOR_DATA_RING0;
    gdt[SELECTOR_USER32 / 8] = DESCRIPTOR_CODE32_RING3;
    gdt[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA_RING3;
    gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_CODE64_RING3;
    gdt[SELECTOR_TSS / 8] = tss_descriptor_low((uint64_t)cpu_tss(cpu), sizeof(struct tss) - 1);
    gdt[SELECTOR_TSS / 8 + 1] = tss_descriptor_high((uint64_t)cpu_tss(cpu));
}

void tombstone_write(struct cpu *cpu, uint16_t selector)
{
    cpu_gdt(cpu)[selector / 8] = tss_descriptor_low(0, sizeof(struct tss) - 1);
    cpu_gdt(cpu)[selector / 8 + 1] = tss_descriptor_high(0);
}

static void tss_write(struct cpu *cpu)
{
    uint64_t area = (uint64_t)cpu;
    struct tss *tss = cpu_tss(cpu);

    memset(tss, 0, sizeof(*tss));
    tss->rsp[0] = area + CPU_STACK_TOP; /* ring3_run() sets its own */
    tss->ist[IST_DF - 1] = area + CPU_STACK_DF_TOP;
    tss->ist[IST_NMI - 1] = area + CPU_STACK_NMI_TOP;
    tss->ist[IST_MC - 1] = area + CPU_STACK_MC_TOP;
    tss->io_map_base = sizeof(*tss);
}

void tables_gate_straighten(unsigned vector)
{
    unsigned ist = vector == VECTOR_DF    ? IST_DF
                   : vector == VECTOR_NMI ? IST_NMI
                   : vector == VECTOR_MC  ? IST_MC
                                          : 0;
    /* What programs may raise by INT n: our way out, and Linux's INT 3 and INT 4. */
    unsigned dpl = vector == VECTOR_USER_EXIT || vector == VECTOR_BP || vector == VECTOR_OF ? 3 : 0;

    idt[vector] = gate_make((uint64_t)trap_stubs + vector * TRAP_STUB_BYTES, SELECTOR_CODE,
                            GATE_INTERRUPT, dpl, ist);
}

static void idt_write(void)
{
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        tables_gate_straighten(vector);
    }
}

void tables_load(struct cpu *cpu)
{
    /* GDT before IDT: firmware's gates find their selectors in either GDT, ours only in this one.
     */
    load_gdt((struct table_register){.limit = GDT_BYTES - 1, .base = (uint64_t)cpu_gdt(cpu)});
    load_idt((struct table_register){.limit = sizeof(idt) - 1, .base = (uint64_t)idt});
}

void tables_install(struct cpu *cpu, struct table_register firmware_gdt)
{
    gdt_write(cpu, firmware_gdt);
    tss_write(cpu);
    idt_write();
    tables_load(cpu);
    code_segment_load(SELECTOR_CODE);
    write_ss(SELECTOR_DATA);
    write_ds(0);
    write_es(0);
    write_fs(0);
    write_gs(0);
    load_ldt(0);
    load_tr(SELECTOR_TSS);
}
