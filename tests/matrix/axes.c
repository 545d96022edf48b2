/*
 * axes.c: see axes.h. Three tables: axes with the names of their values, accesses, and bits; and the
 * one function that says which values go together.
 */
#include "axes.h"

#include "tests/model/model.h"
#include "tests/report/sink.h"
#include "x86/memory.h"

#define NEEDS(feature) (FEATURE_##feature + 1)

/* ---- axes ------------------------------------------------------------------------------------------ */

#define VALUES(...)                                                                                \
    .value = (const char *const[]){__VA_ARGS__},                                                   \
    .values = ARRAY_COUNT(((const char *const[]){__VA_ARGS__}))

#define ENTRY(name)                                                                                \
    {name ".p", VALUES("1", "0")}, {name ".rw", VALUES("1", "0")}, {name ".us", VALUES("1", "0")}, \
        {name ".xd", VALUES("0", "1")},                                                            \
    {                                                                                              \
        name ".a", VALUES("0", "1")                                                                \
    }

/* clang-format off */
static const struct {
    const char *name;
    const char *const *value;
    uint8_t values;
    uint8_t needs; /* enum cpu_feature + 1, for every value but the default */
} axes[AXIS_COUNT] = {
    [AXIS_LEVELS]     = {"levels", VALUES("4", "5"), NEEDS(LA57)},
    [AXIS_SIZE]       = {"size", VALUES("4k", "2m", "1g"), 0},
    [AXIS_PLACE]      = {"place", VALUES("in", "first", "second", "both", "hole", "over", "end"), 0},
    [AXIS_ACCESS]     = {"access", .value = NULL, .values = MATRIX_ACCESS_COUNT, 0},
    [AXIS_RING]       = {"ring", VALUES("3", "0"), 0},
    [AXIS_WIDTH]      = {"width", VALUES("8", "1", "2", "4", "16", "32", "64"), 0},
    [AXIS_RSVD]       = {"rsvd", VALUES("none", "pte", "pde", "pdpte", "pml4e", "pml5e"), 0},
    [AXIS_RBIT]       = {"rbit", VALUES("51", "50", "49", "48", "47", "46", "45", "44", "43", "42", "41", "40", "39", "38",
                                        "37", "36", "35", "34", "33", "32", "7", "8", "13", "14", "15", "16", "17", "18",
                                        "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29"), 0},
    [AXIS_ENTRY]      = ENTRY("pte"), ENTRY("pde"), ENTRY("pdpte"), ENTRY("pml4e"), ENTRY("pml5e"),
    [AXIS_D]          = {"d", VALUES("0", "1"), 0},
    [AXIS_G]          = {"g", VALUES("0", "1"), 0},
    [AXIS_PAT]        = {"pat", VALUES("0", "1"), 0},
    [AXIS_CACHE]      = {"cache", VALUES("wb", "pwt", "pcd"), 0},
    [AXIS_KEY]        = {"key", VALUES("0", "1", "2", "15"), 0},
    [AXIS_IGNORED]    = {"ignored", VALUES("none", "6", "8", "9", "10", "11", "52", "53", "54", "55", "56", "57", "58",
                                           "59", "60", "61", "62"), 0},
    [AXIS_UPPER_KEY]  = {"upperkey", VALUES("0", "1", "3", "15"), 0},
    [AXIS_WP]         = {"wp", VALUES("1", "0"), 0},
    [AXIS_NXE]        = {"nxe", VALUES("1", "0"), 0},
    [AXIS_SMEP]       = {"smep", VALUES("0", "1"), NEEDS(SMEP)},
    [AXIS_SMAP]       = {"smap", VALUES("0", "1"), NEEDS(SMAP)},
    [AXIS_AC]         = {"ac", VALUES("0", "1"), 0},
    [AXIS_PKE]        = {"pke", VALUES("0", "1"), NEEDS(PKU)},
    [AXIS_PKRU]       = {"pkru", VALUES("free", "ad", "wd", "adwd"), NEEDS(PKU)},
    [AXIS_PKRU_OTHER] = {"pkru.other", VALUES("free", "ad", "wd", "adwd"), NEEDS(PKU)},
    [AXIS_PKS]        = {"pks", VALUES("0", "1"), NEEDS(PKS)},
    [AXIS_PKRS]       = {"pkrs", VALUES("free", "ad", "wd", "adwd"), NEEDS(PKS)},
    [AXIS_PKRS_OTHER] = {"pkrs.other", VALUES("free", "ad", "wd", "adwd"), NEEDS(PKS)},
    [AXIS_CET]        = {"cet", VALUES("0", "1"), NEEDS(CET_SS)},
    [AXIS_LAM]        = {"lam", VALUES("off", "48", "57"), NEEDS(LAM)},
};

