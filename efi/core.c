/*
 * core.c: from an ELF file in the application to a world of its own (docs/architecture.md, "Two
 * link units"). Firmware maps memory identically, so until the switch physical addresses are
 * pointers.
 *
 *   the block:  core's image | boot_info | session, buffers | areas | symbols | tables | free
 *               not in the   |<------------ mapped at DIRECT_BASE, never executable ------------>|
 *               direct map
 */
#include "efi/core.h"

#include "efi/core_image.h"
#include "efi/firmware.h"
#include "fault/boot_info.h"
#include "fault/elf64.h"
#include "fault/layout.h"
#include "paging/phys.h"
#include "paging/table.h"
#include "paging/tlb.h"
#include "x86/apic.h"
#include "x86/cpuid.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

#define TABLE_FRAMES     288u
#define JOURNAL_IN_BYTES (UINT64_C(2) << 20)
#define BASELINE_BYTES   (UINT64_C(512) << 10)
#define FOUR_GIB         (UINT64_C(1) << 32)

/*
 * What is asked for, until firmware has it. With less than 96 MiB some programs are skipped; the smallest
 * has no room for them at all, nor for --matrix full.
 */
static const uint64_t block_sizes[] = {UINT64_C(160) << 20, UINT64_C(96) << 20, UINT64_C(64) << 20,
                                       UINT64_C(48) << 20,  UINT64_C(40) << 20, UINT64_C(32) << 20,
                                       UINT64_C(24) << 20};

static const uint32_t stream_bytes[STREAM_COUNT] = {
    [STREAM_CONSOLE] = 1u << 20, [STREAM_TAP] = 1u << 20,        [STREAM_XML] = 1u << 20,
    [STREAM_JSON] = 2u << 20,    [STREAM_BASELINE] = 512u << 10, [STREAM_JOURNAL] = 2u << 20,
};

static struct {
    paddr_t block;
    uint64_t block_bytes;
    struct boot_info *boot;
    uint64_t entry;
    paddr_t next; /* the first byte of the block not given to anything yet */
    uint64_t image_bytes;
    uint64_t table_storage[FRAME_POOL_WORDS(TABLE_FRAMES)];
    struct frame_pool tables;
    paddr_t syscall_page;
    volatile uint8_t *apic;      /* where firmware maps the local APIC; NULL: it does not */
    EFI_PHYSICAL_ADDRESS leaked; /* --sabotage leak-page */
} core;

uint64_t core_image_base(void)
{
    return core.block;
}

/* enter.S */
void core_enter(uint64_t transition_root, uint64_t entry, uint64_t cpu_area);
void core_load_cs(uint64_t selector);

static const struct elf_header *elf(void)
{
    return (const struct elf_header *)core_image;
}

static const struct elf_segment *segments(void)
{
    return (const struct elf_segment *)(core_image + elf()->program_headers);
}

/* Bytes from the block, in whole pages, cleared. */
static paddr_t take(uint64_t bytes)
{
    paddr_t taken = core.next;
    core.next += ALIGN_UP(bytes, PAGE_SIZE);
    memset((void *)taken, 0, ALIGN_UP(bytes, PAGE_SIZE));
    return taken;
}

/* Pages of our memory type that firmware's map shows. Out: false when the map cannot be had. */
static bool count_pages(uint64_t *pages)
{
    UINTN bytes = 0, key, stride;
    UINT32 version;
    EFI_STATUS status = boot_services->GetMemoryMap(&bytes, NULL, &key, &stride, &version);

    *pages = 0;
    if (status != EFI_BUFFER_TOO_SMALL) {
        return false;
    }
    bytes += 8 * stride; /* the allocation itself may split an entry */
    uint8_t *map = pool_allocate(bytes);
    if (!map) {
        return false;
    }
    status =
        boot_services->GetMemoryMap(&bytes, (EFI_MEMORY_DESCRIPTOR *)map, &key, &stride, &version);
    for (UINTN at = 0; !EFI_ERROR(status) && at + stride <= bytes; at += stride) {
        const EFI_MEMORY_DESCRIPTOR *descriptor = (const EFI_MEMORY_DESCRIPTOR *)(map + at);
        if (descriptor->Type == CORE_MEMORY_TYPE) {
            *pages += descriptor->NumberOfPages;
        }
    }
    pool_free(map);
    return !EFI_ERROR(status);
}

/*
 * 2-MiB aligned, so that large pages of tests can be backed, and below 4 GiB, so that the
 * transition root can be loaded from 32-bit mode.
 */
