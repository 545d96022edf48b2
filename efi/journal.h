/*
 * journal.h: what outlives a machine that dies: the bytes of STREAM_JOURNAL, in \faultline\journal
 * on the stick, or, where nothing can be written there, in non-volatile variables of firmware's. A
 * journal exists exactly while a run is unfinished; finding one at start means that the machine
 * died.
 *
 * In front of core's bytes stands a head of ours: which build wrote it (records are plain
 * structures: only the same core can read them), on which machine (sticks travel), and which report
 * it belongs to.
 */
#ifndef EFI_JOURNAL_H
#define EFI_JOURNAL_H

#include "efi/volume.h"

struct journal_found {
    size_t bytes;                 /* of core's, as many as the buffer takes; 0: no unfinished run */
    enum journal_carrier carrier; /* where it was */
    uint16_t report;              /* its number; 0: that report is not on this stick */
};

/*
 * Look for what an unfinished run of this build left on this machine, whose fingerprint is
 * @machine. In: volume_start was called. Out: it is in @buffer. Changes nothing but memory.
 */
struct journal_found journal_find(uint32_t machine, void *buffer, size_t room);

/* Where a new journal will be, as far as one can tell without writing: @volume is volume_start's
 * answer. */
enum journal_carrier journal_carrier(enum save_problem volume);

/* How many bytes of core's a journal on @carrier can take in all, those found there included. */
size_t journal_room(enum journal_carrier carrier);

/*
 * Begin the journal of report @number. @kept: how many of the bytes found go on being its
 * beginning, on the carrier where they are; 0: a new journal on @carrier, and whatever else there
 * is vanishes with the first flush.
 */
void journal_start(enum journal_carrier carrier, uint16_t number, size_t kept);

/* Append bytes of core's. They outlive nothing until journal_flush. */
void journal_append(const void *bytes, size_t length);

/*
 * Make sure that what was appended outlives a reset. When the stick fails, variables take over;
 * when they fail too, nothing is left behind that could accuse the wrong check. Out: the carrier
 * that holds the journal now.
 */
enum journal_carrier journal_flush(void);

/* The run ended properly: delete every trace, unless it never wrote any: then the journal that may
 * be there is another run's, which is still unfinished. */
void journal_end(void);

/* Free the memory; what was found or saved stays where it is. */
void journal_forget(void);

#endif
