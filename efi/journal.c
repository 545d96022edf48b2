/*
 * journal.c: see journal.h. UEFI specification, sections 8.2 (variables) and 13.5 (files).
 *
 * The whole journal is in memory too, so that it can move to another carrier. Variables hold it in
 * chunks: a flush writes only those that grew, since flash wears out and firmware rewrites a
 * variable as a whole. OVMF takes 8 KiB a variable (33 KiB in its 4-MiB build) and 56 KiB (256 KiB)
 * in all. Some laptops no longer start when variables fill more than half of their flash, hence
 * VARIABLE_SHARE.
 */
#include "efi/journal.h"

#include "efi/core_image.h"
#include "x86/memory.h"

#define FOLDER         L"\\faultline"
#define JOURNAL_PATH   L"\\faultline\\journal"
#define RUN_BYTES      (UINT64_C(8) << 20) /* reports and journal of the longest run seen, twice */
#define CHUNK_BYTES    1024u
#define CHUNKS_MAX     32u
#define VARIABLE_SHARE 2u /* take at most one part in this many of the flash that is free */
#define VARIABLE_KEEPS (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)

struct journal_head {
    char magic[4];
    uint32_t core;    /* CRC-32 of core's image */
    uint32_t machine; /* fingerprint, facts.h */
    uint16_t report;
    uint16_t carrier; /* only a journal that began on the stick belongs to a report there */
};
_Static_assert(sizeof(struct journal_head) == 16, "the head is read by later runs");

static uint8_t *journal;           /* head and core's bytes; NULL: none */
static size_t length, room, saved; /* @saved of @length bytes outlive a reset */
static size_t found_length;
static uint32_t machine;
static enum journal_carrier used;
static EFI_FILE_HANDLE file; /* open while @used is JOURNAL_FILE and something is saved */

/* Make @journal hold @bytes. Out: false when there is no memory; it is as before then. */
static bool reserve(size_t bytes)
{
    size_t wanted = room ? room : 16 * CHUNK_BYTES;
    while (wanted < bytes)
        wanted *= 2;
    if (wanted == room)
        return true;
    uint8_t *larger = pool_allocate(wanted);
    if (!larger)
        return false;
    memcpy(larger, journal, length);
    pool_free(journal);
    journal = larger;
    room = wanted;
    return true;
}

/* ---- variables --------------------------------------------------------------------------------
 */

static EFI_GUID variable_guid = {
    0x6b1ee2b7, 0x2f0c, 0x4c1d, {0x9b, 0x4e, 0x46, 0x61, 0x75, 0x6c, 0x74, 0x6c}
};

static CHAR16 *chunk_name(size_t chunk)
{
    static CHAR16 name[] = L"FaultlineJournal00";
    name[ARRAY_COUNT(name) - 3] = (CHAR16)(L'0' + chunk / 10);
    name[ARRAY_COUNT(name) - 2] = (CHAR16)(L'0' + chunk % 10);
    return name;
}

/* Zero bytes delete it. */
static bool chunk_set(size_t chunk, const void *bytes, size_t count)
{
    return !EFI_ERROR(runtime_services->SetVariable(
        chunk_name(chunk), &variable_guid, VARIABLE_KEEPS, count, (void *)(uintptr_t)bytes));
}

/* Out: bytes of the chunk, 0: there is none. */
static size_t chunk_get(size_t chunk, uint8_t bytes[CHUNK_BYTES])
{
    UINTN count = CHUNK_BYTES;
    if (EFI_ERROR(
            runtime_services->GetVariable(chunk_name(chunk), &variable_guid, NULL, &count, bytes)))
        return 0;
    return count;
}

/* Delete chunks from @first on. */
static void variables_delete(size_t first)
{
    uint8_t bytes[CHUNK_BYTES];
    for (size_t chunk = first; chunk < CHUNKS_MAX && chunk_get(chunk, bytes); chunk++)
        (void)chunk_set(chunk, NULL, 0);
}

/* How many bytes of journal firmware's flash can be asked to take. */
static size_t variables_room(void)
{
    UINT64 all, left, each;
    if (EFI_ERROR(runtime_services->QueryVariableInfo(VARIABLE_KEEPS, &all, &left, &each)) ||
        each < 2 * CHUNK_BYTES)
        return 0;
    left /= VARIABLE_SHARE;
    return left < CHUNKS_MAX * CHUNK_BYTES ? (size_t)left : CHUNKS_MAX * CHUNK_BYTES;
}

static bool variables_read(void)
{
    for (size_t chunk = 0; chunk < CHUNKS_MAX && reserve(length + CHUNK_BYTES); chunk++) {
        size_t count = chunk_get(chunk, journal + length);
        length += count;
        if (count < CHUNK_BYTES)
            break;
    }
    return length > 0;
}

