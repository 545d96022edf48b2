/*
 * sweep.c: the product as numbers, see sweep.h. Pure.
 */
#include "sweep.h"

#include "x86/memory.h"

/* Of AXIS_KEY: a key that is not our own memory's, so that its rights may be anything. */
#define KEY_IN_USE 1u

/* Digits of a state, lowest first: axes with two values, then keys, of users and of supervisors. */
static const uint8_t bit_axes[] = {AXIS_WP, AXIS_NXE, AXIS_SMEP, AXIS_SMAP, AXIS_AC};
#define BIT_DIGITS ARRAY_COUNT(bit_axes)
static const struct {
    uint8_t on, rights;
} key_axes[] = {
    {AXIS_PKE, AXIS_PKRU},
    {AXIS_PKS, AXIS_PKRS},
};
#define DIGITS (BIT_DIGITS + ARRAY_COUNT(key_axes))

/* A key digit: 0 off; then on, with these rights. */
static const uint8_t key_rights[] = {KEY_FREE, KEY_FREE, KEY_AD, KEY_WD};

static const uint8_t accesses[] = {MATRIX_READ, MATRIX_WRITE, MATRIX_LOCK_ADD, MATRIX_LDT,
                                   MATRIX_FETCH};
_Static_assert(2 * ARRAY_COUNT(accesses) == SWEEP_ACCESSES, "each from two rings");

/* What @m makes of the product. */
static struct product {
    uint64_t features;
    bool known;
    unsigned groups, states;
    struct sweep_group group[SWEEP_GROUPS];
    uint64_t first[SWEEP_GROUPS + 1]; /* number of each group's first point */
    /* Of the two values of a digit that has lost one, which is left; log2 of how many there are. */
    uint8_t only[BIT_DIGITS], bits[DIGITS];
} product;

static unsigned wanted_levels = 1u << LEVELS_IS_4 | 1u << LEVELS_IS_5;

/* Of the classes of complete walks (BIT(class)): what the model forbids. Asked once a line. */
static struct refusal {
    bool known;
    uint8_t any, write; /* also a read of it; only because it writes */
} refusals[SWEEP_STATES][SWEEP_ACCESSES];

/*
 * The walks of one line that match, kept from one question to the next: scans ask for the point behind
 * the one that they got.
 */
static struct {
    struct conjunction where;
    uint64_t number; /* that was found last; ~0: none */
    const struct table_walk *walk;
    uint64_t line;
    uint32_t at, walks, mask, bits, classes;
    bool nxe;
} cursor = {.number = ~UINT64_C(0)};

/* ---- the product --------------------------------------------------------------------------------------- */

static void product_states(const struct machine *m)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < BIT_DIGITS; i++) {
        bool both = !axis_missing(bit_axes[i], 0, m) && !axis_missing(bit_axes[i], 1, m);
        product.only[i] = axis_missing(bit_axes[i], 0, m) != 0;
        product.bits[i] = both;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(key_axes); i++) {
        product.bits[BIT_DIGITS + i] = axis_missing(key_axes[i].on, 1, m) ? 0 : 2;
    }
    for (unsigned i = 0; i < DIGITS; i++) {
        bits += product.bits[i];
    }
    product.states = 1u << bits;
}

static void product_groups(const struct machine *m)
{
    product.groups = 0;
    for (unsigned value = 0; value < SWEEP_GROUPS; value++) {
        unsigned levels = value / 3 ? LEVELS_IS_5 : LEVELS_IS_4, size = value % 3;
        if (!(wanted_levels >> levels & 1) || axis_missing(AXIS_LEVELS, levels, m) ||
            axis_missing(AXIS_SIZE, size, m)) {
            continue;
        }
        struct sweep_group *group = &product.group[product.groups];
        const struct table_walk *walks;
        group->levels = levels == LEVELS_IS_5 ? 5 : 4;
        group->leaf = (uint8_t)(size + 1);
        group->walks = table_walks(group->levels - size, &walks);
        group->points = (uint64_t)group->walks * product.states * SWEEP_ACCESSES;
        product.first[product.groups + 1] = product.first[product.groups] + group->points;
        product.groups++;
    }
}

static void product_of(const struct machine *m)
{
    if (product.known && product.features == m->features) {
        return;
    }
    product = (struct product){.known = true, .features = m->features};
    product_states(m);
    product_groups(m);
    memset(refusals, 0, sizeof refusals);
    cursor.number = ~UINT64_C(0);
}

void sweep_levels(unsigned wanted)
{
    product.known = product.known && wanted_levels == wanted;
    wanted_levels = wanted;
}

unsigned sweep_groups(const struct machine *m, struct sweep_group group[SWEEP_GROUPS])
{
    product_of(m);
    memcpy(group, product.group, sizeof product.group);
    return product.groups;
}