static bool allocate_block(uint64_t bytes)
{
    uint64_t slack = PAGE_SIZE_2M / PAGE_SIZE - 1;
    EFI_PHYSICAL_ADDRESS at = FOUR_GIB - 1;
    EFI_STATUS status = boot_services->AllocatePages(AllocateMaxAddress, CORE_MEMORY_TYPE,
                                                     bytes / PAGE_SIZE + slack, &at);

    if (EFI_ERROR(status)) {
        return false;
    }
    core.block_bytes = bytes;
    core.block = ALIGN_UP(at, PAGE_SIZE_2M);
    uint64_t before = (core.block - at) / PAGE_SIZE;
    if (before) {
        boot_services->FreePages(at, before);
    }
    if (slack - before) {
        boot_services->FreePages(core.block + bytes, slack - before);
    }
    core.next = core.block;
    return true;
}

/* Core's segments, at the same distances from each other as they are linked. */
static const char *load_image(void)
{
    const struct elf_segment *segment = segments();

    if (memcmp(elf()->ident, "\177ELF\2\1\1", 7) != 0 ||
        elf()->program_header_bytes != sizeof(struct elf_segment)) {
        return "the embedded core is not an ELF64 file";
    }
    for (unsigned i = 0; i < elf()->program_header_count; i++) {
        if (segment[i].type == PT_LOAD) {
            uint64_t end = segment[i].address + segment[i].memory_bytes - CORE_BASE;
            if (segment[i].address < CORE_BASE || end > core.block_bytes / 2 ||
                segment[i].address % PAGE_SIZE ||
                (segment[i].flags & (PF_W | PF_X)) == (PF_W | PF_X)) {
                return "the embedded core has a segment that cannot be loaded";
            }
            core.image_bytes = ALIGN_UP(end, PAGE_SIZE);
        }
    }
    take(core.image_bytes);
    for (unsigned i = 0; i < elf()->program_header_count; i++) {
        if (segment[i].type == PT_LOAD) {
            memcpy((void *)(core.block + segment[i].address - CORE_BASE),
                   core_image + segment[i].offset, segment[i].file_bytes);
        }
    }
    core.entry = elf()->entry;
    return NULL;
}

/* Core's symbol table into the block, for call traces; and the one symbol that we need ourselves.
 */
static const char *load_symbols(struct boot_info *boot)
{
    const struct elf_section *section =
        (const struct elf_section *)(core_image + elf()->section_headers);

    for (unsigned i = 0; i < elf()->section_header_count; i++) {
        if (section[i].type != SHT_SYMTAB) {
            continue;
        }
        const struct elf_section *names = &section[section[i].link];
        boot->symtab = take(section[i].bytes);
        boot->symtab_entries = section[i].bytes / sizeof(struct elf_symbol);
        memcpy((void *)boot->symtab, core_image + section[i].offset, section[i].bytes);
        boot->strtab = take(names->bytes);
        boot->strtab_bytes = names->bytes;
        memcpy((void *)boot->strtab, core_image + names->offset, names->bytes);

        const struct elf_symbol *symbol = (const struct elf_symbol *)boot->symtab;
        for (uint64_t s = 0; s < boot->symtab_entries; s++) {
            static const char wanted[] = "syscall_page";
            if (symbol[s].name + sizeof(wanted) <= names->bytes &&
                memcmp((const char *)boot->strtab + symbol[s].name, wanted, sizeof(wanted)) == 0) {
                core.syscall_page = core.block + symbol[s].value - CORE_BASE;
            }
        }
    }
    return core.syscall_page ? NULL : "the embedded core has lost its symbols";
}

/* The session's buffers behind it, as offsets. */
static struct session *make_session(struct boot_info *boot)
{
    uint64_t bytes = ALIGN_UP(sizeof(struct session), PAGE_SIZE);
    uint64_t offset = bytes;

    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        bytes += stream_bytes[i];
    }
    bytes += JOURNAL_IN_BYTES + BASELINE_BYTES;
    struct session *session = (struct session *)take(bytes);
    session->abi = SESSION_ABI;
    session->bytes = sizeof(*session);
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        session->stream[i].offset = (uint32_t)offset;
        session->stream[i].capacity = stream_bytes[i];
        offset += stream_bytes[i];
    }
    session->journal_in_offset = (uint32_t)offset;
    session->journal_in_length = (uint32_t)JOURNAL_IN_BYTES;
    session->baseline_offset = (uint32_t)(offset + JOURNAL_IN_BYTES);
    session->baseline_capacity = (uint32_t)BASELINE_BYTES;
    boot->session_bytes = bytes;
    return session;
}