static bool variables_save(void)
{
    size_t chunk = saved / CHUNK_BYTES;
    if (length - saved > variables_room() || length > CHUNKS_MAX * CHUNK_BYTES)
        return false;
    for (; chunk * CHUNK_BYTES < length; chunk++) {
        size_t rest = length - chunk * CHUNK_BYTES;
        if (!chunk_set(chunk, journal + chunk * CHUNK_BYTES,
                       rest < CHUNK_BYTES ? rest : CHUNK_BYTES))
            return false;
    }
    if (saved == 0)
        variables_delete(chunk); /* an older, longer journal's */
    return true;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static void file_close(void)
{
    if (file)
        (void)file->Close(file);
    file = NULL;
}

static bool file_read(void)
{
    uint64_t bytes = volume_read(JOURNAL_PATH, NULL, 0);
    if (bytes == 0 || bytes > UINT32_MAX || !reserve((size_t)bytes))
        return false;
    if (volume_read(JOURNAL_PATH, journal, (size_t)bytes) != bytes)
        return false;
    length = (size_t)bytes;
    return true;
}

static bool file_save(void)
{
    if (!file && saved) { /* going on with an unfinished run's */
        file = volume_open(JOURNAL_PATH);
        if (!file || EFI_ERROR(file->SetPosition(file, saved)))
            return false;
    } else if (!file && (volume_make_folder(FOLDER) != SAVE_OK ||
                         volume_create(JOURNAL_PATH, &file) != SAVE_OK)) {
        file = NULL;
        return false;
    }
    return volume_write(file, journal + saved, length - saved) == SAVE_OK &&
           !EFI_ERROR(file->Flush(file));
}

/* ---- both -------------------------------------------------------------------------------------
 */

static struct journal_head head_make(enum journal_carrier carrier, uint16_t number)
{
    struct journal_head head = {
        .magic = {'F', 'L', 'J', '1'},
        .machine = machine,
        .report = number,
        .carrier = (uint16_t)carrier
    };
    /* Without a checksum all builds look alike; none of the firmware known fails to calculate one.
     */
    (void)boot_services->CalculateCrc32((void *)(uintptr_t)core_image,
                                        (UINTN)(core_image_end - core_image), &head.core);
    return head;
}

/* Is the journal in memory one of this build on this machine? */
static bool is_ours(void)
{
    struct journal_head head, ours = head_make(JOURNAL_NONE, 0);
    if (length < sizeof(head))
        return false;
    memcpy(&head, journal, sizeof(head));
    return memcmp(head.magic, ours.magic, sizeof(head.magic)) == 0 && head.core == ours.core &&
           head.machine == machine;
}

struct journal_found journal_find(uint32_t fingerprint, void *buffer, size_t buffer_room)
{
    /* Variables first: they are written only after a file failed, so theirs is the newer journal.
     */
    static const struct {
        enum journal_carrier carrier;
        bool (*read)(void);
    } carriers[] = {
        {JOURNAL_VARIABLE, variables_read},
        {JOURNAL_FILE,     file_read     }
    };

    machine = fingerprint;
    for (size_t i = 0; i < ARRAY_COUNT(carriers); i++) {
        struct journal_head head;
        length = 0;
        if (!carriers[i].read() || !is_ours())
            continue;
        memcpy(&head, journal, sizeof(head));
        found_length = length;
        struct journal_found found = {
            .bytes = length - sizeof(head),
            .carrier = carriers[i].carrier,
            .report = carriers[i].carrier == JOURNAL_FILE && head.carrier == JOURNAL_FILE
                          ? head.report
                          : 0,
        };
        if (found.bytes > buffer_room)
            found.bytes = buffer_room;
        memcpy(buffer, journal + sizeof(head), found.bytes);
        used = found.carrier;
        return found;
    }
    length = 0;
    return (struct journal_found){.carrier = JOURNAL_NONE};
}

enum journal_carrier journal_carrier(enum save_problem volume)
{
    /* A journal that moves away from a stick in mid-run is too long for variables: choose now. */
    if (volume == SAVE_OK && volume_has_room(RUN_BYTES))
        return JOURNAL_FILE;
    return variables_room() >= CHUNK_BYTES ? JOURNAL_VARIABLE : JOURNAL_NONE;
}

size_t journal_room(enum journal_carrier carrier)
{
    size_t bytes = carrier == JOURNAL_FILE ? UINT32_MAX : 0;
    if (carrier == JOURNAL_VARIABLE) {
        bytes = variables_room() + (used == JOURNAL_VARIABLE ? found_length : 0);
        if (bytes > CHUNKS_MAX * CHUNK_BYTES)
            bytes = CHUNKS_MAX * CHUNK_BYTES;
    }
    return bytes > sizeof(struct journal_head) ? bytes - sizeof(struct journal_head) : 0;
}

void journal_start(enum journal_carrier carrier, uint16_t number, size_t kept)
{
    struct journal_head head = head_make(carrier, number);
    if (kept) {
        length = sizeof(head) + kept;
        saved = length == found_length ? length : 0; /* an end that was not kept must go */
        return;
    }
    used = carrier;
    length = saved = 0;
    if (!reserve(sizeof(head))) {
        used = JOURNAL_NONE;
        return;
    }
    memcpy(journal, &head, sizeof(head));
    length = sizeof(head);
}

void journal_append(const void *bytes, size_t count)
{
    if (used == JOURNAL_NONE || count == 0)
        return;
    if (!reserve(length + count)) {
        journal_end();
        return;
    }
    memcpy(journal + length, bytes, count);
    length += count;
}

enum journal_carrier journal_flush(void)
{
    bool first = saved == 0;
    if (used == JOURNAL_NONE || length == saved || length <= sizeof(struct journal_head))
        return used;
    if (used == JOURNAL_FILE && !file_save()) {
        file_close();
        used = JOURNAL_VARIABLE;
        saved = 0;
        first = true;
    }
    if (used == JOURNAL_VARIABLE && !variables_save()) {
        journal_end();
        return used;
    }
    saved = length;
    if (first && used == JOURNAL_FILE)
        variables_delete(0);
    if (first && used == JOURNAL_VARIABLE)
        (void)volume_delete(JOURNAL_PATH);
    return used;
}

void journal_end(void)
{
    if (length > sizeof(struct journal_head)) {
        file_close();
        (void)volume_delete(JOURNAL_PATH);
        variables_delete(0);
    }
    journal_forget();
}

void journal_forget(void)
{
    file_close();
    pool_free(journal);
    journal = NULL;
    length = room = saved = found_length = 0;
    used = JOURNAL_NONE;
}