uint64_t sweep_points(const struct machine *m)
{
    product_of(m);
    return product.first[product.groups];
}

/* ---- points -------------------------------------------------------------------------------------------- */

struct position {
    unsigned group, state, access;
    uint32_t walk;
};

static struct position position_of(uint64_t number)
{
    struct position position = {0};

    while (number >= product.first[position.group + 1]) {
        position.group++;
    }
    uint32_t walks = product.group[position.group].walks;
    /* A group has less than 2^32 points. */
    uint32_t within = (uint32_t)(number - product.first[position.group]), line = within / walks;
    position.walk = within % walks;
    position.state = line / SWEEP_ACCESSES;
    position.access = line % SWEEP_ACCESSES;
    return position;
}

static void set_group(const struct sweep_group *group, uint8_t *value)
{
    value[AXIS_LEVELS] = group->levels == 5 ? LEVELS_IS_5 : LEVELS_IS_4;
    value[AXIS_SIZE] = (uint8_t)(group->leaf - 1);
    value[AXIS_KEY] = KEY_IN_USE;
}

static void set_state(unsigned state, uint8_t *value)
{
    for (unsigned i = 0; i < BIT_DIGITS; i++) {
        value[bit_axes[i]] = product.bits[i] ? state & 1 : product.only[i];
        state >>= product.bits[i];
    }
    for (unsigned i = 0; i < ARRAY_COUNT(key_axes); i++) {
        unsigned digit = product.bits[BIT_DIGITS + i] ? state & 3 : 0;
        value[key_axes[i].on] = digit != 0;
        value[key_axes[i].rights] = key_rights[digit];
        state >>= product.bits[BIT_DIGITS + i];
    }
}

static void set_access(unsigned access, uint8_t *value)
{
    value[AXIS_ACCESS] = accesses[access / 2];
    value[AXIS_RING] = access % 2 ? RING_IS_0 : RING_IS_3;
}

static void set_combo(unsigned level, unsigned combo, uint8_t *value)
{
    uint8_t *entry = &value[axis_of_entry(level, ENTRY_P)];

    entry[ENTRY_P] = combo >> ENTRY_P & 1;
    entry[ENTRY_RW] = combo >> ENTRY_RW & 1;
    entry[ENTRY_US] = combo >> ENTRY_US & 1;
    entry[ENTRY_XD] = combo >> ENTRY_XD & 1;
}

static const struct table_walk *set_point(struct position position, uint8_t *value)
{
    const struct sweep_group *group = &product.group[position.group];
    unsigned entries = group->levels - group->leaf + 1u;
    const struct table_walk *walk;

    set_group(group, value);
    set_state(position.state, value);
    set_access(position.access, value);
    (void)table_walks(entries, &walk);
    walk += position.walk;
    for (unsigned i = 0; i < entries; i++) {
        set_combo(group->leaf + i, walk_combo(walk, i), value);
    }
    return walk;
}

void sweep_point(const struct machine *m, uint64_t number, struct point *point)
{
    product_of(m);
    *point = (struct point){0};
    (void)set_point(position_of(number), point->value);
}

/* ---- lines --------------------------------------------------------------------------------------------- */

/* The entries that the walks of a group have on some ground. A line points into it. */
struct group_entries {
    bool known;
    uint64_t features;
    unsigned group;
    struct point_ground ground;
    pte_t combo[LEVELS_MAX][COMBOS];
};

/* Make @kept those of group @number on @ground, unless it is. */
static void group_entries_make(struct group_entries *kept, unsigned number,
                               const struct point_ground *ground)
{
    const struct sweep_group *group = &product.group[number];

    if (kept->known && kept->features == product.features && kept->group == number &&
        memcmp(&kept->ground, ground, sizeof(*ground)) == 0) {
        return;
    }
    kept->known = true;
    kept->features = product.features;
    kept->group = number;
    kept->ground = *ground;
    for (unsigned combo = 0; combo < COMBOS; combo++) {
        struct point point = {0};
        struct point_scene scene;
        set_group(group, point.value);
        for (unsigned level = group->leaf; level <= group->levels; level++) {
            set_combo(level, combo, point.value);
        }
        point_scene(&point, ground, &scene);
        for (unsigned level = group->leaf; level <= group->levels; level++) {
            kept->combo[level - group->leaf][combo] = scene.entry[0][level - 1];
        }
    }
}

static void line_at(const struct machine *m, struct position position,
                    struct group_entries *entries, const struct point_ground *ground, uint64_t cr2,
                    struct sweep_line *line)
{
    const struct sweep_group *group = &product.group[position.group];

