/*
 * point.c: see point.h. The entries are built here once, from x86/pte.h's words; the stage writes
 * them to memory, and the model reads the same numbers with words of its own.
 */
#include "point.h"

#include "fault/layout.h"
#include "x86/exception.h"
#include "x86/pte.h"

/* The edges between two top-level slots: 128 and 129 of a PML4, 1 and 2 of a PML5. */
#define EDGE_4 UINT64_C(0x0000408000000000)
#define EDGE_5 UINT64_C(0x0002000000000000)
/* The first address that is not canonical. */
#define HOLE_4 UINT64_C(0x0000800000000000)
#define HOLE_5 UINT64_C(0x0100000000000000)

/* Where in its page an access within one page begins. */
#define OFFSET_IN 0x800u

/* LAM: what a program may keep in bits 62:57. */
#define LAM_TAG (UINT64_C(0x15) << 57)

#define OTHER_KEY 3u

static const uint8_t key_numbers[] = {0, 1, 2, 15};
static const uint8_t upper_keys[] = {0, 1, OTHER_KEY, 15};

uint32_t point_key_rights(const struct point *point, bool supervisor)
{
    unsigned used = key_numbers[point->value[AXIS_KEY]];
    uint32_t rights = point->value[supervisor ? AXIS_PKRS : AXIS_PKRU];
    uint32_t other = point->value[supervisor ? AXIS_PKRS_OTHER : AXIS_PKRU_OTHER];

    return rights << (2 * used) | other << (2 * OTHER_KEY);
}

/* ---- entries --------------------------------------------------------------------------------------- */

/* Present and writable, for one ring alone, with the one key that no point denies: our own. */
static pte_t harmless_flags(const struct point *point, unsigned level)
{
    const struct access_row *access = &access_rows[point->value[AXIS_ACCESS]];
    bool user = point->value[AXIS_RING] == RING_IS_3 && !access->implicit && !access->frame;

    return PTE_P | PTE_RW | (user ? PTE_US : 0) |
           (level == point_leaf(point) ? (pte_t)CORE_KEY << PTE_KEY_SHIFT : 0);
}

/* Is @bit ignored in an entry of @level? */
static bool ignores(const struct point *point, unsigned level, unsigned bit)
{
    bool leaf = level == point_leaf(point);

    if (bit == 6) {
        return !leaf;
    }
    if (bit == 8) {
        return !leaf && level <= 3;
    }
    return bit <= 58 || !leaf; /* bits 62:59 of a leaf are its key */
}

static pte_t tested_flags(const struct point *point, unsigned level)
{
    const uint8_t *v = point->value;
    unsigned ignored = axis_bit(AXIS_IGNORED, v[AXIS_IGNORED]);
    pte_t flags = 0;

    flags |= v[axis_of_entry(level, ENTRY_P)] ? 0 : PTE_P;
    flags |= v[axis_of_entry(level, ENTRY_RW)] ? 0 : PTE_RW;
    flags |= v[axis_of_entry(level, ENTRY_US)] ? 0 : PTE_US;
    flags |= v[axis_of_entry(level, ENTRY_XD)] ? PTE_XD : 0;
    flags |= v[axis_of_entry(level, ENTRY_A)] ? PTE_A : 0;
    flags |= v[AXIS_CACHE] == 1 ? PTE_PWT : v[AXIS_CACHE] == 2 ? PTE_PCD : 0;
    flags |= v[AXIS_RSVD] == level ? BIT(axis_bit(AXIS_RBIT, v[AXIS_RBIT])) : 0;
    flags |= ignored < 64 && ignores(point, level, ignored) ? BIT(ignored) : 0;
    if (level != point_leaf(point)) {
        return flags | (pte_t)upper_keys[v[AXIS_UPPER_KEY]] << PTE_KEY_SHIFT;
    }
    flags |= v[AXIS_D] ? PTE_D : 0;
    flags |= v[AXIS_G] ? PTE_G : 0;
    flags |= v[AXIS_PAT] ? (level == 1 ? PTE_PAT : PTE_PAT_LARGE) : 0;
    return flags | (pte_t)key_numbers[v[AXIS_KEY]] << PTE_KEY_SHIFT;
}

static void fill_walk(const struct point *point, const struct point_ground *ground, unsigned walk,
                      bool tested, pte_t *entry)
{
    unsigned leaf = point_leaf(point);

    for (unsigned level = leaf; level <= point_levels(point); level++) {
        pte_t to = level > leaf
                       ? ground->table[walk][level - 2]
                       : (ground->frame[walk] & ~(level_span(leaf) - 1)) | (leaf > 1 ? PTE_PS : 0);
        entry[level - 1] =
            to | (tested ? tested_flags(point, level) : harmless_flags(point, level));
    }
}

/* ---- addresses ------------------------------------------------------------------------------------- */

