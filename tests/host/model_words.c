/*
 * model_words.c: see model_words.h.
 */
#include "model_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(n)       (UINT64_C(1) << (n))
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- questions ------------------------------------------------------------------------------------- */

static bool entry_bit(const char *name, unsigned *bit)
{
    static const char *const names[] = {"P", "W", "U", "PWT", "PCD", "A", "D", "PS", "G"};
    char *end;

    for (unsigned i = 0; i < COUNT(names); i++) {
        if (!strcmp(name, names[i])) {
            *bit = i;
            return true;
        }
    }
    *bit = !strcmp(name, "XD") ? 63 : !strcmp(name, "C") ? 47 : (unsigned)strtoul(name, &end, 10);
    return *bit == 63 || *bit == 47 || (!*end && end != name && *bit < 63);
}

/* "pte-P", "2pde+XD", "all+A", "pte+key=3". */
static bool entry_word(const char *word, struct model_question *question)
{
    static const char *const names[] = {"pte", "pde", "pdpte", "pml4e", "pml5e", "all"};
    size_t length = strcspn(word, "+-"), skip = word[0] == '2';
    uint64_t bits;
    unsigned level, bit;

    for (level = 0; level < COUNT(names); level++) {
        if (strlen(names[level]) == length - skip &&
            !memcmp(names[level], word + skip, length - skip)) {
            break;
        }
    }
    if (!word[length] || level == COUNT(names)) {
        return false;
    }
    if (!strncmp(word + length + 1, "key=", 4)) {
        bits = strtoull(word + length + 5, NULL, 10) << 59;
    } else if (entry_bit(word + length + 1, &bit)) {
        bits = BIT(bit);
    } else {
        return false;
    }
    for (unsigned walk = 0; walk < 2; walk++) {
        for (unsigned i = 0; i < MODEL_LEVELS; i++) {
            uint64_t *entry = &question->walk[walk].entry[i];
            if (*entry && ((level == 5 && !skip) || (level == i && walk == skip))) {
                *entry = word[length] == '+' ? *entry | bits : *entry & ~bits;
            }
        }
    }
    return true;
}

static bool kind_word(const char *word, struct model_access *access)
{
    static const char *const kinds[] = {
        [MODEL_READ] = "read",         [MODEL_WRITE] = "write",         [MODEL_FETCH] = "fetch",
        [MODEL_RMW_LOCKED] = "lock",   [MODEL_RMW_PLAIN] = "rmw",       [MODEL_NOTHING] = "nothing",
        [MODEL_SHADOW_READ] = "sread", [MODEL_SHADOW_WRITE] = "swrite",
    };

    for (uint8_t i = 0; i < COUNT(kinds); i++) {
        if (!strcmp(word, kinds[i])) {
            access->kind = i;
            return true;
        }
    }
    return false;
}

static bool flag_word(const char *word, struct model_question *question)
{
    struct model_cpu *cpu = &question->cpu;
    struct model_access *access = &question->access;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"wp",       &cpu->wp            },
        {"nxe",      &cpu->nxe           },
        {"smep",     &cpu->smep          },
        {"smap",     &cpu->smap          },
        {"ac",       &cpu->ac            },
        {"pke",      &cpu->pke           },
        {"pks",      &cpu->pks           },
        {"cet",      &cpu->cet           },
        {"gb",       &cpu->gb_pages      },
        {"implicit", &access->implicit   },
        {"frame",    &access->frame      },
        {"wruss",    &access->user_shadow},
        {"stack",    &access->stack      },
        {"parts",    &access->any_byte   },
        {"partial",  &access->partial    },
    };
    size_t length = strcspn(word, "=");

    for (unsigned i = 0; i < COUNT(flags); i++) {
        if (strlen(flags[i].name) == length && !memcmp(flags[i].name, word, length)) {
            *flags[i].flag = strcmp(word + length, "=0") != 0;
            return true;
        }
    }
    return false;
}

static bool number_word(const char *word, struct model_question *question)
{
    struct model_access *access = &question->access;
    size_t length = strcspn(word, "=");
    const char *digits = word + length + (word[length] == '=');
    char name[16];

    snprintf(name, sizeof name, "%.*s", (int)length, word);
    if (!strcmp(name, "pkru")) {
        question->cpu.pkru = (uint32_t)strtoul(digits, NULL, 16);
    } else if (!strcmp(name, "pkrs")) {
        question->cpu.pkrs = (uint32_t)strtoul(digits, NULL, 16);
    } else if (!strcmp(name, "phys")) {
        question->cpu.physical_bits = (uint8_t)strtoul(digits, NULL, 10);
    } else if (!strcmp(name, "lam")) {
        question->cpu.lam = (uint8_t)strtoul(digits, NULL, 10);
    } else if (!strcmp(name, "bytes")) {
        access->bytes = (uint32_t)strtoul(digits, NULL, 10);
    } else if (!strcmp(name, "at")) {
        access->address = strtoull(digits, NULL, 16);
    } else if (!strcmp(name, "edge")) {
        access->address = (access->address | 0xfff) + 1 - strtoul(digits, NULL, 10);
    } else {
        return false;
    }
    return *digits != '\0';
}

static bool other_word(const char *word, struct model_question *question)
{
    static const char *const vendors[] = {"unknown", "intel", "amd"};

    for (uint8_t i = 0; i < COUNT(vendors); i++) {
        if (!strcmp(word, vendors[i])) {
            question->cpu.vendor = i;
            return true;
        }
    }
    if (!strcmp(word, "ring0")) {
        question->access.cpl = 0;
    } else if (!strcmp(word, "cross")) {
        question->access.address = (question->access.address | 0xfff) - 3;
    } else if (!strcmp(word, "c-bit")) {
        question->cpu.encryption_mask = BIT(47);
    } else {
        return false;
    }
    return true;
}

