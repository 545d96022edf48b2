/*
 * coverage.c: see coverage.h.
 */
#include "coverage.h"

#include "options.h"
#include "rules.h"
#include "tests/model/model.h"
#include "x86/memory.h"

static uint32_t counts[RULE_COUNT];

void coverage_start(void)
{
    memset(counts, 0, sizeof(counts));
}

void coverage_note(const struct record *record)
{
    if (record->verdict != VERDICT_SKIP && record->verdict != VERDICT_ERROR &&
        record->rule < RULE_COUNT) {
        counts[record->rule]++;
    }
}

uint32_t coverage_count(unsigned rule)
{
    return rule < RULE_COUNT ? counts[rule] : 0;
}

/* ---- rows of the model ----------------------------------------------------------------------------- */

/* What a row needs beside the feature of its rule (rules.c). */
enum need {
    NEED_FEATURE,      /* @feature */
    NEED_NO_GB_PAGES,  /* bit 7 of a PDPTE is reserved only without them */
    NEED_ADDRESS_BITS, /* fewer than 52 physical-address bits */
    NEED_5_LEVELS,
    NEED_NX_OR_SMEP,
    NEED_KEYS,      /* PKU or PKS */
    NEED_AMD,       /* AMD's processor, or a hypervisor's, who may only pretend */
    NEED_UNKNOWN,   /* whose processor it is is not known */
    NEED_NOT_INTEL, /* or not known */
};

static const struct row_need {
    const char *row; /* of tests/model/rows.h; a host test compares with what points can meet */
    uint8_t need, feature;
} row_needs[] = {
    {"masked",          NEED_FEATURE,      FEATURE_LAM     },
    {"physical",        NEED_ADDRESS_BITS, 0               },
    {"pml5e_7",         NEED_5_LEVELS,     0               },
    {"bit_8",           NEED_AMD,          0               },
    {"bit_8_either",    NEED_UNKNOWN,      0               },
    {"pdpte_7",         NEED_NO_GB_PAGES,  0               },
    {"low_1g",          NEED_FEATURE,      FEATURE_GB_PAGES},
    {"wruss",           NEED_FEATURE,      FEATURE_CET_SS  },
    {"no_execute",      NEED_FEATURE,      FEATURE_NX      },
    {"fetch_xd",        NEED_FEATURE,      FEATURE_NX      },
    {"smep",            NEED_FEATURE,      FEATURE_SMEP    },
    {"smap",            NEED_FEATURE,      FEATURE_SMAP    },
    {"smap_implicit",   NEED_FEATURE,      FEATURE_SMAP    },
    {"frame_either",    NEED_FEATURE,      FEATURE_SMAP    },
    {"key_of_leaf",     NEED_KEYS,         0               },
    {"pkru_ad",         NEED_FEATURE,      FEATURE_PKU     },
    {"pkru_wd_user",    NEED_FEATURE,      FEATURE_PKU     },
    {"pkru_wd",         NEED_FEATURE,      FEATURE_PKU     },
    {"pkrs_ad",         NEED_FEATURE,      FEATURE_PKS     },
    {"pkrs_wd",         NEED_FEATURE,      FEATURE_PKS     },
    {"shadow_page",     NEED_FEATURE,      FEATURE_CET_SS  },
    {"shadow_mode",     NEED_FEATURE,      FEATURE_CET_SS  },
    {"error_i",         NEED_NX_OR_SMEP,   0               },
    {"error_i_either",  NEED_NOT_INTEL,    0               },
    {"error_pk",        NEED_KEYS,         0               },
    {"error_pk_either", NEED_FEATURE,      FEATURE_PKS     },
    {"error_ss",        NEED_FEATURE,      FEATURE_CET_SS  },
};

static bool machine_m_has(const struct machine *m, unsigned feature)
{
    return (m->features >> feature) & 1;
}

static const char *lacks(const struct row_need *need, const struct machine *m, unsigned levels)
{
    bool pretends = machine_m_has(m, FEATURE_HYPERVISOR);
    bool intel = !pretends && m->vendor == VENDOR_INTEL;
    bool amd = !pretends && m->vendor == VENDOR_AMD;

    switch ((enum need)need->need) {
    case NEED_FEATURE:
        return machine_m_has(m, need->feature) ? NULL : feature_names[need->feature];
    case NEED_NO_GB_PAGES:
        return machine_m_has(m, FEATURE_GB_PAGES) ? "a processor without 1-GiB pages" : NULL;
    case NEED_ADDRESS_BITS:
        return m->physical_bits < 52 ? NULL : "address bits that do not exist";
    case NEED_5_LEVELS:
        return !machine_m_has(m, FEATURE_LA57) ? feature_names[FEATURE_LA57]
               : levels == LEVELS_4            ? "5 levels"
                                               : NULL;
    case NEED_NX_OR_SMEP:
        return machine_m_has(m, FEATURE_NX) || machine_m_has(m, FEATURE_SMEP) ? NULL : "NX";
    case NEED_KEYS:
        return machine_m_has(m, FEATURE_PKU) || machine_m_has(m, FEATURE_PKS)
                   ? NULL
                   : feature_names[FEATURE_PKU];
    case NEED_AMD:
        return intel ? "an AMD processor" : NULL;
    case NEED_UNKNOWN:
        return intel || amd ? "a processor of an unknown vendor" : NULL;
    case NEED_NOT_INTEL:
        return intel ? "an AMD processor" : !machine_m_has(m, FEATURE_SMEP) ? "SMEP" : NULL;
    }
    return NULL;
}

const char *coverage_row_lacks(unsigned row, const struct machine *m, unsigned levels)
{
    for (unsigned i = 0; i < ARRAY_COUNT(row_needs); i++) {
        if (texts_equal(model_rows[row].name, row_needs[i].row)) {
            return lacks(&row_needs[i], m, levels);
        }
    }
    return NULL;
}
