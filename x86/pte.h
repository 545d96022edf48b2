/*
 * pte.h: paging-structure entries, SDM vol. 3A section 4.5, table 4-15 and following.
 *
 *  63 62..59 58..52 51........12 11..9 8 7   6 5 4   3   2   1   0
 *  XD  key   (ign)  address/rsvd (ign) G PS  D A PCD PWT U/S R/W P
 *
 * In a PTE bit 7 is PAT; in a large leaf PAT is bit 12. Levels are counted as the walk ends:
 * 1 = PTE, 2 = PDE, 3 = PDPTE, 4 = PML4E, 5 = PML5E.
 */
#ifndef X86_PTE_H
#define X86_PTE_H

#include "types.h"

#define PTE_P         BIT(0)
#define PTE_RW        BIT(1)
#define PTE_US        BIT(2)
#define PTE_PWT       BIT(3)
#define PTE_PCD       BIT(4)
#define PTE_A         BIT(5)
#define PTE_D         BIT(6)
#define PTE_PS        BIT(7) /* PDE and PDPTE: this entry is a leaf */
#define PTE_PAT       BIT(7) /* PTE */
#define PTE_G         BIT(8)
#define PTE_PAT_LARGE BIT(12) /* large leaf */
#define PTE_XD        BIT(63)
#define PTE_ADDRESS   UINT64_C(0x000ffffffffff000)
#define PTE_KEY_SHIFT 59
#define PTE_KEY       (UINT64_C(15) << PTE_KEY_SHIFT)

#define PAGE_SHIFT     12
#define PAGE_SIZE      UINT64_C(4096)
#define PAGE_SIZE_2M   (PAGE_SIZE << 9)
#define PAGE_SIZE_1G   (PAGE_SIZE << 18)
#define TABLE_ENTRIES  512u
#define LEVELS_MAX     5u
#define LEVEL_LEAF_MAX 3u

/* Bytes that one entry of @level spans: 4 KiB at level 1, 512 times more for each level above. */
static inline uint64_t level_span(unsigned level)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): levels count from 1 */
    return PAGE_SIZE << (9 * (level - 1));
}

/* Which of a table's 512 entries at @level (1 to 5) the walk of @address uses. */
static inline unsigned level_index(vaddr_t address, unsigned level)
{
    return (unsigned)(address >> (PAGE_SHIFT + 9 * (level - 1))) & (TABLE_ENTRIES - 1);
}

#endif
