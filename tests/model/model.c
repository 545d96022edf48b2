/*
 * model.c: the reference model, see model.h. The rules are rows.h; here is what follows from them,
 * from top to bottom in the order of docs/rules.md: an access falls into one or two parts, one a page;
 * of each the address is judged, the walk, the rights; then CR2, A and D of the whole.
 *
 * Where an "either" is more than a bit of the outcome, the access is judged once for each way that a
 * machine may go (row.h), and the answer allows both.
 */
#include "model.h"

#include "answer.h"
#include "row.h"

#define BIT(n) (UINT64_C(1) << (n))

/* ---- words: SDM vol. 3A 4.5, 4.6.2, 4.7, 6.15 -------------------------------------------------------- */

/* Bits of an entry. */
#define P       BIT(0)
#define RW      BIT(1)
#define US      BIT(2)
#define PWT     BIT(3)
#define PCD     BIT(4)
#define A       BIT(5)
#define D       BIT(6)
#define PS      BIT(7) /* of a PTE: PAT */
#define G       BIT(8)
#define XD      BIT(63)
#define KEY     59 /* bits 62:59 */
#define IGNORED (bits(11, 9) | bits(62, 52))

/* Of a key's two bits in PKRU and PKRS. */
#define AD 1u
#define WD 2u

/* Bits of the error code. */
#define ERROR_P    BIT(0)
#define ERROR_W    BIT(1)
#define ERROR_U    BIT(2)
#define ERROR_RSVD BIT(3)
#define ERROR_I    BIT(4)
#define ERROR_PK   BIT(5)
#define ERROR_SS   BIT(6)
#define ERROR_ALL  UINT32_MAX
#define ERROR_HERE 0x7fu

#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

/* ---- the situation --------------------------------------------------------------------------------- */

/* The part of an access that lies in one 4-KiB page. */
struct page {
    uint64_t first, last; /* bytes; without the tag, where LAM masks one */

    /* The walk. */
    uint8_t end, end_level; /* enum model_end; of the entry that ended it, 0: complete */
    uint64_t leaf;          /* the last entry looked at */
    uint64_t upper;         /* the one before it */
    uint64_t all, any;      /* the AND and the OR of all entries */
    uint64_t above;         /* the AND of all but the leaf */

    /* Rights, of a complete walk. */
    bool supervisor, read_only, no_execute;
    uint32_t pkru, pkrs; /* AD and WD of the leaf's key */
    bool anyway;         /* forbidden whether it writes or not */
    bool denied;         /* a key forbids the access */
    bool refused;        /* something else does */
    bool forbidden;      /* either */

    uint16_t vector;
    uint32_t error, error_mask;
};

struct model_situation {
    const struct model_question *question;
    uint8_t wrong_row, slip;
    uint64_t rules, choices;
    uint8_t ways, open; /* taken now; that there are */

    /* The access. */
    bool fetch, data, shadow;
    bool stores; /* its kind writes */
    bool write;  /* it is judged as a write */
    bool user, keyed;
    uint8_t linear_bits;
    uint64_t linear;   /* where the part begins, tag included */
    uint64_t too_high; /* address bits that the processor does not have */
    uint64_t suspects; /* what an entry without reserved bits may lack */

    struct page part[2];
    struct page *page;

    /* The entry that is looked at. */
    uint64_t entry;
    uint64_t caching; /* its bits of R2.5 */
    uint8_t level;
    bool leaf, reserved;

    bool faults;     /* the access as a whole */
    uint16_t vector; /* of the outcome that is put together */
};

static uint64_t bits(unsigned high, unsigned low)
{
    return (BIT(high) << 1) - BIT(low);
}

static bool canonical(uint64_t address, unsigned linear_bits)
{
    uint64_t upper = address >> (linear_bits - 1);

    return upper == 0 || upper == UINT64_MAX >> (linear_bits - 1);
}

/* Reserved bits that an author who tests them before P would test. */
static bool common_reserved_bits(const struct model_situation *s)
{
    return s->entry & s->too_high || (s->level >= 4 && s->entry & PS) ||
           (s->entry & XD && !s->question->cpu.nxe);
}

