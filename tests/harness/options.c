/*
 * options.c: the option grammar of docs/options.md, the same for all three carriers. Pure.
 *
 *   text -> words (next_word) -> a row of the table and its value -> the row's kind stores it
 *
 * One table says what exists: a row's line is what --help prints and what the parser compares with.
 */
#include "options.h"
#include "machine.h"
#include "tests/report/sink.h"
#include "x86/memory.h"

/* Words on their way out. */
struct writer {
    struct sink *sink;
    bool any; /* a word was written: the next one starts with a blank */
};

struct option;
struct option_kind {
    bool (*read)(const struct option *option, struct options *options, const char *value);
    void (*write)(const struct option *option, const struct options *options,
                  struct writer *writer);
};

struct option {
    const char *name;         /* "--name" */
    const char *line;         /* the line of help: name, value, what it does */
    const char *takes;        /* what its value is; NULL: it has no value */
    const char *const *words; /* number i of the field is written words[i]; NULL-ended */
    const struct option_kind *kind;
    uint32_t offset, size; /* the field of struct options */
    uint64_t low, high;    /* numbers it takes; kind_end: low is the enum option_at_end */
    uint64_t otherwise;    /* the field's value while nobody says anything */
    bool may_lack_value;   /* a value is said by '=' or not at all */
};

/* ---- small text ------------------------------------------------------------------------------ */

static size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

/* Append @text to the string in @to, which holds @capacity bytes; what does not fit is cut with
 * "...". */
static void text_append(char *to, size_t capacity, const char *text)
{
    size_t at = text_length(to);

    while (*text && at + 1 < capacity)
        to[at++] = *text++;
    to[at] = '\0';
    if (*text)
        memcpy(to + capacity - 4, "...", 4);
}

/* What follows @prefix in @text, or NULL when @text does not start with it. */
static const char *text_after(const char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++) /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
            return NULL;
    return text;
}

/*
 * Read a decimal or 0x number at *@text and step over it.
 * Out: false without a digit, or when it does not fit 64 bits.
 */
static bool read_digits(const char **text, uint64_t *number)
{
    const char *at = *text;
    unsigned base = 10;
    bool any = false;

    if (at[0] == '0' && at[1] == 'x') {
        base = 16;
        at += 2;
    }
    for (*number = 0;; at++, any = true) {
        unsigned digit;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (base == 16 && (*at | 0x20) >= 'a' && (*at | 0x20) <= 'f')
            digit = (unsigned)((*at | 0x20) - 'a') + 10;
        else
            break;
        if (__builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, digit, number))
            return false;
    }
    *text = at;
    return any;
}

/* The whole of @text as a number from @low to @high. */
static bool read_whole_number(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
    return read_digits(&text, number) && *text == '\0' && *number >= low && *number <= high;
}

/* ---- kinds of options -------------------------------------------------------------------------
 */

static void *field_of(const struct option *option, struct options *options)
{
    return (char *)options + option->offset;
}

static const void *field_in(const struct option *option, const struct options *options)
{
    return (const char *)options + option->offset;
}

static uint64_t field_number(const struct option *option, const struct options *options)
{
    uint64_t number = 0;
    memcpy(&number, field_in(option, options), option->size);
    return number;
}

static void set_field(const struct option *option, struct options *options, uint64_t number)
{
    memcpy(field_of(option, options), &number, option->size);
}

/* Start the word of an option: a blank between two words, then the name. */
static void write_name(const struct option *option, struct writer *writer)
{
    if (writer->any)
        sink_text(writer->sink, " ");
    writer->any = true;
    sink_text(writer->sink, option->name);
}

static void write_text(const struct option *option, const char *text, struct writer *writer)
{
    bool blank = false;

    for (const char *at = text; *at; at++)
        blank |= *at == ' ' || *at == '\t';
    write_name(option, writer);
    sink_printf(writer->sink, blank ? "=\"%s\"" : "=%s", text);
}

static bool flag_read(const struct option *option, struct options *options, const char *value)
{
    (void)value;
    set_field(option, options, true);
    return true;
}

static void flag_write(const struct option *option, const struct options *options,
                       struct writer *writer)
{
    if (field_number(option, options))
        write_name(option, writer);
}

static bool number_read(const struct option *option, struct options *options, const char *value)
{
    uint64_t number;

    if (!read_whole_number(value, option->low, option->high, &number))
        return false;
    set_field(option, options, number);
    return true;
}

