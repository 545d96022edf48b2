/*
 * extable.c: sorting and searching the exception table. Hop c on the way of a fault.
 */
#include "extable.h"

/* Write @from to @to, where its self-relative offsets name the same addresses. */
static void move(struct extable_entry *to, const struct extable_entry *from, intptr_t distance)
{
    *to = (struct extable_entry){.instruction = (int32_t)(from->instruction + distance),
                                 .fixup = (int32_t)(from->fixup + distance),
                                 .what = from->what};
}

void extable_sort(struct extable_entry *first, size_t count)
{
    const intptr_t size = sizeof(*first);
    for (size_t i = 1; i < count; i++) {
        const uint64_t instruction = extable_instruction(&first[i]);
        const struct extable_entry taken = first[i];
        size_t slot = i;
        for (; slot > 0 && extable_instruction(&first[slot - 1]) > instruction; slot--) {
            move(&first[slot], &first[slot - 1], -size);
        }
        move(&first[slot], &taken, (intptr_t)(i - slot) * size);
    }
}

bool extable_is_sorted(const struct extable_entry *first, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (extable_instruction(&first[i - 1]) >= extable_instruction(&first[i])) {
            return false;
        }
    }
    return true;
}

const struct extable_entry *extable_find(const struct extable_entry *first, size_t count,
                                         uint64_t rip)
{
    /* All entries before @low lie below @rip, all from @high on at or above it. */
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (extable_instruction(&first[middle]) < rip) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && extable_instruction(&first[low]) == rip ? &first[low] : NULL;
}