/* Levels and the leaf's size come first: the entries are made of them. */
static const char *structure_words(const char *words, struct model_question *question)
{
    unsigned leaf = 1;

    *question = (struct model_question){
        .cpu = {.levels = 4,
                .physical_bits = 40,
                .vendor = MODEL_VENDOR_INTEL,
                .gb_pages = true,
                .wp = true,
                .nxe = true},
        .access = {.cpl = 3,  .address = UINT64_C(0x400000000800),         .bytes = 8               },
        .cr2 = MODEL_WORDS_CR2,
    };
    for (; *words; words += strspn(words, " ")) {
        size_t length = strcspn(words, " ");
        if (length == 1 && *words == '5') {
            question->cpu.levels = 5;
        } else if (length == 2 && words[0] == '2' && words[1] == 'm') {
            leaf = 2;
        } else if (length == 2 && words[0] == '1' && words[1] == 'g') {
            leaf = 3;
        } else {
            break;
        }
        words += length;
    }
    for (unsigned walk = 0; walk < 2; walk++) {
        for (unsigned level = leaf; level <= question->cpu.levels; level++) {
            question->walk[walk].entry[level - 1] =
                UINT64_C(0x40000000) * (walk + 1) | 7 | (level == leaf && leaf > 1 ? BIT(7) : 0);
        }
    }
    return words;
}

const char *model_words_question(const char *words, struct model_question *question)
{
    static char word[64];

    words = structure_words(words, question);
    for (; *words; words += strspn(words, " ")) {
        size_t length = strcspn(words, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        if (!kind_word(word, &question->access) && !flag_word(word, question) &&
            !number_word(word, question) && !other_word(word, question) &&
            !entry_word(word, question)) {
            return word;
        }
        words += length;
    }
    return NULL;
}

/* ---- answers --------------------------------------------------------------------------------------- */

struct text {
    char *at, *end;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text->at, (size_t)(text->end - text->at), format, arguments);
    va_end(arguments);
    if (length > 0) {
        text->at += length < text->end - text->at ? length : text->end - text->at - 1;
    }
}

static void put_error(struct text *text, uint32_t error, uint32_t mask)
{
    static const char letters[] = "PWURIKS";

    for (unsigned bit = 0; bit < 7; bit++) {
        if (!((mask >> bit) & 1)) {
            put(text, "[%c]", letters[bit]);
        } else if ((error >> bit) & 1) {
            put(text, "%c", letters[bit]);
        }
    }
    if ((mask >> 7) != UINT32_MAX >> 7 || (error & mask) >> 7) {
        put(text, "(%x/%x)", error >> 7 << 7, mask >> 7 << 7);
    } else if (!(error & 0x7f) && (mask & 0x7f) == 0x7f) {
        put(text, "0");
    }
}

static void put_bits(struct text *text, const struct model_question *question, unsigned walk,
                     uint8_t value, uint8_t mask)
{
    for (unsigned level = question->cpu.levels; level > 0; level--) {
        bool judged = (mask >> (level - 1)) & 1, set = (value >> (level - 1)) & 1;
        char unjudged = question->walk[walk].entry[level - 1] ? 'x' : '.';
        put(text, "%c", judged ? (set ? '1' : '0') : unjudged);
    }
}

static void put_outcome(struct text *text, const struct model_question *question,
                        const struct model_outcome *outcome)
{
    bool second = outcome->walk[1].accessed_mask | outcome->walk[1].dirty_mask;

    if (outcome->vector == MODEL_NO_FAULT) {
        put(text, "none");
    } else {
        put(text, "%s",
            outcome->vector == 14   ? "#PF"
            : outcome->vector == 13 ? "#GP"
            : outcome->vector == 12 ? "#SS"
                                    : "?");
    }
    if (outcome->vector == 14 || outcome->error || outcome->error_mask != UINT32_MAX) {
        put(text, " ");
        put_error(text, outcome->error, outcome->error_mask);
    }
    if (outcome->cr2 != question->cr2 || outcome->cr2_mask != UINT64_MAX) {
        int64_t offset = (int64_t)(outcome->cr2 - question->access.address);
        bool near = offset > -4096 && offset < 4096;
        put(text, near ? " cr2%+lld" : " cr2=%llx",
            near ? (long long)offset : (long long)outcome->cr2);
        if (outcome->cr2_mask != UINT64_MAX) {
            put(text, "/%llu", (unsigned long long)~outcome->cr2_mask + 1);
        }
    }
    for (unsigned walk = 0; walk < (second ? 2 : 1); walk++) {
        put(text, walk ? "/" : " a=");
        put_bits(text, question, walk, outcome->walk[walk].accessed,
                 outcome->walk[walk].accessed_mask);
    }
    for (unsigned walk = 0; walk < (second ? 2 : 1); walk++) {
        put(text, walk ? "/" : " d=");
        put_bits(text, question, walk, outcome->walk[walk].dirty, outcome->walk[walk].dirty_mask);
    }
}

void model_words_answer(const struct model_question *question, const struct model_answer *answer,
                        char text[MODEL_WORDS_ANSWER])
{
    struct text out = {text, text + MODEL_WORDS_ANSWER};

    for (unsigned i = 0; i < answer->count; i++) {
        put(&out, "%s", i ? " | " : "");
        put_outcome(&out, question, &answer->outcome[i]);
    }
}
