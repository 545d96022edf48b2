/*
 * hostile.c: see hostile.h. Words, in \hostile.txt or behind the program's name in a shell:
 *
 *     [NAME...|each|all] [--break] [-- PROGRAM OPTIONS...]
 *
 * NAME is a state of the table below; "each": every one of them by itself; "all": together; default
 * "each all". --break undoes every state behind Faultline's back, before it is verified: then each
 * must be reported. PROGRAM is on the volume that we came from. On the serial lines and the
 * console:
 *
 *     HOSTILE name: kept | SKIP why | without name: why | CHANGED what expected X got Y
 *     HOSTILE PASS|FAIL n kept, n failed, n skipped
 *
 * A state that cannot be undone afterwards, or that did not come about, counts as failed.
 */
#include "hostile.h"

#include "efi/console.h"
#include "efi/serial.h"
#include "efi/volume.h"
#include "fault/cpu.h"
#include "tests/report/sink.h"
#include "x86/instructions.h"
#include "x86/memory.h"
#include "x86/registers.h"

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

struct setting {
    enum reg reg;
    uint64_t mask, value; /* mask 0: the end */
};

#define SETTINGS_MAX 8

struct state {
    const char *name;
    unsigned needs; /* 0: nothing, or NEEDS() */
    struct setting settings[SETTINGS_MAX];
    const char *(*set)(void); /* before the settings */
    void (*undo)(void);
    void (*spoil)(void); /* for --break, where undoing it would be as expected */
    bool alone;          /* not together with others */
};

#define CR4_PCE 0x100

#define NEEDS(feature) (1u + FEATURE_##feature)
#define ALL            (~UINT64_C(0))

/* DR7: all four on, for this task and for all; DR0 fetch, DR1 write, DR2 and DR3 read or write, 8
 * bytes. */
#define DR7_VALUE UINT64_C(0xbb9007ff)