    position.walk = 0;
    *line = (struct sweep_line){
        .group = position.group,
        .state = position.state,
        .access = position.access,
        .levels = group->levels,
        .leaf = group->leaf,
        .entries = group->levels - group->leaf + 1u,
    };
    line->walks = table_walks(line->entries, &line->walk);
    group_entries_make(entries, position.group, ground);
    line->combo = entries->combo;
    (void)set_point(position, line->point.value);
    point_scene(&line->point, ground, &line->scene);
    point_question(&line->point, m, &line->scene, cr2, &line->question);
}

uint32_t sweep_line(const struct machine *m, uint64_t number, const struct point_ground *ground,
                    uint64_t cr2, struct sweep_line *line)
{
    static struct group_entries entries;

    product_of(m);
    struct position position = position_of(number);
    line_at(m, position, &entries, ground, cr2, line);
    return position.walk;
}

/* ---- folds --------------------------------------------------------------------------------------------- */

static const struct refusal *line_refusal(const struct machine *m, struct position position)
{
    static const struct point_ground nowhere;
    static struct group_entries entries; /* apart: a line of the run may be under way */
    static struct table table;
    static struct sweep_line line;
    struct refusal *refusal = &refusals[position.state][position.access];

    if (!refusal->known) {
        position.group = 0; /* they are no different */
        line_at(m, position, &entries, &nowhere, 0, &line);
        table_compile(&line.question, line.leaf, line.entries, line.combo, &table);
        *refusal = (struct refusal){.known = true};
        for (unsigned class = 0; class < CLASS_ABSENT; class ++) {
            const struct model_story *story = &table.answer[class].story;
            if (table.classes & 1u << class && story->forbidden) {
                *(story->write_only ? &refusal->write : &refusal->any) |= (uint8_t)(1u << class);
            }
        }
    }
    return refusal;
}

static bool is_nxe(const uint8_t *value)
{
    return value[AXIS_NXE] == 0;
}

/* What the model tells of a walk; the kind of access is set apart. */
static void set_class(unsigned class, unsigned leaf, const struct refusal *refusal, uint8_t *value)
{
    unsigned entry;
    enum model_end end = class_end(class, &entry);
    bool complete = end == MODEL_COMPLETE;
    bool any = complete && refusal->any >> class & 1,
         write = complete && refusal->write >> class & 1;
    uint8_t *derived = &value[AXIS_COUNT];

    derived[DERIVED_WALK] = (uint8_t)end;
    derived[DERIVED_AT] = complete ? 0 : (uint8_t)(leaf + entry);
    derived[DERIVED_PAGE] = complete && !(class & CLASS_NO_USER);
    derived[DERIVED_VECTOR] = complete && !any && !write ? VECTOR_IS_NONE : VECTOR_IS_PF;
    derived[DERIVED_FAULT] = any || write ? FAULT_FORBIDDEN : (uint8_t)end;
    derived[DERIVED_REFUSED] = write ? REFUSED_WRITE : any ? REFUSED_ANY : REFUSED_NOT;
    derived[DERIVED_RESERVED] = end == MODEL_RESERVED ? RESERVED_XD : RESERVED_NOT;
}

static void set_kind(unsigned access, uint8_t *value)
{
    value[AXIS_COUNT + DERIVED_KIND] = access_rows[accesses[access / 2]].kind;
}

void sweep_values(const struct machine *m, uint64_t number, uint8_t values[FOLD_AXES])
{
    product_of(m);
    struct position position = position_of(number);
    memset(values, 0, FOLD_AXES);
    const struct table_walk *walk = set_point(position, values);
    set_kind(position.access, values);
    set_class(walk_class(walk, is_nxe(values)), product.group[position.group].leaf,
              line_refusal(m, position), values);
}

static bool asks(const struct conjunction *where, unsigned axis)
{
    return where->value[axis] != FOLD_ANY;
}

static bool agrees(const struct conjunction *where, const uint8_t *values, unsigned axis)
{
    return !asks(where, axis) || where->value[axis] == values[axis];
}

/*
 * What of @where the walks of a group decide, and the rest. @mask and @bits: of table_walk.combos.
 * Out: false: no walk can match.
 */
