/*
 * timer.c: see timer.h. The registers come back as they were because they are items of the firmware's
 * world (world.h); what is to do here is that no interrupt of ours is left under way.
 */
#include "timer.h"

#include "boot_info.h"
#include "cpu.h"
#include "ring3.h"
#include "tables.h"
#include "x86/apic.h"
#include "x86/exception.h"
#include "x86/instructions.h"

#define TPR_OURS (TIMER_CLASS / 16 - 1) /* the highest class that is kept away */

/* Measuring: for so many ticks, or four times as many where too few counts come of it. */
#define MEASURE_TICKS (UINT64_C(1) << 20)
#define MEASURE_TRIES 5u
#define COUNTS_ENOUGH 1000u
#define SPINS_MAX     (UINT64_C(1) << 28) /* a TSC that stands still */
#define DRAIN_TRIES   100u

static uint64_t rate; /* counts per tick, 2^32 times; 0: not measured yet */

volatile uint8_t *timer_apic_page(const struct boot_info *boot)
{
    bool there = apic_mode() == APIC_XAPIC && boot->apic &&
                 (read_msr(MSR_APIC_BASE) & APIC_BASE_ADDRESS) == boot->apic;

    return there ? (volatile uint8_t *)LOCAL_APIC : NULL;
}

/* This processor's, while the timer is ours. */
static uint32_t get(unsigned offset)
{
    return apic_read(cpu_current()->timer.page, offset);
}

static void put(unsigned offset, uint32_t value)
{
    apic_write(cpu_current()->timer.page, offset, value);
}

/*
 * One measurement. What happens between an access of the APIC and the TSC's reading next to it makes the
 * rate too high, never too low: nothing is ever interrupted too early for that.
 */
static uint64_t measure_for(uint64_t window)
{
    uint64_t spins = 0, now;

    put(APIC_COUNT, UINT32_MAX);
    uint64_t start = read_tsc();
    do {
        now = read_tsc();
    } while (now - start < window && ++spins < SPINS_MAX);
    uint32_t counts = UINT32_MAX - get(APIC_CURRENT);
    bool told = now - start >= window && counts >= COUNTS_ENOUGH && counts < UINT32_MAX;
    return told ? ((uint64_t)counts << 32) / (now - start) : 0;
}

/* The lowest of some, over the shortest window that tells anything. */
static uint64_t measure(void)
{
    uint64_t window = MEASURE_TICKS, lowest = measure_for(window);

    for (unsigned i = 0; i < MEASURE_TRIES && !lowest; i++) {
        window *= 4;
        lowest = measure_for(window);
    }
    for (unsigned i = 0; i < MEASURE_TRIES && lowest; i++) {
        uint64_t again = measure_for(window);
        lowest = again && again < lowest ? again : lowest;
    }
    return lowest;
}

/* The 8259's interrupts come whatever CR8 says. */
static void mask_external(unsigned offset)
{
    uint32_t entry = get(offset);

    if ((entry & APIC_LVT_MODE) == APIC_LVT_EXTINT) {
        put(offset, entry | APIC_LVT_MASKED);
    }
}

enum timer_status timer_begin(struct cpu *cpu)
{
    volatile uint8_t *page = timer_apic_page((const struct boot_info *)BOOT_INFO_BASE);

    if (!cpu->timer.begun) {
        if (!page && apic_mode() != APIC_X2APIC) {
            return TIMER_NO_APIC;
        }
        cpu->timer.page = page;
        cpu->timer.begun = true;
        write_cr8(TPR_OURS);
        mask_external(APIC_LINT0);
        mask_external(APIC_LINT1);
        put(APIC_SVR, APIC_SVR_ON | TIMER_SPURIOUS_VECTOR);
        put(APIC_TIMER, TIMER_VECTOR | APIC_LVT_MASKED); /* one shot */
        put(APIC_DIVIDE, APIC_DIVIDE_BY_1);
        if (!rate) {
            rate = measure();
        }
        put(APIC_COUNT, 0);
        put(APIC_TIMER, TIMER_VECTOR);
    }
    return rate ? TIMER_OK : TIMER_DOES_NOT_RUN;
}

uint32_t timer_counts(uint64_t ticks, uint64_t counts_per_tick)
{
    unsigned __int128 counts = (unsigned __int128)ticks * counts_per_tick >> 32;

    return counts == 0 ? 1 : counts > UINT32_MAX ? UINT32_MAX : (uint32_t)counts;
}

void timer_arm(uint64_t ticks)
{
    put(APIC_COUNT, timer_counts(ticks, rate));
}

void timer_stop(void)
{
    put(APIC_COUNT, 0);
}

static bool vector_bit(unsigned registers, unsigned vector)
{
    return get(registers + vector / 32 * 16) >> vector % 32 & 1;
}

void timer_end(struct cpu *cpu)
{
    if (!cpu->timer.begun) {
        return;
    }
    put(APIC_TIMER, TIMER_VECTOR | APIC_LVT_MASKED);
    put(APIC_COUNT, 0);
    /* A check may have bent anything; what is requested already can only be taken. */
    write_cr8(TPR_OURS);
    tables_gate_straighten(TIMER_VECTOR);
    tables_gate_straighten(TIMER_SPURIOUS_VECTOR);
    for (unsigned i = 0; i < DRAIN_TRIES && vector_bit(APIC_ISR, TIMER_VECTOR); i++) {
        put(APIC_EOI, 0); /* it died before it said so */
    }
    for (unsigned i = 0; i < DRAIN_TRIES && vector_bit(APIC_IRR, TIMER_VECTOR); i++) {
        __asm__ volatile("sti; nop; cli" : : : "memory");
    }
    cpu->timer.begun = false;
}

bool timer_interrupt(struct cpu *cpu, unsigned vector)
{
    if (!cpu->timer.begun || vector < TIMER_CLASS || vector >= VECTORS) {
        return false;
    }
    if (vector != TIMER_SPURIOUS_VECTOR) {
        put(APIC_EOI, 0);
    }
    return true;
}
