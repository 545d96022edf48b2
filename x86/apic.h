/*
 * apic.h: the local APIC's registers, by their offset in its page or, in x2APIC mode, by MSR. SDM vol. 3A
 * chapter 11. No state.
 */
#ifndef X86_APIC_H
#define X86_APIC_H

#include "cpuid.h"
#include "instructions.h"
#include "registers.h"

#define APIC_EOI     0x0b0u
#define APIC_SVR     0x0f0u /* spurious vector, and the switch */
#define APIC_ISR     0x100u /* in service: 8 registers of 32 vectors, 16 bytes apart */
#define APIC_IRR     0x200u /* requested: the same */
#define APIC_TIMER   0x320u
#define APIC_LINT0   0x350u
#define APIC_LINT1   0x360u
#define APIC_COUNT   0x380u /* initial: writing it starts the timer */
#define APIC_CURRENT 0x390u
#define APIC_DIVIDE  0x3e0u

#define APIC_SVR_ON       0x100u
#define APIC_LVT_MASKED   0x10000u
#define APIC_LVT_MODE     0x700u
#define APIC_LVT_EXTINT   0x700u
#define APIC_DIVIDE_BY_1  0xbu
#define APIC_TIMER_MODES  0x60000u
#define APIC_TSC_DEADLINE 0x40000u /* of those: the MSR says when */

#define APIC_BASE_ON      0x800u
#define APIC_BASE_X2      0x400u
#define APIC_BASE_ADDRESS UINT64_C(0x000ffffffffff000)

enum apic_mode { APIC_NONE, APIC_XAPIC, APIC_X2APIC };

static inline enum apic_mode apic_mode(void)
{
    if (!(cpuid(1, 0).edx & BIT(9))) {
        return APIC_NONE;
    }
    uint64_t base = read_msr(MSR_APIC_BASE);
    return !(base & APIC_BASE_ON) ? APIC_NONE : base & APIC_BASE_X2 ? APIC_X2APIC : APIC_XAPIC;
}

/* @page: where its registers are mapped, uncached; NULL: x2APIC mode. */
static inline uint32_t apic_read(const volatile uint8_t *page, unsigned offset)
{
    return page ? *(const volatile uint32_t *)(page + offset)
                : (uint32_t)read_msr(MSR_X2APIC + offset / 16);
}

static inline void apic_write(volatile uint8_t *page, unsigned offset, uint32_t value)
{
    if (page) {
        *(volatile uint32_t *)(page + offset) = value;
    } else {
        write_msr(MSR_X2APIC + offset / 16, value);
    }
}

#endif