struct mapping {
    vaddr_t at;
    paddr_t from;
    uint64_t bytes;
    pte_t flags;
};

static enum status map_all(struct address_space *space, const struct mapping *mapping, size_t count,
                           pte_t without)
{
    const pte_t all = PTE_P | PTE_A | PTE_D | (pte_t)CORE_KEY << PTE_KEY_SHIFT;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = paging_map(space, mapping[i].at, mapping[i].from, mapping[i].bytes, 1,
                            (mapping[i].flags | all) & ~without);
    }
    return status;
}

#define RX PTE_P
#define RO (PTE_P | PTE_XD)
#define RW (PTE_P | PTE_RW | PTE_XD)

/* Everything our world maps: fault/layout.h. */
static enum status build_space(struct address_space *space, pte_t without, paddr_t session,
                               paddr_t area)
{
    const struct boot_info *boot = core.boot;
    const struct elf_segment *segment = segments();
    enum status status = paging_space_init(space, boot->levels, &core.tables);

    space->table_flags = PTE_RW | PTE_A; /* supervisor only: nothing of core is ring 3's */
    for (unsigned i = 0; i < elf()->program_header_count && status == STATUS_OK; i++) {
        if (segment[i].type == PT_LOAD) {
            const struct mapping image = {
                .at = segment[i].address,
                .from = core.block + segment[i].address - CORE_BASE,
                .bytes = ALIGN_UP(segment[i].memory_bytes, PAGE_SIZE),
                .flags = segment[i].flags & PF_X   ? RX
                         : segment[i].flags & PF_W ? RW
                                                   : RO,
            };
            status = map_all(space, &image, 1, without);
        }
    }
    const struct mapping rest[] = {
        {DIRECT_BASE,                     boot->direct,                boot->direct_bytes,               RW},
        {BOOT_INFO_BASE,                  (paddr_t)boot,               PAGE_SIZE,                        RO},
        {SESSION_BASE,                    session,                     boot->session_bytes,              RW},
        {CPU_BASE,                        area,                        CPU_STACK_BOTTOM - PAGE_SIZE,     RW}, /* struct cpu, GDT, TSS */
        {CPU_BASE + CPU_STACK_BOTTOM,     area + CPU_STACK_BOTTOM,     CPU_STACK_TOP - CPU_STACK_BOTTOM,
         RW                                                                                                },
        {CPU_BASE + CPU_STACK_DF_BOTTOM,  area + CPU_STACK_DF_BOTTOM,
         CPU_STACK_DF_TOP - CPU_STACK_DF_BOTTOM,                                                         RW},
        {CPU_BASE + CPU_STACK_NMI_BOTTOM, area + CPU_STACK_NMI_BOTTOM,
         CPU_STACK_NMI_TOP - CPU_STACK_NMI_BOTTOM,                                                       RW},
        {CPU_BASE + CPU_STACK_MC_BOTTOM,  area + CPU_STACK_MC_BOTTOM,
         CPU_STACK_MC_TOP - CPU_STACK_MC_BOTTOM,                                                         RW},
        {CPU_BASE + CPU_SYSCALL,          core.syscall_page,           PAGE_SIZE,                        RX},
    };
    const struct mapping apic = {LOCAL_APIC, boot->apic, PAGE_SIZE, RW | PTE_PCD | PTE_PWT};
    if (status == STATUS_OK) {
        status = map_all(space, rest, ARRAY_COUNT(rest), without);
    }
    return status == STATUS_OK && boot->apic ? map_all(space, &apic, 1, without) : status;
}

/* Firmware's top-level page with ours added. With 5 levels ours is the last entry, with 4 the last
 * two. */
static const char *build_transition(paddr_t world_root)
{
    const pte_t *firmware = (const pte_t *)(read_cr3() & PTE_ADDRESS);
    const pte_t *world = (const pte_t *)world_root;
    pte_t *transition = (pte_t *)take(PAGE_SIZE);

    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (world[i] && firmware[i] & PTE_P) {
            return "firmware uses the top of the address space, where core has to go";
        }
        transition[i] = world[i] ? world[i] : firmware[i];
    }
    core.boot->transition_root = (paddr_t)transition;
    return NULL;
}

/*
 * The local APIC's page, for both sides: core maps it at a place of its own; firmware, if it does, at its
 * own address.
 */