/* R3.9 for a user access, which R3.1 forbids anyway. */
static bool pkrs_denies(const struct model_situation *s)
{
    const struct model_cpu *cpu = &s->question->cpu;
    const struct page *page = s->page;

    return s->user && s->keyed && cpu->pks && page->end == MODEL_COMPLETE && page->supervisor &&
           (page->pkrs & AD || (page->pkrs & WD && s->write && cpu->wp));
}

/* ---- the rows -------------------------------------------------------------------------------------- */

#define ROW(name, number, what, condition, slip, slipped, marks)                                   \
    static bool name##_holds(const struct model_situation *s)                                      \
    {                                                                                              \
        const struct model_cpu *cpu = &s->question->cpu;                                           \
        const struct model_access *access = &s->question->access;                                  \
        const struct page *page = s->page;                                                         \
        (void)cpu, (void)access, (void)page;                                                       \
        return condition;                                                                          \
    }                                                                                              \
    static bool name##_slips(const struct model_situation *s)                                      \
    {                                                                                              \
        const struct model_cpu *cpu = &s->question->cpu;                                           \
        const struct model_access *access = &s->question->access;                                  \
        const struct page *page = s->page;                                                         \
        (void)cpu, (void)access, (void)page;                                                       \
        return slipped;                                                                            \
    }
#include "rows.h"

#define NO_SLIP              0
#define NO_MARKS             .choice = false
#define CHOICE(...)          .choice = true, .way = {__VA_ARGS__},
#define HOST_ONLY            .host_only = true
#define SAME(slips, because) .same = 1u << MODEL_##slips, .same_because = (because)
#define ROW(name_, number_, what_, condition, slip, slipped, marks)                                \
    {.name = #name_,                                                                               \
     .number = (number_),                                                                          \
     .what = (what_),                                                                              \
     .misplaced = (slip),                                                                          \
     .misplaceable = (slip) != 0,                                                                  \
     .holds = name_##_holds,                                                                       \
     .instead = name_##_slips,                                                                     \
     marks},
const struct model_row model_rows[] = {
#include "rows.h"
};
const uint32_t model_row_count = ROWS;

/* What a row says when it is wrong. */
static bool slipped(const struct model_situation *s, const struct model_row *row, bool holds)
{
    switch ((enum model_slip)s->slip) {
    case MODEL_NEGATED:
        return !holds;
    case MODEL_DROPPED:
        return false;
    case MODEL_MISPLACED:
        return row->instead(s);
    case MODEL_RIGHT:
    case MODEL_SLIPS:
        break;
    }
    return holds;
}

/* Does the row hold here? Inline, for then its condition is known and costs no call. */
static inline __attribute__((always_inline)) bool takes(struct model_situation *s, enum row row)
{
    bool holds = model_rows[row].holds(s);

    if (__builtin_expect(row == s->wrong_row, 0)) {
        holds = slipped(s, &model_rows[row], holds);
    }
    if (holds) {
        s->rules |= BIT(row);
    }
    return holds;
}
#define TAKES(name) takes(s, ROW_##name)

static void choose(struct model_situation *s, enum row row)
{
    s->choices |= BIT(row);
}

/* ---- section 2: the walk --------------------------------------------------------------------------- */

static bool is_leaf(const struct model_situation *s, unsigned level, uint64_t entry)
{
    return level == 1 || (entry & PS && (level == 2 || (level == 3 && s->question->cpu.gb_pages)));
}

/* R2.3 and R2.4 of a present entry. */
static bool reserved_bit_set(struct model_situation *s)
{
    bool reserved = false;

    reserved |= TAKES(physical);
    reserved |= TAKES(xd_off);
    if (s->level >= 4) {
        reserved |= TAKES(pml5e_7);
        reserved |= TAKES(pml4e_7);
        if (TAKES(bit_8_either)) {
            s->open |= WAY_BIT_8;
        }
    } else {
        reserved |= TAKES(pdpte_7);
        reserved |= TAKES(low_1g);
        reserved |= TAKES(low_2m);
    }
    reserved |= TAKES(bit_8);
    return reserved;
}