static bool where_combos(const struct conjunction *where, const struct sweep_group *group,
                         uint32_t *mask, uint32_t *bits)
{
    *mask = *bits = 0;
    for (unsigned level = group->leaf; level <= group->levels; level++) {
        for (unsigned which = ENTRY_P; which <= ENTRY_XD; which++) {
            unsigned axis = axis_of_entry(level, which);
            if (asks(where, axis)) {
                uint32_t bit = 1u << (COMBO_BITS * (level - group->leaf) + which);
                *mask |= bit;
                *bits |= where->value[axis] ? bit : 0;
                if (where->value[axis] > 1) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* Axes that neither state nor access nor the walks of @group decide. */
static bool group_agrees(const struct conjunction *where, const struct sweep_group *group)
{
    static bool decided[AXIS_COUNT];
    uint8_t values[AXIS_COUNT] = {0};

    for (unsigned i = 0; i < BIT_DIGITS; i++) {
        decided[bit_axes[i]] = true;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(key_axes); i++) {
        decided[key_axes[i].on] = decided[key_axes[i].rights] = true;
    }
    decided[AXIS_ACCESS] = decided[AXIS_RING] = true;
    set_group(group, values);
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        unsigned level = (axis - AXIS_ENTRY) / ENTRY_AXES + 1;
        bool walks = axis >= AXIS_ENTRY && axis < AXIS_D && level >= group->leaf &&
                     level <= group->levels && (axis - AXIS_ENTRY) % ENTRY_AXES <= ENTRY_XD;
        if (!decided[axis] && !walks && !agrees(where, values, axis)) {
            return false;
        }
    }
    return true;
}

static bool line_agrees(const struct conjunction *where, const uint8_t *values)
{
    bool agree = agrees(where, values, AXIS_ACCESS) && agrees(where, values, AXIS_RING) &&
                 agrees(where, values, AXIS_COUNT + DERIVED_KIND);

    for (unsigned i = 0; i < BIT_DIGITS; i++) {
        agree = agree && agrees(where, values, bit_axes[i]);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(key_axes); i++) {
        agree = agree && agrees(where, values, key_axes[i].on) &&
                agrees(where, values, key_axes[i].rights);
    }
    return agree;
}

/* Which classes @where allows: BIT(class). */
static uint32_t where_classes(const struct conjunction *where, unsigned leaf,
                              const struct refusal *refusal)
{
    uint32_t classes = 0;
    uint8_t values[FOLD_AXES];

    for (unsigned class = 0; class < TABLE_CLASSES; class ++) {
        bool all = true;
        set_class(class, leaf, refusal, values);
        for (unsigned i = 0; i < DERIVED_COUNT; i++) {
            all = all && (i == DERIVED_KIND || agrees(where, values, AXIS_COUNT + i));
        }
        classes |= all ? 1u << class : 0;
    }
    return classes;
}

/* On in its line. Out: true: cursor.number matches. */
static bool cursor_next(void)
{
    for (; cursor.at < cursor.walks; cursor.at++) {
        const struct table_walk *walk = &cursor.walk[cursor.at];
        if (!((walk->combos ^ cursor.bits) & cursor.mask) &&
            cursor.classes >> walk_class(walk, cursor.nxe) & 1) {
            cursor.number = cursor.line + cursor.at++;
            return true;
        }
    }
    return false;
}

static bool cursor_goes_on(const struct conjunction *where, uint64_t from)
{
    if (from == 0 || from != cursor.number + 1) {
        return false;
    }
    for (unsigned axis = 0; axis < FOLD_AXES; axis++) {
        if (where->value[axis] != cursor.where.value[axis]) {
            return false;
        }
    }
    return cursor_next();
}

/* In: group_agrees(). The first matching number of the group at @position or behind it; or its end. */
static uint64_t next_in_group(const struct machine *m, const struct conjunction *where,
                              struct position position)
{
    const struct sweep_group *group = &product.group[position.group];
    uint8_t values[FOLD_AXES];

    cursor.where = *where;
    cursor.walks = table_walks(group->levels - group->leaf + 1u, &cursor.walk);
    cursor.line = product.first[position.group] +
                  (uint64_t)(position.state * SWEEP_ACCESSES + position.access) * cursor.walks;
    if (!where_combos(where, group, &cursor.mask, &cursor.bits)) {
        return product.first[position.group + 1];
    }
    for (; position.state < product.states; position.state++, position.access = 0) {
        set_state(position.state, values);
        for (; position.access < SWEEP_ACCESSES;
             position.access++, position.walk = 0, cursor.line += cursor.walks) {
            set_access(position.access, values);
            set_kind(position.access, values);
            if (!line_agrees(where, values)) {
                continue;
            }
            cursor.classes = where_classes(where, group->leaf, line_refusal(m, position));
            cursor.nxe = is_nxe(values);
            cursor.at = position.walk;
            if (cursor_next()) {
                return cursor.number;
            }
        }
    }
    return product.first[position.group + 1];
}

uint64_t sweep_next(const struct machine *m, const struct conjunction *where, uint64_t from)
{
    product_of(m);
    uint64_t points = product.first[product.groups];
    if (cursor_goes_on(where, from)) {
        return cursor.number;
    }
    while (from < points) {
        struct position position = position_of(from);
        uint64_t end = product.first[position.group + 1];
        uint64_t found = group_agrees(where, &product.group[position.group])
                             ? next_in_group(m, where, position)
                             : end;
        if (found < end) {
            return found;
        }
        from = end;
    }
    return points;
}
