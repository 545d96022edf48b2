/*
 * firmware.h: what every file of efi/ asks of firmware. This is the only folder that includes
 * <efi.h>, and EFI_STATUS goes no further. UEFI specification, sections 4 and 7.
 *
 * Nothing here may be taken for granted: a protocol can be missing and a call can fail on any
 * machine; callers go on without what they asked for.
 */
#ifndef EFI_FIRMWARE_H
#define EFI_FIRMWARE_H

#include <efi.h>

#include "x86/types.h"

extern EFI_HANDLE image_handle; /* this application */
extern EFI_SYSTEM_TABLE *system_table;
extern EFI_BOOT_SERVICES *boot_services;
extern EFI_RUNTIME_SERVICES *runtime_services;
extern EFI_LOADED_IMAGE *loaded_image; /* NULL: firmware did not say how we were loaded */

/* First of all: remember the tables, and switch the watchdog off (it would reset after 5 minutes).
 */
void firmware_start(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/* The protocol @guid of @handle, or NULL. */
void *firmware_protocol(EFI_HANDLE handle, const EFI_GUID *guid);

/* The first protocol @guid of any handle, or NULL. */
void *firmware_any_protocol(const EFI_GUID *guid);

/* All handles with @guid. Out: how many; @handles is to be freed with pool_free, NULL for none. */
size_t firmware_handles(const EFI_GUID *guid, EFI_HANDLE **handles);

/* What the configuration table holds for @guid, or NULL. */
const void *firmware_table(const EFI_GUID *guid);

/* Memory until pool_free; NULL when there is none. Freeing NULL is nothing. */
void *pool_allocate(size_t bytes) MUST_CHECK;
void pool_free(void *memory);

/* Copy at most @room - 1 characters and a NUL; what is not printable ASCII becomes '?'. Out: how
 * many. */
size_t text_narrow(char *to, size_t room, const CHAR16 *from);

/* The same with @count characters instead of a NUL at the end. */
size_t text_narrow_counted(char *to, size_t room, const CHAR16 *from, size_t count);

#endif