/* R2.5: what is never reserved. Out: true: taken for reserved all the same. */
static bool ignored_bit_counts(struct model_situation *s)
{
    bool reserved = false;

    if (s->entry & IGNORED) {
        reserved |= !TAKES(ignored);
    }
    s->caching = PWT | PCD | (s->leaf ? (s->level == 1 ? PS : BIT(12)) : 0);
    if (s->entry & s->caching) {
        reserved |= !TAKES(caching);
    }
    return reserved;
}

static void walk(struct model_situation *s, const struct model_walk *walk)
{
    struct page *page = s->page;

    page->end = MODEL_COMPLETE;
    page->end_level = 0;
    page->leaf = page->any = 0;
    page->all = UINT64_MAX;
    for (unsigned level = s->question->cpu.levels; level > 0; level--) {
        if (TAKES(first_decides)) {
            break;
        }
        s->level = (uint8_t)level;
        s->entry = walk->entry[level - 1];
        s->leaf = is_leaf(s, level, s->entry);
        if (TAKES(absent)) {
            page->end = MODEL_ABSENT;
            page->end_level = s->level;
        } else {
            /* Most entries have no bit that could be one, and are asked no more while all is right. */
            s->reserved = (s->entry & s->suspects || s->wrong_row != ROWS) && reserved_bit_set(s);
            s->reserved |= ignored_bit_counts(s);
            if (TAKES(reserved)) {
                page->end = MODEL_RESERVED;
                page->end_level = s->level;
            }
        }
        page->above = page->all;
        page->upper = page->leaf;
        page->all &= s->entry;
        page->any |= s->entry;
        page->leaf = s->entry;
        if (s->leaf) {
            break;
        }
    }
}

/* ---- section 3: rights, of a complete walk ---------------------------------------------------------- */

static bool key_denies(struct model_situation *s)
{
    const struct model_cpu *cpu = &s->question->cpu;
    struct page *page = s->page;

    if (!s->keyed || !(cpu->pke || cpu->pks)) {
        return false;
    }
    unsigned key = ((TAKES(key_of_leaf) ? page->leaf : page->upper) >> KEY) & 15;
    page->pkru = cpu->pkru >> (2 * key) & (AD | WD);
    page->pkrs = cpu->pkrs >> (2 * key) & (AD | WD);
    page->anyway = TAKES(pkru_ad);
    page->anyway |= TAKES(pkrs_ad);
    bool denied = page->anyway;
    denied |= TAKES(pkru_wd_user);
    denied |= TAKES(pkru_wd);
    denied |= TAKES(pkrs_wd);
    return denied;
}

static bool rights_refuse(struct model_situation *s)
{
    bool refused = false;

    if (s->fetch) {
        refused |= TAKES(user_fetch);
        refused |= TAKES(fetch_xd);
        refused |= TAKES(smep);
    } else {
        refused |= TAKES(user_data);
    }
    if (s->question->cpu.smap) {
        refused |= TAKES(smap);
        refused |= TAKES(smap_implicit);
        if (TAKES(frame_either)) {
            s->open |= WAY_FRAME;
        }
    }
    if (s->shadow) {
        refused |= TAKES(shadow_page);
        refused |= TAKES(shadow_mode);
    }
    s->page->anyway |= refused;
    if (s->write) {
        refused |= TAKES(user_write);
        refused |= TAKES(supervisor_write);
    }
    return refused;
}

static bool forbidden(struct model_situation *s)
{
    struct page *page = s->page;

    page->supervisor = TAKES(supervisor_address);
    page->read_only = s->write && TAKES(read_only);
    page->no_execute = s->fetch && TAKES(no_execute);
    page->pkrs = 0;
    page->anyway = false;
    page->denied = key_denies(s);
    page->refused = rights_refuse(s);
    return page->denied || page->refused;
}

/* ---- section 4: the error code --------------------------------------------------------------------- */