/* Which walks are under test: bit 0 and 1. */
static unsigned tested_walks(const struct point *point)
{
    switch (point->value[AXIS_ACCESS]) {
    case MATRIX_GDT: /* what must stay readable lies before the edge, stage.h */
    case MATRIX_GDT_ACCESSED:
    case MATRIX_IDT:
        return 2;
    default:
        break;
    }
    switch (point->value[AXIS_PLACE]) {
    case PLACE_SECOND:
        return 2;
    case PLACE_BOTH:
        return 3;
    case PLACE_HOLE:
        return 0;
    default:
        return 1;
    }
}

static vaddr_t address_within(const struct point *point, const struct point_scene *scene)
{
    switch (point->value[AXIS_ACCESS]) {
    case MATRIX_GDT: /* GDTR.base is page 0 */
    case MATRIX_GDT_ACCESSED:
        return scene->page[1] + OFFSET_IN;
    case MATRIX_IDT: /* gate 128 is the first behind the edge; this is 144 */
        return scene->page[1] + 0x100;
    case MATRIX_TSS: /* RSP0; the IST entries begin at the edge */
        return scene->page[0] + PAGE_SIZE - 0x20;
    case MATRIX_FRAME: /* five words below RSP0 or IST */
        return scene->page[0] + OFFSET_IN + 8;
    default:
        return scene->page[0] + OFFSET_IN;
    }
}

static vaddr_t access_address(const struct point *point, const struct point_scene *scene)
{
    /* An instruction lies across with its first byte alone before the edge. */
    bool fetch = point->value[AXIS_ACCESS] == MATRIX_FETCH;
    unsigned before = fetch ? 1 : scene->bytes / 2;

    switch ((enum place)point->value[AXIS_PLACE]) {
    case PLACE_HOLE:
        return (scene->levels == 5 ? HOLE_5 : HOLE_4) + OFFSET_IN;
    case PLACE_FIRST:
    case PLACE_SECOND:
    case PLACE_BOTH:
    case PLACE_OVER:
        return scene->page[0] + PAGE_SIZE - before;
    case PLACE_END:
        return scene->page[0] + PAGE_SIZE - scene->bytes;
    case PLACE_IN:
    case PLACE_COUNT:
        break;
    }
    return address_within(point, scene);
}

void point_scene(const struct point *point, const struct point_ground *ground,
                 struct point_scene *scene)
{
    const struct access_row *access = &access_rows[point->value[AXIS_ACCESS]];
    unsigned tested = tested_walks(point), place = point->value[AXIS_PLACE];
    bool over = place == PLACE_OVER;

    *scene = (struct point_scene){
        .levels = point_levels(point),
        .leaf = point_leaf(point),
        .bytes = access->bytes ? access->bytes : point_width(point),
    };
    vaddr_t edge = scene->levels == 5 ? (over ? HOLE_5 : EDGE_5) : (over ? HOLE_4 : EDGE_4);
    vaddr_t slot = edge - level_span(scene->leaf);
    scene->page[0] =
        scene->leaf == 3 ? slot + (ground->frame[0] & (level_span(3) - 1)) : edge - PAGE_SIZE;
    scene->page[1] = over ? 0 : edge;
    scene->address = access_address(point, scene);
    scene->first = scene->address >= edge && place == PLACE_IN;
    for (unsigned walk = 0; walk < 2; walk++) {
        bool crosses = place == PLACE_FIRST || place == PLACE_SECOND || place == PLACE_BOTH;
        scene->used[walk] = (tested >> walk) & 1 || crosses;
        if (place != PLACE_HOLE && !(walk && (over || place == PLACE_END))) {
            fill_walk(point, ground, walk, (tested >> walk) & 1, scene->entry[walk]);
        }
    }
    scene->address |= point->value[AXIS_LAM] ? LAM_TAG : 0;
}

/* ---- the question ---------------------------------------------------------------------------------- */

static uint8_t model_vendor(const struct machine *m)
{
    if ((m->features >> FEATURE_HYPERVISOR) & 1) {
        return MODEL_VENDOR_UNKNOWN;
    }
    return m->vendor == VENDOR_INTEL ? MODEL_VENDOR_INTEL
           : m->vendor == VENDOR_AMD ? MODEL_VENDOR_AMD
                                     : MODEL_VENDOR_UNKNOWN;
}