/* ---- accesses -------------------------------------------------------------------------------------- */

#define RING_3 (1u << RING_IS_3)
#define RING_0 (1u << RING_IS_0)
#define BOTH   (RING_3 | RING_0)

#define W8   (1u << WIDTH_IS_8)
#define INTS (W8 | 1u << WIDTH_IS_1 | 1u << WIDTH_IS_2 | 1u << WIDTH_IS_4)
#define WIDE (1u << WIDTH_IS_16)
#define ALL  (INTS | WIDE | 1u << WIDTH_IS_32 | 1u << WIDTH_IS_64)

#define IN       (1u << PLACE_IN)
#define HOLE     (1u << PLACE_HOLE)
#define END      (1u << PLACE_END)
#define CROSSING (1u << PLACE_FIRST | 1u << PLACE_SECOND | 1u << PLACE_BOTH | 1u << PLACE_OVER)
#define ANYWHERE (IN | HOLE | END | CROSSING)

#define ACCESS(name_, kind_, rings_, widths_, places_, ...)                                        \
    {                                                                                              \
        .name = name_, .kind = kind_, .rings = rings_, .widths = widths_, .places = places_,       \
        ##__VA_ARGS__                                                                              \
    }

const struct access_row access_rows[MATRIX_ACCESS_COUNT] = {
    [MATRIX_READ]          = ACCESS("read", MODEL_READ, BOTH, ALL, ANYWHERE),
    [MATRIX_WRITE]         = ACCESS("write", MODEL_WRITE, BOTH, ALL, ANYWHERE),
    [MATRIX_FETCH]         = ACCESS("fetch", MODEL_FETCH, BOTH, W8, ANYWHERE, .bytes = 2),
    [MATRIX_LOCK_ADD]      = ACCESS("lock-add", MODEL_RMW_LOCKED, BOTH, INTS, ANYWHERE),
    [MATRIX_XCHG]          = ACCESS("xchg", MODEL_RMW_LOCKED, BOTH, INTS, ANYWHERE),
    [MATRIX_CMPXCHG]       = ACCESS("cmpxchg", MODEL_RMW_LOCKED, BOTH, INTS | WIDE, ANYWHERE),
    [MATRIX_CMPXCHG_FAILS] = ACCESS("cmpxchg-fails", MODEL_RMW_LOCKED, BOTH, INTS | WIDE, ANYWHERE),
    [MATRIX_XADD]          = ACCESS("xadd", MODEL_RMW_LOCKED, BOTH, INTS, ANYWHERE),
    [MATRIX_LOCK_NEG]      = ACCESS("lock-neg", MODEL_RMW_LOCKED, BOTH, INTS, ANYWHERE),
    [MATRIX_ADD]           = ACCESS("add", MODEL_RMW_PLAIN, BOTH, INTS, ANYWHERE),
    [MATRIX_PUSH]          = ACCESS("push", MODEL_WRITE, BOTH, W8, ANYWHERE, .stack = true),
    [MATRIX_POP]           = ACCESS("pop", MODEL_READ, BOTH, W8, ANYWHERE, .stack = true),
    [MATRIX_CALL]          = ACCESS("call", MODEL_WRITE, BOTH, W8, ANYWHERE, .stack = true),
    [MATRIX_RET]           = ACCESS("ret", MODEL_READ, BOTH, W8, ANYWHERE, .stack = true),
    [MATRIX_MOVS_LOAD]     = ACCESS("movs-load", MODEL_READ, BOTH, INTS, ANYWHERE),
    [MATRIX_MOVS_STORE]    = ACCESS("movs-store", MODEL_WRITE, BOTH, INTS, ANYWHERE),
    [MATRIX_STOS]          = ACCESS("stos", MODEL_WRITE, BOTH, INTS, ANYWHERE),
    [MATRIX_LODS]          = ACCESS("lods", MODEL_READ, BOTH, INTS, ANYWHERE),
    [MATRIX_LDT]           = ACCESS("ldt", MODEL_READ, BOTH, W8, IN, .implicit = true, .any_byte = true),
    [MATRIX_LDT_ACCESSED]  = ACCESS("ldt-accessed", MODEL_RMW_PLAIN, BOTH, W8, IN, .implicit = true, .any_byte = true),
    [MATRIX_GDT]           = ACCESS("gdt", MODEL_READ, BOTH, W8, IN, .implicit = true, .any_byte = true),
    [MATRIX_GDT_ACCESSED]  = ACCESS("gdt-accessed", MODEL_RMW_PLAIN, BOTH, W8, IN, .implicit = true, .any_byte = true),
    [MATRIX_IDT]           = ACCESS("idt", MODEL_READ, BOTH, W8, IN, .implicit = true, .any_byte = true, .bytes = 16),
    [MATRIX_TSS]           = ACCESS("tss", MODEL_READ, RING_3, W8, IN, .implicit = true, .any_byte = true),
    [MATRIX_FRAME]         = ACCESS("frame", MODEL_WRITE, BOTH, W8, IN, .frame = true, .any_byte = true, .partial = true, .bytes = 40),
    [MATRIX_PREFETCH]      = ACCESS("prefetch", MODEL_NOTHING, BOTH, W8, IN | HOLE, .bytes = 1),
    [MATRIX_NOP]           = ACCESS("nop", MODEL_NOTHING, BOTH, W8, IN | HOLE, .bytes = 1),
    [MATRIX_INVLPG]        = ACCESS("invlpg", MODEL_NOTHING, RING_0, W8, IN | HOLE, .bytes = 1),
    [MATRIX_CLFLUSH]       = ACCESS("clflush", MODEL_READ, BOTH, W8, IN | HOLE, .needs = NEEDS(CLFSH), .bytes = 1),
    [MATRIX_CLWB]          = ACCESS("clwb", MODEL_READ, BOTH, W8, IN | HOLE, .needs = NEEDS(CLWB), .bytes = 1),
    [MATRIX_WRSS]          = ACCESS("wrss", MODEL_SHADOW_WRITE, RING_3, W8, IN, .needs = NEEDS(CET_SS)),
    [MATRIX_WRUSS]         = ACCESS("wruss", MODEL_SHADOW_WRITE, RING_0, W8, IN, .needs = NEEDS(CET_SS)),
};
/* clang-format on */

