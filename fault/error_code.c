/*
 * error_code.c: the page-fault error code in words.
 */
#include "error_code.h"
#include "x86/exception.h"

static const struct {
    uint32_t bit;
    char set[12], clear[12];
} words[] = {
    {PF_EC_P,    "P",    "not-present"},
    {PF_EC_W,    "W",    ""           },
    {PF_EC_U,    "U",    ""           },
    {PF_EC_RSVD, "RSVD", ""           },
    {PF_EC_I,    "I",    ""           },
    {PF_EC_PK,   "PK",   ""           },
    {PF_EC_SS,   "SS",   ""           },
    {PF_EC_HLAT, "HLAT", ""           },
    {PF_EC_SGX,  "SGX",  ""           },
    {PF_EC_RMP,  "RMP",  ""           },
};

struct target {
    char *text;
    size_t size, length;
};

static void put(struct target *to, char c)
{
    if (to->length + 1 < to->size) {
        to->text[to->length] = c;
    }
    to->length++;
}

static void put_word(struct target *to, const char *word)
{
    if (*word && to->length) {
        put(to, ' ');
    }
    for (; *word; word++) {
        put(to, *word);
    }
}

size_t error_code_words(uint64_t error, char *text, size_t size)
{
    struct target to = {.text = text, .size = size};
    uint64_t rest = error;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        put_word(&to, error & words[i].bit ? words[i].set : words[i].clear);
        rest &= ~(uint64_t)words[i].bit;
    }
    if (rest) {
        put_word(&to, "0x");
        for (int shift = (63 - __builtin_clzll(rest)) / 4 * 4; shift >= 0; shift -= 4) {
            put(&to, "0123456789abcdef"[rest >> shift & 0xf]);
        }
    }
    if (size) {
        text[to.length < size ? to.length : size - 1] = '\0';
    }
    return to.length;
}