void point_question(const struct point *point, const struct machine *m,
                    const struct point_scene *scene, uint64_t cr2, struct model_question *question)
{
    static const uint8_t lam[] = {0, 48, 57};
    const uint8_t *v = point->value;
    const struct access_row *access = &access_rows[v[AXIS_ACCESS]];

    *question = (struct model_question){
        .cpu =
            {
                  .levels = (uint8_t)scene->levels,
                  .physical_bits = m->physical_bits,
                  .vendor = model_vendor(m),
                  .lam = lam[v[AXIS_LAM]],
                  .gb_pages = (m->features >> FEATURE_GB_PAGES) & 1,
                  .wp = !v[AXIS_WP],
                  .nxe = !v[AXIS_NXE],
                  .smep = v[AXIS_SMEP],
                  .smap = v[AXIS_SMAP],
                  .ac = v[AXIS_AC],
                  .pke = v[AXIS_PKE],
                  .pks = v[AXIS_PKS],
                  .cet = v[AXIS_CET],
                  .pkru = point_key_rights(point, false),
                  .pkrs = point_key_rights(point, true),
                  .encryption_mask = m->encryption_bit ? BIT(m->encryption_bit) : 0,
                  },
        .access =
            {
                  .kind = access->kind,
                  .cpl = v[AXIS_RING] == RING_IS_3 ? 3 : 0,
                  .implicit = access->implicit,
                  .frame = access->frame,
                  .user_shadow = v[AXIS_ACCESS] == MATRIX_WRUSS,
                  .stack = access->stack,
                  .any_byte = access->any_byte,
                  .partial = access->partial,
                  .address = scene->address,
                  .bytes = scene->bytes,
                  },
        .cr2 = cr2,
    };
    for (unsigned level = 0; level < LEVELS_MAX; level++) {
        question->walk[0].entry[level] = scene->entry[scene->first][level];
        question->walk[1].entry[level] = scene->first ? 0 : scene->entry[1][level];
    }
}

/* ---- derived attributes ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *value[9];
} derived[DERIVED_COUNT] = {
    [DERIVED_WALK] = {"walk",     {"complete", "absent", "reserved", "hole"}            },
    [DERIVED_AT] = {"at",       {"-", "pte", "pde", "pdpte", "pml4e", "pml5e"}        },
    [DERIVED_PAGE] = {"page",     {"supervisor", "user"}                                },
    [DERIVED_VECTOR] = {"vector",   {"none", "pf", "gp", "ss"}                            },
    [DERIVED_FAULT] = {"fault",    {"none", "absent", "reserved", "address", "forbidden"}},
    [DERIVED_REFUSED] = {"refused",  {"-", "any", "write"}                                 },
    [DERIVED_RESERVED] = {"reserved", {"-", "address", "xd", "7", "8", "low", "several"}    },
    [DERIVED_KIND] = {"kind",
                      {"read", "write", "fetch", "locked", "rmw", "nothing", "shadow-read",
                       "shadow-write"}                                                  },
};

/* Of the entry that ended the walk at a reserved bit: which sort of bit that is. */
static unsigned reserved_sort(const struct point *point, unsigned level)
{
    const uint8_t *v = point->value;
    unsigned bit = axis_bit(AXIS_RBIT, v[AXIS_RBIT]);
    unsigned sort = v[AXIS_RSVD] != level ? RESERVED_NOT
                    : bit >= 32           ? RESERVED_ADDRESS
                    : bit == 7            ? RESERVED_7
                    : bit == 8            ? RESERVED_8
                                          : RESERVED_LOW;

    if (v[AXIS_NXE] && v[axis_of_entry(level, ENTRY_XD)]) {
        return sort == RESERVED_NOT ? RESERVED_XD : RESERVED_SEVERAL;
    }
    return sort;
}

void point_derived(const struct point *point, const struct model_answer *answer,
                   uint8_t values[DERIVED_COUNT])
{
    uint16_t vector = answer->outcome[0].vector;

    values[DERIVED_WALK] = answer->story.end;
    values[DERIVED_AT] = answer->story.level;
    values[DERIVED_PAGE] = answer->story.user_address;
    values[DERIVED_VECTOR] = vector == MODEL_NO_FAULT ? VECTOR_IS_NONE
                             : vector == VECTOR_PF    ? VECTOR_IS_PF
                             : vector == VECTOR_GP    ? 2
                                                      : 3;
    values[DERIVED_FAULT] = vector == MODEL_NO_FAULT              ? FAULT_NONE
                            : answer->story.end == MODEL_COMPLETE ? FAULT_FORBIDDEN
                                                                  : answer->story.end;
    values[DERIVED_REFUSED] = answer->story.write_only  ? REFUSED_WRITE
                              : answer->story.forbidden ? REFUSED_ANY
                                                        : REFUSED_NOT;
    values[DERIVED_RESERVED] = answer->story.end != MODEL_RESERVED
                                   ? RESERVED_NOT
                                   : (uint8_t)reserved_sort(point, answer->story.level);
    values[DERIVED_KIND] = access_rows[point->value[AXIS_ACCESS]].kind;
}

const char *derived_name(unsigned which)
{
    return derived[which].name;
}

const char *derived_value(unsigned which, unsigned value)
{
    return derived[which].value[value];
}
