/*
 * uaccess.c: the range checks around uaccess.S.
 */
#include "uaccess.h"

#include "uaccess_raw.h"

/* uaccess.S reads it, too. */
uint8_t uaccess_smap;
uint64_t uaccess_end = BIT(47);

void uaccess_configure(bool smap, unsigned levels)
{
    uaccess_smap = smap;
    uaccess_end = levels == 5 ? BIT(56) : BIT(47);
}

uint64_t copy_from_user(void *to, vaddr_t from, uint64_t bytes)
{
    return uaccess_in_range(from, bytes) ? raw_copy_from_user(to, (const void *)from, bytes)
                                         : bytes;
}

uint64_t copy_to_user(vaddr_t to, const void *from, uint64_t bytes)
{
    return uaccess_in_range(to, bytes) ? raw_copy_to_user((void *)to, from, bytes) : bytes;
}

uint64_t clear_user(vaddr_t to, uint64_t bytes)
{
    return uaccess_in_range(to, bytes) ? raw_clear_user((void *)to, bytes) : bytes;
}

int64_t strncpy_from_user(char *to, vaddr_t from, uint64_t capacity)
{
    for (uint64_t i = 0; i < capacity; i++) {
        uint64_t byte;
        if (!get_user(&byte, from + i, 1)) {
            return UACCESS_FAULT;
        }
        to[i] = (char)byte;
        if (byte == 0) {
            return (int64_t)i;
        }
    }
    return (int64_t)capacity;
}

bool get_user(uint64_t *value, vaddr_t from, unsigned bytes)
{
    *value = 0;
    return uaccess_in_range(from, bytes) && raw_get_user(value, (const void *)from, bytes);
}

bool put_user(uint64_t value, vaddr_t to, unsigned bytes)
{
    return uaccess_in_range(to, bytes) && raw_put_user(value, (void *)to, bytes);
}