/* ---- names ----------------------------------------------------------------------------------------- */

const char *axis_name(unsigned axis)
{
    return axes[axis].name;
}

const char *axis_value(unsigned axis, unsigned value)
{
    return axis == AXIS_ACCESS ? access_rows[value].name : axes[axis].value[value];
}

unsigned axis_values(unsigned axis)
{
    return axes[axis].values;
}

unsigned axis_bit(unsigned axis, unsigned value)
{
    unsigned bit = 0;

    for (const char *digit = axes[axis].value[value]; *digit; digit++) {
        if (*digit < '0' || *digit > '9') {
            return 255;
        }
        bit = bit * 10 + (unsigned)(*digit - '0');
    }
    return bit;
}

/* ---- what goes together ---------------------------------------------------------------------------- */

static bool has(const struct machine *m, unsigned needs)
{
    return !needs || !m || (m->features >> (needs - 1)) & 1;
}

unsigned axis_missing(unsigned axis, unsigned value, const struct machine *m)
{
    unsigned needs = value ? axes[axis].needs : 0;

    if (axis == AXIS_SIZE && value == SIZE_IS_1G) {
        needs = NEEDS(GB_PAGES);
    } else if (axis == AXIS_ACCESS) {
        needs = access_rows[value].needs;
    } else if (axis == AXIS_WIDTH && value >= WIDTH_IS_32) {
        needs = value == WIDTH_IS_32 ? NEEDS(AVX) : NEEDS(AVX512F);
    } else if (axis == AXIS_NXE && value == 0) {
        needs = NEEDS(NX);
    }
    return has(m, needs) ? 0 : needs;
}

