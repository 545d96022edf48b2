/*
 * volume.h: the stick: the file system that we read options from and write reports to.
 * Paths are from its root: L"\\faultline\\journal".
 */
#ifndef EFI_VOLUME_H
#define EFI_VOLUME_H

#include "efi/firmware.h"
#include "tests/harness/session.h"

/*
 * Choose the volume: the one we were loaded from; but if it holds no \faultline.cfg (or we came
 * from no volume: by network, or from QEMU's -kernel), the first other that does. Such a file says
 * that the volume is Faultline's to write on. Out: SAVE_OK, SAVE_NO_VOLUME, or SAVE_READ_ONLY,
 * after which reading still works.
 */
enum save_problem volume_start(void);
void volume_end(void);

/* Are @wanted bytes free, as far as the volume tells? */
bool volume_has_room(uint64_t wanted) MUST_CHECK;

/* What an error of firmware's means for the person who waits for the files. */
enum save_problem volume_problem(EFI_STATUS status);

/* Open for reading, and for writing where the volume allows it. Out: NULL when there is none. */
EFI_FILE_HANDLE volume_open(CHAR16 *path) MUST_CHECK;

/*
 * Read at most @room bytes from the start of the file at @path.
 * Out: how many bytes the file has, though only @room of them were read; 0: no such file.
 */
uint64_t volume_read(CHAR16 *path, void *buffer, size_t room) MUST_CHECK;

/* Make a file, empty; one that is there already is emptied. @file: to be closed by the caller. */
enum save_problem volume_create(CHAR16 *path, EFI_FILE_HANDLE *file) MUST_CHECK;

/* Make a folder; its parent is there. Fine if it is there already. */
enum save_problem volume_make_folder(CHAR16 *path) MUST_CHECK;

/* Append all of @bytes. */
enum save_problem volume_write(EFI_FILE_HANDLE file, const void *bytes, size_t length) MUST_CHECK;

/* Delete a file. Out: true if there is none by that name now. */
bool volume_delete(CHAR16 *path);

/* The highest of the entries of the folder at @path whose names are four or more digits; 0: none.
 */
uint16_t volume_highest_number(CHAR16 *path);

#endif
