/*
 * descriptors.h: segment descriptors, gates and the 64-bit TSS. SDM vol.
 * 3A 3.4.5, 6.14, 8.2.3, 8.7.
 */
#ifndef X86_DESCRIPTORS_H
#define X86_DESCRIPTORS_H

#include "types.h"

/* Whole descriptors: flat segments differ in these alone. */
#define DESCRIPTOR_CODE64_RING0 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA_RING0   UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_CODE32_RING0 UINT64_C(0x00cf9b000000ffff)
#define DESCRIPTOR_CODE32_RING3 UINT64_C(0x00cffb000000ffff)
#define DESCRIPTOR_DATA_RING3   UINT64_C(0x00cff3000000ffff)
#define DESCRIPTOR_CODE64_RING3 UINT64_C(0x00affb000000ffff)
#define DESCRIPTOR_ACCESSED     BIT(40)
#define DESCRIPTOR_TSS_BUSY     BIT(41)

#define GATE_INTERRUPT 0xe
#define GATE_TRAP      0xf

/*
 *  127..96   95..64        63..48        47 46 45 44 43..40 39..35 34..32 31..16    15..0
 *  0         offset 63:32  offset 31:16  P  DPL   0  type   0      IST    selector  offset 15:0
 */
struct gate {
    uint64_t low, high;
};

static inline struct gate gate_make(uint64_t offset, uint16_t selector, unsigned type, unsigned dpl,
                                    unsigned ist)
{
    return (struct gate){
        .low = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
               (uint64_t)type << 40 | (uint64_t)dpl << 45 | BIT(47) | (offset >> 16 & 0xffff) << 48,
        .high = offset >> 32,
    };
}

static inline uint64_t gate_offset(struct gate gate)
{
    return (gate.low & 0xffff) | (gate.low >> 48 & 0xffff) << 16 | gate.high << 32;
}

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3]; /* for entry into ring 0, 1, 2 */
    uint64_t reserved1;
    uint64_t ist[7]; /* ist[0] is IST 1 */
    uint64_t reserved2;
    uint16_t reserved3, io_map_base;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "the 64-bit TSS has 104 bytes");

/* The two halves of an available 64-bit TSS descriptor. */
static inline uint64_t tss_descriptor_low(uint64_t base, uint32_t limit)
{
    return (limit & 0xffff) | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
           (uint64_t)(limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
}

static inline uint64_t tss_descriptor_high(uint64_t base)
{
    return base >> 32;
}

#endif