static void find_apic(struct boot_info *boot)
{
    struct walk walk;

    if (apic_mode() == APIC_XAPIC) {
        boot->apic = read_msr(MSR_APIC_BASE) & APIC_BASE_ADDRESS;
        paging_walk(read_cr3(), boot->levels, boot->apic, &walk);
        core.apic = walk.end == WALK_LEAF && walk.address == boot->apic
                        ? (volatile uint8_t *)boot->apic
                        : NULL;
    }
}

static const char *build_world(struct session *session)
{
    struct boot_info *boot = core.boot;
    struct address_space world, twin;
    bool nx = cpuid(0x80000000, 0).eax >= 0x80000001 && cpuid(0x80000001, 0).edx & BIT(20);
    paddr_t area = take(CPU_AREA);
    paddr_t tables = take(TABLE_FRAMES * PAGE_SIZE);

    phys_set(0, ~UINT64_C(0), 0);
    boot->levels = read_cr4() & CR4_LA57 ? 5 : 4;
    find_apic(boot);
    boot->direct = core.block + core.image_bytes;
    boot->direct_bytes = core.block_bytes - core.image_bytes;
    if (frame_pool_init(&core.tables, "tables", tables, TABLE_FRAMES, core.table_storage) !=
            STATUS_OK ||
        build_space(&world, nx ? 0 : PTE_XD, (paddr_t)session, area) != STATUS_OK ||
        build_space(&twin, PTE_XD, (paddr_t)session, area) != STATUS_OK) {
        return "the page tables of our world do not fit their frames";
    }
    boot->world_root = world.root;
    boot->twin_root = twin.root;
    const char *problem = build_transition(world.root);
    boot->free = core.next;
    boot->free_bytes = core.block + core.block_bytes - core.next;
    return problem;
}

EFI_STATUS core_load(struct session **session, const char **problem)
{
    size_t size = 0;

    *session = NULL;
    while (size < ARRAY_COUNT(block_sizes) && !allocate_block(block_sizes[size])) {
        size++;
    }
    if (size == ARRAY_COUNT(block_sizes)) {
        *problem = "no 24 MiB of contiguous memory below 4 GiB";
        return EFI_OUT_OF_RESOURCES;
    }
    *problem = load_image();
    if (!*problem) {
        core.boot = (struct boot_info *)take(PAGE_SIZE);
        core.boot->abi = BOOT_INFO_ABI;
        core.boot->bytes = sizeof(*core.boot);
        core.boot->block = core.block;
        core.boot->block_bytes = core.block_bytes;
        *session = make_session(core.boot);
        *problem = load_symbols(core.boot);
    }
    if (!*problem) {
        *problem = build_world(*session);
    }
    if (*problem) {
        core_unload();
        *session = NULL;
        return EFI_LOAD_ERROR;
    }
    (*session)->hand_back.pages_expected = core.block_bytes / PAGE_SIZE;
    return EFI_SUCCESS;
}

/* What a step must leave alone: every item of firmware's world, and the bytes of its tables. */
static void picture_take(struct world_picture *picture)
{
    world_read(&picture->world, core.apic);
    const uint64_t *item = picture->world.item;
    picture->gdt_bytes = (uint32_t)item[WORLD_GDT_LIMIT] + 1;
    picture->idt_bytes = (uint32_t)item[WORLD_IDT_LIMIT] + 1;
    if (picture->gdt_bytes > sizeof(picture->gdt)) {
        picture->gdt_bytes = sizeof(picture->gdt);
    }
    if (picture->idt_bytes > sizeof(picture->idt)) {
        picture->idt_bytes = sizeof(picture->idt);
    }
    memcpy(picture->gdt, (const void *)item[WORLD_GDT_BASE], picture->gdt_bytes);
    memcpy(picture->idt, (const void *)item[WORLD_IDT_BASE], picture->idt_bytes);
}

/* Did the step leave a difference that a check would call one? */
static bool pictures_differ(const struct hand_back *hand_back)
{
    const struct world_picture *before = &hand_back->before, *after = &hand_back->after;

    if (before->gdt_bytes != after->gdt_bytes || before->idt_bytes != after->idt_bytes ||
        memcmp(before->gdt, after->gdt, before->gdt_bytes) != 0 ||
        memcmp(before->idt, after->idt, before->idt_bytes) != 0) {
        return true;
    }
    for (unsigned i = 0; i < WORLD_ITEM_COUNT; i++) {
        if ((before->world.item[i] ^ after->world.item[i]) & world_item_mask((enum world_item)i) &&
            !(i == WORLD_TR && before->world.item[i] == 0)) {
            return true;
        }
    }
    return hand_back->pages_after != hand_back->pages_expected;
}

