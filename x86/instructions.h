/*
 * instructions.h: one inline function an instruction that C cannot say. No state, no policy.
 * SDM vol. 2. Compiles on the build machine; only core and efi/ execute the privileged ones.
 */
#ifndef X86_INSTRUCTIONS_H
#define X86_INSTRUCTIONS_H

#include "types.h"

#define X86_READ_REGISTER(name)                                                                    \
    static inline uint64_t read_##name(void)                                                       \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                     \
        return value;                                                                              \
    }
#define X86_WRITE_REGISTER(name)                                                                   \
    static inline void write_##name(uint64_t value)                                                \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                            \
    }
X86_READ_REGISTER(cr0)
X86_READ_REGISTER(cr2)
X86_READ_REGISTER(cr3)
X86_READ_REGISTER(cr4)
X86_READ_REGISTER(cr8)
X86_READ_REGISTER(dr0)
X86_READ_REGISTER(dr1)
X86_READ_REGISTER(dr2)
X86_READ_REGISTER(dr3)
X86_READ_REGISTER(dr6)
X86_READ_REGISTER(dr7)
X86_WRITE_REGISTER(cr0)
X86_WRITE_REGISTER(cr2)
X86_WRITE_REGISTER(cr3)
X86_WRITE_REGISTER(cr4)
X86_WRITE_REGISTER(cr8)
X86_WRITE_REGISTER(dr0)
X86_WRITE_REGISTER(dr1)
X86_WRITE_REGISTER(dr2)
X86_WRITE_REGISTER(dr3)
X86_WRITE_REGISTER(dr6)
X86_WRITE_REGISTER(dr7)

#define X86_READ_SEGMENT(name)                                                                     \
    static inline uint16_t read_##name(void)                                                       \
    {                                                                                              \
        uint16_t value;                                                                            \
        __asm__ volatile("mov %%" #name ", %0" : "=rm"(value));                                    \
        return value;                                                                              \
    }
#define X86_WRITE_SEGMENT(name)                                                                    \
    static inline void write_##name(uint16_t value)                                                \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "rm"(value) : "memory");                           \
    }
X86_READ_SEGMENT(cs)
X86_READ_SEGMENT(ds)
X86_READ_SEGMENT(es)
X86_READ_SEGMENT(fs)
X86_READ_SEGMENT(gs)
X86_READ_SEGMENT(ss)
X86_WRITE_SEGMENT(ds)
X86_WRITE_SEGMENT(es)
X86_WRITE_SEGMENT(fs)
X86_WRITE_SEGMENT(gs)
X86_WRITE_SEGMENT(ss)

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static inline void write_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* Both need CR4.PKE=1. */
static inline uint32_t read_pkru(void)
{
    uint32_t value, high;
    __asm__ volatile("rdpkru" : "=a"(value), "=d"(high) : "c"(0));
    return value;
}

static inline void write_pkru(uint32_t value)
{
    __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

/* Both need CR4.OSFXSR. */
static inline uint32_t read_mxcsr(void)
{
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static inline void write_mxcsr(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static inline uint16_t read_fcw(void)
{
    uint16_t value;
    __asm__ volatile("fnstcw %0" : "=m"(value));
    return value;
}

static inline void write_fcw(uint16_t value)
{
    __asm__ volatile("fldcw %0" : : "m"(value));
}

/*
 * Extended state: @area is aligned to 64 bytes (FXSAVE: 16), @parts are bits of XCR0. They need CR4.OSXSAVE (FXSAVE:
 * OSFXSR) and CR0.TS and EM clear.
 */
static inline void xsave(void *area, uint64_t parts)
{
    __asm__ volatile("xsave64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)parts), "d"((uint32_t)(parts >> 32))
                     : "memory");
}

static inline void xrstor(const void *area, uint64_t parts)
{
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)parts), "d"((uint32_t)(parts >> 32))
                     : "memory");
}

static inline void fxsave(void *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

static inline uint64_t read_rflags(void)
{
    uint64_t value;
    __asm__ volatile("pushfq; pop %0" : "=r"(value));
    return value;
}

static inline void write_rflags(uint64_t value)
{
    __asm__ volatile("push %0; popfq" : : "r"(value) : "memory", "cc");
}

static inline uint64_t read_rsp(void)
{
    uint64_t value;
    __asm__ volatile("mov %%rsp, %0" : "=r"(value));
    return value;
}

/* Not a serialising read: good for budgets, not for single instructions. */
static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline struct table_register store_gdt(void)
{
    struct table_register value;
    __asm__ volatile("sgdt %0" : "=m"(value));
    return value;
}

static inline struct table_register store_idt(void)
{
    struct table_register value;
    __asm__ volatile("sidt %0" : "=m"(value));
    return value;
}

static inline void load_gdt(struct table_register value)
{
    __asm__ volatile("lgdt %0" : : "m"(value) : "memory");
}

static inline void load_idt(struct table_register value)
{
    __asm__ volatile("lidt %0" : : "m"(value) : "memory");
}

static inline uint16_t store_ldt(void)
{
    uint16_t value;
    __asm__ volatile("sldt %0" : "=rm"(value));
    return value;
}

static inline void load_ldt(uint16_t value)
{
    __asm__ volatile("lldt %0" : : "rm"(value) : "memory");
}

static inline uint16_t store_tr(void)
{
    uint16_t value;
    __asm__ volatile("str %0" : "=rm"(value));
    return value;
}

static inline void load_tr(uint16_t value)
{
    __asm__ volatile("ltr %0" : : "rm"(value) : "memory");
}

static inline void invlpg(vaddr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Write back and drop the cache line of @address; needs CLFLUSH in CPUID. */
static inline void clflush(const volatile void *address)
{
    __asm__ volatile("clflush (%0)" : : "r"(address) : "memory");
}

static inline uint8_t read_port8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void write_port8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* Allow and forbid supervisor access to user pages; they need SMAP in CPUID. */
static inline void stac(void)
{
    __asm__ volatile("stac" : : : "memory", "cc");
}

static inline void clac(void)
{
    __asm__ volatile("clac" : : : "memory", "cc");
}

#endif