static bool crossing(unsigned place)
{
    return (CROSSING >> place) & 1;
}

/* Descriptor tables of which a harmless part lies in the other page. */
static bool over_the_edge(unsigned access)
{
    return access == MATRIX_GDT || access == MATRIX_GDT_ACCESSED || access == MATRIX_IDT ||
           access == MATRIX_TSS;
}

/* Does the walk have an entry of @level, and does the access get to it? */
static bool entry_exists(const uint8_t *v, unsigned level)
{
    return v[AXIS_PLACE] != PLACE_HOLE && level >= v[AXIS_SIZE] + 1u &&
           level <= (v[AXIS_LEVELS] == LEVELS_IS_5 ? 5u : 4u);
}

/* R2.3, R2.4: may the entry of @level have this bit as its reserved one? */
static bool reserved_bit_exists(const uint8_t *v, unsigned level, unsigned bit,
                                const struct machine *m)
{
    if (bit >= 32) {
        return bit >= (m ? m->physical_bits : 32u) &&
               !(m && m->encryption_bit && bit == m->encryption_bit);
    }
    if (bit == 7) {
        return level >= 4 || (level == 3 && v[AXIS_SIZE] != SIZE_IS_1G &&
                              (!m || axis_missing(AXIS_SIZE, SIZE_IS_1G, m)));
    }
    if (bit == 8) {
        return level >= 4; /* AMD; elsewhere it is ignored, and the model says so */
    }
    return level == v[AXIS_SIZE] + 1u && level > 1 && (level == 3 || bit <= 20);
}

static bool level_has_reserved_bit(const uint8_t *v, unsigned level, const struct machine *m)
{
    for (unsigned value = 0; value < axes[AXIS_RBIT].values; value++) {
        if (reserved_bit_exists(v, level, axis_bit(AXIS_RBIT, value), m)) {
            return true;
        }
    }
    return false;
}

static bool width_allowed(const uint8_t *v, unsigned value, const struct machine *m)
{
    const struct access_row *access = &access_rows[v[AXIS_ACCESS]];
    bool exchange = access->kind == MODEL_RMW_LOCKED;

    if (!((access->widths >> value) & 1)) {
        return false;
    }
    if (value == WIDTH_IS_16 && exchange) {
        return has(m, NEEDS(CX16)) && !crossing(v[AXIS_PLACE]); /* CMPXCHG16B wants alignment */
    }
    return value != WIDTH_IS_1 || !crossing(v[AXIS_PLACE]);
}