/* Test-only (--sabotage): what only this side can leave wrong. tests/harness/sabotage.h lists it.
 */
static void sabotage(const struct session *session)
{
    if (texts_equal(session->options.sabotage, "world:RFLAGS")) {
        write_rflags(read_rflags() ^ RFLAGS_AC);
    }
    if (texts_equal(session->options.sabotage, "leak-page") && !core.leaked &&
        EFI_ERROR(
            boot_services->AllocatePages(AllocateAnyPages, CORE_MEMORY_TYPE, 1, &core.leaked))) {
        core.leaked = 0;
    }
}

/*
 * After it was noticed: tables and CS as they were, for firmware would not live long without. An interrupt in between
 * would come back to a CS whose descriptor is gone.
 */
static void tables_mend(const struct world_picture *picture)
{
    const uint64_t *item = picture->world.item;
    uint64_t cr0 = read_cr0(), rflags = read_rflags();

    write_rflags(rflags & ~(uint64_t)RFLAGS_IF);
    write_cr0(cr0 & ~(uint64_t)CR0_WP);
    memcpy((void *)item[WORLD_GDT_BASE], picture->gdt, picture->gdt_bytes);
    memcpy((void *)item[WORLD_IDT_BASE], picture->idt, picture->idt_bytes);
    write_cr0(cr0);
    load_gdt((struct table_register){(uint16_t)item[WORLD_GDT_LIMIT], item[WORLD_GDT_BASE]});
    load_idt((struct table_register){(uint16_t)item[WORLD_IDT_LIMIT], item[WORLD_IDT_BASE]});
    core_load_cs(item[WORLD_CS]);
    write_rflags(rflags);
}

#define TICK_100NS    UINT64_C(10000) /* a millisecond */
#define TICK_PATIENCE 20000u

/* Does a timer event of the firmware's come? Its clock is what we may have spoilt: the TSC says how long. */
static bool firmware_ticks(uint64_t ticks_per_second)
{
    EFI_EVENT event;
    bool came = false;

    if (EFI_ERROR(boot_services->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &event))) {
        return false;
    }
    if (!EFI_ERROR(boot_services->SetTimer(event, TimerRelative, TICK_100NS))) {
        uint64_t start = read_tsc(), patience = ticks_per_second / 1000 * TICK_PATIENCE;
        while (!came && read_tsc() - start < patience) {
            came = boot_services->CheckEvent(event) == EFI_SUCCESS;
        }
    }
    boot_services->CloseEvent(event);
    return came;
}

/* The same for the firmware's clock: the sabotaged timer would not come any more. */
static void clock_mend(const struct world_picture *picture)
{
    if (core.apic && apic_mode() == APIC_XAPIC) {
        apic_write(core.apic, APIC_DIVIDE, (uint32_t)picture->world.item[WORLD_APIC_DIVIDE]);
        apic_write(core.apic, APIC_TIMER, (uint32_t)picture->world.item[WORLD_APIC_TIMER]);
        apic_write(core.apic, APIC_COUNT, (uint32_t)picture->world.item[WORLD_APIC_COUNT]);
    }
}

/* Compare with how it was @before the step. */
static void judge_step(struct session *session, const struct world_picture *before)
{
    struct hand_back *hand_back = &session->hand_back;

    if (hand_back->differs) {
        return; /* the first difference is the story */
    }
    hand_back->before = *before;
    picture_take(&hand_back->after);
    if (!count_pages(&hand_back->pages_after)) {
        hand_back->pages_after = 0;
    }
    hand_back->steps++;
    hand_back->differs = pictures_differ(hand_back);
}

void core_step(struct session *session)
{
    struct hand_back *hand_back = &session->hand_back;
    static struct world_picture before;

    picture_take(&before);
    core_enter(core.boot->transition_root, core.entry, CPU_BASE);
    sabotage(session);
    judge_step(session, &before);
    if (session->options.sabotage[0]) {
        tables_mend(&before);
        clock_mend(&before);
    }
    if (hand_back->ticks_wanted || hand_back->steps == 1) {
        hand_back->ticks_wanted = 0;
        hand_back->ticking = firmware_ticks(session->ticks_per_second);
    }
}

void core_unload(void)
{
    if (core.block) {
        boot_services->FreePages(core.block, core.block_bytes / PAGE_SIZE);
        core.block = 0;
    }
    if (core.leaked) {
        boot_services->FreePages(core.leaked, 1);
        core.leaked = 0;
    }
}