static void error_code(struct model_situation *s)
{
    struct page *page = s->page;
    uint64_t error = 0, either = 0;

    error |= TAKES(error_p) ? ERROR_P : 0;
    error |= TAKES(error_w) ? ERROR_W : 0;
    error |= TAKES(error_u) ? ERROR_U : 0;
    error |= TAKES(error_rsvd) ? ERROR_RSVD : 0;
    error |= TAKES(error_i) ? ERROR_I : 0;
    error |= TAKES(error_ss) ? ERROR_SS : 0;
    if (TAKES(error_i_either)) {
        either |= ERROR_I;
        choose(s, ROW_error_i_either);
    }
    if (page->end == MODEL_COMPLETE) {
        error |= TAKES(error_pk) ? ERROR_PK : 0;
        if (TAKES(error_pk_either)) {
            either |= ERROR_PK;
            choose(s, ROW_error_pk_either);
        }
    }
    page->error = (uint32_t)error;
    page->error_mask = (TAKES(error_other) ? ERROR_ALL : ERROR_HERE) & ~(uint32_t)either;
}

/* ---- one part -------------------------------------------------------------------------------------- */

static bool not_canonical(struct model_situation *s)
{
    return s->page == s->part ? TAKES(not_canonical) : TAKES(runs_over);
}

/* Judge the access to one page. Out: true: it faults. */
static bool part_faults(struct model_situation *s, unsigned part)
{
    struct page *page = s->page = &s->part[part];

    page->vector = MODEL_NO_FAULT;
    page->error = 0;
    page->error_mask = ERROR_ALL;
    page->denied = page->refused = page->forbidden = false;
    if (not_canonical(s)) {
        page->end = MODEL_NOT_CANONICAL;
        page->end_level = 0;
        page->vector = TAKES(stack) ? VECTOR_SS : VECTOR_GP;
    } else {
        walk(s, &s->question->walk[part]);
        page->forbidden = page->end == MODEL_COMPLETE && forbidden(s);
        if (page->end != MODEL_COMPLETE || page->forbidden) {
            page->vector = VECTOR_PF;
        }
    }
    if (page->vector != MODEL_NO_FAULT && TAKES(nothing)) {
        page->vector = MODEL_NO_FAULT;
    }
    if (page->vector == VECTOR_PF) {
        error_code(s);
    }
    return page->vector != MODEL_NO_FAULT;
}

/* ---- section 5: CR2, A and D ------------------------------------------------------------------------ */

static void put_cr2(struct model_situation *s, struct model_outcome *outcome)
{
    const struct page *page = s->page;

    outcome->cr2 = s->question->cr2;
    outcome->cr2_mask = UINT64_MAX;
    if (!TAKES(cr2)) {
        return;
    }
    outcome->cr2 = s->part[TAKES(cr2_second)].first;
    if (TAKES(any_byte) && page->first != page->last) {
        /* The smallest aligned block that the part fits into: what a mask can say. */
        while ((page->first ^ page->last) & outcome->cr2_mask) {
            outcome->cr2_mask <<= 1;
        }
        outcome->cr2 &= outcome->cr2_mask;
        choose(s, ROW_any_byte);
    }
}

/* What becomes of a bit that is clear before the access. */
enum after { STAYS, SET, EITHER };

/* A of the entry in s->level; @passed: of the part that passed, while the other faults. */
static enum after accessed_after(struct model_situation *s, bool passed)
{
    if (TAKES(sets_a)) {
        return SET;
    }
    if (passed) {
        choose(s, ROW_passed_either);
        return EITHER;
    }
    if (TAKES(valid_a_either)) {
        choose(s, ROW_valid_a_either);
        return EITHER;
    }
    if (TAKES(nothing_a_either)) {
        choose(s, ROW_nothing_a_either);
        return EITHER;
    }
    return STAYS;
}

/* D of the leaf. D of upper entries is no dirty bit, and stays. */
static enum after dirty_after(struct model_situation *s, bool passed)
{
    if (TAKES(sets_d)) {
        return SET;
    }
    if (passed && s->write) {
        choose(s, ROW_passed_either);
        return EITHER;
    }
    return STAYS;
}

