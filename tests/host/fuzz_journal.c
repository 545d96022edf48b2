/*
 * fuzz_journal.c: any bytes as a journal. To come past the CRC, each unit that the input describes
 * gets a right one: two bytes of length and type, then the payload.
 */
#include "tests/host/fuzz.h"

#include "tests/harness/journal.h"
#include "tests/harness/record_log.h"

static bool next(struct check_ref *check)
{
    check->variant++;
    return check->variant < 200;
}

static void read_all(const void *bytes, size_t length)
{
    struct journal_reader reader;
    struct journal_entry entry;
    journal_read_begin(&reader, bytes, length, next);
    while (journal_read(&reader, &entry)) {
        FUZZ_ASSERT(reader.at <= length);
        if (entry.kind != RECORD_CHECK)
            continue;
        FUZZ_ASSERT(record_valid(entry.record, entry.record->bytes));
        const struct oops *oops = record_oops(entry.record);
        uint64_t sum = oops != NULL ? oops->trace[OOPS_TRACE - 1] : 0;
        for (unsigned i = 0; i < entry.record->comparisons; i++)
            sum += comparison_differs(&entry.record->comparison[i]);
        __asm__ volatile("" : : "r"(sum)); /* read, under the sanitizer's eyes */
    }
    FUZZ_ASSERT(reader.at <= length && reader.at % 8 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly so many bytes, 8-aligned, as the sanitizer wants to see them. */
    uint8_t *copy = malloc(size + 1);
    FUZZ_ASSERT(copy != NULL);
    memcpy(copy, data, size);
    read_all(copy, size);
    free(copy);

    uint8_t *units = calloc(1, 32 * (size + 1));
    FUZZ_ASSERT(units != NULL);
    size_t at = 0;
    for (uint32_t sequence = 0; size >= 2; sequence++) {
        uint32_t length = data[0] * 8u, take = length < size - 2 ? length : (uint32_t)(size - 2);
        uint16_t type = data[1] % 8;
        length = (take + 7) / 8 * 8;
        uint32_t unit[6] = {0x4a544c46, type | JOURNAL_VERSION << 16, length, sequence, 0, 0};
        memcpy(units + at + sizeof(unit), data + 2, take);
        unit[4] =
            journal_crc32(journal_crc32(0, unit, sizeof(unit)), units + at + sizeof(unit), length);
        memcpy(units + at, unit, sizeof(unit));
        at += sizeof(unit) + length;
        data += 2 + take;
        size -= 2 + take;
    }
    uint8_t *exact = malloc(at + 1);
    FUZZ_ASSERT(exact != NULL);
    memcpy(exact, units, at);
    read_all(exact, at);
    free(exact);
    free(units);
    return 0;
}