static void number_write(const struct option *option, const struct options *options,
                         struct writer *writer)
{
    if (field_number(option, options) == option->otherwise)
        return;
    write_name(option, writer);
    sink_printf(writer->sink, "=%llu", (unsigned long long)field_number(option, options));
}

static bool text_read(const struct option *option, struct options *options, const char *value)
{
    size_t length = text_length(value);

    if (length >= option->size)
        return false;
    memset(field_of(option, options), 0, option->size); /* no rest of a longer text before */
    memcpy(field_of(option, options), value, length + 1);
    return true;
}

static void text_write(const struct option *option, const struct options *options,
                       struct writer *writer)
{
    const char *text = field_in(option, options);

    if (*text)
        write_text(option, text, writer);
}

static bool globs_read(const struct option *option, struct options *options, const char *value)
{
    struct option_globs *globs = field_of(option, options);
    size_t length = text_length(value);

    if (length >= OPTION_ID || globs->count == OPTION_GLOBS)
        return false;
    memcpy(globs->glob[globs->count++], value, length + 1);
    return true;
}

static void globs_write(const struct option *option, const struct options *options,
                        struct writer *writer)
{
    const struct option_globs *globs = field_in(option, options);

    for (uint32_t i = 0; i < globs->count; i++)
        write_text(option, globs->glob[i], writer);
}

/* The word that @value is or, before ':', starts with; @rest is what follows it. -1: none. */
static int word_index(const struct option *option, const char *value, const char **rest)
{
    for (int i = 0; option->words[i]; i++) {
        *rest = text_after(value, option->words[i]);
        if (*rest && (**rest == '\0' || **rest == ':'))
            return i;
    }
    return -1;
}

static bool word_read(const struct option *option, struct options *options, const char *value)
{
    const char *rest = "";
    int index = word_index(option, value, &rest);

    if (index < 0 || *rest)
        return false;
    set_field(option, options, (uint64_t)index);
    return true;
}

static void word_write(const struct option *option, const struct options *options,
                       struct writer *writer)
{
    if (field_number(option, options) != option->otherwise)
        write_text(option, option->words[field_number(option, options)], writer);
}

/* A word, and "soak:SECONDS". */
static bool matrix_read(const struct option *option, struct options *options, const char *value)
{
    const char *rest = "";
    int index = word_index(option, value, &rest);
    uint64_t seconds = OPTION_SOAK_SECONDS;

    if (index < 0 || (*rest && index != MATRIX_SOAK))
        return false;
    if (*rest && !read_whole_number(rest + 1, option->low, option->high, &seconds))
        return false;
    set_field(option, options, (uint64_t)index);
    options->soak_seconds = (uint32_t)seconds;
    return true;
}

static void matrix_write(const struct option *option, const struct options *options,
                         struct writer *writer)
{
    word_write(option, options, writer);
    if (options->matrix == MATRIX_SOAK)
        sink_printf(writer->sink, ":%u", options->soak_seconds);
}

/* A word whose index is the number, or another number. */
static bool cpus_read(const struct option *option, struct options *options, const char *value)
{
    return word_read(option, options, value) || number_read(option, options, value);
}

static void cpus_write(const struct option *option, const struct options *options,
                       struct writer *writer)
{
    if (options->cpus == OPTION_CPUS_ALL)
        word_write(option, options, writer);
    else
        number_write(option, options, writer);
}

static bool mode_read(const struct option *option, struct options *options, const char *value)
{
    uint64_t width, height;

    if (!read_digits(&value, &width) || *value++ != 'x' || width < option->low ||
        width > option->high || !read_whole_number(value, option->low, option->high, &height))
        return false;
    options->mode_width = (uint32_t)width;
    options->mode_height = (uint32_t)height;
    return true;
}

static void mode_write(const struct option *option, const struct options *options,
                       struct writer *writer)
{
    if (!options->mode_width)
        return;
    write_name(option, writer);
    sink_printf(writer->sink, "=%ux%u", options->mode_width, options->mode_height);
}

/* The usual file, or the one that is named. */
static bool baseline_read(const struct option *option, struct options *options, const char *value)
{
    return text_read(option, options, value ? value : OPTION_BASELINE);
}

static bool emulator_read(const struct option *option, struct options *options, const char *value)
{
    return machine_emulator_version(value) && text_read(option, options, value);
}

