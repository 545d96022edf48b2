/*
 * paging_mode.c: see paging_mode.h.
 */
#include "paging_mode.h"

#include "boot_info.h"
#include "cpu.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "paging_mode_offsets.h"
#include "tables.h"
#include "x86/cpuid.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

/* The page with the GDT: read in either mode and between them, written only by way_start. */
struct way_page {
    uint64_t gdt[3];
    struct table_register gdtr;
    uint8_t padding[6];
    uint32_t far_offset;
    uint16_t far_selector;
};
_Static_assert(offsetof(struct way_page, gdtr) == MODE_GDTR, "paging_mode.S knows it");
_Static_assert(offsetof(struct way_page, far_offset) == MODE_FAR, "paging_mode.S knows it");

static const struct boot_info *const boot = (const struct boot_info *)BOOT_INFO_BASE;

static struct {
    bool started;
    paddr_t page;    /* struct way_page */
    paddr_t code;    /* of paging_mode_32 */
    paddr_t root[2]; /* of the ways with 4 and with 5 levels */
} way;

extern const char paging_mode_32[], paging_mode_64[];
void paging_mode_change(uint64_t cr4, paddr_t root, paddr_t page, paddr_t code);

/* World's table of level 4 that maps the top of the address space. */
static const pte_t *upper_half(void)
{
    const pte_t *top = phys_to_virt(boot->world_root);

    return boot->levels == 4 ? top : phys_to_virt(top[TABLE_ENTRIES - 1] & PTE_ADDRESS);
}

static paddr_t physical(const char *address)
{
    struct walk walk;

    (void)paging_walk(boot->world_root, boot->levels, (vaddr_t)address, &walk);
    return walk.address;
}

static enum status way_start(struct frame_pool *pool)
{
    bool nx = cpuid(0x80000001, 0).edx & BIT(20);
    struct address_space space;
    paddr_t frames;
    enum status status = paging_space_init(&space, 4, pool);

    space.table_flags = PTE_RW | PTE_A; /* supervisor only */
    if (status == STATUS_OK) {
        status = frame_alloc_run(pool, 2, PAGE_SIZE, &frames);
    }
    if (status != STATUS_OK) {
        return status;
    }
    way.page = frames;
    way.code = physical(paging_mode_32);
    paddr_t code_page = way.code & ~(PAGE_SIZE - 1);
    status = paging_map(&space, code_page, code_page, PAGE_SIZE, 1, PTE_P | PTE_A);
    if (status == STATUS_OK) {
        status =
            paging_map(&space, way.page, way.page, PAGE_SIZE, 1, PTE_P | PTE_A | (nx ? PTE_XD : 0));
    }
    pte_t *low = phys_to_virt(space.root), *top = phys_to_virt(frames + PAGE_SIZE);
    memcpy(low + TABLE_ENTRIES / 2, upper_half() + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
    memset(top, 0, PAGE_SIZE);
    top[0] = top[TABLE_ENTRIES - 1] = space.root | PTE_P | PTE_RW | PTE_A;
    way.root[0] = space.root;
    way.root[1] = frames + PAGE_SIZE;

    struct way_page *page = phys_to_virt(way.page);
    *page = (struct way_page){
        .gdt = {0, DESCRIPTOR_CODE32_RING0,       DESCRIPTOR_CODE64_RING0},
        .gdtr = {.limit = sizeof(page->gdt) - 1, .base = way.page},
        .far_offset = (uint32_t)(way.code + (uint64_t)(paging_mode_64 - paging_mode_32)),
        .far_selector = MODE_CODE64,
    };
    return status;
}

enum status paging_mode_start(struct frame_pool *pool)
{
    enum status status = way.started ? STATUS_OK : way_start(pool);

    way.started = status == STATUS_OK;
    return status;
}

bool paging_mode_can_change(void)
{
    bool la57 = cpuid(0, 0).eax >= 7 && cpuid(7, 0).ecx & BIT(16);

    return way.started && la57 && !(read_cr4() & CR4_VMXE);
}

unsigned paging_mode_levels(void)
{
    return read_cr4() & CR4_LA57 ? 5 : 4;
}

void paging_mode_set(unsigned levels, paddr_t root)
{
    if (paging_mode_levels() != levels) {
        write_cr3(way.root[levels == 4]);
        paging_mode_change(read_cr4() ^ CR4_LA57, way.root[levels == 5], way.page, way.code);
        tables_load(cpu_current());
        code_segment_load(SELECTOR_CODE);
    }
    write_cr3(root);
}

void paging_mode_restore(void)
{
    if (paging_mode_levels() != boot->levels) {
        paging_mode_set(boot->levels, boot->world_root);
    }
}