/* clang-format off */
/* In the order in which "all" sets them; undone from the end. */
static const struct state states[] = {
    {.name = "la57", .needs = NEEDS(LA57), .set = set_levels5, .undo = undo_levels5},
    {.name = "wp", .settings = {{REG_CR0, CR0_WP, 0}}},
    {.name = "cr0", .settings = {{REG_CR0, CR0_AM | CR0_NE, CR0_AM}}},
    {.name = "nxe", .needs = NEEDS(NX), .set = set_no_nx, .undo = undo_no_nx, .settings = {{REG_EFER, EFER_NXE, 0}}},
    {.name = "nx-stack", .needs = NEEDS(NX), .set = set_nx_stack, .undo = undo_nx_stack, .spoil = spoil_nx_stack},
    {.name = "smep", .needs = NEEDS(SMEP), .set = set_supervisor_only, .settings = {{REG_CR4, CR4_SMEP, CR4_SMEP}}},
    {.name = "smap", .needs = NEEDS(SMAP), .set = set_supervisor_only, .settings = {{REG_CR4, CR4_SMAP, CR4_SMAP}}},
    /* AD of every key; with WD, Bochs 2.7 also faults writes to supervisor pages. */
    {.name = "pke", .needs = NEEDS(PKU), .set = set_supervisor_only,
     .settings = {{REG_CR4, CR4_PKE, CR4_PKE}, {REG_PKRU, ALL, 0x55555555}}},
    /* Key 0 is firmware's; the others are denied. */
    {.name = "pks", .needs = NEEDS(PKS), .settings = {{REG_CR4, CR4_PKS, CR4_PKS}, {REG_PKRS, ALL, 0xfffffffc}}},
    {.name = "pcide", .needs = NEEDS(PCID),
     .settings = {{REG_CR3, 0xfff, 0}, {REG_CR4, CR4_PCIDE, CR4_PCIDE}, {REG_CR3, 0xfff, 5}}},
    {.name = "pge", .needs = NEEDS(PGE), .settings = {{REG_CR4, CR4_PGE, CR4_PGE}}},
    {.name = "umip", .needs = NEEDS(UMIP), .settings = {{REG_CR4, CR4_UMIP, CR4_UMIP}}},
    {.name = "fsgsbase", .needs = NEEDS(FSGSBASE), .settings = {{REG_CR4, CR4_FSGSBASE, CR4_FSGSBASE}}},
    {.name = "cr4", .settings = {{REG_CR4, CR4_TSD | CR4_PCE, CR4_TSD | CR4_PCE}}},
    {.name = "xsave", .needs = NEEDS(XSAVE),
     .settings = {{REG_CR4, CR4_OSXSAVE, CR4_OSXSAVE}, {REG_XCR0, ALL, 3}}},
    {.name = "pat", .needs = NEEDS(PAT), .settings = {{REG_PAT, ALL, 0x0107040600070406}}},
    {.name = "cr2-cr8", .settings = {{REG_CR2, ALL, 0x0000123456789abc}, {REG_CR8, ALL, 1}}},
    {.name = "tables", .set = set_own_tables, .undo = undo_own_tables},
    {.name = "tss", .set = set_task, .undo = undo_task},
    {.name = "tss-ro", .set = set_read_only_task, .undo = undo_read_only_task},
    {.name = "tss-available", .set = set_available_task, .undo = undo_task, .alone = true},
    {.name = "tr-stale", .set = set_stale_task, .undo = undo_task, .alone = true},
    {.name = "ldt", .set = set_own_tables, .undo = undo_own_tables, .settings = {{REG_LDTR, ALL, OWN_LDT}}},
    {.name = "segments", .set = set_own_tables, .undo = undo_own_tables,
     .settings = {{REG_CS, ALL, OWN_CODE}, {REG_SS, ALL, OWN_DATA}, {REG_DS, ALL, 0}, {REG_ES, ALL, OWN_DATA},
                  {REG_FS, ALL, OWN_DATA}, {REG_GS, ALL, 0}}},
    {.name = "bases",
     .settings = {{REG_FS_BASE, ALL, 0x0000700000001000}, {REG_GS_BASE, ALL, 0xffff900000002000},
                  {REG_KERNEL_GS_BASE, ALL, 0x0000600000003000}}},
    {.name = "syscall", .needs = NEEDS(SYSCALL),
     .settings = {{REG_EFER, EFER_SCE, EFER_SCE}, {REG_STAR, ALL, 0x0023001000000000}, {REG_SFMASK, ALL, 0x700},
                  {REG_LSTAR, ALL, 0xffff800000001000}, {REG_CSTAR, ALL, 0xffff800000002000}}},
    {.name = "sysenter", .needs = NEEDS(SYSENTER),
     .settings = {{REG_SYSENTER_CS, ALL, 0x10}, {REG_SYSENTER_ESP, ALL, 0xffff800000003000},
                  {REG_SYSENTER_EIP, ALL, 0xffff800000004000}}},
    {.name = "tsc-aux", .needs = NEEDS(RDTSCP), .settings = {{REG_TSC_AUX, ALL, 0x5a}}},
    {.name = "float", .settings = {{REG_MXCSR, ALL, 0x5f80}, {REG_FCW, ALL, 0x0b7f}}},
    {.name = "ac", .settings = {{REG_RFLAGS, RFLAGS_AC, RFLAGS_AC}}},
    {.name = "nt-iopl", .settings = {{REG_RFLAGS, RFLAGS_NT | RFLAGS_IOPL, RFLAGS_NT | RFLAGS_IOPL}}},
    {.name = "x2apic", .needs = NEEDS(X2APIC), .set = set_x2apic, .spoil = spoil_x2apic},
    {.name = "watchdog", .set = set_watchdog, .undo = undo_watchdog, .spoil = spoil_watchdog},
    {.name = "breakpoints", .set = set_breakpoints, .undo = undo_breakpoints,
     .settings = {{REG_DR1, ALL, CPU_BASE + CPU_STACK_TOP - 8},
                  {REG_DR2, ALL, CPU_BASE + offsetof(struct cpu, firmware.item[WORLD_CR3])},
                  {REG_DR3, ALL, SESSION_BASE}, {REG_DR6, 0xf, 5}, {REG_DR7, ALL, DR7_VALUE}}},
};
/* clang-format on */
#define STATES ARRAY_COUNT(states)

static struct {
    bool each, all, selected[STATES], spoils;
} asked;
static char words[OPTION_LINE];
static const char *program = "\\faultline.efi";
static const char *program_options = "--no-wait --only takeover.*";
static unsigned kept, failed, skipped;