/* How the program ends, one choice with --debug-exit: the last one counts, and takes the port back.
 */
static bool end_read(const struct option *option, struct options *options, const char *value)
{
    (void)value;
    options->at_end = (uint8_t)option->low;
    options->debug_exit_port = OPTION_DEBUG_EXIT_PORT;
    return true;
}

static void end_write(const struct option *option, const struct options *options,
                      struct writer *writer)
{
    if (options->at_end == option->low)
        write_name(option, writer);
}

static bool debug_exit_read(const struct option *option, struct options *options, const char *value)
{
    options->at_end = AT_END_DEBUG_EXIT;
    set_field(option, options, option->otherwise);
    return !value || number_read(option, options, value);
}

static void debug_exit_write(const struct option *option, const struct options *options,
                             struct writer *writer)
{
    if (options->at_end != AT_END_DEBUG_EXIT)
        return;
    write_name(option, writer);
    sink_printf(writer->sink, "=0x%x", options->debug_exit_port);
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static const struct option_kind kind_flag = {flag_read, flag_write};
static const struct option_kind kind_number = {number_read, number_write};
static const struct option_kind kind_text = {text_read, text_write};
static const struct option_kind kind_globs = {globs_read, globs_write};
static const struct option_kind kind_word = {word_read, word_write};
static const struct option_kind kind_matrix = {matrix_read, matrix_write};
static const struct option_kind kind_cpus = {cpus_read, cpus_write};
static const struct option_kind kind_baseline = {baseline_read, text_write};
static const struct option_kind kind_mode = {mode_read, mode_write};
static const struct option_kind kind_emulator = {emulator_read, text_write};
static const struct option_kind kind_end = {end_read, end_write};
static const struct option_kind kind_debug_exit = {debug_exit_read, debug_exit_write};

static const char *const matrix_words[] = {[MATRIX_QUICK] = "quick",
                                           [MATRIX_FULL] = "full",
                                           [MATRIX_SOAK] = "soak",
                                           [MATRIX_NONE] = "none",
                                           NULL};
static const char *const levels_words[] = {[LEVELS_AS_FOUND] = "", /* a value is never empty */
                                           [LEVELS_4] = "4",
                                           [LEVELS_5] = "5",
                                           [LEVELS_BOTH] = "both",
                                           NULL};
static const char *const cpus_words[] = {
    [OPTION_CPUS_ALL] = "all", [OPTION_CPUS_BSP] = "bsp", NULL};

#define LINE(word, rest) .name = word, .line = word rest
#define FIELD(name)                                                                                \
    .offset = offsetof(struct options, name), .size = sizeof(((struct options *)0)->name)
#define RANGE(from, to)  .low = (from), .high = (to)
#define STRING_(text)    #text
#define STRING(text)     STRING_(text)
#define NUMBER(from, to) RANGE(from, to), .takes = "a number from " STRING(from) " to " STRING(to)

/* clang-format off */
static const struct option option_table[] = {
    {LINE("--list", "                        list the selected checks, run none of them"),
     .kind = &kind_flag, FIELD(list)},
    {LINE("--only", " GLOB                   run only checks whose id matches; repeat for more"),
     .kind = &kind_globs, FIELD(only), .takes = "1 to 703 characters, 32 times at most"},
    {LINE("--skip", " GLOB                   leave out checks whose id matches"),
     .kind = &kind_globs, FIELD(skip), .takes = "1 to 703 characters, 32 times at most"},
    {LINE("--explain", " ID                  show one check: walk, access, frame, rule"),
     .kind = &kind_text, FIELD(explain), .takes = "1 to 703 characters"},
    {LINE("--matrix", " WORD                 quick, full, soak[:SECONDS] or none (quick)"),
     .kind = &kind_matrix, FIELD(matrix), .words = matrix_words,
     RANGE(1, UINT32_MAX), .otherwise = MATRIX_QUICK, .takes = "quick, full, soak, soak:SECONDS or none"},
    {LINE("--seed", " N                      where random choices start (1)"),
     .kind = &kind_number, FIELD(seed), NUMBER(0, 0xffffffffffffffff), .otherwise = 1},
    {LINE("--baseline", "[=FILE]             accept what FILE lists as failing already"),
     .kind = &kind_baseline, FIELD(baseline), .takes = "a path of 1 to 95 characters",
     .may_lack_value = true},
    {LINE("--repeat", " N                    run the selected checks N times (1)"),
     .kind = &kind_number, FIELD(repeat), NUMBER(1, 1000000), .otherwise = 1},
    {LINE("--cpus", " bsp|all|N              the boot processor, all, or N of them (bsp)"),
     .kind = &kind_cpus, FIELD(cpus), .words = cpus_words, RANGE(1, 4096),
     .otherwise = OPTION_CPUS_BSP, .takes = "bsp, all or a number from 1 to 4096"},
    {LINE("--levels", " 4|5|both             levels of paging that the matrix covers (both)"),
     .kind = &kind_word, FIELD(levels), .words = levels_words,
     .otherwise = LEVELS_AS_FOUND, .takes = "4, 5 or both"},
    {LINE("--mode", " WxH                    screen of W x H pixels (as firmware has it)"),
     .kind = &kind_mode, FIELD(mode_width), RANGE(1, 65535),
     .takes = "pixels, for example 1280x800"},
    {LINE("--emulator", " NAME-VERSION       which emulator this is, if it does not tell"),
     .kind = &kind_emulator, FIELD(emulator), .takes = "a name and a version, for example QEMU-7.2"},
    {LINE("--no-wait", "                     do not wait for a key at the end"),
     .kind = &kind_flag, FIELD(no_wait)},
    {LINE("--poweroff", "                    switch the machine off at the end"),
     .kind = &kind_end, FIELD(at_end), .low = AT_END_POWEROFF},
    {LINE("--reboot", "                      reset the machine at the end"),
     .kind = &kind_end, FIELD(at_end), .low = AT_END_REBOOT},
    {LINE("--debug-exit", "[=PORT]           end QEMU through its isa-debug-exit (port 0xf4)"),
     .kind = &kind_debug_exit, FIELD(debug_exit_port), NUMBER(1, 0xffff), .otherwise = OPTION_DEBUG_EXIT_PORT,
     .may_lack_value = true},
    {LINE("--debug-wait", "                  wait at the start until a debugger says go"),
     .kind = &kind_flag, FIELD(wait_debugger)},
    {LINE("--mm-trace", "                    a line for each page fault of the programs"),
     .kind = &kind_flag, FIELD(mm_trace)},
    {LINE("--old-stack-rule", "              stacks grow only near RSP, as before Linux 5.0"),
     .kind = &kind_flag, FIELD(old_stack_rule)},
    {LINE("--sabotage", " WORD               leave something wrong on purpose, to test checks"),
     .kind = &kind_text, FIELD(sabotage), .takes = "1 to 95 characters"},
    {LINE("--help", "                        show these lines, run nothing"),
     .kind = &kind_flag, FIELD(help)},
};
/* clang-format on */

_Static_assert(OPTION_TEXT == 96 && OPTION_ID == 704 && OPTION_GLOBS == 32,
               "the table's sentences name these");
_Static_assert(ARRAY_COUNT(option_table) <= 32, "one bit an option");

/* The row that @word names; @value is what follows its '=', or NULL. Out: NULL, no such option. */
static const struct option *option_find(const char *word, const char **value)
{
    for (size_t i = 0; i < ARRAY_COUNT(option_table); i++) {
        const char *rest = text_after(word, option_table[i].name);
        if (rest && (*rest == '\0' || *rest == '=')) {
            *value = *rest ? rest + 1 : NULL;
            return &option_table[i];
        }
    }
    return NULL;
}

const char *options_help_line(unsigned index)
{
    return index < ARRAY_COUNT(option_table) ? option_table[index].line : NULL;
}

/* ---- words -------------------------------------------------------------------------------------
 */

struct words {
    enum option_carrier carrier;
    const char *at, *end;
    char word[OPTION_ID + 16]; /* the longest name, '=' and the longest value fit */
    const char *problem;       /* what is wrong with the word; NULL: nothing */
};

_Static_assert(sizeof "--emulator=" <= 16, "struct words: room for the longest option with a text");

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\0';
}