/* What the value asks of the values before it; what the machine has was asked already. */
static bool goes_together(const uint8_t *v, unsigned axis, unsigned value, const struct machine *m)
{
    /* Only axes before @axis have values yet. */
    const struct access_row *access = axis > AXIS_ACCESS ? &access_rows[v[AXIS_ACCESS]] : NULL;
    bool shadow = access && access->kind == MODEL_SHADOW_WRITE;

    switch (axis) {
    case AXIS_PLACE:
        /* A 1-GiB page has no edge with our memory at it; a hole has no page. */
        return v[AXIS_SIZE] == SIZE_IS_4K || value == PLACE_IN ||
               (v[AXIS_SIZE] == SIZE_IS_2M && value != PLACE_HOLE);
    case AXIS_ACCESS:
        /* What lies on both sides of the edge (stage.c) wants our memory there. */
        return (access_rows[value].places >> v[AXIS_PLACE]) & 1 &&
               !(v[AXIS_SIZE] == SIZE_IS_1G && over_the_edge(value));
    case AXIS_RING:
        return (access->rings >> value) & 1;
    case AXIS_WIDTH:
        return width_allowed(v, value, m);
    case AXIS_RSVD:
        return value == 0 || (entry_exists(v, value) && level_has_reserved_bit(v, value, m));
    case AXIS_RBIT:
        return v[AXIS_RSVD] ? reserved_bit_exists(v, v[AXIS_RSVD], axis_bit(AXIS_RBIT, value), m)
                            : value == 0;
    case AXIS_D:
    case AXIS_G:
    case AXIS_PAT:
    case AXIS_CACHE:
    case AXIS_KEY:
    case AXIS_IGNORED:
    case AXIS_UPPER_KEY:
        return value == 0 || v[AXIS_PLACE] != PLACE_HOLE;
    case AXIS_WP:
        return value == 0 || !shadow;
    case AXIS_PKRS:
        return value == KEY_FREE || v[AXIS_KEY] != 0; /* key 0 is that of our own memory */
    case AXIS_CET:
        return value ? v[AXIS_WP] == 0 : !shadow; /* CR4.CET=1 wants CR0.WP=1 */
    case AXIS_LAM:
        return value == 0 || !(access->implicit || access->frame || v[AXIS_PLACE] == PLACE_HOLE ||
                               v[AXIS_PLACE] == PLACE_OVER);
    default:
        break;
    }
    if (axis >= AXIS_ENTRY && axis < AXIS_D) {
        return value == 0 || entry_exists(v, (axis - AXIS_ENTRY) / ENTRY_AXES + 1);
    }
    return true;
}

static bool axes_allow(const struct space *space, const uint8_t *point, uint32_t axis,
                       uint32_t value)
{
    const struct machine *m = space->context;

    return !axis_missing(axis, value, m) && goes_together(point, axis, value, m);
}

/* Which earlier axes goes_together() looks at; covering_contract() finds what is missing here. */
static bool axes_depend(const struct space *space, uint32_t axis, uint32_t earlier)
{
    static const uint64_t on[AXIS_COUNT] = {
        [AXIS_PLACE] = BIT(AXIS_SIZE),
        [AXIS_ACCESS] = BIT(AXIS_PLACE) | BIT(AXIS_SIZE),
        [AXIS_RING] = BIT(AXIS_ACCESS),
        [AXIS_WIDTH] = BIT(AXIS_ACCESS) | BIT(AXIS_PLACE),
        [AXIS_RSVD] = BIT(AXIS_LEVELS) | BIT(AXIS_SIZE) | BIT(AXIS_PLACE),
        [AXIS_RBIT] = BIT(AXIS_RSVD) | BIT(AXIS_SIZE),
        [AXIS_D] = BIT(AXIS_PLACE),
        [AXIS_G] = BIT(AXIS_PLACE),
        [AXIS_PAT] = BIT(AXIS_PLACE),
        [AXIS_CACHE] = BIT(AXIS_PLACE),
        [AXIS_KEY] = BIT(AXIS_PLACE),
        [AXIS_IGNORED] = BIT(AXIS_PLACE),
        [AXIS_UPPER_KEY] = BIT(AXIS_PLACE),
        [AXIS_WP] = BIT(AXIS_ACCESS),
        [AXIS_PKRS] = BIT(AXIS_KEY),
        [AXIS_CET] = BIT(AXIS_ACCESS) | BIT(AXIS_WP),
        [AXIS_LAM] = BIT(AXIS_ACCESS) | BIT(AXIS_PLACE),
    };

    (void)space;
    if (axis >= AXIS_ENTRY && axis < AXIS_D) {
        return earlier == AXIS_LEVELS || earlier == AXIS_SIZE || earlier == AXIS_PLACE;
    }
    return (on[axis] >> earlier) & 1;
}