/* A and D of a part's entries afterwards. A bit that is set stays set. */
static void put_entries(struct model_situation *s, unsigned part, struct model_bits *after)
{
    const struct page *page = s->page = &s->part[part];
    const uint64_t *entries = s->question->walk[part].entry;
    unsigned accessed = 0, dirty = 0, all = 0, open_accessed = 0, open_dirty = 0;

    *after = (struct model_bits){0};
    if (page->end == MODEL_NOT_CANONICAL) {
        return;
    }
    bool passed = s->faults && TAKES(passed_either);
    for (unsigned level = s->question->cpu.levels; level > 0; level--) {
        uint64_t entry = entries[level - 1];
        unsigned bit = 1u << (level - 1);
        bool leaf = is_leaf(s, level, entry);
        s->level = (uint8_t)level;
        s->leaf = leaf;
        all |= bit;
        enum after a = entry & A ? SET : accessed_after(s, passed);
        enum after d = entry & D                             ? SET
                       : leaf && page->end == MODEL_COMPLETE ? dirty_after(s, passed)
                                                             : STAYS;
        accessed |= a == SET ? bit : 0;
        open_accessed |= a == EITHER ? bit : 0;
        dirty |= d == SET ? bit : 0;
        open_dirty |= d == EITHER ? bit : 0;
        if (leaf) {
            break;
        }
    }
    *after = (struct model_bits){.accessed = (uint8_t)accessed,
                                 .accessed_mask = (uint8_t)(all & ~open_accessed),
                                 .dirty = (uint8_t)dirty,
                                 .dirty_mask = (uint8_t)(all & ~open_dirty)};
}

/* The outcome that @decides, the page whose fault it is, or the first when nothing faults. */
static bool put_outcome(struct model_situation *s, struct page *decides, bool second,
                        struct model_answer *answer)
{
    struct model_outcome outcome = {
        .vector = decides->vector, .error = decides->error, .error_mask = decides->error_mask};

    s->page = decides;
    s->vector = decides->vector;
    put_cr2(s, &outcome);
    put_entries(s, 0, &outcome.walk[0]);
    if (second) {
        put_entries(s, 1, &outcome.walk[1]);
    }
    return answer_add(answer, &outcome);
}

/* ---- the access ------------------------------------------------------------------------------------ */

static uint64_t masked(struct model_situation *s, uint64_t address)
{
    unsigned width = s->question->cpu.lam;

    s->linear = address;
    if (width == 0 || !TAKES(masked)) {
        return address;
    }
    /* Bits 62 down to the width are copies of the bit below them. */
    uint64_t tag = bits(62, width);
    return address & BIT(width - 1) ? address | tag : address & ~tag;
}

/* Where the access begins and ends in each page. Out: true: it concerns both. */
static bool divide(struct model_situation *s)
{
    const struct model_access *access = &s->question->access;
    uint64_t second = (access->address | 0xfff) + 1; /* where the second page begins */
    uint64_t last = access->address + access->bytes - 1;

    s->page = s->part;
    s->part[0].first = masked(s, access->address);
    bool crosses = TAKES(crosses);
    if (!crosses) {
        s->part[0].last = s->part[0].first + (access->bytes - 1);
        return false;
    }
    s->part[0].last = s->part[0].first | 0xfff;
    s->part[1].first = masked(s, second);
    s->part[1].last = s->part[1].first + (last - second < 0xfff ? last - second : 0);
    return true;
}

static bool any_part_faults(struct model_situation *s, bool crosses)
{
    bool first = part_faults(s, 0);
    bool second = crosses && part_faults(s, 1);

    s->faults = first || second;
    return s->faults;
}

/* When both parts fault: is the second part's fault allowed, too? The row that says so, or ROWS. */
static enum row second_may_decide(struct model_situation *s)
{
    if (s->part[0].vector != s->part[1].vector) {
        return TAKES(hole_either) ? ROW_hole_either : ROWS;
    }
    return TAKES(both_either) ? ROW_both_either : ROWS;
}