/* Step to the next word. Out: false at the end of the text. */
static bool next_word(struct words *words)
{
    size_t length = 0;
    bool quoted = false;

    while (words->at < words->end && (is_blank(*words->at) || *words->at == '#')) {
        if (*words->at == '#' && words->carrier != CARRIER_FILE)
            break;
        if (*words->at == '#')
            while (words->at < words->end && *words->at != '\n')
                words->at++;
        else
            words->at++;
    }
    if (words->at == words->end)
        return false;

    words->problem = NULL;
    for (; words->at < words->end && (quoted || !is_blank(*words->at)); words->at++) {
        char byte = *words->at;
        if (byte == '"') {
            quoted = !quoted;
            continue;
        }
        if ((byte < ' ' && byte != '\t') || byte > '~') {
            words->problem = "has a byte that is not printable ASCII";
            byte = '?';
        }
        if (length + 1 < sizeof words->word)
            words->word[length++] = byte;
        else
            words->problem = "is too long";
    }
    words->word[length] = '\0';
    if (quoted)
        words->problem = "has no closing quote";
    return true;
}

/* ---- in and out --------------------------------------------------------------------------------
 */

void options_init(struct options *options)
{
    memset(options, 0, sizeof *options);
    options->soak_seconds = OPTION_SOAK_SECONDS;
    for (size_t i = 0; i < ARRAY_COUNT(option_table); i++)
        if (option_table[i].otherwise)
            set_field(&option_table[i], options, option_table[i].otherwise);
}