struct space axes_space(const struct machine *m)
{
    static uint8_t counts[AXIS_COUNT];

    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        counts[axis] = axes[axis].values;
    }
    return (struct space){.axes = AXIS_COUNT,
                          .values = counts,
                          .allows = axes_allow,
                          .depends = axes_depend,
                          .context = m};
}

/* ---- ids ------------------------------------------------------------------------------------------- */

static const char prefix[] = "matrix:";

void point_text(const struct point *point, char text[POINT_TEXT])
{
    struct buffer_sink out;
    const char *separator = "";

    buffer_sink_init(&out, text, POINT_TEXT - 1);
    sink_text(&out.sink, prefix);
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        if (point->value[axis]) {
            sink_printf(&out.sink, "%s%s=%s", separator, axis_name(axis),
                        axis_value(axis, point->value[axis]));
            separator = ",";
        }
    }
    if (!*separator) {
        sink_text(&out.sink, "default");
    }
    text[out.length] = '\0';
}

static bool word_is(const char *word, size_t length, const char *name)
{
    size_t i = 0;

    while (i < length && name[i] == word[i]) {
        i++;
    }
    return i == length && name[i] == '\0';
}

/* One "name=value" of @length characters. Out: NULL, or what is wrong. */
static const char *parse_word(const char *word, size_t length, struct point *point, uint64_t *given)
{
    size_t equals = 0;

    while (equals < length && word[equals] != '=') {
        equals++;
    }
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        if (!word_is(word, equals, axis_name(axis))) {
            continue;
        }
        if (*given & BIT(axis)) {
            return "names an axis twice";
        }
        *given |= BIT(axis);
        for (unsigned value = 0; equals < length && value < axis_values(axis); value++) {
            if (word_is(word + equals + 1, length - equals - 1, axis_value(axis, value))) {
                point->value[axis] = (uint8_t)value;
                return NULL;
            }
        }
        return "has a value that its axis does not";
    }
    return "names no axis of the matrix";
}

/* The part of @text that gives @axis, or the whole. */
static void find_word(const char *text, unsigned axis, const char **word, unsigned *length)
{
    const char *at = text + sizeof(prefix) - 1;

    while (*at) {
        size_t bytes = 0, equals = 0;
        while (at[bytes] && at[bytes] != ',') {
            equals = at[bytes] == '=' && !equals ? bytes : equals;
            bytes++;
        }
        if (word_is(at, equals, axis_name(axis))) {
            *word = at;
            *length = (unsigned)bytes;
            return;
        }
        at += bytes + (at[bytes] == ',');
    }
}

const char *point_parse(const char *text, const struct machine *m, struct point *point,
                        const char **word, unsigned *length)
{
    const char *at = text;
    uint64_t given = 0;

    _Static_assert(AXIS_COUNT <= 64, "one bit an axis");
    *point = (struct point){0};
    *word = text;
    for (*length = 0; text[*length]; ++*length) {
    }
    if (*length < sizeof(prefix) - 1 || memcmp(text, prefix, sizeof(prefix) - 1) != 0) {
        return "is no point of the matrix";
    }
    at += sizeof(prefix) - 1;
    if (texts_equal(at, "default")) {
        at += sizeof("default") - 1;
    } else {
        do {
            *word = at;
            for (*length = 0; at[*length] && at[*length] != ','; ++*length) {
            }
            const char *problem = parse_word(at, *length, point, &given);
            if (problem) {
                return problem;
            }
            at += *length;
        } while (*at++ == ',');
    }
    struct space everywhere = axes_space(NULL);
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        unsigned value = point->value[axis];
        *word = text;
        for (*length = 0; text[*length]; ++*length) {
        }
        if (!everywhere.allows(&everywhere, point->value, axis, value)) {
            find_word(text, axis, word, length);
            return "does not go together with the axes before it";
        }
        struct space here = axes_space(m);
        if (m && !axis_missing(axis, value, m) && !here.allows(&here, point->value, axis, value)) {
            find_word(text, axis, word, length);
            return "is nothing that this machine can have";
        }
    }
    return NULL;
}
