/*
 * fuzz_options.c: any bytes as options. The input is what the three carriers hold, each ended by a
 * byte 0xff. What is accepted can be written and read back; what is refused is named.
 */
#include "tests/host/fuzz.h"

#include "tests/harness/options.h"
#include "tests/report/sink.h"

/* Is @word a part of @text as the parser sees it: no quotes, odd bytes as '?', its end cut? */
static bool names_part_of(const char *word, const char *text, size_t length)
{
    char plain[OPTION_LINE + 1];
    char start[OPTION_TEXT];
    size_t count = 0, cut = strlen(word);

    for (size_t i = 0; i < length; i++)
        if (text[i] != '"')
            plain[count++] =
                (text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~')) ? text[i] : '?';
    plain[count] = '\0';
    if (cut == OPTION_TEXT - 1 && strcmp(word + cut - 3, "...") == 0)
        cut -= 3;
    memcpy(start, word, cut);
    start[cut] = '\0';
    return strstr(plain, start) != NULL;
}

static void check_text(const char *text, size_t capacity)
{
    size_t length = strnlen(text, capacity);

    FUZZ_ASSERT(length < capacity);
    for (size_t i = 0; i < length; i++)
        FUZZ_ASSERT(text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~'));
}

static void check_options(const struct options *options)
{
    const struct option_globs *globs[] = {&options->only, &options->skip};

    for (size_t i = 0; i < 2; i++) {
        FUZZ_ASSERT(globs[i]->count <= OPTION_GLOBS);
        for (uint32_t j = 0; j < globs[i]->count; j++) {
            check_text(globs[i]->glob[j], OPTION_ID);
            FUZZ_ASSERT(globs[i]->glob[j][0]);
            FUZZ_ASSERT(glob_match("*", globs[i]->glob[j]));
            FUZZ_ASSERT(glob_match(globs[i]->glob[j], globs[i]->glob[j]));
        }
    }
    check_text(options->explain, OPTION_ID);
    check_text(options->baseline, OPTION_TEXT);
    check_text(options->emulator, OPTION_TEXT);
    check_text(options->sabotage, OPTION_TEXT);
    FUZZ_ASSERT(options->repeat >= 1 && options->soak_seconds >= 1);
    FUZZ_ASSERT(!options->mode_width == !options->mode_height);
    FUZZ_ASSERT(options->debug_exit_port >= 1 && options->debug_exit_port <= 0xffff);
    FUZZ_ASSERT(options->matrix <= MATRIX_NONE && options->levels <= LEVELS_BOTH &&
                options->at_end <= AT_END_DEBUG_EXIT);
}

static void check_round_trip(const struct options *options)
{
    static struct options again;
    static char text[OPTION_CANONICAL];
    struct option_error error;
    struct buffer_sink buffer;

    buffer_sink_init(&buffer, text, sizeof text);
    options_write(options, &buffer.sink);
    FUZZ_ASSERT(buffer.sink.lost == 0);
    if (buffer.length > OPTION_LINE)
        return;
    options_init(&again);
    FUZZ_ASSERT(options_parse(&again, CARRIER_FW_CFG, text, buffer.length, &error));
    FUZZ_ASSERT(memcmp(options, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct options options;
    const char *at = (const char *)data, *end = at + size;

    options_init(&options);
    for (int carrier = 0; carrier < CARRIER_COUNT; carrier++) {
        const char *stop = memchr(at, 0xff, (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        struct option_error error;

        if (!options_parse(&options, (enum option_carrier)carrier, at, length, &error)) {
            FUZZ_ASSERT(error.failed && error.carrier == (enum option_carrier)carrier);
            check_text(error.word, sizeof error.word);
            check_text(error.reason, sizeof error.reason);
            FUZZ_ASSERT(error.reason[0]);
            FUZZ_ASSERT(length > OPTION_LINE || names_part_of(error.word, at, length));
            return 0;
        }
        FUZZ_ASSERT(!error.failed);
        check_options(&options);
        if (!stop)
            break;
        at = stop + 1;
    }
    check_round_trip(&options);
    return 0;
}
