/*
 * uaccess.h: reach memory that may not be there: user memory, a word at the edge of a page, an MSR.
 * All of it stands on the exception table (extable.h). With SMAP on, user access is opened (STAC)
 * for the access alone.
 */
#ifndef FAULT_UACCESS_H
#define FAULT_UACCESS_H

#include "x86/types.h"

/* Say how the processor runs now: whether CR4.SMAP is set, and the paging levels. */
void uaccess_configure(bool smap, unsigned levels);
extern uint8_t uaccess_smap; /* what was said */

/* Do @bytes from @address lie in the lower half, as user memory must? */
extern uint64_t uaccess_end; /* the lower half's; uaccess.c */
MUST_CHECK static inline bool uaccess_in_range(vaddr_t address, uint64_t bytes)
{
    return bytes <= uaccess_end && address <= uaccess_end - bytes;
}

/*
 * Copy @bytes. Out: how many bytes were *not* copied: 0 is success. Copied bytes are the first
 * ones, exactly up to the page that failed. A range outside the lower half copies nothing.
 */
uint64_t copy_from_user(void *to, vaddr_t from, uint64_t bytes) MUST_CHECK;
uint64_t copy_to_user(vaddr_t to, const void *from, uint64_t bytes) MUST_CHECK;

/* Zero @bytes. Out: how many were not zeroed. */
uint64_t clear_user(vaddr_t to, uint64_t bytes) MUST_CHECK;

/*
 * Copy a string of at most @capacity bytes, NUL included.
 * Out: its length without NUL; @capacity when there was no NUL in them; UACCESS_FAULT when a byte
 * before the NUL could not be read (what came before it is in @to).
 */
#define UACCESS_FAULT (-1)
int64_t strncpy_from_user(char *to, vaddr_t from, uint64_t capacity) MUST_CHECK;

/* One naturally sized value of 1, 2, 4 or 8 bytes. Out: false and @value 0 when it cannot be read.
 */
bool get_user(uint64_t *value, vaddr_t from, unsigned bytes) MUST_CHECK;
bool put_user(uint64_t value, vaddr_t to, unsigned bytes) MUST_CHECK;

/*
 * Eight bytes from @from, of which the first must be readable: bytes that lie in a missing page
 * read as zero.
 */
uint64_t read_zeropad(const void *from);

/* Eight bytes of kernel memory, if they can be read. */
bool read_guarded(const void *from, uint64_t *value) MUST_CHECK;

/* An MSR that may not exist (#GP). */
bool read_msr_guarded(uint32_t msr, uint64_t *value) MUST_CHECK;
bool write_msr_guarded(uint32_t msr, uint64_t value) MUST_CHECK;

#endif