/* Store that @word failed because of @reason, which @option explains if it is not NULL. */
static bool refuse(struct option_error *error, const char *word, const char *reason,
                   const struct option *option)
{
    error->failed = true;
    text_append(error->word, sizeof error->word, word);
    text_append(error->reason, sizeof error->reason, reason);
    if (option) {
        text_append(error->reason, sizeof error->reason, option->name);
        text_append(error->reason, sizeof error->reason, " takes ");
        text_append(error->reason, sizeof error->reason, option->takes);
    }
    return false;
}

bool options_parse(struct options *options, enum option_carrier carrier, const char *text,
                   size_t length, struct option_error *error)
{
    static const char byte_order_mark[3] = "\xef\xbb\xbf"; /* some editors begin a file with it */
    struct words words = {.carrier = carrier, .at = text, .end = text + length};
    uint32_t seen = 0; /* BIT(row): this carrier has said it before */
    bool first = true;

    memset(error, 0, sizeof *error);
    error->carrier = carrier;
    if (length > OPTION_LINE)
        return refuse(error, "", "more than " STRING(OPTION_LINE) " bytes of options", NULL);
    if (carrier == CARRIER_FILE && length >= sizeof byte_order_mark &&
        memcmp(text, byte_order_mark, sizeof byte_order_mark) == 0)
        words.at += sizeof byte_order_mark;

    for (; next_word(&words); first = false) {
        const struct option *option;
        const char *value;

        if (first && carrier == CARRIER_COMMAND_LINE && words.word[0] != '-')
            continue; /* the program's own name */
        if (words.problem)
            return refuse(error, words.word, words.problem, NULL);
        option = option_find(words.word, &value);
        if (!option)
            return refuse(error, words.word, "is not an option", NULL);
        if (value && !option->takes)
            return refuse(error, words.word, "has a value, but this option takes none", NULL);
        if (!value && option->takes && !option->may_lack_value) {
            if (!next_word(&words) || text_after(words.word, "--"))
                return refuse(error, option->name, "lacks its value: ", option);
            if (words.problem)
                return refuse(error, words.word, words.problem, NULL);
            value = words.word;
        }
        if (!(seen & BIT(option - option_table)))
            memset(field_of(option, options), 0, option->size);
        seen |= (uint32_t)BIT(option - option_table);
        if ((value && !*value) || !option->kind->read(option, options, value))
            return refuse(error, words.word, "is wrong: ", option);
    }
    return true;
}

void options_write(const struct options *options, struct sink *sink)
{
    struct writer writer = {.sink = sink};

    for (size_t i = 0; i < ARRAY_COUNT(option_table); i++)
        option_table[i].kind->write(&option_table[i], options, &writer);
}

bool glob_match(const char *glob, const char *id)
{
    const char *star = NULL;   /* the last '*' that was met ... */
    const char *resume = NULL; /* ... and where the text after its run starts */

    while (*id) {
        if (*glob == '*') {
            star = glob++;
            resume = id;
        } else if (*glob == '?' || *glob == *id) {
            glob++;
            id++;
        } else if (star) {
            /* An earlier '*' need never be tried again: what it matched can only be moved right. */
            glob = star + 1;
            id = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}