/* ---- words in, lines out
 * ---------------------------------------------------------------------------- */

static char line_bytes[160];
static struct buffer_sink line;

static struct sink *line_begin(const char *name)
{
    buffer_sink_init(&line, line_bytes, sizeof(line_bytes));
    sink_printf(&line.sink, "HOSTILE %s", name);
    return &line.sink;
}

static void line_end(void)
{
    sink_text(&line.sink, "\n");
    if (!console_is_shell() || !console_has_serial())
        serial_write(line.bytes, line.length);
    console_print(line.bytes, line.length);
}

static void complain(const char *name, const char *what)
{
    sink_printf(line_begin(name), ": FAILED %s", what);
    line_end();
}

static bool text_is(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The words' text: of a shell's command line, without the program's name, else of \hostile.txt. */
static void words_read(void)
{
    size_t length = 0;
    if (console_is_shell() && loaded_image && loaded_image->LoadOptions) {
        length = text_narrow_counted(words, sizeof(words), loaded_image->LoadOptions,
                                     loaded_image->LoadOptionsSize / sizeof(CHAR16));
        size_t name = 0;
        while (name < length && words[name] != ' ')
            name++;
        memset(words, ' ', name);
    } else {
        length = (size_t)volume_read(L"\\hostile.txt", words, sizeof(words) - 1);
    }
    words[length < sizeof(words) ? length : sizeof(words) - 1] = '\0';
}

/* Cut the next word off @text. Out: "" at the end. */
static char *word_next(char **text)
{
    while (**text && **text <= ' ')
        ++*text;
    char *word = *text;
    while (**text > ' ')
        ++*text;
    if (**text)
        *(*text)++ = '\0';
    return word;
}

/* Out: false after a word that is not understood; it was named. */
static bool words_parse(void)
{
    char *rest = words;
    bool any = false;
    for (const char *word = word_next(&rest); *word; word = word_next(&rest)) {
        size_t state = 0;
        if (text_is(word, "--break")) {
            asked.spoils = true;
            continue;
        }
        if (text_is(word, "--")) {
            program = word_next(&rest);
            program_options = rest;
            for (; *rest; rest++)
                if (*rest < ' ')
                    *rest = ' ';
            break;
        }
        while (state < STATES && !text_is(word, states[state].name))
            state++;
        if (text_is(word, "each"))
            asked.each = true;
        else if (text_is(word, "all"))
            asked.all = true;
        else if (state < STATES)
            asked.selected[state] = true;
        else {
            complain(word, "is no state");
            return false;
        }
        any = true;
    }
    asked.each = asked.each || !any;
    asked.all = asked.all || !any;
    return true;
}

/* ---- what is verified
 * ---------------------------------------------------------------------------------- */

struct snapshot {
    uint64_t value[REG_COUNT];
};

static void snapshot_take(struct snapshot *snapshot)
{
    for (unsigned reg = 0; reg < REG_COUNT; reg++)
        snapshot->value[reg] = register_read((enum reg)reg);
}

/* TR cannot be loaded with null: who finds it null cannot give it back. */
static bool may_change(const struct snapshot *before, enum reg reg)
{
    return reg == REG_TR && before->value[REG_TR] == 0;
}

/* Out: how many differ; each was printed. */
static unsigned snapshot_compare(const char *name, const char *what, const struct snapshot *before,
                                 const struct snapshot *after)
{
    unsigned differ = 0;
    for (unsigned reg = 0; reg < REG_COUNT; reg++) {
        if (before->value[reg] == after->value[reg] || may_change(before, (enum reg)reg))
            continue;
        differ++;
        sink_printf(line_begin(name), ": %s %s expected %016llx got %016llx", what,
                    register_names[reg], (unsigned long long)before->value[reg],
                    (unsigned long long)after->value[reg]);
        line_end();
    }
    return differ;
}

/* ---- states
 * --------------------------------------------------------------------------------------------- */

static uint64_t old_values[STATES][SETTINGS_MAX];

static void settings_undo(const struct state *state, unsigned count)
{
    while (count--) {
        const struct setting *setting = &state->settings[count];
        register_write(setting->reg, (register_read(setting->reg) & ~setting->mask) |
                                         old_values[state - states][count]);
    }
}

static void state_undo(const struct state *state)
{
    unsigned count = 0;
    while (count < SETTINGS_MAX && state->settings[count].mask)
        count++;
    settings_undo(state, count);
    if (state->undo)
        state->undo();
}

static bool lacks(const struct state *state)
{
    return state->needs && !cpu_has((enum cpu_feature)(state->needs - 1));
}

/* Out: NULL, or why it cannot be; then nothing has changed. */
static const char *state_set(const struct state *state)
{
    if (lacks(state))
        return cpu_feature_name((enum cpu_feature)(state->needs - 1));
    const char *problem = state->set ? state->set() : NULL;
    for (unsigned i = 0; !problem && i < SETTINGS_MAX && state->settings[i].mask; i++) {
        const struct setting *setting = &state->settings[i];
        uint64_t old = register_read(setting->reg);
        old_values[state - states][i] = old & setting->mask;
        register_write(setting->reg, (old & ~setting->mask) | setting->value);
        if ((register_read(setting->reg) & setting->mask) != setting->value) {
            complain(state->name, register_names[setting->reg]);
            failed++;
            settings_undo(state, i + 1);
            if (state->undo)
                state->undo();
            return "the processor does not take it";
        }
    }
    return problem;
}

/* ---- firmware's timer
 * ------------------------------------------------------------------------------------ */

static volatile uint64_t timer_count;

static VOID EFIAPI timer_notify(EFI_EVENT event, VOID *context)
{
    (void)event;
    (void)context;
    timer_count++;
}

/* Do firmware's timer events go on? Bounded. */
static bool timer_runs(void)
{
    uint64_t before = timer_count;
    for (unsigned i = 0; i < 200 && timer_count == before; i++)
        (void)boot_services->Stall(10000);
    return timer_count != before;
}

/* ---- Faultline
 * -------------------------------------------------------------------------------------------- */

static CHAR16 wide_options[OPTION_LINE];

/* The device path of @path on the volume that we came from; to be freed by pool_free. */
static EFI_DEVICE_PATH *file_path(const char *path)
{
    static const EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
    const uint8_t *device = firmware_protocol(loaded_image->DeviceHandle, &path_guid);
    size_t before = 0, length = 0;
    while (path[length])
        length++;
    if (!device)
        return NULL;
    while (device[before] != 0x7f) /* the end node's type */
        before += (size_t)device[before + 2] | (size_t)device[before + 3] << 8;
    size_t node = 4 + 2 * (length + 1);
    uint8_t *made = pool_allocate(before + node + 4);
    if (!made)
        return NULL;
    memcpy(made, device, before);
    const uint8_t head[4] = {4, 4, (uint8_t)node, (uint8_t)(node >> 8)}; /* media, file path */
    const uint8_t end[4] = {0x7f, 0xff, 4, 0};
    memcpy(made + before, head, sizeof(head));
    for (size_t i = 0; i <= length; i++) {
        made[before + 4 + 2 * i] = (uint8_t)path[i];
        made[before + 5 + 2 * i] = 0;
    }
    memcpy(made + before + node, end, sizeof(end));
    return (EFI_DEVICE_PATH *)made;
}

static EFI_STATUS program_load(EFI_HANDLE *program_handle)
{
    static const EFI_GUID loaded_image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_DEVICE_PATH *path = file_path(program);
    if (!path)
        return EFI_NOT_FOUND;
    EFI_STATUS status =
        boot_services->LoadImage(FALSE, image_handle, path, NULL, 0, program_handle);
    pool_free(path);
    if (EFI_ERROR(status))
        return status;
    EFI_LOADED_IMAGE *loaded = firmware_protocol(*program_handle, &loaded_image_guid);
    if (!loaded)
        return EFI_NOT_FOUND;
    size_t length = 0;
    for (; program_options[length]; length++)
        wide_options[length] = (CHAR16)program_options[length];
    wide_options[length] = 0;
    loaded->LoadOptions = wide_options;
    loaded->LoadOptionsSize = (UINT32)((length + 1) * sizeof(CHAR16));
    started_image = loaded;
    return EFI_SUCCESS;
}

/* ---- one run
 * -----------------------------------------------------------------------------------------------
 */

static void spoil(const struct state *state)
{
    if (state->spoil)
        state->spoil();
    else
        state_undo(state);
}

/*
 * Start the program with @count states set, @chosen by number. Nothing is printed and no memory is
 * allocated between the last of them and the program, nor between the program and the verification.
 */
static void run(const char *name, const size_t *chosen, size_t count)
{
    static struct snapshot begun, before, after, ended;
    static bool set[STATES];
    static const char *problems[STATES];
    EFI_HANDLE program_handle;
    size_t set_count = 0;
    unsigned bad;

    EFI_STATUS status = program_load(&program_handle);
    if (EFI_ERROR(status)) {
        complain(program, "to load");
        failed++;
        return;
    }
    snapshot_take(&begun);
    for (size_t i = 0; i < count; i++) {
        problems[i] = state_set(&states[chosen[i]]);
        set[i] = !problems[i];
        set_count += set[i];
    }
    if (set_count) {
        snapshot_take(&before);
        before.value[REG_WATCHDOG] = 0; /* switched off for good: docs/architecture.md */
        status = boot_services->StartImage(program_handle, NULL, NULL);
        for (size_t i = count; asked.spoils && i--;)
            if (set[i])
                spoil(&states[chosen[i]]);
        snapshot_take(&after);
    } else {
        (void)boot_services->UnloadImage(program_handle);
    }
    bool ticks = timer_runs();
    for (size_t i = count; i--;)
        if (set[i] && (!asked.spoils || states[chosen[i]].spoil))
            state_undo(&states[chosen[i]]);
    snapshot_take(&ended);

    for (size_t i = 0; i < count; i++) {
        const struct state *state = &states[chosen[i]];
        if (set[i])
            continue;
        if (count == 1)
            sink_text(line_begin(name), ": SKIP");
        else
            sink_printf(line_begin(name), ": without %s:", state->name);
        sink_printf(&line.sink, "%s %s", lacks(state) ? " the processor lacks" : "", problems[i]);
        line_end();
        skipped += count == 1;
    }
    if (!set_count)
        return;
    bad = snapshot_compare(name, "CHANGED", &before, &after);
    /* undo_task and spoil_x2apic say why. */
    ended.value[REG_TR] = begun.value[REG_TR];
    ended.value[REG_APIC_BASE] = begun.value[REG_APIC_BASE];
    bad += snapshot_compare(name, "NOT UNDONE", &begun, &ended);
    if (EFI_ERROR(status)) {
        sink_printf(line_begin(name), ": CHANGED status expected 0 got %llx",
                    (unsigned long long)status);
        line_end();
        bad++;
    }
    if (!ticks) {
        sink_printf(line_begin(name), ": CHANGED timer expected ticking got stopped");
        line_end();
        bad++;
    }
    if (bad) {
        failed++;
        return;
    }
    kept++;
    sink_text(line_begin(name), ": kept");
    line_end();
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_EVENT timer;

    firmware_start(image, table);
    console_start();
    serial_start();
    (void)volume_start();
    words_read();
    if (!loaded_image || !words_parse() ||
        EFI_ERROR(boot_services->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_CALLBACK,
                                             timer_notify, NULL, &timer)) ||
        EFI_ERROR(boot_services->SetTimer(timer, TimerPeriodic, 10000))) {
        failed++;
    } else {
        size_t chosen[STATES], count = 0;
        for (size_t i = 0; i < STATES; i++)
            if (asked.each)
                run(states[i].name, &i, 1);
        for (size_t i = 0; i < STATES; i++)
            if (asked.selected[i] || (asked.all && !states[i].alone))
                chosen[count++] = i;
        if (count)
            run(asked.all ? "all" : count > 1 ? "together" : states[chosen[0]].name, chosen, count);
        (void)boot_services->CloseEvent(timer);
    }
    sink_printf(line_begin(failed || !kept ? "FAIL" : "PASS"), " %u kept, %u failed, %u skipped",
                kept, failed, skipped);
    line_end();
    volume_end();
    serial_end();
    return failed || !kept ? EFI_ABORTED : EFI_SUCCESS;
}