/* Judge the access as a machine does that goes s->ways. Out: true: that allowed something new. */
static bool judge(struct model_situation *s, bool crosses, struct model_answer *answer)
{
    struct page *part = s->part;
    bool news;

    s->write = s->stores && !(s->ways & WAY_READ_FIRST);
    if (!any_part_faults(s, crosses) && s->write != s->stores) {
        s->write = s->stores;
        (void)any_part_faults(s, crosses);
    }
    if (!s->faults) {
        return put_outcome(s, &part[0], crosses, answer);
    }
    if (!(s->ways & WAY_READ_FIRST) && TAKES(plain_either)) {
        s->open |= WAY_READ_FIRST;
    }
    if (part[0].vector == MODEL_NO_FAULT) {
        return put_outcome(s, &part[1], true, answer);
    }
    news = put_outcome(s, &part[0], crosses, answer);
    if (crosses && part[1].vector != MODEL_NO_FAULT) {
        enum row row = second_may_decide(s);
        if (row != ROWS && put_outcome(s, &part[1], true, answer)) {
            choose(s, row);
            news = true;
        }
    }
    return news;
}

static void tell(const struct model_situation *s, struct model_story *story)
{
    const struct page *page = &s->part[0];

    if (s->faults && page->vector == MODEL_NO_FAULT) {
        page = &s->part[1];
    }
    *story = (struct model_story){
        .end = page->end,
        .level = page->end_level,
        .user_address = page->end == MODEL_COMPLETE && !page->supervisor,
        .forbidden = page->forbidden,
        .write_only = page->forbidden && !page->anyway,
    };
}

/* What the kind of access means. */
static void describe(struct model_situation *s)
{
    const struct model_cpu *cpu = &s->question->cpu;
    uint8_t kind = s->question->access.kind;

    s->fetch = kind == MODEL_FETCH;
    s->data = !s->fetch;
    s->shadow = kind == MODEL_SHADOW_READ || kind == MODEL_SHADOW_WRITE;
    s->stores = kind == MODEL_WRITE || kind == MODEL_RMW_LOCKED || kind == MODEL_RMW_PLAIN ||
                kind == MODEL_SHADOW_WRITE;
    s->user = TAKES(user_access);
    s->user |= TAKES(wruss);
    s->keyed = TAKES(keys_data);
    s->linear_bits = cpu->levels == 5 ? 57 : 48;
    s->too_high = (BIT(52) - BIT(cpu->physical_bits)) & ~cpu->encryption_mask;
    s->suspects = s->too_high | PS | G | (cpu->nxe ? 0 : XD);
}

void model_ask_ways(const struct model_question *question, const struct model_wrong *wrong,
                    unsigned fixed, unsigned ways, struct model_answer *answer)
{
    static const enum row rows[] = {ROW_bit_8_either, ROW_frame_either, ROW_plain_either};
    struct model_situation situation, *s = &situation;

    s->question = question;
    s->wrong_row = wrong && wrong->slip != MODEL_RIGHT ? wrong->row : ROWS;
    s->slip = wrong ? wrong->slip : MODEL_RIGHT;
    s->rules = s->choices = 0;
    s->ways = s->open = 0;
    s->page = s->part;
    describe(s);
    answer->count = 0;
    bool crosses = divide(s);
    (void)judge(s, crosses, answer);
    tell(s, &answer->story);
    if (ways != 0) {
        answer->count = 0; /* the first way was only taken to see which there are */
    }
    for (unsigned way = 1; s->open && way < WAYS; way++) {
        s->ways = (uint8_t)way;
        if (way & ~(unsigned)s->open || (way & fixed) != ways || !judge(s, crosses, answer)) {
            continue;
        }
        for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
            if ((way >> i) & 1) {
                choose(s, rows[i]);
            }
        }
    }
    answer->rules = s->rules;
    answer->choices = s->choices;
}

void model_ask(const struct model_question *question, const struct model_wrong *wrong,
               struct model_answer *answer)
{
    model_ask_ways(question, wrong, 0, 0, answer);
}
